"""Writing tables: one row, many, a change, a deletion. Off unless the settings say so.

Who writes shows the token before anything of the request is looked at.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from flask import Response, request, url_for

from ..._core import IntegrityError, Table
from ..answers import json_response
from ..guard import need_token
from ..params import choice, once
from ..state import current
from . import errors, incoming
from .known import Known, find
from .read import is_id, no_row

CONFLICTS = ("update", "ignore", "error")
BULK_SECONDS = 60.0  # for moving many rows; the limit of reads would be too short
Conflict = Literal["update", "ignore", "error"]


def begin(most: int, *names: str) -> dict[str, str]:
    """Refuse who may not write; the query string of who may."""
    need_token()
    request.max_content_length = most
    return once(names)


def on_conflict(given: dict[str, str]) -> Any:
    return choice(*CONFLICTS)("on_conflict", given.get("on_conflict", "update"))


def done(known: Known, data: dict[str, Any], status: int = 200) -> Response:
    answer = {"success": True, "table": known.name, "data": data}
    return json_response(answer, status)


def add(table: str) -> Response:
    given = begin(current().settings.max_body, "on_conflict")
    conflict = on_conflict(given)
    found, known = find(table)
    row = incoming.typed(known, incoming.one(), known.strict)
    with errors.writing(known.name):
        id, result = add_row(found, row, conflict)
    response = done(known, {"id": id, "result": result}, 201 if result == NEW else 200)
    response.headers["Location"] = url_for("smartshopie.v1.row", table=table, id=id)
    return response


NEW = "inserted"


def add_row(
    found: Table[Any], row: dict[str, Any], conflict: Conflict
) -> tuple[int, str]:
    """(its id, what was done with it). An id is never given twice, so that of a row
    which went between the two steps tells that this one is new."""
    try:
        return found.add(on_conflict="error", **row), NEW
    except IntegrityError as error:
        there = error.row if error.sqlite_errorname == UNIQUE else None
        if there is None or conflict == "error":
            raise
    id = found.add(on_conflict=conflict, **row)
    if id != there:
        return id, NEW
    return id, "updated" if conflict == "update" else "ignored"


UNIQUE = "SQLITE_CONSTRAINT_UNIQUE"


def bulk(table: str) -> Response:
    given = begin(current().settings.max_bulk, "on_conflict")
    conflict = on_conflict(given)
    found, known = find(table)
    rows = incoming.rows(known)
    with errors.writing(known.name):
        counts = found.add_many(rows, on_conflict=conflict, timeout=BULK_SECONDS)
    names = counts.__match_args__
    return done(known, dict(zip(names, counts, strict=True)))


def change(table: str, id: int) -> Response:
    begin(current().settings.max_body)
    found, known = find(table)
    row = incoming.typed(known, incoming.one(), known.strict)
    if "id" in row:
        text = "id: a row keeps its id"
        raise errors.in_row(422, "bad_value", text, known.name, "id", None)
    if not row:
        text = "name at least one column to change"
        raise errors.in_row(422, "bad_value", text, known.name, None, None)
    return changed(known, id, "updated", lambda: found.update(id, **row))


def delete(table: str, id: int) -> Response:
    begin(current().settings.max_body)
    found, known = find(table)
    return changed(known, id, "deleted", lambda: found.delete(id))


def changed(known: Known, id: int, result: str, run: Callable[[], int]) -> Response:
    with errors.writing(known.name):
        n = run() if is_id(id) else 0
    if n == 0:
        raise no_row(known, id)
    return done(known, {"id": id, "result": result})
