"""Request bodies come whole, and in time, before anything is done with them.

Nothing wakes a thread that waits for the rest of a body, and a server may let it wait
for ever. So only few may wait at once. Those that take too long make room for others,
up to a number that a server has threads for: who only reads always finds one.
"""

from __future__ import annotations

import contextlib
import errno
import tempfile
import threading
import time
from collections.abc import Iterator
from typing import IO

from flask import request

from ..guard import RETRY
from ..refused import Refused

READERS = 32  # bodies that are received in time, at once in each process
MOST = 64  # and with those that are late
CHUNK = 1 << 16  # bytes read at a time
IN_MEMORY = 1 << 20  # bytes; what is longer lies in a temporary file

_lock = threading.Lock()
_due: dict[int, float] = {}  # when each that is read now has to be there


def received(seconds: float) -> IO[bytes]:
    """The body of the request, from its first byte. Refused when it is larger than
    allowed (413), does not come within `seconds` (408), ends too early (400), or too
    many others are being received (503)."""
    stream = request.stream  # refuses a length that is too large
    file = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115
    end = time.monotonic() + seconds
    try:
        with place(end):
            while data := stream.read(CHUNK):
                file.write(data)
                if time.monotonic() > end:
                    break
        check(file.tell(), end, seconds)
    except BaseException as error:
        file.close()
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            raise Refused(507, "disk_full", "there is no room for the body") from None
        raise
    file.seek(0)
    return file


@contextlib.contextmanager
def place(end: float) -> Iterator[None]:
    me = threading.get_ident()
    with _lock:
        now = time.monotonic()
        in_time = sum(due > now for due in _due.values())
        if in_time >= READERS or len(_due) >= MOST:
            text = "too many others are sending a body"
            raise Refused(503, "busy", text, headers=RETRY)
        _due[me] = end
    try:
        yield
    finally:
        with _lock:
            del _due[me]


def check(length: int, end: float, seconds: float) -> None:
    if time.monotonic() > end:
        text = f"the body did not come within {seconds:.0f} seconds"
        raise Refused(408, "too_slow", text, headers={"Connection": "close"})
    if length < (request.content_length or 0):
        raise Refused(400, "incomplete", "the body ended before its length")
