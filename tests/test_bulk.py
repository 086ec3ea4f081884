"""add_many(): what single adds would do, in files of every kind."""

import collections
import contextlib
import datetime
import shutil
import sqlite3
from pathlib import Path
from types import MappingProxyType

import layouts
import oracle
import pytest
from bulk import DAY, contents, interaction, stage
from hypothesis import given, settings
from hypothesis import strategies as st
from schema_facts import TABLES

from smartshopie_db import (
    AddResult,
    ConversionFunnel,
    CustomerInteraction,
    IntegrityError,
    OverviewKPI,
    SchemaError,
    SmartShopieDB,
)

pytestmark = pytest.mark.timeout(60)

# ---- the same as single adds ---------------------------------------------------------

COUNTS = st.one_of(st.none(), st.integers(-1, 9))
STAGES = st.fixed_dictionaries(
    {
        "record_date": st.sampled_from([DAY, DAY.isoformat(), "2025-10-29"]),
        "stage_name": st.sampled_from(["Browse", "Café", "x" * 40]),
        "stage_order": st.integers(1, 5),
        "count": st.integers(-1, 30),
    },
    optional={
        "percentage": st.sampled_from([None, 0, 12.5, 100, 101.0]),
        "dropoff_rate": st.floats(0, 100),
        "created_at": st.just("2025-10-28 05:42:44.5"),
        "id": st.one_of(st.none(), st.integers(1, 30)),
    },
)
ENDPOINTS = st.fixed_dictionaries(
    {"endpoint_name": st.sampled_from(["/chat", "/search", "/Chat"])},
    optional={
        "method": st.sampled_from(["GET", "POST"]),
        "error_rate": st.one_of(st.none(), st.floats(0, 100)),
        "request_count": COUNTS,
        "last_checked": st.datetimes(datetime.datetime(2000, 1, 1)),
    },
)
SHAPES = st.sampled_from([dict, MappingProxyType, "record"])


def one_by_one(db, table, rows, on_conflict):
    """The counts, or the number of the row that is refused."""
    done = []
    try:
        with db.transaction():
            for row in rows:
                before = getattr(db, table).count()
                getattr(db, table).add(on_conflict=on_conflict, **row)
                added = getattr(db, table).count() - before
                done.append("inserted" if added else on_conflict)
    except IntegrityError:
        return len(done)
    counts = collections.Counter(done)
    return AddResult((counts["inserted"], counts["update"], counts["ignore"]))


def all_at_once(db, table, rows, on_conflict):
    try:
        return getattr(db, table).add_many(rows, on_conflict=on_conflict)
    except IntegrityError as error:
        return error.row


def shaped(db, table, row, shape):
    return getattr(db, table).record(**row) if shape == "record" else shape(row)


@pytest.mark.parametrize("layout", ["current", "newer"])
@pytest.mark.parametrize(
    ("table", "rows"), [("conversion_funnel", STAGES), ("api_endpoints", ENDPOINTS)]
)
def test_it_does_what_single_adds_do(tmp_path_factory, blank_file, layout, table, rows):
    folder = tmp_path_factory.mktemp("model")
    empty = blank_file
    if layout != "current":
        empty = layouts.build(folder / "old.db", layout, rows=False)
        rows = rows.map(lambda row: {k: v for k, v in row.items() if k != "id"})

    @given(
        st.lists(st.tuples(rows, SHAPES), max_size=12),
        st.sampled_from(["update", "ignore", "error"]),
        st.integers(0, 3),
    )
    @settings(max_examples=60)
    def check(given_rows, on_conflict, already):
        plain = [row for row, _ in given_rows]
        seeds = plain[:already]
        with (
            SmartShopieDB(shutil.copy(empty, folder / "a.db")) as single,
            SmartShopieDB(shutil.copy(empty, folder / "b.db")) as bulk,
        ):
            for row in seeds:
                for db in (single, bulk):
                    with contextlib.suppress(IntegrityError):
                        getattr(db, table).add(**row)
            bad = [row for row in plain if is_refused(single, table, row)]
            if on_conflict == "ignore" and bad:
                return  # a single add does not look at a row that it ignores
            shapes = [shaped(bulk, table, row, shape) for row, shape in given_rows]
            wanted = one_by_one(single, table, plain, on_conflict)
            got = all_at_once(bulk, table, shapes, on_conflict)
            assert got == wanted
            assert contents(bulk, table) == contents(single, table)
        for name in ("a.db", "b.db"):
            (folder / name).unlink()

    check()


def is_refused(db, table, row):
    values = [row.get("count"), row.get("request_count"), row.get("percentage")]
    return any(v is not None and (v < 0 or v > 100) for v in values)


def test_every_table_takes_what_it_gave(demo, path):
    """Rows of each table into a new file: tuples, dicts, records, Rows."""
    with SmartShopieDB(path) as other:
        for name in ("billing_summary", *TABLES):  # parents first
            rows = getattr(demo, name).select()
            getattr(other, name).add_many(rows)
            assert contents(other, name) == contents(demo, name), name
        for name in TABLES:
            rows = getattr(demo, name).select()
            for data in (list(rows), iter(rows), [dict(r) for r in rows], rows[::-1]):
                result = getattr(other, name).add_many(data)
                assert result == (0, len(rows), 0), name
            assert contents(other, name) == contents(demo, name), name


def test_tuples_are_in_the_order_of_the_records_arguments(db):
    names = ConversionFunnel.__match_args__
    one, two = stage(1, percentage=5.0), stage(2, percentage=None)
    rows = [tuple(one.get(n) for n in names), [two.get(n) for n in names]]
    db.conversion_funnel.add_many([rows[0], rows[1][:6]])
    for row, wanted in zip(db.conversion_funnel.select(), (one, two), strict=True):
        assert {name: row[name] for name in wanted} == wanted
    with pytest.raises(TypeError, match=r"row 0: 40 values for \d+ columns"):
        db.conversion_funnel.add_many([(None,) * 40])


def test_columns_name_the_places_of_a_tuple(db):
    columns = ("stage_order", "record_date", "stage_name", "count")
    result = db.add_many(
        "conversion_funnel", ((n, DAY, "x", 4) for n in range(3)), columns=columns
    )
    assert result == (3, 0, 0)
    assert [row.stage_order for row in db.conversion_funnel.select()] == [0, 1, 2]
    for bad, error, message in [
        ([(1, DAY)], TypeError, "row 0: 2 values for 4 columns"),
        ([{"stage_order": 1}], TypeError, "row 0: expected a tuple, as columns= says"),
    ]:
        with pytest.raises(error, match=message):
            db.add_many("conversion_funnel", bad, columns=columns)
    with pytest.raises(TypeError, match="'stage_ordr'; did you mean 'stage_order'"):
        db.add_many("conversion_funnel", [], columns=["stage_ordr"])
    with pytest.raises(ValueError, match="stage_order was given twice"):
        db.add_many("conversion_funnel", [], columns=["stage_order"] * 2)
    with pytest.raises(TypeError, match="sequence of column names, got str"):
        db.add_many("conversion_funnel", [], columns="stage_order")


def test_named_tuples_and_sqlite_rows_are_read_by_name(db):
    Stage = collections.namedtuple("Stage", "stage_order stage_name record_date count")
    con = sqlite3.connect(":memory:")
    con.row_factory = sqlite3.Row
    query = "SELECT 'y' stage_name, 2 stage_order, '2025-10-28' record_date, 5 count"
    rows = [Stage(1, "x", DAY, 0), con.execute(query).fetchone()]
    assert db.conversion_funnel.add_many(rows) == (2, 0, 0)
    assert [r.stage_name for r in db.conversion_funnel.select()] == ["x", "y"]


def test_records_alone_say_their_table(db):
    records = [OverviewKPI(record_date=DAY, total_customers=n) for n in range(3)]
    assert db.add_many(records) == (1, 2, 0)
    assert db.get_overview_kpis().total_customers == 2
    assert db.add_many(r for r in records) == (0, 3, 0)
    assert db.add_many(db.overview_kpis.select()) == (0, 1, 0)
    assert db.add_many([]) == (0, 0, 0)
    funnel = ConversionFunnel(record_date=DAY, stage_name="x", stage_order=1, count=1)
    with pytest.raises(
        TypeError, match=r"row 3: expected a OverviewKPI, got a .*Funnel"
    ):
        db.add_many([*records, funnel])
    with pytest.raises(TypeError, match=r"needs the name of a table first.*got dict"):
        db.add_many([stage(1)])


def test_the_last_of_equal_keys_wins_and_no_id_is_used_up(db):
    rows = [stage(1, count=n) for n in range(5)] + [stage(2)]
    assert db.conversion_funnel.add_many(rows) == (2, 4, 0)
    assert [(r.id, r.count) for r in db.conversion_funnel.select()] == [(1, 4), (2, 20)]
    db.conversion_funnel.add_many([stage(1, count=7), stage(3)])
    assert [r.id for r in db.conversion_funnel.select()] == [1, 2, 3]
    db.conversion_funnel.delete(3)
    db.conversion_funnel.add_many([stage(4)])
    assert db.conversion_funnel.latest().id == 4, "AUTOINCREMENT never gives one twice"


def test_what_a_row_leaves_out_stays_and_none_is_null(db):
    db.conversion_funnel.add_many([stage(1, percentage=5), stage(2, percentage=6)])
    left_out, none = stage(1), stage(2, percentage=None)
    db.conversion_funnel.add_many([left_out, none, stage(3, dropoff_rate=1.5)])
    rows = contents(db, "conversion_funnel")
    assert [r["percentage"] for r in rows] == [5, None, None]
    assert [r["dropoff_rate"] for r in rows] == [None, None, 1.5]


def test_moments_of_writing_are_kept_as_add_keeps_them(db):
    old = datetime.datetime(2020, 1, 1)
    db.conversion_funnel.add_many([stage(1, created_at=old, updated_at=old), stage(2)])
    db.conversion_funnel.add_many([stage(1, count=3), stage(2, updated_at=old)])
    one, two = db.conversion_funnel.select()
    now = datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
    assert one.created_at == old and two.updated_at == old
    for written in (one.updated_at, two.created_at):
        assert abs((now - written).total_seconds()) < 60


def test_what_the_standard_library_reads_is_canonical(db, path):
    moment = datetime.datetime(2025, 3, 1, 4, 5, 6, 789)
    zone = datetime.timezone(datetime.timedelta(hours=5, minutes=30))
    moments = [moment, moment.replace(tzinfo=zone), "2025-03-01T04:05", DAY]
    rows = [interaction(n) | {"interaction_date": m} for n, m in enumerate(moments)]
    db.customer_interactions.add_many(rows)
    stored = oracle.run(
        path, "SELECT interaction_date FROM customer_interactions ORDER BY id"
    )
    assert [text for (text,) in stored] == [
        "2025-03-01 04:05:06.000789",
        "2025-02-28 22:35:06.000789",
        "2025-03-01 04:05:00",
        "2025-10-28 00:00:00",
    ]


# ---- other files ---------------------------------------------------------------------


def test_older_files_take_rows_one_by_one(old_path):
    table = TABLES["conversion_funnel"]
    with SmartShopieDB(old_path) as db:
        before = oracle.rows_of(old_path, table)
        rows = [
            {
                "record_date": DAY,
                "stage_name": f"s{n}",
                "stage_order": 50 + n,
                "count": 1,
            }
            for n in range(20)
        ]
        try:
            db.conversion_funnel.add(**rows[0])
        except SchemaError:
            with pytest.raises(SchemaError):
                db.conversion_funnel.add_many(rows)
            return
        result = db.conversion_funnel.add_many([*rows, *rows])
        assert result == (19, 21, 0)
        assert len(oracle.rows_of(old_path, table)) == len(before) + 20
        wrong = [*rows, rows[0] | {"stage_order": None}]
        with pytest.raises(TypeError, match="row 20: "):
            db.conversion_funnel.add_many(wrong)
    assert oracle.healthy(old_path)


def test_memory_databases():
    with SmartShopieDB(":memory:") as db:
        db.initialize_database()
        assert db.conversion_funnel.add_many([stage(n) for n in range(9)]) == (9, 0, 0)
        records = db.conversion_funnel.select()
        assert db.add_many(records, on_conflict="ignore") == (0, 0, 9)


def test_glob_is_what_it_is_in_sqlite(db, path):
    """Our connections that write have a faster glob() of their own."""
    patterns = ["*", "a?c", "[0-9]*", "[^a]b", "x[", "", "*é*", "[0-9][0-9]", "\\*"]
    day = "[0-9][0-9][0-9][0-9]-[0-1][0-9]-[0-3][0-9]"
    clock = " [0-2][0-9]:[0-5][0-9]:[0-5][0-9]"
    patterns += [day, day + clock, day + clock + "." + 6 * "[0-9]"]
    texts = ["", "abc", "a", "1x", "bb", "x[", "caféé", "42", "*", None, 7, 2.5, b"a"]
    texts += ["2025-10-28", "2025-20-28", "2025-10-28 05:42:44", "2025-10-28 05:42:4"]
    texts += ["2025-10-28 05:42:44.398531", "2025-10-28 35:42:44", "2025/10/28"]
    plain = sqlite3.connect(":memory:")
    with db.transaction():
        for pattern in [*patterns, None]:
            for text in texts:
                sql = "SELECT ? GLOB ? AS answer"
                wanted = plain.execute(sql, (text, pattern)).fetchone()[0]
                assert db.query(sql, (text, pattern))[0].answer == wanted, (
                    text,
                    pattern,
                )


def test_the_table_of_rows_is_nobody_elses(db):
    for sql in ("SELECT * FROM ss_rows", "SELECT * FROM ss_rows(1)"):
        with db.transaction():
            try:
                assert len(db.query(sql)) == 0
            except Exception as error:
                assert "ss_rows" in str(error) or "no query solution" in str(error)


def test_the_result_is_a_named_tuple(db):
    result = db.add_many(
        "customer_interactions",
        [CustomerInteraction(**interaction(1)), interaction(2), interaction(2)],
    )
    inserted, updated, ignored = result
    assert (inserted, updated, ignored) == (2, 1, 0) == result
    assert result.inserted == 2 and result.updated == 1 and result.ignored == 0
    assert Path(db.db_path).exists()


def test_a_row_given_again_stays_as_it_is(db):
    """All of it: also when it was last changed, by add_many(), add() and update()."""
    old = "2020-01-02 03:04:05"
    row = {"record_date": "2025-01-01", "total_customers": 5, "conversion_rate": None}
    db.add_overview_kpis(**row, updated_at=old)
    before = db.get_overview_kpis()
    assert db.add_many("overview_kpis", [row]) == (0, 1, 0)
    db.add_overview_kpis(**row)
    assert db.overview_kpis.update(before.id, total_customers=5) == 1
    assert db.get_overview_kpis() == before
    for change in ({"conversion_rate": 1.0}, {"total_customers": None}):
        db.add_many("overview_kpis", [row | change])
        assert db.get_overview_kpis().updated_at > before.updated_at
        db.add_overview_kpis(**row, updated_at=old)
        db.add_overview_kpis(**row | change)
        assert db.get_overview_kpis().updated_at > before.updated_at
        db.add_overview_kpis(**row, updated_at=old)


@pytest.mark.parametrize("conflict", ["update", "error"])
def test_a_large_load_leaves_the_writer_its_cache(db, conflict):
    """It works in a larger one, which would keep its memory."""

    def size():
        with db.transaction():  # reads by the connection that writes
            return db.query("PRAGMA cache_size")[0].cache_size

    before = size()
    rows = [stage(n) for n in range(12_000)]
    rows.append(stage(0))
    if conflict == "update":
        db.conversion_funnel.add_many(rows)
    else:
        with pytest.raises(IntegrityError):
            db.conversion_funnel.add_many(rows, on_conflict="error")
    assert size() == before
