"""The dashboard on a port, by granian: HTTP is its threads' work, which no slow client
and no open stream holds up; ours is one Python process (docs/http.md has the figures).

What runs where: serve() in the process that was started, load() in each that answers.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import ipaddress
import logging
import os
import signal
import socket
import stat
import sys
import threading
import time
from dataclasses import dataclass
from typing import Any

from . import pieces, watch
from .v1 import receiving

THREADS = 16  # that answer; each open stream has one more
CONNECTIONS = 4096  # at once, each process
UNREAD = 20_000  # milliseconds after which a client that reads nothing is dropped
BUFFER = 256 << 10  # bytes that the system keeps for a client that is to read them
GRACE = 10  # seconds that requests may take to end when the server stops
INTERRUPTED = 130
PR_SET_PDEATHSIG = 1
ASK = b"HEAD / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


@dataclass(frozen=True)
class Place:
    host: str
    port: int

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def free_place(host: str, port: int) -> Place:
    """The place with its real port. Raises OSError when another has it.

    The server's processes bind for themselves, all to one port: without a look first
    two servers would share it, and nobody would be told."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.create_server((host, port), family=family) as taken:
            return Place(host, taken.getsockname()[1])
    except OSError as error:
        why = error.strerror or str(error)
        raise OSError(f"cannot listen on {Place(host, port).url}: {why}") from None


def serve(
    place: Place,
    options: dict[str, Any],
    *,
    welcome: str,
    streams: int,
    workers: int = 1,
    threads: int = THREADS,
    debug: bool = False,
) -> int:
    """Answer until SIGTERM or Ctrl-C; the exit code. `options` are create_app()'s,
    `welcome` is said on stderr when the server answers."""
    from granian.constants import HTTPModes, Interfaces
    from granian.http import HTTP1Settings
    from granian.log import LogLevels
    from granian.server import Server

    server = Server(
        "smartshopie_db.web",
        place.host,
        place.port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,  # of HTTP/2 streams that nobody reads no limit is ours
        workers=workers,
        blocking_threads=streams + threads + pieces.SENDERS + receiving.MOST,
        backpressure=CONNECTIONS,
        backlog=2048,
        http1_settings=HTTP1Settings(header_read_timeout=10_000),
        workers_kill_timeout=GRACE,
        respawn_failed_workers=True,
        log_level=LogLevels.error,
        log_access=debug,
        websockets=False,
    )
    stopped_by: list[int] = []
    first = os.getpid()

    def begin() -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, stop)

    def stop(number: int, frame: object) -> None:
        if os.getpid() != first:  # forked, and without handlers of its own as yet
            os._exit(0)
        stopped_by.append(number)
        server.signal_handler_interrupt(number, frame)  # type: ignore[no-untyped-call]

    server.on_startup(begin)
    loader = functools.partial(load, options, debug, Welcome(place, welcome))
    server.serve(target_loader=loader, wrap_loader=False)
    return INTERRUPTED if signal.SIGINT in stopped_by[:1] else 0


class Welcome:
    """Said once, by the first process that answers. (A thread of the parent could hold
    a lock while the others are forked.)"""

    def __init__(self, place: Place, text: str) -> None:
        self.place, self._text = place, text
        self._word, write = os.pipe()
        os.set_blocking(self._word, False)
        os.write(write, b"!")
        os.close(write)

    def say(self) -> None:
        if os.read(self._word, 1):
            threading.Thread(target=self._say, daemon=True).start()

    def _say(self) -> None:
        while True:
            with contextlib.suppress(OSError):
                place = (self.place.host, self.place.port)
                with socket.create_connection(place, 1) as client:
                    client.sendall(ASK)
                    if client.recv(1):
                        break
            time.sleep(0.02)
        sys.stderr.write(f"{self._text}\n")  # in one piece


def load(options: dict[str, Any], debug: bool, welcome: Welcome) -> Any:
    """The app, in the process that answers."""
    from . import create_app

    os.setpgid(0, 0)  # Ctrl-C goes to the first process, which stops this one in order
    with contextlib.suppress(AttributeError):  # and when that is killed, Linux does
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.INFO if debug else logging.WARNING,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    watch.serving = Serving()
    app = create_app(**options)
    app.debug = debug
    threading.Thread(target=limit, args=(welcome.place.port,), daemon=True).start()
    welcome.say()
    return app


def limit(port: int) -> None:
    """Clients that do not read are dropped: what is set for the socket on which this
    process listens, which is made after load(), is so for each that it accepts."""
    while hasattr(socket, "TCP_USER_TIMEOUT"):  # on Linux
        found = listener(port)
        if found:
            with found:
                found.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD)
                found.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
            return
        time.sleep(0.02)


def listener(port: int) -> socket.socket | None:
    """The socket, once more; None as long as there is none."""
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            if stat.S_ISSOCK(os.fstat(int(name)).st_mode):
                found = socket.socket(fileno=os.dup(int(name)))
                if (
                    found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
                    and found.getsockname()[1] == port
                ):
                    return found
                found.close()
    return None


class Serving:
    """Whether this process goes on: open streams end as soon as it is told to stop,
    for the server waits for them. Python writes each signal's number into a socket,
    whoever handles it."""

    def __init__(self) -> None:
        self._numbers, told = socket.socketpair()
        self._numbers.setblocking(False)
        told.setblocking(False)
        self._told = told  # stays open as long as this does
        self._goes_on = True
        signal.set_wakeup_fd(told.fileno(), warn_on_full_buffer=False)

    def __call__(self) -> bool:
        with contextlib.suppress(BlockingIOError):
            numbers = self._numbers.recv(64)
            if signal.SIGTERM in numbers or signal.SIGINT in numbers:
                self._goes_on = False
        return self._goes_on
