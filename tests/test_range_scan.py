"""Windows, filters and pages of a large table, read by several readers in parts: what
the rows are that SQLite's own module has, in the order that is promised."""

import datetime
import shutil
import sqlite3

import oracle
import pytest
import soak
from hypothesis import example, given, settings
from hypothesis import strategies as st
from large import (
    PROCESSORS,
    ROWS,
    execute,
    fill,
    fill_products,
    old_file,
    read_while_others_commit,
    scans,
    spoil,
)
from schema_facts import TABLES

from smartshopie_db import DataError, SmartShopieDB

pytestmark = pytest.mark.skipif(PROCESSORS < 2, reason="one processor reads alone")

SCATTERED = "(i * 7919 % 15013) * 2"  # in no order, each time twice or so
LATER = 2048  # rows that one statement gives before it is asked if it is large
START = datetime.datetime(2025, 1, 1)


def second(n):
    return START + datetime.timedelta(seconds=n)


def check(db, name, rows, *, getter=False, after=None, **arguments):
    """Ask for it; is it what the rows of the table say?  How it was read: scans()."""
    table = TABLES[name]
    skipped = {} if after is None else {"offset": after + 1}
    wanted = oracle.expected(table, rows, getter=getter, **skipped, **arguments)
    if after is not None:
        read = db.tables[name].select if not getter else getattr(db, f"get_{name}")
        arguments["after"] = read(limit=after + 1, **arguments).next_token
    before = scans(db)
    read = db.tables[name].select if not getter else getattr(db, f"get_{name}")
    got = read(**arguments)
    for column in table.columns:
        cells = [row[column.name] for row in wanted]
        assert got[column.name].to_list() == cells, column.name
        assert got[column.name].null_count == cells.count(None)
    return tuple(now - then for now, then in zip(scans(db), before, strict=True))


def folder(tmp_path_factory, blank_file, name):
    return shutil.copy(blank_file, tmp_path_factory.mktemp("ranges") / f"{name}.db")


@pytest.fixture(scope="module")
def in_order(tmp_path_factory, blank_file):
    return fill(folder(tmp_path_factory, blank_file, "in order"))


@pytest.fixture(scope="module")
def scattered(tmp_path_factory, blank_file):
    return fill(folder(tmp_path_factory, blank_file, "scattered"), seconds=SCATTERED)


@pytest.fixture(scope="module")
def products(tmp_path_factory, blank_file):
    return fill_products(folder(tmp_path_factory, blank_file, "products"))


class Opened:
    """A file with what it holds, read once by SQLite's own module."""

    def __init__(self, path, name="customer_interactions"):
        self.name, self.table = name, TABLES[name]
        self.rows = oracle.rows_of(path, self.table)
        self.db = SmartShopieDB(path, cache=False)

    def check(self, **arguments):
        return check(self.db, self.name, self.rows, **arguments)


@pytest.fixture(params=["in_order", "scattered"])
def interactions(request):
    opened = Opened(request.getfixturevalue(request.param))
    with opened.db:
        yield opened


MOST = {"start": second(3000), "end": second(29_000)}  # of the rows


def test_a_window_is_read_by_several(interactions):
    for window in (
        MOST,
        {"start": second(2000)},
        {"end": second(40_000)},
        {"start": datetime.date(2025, 1, 1), "end": datetime.date(2025, 1, 1)},
        {"period": "1m"},
        {"period": "1y", "as_of": datetime.date(2025, 3, 1)},
    ):
        assert interactions.check(**window) == (1, 1)
        assert interactions.check(getter=True, **window) == (1, 1)


def test_a_day_of_a_getter_is_read_by_several(interactions):
    assert interactions.check(getter=True, date=datetime.date(2025, 1, 1)) == (1, 1)


def test_filters_are_kept(interactions):
    """A filter alone, or with the time in order, is first tried by one statement."""
    for filters in (
        {"satisfaction_score": 3},
        {"customer_id": None},
        {"response_time_sec": 125.0},
        {"customer_name": "", "satisfaction_score": 2},
        {"customer_id": "nobody"},
    ):
        rows = oracle.expected(
            interactions.table, interactions.rows, getter=False, **filters
        )
        many = (1, 1) if len(rows) > LATER else (0, 0)
        assert interactions.check(**filters) == many
        assert interactions.check(**filters, **MOST) == (1, 1)
        assert interactions.check(getter=True, **filters, **MOST) == many


def test_an_order_that_begins_with_the_time_is_read_by_several(interactions):
    for order in (
        "interaction_date",
        "-interaction_date",
        ["interaction_date", "-customer_name", "satisfaction_score"],
        ["-interaction_date", "customer_id"],
    ):
        assert interactions.check(order_by=order) == (1, 1)
        assert interactions.check(order_by=order, **MOST) == (1, 1)
        assert interactions.check(order_by=order, satisfaction_score=2) == (1, 1)
    assert interactions.check(order_by="id", **MOST) == (1, 1)


def test_other_orders_are_read_by_one(interactions):
    for order in ("-id", "customer_name", ["satisfaction_score", "interaction_date"]):
        assert interactions.check(order_by=order, **MOST) == (0, 0)


def test_all_rows_after_a_place_are_read_by_several(interactions):
    for after in (0, 17, 5000):
        assert interactions.check(after=after) == (1, 1)
        assert interactions.check(after=after, **MOST) == (1, 1)
        for order in ("interaction_date", "-interaction_date"):
            assert interactions.check(after=after, order_by=order) == (1, 1)
    assert interactions.check(after=after, getter=True, **MOST) == (1, 1)
    assert interactions.check(after=29_000) == (0, 0)
    assert interactions.check(after=29_000, order_by="-interaction_date") == (0, 0)


def test_small_results_are_read_by_one_statement(interactions):
    for arguments in (
        {"start": second(29_900)},
        {"end": second(5000)},
        {"start": second(5000), "end": second(20_000)},
        {"interaction_id": "WEB-77", **MOST},
        {"id": 77},
        {"id": 77, **MOST},
    ):
        assert interactions.check(**arguments) == (0, 0)
        if "start" in arguments or "end" in arguments:
            assert interactions.check(getter=True, **arguments) == (0, 0)


def test_limited_results_are_read_by_one_statement(interactions):
    for arguments in ({"limit": 29_000}, {"offset": 3}, {"limit": 25_000, **MOST}):
        assert interactions.check(**arguments) == (0, 0)


@pytest.mark.parametrize("ids", ["i * 7", "i - 40000", f"{ROWS} - i", "i * i"])
def test_ids_with_gaps(path, ids):
    fill(path, row_id=ids)
    opened = Opened(path)
    with opened.db:
        assert opened.check(**MOST) == (1, 1)
        assert opened.check(**MOST, satisfaction_score=1) == (1, 1)
        assert opened.check(after=3000) == (1, 1)


def test_rows_far_apart_are_left_to_the_index(path):
    """One in six rows lies in the window: to read all for them takes longer."""
    fill(path, rows=140_000, seconds="CASE WHEN i % 6 THEN 9000000 ELSE i END")
    opened = Opened(path)
    with opened.db:
        assert opened.check(end=datetime.date(2025, 1, 31)) == (0, 0)
        assert opened.check(getter=True, end=datetime.date(2025, 1, 31)) == (1, 1)
        execute(path, "DELETE FROM customer_interactions WHERE id % 6 > 2")
        opened.rows = oracle.rows_of(path, TABLES[opened.name])
        assert opened.check(end=datetime.date(2025, 1, 31)) == (1, 1)


def test_many_rows_of_one_time(path):
    """They stay together; all of them being so is no reason to cut."""
    fill(path, seconds="CASE WHEN i % 4 THEN 60 ELSE i / 3000 END")
    opened = Opened(path)
    with opened.db:
        assert opened.check(getter=True, end=second(5000)) == (1, 1)
        assert opened.check(order_by="-interaction_date") == (1, 1)
        one_time = {"start": second(60), "end": second(60)}
        assert opened.check(getter=True, **one_time) == (0, 0)
        assert opened.check(**one_time) == (1, 1)


def test_two_ways_to_write_one_time(path):
    """A fraction of nothing, as other programs may store it, is the same time."""
    fill(path, seconds="i / 4000")
    execute(
        path,
        "UPDATE customer_interactions SET interaction_date = interaction_date"
        " || '.000000' WHERE id % 3 = 0",
    )
    with (
        SmartShopieDB(path, cache=False) as db,
        SmartShopieDB(path, cache=False, readers=1) as one,
    ):
        for read in ("get_customer_interactions", "customer_interactions.select"):
            method, alone = db, one
            for part in read.split("."):
                method, alone = getattr(method, part), getattr(alone, part)
            for end in range(8):
                got, wanted = method(end=second(end)), alone(end=second(end))
                assert got["id"].to_list() == wanted["id"].to_list()
                assert len(got) == min(ROWS, 4000 * (end + 1) - 1)
        assert scans(db)[1] > 2


def test_the_last_moment_there_is(path):
    fill(path)
    execute(
        path,
        "UPDATE customer_interactions SET interaction_date ="
        " '9999-12-31 23:59:59.999999'",
    )
    opened = Opened(path)
    with opened.db:
        start = {"start": datetime.date(9999, 12, 31)}
        assert opened.check(getter=True, **start) == (1, 1)
        assert opened.check(getter=True, after=2, **start) == (1, 1)
        assert opened.check(order_by="interaction_date", after=2, **start) == (0, 0)
        assert opened.check(**start) == (1, 1)


def test_sets_of_days(products):
    opened = Opened(products, "product_analytics")
    window = {"start": datetime.date(2025, 1, 5), "end": datetime.date(2025, 3, 30)}
    with opened.db:
        for arguments in (window, {"period": "1y"}, {**window, "category": "b"}):
            assert opened.check(**arguments) == (1, 1)
            assert opened.check(getter=True, **arguments) == (1, 1)
        assert opened.check(getter=True) == (0, 0)  # the newest day
        assert opened.check(period="30d") == (0, 0)
        order = ["-record_date", "-revenue", "views"]
        assert opened.check(order_by=order, **window) == (1, 1)
        assert opened.check(order_by=order, after=4000, **window) == (1, 1)


def test_a_time_without_an_index_is_read_by_row_ids_only(scattered, tmp_path):
    path = shutil.copy(scattered, tmp_path / "bare.db")
    execute(path, "DROP INDEX customer_interactions_interaction_date_idx")
    opened = Opened(path)
    with opened.db:
        assert opened.check(**MOST) == (1, 1)
        assert opened.check(getter=True, **MOST) == (0, 0)


def test_rows_without_a_time_are_not_lost(tmp_path):
    """In an old file the time may be missing: in no window, and first in its order."""
    path = old_file(tmp_path / "old.db")
    execute(
        path,
        "UPDATE customer_interactions SET interaction_date = replace("
        "interaction_date, ' ', 'T') WHERE id % 2 = 0",
    )
    opened = Opened(path)
    with opened.db:
        assert opened.check(**MOST) == (1, 1)
        assert opened.check(period="1y", satisfaction_score=4) == (1, 1)
        assert opened.check(satisfaction_score=4) == (1, 1)
        assert opened.check(getter=True, **MOST) == (0, 0)
        assert opened.check(order_by="-interaction_date") == (0, 0)


# ---- whatever is asked ---------------------------------------------------------------

MOMENTS = st.none() | st.integers(-5, 31_000).map(second)
WORDS = ("interaction_date", "customer_name", "satisfaction_score", "customer_id", "id")
ORDERS = st.none() | st.lists(
    st.sampled_from(WORDS).flatmap(lambda word: st.sampled_from([word, "-" + word])),
    min_size=1,
    max_size=3,
    unique_by=lambda word: word.lstrip("-"),
)
FILTERS = st.fixed_dictionaries(
    {},
    optional={
        "satisfaction_score": st.integers(1, 6),
        "customer_name": st.sampled_from([None, "", "é", "ééééé"]),
        "customer_id": st.sampled_from([None, "c7", "c14"]),
    },
)


@settings(max_examples=60)
@given(
    start=MOMENTS,
    end=MOMENTS,
    order=ORDERS,
    filters=FILTERS,
    getter=st.booleans(),
    after=st.none() | st.integers(0, 12_000),
)
@example(second(0), None, ["-interaction_date", "customer_name"], {}, False, 4999)
@example(None, second(45_000), None, {"satisfaction_score": 1}, True, 11)
def test_any_question_has_the_answer_of_sqlite(
    several, start, end, order, filters, getter, after
):
    arguments = {"order_by": order, "getter": getter, **filters}
    if start is not None and end is not None:
        start, end = min(start, end), max(start, end)
    arguments |= {"start": start, "end": end}
    for opened in several:
        wanted = oracle.expected(TABLES[opened.name], opened.rows, **arguments)
        place = after if after is not None and after + 1 < len(wanted) else None
        opened.check(after=place, **arguments)


@pytest.fixture(scope="module")
def several(in_order, scattered):
    opened = [Opened(in_order), Opened(scattered)]
    yield opened
    for one in opened:
        assert scans(one.db)[1] > 3  # fewer where the machine is busy
        one.db.close()


# ---- cells that do not fit ---------------------------------------------------------


@pytest.mark.parametrize("seconds", ["i", SCATTERED])
def test_the_error_names_the_first_bad_cell_of_the_answer(path, seconds):
    spoil(fill(path, seconds=seconds))
    stock = sqlite3.connect(path)
    sql = "SELECT id FROM customer_interactions WHERE message_count = 'many' AND"
    sql += (
        f" interaction_date BETWEEN '{second(3000)}' AND '{second(29_000)}' ORDER BY "
    )
    first = stock.execute(sql + "id").fetchone()[0]
    newest = stock.execute(sql + "interaction_date DESC, id DESC").fetchone()[0]
    stock.close()
    with SmartShopieDB(path, cache=False) as db:
        for read, row in (
            (db.customer_interactions.select, first),
            (db.get_customer_interactions, newest),
        ):
            with pytest.raises(DataError) as caught:
                read(**MOST)
            assert caught.value.row == row
            assert caught.value.column == "message_count"
        loose = db.customer_interactions.select(strict=False, **MOST)
        alone = db.customer_interactions.select(strict=False, limit=ROWS, **MOST)
        assert loose.notes == alone.notes
        assert len(loose.notes) > 2
        assert scans(db) == (1, 1)


# ---- one state -----------------------------------------------------------------------


def test_blocks_see_their_own_state(path):
    fill(path)
    with SmartShopieDB(path, cache=False) as db, SmartShopieDB(path) as other:
        with db.snapshot():
            assert len(db.get_customer_interactions(period="1m")) == ROWS
            other.execute("DELETE FROM customer_interactions WHERE id > 29000")
            assert len(db.get_customer_interactions(period="1m")) == ROWS
            assert len(db.customer_interactions.select(period="1m")) == ROWS
        with db.transaction():
            db.execute("DELETE FROM customer_interactions WHERE id > 28000")
            assert len(db.customer_interactions.select(**MOST)) == 25_001
        assert scans(db)[1] == 0
        assert len(db.customer_interactions.select(period="1m")) == 28_000
        assert scans(db)[1] == 1


QUESTIONS = {
    "window": lambda db: db.customer_interactions.select(
        start=START, end=START + datetime.timedelta(days=3)
    ),
    "period": lambda db: db.customer_interactions.select(period="1w"),
    "getter": lambda db: db.get_customer_interactions(start=START),
    "getter, period": lambda db: db.get_customer_interactions(period="1w"),
    "filter": lambda db: db.customer_interactions.select(session_id=None),
}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("question", QUESTIONS)
def test_every_answer_is_a_committed_state(path, question):
    """The control, which does not compare the headers and is caught, is in C."""
    commits, read, shared = read_while_others_commit(
        path, soak.times(3, 60), QUESTIONS[question]
    )
    soak.figure("scans of ranges by several readers while others commit", shared)
    assert commits > 60
    assert read > 3
    # A period begins before the readers do: it has one attempt to meet no commit.
    assert shared > 0 or "period" in question
