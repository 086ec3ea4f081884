"""Windows made from the one that was asked for."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from .drawing import Window


@dataclass(frozen=True)
class Days:
    """From the first day to the last, both included."""

    start: datetime.date
    end: datetime.date

    @property
    def as_of(self) -> datetime.date:
        return self.end

    @property
    def days(self) -> int:
        return (self.end - self.start).days + 1


def before(window: Window) -> Days:
    """The days before it that it is compared with."""
    return Days(*window.previous)


def months_up_to(window: Window, least: int) -> Days:
    """Whole months up to the window's end, at least so many: what is stored once a
    month has nothing to show for a week."""
    index = window.end.year * 12 + window.end.month - 1 - (least - 1)
    first = datetime.date(index // 12, index % 12 + 1, 1)
    return Days(min(first, window.start.replace(day=1)), window.end)
