"""What SmartShopieDB.check() does: look at a database from all sides, change nothing.

It reads through the public methods, as any user would; each finding says what to do.
"""

from __future__ import annotations

import os
import re
import stat
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, overload

from . import _core
from ._core import (
    DatabaseError,
    DataError,
    OperationalError,
    ProgrammingError,
    SmartShopieDB,
    Table,
)

__all__ = ["Finding", "Report", "check"]

SAMPLE = 10  # how many row ids a finding names
PAGE = 20_000  # rows read at a time
WAL_LARGE = 64 << 20
READ_OLD = 10.0  # seconds
PART_OLD = 60.0  # a backup writes its part all the time
MESSAGES = 100  # of SQLite's own check

Severity = Literal["error", "warning", "info"]
_RESTORE = (
    "keep a copy of the file as it is, then restore the last good backup; the sqlite3"
    " shell's .recover reads what can still be read"
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, or worth knowing, and what to do about it."""

    severity: Severity
    code: str
    message: str
    remedy: str
    table: str | None = None
    column: str | None = None
    rows: tuple[int, ...] = ()  # some of the row ids
    count: int = 1  # of rows, or of whatever the message counts

    def __str__(self) -> str:
        return f"{self.severity}: {self.message} [{self.code}]; {self.remedy}"


class Report(Sequence[Finding]):
    """What check() found: a sequence of findings, the gravest first."""

    __slots__ = ("_findings", "full", "path", "seconds")

    def __init__(
        self, path: str, findings: Sequence[Finding], full: bool, seconds: float
    ) -> None:
        order = ("error", "warning", "info")
        self._findings = tuple(sorted(findings, key=lambda f: order.index(f.severity)))
        self.path = path
        self.full = full
        self.seconds = seconds

    @property
    def ok(self) -> bool:
        """Is there no finding that is an error?"""
        return all(finding.severity != "error" for finding in self._findings)

    @overload
    def __getitem__(self, key: int, /) -> Finding: ...
    @overload
    def __getitem__(self, key: slice, /) -> tuple[Finding, ...]: ...
    def __getitem__(self, key: int | slice, /) -> Finding | tuple[Finding, ...]:
        return self._findings[key]

    def __len__(self) -> int:
        return len(self._findings)

    def to_dicts(self) -> list[dict[str, Any]]:
        """The findings as dicts, for JSON or a log."""
        return [asdict(finding) for finding in self._findings]

    def __repr__(self) -> str:
        state = "ok" if self.ok else "NOT ok"
        counts = Counter(finding.severity for finding in self._findings)
        said = ", ".join(f"{n} {name}" for name, n in counts.items())
        return f"<Report of {self.path!r}: {state}{', ' if said else ''}{said}>"

    def __str__(self) -> str:
        return "\n".join([repr(self), *(f"  {finding}" for finding in self)])


class _Check:
    """One run of check(): what was found so far, and how long it may still take."""

    def __init__(
        self,
        db: SmartShopieDB,
        full: bool,
        progress: Callable[[int, int], object] | None,
        timeout: float | None,
    ) -> None:
        self.db = db
        self.full = full
        self.progress = progress
        self.begun = time.monotonic()
        self.deadline = None if timeout is None else self.begun + timeout
        self.found: list[Finding] = []
        self.encoding: str | None = None
        db.connect()
        self.stats = db.stats()
        self.memory = db.db_path == ":memory:"
        self.path = Path(db.db_path).absolute()

    def run(self) -> None:
        steps: list[Callable[[], None]] = [self.sqlite, self.layout]
        if not self.memory:
            steps += [self.log, self.place, self.leftovers, self.permissions]
        steps += [self.integrity, self.foreign_keys, self.schema, self.space]
        if self.full:
            for table in self.db.tables.values():
                steps.append(lambda table=table: self.content(table))  # type: ignore[misc]
        for done, step in enumerate(steps, 1):
            self.left()
            step()
            if self.progress is not None:
                self.progress(done, len(steps))

    def add(
        self, severity: Severity, code: str, message: str, remedy: str, **where: Any
    ) -> None:
        self.found.append(Finding(severity, code, message, remedy, **where))

    def left(self) -> float | None:
        """Seconds that are left; OperationalError when there are none."""
        if self.deadline is None:
            return None
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise OperationalError("check(): the time limit passed")
        return left

    def rows(self, sql: str, *params: Any) -> list[dict[str, Any]]:
        """As stored; not db.query(), which may answer from what it kept."""
        self.left()
        return self.db.execute_query(sql, params)

    def text(self, stored: bytes) -> str:
        """Text of the file, which may not be of its encoding any more."""
        if self.encoding is None:
            self.encoding = str(self.rows("PRAGMA encoding")[0]["encoding"])
        return stored.decode(self.encoding, "backslashreplace")

    # --- the process and the file ----------------------------------------------------

    def sqlite(self) -> None:
        version = self.stats["sqlite_version"]
        if self.stats["fenced_checkpoints"]:
            self.add(
                "info",
                "sqlite_wal_reset",
                f"SQLite {version} can lose commits when a checkpoint meets a commit of"
                " another process; this package's own checkpoints are fenced",
                "let no other program (the sqlite3 shell, Python's sqlite3) write the"
                " file while it is in use, or use SQLite 3.51.3 or later",
            )
        for copy in _core._sqlite_copies():
            self.add(
                "warning",
                "duplicate_sqlite",
                f"another copy of SQLite is in this process: {copy}",
                "never open this file with both: closing it in one drops the locks of"
                " the other",
            )

    def layout(self) -> None:
        layout = self.stats["layout"]
        if layout == "legacy":
            self.add(
                "warning",
                "legacy",
                "the file has the tables of an older system",
                "it is read completely; db.migrate() brings it up to date",
            )
        elif layout == "newer":
            self.add(
                "warning",
                "newer",
                f"the file has schema version {self.stats['schema_version']}, which is"
                " later than this package knows",
                "upgrade the package to write it",
            )
        elif layout == "foreign":
            self.add(
                "warning",
                "foreign",
                "the file has none of this package's tables",
                "is it the right file? db.initialize_database() creates them",
            )

    def log(self) -> None:
        size, age = self.stats["wal_bytes"], self.stats["oldest_read_seconds"]
        if size > WAL_LARGE:
            self.add(
                "warning",
                "wal_large",
                f"the write-ahead log has {size >> 20} MiB",
                "end long reads (snapshots, transactions, of other programs, too), then"
                " db.optimize()",
                count=size,
            )
        if age > READ_OLD:
            self.add(
                "warning",
                "old_reader",
                f"a read has been open for {age:.0f} seconds; the write-ahead log"
                " cannot be copied back past it",
                "leave the snapshot() that has been open so long",
            )
        if self.stats["layout"] == "current" and not self.stats["wal"]:
            self.add(
                "info",
                "no_wal",
                "the file is in rollback-journal mode: readers wait for writers",
                "open it for writing once while nothing else has it open",
            )

    def place(self) -> None:
        kind, network = _core._file_system(self.path)
        if not network:
            return
        self.add(
            "error" if self.stats["wal"] else "warning",
            "network_file_system",
            f"the file is on a network file system ({kind})"
            + (" and in WAL mode, which damages it there" if self.stats["wal"] else ""),
            "move it to a local disk, or let one machine alone open it, with"
            ' journal="rollback"',
        )

    def leftovers(self) -> None:
        journal = self.path.with_name(self.path.name + "-journal")
        if self.stats["wal"] and journal.exists():
            self.add(
                "warning",
                "stray_journal",
                f"{journal.name} is there, though the file is in WAL mode",
                "close the database everywhere and look where it came from; a copy of"
                " it must never be put beside another file",
            )
        now = time.time()
        for part in sorted(self.path.parent.glob("*.backup-part")):
            try:
                age = now - part.stat().st_mtime
            except OSError:
                continue  # it was finished meanwhile
            if age > PART_OLD:
                self.add(
                    "info",
                    "unfinished_backup",
                    f"{part.name} is what a killed backup left",
                    "delete it",
                )

    def permissions(self) -> None:
        try:
            mode = self.path.stat().st_mode
        except OSError:
            return  # the next call says what happened to the file
        if mode & stat.S_IWOTH:
            self.add(
                "warning",
                "permissions",
                f"everybody on this machine may write {self.path.name}",
                "chmod o-w",
            )
        if self.stats["read_only"]:
            return
        beside = [self.path.with_name(self.path.name + end) for end in ("-wal", "-shm")]
        for path in [self.path.parent, *(path for path in beside if path.exists())]:
            if not os.access(path, os.W_OK):
                self.add(
                    "warning",
                    "permissions",
                    f"this process may write the database, but not {path}",
                    "give it the same owner and permissions",
                )

    def space(self) -> None:
        pages, free = self.stats["pages"], self.stats["free_pages"]
        if pages is not None and free is not None and free > 256 and free > pages // 4:
            self.add(
                "info",
                "free_space",
                f"{free} of {pages} pages of the file are empty",
                "db.optimize(vacuum=True) gives them back",
                count=free,
            )

    # --- what SQLite checks ----------------------------------------------------------

    def integrity(self) -> None:
        pragma = "integrity_check" if self.full else "quick_check"
        try:
            found = self.rows(f"PRAGMA {pragma}({MESSAGES})")
        except DatabaseError as error:
            # ProgrammingError: the file asks for a function or collation it lacks.
            if type(error) not in (DatabaseError, DataError, ProgrammingError):
                raise  # it says something of the call, not of the file
            self.add("error", "corrupt", f"the file cannot be read: {error}", _RESTORE)
            return
        kinds: dict[tuple[str, str | None], list[str]] = {}
        for row in found:
            (message,) = row.values()
            if message != "ok":
                kinds.setdefault(_kind_of(message), []).append(message)
        for (code, table), messages in kinds.items():
            remedy = {
                "index_damaged": 'db.execute("REINDEX") makes the indexes anew',
                "constraint": "correct or delete these rows",
            }.get(code, _RESTORE)
            more = f" (and {len(messages) - 1} more)" if len(messages) > 1 else ""
            self.add(
                "error",
                code,
                f"{messages[0]}{more}",
                remedy,
                table=table,
                rows=_numbers(messages),
                count=len(messages),
            )

    def foreign_keys(self) -> None:
        if self.memory or not self.readable():
            return
        broken: dict[tuple[str, str], list[int]] = {}
        for row in self.rows("PRAGMA foreign_key_check"):
            broken.setdefault((row["table"], row["parent"]), []).append(row["rowid"])
        for (table, parent), ids in broken.items():
            self.add(
                "error",
                "foreign_key",
                f"{len(ids)} rows of {table} refer to rows of {parent} that are not"
                " there",
                f"add those rows of {parent}, or set the reference to NULL",
                table=table,
                rows=tuple(ids[:SAMPLE]),
                count=len(ids),
            )

    def readable(self) -> bool:
        return not any(finding.code == "corrupt" for finding in self.found)

    # --- our tables ------------------------------------------------------------------

    def schema(self) -> None:
        """Every object of ours is as a new database has it."""
        if self.stats["layout"] != "current" or not self.readable():
            return
        names = ("type", "name", "tbl_name", "sql")
        sql = ", ".join(f"CAST({name} AS BLOB) AS {name}" for name in names)
        sql = f"SELECT {sql} FROM sqlite_schema WHERE sql IS NOT NULL"
        own = _decoded(self.rows(sql), self.text)
        with SmartShopieDB(":memory:") as new:
            found: list[dict[str, Any]] = new.execute_query(sql)
        wanted = _decoded(found, bytes.decode)
        for name, row in wanted.items():
            what = f"the {row['type']} {name}"
            if name not in own:
                table = row["type"] == "table"
                self.add(
                    "error" if table else "warning",
                    f"missing_{row['type']}",
                    f"{what} is missing",
                    "db.initialize_database() creates it; its rows are gone"
                    if table
                    else f"db.execute({row['sql']!r})",
                    table=row["tbl_name"],
                )
            elif _squeezed(own[name]["sql"]) != _squeezed(row["sql"]):
                self.add(
                    "warning",
                    "schema_changed",
                    f"{what} is not as this version makes it",
                    "somebody changed it by hand; change it back, or make a new file"
                    " and copy the rows",
                    table=row["tbl_name"],
                )
        for name, row in own.items():
            if row["type"] == "trigger" and row["tbl_name"] in wanted:
                self.add(
                    "warning",
                    "trigger",
                    f"{row['tbl_name']} has the trigger {name}: this package reads the"
                    " table, but refuses to write it",
                    f"DROP TRIGGER {name}, if nobody needs it",
                    table=row["tbl_name"],
                )

    def changed(self, table: Table[Any]) -> bool:
        """Then it may lack a column."""
        return any(
            found.code == "schema_changed" and found.table == table.name
            for found in self.found
        )

    def content(self, table: Table[Any]) -> None:
        """Every value fits its type, and no row is there twice."""
        gone = {found.table for found in self.found if found.code == "missing_table"}
        if not self.readable() or table.name in gone:
            return
        try:
            self.rows_of(table)
            if self.stats["layout"] != "current":
                self.date_forms(table)
        except DatabaseError as error:
            lost = type(error) is ProgrammingError and self.changed(table)
            if not (type(error) is DatabaseError or lost):
                raise
            self.add(
                "error",
                "corrupt",
                f"{table.name} cannot be read: {error}",
                _RESTORE,
                table=table.name,
            )

    def rows_of(self, table: Table[Any]) -> None:
        values: dict[str, list[dict[str, Any]]] = {}
        keys = [column["name"] for column in table.schema if column["key"]]
        current = self.stats["layout"] == "current"
        doubles = _Doubles(keys, [column["name"] for column in table.schema])
        for page in self.pages(table):
            for note in page.notes:
                values.setdefault(note["column"], []).append(note)
            if not current:
                doubles.look(page)
        for column, notes in values.items():
            self.add(
                "error",
                "value",
                f"{len(notes)} cells of {table.name}.{column} hold what the column's"
                f" type cannot, such as {notes[0]['value']}",
                "correct them (db.execute), or read with strict=False: None instead",
                table=table.name,
                column=column,
                rows=tuple(note["id"] for note in notes[:SAMPLE]),
                count=len(notes),
            )
        ids = self.doubles_by_sql(table, keys) if current else doubles.ids
        if ids:
            self.add(
                "error" if current else "warning",
                "duplicate",
                f"{len(ids)} rows of {table.name} repeat an earlier one's"
                f" {', '.join(keys)}",
                'delete the wrong ones, then db.execute("REINDEX")'
                if current
                else "db.migrate() keeps the newest of each, and the others in a table"
                " of their own",
                table=table.name,
                rows=tuple(ids[:SAMPLE]),
                count=len(ids),
            )

    def doubles_by_sql(self, table: Table[Any], keys: Sequence[str]) -> list[int]:
        """The unique index forbids them, but it may be damaged: so without it."""
        same = ", ".join(keys)
        sql = f"SELECT id FROM (SELECT id, row_number() OVER (PARTITION BY {same}"
        sql += f" ORDER BY id) AS n FROM {table.name} NOT INDEXED)"
        sql += " WHERE n > 1"
        return [row["id"] for row in self.rows(sql)]

    def pages(self, table: Table[Any]) -> Iterator[Any]:
        token = None
        while True:
            with self.db.snapshot():  # from the file, not from what was kept
                page = table.select(
                    limit=PAGE, after=token, strict=False, timeout=self.left()
                )
            yield page
            token = page.next_token
            if token is None:
                return

    def date_forms(self, table: Table[Any]) -> None:
        """Days and instants of an older file, by the shape of their text."""
        declared = self.rows(
            "SELECT name, upper(type) AS type FROM pragma_table_info(?)", table.name
        )
        for column in declared:
            if column["type"] not in ("DATE", "TIMESTAMP", "DATETIME"):
                continue
            name = '"' + column["name"].replace('"', '""') + '"'
            shape = name
            for digit in "123456789":
                shape = f"replace({shape}, '{digit}', '0')"
            forms = self.rows(
                f"SELECT CAST({shape} AS BLOB) AS form, count(*) AS n FROM {table.name}"
                f" WHERE {name} IS NOT NULL GROUP BY 1 ORDER BY 2 DESC LIMIT {SAMPLE}"
            )
            if len(forms) > 1:
                said = ", ".join(
                    f"'{self.text(row['form'])}' ({row['n']})" for row in forms
                )
                self.add(
                    "info",
                    "mixed_dates",
                    f"{table.name}.{column['name']} has several forms of time: {said}",
                    "they are all read; db.migrate() writes them in one form",
                    table=table.name,
                    column=column["name"],
                    count=len(forms),
                )


class _Doubles:
    """Rows with the key of an earlier one; where a key is not complete, with all of its
    content."""

    def __init__(self, keys: Sequence[str], names: Sequence[str]) -> None:
        managed = ("id", "created_at", "updated_at")
        self._keys = keys
        self._names = [name for name in names if name not in managed]
        self._seen: set[tuple[Any, ...]] = set()
        self.ids: list[int] = []

    def look(self, rows: Any) -> None:
        for row in rows:
            key = tuple(row[name] for name in self._keys)
            if None in key:
                key = (None, *(row[name] for name in self._names))
            if key in self._seen:
                self.ids.append(row["id"])
            self._seen.add(key)


_MISSING = re.compile(
    r"row (\d+) missing from index|wrong # of entries in index|non-unique"
)
_CONSTRAINT = re.compile(r"(?:NULL value in|CHECK constraint failed in|value in) (\w+)")


def _kind_of(message: str) -> tuple[str, str | None]:
    """The code, and the table if it says which, of a message of integrity_check."""
    if _MISSING.search(message):
        return "index_damaged", None
    constraint = _CONSTRAINT.search(message)
    if constraint:
        return "constraint", constraint[1]
    return "corrupt", None


def _numbers(messages: Sequence[str]) -> tuple[int, ...]:
    found = [re.match(r"row (\d+) ", message) for message in messages]
    return tuple(int(match[1]) for match in found if match)[:SAMPLE]


def _decoded(
    rows: list[dict[str, bytes]], text: Callable[[bytes], str]
) -> dict[str, dict[str, str]]:
    """Rows of sqlite_schema by name."""
    texts = [{name: text(value) for name, value in row.items()} for row in rows]
    return {row["name"]: row for row in texts}


def _squeezed(sql: str) -> str:
    return re.sub(r"\s+", " ", sql)


def check(
    db: SmartShopieDB,
    *,
    full: bool = True,
    progress: Callable[[int, int], object] | None = None,
    timeout: float | None = None,
) -> Report:
    """Look for damage, wrong values, duplicates and what else may be wrong."""
    if not isinstance(full, bool):
        raise TypeError(f"full: expected True or False, got {type(full).__name__}")
    if progress is not None and not callable(progress):
        raise TypeError(
            "progress: expected a function of (done, total), got"
            f" {type(progress).__name__}"
        )
    run = _Check(db, full, progress, timeout)
    run.run()
    return Report(db.db_path, run.found, full, time.monotonic() - run.begun)
