"""The dashboard's pages: figures written by the server, charts drawn by a script."""

from __future__ import annotations

import datetime
import functools
import math
import os
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, current_app, request, url_for
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ...plots import PLOTS
from ...reports import newest_day
from .. import answers, guard
from ..refused import Refused
from ..state import Body, State, current
from . import asked, assets, charts, wording
from .areas import AREAS, Area, Part, Scene
from .blocks import Failed

HTML = "text/html; charset=utf-8"
OLD = 2  # days after which the newest data is called old
page = Blueprint("page", __name__)


def shown_parameters() -> dict[str, tuple[str, ...]]:
    """Every parameter of a plot, for the pages take them all."""
    return {
        name: values
        for plot in PLOTS.values()
        for name, values in plot.parameters.items()
    }


@functools.cache
def templates() -> Environment:
    """Ours alone: an app around us may have templates of the same names."""
    folder = os.path.join(os.path.dirname(os.path.dirname(__file__)), "templates")
    made = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(
        cell=wording.cell,
        exact=wording.exact,
        day=wording.day,
        days=wording.days,
        instant=wording.instant,
    )
    return made


class Urls:
    """Addresses, below whatever prefix the blueprint has."""

    def __init__(self, area: str) -> None:
        self.area = area
        self.path = self.to(area)

    def to(self, area: str, query: str = "") -> str:
        if area == "overview":
            return url_for("smartshopie.page.home") + query
        return url_for("smartshopie.page.area", name=area) + query

    def here(self, query: str = "") -> str:
        return self.path + query

    def data(self, name: str, ext: str, query: str) -> str:
        return url_for("smartshopie.page.numbers", name=name, ext=ext) + query

    def asset(self, name: str) -> str:
        return url_for(
            "smartshopie.page.static_file", version=assets.version(name), name=name
        )

    def events(self) -> str:
        """Where changes are told; empty in an app without that."""
        name = "smartshopie.events.events"
        return url_for(name) if name in current_app.view_functions else ""


class Unkept(Exception):
    """A page with a part that failed: it is sent, and made anew the next time."""

    def __init__(self, html: bytes) -> None:
        self.html = html


@page.get("/")
def home() -> Response:
    return show(AREAS["overview"])


@page.get("/<name>")
def area(name: str) -> Response:
    if name not in AREAS or name == "overview":
        raise Refused(404, "not_found", "there is no such page")
    return show(AREAS[name])


def show(area: Area) -> Response:
    given = asked.parse(shown_parameters())
    key = ("page", area.id, *given.days.items(), *given.shown.items())
    try:
        response = answers.kept(key, lambda: Body(render(area, given), HTML))
    except Unkept as unkept:
        response = Response(unkept.html, content_type=HTML)
        response.headers["Cache-Control"] = "no-store"
    return response


def render(area: Area, given: asked.Asked) -> bytes:
    """The page of one state of the database.

    A snapshot would keep the reads from the answers kept of before, so it is taken only
    when somebody wrote meanwhile.
    """
    state = current()
    version = state.tag()  # before anything is read
    html = written(state, version, area, given)
    if state.tag() != version:
        with state.db.snapshot():
            html = written(state, state.tag(), area, given)
    return html


def written(state: State, version: str, area: Area, given: asked.Asked) -> bytes:
    urls = Urls(area.id)
    window = given.window()
    newest = newest_day(state.db)
    scene = Scene(state, given, window, urls)
    blocks = made_in_time(area.parts(scene), state.settings.timeout)
    failed = [block for block in blocks if isinstance(block, Failed)]
    if failed and len(failed) == len(blocks):
        raise failed[0].error  # then there is no page to save
    html = (
        templates()
        .get_template("area.html")
        .render(
            **frame(state, area, given, urls),
            version=version,
            window=window,
            newest=newest,
            old=age(newest),
            blocks=blocks,
            themes=charts.themes(),
        )
        .encode()
    )
    if failed:
        raise Unkept(html)
    return html


def frame(state: State, area: Area | None, given: Any, urls: Urls) -> dict[str, Any]:
    """What every page has around its content."""
    return {
        "settings": state.settings,
        "areas": AREAS.values(),
        "area": area,
        "asked": given,
        "presets": asked.PRESETS,
        "urls": urls,
        "style_ids": assets.style_ids(),
    }


def age(newest: datetime.date | None) -> int:
    """How many days old the newest data is, when that is more than usual."""
    days = (asked.today() - newest).days if newest else 0
    return days if days > OLD else 0


def made_in_time(parts: Iterable[Part], seconds: float) -> list[Any]:
    """A block for each part. Where they take longer than one question may (0: no
    limit), no more is asked: others are waiting."""
    end = time.monotonic() + (seconds or math.inf)
    blocks = []
    for part in parts:
        if time.monotonic() > end:
            raise guard.busy()
        blocks.append(made(part))
    return blocks


def made(part: Part) -> Any:
    """The block; a part that fails does not take the page with it."""
    try:
        return part.make()
    except Exception as error:
        number = secrets.token_hex(6)
        guard.log.error("error %s in %s", number, part.id, exc_info=error)
        return Failed(part.id, part.title, number, error)


# ---- numbers and files ---------------------------------------------------------------


@page.get("/charts/<name>.<ext>")
def numbers(name: str, ext: str) -> Response:
    """The numbers of a chart, all of them, as a file."""
    plot = charts.find(name)
    if ext not in ("csv", "json"):
        raise Refused(404, "not_found", "a chart is there as .csv and as .json")
    given = asked.parse(shown_parameters())
    key = ("numbers", name, ext, *given.days.items(), *given.shown.items())

    def make() -> Any:
        drawing = charts.draw(current(), plot.name, given, given.window())
        if ext == "csv":
            return charts.as_csv(drawing)
        return charts.as_json(drawing, given)

    response = answers.kept(key, make)
    if ext == "csv":
        response.headers["Content-Disposition"] = f"attachment; filename={name}.csv"
    return response


@page.get("/static/<version>/<name>")
def static_file(version: str, name: str) -> Response:
    return assets.answer(version, name)


# ---- errors --------------------------------------------------------------------------


@dataclass(frozen=True)
class Trouble:
    title: str
    text: str


@page.errorhandler(Exception)
def on_error(error: Exception) -> Response:
    """A page for people, JSON for scripts."""
    if not asked.wants_page():
        return guard.on_error(error)
    refused = guard.as_refused(error)
    urls = Urls("overview")
    html = (
        templates()
        .get_template("error.html")
        .render(
            **frame(current(), None, asked.Asked({}, {}), urls),
            status=refused.status,
            trouble=trouble(refused),
            again=request.full_path.rstrip("?") if refused.status >= 500 else "",
            version="",
            themes="{}",
        )
    )
    response = Response(html, refused.status, content_type=HTML)
    response.headers["Cache-Control"] = "no-store"
    response.headers.extend(refused.headers)
    return response


def on_error_of_app(error: Exception) -> Response:
    """In an app that is ours: also what is nowhere is a page, but not below /api."""
    below_api = request.path.startswith(current().settings.url_prefix + "/api/")
    if request.url_rule is None and not below_api:
        return on_error(error)
    return guard.on_error(error)


def trouble(refused: Refused) -> Trouble:
    if refused.code == "unknown_host":
        return Trouble(
            "Called by another name",
            "This server does not answer to the name that is in the address. Who runs"
            " it can allow it: smartshopie serve --allow-host NAME.",
        )
    if refused.status == 405:
        return Trouble("Nothing to send here", "This address can only be looked at.")
    if refused.status == 404:
        return Trouble("Page not found", "There is no page at this address.")
    if refused.status == 400:
        return Trouble("These days cannot be shown", refused.message)
    if refused.code == "database_unavailable":
        return Trouble(
            "The figures cannot be read just now",
            "The file they are in is missing or damaged, or was replaced. Who runs this"
            " server finds the reason in its log; nothing is wrong with your browser.",
        )
    if refused.status == 503:
        return Trouble("Busy just now", "The database takes too long to answer.")
    return Trouble("Something went wrong", refused.message)
