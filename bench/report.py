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

import web
from cases import CASES, MS, SIDES, US, VERBS, Case


@dataclasses.dataclass
class Result:
    case: Case
    rows: int
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
    """One for a case, in the order of CASES; those of `keep` until there are newer."""

    def __init__(self, keep: Path | None):
        self.keep = keep
        self.kept: dict[str, Result] = {}
        if keep is None or not keep.exists():
            return
        cases = {case.key: case for case in CASES}
        for key, fields in json.loads(keep.read_text()).items():
            if key in cases:
                self.kept[key] = Result(cases[key], **fields)

    def add(self, result: Result) -> None:
        self.kept[result.case.key] = result
        if self.keep is None:
            return
        fields = {
            key: {k: v for k, v in vars(result).items() if k != "case"}
            for key, result in self.kept.items()
        }
        self.keep.write_text(json.dumps(fields, indent=1))

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


def row(result: Result) -> list[str]:
    case = result.case
    what = case.title.format(rows=result.rows)
    if result.skipped:
        return [what, "-", case.other_title, "-", f"skipped: {result.skipped}", "", ""]
    median, ratios = statistics.median, result.ratios
    sign = "x faster" if case.faster and case.verb != "memory" else ""
    if case.faster and case.verb == "memory":
        sign = "x less"
    target = ""
    if result.other:
        spread = f"{min(ratios):.2f} to {max(ratios):.2f}, {len(ratios)}"
        ratio = f"{median(ratios):.2f}{sign} ({spread})"
        if case.target is not None:
            target = f"{'>=' if case.faster else '<='} {case.target:g}"
    else:
        spread = f"{show(min(ratios), case.verb)} to {show(max(ratios), case.verb)}"
        ratio = f"({spread}, {len(ratios)})"
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


HEAD = ["what", "ours", "against", "takes", "ratio (range, rounds)", "target"]
HEAD += ["reached"]


def plain(line: Sequence[str]) -> str:
    widths = (37, 10, 24, 10, 32, 10, 0)
    cells = zip(line, widths, strict=True)
    return "".join(f"{cell:{width}} " for cell, width in cells).rstrip()


def markdown(lines: Sequence[Sequence[str]]) -> Iterator[str]:
    for i, line in enumerate(lines):
        yield f"| {' | '.join(line)} |"
        if i == 0:
            yield "|" + "---|" * len(line)


def machine() -> str:
    cpu = "an unknown processor"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            cpu = line.split(":")[1].strip()
            break
    return (
        f"{os.cpu_count()} cores of {cpu}, {platform.system()}"
        f" {platform.release().split('-')[0]}, Python {platform.python_version()},"
        f" SQLite {sqlite3.sqlite_version}"
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

Written by

    ./run bench --keep build/bench/results.json \\
        --markdown docs/benchmarks.md --chart docs/img/speed.svg

the last time on {date}, on {machine}.
{load}

![How many times as long as this package others take](img/speed.svg)

## What is compared

Every figure comes from one machine, and what counts is the ratio: seconds differ
between machines, and between two minutes of one machine.

- The data is a year of an online shop, the same for everybody (`bench/data.py`, fixed
  seed): 1,000,000 rows of customer_interactions (with `--quick` 100,000: each line
  says what it is of) and 366 days of overview_kpis, with the current schema. Each side
  works in a process of its own; those that bring their own SQLite read another copy,
  because two SQLites must not share a file.
- The two sides of a pair are open and warm and are asked in turn, A B A B. In a round
  each has one to forty turns (more where a turn is short) and its fastest counts: what
  is added by other programs is noise. Each round gives one ratio, and the tables show
  the median of the ratios and, in brackets, the smallest, the largest and how many
  rounds there were (the columns of times are medians by themselves, so they need not
  have that ratio). A line of one round says little where the machine was busy.
- *Plain C* (`bench/floor.c`) is `sqlite3_step` and `sqlite3_column_*` over every cell
  of the same statement, without a mutex and with our settings. It makes nothing of the
  values: it is what SQLite alone takes. Writing, it prepares once and binds, steps and
  resets for each row, in one transaction.
- The clock is `time.perf_counter_ns` in the process that works (`clock_gettime` in C).
  Python's collector is switched off for all. A result is dropped after the clock has
  stopped, for all. Our result cache is off, so that every call reads the file, but for
  what is done *again*: the same call on an unchanged file, answered from the cache.

The cases:

- The rows read are customer_interactions. The 13 columns are those that it has always
  had: `select(columns=...)` gives rows that know their columns by name; the whole table
  has 14 and gives CustomerInteraction records. *Three attributes* are a text, an
  integer and a real; sqlite3 takes them from its tuples in a loop over the cursor,
  which is the fastest it has. *To a pyarrow.Table* is `pyarrow.table(rows)`, and what
  is nearest to it elsewhere: with SQLAlchemy's ORM a list of attributes a column.
- *JSON* is one `bytes` of records: `rows.to_json()`; orjson gets a dict for each row of
  a cursor, msgspec a Struct, and SQLite's `json_group_array(json_object(...))` is
  stepped in C.
- *One reader* is `SmartShopieDB(path, readers=1)`. Without it a large table is read by
  two threads, which helps as far as a second core is free. *By 16 threads, by one* is
  the same number of reads, divided among threads or one after the other.
- `get_overview_kpis()` and other short work is measured as calls in a row, a hundredth
  of a second each side in turn, forty turns a round; sqlite3 does
  `con.execute(sql, (1,)).fetchone()` with the same statement from its cache.
- *By month, and compared* is `db.series(every="month")` over a year of KPIs and
  `db.compare()` of its halves; in C one statement that groups, and adds up both halves.
  *By day* is `db.series()` over all interactions, three measures; in C the aggregate
  with GROUP BY, with pandas `read_sql` of the four columns and `groupby`.
- *Connect* is `SmartShopieDB(path).connect()`, {openings} times a turn, the median;
  closing is not in it. *Import* is a python that imports the package less one that
  does nothing, in turn, the fastest of nine each; on a busy machine that difference of
  two times is hardly more than noise.
- *Peak memory* is VmHWM after the work less VmRSS before it, in a new process; Arrow's
  size is computed from the data (8-byte offsets and numbers, validity bits).
- *Durable adds* are upserts of days that are there already, each one transaction with
  `synchronous=FULL`, into a write-ahead log that has been as long before; they depend
  on the disk more than on anybody's code. *By 8 threads*, each with days of its own, is
  compared with one thread of plain C that writes the same days and commits each by
  itself, and with eight threads of sqlite3, a connection each; shown is the time of one
  add.
- `add_many()` writes into a new file with the indexes of the schema, `synchronous=FULL`
  and the same checkpoints for all; the rows are in memory before the clock starts, for
  C as SQLite's own values. sqlite3 gets dicts, by `executemany`; ADBC gets Arrow.

## What we aim at

{targets}

## Other libraries

Each is used as its own documentation says, in `bench/peers/`. They do not all give the
same thing: tuples, sqlite3.Row, pandas and polars keep dates as text, Arrow readers
guess types, SQLAlchemy, SQLModel and peewee make date objects like we do (we make
them when they are looked at). connectorx opens the file anew for each call.

{others}

Versions: {versions}.
{web}{losses}"""


def losses(results: Sequence[Result]) -> str:
    """Where the other side is ahead: said in words, so that nobody has to search."""
    lines = []
    for result in results:
        if not result.other or result.case.other == "arrow":
            continue
        share = statistics.median(result.times_ours)
        if share < 1:
            what = result.case.title.format(rows=result.rows)
            unit = "memory" if VERBS[result.case.verb].peak else "time"
            other = result.case.other_title
            lines.append(f"- {what}: {other} takes {share:.2f} of our {unit}.")
    missed = [result for result in results if result.miss > 0]
    for result in missed:
        what = result.case.title.format(rows=result.rows)
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
        machine=machine(),
        load=busy(found),
        openings=VERBS["connect"].times,
        targets="\n".join(markdown([HEAD, *(row(r) for r in ours)])),
        others="\n".join(markdown([HEAD[:5], *(row(r)[:5] for r in others)])),
        versions="; ".join(versions),
        losses=losses(found),
        web=web.section(),
    )
    target.write_text(text)


# The short table: a column for each verb.
COLUMNS = {
    "full": "read many rows",
    "arrow": "to Arrow",
    "json": "to JSON",
    "one": "newest row",
    "load_dicts": "write many dicts",
    "adds": "adds, 8 threads",
    "memory": "memory to read",
}


def write_readme(target: Path, results: Results) -> None:
    """How many times as long as ours each other way takes."""
    found = {(r.case.other, r.case.verb): r for r in results.all() if r.other}

    def times(side: str, verb: str) -> str:
        if (side, verb) not in found:
            return ""
        ratio = statistics.median(found[side, verb].times_ours)
        return f"{ratio:.1f}" if ratio < 10 else f"{ratio:.0f}"

    lines = [
        ["", *COLUMNS.values()],
        [SIDES["ours"].title, *("1" for _ in COLUMNS)],
        *(
            [SIDES[side].title, *(times(side, verb) for verb in COLUMNS)]
            for side in SIDES
            if any((side, verb) in found for verb in COLUMNS)
        ),
    ]
    target.write_text("\n".join(markdown(lines)) + "\n")
