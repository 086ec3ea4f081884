"""How many buy, and with whose help."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .common import nothing
from .drawing import Drawing, Style, Window
from .frame import layout, time_axis, value_axis
from .palette import BLUE, ORANGE, SKY
from .timeline import Timeline, columns, line, measures

if TYPE_CHECKING:
    from .._core import SmartShopieDB

WITH, WITHOUT = "with the assistant", "without it"


def conversion_trend(db: SmartShopieDB, window: Window, style: Style) -> Drawing:
    """The rate above, the number of purchases under it: two scales, two panels."""
    title = "Conversions"
    bought = purchases(db, window)
    rate = measures(db, "overview_kpis", ["conversion_rate"], window)
    note = (bought if rate.empty else rate).note(window)
    if bought.empty and rate.empty:
        return nothing("conversion_trend", title, style, note)
    split = parts(bought)
    data = [
        *(trace | {"yaxis": "y2"} for trace in line(
            rate, "conversion_rate", "percent", style, name="conversion rate",
            colour=ORANGE, digits=2)),
        *columns(split, WITH, "count", style, colour=BLUE),
        *columns(split, WITHOUT, "count", style, colour=SKY),
    ]  # fmt: skip
    return Drawing(
        "conversion_trend", title, note, data,
        layout(
            style, showlegend=True, hoversubplots="axis",
            xaxis=time_axis(rate.every, rate.starts, anchor="y"),
            yaxis=value_axis("count", style, "purchases", domain=[0, 0.56], nticks=5),
            yaxis2=value_axis("percent", style, "", domain=[0.64, 1], nticks=4),
        ),
        (rate.every, "conversion rate", "purchases", WITH, "complete"),
        list(zip(
            rate.starts, rate.values["conversion_rate"], *bought.values.values(),
            rate.complete, strict=True,
        )),
        (None, "percent", "count", "count", None),
    )  # fmt: skip


def purchases(db: SmartShopieDB, window: Window) -> Timeline:
    """All of them and those with the assistant, of the rows for days; a file that has
    none of those may have weeks or months."""
    names = ["conversions", "ai_attributed_conversions"]
    found = measures(db, "conversion_trends", names, window, period_type="daily")
    for kind in ("weekly", "monthly"):
        if found.empty:
            found = measures(db, "conversion_trends", names, window, period_type=kind)
    return found


def parts(bought: Timeline) -> Timeline:
    """With and without the assistant; where that is not known, all are without."""
    total, helped = bought.values.values()
    return Timeline(
        bought.every, bought.starts, bought.complete,
        {
            WITH: helped,
            WITHOUT: [
                None if n is None else n - (k or 0)
                for n, k in zip(total, helped, strict=True)
            ],
        },
    )  # fmt: skip
