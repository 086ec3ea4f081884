"""What the address of a page asks for, and the addresses of other pages from there."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from flask import request

from ...reports.window import Window
from .. import params
from ..refused import Refused, bad
from ..state import current

DEFAULT = "30d"
PRESETS = (
    ("7d", "7 days", ""),
    ("30d", "30 days", ""),
    ("90d", "90 days", ""),
    ("1y", "1 year", ""),
    ("mtd", "MTD", "the month up to the newest day"),
    ("ytd", "YTD", "the year up to the newest day"),
)


@dataclass(frozen=True)
class Asked:
    """The query string, checked: which days, and how the charts are shown."""

    days: Mapping[str, Any]  # of period, start, end, as_of those that were given
    shown: Mapping[str, str]  # a chart's parameters: measure=conversion_rate

    @property
    def period(self) -> str | None:
        """The preset that is chosen; None for a range of one's own."""
        if "start" in self.days or "end" in self.days:
            return None
        return str(self.days.get("period", DEFAULT))

    def query(self, **changed: Any) -> str:
        """The query string with these changed; None takes one out."""
        given = {**self.days, **self.shown, **changed}
        if given.get("period") == DEFAULT:
            del given["period"]
        words = {key: str(value) for key, value in given.items() if value is not None}
        return "?" + urlencode(words) if words else ""

    def with_period(self, period: str) -> str:
        return self.query(period=period, start=None, end=None)

    def window(self) -> Window:
        """Which days these are; Refused where the words say nothing."""
        try:
            return current().window(**self.days)
        except ValueError as error:
            raise bad(culprit(str(error), self.days), str(error)) from None


def culprit(message: str, given: Mapping[str, Any]) -> str:
    """Which parameter the message is about."""
    named = [name for name in params.WINDOW if message.startswith(name)]
    return (named or [*given, "period"])[0]


def parse(shown: Mapping[str, tuple[str, ...]]) -> Asked:
    """The query string of this request. A form sends its empty fields, too: they are
    as if absent."""
    given = params.once((*params.WINDOW, *shown))
    given = {name: text for name, text in given.items() if text}
    days = {
        name: params.PARSERS[name](name, text)
        for name, text in given.items()
        if name in params.WINDOW
    }
    return Asked(
        days,
        {
            name: params.choice(*shown[name])(name, text)
            for name, text in given.items()
            if name in shown
        },
    )


def wants_page() -> bool:
    """Is it a browser that shows a page? A script gets the error as JSON."""
    accepted = request.accept_mimetypes
    return accepted["text/html"] > accepted["application/json"]


def today() -> datetime.date:
    return datetime.datetime.now(datetime.UTC).date()


__all__ = ["DEFAULT", "PRESETS", "Asked", "Refused", "parse", "today", "wants_page"]
