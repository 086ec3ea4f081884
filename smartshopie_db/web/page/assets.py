"""The files that a page needs, under addresses that change when they do."""

from __future__ import annotations

import functools
import gzip
import hashlib
import importlib.metadata
import importlib.util
import os
import re
import threading

from flask import Response, request

from ..answers import send
from ..refused import Refused
from ..state import Body

FOLDER = os.path.join(os.path.dirname(os.path.dirname(__file__)), "static")
FOREVER = "public, max-age=31536000, immutable"
TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}
PLOTLY = "plotly.min.js"
NAMES = ("api.css", "app.css", "app.js", PLOTLY)

_lock = threading.Lock()


def path(name: str) -> str:
    """Where the file is. Plotly's is taken from the installed package, which is not
    imported for it."""
    if name != PLOTLY:
        return os.path.join(FOLDER, name)
    found = importlib.util.find_spec("plotly")
    if found is None or found.origin is None:
        raise ModuleNotFoundError(
            "the charts need plotly: pip install 'smartshopie_db[web]'", name="plotly"
        )
    return os.path.join(os.path.dirname(found.origin), "package_data", PLOTLY)


@functools.cache
def version(name: str) -> str:
    """What changes with the file: plotly's is large, and its package is versioned."""
    if name == PLOTLY:
        return importlib.metadata.version("plotly")
    with open(path(name), "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()[:12]


@functools.cache
def read(name: str) -> Body:
    with open(path(name), "rb") as file:
        data = file.read()
    return Body(data, TYPES[os.path.splitext(name)[1]])


@functools.cache
def style_ids() -> tuple[str, ...]:
    """The elements that plotly looks for before it puts a style element into the page.
    The policy forbids that; where they are there, it does not, and app.css has the
    rules."""
    found = re.findall(rb'getElementById\("([0-9a-f]{40,})"\)', read(PLOTLY).data)
    return tuple(sorted({name.decode() for name in found}))


def body(name: str) -> Body:
    """The file, compressed once for all."""
    with _lock:
        found = read(name)
        if found.gzip is None:
            found.gzip = gzip.compress(found.data, 6, mtime=0)
        return found


def answer(given: str, name: str) -> Response:
    """The file; one asked for by another version's address is not to be kept."""
    if name not in NAMES:
        raise Refused(404, "not_found", "there is no such file")
    tag = version(name)
    if request.if_none_match.contains_weak(tag):
        response = Response(status=304)
    else:
        response = send(body(name))
    response.set_etag(tag, weak=True)
    response.headers["Cache-Control"] = FOREVER if given == tag else "no-cache"
    response.vary.add("Accept-Encoding")
    return response
