"""Measure this package against plain C over SQLite and against other libraries.

    python bench/run.py [NAME ...] [--rounds 5] [--quick] [--check] [--cpu]
                        [--keep FILE] [--show]
                        [--markdown FILE] [--readme FILE] [--chart FILE]

The web side has a bench of its own: run.py web --help.

NAME picks cases (bench/cases.py) by what is done (full, arrow, json, one, again,
series, load_arrow, adds, ...), by who it is compared with (floor, sqlite3, apsw, ...)
or both (full:apsw); without a name all of them run.  A library that is not installed is
skipped and named; `./run bench` installs them all first.

All of them take half an hour.  With --keep each result goes into FILE at once, in place
of an older one, and what is written with --markdown, --readme and --chart is of all
results in FILE; so it can be done in pieces, and --show runs nothing more.

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
import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import data
import report
from cases import SIDES, VERBS, Case, chosen
from queries import INTERACTION
from report import Result

HERE = Path(__file__).resolve().parent
# How long repeated calls go on in each turn: on a busy machine one of many short turns
# finds a processor that nobody else wants.
CALLS_NS = 0.01e9


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

    def _command(self, name: str) -> str:
        verb = VERBS[name]
        what = str(data.empty(self.name) if verb.loads else verb.times or self.calls)
        command = verb.floor if self.name == "floor" else name + " {}"
        return command.replace("{}", what)

    def ask(self, verb: str) -> dict[str, Any]:
        assert self.process.stdin is not None
        try:
            print(self._command(verb), file=self.process.stdin, flush=True)
        except BrokenPipeError:
            raise Crashed(f"{self.name} ended with {self.process.wait()}") from None
        answer = self._answer()
        if "failed" in answer:
            raise (Crashed if self.name.startswith("ours") else Skipped)(
                answer["failed"]
            )
        return answer

    def warm_up(self, name: str) -> None:
        verb = VERBS[name]
        if verb.times == 0:
            taken = 0.0
            while taken < CALLS_NS / 4:
                self.calls *= 4
                # The fastest: an interruption must not pass for the end of the search.
                taken = min(self.ask(name)["ns"] for _ in range(5))
            self.calls = min(int(self.calls * CALLS_NS / taken) + 1, 1_000_000)
        elif not verb.peak and not verb.loads:
            self.ask(name)

    def figure(self, name: str, rows: int) -> float:
        """Bytes, or nanoseconds; of one call where there are many."""
        verb, answer = VERBS[name], self.ask(name)
        if verb.all_rows and answer["n"] != rows:
            raise Crashed(f"{self.name} read {answer['n']} rows of {rows}")
        if verb.peak:
            return answer["peak"]
        return answer["ns"] / (answer["n"] if verb.times is not None else 1)

    def quit(self) -> None:
        """The end of its input ends it; so does a crash before."""
        assert self.process.stdin is not None and self.process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


class Bench:
    def __init__(self, rows: int, rounds: int):
        self.rows, self.rounds = rows, rounds
        self.source = data.make(rows)
        self.copies: dict[str, Path] = {}
        self.versions: dict[str, str] = {}
        compile_floor()

    def path(self, side: str, name: str) -> Path:
        """The copy for a side: of its own when it writes or brings its own SQLite."""
        verb = VERBS[name]
        kind = "own" if SIDES[side].own_sqlite else "system"
        if verb.writes:
            kind = f"add-{side}"
        elif verb.rows:
            kind = f"{kind}-{verb.rows}"
        if kind not in self.copies:
            source = data.make(verb.rows) if verb.rows else self.source
            self.copies[kind] = data.copy(source, kind)
        return self.copies[kind]

    @contextlib.contextmanager
    def open(self, side: str, name: str) -> Iterator[Process]:
        process = Process(side, self.path(side, name))
        self.versions[side] = process.versions
        try:
            yield process
        finally:
            process.quit()

    def run(self, case: Case) -> Result:
        run: Callable[[Case, Result], None] = self.pair
        if case.verb == "import":
            run = self.imports
        elif case.verb == "memory":
            run = self.memory
        elif not case.other:
            run = self.alone
        result = Result(case, self.rows, load=os.getloadavg()[0], when=time.time())
        try:
            run(case, result)
        except Skipped as why:
            result = Result(case, self.rows, skipped=str(why))
        result.versions = self.versions.get(case.other, "")
        return result

    def pair(self, case: Case, result: Result) -> None:
        verb, rows = case.verb, self.rows
        turns = VERBS[verb].turns if case.main and not case.slow else 1
        with self.open(case.ours, verb) as a, self.open(case.other, verb) as b:
            if VERBS[verb].writes:
                data.lengthen_log(self.path(case.ours, verb))
                data.lengthen_log(self.path(case.other, verb))
            if not case.slow:
                a.warm_up(verb)
                b.warm_up(verb)
            for _ in range(min(self.rounds, case.most_rounds)):
                pairs = [
                    (a.figure(verb, rows), b.figure(verb, rows)) for _ in range(turns)
                ]
                result.ours.append(min(ours for ours, _ in pairs))
                result.other.append(min(other for _, other in pairs))

    def alone(self, case: Case, result: Result) -> None:
        with self.open(case.ours, case.verb) as process:
            process.warm_up(case.verb)
            for _ in range(self.rounds):
                turns = range(VERBS[case.verb].turns)
                figures = (process.figure(case.verb, self.rows) for _ in turns)
                result.ours.append(min(figures))

    def peak(self, side: str) -> float:
        with self.open(side, "memory") as process:
            return process.figure("memory", self.rows)

    def memory(self, case: Case, result: Result) -> None:
        """A new process each time: the peak is one read's."""
        if case.other != "arrow":
            result.ours.append(self.peak(case.ours))
            result.other.append(self.peak(case.other))
            return
        size = data.arrow_bytes(self.source, INTERACTION, "customer_interactions")
        for _ in range(min(self.rounds, 3)):
            result.ours.append(self.peak(case.ours))
            result.other.append(float(size))

    def imports(self, case: Case, result: Result) -> None:
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
            turns = range(VERBS["import"].turns)
            pairs = [(python("pass"), python(f"import {module}")) for _ in turns]
            return min(b for _, b in pairs) - min(a for a, _ in pairs)

        python("import smartshopie_db, sqlite3")  # writes the .pyc files
        for _ in range(self.rounds):
            result.ours.append(beyond_bare("smartshopie_db"))
            if case.other:
                result.other.append(beyond_bare(case.other))


def compile_floor() -> None:
    def pkg_config(*arguments: str) -> list[str]:
        command = [os.environ.get("PKG_CONFIG", "pkg-config"), *arguments, "sqlite3"]
        return shlex.split(subprocess.check_output(command, text=True))

    compiler = shlex.split(os.environ.get("CC", "cc"))
    source, target = str(HERE / "floor.c"), str(data.BUILD / "floor")
    flags = ["-O2", "-Wall", "-Wextra", *pkg_config("--cflags")]
    command = [*compiler, *flags, source, "-o", target, *pkg_config("--libs")]
    subprocess.run(command, check=True)


def main() -> int:
    if sys.argv[1:2] == ["web"]:
        import web

        return web.main(sys.argv[2:])
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--rounds", type=int, help="of each pair; 5, or 2 with --quick")
    parser.add_argument("--quick", action="store_true", help="100,000 rows")
    parser.add_argument("--check", action="store_true", help="fail on a target missed")
    parser.add_argument("--keep", type=Path, metavar="FILE", help="of results, as JSON")
    parser.add_argument("--show", action="store_true", help="what is kept; run nothing")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="the whole page")
    parser.add_argument("--readme", type=Path, metavar="FILE", help="a short table")
    parser.add_argument("--chart", type=Path, metavar="FILE", help="an SVG")
    parser.add_argument("--cpu", action="store_true", help="processor time: see above")
    options = parser.parse_args()
    if options.cpu:
        os.environ["BENCH_CPU"] = "1"
    # A user's import finds .pyc files; here they are kept out of the tree.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = str(data.BUILD / "pycache")
    cases = [] if options.show else chosen(options.names)
    bench = Bench(
        rows=100_000 if options.quick else 1_000_000,
        rounds=options.rounds or (2 if options.quick else 5),
    )
    results = report.Results(options.keep)
    print(report.machine(), report.plain(report.HEAD), sep="\n", flush=True)
    crashes = 0
    for case in cases:
        try:
            result = bench.run(case)
        except Crashed as crash:
            crashes += 1
            print(f"{case.key}: CRASHED: {crash}", flush=True)
        else:
            results.add(result)
            print(report.plain(report.row(result)), flush=True)
    if options.markdown:
        report.write_markdown(options.markdown, results)
    if options.readme:
        report.write_readme(options.readme, results)
    if options.chart:
        import chart  # matplotlib is slow to import

        chart.write(options.chart, results)
    missed = [result.case.key for result in results.all() if result.miss > 0.1]
    if missed:
        print(f"missed by more than 10 %: {', '.join(missed)}")
    return 1 if crashes or (options.check and missed) else 0


if __name__ == "__main__":
    sys.exit(main())
