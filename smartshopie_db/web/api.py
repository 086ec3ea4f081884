"""The older app's routes below /api: same paths, same keys, right figures.

What each answers is in smartshopie_db/reports; docs/http.md says what differs and why.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, current_app, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound

from ..reports import REPORTS, Report, Window
from . import params
from .answers import fresh, success
from .refused import bad
from .state import State

ALL_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def blueprint(*, alone: bool) -> Blueprint:
    """`alone`: the app has no routes but ours, so its errors are JSON anyway."""
    made = Blueprint("api", __name__, url_prefix="/api")
    for path, report in REPORTS.items():
        made.add_url_rule(f"/{path}", path.replace("/", "_"), view_of(report))
    if not alone:
        made.add_url_rule("/<path:rest>", "nothing", nothing, methods=ALL_METHODS)
    return made


def view_of(report: Report) -> Callable[..., Response]:
    def view(state: State, **given: Any) -> dict[str, Any]:
        days, rest = params.split_window(given)
        window = asked(state, days)
        try:
            return success(report.run(state.db, window, **rest))
        except ValueError as error:  # such as a token that is no page's
            name = str(error).partition(":")[0]
            if name in report.parameters:
                raise bad(name, str(error)) from None
            raise

    return fresh(*params.WINDOW, *report.parameters)(view)


def asked(state: State, days: dict[str, Any]) -> Window:
    """The window of the request. What is wrong with it is the caller's to hear: the
    message begins with the parameter's name."""
    try:
        return state.window(**days)
    except ValueError as error:
        raise bad(str(error).partition(":")[0], str(error)) from None


def nothing(rest: str) -> Response:
    """Below /api errors are JSON, also where an app has pages of its own for them."""
    allowed = [method for method in ALL_METHODS if has_route(method)]
    if allowed:
        raise MethodNotAllowed(allowed)
    raise NotFound


def has_route(method: str) -> bool:
    """Does another rule than that of nothing() take this address by that method?"""
    adapter = current_app.create_url_adapter(request)
    if adapter is None:
        return False
    try:
        return bool(adapter.match(method=method)[0] != request.endpoint)
    except HTTPException:
        return False
