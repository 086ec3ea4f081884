"""A dict for every row of the standard module, encoded by orjson."""

from __future__ import annotations

import sqlite3

import orjson
from queries import FULL, INTERACTION


def versions() -> str:
    return f"orjson {orjson.__version__}"


open = sqlite3.connect


def json(con: sqlite3.Connection):
    rows = con.execute(FULL)
    return orjson.dumps([dict(zip(INTERACTION, row, strict=True)) for row in rows])
