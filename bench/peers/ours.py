"""This package, without its result cache: every call reads the file."""

from __future__ import annotations

import inspect
import itertools
import threading

from clock import by_threads, clock
from queries import DAYS, HALVES, INTERACTION, LOADED, MEASURES, RANGE, YEAR, written

import smartshopie_db
from smartshopie_db import SmartShopieDB

FIGURES = itertools.count(1001)  # never twice: an equal row is not written

# Every call reads the file: no result cache, in a version that has one.
UNCACHED = (
    {"cache": False} if "cache" in inspect.signature(SmartShopieDB).parameters else {}
)


def versions() -> str:
    return f"smartshopie_db {smartshopie_db.__version__}"


def open(path: str) -> SmartShopieDB:
    return SmartShopieDB(path, **UNCACHED).connect()


connect = open


def first(path: str):
    db = connect(path)
    db.get_overview_kpis()
    return db


def full(db: SmartShopieDB):
    return db.customer_interactions.select(columns=INTERACTION)


def whole(db: SmartShopieDB):
    return db.customer_interactions.select()


def half(db: SmartShopieDB):
    start, end = RANGE
    table = db.customer_interactions
    return table.select(columns=INTERACTION, start=start, end=end)


def newest(db: SmartShopieDB):
    start, end = RANGE
    return db.get_customer_interactions(columns=INTERACTION, start=start, end=end)


def arrow(db: SmartShopieDB):
    import pyarrow

    return pyarrow.table(full(db))


def threads(db: SmartShopieDB) -> None:
    workers = [threading.Thread(target=full, args=(db,)) for _ in range(16)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


def three(rows):
    for row in rows:
        kind = row.interaction_type
        score = row.satisfaction_score
        seconds = row.response_time_sec
    return rows, kind, score, seconds


def attributes(db: SmartShopieDB):
    return three(full(db))


def attributes_whole(db: SmartShopieDB):
    return three(whole(db))


def one(db: SmartShopieDB, n: int):
    for _ in range(n):
        row = db.get_overview_kpis()
    return row


def json(db: SmartShopieDB):
    return full(db).to_json()


def series(db: SmartShopieDB, n: int):
    earlier, (start, end) = HALVES
    for _ in range(n):
        months = db.series("overview_kpis", start=YEAR[0], end=YEAR[1], every="month")
        change = db.compare("overview_kpis", start=start, end=end, to=earlier)
    return months, change


def by_day(db: SmartShopieDB):
    start, end = DAYS
    return db.series("customer_interactions", MEASURES, start=start, end=end)


def upserts(db: SmartShopieDB, days: list[str]):
    for day in days:
        db.add_overview_kpis(
            record_date=day,
            total_customers=next(FIGURES),
            conversion_rate=9.5,
            ai_interactions=1400,
        )


def add(path: str, n: int) -> int:
    days = written(n)
    with open(path) as db:
        upserts(db, days[-1:])
        start = clock()
        upserts(db, days)
        return clock() - start


def adds(path: str, n: int) -> int:
    with open(path) as db:

        def work(ready, days):
            ready()
            upserts(db, days)

        return by_threads(work, n)


def load(path: str, rows, upsert: bool) -> int:
    """The second time the rows are there already: it is always an upsert."""
    is_tuples = isinstance(rows, list) and isinstance(rows[0], tuple)
    with open(path) as db:
        start = clock()
        result = db.add_many(
            "customer_interactions", rows, columns=LOADED if is_tuples else None
        )
        taken = clock() - start
    assert bool(result.updated) == upsert and bool(result.inserted) != upsert
    return taken
