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
interaction_types = _public("interaction_types")
ai_quality = _public("ai_quality")
attribution = _public("attribution")
satisfaction = _public("satisfaction")
conversion_trend = _public("conversion_trend")
segments = _public("segments")
behavioral_patterns = _public("behavioral_patterns")
concerns = _public("concerns")
lifetime_value = _public("lifetime_value")
product_gaps = _public("product_gaps")
top_products = _public("top_products")
category_performance = _public("category_performance")
cross_sell = _public("cross_sell")
model_performance = _public("model_performance")
feature_performance = _public("feature_performance")
interactions_timeline = _public("interactions_timeline")
category_revenue = _public("category_revenue")
customer_value = _public("customer_value")
forecast = _public("forecast")
active_sessions = _public("active_sessions")
live_conversions = _public("live_conversions")
system_health = _public("system_health")
usage_trend = _public("usage_trend")
payments = _public("payments")
endpoint_health = _public("endpoint_health")

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
