"""Parts of the OpenAPI document: the schemas of columns, parameters and answers."""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterable
from typing import Any

from ..._cell import INFINITE
from .. import params
from . import asked, figures, formats, incoming
from .known import Known

Part = dict[str, Any]
LOW, HIGH = -(2**63), 2**63 - 1
INSTANT = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{8,15}$"  # in UTC
TYPES: dict[str, Part] = {
    "INTEGER": {"type": "integer", "minimum": LOW, "maximum": HIGH},
    "REAL": {"type": "number"},
    "TEXT": {"type": "string"},
    "DATE": {"type": "string", "format": "date"},
    "TIMESTAMP": {"type": "string", "format": "date-time"},
}


def ref(kind: str, name: str) -> Part:
    return {"$ref": f"#/components/{kind}/{name}"}


def nullable(schema: Part) -> Part:
    return {**schema, "type": [schema["type"], "null"]}


def meaning(column: Part) -> str:
    unit = f" In {column['unit']}." if column["unit"] else ""
    values = column["range"]
    seen = f" As seen: {values}." if values and values[-1].isalpha() else ""
    return f"{column['description']}{unit}{seen}"


def stored(known: Known) -> Part:
    """A row as it is read. A cell that does not fit its column is null."""
    properties = {}
    for name, column in known.columns.items():
        schema = nullable(TYPES[column["type"]])
        if column["type"] == "TIMESTAMP":
            schema = {"type": ["string", "null"], "pattern": INSTANT}
        properties[name] = {**schema, "description": meaning(column)}
    return {
        "type": "object",
        "description": known.description,
        "properties": properties,
        "additionalProperties": False,
    }


def given(known: Known, *, new: bool) -> Part:
    """A row as it is written: a new one, or what changes of one."""
    properties = {
        name: {**to_write(known, name), "description": meaning(column)}
        for name, column in known.columns.items()
        if new or name != "id"
    }
    required = [name for name, column in known.columns.items() if column["required"]]
    more: Part = {"required": required} if new else {"minProperties": 1}
    return {
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
        **more,
    }


def to_write(known: Known, name: str) -> Part:
    cell = known.strict[name]
    schema: Part = dict(TYPES[cell.kind])
    if cell.low is not None:
        schema["minimum"] = int(cell.low)
        if cell.high != INFINITE:
            schema["maximum"] = int(cell.high)
    if name == "id":
        schema["maximum"] = incoming.LAST_ID
    return schema if name in known.filled else nullable(schema)


# ---- parameters ----------------------------------------------------------------------


def parameter(name: str, schema: Part, text: str, required: bool = False) -> Part:
    return {
        "name": name,
        "in": "query",
        "description": text,
        "required": required,
        "schema": schema,
    }


def words(name: str, valid: Iterable[str], text: str, required: bool = False) -> Part:
    """Names with commas between them."""
    items = {"type": "string", "enum": list(valid)}
    schema = {"type": "array", "items": items, "minItems": 1, "uniqueItems": True}
    made = parameter(name, schema, text, required)
    return {**made, "style": "form", "explode": False}


def day(name: str, text: str) -> Part:
    return parameter(name, TYPES["DATE"], text)


# A day that the calendar has; of the leap days it does not tell which are.
DAY = (
    "(?!0000)[0-9]{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])"
    "|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8]))"
)


def common(most: int) -> dict[str, Part]:
    """The parameters that mean the same everywhere."""
    formatted = {"type": "string", "enum": list(formats.TYPES)}
    limit = {"type": "integer", "minimum": 1, "maximum": most}
    zones = sorted(zoneinfo.available_timezones())
    period = {"type": "string", "pattern": f"^({asked.PERIOD.pattern})$"}
    named = {"type": "string", "enum": ["update", "ignore", "error"]}
    ring = {"type": "string", "enum": ["ring"]}
    to = rf"^(previous_period|previous_year|{DAY}\.\.{DAY})$"
    many = {"type": "integer", "minimum": 1, "maximum": 1000}
    parts = {
        "format": parameter("format", formatted, "The form, before the header Accept."),
        "limit": parameter("limit", limit, "Rows of a page; 100 unless given."),
        "after": parameter(
            "after",
            {"type": "string", "pattern": f"^{asked.TOKEN.pattern}$"},
            "Where the page begins: `next` of the page before.",
        ),
        "seen": parameter(
            "seen",
            {"type": "string", "pattern": f"^{params.TAG}$"},
            "The id of the last event that was seen; before the header Last-Event-ID.",
        ),
        "date": day("date", "One day; not with the other parameters of days."),
        "start": day("start", "The first day."),
        "end": day("end", "The last day, included."),
        "as_of": day("as_of", "The day to look back from; the newest unless given."),
        "period": parameter(
            "period", period, "So many days back from as_of, as 30d, 12w, 6m, 1y, mtd."
        ),
        "zone": parameter(
            "zone",
            {"type": "string", "enum": zones},
            "Whose midnights part the days of instants; UTC unless given.",
        ),
        "every": parameter(
            "every",
            {"type": "string", "enum": list(asked.EVERY)},
            "How long a bucket is; a day unless given.",
        ),
        "fill": parameter(
            "fill",
            {"type": "string", "enum": ["0", "previous"]},
            "What stands where nothing is stored; null unless given.",
        ),
        "to": parameter(
            "to",
            {"type": "string", "pattern": to},
            "What to compare with: previous_period (unless given), previous_year,"
            " or two days as 2025-01-01..2025-01-31.",
        ),
        "n": parameter("n", limit, "How many groups; 10 unless given."),
        "on_conflict": parameter(
            "on_conflict", named, "When the key is there: update it (unless given)."
        ),
        "report_limit": parameter("limit", many, "How many items."),
        "report_mode": parameter("mode", ring, "What the figures are laid out for."),
        "report_since": parameter(
            "since", TYPES["TIMESTAMP"], "Only what is newer than this instant."
        ),
    }
    text = {"type": "string", "minLength": 1, "maxLength": 200}
    parts["report_after"] = parameter("after", text, "`next` of the page before.")
    parts["id"] = {
        "name": "id",
        "in": "path",
        "required": True,
        "description": "The row's number.",
        "schema": TYPES["INTEGER"],
    }
    return parts


def filters(known: Known) -> list[Part]:
    return [ref("parameters", f"{known.name}.{name}") for name in known.open]


def filter_parts(known: Known) -> dict[str, Part]:
    """A parameter for each column that is no secret; an empty one is NULL."""
    made = {}
    for name in known.open:
        column = known.columns[name]
        schema = TYPES[column["type"]]
        if schema["type"] != "string":
            schema = {**schema, "type": [schema["type"], "string"], "maxLength": 0}
        elif "format" in schema:
            schema = {"anyOf": [schema, {"type": "string", "maxLength": 0}]}
        text = f"Only rows with this value; empty: with none. {meaning(column)}"
        made[f"{known.name}.{name}"] = parameter(name, schema, text)
    return made


def of_figure(figure: figures.Figure, known: Known) -> list[Part]:
    """The parameters of figures of one table."""
    needed = figure.needed(known)
    lists = {
        "columns": words("columns", figure.measures(known), "Which figures; all."),
        "by": words("by", known.open, "The groups, one a value.", "by" in needed),
        "column": parameter(
            "column",
            {"type": "string", "enum": list(figure.measures(known))},
            "Which figure; `rows` counts rows.",
            True,
        ),
    }
    names = figure.parameters(known)
    return [lists[n] if n in lists else ref("parameters", n) for n in names]


# ---- answers -------------------------------------------------------------------------


def envelope(data: Part, table: str | None = None, **more: Part) -> Part:
    named = {"table": {"const": table}} if table else {}
    properties = {"success": {"const": True}, **named, "data": data, **more}
    required = [name for name in properties if name != "notes"]
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def in_all_forms(schema: Part) -> Part:
    """The content of an answer that has every form."""
    text = {"schema": {"type": "string"}}
    others = {kind: text for kind in formats.BY_TYPE if kind != "application/json"}
    return {"application/json": {"schema": schema}, **others}


PAGED: Part = {
    "next": {"type": ["string", "null"], "description": "The next page's `after`."},
    "next_link": {"type": ["string", "null"], "description": "The next page."},
    "notes": {
        "type": "array",
        "items": {"type": "object"},
        "description": "Cells that do not fit their columns and are null here.",
    },
}
FIGURE_ROW: Part = {
    "type": "object",
    "additionalProperties": {"type": ["number", "string", "null"]},
}
ERROR: Part = {
    "type": "object",
    "properties": {
        "success": {"const": False},
        "error": {
            "type": "object",
            "properties": {
                "code": {"type": "string"},
                "param": {"type": ["string", "null"]},
                "message": {"type": "string"},
                "table": {"type": "string"},
                "column": {"type": ["string", "null"]},
                "row": {"type": ["integer", "null"]},
            },
            "required": ["code", "param", "message"],
            "additionalProperties": False,
        },
    },
    "required": ["success", "error"],
    "additionalProperties": False,
}
REFUSALS = {
    400: "A parameter or the body is not what it has to be.",
    401: "The token is missing or wrong.",
    403: "This server, or this file, takes no writes.",
    404: "There is no such row.",
    406: "None of the forms that are accepted exists.",
    408: "The body did not come in time.",
    409: "The row is against a rule of the table: its key is taken, for instance.",
    411: "The header Content-Length is missing: CSV and NDJSON need it.",
    413: "The body is too large.",
    415: "The body is in no form that is taken.",
    422: "A value does not fit its column; table, column and row say which.",
    503: "It takes too long just now, or the database cannot be read: come again after"
    " Retry-After seconds.",
    507: "There is no room to write.",
}


def refusals() -> dict[str, Part]:
    return {
        str(status): {
            "description": text,
            "content": {"application/json": {"schema": ref("schemas", "error")}},
        }
        for status, text in REFUSALS.items()
    }
