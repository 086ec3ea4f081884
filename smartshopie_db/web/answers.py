"""Answers that cost nothing while nothing changed, and how errors look.

A view says with @fresh which parameters it takes and gives a value; its JSON goes out
with an ETag made of the database's version.  A client that has it gets 304, and one
that has not gets the bytes that were made for another.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any

from flask import Response, request
from werkzeug.datastructures import Accept
from werkzeug.http import parse_accept_header, parse_etags

from . import params
from .jsons import encode
from .pieces import LARGE, Pieces
from .state import Body, State, current

SMALLEST = 1024  # bytes worth compressing
JSON = "application/json"
FAILED = "smartshopie.failed"  # in environ: what the short way has waited for in vain


def fresh(*names: str) -> Callable[[Callable[..., Any]], Callable[..., Response]]:
    """For a view of GET that reads the database and nothing else, not even Flask's
    context: it is called with the app's state and the parameters `names` that were
    given, parsed, and gives a Body or what is JSON."""

    def decorate(view: Callable[..., Any]) -> Callable[..., Response]:
        @functools.wraps(view)
        def answer(**path: Any) -> Response:
            given = params.parse(names)
            if FAILED in request.environ:
                raise request.environ.pop(FAILED)
            key = (view, *path.items(), *sorted(given.items()))
            return kept(key, lambda: view(current(), **path, **given))

        answer.fresh = (view, names)  # type: ignore[attr-defined]  # for front.py
        return answer

    return decorate


def kept(key: Any, make: Callable[[], Any]) -> Response:
    """The answer named `key` as of now, from what is kept, or made; 304 to whom has it.

    There must be one, also for a 304: what is refused or not found is so whatever tag
    comes with the question, and a client may send "*" or the tag of another page.
    """
    state = current()
    key = (request.script_root, key)  # one app in two places has two addresses
    tag = state.tag()  # before anything is read
    body = state.bodies.get(tag, key) or keep(state, tag, key, make)
    if has(request.headers.get("If-None-Match", ""), tag):
        return tagged(Response(status=304), tag)
    return tagged(send(body), tag)


def has(seen: str, tag: str) -> bool:
    """Whether the header If-None-Match names what is there; in the one form that our
    own pages send without a look into it."""
    if not seen or seen == f'W/"{tag}"':
        return bool(seen)
    return parse_etags(seen).contains_weak(tag)


def keep(state: State, tag: str, key: Any, make: Callable[[], Any]) -> Body:
    made = make()
    body = made if isinstance(made, Body) else Body(encode(made), JSON)
    state.bodies.put(tag, key, body)
    return body


def tagged(response: Response, tag: str) -> Response:
    """Weak, because compressed or not it is the same answer. A browser may keep it and
    asks each time whether it still holds."""
    response.set_etag(tag, weak=True)
    response.headers["Cache-Control"] = "private, no-cache"
    response.vary.add("Accept-Encoding")
    return response


def send(body: Body) -> Response:
    if not wants_gzip(body, request.headers.get("Accept-Encoding", "")):
        return respond(body.data, body)
    response = respond(body.compressed(), body)
    response.headers["Content-Encoding"] = "gzip"
    return response


def respond(data: bytes, body: Body) -> Response:
    large = len(data) >= LARGE and request.method != "HEAD"
    sent = Pieces(data) if large else data
    response = Response(sent, content_type=body.type, headers=body.headers)
    response.content_length = len(data)
    return response


def wants_gzip(body: Body, accepted: str) -> bool:
    """Whether the header Accept-Encoding allows for gzip, and it is worth it."""
    if len(body.data) < SMALLEST or "gzip" not in accepted:
        return False
    if ";" in accepted:
        return bool(parse_accept_header(accepted, Accept)["gzip"])
    return "gzip" in [word.strip() for word in accepted.split(",")]


def json_response(value: Any, status: int = 200) -> Response:
    """One that is not kept by anybody."""
    response = Response(encode(value), status, content_type=JSON)
    response.headers["Cache-Control"] = "no-store"
    return response


def success(answer: dict[str, Any]) -> dict[str, Any]:
    return {"success": True, **answer}


def names_of(*groups: Iterable[str]) -> tuple[str, ...]:
    return tuple(name for group in groups for name in group)


__all__ = [
    "JSON", "Body", "State", "fresh", "json_response", "kept", "names_of", "send",
    "success", "tagged",
]  # fmt: skip
