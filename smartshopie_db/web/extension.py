"""The Flask extension: SmartShopie(app), or SmartShopie().init_app(app)."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Flask

from .._core import SmartShopieDB
from . import api, command, events, guard, health, metrics, origins, settings, v1
from . import page as pages
from .front import Front
from .jsons import JSONProvider
from .state import NAME, State, current, of


class SmartShopie:
    """The dashboard's pages and its API in a Flask app.

    Settings are SMARTSHOPIE_* of app.config or the environment (docs/http.md).  One
    object may serve several apps; each has a database of its own in
    app.extensions["smartshopie"].  Raises ValueError for a bad setting.
    """

    def __init__(self, app: Flask | None = None, **options: Any) -> None:
        """`options` are settings by their names in lower case, before those of the
        app: SmartShopie(app, db="shop.db", currency="EUR")."""
        self._options = {settings.PREFIX + k.upper(): v for k, v in options.items()}
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        self._init_app(app, whole=False)

    def _init_app(self, app: Flask, *, whole: bool) -> None:
        chosen = settings.read({**app.config, **self._options})
        state = State(open_database(chosen), chosen)
        app.extensions[NAME] = state
        app.json = JSONProvider(app)
        app.cli.add_command(command.command)
        root = Blueprint(NAME, __name__, url_prefix=chosen.url_prefix or None)
        metrics.install(app if whole else root, state.requests)
        guard.install(app if whole else root)
        if chosen.url_prefix:
            root.add_url_rule("", "no_slash", guard.add_slash)
        for routes in (api.blueprint(alone=whole), v1.blueprint(), events.blueprint()):
            origins.allow(routes, chosen)
            root.register_blueprint(routes)
        root.register_blueprint(health.blueprint(with_metrics=chosen.metrics))
        root.register_blueprint(pages.page)
        app.register_blueprint(root)
        if whole:
            app.register_error_handler(Exception, pages.on_error_of_app)

    @property
    def db(self) -> SmartShopieDB:
        """The database of the app that answers this request."""
        return current().db


def open_database(chosen: settings.Settings) -> SmartShopieDB:
    """Opened at the first request, in the process that answers it."""
    return SmartShopieDB(
        chosen.db,
        mode="rw" if chosen.writes else "ro",
        timeout=chosen.timeout or None,
        busy_timeout=min(1.0, chosen.timeout or 1.0),
        strict=False,
    )


def create_app(**options: Any) -> Flask:
    """An app that is the dashboard and nothing else, for a server:

    gunicorn 'smartshopie_db.web:create_app()'
    """
    app = Flask("smartshopie_db.web", static_folder=None)
    app.config["MAX_FORM_PARTS"] = 10
    SmartShopie(**options)._init_app(app, whole=True)
    state = of(app)
    app.config["MAX_CONTENT_LENGTH"] = state.settings.max_body
    if not state.settings.origins:  # their headers are the long way's
        front: Any = Front(app, state)
        app.wsgi_app = front  # type: ignore[method-assign]
    return app
