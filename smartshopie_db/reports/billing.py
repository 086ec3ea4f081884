"""Billing: the bill of the current period, use, payments, alerts."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import Any

from .. import SmartShopieDB
from .answer import Answer, answer, fallback, report
from .months import rows_of_months
from .window import Window

BILL = (
    "id", "billing_period_start", "billing_period_end", "plan_name", "base_cost",
    "usage_cost", "total_cost", "api_calls", "data_processed_gb", "created_at",
    "monthly_price", "renewal_date", "subscription_amount", "chat_amount",
    "image_amount", "questionnaire_amount", "overage_amount", "total_estimated",
)  # fmt: skip
USE = (
    "id", "record_date", "service_name", "usage_count", "cost", "created_at", "month",
    "usage_type", "used", "free_limit", "overage_rate", "overage_cost", "total_usage",
)  # fmt: skip
PAYMENT = ("payment_date", "description", "amount", "status", "invoice_url")
ALERT = ("level", "title", "message", "created_at")
CENT = 0.005  # sums that differ by less are the same amount


@report("billing/summary", "billing_summary")
def summary(db: SmartShopieDB, window: Window) -> Answer:
    """The bill of the period that holds as_of, or else of the newest before it.

    total_estimated and total_cost are as stored; total_computed is there, too, when the
    parts add up to another amount.
    """
    row, marks = _bill(db, window)
    if row is None:
        return answer(window, None)
    data = {name: row[name] for name in BILL}
    computed = _computed(data)
    if computed is not None:
        data["total_computed"] = computed
    return answer(window, data, **marks)


def _bill(db: SmartShopieDB, window: Window) -> tuple[Any, dict[str, object]]:
    day, bills = window.until, db.billing_summary
    newest = ["-billing_period_start", "-id"]
    rows: Sequence[Any] = bills.select(end=day, order_by=newest, limit=50)
    for row in rows:
        if row.billing_period_end is not None and row.billing_period_end >= day:
            return row, {}
    for row in rows:
        start, end = row.billing_period_start, row.billing_period_end
        return row, fallback(start, end or start)
    # Some older files have one bill and do not say of when.
    undated = bills.select(billing_period_start=None, order_by="-id", limit=1)
    return next(iter(undated), None), {}


def _computed(bill: Mapping[str, Any]) -> float | None:
    """What the parts of the bill add up to; None when that is the total, or unknown.

    overage_amount holds all use beyond the free limits, that of chats, images and
    questionnaires too.
    """
    subscription, overage = bill["subscription_amount"], bill["overage_amount"]
    kinds = ("chat_amount", "image_amount", "questionnaire_amount")
    if overage is None and any(bill[name] is not None for name in kinds):
        overage = sum(bill[name] or 0.0 for name in kinds)
    total = bill["total_estimated"]
    if subscription is None or overage is None:  # an older file
        subscription, overage = bill["base_cost"], bill["usage_cost"]
        total = bill["total_cost"]
    if subscription is None or overage is None:
        return None
    computed: float = round(subscription + overage, 2)
    same = total is not None and abs(computed - total) < CENT
    return None if same else computed


@report("billing/usage-breakdown", "usage_breakdown")
def usage_breakdown(db: SmartShopieDB, window: Window) -> Answer:
    """The use of each billed service in the months of the window, oldest first."""
    order = ["record_date", "service_name"]
    rows, marks = rows_of_months(db, "usage_breakdown", window, USE, order)
    return answer(window, rows, **marks)


@report("billing/payment-history", "billing_payments")
def payment_history(db: SmartShopieDB, window: Window) -> Answer:
    """The payments of the window, or else the newest before its end; at most 12."""
    return _newest_events(db, "billing_payments", window, PAYMENT, 12)


@report("billing/alerts", "usage_alerts")
def alerts(db: SmartShopieDB, window: Window) -> Answer:
    """The alerts of the window, or else the newest before its end; at most 20."""
    return _newest_events(db, "usage_alerts", window, ALERT, 20)


@report("billing/newest-alerts", "usage_alerts", parameters=("limit",))
def newest_alerts(db: SmartShopieDB, window: Window, *, limit: int = 5) -> Answer:
    """The newest alerts up to the end of the window, whenever they were raised.

    limit: 1 to 100; ValueError for another.
    """
    if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= 100:
        raise ValueError(f"limit: expected a number from 1 to 100, got {limit!r}")
    rows = db.usage_alerts.select(
        columns=ALERT, end=window.until, order_by="-created_at", limit=limit
    )
    return answer(window, rows)


def _newest_events(
    db: SmartShopieDB, table: str, window: Window, columns: tuple[str, ...], limit: int
) -> Answer:
    source = db.tables[table]
    time = source.time_column
    assert time is not None
    wanted: dict[str, Any] = {
        "columns": columns, "order_by": [f"-{time}"], "limit": limit,
    }  # fmt: skip
    rows = source.select(**window.given, **wanted)
    if rows:
        return answer(window, rows)
    rows = source.select(end=window.until, **wanted)
    days = [_day(found) for found in rows[time].to_list()]
    return answer(window, rows, **(fallback(days[-1], days[0]) if days else {}))


def _day(time: datetime.date) -> datetime.date:
    return time.date() if isinstance(time, datetime.datetime) else time
