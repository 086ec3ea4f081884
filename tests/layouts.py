"""Small files as older systems left them: each layout that docs/schema.md names.

The rows hold every form that real files hold: instants with a blank or a T, with and
without a fraction or an offset, NULL, empty text, a currency sign, a fraction where the
column says INTEGER.
"""

import re
import sqlite3
from pathlib import Path

ID = "id INTEGER PRIMARY KEY AUTOINCREMENT"
MADE = "created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP"
CHANGED = "updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP"
DAY = "record_date DATE NOT NULL"

# The oldest script: 26 tables.
OLDEST = {
    "overview_kpis": f"{ID}, {DAY}, total_customers INTEGER, total_customers_change"
    " REAL, conversion_rate REAL, conversion_rate_change REAL, ai_interactions INTEGER,"
    " ai_interactions_change REAL, revenue_impact REAL, revenue_impact_change REAL,"
    f" {MADE}, {CHANGED}",
    "conversion_funnel": f"{ID}, {DAY}, stage_name TEXT NOT NULL, stage_order INTEGER"
    " NOT NULL, count INTEGER NOT NULL, percentage REAL, dropoff_rate REAL,"
    f" {MADE}",
    "interaction_types": f"{ID}, {DAY}, interaction_name TEXT NOT NULL, count INTEGER"
    f" NOT NULL, percentage REAL, {MADE}",
    "customer_segments": f"{ID}, {DAY}, segment_name TEXT NOT NULL, segment_size"
    " INTEGER NOT NULL, percentage REAL, avg_lifetime_value REAL, avg_order_value REAL,"
    f" {MADE}",
    "behavioral_patterns": f"{ID}, {DAY}, pattern_type TEXT NOT NULL, pattern_name TEXT"
    f" NOT NULL, value REAL NOT NULL, metric_unit TEXT, {MADE}",
    "customer_concerns": f"{ID}, {DAY}, concern_name TEXT NOT NULL, concern_category"
    f" TEXT NOT NULL, query_count INTEGER, ai_success_rate REAL, {MADE}",
    "customer_interactions": f"{ID}, interaction_id TEXT NOT NULL, interaction_date"
    " TIMESTAMP NOT NULL, interaction_type TEXT NOT NULL, customer_id TEXT,"
    f" session_id TEXT, response_time_sec REAL, satisfaction_score INTEGER, {MADE}",
    "customer_value_analysis": f"{ID}, {DAY}, tier_name TEXT NOT NULL, customer_count"
    f" INTEGER, avg_revenue REAL, total_revenue REAL, {MADE}",
    "product_analytics": f"{ID}, {DAY}, product_id TEXT NOT NULL, product_name TEXT NOT"
    " NULL, category TEXT NOT NULL, views INTEGER, ai_recommendations INTEGER,"
    f" purchases INTEGER, revenue REAL, conversion_rate REAL, {MADE}, {CHANGED}",
    "product_gaps": f"{ID}, {DAY}, gap_rank INTEGER, product_name TEXT NOT NULL,"
    f" category TEXT, demand_score REAL, potential_revenue REAL, {MADE}",
    "revenue_summary": f"{ID}, {DAY}, total_revenue_impact REAL NOT NULL,"
    " avg_order_value REAL, avg_order_value_with_ai REAL, avg_order_value_improvement"
    " REAL, monthly_investment REAL, monthly_return REAL, roi_percentage REAL,"
    f" {MADE}, {CHANGED}",
    "revenue_attribution": f"{ID}, {DAY}, ai_feature TEXT NOT NULL, revenue_amount REAL"
    f" NOT NULL, percentage REAL, {MADE}",
    "category_revenue": f"{ID}, {DAY}, category_name TEXT NOT NULL, revenue_amount REAL"
    f" NOT NULL, percentage REAL, ai_attributed_revenue REAL, {MADE}",
    "revenue_forecasting": f"{ID}, {DAY}, forecast_date DATE NOT NULL,"
    " predicted_revenue REAL, confidence_level REAL, upper_bound REAL,"
    f" lower_bound REAL, {MADE}",
    "conversion_analytics": f"{ID}, {DAY}, overall_conversion_rate REAL NOT NULL,"
    " conversion_rate_change REAL, ai_driven_conversions REAL, ai_driven_percentage"
    " REAL, cart_recovery_rate REAL, cart_recovery_via_ai REAL, avg_time_to_convert"
    f" REAL, avg_time_change REAL, {MADE}, {CHANGED}",
    "conversion_trends": f"{ID}, {DAY}, period_type TEXT, conversions INTEGER,"
    f" ai_attributed_conversions INTEGER, {MADE}",
    "ai_model_performance": f"{ID}, {DAY}, model_name TEXT NOT NULL, accuracy REAL NOT"
    " NULL, precision REAL, recall REAL, f1_score REAL, response_time_ms INTEGER,"
    f" {MADE}",
    "ai_feature_performance": f"{ID}, {DAY}, feature_name TEXT NOT NULL, usage_count"
    f" INTEGER, success_rate REAL, user_satisfaction REAL, {MADE}",
    "interaction_summary": f"{ID}, {DAY}, total_interactions INTEGER, chat_interactions"
    " INTEGER, questionnaire_interactions INTEGER, image_analysis_interactions INTEGER,"
    f" routine_planner_interactions INTEGER, avg_response_time REAL, {MADE}",
    "system_health": f"{ID}, record_date TIMESTAMP NOT NULL, system_component TEXT NOT"
    " NULL, status TEXT NOT NULL, cpu_usage REAL, memory_usage REAL, response_time_ms"
    f" INTEGER, {MADE}",
    "billing_summary": f"{ID}, billing_period_start DATE NOT NULL, billing_period_end"
    " DATE NOT NULL, plan_name TEXT NOT NULL, base_cost REAL NOT NULL, usage_cost REAL,"
    f" total_cost REAL NOT NULL, api_calls INTEGER, data_processed_gb REAL, {MADE}",
    "usage_breakdown": f"{ID}, {DAY}, service_name TEXT NOT NULL, usage_count INTEGER,"
    f" cost REAL, {MADE}",
    "api_configurations": f"{ID}, api_type TEXT NOT NULL, api_name TEXT NOT NULL,"
    " api_url TEXT NOT NULL, api_key TEXT, status TEXT DEFAULT 'active', last_sync"
    f" TIMESTAMP, sync_frequency TEXT, {MADE}, {CHANGED}",
    "api_endpoints": f"{ID}, endpoint_name TEXT NOT NULL, method TEXT NOT NULL,"
    " request_count INTEGER, avg_response_time_ms REAL, error_rate REAL, last_checked"
    f" TIMESTAMP, {MADE}, {CHANGED}",
    "category_performance": f"{ID}, {DAY}, category_name TEXT NOT NULL, total_products"
    " INTEGER, total_views INTEGER, total_revenue REAL, avg_conversion_rate REAL,"
    f" ai_recommendation_rate REAL, {MADE}",
    "customer_lifetime_value": f"{ID}, {DAY}, segment_name TEXT NOT NULL, predicted_clv"
    f" REAL NOT NULL, current_clv REAL, {MADE}",
}

# What later versions appended to a table, or brought.
FEED = ("customer_name TEXT", "activity_description TEXT", "status_badge TEXT")
FEED = {"customer_interactions": (*FEED, "message_count INTEGER")}
LATER = {
    "billing_summary": (
        "monthly_price REAL",
        "renewal_date TEXT",
        "subscription_amount REAL",
        "chat_amount REAL",
        "image_amount REAL",
        "questionnaire_amount REAL",
        "overage_amount REAL",
        "total_estimated REAL",
    ),
    "usage_breakdown": (
        "month TEXT",
        "usage_type TEXT",
        "used INTEGER",
        "free_limit INTEGER",
        "overage_rate TEXT",
        "overage_cost TEXT",
        "total_usage INTEGER",
    ),
    "api_endpoints": ("base_url TEXT", "success_rate REAL", "daily_calls INTEGER"),
}
REALTIME = (
    "recorded_at TEXT PRIMARY KEY, active_sessions INTEGER, api_response_time_ms"
    " INTEGER, cpu_usage_pct REAL, memory_usage_pct REAL, conversions_per_min INTEGER"
)
PAYMENTS = "payment_date TEXT, description TEXT, amount REAL, status TEXT, "
PAYMENTS += "invoice_url TEXT"
ALERTS = "level TEXT, title TEXT, message TEXT, created_at TEXT"
BROUGHT = {
    "customer_satisfaction": f"{ID}, {DAY}, overall_satisfaction REAL NOT NULL,"
    f" product_match_quality REAL NOT NULL, ai_helpfulness REAL NOT NULL, {MADE}",
    "realtime_metrics": REALTIME,
    "billing_payments": PAYMENTS,
    "usage_alerts": ALERTS,
}

# What the demo seeder leaves on a blank file.
REDUCED = {
    "realtime_metrics": REALTIME,
    "billing_summary": "plan_name TEXT, monthly_price REAL, renewal_date TEXT,"
    " subscription_amount REAL, chat_amount REAL, image_amount REAL,"
    " questionnaire_amount REAL, overage_amount REAL, total_estimated REAL",
    "usage_breakdown": "month TEXT, usage_type TEXT, used INTEGER, free_limit INTEGER,"
    " overage_rate TEXT, overage_cost TEXT, total_usage INTEGER",
    "billing_payments": PAYMENTS,
    "usage_alerts": ALERTS,
    "api_endpoints": f"{ID}, endpoint_name TEXT, base_url TEXT, avg_response_ms"
    " INTEGER, success_rate REAL, daily_calls INTEGER, error_rate REAL,"
    " last_checked TEXT",
    "api_configurations": OLDEST["api_configurations"],
}

INDEXED = (
    "overview_kpis(record_date)",
    "conversion_funnel(record_date)",
    "customer_interactions(interaction_date)",
    "system_health(record_date)",
    "billing_summary(billing_period_start, billing_period_end)",
)


def _create(db, tables):
    for name, columns in tables.items():
        db.execute(f"CREATE TABLE {name} ({columns})")


def _append(db, columns):
    for table, added in columns.items():
        for column in added:
            db.execute(f"ALTER TABLE {table} ADD COLUMN {column}")


def _index(db):
    for target in INDEXED:
        table, _, _ = target.partition("(")
        db.execute(f"CREATE INDEX idx_{table} ON {target}")


def oldest(db):
    _create(db, OLDEST)


def older(db):
    _create(db, OLDEST)
    _append(db, FEED)
    _index(db)


def newer(db):
    older(db)
    _append(db, LATER)
    db.execute(
        "ALTER TABLE api_endpoints RENAME avg_response_time_ms TO avg_response_ms"
    )
    _create(db, BROUGHT)


def reduced(db):
    _create(db, REDUCED)


def reduced_and_script(db):
    """The oldest script run after the seeder: it leaves what is there."""
    _create(db, OLDEST | REDUCED)


def readme(db):
    """The listings of the older README: no defaults, another order of columns."""
    text = (Path(__file__).parent / "house/upstream_readme.md").read_text("utf-8")
    for listing in re.findall(r"```sql\n(CREATE TABLE.*?)```", text, re.DOTALL):
        db.execute(listing)


LAYOUTS = {
    function.__name__: function
    for function in (oldest, older, newer, reduced, reduced_and_script, readme)
}

DAYS = ("2025-10-28", "2025-10-31", "2024-02-29", "2025-10-31", "0987-01-02")
INSTANTS = (
    "2025-10-28 05:42:44",
    "2025-10-28 11:12:44.398531",
    "2025-10-28T12:02:06.516003",
    "2025-10-31T07:19:00",
    "2025-10-31T23:59:59.999999",
    "2025-11-01T00:30:00+01:00",
    "2025-10-31 23:30:00.5-01:00",
    "2025-10-31T12:00Z",
)
PHRASES = (
    "plain",
    "",
    "\N{INDIAN RUPEE SIGN}0.00",
    "a 'quoted' \"text\"",
    "nul\0l",
    "é",
)


def _cell(table, kind, column, n):
    if "date" in column or column.startswith("billing_period") or column == "month":
        instant = kind == "TIMESTAMP" or column == "last_checked"
        return INSTANTS[n % len(INSTANTS)] if instant else DAYS[n % len(DAYS)]
    if kind == "TIMESTAMP" or column in ("recorded_at", "created_at", "last_checked"):
        return INSTANTS[n % len(INSTANTS)]
    if kind == "INTEGER":
        fraction = (table, column) == ("usage_breakdown", "usage_count") and n % 2
        return 245.8 if fraction else n * 1000003 - 1
    if kind == "REAL":
        return (n * 7 - 3, n / 7, -0.0, 1e300)[n % 4]
    return f"{PHRASES[n % len(PHRASES)]}{n if n > 2 else ''}"


def _may_be_null(column, n):
    return n % 4 == 3 and not column["notnull"] and not column["pk"]


def fill(db, n_rows=9):
    """Rows in every table, the same in every run."""
    db.row_factory = sqlite3.Row
    names = db.execute(
        "SELECT name FROM sqlite_schema"
        " WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
    ).fetchall()
    for (name,) in names:
        columns = [
            column
            for column in db.execute(f"PRAGMA table_info({name})")
            if column["name"] != "id"
        ]
        marks = ", ".join("?" * len(columns))
        targets = ", ".join(column["name"] for column in columns)
        for n in range(n_rows):
            cells = [
                None
                if _may_be_null(column, n + i)
                else _cell(name, column["type"], column["name"], n)
                for i, column in enumerate(columns)
            ]
            if name == "realtime_metrics" and n >= len(INSTANTS):
                cells[0] = None  # what a primary key of text allows
            db.execute(f"INSERT INTO {name} ({targets}) VALUES ({marks})", cells)
    if "overview_kpis" in {name for (name,) in names}:
        db.execute("DELETE FROM overview_kpis WHERE id = 2")  # a hole in the ids


def build(path, layout, rows=True, page_size=4096):
    """Make a file of that layout; it has neither our marks nor a WAL."""
    db = sqlite3.connect(path, isolation_level=None)
    db.execute(f"PRAGMA page_size = {page_size}")
    db.execute("BEGIN")
    LAYOUTS[layout](db)
    if rows:
        fill(db)
    db.execute("COMMIT")
    db.close()
    return path
