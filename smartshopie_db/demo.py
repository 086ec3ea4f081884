"""The demo data: a small database with made-up figures, to try things on.

The figures are the CSV files in the folder demo/ beside this file (it holds data and is
no package), one for each table: the first line names columns, an empty cell is NULL.
"""

from __future__ import annotations

import csv
import datetime
import os
from collections.abc import Callable, Iterator
from typing import Any

from ._core import SmartShopieDB, Table

_FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "demo")

# Days and instants are taken as text.
_PARSERS: dict[str, Callable[[str], Any]] = {"INTEGER": int, "REAL": float}


def create(
    path: str | os.PathLike[str] = "smartshopie_dashboard.db",
    *,
    overwrite: bool = False,
) -> int:
    """Make a database with the demo data in it; return the number of its rows.

    All of it is one transaction.  A file whose tables hold rows is left as it is, with
    FileExistsError; overwrite=True deletes those rows first.
    """
    with SmartShopieDB(path) as db:
        if not overwrite:
            _refuse_rows(db)  # also where there is no leave to write
        with db.transaction():
            if overwrite:
                for table in db.tables.values():
                    table.delete(all=True)
            else:
                _refuse_rows(db)  # another process may have been faster
            return sum(_fill(table) for table in db.tables.values())


def generate(
    path: str | os.PathLike[str] = "smartshopie_dashboard.db",
    *,
    days: int = 365,
    rows: int = 20_000,
    until: datetime.date | None = None,
    seed: int = 1,
    progress: Callable[[int, int | None], object] | None = None,
) -> int:
    """Make a database with `days` days of a made-up shop; return how many rows it has.

    `rows` of them are customer_interactions.  The last day is `until`, 2025-12-31
    unless given.  The same arguments make the same rows.  All of it is one transaction;
    a file whose tables hold rows is left as it is, with FileExistsError.
    """
    from .shop import Shop

    shop = Shop(days, until or datetime.date(2025, 12, 31), rows, seed)
    with SmartShopieDB(path) as db:
        _refuse_rows(db)
        with db.transaction():
            _refuse_rows(db)  # another process may have been faster
            return sum(
                db.add_many(
                    name, data, columns=columns.split(), progress=progress
                ).inserted
                for name, columns, data in shop.tables()
            )


def _refuse_rows(db: SmartShopieDB) -> None:
    for table in db.tables.values():
        if table.count():
            raise FileExistsError(f"{db.db_path} has rows in {table.name} already")


def _fill(table: Table[Any]) -> int:
    """Add the table's demo rows.  They refer to each other by id: the first is 1."""
    number = 0
    for number, columns in enumerate(_rows(table), 1):
        table.add(id=number, **columns)
    return number


def _rows(table: Table[Any]) -> Iterator[dict[str, Any]]:
    parsers = {
        column["name"]: _PARSERS.get(column["type"], str) for column in table.schema
    }
    name = os.path.join(_FOLDER, table.name + ".csv")
    with open(name, encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, strict=True):
            yield {
                column: parsers[column](cell) if cell else None
                for column, cell in row.items()
            }
