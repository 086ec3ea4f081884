"""Large answers go out in pieces, so that a client that does not read keeps little.

A server takes what it is given into its memory, and there it stays until the client has
read it. Of pieces it takes a few, and a thread waits with the rest; so only so many are
sent at once, and not for ever.
"""

from __future__ import annotations

import threading
import time

from .refused import Refused

LARGE = 256 << 10  # bytes of what goes in pieces
PIECE = 64 << 10
SENDERS = 32  # at once in each process; a server has so many threads more
SECONDS = 120.0  # that one may take

_places = threading.BoundedSemaphore(SENDERS)


class Pieces:
    """`data` as an iterable of WSGI, which holds one of the places until it is closed.
    Refused (503) when all are taken."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = memoryview(data), 0
        self._end = time.monotonic() + SECONDS
        self._open = _places.acquire(blocking=False)
        if not self._open:
            text = "too many large answers are being sent now"
            raise Refused(503, "busy", text, headers={"Retry-After": "2"})

    def __iter__(self) -> Pieces:
        return self

    def __next__(self) -> bytes:
        piece = bytes(self._data[self._at : self._at + PIECE])
        if not piece or time.monotonic() > self._end:
            self.close()
            raise StopIteration
        self._at += PIECE
        return piece

    def close(self) -> None:
        if self._open:
            self._open = False
            _places.release()

    __del__ = close  # when it was never sent
