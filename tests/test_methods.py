"""get_<table>, add_<record>, insert_* and db.<table>, for all thirty tables."""

import datetime
import inspect

import oracle
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from schema_facts import TABLES, TABS, every_table

import smartshopie_db
from smartshopie_db import IntegrityError, SmartShopieDB

DAY = "2025-01-01"
PAST = datetime.datetime(2001, 2, 3, 4, 5, 6)
WITH_FREE = [table for table in TABLES.values() if len(table.free) > 1]
WITH_NULL = [table for table in WITH_FREE if set(table.free) - set(table.required)]
INSERTS = [table for table in TABLES.values() if table.insert]


def adder(db, table):
    return getattr(db, table.adder)


def getter(db, table):
    return getattr(db, table.getter)


def handle(db, table):
    return getattr(db, table.name)


def stored(db, table, row_id):
    return dict(handle(db, table).get(row_id))


def sequence(db, table):
    """The counter of AUTOINCREMENT."""
    sql = "SELECT seq FROM sqlite_sequence WHERE name = ?"
    return db.execute_query(sql, (table.name,))[0]["seq"]


def now():
    return datetime.datetime.now(datetime.UTC).replace(tzinfo=None)


# ---- adding ----------------------------------------------------------------------


@every_table
def test_every_column_of_an_added_row_reads_back(db, table):
    row = table.row(3)
    got = stored(db, table, adder(db, table)(**row))
    assert {name: got[name] for name in row} == row
    assert tuple(got) == table.names
    for name in set(table.names) - {*row, "id"}:
        if table.column(name).foreign:
            assert got[name] is None
        else:
            assert abs(got[name] - now()) < datetime.timedelta(minutes=1), name


@every_table
def test_the_standard_library_finds_what_was_added(path, table):
    with SmartShopieDB(path) as db:
        ids = [adder(db, table)(**table.row(n)) for n in range(3)]
    found = oracle.rows_of(path, table)
    assert [row["id"] for row in found] == ids
    for n, row in enumerate(found):
        assert {name: row[name] for name in table.row(n)} == table.row(n)


@every_table
def test_omitted_columns_are_null_or_their_default(db, table):
    given = table.least(1)
    got = stored(db, table, adder(db, table)(**given))
    for name in table.free:
        default = table.column(name).default
        wanted = default.strip("'") if default else None
        assert got[name] == given.get(name, wanted), name


@every_table
def test_adding_the_same_row_twice_keeps_one(db, table):
    row = table.row(2)
    first = adder(db, table)(**row)
    before = stored(db, table, first)
    second = adder(db, table)(**row)
    after = stored(db, table, second)
    assert first == second
    assert handle(db, table).count() == 1
    assert {n: after[n] for n in row} == {n: before[n] for n in row}
    assert after["created_at"] == before["created_at"]


@every_table
def test_rows_of_other_keys_are_other_rows(db, table):
    ids = [adder(db, table)(**table.row(n)) for n in range(4)]
    assert len(set(ids)) == 4
    assert handle(db, table).count() == 4


@every_table
def test_each_part_of_the_key_tells_rows_apart(db, table):
    row = table.row(1)
    adder(db, table)(**row)
    for part in table.key:
        adder(db, table)(**row | {part: table.row(7)[part]})
    assert handle(db, table).count() == 1 + len(table.key)


@pytest.mark.parametrize("table", WITH_FREE, ids=str)
def test_an_update_touches_only_the_columns_given(db, table):
    row, other = table.row(2), table.row(5)
    row_id = adder(db, table)(**row)
    changed = table.free[-1]
    key = {name: row[name] for name in table.key}
    required = {name: row[name] for name in table.required}
    again = adder(db, table)(**key | required | {changed: other[changed]})
    got = stored(db, table, row_id)
    assert again == row_id
    assert got[changed] == other[changed] != row[changed]
    rest = set(row) - {changed}
    assert {name: got[name] for name in rest} == {name: row[name] for name in rest}


@pytest.mark.parametrize("table", WITH_NULL, ids=str)
def test_none_is_stored_where_omitting_changes_nothing(db, table):
    nullable = [n for n in table.free if n not in table.required]
    row = table.row(2)
    row_id = adder(db, table)(**row)
    adder(db, table)(**table.least(2))
    assert stored(db, table, row_id)[nullable[0]] == row[nullable[0]]
    adder(db, table)(**table.least(2) | {nullable[0]: None})
    assert stored(db, table, row_id)[nullable[0]] is None


@every_table
def test_updated_at_follows_a_change_and_created_at_stays(db, table):
    row = table.row(1)
    stamps = {"updated_at": PAST}
    if "created_at" not in table.key:
        stamps["created_at"] = PAST
    row_id = adder(db, table)(**row, **stamps)
    assert stored(db, table, row_id)["updated_at"] == PAST
    adder(db, table)(**row)  # the same again is no change
    assert stored(db, table, row_id)["updated_at"] == PAST
    other = {name: value for name, value in table.row(2).items() if name in table.free}
    adder(db, table)(**row | other)
    got = stored(db, table, row_id)
    assert abs(got["updated_at"] - now()) < datetime.timedelta(minutes=1)
    assert got["created_at"] == stamps.get("created_at", row.get("created_at"))


@every_table
def test_no_id_is_burnt_by_rows_that_are_there(db, table):
    add = adder(db, table)
    add(**table.row(0))
    for conflict in ("update", "ignore", "update"):
        add(**table.row(0), on_conflict=conflict)
    with pytest.raises(IntegrityError):
        add(**table.row(0), on_conflict="error")
    assert sequence(db, table) == 1
    assert add(**table.row(1)) == 2


@pytest.mark.parametrize("table", WITH_FREE, ids=str)
def test_ignore_leaves_the_row_and_gives_its_id(db, table):
    row = table.row(2)
    row_id = adder(db, table)(**row, updated_at=PAST)
    before = stored(db, table, row_id)
    other = table.row(5)
    changes = {name: other[name] for name in table.free}
    assert adder(db, table)(**row | changes, on_conflict="ignore") == row_id
    assert stored(db, table, row_id) == before
    assert adder(db, table)(**other, on_conflict="ignore") == row_id + 1


@every_table
def test_error_refuses_a_second_row_of_the_key(db, table):
    row = table.row(2)
    row_id = adder(db, table)(**row, on_conflict="error")
    before = stored(db, table, row_id)
    with pytest.raises(IntegrityError) as caught:
        adder(db, table)(**row, on_conflict="error")
    assert stored(db, table, row_id) == before
    assert handle(db, table).count() == 1
    error = caught.value
    assert (error.table, error.row) == (table.name, row_id)
    assert error.column in table.key
    assert error.sqlite_errorname == "SQLITE_CONSTRAINT_UNIQUE"
    assert table.name in str(error)


@every_table
def test_a_record_can_be_added(db, table):
    record_type = getattr(smartshopie_db, table.record)
    row = table.row(4)
    record = record_type(**row)
    row_id = adder(db, table)(record)
    assert db.add(record) == row_id == handle(db, table).add(record)
    got = stored(db, table, row_id)
    assert {name: got[name] for name in row} == row
    assert handle(db, table).count() == 1


@every_table
def test_a_record_that_was_read_can_be_added_to_another_file(db, tmp_path, table):
    row_id = adder(db, table)(**table.row(4), updated_at=PAST)
    record = handle(db, table).get(row_id)
    with SmartShopieDB(tmp_path / "other.db") as other:
        adder(other, table)(**table.row(1))
        copied = other.add(record)
        got = stored(other, table, copied)
    assert copied == 2
    assert {k: v for k, v in got.items() if k != "id"} == {
        k: v for k, v in dict(record).items() if k != "id"
    }


@every_table
def test_a_record_given_in_part_changes_that_part(db, table):
    row_id = adder(db, table)(**table.row(4))
    record_type = getattr(smartshopie_db, table.record)
    db.add(record_type(**table.least(4)))
    got = stored(db, table, row_id)
    assert {name: got[name] for name in table.row(4)} == table.row(4)


def test_key_columns_that_are_left_out_have_their_default(db):
    for add, least, name, wanted in (
        (db.add_conversion_trend, {"record_date": DAY}, "period_type", "daily"),
        (db.add_api_endpoint, {"endpoint_name": "Orders"}, "method", "GET"),
    ):
        row_id = add(**least)
        assert add(**least) == add(**least, **{name: wanted}) == row_id
        assert add(**least, **{name: "other"}) == row_id + 1
    assert db.conversion_trends.get(1).period_type == "daily"
    assert db.api_endpoints.get(1).method == "GET"
    alert = db.add_usage_alert(title="Limit reached")
    assert abs(db.usage_alerts.get(alert).created_at - now()).total_seconds() < 60


def test_an_id_may_be_chosen_for_a_new_row_only(db):
    assert db.add_overview_kpis(record_date=DAY, id=7) == 7
    assert db.add_overview_kpis(record_date=DAY, id=9, total_customers=1) == 7
    assert [row.id for row in db.overview_kpis.select()] == [7]
    assert db.add_overview_kpis(record_date="2025-02-02") == 8


def test_add_of_a_record_knows_on_conflict(db):
    record = smartshopie_db.OverviewKPI(record_date=DAY, total_customers=1)
    row_id = db.add(record)
    other = smartshopie_db.OverviewKPI(record_date=DAY, total_customers=2)
    assert db.add(other, on_conflict="ignore") == row_id
    assert db.get_overview_kpis().total_customers == 1
    with pytest.raises(IntegrityError):
        db.add(other, on_conflict="error")
    assert db.add_overview_kpis(other, conversion_rate=5) == row_id
    got = db.get_overview_kpis()
    assert (got.total_customers, got.conversion_rate) == (2, 5)


def test_a_failed_add_leaves_nothing(db):
    before = oracle.digest(db.db_path)
    with pytest.raises(IntegrityError):
        db.add_overview_kpis(record_date="2025-01-01", total_customers=-1)
    assert oracle.digest(db.db_path) == before


# ---- insert_*, the older names ---------------------------------------------------


@pytest.mark.parametrize("table", INSERTS, ids=str)
def test_insert_takes_its_arguments_by_position_and_by_name(db, table):
    insert = getattr(db, table.insert)
    for n, call in enumerate(
        (lambda row: insert(*row.values()), lambda r: insert(**r))
    ):
        row = {name: table.row(n)[name] for name in table.insert_args}
        assert call(row) is None
        got = stored(db, table, n + 1)
        assert {name: got[name] for name in row} == row


@pytest.mark.parametrize("table", INSERTS, ids=str)
def test_insert_of_a_key_that_is_there_updates(db, table):
    insert = getattr(db, table.insert)
    first, second = table.row(1), table.row(2)
    second |= {name: first[name] for name in table.key}
    for row in (first, second):
        insert(*(row[name] for name in table.insert_args))
    assert handle(db, table).count() == 1
    got = stored(db, table, 1)
    assert {name: got[name] for name in table.insert_args} == {
        name: second[name] for name in table.insert_args
    }


@pytest.mark.parametrize("table", INSERTS, ids=str)
def test_insert_needs_all_of_its_arguments(db, table):
    row = table.row(1)
    given = [row[name] for name in table.insert_args]
    insert = getattr(db, table.insert)
    with pytest.raises(TypeError, match=table.insert_args[-1]):
        insert(*given[:-1])
    with pytest.raises(TypeError):
        insert(*given, None)
    assert handle(db, table).count() == 0


# ---- getters ---------------------------------------------------------------------

FIRST_DAY = datetime.date(2024, 1, 31)
GAPS = (0, 1, 7, 29, 30, 31, 60, 90, 365, 366, 371, 372)  # days after the first


GAPS_AS_DAYS = [FIRST_DAY + datetime.timedelta(days=gap) for gap in GAPS]


def many_rows(table):
    """Rows on twelve days, most days with several, in no order."""
    days = GAPS_AS_DAYS
    for n in range(36):
        row = table.row(n)
        day = days[n * 5 % len(days)]
        if table.time is not None and table.column(table.time).kind == "DATE":
            row[table.time] = day
        elif table.time is not None:
            at = datetime.time(n % 24, n % 7, 59, n * 1001)
            row[table.time] = datetime.datetime.combine(day, at)
        for name in table.free:
            if n % 9 == 4 and name not in table.required and name != table.time:
                row[name] = None
        yield row


@pytest.fixture(scope="module")
def full_file(tmp_path_factory, blank_file):
    """Rows in every table, written by the standard library."""
    path = tmp_path_factory.mktemp("full") / "full.db"
    path.write_bytes(blank_file.read_bytes())
    with oracle.connect(path) as db:
        db.execute("BEGIN")
        for table in TABLES.values():
            for row in many_rows(table):
                marks = ", ".join("?" * len(row))
                db.execute(
                    f"INSERT INTO {table.name} ({', '.join(row)}) VALUES ({marks})"
                    " ON CONFLICT DO NOTHING",
                    [stored_form(value) for value in row.values()],
                )
        db.execute("COMMIT")
    return path


def stored_form(value):
    if isinstance(value, datetime.datetime):
        return value.isoformat(" ")
    return value.isoformat() if isinstance(value, datetime.date) else value


@pytest.fixture(scope="module")
def full(full_file):
    with SmartShopieDB(full_file) as db:
        yield db


@pytest.fixture(scope="module")
def contents(full_file):
    return {table.name: oracle.rows_of(full_file, table) for table in TABLES.values()}


@every_table
def test_a_getter_without_arguments(full, contents, table):
    wanted = oracle.expected(table, contents[table.name])
    assert oracle.dicts(getter(full, table)()) == wanted
    assert wanted


@every_table
def test_select_without_arguments_gives_all_by_id(full, contents, table):
    assert oracle.dicts(handle(full, table).select()) == contents[table.name]


@every_table
def test_a_getter_of_one_day(full, contents, table):
    if table.time is None:
        with pytest.raises(TypeError, match="time column"):
            getter(full, table)(FIRST_DAY)
        return
    days = [FIRST_DAY + datetime.timedelta(days=gap) for gap in (*GAPS, 2)]
    found = 0
    for day in days:
        wanted = oracle.expected(table, contents[table.name], date=day)
        for form in (
            day,
            day.isoformat(),
            datetime.datetime(day.year, day.month, day.day),
        ):
            assert oracle.dicts(getter(full, table)(form)) == wanted
            assert oracle.dicts(getter(full, table)(date=form)) == wanted
        found += len(wanted)
    assert found


@every_table
def test_nothing_on_a_day_without_rows(full, table):
    if table.time is None:
        return
    got = getter(full, table)("1999-12-31")
    assert got is None if table.shape == "one" else len(got) == 0


def days_and_instants():
    day = st.integers(-2, 380).map(lambda n: FIRST_DAY + datetime.timedelta(days=n))
    instant = st.builds(datetime.datetime.combine, day, st.times())
    return st.one_of(day, instant)


PERIODS = ("1d", "7d", "30d", "90d", "1y", "12w", "6m", "1m", "2y", "013d")


@st.composite
def windows(draw):
    kind = draw(st.sampled_from(["none", "date", "range", "period", "as_of"]))
    moments = days_and_instants()
    if kind == "date":
        return {"date": oracle.day_of(draw(moments))}
    if kind == "as_of":
        return {"as_of": draw(moments)}
    if kind == "period":
        as_of = draw(st.none() | moments)
        window = {"period": draw(st.sampled_from(PERIODS))}
        return window if as_of is None else window | {"as_of": as_of}
    if kind == "range":
        return draw(
            st.fixed_dictionaries({}, optional={"start": moments, "end": moments})
        )
    return {}


pages = st.fixed_dictionaries(
    {},
    optional={"limit": st.sampled_from([0, 1, 3, 1000]), "offset": st.integers(0, 5)},
)


def orders(table):
    words = st.sampled_from([*table.names, *("-" + name for name in table.names)])
    return st.none() | words | st.lists(words, min_size=1, max_size=3)


def filters(table, rows):
    names = [n for n in table.names if not table.column(n).foreign]
    names = [name for name in names if any(row[name] is not None for row in rows)]
    one = st.sampled_from(names).flatmap(
        lambda name: st.tuples(
            st.just(name), st.sampled_from([row[name] for row in rows])
        )
    )
    return st.lists(one, max_size=2).map(dict)


@pytest.mark.parametrize(
    "table", [t for t in TABLES.values() if t.shape != "one"], ids=str
)
def test_a_getter_gives_what_was_asked_for(full, contents, table):
    check_reader(getter(full, table), table, contents[table.name], getter=True)


@every_table
def test_select_gives_what_was_asked_for(full, contents, table):
    check_reader(handle(full, table).select, table, contents[table.name], getter=False)


def check_reader(read, table, rows, **how):
    @settings(max_examples=40)
    @given(windows(), pages, orders(table), filters(table, rows))
    def check(window, page, order, wanted):
        arguments = {**(window if table.time else {}), **page, **wanted}
        if order is not None:
            arguments["order_by"] = order
        if oracle.is_backwards(table, window):
            with pytest.raises(ValueError, match="start"):
                read(**arguments)
            return
        found = oracle.expected(table, rows, **arguments, **how)
        assert oracle.dicts(read(**arguments)) == found

    check()


@every_table
def test_columns_gives_those_columns_in_that_order(full, contents, table):
    names = [table.names[-1], table.names[1], "id"]
    rows = handle(full, table).select(columns=names)
    assert [tuple(row.items()) for row in map(dict, rows)] == [
        tuple((name, row[name]) for name in names) for row in contents[table.name]
    ]
    assert tuple(rows.columns) == tuple(names)


@every_table
def test_a_selection_of_indexed_columns_is_by_id_too(full, contents, table):
    rows = handle(full, table).select(columns=table.key)
    wanted = [tuple(row[name] for name in table.key) for row in contents[table.name]]
    assert [tuple(dict(row).values()) for row in rows] == wanted


WINDOWS = [
    ("1d", "2025-10-31", "2025-10-31", 1),
    ("7d", "2025-10-31", "2025-10-25", 7),
    ("30d", "2025-10-31", "2025-10-02", 30),
    ("90d", "2025-10-31", "2025-08-03", 90),
    ("1w", "2025-10-31", "2025-10-25", 7),
    ("12w", "2025-10-31", "2025-08-09", 84),
    ("1m", "2025-10-31", "2025-10-01", 31),
    ("1m", "2025-03-31", "2025-03-01", 31),
    ("1m", "2025-03-30", "2025-03-01", 30),
    ("1m", "2025-03-15", "2025-02-16", 28),
    ("6m", "2025-10-31", "2025-05-01", 184),
    ("1y", "2025-10-31", "2024-11-01", 365),
    ("1y", "2024-12-31", "2024-01-01", 366),
    ("1y", "2025-02-28", "2024-03-01", 365),
    ("2y", "2025-10-31", "2023-11-01", 731),
]


@pytest.mark.parametrize(("period", "last", "first", "n_days"), WINDOWS)
def test_a_period_is_exactly_that_long(
    tmp_path, blank_file, period, last, first, n_days
):
    path = tmp_path / "daily.db"
    path.write_bytes(blank_file.read_bytes())
    oracle.run(
        path,
        "WITH RECURSIVE d(day) AS (SELECT '2023-01-01' UNION ALL"
        " SELECT date(day, '+1 day') FROM d WHERE day < '2025-12-31')"
        " INSERT INTO conversion_trends (record_date) SELECT day FROM d",
    )
    with SmartShopieDB(path) as db:
        rows = db.get_conversion_trends(period=period, as_of=last)
        assert len(rows) == n_days
        assert [str(rows[n].record_date) for n in (0, -1)] == [first, last]


def test_a_word_of_order_by_may_say_desc(full, contents):
    table = TABLES["conversion_funnel"]
    wanted = oracle.expected(table, contents[table.name], order_by="-count")
    for word in ("-count", "count desc", "count DESC", ["count desc"]):
        assert oracle.dicts(full.get_conversion_funnel(order_by=word)) == wanted
    wanted = oracle.expected(table, contents[table.name], order_by="count")
    assert oracle.dicts(full.get_conversion_funnel(order_by="count asc")) == wanted


def test_events_come_a_hundred_at_a_time_unless_asked_otherwise(db):
    start = datetime.datetime(2025, 1, 1)
    with db.transaction():
        for minute in range(150):
            db.add_realtime_metric(
                recorded_at=start + datetime.timedelta(minutes=minute)
            )
    read = db.get_realtime_metrics
    newest = start + datetime.timedelta(minutes=149)
    assert len(read()) == 100
    assert read()[0].recorded_at == newest
    assert len(read(limit=120)) == 120
    assert len(read(active_sessions=None)) == 100
    for everything in (
        {"date": start},
        {"start": start},
        {"end": newest},
        {"period": "1d"},
        {"limit": 10**18},
    ):
        assert len(read(**everything)) == 150
    assert len(db.realtime_metrics.select()) == 150


def test_a_one_row_getter_prefers_the_newest_of_a_day(db):
    for plan in ("a", "c", "b"):
        db.add_billing_summary(
            billing_period_start="2025-01-01",
            billing_period_end="2025-01-31",
            plan_name=plan,
        )
    assert db.get_billing_summary().plan_name == "b"
    assert db.get_billing_summary("2025-01-01").plan_name == "b"


@every_table
def test_a_getter_of_an_empty_table(db, table):
    got = getter(db, table)()
    assert got is None if table.shape == "one" else (len(got), list(got)) == (0, [])
    assert len(handle(db, table).select()) == 0
    if table.time is not None and table.shape != "one":
        assert len(getter(db, table)(period="7d")) == 0
        assert len(getter(db, table)(as_of="2025-01-01")) == 0


@every_table
def test_a_getter_gives_records_of_its_type(full, table):
    record_type = getattr(smartshopie_db, table.record)
    got = getter(full, table)()
    records = [got] if table.shape == "one" else list(got)
    assert records
    assert {type(record) for record in records} == {record_type}
    assert handle(full, table).record is record_type


# ---- db.<table> ------------------------------------------------------------------


def test_tables_is_a_read_only_mapping_of_all_tables(db):
    assert list(db.tables) == list(TABLES)
    assert len(db.tables) == 30
    for name, table in db.tables.items():
        assert table.name == name == getattr(db, name).name
    with pytest.raises(TypeError):
        db.tables["overview_kpis"] = None
    with pytest.raises(KeyError):
        db.tables["overview_kpi"]


@every_table
def test_a_table_describes_its_columns(db, table):
    described = handle(db, table).schema
    columns = described["columns"] if isinstance(described, dict) else described
    assert [column["name"] for column in columns] == list(table.names)
    assert [column["type"] for column in columns] == [c.kind for c in table.columns]


@every_table
def test_get_finds_a_row_by_its_id(full, contents, table):
    for row in contents[table.name][::7]:
        assert dict(handle(full, table).get(row["id"])) == row
    for missing in (0, -1, 10**6, 2**63 - 1):
        assert handle(full, table).get(missing) is None


@every_table
def test_latest_is_the_newest_by_time(full, contents, table):
    latest = handle(full, table).latest
    rows = contents[table.name]
    if table.time is None:
        assert dict(latest()) in rows
        with pytest.raises(TypeError):
            latest("2025-01-01")
        return
    times = [row[table.time] for row in rows if row[table.time] is not None]
    assert latest()[table.time] == max(times)
    day = oracle.day_of(min(times))
    of_day = [time for time in times if oracle.day_of(time) == day]
    assert latest(day)[table.time] == max(of_day)
    assert latest("1999-12-31") is None


@every_table
def test_count_counts_what_select_gives(full, contents, table):
    count = handle(full, table).count
    assert count() == len(contents[table.name])
    name = table.free[0]
    for value in {row[name] for row in contents[table.name]}:
        same = [row for row in contents[table.name] if row[name] == value]
        assert count(**{name: value}) == len(same)
        assert len(handle(full, table).select(**{name: value})) == len(same)


@every_table
def test_count_knows_the_windows_of_select(full, contents, table):
    if table.time is None:
        return
    rows = contents[table.name]
    day = GAPS_AS_DAYS[6]
    for window in (
        {"date": day},
        {"start": day},
        {"end": day},
        {"period": "90d"},
        {"as_of": day},
        {"period": "30d", "as_of": day, table.free[0]: rows[0][table.free[0]]},
    ):
        wanted = oracle.expected(table, rows, getter=False, **window)
        assert handle(full, table).count(**window) == len(wanted)


@pytest.mark.parametrize("table", WITH_FREE, ids=str)
def test_update_by_id_changes_that_row(db, table):
    ids = [adder(db, table)(**table.row(n), updated_at=PAST) for n in range(3)]
    before = [stored(db, table, row_id) for row_id in ids]
    name = table.free[-1]
    value = table.row(9)[name]
    assert handle(db, table).update(ids[1], **{name: value}) == 1
    after = [stored(db, table, row_id) for row_id in ids]
    assert after[0] == before[0] and after[2] == before[2]
    assert after[1][name] == value
    assert after[1]["updated_at"] > PAST
    same = set(table.names) - {name, "updated_at"}
    assert {n: after[1][n] for n in same} == {n: before[1][n] for n in same}
    assert handle(db, table).update(10**6, **{name: value}) == 0


@pytest.mark.parametrize("table", WITH_FREE, ids=str)
def test_update_by_filters_changes_the_rows_that_match(db, table):
    ids = [adder(db, table)(**table.row(n)) for n in range(3)]
    name = table.free[-1]
    value = table.row(9)[name]
    condition = {n: table.row(1)[n] for n in table.key}
    assert handle(db, table).update(condition, **{name: value}) == 1
    assert [stored(db, table, i)[name] for i in ids] == [
        table.row(0)[name],
        value,
        table.row(2)[name],
    ]


def test_update_with_a_column_on_both_sides(db):
    for day in ("2025-01-01", "2025-01-02"):
        db.add_overview_kpis(record_date=day, total_customers=5)
    assert db.overview_kpis.update({"total_customers": 5}, total_customers=6) == 2
    assert db.overview_kpis.count(total_customers=6) == 2


@every_table
def test_delete_by_id_and_by_filters(db, table):
    ids = [adder(db, table)(**table.row(n)) for n in range(4)]
    delete = handle(db, table).delete
    assert delete(ids[0]) == 1
    assert delete(ids[0]) == 0
    assert delete({name: table.row(2)[name] for name in table.key}) == 1
    left = [row.id for row in handle(db, table).select()]
    assert left == [ids[1], ids[3]]
    assert delete(all=True) == 2
    assert handle(db, table).count() == 0


def test_an_empty_condition_is_refused(demo):
    before = oracle.digest(demo.db_path)
    table = demo.conversion_funnel
    for call in (
        lambda: table.delete({}),
        lambda: table.delete({}, all=False),
        lambda: table.delete(),
    ):
        with pytest.raises(ValueError, match="all=True"):
            call()
    for call in (
        lambda: table.update({}, count=1),
        lambda: table.update(count=1),
        lambda: table.update(1),
        lambda: table.delete(1, all=True),
    ):
        with pytest.raises((TypeError, ValueError)):
            call()
    assert oracle.digest(demo.db_path) == before


def test_none_as_a_filter_means_no_value(db):
    db.add_overview_kpis(record_date="2025-01-01", total_customers=1)
    db.add_overview_kpis(record_date="2025-01-02")
    table = db.overview_kpis
    assert [str(r.record_date) for r in table.select(total_customers=None)] == [
        "2025-01-02"
    ]
    assert table.count(total_customers=None) == 1
    assert table.update({"total_customers": None}, total_customers=7) == 1
    assert table.delete({"total_customers": 7}) == 1


def test_references_are_checked_and_released(db):
    bill = {
        "billing_period_start": "2025-01-01",
        "billing_period_end": "2025-01-31",
        "plan_name": "p",
    }
    bill_id = db.add_billing_summary(**bill)
    paid = db.add_billing_payment(
        payment_date="2025-02-01", description="d", billing_id=bill_id
    )
    with pytest.raises(IntegrityError) as caught:
        db.add_billing_payment(
            payment_date="2025-02-02", description="d", billing_id=bill_id + 1
        )
    assert caught.value.sqlite_errorname == "SQLITE_CONSTRAINT_FOREIGNKEY"
    assert db.billing_payments.count() == 1
    assert db.billing_summary.delete(bill_id) == 1
    assert db.billing_payments.get(paid).billing_id is None


# ---- pages of the older dashboard ------------------------------------------------


@pytest.mark.parametrize("tab", TABS)
def test_a_tab_gives_the_stored_rows_of_its_tables(demo, demo_file, tab):
    got = demo.get_all_data_for_tab(tab)
    assert list(got) == TABS[tab]
    with oracle.connect(demo_file) as db:
        for name, rows in got.items():
            cursor = db.execute(f"SELECT * FROM {name} ORDER BY id DESC LIMIT 100")
            names = [column[0] for column in cursor.description]
            wanted = [dict(zip(names, row, strict=True)) for row in cursor]
            assert rows == wanted
            assert all(type(row) is dict for row in rows)


@pytest.mark.parametrize("tab", TABS)
def test_a_tab_of_one_day(full, contents, tab):
    day = FIRST_DAY + datetime.timedelta(days=GAPS[-1])
    got = full.get_all_data_for_tab(tab, day)
    assert got == full.get_all_data_for_tab(tab, date=day.isoformat())
    for name, rows in got.items():
        table = TABLES[name]
        wanted = [
            row["id"]
            for row in reversed(contents[name])
            if table.time is None or oracle.day_of(row[table.time]) == day
        ]
        assert [row["id"] for row in rows] == wanted


def test_an_unknown_tab_is_named_with_the_nearest(demo):
    with pytest.raises(ValueError, match="overview"):
        demo.get_all_data_for_tab("overviw")


# ---- signatures ------------------------------------------------------------------

PUBLIC = [name for name in dir(SmartShopieDB) if not name.startswith("_")]


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_method_has_a_signature_and_a_docstring(name):
    member = getattr(SmartShopieDB, name)
    assert inspect.getdoc(member), name
    if callable(member):
        parameters = list(inspect.signature(member).parameters)
        assert parameters[0] == "self"


@every_table
def test_a_getter_lists_its_parameters(db, table):
    parameters = inspect.signature(getter(db, table)).parameters
    assert next(iter(parameters)) == "date"
    assert parameters["date"].default is None
    expected = {"date", "strict", "timeout"}
    if table.shape != "one":
        expected |= {"start", "end", "period", "as_of", "limit", "offset"}
        expected |= {"after", "order_by", "columns", *table.names}
    assert set(parameters) == expected


@every_table
def test_an_adder_lists_its_columns(db, table):
    parameters = inspect.signature(adder(db, table)).parameters
    named = {
        name
        for name, parameter in parameters.items()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY
    }
    assert named == {*table.names, "on_conflict"}
    assert parameters["on_conflict"].default == "update"


@pytest.mark.parametrize("table", INSERTS, ids=str)
def test_insert_lists_its_arguments(db, table):
    parameters = inspect.signature(getattr(db, table.insert)).parameters
    assert tuple(parameters) == table.insert_args
    assert all(
        parameter.default is inspect.Parameter.empty
        for parameter in parameters.values()
    )


@pytest.mark.parametrize("name", ["select", "get", "latest", "count", "add", "update"])
def test_methods_of_a_table_have_signatures(db, name):
    assert inspect.signature(getattr(db.overview_kpis, name)).parameters
