"""Parameters of a request: each is known, given once, and fits, or it is refused."""

from __future__ import annotations

import datetime
import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from flask import request

from .refused import bad

WINDOW = ("period", "start", "end", "as_of")
IGNORED = ("_t",)  # older pages send it against caches
LONGEST = 200  # characters of a value that is shown in a message
TAG = "[0-9A-Za-z.-]{1,200}"  # of State.tag()


def integer(low: int, high: int) -> Callable[[str, str], int]:
    def parse(name: str, text: str) -> int:
        digits = text.removeprefix("-")
        if digits.isascii() and digits.isdigit() and len(digits) < 20:
            number = int(text)
            if low <= number <= high:
                return number
        raise bad(
            name, f"{name} is a whole number from {low} to {high}; got {shown(text)}"
        )

    return parse


def choice(*words: str) -> Callable[[str, str], str]:
    def parse(name: str, text: str) -> str:
        if text in words:
            return text
        raise bad(name, f"{name} is one of {', '.join(words)}; got {shown(text)}")

    return parse


def day(name: str, text: str) -> datetime.date:
    try:
        if len(text) == 10 and text[4] == text[7] == "-":  # no week dates
            return datetime.date.fromisoformat(text)
    except ValueError:
        pass
    raise bad(name, f"{name} is a day as 2025-10-31; got {shown(text)}")


def instant(name: str, text: str) -> datetime.datetime:
    """Naive and in UTC, as the database has them."""
    try:
        if len(text) > 10:
            moment = datetime.datetime.fromisoformat(text)
            if moment.tzinfo is not None:
                moment = moment.astimezone(datetime.UTC).replace(tzinfo=None)
            return moment
    except (ValueError, OverflowError):
        pass
    raise bad(name, f"{name} is an instant as 2025-10-31T09:30:00Z; got {shown(text)}")


def word(name: str, text: str) -> str:
    if text and len(text) <= LONGEST and text.isprintable():
        return text
    raise bad(name, f"{name} is 1 to {LONGEST} printable characters")


def tag(name: str, text: str) -> str:
    if re.fullmatch(TAG, text):
        return text
    raise bad(name, f"{name} is the id of an event, unchanged")


PARSERS: dict[str, Callable[[str, str], Any]] = {
    "period": word,  # the core knows which there are
    "start": day,
    "end": day,
    "as_of": day,
    "limit": integer(1, 1000),
    "mode": choice("ring"),
    "since": instant,
    "after": word,
    "seen": tag,
}


def shown(text: str) -> str:
    """What was given, for a message: one line, and not for ever."""
    return repr(text if len(text) <= 40 else text[:40] + "...")


def once(
    names: Iterable[str], pairs: Iterable[tuple[str, str]] | None = None
) -> dict[str, str]:
    """The query string as a dict; all of it is among `names`, once. `pairs` are its
    words where that is not the request's."""
    allowed = tuple(names)
    found: dict[str, str] = {}
    for name, value in request.args.items(multi=True) if pairs is None else pairs:
        if name in IGNORED:
            continue
        if name not in allowed:
            raise bad(name[:LONGEST], unknown(name, allowed))
        if name in found:
            raise bad(name, f"{name} is given more than once")
        found[name] = value
    return found


def unknown(name: str, allowed: Iterable[str]) -> str:
    allowed = list(allowed)
    text = f"there is no parameter {shown(name)}"
    near = nearest(name, allowed)
    if near or not allowed:
        return f"{text}{near}" if near else f"{text} here"
    return f"{text}; there are {', '.join(allowed)}"


def nearest(name: str, valid: Iterable[str]) -> str:
    """What was probably meant, as the end of a message; or nothing."""
    near = difflib.get_close_matches(name[:LONGEST], list(valid), 1)
    return f"; nearest: {near[0]}" if near else ""


def parse(
    names: Iterable[str], pairs: Iterable[tuple[str, str]] | None = None
) -> dict[str, Any]:
    """The query string by the parsers of this module."""
    found = once(names, pairs)
    return {name: PARSERS[name](name, text) for name, text in found.items()}


def split_window(given: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """(what says which days are meant, all the rest)."""
    window = {name: value for name, value in given.items() if name in WINDOW}
    return window, {name: value for name, value in given.items() if name not in window}
