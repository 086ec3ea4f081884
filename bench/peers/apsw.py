"""apsw: the closest wrapper of SQLite; brings its own copy of it."""

from __future__ import annotations

import apsw
from queries import FULL, ONE, WHOLE


def versions() -> str:
    return f"apsw {apsw.apsw_version()}, SQLite {apsw.sqlite_lib_version()}"


open = apsw.Connection


def full(con: apsw.Connection):
    return con.execute(FULL).fetchall()


def whole(con: apsw.Connection):
    return con.execute(WHOLE).fetchall()


def attributes(con: apsw.Connection):
    for row in con.execute(FULL):
        kind = row[3]
        score = row[7]
        seconds = row[6]
    return kind, score, seconds


def one(con: apsw.Connection, n: int):
    for _ in range(n):
        row = con.execute(ONE, (1,)).fetchone()
    return row
