"""A database with the demo data, and apps that serve it."""

from __future__ import annotations

import pytest

from smartshopie_db import demo
from smartshopie_db.web import create_app


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "shop.db"
    demo.create(file)
    return file


@pytest.fixture
def make_app(path):
    """Apps whose databases are closed when the test ends."""
    made = []

    def make(**options):
        app = create_app(**{"db": path, **options})
        made.append(app)
        return app

    yield make
    for app in made:
        app.extensions["smartshopie"].db.close()


@pytest.fixture
def client(make_app):
    return make_app().test_client()
