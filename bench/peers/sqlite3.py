"""The standard module, tuples; the cursor's own statement cache."""

from __future__ import annotations

import itertools
import sqlite3

from clock import by_threads, clock
from queries import FULL, IN_RANGE, LOADED, NEWEST, ONE, WHOLE, written

FIGURES = itertools.count(1001)  # never twice: an equal row is not written


def versions() -> str:
    return f"sqlite3 of Python, SQLite {sqlite3.sqlite_version}"


connect = sqlite3.connect


def open(path: str):
    con = connect(path)
    one(con, 1)  # now it has the file open, and the log stays as for the others
    return con


def first(path: str):
    con = connect(path)
    con.execute(ONE, (1,)).fetchone()
    return con


def full(con: sqlite3.Connection):
    return con.execute(FULL).fetchall()


def whole(con: sqlite3.Connection):
    return con.execute(WHOLE).fetchall()


def half(con: sqlite3.Connection):
    return con.execute(IN_RANGE).fetchall()


def newest(con: sqlite3.Connection):
    return con.execute(NEWEST).fetchall()


def three(rows):
    for row in rows:
        kind = row[3]
        score = row[7]
        seconds = row[6]
    return kind, score, seconds


def attributes(con: sqlite3.Connection):
    return three(con.execute(FULL))


def attributes_whole(con: sqlite3.Connection):
    return three(con.execute(WHOLE))


def one(con: sqlite3.Connection, n: int):
    for _ in range(n):
        row = con.execute(ONE, (1,)).fetchone()
    return row


again = one


def upserts(con: sqlite3.Connection, days: list[str]):
    for day in days:
        con.execute(
            "INSERT INTO overview_kpis"
            " (record_date, total_customers, conversion_rate, ai_interactions)"
            " VALUES (?, ?, ?, ?) ON CONFLICT (record_date) DO UPDATE SET"
            " total_customers = excluded.total_customers,"
            " conversion_rate = excluded.conversion_rate,"
            " ai_interactions = excluded.ai_interactions,"
            " updated_at = CURRENT_TIMESTAMP",
            (day, next(FIGURES), 9.5, 1400),
        )


def add(path: str, n: int) -> int:
    days = written(n)
    con = connect(path, isolation_level=None)
    upserts(con, days[-1:])
    start = clock()
    upserts(con, days)
    taken = clock() - start
    con.close()
    return taken


def adds(path: str, n: int) -> int:
    """A connection for each thread, as the module's documentation has it."""

    def work(ready, days):
        con = connect(path, isolation_level=None, timeout=60)
        one(con, 1)
        ready()
        upserts(con, days)
        con.close()

    return by_threads(work, n)


# Named parameters, as scripts have them; in tuples it is less work, and ours, too.
FORMS = {"arrow": "dicts"}
PLACES = {"dict": ", ".join(":" + name for name in LOADED)}
PLACES["tuple"] = ", ".join("?" * len(LOADED))


def load(path: str, rows, upsert: bool) -> int:
    places = PLACES[type(rows[0]).__name__]
    sql = f"INSERT INTO customer_interactions ({', '.join(LOADED)}) VALUES ({places})"
    if upsert:
        changes = ", ".join(f"{name} = excluded.{name}" for name in LOADED[1:])
        sql += f" ON CONFLICT (interaction_id) DO UPDATE SET {changes}"
    con = sqlite3.connect(path)
    start = clock()
    with con:
        con.executemany(sql, rows)
    taken = clock() - start
    con.close()
    return taken
