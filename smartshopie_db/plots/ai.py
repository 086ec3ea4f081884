"""How good the models and the features of the assistant are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .common import about, ask, nothing, over_time
from .drawing import Drawing, Style, Window
from .frame import value_axis
from .palette import SKY
from .ranked import BAR, Item, bars, rows_layout, scale
from .stretch import months_up_to
from .text import number
from .timeline import colours, floor, groups, line

if TYPE_CHECKING:
    from .._core import SmartShopieDB

MONTHS = 12
MOST = 10


def model_performance(db: SmartShopieDB, window: Window, style: Style) -> Drawing:
    """Measured points alone, a month each; where none was measured there is a gap."""
    wide = months_up_to(window, MONTHS)
    timeline = groups(db, "ai_model_performance", "accuracy", "model_name", wide,
                      every="month", most=None).finished()  # fmt: skip
    low = floor(timeline, 5)
    data = [
        trace
        for name, colour in colours(list(timeline.values)).items()
        for trace in line(timeline, name, "percent", style, colour=colour)
    ]
    return over_time(
        "model_performance", "Accuracy of the models", timeline, wide, style, data,
        value_axis("percent", style, "", range=[low, 100.3],
                   title={"text": f"accuracy, from {low:g}%", "standoff": 8}),
        "percent",
    )  # fmt: skip


def feature_performance(db: SmartShopieDB, window: Window, style: Style) -> Drawing:
    """Success and contentment of each feature's uses, as percent."""
    title = "Features of the assistant"
    answer, found = ask("ai/feature-performance", db, window)
    note = about(answer, db, "ai_feature_performance")
    if not found:
        return nothing("feature_performance", title, style, note)
    rows = [
        (row["feature_name"], row["usage_count"], percent(row["success_rate"]),
         percent(row["user_satisfaction"]))
        for row in found[:MOST]
    ]  # fmt: skip
    items = [
        Item(
            name, good,
            " · ".join(number(part, "percent", style, 1) for part in (good, glad)),
            (f"{number(n, 'count', style, 0)} uses",),
        )
        for name, n, good, glad in rows
    ]  # fmt: skip
    half = BAR / 2
    data = [
        bars(items, name="ended well", shift=-half / 2, width=half),
        bars(items, [row[3] for row in rows], name="users content", colour=SKY,
             shift=half / 2, width=half),
    ]  # fmt: skip
    return Drawing(
        "feature_performance", title, note, data,
        rows_layout(items, style, showlegend=True, barmode="overlay",
                    xaxis=scale(100)),
        ("feature", "uses", "ended well", "users content"), rows,
        (None, "count", "percent", "percent"),
    )  # fmt: skip


def percent(part: float | None) -> float | None:
    return None if part is None else 100 * part
