"""SQLModel: a pydantic model for every row; the session is emptied each time."""

from __future__ import annotations

import datetime
from importlib.metadata import version

from sqlmodel import Field, Session, SQLModel, create_engine, select


class CustomerInteraction(SQLModel, table=True):
    __tablename__ = "customer_interactions"

    id: int = Field(primary_key=True)
    interaction_id: str
    interaction_date: datetime.datetime
    interaction_type: str
    customer_id: str | None
    session_id: str | None
    response_time_sec: float | None
    satisfaction_score: int | None
    created_at: datetime.datetime
    customer_name: str | None
    activity_description: str | None
    status_badge: str | None
    message_count: int | None


class OverviewKPI(SQLModel, table=True):
    __tablename__ = "overview_kpis"

    id: int = Field(primary_key=True)
    record_date: datetime.date
    total_customers: int | None
    total_customers_change: float | None
    conversion_rate: float | None
    conversion_rate_change: float | None
    ai_interactions: int | None
    ai_interactions_change: float | None
    revenue_impact: float | None
    revenue_impact_change: float | None
    created_at: datetime.datetime
    updated_at: datetime.datetime


def versions() -> str:
    return f"SQLModel {version('sqlmodel')}"


def open(path: str) -> Session:
    return Session(create_engine(f"sqlite:///{path}"))


def full(session: Session):
    session.expunge_all()
    return session.exec(select(CustomerInteraction)).all()


def one(session: Session, n: int):
    query = (
        select(OverviewKPI)
        .order_by(OverviewKPI.record_date.desc(), OverviewKPI.id.desc())
        .limit(1)
    )
    for _ in range(n):
        session.expunge_all()
        row = session.exec(query).first()
    return row
