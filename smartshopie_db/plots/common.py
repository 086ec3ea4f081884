"""From what was read to a Drawing."""

from __future__ import annotations

from typing import Any

from .drawing import Drawing, Layout, Style, Trace, Window
from .frame import layout, time_axis
from .timeline import Timeline


def nothing(name: str, title: str, style: Style, why: str, note: str = "") -> Drawing:
    """A drawing that says why it is empty."""
    axis = {"visible": False}
    return Drawing(
        name, title, note, [], layout(style, xaxis=axis, yaxis=axis), (), [], (), why
    )


def over_time(
    name: str,
    title: str,
    timeline: Timeline,
    window: Window,
    style: Style,
    data: list[Trace],
    yaxis: Layout,
    units: dict[str, str | None] | str | None,
    **more: Any,
) -> Drawing:
    """A drawing of a timeline: `units` of its columns, or the one of all of them."""
    if timeline.empty:
        return nothing(name, title, style, "Nothing is stored for these days.",
                       timeline.note(window))  # fmt: skip
    names = list(timeline.values)
    return Drawing(
        name,
        title,
        timeline.note(window),
        data,
        layout(
            style, xaxis=time_axis(timeline.every), yaxis=yaxis,
            **{"showlegend": len(names) > 1, **more},
        ),
        (timeline.every, *names, "complete"),
        timeline.rows(),
        (
            None,
            *(units[n] if isinstance(units, dict) else units for n in names),
            None,
        ),
    )  # fmt: skip
