"""The headline figures, the funnel and what the assistant is used for."""

from __future__ import annotations

import datetime
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..reports import Answer
from .common import about, ask, nothing, over_time, share
from .drawing import Drawing, Style, Trace, Window
from .frame import layout, value_axis
from .palette import OTHER, PALETTE
from .ranked import Item, bars, dots, ranking, rows_layout, scale
from .stretch import before
from .text import days, label, number, shown
from .timeline import REST, Timeline, columns, floor, line, measures

if TYPE_CHECKING:
    from .._core import SmartShopieDB

KPIS = {
    "revenue_impact": ("Assistant revenue", "currency", "revenue"),
    "total_customers": ("Customers", "count", "customers"),
    "conversion_rate": ("Conversion rate", "percent", "rate"),
    "ai_interactions": ("AI interactions", "count", "interactions"),
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
        data = columns(timeline, measure, unit, style, name=what)
    else:
        data = line(timeline, measure, unit, style, name=what)
    drawn = over_time(
        "kpi_trend", title, timeline, window, style, data,
        value_axis(unit, style, what), unit,
    )  # fmt: skip
    if drawn.empty or timeline.every != "day" or window.days < 2:
        return drawn
    earlier = measures(db, "overview_kpis", [measure], before(window), "day")
    return drawn if earlier.empty else beside(drawn, earlier, window, unit, style)


def beside(
    drawn: Drawing, earlier: Timeline, window: Window, unit: str, style: Style
) -> Drawing:
    """The same with the days before, day under day, as a pale line.  A month before may
    be shorter or longer: what has no day above it is left out."""
    (values,) = earlier.values.values()
    pairs: list[tuple[str | None, float | None]] = []
    pairs += zip(earlier.starts, values, strict=True)
    pairs += [(None, None)] * len(drawn.rows)
    pairs = pairs[: len(drawn.rows)]
    old = before(window)
    pale = {
        "type": "scatter",
        "mode": "lines",
        "name": days(old.start, old.end),
        "x": [row[0] for row in drawn.rows],
        "y": [value for _, value in pairs],
        "connectgaps": False,
        "customdata": [
            f" on {datetime.date.fromisoformat(day):%-d %b}" if day else ""
            for day, _ in pairs
        ],
        "line": {"color": OTHER, "width": 1.5},
        "opacity": 0.7,
        "hovertemplate": shown(unit, style, "y") + "%{customdata}",
    }
    name = days(window.start, window.end)
    legend = {**drawn.layout["legend"], "traceorder": "reversed"}
    return replace(
        drawn,
        data=[pale, *({**trace, "name": name} for trace in drawn.data)],
        layout={**drawn.layout, "showlegend": True, "legend": legend},
        columns=(*drawn.columns, "day before", "value before"),
        rows=[(*row, *pair) for row, pair in zip(drawn.rows, pairs, strict=True)],
        units=(*drawn.units, None, unit),
    )


def funnel(db: SmartShopieDB, window: Window, style: Style) -> Drawing:
    answer, stages = ask("overview/funnel", db, window)
    rows: list[tuple[Any, ...]] = []
    last = stages[0]["count"] if stages else None
    for stage in stages:
        count = stage["count"]
        rows.append(
            (stage["stage_name"], count, stage["percentage"], share(count, last))
        )
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
        "funnel", "Conversion funnel",
        about(answer, db, "conversion_funnel")
        + "; sessions, and their share of the first stage",
        style, items,
        ("stage", "sessions", "share of the first stage", "share of the stage before"),
        rows, (None, "count", "percent", "percent"),
    )  # fmt: skip


def interaction_types(db: SmartShopieDB, window: Window, style: Style) -> Drawing:
    title = "What the assistant is used for"
    answer, kinds = ask("overview/interaction-types", db, window)
    note = about(answer, db, "interaction_types")
    rows = [(k["interaction_name"], k["count"], k["percentage"]) for k in kinds]
    total = sum(row[1] or 0 for row in rows)
    if not total:
        return nothing("interaction_types", title, style, note)
    slices = rows
    if len(rows) > SLICES:
        rest = rows[SLICES - 1 :]
        slices = [
            *rows[: SLICES - 1],
            (REST, sum(row[1] for row in rest), sum(row[2] for row in rest)),
        ]
    ring = {
        "type": "pie",
        "labels": [label(name) for name, _, _ in slices],
        "values": [count for _, count, _ in slices],
        "hole": 0.62,
        "sort": False,
        "direction": "clockwise",
        # Room for the labels: margins that grow by themselves take many redraws.
        "domain": {"x": [0.1, 0.9], "y": [0.08, 0.92]},
        "texttemplate": "%{percent:.1%}",
        "textposition": "outside",
        "marker": {
            "colors": [
                OTHER if len(rows) > SLICES and i == SLICES - 1 else PALETTE[i]
                for i in range(len(slices))
            ],
        },
        "hovertemplate": "%{label}: %{value:,} (%{percent:.1%})<extra></extra>",
    }
    centre = {
        "text": f"<b>{number(total, 'count', style, 0)}</b><br>interactions",
        "showarrow": False, "x": 0.5, "y": 0.5, "font": {"size": 15},
    }  # fmt: skip
    return Drawing(
        "interaction_types", title, note, [ring],
        layout(style, hovermode="closest", showlegend=True, annotations=[centre],
               legend={"orientation": "h", "x": 0.5, "xanchor": "center", "y": -0.08,
                       "yanchor": "top"}),
        ("kind", "interactions", "share"), rows, (None, "count", "percent"),
    )  # fmt: skip


def ai_quality(db: SmartShopieDB, window: Window, style: Style) -> Drawing:
    """Bullets on the full scale of percent, with what it was before as a stroke."""
    title, note = "Quality of the assistant", days(window.start, window.end)
    _, (ring,) = ask("ai/model-performance", db, window, mode="ring")
    models, _ = ask("ai/summary", db, window)
    scores, _ = ask("customer/satisfaction", db, window)
    kpis, _ = ask("overview/kpis", db, window)
    rows = [
        (QUALITY[0], ring["accuracy"], previous(models, "accuracy")),
        (QUALITY[1], ring["user_satisfaction"],
         share(previous(scores, "overall_satisfaction"), 5)),
        (QUALITY[2], ring["conversion_rate"], previous(kpis, "conversion_rate")),
    ]  # fmt: skip
    if all(now is None for _, now, _ in rows):
        return nothing("ai_quality", title, style, note)
    items = [
        Item(
            name, now, number(now, "percent", style, 1),
            (f"{number(was, 'percent', style, 1)} in the period before",),
        )
        for name, now, was in rows
    ]  # fmt: skip
    track = bars(items, [100] * len(items), colour=OTHER, opacity=0.22)
    strokes = dots(items, [was for *_, was in rows], marker={
        "symbol": "line-ns", "size": 22, "color": OTHER,
        "line": {"width": 3, "color": OTHER},
    })  # fmt: skip
    return Drawing(
        "ai_quality", title, note + "; the stroke is the period before",
        [track, bars(items), strokes],
        rows_layout(items, style, barmode="overlay",
                    xaxis=scale(100)),
        ("figure", "now", "before"), rows, (None, "percent", "percent"),
    )  # fmt: skip


QUALITY = ("Accuracy of the models", "Customer satisfaction (of 5)", "Conversion rate")


def previous(answer: Answer, measure: str) -> float | None:
    """The figure of the period before, from an answer that compares."""
    rows: Any = answer["comparison"]
    for row in rows:
        if row["measure"] == measure:
            value: float | None = row["previous"]
            return value
    return None


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
