"""Interactions with the assistant: how many of which kind, and when."""

from __future__ import annotations

from .. import SmartShopieDB
from .answer import Answer, answer, compare, report, series
from .window import Window

KINDS = (
    "questionnaire_interactions",
    "chat_interactions",
    "image_analysis_interactions",
    "routine_planner_interactions",
)


@report("interactions/summary", "interaction_summary")
def summary(db: SmartShopieDB, window: Window) -> Answer:
    """The interactions of the window by kind, and by day, week or month ("timeline").

    total_interactions is what is stored; total_computed is there, too, when the four
    kinds are known and add up to something else.  data is None without rows.
    """
    columns = ["total_interactions", *KINDS, "avg_response_time"]
    rows = compare(db, "interaction_summary", columns, window)
    if not any(row.days for row in rows):
        return answer(window, None, timeline=[], comparison=rows)
    found = {row.measure: row.value for row in rows}
    data: dict[str, float | None] = {name: _count(found[name]) for name in columns[:-1]}
    kinds = [_count(found[name]) for name in KINDS]
    known = [count for count in kinds if count is not None]
    if known == kinds and sum(known) != data["total_interactions"]:
        data["total_computed"] = sum(known)
    data["avg_response_time"] = found["avg_response_time"]
    timeline = [
        {
            "date": row.start,
            **{name: row[name] for name in KINDS},
            "complete": bool(row.complete),
        }
        for row in series(db, "interaction_summary", KINDS, window)
    ]
    return answer(window, data, timeline=timeline, comparison=rows)


def _count(value: float | None) -> int | None:
    return None if value is None else int(value)
