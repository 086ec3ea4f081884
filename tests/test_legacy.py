"""Files of older layouts: read completely and correctly, and never changed by it."""

import datetime
import hashlib
from pathlib import Path

import layouts
import oracle
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from schema_facts import TABLES, TABS, every_table

from smartshopie_db import DataError, SchemaError, SmartShopieDB


def sha256(path):
    """Of a file that nobody has open: reading one that is would drop its locks."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def present(path):
    return [TABLES[name] for name in oracle.counts(path)]


# ---- reading ---------------------------------------------------------------------


def test_every_cell_is_read_as_the_standard_library_reads_it(old_path):
    n_rows = 0
    with SmartShopieDB(old_path) as db:
        for table in TABLES.values():
            wanted = oracle.rows_of(old_path, table)
            rows = getattr(db, table.name).select()
            assert oracle.dicts(rows) == wanted, table.name
            check_types(table, rows)
            n_rows += len(wanted)
    assert n_rows == sum(oracle.counts(old_path).values()) > 0


def check_types(table, rows):
    wanted = {
        "INTEGER": int,
        "REAL": float,
        "TEXT": str,
        "DATE": datetime.date,
        "TIMESTAMP": datetime.datetime,
    }
    for row in rows:
        for column in table.columns:
            cell = row[column.name]
            assert cell is None or type(cell) is wanted[column.kind], column.name


def test_every_getter_gives_what_its_shape_promises(old_path):
    with SmartShopieDB(old_path) as db:
        for table in TABLES.values():
            rows = oracle.rows_of(old_path, table)
            got = oracle.dicts(getattr(db, table.getter)())
            assert got == oracle.expected(table, rows), table.name
            if table.time is None:
                continue
            for window in ({"date": "2025-10-31"}, {"date": "2025-10-28"}):
                got = oracle.dicts(getattr(db, table.getter)(**window))
                day = datetime.date.fromisoformat(window["date"])
                assert got == oracle.expected(table, rows, date=day), table.name


def test_each_row_is_found_by_its_id(legacy_path):
    with SmartShopieDB(legacy_path) as db:
        for table in present(legacy_path):
            for row in oracle.rows_of(legacy_path, table):
                assert dict(getattr(db, table.name).get(row["id"])) == row


def test_reading_changes_nothing(old_path):
    before = sha256(old_path)
    stamp = old_path.stat().st_mtime_ns
    with SmartShopieDB(old_path) as db:
        for table in TABLES.values():
            getattr(db, table.getter)()
            getattr(db, table.name).select()
            getattr(db, table.name).count()
        db.query("SELECT 1")
        for tab in ("overview", "billing", "realtime"):
            db.get_all_data_for_tab(tab)
        assert db.execute_query("PRAGMA journal_mode") == [{"journal_mode": "delete"}]
        assert sorted(p.name for p in old_path.parent.iterdir()) == [old_path.name]
    assert sha256(old_path) == before
    assert old_path.stat().st_mtime_ns == stamp
    assert sorted(p.name for p in old_path.parent.iterdir()) == [old_path.name]


@pytest.mark.parametrize("tab", TABS)
def test_a_tab_gives_the_stored_rows(old_path, tab):
    day = datetime.date(2025, 10, 28)
    with SmartShopieDB(old_path) as db:
        for date in (None, day):
            got = db.get_all_data_for_tab(tab, date)
            assert list(got) == TABS[tab]
            for name, rows in got.items():
                assert rows == stored_rows(old_path, TABLES[name], date), name


def stored_rows(path, table, day):
    """The newest hundred by row id, or those of one day: cells as they are stored."""
    with oracle.connect(path) as stock:
        names = oracle.stored_names(stock, table.name)
        if not names:
            return []
        cursor = stock.execute(f"SELECT rowid, * FROM {table.name} ORDER BY rowid DESC")
        stored = [dict(zip(["id", *names], row, strict=True)) for row in cursor]
    rows = [
        {c.name: row.get(c.name, row.get(c.old)) for c in table.columns}
        for row in stored
    ]
    if day is None:
        return rows[:100]
    typed = {row["id"]: row for row in oracle.rows_of(path, table)}
    time = table.time
    return [r for r in rows if not time or oracle.day_of(typed[r["id"]][time]) == day]


def test_a_failed_write_changes_nothing(legacy_path):
    before = sha256(legacy_path)
    with SmartShopieDB(legacy_path) as db:
        with pytest.raises(SchemaError):
            db.add_customer_satisfaction(
                record_date="2025-01-01",
                overall_satisfaction=1,
                product_match_quality=1,
                ai_helpfulness=1,
                updated_at="2025-01-01",
            )
        with pytest.raises((TypeError, ValueError)):
            db.add_overview_kpis(record_date="never")
    assert sha256(legacy_path) == before


@every_table
def test_the_real_files_agree_with_the_facts(real_path, table):
    """The row counts that are known of them, so that an empty copy cannot pass."""
    known = {
        "overview_kpis": {1, 366},
        "conversion_funnel": {5, 265},
        "customer_concerns": {4, 3660},
        "customer_lifetime_value": {0, 2562},
        "realtime_metrics": {0, 121},
        "usage_breakdown": {4, 24},
    }
    with SmartShopieDB(real_path) as db:
        count = getattr(db, table.name).count()
        assert count == oracle.counts(real_path).get(table.name, 0)
        assert count in known.get(table.name, {count})


def test_the_fractions_in_a_column_of_counts_are_read(tmp_path):
    path = layouts.build(tmp_path / "old.db", "older")
    with SmartShopieDB(path) as db:
        values = [row.usage_count for row in db.usage_breakdown.select()]
    assert 245.8 in values


def test_a_renamed_column_is_read_and_filtered_under_its_new_name(tmp_path):
    path = layouts.build(tmp_path / "old.db", "oldest")
    stored = oracle.run(path, "SELECT avg_response_time_ms FROM api_endpoints")
    wanted = [cell for (cell,) in stored]
    with SmartShopieDB(path) as db:
        rows = db.api_endpoints.select()
        assert [row.avg_response_ms for row in rows] == wanted
        value = next(cell for cell in wanted if cell is not None)
        assert db.api_endpoints.count(avg_response_ms=value) == wanted.count(value)
        ordered = db.api_endpoints.select(order_by="-avg_response_ms")
        cells = [r.avg_response_ms for r in ordered if r.avg_response_ms is not None]
        assert cells == sorted(cells, reverse=True)


def test_an_absent_column_is_none_and_equals_none(tmp_path):
    path = layouts.build(tmp_path / "old.db", "oldest")
    with SmartShopieDB(path) as db:
        table = db.customer_interactions
        assert table.count(customer_name=None) == table.count() == 9
        assert table.count(customer_name="x") == 0
        assert len(table.select(order_by=["customer_name", "-id"])) == 9
        assert [row.id for row in table.select(order_by=["customer_name", "-id"])] == [
            *range(9, 0, -1)
        ]
        rows = table.select(columns=["customer_name", "id"])
        assert [row["customer_name"] for row in rows] == [None] * 9


# ---- windows over mixed forms ----------------------------------------------------

FIRST = datetime.datetime(2025, 10, 26)


@st.composite
def written_instants(draw):
    """An instant and one of the ways to write it."""
    at = FIRST + datetime.timedelta(
        microseconds=draw(st.integers(0, 6 * 86400 * 10**6))
    )
    digits = draw(st.sampled_from([None, 0, 1, 3, 6]))
    offset = draw(st.sampled_from([None, "Z", 0, 60, -90, 330, 765]))
    minutes = offset if isinstance(offset, int) else 0
    local = at + datetime.timedelta(minutes=minutes)
    text = local.strftime(f"%Y-%m-%d{draw(st.sampled_from(' T'))}%H:%M")
    if digits is not None:
        text += local.strftime(":%S")
    if digits:
        text += "." + f"{local.microsecond:06d}"[:digits]
    if offset == "Z":
        text += "Z"
    elif offset is not None:
        sign = "-" if minutes < 0 else "+"
        colon = draw(st.sampled_from([":", ""]))
        text += f"{sign}{abs(minutes) // 60:02d}{colon}{abs(minutes) % 60:02d}"
    return text


def days_and_instants():
    day = st.integers(-1, 7).map(lambda n: (FIRST + datetime.timedelta(days=n)).date())
    instant = st.builds(datetime.datetime.combine, day, st.times())
    return st.one_of(day, instant)


class MixedFile:
    """One older file whose rows can be changed between examples."""

    def __init__(self, path):
        self.path = path
        oracle.run(
            path,
            f"CREATE TABLE system_health ({layouts.OLDEST['system_health']})",
            f"CREATE TABLE overview_kpis ({layouts.OLDEST['overview_kpis']})",
        )
        self.db = SmartShopieDB(path)

    def write(self, texts):
        with oracle.connect(self.path) as stock:
            stock.execute("BEGIN")
            stock.execute("DELETE FROM system_health")
            stock.execute("DELETE FROM overview_kpis")
            stock.executemany(
                "INSERT INTO system_health (record_date, system_component, status)"
                " VALUES (?, 'c', 's')",
                [(text,) for text in texts],
            )
            stock.executemany(
                "INSERT INTO overview_kpis (record_date) VALUES (?)",
                [(text,) for text in texts],
            )
            stock.execute("COMMIT")


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    file = MixedFile(tmp_path_factory.mktemp("mixed") / "mixed.db")
    yield file
    file.db.close()


WINDOWS = st.fixed_dictionaries(
    {}, optional={"start": days_and_instants(), "end": days_and_instants()}
)


def check_window(mixed, texts, table, window):
    rows = oracle.rows_of(mixed.path, table)
    read = getattr(mixed.db, table.name).select
    if oracle.is_backwards(table, window):
        with pytest.raises(ValueError, match="start"):
            read(**window)
        return
    got = oracle.dicts(read(**window))
    assert got == oracle.expected(table, rows, getter=False, **window), texts


@pytest.mark.parametrize("name", ["system_health", "overview_kpis"])
def test_a_window_is_right_whatever_form_the_text_has(mixed, name):
    @settings(max_examples=150)
    @given(st.lists(written_instants(), max_size=6), WINDOWS)
    @example(
        ["2025-10-31T23:59:59.999999", "2025-10-31 00:00:00", "2025-10-31T00:00"],
        {"start": datetime.date(2025, 10, 31), "end": datetime.date(2025, 10, 31)},
    )
    @example(
        ["2025-11-01T00:30:00+01:00", "2025-10-30 23:30-01:00"],
        {"start": datetime.date(2025, 10, 31)},
    )
    def check(texts, window):
        mixed.write(texts)
        check_window(mixed, texts, TABLES[name], window)

    check()


@pytest.mark.parametrize("name", ["system_health", "overview_kpis"])
def test_day_period_and_as_of_are_right_whatever_form_the_text_has(mixed, name):
    table = TABLES[name]
    kinds = st.one_of(
        days_and_instants().map(lambda at: {"date": oracle.day_of(at)}),
        days_and_instants().map(lambda at: {"as_of": at}),
        st.sampled_from(["1d", "2d", "7d", "1w", "1m"]).map(lambda p: {"period": p}),
        st.tuples(st.sampled_from(["1d", "3d"]), days_and_instants()).map(
            lambda pair: {"period": pair[0], "as_of": pair[1]}
        ),
    )

    @settings(max_examples=150)
    @given(st.lists(written_instants(), max_size=6), kinds)
    def check(texts, window):
        mixed.write(texts)
        check_window(mixed, texts, table, window)
        rows = oracle.rows_of(mixed.path, table)
        getter = getattr(mixed.db, table.getter)
        assert oracle.dicts(getter()) == oracle.expected(table, rows)
        if "date" in window:
            got = oracle.dicts(getter(window["date"]))
            assert got == oracle.expected(table, rows, **window)

    check()


@pytest.mark.parametrize("name", ["system_health", "overview_kpis"])
def test_a_moment_is_found_whatever_form_it_is_written_in(mixed, name):
    table = TABLES[name]

    @settings(max_examples=100)
    @given(st.lists(written_instants(), min_size=1, max_size=6), st.data())
    def check(texts, data):
        mixed.write(texts)
        rows = oracle.rows_of(mixed.path, table)
        wanted = data.draw(st.sampled_from(rows))[table.time]
        got = getattr(mixed.db, table.name).select(**{table.time: wanted})
        same = [row for row in rows if row[table.time] == wanted]
        assert oracle.dicts(got) == same

    check()


def test_a_text_that_is_no_date_is_in_no_window(mixed):
    mixed.write(
        ["2025-02-30", "soon", "", "2025-10-31", "28.10.2025", "2025-10-31T25:00"]
    )
    db = mixed.db
    assert len(db.overview_kpis.select(start="0001-01-01")) == 1
    first = db.overview_kpis.select(columns=["id"])[0].id
    assert db.get_overview_kpis().id == first + 3
    assert db.overview_kpis.count() == 6
    with pytest.raises(DataError) as caught:
        db.overview_kpis.select()
    assert (caught.value.column, caught.value.row) == ("record_date", first)
    rows = db.overview_kpis.select(strict=False)
    assert [row.record_date is None for row in rows] == [1, 1, 1, 0, 1, 1]
    assert len(rows.notes) == 5


# ---- writing to one, where its columns allow -------------------------------------


def writable(path, table):
    """The columns of a row of that table that this file has."""
    with oracle.connect(path) as db:
        names = set(oracle.stored_names(db, table.name))
    if not names:
        return None
    row = {
        name: value
        for name, value in table.row(5).items()
        if name in names or table.column(name).old in names
    }
    return row if set(table.key) <= set(row) else None


def test_an_add_updates_the_row_of_its_key(legacy_path):
    n_tables = 0
    for table in TABLES.values():
        row = writable(legacy_path, table)
        if row is None or not set(table.required) <= set(row):
            continue
        n_tables += 1
        before = oracle.rows_of(legacy_path, table)
        with SmartShopieDB(legacy_path) as db:
            add = getattr(db, table.adder)
            first = add(**row)
            assert add(**row) == first
            assert add(**row, on_conflict="ignore") == first
            got = getattr(db, table.name).get(first)
        assert {name: got[name] for name in row} == row
        after = oracle.rows_of(legacy_path, table)
        assert len(after) == len(before) + 1, table.name
        assert [r for r in after if r["id"] != first] == before
    assert n_tables >= 3


def test_an_add_finds_a_key_written_in_another_form(tmp_path):
    path = layouts.build(tmp_path / "old.db", "older", rows=False)
    oracle.run(
        path,
        "INSERT INTO system_health (record_date, system_component, status)"
        " VALUES ('2025-10-31T12:00:00+05:30', 'Database', 'healthy')",
    )
    with SmartShopieDB(path) as db:
        row_id = db.add_system_health(
            record_date=datetime.datetime(2025, 10, 31, 6, 30),
            system_component="Database",
            status="critical",
        )
        assert row_id == 1
        assert db.system_health.count() == 1
        assert db.system_health.get(1).status == "critical"


def test_created_at_is_supplied_where_the_file_has_no_default(tmp_path):
    path = layouts.build(tmp_path / "old.db", "readme", rows=False)
    with SmartShopieDB(path) as db:
        row_id = db.add_overview_kpis(record_date="2025-01-01", total_customers=1)
        got = db.overview_kpis.get(row_id)
    now = datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
    assert abs(got.created_at - now) < datetime.timedelta(minutes=1)
    assert abs(got.updated_at - now) < datetime.timedelta(minutes=1)


def test_a_column_that_the_file_lacks_is_refused_by_name(tmp_path):
    path = layouts.build(tmp_path / "old.db", "oldest")
    row = TABLES["customer_interactions"].row(1)
    before = sha256(path)
    with SmartShopieDB(path) as db:
        with pytest.raises(SchemaError, match="older layout") as caught:
            db.add_customer_interaction(**row)
        error = caught.value
        assert error.table == "customer_interactions"
        assert error.column in {
            column.split()[0] for column in layouts.FEED[error.table]
        }
    assert sha256(path) == before


def test_a_file_whose_key_column_is_absent_is_not_written(tmp_path):
    path = layouts.build(tmp_path / "old.db", "reduced")
    before = sha256(path)
    with SmartShopieDB(path) as db:
        with pytest.raises(SchemaError, match="usage_breakdown"):
            db.add_usage_breakdown(record_date="2025-01-01", service_name="Chat")
        with pytest.raises(SchemaError, match="api_endpoints"):
            db.add_api_endpoint(endpoint_name="x")
    assert sha256(path) == before


def test_a_duplicated_key_of_an_older_file_updates_the_newest(tmp_path):
    path = layouts.build(tmp_path / "old.db", "older", rows=False)
    for customers in (1, 2):
        oracle.run(
            path,
            "INSERT INTO overview_kpis (record_date, total_customers)"
            f" VALUES ('2025-01-01', {customers})",
        )
    with SmartShopieDB(path) as db:
        assert db.add_overview_kpis(record_date="2025-01-01", total_customers=9) == 2
        assert [row.total_customers for row in db.overview_kpis.select()] == [1, 9]
        assert db.get_overview_kpis().id == 2


def test_writing_keeps_the_rollback_journal(tmp_path):
    path = layouts.build(tmp_path / "old.db", "older")
    with SmartShopieDB(path) as db:
        db.add_overview_kpis(record_date="2030-01-01")
        db.overview_kpis.update(1, total_customers=5)
    assert oracle.run(path, "PRAGMA journal_mode") == [("delete",)]
    assert oracle.run(path, "PRAGMA user_version") == [(0,)]
    assert oracle.healthy(path)
