"""pandas.read_sql over a connection of the standard module."""

from __future__ import annotations

import sqlite3

import pandas
from queries import EACH_DAY, FULL, MEASURES, ONE_PLAIN, WHOLE


def versions() -> str:
    return f"pandas {pandas.__version__}"


open = sqlite3.connect


def full(con: sqlite3.Connection):
    return pandas.read_sql(FULL, con)


def whole(con: sqlite3.Connection):
    return pandas.read_sql(WHOLE, con)


def one(con: sqlite3.Connection, n: int):
    for _ in range(n):
        row = pandas.read_sql(ONE_PLAIN, con)
    return row


def by_day(con: sqlite3.Connection):
    frame = pandas.read_sql(EACH_DAY, con, parse_dates=["interaction_date"])
    how = dict.fromkeys(MEASURES, "mean") | {"message_count": "sum"}
    return frame.groupby(frame["interaction_date"].dt.floor("D")).agg(how)
