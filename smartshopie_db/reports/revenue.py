"""Revenue: what the assistant brings, by feature and category, and what is to come."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import Any

from .. import Row, Rows, SmartShopieDB
from .answer import (
    Answer,
    answer,
    compare,
    largest,
    newest_of_each,
    newest_rows,
    or_newest,
    percent,
    report,
    series,
    totals,
)
from .months import figures_of_months, months_before
from .window import Window

MONTHLY = (
    "total_revenue_impact", "avg_order_value", "avg_order_value_with_ai",
    "avg_order_value_improvement", "monthly_investment", "monthly_return",
    "roi_percentage",
)  # fmt: skip
# What its name says of one month is the mean of several.
OF_A_MONTH = ("monthly_investment", "monthly_return")
TIER = (
    "id", "record_date", "tier_name", "customer_count", "avg_revenue",
    "total_revenue", "created_at",
)  # fmt: skip
FORECAST = (
    "id", "record_date", "forecast_date", "predicted_revenue", "confidence_level",
    "upper_bound", "lower_bound", "created_at",
)  # fmt: skip
HISTORY = 12  # months before a forecast


@report("revenue/summary", "revenue_summary")
def summary(db: SmartShopieDB, window: Window) -> Answer:
    """Revenue and return of the months of the window, and how they changed.

    total_revenue_impact is the sum, monthly_investment and monthly_return are means.
    """

    def ask(days: Window) -> list[Mapping[str, Any]]:
        rows = db.compare(
            "revenue_summary", MONTHLY, to=months_before(days), **days.given
        )
        known = any(row.days for row in rows)
        return [_of_a_month(row) for row in rows] if known else []

    rows, _, marks = figures_of_months(db, "revenue_summary", window, ask)
    if not rows:
        return answer(window, None, comparison=[])
    data = {row["measure"]: row["value"] for row in rows}
    roi = data["roi_percentage"]
    data["roi"] = None if roi is None else roi / 100
    return answer(window, data, comparison=rows, **marks)


def _of_a_month(row: Row) -> Mapping[str, Any]:
    """A sum over months as their mean, where the figure is that of one month."""
    found = row.to_dict()
    if row.measure not in OF_A_MONTH:
        return found
    value = found["value"] = _share(row.value, row.days)
    previous = found["previous"] = _share(row.previous, row.previous_days)
    if value is None or previous is None:
        return found
    found["delta"] = delta = value - previous
    found["percent"] = percent(delta, abs(previous))
    found["trend"] = "up" if delta > 0 else "down" if delta < 0 else "flat"
    lower = row.measure == "monthly_investment"
    found["verdict"] = (
        "same" if not delta else "better" if (delta < 0) is lower else "worse"
    )
    return found


def _share(whole: float | None, parts: int | None) -> float | None:
    return whole / parts if whole is not None and parts else None


@report("revenue/attribution", "revenue_attribution")
def attribution(db: SmartShopieDB, window: Window) -> Answer:
    """The revenue of each AI feature by day, week or month, the largest first.

    record_date is the first day of the bucket that lies in the window; percentage is
    the share of the bucket.  "totals" has the same of the whole window.
    """
    rows = [
        row
        for row in series(
            db, "revenue_attribution", "revenue_amount", window, by="ai_feature"
        )
        if row.revenue_amount is not None
    ]
    whole = _sums(rows, "start")
    rows.sort(key=lambda row: (row.start, -row.revenue_amount, str(row.ai_feature)))
    data = [
        {
            "record_date": row.start,
            "ai_feature": row.ai_feature,
            "revenue_source": row.ai_feature,
            "revenue_amount": row.revenue_amount,
            "percentage": percent(row.revenue_amount, whole[row.start]),
            "complete": bool(row.complete),
        }
        for row in rows
    ]
    features = _sums(rows, "ai_feature")
    everything = sum(features.values())
    parts = [
        {
            "ai_feature": name,
            "revenue_amount": amount,
            "percentage": percent(amount, everything),
        }
        for name, amount in sorted(features.items(), key=lambda item: -item[1])
    ]
    change = compare(db, "revenue_attribution", ["revenue_amount"], window)
    return answer(window, data, totals=parts, comparison=change)


def _sums(rows: Sequence[Any], by: str) -> dict[Any, float]:
    """The revenue of the buckets or of the features, from rows of both."""
    found: dict[Any, float] = {}
    for row in rows:
        found[row[by]] = found.get(row[by], 0.0) + row.revenue_amount
    return found


@report("revenue/category", "category_revenue")
def category(db: SmartShopieDB, window: Window) -> Answer:
    """The revenue of each product category in the window, the largest first.

    percentage is the share of the sum.  id, record_date and created_at are those of a
    category's newest row.
    """
    columns = ["revenue_amount", "ai_attributed_revenue"]

    def ask(days: Window) -> Rows[Row]:
        return totals(db, "category_revenue", columns, days, "category_name")

    rows, marks = or_newest(db, "category_revenue", window, ask)
    names = [row.category_name for row in rows]
    newest = newest_of_each(db, "category_revenue", "category_name", names, window)
    whole = sum(row.revenue_amount or 0.0 for row in rows)
    data = [
        {
            "id": newest[row.category_name].id,
            "record_date": newest[row.category_name].record_date,
            "category_name": row.category_name,
            "revenue_amount": row.revenue_amount,
            "percentage": percent(row.revenue_amount, whole),
            "ai_attributed_revenue": row.ai_attributed_revenue,
            "created_at": newest[row.category_name].created_at,
        }
        for row in largest(rows, "revenue_amount", len(rows))
    ]
    return answer(window, data, **marks)


@report("revenue/customer-value", "customer_value_analysis")
def customer_value(db: SmartShopieDB, window: Window) -> Answer:
    """Customers and revenue of each value tier, in the newest snapshot."""
    rows, marks = newest_rows(db, "customer_value_analysis", window)
    data = [{name: row[name] for name in TIER} for row in rows]
    return answer(window, data, **marks)


@report("revenue/forecasting", "revenue_forecasting", "revenue_attribution")
def forecasting(db: SmartShopieDB, window: Window) -> Answer:
    """The newest forecast, month by month, and the revenue of the months before it.

    "history" has the twelve months up to the day of the forecast, the last one not
    complete unless that day ends it.
    """
    rows, marks = newest_rows(db, "revenue_forecasting", window)
    data = [
        {name: row[name] for name in FORECAST}
        for row in sorted(rows, key=lambda row: str(row.forecast_date))
    ]
    history = _history(db, rows[0].record_date) if rows else []
    return answer(window, data, history=history, **marks)


def _history(db: SmartShopieDB, day: datetime.date) -> list[dict[str, object]]:
    month = max(day.year * 12 + day.month - HISTORY, 12)  # from the year 1
    start = datetime.date(month // 12, month % 12 + 1, 1)
    rows = db.series(
        "revenue_attribution", "revenue_amount", every="month",
        start=start, end=day, as_of=day,
    )  # fmt: skip
    return [
        {
            "record_date": row.start,
            "revenue_amount": row.revenue_amount,
            "complete": bool(row.complete),
        }
        for row in rows
    ]
