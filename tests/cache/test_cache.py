"""Answers given again: the same object for the same question, within their bytes."""

import datetime
import gc
import sys
import threading
import time
import weakref

import pytest
from cached import CHANGE, DAY, compared, fill

from smartshopie_db import ClosedError, OverviewKPI, ProgrammingError, SmartShopieDB

# ---- what is the same ----------------------------------------------------------------


LIMIT = 64 * 1024 * 1024

ASKED = {
    "a record": lambda db: db.get_overview_kpis(),
    "a record of a day": lambda db: db.get_overview_kpis(DAY),
    "of a day as text": lambda db: db.get_overview_kpis("2025-01-01"),
    "of a day by name": lambda db: db.get_overview_kpis(date="2025-01-01"),
    "rows": lambda db: db.overview_kpis.select(),
    "some columns": lambda db: db.overview_kpis.select(columns=["id", "record_date"]),
    "a window": lambda db: db.overview_kpis.select(start=DAY, limit=3, order_by="-id"),
    "a filter": lambda db: db.overview_kpis.select(total_customers=103),
    "a period": lambda db: db.get_conversion_trends(period="30d"),
    "an instant": lambda db: db.realtime_metrics.select(
        start=datetime.datetime(2025, 1, 1, 12)
    ),
    "by id": lambda db: db.overview_kpis.get(2),
    "the latest": lambda db: db.overview_kpis.latest(),
    "a count": lambda db: db.overview_kpis.count(start="2025-01-03"),
    "a query": lambda db: db.query("SELECT total_customers FROM overview_kpis"),
    "with values": lambda db: db.query("SELECT ? AS a, ? AS b", (1, "x")),
    "with names": lambda db: db.query("SELECT :a AS a", {"a": b"\x00"}),
    "lenient": lambda db: db.overview_kpis.select(strict=False),
    "in time": lambda db: db.overview_kpis.select(timeout=5),
    "a series": lambda db: db.series("overview_kpis", "rows", period="30d"),
    "of days given": lambda db: db.series(
        "overview_kpis", "total_customers", start=DAY, as_of=DAY
    ),
    "a comparison": lambda db: compared(db, "previous_period"),
    "with other days": lambda db: compared(db, "previous_year"),
    "a ranking": lambda db: db.top(
        "customer_interactions", "rows", 3, by="interaction_type", period="30d"
    ),
}


@pytest.mark.parametrize("ask", ASKED.values(), ids=ASKED)
def test_the_same_object_is_given_again(db, ask):
    first = ask(db)
    before = db.stats()["cache_hits"]
    assert ask(db) is first
    assert db.stats()["cache_hits"] == before + 1
    with SmartShopieDB(db.db_path, cache=False) as plain:
        assert ask(plain) == first


@pytest.mark.parametrize("ask", ASKED.values(), ids=ASKED)
def test_without_a_cache_it_is_not(path, ask):
    with SmartShopieDB(path, cache=False) as db:
        fill(db)
        first = ask(db)
        again = ask(db)
        assert again == first
        assert again is not first or isinstance(first, int | None)
        assert db.stats()["cache_hits"] == db.stats()["cache_limit"] == 0


def test_none_is_an_answer(db):
    assert db.get_revenue_summary() is None
    before = db.stats()["cache_hits"]
    assert db.get_revenue_summary() is None
    assert db.stats()["cache_hits"] == before + 1


DIFFERENT = [
    [1, 1.0, "1", b"1", True, None],
    [0, 0.0, -0.0, False, ""],
    [DAY, "2025-01-01", datetime.datetime(2025, 1, 1)],
    [float("inf"), 2**62, -1],
]


@pytest.mark.parametrize("values", DIFFERENT)
def test_a_value_is_asked_with_its_type(db, values):
    def ask(value):
        return db.query("SELECT ? AS value, typeof(?1) AS type", (value,))

    rows = [ask(value) for value in values]
    assert len({id(answer) for answer in rows}) == len(values)
    assert [ask(value) for value in values] == rows
    with SmartShopieDB(db.db_path, cache=False) as plain:
        for value, answer in zip(values, rows, strict=True):
            rows = plain.query("SELECT ? AS value, typeof(?1) AS type", (value,))
            assert repr(rows.to_list()) == repr(answer.to_list())


def test_what_differs_otherwise(db):
    select = db.overview_kpis.select
    answers = [
        select(),
        select(limit=1),
        select(offset=1),
        select(limit=1, offset=1),
        select(columns="id"),
        select(columns=("id", "record_date")),
        select(columns=("record_date", "id")),
        select(start="2025-01-01"),
        select(end="2025-01-01"),
        select(strict=False),
        db.conversion_funnel.select(),
        db.get_conversion_funnel(),
        db.query("SELECT * FROM overview_kpis"),
        db.query("SELECT * FROM overview_kpis "),
        db.query("SELECT :a, :b", {"a": 1, "b": 2}),
        db.query("SELECT :a, :b", {"a": 2, "b": 1}),
        db.query("SELECT ?, ?", [1, 2]),
        db.query("SELECT ?, ?", [2, 1]),
    ]
    assert len({id(answer) for answer in answers}) == len(answers)
    assert select(columns=["id", "record_date"]) is answers[5]  # a list or a tuple
    assert db.query("SELECT ?, ?", (1, 2)) is answers[-2]


class Text(str):
    def __eq__(self, other):
        raise AssertionError("Python code ran")

    __hash__ = str.__hash__


class Zone(datetime.tzinfo):
    def utcoffset(self, when):
        return datetime.timedelta(hours=1)


NOT_KEPT = {
    "a subclass of str": lambda db: db.get_overview_kpis(Text("2025-01-01")),
    "a time zone": lambda db: db.realtime_metrics.select(
        start=datetime.datetime(2025, 1, 1, tzinfo=Zone())
    ),
    "very many values": lambda db: db.query(
        f"SELECT {','.join('?' * 200)}", list(range(200))
    ),
    "an iterator": lambda db: db.query("SELECT ?", iter([1])),
}


@pytest.mark.parametrize("ask", NOT_KEPT.values(), ids=NOT_KEPT)
def test_other_arguments_are_taken_and_not_kept(db, ask):
    assert ask(db) is not None
    entries = db.stats()["cache_entries"]
    assert ask(db) is not None
    assert db.stats()["cache_entries"] == entries


def test_a_list_may_change_afterwards(db):
    columns, values = ["id"], [1]
    rows = db.overview_kpis.select(columns=columns)
    answer = db.query("SELECT ? AS a", values)
    columns.append("record_date")
    values[0] = 2
    assert db.overview_kpis.select(columns=columns) is not rows
    assert db.query("SELECT ? AS a", values)[0].a == 2
    assert db.query("SELECT ? AS a", [1]) is answer


def test_an_error_is_raised_each_time(db):
    for _ in range(3):
        with pytest.raises(ValueError, match="limit"):
            db.overview_kpis.select(limit=-1)
        with pytest.raises(ProgrammingError):
            db.query("SELECT nothing")
        with pytest.raises(TypeError):
            db.get_overview_kpis(1)
        with pytest.raises(TypeError):
            db.overview_kpis.get(True)
    assert db.overview_kpis.get(1).id == 1
    assert db.stats()["cache_entries"] == 1


def test_a_record_is_no_key(db):
    """What a call answers cannot be changed by what is done with it."""
    record = db.get_overview_kpis()
    with pytest.raises(AttributeError):
        record.total_customers = 1
    assert isinstance(record, OverviewKPI)
    assert db.get_overview_kpis() is record


# ---- SQL that says more than the content ---------------------------------------------


VARYING = [
    "SELECT random() AS x",
    "SELECT hex(randomblob(8)) AS x",
    "SELECT x FROM (SELECT abs(random()) AS x)",
    "WITH c AS (SELECT random() AS x) SELECT x FROM c",
    "SELECT id FROM overview_kpis ORDER BY random()",
    "SELECT CURRENT_TIMESTAMP AS x",
    "SELECT current_date AS x",
    "SELECT date('now') AS x",
    "SELECT strftime('%f', 'now') AS x",
    "SELECT julianday('now') AS x",
    "SELECT id FROM overview_kpis WHERE record_date < date('now', '-1 day')",
    "SELECT changes() AS x",
    "SELECT total_changes() AS x",
    "SELECT last_insert_rowid() AS x",
    "PRAGMA user_version",
    "PRAGMA table_info(overview_kpis)",
    "SELECT * FROM pragma_table_info('overview_kpis')",
    "SELECT count(*) AS n FROM sqlite_stmt",
    "EXPLAIN SELECT 1",
    "EXPLAIN QUERY PLAN SELECT * FROM overview_kpis",
]


@pytest.mark.parametrize("sql", VARYING)
def test_what_depends_on_more_than_the_content_is_run_each_time(db, sql):
    entries = db.stats()["cache_entries"]
    for _ in range(3):  # also when the statement is prepared already
        first = db.query(sql)
        assert db.query(sql) is not first
    assert db.stats()["cache_entries"] == entries


STEADY = [
    "SELECT abs(total_customers) AS x, upper(record_date) FROM overview_kpis",
    "SELECT sum(total_customers), count(*), group_concat(id) FROM overview_kpis",
    "SELECT id, row_number() OVER (ORDER BY id) AS n FROM overview_kpis",
    "SELECT value FROM json_each('[1, 2]')",
    "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 5) "
    "SELECT x FROM c",
    "SELECT name FROM sqlite_schema WHERE name LIKE 'o%'",
    "VALUES (1), (2)",
]


@pytest.mark.parametrize("sql", STEADY)
def test_what_depends_on_the_content_alone_is_kept(db, sql):
    assert db.query(sql) is db.query(sql)


# ---- how much ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "limit"),
    [(True, LIMIT), (False, 0), (0, 0), (1, 1), (10**6, 10**6), (2**63 - 1, 2**63 - 1)],
)
def test_the_limit(path, given, limit):
    with SmartShopieDB(path, cache=given) as db:
        assert db.get_overview_kpis() is None
        assert db.stats()["cache_limit"] == limit
    with SmartShopieDB(path) as db:
        assert db.stats()["cache_limit"] == LIMIT


@pytest.mark.parametrize(
    ("given", "error"),
    [(-1, ValueError), (2**63, ValueError), ("64M", TypeError), (1.5, TypeError)],
)
def test_a_wrong_limit(path, given, error):
    with pytest.raises(error, match="cache: expected"):
        SmartShopieDB(path, cache=given)
    with pytest.raises(TypeError, match="cache: expected"):
        SmartShopieDB(path, cache=None)


def test_the_least_recently_used_goes(path):
    with SmartShopieDB(path, cache=20_000) as db:
        fill(db, 30)
        size = db.stats()["cache_bytes"]
        assert size == 0
        kept = db.overview_kpis.get(1)
        size = db.stats()["cache_bytes"]
        n = 20_000 // size
        for number in range(2, n + 1):
            db.overview_kpis.get(number)
        assert db.stats()["cache_evictions"] == 0
        assert db.overview_kpis.get(1) is kept  # now the newest
        second = db.overview_kpis.get(2)
        third = db.overview_kpis.get(3)
        for number in range(n + 1, n + 4):
            db.overview_kpis.get(number)
            assert db.stats()["cache_bytes"] <= 20_000
        assert db.stats()["cache_evictions"] == 3
        assert db.overview_kpis.get(1) is kept
        assert db.overview_kpis.get(2) is second
        assert db.overview_kpis.get(3) is third
        hits = db.stats()["cache_hits"]
        db.overview_kpis.get(4)
        assert db.stats()["cache_hits"] == hits


def test_the_bytes_are_those_that_are_held(path):
    with SmartShopieDB(path, cache=4_000_000) as db:
        text = "x" * 100_000
        for n in range(20):
            rows = db.query("SELECT ? AS a, ? AS n", (text, n))
            assert sys.getsizeof(rows) > 100_000
            figures = db.stats()
            assert figures["cache_bytes"] >= figures["cache_entries"] * 200_000
            assert figures["cache_bytes"] <= 4_000_000
        assert db.stats()["cache_evictions"] > 0


def test_what_is_too_large_is_not_kept(path):
    with SmartShopieDB(path, cache=100_000) as db:
        small = db.query("SELECT 1 AS a")
        large = db.query("SELECT zeroblob(30000) AS a")
        assert db.query("SELECT zeroblob(30000) AS a") is not large
        assert db.query("SELECT 1 AS a") is small


def test_many_entries(db):
    first = [db.query("SELECT ? AS n", (n,)) for n in range(2000)]
    again = [db.query("SELECT ? AS n", (n,)) for n in range(2000)]
    assert all(a is b for a, b in zip(first, again, strict=True))
    assert db.stats()["cache_entries"] == 2000
    db.execute(CHANGE)
    db.get_overview_kpis()
    assert db.stats()["cache_entries"] == 1


def test_close_lets_everything_go(path):
    db = SmartShopieDB(path)
    fill(db)
    rows = db.overview_kpis.select()
    count = sys.getrefcount(rows)
    assert db.stats()["cache_entries"] == 1
    db.close()
    assert sys.getrefcount(rows) == count - 1
    with pytest.raises(ClosedError):
        db.overview_kpis.select()
    db.connect()
    assert db.overview_kpis.select() == rows
    assert db.stats()["cache_entries"] == 1
    db.close()


def test_results_outlive_and_the_object_goes(path):
    class Mine(SmartShopieDB):
        pass

    db = Mine(path)
    fill(db)
    rows, record = db.overview_kpis.select(), db.get_overview_kpis()
    counts = sys.getrefcount(rows), sys.getrefcount(record)
    db.me = db
    gone = weakref.ref(db)
    del db
    gc.collect()
    assert gone() is None
    assert (sys.getrefcount(rows), sys.getrefcount(record)) == (
        counts[0] - 1,
        counts[1] - 1,
    )
    assert rows[4] == record


def test_a_subclass_with_its_own_arguments(path):
    class Shop(SmartShopieDB):
        def __init__(self, name, cache):
            super().__init__(name, cache=cache)

    with Shop(path, False) as db:
        assert db.stats()["cache_limit"] == 0
    with Shop(path, 5000) as db:
        assert db.stats()["cache_limit"] == 5000


def test_the_first_answer_is_kept(path):
    db = SmartShopieDB(path)
    assert len(db.overview_kpis.select()) == 0
    rows = db.overview_kpis.select()
    assert db.overview_kpis.select() is rows
    figures = db.stats()
    assert figures["cache_hits"] >= 2
    db.close()


def test_threads_share_it(db):
    """Through one object: nobody sees less than what was committed when it asked."""
    stop = time.monotonic() + 1.5
    acked, wrong = [100], []

    def write():
        while time.monotonic() < stop:
            n = acked[0] + 1
            db.overview_kpis.update(1, total_customers=n)
            acked[0] = n
            time.sleep(0.002)

    def read():
        while time.monotonic() < stop:
            least = acked[0]
            row = db.overview_kpis.get(1)
            rows = db.overview_kpis.select()
            if row.total_customers < least or rows[0].total_customers < least:
                wrong.append((least, row, rows))

    threads = [threading.Thread(target=f) for f in (write, *[read] * 4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    figures = db.stats()
    assert acked[0] > 103 and figures["cache_hits"] > 1000
