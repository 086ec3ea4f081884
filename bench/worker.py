"""One peer in a process of its own, told by run.py what to do next.

    python bench/worker.py PEER DB     a command a line on stdin, a JSON line for each

A peer is a module of bench/peers.  It has `versions()`, `open(path)` and some of
    full(db), whole(db)     the result of reading customer_interactions: 13 columns, all
    half(db), newest(db)    half a year of them, by id and the newest first
    arrow(db), json(db)     the 13 columns as a pyarrow.Table, as bytes of JSON
    threads(db)             the 13 columns 16 times, by as many threads or by one
    attributes(db), attributes_whole(db)    and touch three attributes of every row
    one(db, n)              the newest overview_kpis n times; the last one
    again(db, n), again_days(db, n)    the same, or all days, of an unchanged file
    again_json(db, n), again_days_json(db, n)    and their bytes of JSON
    again_series(db, n)     the KPIs of a year by month, of an unchanged file
    series(db, n)           n times the KPIs of a year by month, and two halves compared
    by_day(db)              three measures of customer_interactions by day
    add(path, n)            n durable upserts; nanoseconds
    adds(path, n)           the same by eight threads, a part each
    load(path, rows, upsert)    a bulk write (bench/loads.py); nanoseconds
    connect(path), first(path)   open it (and read one row): a handle to close
`n_rows(result)` where len() is not how many rows a result has, `close(handle)` where a
handle has no close().

The collector is off for every peer, and a result is dropped after the clock has
stopped: neither is charged to anybody.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import loads
from cases import VERBS
from clock import clock


def status_kib(name: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1])
    raise LookupError(name)


def reset_peak() -> None:
    """Forget the peak of the imports: VmHWM begins again at VmRSS."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def connect(peer: ModuleType, path: str, verb: str, times: int) -> dict[str, Any]:
    """Each opening by itself, the closing outside; the median."""
    close = getattr(peer, "close", lambda handle: handle.close())
    taken = []
    for _ in range(times):
        start = clock()
        handle = getattr(peer, verb)(path)
        taken.append(clock() - start)
        close(handle)
    return {"ns": sorted(taken)[times // 2], "n": 1}


def measure(peer: ModuleType, db: Any, path: str, name: str, n: int) -> dict[str, Any]:
    if name in ("connect", "first"):
        return connect(peer, path, name, n)
    verb = VERBS[name]
    if verb.writes:
        return {"ns": getattr(peer, name)(path, n), "n": n}
    reset_peak()
    before = status_kib("VmRSS")
    work = peer.full if name == "memory" else getattr(peer, name)
    start = clock()
    result = work(db) if verb.times is None else work(db, n)
    taken = clock() - start
    rows = getattr(peer, "n_rows", len)(result) if verb.all_rows else n
    peak = status_kib("VmHWM") - before
    del result
    return {"ns": taken, "n": rows, "peak": peak * 1024}


def load(
    loader: loads.Loader, peer: ModuleType, path: str, verb: str, to: str
) -> dict[str, Any]:
    if verb == "load_generator":
        reset_peak()
    before = status_kib("VmRSS")
    taken = loader.load(peer, path, verb, to)
    peak = status_kib("VmHWM") - before
    return {"ns": taken, "n": 1, "peak": peak * 1024}


def main(name: str, path: str) -> None:
    try:
        peer = importlib.import_module(f"peers.{name}")
        hello = {"versions": peer.versions()}
    except ModuleNotFoundError as error:
        print(json.dumps({"skip": str(error)}), flush=True)
        return
    db = peer.open(path)
    loader = loads.Loader()
    print(json.dumps(hello), flush=True)
    gc.disable()
    for line in sys.stdin:
        verb, _, rest = line.strip().partition(" ")
        gc.collect()
        try:
            if VERBS[verb].loads:
                answer = load(loader, peer, path, verb, rest)
            else:
                answer = measure(peer, db, path, verb, int(rest or 1))
        except Exception as error:  # a peer that cannot: said in the table
            answer = {"failed": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
