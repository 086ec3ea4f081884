"""What one Flask app holds of us: the open database, the settings, the kept bodies."""

from __future__ import annotations

import gzip
import hashlib
import sys
import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from flask import Flask, current_app

from .. import __version__
from .._core import SchemaError, SmartShopieDB
from ..reports import Window, newest_day, window
from .metrics import Requests
from .settings import Settings
from .watch import Watcher

NAME = "smartshopie"  # in app.extensions
KEPT = 16 << 20  # bytes of bodies
ENTRY = 600  # bytes that each takes beside its data and the texts of key and headers


@dataclass
class Body:
    """An answer's bytes, and the same compressed once somebody wanted that."""

    data: bytes
    type: str
    gzip: bytes | None = None
    headers: tuple[tuple[str, str], ...] = ()

    def compressed(self) -> bytes:
        if self.gzip is None:
            self.gzip = gzip.compress(self.data, 6, mtime=0)
        return self.gzip


class Bodies:
    """The answers to what was asked lately, all of one state of the database."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tag = ""
        self._kept: OrderedDict[Any, Body] = OrderedDict()
        self._bytes = 0

    def get(self, tag: str, key: Any) -> Body | None:
        with self._lock:
            if tag != self._tag or key not in self._kept:
                return None
            self._kept.move_to_end(key)
            return self._kept[key]

    def put(self, tag: str, key: Any, body: Body) -> None:
        """The tag was taken before the body was made: a body may be newer, never
        older. The bytes compressed later count as none: they are the smaller part."""
        with self._lock:
            if tag != self._tag:
                self._tag, self._bytes = tag, 0
                self._kept.clear()
            if key in self._kept:
                self._bytes -= size(key, self._kept.pop(key))
            self._kept[key] = body
            self._bytes += size(key, body)
            while self._bytes > KEPT:
                self._bytes -= size(*self._kept.popitem(last=False))


def size(key: Any, body: Body) -> int:
    """Bytes that an answer takes while it is kept. What was asked counts, too: a filter
    may be longer than what it finds."""
    return ENTRY + sys.getsizeof(repr((key, body.headers))) + len(body.data)


class State:
    def __init__(self, db: SmartShopieDB, settings: Settings) -> None:
        self.db = db
        self.settings = settings
        self.bodies = Bodies()
        self.requests = Requests()
        self.watcher = Watcher(self.tag, settings.streams)
        # What an answer depends on beyond the content.  Secrets stay out of it.
        shown = (
            __version__,
            settings.title,
            settings.currency,
            settings.url_prefix,
            settings.max_rows,
        )
        self._rest = hashlib.sha256(repr(shown).encode()).hexdigest()[:8]
        self._newest: tuple[str, date | None] = ("", None)
        self._is_ours = False

    def tag(self) -> str:
        """What is in the database, and which day it is (a bucket that ends today is
        not complete until tomorrow): the same only while answers are. Raises an Error
        when there is no such database."""
        if not self._is_ours:
            self._check()
        return f"{self.db.version}-{datetime.now(UTC).date().isoformat()}-{self._rest}"

    def _check(self) -> None:
        """Once: from then on it is this file, or a ReplacedError says so. Another's
        tables would be read as a shop in which nothing happened."""
        if self.db.stats()["layout"] == "foreign":
            raise SchemaError("the file has none of our tables")
        self._is_ours = True

    def window(self, **days: Any) -> Window:
        """The days of a request, as reports.window() has them; ValueError likewise. The
        newest stored day, which most of them end at, is looked for once in each state
        of the database."""
        if days.get("as_of") is None:
            version = self.db.version  # before the day: that may be newer, not older
            if self._newest[0] != version:
                self._newest = (version, newest_day(self.db))
            days["as_of"] = self._newest[1]
        return window(self.db, **days)


def of(app: Flask) -> State:
    try:
        state: State = app.extensions[NAME]
    except KeyError:
        raise RuntimeError(
            "this app has no SmartShopie: call SmartShopie(app) or init_app(app)"
        ) from None
    return state


def current() -> State:
    """That of the app that answers this request."""
    return of(current_app)
