"""Measure the web side: ./run bench web [PART ...] [--rounds 3] [--check]

hello, old: apps under the same server program (granian, 16 threads), asked in turn by
wrk with four kept connections, a second each; the time of an answer is that second over
their number.  load: 200 kept connections for a minute while another process commits 100
times a second; each answer must be at least as new as the last commit that was
acknowledged before its request was sent.  Without a PART all three.

Each part's results go to build/bench/web.json, in place of its older ones; from there
run.py takes them for its page, or --markdown puts them into the page that is there.
--show measures nothing.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import mmap
import os
import re
import selectors
import shutil
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import data

HERE = Path(__file__).resolve().parent
RESULTS = data.BUILD / "web.json"
DAY = "2025-12-31"  # of the made-up data, the last
KPIS = "/api/overview/kpis"
CLIENTS = 200
COMMITS = 100  # a second
HELLO_TARGET, OLD_TARGET = 1.3, 4.0
APPS = ("hello", "old", "ours", "ours_without")
PARTS = ("hello", "old", "load")


# ---- servers -------------------------------------------------------------------------


class Server:
    def __init__(self, name: str, db: Path):
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        command = [sys.executable, "-m", "granian", "--interface", "wsgi"]
        command += ["--factory", "--port", str(self.port), "--log-level", "error"]
        command += ["--blocking-threads", "16", f"peers.web_apps:{name}"]
        environment = {**os.environ, "BENCH_DB": str(db), "BENCH_DAY": DAY}
        self.process = subprocess.Popen(command, cwd=HERE, env=environment)
        self._wait("/hello" if name == "hello" else KPIS)

    def _wait(self, path: str) -> None:
        end = time.monotonic() + 20
        while True:
            with contextlib.suppress(OSError):
                if b" 200 " in self.get(path):
                    return
            if time.monotonic() > end or self.process.poll() is not None:
                raise SystemExit("bench: the server does not answer")
            time.sleep(0.05)

    def get(self, path: str) -> bytes:
        with socket.create_connection(("127.0.0.1", self.port), 5) as client:
            client.sendall(request(path, "Connection: close\r\n"))
            found = b""
            while more := client.recv(65536):
                found += more
        return found

    def rss(self) -> int:
        """Bytes of all its processes."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        total = 0
        for pid in [str(self.process.pid), *children.read_text().split()]:
            pages = Path(f"/proc/{pid}/statm").read_text().split()[1]
            total += int(pages) * mmap.PAGESIZE
        return total

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()


def request(path: str, more: str = "") -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{more}\r\n".encode()


@contextlib.contextmanager
def servers(db: Path) -> Iterator[dict[str, Server]]:
    running: dict[str, Server] = {}
    try:
        for name in APPS:
            running[name] = Server(name, db)
        yield running
    finally:
        for server in running.values():
            server.stop()


# ---- how long an answer takes --------------------------------------------------------


def wrk(server: Server, path: str, tag: str = "") -> float:
    """Microseconds for each answer while four clients ask without a pause."""
    command = ["wrk", "-t1", "-c4", "-d1s", "-H", "Host: localhost"]
    command += ["-H", f"If-None-Match: {tag}"] if tag else []
    url = f"http://127.0.0.1:{server.port}{path}"
    said = subprocess.run(
        [*command, url], check=True, capture_output=True, text=True
    ).stdout
    if "Non-2xx" in said or "Socket errors" in said:
        raise SystemExit(f"bench: {path} fails:\n{said}")
    rate = re.search(r"Requests/sec: +([\d.]+)", said)
    assert rate
    return 1e6 / float(rate[1])


def tag_of(server: Server) -> str:
    found = re.search(rb"(?i)etag: (.*)\r\n", server.get(KPIS))
    assert found
    return found[1].decode()


def against_hello(running: dict[str, Server], rounds: int) -> dict[str, Any]:
    tag = tag_of(running["ours"])
    cases: dict[str, tuple[str, str]] = {
        "kept by the server": ("ours", ""),
        "If-None-Match": ("ours", tag),
        "nothing kept": ("ours_without", ""),
    }
    found: dict[str, Any] = {name: {"ours": [], "hello": []} for name in cases}
    for _ in range(rounds):
        for name, (app, seen) in cases.items():
            found[name]["ours"].append(wrk(running[app], KPIS, seen))
            found[name]["hello"].append(wrk(running["hello"], "/hello"))
    return found


def against_old(running: dict[str, Server], rounds: int) -> dict[str, Any]:
    from peers import old_web

    found: dict[str, Any] = {}
    for name in old_web.QUERIES:
        path = f"/api/{name}?period=30d" if name == "overview/kpis" else f"/api/{name}"
        times: dict[str, list[float]] = {"ours": [], "ours_without": [], "old": []}
        for _ in range(rounds):
            for app in times:
                times[app].append(wrk(running[app], path))
        found[name] = times
        print(f"  {name}: {ratio(times, 'old', 'ours'):.1f}", flush=True)
    return found


def ratio(times: dict[str, list[float]], of: str, to: str) -> float:
    return statistics.median(a / b for a, b in zip(times[of], times[to], strict=True))


# ---- clients while another commits ---------------------------------------------------


def write(db: Path, acknowledged: mmap.mmap) -> None:
    """COMMITS times a second until killed; the number of the newest commit that was
    acknowledged is in the shared memory."""
    from smartshopie_db import SmartShopieDB

    with SmartShopieDB(db) as base:
        number, due = 1_000_000, time.monotonic()
        while True:
            number += 1
            base.add_overview_kpis(record_date=DAY, total_customers=number)
            acknowledged[:8] = number.to_bytes(8, "little")
            due += 1 / COMMITS
            time.sleep(max(0.0, due - time.monotonic()))


class Client:
    CUSTOMERS = re.compile(rb'"total_customers":(\d+)')

    def __init__(self, port: int):
        self.socket = socket.create_connection(("127.0.0.1", port), 5)
        self.socket.setblocking(False)
        self.least, self.got = 0, b""

    def ask(self, least: int) -> None:
        self.least, self.got = least, b""
        self.socket.sendall(request(KPIS))

    def read(self) -> bool | None:
        """None: not whole yet; else whether the answer is right."""
        self.got += self.socket.recv(65536)
        head, end, body = self.got.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", head)
        if not end or not length or len(body) < int(length[1]):
            return None
        shown = self.CUSTOMERS.search(body)
        return head.startswith(b"HTTP/1.1 200") and bool(
            shown and int(shown[1]) >= self.least
        )


def load(db: Path, seconds: float) -> dict[str, Any]:
    acknowledged = mmap.mmap(-1, 8)
    server = Server("ours", db)
    writer = os.fork()
    if writer == 0:
        with contextlib.suppress(KeyboardInterrupt):
            write(db, acknowledged)
        os._exit(1)
    try:
        return drive(server, acknowledged, seconds)
    finally:
        os.kill(writer, 9)
        os.waitpid(writer, 0)
        server.stop()


def drive(server: Server, acknowledged: mmap.mmap, seconds: float) -> dict[str, Any]:
    def newest() -> int:
        return int.from_bytes(acknowledged[:8], "little")

    while newest() == 0:
        time.sleep(0.01)
    selector = selectors.DefaultSelector()
    for _ in range(CLIENTS):
        client = Client(server.port)
        selector.register(client.socket, selectors.EVENT_READ, client)
        client.ask(newest())
    began, first = time.monotonic(), newest()
    answers = wrong = 0
    memory: list[tuple[float, int]] = []
    while (now := time.monotonic()) < began + seconds:
        if not memory or now > memory[-1][0] + 1:
            memory.append((now, server.rss()))
        for key, _ in selector.select(1):
            right = key.data.read()
            if right is None:
                continue
            answers += 1
            wrong += not right
            key.data.ask(newest())
    late = memory[len(memory) // 3 :]  # after the first third: warm
    slope = statistics.linear_regression(*zip(*late, strict=True)).slope
    return {
        "seconds": seconds,
        "answers": answers,
        "wrong": wrong,
        "commits": newest() - first,
        "rss": late[-1][1],
        "slope": slope,
    }


# ---- what was found ------------------------------------------------------------------


def section() -> str:
    """Of the page that run.py writes; empty when nothing was measured."""
    if not RESULTS.exists():
        return ""
    found = json.loads(RESULTS.read_text())
    if found.keys() != set(PARTS):
        return ""
    median = statistics.median
    lines = ["| KPIs over HTTP | ours | Flask's smallest view | ratio | target |"]
    lines.append("|---|---|---|---|---|")
    for name, times in found["hello"].items():
        share = ratio(times, "ours", "hello")
        beyond = "" if share <= HELLO_TARGET else ": not reached"
        lines.append(
            f"| {name} | {median(times['ours']):.0f} us | {median(times['hello']):.0f}"
            f" us | {share:.2f} | <= {HELLO_TARGET:g}{beyond} |"
        )
    routes, held = found["old"], found["load"]
    kept = [ratio(times, "old", "ours") for times in routes.values()]
    made = [ratio(times, "old", "ours_without") for times in routes.values()]
    return PAGE.format(
        hello="\n".join(lines), n=len(routes), clients=CLIENTS, commits=COMMITS,
        rounds=len(next(iter(found["hello"].values()))["ours"]),
        route_rounds=len(next(iter(routes.values()))["ours"]),
        kept=median(kept), low=min(kept), high=max(kept), target=OLD_TARGET,
        made=median(made), made_low=min(made), made_high=max(made),
        answers=held["answers"], done=held["commits"], seconds=held["seconds"],
        wrong=held["wrong"], rss=held["rss"] / 1e6, slope=held["slope"] / 1e3,
    )  # fmt: skip


PAGE = """
## Over HTTP

Written by `./run bench web`: all apps under the same server program (granian, one
process, 16 threads), asked in turn by wrk over four kept connections; times are those
of one answer while the four ask without a pause. *Nothing kept* is with the package's
caches off; Flask's smallest view does `jsonify(hello="world")`. Medians of {rounds}
rounds, of the routes below of {route_rounds}.

{hello}

Against an app as they were written before the package (`bench/peers/old_web.py`: a
connection for each request, `sqlite3`, `jsonify`), over {n} routes: {kept:.1f} times
faster in the median, {low:.1f} to {high:.1f} (target {target:g}); with nothing kept
{made:.1f}, {made_low:.1f} to {made_high:.1f}.

{clients} kept connections that ask for the KPIs without a pause, while another process
commits {commits} times a second: {answers:,} answers and {done:,} commits in
{seconds:g} s, {wrong} of the answers wrong or older than the last commit acknowledged
before they were asked for. The server takes {rss:.0f} MB; from the first third on that
changes by {slope:+.1f} kB a second.
"""


def missed(found: dict[str, Any]) -> list[str]:
    said = []
    for name, times in found.get("hello", {}).items():
        share = ratio(times, "ours", "hello")
        if share > HELLO_TARGET and name != "nothing kept":
            said.append(f"{name} takes {share:.2f} of hello")
    faster = [ratio(times, "old", "ours") for times in found.get("old", {}).values()]
    if faster and statistics.median(faster) < OLD_TARGET:
        said.append(f"{statistics.median(faster):.1f} times faster than the older way")
    if found.get("load", {}).get("wrong"):
        said.append(f"{found['load']['wrong']} wrong answers under load")
    return said


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=60, help="of the load")
    parser.add_argument("--check", action="store_true", help="fail on a target missed")
    parser.add_argument("--show", action="store_true", help="what was measured before")
    parser.add_argument(
        "--markdown", type=Path, metavar="FILE", help="a page to put it in"
    )
    options = parser.parse_args(words)
    parts = () if options.show else options.parts or PARTS
    if not set(parts) <= set(PARTS):
        parser.error(f"a part is one of {', '.join(PARTS)}")
    if parts and not shutil.which("wrk"):
        raise SystemExit("bench: wrk is not installed (apt-get install wrk)")
    found = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    found |= measure(parts, options.rounds, options.seconds)
    RESULTS.write_text(json.dumps(found, indent=1))
    print(section())
    if options.markdown:
        put(options.markdown)
    said = missed(found)
    for text in said:
        print(f"missed: {text}")
    return 1 if options.check and said else 0


def put(page: Path) -> None:
    """The section in place of the page's older one, or before its last."""
    text = page.read_text()
    before, heading, rest = text.partition("\n## Over HTTP\n")
    if heading:
        rest = rest[rest.find("\n## ") :] if "\n## " in rest else ""
    else:
        before, heading, rest = text.partition("\n## Where we are behind\n")
        rest = heading + rest
    page.write_text(before + section() + rest)


def measure(parts: Sequence[str], rounds: int, seconds: float) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if not parts:
        return found
    db = database()
    if {"hello", "old"} & set(parts):
        with servers(db) as running:
            if "hello" in parts:
                found["hello"] = against_hello(running, rounds)
            if "old" in parts:
                found["old"] = against_old(running, rounds)
    if "load" in parts:
        found["load"] = load(db, seconds)
    return found


def database() -> Path:
    from smartshopie_db import demo

    source, copy = data.BUILD / "shop.db", data.BUILD / "shop-web.db"
    data.BUILD.mkdir(parents=True, exist_ok=True)
    if not source.exists():
        demo.generate(source, days=365, rows=100_000)
    for path in (copy, Path(f"{copy}-wal"), Path(f"{copy}-shm")):
        path.unlink(missing_ok=True)
    shutil.copy(source, copy)
    return copy
