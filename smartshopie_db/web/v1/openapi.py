"""/api/v1/openapi.json: all routes as an OpenAPI 3.1 document, made of the tables and
the reports that there are."""

from __future__ import annotations

import hashlib
import weakref
from collections.abc import Callable
from typing import Any

from flask import Response, current_app, request

from ... import __version__
from ...reports import REPORTS
from .. import params
from ..answers import JSON, Body, send, tagged
from ..jsons import encode
from ..state import State, current
from . import describe
from .describe import Part, ref
from .figures import FIGURES
from .known import Known, of
from .read import parameters

WINDOWED = [ref("parameters", name) for name in params.WINDOW]
BULK = ("application/json", "application/x-ndjson", "text/csv")
ABOUT = """\
Every table of the shop's database, to read and, where the server allows it, to write.

Answers are `{"success": true, "data": ...}`, errors `{"success": false, "error":
{"code", "param", "message"}}`. Rows and figures also come as CSV, NDJSON and Arrow, by
`?format=` or the header Accept. Answers have an ETag that changes with the data:
`If-None-Match` gets 304 while nothing has. Days are ISO days, instants are in UTC.
Columns are filters: `?column=value`, and an empty value means those without one.
"""

Made = dict[Any, tuple[str, Body, str]]
_made: weakref.WeakKeyDictionary[State, Made] = weakref.WeakKeyDictionary()


def answer() -> Response:
    params.once(())
    return unchanging(whole)


def whole() -> Body:
    return Body(encode(document()), JSON)


def unchanging(make: Callable[[], Body], shown: str = "") -> Response:
    """An answer that stays the same as long as the server runs, is called by the same
    name and has the same to show: one is kept."""
    kept = _made.setdefault(current(), {})
    asked = request.root_url + shown
    place, body, tag = kept.get(make, ("", Body(b"", ""), ""))
    if place != asked:
        body = make()
        tag = hashlib.sha256(body.data).hexdigest()[:16]
        kept[make] = asked, body, tag
    if request.if_none_match.contains_weak(tag):
        return tagged(Response(status=304), tag)
    return tagged(send(body), tag)


def document() -> Part:
    settings = current().settings
    tables = [of(table) for table in current().db.tables.values()]
    prefix = request.script_root + settings.url_prefix
    paths: dict[str, Part] = {**general()}
    for known in tables:
        paths.update(of_table(known))
    paths.update(of_reports(settings.url_prefix))
    named = describe.common(settings.max_rows)
    schemas = {"error": describe.ERROR, "figures": describe.FIGURE_ROW}
    for known in tables:
        named.update(describe.filter_parts(known))
        schemas[known.name] = describe.stored(known)
        schemas[f"{known.name}_new"] = describe.given(known, new=True)
        schemas[f"{known.name}_change"] = describe.given(known, new=False)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"{settings.title}: API",
            "version": __version__,
            "description": ABOUT,
        },
        "servers": [{"url": prefix or "/"}],
        "tags": [
            {"name": GENERAL},
            {"name": REPORT, "description": "What the dashboard shows."},
            *({"name": k.name, "description": k.description} for k in tables),
        ],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "parameters": named,
            "responses": describe.refusals(),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


GENERAL, REPORT = "general", "dashboard"


def operation(
    name: str,
    summary: str,
    tag: str,
    responses: dict[int, Part],
    parameters: list[Part] | None = None,
    refuses: tuple[int, ...] = (400,),
    **more: Any,
) -> Part:
    answers: Part = {str(status): made for status, made in responses.items()}
    answers.update({str(s): ref("responses", str(s)) for s in sorted(refuses)})
    return {
        "operationId": name,
        "summary": summary,
        "tags": [tag],
        **({"parameters": parameters} if parameters else {}),
        **more,
        "responses": answers,
    }


def reading(
    name: str,
    summary: str,
    tag: str,
    content: Part,
    parameters: list[Part] | None = None,
    refuses: tuple[int, ...] = (),
) -> Part:
    found = described("What was asked for.", content)
    same = {"description": "It is what If-None-Match says."}
    refused = (400, 503, *refuses)
    return operation(
        name, summary, tag, {200: found, 304: same}, parameters, refused
    )  # fmt: skip


def as_json(schema: Part) -> Part:
    return {JSON: {"schema": schema}}


def general() -> dict[str, Part]:
    anything = as_json(describe.envelope({"type": "object"}))
    page = {**anything, "text/html": {"schema": {"type": "string"}}}
    tables = as_json(describe.envelope({"type": "array", "items": {"type": "object"}}))
    document = as_json({"type": "object"})
    return {
        "/api/v1/": {
            "get": reading("index", "This interface, for people", GENERAL, page)
        },
        "/api/v1/openapi.json": {
            "get": reading("openapi", "This interface, for programs", GENERAL, document)
        },
        "/api/v1/tables": {
            "get": reading("tables", "Which tables there are", GENERAL, tables)
        },
        **server(),
    }


def server() -> dict[str, Part]:
    """What is not of the data but of who serves it."""
    healthy = {"type": "object", "properties": {"status": {"const": "ok"}}}
    text: Part = {"schema": {"type": "string"}}
    version = {"type": "string", "pattern": f"^{params.TAG}$"}
    event: Part = {
        "type": "object",
        "properties": {
            "event": {"const": "changed"},
            "id": version,
            "data": {"type": "string"},
            "retry": {"type": "integer"},
        },
    }
    made = {
        "/api/v1/events": operation(
            "events",
            "Server-sent events that say when the data has changed",
            GENERAL,
            {200: described("What happens.", {"text/event-stream": {"schema": event}})},
            [ref("parameters", "seen")],
        ),
        "/healthz": operation(
            "healthz",
            "Whether the database can be read",
            GENERAL,
            {200: described("It can.", as_json(healthy))},
            refuses=(400, 503),
        ),
    }
    if current().settings.metrics:
        made["/metrics"] = operation(
            "metrics",
            "What the server has done, for Prometheus",
            GENERAL,
            {200: described("Figures of one process.", {"text/plain": text})},
        )
    return {path: {"get": found} for path, found in made.items()}


def described(text: str, content: Part) -> Part:
    return {"description": text, "content": content}


def of_table(known: Known) -> dict[str, Part]:
    base, name = f"/api/v1/tables/{known.name}", known.name
    paths: dict[str, Part] = {
        base: {"get": page_of(known), "post": add(known)},
        f"{base}/bulk": {"post": bulk(known)},
        f"{base}/schema": {"get": schema_of(known)},
        f"{base}/{{id}}": {
            "parameters": [ref("parameters", "id")],
            "get": row_of(known),
            "patch": change(known),
            "delete": delete(known),
        },
    }
    rows = describe.envelope(
        {"type": "array", "items": ref("schemas", "figures")}, name
    )
    for figure in FIGURES.values():
        if figure.exists(known):
            asked = [*describe.of_figure(figure, known), *describe.filters(known)]
            content = describe.in_all_forms(rows)
            made = reading(
                f"{name}_{figure.name}", figure.summary, name, content, asked, (406,)
            )
            paths[f"{base}/{figure.name}"] = {"get": made}
    return paths


def columns(known: Known) -> Part:
    return describe.words("columns", known.columns, "Only these columns.")


def page_of(known: Known) -> Part:
    items = {"type": "array", "items": ref("schemas", known.name)}
    content = describe.in_all_forms(
        describe.envelope(items, known.name, **describe.PAGED)
    )
    signs = [f"{sign}{name}" for name in known.open for sign in ("", "-")]
    own = {
        "columns": columns(known),
        "order_by": describe.words("order_by", signs, "The order; - is descending."),
    }
    names = parameters(known)
    asked = [own[n] if n in own else ref("parameters", n) for n in names]
    asked += describe.filters(known)
    return reading(
        f"{known.name}_rows", "Rows, page by page", known.name, content, asked, (406,)
    )


def row_of(known: Known) -> Part:
    content = describe.in_all_forms(
        describe.envelope(ref("schemas", known.name), known.name)
    )
    asked = [columns(known), ref("parameters", "format")]
    return reading(
        f"{known.name}_row", "One row", known.name, content, asked, (404, 406)
    )


def schema_of(known: Known) -> Part:
    data = {"type": "array", "items": {"type": "object"}}
    more: Part = {
        "description": {"type": "string"},
        "shape": {"type": "string"},
        "time_column": {"type": ["string", "null"]},
    }
    content = as_json(describe.envelope(data, known.name, **more))
    text = "What its columns mean, their units and ranges"
    return reading(f"{known.name}_schema", text, known.name, content)


# ---- writing -------------------------------------------------------------------------

WRITES = (400, 401, 403, 408, 409, 411, 413, 415, 422, 503, 507)
CONFLICT = [ref("parameters", "on_conflict")]


def writing(
    name: str,
    known: Known,
    summary: str,
    responses: dict[int, Part],
    body: Part | None,
    refuses: tuple[int, ...],
    parameters: list[Part] | None = None,
) -> Part:
    more: Part = {"security": [{"token": []}]}
    if body is not None:
        more["requestBody"] = {"required": True, "content": body}
    return operation(
        f"{known.name}_{name}", summary, known.name, responses, parameters, refuses,
        **more,
    )  # fmt: skip


def result(known: Known, text: str, *words: str) -> Part:
    data = {
        "type": "object",
        "properties": {"id": {"type": "integer"}, "result": {"enum": list(words)}},
        "required": ["id", "result"],
        "additionalProperties": False,
    }
    return {
        "description": text,
        "content": as_json(describe.envelope(data, known.name)),
    }


def add(known: Known) -> Part:
    responses = {
        200: result(known, "The key was there.", "updated", "ignored"),
        201: result(known, "A new row; Location is where.", "inserted"),
    }
    body = as_json(ref("schemas", f"{known.name}_new"))
    text = "Add a row, or update that with its key"
    return writing("add", known, text, responses, body, WRITES, CONFLICT)


def bulk(known: Known) -> Part:
    names = ("inserted", "updated", "ignored")
    data = {
        "type": "object",
        "properties": {name: {"type": "integer"} for name in names},
        "required": list(names),
        "additionalProperties": False,
    }
    done = {
        "description": "All rows are in.",
        "content": as_json(describe.envelope(data, known.name)),
    }
    rows = {"type": "array", "items": ref("schemas", f"{known.name}_new")}
    text: Part = {"schema": {"type": "string"}}
    body = dict.fromkeys(BULK[1:], text)
    summary = "Add many rows: all of them, or none"
    content = {**as_json(rows), **body}
    return writing("bulk", known, summary, {200: done}, content, WRITES, CONFLICT)


def change(known: Known) -> Part:
    responses = {200: result(known, "It is changed.", "updated")}
    body = as_json(ref("schemas", f"{known.name}_change"))
    return writing(
        "change", known, "Change a row", responses, body, (*WRITES, 404)
    )  # fmt: skip


def delete(known: Known) -> Part:
    responses = {200: result(known, "It is gone.", "deleted")}
    refuses = (400, 401, 403, 404, 409, 503, 507)
    return writing("delete", known, "Delete a row", responses, None, refuses)


# ---- the dashboard's routes ----------------------------------------------------------


def of_reports(prefix: str) -> dict[str, Part]:
    """Those of the reports that this app has a route for."""
    routes = {rule.rule for rule in current_app.url_map.iter_rules()}
    schema = {
        "type": "object",
        "properties": {"success": {"const": True}, "data": {}},
        "required": ["success"],
    }
    paths = {}
    for path, report in REPORTS.items():
        if f"{prefix}/api/{path}" in routes:
            own = [ref("parameters", f"report_{name}") for name in report.parameters]
            name = path.replace("/", "_").replace("-", "_")
            paths[f"/api/{path}"] = {
                "get": reading(
                    f"dashboard_{name}",
                    report.summary,
                    REPORT,
                    as_json(schema),
                    WINDOWED + own,
                )
            }
    return paths
