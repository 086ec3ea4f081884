"""Figures and days as the page writes them: plain text, the template escapes it."""

from __future__ import annotations

import datetime
import math
from typing import Any

SIGNS = {"EUR": "€", "GBP": "£", "INR": "₹", "JPY": "¥", "USD": "$"}
TIE = "\N{NO-BREAK SPACE}"  # no line ends between a figure and its unit
AFTER = {
    "percent": "%", "milliseconds": f"{TIE}ms", "seconds": f"{TIE}s",
    "minutes": f"{TIE}min", "gigabytes": f"{TIE}GB",
    "per minute": f"{TIE}/{TIE}min",
}  # fmt: skip
NOTHING = "\N{EN DASH}"
SHORT = ("ai", "api", "clv", "cpu", "roi")


def number(value: Any, unit: str | None = None, currency: str | None = None) -> str:
    """A figure with its unit, such as "€1,440.00"; what is not known is a dash."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return NOTHING
    if unit == "fraction":  # shown as the percent that it is
        value, unit = value * 100, "percent"
    sign = "\N{MINUS SIGN}" if value < 0 else ""
    text = f"{abs(value):,.{digits(value, unit)}f}"
    if unit == "currency":
        return sign + money(text, currency)
    return sign + text + AFTER.get(unit or "", "")


def exact(value: float) -> str:
    """All of a figure, for a script: 47117, 4.105."""
    whole = math.isfinite(value) and value == int(value)
    return str(int(value)) if whole else repr(value)


def money(text: str, currency: str | None) -> str:
    if currency is None:
        return text
    return SIGNS[currency] + text if currency in SIGNS else text + TIE + currency


def digits(value: float, unit: str | None) -> int:
    """Decimals: as many as say something."""
    if unit == "currency":
        return 2
    if unit == "percent":
        return 1 if abs(value) >= 10 else 2
    if value == round(value):
        return 0
    return 1 if abs(value) >= 10 else 2


def change(row: Any, currency: str | None) -> str:
    """What became of a figure: in percent, or in points where it is a rate. `row` is
    one of db.compare or of a report."""
    delta, percent = row["delta"], row["percent"]
    if delta is None:
        return ""
    if delta == 0:
        return "unchanged"
    if percent is not None:
        small = abs(percent) < 0.05
        return "under 0.1%" if small else f"{abs(percent):,.1f}%"
    if row["delta_unit"] == "points":
        return f"{abs(delta):,.{digits(delta, 'percent')}f} points"
    return number(abs(delta), row["delta_unit"], currency)


def day(date: datetime.date | None) -> str:
    return f"{date.day} {date:%b %Y}" if date else NOTHING


def days(start: datetime.date, end: datetime.date) -> str:
    """ "2 to 31 Oct 2025": what both days share is said once."""
    if start == end:
        return day(end)
    if (start.year, start.month) == (end.year, end.month):
        return f"{start.day} to {day(end)}"
    if start.year == end.year:
        return f"{start.day} {start:%b} to {day(end)}"
    return f"{day(start)} to {day(end)}"


def month(date: datetime.date) -> str:
    return f"{date:%B %Y}"


def instant(moment: datetime.datetime) -> str:
    return f"{day(moment)}, {moment:%H:%M} UTC"


# As they are called on cards and charts.
CALLED = {"revenue_impact": "assistant_revenue", "total_customers": "customers"}


def words(name: str) -> str:
    """A stored word or a column's name for people: "not_configured", "ai_feature"."""
    name = CALLED.get(name, name)
    text = " ".join(
        word.upper() if word in SHORT else word
        for word in name.replace("_", " ").split()
    )
    return text[:1].upper() + text[1:]


def iso(value: Any) -> str:
    """A day or an instant for a script; nothing for all else."""
    if isinstance(value, datetime.datetime):
        return value.isoformat() + "Z"
    return value.isoformat() if isinstance(value, datetime.date) else ""


def cell(value: Any, unit: str | None, currency: str | None) -> str:
    """Any value in a table."""
    if value is None or value == "":
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return number(value, unit, currency)
    if isinstance(value, datetime.datetime):
        return instant(value)
    if isinstance(value, datetime.date):
        return day(value)
    return str(value)
