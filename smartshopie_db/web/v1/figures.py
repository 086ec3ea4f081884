"""Figures over time of one table: db.series, compare, top and breakdown by HTTP."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Response

from ..._core import Rows
from ..answers import Body
from ..params import WINDOW, integer
from ..refused import Refused, bad
from ..state import current
from . import asked, errors, formats
from .known import Known, find

TIMED = (*WINDOW, "zone")


@dataclass(frozen=True)
class Figure:
    """One of the questions. `own` are its parameters beside window and filters."""

    name: str
    own: tuple[str, ...]
    needs: tuple[str, ...]
    timed: bool  # only for tables with a time
    summary: str

    def parameters(self, known: Known) -> tuple[str, ...]:
        return (*self.own, *(TIMED if known.time_column else ()), "format")

    def needed(self, known: Known) -> tuple[str, ...]:
        by = ("by",) if "column" in self.needs and known.one_a_step else ()
        return (*self.needs, *by)

    def measures(self, known: Known) -> tuple[str, ...]:
        return known.parts if self.name == "breakdown" else known.measures

    def exists(self, known: Known) -> bool:
        return known.time_column is not None or not self.timed

    def sized(self, known: Known, most: int) -> dict[str, Any]:
        """What its own parameters may be, for asked.parse."""
        return {
            "columns": self.measures(known),
            "column": asked.one_of(known, self.measures(known)),
            "by": known.open,
            "n": integer(1, most),
        }


FIGURES = {
    figure.name: figure
    for figure in (
        Figure(
            "series",
            ("columns", "every", "by", "fill"),
            (),
            True,
            "Figures for each day, week, month, quarter or year",
        ),
        Figure(
            "compare",
            ("columns", "to"),
            (),
            True,
            "Figures of a window beside those of the window before",
        ),
        Figure(
            "top", ("column", "n", "by"), ("column",), False, "The groups with the most"
        ),
        Figure(
            "breakdown",
            ("column", "by"),
            ("column",),
            False,
            "All groups, with their shares of the whole",
        ),
    )
}


def view(figure: Figure) -> Callable[[str], Response]:
    def answer(table: str) -> Response:
        known = find(table)[1]
        if not figure.exists(known):
            text = (
                f"{known.name} has no time column, so there is no {figure.name} of it"
            )
            raise Refused(404, "not_found", text)
        given = asked.once(known, figure.parameters(known))
        for name in figure.needed(known):
            if name not in given:
                raise bad(name, f"{figure.name} needs the parameter {name}")
        form = formats.wanted(given.get("format"))
        sized = figure.sized(known, current().settings.max_rows)
        arguments = asked.parse(known, given, sized)
        if figure.name == "series":
            asked.check_span(arguments)
        key = ("v1", figure.name, table, form, *sorted(given.items()))
        return formats.answer(key, lambda: made(figure, known, form, arguments))

    return answer


def made(figure: Figure, known: Known, form: str, arguments: dict[str, Any]) -> Body:
    ask = getattr(current().db, figure.name)
    with errors.reading((*figure.parameters(known), *known.open)):
        got: Rows[Any] = ask(known.name, **arguments)
    if len(got) > asked.FIGURES:
        text = f"that is {len(got)} rows of figures, more than {asked.FIGURES}"
        raise Refused(400, "bad_combination", text, "by" if "by" in arguments else None)
    name = f"{known.name}_{figure.name}"
    head = {"table": known.name}
    return formats.body(got, form, name, known.secret, head, {})
