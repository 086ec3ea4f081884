"""Figures over time: which buckets, what is read, how lines, areas and columns show it.

What is only part of a bucket is drawn apart (dashed, open, lighter), since part of a
month says nothing beside a whole one; where nothing is stored there is a gap.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from .drawing import Span, Style, Trace
from .frame import DAY_MS, period
from .palette import OTHER, PALETTE, shade
from .text import days, escape, shown

if TYPE_CHECKING:
    from .._core import SmartShopieDB

PARTS = {
    "day": "days that are not over",
    "week": "parts of weeks",
    "month": "parts of months",
}
DAYS = {"day": 1, "week": 7, "month": 28}
WIDE = 0.7
REST = "All others"
UNNAMED = "(no name)"
LIGHT = 0.45
PART = " (part)"
MOST_MARKED = 16  # points up to which each gets a mark


@dataclass(frozen=True)
class Timeline:
    """Buckets in order, and for each name its values: None where nothing is stored."""

    every: str
    starts: list[str]
    complete: list[bool]
    values: dict[str, list[float | None]]

    @property
    def empty(self) -> bool:
        return all(value is None for row in self.values.values() for value in row)

    @property
    def whole(self) -> bool:
        """There are no gaps and no parts."""
        return all(self.complete) and not any(
            value is None for row in self.values.values() for value in row
        )

    def partial(self) -> bool:
        """Is a value drawn that stands for part of its bucket?"""
        return any(
            value is not None and not complete
            for row in self.values.values()
            for value, complete in zip(row, self.complete, strict=True)
        )

    def finished(self) -> Timeline:
        """The same where a bucket's figure is as good on its first day."""
        return replace(self, complete=[True] * len(self.complete))

    def rows(self) -> list[tuple[Any, ...]]:
        return list(zip(self.starts, *self.values.values(), self.complete, strict=True))

    def note(self, window: Span) -> str:
        """The days, what a point is, and whether some stand for less."""
        text = days(window.start, window.end)
        known = sum(
            any(value is not None for value in bucket)
            for bucket in zip(*self.values.values(), strict=True)
        )
        if self.every != "day":
            text += f", by {self.every}"
        if 0 < known < len(self.starts):
            text += f"; stored for {known} of {len(self.starts)} {self.every}s"
        if self.partial():
            text += f"; {PARTS.get(self.every, PARTS['day'])} are lighter or dashed"
        return text


def step(window: Span) -> str:
    """The bucket that leaves some points in the window, and not too many: as reports
    have it."""
    if window.days <= 31:
        return "day"
    return "week" if window.days <= 92 else "month"


def measures(
    db: SmartShopieDB,
    table: str,
    columns: Sequence[str],
    window: Span,
    every: str | None = None,
    **filters: Any,
) -> Timeline:
    """The columns of a table over the window."""
    every = every or step(window)
    rows = db.series(
        table, columns, start=window.start, end=window.end, as_of=window.as_of,
        every=_every(every),
        **filters,
    )  # fmt: skip
    return Timeline(
        every,
        [day.isoformat() for day in rows["start"]],
        [bool(complete) for complete in rows["complete"]],
        {column: rows[column].to_list() for column in columns},
    )


def groups(
    db: SmartShopieDB,
    table: str,
    column: str,
    by: str,
    window: Span,
    every: str | None = None,
    most: int | None = len(PALETTE),
    **filters: Any,
) -> Timeline:
    """One column for each value of another, the largest first; where there are more
    than `most`, the others are added up: `most` is for figures that can be."""
    every = every or step(window)
    rows = db.series(
        table, column, start=window.start, end=window.end, as_of=window.as_of,
        every=_every(every), by=by,
        **filters,
    )  # fmt: skip
    complete: dict[str, bool] = {}
    cells: dict[str, dict[str, float | None]] = {}
    for start, whole, name, value in zip(
        rows["start"], rows["complete"], rows[by], rows[column], strict=True
    ):
        complete[start.isoformat()] = bool(whole)
        known = cells.setdefault(UNNAMED if name is None else name, {})
        known[start.isoformat()] = value
    starts = sorted(complete)
    ranked = sorted(
        cells, key=lambda name: (name == REST, -_total(cells[name].values()))
    )
    if most is not None and len(ranked) > most:
        rest = [cells.pop(name) for name in ranked[most - 1 :]]
        ranked = [*ranked[: most - 1], REST]
        cells[REST] = {s: _sum([row.get(s) for row in rest]) for s in starts}
    return Timeline(
        every,
        starts,
        [complete[start] for start in starts],
        {name: [cells[name].get(start) for start in starts] for name in ranked},
    )


def _every(every: str) -> Any:
    return every


def _total(values: Any) -> float:
    return sum(value or 0 for value in values)


def _sum(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def floor(timeline: Timeline, step: float) -> float:
    """Where a scale begins that is not cut at the top: below all values."""
    known = [v for row in timeline.values.values() for v in row if v is not None]
    return max(0.0, (min(known, default=0) // step) * step)


def colours(names: Sequence[str]) -> dict[str, str]:
    """The hues in their order; grey for the rest and for what they do not reach."""
    found = dict(zip(names, PALETTE, strict=False))
    return {name: OTHER if name == REST else found.get(name, OTHER) for name in names}


# ---- traces --------------------------------------------------------------------------


def line(
    timeline: Timeline,
    key: str,
    unit: str | None,
    style: Style,
    *,
    name: str | None = None,
    colour: str = PALETTE[0],
    digits: int | None = None,
    **more: Any,
) -> list[Trace]:
    """A line, with its unfinished ends dashed."""
    values = timeline.values[key]
    label = escape(name or key)
    whole, part = _apart(values, timeline.complete)
    common = {
        "type": "scatter",
        "x": timeline.starts,
        "connectgaps": False,
        "legendgroup": label,
        **period(timeline.every),
        **more,
    }
    full = shown(unit, style, "y", digits)
    traces: list[Trace] = [
        {
            **common,
            "name": label,
            "y": whole,
            "mode": "lines+markers",
            "line": {"color": colour, "width": 2.5},
            "marker": {"color": colour, "size": _sizes(whole), "opacity": 1},
            "hovertemplate": full,
        }
    ]
    if any(value is not None for value in part):
        tail = _joined(values, timeline.complete)
        traces.append(
            {
                **common,
                "name": label,
                "y": tail,
                "mode": "lines",
                "line": {"color": colour, "width": 2, "dash": "dot"},
                "hoverinfo": "skip",
                "showlegend": False,
            }
        )
        traces.append(
            {
                **common,
                "name": label,
                "y": part,
                "mode": "markers",
                "marker": {
                    "symbol": "circle-open", "color": colour, "size": 8,
                    "line": {"width": 2},
                },
                "hovertemplate": full + PART,
                "showlegend": False,
            }
        )  # fmt: skip
    return traces


def _sizes(values: list[float | None]) -> list[int]:
    """Marks for all of a few points; among many for those without a neighbour."""
    known = [False, *(value is not None for value in values), False]
    few = sum(known) <= MOST_MARKED
    return [
        6 if few or not (known[i] or known[i + 2]) else 0 for i in range(len(values))
    ]


def _joined(values: list[float | None], complete: list[bool]) -> list[float | None]:
    """The unfinished points and the finished ones beside them."""
    edge = [True, *complete, True]
    return [
        value if not all(edge[i : i + 3]) else None for i, value in enumerate(values)
    ]


def stack(
    timeline: Timeline, unit: str | None, style: Style, digits: int | None = None
) -> list[Trace]:
    """What adds up to a whole: areas over days, columns for longer buckets and where an
    area could not show a gap or a part."""
    hue = colours(list(timeline.values))
    areas = timeline.every == "day" and timeline.whole and len(timeline.starts) >= 5
    if areas:
        template = shown(unit, style, "y", digits)
        return [_area(timeline, name, hue[name], template) for name in timeline.values]
    return [
        trace
        for name in timeline.values
        for trace in columns(
            timeline, name, unit, style, colour=hue[name], digits=digits
        )
    ]


def _area(timeline: Timeline, name: str, colour: str, template: str) -> Trace:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": escape(name),
        "x": timeline.starts,
        "y": timeline.values[name],
        "stackgroup": "one",
        "line": {"color": colour, "width": 1},
        "fillcolor": shade(colour, 0.75),
        "hovertemplate": template,
        **period(timeline.every),
    }


def columns(
    timeline: Timeline,
    key: str,
    unit: str | None,
    style: Style,
    *,
    name: str | None = None,
    colour: str = PALETTE[0],
    digits: int | None = None,
) -> list[Trace]:
    """Columns, those of unfinished buckets lighter."""
    label = escape(name or key)
    values = timeline.values[key]
    whole, part = _apart(values, timeline.complete)
    full = shown(unit, style, "y", digits)
    common = {
        "type": "bar",
        "name": label,
        "legendgroup": label,
        "x": timeline.starts,
        **period(timeline.every),
    }
    if len(timeline.starts) == 1:  # plotly takes the distance of two for the width
        common["width"] = WIDE * DAYS[timeline.every] * DAY_MS
    traces: list[Trace] = [
        {
            **common,
            "y": whole,
            "marker": {"color": colour, "line": {"width": 0}},
            "hovertemplate": full,
        }
    ]
    if any(value is not None for value in part):
        traces.append(
            {
                **common,
                "y": part,
                "marker": {"color": shade(colour, LIGHT), "line": {"width": 0}},
                "hovertemplate": full + PART,
                "showlegend": False,
            }
        )
    return traces


def _apart(
    values: list[float | None], complete: list[bool]
) -> tuple[list[float | None], list[float | None]]:
    """The values of whole buckets, and those of parts."""
    pairs = list(zip(values, complete, strict=True))
    return [v if c else None for v, c in pairs], [None if c else v for v, c in pairs]
