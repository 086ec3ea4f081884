"""What a page is made of, before it is HTML: plain values, nothing escaped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar


@dataclass(frozen=True)
class Card:
    """One figure and what became of it."""

    label: str
    value: Any  # as stored or worked out; what a script reads
    text: str  # the same for people
    explained: str = ""  # what the figure means
    change: str = ""  # "2.4%", "0.3 points"; empty where nothing is to compare with
    trend: str | None = None  # up, down, flat
    verdict: str | None = None  # better, worse, same
    before: str = ""  # the figure compared with
    range: str = ""  # the days of this figure
    before_range: str = ""  # and of the one compared with
    note: str = ""  # a fallback, or why there is no figure
    spark: str = ""  # points of a small line, or nothing
    href: str = ""  # shows it over time
    current: bool = False  # is it what is shown over time


@dataclass(frozen=True)
class Cards:
    kind: ClassVar[str] = "cards"
    id: str
    title: str
    cards: Sequence[Card]


@dataclass(frozen=True)
class Column:
    name: str
    unit: str | None = None
    number: bool = False


@dataclass(frozen=True)
class Cell:
    text: str
    value: Any = None  # of a number
    when: str = ""  # of a day or an instant, in ISO form
    href: str = ""  # only for what is known to be http or https
    state: str = ""  # good, warn, bad: of a status word
    bar: float | None = None  # percent of the largest of its column


@dataclass(frozen=True)
class Table:
    kind: ClassVar[str] = "table"
    id: str
    title: str
    note: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    empty: str = ""
    span: int = 6
    download: str = ""


@dataclass(frozen=True)
class Choice:
    """One of the ways in which a chart can be shown."""

    text: str
    href: str
    current: bool


@dataclass(frozen=True)
class Chart:
    kind: ClassVar[str] = "chart"
    id: str
    title: str
    note: str
    figure: str  # JSON, safe inside a script element
    table: Table
    csv: str
    json: str
    choices: Sequence[Choice] = ()
    empty: str = ""  # why there is nothing to draw
    about: str = ""  # what would be here
    tables: Sequence[str] = ()  # from where
    span: int = 6
    height: int = 320


@dataclass(frozen=True)
class Entry:
    """One line of the feed, of the alerts."""

    title: str
    text: str
    when: Any
    state: str = ""
    badge: str = ""
    facts: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True)
class Feed:
    kind: ClassVar[str] = "feed"
    id: str
    title: str
    note: str
    entries: Sequence[Entry]
    empty: str
    span: int = 6


@dataclass(frozen=True)
class Tile:
    """The health of one thing, a connection, a plan."""

    title: str
    state: str  # good, warn, bad, idle
    status: str  # in words
    facts: Sequence[tuple[str, str]]
    when: Any = None


@dataclass(frozen=True)
class Tiles:
    kind: ClassVar[str] = "tiles"
    id: str
    title: str
    note: str
    tiles: Sequence[Tile]
    empty: str
    span: int = 12


@dataclass(frozen=True)
class Line:
    """A line of a bill."""

    text: str
    amount: Cell
    total: bool = False


@dataclass(frozen=True)
class Bill:
    kind: ClassVar[str] = "bill"
    id: str
    title: str
    note: str
    facts: Sequence[tuple[str, str]]
    lines: Sequence[Line]
    empty: str
    span: int = 6
    warning: str = ""


@dataclass(frozen=True)
class Usage:
    """How much of what is free was used."""

    name: str
    used: Cell
    limit: Cell
    percent: float | None
    facts: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True)
class Usages:
    kind: ClassVar[str] = "usage"
    id: str
    title: str
    note: str
    services: Sequence[Usage]
    empty: str
    span: int = 6


@dataclass(frozen=True)
class Failed:
    """A part that could not be made just now."""

    kind: ClassVar[str] = "failed"
    id: str
    title: str
    number: str
    error: Exception
    span: int = 6


@dataclass(frozen=True)
class Page:
    area: str
    title: str
    blocks: Sequence[Any]
    failed: bool = field(default=False)
