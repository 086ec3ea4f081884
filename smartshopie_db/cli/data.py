"""The verbs that read rows, and add."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from typing import Any

from .._cell import Cell
from .._core import SmartShopieDB, Table
from .output import put_rows, say


def get(arguments: Namespace) -> None:
    with open_to_read(arguments) as db:
        table = find_table(db, arguments.table)
        asked = given(arguments, "date", "start", "end", "period", "as_of", "limit")
        asked |= {"columns": names(arguments.columns)} if arguments.columns else {}
        asked |= {"offset": arguments.offset} if arguments.offset else {}
        asked |= {"order_by": names(arguments.order_by)} if arguments.order_by else {}
        asked |= conditions(table, arguments.filters)
        if arguments.all:
            rows = table.select(**asked)
        elif table.shape == "one" and asked.keys() - {"date", "as_of", "columns"}:
            rows = table.select(**({"order_by": table.time_column} | asked))
        elif table.shape == "one":
            rows = newest(table, asked)
        else:
            getter: Callable[..., Any] = getattr(db, f"get_{table.name}")
            rows = getter(**asked)
        put_rows(rows, arguments)


def newest(table: Table[Any], asked: dict[str, Any]) -> Any:
    """What the getter of a table with one row for each time answers, as rows."""
    words = {"end" if name == "as_of" else name: asked[name] for name in asked}
    select: Callable[..., Any] = table.select
    return select(order_by=[f"-{table.time_column}", "-id"], limit=1, **words)


def query(arguments: Namespace) -> None:
    sql = sys.stdin.read() if arguments.sql == "-" else arguments.sql
    with open_to_read(arguments) as db:
        put_rows(db.query(sql, arguments.params, timeout=arguments.timeout), arguments)


def series(arguments: Namespace) -> None:
    with open_to_read(arguments) as db:
        table = find_table(db, arguments.table)
        columns, filters = figures(table, arguments.words)
        fill: Any = 0 if arguments.fill == "0" else arguments.fill
        rows = db.series(
            table, columns, every=arguments.every, fill=fill, by=grouping(arguments),
            **when(arguments), **filters,
        )  # fmt: skip
        put_rows(rows, arguments)


def compare(arguments: Namespace) -> None:
    with open_to_read(arguments) as db:
        table = find_table(db, arguments.table)
        columns, filters = figures(table, arguments.words)
        to: Any = arguments.to
        if ".." in to:
            to = tuple(to.split("..", 1))
        put_rows(
            db.compare(table, columns, to=to, **when(arguments), **filters), arguments
        )


def top(arguments: Namespace) -> None:
    rank(arguments, lambda db: db.top, n=arguments.n)


def breakdown(arguments: Namespace) -> None:
    rank(arguments, lambda db: db.breakdown)


def rank(
    arguments: Namespace,
    method: Callable[[SmartShopieDB], Callable[..., Any]],
    **own: Any,
) -> None:
    with open_to_read(arguments) as db:
        table = find_table(db, arguments.table)
        filters = conditions(table, arguments.filters)
        rows = method(db)(
            table, arguments.column, by=grouping(arguments), **own, **when(arguments),
            **filters,
        )  # fmt: skip
        put_rows(rows, arguments)


def add(arguments: Namespace) -> None:
    with SmartShopieDB(arguments.db, mode="rw") as db:
        table = find_table(db, arguments.table)
        values = conditions(table, arguments.values)
        with db.transaction():
            before = table.count()
            row = table.add(on_conflict=arguments.on_conflict, **values)
            is_new = table.count() > before
    kept = "left as it was" if arguments.on_conflict == "ignore" else "updated"
    say(f"{table.name}: {'added' if is_new else kept}; its row id:")
    print(row)


# ---- what the words of a command line mean -------------------------------------------


def open_to_read(arguments: Namespace) -> SmartShopieDB:
    db = SmartShopieDB(
        arguments.db, mode="ro", immutable=getattr(arguments, "immutable", False),
        strict=not getattr(arguments, "lenient", False),
    )  # fmt: skip
    return db.connect()


def find_table(db: SmartShopieDB, name: str) -> Table[Any]:
    tables: dict[str, Table[Any]] = dict(db.tables)
    if name not in tables:
        raise ValueError(f"there is no table '{name}'{nearest(name, tables)}")
    return tables[name]


def nearest(name: str, valid: Sequence[str] | dict[str, Any]) -> str:
    import difflib

    close = difflib.get_close_matches(name, list(valid), 1)
    return f"; did you mean '{close[0]}'?" if close else ""


def given(arguments: Namespace, *words: str) -> dict[str, Any]:
    """The options that were given."""
    found = {word: getattr(arguments, word) for word in words}
    return {word: value for word, value in found.items() if value is not None}


def when(arguments: Namespace) -> dict[str, Any]:
    return given(arguments, "period", "start", "end", "as_of", "zone")


def names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def grouping(arguments: Namespace) -> list[str] | None:
    return names(arguments.by) if arguments.by else None


def figures(
    table: Table[Any], words: Sequence[str]
) -> tuple[list[str] | None, dict[str, Any]]:
    """The words without = are figures, the others conditions."""
    columns = [name for word in words if "=" not in word for name in names(word)]
    return columns or None, conditions(table, [word for word in words if "=" in word])


def conditions(table: Table[Any], words: Sequence[str]) -> dict[str, Any]:
    """COLUMN=VALUE as keyword arguments, each of its column's type."""
    cells = {column["name"]: Cell(column) for column in table.schema}
    found: dict[str, Any] = {}
    for word in words:
        name, sign, text = word.partition("=")
        if not sign:
            raise ValueError(f"expected COLUMN=VALUE, got '{word}'")
        if name not in cells:
            raise ValueError(
                f"{table.name} has no column '{name}'{nearest(name, cells)}"
            )
        if name in found:
            raise ValueError(f"{name} is given twice")
        try:
            found[name] = cells[name].typed(text)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
    return found
