"""The headline figures, the funnel and what the assistant is used for."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

from .common import columns, nothing, over_time, share
from .drawing import Drawing, Style, Trace, Window
from .frame import layout, value_axis
from .palette import OTHER, PALETTE
from .ranked import DOWN, Item, bars, ranking, rows_layout
from .stretch import before
from .text import days, escape, label, number, shown
from .timeline import Timeline, column, floor, line, measures

if TYPE_CHECKING:
    from .._core import SmartShopieDB

KPIS = {
    "revenue_impact": ("Revenue through the assistant", "currency", "amount"),
    "total_customers": ("Customers", "count", "customers"),
    "conversion_rate": ("Conversion rate", "percent", ""),
    "ai_interactions": ("Interactions with the assistant", "count", "interactions"),
}
FLOWS = ("revenue_impact", "ai_interactions")
SLICES = 6


def kpi_trend(
    db: SmartShopieDB, window: Window, style: Style, measure: str = "revenue_impact"
) -> Drawing:
    if measure not in KPIS:
        raise ValueError(f"measure is one of {', '.join(KPIS)}, not {measure!r}")
    title, unit, what = KPIS[measure]
    timeline = measures(db, "overview_kpis", [measure], window)
    data: list[Trace]
    if measure in FLOWS and timeline.every != "day":
        data = [column(timeline, measure, unit, style, name=title)]
    else:
        data = line(timeline, measure, unit, style, name="these days")
    drawn = over_time(
        "kpi_trend", title, timeline, window, style, data,
        value_axis(unit, style, what), unit,
    )  # fmt: skip
    if drawn.empty or timeline.every != "day" or window.days < 2:
        return drawn
    earlier = measures(db, "overview_kpis", [measure], before(window), "day")
    return drawn if earlier.empty else beside(drawn, earlier, timeline, unit, style)


def beside(
    drawn: Drawing, earlier: Timeline, timeline: Timeline, unit: str, style: Style
) -> Drawing:
    """The same with the days before, day under day, as a pale line."""
    (values,) = earlier.values.values()
    pale = {
        "type": "scatter",
        "mode": "lines",
        "name": f"the {len(values)} days before",
        "x": timeline.starts,
        "y": values,
        "connectgaps": False,
        "customdata": [
            f" on {datetime.date.fromisoformat(start):%-d %b}"
            for start in earlier.starts
        ],
        "line": {"color": OTHER, "width": 1.5},
        "opacity": 0.7,
        "hovertemplate": shown(unit, style, "y") + "%{customdata}",
    }
    rows = [
        (*row, start, value)
        for row, start, value in zip(drawn.rows, earlier.starts, values, strict=True)
    ]
    return Drawing(
        drawn.name, drawn.title, drawn.note, [pale, *drawn.data],
        {**drawn.layout, "showlegend": True, "legend": {
            **drawn.layout["legend"], "traceorder": "reversed"}},
        (*drawn.columns, "day before", "value before"), rows,
        (*drawn.units, None, unit),
    )  # fmt: skip


def funnel(db: SmartShopieDB, window: Window, style: Style) -> Drawing:
    title, note = "Conversion funnel", days(window.start, window.end)
    found = db.breakdown(
        "conversion_funnel", "count", by=["stage_order", "stage_name"],
        start=window.start, end=window.end,
    )  # fmt: skip
    stages = sorted(columns(found, ("stage_order", "stage_name", "count")))
    rows: list[tuple[Any, ...]] = []
    first = last = stages[0][2] if stages else None
    for _, name, count in stages:
        rows.append((name, count, share(count, first), share(count, last)))
        last = count
    items = [
        Item(
            name, count,
            f"{number(count, 'count', style, 0)} · "
            + number(of_all, "percent", style, 1),
            (f"{number(kept, 'percent', style, 1)} of the stage before",),
        )
        for name, count, of_all, kept in rows
    ]  # fmt: skip
    return ranking(
        "funnel", title, note + "; sessions, and their share of the first stage",
        style, items,
        ("stage", "sessions", "share of the first stage", "share of the stage before"),
        rows, (None, "count", "percent", "percent"),
    )  # fmt: skip


def interaction_types(db: SmartShopieDB, window: Window, style: Style) -> Drawing:
    title, note = "What the assistant is used for", days(window.start, window.end)
    found = db.breakdown(
        "interaction_types", "count", by="interaction_name", start=window.start,
        end=window.end,
    )  # fmt: skip
    rows = columns(found, ("interaction_name", "count", "share"))
    total = sum(row[1] or 0 for row in rows)
    if not total:
        return nothing("interaction_types", title, style, note)
    slices = rows
    if len(rows) > SLICES:
        rest = rows[SLICES - 1 :]
        slices = [
            *rows[: SLICES - 1],
            ("Other", *(sum(row[i] or 0 for row in rest) for i in (1, 2))),
        ]
    ring = {
        "type": "pie",
        "labels": [label(name) for name, _, _ in slices],
        "values": [count for _, count, _ in slices],
        "hole": 0.62,
        "sort": False,
        "direction": "clockwise",
        "automargin": True,
        "textinfo": "percent",
        "textposition": "outside",
        "marker": {
            "colors": [
                OTHER if len(rows) > SLICES and i == SLICES - 1 else PALETTE[i]
                for i in range(len(slices))
            ],
        },
        "hovertemplate": "%{label}: %{value:,} (%{percent})<extra></extra>",
    }
    centre = {
        "text": f"<b>{number(total, 'count', style, 0)}</b><br>interactions",
        "showarrow": False, "x": 0.5, "y": 0.5, "font": {"size": 15},
    }  # fmt: skip
    return Drawing(
        "interaction_types", title, note, [ring],
        layout(style, hovermode="closest", showlegend=True, annotations=[centre]),
        ("kind", "interactions", "share"), rows, (None, "count", "percent"),
    )  # fmt: skip


def ai_quality(db: SmartShopieDB, window: Window, style: Style) -> Drawing:
    """Bullets on the full scale of percent, with what it was before as a stroke."""
    title, note = "Quality of the assistant", days(window.start, window.end)
    rows: list[tuple[str, float | None, float | None]] = []
    for name, table, what, scale in QUALITY:
        now, was = compared(db, window, table, what)
        rows.append((name, scaled(now, scale), scaled(was, scale)))
    if all(now is None for _, now, _ in rows):
        return nothing("ai_quality", title, style, note)
    names = [name for name, _, _ in rows]
    track = bars([100] * len(rows), None, [""] * len(rows), colour=OTHER,
                 opacity=0.22, hoverinfo="skip", hovertemplate=None)  # fmt: skip
    texts = [number(now, "percent", style, 1) for _, now, _ in rows]
    hover = [
        f"{escape(name)}: {text}<br>{number(was, 'percent', style, 1)} before"
        for (name, _, was), text in zip(rows, texts, strict=True)
    ]
    return Drawing(
        "ai_quality", title, note + "; the stroke is the period before",
        [track, bars([now for _, now, _ in rows], texts, hover),
         strokes([was for *_, was in rows], hover)],
        rows_layout(names, style, barmode="overlay",
                    xaxis={"visible": False, "range": [0, 100], "fixedrange": True}),
        ("figure", "now", "before"), rows, (None, "percent", "percent"),
    )  # fmt: skip


QUALITY = (
    ("Accuracy of the models", "ai_model_performance", "accuracy", 1),
    ("Customer satisfaction (of 5)", "customer_satisfaction", "overall_satisfaction",
     20),
    ("Conversion rate", "overview_kpis", "conversion_rate", 1),
)  # fmt: skip


def compared(
    db: SmartShopieDB, window: Window, table: str, column: str
) -> tuple[float | None, float | None]:
    (row,) = db.compare(table, column, start=window.start, end=window.end)
    return row["value"], row["previous"]


def scaled(value: float | None, by: float) -> float | None:
    return None if value is None else value * by


def strokes(values: list[float | None], hover: list[str]) -> Trace:
    """A vertical line across each bar."""
    return {
        "type": "scatter",
        "mode": "markers",
        "x": values,
        "y": [i + DOWN for i in range(len(values))],
        "marker": {
            "symbol": "line-ns", "size": 22, "color": OTHER,
            "line": {"width": 3, "color": OTHER},
        },
        "customdata": hover,
        "hovertemplate": "%{customdata}<extra></extra>",
        "cliponaxis": False,
    }  # fmt: skip


def satisfaction(db: SmartShopieDB, window: Window, style: Style) -> Drawing:
    names = {
        "overall_satisfaction": "overall",
        "product_match_quality": "products suit them",
        "ai_helpfulness": "assistant is helpful",
    }
    timeline = measures(db, "customer_satisfaction", list(names), window)
    low = floor(timeline, 0.5)
    data = [
        trace
        for (key, name), colour in zip(names.items(), PALETTE, strict=False)
        for trace in line(timeline, key, "score", style, name=name, colour=colour)
    ]
    axis = value_axis("score", style, f"score of 5, from {low:g}", range=[low, 5.02])
    return over_time(
        "satisfaction", "Customer satisfaction", timeline, window, style, data, axis,
        "score",
    )  # fmt: skip
