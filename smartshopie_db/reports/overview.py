"""The overview: headline figures, the funnel, the kinds of interactions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import Row, Rows, SmartShopieDB
from .answer import Answer, answer, compare, compared, or_newest, percent, report
from .window import Window

HEADLINES = (
    "total_customers",
    "conversion_rate",
    "ai_interactions",
    "revenue_impact",
)


@report("overview/kpis", "overview_kpis")
def kpis(db: SmartShopieDB, window: Window) -> Answer:
    """The headline figures of the window, and how they changed.

    X_change is against the days before: percent, of the conversion rate points.  data
    is None when the window has no row.
    """
    rows = compare(db, "overview_kpis", HEADLINES, window)
    data: dict[str, Any] = {}
    for row in rows:
        exact = row.unit == "count" and row.value is not None
        data[row.measure] = int(row.value) if exact else row.value
        change = row.delta if row.delta_unit == "points" else row.percent
        data[row.measure + "_change"] = change
    known = any(row.days for row in rows)
    return answer(window, data if known else None, comparison=rows)


@report("overview/funnel", "conversion_funnel")
def funnel(db: SmartShopieDB, window: Window) -> Answer:
    """The stages of the conversion funnel, first to last, with shares from the counts.

    percentage is of the first stage, dropoff_rate the change against the stage before,
    zero or negative.
    """
    stages, marks = or_newest(db, "conversion_funnel", window, lambda w: _stages(db, w))
    start, end = window.previous
    before = _stages(db, window, start=start, end=end)
    change = compared("funnel_conversion", _through(stages), _through(before), window)
    comparison = [] if marks else [change]  # other days have no days before
    return answer(window, _with_shares(stages), comparison=comparison, **marks)


def _stages(db: SmartShopieDB, window: Window, **days: Any) -> list[dict[str, Any]]:
    """The stages in order with their counts; of a renamed stage the largest name."""
    rows = db.top(
        "conversion_funnel",
        "count",
        1000,
        by=["stage_order", "stage_name"],
        **(days or window.given),
    )
    stages: dict[int, dict[str, Any]] = {}
    for row in rows:
        stage = {"stage_name": row.stage_name, "stage_order": row.stage_order}
        found = stages.setdefault(row.stage_order, {**stage, "count": 0})
        found["count"] += row["count"]
    return [stages[order] for order in sorted(stages)]


def _with_shares(stages: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    data = []
    first = before = stages[0]["count"] if stages else 0
    for stage in stages:
        count = stage["count"]
        data.append(
            {
                **stage,
                "stage_count": count,
                "percentage": percent(count, first),
                "dropoff_rate": percent(count - before, before),
            }
        )
        before = count
    return data


def _through(stages: Sequence[dict[str, Any]]) -> float | None:
    """The share of the first stage that reached the last."""
    return percent(stages[-1]["count"], stages[0]["count"]) if stages else None


@report("overview/interaction-types", "interaction_types")
def interaction_types(db: SmartShopieDB, window: Window) -> Answer:
    """How often each AI feature was used, most used first, with shares of the sum."""

    def ask(days: Window) -> Rows[Row]:
        return db.breakdown(
            "interaction_types", "count", by="interaction_name", **days.given
        )

    rows, marks = or_newest(db, "interaction_types", window, ask)
    data = [
        {
            "interaction_name": row.interaction_name,
            "interaction_type": row.interaction_name,
            "count": row["count"],
            "percentage": row.share,
        }
        for row in rows
    ]
    return answer(window, data, **marks)
