"""What the assistant earned, by feature, category and customer; what is expected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .common import over_time
from .drawing import Drawing, Style, Window
from .frame import value_axis
from .timeline import groups, stack

if TYPE_CHECKING:
    from .._core import SmartShopieDB


def attribution(db: SmartShopieDB, window: Window, style: Style) -> Drawing:
    timeline = groups(db, "revenue_attribution", "revenue_amount", "ai_feature", window)
    return over_time(
        "attribution", "Revenue by feature of the assistant", timeline, window, style,
        stack(timeline, "currency", style), value_axis("currency", style, "amount"),
        "currency", barmode="stack",
    )  # fmt: skip
