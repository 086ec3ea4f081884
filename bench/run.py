"""Measure this package against plain C over SQLite and against other libraries.

    python bench/run.py [NAME ...] [--rounds 5] [--quick] [--check] [--cpu]
                        [--markdown FILE] [--readme FILE]

NAME picks cases by what is done (full, whole, attributes, one, first, connect, import,
memory, add, adds) or by who it is compared with (floor, sqlite3, apsw, ...); without a
name all of them run.  A library that is not installed is skipped and named;
`./run bench` installs them all first.

How: each side is a process of its own on its own copy of the same file, both stay open
and warm, and they are asked in turn, A B A B; each round gives one ratio, and the table
shows the median of the ratios with the smallest and the largest.  So a slow moment of
the machine hits both sides of a pair, and what is compared is never two runs far apart.
On a machine that is busy with other things, --cpu counts processor time in place of
the wall clock's; waiting for the disk is free then, so it is nothing to publish.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import os
import platform
import shlex
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import data
import queries

HERE = Path(__file__).resolve().parent
MS, US = 1e6, 1e3  # nanoseconds


@dataclasses.dataclass(frozen=True)
class Side:
    title: str
    own_sqlite: bool = False  # reads a copy of its own: two SQLites, never one file
    slow: bool = False  # tens of seconds for the full read: fewer rounds, no warm-up


SIDES = {
    "ours": Side("smartshopie_db"),
    "floor": Side("plain C"),
    "sqlite3": Side("sqlite3 (tuples)"),
    "sqlite3_row": Side("sqlite3.Row"),
    "apsw": Side("apsw (tuples)", own_sqlite=True),
    "adbc": Side("ADBC (Arrow)", own_sqlite=True),
    "connectorx": Side("connectorx (Arrow)", own_sqlite=True),
    "polars": Side("polars.read_database"),
    "polars_uri": Side("polars.read_database_uri", own_sqlite=True),
    "pandas": Side("pandas.read_sql", slow=True),
    "sqlalchemy_core": Side("SQLAlchemy Core", slow=True),
    "sqlalchemy_orm": Side("SQLAlchemy ORM", slow=True),
    "sqlmodel": Side("SQLModel", slow=True),
    "peewee": Side("peewee", slow=True),
}
ARROW = "the same in Arrow"
NOTHING = "python -c pass"


@dataclasses.dataclass(frozen=True)
class Case:
    verb: str
    other: str  # a side, or "" for a figure that stands alone
    target: float | None = None  # of the ratio; without `other` of the figure itself
    faster: bool = False  # the ratio is other/ours: how many times faster we are

    @property
    def key(self) -> str:
        return f"{self.verb}:{self.other}" if self.other else self.verb

    def ratio(self, ours: float, other: float) -> float:
        return other / ours if self.faster else ours / other

    @property
    def main(self) -> bool:
        """One of those with targets and their like, not a peer for information."""
        return self.other in ("", "arrow", "floor", "sqlite3")

    def most_rounds(self, slow: bool) -> int:
        return 2 if slow else 99 if self.main else 3

    def miss(self, ratio: float) -> float:
        """How far beyond the target: 0.1 is ten percent, negative is within."""
        if self.target is None:
            return 0.0
        return (self.target / ratio if self.faster else ratio / self.target) - 1


PEERS = [name for name in SIDES if name not in ("ours", "floor", "sqlite3")]
CASES = [
    Case("full", "floor", 1.1),
    Case("full", "sqlite3", 3.5, faster=True),
    Case("attributes", "sqlite3", 0.7),
    Case("one", "floor", 1.4),
    Case("one", "sqlite3", 0.75),
    Case("import", "", 8 * MS),
    Case("connect", "", 1 * MS),
    Case("memory", "arrow", 1.3),
    Case("load_arrow", "floor", 0.8),
    Case("load_dicts", "floor", 1.0),
    Case("load_tuples", "floor", 1.0),
    Case("upsert_dicts", "floor", 0.9),
    Case("load_arrow", "sqlite3", 2.8, faster=True),
    Case("load_dicts", "sqlite3", 2.0, faster=True),
    Case("load_arrow", "adbc", 1.4, faster=True),
    Case("load_generator", "", 128 * 1024 * 1024),
    Case("whole", "floor"),
    Case("whole", "sqlite3", faster=True),
    Case("attributes_whole", "sqlite3"),
    Case("import", "sqlite3"),
    Case("first", "sqlite3"),
    Case("add", "floor", 1.15),
    Case("add", "sqlite3"),
    Case("adds", "floor", 3, faster=True),
    Case("adds", "sqlite3", 6, faster=True),
    Case("attributes", "sqlite3_row"),
    Case("attributes", "apsw"),
    *(Case("full", name, faster=True) for name in PEERS if name != "sqlite3_row"),
    *(Case("one", name, faster=True) for name in PEERS if name != "sqlite3_row"),
    *(
        Case("memory", name, faster=True)
        for name in ("sqlite3", *PEERS)
        if not SIDES[name].slow and name != "sqlite3_row"
    ),
]
TITLES = {
    "full": "read {rows:,} rows x 13",
    "whole": "read {rows:,} rows x 14",
    "attributes": "read x 13, 3 attributes of every row",
    "attributes_whole": "read x 14, 3 attributes of every row",
    "one": "get_overview_kpis()",
    "first": "connect and get_overview_kpis()",
    "connect": "connect to a warm file",
    "import": "import, beyond a bare python",
    "memory": "peak memory of {rows:,} x 13",
    "add": "add_overview_kpis(), durable",
    "adds": "the same by 8 threads at once",
    "load_arrow": "add_many() of {rows:,} rows, Arrow",
    "load_dicts": "add_many() of {rows:,} rows, dicts",
    "load_tuples": "add_many() of {rows:,} rows, tuples",
    "upsert_dicts": "the same again, dicts: an upsert",
    "load_generator": "peak memory of add_many() of {rows:,} rows",
}
WRITES = ("load_arrow", "load_dicts", "load_tuples", "upsert_dicts", "load_generator")
OPENINGS = 30  # of connect and first, in each turn
ADDS = {"add": 100, "adds": 400}  # "adds": by eight threads; plain C has one
CALLS_NS = 0.1e9  # how long the calls of `one` go on in each turn
# A B A B within one round, of which the fastest of each side counts.
TURNS = {"full": 2, "whole": 2, "attributes": 2, "attributes_whole": 2}
TURNS |= {"one": 7, "first": 7, "connect": 7, "add": 7, "adds": 3, "import": 9}


class Skipped(Exception):
    """Not installed, or it cannot do this; the message is for the table."""


class Crashed(Exception):
    """It ended without an answer."""


class Process:
    """One side, running; ask() has it do something once."""

    def __init__(self, name: str, path: Path):
        self.name, self.calls = name, 1
        command = [sys.executable, str(HERE / "worker.py"), name, str(path)]
        if name == "floor":
            command = [str(data.BUILD / "floor"), str(path)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        hello = self._answer()
        if "skip" in hello:
            self.process.wait()
            raise (Crashed if name == "ours" else Skipped)(hello["skip"])
        self.versions = hello["versions"]

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise Crashed(f"{self.name} ended with {self.process.wait()}")
        return json.loads(line)

    def _command(self, verb: str) -> str:
        if verb in ("connect", "first"):
            return f"{verb} {OPENINGS}"
        if verb in ADDS:
            return f"{'add' if self.name == 'floor' else verb} {ADDS[verb]}"
        if verb in WRITES:
            form = verb if self.name != "floor" else verb.split("_")[0]
            return f"{form} {data.empty(self.name)}"
        if verb == "one":
            return f"one {self.calls} {queries.ONE if self.name == 'floor' else ''}"
        if self.name == "floor":
            return f"scan {queries.FULL if verb == 'full' else queries.WHOLE}"
        return verb

    def ask(self, verb: str) -> dict[str, Any]:
        assert self.process.stdin is not None
        try:
            print(self._command(verb).strip(), file=self.process.stdin, flush=True)
        except BrokenPipeError:
            raise Crashed(f"{self.name} ended with {self.process.wait()}") from None
        answer = self._answer()
        if "failed" in answer:
            raise (Crashed if self.name == "ours" else Skipped)(answer["failed"])
        return answer

    def warm_up(self, verb: str, slow: bool) -> None:
        if verb == "one":
            taken = 0.0
            while taken < CALLS_NS / 20:
                self.calls *= 4
                taken = self.ask("one")["ns"]
            self.calls = min(int(self.calls * CALLS_NS / taken) + 1, 200_000)
        elif verb not in ("memory", *WRITES) and not slow:
            self.ask(verb)

    def figure(self, verb: str, rows: int) -> float:
        """Bytes of "memory"; else nanoseconds, of one call where there are many."""
        answer = self.ask(verb)
        if verb in ("full", "whole", "memory") and answer["n"] != rows:
            raise Crashed(f"{self.name} read {answer['n']} rows of {rows}")
        if verb in ("memory", "load_generator"):
            return answer["peak"]
        return answer["ns"] / (answer["n"] if verb == "one" or verb in ADDS else 1)

    def quit(self) -> None:
        """The end of its input ends it; so does a crash before."""
        assert self.process.stdin is not None and self.process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


@dataclasses.dataclass
class Result:
    case: Case
    ours: list[float]
    other: list[float]
    versions: str = ""
    skipped: str = ""

    @property
    def ratios(self) -> list[float]:
        pairs = zip(self.ours, self.other, strict=True)
        return [self.case.ratio(*pair) for pair in pairs] if self.other else self.ours

    @property
    def miss(self) -> float:
        return self.case.miss(statistics.median(self.ratios)) if self.ours else 0.0


class Bench:
    def __init__(self, rows: int, rounds: int):
        self.rows, self.rounds = rows, rounds
        self.load = os.getloadavg()[1]
        self.source = data.make(rows)
        self.copies: dict[str, Path] = {}
        self.versions: dict[str, str] = {}
        compile_floor()

    def path(self, name: str, verb: str) -> Path:
        """The copy for a side: of its own when it writes or brings its own SQLite."""
        kind = "system"
        if verb in ADDS:
            kind = f"add-{name}"
        elif SIDES[name].own_sqlite:
            kind = "own"
        if kind not in self.copies:
            source = data.make(1000) if verb in ADDS else self.source
            self.copies[kind] = data.copy(source, kind)
        return self.copies[kind]

    def open(self, name: str, verb: str) -> Process:
        process = Process(name, self.path(name, verb))
        self.versions[name] = process.versions
        return process

    def run(self, case: Case) -> Result:
        run: Callable[[Case], Result] = self.pair
        if case.verb == "import":
            run = self.imports
        elif case.verb == "memory":
            run = self.memory
        elif not case.other:
            run = self.alone
        try:
            return run(case)
        except Skipped as why:
            return Result(case, [], [], skipped=str(why))

    def pair(self, case: Case) -> Result:
        slow = SIDES[case.other].slow and case.verb == "full"
        a = self.open("ours", case.verb)
        try:
            b = self.open(case.other, case.verb)
            try:
                a.warm_up(case.verb, slow)
                b.warm_up(case.verb, slow)
                result = Result(case, [], [], b.versions)
                turns = TURNS.get(case.verb, 1) if case.main else 1
                for _ in range(min(self.rounds, case.most_rounds(slow))):
                    pairs = [
                        (a.figure(case.verb, self.rows), b.figure(case.verb, self.rows))
                        for _ in range(turns)
                    ]
                    result.ours.append(min(ours for ours, _ in pairs))
                    result.other.append(min(other for _, other in pairs))
                return result
            finally:
                b.quit()
        finally:
            a.quit()

    def alone(self, case: Case) -> Result:
        process = self.open("ours", case.verb)
        try:
            process.warm_up(case.verb, False)
            result = Result(case, [], [])
            for _ in range(self.rounds):
                turns = range(TURNS.get(case.verb, 1))
                figures = (process.figure(case.verb, self.rows) for _ in turns)
                result.ours.append(min(figures))
            return result
        finally:
            process.quit()

    def peak(self, name: str) -> float:
        process = self.open(name, "memory")
        try:
            return process.figure("memory", self.rows)
        finally:
            process.quit()

    def memory(self, case: Case) -> Result:
        """A new process each time: the peak is one read's."""
        times = min(self.rounds, 3) if case.other == "arrow" else 1
        ours = [self.peak("ours") for _ in range(times)]
        if case.other == "arrow":
            size = data.arrow_bytes(
                self.source, queries.INTERACTION, "customer_interactions"
            )
            return Result(case, ours, [float(size)] * times)
        return Result(case, ours, [self.peak(case.other)])

    def imports(self, case: Case) -> Result:
        """A bare python and one that imports, in turn; the fastest of each."""

        def python(code: str) -> float:
            start = time.perf_counter_ns()
            done = subprocess.Popen([sys.executable, "-c", code], cwd=data.BUILD)
            _, status, used = os.wait4(done.pid, 0)
            wall = time.perf_counter_ns() - start
            done.returncode = os.waitstatus_to_exitcode(status)
            if done.returncode != 0:
                raise Crashed(f"{code!r} ended with {done.returncode}")
            if "BENCH_CPU" in os.environ:
                return (used.ru_utime + used.ru_stime) * 1e9
            return wall

        def beyond_bare(module: str) -> float:
            turns = range(TURNS["import"])
            pairs = [(python("pass"), python(f"import {module}")) for _ in turns]
            return min(b for _, b in pairs) - min(a for a, _ in pairs)

        result = Result(case, [], [])
        python("import smartshopie_db, sqlite3")  # writes the .pyc files
        for _ in range(self.rounds):
            result.ours.append(beyond_bare("smartshopie_db"))
            if case.other:
                result.other.append(beyond_bare(case.other))
        return result


def compile_floor() -> None:
    def pkg_config(*arguments: str) -> list[str]:
        command = [os.environ.get("PKG_CONFIG", "pkg-config"), *arguments, "sqlite3"]
        return shlex.split(subprocess.check_output(command, text=True))

    compiler = shlex.split(os.environ.get("CC", "cc"))
    source, target = str(HERE / "floor.c"), str(data.BUILD / "floor")
    flags = ["-O2", "-Wall", "-Wextra", *pkg_config("--cflags")]
    command = [*compiler, *flags, source, "-o", target, *pkg_config("--libs")]
    subprocess.run(command, check=True)


# --- showing --------------------------------------------------------------------------


def show(figure: float, verb: str) -> str:
    if verb in ("memory", "load_generator"):
        return f"{figure / 1e6:.0f} MB"
    if figure >= 1e9:
        return f"{figure / 1e9:.2f} s"
    if figure >= MS:
        return f"{figure / MS:.2f} ms" if figure < 10 * MS else f"{figure / MS:.0f} ms"
    return f"{figure / US:.2f} us"


def name_of(case: Case) -> str:
    return {"arrow": ARROW, "": "-"}.get(case.other) or SIDES[case.other].title


def row(result: Result, rows: int) -> list[str]:
    case = result.case
    what = TITLES[case.verb].format(rows=rows)
    if result.skipped:
        return [what, "-", name_of(case), "-", f"skipped: {result.skipped}", "", ""]
    median, ratios = statistics.median, result.ratios
    sign = "x faster" if case.faster and case.verb != "memory" else ""
    if case.faster and case.verb == "memory":
        sign = "x less"
    target = ""
    if result.other:
        spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
        ratio = f"{median(ratios):.2f}{sign} ({spread})"
        if case.target is not None:
            target = f"{'>=' if case.faster else '<='} {case.target:g}"
    else:
        ratio = f"({show(min(ratios), case.verb)} to {show(max(ratios), case.verb)})"
        target = f"<= {show(case.target, case.verb)}" if case.target else ""
    reached = ("yes" if result.miss <= 0 else "NO") if target else ""
    return [
        what,
        show(median(result.ours), case.verb),
        name_of(case),
        show(median(result.other), case.verb) if result.other else "-",
        ratio,
        target,
        reached,
    ]


HEAD = ["what", "ours", "against", "takes", "ratio (range)", "target", "reached"]


def plain(line: Sequence[str]) -> str:
    widths = (37, 10, 24, 10, 32, 10, 0)
    cells = zip(line, widths, strict=True)
    return "".join(f"{cell:{width}} " for cell, width in cells).rstrip()


def markdown(lines: Sequence[Sequence[str]]) -> Iterator[str]:
    for i, line in enumerate(lines):
        yield f"| {' | '.join(line)} |"
        if i == 0:
            yield "|" + "---|" * len(line)


def machine(bench: Bench) -> str:
    cpu = "an unknown processor"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            cpu = line.split(":")[1].strip()
            break
    return (
        f"{os.cpu_count()} cores of {cpu}, {platform.system()}"
        f" {platform.release().split('-')[0]}, Python {platform.python_version()},"
        f" SQLite {sqlite3.sqlite_version},"
        f" {bench.source.stat().st_size / 1e6:.0f} MB file"
    )


def busy(bench: Bench) -> str:
    """Whether the figures come from a quiet machine; the bench itself makes 1."""
    others = max(bench.load, os.getloadavg()[1]) - 1
    if others < 0.3:
        return "Nothing else ran on it."
    return (
        f"Other programs ran beside it (load average {others + 1:.1f}, of which the"
        " bench\nmakes 1): the seconds are high for this machine, and the ranges wide."
    )


PAGE = """# How fast it is

Written by `./run bench --markdown docs/benchmarks.md`; the last time on {date},
on {machine}.
{load}

## What is compared

Every figure comes from one machine in one run, and what counts is the ratio: seconds
differ between machines, and between two minutes of one machine.

- The data is a year of an online shop, the same for everybody (`bench/data.py`, fixed
  seed): {rows:,} rows of customer_interactions and 366 days of overview_kpis, with the
  current schema. Each side works in a process of its own; those that bring their own
  SQLite read another copy, because two SQLites must not share a file.
- The two sides of a pair are open and warm and are asked in turn, A B A B. In a round
  each has two turns (seven where a turn is short) and its fastest counts: what is added
  by other programs is noise. Each round gives one ratio; there are {rounds} rounds, and
  the table shows the median of the ratios and, in brackets, the smallest and the
  largest (the columns of times are medians by themselves, so they need not have that
  ratio). The other libraries have three rounds of one turn, or two without a warm-up
  where a full read takes tens of seconds.
- *Plain C* (`bench/floor.c`) is `sqlite3_step` and `sqlite3_column_*` over every cell
  of the same statement, without a mutex and with our settings. It makes nothing of the
  values: it is what SQLite alone takes.
- The clock is `time.perf_counter_ns` in the process that works (`clock_gettime` in C).
  Python's collector is switched off for all. A result is dropped after the clock has
  stopped, for all. Our result cache is off: every call reads the file.
- The rows are customer_interactions. The 13 columns are those that it has always had:
  `select(columns=...)` gives rows that know their columns by name; the whole table has
  14 and gives CustomerInteraction records. *Three attributes* are a text, an integer
  and a real; sqlite3 takes them from its tuples in a loop over the cursor, which is
  the fastest it has.
- `get_overview_kpis()` is measured as calls in a row, a tenth of a second each side in
  turn; sqlite3 does `con.execute(sql, (1,)).fetchone()` with the same statement from
  its cache.
- *Connect* is `SmartShopieDB(path).connect()`, {openings} times a turn, the median;
  closing is not in it. *Import* is a python that imports the package less one that
  does nothing, in turn, the fastest of nine each.
- *Peak memory* is VmHWM after the read less VmRSS before it, in a new process; Arrow's
  size is computed from the data (8-byte offsets and numbers, validity bits).
- *Durable adds* are upserts of days that are there already, each one transaction with
  `synchronous=FULL`; they depend on the disk more than on anybody's code.

## What we aim at

{targets}

## Other libraries

Each is used as its own documentation says, in `bench/peers/`. They do not all give the
same thing: tuples, sqlite3.Row, pandas and polars keep dates as text, Arrow readers
guess types, SQLAlchemy, SQLModel and peewee make date objects like we do (we make
them when they are looked at). connectorx opens the file anew for each call.

{others}

Versions: {versions}.
{losses}"""


def losses(results: Sequence[Result]) -> str:
    """Where the other side is ahead: said in words, so that nobody has to search."""
    lines = []
    for result in results:
        if not result.other or result.case.other == "arrow":
            continue
        pairs = zip(result.ours, result.other, strict=True)
        share = statistics.median(other / ours for ours, other in pairs)
        if share < 1:
            what = TITLES[result.case.verb].replace("{rows:,} ", "")
            unit = "memory" if result.case.verb == "memory" else "time"
            line = f"- {what}: {name_of(result.case)} takes {share:.2f} of our {unit}."
            lines.append(line)
    missed = [result for result in results if result.miss > 0]
    for result in missed:
        what = TITLES[result.case.verb].replace("{rows:,} ", "")
        against = f", against {name_of(result.case)}" if result.case.other else ""
        lines.append(f"- {what}{against}: {100 * result.miss:.0f} % beyond the target.")
    if not lines:
        return ""
    return "\n## Where we are behind\n\n" + "\n".join(lines) + "\n"


def split(results: Sequence[Result]) -> tuple[list[Result], list[Result]]:
    ours = [r for r in results if r.case.main]
    return ours, [r for r in results if r not in ours]


def write_markdown(target: Path, bench: Bench, results: Sequence[Result]) -> None:
    ours, others = split(results)
    head = [HEAD]
    versions = sorted(
        {v for name, v in bench.versions.items() if name not in ("ours", "floor")}
    )
    text = PAGE.format(
        date=time.strftime("%-d %B %Y"),
        machine=machine(bench),
        load=busy(bench),
        rows=bench.rows,
        rounds=bench.rounds,
        openings=OPENINGS,
        targets="\n".join(markdown(head + [row(r, bench.rows) for r in ours])),
        others="\n".join(
            markdown([line[:5] for line in head + [row(r, bench.rows) for r in others]])
        ),
        versions="; ".join(versions),
        losses=losses(results),
    )
    target.write_text(text)


def write_readme(target: Path, bench: Bench, results: Sequence[Result]) -> None:
    """A short table: each way to read, how many times as long as ours it takes."""
    found = {r.case.key: r for r in results if r.ours and r.other}

    def times(verb: str, name: str) -> str:
        result = found.get(f"{verb}:{name}")
        if result is None:
            return "-"
        ratios = [b / a for a, b in zip(result.ours, result.other, strict=True)]
        ratio = statistics.median(ratios)
        return f"{ratio:.2f}" if ratio < 10 else f"{ratio:.0f}"

    names = [name for name in SIDES if name not in ("ours", "sqlite3_row")]
    lines = [
        ["time, ours = 1", f"{bench.rows:,} rows x 13", "newest row", "peak memory"],
        ["smartshopie_db", "1", "1", "1"],
        *(
            [SIDES[n].title, times("full", n), times("one", n), times("memory", n)]
            for n in names
            if any(f"{verb}:{n}" in found for verb in ("full", "one"))
        ),
    ]
    target.write_text("\n".join(markdown(lines)) + "\n")


def chosen(names: Sequence[str]) -> list[Case]:
    known = {name for case in CASES for name in (case.key, case.verb, case.other)}
    for name in names:
        if name not in known:
            raise SystemExit(f"no case {name!r}; there are {', '.join(sorted(known))}")
    return [
        case
        for case in CASES
        if not names or {case.key, case.verb, case.other} & set(names)
    ]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--rounds", type=int, help="of each pair; 5, or 2 with --quick")
    parser.add_argument("--quick", action="store_true", help="100,000 rows")
    parser.add_argument("--check", action="store_true", help="fail on a target missed")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="the whole page")
    parser.add_argument("--readme", type=Path, metavar="FILE", help="a short table")
    parser.add_argument("--cpu", action="store_true", help="processor time: see above")
    options = parser.parse_args()
    if options.cpu:
        os.environ["BENCH_CPU"] = "1"
    # A user's import finds .pyc files; here they are kept out of the tree.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = str(data.BUILD / "pycache")
    cases = chosen(options.names)
    bench = Bench(
        rows=100_000 if options.quick else 1_000_000,
        rounds=options.rounds or (2 if options.quick else 5),
    )
    print(machine(bench), plain(HEAD), sep="\n", flush=True)
    results, crashes = [], 0
    for case in cases:
        try:
            results.append(bench.run(case))
        except Crashed as crash:
            crashes += 1
            print(f"{case.key}: CRASHED: {crash}", flush=True)
        else:
            print(plain(row(results[-1], bench.rows)), flush=True)
    if options.markdown:
        write_markdown(options.markdown, bench, results)
    if options.readme:
        write_readme(options.readme, bench, results)
    missed = [result.case.key for result in results if result.miss > 0.1]
    if missed:
        print(f"missed by more than 10 %: {', '.join(missed)}")
    return 1 if crashes or (options.check and missed) else 0


if __name__ == "__main__":
    sys.exit(main())
