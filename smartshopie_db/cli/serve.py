"""The verb that serves the dashboard."""

from __future__ import annotations

import contextlib
import datetime
import os
import stat
from argparse import Namespace
from typing import Any

from .._core import SchemaError, SmartShopieDB
from .output import plain, say

STREAMS = 200  # granian has a thread for each


def run(arguments: Namespace) -> int:
    from ..web import serve, settings

    path: str = arguments.path or arguments.db
    check_place(arguments, serve.is_loopback(arguments.host))
    options = options_of(arguments, path)
    chosen = settings.read(
        {f"{settings.PREFIX}{k.upper()}": v for k, v in options.items()}
    )
    prepare(path, arguments.demo)
    place = serve.free_place(arguments.host, arguments.port)

    kind = "reads and writes" if chosen.writes else "reads only"
    return serve.serve(
        place,
        options,
        welcome=f"smartshopie: {plain(path)} on {place.url}{chosen.url_prefix}/"
        f" ({kind}; Ctrl-C stops)",
        streams=chosen.streams,
        workers=arguments.workers,
        threads=arguments.threads,
        debug=arguments.debug,
    )


def check_place(arguments: Namespace, is_loopback: bool) -> None:
    if is_loopback:
        return
    if arguments.debug:
        raise ValueError("serve: --debug is for this machine alone (--host 127.0.0.1)")
    if not arguments.allow_host:
        raise ValueError(
            f"serve: --host {arguments.host} is open to others; say with --allow-host"
            " by which names they call it, as --allow-host shop.example"
        )


def options_of(arguments: Namespace, path: str) -> dict[str, Any]:
    """What of the web side's settings the command line gives; the environment has
    the rest."""
    from ..web.settings import LOOPBACK

    found: dict[str, Any] = {"db": path}
    if arguments.streams or "SMARTSHOPIE_STREAMS" not in os.environ:
        found["streams"] = arguments.streams or STREAMS
    if arguments.writes is not None:
        found["writes"] = arguments.writes
    if arguments.token_file:
        warn_of_readers(arguments.token_file)
        found["token_file"] = arguments.token_file
    for name in ("currency", "title"):
        if getattr(arguments, name) is not None:
            found[name] = getattr(arguments, name)
    if arguments.allow_host:
        found["hosts"] = (*LOOPBACK, *arguments.allow_host)
    return found


def warn_of_readers(path: str) -> None:
    if os.stat(path).st_mode & (stat.S_IRGRP | stat.S_IROTH):
        say(f"{path}: others may read this file; chmod 600 keeps the token secret")


def prepare(path: str, demo: bool) -> None:
    """There is a database that can be read, or an error says so before any port is
    taken. It is closed again: each process opens its own."""
    if demo:
        from ..demo import generate

        # Nothing of it lies ahead, and it is not so old that the pages say so.
        today = datetime.datetime.now(datetime.UTC).date()
        yesterday = today - datetime.timedelta(days=1)
        with contextlib.suppress(FileExistsError):  # it has rows: used as it is
            rows = generate(path, days=400, rows=5000, until=yesterday)
            say(f"{path}: made, with {rows} rows of a made-up year")
    elif not os.path.exists(path):
        raise FileNotFoundError(
            2, "no such file; --demo makes one of a made-up year", path
        )
    with SmartShopieDB(path, mode="ro") as db:
        if db.stats()["layout"] == "foreign":
            raise SchemaError(f"{path} has none of the dashboard's tables")
