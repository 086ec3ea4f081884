"""How often the assistant is used, by what it is used for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .common import over_time
from .drawing import Drawing, Style, Window
from .frame import value_axis
from .timeline import Timeline, measures, stack

if TYPE_CHECKING:
    from .._core import SmartShopieDB

KINDS = {
    "chat_interactions": "Chat",
    "questionnaire_interactions": "Questionnaire",
    "image_analysis_interactions": "Image analysis",
    "routine_planner_interactions": "Routine planner",
}


def interactions_timeline(db: SmartShopieDB, window: Window, style: Style) -> Drawing:
    found = measures(db, "interaction_summary", list(KINDS), window)
    timeline = Timeline(
        found.every, found.starts, found.complete,
        {name: found.values[key] for key, name in KINDS.items()},
    )  # fmt: skip
    return over_time(
        "interactions_timeline", "Interactions over time", timeline, window, style,
        stack(timeline, "count", style), value_axis("count", style, "interactions"),
        "count",
    )  # fmt: skip
