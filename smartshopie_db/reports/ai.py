"""AI quality: accuracy and speed of the models, use of the features."""

from __future__ import annotations

from typing import Any

from .. import Row, Rows, SmartShopieDB
from .answer import (
    Answer,
    answer,
    largest,
    newest_of_each,
    or_newest,
    percent,
    report,
    totals,
)
from .months import figures_of_months, months_before
from .window import Window

MODEL = (
    "record_date", "model_name", "accuracy", "precision", "recall", "f1_score",
    "response_time_ms",
)  # fmt: skip
USE = ("usage_count", "success_rate", "user_satisfaction")


@report(
    "ai/model-performance",
    "ai_model_performance", "customer_satisfaction", "overview_kpis",
    parameters=("mode",),
)  # fmt: skip
def model_performance(
    db: SmartShopieDB, window: Window, *, mode: str | None = None
) -> Answer:
    """The accuracy of each model on the days that have one: stored figures only.

    "categories" are these days, "series" has the accuracies of each model, None where
    it has none; "data" has the rows.  mode="ring": one object with three percentages.
    ValueError for another mode.
    """
    if mode == "ring":
        return _ring(db, window)
    if mode is not None:
        raise ValueError(f"mode: expected 'ring', got {mode!r}")
    order = ["record_date", "model_name"]

    def ask(days: Window) -> Rows[Row]:
        return db.ai_model_performance.select(
            columns=MODEL, order_by=order, **days.given
        )

    rows, _, marks = figures_of_months(db, "ai_model_performance", window, ask)
    days = sorted(set(rows["record_date"].to_list()))
    accuracy: dict[str, dict[Any, float | None]] = {}
    for row in rows:
        accuracy.setdefault(row.model_name, {})[row.record_date] = row.accuracy
    series = [
        {"name": name, "data": [found.get(day) for day in days]}
        for name, found in sorted(accuracy.items(), key=lambda item: str(item[0]))
    ]
    return answer(window, rows, categories=days, series=series, **marks)


def _ring(db: SmartShopieDB, window: Window) -> Answer:
    """Accuracy, satisfaction (a score out of 5 as percent) and conversion rate."""

    def ask(days: Window) -> list[float]:
        (row,) = db.series(
            "ai_model_performance", "accuracy", every="window", **days.given
        )
        return [] if row.accuracy is None else [row.accuracy]

    accuracy, _, marks = figures_of_months(db, "ai_model_performance", window, ask)
    score = _mean(db, "customer_satisfaction", "overall_satisfaction", window)
    data = {
        "accuracy": accuracy[0] if accuracy else None,
        "user_satisfaction": percent(score, 5),
        "conversion_rate": _mean(db, "overview_kpis", "conversion_rate", window),
    }
    return answer(window, [data], **marks)


def _mean(db: SmartShopieDB, table: str, column: str, window: Window) -> float | None:
    for row in db.series(table, column, every="window", **window.given):
        value: float | None = row[column]
        return value
    return None


@report("ai/summary", "ai_model_performance")
def summary(db: SmartShopieDB, window: Window) -> Answer:
    """Accuracy and response time of all models, and which is the most accurate.

    confidence is None: no file stores one.  ab_winner has the highest mean accuracy,
    ab_improvement_pct says by how many percent it is above the baseline: the first
    model whose name begins with that word, or else the next best.  "rows" counts the
    figures behind a mean; this compares, and tests nothing.
    """
    columns = ["accuracy", "response_time_ms", "rows"]

    def ask(days: Window) -> Rows[Row]:
        return totals(db, "ai_model_performance", columns, days, "model_name")

    models, days, marks = figures_of_months(db, "ai_model_performance", window, ask)
    if not models:
        return answer(window, None, comparison=[])
    rows = db.compare(
        "ai_model_performance", columns[:2], to=months_before(days), **days.given
    )
    ranked = largest(models, "accuracy", len(models))
    data = {
        "accuracy": rows[0].value,
        "response_time_ms": rows[1].value,
        "confidence": None,
        "ab_winner": ranked[0].model_name,
        "ab_improvement_pct": _improvement(ranked),
        "models": [
            {name: row[name] for name in ("model_name", *columns)} for row in ranked
        ],
    }
    return answer(window, data, comparison=rows, **marks)


def _improvement(ranked: list[Any]) -> float | None:
    """By how many percent the best is above the baseline."""
    named = [
        row for row in ranked if str(row.model_name).lower().startswith("baseline")
    ]
    baseline = min(named, key=lambda row: row.model_name) if named else None
    if baseline is None and len(ranked) > 1:
        baseline = ranked[1]
    if baseline is None or None in (ranked[0].accuracy, baseline.accuracy):
        return None
    return percent(ranked[0].accuracy - baseline.accuracy, baseline.accuracy)


@report("ai/feature-performance", "ai_feature_performance")
def feature_performance(db: SmartShopieDB, window: Window) -> Answer:
    """Use and success of each AI feature, most used first.

    id, record_date and created_at are those of a feature's newest row.
    """

    def ask(days: Window) -> Rows[Row]:
        return totals(db, "ai_feature_performance", USE, days, "feature_name")

    rows, marks = or_newest(db, "ai_feature_performance", window, ask)
    names = [row.feature_name for row in rows]
    newest = newest_of_each(db, "ai_feature_performance", "feature_name", names, window)
    data = [
        {
            "id": newest[row.feature_name].id,
            "record_date": newest[row.feature_name].record_date,
            "feature_name": row.feature_name,
            **{name: row[name] for name in USE},
            "created_at": newest[row.feature_name].created_at,
        }
        for row in largest(rows, "usage_count", len(rows))
    ]
    return answer(window, data, **marks)
