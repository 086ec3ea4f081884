"""The ten areas of the dashboard and what each of them shows, in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ...plots import PLOTS
from ..state import State
from . import charts, panels
from .asked import Asked
from .blocks import Cards
from .cards import Beside, Figure, cards


@dataclass(frozen=True)
class Part:
    """A block that is to be made."""

    id: str
    title: str
    make: Callable[[], Any]


@dataclass(frozen=True)
class Scene:
    """All that a part may need."""

    state: State
    asked: Asked
    window: Any
    urls: Any


@dataclass(frozen=True)
class Area:
    id: str
    title: str
    about: str
    parts: Callable[[Scene], Iterator[Part]]


def plots(scene: Scene, area: str, **spans: int) -> Iterator[Part]:
    """The charts named, so many of twelve columns wide, and the area's others."""
    others = {
        plot.name: 6
        for plot in PLOTS.values()
        if plot.area == area and plot.name not in spans
    }
    for name, span in {**spans, **others}.items():
        yield chart(scene, name, span)


def chart(scene: Scene, name: str, span: int) -> Part:
    def make() -> Any:
        return charts.chart(
            scene.state, name, scene.asked, scene.window, scene.urls, span
        )

    return Part(name, PLOTS[name].summary, make)


def panel(scene: Scene, id: str, title: str, make: Any, **options: Any) -> Part:
    return Part(id, title, lambda: make(scene.state, scene.window, **options))


def figures(
    scene: Scene, title: str, *groups: tuple[str, Sequence[Figure]], shown: str = ""
) -> Part:
    """Cards from one table or from several."""

    def link(measure: str) -> str:
        return str(scene.urls.here(scene.asked.query(measure=measure)))

    def make() -> Cards:
        found = [
            card
            for table, wanted in groups
            for card in cards(scene.state, table, wanted, scene.window, link, shown)
        ]
        return Cards("figures", title, found)

    return Part("figures", title, make)


# ---- the areas -----------------------------------------------------------------------

MEASURES = (
    "revenue_impact", "total_customers", "conversion_rate", "ai_interactions",
)  # fmt: skip


# The assistant's revenue is stored twice, and nothing makes both the same.
BY_FEATURE = Beside(
    "revenue_attribution", "revenue_amount", "its features add up to {}, see Revenue"
)
AS_A_WHOLE = Beside(
    "overview_kpis", "revenue_impact", "of its features; Overview has {} for the whole"
)


def overview(scene: Scene) -> Iterator[Part]:
    shown = scene.asked.shown.get("measure", MEASURES[0])
    yield figures(
        scene,
        "Headline figures",
        (
            "overview/kpis",
            (
                Figure("Customers", "total_customers", "total_customers"),
                Figure("Conversion rate", "conversion_rate", "conversion_rate"),
                Figure("AI interactions", "ai_interactions", "ai_interactions"),
                Figure(
                    "Assistant revenue",
                    "revenue_impact",
                    "revenue_impact",
                    beside=BY_FEATURE,
                ),
            ),
        ),
        shown=shown,
    )
    yield from plots(
        scene,
        "overview",
        kpi_trend=8,
        funnel=4,
        attribution=8,
        interaction_types=4,
        satisfaction=8,
        ai_quality=4,
    )
    yield panel(scene, "feed", "Latest activity", panels.feed)
    yield panel(scene, "alerts", "Alerts", panels.alerts, limit=5, span=6)


def conversions(scene: Scene) -> Iterator[Part]:
    yield figures(
        scene,
        "Conversion figures",
        (
            "conversions/analytics",
            (
                Figure("Overall conversion rate", "overall_conversion_rate"),
                Figure("With the assistant", "ai_driven_percentage"),
                Figure("Carts recovered", "cart_recovery_rate"),
                Figure("Time to convert", "avg_time_to_convert"),
            ),
        ),
    )
    yield from plots(scene, "conversions", conversion_trend=8, funnel=4)


def customers(scene: Scene) -> Iterator[Part]:
    yield figures(
        scene,
        "Customer figures",
        (
            "customer/satisfaction",
            (
                Figure("Satisfaction", "overall_satisfaction"),
                Figure("Product match", "product_match_quality"),
                Figure("Helpfulness", "ai_helpfulness"),
            ),
        ),
        ("overview/kpis", (Figure("Customers", "total_customers"),)),
    )
    yield from plots(
        scene,
        "customers",
        segments=6,
        behavioral_patterns=6,
        lifetime_value=6,
        concerns=6,
        product_gaps=12,
    )


def products(scene: Scene) -> Iterator[Part]:
    yield figures(
        scene,
        "Product figures",
        (
            "product_analytics",
            (
                Figure("Views", "views"),
                Figure("Recommendations", "ai_recommendations"),
                Figure("Purchases", "purchases"),
                Figure("Revenue", "revenue"),
            ),
        ),
    )
    yield from plots(
        scene, "products", top_products=4, category_performance=4, cross_sell=4
    )
    yield panel(scene, "catalogue", "Products", panels.products)


def ai(scene: Scene) -> Iterator[Part]:
    wanted = (
        Figure("Accuracy", "accuracy"),
        Figure("Response time", "response_time_ms"),
    )

    def make() -> Cards:
        found = cards(scene.state, "ai/summary", wanted, scene.window)
        best = panels.best_model(scene.state, scene.window)
        return Cards("figures", "Model figures", [*found, *best])

    yield Part("figures", "Model figures", make)
    yield from plots(scene, "ai", model_performance=8, feature_performance=4)
    yield panel(scene, "models", "Models", panels.models)


ALL = "total_interactions"


def interactions(scene: Scene) -> Iterator[Part]:
    yield figures(
        scene,
        "Interaction figures",
        (
            "interactions/summary",
            (
                Figure("Chats", "chat_interactions", share_of=ALL),
                Figure("Questionnaires", "questionnaire_interactions", share_of=ALL),
                Figure("Image analyses", "image_analysis_interactions", share_of=ALL),
                Figure("Routine plans", "routine_planner_interactions", share_of=ALL),
                Figure("Answered in", "avg_response_time"),
            ),
        ),
    )
    yield from plots(scene, "interactions", interactions_timeline=12)
    yield panel(scene, "feed", "Latest activity", panels.feed, limit=25, span=12)


def revenue(scene: Scene) -> Iterator[Part]:
    yield figures(
        scene,
        "Revenue figures",
        (
            "revenue/attribution",
            (Figure("Assistant revenue", "revenue_amount", beside=AS_A_WHOLE),),
        ),
        (
            "revenue/summary",
            (
                Figure("Order value", "avg_order_value"),
                Figure("Order value with AI", "avg_order_value_with_ai"),
                Figure("Return on investment", "roi_percentage"),
                Figure("Investment", "monthly_investment"),
            ),
        ),
    )
    yield from plots(
        scene,
        "revenue",
        attribution=8,
        customer_value=4,
        forecast=8,
        category_revenue=4,
    )


def realtime(scene: Scene) -> Iterator[Part]:
    yield panel(scene, "health", "System health", panels.health)
    yield from plots(
        scene, "realtime", active_sessions=6, live_conversions=6, system_health=12
    )
    yield panel(scene, "endpoints", "API endpoints", panels.endpoints)


def billing(scene: Scene) -> Iterator[Part]:
    yield panel(scene, "bill", "Current bill", panels.bill)
    yield panel(scene, "usage", "Free allowance", panels.usage)
    yield from plots(scene, "billing")
    yield panel(scene, "alerts", "Alerts", panels.alerts)
    yield panel(scene, "invoices", "Payments", panels.payments)


def api(scene: Scene) -> Iterator[Part]:
    yield panel(scene, "connections", "Connections", panels.connections)
    yield from plots(scene, "api", endpoint_health=12)
    yield panel(scene, "endpoints", "API endpoints", panels.endpoints)


_ALL = (
    Area("overview", "Overview", "How the shop and its assistant are doing", overview),
    Area("conversions", "Conversions", "From visitor to buyer", conversions),
    Area("customers", "Customers", "Who they are, what they ask for", customers),
    Area("products", "Products", "What is shown, recommended and bought", products),
    Area("ai", "AI performance", "How good and how fast the models are", ai),
    Area(
        "interactions", "Interactions", "What the assistant is used for", interactions
    ),
    Area("revenue", "Revenue", "What the assistant earns, and is expected to", revenue),
    Area("realtime", "Real time", "The newest minutes, and the system", realtime),
    Area("billing", "Billing", "Plan, use, payments and alerts", billing),
    Area("api", "API configuration", "Connections to other systems", api),
)
AREAS = {area.id: area for area in _ALL}
