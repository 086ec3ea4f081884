"""The query string of /api/v1 as arguments of the core.

A column's name is a filter by it. A value is of the column's type; an empty one is
NULL. Lists are names with commas between them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from datetime import date
from typing import Any

from .. import params
from ..refused import Refused, bad
from .known import Known

DAYS = ("date", *params.WINDOW)
PERIOD = re.compile(r"mtd|qtd|ytd|[1-9][0-9]{0,3}[dwm]|[1-9][0-9]{0,2}y")
ZONE = re.compile(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*")
SPAN = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})\.\.([0-9]{4}-[0-9]{2}-[0-9]{2})")
TOKEN = re.compile(r"[A-Za-z0-9_-]{1,4000}")
EVERY = {"day": 1, "week": 7, "month": 28, "quarter": 90, "year": 365, "window": 10**7}
BUCKETS = 10_000  # of one series: 27 years of days
FIGURES = 100_000  # rows of one answer


def period(name: str, text: str) -> str:
    if PERIOD.fullmatch(text):
        return text
    raise bad(
        name,
        f'{name} is a number and d, w, m or y, as "30d" or "12m", or one of mtd, qtd'
        f" and ytd; got {params.shown(text)}",
    )


def zone(name: str, text: str) -> str:
    if ZONE.fullmatch(text) and len(text) <= params.LONGEST:
        return text  # the core knows which there are
    raise bad(name, f"{name} is a time zone's name, as Europe/Berlin")


def span(name: str, text: str) -> Any:
    if text in ("previous_period", "previous_year"):
        return text
    found = SPAN.fullmatch(text)
    if not found:
        raise bad(
            name,
            f"{name} is previous_period, previous_year or two days as"
            f" 2025-01-01..2025-01-31; got {params.shown(text)}",
        )
    return params.day(name, found[1]), params.day(name, found[2])


def token(name: str, text: str) -> str:
    if TOKEN.fullmatch(text):
        return text
    raise bad(name, f"{name} is the `next` of the page before, unchanged")


PARSERS: dict[str, Callable[[str, str], Any]] = {
    "date": params.day,
    "start": params.day,
    "end": params.day,
    "as_of": params.day,
    "period": period,
    "zone": zone,
    "to": span,
    "after": token,
    "every": params.choice(*EVERY),
    "fill": params.choice("0", "previous"),
}


def parse(known: Known, given: Mapping[str, str], lists: Mapping[str, Any]) -> Any:
    """What was given, parsed: `lists` says for names of columns which there may be, and
    has a parser for what no table changes."""
    found: dict[str, Any] = {}
    for name, text in given.items():
        if name == "format":
            continue
        special = lists.get(name) or PARSERS.get(name)
        if special is None:
            found[name] = value_of(known, name, text)
        elif callable(special):
            found[name] = special(name, text)
        else:
            found[name] = names_in(known, name, text, special)
    if found.get("fill") == "0":
        found["fill"] = 0
    return found


def value_of(known: Known, name: str, text: str) -> Any:
    """A filter's value."""
    try:
        return known.cells[name].typed(text)
    except ValueError as error:
        raise bad(name, f"{name}: {error}") from None


def names_in(known: Known, name: str, text: str, valid: Collection[str]) -> list[str]:
    """Some of the columns `valid`, each once."""
    words = text.split(",")
    for word in words:
        if word not in valid:
            raise bad(name, unknown_column(known, name, word, valid))
        if words.count(word) > 1:
            raise bad(name, f"{name} has {word} twice")
    return words


def one_of(known: Known, valid: Collection[str]) -> Callable[[str, str], str]:
    def parse_one(name: str, text: str) -> str:
        if text in valid:
            return text
        raise bad(name, unknown_column(known, name, text, valid))

    return parse_one


def unknown_column(known: Known, name: str, word: str, valid: Collection[str]) -> str:
    column = word.removeprefix("-")
    if column in known.secret:
        return f"{name}: {column} is secret"
    if column in known.columns:
        return f"{name}: {column} is not one of {', '.join(valid)}"
    near = params.nearest(word, valid)
    return f"{name}: {known.name} has no column {params.shown(column)}{near}"


def once(known: Known, names: Collection[str]) -> dict[str, str]:
    """The query string; it has parameters `names` and filters alone."""
    from flask import request

    for name in request.args:
        if name in known.secret:
            raise bad(name, f"{name} is secret: it is in no filter")
    return params.once((*names, *known.open))


def order(known: Known) -> tuple[str, ...]:
    return (*known.open, *(f"-{name}" for name in known.open))


def check_span(given: Mapping[str, Any]) -> None:
    """Refuse a series of so many buckets that nobody could look at them."""
    days = 0
    if "start" in given:
        last = given.get("end") or given.get("as_of") or date.today()
        days = (last - given["start"]).days
    elif given.get("period", "")[:1].isdigit():
        per = {"d": 1, "w": 7, "m": 31, "y": 366}
        days = int(given["period"][:-1]) * per[given["period"][-1]]
    if days // EVERY[given.get("every", "day")] > BUCKETS:
        name = "start" if "start" in given else "period"
        text = f"{name}: that is more than {BUCKETS} points; every= makes longer ones"
        raise Refused(400, "bad_combination", text, name)
