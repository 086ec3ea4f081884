"""/api/v1/: the interface for people, made of the OpenAPI document."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlencode

from flask import Response, request, url_for

from .. import params
from ..answers import JSON, Body, kept
from ..jsons import encode
from ..page import Urls, templates
from ..refused import Refused
from ..state import current
from .describe import Part
from .openapi import GENERAL, REPORT, document, unchanging
from .read import listing

HTML = "text/html"
# What is asked in a link beside what has to be.
SHOWN = {
    "series": ("columns", "every"),
    "compare": ("columns",),
    "top": ("n",),
}
EXAMPLES = {  # what a parameter looks like, for a link that can be tried
    "limit": "5",
    "n": "3",
    "period": "30d",
    "every": "week",
}


def index() -> Response:
    params.once(())
    if best() == HTML:
        made = unchanging(page, scheme())
    else:
        made = kept("v1 index", lambda: Body(encode(contents()), JSON))
    made.vary.add("Accept")
    return made


def best() -> str:
    if not request.accept_mimetypes:
        return JSON
    found = request.accept_mimetypes.best_match((JSON, HTML))
    if found is None:
        raise Refused(406, "not_acceptable", f"there are {JSON} and {HTML}")
    return found


def contents() -> Part:
    data = {"openapi": url_for("smartshopie.v1.openapi"), "tables": listing()}
    return {"success": True, "data": data}


def page() -> Body:
    made = document()
    groups = {tag["name"]: Group(made, tag) for tag in made["tags"]}
    general, reports = groups.pop(GENERAL), groups.pop(REPORT)
    tables = list(groups.values())
    text = (
        templates()
        .get_template("api.html")
        .render(
            title=made["info"]["title"],
            about=made["info"]["description"].split("\n\n"),
            writes=current().settings.writes,
            general=general,
            reports=reports,
            tables=tables,
            openapi=url_for("smartshopie.v1.openapi"),
            style=Urls("overview").asset("api.css"),
            refusals=made["components"]["responses"],
        )
    )
    return Body(text.encode(), f"{HTML}; charset=utf-8")


class Group:
    """The routes of one tag, and what its rows have."""

    def __init__(self, made: Part, tag: Part) -> None:
        self.name: str = tag["name"]
        self.description: str = tag.get("description", "")
        schema = made["components"]["schemas"].get(self.name, {})
        self.columns: Part = schema.get("properties", {})
        self.routes = [
            Route(made, path, method, operation, item)
            for path, item in made["paths"].items()
            for method, operation in item.items()
            if method != "parameters" and operation["tags"] == [self.name]
        ]


class Route:
    """One operation, with its parameters and a way to try it."""

    def __init__(
        self, made: Part, path: str, method: str, operation: Part, item: Part
    ) -> None:
        self.path, self.method = path, method.upper()
        self.summary: str = operation["summary"]
        asked = [*item.get("parameters", []), *operation.get("parameters", [])]
        found = [(resolve(made, p), p.get("$ref", "")) for p in asked]
        # A filter is named after its table: the columns are listed once for them all.
        self.filters = any("." in where.rpartition("/")[2] for _, where in found)
        self.parameters = [
            part for part, where in found if "." not in where.rpartition("/")[2]
        ]
        self.server: str = made["servers"][0]["url"].rstrip("/")
        self.body = self.body_of(made, operation)
        self.statuses = list(operation["responses"])

    @property
    def link(self) -> str:
        """Where to look, of what is read."""
        last = self.path.rpartition("/")[2]
        own = {
            part["name"]: EXAMPLES.get(part["name"]) or first(part)
            for part in self.parameters
            if part["in"] == "query"
            and (part["required"] or part["name"] in SHOWN.get(last, ()))
        }
        query = f"?{urlencode(own)}" if own else ""
        return self.server + quote(self.path.replace("{id}", "1")) + query

    def body_of(self, made: Part, operation: Part) -> str | None:
        content = operation.get("requestBody", {}).get("content", {}).get(JSON)
        if content is None:
            return None
        return encode(sample(made, content["schema"])).decode()

    @property
    def curl(self) -> str:
        url = f"{scheme()}://{request.host}{self.link}"
        if self.method == "GET":
            return f"curl '{url}'"
        lines = [
            f"curl -X {self.method} '{url}'",
            '-H "Authorization: Bearer $TOKEN"',
        ]
        if self.body is not None:
            text = self.body.replace("'", "'\\''")
            lines += ["-H 'Content-Type: application/json'", f"-d '{text}'"]
        return " \\\n  ".join(lines)


def scheme() -> str:
    """That of the examples, which is all that a proxy's word is taken for."""
    told = request.headers.get("X-Forwarded-Proto")
    return told if told in ("http", "https") else request.scheme


def resolve(made: Part, part: Part) -> Part:
    while "$ref" in part:
        found: Any = made
        for name in part["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        part = found
    return part


def first(part: Part) -> str:
    """A value that a parameter may have."""
    schema = part["schema"]
    words: list[str] = schema.get("enum") or schema.get("items", {}).get("enum") or [""]
    return words[0]


def sample(made: Part, schema: Part) -> Any:
    """The smallest body that a schema allows."""
    schema = resolve(made, schema)
    kind = schema["type"] if isinstance(schema["type"], str) else schema["type"][0]
    if kind == "object":
        properties = schema["properties"]
        names = schema.get("required") or list(properties)[1:2]
        return {name: sample(made, properties[name]) for name in names}
    if kind == "array":
        return [sample(made, schema["items"])]
    if kind == "string":
        return {"date": "2025-10-31", "date-time": "2025-10-31T09:30:00Z"}.get(
            schema.get("format", ""), "a text"
        )
    return max(1, schema.get("minimum", 1))
