"""Words and numbers as plotly shows them."""

from __future__ import annotations

import datetime
from typing import Any

from .drawing import Style

SIGNS = {"EUR": "€", "GBP": "£", "INR": "₹", "JPY": "¥", "USD": "$"}
SUFFIXES = {
    "percent": "%", "milliseconds": " ms", "seconds": " s", "minutes": " min",
    "gigabytes": " GB",
}  # fmt: skip
DIGITS = {"count": 0, "milliseconds": 0, "per minute": 0, "currency": 2, "percent": 1}
MINUS, NOTHING = "\u2212", "\u2013"
LONGEST = 30  # characters of a label

_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "$": "&#36;"})


def escape(text: object) -> str:
    """Text as data.  Plotly reads <b> and <a href> in labels, and notebooks take what
    stands between two dollars for a formula."""
    return " ".join(str(text).split()).translate(_ESCAPES)


def label(text: object, longest: int = LONGEST) -> str:
    """The same, cut where it would push the figure aside."""
    words = " ".join(str(text).split())
    return escape(words if len(words) <= longest else words[: longest - 1] + "…")


def affixes(unit: str | None, style: Style) -> tuple[str, str]:
    """What stands before and after a figure of the unit."""
    if unit != "currency":
        return "", SUFFIXES.get(unit or "", "")
    if style.currency is None:
        return "", ""
    if sign := SIGNS.get(style.currency):
        return escape(sign), ""
    return "", " " + escape(style.currency)


def shown(unit: str | None, style: Style, of: str, digits: int | None = None) -> str:
    """The part of a hover template that writes `of` ("y", "customdata[0]") in full."""
    before, after = affixes(unit, style)
    places = DIGITS.get(unit or "", 2) if digits is None else digits
    return f"{before}%{{{of}:,.{places}f}}{after}"


def number(value: float | None, unit: str | None, style: Style, digits: int) -> str:
    """A figure in a label, such as "€1,440.00"; nothing known is a dash."""
    if value is None:
        return NOTHING
    before, after = affixes(unit, style)
    text = f"{abs(value):,.{digits}f}".translate(str.maketrans(".,", style.separators))
    return f"{MINUS if value < 0 else ''}{before}{text}{after}"


def day(date: datetime.date) -> str:
    return f"{date.day} {date:%b %Y}"


def days(start: datetime.date, end: datetime.date) -> str:
    """ "2 to 31 Oct 2025": what both days share is said once."""
    if start == end:
        return day(end)
    if (start.year, start.month) == (end.year, end.month):
        return f"{start.day} to {day(end)}"
    if start.year == end.year:
        return f"{start.day} {start:%b} to {day(end)}"
    return f"{day(start)} to {day(end)}"


def iso(value: Any) -> Any:
    """Days and instants as text, other values as they are."""
    return value.isoformat() if isinstance(value, datetime.date) else value
