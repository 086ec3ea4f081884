"""/api/v1: every table, to read, to write and to ask for figures.

known       what there is to know of a table: all follows from Table.schema
asked       the query string as arguments; formats: rows in the form wanted
read, figures, write     the routes
incoming    request bodies;  errors: what the core says, as an answer
openapi     the routes as an OpenAPI document;  page: the same for people
"""

from __future__ import annotations

from flask import Blueprint

from .. import guard
from . import figures, openapi, page, read, write

PREFIX = "/api/v1"


def blueprint() -> Blueprint:
    """All its routes; the names of the views are those of the rules below."""
    made = Blueprint(
        "v1",
        __name__,
        url_prefix=PREFIX,
    )
    table, one = "/tables/<table>", "/tables/<table>/<int(signed=True):id>"
    made.get("", endpoint="no_slash")(guard.add_slash)
    made.get("/", endpoint="index")(page.index)
    made.get("/openapi.json", endpoint="openapi")(openapi.answer)
    made.get("/tables", endpoint="tables")(read.tables)
    made.get(table, endpoint="rows")(read.rows)
    made.get(f"{table}/schema", endpoint="schema")(read.schema)
    made.get(one, endpoint="row")(read.row)
    for name, figure in figures.FIGURES.items():
        made.get(f"{table}/{name}", endpoint=name)(figures.view(figure))
    made.post(table, endpoint="add")(write.add)
    made.post(f"{table}/bulk", endpoint="bulk")(write.bulk)
    made.patch(one, endpoint="change")(write.change)
    made.delete(one, endpoint="delete")(write.delete)
    return made
