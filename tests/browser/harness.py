"""What the tests of the page are made with: the server, the watched page, waiting."""

from __future__ import annotations

import datetime
import re
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

UNTIL = datetime.date(2025, 12, 31)
NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")


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


def until(condition, seconds=5.0):
    """Wait until the condition holds; give how long that took."""
    start = time.monotonic()
    while not condition():
        assert time.monotonic() - start < seconds, "it did not happen in time"
        time.sleep(0.02)
    return time.monotonic() - start
