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

# The same JSON as ours, by SQLite.
JSON = (
    "SELECT json_group_array(json_object("
    + ", ".join(f"'{name}', \"{name}\"" for name in INTERACTION)
    + ')) FROM "customer_interactions"'
)

# The days that are written again, in this order and from the front when they are
# through; bench/floor.c has the same.
WRITTEN = [
    f"2025-{month:02}-{day:02}" for month in range(1, 11) for day in range(1, 29)
]


def written(n: int, first: int = 0) -> list[str]:
    return [WRITTEN[i % len(WRITTEN)] for i in range(first, first + n)]


# A year of KPIs by month, and its second half compared with its first.
FIGURES = "max(record_date), total_customers, avg(conversion_rate),"
FIGURES += " sum(ai_interactions), sum(revenue_impact), count(*) FROM overview_kpis"
YEAR = ("2024-11-01", "2025-10-31")
HALVES = (("2024-11-01", "2025-04-30"), ("2025-05-01", "2025-10-31"))


def figures(bucket: str, days: tuple[str, str], rest: str = "") -> str:
    """The newest day's row gives the bare column: SQLite says so of max()."""
    between = f"WHERE record_date BETWEEN '{days[0]}' AND '{days[1]}'"
    return f"SELECT {bucket}, {FIGURES} {between}{rest}"


SERIES = " UNION ALL ".join(
    (
        figures("substr(record_date, 1, 7)", YEAR, " GROUP BY 1"),
        *(figures("''", half) for half in HALVES),
    )
)

# Half a year of interactions: in the order of ids, which are those of the table itself
# (the fastest way for one thread in C, too), and the newest first, by the index.
RANGE = ("2025-01-01", "2025-07-01")
RANGED = "WHERE interaction_date >= '2025-01-01' AND interaction_date < '2025-07-02'"
IN_RANGE = f"{FULL} NOT INDEXED {RANGED} ORDER BY id"
NEWEST = f"{FULL} {RANGED} ORDER BY interaction_date DESC, id DESC"

# Every interaction, by day.
DAYS = ("2024-10-31", "2025-10-31")
MEASURES = ("response_time_sec", "satisfaction_score", "message_count")
MEASURED = (
    'FROM "customer_interactions"'
    f" WHERE interaction_date >= '{DAYS[0]}' AND interaction_date < '2025-11-01'"
)
BY_DAY = (
    "SELECT substr(interaction_date, 1, 10), avg(response_time_sec),"
    f" avg(satisfaction_score), sum(message_count) {MEASURED} GROUP BY 1"
)
EACH_DAY = f"SELECT interaction_date, {', '.join(MEASURES)} {MEASURED}"
