"""What was found, kept as JSON and shown as a table, a page and a short table."""

from __future__ import annotations

import dataclasses
import json
import os
import platform
import sqlite3
import statistics
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from cases import CASES, MS, SIDES, US, VERBS, Case


@dataclasses.dataclass
class Result:
    case: Case
    ours: list[float] = dataclasses.field(default_factory=list)
    other: list[float] = dataclasses.field(default_factory=list)
    versions: str = ""
    skipped: str = ""
    load: float = 0.0  # of the machine when it began: us and others
    when: float = 0.0  # seconds since 1970

    @property
    def ratios(self) -> list[float]:
        pairs = zip(self.ours, self.other, strict=True)
        return [self.case.ratio(*pair) for pair in pairs] if self.other else self.ours

    @property
    def times_ours(self) -> list[float]:
        return [b / a for a, b in zip(self.ours, self.other, strict=True)]

    @property
    def miss(self) -> float:
        return self.case.miss(statistics.median(self.ratios)) if self.ours else 0.0


class Results:
    """In the order of CASES; those of one database, from `keep` if they were before."""

    def __init__(self, rows: int, source: Path, keep: Path | None):
        self.rows, self.source, self.keep = rows, source, keep
        self.kept: dict[str, Result] = {}
        if keep is None or not keep.exists():
            return
        cases = {case.key: case for case in CASES}
        for key, fields in json.loads(keep.read_text()).get(source.name, {}).items():
            if key in cases:
                self.kept[key] = Result(cases[key], **fields)

    def add(self, result: Result) -> None:
        self.kept[result.case.key] = result
        if self.keep is None:
            return
        every = json.loads(self.keep.read_text()) if self.keep.exists() else {}
        every[self.source.name] = {
            key: {k: v for k, v in vars(result).items() if k != "case"}
            for key, result in self.kept.items()
        }
        self.keep.write_text(json.dumps(every, indent=1))

    def all(self) -> list[Result]:
        return [self.kept[case.key] for case in CASES if case.key in self.kept]


def show(figure: float, verb: str) -> str:
    if VERBS[verb].peak:
        return f"{figure / 1e6:.0f} MB"
    if figure >= 1e9:
        return f"{figure / 1e9:.2f} s"
    if figure >= MS:
        return f"{figure / MS:.2f} ms" if figure < 10 * MS else f"{figure / MS:.0f} ms"
    return f"{figure / US:.2f} us"


def row(result: Result, rows: int) -> list[str]:
    case = result.case
    what = case.title.format(rows=rows)
    if result.skipped:
        return [what, "-", case.other_title, "-", f"skipped: {result.skipped}", "", ""]
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
        case.other_title,
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


def machine(source: Path) -> str:
    cpu = "an unknown processor"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            cpu = line.split(":")[1].strip()
            break
    return (
        f"{os.cpu_count()} cores of {cpu}, {platform.system()}"
        f" {platform.release().split('-')[0]}, Python {platform.python_version()},"
        f" SQLite {sqlite3.sqlite_version},"
        f" {source.stat().st_size / 1e6:.0f} MB file"
    )


def busy(results: Sequence[Result]) -> str:
    """Whether the figures come from a quiet machine; the bench itself makes 1."""
    loads = sorted(result.load for result in results if result.ours)
    if not loads or loads[-1] < 1.3:
        return "Nothing else ran on it."
    return (
        f"Other programs ran beside it: the load average was {loads[0]:.1f} to"
        f" {loads[-1]:.1f},\n{statistics.median(loads):.1f} in the middle, of which"
        " the bench makes 1 (2 where it has threads). So the\nseconds are high for this"
        " machine, and the ranges wide."
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
        share = statistics.median(result.times_ours)
        if share < 1:
            what = result.case.title.replace("{rows:,} ", "")
            unit = "memory" if VERBS[result.case.verb].peak else "time"
            other = result.case.other_title
            lines.append(f"- {what}: {other} takes {share:.2f} of our {unit}.")
    missed = [result for result in results if result.miss > 0]
    for result in missed:
        what = result.case.title.replace("{rows:,} ", "")
        against = f", against {result.case.other_title}" if result.case.other else ""
        lines.append(f"- {what}{against}: {100 * result.miss:.0f} % beyond the target.")
    if not lines:
        return ""
    return "\n## Where we are behind\n\n" + "\n".join(lines) + "\n"


def split(results: Sequence[Result]) -> tuple[list[Result], list[Result]]:
    ours = [r for r in results if r.case.main]
    return ours, [r for r in results if r not in ours]


def write_markdown(target: Path, results: Results) -> None:
    found = results.all()
    ours, others = split(found)
    versions = sorted(
        {r.versions for r in found if r.versions and r.case.other != "floor"}
    )
    newest = time.gmtime(max((r.when for r in found), default=0))
    text = PAGE.format(
        date=time.strftime("%-d %B %Y", newest),
        machine=machine(results.source),
        load=busy(found),
        rows=results.rows,
        rounds=max((len(r.ours) for r in found), default=0),
        openings=VERBS["connect"].times,
        targets="\n".join(markdown([HEAD, *(row(r, results.rows) for r in ours)])),
        others="\n".join(
            markdown([HEAD[:5], *(row(r, results.rows)[:5] for r in others)])
        ),
        versions="; ".join(versions),
        losses=losses(found),
    )
    target.write_text(text)


def write_readme(target: Path, results: Results) -> None:
    """A short table: each way to read, how many times as long as ours it takes."""
    found = {r.case.key: r for r in results.all() if r.other}

    def times(verb: str, name: str) -> str:
        result = found.get(f"{verb}:{name}")
        if result is None:
            return "-"
        ratio = statistics.median(result.times_ours)
        return f"{ratio:.2f}" if ratio < 10 else f"{ratio:.0f}"

    names = [name for name in SIDES if name not in ("ours", "sqlite3_row")]
    lines = [
        ["time, ours = 1", f"{results.rows:,} rows x 13", "newest row", "peak memory"],
        ["smartshopie_db", "1", "1", "1"],
        *(
            [SIDES[n].title, times("full", n), times("one", n), times("memory", n)]
            for n in names
            if any(f"{verb}:{n}" in found for verb in ("full", "one"))
        ),
    ]
    target.write_text("\n".join(markdown(lines)) + "\n")
