"""Customers: who they are, what they do, ask for and are worth, and the live feed."""

from __future__ import annotations

import re
from typing import Any

from .. import Row, Rows, SmartShopieDB
from .answer import (
    Answer,
    answer,
    compare,
    fallback,
    largest,
    newest_of_each,
    newest_rows,
    or_newest,
    percent,
    report,
    series,
    totals,
)
from .window import Window

FEED = (
    "id", "interaction_id", "interaction_date", "interaction_type", "customer_id",
    "session_id", "response_time_sec", "satisfaction_score", "created_at",
    "customer_name", "activity_description", "status_badge", "message_count",
)  # fmt: skip
RATINGS = ("overall_satisfaction", "product_match_quality", "ai_helpfulness")


@report("customers/segments", "customer_segments")
def segments(db: SmartShopieDB, window: Window) -> Answer:
    """The customer segments of the newest snapshot, largest first.

    Sizes are those of one day: the same customers are there again on the next.
    """
    rows, marks = newest_rows(db, "customer_segments", window)
    whole = sum(row.segment_size or 0 for row in rows)
    data = [
        {
            "segment_name": row.segment_name,
            "segment_size": row.segment_size,
            "segment_percentage": percent(row.segment_size, whole),
            "avg_lifetime_value": row.avg_lifetime_value,
            "avg_order_value": row.avg_order_value,
        }
        for row in largest(rows, "segment_size", len(rows))
    ]
    day = rows[0].record_date if rows else None
    return answer(window, data, record_date=day, **marks)


@report("customers/behavioral-patterns", "behavioral_patterns")
def behavioral_patterns(db: SmartShopieDB, window: Window) -> Answer:
    """The mean of each measured habit over the window, by its type.

    pattern_name and metric_unit are those of its newest row.
    """

    def ask(days: Window) -> Rows[Row]:
        return totals(db, "behavioral_patterns", ["value"], days, "pattern_type")

    rows, marks = or_newest(db, "behavioral_patterns", window, ask)
    types = [row.pattern_type for row in rows]
    newest = newest_of_each(db, "behavioral_patterns", "pattern_type", types, window)
    data = [
        {
            "pattern_type": row.pattern_type,
            "pattern_name": newest[row.pattern_type].pattern_name,
            "value": row.value,
            "metric_unit": newest[row.pattern_type].metric_unit,
        }
        for row in rows
    ]
    return answer(window, data, **marks)


@report("customers/concerns", "customer_concerns")
def concerns(db: SmartShopieDB, window: Window) -> Answer:
    """The ten concerns that were asked about most, with the assistant's success."""
    columns = ["query_count", "ai_success_rate"]
    by = ["concern_name", "concern_category"]

    def ask(days: Window) -> Rows[Row]:
        return totals(db, "customer_concerns", columns, days, by)

    rows, marks = or_newest(db, "customer_concerns", window, ask)
    data = [
        {
            "concern_name": row.concern_name,
            "concern_category": row.concern_category,
            "query_count": row.query_count,
            "ai_success_rate": row.ai_success_rate,
        }
        for row in largest(rows, "query_count", 10)
    ]
    return answer(window, data, **marks)


@report("customers/lifetime-value", "customer_lifetime_value")
def lifetime_value(db: SmartShopieDB, window: Window) -> Answer:
    """Lifetime value so far and as predicted, by how long customers have been here."""
    columns = ["current_clv", "predicted_clv"]

    def ask(days: Window) -> Rows[Row]:
        return totals(db, "customer_lifetime_value", columns, days, "segment_name")

    rows, marks = or_newest(db, "customer_lifetime_value", window, ask)
    data = [
        {
            "segment_name": row.segment_name,
            "current_clv": row.current_clv,
            "predicted_clv": row.predicted_clv,
        }
        for row in sorted(rows, key=lambda row: _tenure(row.segment_name))
    ]
    return answer(window, data, **marks)


def _tenure(band: str | None) -> tuple[float, str]:
    """Where a band such as 0-30d, 1-2y or 2y+ stands: by its first day; others last."""
    found = re.fullmatch(r"(\d+)(?:-\d+)?([dwmy])\+?", band or "")
    if not found:
        return float("inf"), band or ""
    return int(found[1]) * {"d": 1, "w": 7, "m": 30, "y": 365}[found[2]], found[0]


@report("customers/product-gaps", "product_gaps")
def product_gaps(db: SmartShopieDB, window: Window) -> Answer:
    """The ten products that customers ask for most and the shop does not sell.

    demand_score is the mean of the window's snapshots, potential_revenue the newest
    estimate; gap_rank counts by demand.
    """
    columns = ["demand_score", "potential_revenue"]
    by = ["product_name", "category"]

    def ask(days: Window) -> Rows[Row]:
        return totals(db, "product_gaps", columns, days, by)

    rows, marks = or_newest(db, "product_gaps", window, ask)
    data = [
        {
            "gap_rank": rank,
            "product_name": row.product_name,
            "category": row.category,
            "demand_score": row.demand_score,
            "potential_revenue": row.potential_revenue,
        }
        for rank, row in enumerate(largest(rows, "demand_score", 10), 1)
    ]
    return answer(window, data, **marks)


@report(
    "customers/interactions", "customer_interactions", parameters=("limit", "after")
)
def interactions(
    db: SmartShopieDB, window: Window, *, limit: int = 10, after: str | None = None
) -> Answer:
    """The feed: what customers did in the window, newest first, its last day included.

    limit: 1 to 1000 rows.  after: the "next_token" of the page before; None is the last
    page's.  ValueError for other limits and tokens.
    """
    if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= 1000:
        raise ValueError(f"limit: expected a number from 1 to 1000, got {limit!r}")
    page: dict[str, Any] = {"limit": limit, "after": after, "columns": FEED}
    rows = db.get_customer_interactions(**window.given, **page)
    marks: dict[str, object] = {}
    if not rows and not db.customer_interactions.count(**window.given):
        rows = db.get_customer_interactions(end=window.until, **page)
        days = rows["interaction_date"].to_list()
        if days:
            marks = fallback(days[-1].date(), days[0].date())
    return answer(window, rows, next_token=rows.next_token, **marks)


@report("customer/satisfaction", "customer_satisfaction")
def satisfaction(db: SmartShopieDB, window: Window) -> Answer:
    """The mean survey scores, out of 5, by day, week or month of the window."""
    change = compare(db, "customer_satisfaction", RATINGS, window)
    if not any(row.days for row in change):
        return answer(window, [], comparison=change)
    data = [
        {
            "record_date": row.start,
            **{name: row[name] for name in RATINGS},
            "complete": bool(row.complete),
        }
        for row in series(db, "customer_satisfaction", RATINGS, window)
    ]
    return answer(window, data, comparison=change)
