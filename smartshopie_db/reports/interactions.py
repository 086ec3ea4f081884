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
    kinds add up to something else.  data is None when the window has no row.
    """
    columns = ["total_interactions", *KINDS, "avg_response_time"]
    rows = compare(db, "interaction_summary", columns, window)
    if not any(row.days for row in rows):
        return answer(window, None, timeline=[], comparison=rows)
    found = {row.measure: row.value for row in rows}
    data = {name: _count(found[name]) for name in columns[:-1]}
    computed = sum(data[name] or 0 for name in KINDS)
    more = (
        {} if computed == data["total_interactions"] else {"total_computed": computed}
    )
    seconds = {"avg_response_time": found["avg_response_time"]}
    timeline = [
        {
            "date": row.start,
            **{name: row[name] for name in KINDS},
            "complete": bool(row.complete),
        }
        for row in series(db, "interaction_summary", KINDS, window)
    ]
    return answer(
        window, {**data, **more, **seconds}, timeline=timeline, comparison=rows
    )


def _count(value: float | None) -> int | None:
    return None if value is None else int(value)
