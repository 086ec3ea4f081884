"""What /api/v1 knows of a table: from Table.schema alone, no table is named anywhere.

Secret columns (keys of other systems) are shown by their last four characters. They are
in no filter, order or group: who may ask "is it this?" often enough has the secret.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

from ..._cell import DAY, Cell, short
from ..._core import Table
from .. import params
from ..refused import Refused
from ..state import current

ROWS = "rows"  # the figure that every table has: how many there are


@dataclass(frozen=True)
class Known:
    """One table. `cells` turn texts into values, `strict` those of JSON."""

    name: str
    description: str
    shape: str
    time_column: str | None
    columns: dict[str, dict[str, Any]]
    cells: dict[str, Cell]
    strict: dict[str, Cell]

    @functools.cached_property
    def open(self) -> tuple[str, ...]:
        """The columns that are no secret."""
        return tuple(n for n, c in self.columns.items() if not c["secret"])

    @functools.cached_property
    def secret(self) -> tuple[str, ...]:
        return tuple(n for n, c in self.columns.items() if c["secret"])

    @functools.cached_property
    def measures(self) -> tuple[str, ...]:
        """What can be a figure over time."""
        with_rule = (n for n, c in self.columns.items() if c["aggregate"] != "none")
        return (ROWS, *with_rule)

    @functools.cached_property
    def parts(self) -> tuple[str, ...]:
        """The figures that add up to a whole, so that there are shares of it."""
        adds = (n for n, c in self.columns.items() if c["aggregate"] in ("sum", "last"))
        return (ROWS, *adds)

    @functools.cached_property
    def key(self) -> tuple[str, ...]:
        return tuple(n for n, c in self.columns.items() if c["key"])

    @functools.cached_property
    def filled(self) -> frozenset[str]:
        """The columns that are never null."""
        wanted = (n for n, c in self.columns.items() if c["required"] or c["key"])
        return frozenset(wanted)

    @functools.cached_property
    def one_a_step(self) -> bool:
        """One row for each time, so that there is nothing to group by unless said."""
        return set(self.key) <= {self.time_column}


class StrictCell(Cell):
    """A cell of JSON: of the type that the schema says; no text becomes a number."""

    def __init__(self, column: dict[str, Any]) -> None:
        super().__init__(column)
        self.blank = False

    def integer(self, value: Any) -> int:
        return super().integer(no_text(value, "an integer"))

    def real(self, value: Any) -> float:
        return super().real(no_text(value, "a number"))

    def text(self, value: Any) -> str:
        if isinstance(value, str):
            return value
        raise ValueError(f"expected text, got {short(value)}")

    def day(self, value: Any) -> str:
        if isinstance(value, str) and not DAY.fullmatch(value):
            raise ValueError(f"expected a day as YYYY-MM-DD, got {short(value)}")
        return super().day(value)


def no_text(value: Any, wanted: str) -> Any:
    if isinstance(value, str):
        raise ValueError(f"expected {wanted}, got the text {short(value)}")
    return value


_known: dict[str, Known] = {}  # the same in every file


def of(table: Table[Any]) -> Known:
    found = _known.get(table.name)
    if found is None:
        columns = {column["name"]: column for column in table.schema}
        found = _known[table.name] = Known(
            table.name,
            table.description,
            table.shape,
            table.time_column,
            columns,
            {name: Cell(column) for name, column in columns.items()},
            {name: StrictCell(column) for name, column in columns.items()},
        )
    return found


def find(name: str) -> tuple[Table[Any], Known]:
    """The table of that name; 404 with the nearest one."""
    tables = current().db.tables
    table = tables.get(name)
    if table is None:
        near = params.nearest(name, tables)
        raise Refused(404, "not_found", f"there is no table {params.shown(name)}{near}")
    return table, of(table)
