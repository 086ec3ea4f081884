"""ADBC's SQLite driver: Arrow tables; brings its own copy of SQLite."""

from __future__ import annotations

from importlib.metadata import version

from adbc_driver_sqlite import dbapi
from clock import clock
from queries import FULL, ONE_PLAIN, WHOLE


def versions() -> str:
    return f"adbc-driver-sqlite {version('adbc-driver-sqlite')}"


def open(path: str) -> dbapi.Connection:
    return dbapi.connect(path)


def read(con: dbapi.Connection, sql: str):
    with con.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetch_arrow_table()


def full(con: dbapi.Connection):
    return read(con, FULL)


arrow = full


def whole(con: dbapi.Connection):
    return read(con, WHOLE)


def one(con: dbapi.Connection, n: int):
    for _ in range(n):
        with con.cursor() as cursor:
            cursor.execute(ONE_PLAIN)
            row = cursor.fetchone()
    return row


FORMS = {"arrow": "text"}  # it would store timestamps in a form that no CHECK allows


def load(path: str, rows, upsert: bool) -> int:
    assert not upsert
    with dbapi.connect(path) as con, con.cursor() as cursor:
        start = clock()
        cursor.adbc_ingest("customer_interactions", rows, mode="append")
        con.commit()
        return clock() - start
