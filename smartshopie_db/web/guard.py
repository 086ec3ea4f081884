"""What every answer and every request of ours has to be: headers, host, errors.

It is put on a blueprint, or on a whole app when that is ours (create_app).
"""

from __future__ import annotations

import hmac
import logging
import secrets
from collections.abc import Collection
from typing import Any

from flask import Flask, Response, current_app, request
from flask.sansio.scaffold import Scaffold
from werkzeug.exceptions import HTTPException
from werkzeug.sansio.utils import host_is_trusted

from .._core import (
    DatabaseError,
    DiskFullError,
    Error,
    ForkError,
    OperationalError,
    ReadOnlyError,
    SchemaError,
)
from .answers import json_response
from .refused import Refused
from .state import State, current

log = logging.getLogger("smartshopie_db.web")

POLICY = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' data:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
READING = ("GET", "HEAD", "OPTIONS")
RETRY = {"Retry-After": "1"}


def install(scaffold: Scaffold) -> None:
    scaffold.before_request(check_request)
    scaffold.after_request(add_headers)
    scaffold.register_error_handler(Exception, on_error)


def check_request() -> None:
    # Another site's name that is made to point here must not read what is ours.
    host = request.headers.get("Host", "").lower()
    if not is_trusted(host, trusted(current_app, current())):
        raise Refused(400, "unknown_host", "this server is not called by that name")
    if request.method not in READING and request.headers.get(
        "Sec-Fetch-Site", "none"
    ) not in ("none", "same-origin"):
        raise Refused(403, "cross_site", "another site may not write here")


def trusted(app: Flask, state: State) -> Collection[str]:
    """The names by which the app may be called."""
    names: Collection[str] = app.config.get("TRUSTED_HOSTS") or state.settings.hosts
    return names


def is_trusted(host: str, trusted: Collection[str]) -> bool:
    """Werkzeug's rule (a name that begins with a dot is a suffix), which knows no
    addresses in brackets."""
    if host.startswith("["):
        address, end, port = host.partition("]")
        right = port == "" or (port[0] == ":" and port[1:].isdecimal())
        return address + end in trusted and right
    names = [name for name in trusted if not name.startswith("[")]
    return bool(names) and host_is_trusted(host, names)


def add_headers(response: Response) -> Response:
    shorten(response)
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if "Cache-Control" not in response.headers:
        response.headers["Cache-Control"] = "no-store"
    return response


def shorten(response: Response) -> None:
    """Flask's own redirects name a scheme, which is wrong behind a proxy that speaks
    TLS. A path says as much: the browser knows where it is."""
    place = response.headers.get("Location", "")
    if response.status_code == 308 and place.startswith(request.host_url):
        response.headers["Location"] = "/" + place[len(request.host_url) :]
        response.set_data(b"")  # names it again


def add_slash() -> Response:
    """The view of an address that only lacks its last slash."""
    query = request.query_string.decode("ascii", "replace")
    place = f"{request.script_root}{request.path}/?{query}".rstrip("?")
    return Response(status=308, headers={"Location": place})


def need_token() -> None:
    """Refuse who may not write. Tokens are compared in constant time."""
    settings = current().settings
    if not settings.writes or not settings.token:
        raise Refused(403, "read_only", "this server takes no writes")
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    right = hmac.compare_digest(given.strip().encode(), settings.token.encode())
    if scheme.lower() != "bearer" or not right:
        raise Refused(
            401,
            "unauthorized",
            "writing needs the header Authorization: Bearer TOKEN",
            headers={"WWW-Authenticate": 'Bearer realm="smartshopie"'},
        )


def on_error(error: Exception) -> Response:
    """Any failure in the one shape; what happened inside is for the log alone."""
    refused = as_refused(error)
    response = json_response(refused.body(), refused.status)
    response.headers.extend(refused.headers)
    return response


def as_refused(error: Exception) -> Refused:
    if isinstance(error, Refused):
        return error
    if isinstance(error, HTTPException):
        return from_http(error)
    if isinstance(error, ReadOnlyError):
        return Refused(403, "read_only", "the database is open for reading only")
    if isinstance(error, DiskFullError):
        log.error("the disk is full", exc_info=error)
        return Refused(507, "disk_full", "there is no room to write")
    if is_busy(error):
        log.warning("busy: %s", printable(error))
        return busy()
    if is_of_file(error):
        return unavailable(error)
    return unexpected(error)


def busy() -> Refused:
    return Refused(503, "busy", "it takes too long just now", headers=RETRY)


# Families of SQLite's codes.
BUSY = ("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_INTERRUPT")
DAMAGED = ("SQLITE_CORRUPT", "SQLITE_NOTADB")


def is_busy(error: Exception) -> bool:
    """Did it take too long, for this time?"""
    return isinstance(error, OperationalError) and is_named(error, BUSY)


def is_of_file(error: Exception) -> bool:
    """Is the file the reason: not there, not readable, damaged, another, not ours?"""
    if isinstance(error, OperationalError | SchemaError):
        return not isinstance(error, ForkError)
    return isinstance(error, DatabaseError) and is_named(error, DAMAGED)


def is_named(error: DatabaseError, families: tuple[str, ...]) -> bool:
    return (error.sqlite_errorname or "").startswith(families)


def unavailable(error: Exception) -> Refused:
    """503: somebody can put the file right; the log says what is wrong with it."""
    where = printable(request.path)
    log.error("the database cannot be read, at %s: %s", where, printable(error))
    text = "the database cannot be read just now"
    return Refused(503, "database_unavailable", text, headers={"Retry-After": "5"})


def from_http(error: HTTPException) -> Refused:
    status = error.code or 500
    names = {404: "not_found", 405: "method_not_allowed", 413: "too_large"}
    kept = ("Retry-After", "WWW-Authenticate")
    headers = {name: value for name, value in error.get_headers() if name in kept}
    allowed: Any = getattr(error, "valid_methods", None)
    if allowed:
        headers["Allow"] = ", ".join(sorted(allowed))
    code = names.get(status, error.name.lower().replace(" ", "_"))
    return Refused(status, code, error.name, headers=headers)


def unexpected(error: Exception) -> Refused:
    """500: the caller gets a number to ask about, the log has the rest."""
    number = secrets.token_hex(6)
    kind = "database" if isinstance(error, Error) else "internal"
    log.error("error %s at %s", number, printable(request.path), exc_info=error)
    return Refused(
        500, f"{kind}_error", f"something failed here; the log has it as {number}"
    )


def printable(value: object) -> str:
    """For a log: nobody else's line ends or terminal commands."""
    return str(value).encode("unicode_escape").decode()[:500]
