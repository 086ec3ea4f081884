"""PEP 249 over the same core: for pandas, SQL notebooks, and programs written for the
standard library's `sqlite3`, which run with

    import smartshopie_db.dbapi as sqlite3

docs/dbapi.md says what is the same there and what is not.
"""

import datetime
import os
import re
import time
import urllib.parse
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any, ClassVar, Literal, Self, TypeAlias, TypeVar

from . import _core
from ._core import (
    Cursor,
    DatabaseError,
    DataError,
    Error,
    IntegrityError,
    InterfaceError,
    InternalError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
    Warning,
    sqlite_version,
)
from ._core import CursorRow as Row

__all__ = [
    "BINARY",
    "DATETIME",
    "NUMBER",
    "PARSE_COLNAMES",
    "PARSE_DECLTYPES",
    "ROWID",
    "STRING",
    "Binary",
    "Connection",
    "Cursor",
    "DataError",
    "DatabaseError",
    "Date",
    "DateFromTicks",
    "Error",
    "IntegrityError",
    "InterfaceError",
    "InternalError",
    "NotSupportedError",
    "OperationalError",
    "PrepareProtocol",
    "ProgrammingError",
    "Row",
    "Time",
    "TimeFromTicks",
    "Timestamp",
    "TimestampFromTicks",
    "Warning",
    "adapters",
    "apilevel",
    "connect",
    "converters",
    "paramstyle",
    "register_adapter",
    "register_converter",
    "sqlite_version",
    "sqlite_version_info",
    "threadsafety",
]

apilevel = "2.0"
threadsafety = 3
paramstyle = "qmark"
sqlite_version_info = tuple(int(part) for part in sqlite_version.split("."))

PARSE_DECLTYPES = 1
PARSE_COLNAMES = 2

_Parameters: TypeAlias = Any  # a sequence or a mapping: also of types that are neither
_Path: TypeAlias = str | bytes | os.PathLike[str] | os.PathLike[bytes]
_Mode: TypeAlias = Literal["rwc", "rw", "ro"]
_Level: TypeAlias = str | None
_T = TypeVar("_T")

# ---- types -------------------------------------------------------------------------

Date = datetime.date
Time = datetime.time
Timestamp = datetime.datetime
Binary = memoryview


def DateFromTicks(ticks: float) -> datetime.date:
    return Date(*time.localtime(ticks)[:3])


def TimeFromTicks(ticks: float) -> datetime.time:
    return Time(*time.localtime(ticks)[3:6])


def TimestampFromTicks(ticks: float) -> datetime.datetime:
    return Timestamp(*time.localtime(ticks)[:6])


class _Type:
    """Equal to the names under which columns of one kind are declared.

    SQLite types values, not columns, so the type in a description is None.
    """

    def __init__(self, *names: str) -> None:
        self._names = frozenset(names)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, str):
            return other.upper() in self._names
        return self is other

    def __hash__(self) -> int:
        return id(self)


STRING = _Type("TEXT", "VARCHAR", "CHAR")
BINARY = _Type("BLOB")
NUMBER = _Type("INTEGER", "INT", "BIGINT", "REAL", "NUMERIC", "DECIMAL", "BOOLEAN")
DATETIME = _Type("DATE", "TIME", "TIMESTAMP", "DATETIME")
ROWID = _Type("ROWID")


class PrepareProtocol:
    """What `__conform__` is asked for."""


adapters: dict[tuple[type, type], Callable[[Any], Any]] = {}
converters: dict[str, Callable[[bytes], Any]] = {}


def register_adapter(type: type[_T], adapter: Callable[[_T], Any], /) -> None:
    """Store values of a type as what `adapter` makes of them."""
    adapters[type, PrepareProtocol] = adapter


def register_converter(typename: str, converter: Callable[[bytes], Any], /) -> None:
    """Read columns of a declared type through `converter`; see `detect_types`."""
    converters[typename.upper()] = converter


def _text_of_instant(value: datetime.datetime) -> str:
    return value.isoformat(" ")


def _numbers(text: str, separator: str) -> list[int]:
    return [int(part) for part in text.split(separator)]


def _day(stored: bytes) -> datetime.date:
    """ISO 8601, and numbers without their zeros, as `sqlite3` reads them."""
    text = stored.decode()
    try:
        return Date.fromisoformat(text)
    except ValueError:
        return Date(*_numbers(text, "-"))


def _instant(stored: bytes) -> datetime.datetime:
    text = stored.decode()
    try:
        return Timestamp.fromisoformat(text)
    except ValueError:
        date, _, clock = text.partition(" ")
        clock, _, fraction = clock.partition(".")
        year, month, day = _numbers(date, "-")
        hour, minute, second = _numbers(clock, ":")
        micro = int(f"{fraction:0<6.6}")
        return Timestamp(year, month, day, hour, minute, second, micro)


register_adapter(datetime.date, datetime.date.isoformat)
register_adapter(datetime.datetime, _text_of_instant)
register_converter("date", _day)
register_converter("timestamp", _instant)

_STORED = (str, int, float, bytes, bytearray, memoryview)


def _adapt(value: Any) -> Any:
    """What to store for a parameter that is no exact int, float, str, bytes or None."""
    kind = type(value)
    adapter = adapters.get((kind, PrepareProtocol))
    if adapter is not None:
        return adapter(value)
    if hasattr(kind, "__conform__"):
        conformed = value.__conform__(PrepareProtocol)
        if conformed is not None:
            return conformed
    if isinstance(value, _STORED) or kind.__module__ == "numpy":
        return value
    for base in kind.__mro__:
        if (base, PrepareProtocol) in adapters:
            return adapters[base, PrepareProtocol](value)
    raise ProgrammingError(
        f"a parameter of type {kind.__name__!r} is not supported; "
        "register_adapter() says what to store for it"
    )


_NAMED_TYPE = re.compile(r" ?\[([^\]]*)\].*", re.DOTALL)


class _Converting:
    """Finds the converters of a statement's columns."""

    def __init__(self, detect_types: int) -> None:
        self._detect = detect_types

    def __call__(
        self, columns: list[tuple[str, str]]
    ) -> tuple[tuple[str, ...], tuple[Callable[[bytes], Any] | None, ...]]:
        return (
            tuple(self._name(name) for name, _ in columns),
            tuple(self._converter(name, declared) for name, declared in columns),
        )

    def _name(self, name: str) -> str:
        return _NAMED_TYPE.sub("", name) if self._detect & PARSE_COLNAMES else name

    def _converter(self, name: str, declared: str) -> Callable[[bytes], Any] | None:
        if self._detect & PARSE_COLNAMES:
            named = _NAMED_TYPE.search(name)
            if named is not None and named[1].upper() in converters:
                return converters[named[1].upper()]
        if self._detect & PARSE_DECLTYPES:
            return converters.get(re.split(r"[ (]", declared, maxsplit=1)[0].upper())
        return None


# ---- connections -------------------------------------------------------------------

# By the number that the core knows each by.
_LEVELS: tuple[_Level, ...] = (None, "DEFERRED", "IMMEDIATE", "EXCLUSIVE")


class Connection(_core._Link):
    """One connection to one file, with a transaction of its own; see connect()."""

    Warning: ClassVar[type[Warning]] = Warning
    Error: ClassVar[type[Error]] = Error
    InterfaceError: ClassVar[type[InterfaceError]] = InterfaceError
    DatabaseError: ClassVar[type[DatabaseError]] = DatabaseError
    DataError: ClassVar[type[DataError]] = DataError
    OperationalError: ClassVar[type[OperationalError]] = OperationalError
    IntegrityError: ClassVar[type[IntegrityError]] = IntegrityError
    InternalError: ClassVar[type[InternalError]] = InternalError
    ProgrammingError: ClassVar[type[ProgrammingError]] = ProgrammingError
    NotSupportedError: ClassVar[type[NotSupportedError]] = NotSupportedError

    def __init__(
        self,
        database: _Path,
        timeout: float = 5.0,
        detect_types: int = 0,
        isolation_level: _Level = "",
        check_same_thread: bool = True,
        factory: object = None,
        cached_statements: int = 128,
        uri: bool = False,
    ) -> None:
        begin = _number_of_level(isolation_level)
        path, mode, immutable = (
            _parse_uri(database) if uri else (database, "rwc", False)
        )
        core = _core.SmartShopieDB(
            path, mode=mode, immutable=immutable, busy_timeout=timeout
        )
        super().__init__(core, check_same_thread)
        self._level = isolation_level
        self._begin = begin
        self._adapt = _adapt
        self._convert = _Converting(detect_types) if detect_types else None
        self.text_factory = str

    @property
    def isolation_level(self) -> _Level:
        """What begins a transaction before a change: "", "DEFERRED", "IMMEDIATE" or
        "EXCLUSIVE"; None: nothing, each statement is on its own."""
        return self._level

    @isolation_level.setter
    def isolation_level(self, level: _Level) -> None:
        self._begin = _number_of_level(level)
        self._level = level
        if level is None:
            self.commit()

    def execute(self, sql: str, parameters: _Parameters = (), /) -> Cursor:
        """Run one statement; a new cursor with its rows."""
        return self.cursor().execute(sql, parameters)

    def executemany(self, sql: str, parameters: Iterable[_Parameters], /) -> Cursor:
        """Run one changing statement for each of several parameters."""
        return self.cursor().executemany(sql, parameters)

    def executescript(self, sql: str, /) -> Cursor:
        """Commit what is open, then run several statements."""
        return self.cursor().executescript(sql)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        type: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> Literal[False]:
        """Commit, or roll back when an exception came; the connection stays open."""
        if type is not None:
            self.rollback()
            return False
        try:
            self.commit()
        except BaseException:
            self.rollback()
            raise
        return False


def _number_of_level(level: _Level) -> int:
    if level is not None and not isinstance(level, str):
        raise TypeError(
            f"isolation_level: expected str or None, got {type(level).__name__}"
        )
    wanted = level.upper() or "DEFERRED" if level is not None else None
    if wanted not in _LEVELS:
        raise ValueError(
            'isolation_level: expected "", "DEFERRED", "IMMEDIATE", "EXCLUSIVE" or '
            f"None, got {level!r}"
        )
    return _LEVELS.index(wanted)


def _parse_uri(database: _Path) -> tuple[_Path, _Mode, bool]:
    """The path, mode and immutability that a `file:` URI asks for."""
    text = os.fsdecode(database)
    if not text.startswith("file:"):
        return database, "rwc", False
    parts = urllib.parse.urlsplit(text)
    if parts.netloc not in ("", "localhost"):
        raise OperationalError(f"invalid uri authority: {parts.netloc}")
    asked = dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True))
    path = urllib.parse.unquote(parts.path)
    mode = asked.pop("mode", "rwc")
    immutable = asked.pop("immutable", "0") not in ("0", "off", "no", "false")
    if asked.get("cache") == "private":
        del asked["cache"]
    if asked:  # cache=shared, too: such a database in memory would be another one here
        name, value = next(iter(asked.items()))
        raise NotSupportedError(f"the URI's {name}={value} is not supported")
    if mode == "memory" or path == ":memory:":
        return ":memory:", "rwc", False
    if mode == "rwc":
        return path, "ro" if immutable else "rwc", immutable
    if mode == "rw":
        return path, "ro" if immutable else "rw", immutable
    if mode == "ro":
        return path, "ro", immutable
    raise OperationalError(f"no such access mode: {mode}")


def connect(
    database: _Path,
    timeout: float = 5.0,
    detect_types: int = 0,
    isolation_level: _Level = "",
    check_same_thread: bool = True,
    factory: Callable[..., Connection] = Connection,
    cached_statements: int = 128,
    uri: bool = False,
) -> Connection:
    """Open a file, which is made when it is missing, or ":memory:"."""
    return factory(
        database,
        timeout,
        detect_types,
        isolation_level,
        check_same_thread,
        factory,
        cached_statements,
        uri,
    )
