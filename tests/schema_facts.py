"""What schema/ says about the thirty tables, read without the package under test."""

import datetime
import re
import sqlite3
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SCHEMA = ROOT / "schema"
STAMPS = ("created_at", "updated_at")
DAY = datetime.date(2025, 1, 1)
NOON = datetime.datetime(2025, 1, 1, 12)


@dataclass(frozen=True)
class Column:
    name: str
    kind: str  # INTEGER, REAL, TEXT, DATE, TIMESTAMP
    not_null: bool
    default: str | None
    range: str
    old: str | None
    foreign: bool
    aggregate: str
    apart: str | None

    def sample(self, n):
        """A value that every CHECK accepts; another one for another n."""
        low, high = self._limits(n)
        if self.kind == "INTEGER":
            return low + n % (high - low + 1)
        if self.kind == "REAL":
            return low + (high - low) * (n % 16) / 16
        if self.kind == "DATE":
            return DAY + datetime.timedelta(days=n)
        if self.kind == "TIMESTAMP":
            return NOON + datetime.timedelta(days=n, microseconds=n % 3)
        return f"{self.name} \N{LATIN SMALL LETTER E WITH ACUTE} {n}"

    def _limits(self, n):
        found = re.fullmatch(r"(\d+)\.\.(\d+)", self.range)
        return (int(found[1]), int(found[2])) if found else (0, n + 1)


@dataclass(frozen=True)
class Table:
    name: str
    record: str
    getter: str
    adder: str
    insert: str | None
    insert_args: tuple[str, ...]
    shape: str
    time: str | None
    step: str
    key: tuple[str, ...]
    order: tuple[str, ...]
    positional: tuple[str, ...]
    columns: tuple[Column, ...]

    def __str__(self):
        return self.name

    def column(self, name):
        return next(column for column in self.columns if column.name == name)

    @property
    def names(self):
        return tuple(column.name for column in self.columns)

    @property
    def required(self):
        """The columns that an add must give."""
        return tuple(c.name for c in self.columns if c.not_null and c.default is None)

    @property
    def free(self):
        """Columns outside the key that hold data of their own."""
        return tuple(
            c.name
            for c in self.columns
            if c.name not in (*self.key, "id", *STAMPS) and not c.foreign
        )

    def row(self, n=0):
        """What a caller would give for row n; its key belongs to n alone."""
        names = (*self.key, *self.free)
        return {name: self.column(name).sample(n) for name in self.names_of(names)}

    def names_of(self, names):
        return [name for name in self.names if name in names]

    def least(self, n=0):
        """Row n with its required and key columns only."""
        wanted = {*self.required, *self.key}
        return {name: value for name, value in self.row(n).items() if name in wanted}


def _migrated():
    db = sqlite3.connect(":memory:")
    for path in sorted((SCHEMA / "migrations").glob("*.sql")):
        db.executescript(path.read_text(encoding="utf-8"))
    return db


def _columns(db, name, told):
    foreign = {row[3] for row in db.execute(f"PRAGMA foreign_key_list({name})")}
    for _, column, kind, not_null, default, *_ in db.execute(
        f"PRAGMA table_xinfo({name})"
    ):
        about = told.get("columns", {}).get(column, {})
        yield Column(
            column,
            kind,
            bool(not_null),
            default,
            about.get("range", ""),
            about.get("old"),
            column in foreign,
            about.get("aggregate", "none"),
            about.get("apart"),
        )


def _load():
    told = tomllib.loads((SCHEMA / "tables.toml").read_text(encoding="utf-8"))
    db = _migrated()
    for name, about in told["table"].items():
        yield Table(
            name=name,
            record=about["record"],
            getter=f"get_{name}",
            adder=about["adder"],
            insert=about.get("insert"),
            insert_args=tuple(about.get("insert_args", ())),
            shape=about["shape"],
            time=about.get("time"),
            step=about.get("step", "day"),
            key=tuple(about["key"]),
            order=tuple(about.get("order", ())),
            positional=tuple(about["positional"]),
            columns=tuple(_columns(db, name, about)),
        )
    db.close()


TABLES = {table.name: table for table in _load()}
TABS = tomllib.loads((SCHEMA / "tables.toml").read_text(encoding="utf-8"))["tabs"]

every_table = pytest.mark.parametrize("table", TABLES.values(), ids=str)
