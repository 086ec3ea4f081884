"""`smartshopie import`: the rows of files into tables, all of them or none.

Rows are converted while add_many() takes them, so a file of any size needs little
memory. Every bad cell is noted with its file, line and column; when there was one,
nothing is written. Parquet and Feather come typed and go to the core as Arrow.
"""

from __future__ import annotations

import codecs
import contextlib
import csv
import json
import os
import re
import sys
from argparse import Namespace
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from .._cell import Cell
from .._core import Error, SmartShopieDB, Table
from .data import find_table, nearest
from .output import plain, say
from .progress import progress

Row = dict[str, Any]
# A row: which line it begins on, and its cells by column; or what is wrong with it.
# Where a line names the columns, it comes first, as a list.
Line = tuple[int, Row | str | list[str]]

ENDINGS = {"jsonl": "ndjson", "arrow": "feather", "pq": "parquet", "tsv": "csv"}
# One cell may be a long text.
csv.field_size_limit(min(sys.maxsize, 2**31 - 1))


class BadRows(Exception):
    """There were bad cells, all of them said already; the rest need not be written."""


class DryRun(Exception):
    """Rolls the transaction back: everything was checked, nothing is to stay."""


def run(arguments: Namespace) -> int:
    if arguments.max_errors < 1:
        raise ValueError("--max-errors: expected 1 or more")
    report = Report(arguments.max_errors)
    # One file is all or nothing by itself, and the write lock is then taken when it has
    # been read. A dry run goes as far as the real tables, and leaves no trace.
    together = len(arguments.files) > 1 or arguments.dry_run
    with SmartShopieDB(arguments.db, mode="rw") as db:
        try:
            with db.transaction() if together else contextlib.nullcontext():
                counts = []
                for name in in_order(db, arguments):
                    with contextlib.suppress(BadRows):  # what is wrong with the others
                        counts.append(one_file(db, name, arguments, report))
                    if report.n_errors >= report.most:
                        say(f"stopped after {report.n_errors} errors (--max-errors)")
                        break
                if report.n_errors:
                    raise BadRows
                if arguments.dry_run:
                    raise DryRun
        except BadRows:
            say(f"{report.n_errors} bad cells or rows; nothing was written")
            return 2
        except DryRun:
            say("dry run: nothing was written")
    for name, table, result in counts:
        say(
            f"{name}: {table}: {result.inserted:,} added, {result.updated:,} updated,"
            f" {result.ignored:,} left as they were"
        )
    return 0


def in_order(db: SmartShopieDB, arguments: Namespace) -> list[str]:
    """The files, those of tables that others refer to first."""
    if arguments.table or len(arguments.files) == 1:
        return list(arguments.files)
    sql = 'SELECT f."table" FROM sqlite_schema, pragma_foreign_key_list(name) AS f'
    parents = {parent for (parent,) in db.query(sql).to_list()}
    return sorted(arguments.files, key=lambda name: stem_of(name) not in parents)


class Report:
    """What was wrong, said as it is found."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.n_errors = 0

    def bad(self, file: str, line: int, column: str | None, why: str) -> None:
        self.n_errors += 1
        place = f"{file}:{line}" + (f", {column}" if column else "")
        say(f"{plain(place)}: {plain(why)}")
        if self.n_errors >= self.most:
            raise BadRows


def one_file(
    db: SmartShopieDB, name: str, arguments: Namespace, report: Report
) -> tuple[str, str, Any]:
    form = format_of(name, arguments)
    if name != "-":
        os.stat(name)  # that it is there is the first thing to say of a file
    table = find_table(db, arguments.table or stem_of(name))
    if form in ("parquet", "feather"):
        return name, table.name, add_arrow(name, form, table, arguments.on_conflict)
    reader = READERS[form]
    with contextlib.ExitStack() as stack:
        file = stack.enter_context(opened(name, "" if form == "csv" else None))
        tell = stack.enter_context(progress(f"{name} -> {table.name}", "bytes"))
        seen = Seen(name, file, tell)
        cells = {c["name"]: Cell(c, blank=form == "csv") for c in table.schema}
        lines = reader(file, delimiter_of(name, arguments))
        rows = converted(lines, cells, table.name, seen, report)
        try:
            result = table.add_many(rows, on_conflict=arguments.on_conflict)
        except UnicodeDecodeError as error:
            raise not_utf8(name, error) from None
        except csv.Error as error:
            raise ValueError(f"{name}: after line {seen.line}: {error}") from None
        except ValueError as error:
            raise ValueError(seen.placed(error)) from None
        except Error as error:
            raise type(error)(seen.placed(error)) from None
    return name, table.name, result


def not_utf8(name: str, error: UnicodeDecodeError) -> ValueError:
    marked = error.object[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    return ValueError(
        f"{name}: not UTF-8 (byte 0x{error.object[error.start]:02x}); convert it first,"
        f" for instance with iconv -f {'UTF-16' if marked else 'WINDOWS-1252'} -t UTF-8"
    )


# ---- files ---------------------------------------------------------------------------


def format_of(name: str, arguments: Namespace) -> str:
    if arguments.format:
        return str(arguments.format)
    if name == "-":
        raise ValueError("import -: say the --format of what comes on stdin")
    ending = Path(name).suffix.lstrip(".").lower()
    form = ENDINGS.get(ending, ending)
    if form not in (*READERS, "parquet", "feather"):
        raise ValueError(
            f"{name}: say its --format (csv, ndjson, json, parquet, feather)"
        )
    return form


def stem_of(name: str) -> str:
    if name == "-":
        raise ValueError("import -: say the --table that it goes to")
    return Path(name).name.split(".")[0]


def delimiter_of(name: str, arguments: Namespace) -> str:
    given: str | None = arguments.delimiter
    if given in ("\\t", "tab") or (given is None and name.lower().endswith(".tsv")):
        return "\t"
    if given is not None and len(given) != 1:
        raise ValueError(f"--delimiter: expected one character, got '{given}'")
    return given or ","


def opened(
    name: str, newline: str | None
) -> contextlib.AbstractContextManager[IO[str]]:
    if name != "-":
        return open(name, encoding="utf-8-sig", newline=newline)
    return contextlib.nullcontext(
        open(sys.stdin.fileno(), encoding="utf-8-sig", newline=newline, closefd=False)
    )


def add_arrow(name: str, form: str, table: Table[Any], on_conflict: Any) -> Any:
    try:
        return table.add_many(arrow_of(name, form), on_conflict=on_conflict)
    except (TypeError, ValueError) as error:  # pyarrow's own errors are such, too
        raise ValueError(f"{name}: {error}") from None
    except Error as error:
        raise type(error)(f"{name}: {error}") from None


def arrow_of(name: str, form: str) -> Any:
    """The file as a stream of Arrow record batches."""
    try:
        import pyarrow.dataset as dataset
    except ImportError:
        raise ImportError(
            f"import of {form} needs pyarrow: pip install pyarrow"
        ) from None
    if name == "-":
        raise ValueError(f"{form} needs a file, not stdin")
    return dataset.dataset(name, format=form).scanner().to_reader()


class Seen:
    """How far a file has been read; and where a row of it stands."""

    def __init__(
        self, name: str, file: IO[str], tell: Callable[[int, int | None], None]
    ):
        self.name, self.tell = name, tell
        self.line = self.rows = 0
        # The core names a row by its number, soon after it was read: in its own chunk.
        self.lines: deque[int] = deque(maxlen=200_000)
        self.total = None
        self.raw = getattr(file, "buffer", None)
        with contextlib.suppress(OSError, ValueError):
            self.total = os.fstat(file.fileno()).st_size or None

    def row(self) -> None:
        self.lines.append(self.line)
        self.rows += 1
        if self.rows % 5000 == 0 and self.raw is not None:
            with contextlib.suppress(OSError, ValueError):
                self.tell(self.raw.tell(), self.total)

    def placed(self, error: Exception) -> str:
        """What the core said of "row N", with the line where that row begins."""
        text = str(error)
        if text.startswith(f"{self.name}:"):
            return text
        row = re.match(r"row (\d+): ", text)
        index = int(row[1]) - self.rows if row else 0
        if row and -len(self.lines) <= index < 0:
            return f"{self.name}:{self.lines[index]}: {text[row.end() :]}"
        return f"{self.name}: {text}"


# ---- readers: lines with their cells -------------------------------------------------


def read_csv(file: IO[str], delimiter: str) -> Iterator[Line]:
    reader = csv.reader(file, delimiter=delimiter, strict=True)
    head = [name.strip() for name in next(filter(None, reader), [])]
    check_head(head)
    line = reader.line_num
    yield line, head
    for cells in reader:
        line, begun = reader.line_num, line + 1
        if not cells:
            continue
        if len(cells) != len(head):
            yield begun, f"{len(cells)} cells, but the first line names {len(head)}"
        else:
            yield begun, dict(zip(head, cells, strict=True))


def check_head(head: list[str]) -> None:
    if not head:
        raise ValueError("the file is empty: its first line must name the columns")
    for other, word in ((";", "';'"), ("\t", "tab"), ("|", "'|'"), (",", "','")):
        if len(head) == 1 and other in head[0]:
            raise ValueError(f"the first line is one name: try --delimiter {word}")
    if any("\0" in name for name in head):
        code = "UTF-16BE" if head[0].startswith("\0") else "UTF-16LE"
        raise ValueError(
            "NUL bytes in the first line; if this is UTF-16, convert it first, for"
            f" instance with iconv -f {code} -t UTF-8"
        )
    if "" in head:
        number = head.index("") + 1
        raise ValueError(f"the first line has no name for column {number}")
    twice = {name for name in head if head.count(name) > 1}
    if twice:
        raise ValueError(f"the first line names {sorted(twice)[0]!r} twice")


def read_ndjson(file: IO[str], delimiter: str) -> Iterator[Line]:
    for number, text in enumerate(file, 1):
        if text.strip():
            yield number, as_object(text)


def as_object(text: str) -> Row | str:
    try:
        return object_of(json.loads(text))
    except (ValueError, RecursionError) as error:
        return f"no JSON: {error}"


def object_of(value: Any) -> Row | str:
    return value if isinstance(value, dict) else "expected an object {...}"


def read_json(file: IO[str], delimiter: str) -> Iterator[Line]:
    """A list of objects. JSON has no lines: a row's number stands for its line."""
    try:
        found = json.load(file)
    except (json.JSONDecodeError, RecursionError) as error:
        raise ValueError(f"no JSON: {error}") from None
    if not isinstance(found, list):
        raise ValueError("expected a list of objects [{...}, ...]")
    for number, row in enumerate(found, 1):
        yield number, object_of(row)


READERS: dict[str, Callable[[IO[str], str], Iterator[Line]]] = {
    "csv": read_csv,
    "ndjson": read_ndjson,
    "json": read_json,
}


# ---- cells ---------------------------------------------------------------------------


def converted(
    lines: Iterable[Line],
    cells: dict[str, Cell],
    table: str,
    seen: Seen,
    report: Report,
) -> Iterator[Row]:
    """The rows with each cell in its column's type; bad ones are reported and left out,
    and at the end that ends the import."""
    needed = [name for name, cell in cells.items() if cell.required]
    known: set[str] = set()
    for line, texts in lines:
        seen.line = line
        if isinstance(texts, list):
            known |= check_names(texts, cells, table, f"{seen.name}:{line}")
            if missing := [name for name in needed if name not in known]:
                names = ", ".join(missing)
                raise ValueError(f"{seen.name}:{line}: {table} needs {names}, too")
            continue
        if isinstance(texts, str):
            report.bad(seen.name, line, None, texts)
            continue
        if texts.keys() - known:
            known |= check_names(texts, cells, table, f"{seen.name}:{line}")
        before = report.n_errors
        row = {}
        for name, text in texts.items():
            try:
                row[name] = cells[name](text)
            except ValueError as error:
                report.bad(seen.name, line, name, str(error))
        for name in needed:
            if row.get(name) is None and report.n_errors == before:
                report.bad(seen.name, line, name, "is required")
        if not report.n_errors:
            seen.row()
            yield row
    if report.n_errors:
        raise BadRows


def check_names(
    names: Iterable[str], cells: dict[str, Cell], table: str, place: str
) -> set[str]:
    found = set(names)
    for name in sorted(found - cells.keys()):
        close = nearest(name, cells)
        raise ValueError(f"{place}: {table} has no column '{name}'{close}")
    return found
