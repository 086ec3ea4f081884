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
    "full": "Read many rows",
    "arrow": "Read many rows to Arrow",
    "json": "Read many rows to JSON",
    "one": "Read the newest row",
    "by_day": "Many interactions by day",
    "series": "A year by month, and compared",
    "load_arrow": "Write many rows from Arrow",
    "load_dicts": "Write many rows from dicts",
    "add": "One durable add",
    "adds": "One durable add, by 8 threads at once",
}
SHOWN = (0.4, 2000)  # times ours: one scale for all panels


def panel(axes: plt.Axes, title: str, found: list[Result]) -> None:
    found = sorted(found, key=lambda result: statistics.median(result.times_ours))
    names = ["smartshopie_db", *(result.case.other_title for result in found)]
    middles = [1.0, *(statistics.median(result.times_ours) for result in found)]
    lows = [1.0, *(min(result.times_ours) for result in found)]
    highs = [1.0, *(max(result.times_ours) for result in found)]
    floors = [FLOOR if result.case.other == "floor" else BAR for result in found]
    places = range(len(names))
    axes.barh(places, middles, color=[OURS, *floors], height=0.7)
    axes.hlines(places, lows, highs, color=INK, linewidth=1)
    axes.set_xscale("log")
    axes.set_xlim(SHOWN)
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
    for verb, title in PANELS.items():
        # Of two with the same other side, the later: without a limit to ours.
        found = {
            r.case.other: r for r in results.all() if r.case.verb == verb and r.other
        }
        if found:
            panels.append((title, list(found.values())))
    heights = [len(found) + 2 for _, found in panels]
    plt.rcParams["svg.fonttype"] = "none"  # text as text: small, and can be searched
    plt.rcParams["svg.hashsalt"] = "bench"  # the same file from the same figures
    figure, rows = plt.subplots(
        len(panels), 1, figsize=(8, 0.24 * sum(heights)), height_ratios=heights
    )
    for axes, (title, found) in zip(rows, panels, strict=True):
        panel(axes, title, found)
    figure.suptitle(
        "Time taken, ours = 1 (longer bars are slower; logarithmic;"
        " the line is the range of the rounds)",
        size=9,
        color=INK,
    )
    figure.tight_layout()
    target.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(target, transparent=True, metadata={"Date": None})
