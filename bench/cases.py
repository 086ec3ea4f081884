"""What is measured, against whom, and what is aimed at.

A case is a verb and two sides.  The verb is a function of that name in bench/peers (and
for the floor a command of bench/floor.c); a side is a module of bench/peers.
"""

from __future__ import annotations

import dataclasses

from queries import BY_DAY, FULL, IN_RANGE, JSON, NEWEST, ONE, SERIES, WHOLE

MS, US = 1e6, 1e3  # nanoseconds


@dataclasses.dataclass(frozen=True)
class Side:
    title: str
    own_sqlite: bool = False  # reads a copy of its own: two SQLites, never one file
    slow: bool = False  # tens of seconds for a million rows: fewer rounds, no warm-up


SIDES = {
    "ours": Side("smartshopie_db"),
    "ours_one": Side("smartshopie_db, one reader"),
    "ours_cached": Side("smartshopie_db, cached"),
    "floor": Side("plain C"),
    "sqlite3": Side("sqlite3 (tuples)"),
    "sqlite3_row": Side("sqlite3.Row"),
    "sqlite3_orjson": Side("sqlite3 + orjson"),
    "sqlite3_msgspec": Side("sqlite3 + msgspec"),
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


@dataclasses.dataclass(frozen=True)
class Verb:
    title: str
    # A B A B within one round, of which the fastest of each side counts.
    turns: int = 1
    # How often in a turn, the figure being that of one; 0: as often as fits into a
    # hundredth of a second, None: once.
    times: int | None = None
    floor: str = ""  # the command; {} is how often, or the file to load into
    floor_title: str = SIDES["floor"].title
    all_rows: bool = False  # the answer must have them all
    peak: bool = False  # bytes of memory, not nanoseconds
    loads: bool = False  # into a new file
    writes: bool = False  # to a copy of its own
    rows: int | None = None  # in the database, if not those of all cases

    @property
    def writing(self) -> bool:
        return self.loads or self.writes


READ = "read {rows:,} rows x 13"
LOAD = "add_many() of {rows:,} rows, "
VERBS = {
    "full": Verb(READ, turns=2, floor=f"scan {FULL}", all_rows=True),
    "whole": Verb(
        "read {rows:,} rows x 14", turns=2, floor=f"scan {WHOLE}", all_rows=True
    ),
    "half": Verb(
        "read half a year of {rows:,} rows x 13", turns=2, floor=f"scan {IN_RANGE}"
    ),
    "newest": Verb("the same, newest first", turns=2, floor=f"scan {NEWEST}"),
    "arrow": Verb(
        READ + " to a pyarrow.Table", turns=2, floor=f"scan {FULL}", all_rows=True
    ),
    "json": Verb(
        READ + " to JSON bytes",
        floor=f"scan {JSON}",
        floor_title="json_group_array() in C",
    ),
    "threads": Verb(
        "read 100,000 rows x 13, 16 times: by 16 threads, by one", turns=2, rows=100_000
    ),
    "attributes": Verb("read x 13, 3 attributes of every row", turns=2),
    "attributes_whole": Verb("read x 14, 3 attributes of every row", turns=2),
    "one": Verb("get_overview_kpis()", turns=40, times=0, floor=f"one {{}} {ONE}"),
    "again": Verb("get_overview_kpis() again, unchanged", turns=40, times=0),
    "again_json": Verb(".to_json() of that", turns=40, times=0),
    "again_days": Verb("overview_kpis.select() again, 366 rows", turns=40, times=0),
    "again_days_json": Verb(".to_json() of these", turns=40, times=0),
    "again_series": Verb("a year of KPIs by month again", turns=40, times=0),
    "series": Verb(
        "a year of KPIs by month, and compared",
        turns=40,
        times=0,
        floor=f"each {{}} {SERIES}",
    ),
    "by_day": Verb("{rows:,} interactions by day", floor=f"scan {BY_DAY}"),
    "connect": Verb("connect to a warm file", turns=7, times=30),
    "first": Verb("connect and get_overview_kpis()", turns=7, times=30),
    "import": Verb("import, beyond a bare python", turns=9),
    "memory": Verb("peak memory of {rows:,} x 13", all_rows=True, peak=True),
    "add": Verb(
        "add_overview_kpis(), durable",
        turns=20,
        times=25,
        floor="add {}",
        writes=True,
        rows=1000,
    ),
    # Plain C has one thread for as many.
    "adds": Verb(
        "the same by 8 threads at once",
        turns=3,
        times=2000,
        floor="add {}",
        writes=True,
        rows=1000,
    ),
    "load_arrow": Verb(LOAD + "Arrow", floor="load {}", loads=True),
    "load_dicts": Verb(LOAD + "dicts", floor="load {}", loads=True),
    "load_tuples": Verb(LOAD + "tuples", floor="load {}", loads=True),
    "upsert_dicts": Verb(
        "the same again, dicts: an upsert", floor="upsert {}", loads=True
    ),
    "load_generator": Verb(
        "peak memory of add_many() of {rows:,} rows", loads=True, peak=True
    ),
}


@dataclasses.dataclass(frozen=True)
class Case:
    verb: str
    other: str  # a side, or "" for a figure that stands alone
    target: float | None = None  # of the ratio; without `other` of the figure itself
    faster: bool = False  # the ratio is other/ours: how many times faster we are
    ours: str = "ours"  # the side that is us

    @property
    def key(self) -> str:
        name = f"{self.verb}:{self.other}" if self.other else self.verb
        return name if self.ours == "ours" else f"{name}:{self.ours}"

    @property
    def names(self) -> set[str]:
        """By which it can be chosen."""
        return {self.key, self.verb, self.other} - {""}

    @property
    def title(self) -> str:
        what = VERBS[self.verb].title
        return what + ", one reader" if self.ours == "ours_one" else what

    @property
    def other_title(self) -> str:
        if self.other == "floor":
            return VERBS[self.verb].floor_title
        title = {"arrow": ARROW, "": "-"}.get(self.other) or SIDES[self.other].title
        # What a library makes of the rows it reads says nothing where it writes.
        return title.split(" (")[0] if VERBS[self.verb].writing else title

    @property
    def main(self) -> bool:
        """One of those with targets and their like, not a peer for information."""
        plain = ("", "arrow", "floor", "sqlite3", "ours_one")
        return self.target is not None or self.other in plain

    @property
    def slow(self) -> bool:
        return self.other in SIDES and SIDES[self.other].slow and self.verb != "one"

    @property
    def most_rounds(self) -> int:
        return 2 if self.slow else 99 if self.main else 3

    def ratio(self, ours: float, other: float) -> float:
        return other / ours if self.faster else ours / other

    def miss(self, ratio: float) -> float:
        """How far beyond the target: 0.1 is ten percent, negative is within."""
        if self.target is None:
            return 0.0
        return (self.target / ratio if self.faster else ratio / self.target) - 1


# Those that read rows, for comparison.
READERS = ("apsw", "adbc", "connectorx", "polars", "polars_uri", "pandas")
READERS += ("sqlalchemy_core", "sqlalchemy_orm", "sqlmodel", "peewee")

CASES = [
    Case("full", "floor", 1.1),
    Case("full", "sqlite3", 3.5, faster=True),
    Case("arrow", "floor", 1.05, ours="ours_one"),
    Case("arrow", "floor", 0.7),
    Case("arrow", "adbc", 1.6, faster=True),
    Case("arrow", "sqlalchemy_orm", 30, faster=True),
    Case("half", "floor", 0.7),
    Case("newest", "floor", 0.7),
    Case("half", "floor", ours="ours_one"),
    Case("newest", "floor", ours="ours_one"),
    Case("half", "sqlite3", faster=True),
    Case("newest", "sqlite3", faster=True),
    Case("threads", "ours_one", 1.5, faster=True),
    Case("json", "sqlite3_orjson", 4, faster=True),
    Case("json", "floor", 1.5, faster=True),
    Case("attributes", "sqlite3", 0.7),
    Case("one", "floor", 1.4),
    Case("one", "sqlite3", 0.75),
    Case("again", "", 0.3 * US, ours="ours_cached"),
    Case("again_days", "", 0.3 * US, ours="ours_cached"),
    Case("again_json", "", 0.5 * US, ours="ours_cached"),
    Case("again_days_json", "", 0.5 * US, ours="ours_cached"),
    Case("again_series", "", 0.5 * US, ours="ours_cached"),
    Case("series", "floor", 1.3),
    Case("by_day", "floor", 1.2),
    Case("by_day", "pandas", 5, faster=True),
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
    Case("add", "floor", 1.15),
    Case("adds", "floor", 3, faster=True),
    Case("adds", "sqlite3", 6, faster=True),
    Case("whole", "floor"),
    Case("whole", "sqlite3", faster=True),
    Case("attributes_whole", "sqlite3"),
    Case("import", "sqlite3"),
    Case("first", "sqlite3"),
    Case("add", "sqlite3"),
    Case("again", "sqlite3", faster=True, ours="ours_cached"),
    Case("attributes", "sqlite3_row"),
    Case("attributes", "apsw"),
    Case("arrow", "connectorx", faster=True),
    Case("json", "sqlite3_msgspec", faster=True),
    *(Case("full", name, faster=True) for name in READERS),
    *(Case("one", name, faster=True) for name in READERS),
    *(
        Case("memory", name, faster=True)
        for name in ("sqlite3", *READERS)
        if not SIDES[name].slow
    ),
]


def chosen(names: list[str]) -> list[Case]:
    known = {name for case in CASES for name in case.names}
    for name in names:
        if name not in known:
            raise SystemExit(f"no case {name!r}; there are {', '.join(sorted(known))}")
    return [case for case in CASES if not names or case.names & set(names)]
