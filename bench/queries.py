"""What is read: the same columns and the same SQL text for every side."""

from __future__ import annotations

# customer_interactions as the dashboard has always had it: 13 columns...
INTERACTION = (
    "id",
    "interaction_id",
    "interaction_date",
    "interaction_type",
    "customer_id",
    "session_id",
    "response_time_sec",
    "satisfaction_score",
    "created_at",
    "customer_name",
    "activity_description",
    "status_badge",
    "message_count",
)
# ...and the whole table of today, which is one more.
INTERACTION_WHOLE = (*INTERACTION, "updated_at")

# What a bulk write is given.
LOADED = INTERACTION_WHOLE[1:]

KPI = (
    "id",
    "record_date",
    "total_customers",
    "total_customers_change",
    "conversion_rate",
    "conversion_rate_change",
    "ai_interactions",
    "ai_interactions_change",
    "revenue_impact",
    "revenue_impact_change",
    "created_at",
    "updated_at",
)


def select(columns: tuple[str, ...], table: str) -> str:
    names = ", ".join(f'"{name}"' for name in columns)
    return f'SELECT {names} FROM "{table}"'


FULL = select(INTERACTION, "customer_interactions")
WHOLE = select(INTERACTION_WHOLE, "customer_interactions")
# get_overview_kpis(): the text that the package itself prepares.
ONE = f'{select(KPI, "overview_kpis")} ORDER BY "record_date" DESC, rowid DESC LIMIT ?1'
# For peers whose parameters are written in another way.
ONE_PLAIN = ONE.replace("?1", "1")
