"""Progress of long work, on stderr and for people only: rich's bar where rich is
installed, else a plain line every two seconds; nothing when stderr is no terminal."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator

Report = Callable[[int, int | None], None]
EVERY_SECONDS = 2.0


@contextlib.contextmanager
def progress(what: str, unit: str) -> Iterator[Report]:
    """Yield a function that is told (done, total or None)."""
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    try:
        from rich.console import Console
        from rich.progress import Progress
    except ImportError:
        yield lines(what, unit)
        return
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)

        def report(done: int, total: int | None) -> None:
            bar.update(task, completed=done, total=total)

        yield report


def lines(what: str, unit: str) -> Report:
    last = time.monotonic()

    def report(done: int, total: int | None) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= EVERY_SECONDS:
            last = now
            share = f" of {total:,}" if total else ""
            print(f"{what}: {done:,}{share} {unit}", file=sys.stderr, flush=True)

    return report
