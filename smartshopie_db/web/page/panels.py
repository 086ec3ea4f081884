"""The parts of a page that are neither cards nor charts: feed, health, bill, and so on.

Each takes (state, window) and gives a block.  Text goes on as it is stored; an address
becomes a link only when it is http or https.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import urlsplit

from ...reports import REPORTS
from ..state import State
from . import wording
from .blocks import (
    Bill,
    Card,
    Cell,
    Column,
    Entry,
    Feed,
    Line,
    Table,
    Tile,
    Tiles,
    Usage,
    Usages,
)
from .cards import newest

MOST = 100  # rows of a table

STATES = {
    "good": ("healthy", "active", "ok", "paid", "converted", "connected", "up"),
    "warn": ("warning", "rate_limited", "degraded", "pending", "processing", "slow"),
    "bad": ("critical", "error", "down", "failed", "overdue", "unpaid", "expired"),
}  # fmt: skip


def state_of(word: str | None) -> str:
    """good, warn, bad, or idle for a word that is none of those known."""
    text = (word or "").strip().lower().replace(" ", "_")
    return next((state for state, words in STATES.items() if text in words), "idle")


def web_address(text: str | None) -> str:
    """The address when a browser may follow it, else nothing."""
    if not text or not text.isprintable() or " " in text:
        return ""
    try:
        parts = urlsplit(text)
    except ValueError:
        return ""
    return text if parts.scheme in ("http", "https") and parts.netloc else ""


def figure(value: Any, unit: str | None, state: State, **more: Any) -> Cell:
    return Cell(wording.number(value, unit, state.settings.currency), value, **more)


def plain(value: Any, state: State) -> Cell:
    return Cell(text_of(value, None, state), when=wording.iso(value))


def facts(*pairs: tuple[str, str]) -> list[tuple[str, str]]:
    """Those that are known."""
    return [(name, text) for name, text in pairs if text and text != wording.NOTHING]


def text_of(value: Any, unit: str | None, state: State) -> str:
    return wording.cell(value, unit, state.settings.currency)


# ---- interactions --------------------------------------------------------------------


def feed(state: State, window: Any, limit: int = 10, span: int = 6) -> Feed:
    """The newest interactions of the window, today's among them."""
    table = state.db.customer_interactions
    last: dict[str, Any] = {"order_by": "-interaction_date", "limit": limit}
    rows = table.select(start=window.start, end=window.end, **last)
    note = f"the newest of {wording.days(window.start, window.end)}"
    if not len(rows):
        rows = table.select(end=window.end, **last)
        note = "none in these days; the newest before them" if len(rows) else ""
    return Feed(
        "feed",
        "Latest activity",
        note,
        [
            Entry(
                row.customer_name or row.customer_id or "A visitor",
                row.activity_description or "",
                row.interaction_date,
                state=state_of(row.status_badge),
                badge=row.status_badge or "",
                facts=facts(
                    ("", wording.words(row.interaction_type or "")),
                    ("score", text_of(row.satisfaction_score, None, state)),
                    ("answered in", text_of(row.response_time_sec, "seconds", state)),
                ),
            )
            for row in rows
        ],
        "Each talk, picture, questionnaire and plan of a customer shows up here as soon"
        " as it is added with add_customer_interaction().",
        span=span,
    )


# ---- health --------------------------------------------------------------------------


def health(state: State, window: Any) -> Tiles:
    """The last reading of each component up to the end of the window."""
    rows = state.db.system_health.select(
        end=window.end, order_by="-record_date", limit=200
    )
    latest: dict[str, Any] = {}
    for row in rows:
        latest.setdefault(row.system_component or "Unnamed", row)
    tiles = [
        Tile(
            name,
            state_of(row.status),
            wording.words(row.status or "not known"),
            facts(
                ("CPU", text_of(row.cpu_usage, "percent", state)),
                ("Memory", text_of(row.memory_usage, "percent", state)),
                ("Answers in", text_of(row.response_time_ms, "milliseconds", state)),
            ),
            row.record_date,
        )
        for name, row in sorted(latest.items())
    ]
    return Tiles(
        "health",
        "System health",
        verdict(tiles),
        tiles,
        "The health of each component shows up here once add_system_health() was"
        " called for it.",
    )


def verdict(tiles: Sequence[Tile]) -> str:
    """What all the tiles say together."""
    if not tiles:
        return ""
    wrong = [tile.title for tile in tiles if tile.state in ("warn", "bad")]
    if wrong:
        return f"{len(wrong)} of {len(tiles)} need attention: {', '.join(wrong)}"
    unclear = sum(tile.state == "idle" for tile in tiles)
    if unclear:
        return f"the state of {unclear} of {len(tiles)} is not known"
    return f"all {len(tiles)} are healthy"


def endpoints(state: State, window: Any) -> Table:
    rows = state.db.api_endpoints.select(order_by="endpoint_name")
    return Table(
        "endpoints",
        "API endpoints",
        "as last checked",
        [
            Column("Endpoint"), Column("Method"), Column("Calls a day", "count", True),
            Column("Requests", "count", True), Column("Answers in", "ms", True),
            Column("Success", "percent", True), Column("Errors", "percent", True),
            Column("Checked"),
        ],
        [
            [
                Cell(row.endpoint_name or wording.NOTHING),
                Cell(row.method or wording.NOTHING),
                figure(row.daily_calls, "count", state),
                figure(row.request_count, "count", state),
                figure(row.avg_response_ms, "milliseconds", state),
                figure(row.success_rate, "percent", state),
                figure(row.error_rate, "percent", state),
                plain(row.last_checked, state),
            ]
            for row in rows
        ],
        "Endpoints that are watched show up here once add_api_endpoint() was called.",
        span=12,
    )  # fmt: skip


def best_model(state: State, window: Any) -> list[Card]:
    """Which model is the most accurate, and by how much."""
    answer: Any = REPORTS["ai/summary"].run(state.db, window)
    data = answer["data"]
    if data is None:
        return []
    better = data["ab_improvement_pct"]
    note = f"of {len(data['models'])} models"
    if better is not None:
        note += (
            f"; {abs(better):.1f}% {'above' if better >= 0 else 'below'} the baseline"
        )
    return [Card("Most accurate", None, data["ab_winner"] or "Unnamed", note=note)]


def models(state: State, window: Any) -> Table:
    """Every model in the newest month by the end of the window, the best first."""
    table = state.db.ai_model_performance
    day = newest(state, "ai_model_performance", window.end)
    rows = table.select(date=day, order_by="-accuracy") if day else ()
    return listing(
        "models",
        "Models side by side",
        (
            (row.model_name, row.accuracy, row.precision, row.recall, row.f1_score,
             row.response_time_ms)
            for row in rows
        ),
        (
            ("Model", None), ("Accuracy", "percent"), ("Precision", "percent"),
            ("Recall", "percent"), ("F1", "score"), ("Answers in", "milliseconds"),
        ),
        state,
        note=wording.month(day) if day else "",
        empty="Models show up here once add_ai_model_performance() was called.",
        span=12,
    )  # fmt: skip


SOLD = ("views", "ai_recommendations", "purchases", "revenue")


def products(state: State, window: Any) -> Table:
    """The products of the window, those with the most revenue first."""
    days = {"start": window.start, "end": window.end}
    measures: list[str] = [*SOLD, "conversion_rate"]
    rows = (
        state.db.series(
            "product_analytics",
            measures,
            every="window",
            by=["product_id", "product_name", "category"],
            **days,
        )
        if state.db.product_analytics.count(**days)
        else ()
    )
    ranked = sorted(rows, key=lambda row: -(row.revenue or 0))
    return listing(
        "catalogue",
        "Products in numbers",
        (
            (row.product_name, row.category, *(row[name] for name in measures))
            for row in ranked[:MOST]
        ),
        (
            ("Product", None), ("Category", None), ("Views", "count"),
            ("Recommended", "count"), ("Bought", "count"), ("Revenue", "currency"),
            ("Conversion", "percent"),
        ),
        state,
        note=f"the {MOST} with the most revenue of {len(ranked)}"
        if len(ranked) > MOST
        else "",
        empty="No product has figures in these days: add_product_analytics() adds it.",
        span=12,
    )  # fmt: skip


# ---- billing -------------------------------------------------------------------------

PARTS = (
    ("subscription_amount", "Subscription"),
    ("chat_amount", "Chats above the free ones"),
    ("image_amount", "Image analyses above the free ones"),
    ("questionnaire_amount", "Questionnaires above the free ones"),
)
OLD_PARTS = (("base_cost", "Base price"), ("usage_cost", "Use"))


def bill(state: State, window: Any) -> Bill:
    """The newest billing period that began by the end of the window."""
    title, empty = (
        "Current bill",
        ("The bill of each month shows up here once add_billing_summary() was called."),
    )
    rows = state.db.billing_summary.select(
        end=window.end, order_by="-billing_period_start", limit=1
    )
    if not len(rows):
        return Bill("bill", title, "", [], [], empty)
    row = rows[0]
    lines, total, stored = bill_lines(row)
    start, end = row.billing_period_start, row.billing_period_end
    return Bill(
        "bill",
        title,
        wording.days(start, end) if start and end else f"from {wording.day(start)}",
        facts(
            ("Plan", row.plan_name or ""),
            ("Price a month", text_of(row.monthly_price, "currency", state)),
            ("Renews on", text_of(row.renewal_date, None, state)),
            ("API calls", text_of(row.api_calls, "count", state)),
            ("Data processed", text_of(row.data_processed_gb, "gigabytes", state)),
        ),
        [Line(text, figure(value, "currency", state)) for text, value in lines]
        + [Line("Total", figure(total, "currency", state), True)],
        empty,
        warning=mismatch(total, stored, state),
    )


def bill_lines(row: Any) -> tuple[list[tuple[str, float]], float | None, Any]:
    """(lines, their sum, the total that is stored)."""
    for parts, stored in ((PARTS, row.total_estimated), (OLD_PARTS, row.total_cost)):
        lines = [
            (text, getattr(row, name))
            for name, text in parts
            if getattr(row, name) is not None
        ]
        if lines:
            lines += other(row, parts, lines)
            return lines, round(sum(value for _, value in lines), 2), stored
    return [], row.total_estimated or row.total_cost, None


def other(row: Any, parts: Any, lines: Any) -> list[tuple[str, float]]:
    """What of the stored extra cost no line of its own says."""
    if parts is not PARTS or row.overage_amount is None:
        return []
    rest = row.overage_amount - sum(value for _, value in lines[1:])
    return [("Other use above the free", round(rest, 2))] if rest >= 0.01 else []


def mismatch(total: float | None, stored: float | None, state: State) -> str:
    if total is None or stored is None or abs(total - stored) < 0.01:
        return ""
    shown = text_of(stored, "currency", state)
    return f"The stored total is {shown}; the lines add up to another."


def usage(state: State, window: Any) -> Usages:
    """What was used of what is free, in the newest month by the end of the window."""
    table = state.db.usage_breakdown
    last = table.select(
        columns=["record_date"], end=window.end, order_by="-record_date", limit=1
    )
    empty = (
        "The use of each service shows up here once add_usage_breakdown() was called."
    )
    if not len(last):
        return Usages("usage", "Free allowance", "", [], empty)
    month = last[0].record_date
    rows = table.select(date=month, order_by="service_name")
    return Usages(
        "usage",
        "Free allowance",
        wording.month(month) if month.day == 1 else wording.day(month),
        [one_usage(row, state) for row in rows],
        empty,
    )


def one_usage(row: Any, state: State) -> Usage:
    used = row.used if row.used is not None else row.usage_count
    share = 100 * used / row.free_limit if row.free_limit and used is not None else None
    return Usage(
        row.service_name,
        figure(used, "count", state),
        figure(row.free_limit, "count", state),
        share,
        facts(
            ("of the free ones", text_of(share, "percent", state)),
            ("Cost", text_of(row.cost, "currency", state)),
            ("Rate above", str(row.overage_rate or "")),
        ),
    )


def payments(state: State, window: Any) -> Table:
    rows = state.db.billing_payments.select(
        end=window.end, order_by="-payment_date", limit=12
    )
    return Table(
        "invoices",
        "Payments and invoices",
        f"the newest {len(rows)}" if len(rows) == 12 else "",
        [
            Column("Date"), Column("For"), Column("Amount", "currency", True),
            Column("Status"), Column("Invoice"),
        ],
        [
            [
                plain(row.payment_date, state),
                Cell(row.description or wording.NOTHING),
                figure(row.amount, "currency", state),
                status(row.status),
                invoice(row.invoice_url),
            ]
            for row in rows
        ],
        "Payments show up here once add_billing_payment() was called.",
        span=12,
    )  # fmt: skip


def status(word: str | None) -> Cell:
    return Cell(wording.words(word or wording.NOTHING), state=state_of(word))


def invoice(address: str | None) -> Cell:
    href = web_address(address)
    return Cell("Open" if href else (address or wording.NOTHING), href=href)


LEVELS = {"error": "bad", "warning": "warn", "info": "idle"}


def alerts(state: State, window: Any, limit: int = 20, span: int = 12) -> Feed:
    rows = state.db.usage_alerts.select(
        end=window.end, order_by="-created_at", limit=limit
    )
    return Feed(
        "alerts",
        "Alerts",
        f"the newest of up to {limit}" if len(rows) == limit else "",
        [
            Entry(
                row.title or "Alert",
                row.message or "",
                row.created_at,
                state=LEVELS.get((row.level or "").lower(), "idle"),
                badge=wording.words(row.level or ""),
            )
            for row in rows
        ],
        "There are no alerts. They show up here once add_usage_alert() was called.",
        span=span,
    )


# ---- connections ---------------------------------------------------------------------


def connections(state: State, window: Any) -> Tiles:
    rows = state.db.api_configurations.select(order_by="api_type")
    return Tiles(
        "connections",
        "Connections",
        f"{len(rows)} set up" if len(rows) else "",
        [
            Tile(
                row.api_name or wording.words(row.api_type or "unnamed"),
                state_of(row.status),
                wording.words(row.status or "not configured"),
                facts(
                    ("Kind", wording.words(row.api_type or "")),
                    ("Address", row.api_url or ""),
                    ("Key", redacted(row.api_key)),
                    ("Synchronised", wording.words(row.sync_frequency or "")),
                ),
                row.last_sync,
            )
            for row in rows
        ],
        "Connections to other systems show up here once add_api_configuration() was"
        " called.",
    )


def redacted(secret: str | None) -> str:
    """The last four characters, of a key long enough to spare them."""
    if not secret:
        return "none"
    return "••••" + (secret[-4:] if len(secret) >= 8 else "")


# ---- plain tables --------------------------------------------------------------------


def listing(
    id: str,
    title: str,
    rows: Iterable[Sequence[Any]],
    columns: Sequence[tuple[str, str | None]],
    state: State,
    *,
    note: str = "",
    empty: str = "",
    span: int = 6,
) -> Table:
    """A table of values; a column with a unit is one of numbers."""
    return Table(
        id,
        title,
        note,
        [Column(name, unit, unit is not None) for name, unit in columns],
        [
            [
                figure(value, unit, state) if unit is not None else plain(value, state)
                for value, (_, unit) in zip(row, columns, strict=True)
            ]
            for row in rows
        ],
        empty,
        span,
    )
