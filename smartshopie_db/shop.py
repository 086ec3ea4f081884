"""A made-up shop: demo data of any length whose figures agree with each other.

Everything follows from one day's visits: the funnel ends with the day's purchases, the
interactions add up to their kinds, the revenue of features, categories and products
adds up to the day's, and months add up their days. Visits have a weekly and a yearly
rhythm, a slow growth, a campaign of two weeks and an outage of two days. The same
arguments give the same rows, on every machine.
"""

from __future__ import annotations

import datetime
import math
import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from .visits import COLUMNS, Feed

Rows = Iterable[tuple[Any, ...]]

DAY = datetime.timedelta(days=1)
WEEKDAYS = (1.0, 0.96, 0.97, 1.0, 1.08, 1.22, 1.16)  # Monday first
KINDS = ("Chat", "Questionnaire", "Image Analysis", "Routine Planner")
FEATURES = (
    "Chat Recommendations", "Questionnaire Guidance", "Image Matching", "Routine Plans",
)  # fmt: skip
CATEGORIES = ("Skincare", "Haircare", "Makeup", "Fragrance")
SEGMENTS = ("High Value", "Medium Value", "New Customers", "At Risk")
PRODUCTS = (
    ("P-01", "Cloudberry Night Serum", "Skincare", 38.0),
    ("P-02", "Oat Calming Cleanser", "Skincare", 19.5),
    ("P-03", "Mineral Day Cream", "Skincare", 42.0),
    ("P-04", "Birch Scalp Tonic", "Haircare", 24.0),
    ("P-05", "Silk Repair Mask", "Haircare", 31.0),
    ("P-06", "Soft Focus Tint", "Makeup", 27.5),
    ("P-07", "Velvet Lip Balm", "Makeup", 12.0),
    ("P-08", "Juniper Eau Fraiche", "Fragrance", 64.0),
)
CONCERNS = (
    ("Dry Skin", "skincare"), ("Acne & Breakouts", "skincare"), ("Redness", "skincare"),
    ("Frizz", "haircare"), ("Thinning Hair", "haircare"), ("Shade Match", "makeup"),
)  # fmt: skip
MODELS = (
    ("Recommender 3.1", 92.0, 720),
    ("Dialogue 2.0", 89.5, 1150),
    ("Baseline", 84.0, 310),
)
SERVICES = ("chat", "questionnaire", "image", "routine")
FREE = {"chat": 0.05, "questionnaire": 0.03, "image": 0.10, "routine": 0.02}
PLAN = 1200.0


@dataclass(frozen=True)
class Day:
    """What happened on one day; everything else is worked out from it."""

    date: datetime.date
    visits: int
    kinds: tuple[int, ...]  # interactions of each kind
    purchases: int
    ai_purchases: int
    customers: int
    features: tuple[float, ...]  # revenue credited to each
    categories: tuple[float, ...]  # revenue of each, all of it
    outage: bool

    @property
    def interactions(self) -> int:
        return sum(self.kinds)

    @property
    def rate(self) -> float:
        return percent(self.purchases, self.visits)

    @property
    def slowness(self) -> float:
        return 4.0 if self.outage else 1.0

    @property
    def ai_revenue(self) -> float:
        return round(sum(self.features), 2)

    @property
    def revenue(self) -> float:
        return round(sum(self.categories), 2)


@dataclass(frozen=True)
class Bill:
    """One month of the assistant: what was used, what of it was free, what it cost."""

    start: datetime.date
    end: datetime.date
    used: dict[str, int]
    free: dict[str, int]
    costs: dict[str, float]

    @property
    def extra(self) -> float:
        return round(sum(self.costs.values()), 2)

    @property
    def calls(self) -> int:
        return sum(self.used.values())


class Shop:
    """The days of a shop, and each table's rows from them."""

    def __init__(
        self, days: int, until: datetime.date, interactions: int, seed: int
    ) -> None:
        self.random = random.Random(seed)
        self.until = until
        self.n_interactions = interactions
        first = until - (days - 1) * DAY
        self.campaign = first + days * 5 // 8 * DAY
        self.outage = first + days * 3 // 8 * DAY
        self.days = list(self._days(first, days))
        self.months: dict[datetime.date, list[Day]] = defaultdict(list)
        for day in self.days:
            self.months[day.date.replace(day=1)].append(day)

    # ---- days ----

    def _days(self, first: datetime.date, n: int) -> Iterator[Day]:
        customers = 30_000
        for i in range(n):
            date = first + i * DAY
            visits = round(self._visits(date, i))
            purchases = round(visits * self._near(0.042, 0.08))
            customers += round(purchases * 0.31)
            kinds = self._split(round(visits * self._near(0.58, 0.03)), (47, 27, 17, 9))
            ai_purchases = round(purchases * self._near(0.62, 0.04))
            order = self._near(58.0, 0.05)
            categories = self._money(purchases * order, (51, 24, 17, 8))
            features = self._money(ai_purchases * order * 1.06, (43, 30, 16, 11))
            outage = self.outage <= date < self.outage + 2 * DAY
            yield Day(date, visits, kinds, purchases, ai_purchases, customers, features,
                      categories, outage)  # fmt: skip

    def _visits(self, date: datetime.date, i: int) -> float:
        year = 1 + 0.18 * math.cos((date.timetuple().tm_yday - 345) / 365.25 * math.tau)
        visits = 3000 * (1 + i / 1500) * WEEKDAYS[date.weekday()] * year
        if self.campaign <= date < self.campaign + 14 * DAY:
            visits *= 1.45
        if self.outage <= date < self.outage + 2 * DAY:
            visits *= 0.4
        return self._near(visits, 0.04)

    def _near(self, value: float, spread: float) -> float:
        return value * max(0.05, self.random.gauss(1, spread))

    def _split(self, total: int, weights: Sequence[float]) -> tuple[int, ...]:
        """Whole parts that add up to the total."""
        shares = [self._near(weight, 0.05) for weight in weights]
        parts = [int(total * share / sum(shares)) for share in shares]
        parts[0] += total - sum(parts)
        return tuple(parts)

    def _money(self, total: float, weights: Sequence[float]) -> tuple[float, ...]:
        cents = self._split(round(total * 100), weights)
        return tuple(part / 100 for part in cents)

    def _rate(self, value: float, spread: float, most: float = 100.0) -> float:
        return round(min(most, self._near(value, spread)), 2)

    @property
    def weeks(self) -> list[Day]:
        """The last day of each week, and the newest."""
        return [d for d in self.days if d.date.weekday() == 6 or d is self.days[-1]]

    # ---- tables ----

    def tables(self) -> Iterator[tuple[str, str, Rows]]:
        """Every table, its columns and rows; what is referred to comes first."""
        for make in (
            self._daily, self._weekly, self._monthly, self._products, self._latest,
            self._settings,
        ):  # fmt: skip
            yield from make()
        yield "customer_interactions", COLUMNS, self.interactions()

    def _daily(self) -> Iterator[tuple[str, str, Rows]]:
        days = self.days
        pairs = list(zip(days[:1] + days, days, strict=False))
        yield (
            "overview_kpis",
            "record_date total_customers total_customers_change conversion_rate"
            " conversion_rate_change ai_interactions ai_interactions_change"
            " revenue_impact revenue_impact_change",
            [
                (d.date, d.customers, change(d.customers, b.customers), d.rate,
                 change(d.rate, b.rate), d.interactions,
                 change(d.interactions, b.interactions), d.ai_revenue,
                 change(d.ai_revenue, b.ai_revenue))
                for b, d in pairs
            ],
        )  # fmt: skip
        yield (
            "conversion_funnel",
            "record_date stage_name stage_order count percentage dropoff_rate",
            [row for d in days for row in self._funnel(d)],
        )
        yield (
            "interaction_types",
            "record_date interaction_name count percentage",
            [
                (d.date, kind, n, percent(n, d.interactions))
                for d in days
                for kind, n in zip(KINDS, d.kinds, strict=True)
            ],
        )
        yield (
            "interaction_summary",
            "record_date total_interactions chat_interactions"
            " questionnaire_interactions image_analysis_interactions"
            " routine_planner_interactions avg_response_time",
            [
                (d.date, d.interactions, *d.kinds,
                 round(self._near(8.5, 0.1) * d.slowness, 1))
                for d in days
            ],
        )  # fmt: skip
        yield (
            "conversion_trends",
            "record_date period_type conversions ai_attributed_conversions",
            [(d.date, "daily", d.purchases, d.ai_purchases) for d in days],
        )
        yield (
            "conversion_analytics",
            "record_date overall_conversion_rate conversion_rate_change"
            " ai_driven_conversions ai_driven_percentage cart_recovery_rate"
            " cart_recovery_via_ai avg_time_to_convert avg_time_change",
            [
                (d.date, d.rate, change(d.rate, b.rate),
                 percent(d.ai_purchases, d.purchases),
                 percent(d.ai_purchases, d.purchases),
                 self._rate(27, 0.05), self._rate(18, 0.06), self._rate(9.5, 0.06, 1e9),
                 self._rate(-3, 0.4, 1e9))
                for b, d in pairs
            ],
        )  # fmt: skip
        yield (
            "revenue_attribution",
            "record_date ai_feature revenue_amount percentage",
            [
                (d.date, feature, amount, percent(amount, d.ai_revenue))
                for d in days
                for feature, amount in zip(FEATURES, d.features, strict=True)
            ],
        )
        yield (
            "category_revenue",
            "record_date category_name revenue_amount percentage ai_attributed_revenue",
            [
                (d.date, category, amount, percent(amount, d.revenue),
                 round(min(amount, amount / d.revenue * d.ai_revenue), 2))
                for d in days
                for category, amount in zip(CATEGORIES, d.categories, strict=True)
            ],
        )  # fmt: skip
        yield (
            "ai_feature_performance",
            "record_date feature_name usage_count success_rate user_satisfaction",
            [
                (d.date, feature, n, round(self._rate(91, 0.02) / 100, 4),
                 round(self._rate(87 - 20 * d.outage, 0.02) / 100, 4))
                for d in days
                for feature, n in zip(FEATURES, d.kinds, strict=True)
            ],
        )  # fmt: skip
        yield (
            "customer_concerns",
            "record_date concern_name concern_category query_count ai_success_rate",
            [
                (d.date, *concern, n, self._rate(88, 0.04))
                for d in days
                for concern, n in zip(
                    CONCERNS,
                    self._split(d.kinds[0], (30, 24, 15, 13, 10, 8)),
                    strict=True,
                )
            ],
        )
        yield (
            "customer_satisfaction",
            "record_date overall_satisfaction product_match_quality ai_helpfulness",
            [
                (
                    d.date,
                    *(self._rate(x - 0.7 * d.outage, 0.02, 5) for x in (4.3, 4.1, 4.4)),
                )
                for d in days
            ],
        )

    def _funnel(self, d: Day) -> Iterator[tuple[Any, ...]]:
        reached = min(d.visits, round(d.interactions * 0.92))
        added = d.purchases + round((reached - d.purchases) * self._near(0.22, 0.05))
        counts = (d.visits, reached, round((reached + added) / 2), added, d.purchases)
        before = d.visits
        for order, (stage, n) in enumerate(zip(STAGES, counts, strict=True)):
            yield (
                d.date,
                stage,
                order,
                n,
                percent(n, d.visits),
                percent(n - before, before),
            )
            before = n

    def _weekly(self) -> Iterator[tuple[str, str, Rows]]:
        weeks = [(d, self._split(d.customers, (18, 45, 26, 11))) for d in self.weeks]
        yield (
            "customer_segments",
            "record_date segment_name segment_size percentage avg_lifetime_value"
            " avg_order_value",
            [
                (d.date, segment, n, percent(n, d.customers),
                 self._rate(value, 0.03, 1e9), self._rate(value / 4, 0.03, 1e9))
                for d, sizes in weeks
                for segment, n, value in zip(
                    SEGMENTS, sizes, (640, 265, 92, 140), strict=True
                )
            ],
        )  # fmt: skip
        tiers = [
            (d.date, segment, n, self._rate(value, 0.03, 1e9))
            for d, sizes in weeks
            for segment, n, value in zip(
                SEGMENTS, sizes, (412, 168, 54, 77), strict=True
            )
        ]
        yield (
            "customer_value_analysis",
            "record_date tier_name customer_count avg_revenue total_revenue",
            [
                (date, tier, n, each, round(n * each, 2))
                for date, tier, n, each in tiers
            ],
        )
        yield (
            "behavioral_patterns",
            "record_date pattern_type pattern_name value metric_unit",
            [
                (d.date, kind, name, self._rate(value, 0.03), "%")
                for d, _ in weeks
                for kind, name, value in PATTERNS
            ],
        )
        yield (
            "customer_lifetime_value",
            "record_date segment_name predicted_clv current_clv",
            [
                (
                    d.date,
                    band,
                    self._rate(now * 1.9, 0.03, 1e9),
                    self._rate(now, 0.03, 1e9),
                )
                for d, _ in weeks
                for band, now in BANDS
            ],
        )
        yield (
            "product_gaps",
            "record_date gap_rank product_name category demand_score potential_revenue",
            [
                (d.date, rank, name, category,
                 round(self._near(0.95 - rank / 12, 0.02), 3),
                 round(self._near(42_000 / rank, 0.05), 2))
                for d, _ in weeks
                for rank, (name, category) in enumerate(GAPS, 1)
            ],
        )  # fmt: skip

    def _monthly(self) -> Iterator[tuple[str, str, Rows]]:
        months = {
            month: (
                days,
                sum(d.ai_revenue for d in days),
                sum(d.interactions for d in days),
            )
            for month, days in self.months.items()
        }
        yield (
            "revenue_summary",
            "record_date total_revenue_impact avg_order_value avg_order_value_with_ai"
            " avg_order_value_improvement monthly_investment monthly_return"
            " roi_percentage",
            [
                (month, round(impact, 2), 58.0, 61.48, 6.0, 64_000.0, round(impact, 2),
                 round(100 * (impact - 64_000) / 64_000, 2))
                for month, (_, impact, _) in months.items()
            ],
        )  # fmt: skip
        yield (
            "ai_model_performance",
            "record_date model_name accuracy precision recall f1_score"
            " response_time_ms",
            [self._model(month, *model) for month in months for model in MODELS],
        )
        yield (
            "category_performance",
            "record_date category_name total_products total_views total_revenue"
            " avg_conversion_rate ai_recommendation_rate",
            [
                (month, category, 20 + 9 * k, sum(d.visits for d in days) // (k + 2),
                 round(sum(d.categories[k] for d in days), 2), self._rate(4.4, 0.05),
                 self._rate(33, 0.05))
                for month, (days, _, _) in months.items()
                for k, category in enumerate(CATEGORIES)
            ],
        )  # fmt: skip
        bills = [self._bill(month, days) for month, (days, _, _) in months.items()]
        yield (
            "billing_summary",
            "id billing_period_start billing_period_end plan_name base_cost usage_cost"
            " total_cost api_calls data_processed_gb monthly_price renewal_date"
            " subscription_amount chat_amount image_amount questionnaire_amount"
            " overage_amount total_estimated",
            [
                (number, b.start, b.end, "Business", PLAN, b.extra, PLAN + b.extra,
                 b.calls, round(b.calls * 0.00064, 2), PLAN, b.end + DAY, PLAN,
                 b.costs["chat"], b.costs["image"], b.costs["questionnaire"], b.extra,
                 PLAN + b.extra)
                for number, b in enumerate(bills, 1)
            ],
        )  # fmt: skip
        yield (
            "usage_breakdown",
            "record_date service_name usage_count cost month usage_type used free_limit"
            " overage_rate overage_cost total_usage billing_id",
            [
                (b.start, kind, float(b.used[service]), b.costs[service], b.start,
                 service, b.used[service], b.free[service],
                 f"{FREE[service]:.2f} per use",
                 f"{b.costs[service]:.2f}", b.used[service], number)
                for number, b in enumerate(bills, 1)
                for kind, service in zip(KINDS, SERVICES, strict=True)
            ],
        )  # fmt: skip
        yield (
            "billing_payments",
            "payment_date description amount status invoice_url billing_id",
            [
                (b.end, f"Business, {b.start:%Y-%m}", round(PLAN + b.extra, 2), "Paid",
                 f"https://example.com/invoices/{b.start:%Y-%m}", number)
                for number, b in enumerate(bills, 1)
                if b.end <= self.until
            ],
        )  # fmt: skip

    def _model(
        self, month: datetime.date, name: str, accuracy: float, ms: int
    ) -> tuple[Any, ...]:
        right, precise, recalled = (
            self._rate(accuracy - k, 0.006) for k in (0, 1.4, 2.2)
        )
        f1 = round(2 * precise * recalled / (precise + recalled) / 100, 4)
        return month, name, right, precise, recalled, f1, round(self._near(ms, 0.05))

    def _bill(self, month: datetime.date, days: Sequence[Day]) -> Bill:
        end = (month.replace(day=28) + 4 * DAY).replace(day=1) - DAY
        used = {s: sum(d.kinds[k] for d in days) for k, s in enumerate(SERVICES)}
        free = {s: n // 1000 * 950 for s, n in used.items()}
        costs = {s: round((used[s] - free[s]) * FREE[s], 2) for s in SERVICES}
        return Bill(month, end, used, free, costs)

    def _products(self) -> Iterator[tuple[str, str, Rows]]:
        yield (
            "product_analytics",
            "record_date product_id product_name category views ai_recommendations"
            " purchases revenue conversion_rate",
            (row for d in self.days for row in self._product_rows(d)),
        )

    def _product_rows(self, d: Day) -> Iterator[tuple[Any, ...]]:
        for k, category in enumerate(CATEGORIES):
            own = [p for p in PRODUCTS if p[2] == category]
            amounts = self._money(d.categories[k], [p[3] for p in own])
            for (number, name, _, price), amount in zip(own, amounts, strict=True):
                bought = round(amount / price)
                shown = round(bought * self._near(5.5, 0.06))
                views = shown + round(bought * self._near(9, 0.06))
                yield (d.date, number, name, category, views, shown, bought, amount,
                       percent(bought, shown))  # fmt: skip

    # ---- the present ----

    def _latest(self) -> Iterator[tuple[str, str, Rows]]:
        now = datetime.datetime.combine(self.until, datetime.time(18))
        yield (
            "revenue_forecasting",
            "record_date forecast_date predicted_revenue confidence_level upper_bound"
            " lower_bound",
            list(self._forecast()),
        )
        hours = [now - datetime.timedelta(hours=h) for h in range(48)]
        yield (
            "system_health",
            "record_date system_component status cpu_usage memory_usage"
            " response_time_ms",
            [
                (hour, part, "healthy", self._rate(cpu, 0.15), self._rate(memory, 0.05),
                 round(self._near(ms, 0.2)))
                for hour in hours
                for part, cpu, memory, ms in PARTS
            ],
        )  # fmt: skip
        minutes = [now - datetime.timedelta(minutes=m) for m in range(120)]
        yield (
            "realtime_metrics",
            "recorded_at active_sessions api_response_time_ms cpu_usage_pct"
            " memory_usage_pct conversions_per_min",
            [
                (minute, round(self._near(30, 0.15)), round(self._near(150, 0.1)),
                 self._rate(44, 0.1), self._rate(61, 0.03), round(self._near(1.4, 0.5)))
                for minute in minutes
            ],
        )  # fmt: skip
        outage = datetime.datetime.combine(self.outage, datetime.time(9, 20))
        yield (
            "usage_alerts",
            "level title message created_at",
            [
                ("error", "Assistant not available",
                 "Most sessions could not be answered for two days.", outage),
                ("info", "Campaign begun", "Visits are up by about 45 percent.",
                 datetime.datetime.combine(self.campaign, datetime.time(8))),
                ("warning", "Free chats used up",
                 "All free chats of the month were used; further ones cost 0.05 each.",
                 now - 3 * DAY),
            ],
        )  # fmt: skip

    def _forecast(self) -> Iterator[tuple[Any, ...]]:
        recent = self.days[-90:]
        each = sum(d.ai_revenue for d in recent) / len(recent)
        month = self.until.replace(day=1)
        for ahead in range(1, 7):
            month = (month.replace(day=28) + 4 * DAY).replace(day=1)
            amount = each * 30.4 * (1 + ahead / 50)
            width = 0.04 + 0.02 * ahead
            yield (
                self.until, month, round(amount, 2), round(0.97 - width, 3),
                round(amount * (1 + width), 2), round(amount * (1 - width), 2),
            )  # fmt: skip

    def _settings(self) -> Iterator[tuple[str, str, Rows]]:
        now = datetime.datetime.combine(self.until, datetime.time(18))
        calls = self.days[-1].interactions
        yield (
            "api_configurations",
            "id api_type api_name api_url api_key status last_sync sync_frequency",
            [
                (k, kind, name, f"https://api.example.com/v1/{kind}",
                 f"demo-key-{k:04}", "active", now, "hourly")
                for k, (kind, name) in enumerate(APIS, 1)
            ],
        )  # fmt: skip
        yield (
            "api_endpoints",
            "endpoint_name method request_count avg_response_ms error_rate last_checked"
            " base_url success_rate daily_calls configuration_id",
            [
                (name, "GET", calls * 30 // k, self._rate(90 + 20 * k, 0.1, 1e9),
                 0.25 * k, now, f"https://api.example.com/v1/{kind}", 100 - 0.25 * k,
                 calls // k, k)
                for k, (kind, name) in enumerate(APIS, 1)
            ],
        )  # fmt: skip

    def interactions(self) -> Rows:
        """customer_interactions, spread over the days as the interactions are."""
        total = sum(day.interactions for day in self.days) or 1
        due = done = 0
        feed = Feed(self.random)
        for day in self.days:
            due += day.interactions
            n = round(self.n_interactions * due / total) - done
            yield from feed.of_day(day.date, n, done + 1, day.customers, day.outage)
            done += n


STAGES = ("Page Visitors", "AI Interaction", "Product View", "Add to Cart", "Purchase")
PATTERNS = (
    ("peak_activity", "Evening (6-9 PM)", 41.0),
    ("preference_match", "High Match Rate", 84.0),
    ("return_visits", "Within a Week", 36.0),
)
BANDS = (("0-30d", 42.0), ("31-60d", 71.0), ("61-90d", 98.0), ("91-180d", 150.0))
GAPS = (
    ("Fragrance-free body lotion", "Skincare"), ("Silk hair wrap", "Haircare"),
    ("Refillable tint", "Makeup"), ("Travel set", "Skincare"),
)  # fmt: skip
PARTS = (
    ("API Gateway", 31.0, 52.0, 48), ("Database", 23.0, 61.0, 12),
    ("Recommender", 55.0, 70.0, 180),
)  # fmt: skip
APIS = (
    ("analytics", "Visit analytics"), ("customers", "Customer records"),
    ("products", "Product catalogue"), ("orders", "Orders"),
)  # fmt: skip


def percent(part: float, whole: float) -> float:
    return round(100 * part / whole, 2) if whole else 0.0


def change(now: float, before: float) -> float:
    return round(100 * (now - before) / before, 2) if before else 0.0
