"""A real server, a real browser, and a page that tells of everything that goes wrong.

The server is `smartshopie serve` in a process of its own, the browser Debian's
chromium, driven by playwright.  Without a browser these tests are skipped, except where
CI is set: there they have to run.
"""

from __future__ import annotations

import datetime
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import pytest

from smartshopie_db import demo

pytestmark = pytest.mark.slow
UNTIL = datetime.date(2025, 12, 31)
NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")


def pytest_collection_modifyitems(items):
    for item in items:
        if "browser" in item.path.parts:
            item.add_marker(pytest.mark.slow)


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


@contextmanager
def serving(path, *options):
    """`smartshopie serve` of a database; gives its address."""
    command = [sys.executable, "-m", "smartshopie_db", "serve", str(path)]
    process = subprocess.Popen(
        [*command, "--port", "0", *options],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    said = []
    found = threading.Event()

    def listen():
        for line in process.stderr:
            said.append(line)
            if "http://" in line:
                found.set()
        found.set()

    threading.Thread(target=listen, daemon=True).start()
    try:
        assert found.wait(30), "the server said nothing"
        address = re.search(r"http://[\w.:\[\]]+", "".join(said))
        assert address, "".join(said)
        yield address.group()
    finally:
        process.terminate()
        process.wait(20)
        process.stderr.close()


@pytest.fixture(scope="session")
def server(shop):
    with serving(shop) as address:
        yield address


class Watched:
    """A page of the browser with all that it complained about."""

    def __init__(self, page):
        self.page = page
        self.faults = []
        self.requests = []
        page.on("console", self.heard)
        page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        page.on("dialog", self.asked)
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("requestfailed", self.failed)
        page.on("response", self.answered)

    def heard(self, message):
        if message.type in ("error", "warning"):
            self.faults.append(f"console: {message.text}")

    def asked(self, dialog):
        self.faults.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def failed(self, request):
        # Going on to another page ends its stream of events, and that is right.
        if request.failure != "net::ERR_ABORTED":
            self.faults.append(f"failed: {request.url} {request.failure}")

    def answered(self, response):
        if response.status >= 400:
            self.faults.append(f"{response.status}: {response.url}")


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


def until(condition, seconds=5.0):
    """Wait until the condition holds; give how long that took."""
    start = time.monotonic()
    while not condition():
        assert time.monotonic() - start < seconds, "it did not happen in time"
        time.sleep(0.02)
    return time.monotonic() - start
