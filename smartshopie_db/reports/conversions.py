"""Conversions: the newest analysis, and conversions over time."""

from __future__ import annotations

from typing import Any

from .. import SmartShopieDB
from .answer import Answer, answer, compare, newest_rows, report, series
from .window import Window

MEASURES = (
    "overall_conversion_rate",
    "ai_driven_conversions",
    "ai_driven_percentage",
    "cart_recovery_rate",
    "cart_recovery_via_ai",
    "avg_time_to_convert",
)


@report("conversions/analytics", "conversion_analytics")
def analytics(db: SmartShopieDB, window: Window) -> Answer:
    """How visitors became buyers: the means of the window, and how they changed.

    id and record_date are those of the newest row.  A change is against the days
    before; where those hold nothing, what the newest row reports of the reading before.
    """
    newest, marks = newest_rows(db, "conversion_analytics", window)
    if not newest:
        return answer(window, None, comparison=[])
    row = newest[0]
    data: dict[str, Any] = {"id": row.id, "record_date": row.record_date}
    data["conversion_rate_change"] = row.conversion_rate_change
    data["avg_time_change"] = row.avg_time_change
    if marks:
        data |= {name: row[name] for name in MEASURES}
        return answer(window, data, comparison=[], **marks)
    rows = compare(db, "conversion_analytics", MEASURES, window)
    found = {row.measure: row for row in rows}
    data |= {name: found[name].value for name in MEASURES}
    rate, time = found["overall_conversion_rate"], found["avg_time_to_convert"]
    if rate.delta is not None:
        data["conversion_rate_change"] = rate.delta
    if time.percent is not None:
        data["avg_time_change"] = time.percent
    return answer(window, data, comparison=rows)


@report("conversions/trends", "conversion_trends", "overview_kpis")
def trends(db: SmartShopieDB, window: Window) -> Answer:
    """Conversions and the conversion rate by day, week or month of the window.

    conversion_rate is the share of visitors who bought, as overview/kpis has it.
    """
    columns = ["conversions", "ai_attributed_conversions"]
    counts = series(db, "conversion_trends", columns, window, by="period_type")
    lengths = {row.period_type for row in counts}
    # Rows of weeks or months would count the same conversions again.
    length = "daily" if "daily" in lengths else None
    found = {row.start: row for row in counts if row.period_type == length}
    if not found:
        return answer(window, [])
    data = [
        {
            "record_date": row.start,
            "conversions": found[row.start].conversions,
            "ai_attributed_conversions": found[row.start].ai_attributed_conversions,
            "conversion_rate": row.conversion_rate,
            "complete": bool(row.complete),
        }
        for row in series(db, "overview_kpis", "conversion_rate", window)
    ]
    return answer(window, data)
