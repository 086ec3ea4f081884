"""The headline figures, the funnel and what the assistant is used for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .common import nothing, over_time
from .drawing import Drawing, Style, Window
from .frame import layout, name_axis, value_axis
from .palette import BLUE
from .text import days, escape, label, number
from .timeline import line, measures

if TYPE_CHECKING:
    from .._core import SmartShopieDB

KPIS = {
    "revenue_impact": ("Revenue through the assistant", "currency", "amount"),
    "total_customers": ("Customers", "count", "customers"),
    "conversion_rate": ("Conversion rate", "percent", ""),
    "ai_interactions": ("Interactions with the assistant", "count", "interactions"),
}


def kpi_trend(
    db: SmartShopieDB, window: Window, style: Style, measure: str = "revenue_impact"
) -> Drawing:
    if measure not in KPIS:
        raise ValueError(f"measure is one of {', '.join(KPIS)}, not {measure!r}")
    title, unit, what = KPIS[measure]
    timeline = measures(db, "overview_kpis", [measure], window)
    return over_time(
        "kpi_trend", title, timeline, window, style,
        line(timeline, measure, unit, style, name=title),
        value_axis(unit, style, what), unit,
    )  # fmt: skip


def funnel(db: SmartShopieDB, window: Window, style: Style) -> Drawing:
    title = "Conversion funnel"
    rows = db.breakdown(
        "conversion_funnel", "count", by=["stage_order", "stage_name"],
        start=window.start, end=window.end,
    )  # fmt: skip
    note = days(window.start, window.end)
    if not len(rows):
        return nothing(
            "funnel", title, style, "No funnel is stored for these days.", note
        )
    stages = sorted(
        zip(rows["stage_order"], rows["stage_name"], rows["count"], strict=True)
    )
    table: list[tuple[Any, ...]] = []
    texts = []
    top = before = stages[0][2]
    for _, name, count in stages:
        share = 100 * count / top if top else None
        kept = 100 * count / before if before else None
        table.append((name, count, share, kept))
        texts.append(
            f"{number(count, 'count', style, 0)} · {number(share, 'percent', style, 1)}"
        )
        before = count
    positions = list(range(len(stages)))
    bars = {
        "type": "bar",
        "orientation": "h",
        "y": positions,
        "x": [count for _, _, count in stages],
        "text": texts,
        "textposition": "outside",
        "cliponaxis": False,
        "customdata": [
            [escape(name), number(kept, "percent", style, 1)]
            for name, _, _, kept in table
        ],
        "hovertemplate": "%{customdata[0]}: %{text}<br>"
        "%{customdata[1]} of the stage before<extra></extra>",
        "marker": {"color": BLUE},
        "width": 0.7,
    }
    return Drawing(
        "funnel", title, note, [bars],
        layout(
            style, hovermode="closest",
            xaxis=value_axis("count", style, "sessions",
                             range=[0, max(top, 1) * 1.35], showticklabels=False,
                             showgrid=False, title={"text": ""}),
            yaxis=name_axis([label(name) for _, name, _ in stages]),
        ),
        ("stage", "sessions", "of the first stage", "of the stage before"),
        table,
        (None, "count", "percent", "percent"),
    )  # fmt: skip
