"""`smartshopie export`: tables into files.

A file is written under a temporary name and renamed when it is whole.
"""

from __future__ import annotations

import contextlib
import json
import os
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .._core import Rows, SmartShopieDB, Table
from .data import find_table, open_to_read
from .load import ENDINGS
from .output import put_bytes, say, say_notes


def run(arguments: Namespace) -> None:
    if arguments.all == bool(arguments.table):
        raise ValueError("export: name one TABLE, or --all")
    form = format_of(arguments)
    with open_to_read(arguments) as db, db.snapshot():
        if arguments.all:
            everything(db, form, arguments)
            return
        table = find_table(db, arguments.table)
        if arguments.output in (None, "-"):
            rows = table.select()
            say_notes(rows)
            put_bytes(as_bytes(rows, form, arguments))
        else:
            n = write(Path(arguments.output), table, form, arguments)
            say(f"{arguments.output}: {n:,} rows")


def everything(db: SmartShopieDB, form: str, arguments: Namespace) -> None:
    if arguments.output in (None, "-"):
        raise ValueError("export --all: say a folder with -o")
    folder = Path(arguments.output)
    folder.mkdir(parents=True, exist_ok=True)
    for table in db.tables.values():
        n = write(folder / f"{table.name}.{form}", table, form, arguments)
        say(f"{table.name}: {n:,} rows")


def format_of(arguments: Namespace) -> str:
    if arguments.format:
        return str(arguments.format)
    ending = Path(arguments.output or "").suffix.lstrip(".").lower()
    if arguments.all or not ending:
        return "csv"
    form = ENDINGS.get(ending, ending)
    if form not in ("csv", "ndjson", "json", "parquet", "feather"):
        raise ValueError(f"{arguments.output}: say its --format")
    return form


def as_bytes(rows: Rows[Any], form: str, arguments: Namespace) -> bytes:
    redact = not arguments.secrets
    if form == "csv":
        formulas: Any = "defuse" if arguments.defuse else "keep"
        return rows.to_csv(redact=redact, formulas=formulas)
    if form == "ndjson":
        return rows.to_ndjson(redact=redact)
    if form == "json":
        return rows.to_json(redact=redact) + b"\n"
    raise ValueError(f"export: {form} is for files: say one with -o")


def write(path: Path, table: Table[Any], form: str, arguments: Namespace) -> int:
    rows = table.select()
    say_notes(rows, f"{table.name}: ")
    with replaced(path) as temporary:
        if form in ("parquet", "feather"):
            write_arrow(temporary, table, rows, form, arguments)
        else:
            temporary.write_bytes(as_bytes(rows, form, arguments))
    return len(rows)


@contextlib.contextmanager
def replaced(path: Path) -> Iterator[Path]:
    os.stat(path.parent)  # an error names the folder, not a name of ours in it
    temporary = path.with_name(f".{path.name}.{os.getpid()}.unfinished")
    try:
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        if error.filename == os.fspath(temporary):
            error.filename = os.fspath(path)
        raise
    finally:
        temporary.unlink(missing_ok=True)


def write_arrow(
    path: Path, source: Table[Any], rows: Rows[Any], form: str, arguments: Namespace
) -> None:
    try:
        import pyarrow.feather
        import pyarrow.parquet
    except ImportError:
        raise ImportError(
            f"export to {form} needs pyarrow: pip install pyarrow"
        ) from None
    table = rows.to_arrow()
    if not arguments.secrets:
        table = without_secrets(table, rows, source)
    if form == "parquet":
        pyarrow.parquet.write_table(table, path)
    else:
        pyarrow.feather.write_feather(table, path)


def without_secrets(table: Any, rows: Rows[Any], source: Table[Any]) -> Any:
    """Secret columns as the core writes them elsewhere: little more than dots."""
    import pyarrow

    secret = [column["name"] for column in source.schema if column["secret"]]
    texts = json.loads(rows.to_json("columns", redact=True)) if secret else {}
    for name in secret:
        i = table.schema.get_field_index(name)
        cells = pyarrow.array(texts[name], table.schema.field(i).type)
        table = table.set_column(i, table.schema.field(i), cells)
    return table
