"""The chart of docs/benchmarks.md: how many times as long as ours others take.

Grey letters on no background, so that it reads on a light page and on a dark one.
"""

from __future__ import annotations

import statistics
from pathlib import Path

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt
from report import Result, Results

INK, OURS, BAR, FLOOR = "#7a828c", "#2f9e6e", "#5b8dd6", "#b08a3e"
# A panel each: the verbs whose cases it shows.
PANELS = {
    "Read 1,000,000 rows": ("full",),
    "... to Arrow": ("arrow",),
    "... to JSON": ("json",),
    "Write 1,000,000 rows": ("load_arrow", "load_dicts"),
    "Newest row": ("one",),
    "Figures by day and month": ("by_day", "series"),
    "Durable adds, 8 threads": ("adds",),
}
NAMES = {"load_arrow": "Arrow", "load_dicts": "dicts", "by_day": "days"}
NAMES |= {"series": "months"}


def label(result: Result, verbs: tuple[str, ...]) -> str:
    verb = result.case.verb
    what = f", {NAMES[verb]}" if len(verbs) > 1 else ""
    return result.case.other_title + what


def panel(axes: plt.Axes, title: str, found: list[Result], verbs: tuple[str, ...]):
    found = sorted(found, key=lambda result: statistics.median(result.times_ours))
    names = ["smartshopie_db", *(label(result, verbs) for result in found)]
    middles = [1.0, *(statistics.median(result.times_ours) for result in found)]
    lows = [1.0, *(min(result.times_ours) for result in found)]
    highs = [1.0, *(max(result.times_ours) for result in found)]
    floors = [FLOOR if result.case.other == "floor" else BAR for result in found]
    places = range(len(names))
    axes.barh(places, middles, color=[OURS, *floors], height=0.7)
    axes.hlines(places, lows, highs, color=INK, linewidth=1)
    axes.set_xscale("log")
    axes.set_xlim(0.3, max(highs) * 2.2)
    axes.axvline(1, color=OURS, linewidth=1)
    for place, middle, high in zip(places, middles, highs, strict=True):
        text = f"{middle:.2f}" if middle < 10 else f"{middle:.0f}"
        axes.text(high * 1.08, place, text, color=INK, va="center", size=8)
    axes.set_yticks(places, names, size=8, color=INK)
    axes.invert_yaxis()
    axes.set_title(title, loc="left", size=10, color=INK, weight="bold")
    axes.xaxis.set_visible(False)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def write(target: Path, results: Results) -> None:
    panels = []
    for title, verbs in PANELS.items():
        cases = [r for r in results.all() if r.case.verb in verbs and r.other]
        best = {r.case.other_title + r.case.verb: r for r in cases}
        if best:
            panels.append((title, list(best.values()), verbs))
    heights = [len(found) + 2 for _, found, _ in panels]
    plt.rcParams["svg.fonttype"] = "none"  # text as text: small, and can be searched
    plt.rcParams["svg.hashsalt"] = "bench"  # the same file from the same figures
    figure, rows = plt.subplots(
        len(panels), 1, figsize=(8, 0.24 * sum(heights)), height_ratios=heights
    )
    for axes, (title, found, verbs) in zip(rows, panels, strict=True):
        panel(axes, title, found, verbs)
    figure.suptitle(
        "Time taken, ours = 1 (longer bars are slower; logarithmic;"
        " the line is the range of the rounds)",
        size=9,
        color=INK,
    )
    figure.tight_layout()
    target.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(target, transparent=True, metadata={"Date": None})
