"""SQLAlchemy Core: reflected tables, typed rows."""

from __future__ import annotations

import sqlalchemy
from queries import INTERACTION
from sqlalchemy import Connection, MetaData, Table, create_engine, select


def versions() -> str:
    return f"SQLAlchemy {sqlalchemy.__version__} Core"


def open(path: str) -> tuple[Connection, MetaData]:
    engine = create_engine(f"sqlite:///{path}")
    tables = MetaData()
    tables.reflect(engine, only=["customer_interactions", "overview_kpis"])
    return engine.connect(), tables


def full(db: tuple[Connection, MetaData]):
    con, tables = db
    table = tables.tables["customer_interactions"]
    return con.execute(select(*(table.c[name] for name in INTERACTION))).fetchall()


def whole(db: tuple[Connection, MetaData]):
    con, tables = db
    return con.execute(select(tables.tables["customer_interactions"])).fetchall()


def newest(table: Table):
    return (
        select(table).order_by(table.c.record_date.desc(), table.c.id.desc()).limit(1)
    )


def one(db: tuple[Connection, MetaData], n: int):
    con, tables = db
    query = newest(tables.tables["overview_kpis"])
    for _ in range(n):
        row = con.execute(query).fetchone()
    return row
