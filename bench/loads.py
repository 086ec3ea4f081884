"""The rows of a bulk write, in the form that a peer takes, and the writing of them.

The rows are read before the clock starts, and their days and instants are text, as a
JSON file would have them; in Arrow they are timestamps, unless the peer wants text.
"""

from __future__ import annotations

import sqlite3
from datetime import datetime
from types import ModuleType
from typing import Any

from queries import LOADED

MOMENTS = ("interaction_date", "created_at", "updated_at")


def tuples(source: str) -> list[tuple[Any, ...]]:
    con = sqlite3.connect(source)
    query = f"SELECT {', '.join(LOADED)} FROM customer_interactions ORDER BY id"
    rows = con.execute(query).fetchall()
    con.close()
    return rows


def dicts(source: str) -> list[dict[str, Any]]:
    return [dict(zip(LOADED, row, strict=True)) for row in tuples(source)]


def text(source: str):
    import pyarrow

    columns = zip(*tuples(source), strict=True)
    return pyarrow.table(dict(zip(LOADED, columns, strict=True)))


def arrow(source: str):
    import pyarrow

    table = text(source)
    for name in MOMENTS:
        moments = [datetime.fromisoformat(cell) for cell in table[name].to_pylist()]
        column = pyarrow.array(moments, pyarrow.timestamp("us"))
        table = table.set_column(table.column_names.index(name), name, column)
    return table


class Loader:
    """Keeps the rows of one source in one form, from round to round."""

    def __init__(self) -> None:
        self.form, self.rows = "", None

    def load(self, peer: ModuleType, source: str, verb: str, to: str) -> int:
        what, _, form = verb.partition("_")
        form = getattr(peer, "FORMS", {}).get(form, form)
        if form == "generator":
            return peer.load(to, map(dict, iter_dicts(source)), False)
        if self.form != form:
            self.form, self.rows = form, globals()[form](source)
        if what == "upsert":
            peer.load(to, self.rows, False)
        return peer.load(to, self.rows, what == "upsert")


def iter_dicts(source: str):
    con = sqlite3.connect(source)
    query = f"SELECT {', '.join(LOADED)} FROM customer_interactions ORDER BY id"
    for row in con.execute(query):
        yield dict(zip(LOADED, row, strict=True))
    con.close()
