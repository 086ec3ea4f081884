"""Cells from text or JSON: of their column's type, or refused with advice."""

from __future__ import annotations

import datetime
import math
import re
from typing import Any

INTEGER = re.compile(r"[+-]?[0-9]+(\.0+)?")
REAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
EUROPEAN = re.compile(r"[+-]?\d{1,3}(\.\d{3})*,\d+|[+-]?\d+,\d+")
# A thousand where a comma is for decimals; one with three decimals elsewhere.
POINTED = re.compile(r"[+-]?[1-9][0-9]{0,2}(\.[0-9]{3})+")
GROUPED = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?")
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
INSTANT = re.compile(
    DAY.pattern + r"([ T][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?"
    r"(Z|[+-][0-9]{2}:?[0-9]{2})?)?"
)
LONGEST = 60  # characters of a value in a message
INFINITE = float("inf")


class Cell:
    """One column: turns a text or a JSON value into what the database takes.

    `blank` says that an empty text is NULL in text columns, too (CSV has no other).
    """

    def __init__(self, column: dict[str, Any], blank: bool = True) -> None:
        self.kind: str = column["type"]
        self.required: bool = column["required"]
        self.low, self.high = limits(column["range"])
        self.blank = blank or self.kind != "TEXT"
        self.parse = {
            "INTEGER": self.integer, "REAL": self.real, "DATE": self.day,
            "TIMESTAMP": self.instant,
        }.get(self.kind, self.text)  # fmt: skip

    def __call__(self, value: Any) -> Any:
        found = self.typed(value)
        if self.low is None or not isinstance(found, (int, float)):
            return found
        if not self.low <= found <= self.high:
            wanted = f"{self.low:g} or more" if self.high == INFINITE else (
                f"{self.low:g} to {self.high:g}")  # fmt: skip
            raise ValueError(f"expected {wanted}, got {short(value)}")
        return found

    def typed(self, value: Any) -> Any:
        """Of the column's type; not whether it is within the column's range."""
        if value is None or (value == "" and self.blank):
            return None
        return self.parse(value)

    def integer(self, value: Any) -> int:
        found = None
        if isinstance(value, str):
            text = value.strip()
            unclear = POINTED.fullmatch(text)
            if INTEGER.fullmatch(text) and not unclear and len(text) < 40:
                found = int(text.split(".")[0])
        elif isinstance(value, float):
            found = int(value) if value.is_integer() else None
        elif isinstance(value, int) and not isinstance(value, bool):
            found = value
        if found is None or not -(2**63) <= found < 2**63:
            raise ValueError(number_advice(value, "an integer"))
        return found

    def real(self, value: Any) -> float:
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if number or (isinstance(value, str) and REAL.fullmatch(value.strip())):
            try:
                found = float(value)
            except OverflowError:
                found = INFINITE
            if math.isfinite(found):
                return found
        raise ValueError(number_advice(value, "a number"))

    def text(self, value: Any) -> str:
        if isinstance(value, str):
            return value
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return str(value)
        raise ValueError(f"expected text, got {short(value)}")

    def day(self, value: Any) -> str:
        return self.time(value, "a day as YYYY-MM-DD")

    def instant(self, value: Any) -> str:
        return self.time(value, "a time as YYYY-MM-DD HH:MM:SS")

    def time(self, value: Any, wanted: str) -> str:
        text = value.strip() if isinstance(value, str) else ""
        try:
            if INSTANT.fullmatch(text):
                datetime.datetime.fromisoformat(text)
                return text
        except ValueError:
            pass
        raise ValueError(date_advice(value, wanted))


def limits(text: str) -> tuple[float | None, float]:
    """The bounds of a range as the schema writes it: ">= 0", "0..100"."""
    if text == ">= 0":
        return 0, INFINITE
    found = re.fullmatch(r"(\d+)\.\.(\d+)", text)
    return (int(found[1]), int(found[2])) if found else (None, INFINITE)


def short(value: Any) -> str:
    """The value in a message, not longer than a line."""
    text = value[: LONGEST + 1] if isinstance(value, str) else value
    shown = repr(text)
    if len(shown) <= LONGEST:
        return shown
    size = f" ({len(value):,} characters)" if isinstance(value, str) else ""
    return f"{shown[:LONGEST]}...{size}"


def number_advice(value: Any, wanted: str) -> str:
    text = value.strip() if isinstance(value, str) and len(value) < LONGEST else ""
    advice = ""
    if EUROPEAN.fullmatch(text):
        advice = "; decimals need a point: " + text.replace(".", "").replace(",", ".")
        if GROUPED.fullmatch(text):
            advice = "; write it with a point for decimals and without commas else"
    elif GROUPED.fullmatch(text):
        advice = "; write it without commas: " + text.replace(",", "")
    elif POINTED.fullmatch(text):
        advice = "; write it without points: " + text.replace(".", "")
    elif text.strip("$€£₹% ") != text:
        advice = "; write the number alone"
    return f"expected {wanted}, got {short(value)}{advice}"


def date_advice(value: Any, wanted: str) -> str:
    text = value.strip() if isinstance(value, str) else ""
    parts = re.fullmatch(r"(\d{1,2})([./-])(\d{1,2})[./-](\d{4})(.*)", text)
    advice = ""
    if parts and parts[2] == ".":
        advice = f"; write {parts[4]}-{int(parts[3]):02}-{int(parts[1]):02}{parts[5]}"
    elif parts:
        advice = "; day and month cannot be told apart in this form"
    return f"expected {wanted}, got {short(value)}{advice}"
