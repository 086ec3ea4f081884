"""polars.read_database_uri, which reads through connectorx."""

from __future__ import annotations

import connectorx  # noqa: F401  # without it polars cannot
import polars
from queries import FULL, ONE_PLAIN, WHOLE


def versions() -> str:
    return f"polars {polars.__version__} with connectorx"


def open(path: str) -> str:
    return f"sqlite://{path}"


def full(url: str):
    return polars.read_database_uri(FULL, url)


def whole(url: str):
    return polars.read_database_uri(WHOLE, url)


def one(url: str, n: int):
    for _ in range(n):
        row = polars.read_database_uri(ONE_PLAIN, url)
    return row
