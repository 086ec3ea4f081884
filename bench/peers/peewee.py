"""peewee: a model object for every row."""

from __future__ import annotations

import peewee

DATABASE = peewee.SqliteDatabase(None)


class Base(peewee.Model):
    class Meta:
        database = DATABASE


class CustomerInteraction(Base):
    class Meta:
        table_name = "customer_interactions"

    interaction_id = peewee.TextField()
    interaction_date = peewee.DateTimeField()
    interaction_type = peewee.TextField()
    customer_id = peewee.TextField(null=True)
    session_id = peewee.TextField(null=True)
    response_time_sec = peewee.FloatField(null=True)
    satisfaction_score = peewee.IntegerField(null=True)
    created_at = peewee.DateTimeField()
    customer_name = peewee.TextField(null=True)
    activity_description = peewee.TextField(null=True)
    status_badge = peewee.TextField(null=True)
    message_count = peewee.IntegerField(null=True)


class OverviewKPI(Base):
    class Meta:
        table_name = "overview_kpis"

    record_date = peewee.DateField()
    total_customers = peewee.IntegerField(null=True)
    total_customers_change = peewee.FloatField(null=True)
    conversion_rate = peewee.FloatField(null=True)
    conversion_rate_change = peewee.FloatField(null=True)
    ai_interactions = peewee.IntegerField(null=True)
    ai_interactions_change = peewee.FloatField(null=True)
    revenue_impact = peewee.FloatField(null=True)
    revenue_impact_change = peewee.FloatField(null=True)
    created_at = peewee.DateTimeField()
    updated_at = peewee.DateTimeField()


def versions() -> str:
    return f"peewee {peewee.__version__}"


def open(path: str) -> peewee.SqliteDatabase:
    DATABASE.init(path)
    DATABASE.connect()
    return DATABASE


def full(_: peewee.SqliteDatabase):
    return list(CustomerInteraction.select())


def one(_: peewee.SqliteDatabase, n: int):
    query = OverviewKPI.select().order_by(
        OverviewKPI.record_date.desc(), OverviewKPI.id.desc()
    )
    for _ in range(n):
        row = query.clone().first()
    return row
