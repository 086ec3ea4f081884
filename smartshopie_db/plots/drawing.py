"""What a plot is before plotly sees it: plain dicts and the numbers that are drawn."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from ..reports.window import Window as Window

Trace = dict[str, Any]
Layout = dict[str, Any]


class Span(Protocol):
    """Days in a row, first and last included: a Window is one."""

    @property
    def start(self) -> datetime.date: ...
    @property
    def end(self) -> datetime.date: ...
    @property
    def as_of(self) -> datetime.date: ...
    @property
    def days(self) -> int: ...


@dataclass(frozen=True)
class Style:
    """How figures are written.

    currency: an ISO code ("EUR"), written as its sign where it has a common one; None
    writes amounts alone, as no file says what currency it holds.
    separators: the decimal sign, then the one between thousands.
    """

    currency: str | None = None
    separators: str = ".,"


@dataclass(frozen=True)
class Drawing:
    """One figure, all of it JSON: days as ISO text, nothing known as None.

    `layout` has no colours of text, grid and background: those are of THEMES.
    `rows` are the numbers drawn, with a name and a unit for each column; the text in
    them is as stored, while that in `data` and `layout` is escaped for plotly.
    `empty` says why nothing is drawn; else it is None.
    """

    name: str
    title: str
    note: str
    data: list[Trace]
    layout: Layout
    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    units: tuple[str | None, ...]
    empty: str | None = None


@dataclass(frozen=True)
class Plot:
    """An entry of PLOTS.

    draw(db, window, style, **parameters) makes the Drawing; `parameters` has the values
    that each may take, the default first.  `tables` are those that it reads.
    """

    name: str
    draw: Callable[..., Drawing]
    area: str
    summary: str
    tables: tuple[str, ...]
    parameters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
