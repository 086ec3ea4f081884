"""How much a test does: little in every run, much in `./run soak`, which sets
SMARTSHOPIE_SOAK to 1.  Less than 1 is that share of it, for runs in slices: their
figures are kept in the file $SMARTSHOPIE_FIGURES, and add up."""

import os
import random
from collections import defaultdict
from pathlib import Path

SHARE = float(os.environ.get("SMARTSHOPIE_SOAK") or 0)
SOAK = SHARE > 0


def times(quick, soak):
    """How often, how many or for how many seconds."""
    return max(1, round(soak * SHARE)) if SOAK else quick


def seed():
    """Chance that repeats itself, but not in soak, where each slice is to be new."""
    return random.SystemRandom().randrange(1 << 31) if SOAK else 1


def figure(what, n, bad=0):
    """Tell the table at the end of soak: so many were tried, so many went wrong."""
    if where := os.environ.get("SMARTSHOPIE_FIGURES"):
        with open(where, "a", encoding="utf-8") as file:
            file.write(f"{what}\t{int(n)}\t{int(bad)}\n")


def table():
    """The lines of the table, the slices of the same figure added up."""
    path = Path(os.environ.get("SMARTSHOPIE_FIGURES") or os.devnull)
    sums = defaultdict(lambda: [0, 0])
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        what, *numbers = line.split("\t")
        sums[what] = [a + int(b) for a, b in zip(sums[what], numbers, strict=True)]
    return [f"{n:>13,} {bad:>8,}   {what}" for what, (n, bad) in sums.items()]
