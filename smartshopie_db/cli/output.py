"""What the program prints: rows as a table, JSON or CSV, and plain text."""

from __future__ import annotations

import os
import shutil
import sys
import unicodedata
from argparse import Namespace
from collections.abc import Iterable, Sequence
from typing import Any

from .._core import Rows

GAP = "  "
NOTES = 10  # that are told one by one
PIECE = 1 << 16  # bytes written at a time


def say(text: str) -> None:
    """Talk: to stderr, so that stdout is data alone."""
    print(text, file=sys.stderr, flush=True)


def plain(text: str) -> str:
    """The text on one line, without what a terminal would take as a command."""
    return text if text.isprintable() else "".join(map(harmless, text))


def harmless(c: str) -> str:
    if c.isprintable() or c in "\N{ZERO WIDTH JOINER}\N{ZERO WIDTH NON-JOINER}":
        return c
    return " " if c.isspace() else "\N{REPLACEMENT CHARACTER}"


def width_of(text: str) -> int:
    """Columns of a terminal that the text takes."""
    return sum(
        0
        if unicodedata.category(c) in ("Mn", "Me", "Cf")
        else 2
        if unicodedata.east_asian_width(c) in "WF"
        else 1
        for c in text
    )


def show(value: Any) -> str:
    """A cell for people: a dash for None, numbers with their digits grouped."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, (list, tuple)):
        return " ".join(map(str, value)) or "-"
    if isinstance(value, float):
        if value == 0 or 1 <= abs(value) < 1e15:
            return f"{value:,.2f}"
        return f"{value:.4g}"
    return plain(str(value))


def cut(text: str, width: int) -> str:
    if width_of(text) <= width:
        return text
    while text and width_of(text) > width - 1:
        text = text[:-1]
    return text + "\N{HORIZONTAL ELLIPSIS}"


def has_colour() -> bool:
    return (
        sys.stdout.isatty()
        and not os.environ.get("NO_COLOR")
        and os.environ.get("TERM") != "dumb"
    )


def table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """An aligned table; on a terminal no line is wider than it is, where that is
    possible by cutting texts."""
    cells = [list(row) for row in rows]
    texts = [[show(value) for value in row] for row in cells]
    number = [
        all(isinstance(row[i], (int, float)) or row[i] is None for row in cells)
        for i in range(len(head))
    ]
    widths = [
        max([width_of(name), *(width_of(row[i]) for row in texts)])
        for i, name in enumerate(head)
    ]
    shrink(widths, head)
    lines = [line(head, widths, number, bold=has_colour())]
    lines += [line(row, widths, number) for row in texts]
    return "\n".join(lines)


def shrink(widths: list[int], head: Sequence[str]) -> None:
    """Take from the widest columns what a terminal has no room for."""
    if not sys.stdout.isatty():
        return
    room = shutil.get_terminal_size().columns
    while sum(widths) + len(GAP) * (len(widths) - 1) > room:
        widest = max(range(len(widths)), key=widths.__getitem__)
        if widths[widest] <= max(12, width_of(head[widest])):
            return
        widths[widest] -= 1


def line(
    texts: Sequence[str],
    widths: Sequence[int],
    number: Sequence[bool],
    bold: bool = False,
) -> str:
    parts = []
    for text, width, right in zip(texts, widths, number, strict=True):
        text = cut(text, width)
        space = " " * (width - width_of(text))
        text = f"\033[1m{text}\033[0m" if bold else text
        parts.append(space + text if right else text + space)
    return GAP.join(parts).rstrip()


def form_of(arguments: Namespace) -> str:
    """How to print rows: as asked, else a table for a person and CSV for a pipe."""
    asked: str | None = arguments.form
    return asked or ("table" if sys.stdout.isatty() else "csv")


def put_rows(rows: Rows[Any], arguments: Namespace) -> None:
    """Print a result; a secret column shows its last four characters."""
    form = form_of(arguments)
    say_notes(rows)
    if form == "json":
        put_bytes(rows.to_json(redact=True) + b"\n")
    elif form == "ndjson":
        put_bytes(rows.to_ndjson(redact=True))
    elif form == "csv":
        put_bytes(rows.to_csv(redact=True))
    else:
        put_table(rows)


def say_notes(rows: Rows[Any], where: str = "") -> None:
    """What --lenient passed over. No values: they may be secrets."""
    for note in rows.notes[:NOTES]:
        known = note["id"] is not None
        row = f"row id {note['id']}" if known else f"row {note['row'] + 1}"
        say(f"{where}{row}, {note['column']}: no value of its column, so missing")
    if len(rows.notes) > NOTES:
        say(f"{where}{len(rows.notes) - NOTES:,} more cells of that kind")


def put_table(rows: Rows[Any]) -> None:
    """A table for people: without row ids and time stamps where there is more."""
    import json

    if not len(rows):
        say("no rows")
        return
    columns: dict[str, list[Any]] = json.loads(rows.to_json("columns", redact=True))
    managed = {"id", "created_at", "updated_at"}
    if managed < set(columns):
        columns = {
            name: cells for name, cells in columns.items() if name not in managed
        }
    print(table(list(columns), zip(*columns.values(), strict=True)))


def put_bytes(data: bytes) -> None:
    """In pieces, so that it is soon noticed when nobody reads on."""
    sys.stdout.flush()
    for start in range(0, len(data), PIECE):
        sys.stdout.buffer.write(data[start : start + PIECE])
    sys.stdout.buffer.flush()


def put_records(records: Sequence[dict[str, Any]], arguments: Namespace) -> None:
    """Print what is no Rows: a few dicts of equal keys. In UTF-8, as Rows are, whatever
    the terminal has; what a path has besides becomes an escape, which JSON knows."""
    import csv
    import io
    import json

    if not records and form_of(arguments) != "json":
        return
    head = list(records[0]) if records else []
    form = form_of(arguments)
    if form == "table":
        print(table(head, (list(record.values()) for record in records)))
        return
    text = io.StringIO()
    if form == "csv":
        writer = csv.writer(text)
        writer.writerow(head)
        writer.writerows(map(cell, record.values()) for record in records)
    else:
        for value in [records] if form == "json" else records:
            print(json.dumps(value, default=str, ensure_ascii=False), file=text)
    put_bytes(text.getvalue().encode("utf-8", "backslashreplace"))


def cell(value: Any) -> Any:
    """A value of a record in CSV."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return " ".join(map(str, value))
    return value
