"""polars.read_database over a connection of the standard module."""

from __future__ import annotations

import sqlite3

import polars
from queries import FULL, ONE_PLAIN, WHOLE


def versions() -> str:
    return f"polars {polars.__version__}"


open = sqlite3.connect


def full(con: sqlite3.Connection):
    return polars.read_database(FULL, con, infer_schema_length=None)


def whole(con: sqlite3.Connection):
    return polars.read_database(WHOLE, con, infer_schema_length=None)


def one(con: sqlite3.Connection, n: int):
    for _ in range(n):
        row = polars.read_database(ONE_PLAIN, con)
    return row
