"""SQLAlchemy ORM: a mapped object for every row; the session is emptied each time."""

from __future__ import annotations

import sqlalchemy
from queries import INTERACTION
from sqlalchemy import create_engine, select
from sqlalchemy.ext.automap import automap_base
from sqlalchemy.orm import Session, load_only


def versions() -> str:
    return f"SQLAlchemy {sqlalchemy.__version__} ORM"


def open(path: str):
    engine = create_engine(f"sqlite:///{path}")
    base = automap_base()
    base.metadata.reflect(engine, only=["customer_interactions", "overview_kpis"])
    base.prepare()
    return Session(engine), base.classes


def full(db):
    session, classes = db
    session.expunge_all()
    record = classes.customer_interactions
    columns = load_only(*(getattr(record, name) for name in INTERACTION))
    return session.scalars(select(record).options(columns)).all()


def arrow(db):
    """It has no Arrow of its own: each column is a list of the objects' attributes."""
    import pyarrow

    rows = full(db)
    return pyarrow.table(
        {name: [getattr(row, name) for row in rows] for name in INTERACTION}
    )


def whole(db):
    session, classes = db
    session.expunge_all()
    return session.scalars(select(classes.customer_interactions)).all()


def one(db, n: int):
    session, classes = db
    record = classes.overview_kpis
    query = (
        select(record).order_by(record.record_date.desc(), record.id.desc()).limit(1)
    )
    for _ in range(n):
        session.expunge_all()
        row = session.scalars(query).first()
    return row
