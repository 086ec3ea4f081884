"""GET /healthz: can the database be read; GET /metrics: what the server has done."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response

from .._core import Error, SmartShopieDB
from . import metrics
from .answers import json_response
from .guard import as_refused, unavailable
from .state import State, current


def blueprint(*, with_metrics: bool) -> Blueprint:
    made = Blueprint("health", __name__)
    made.add_url_rule("/healthz", "healthz", healthz)
    if with_metrics:
        made.add_url_rule("/metrics", "metrics", show_metrics)
    return made


def healthz() -> Response:
    """200, or 503 when the file is damaged, replaced or not there, or too many read."""
    try:
        look(current())
    except Error as error:
        refused = as_refused(error)
        raise refused if refused.status == 503 else unavailable(error) from None
    return json_response({"status": "ok"})


def look(state: State) -> None:
    """Read a row twice: by the connection that answers requests, which knows whether
    the file is still the one it opened; and by a new one, which has no page in memory
    and so reads the disk."""
    state.tag()
    with state.db.snapshot():  # in which no answer is a kept one
        state.db.get_overview_kpis()
    if state.settings.db != ":memory:":
        timeout = state.settings.timeout or None
        with SmartShopieDB(state.settings.db, mode="ro", timeout=timeout) as db:
            db.get_overview_kpis(strict=False)


def show_metrics() -> Response:
    state = current()
    stats: dict[str, Any] | None
    try:
        stats = dict(state.db.stats())
    except Error:
        stats = None
    text = metrics.text(state.requests, stats, state.watcher.open)
    return Response(text, content_type=metrics.CONTENT_TYPE)
