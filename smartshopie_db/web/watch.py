"""Who waits for a change of the database hears of it, whoever made it.

One thread for one app in one process, alive only while somebody waits. It asks for the
version, which costs microseconds, and wakes all who wait at once. That they all end
when the server stops is seen at the same moments: `serving` says whether it goes on.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable

from .._core import Error

TICK = 0.15  # seconds between two looks
GONE = ""  # in place of a version: there will be no more


def in_main() -> bool:
    return threading.main_thread().is_alive()


# Of a server that knows earlier that it stops, a better answer (serve.py).
serving: Callable[[], bool] = in_main


class Watcher:
    """`version` gives a text that changes with the database; at most `most` may wait
    at a time."""

    def __init__(self, version: Callable[[], str], most: int) -> None:
        self._version = version
        self._most = most
        self._begin()

    def _begin(self) -> None:
        self._process = os.getpid()
        self._changed = threading.Condition()
        self._now = GONE
        self._open = 0
        self._thread: threading.Thread | None = None

    @property
    def open(self) -> int:
        """How many wait."""
        return self._open if self._process == os.getpid() else 0

    def enter(self) -> str | None:
        """Take a place: the version as of now, or None when all are taken. Who got one
        gives it back with leave(). Raises what reading the version raises."""
        if self._process != os.getpid():
            self._begin()  # a child has none of its parent's threads
        with self._changed:
            if self._open >= self._most or not serving():
                return None
            self._put(self._version())
            self._open += 1
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._watch, name="smartshopie-watch", daemon=True
                )
                self._thread.start()
            return self._now

    def leave(self) -> None:
        with self._changed:
            self._open -= 1

    def wait(self, seen: str, seconds: float) -> str:
        """The version when it is another than `seen`, or after `seconds`; GONE when the
        file or the server went."""
        with self._changed:
            self._changed.wait_for(lambda: self._now != seen, seconds)
            return self._now

    def _put(self, version: str) -> None:
        if version != self._now:
            self._now = version
            self._changed.notify_all()

    def _watch(self) -> None:
        going = True
        while going:
            time.sleep(TICK)
            with self._changed:
                self._put(self._look())
                going = self._open > 0 and self._now != GONE
                if not going:
                    self._thread = None

    def _look(self) -> str:
        try:
            return self._version() if serving() else GONE
        except Error:  # closed or replaced: those who come again are told so
            return GONE
