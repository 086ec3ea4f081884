"""Reading tables: which there are, pages of their rows, one row, what columns mean."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from flask import Response, request, url_for

from ..._core import Table
from ..answers import Body, kept
from ..params import integer, once
from ..refused import Refused
from ..state import current
from . import asked, errors, formats
from .known import Known, find, of

LIMIT = 100  # rows of a page, unless asked otherwise
PAGE = ("columns", "order_by", "limit", "after", "format")


def parameters(known: Known) -> tuple[str, ...]:
    """Of a page of rows, without the filters."""
    return (*PAGE, *asked.DAYS) if known.time_column else PAGE


def tables() -> Response:
    once(())
    return kept("v1 tables", lambda: {"success": True, "data": listing()})


def listing() -> list[dict[str, Any]]:
    return [
        {
            "name": known.name,
            "description": known.description,
            "shape": known.shape,
            "time_column": known.time_column,
            "key": list(known.key),
            "rows": url_for("smartshopie.v1.rows", table=known.name),
            "schema": url_for("smartshopie.v1.schema", table=known.name),
        }
        for known in map(of, current().db.tables.values())
    ]


def schema(table: str) -> Response:
    known = find(table)[1]
    once(())
    columns = list(known.columns.values())
    return kept(
        ("v1 schema", table),
        lambda: {
            "success": True,
            "table": known.name,
            "description": known.description,
            "shape": known.shape,
            "time_column": known.time_column,
            "data": columns,
        },
    )


def rows(table: str) -> Response:
    found, known = find(table)
    given = asked.once(known, parameters(known))
    form = formats.wanted(given.get("format"))
    most = current().settings.max_rows
    lists = {
        "columns": known.columns,
        "order_by": asked.order(known),
        "limit": integer(1, most),
    }
    arguments = asked.parse(known, given, lists)
    arguments.setdefault("limit", min(LIMIT, most))
    if form == "arrow" and known.secret:
        arguments.setdefault("columns", known.open)
    key = ("v1 rows", table, form, *sorted(given.items()))
    return formats.answer(key, lambda: page(found, known, form, arguments))


def page(found: Table[Any], known: Known, form: str, arguments: dict[str, Any]) -> Body:
    with errors.reading(parameters(known)):
        got = found.select(**arguments)
    token = got.next_token
    link = next_link(token) if token else None
    tail: dict[str, Any] = {"next": token, "next_link": link}
    if got.notes:
        tail["notes"] = notes(known, got.notes)
    headers = (("Link", f'<{link}>; rel="next"'),) if link else ()
    head = {"table": known.name}
    return formats.body(got, form, known.name, known.secret, head, tail, headers)


def next_link(token: str) -> str:
    """The same request, but for where it goes on."""
    same = [pair for pair in request.args.items() if pair[0] not in ("after", "_t")]
    query = urlencode([*same, ("after", token)])
    return f"{request.script_root}{request.path}?{query}"


def notes(known: Known, found: Any) -> list[dict[str, Any]]:
    """Cells of the file that do not fit their columns and are null here."""
    return [
        {name: value for name, value in note.items() if name != "value"}
        if note.get("column") in known.secret
        else note
        for note in found
    ]


def row(table: str, id: int) -> Response:
    found, known = find(table)
    given = once(("columns", "format"))
    form = formats.wanted(given.get("format"))
    arguments = asked.parse(known, given, {"columns": known.columns})
    if form == "arrow" and known.secret:
        arguments.setdefault("columns", known.open)
    key = ("v1 row", table, id, form, *sorted(given.items()))
    return formats.answer(key, lambda: one(found, known, id, form, arguments))


def one(
    found: Table[Any], known: Known, id: int, form: str, arguments: dict[str, Any]
) -> Body:
    got = found.select(id=id, **arguments) if is_id(id) else ()
    if not got:
        raise no_row(known, id)
    if form != "json":
        return formats.body(got, form, known.name, known.secret, {}, {})
    prefix, suffix = formats.around({"table": known.name}, {})
    data = got[0].to_json(redact=True, prefix=prefix, suffix=suffix)
    return Body(data, formats.TYPES["json"])


def is_id(id: int) -> bool:
    return -(2**63) <= id < 2**63


def no_row(known: Known, id: int) -> Refused:
    return Refused(404, "not_found", f"{known.name} has no row {str(id)[:40]}")
