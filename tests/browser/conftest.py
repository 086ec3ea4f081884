"""A real server, a real browser, and a page that tells of everything that goes wrong.

The server is `smartshopie serve` in a process of its own, the browser Debian's
chromium, driven by playwright.  Without a browser these tests are skipped, except where
CI is set: there they have to run.
"""

from __future__ import annotations

import os
import shutil

import pytest
from harness import NAMES, UNTIL, Watched, serving

from smartshopie_db import demo


def pytest_collection_modifyitems(items):
    for item in items:
        if "browser" in item.path.parts:
            item.add_marker(pytest.mark.slow)
            item.add_marker(pytest.mark.timed)


@pytest.fixture(scope="session")
def chromium():
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        if os.environ.get("CI"):
            pytest.fail("there is no chromium, and in CI these tests have to run")
        pytest.skip("there is no chromium")
    return found


@pytest.fixture(scope="session")
def browser(chromium):
    api = pytest.importorskip("playwright.sync_api")
    with api.sync_playwright() as playwright:
        made = playwright.chromium.launch(
            executable_path=chromium,
            args=["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"],
        )
        yield made
        made.close()


@pytest.fixture(scope="session")
def shop(tmp_path_factory):
    """The path of a database with a made-up year."""
    path = tmp_path_factory.mktemp("shop") / "shop.db"
    demo.generate(path, days=400, rows=5000, until=UNTIL)
    return path


@pytest.fixture(scope="session")
def server(shop):
    with serving(shop) as address:
        yield address


@pytest.fixture
def open_page(browser):
    """open_page(width=..., theme=...) gives a Watched page; at the end of the test none
    of them may have complained."""
    opened = []

    def make(width=1280, height=900, theme="light", **options):
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=theme,
            **options,
        )
        watched = Watched(context.new_page())
        opened.append((context, watched))
        return watched

    yield make
    for context, watched in opened:
        context.close()
        assert watched.faults == []
