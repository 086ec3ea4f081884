"""Figures of the dashboard: the same for a notebook, a file and the web page.

    from smartshopie_db import SmartShopieDB, plots

    db = SmartShopieDB("smartshopie_dashboard.db")
    plots.funnel(db, "90d", currency="EUR")

Each function of PLOTS' names takes (db, period="30d", *, start, end, as_of, currency,
theme) and returns a plotly.graph_objects.Figure; plotly is imported when one is called.
PLOTS[name].draw(db, window, style) gives the same as plain dicts, without plotly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .catalog import PLOTS
from .drawing import Drawing, Plot, Style
from .palette import OTHER, PALETTE, THEMES

if TYPE_CHECKING:
    from typing import Protocol

    import plotly.graph_objects as go

    from .._core import SmartShopieDB

    class Shown(Protocol):
        """The call of every plot."""

        def __call__(
            self,
            db: SmartShopieDB,
            period: str | None = None,
            *,
            start: Any = None,
            end: Any = None,
            as_of: Any = None,
            currency: str | None = None,
            theme: str = "light",
        ) -> go.Figure: ...


def show(
    db: SmartShopieDB,
    name: str,
    period: str | None = None,
    *,
    start: Any = None,
    end: Any = None,
    as_of: Any = None,
    currency: str | None = None,
    theme: str = "light",
    **parameters: str,
) -> go.Figure:
    """The figure of that name; ValueError for a name, a period or a theme that is not.

    Without period, start and end it is about the last 30 days up to `as_of`, which is
    the newest stored day unless given.
    """
    from ..reports.window import window
    from .figure import figure, template

    template(theme)
    if name not in PLOTS:
        raise ValueError(f"there is no plot {name!r}; there are {', '.join(PLOTS)}")
    asked = window(db, period=period, start=start, end=end, as_of=as_of)
    drawing = PLOTS[name].draw(db, asked, Style(currency=currency), **parameters)
    return figure(drawing, theme)


def kpi_trend(
    db: SmartShopieDB,
    measure: str = "revenue_impact",
    period: str | None = None,
    **options: Any,
) -> go.Figure:
    """A headline figure over time: revenue_impact, total_customers, conversion_rate or
    ai_interactions.  The options are those of every plot."""
    return show(db, "kpi_trend", period, measure=measure, **options)


def _public(name: str) -> Shown:
    def draw(db: SmartShopieDB, period: str | None = None, **options: Any) -> go.Figure:
        return show(db, name, period, **options)

    draw.__name__ = draw.__qualname__ = name
    draw.__doc__ = f"{PLOTS[name].summary}: a plotly Figure."
    return draw


funnel = _public("funnel")
attribution = _public("attribution")

__all__ = [
    "OTHER",
    "PALETTE",
    "PLOTS",
    "THEMES",
    "Drawing",
    "Plot",
    "Style",
    "show",
    *PLOTS,
]
