"""connectorx: Arrow tables, by way of Rust; brings its own copy of SQLite."""

from __future__ import annotations

from importlib.metadata import version

import connectorx
from queries import FULL, ONE_PLAIN, WHOLE


def versions() -> str:
    return f"connectorx {version('connectorx')}"


def open(path: str) -> str:
    return f"sqlite://{path}"


def full(url: str):
    return connectorx.read_sql(url, FULL, return_type="arrow")


arrow = full


def whole(url: str):
    return connectorx.read_sql(url, WHOLE, return_type="arrow")


def one(url: str, n: int):
    for _ in range(n):
        row = connectorx.read_sql(url, ONE_PLAIN, return_type="arrow")
    return row
