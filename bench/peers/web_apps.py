"""The apps of bench/web.py, for one server program: granian peers.web_apps:NAME.

The database is $BENCH_DB, its last day $BENCH_DAY.
"""

from __future__ import annotations

import os
from typing import Any


def hello() -> Any:
    from flask import Flask, jsonify

    app = Flask("hello")
    app.add_url_rule("/hello", "hello", lambda: jsonify(hello="world"))
    return app


def old() -> Any:
    from . import old_web

    return old_web.make(os.environ["BENCH_DB"], os.environ["BENCH_DAY"])


def ours() -> Any:
    from smartshopie_db.web import create_app

    return create_app(db=os.environ["BENCH_DB"])


def ours_without() -> Any:
    """With nothing kept: neither the database's answers nor their bytes."""
    from smartshopie_db import SmartShopieDB

    app = ours()
    state = app.extensions["smartshopie"]
    state.db = SmartShopieDB(
        os.environ["BENCH_DB"], mode="ro", strict=False, cache=False
    )
    state.bodies.get = lambda tag, key: None
    return app
