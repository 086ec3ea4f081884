"""What the assistant itself costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .common import nothing, over_time, table
from .drawing import Drawing, Style, Window
from .frame import layout, time_axis, value_axis
from .palette import BLUE, ORANGE, PALETTE
from .stretch import months_up_to
from .text import days, escape, label, shown
from .timeline import groups, stack

if TYPE_CHECKING:
    from .._core import SmartShopieDB

MONTHS = 6
PAYMENTS = 12


def usage_trend(db: SmartShopieDB, window: Window, style: Style) -> Drawing:
    """Uses of each service; older files know only what each cost."""
    wide = months_up_to(window, MONTHS)
    unit, what = "count", "uses"
    timeline = groups(db, "usage_breakdown", "used", "service_name", wide, "month")
    if timeline.empty:
        unit, what = "currency", "cost"
        timeline = groups(db, "usage_breakdown", "cost", "service_name", wide, "month")
    return over_time(
        "usage_trend", "Use by service", timeline, wide, style,
        stack(timeline, unit, style), value_axis(unit, style, what), unit,
    )  # fmt: skip


def payments(db: SmartShopieDB, window: Window, style: Style) -> Drawing:
    """The newest payments up to the window's end."""
    title = "Payments"
    found = db.get_billing_payments(end=window.end, limit=PAYMENTS)
    rows = table(found, ("payment_date", "description", "amount", "status"))[::-1]
    if not rows:
        return nothing("payments", title, style, days(window.start, window.end))
    states = list(dict.fromkeys(str(row[3] or "unknown") for row in rows))
    data = [
        {
            "type": "bar", "name": label(state),
            "x": [row[0].isoformat() for row in of_state],
            "y": [row[2] for row in of_state],
            "customdata": [
                f"{row[0]:%-d %b}: {label(row[1], 60)} ({escape(state)})"
                for row in of_state
            ],
            "marker": {
                "color": BLUE if state.lower() == "paid"
                else ORANGE if len(states) <= 2
                else PALETTE[1 + k % (len(PALETTE) - 1)],
                "line": {"width": 0},
            },
            "xperiod": "M1", "xperiodalignment": "middle",
            "hovertemplate": "%{customdata}<br>" + shown("currency", style, "y")
            + "<extra></extra>",
        }
        for k, state in enumerate(states)
        for of_state in [[r for r in rows if str(r[3] or "unknown") == state]]
    ]  # fmt: skip
    return Drawing(
        "payments", title,
        f"the newest {len(rows)}, {days(rows[0][0], rows[-1][0])}", data,
        layout(style, hovermode="closest", showlegend=len(states) > 1,
               xaxis=time_axis("month"), yaxis=value_axis("currency", style, "amount")),
        ("day", "for", "amount", "status"),
        [(date.isoformat(), *rest) for date, *rest in rows],
        (None, None, "currency", None),
    )  # fmt: skip
