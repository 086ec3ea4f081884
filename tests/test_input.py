"""Wrong input: each kind gives a typed error that names it, and changes nothing."""

import ast
import datetime
import decimal
import math
import re
import sqlite3
from pathlib import Path

import oracle
import pytest
from schema_facts import TABLES, every_table

import smartshopie_db
from smartshopie_db import (
    ClosedError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    ProgrammingError,
    SmartShopieDB,
)

DAY = "2025-01-01"


@pytest.fixture
def unchanged(demo):
    """The open demo database, which the test must leave as it was."""
    before = oracle.digest(demo.db_path)
    yield demo
    assert oracle.digest(demo.db_path) == before


# ---- names -----------------------------------------------------------------------


def keyword(method, *arguments, **keywords):
    """Call a method of the database (or of one of its tables) with that keyword."""

    def call(db, name):
        found = db
        for part in method.split("."):
            found = getattr(found, part)
        return found(*arguments, **keywords, **{name: 1})

    return call


UNKNOWN = [
    (
        keyword("add_overview_kpis", record_date=DAY),
        "total_customer",
        "total_customers",
    ),
    (keyword("get_conversion_funnel"), "stage_ordr", "stage_order"),
    (keyword("get_conversion_funnel"), "limt", "limit"),
    (keyword("conversion_funnel.select"), "coutn", "count"),
    (keyword("conversion_funnel.count"), "stage_nme", "stage_name"),
    (keyword("conversion_funnel.add"), "on_conflct", "on_conflict"),
    (keyword("conversion_funnel.update", 1), "cuont", "count"),
    (keyword("get_overview_kpis"), "dat", "date"),
    (keyword("query", "SELECT 1"), "timout", "timeout"),
    (keyword("insert_revenue_attribution", DAY, "a", 1), "percentag", "percentage"),
    (lambda db, n: db.conversion_funnel.update({n: 1}, count=1), "cuont", "count"),
    (lambda db, n: db.conversion_funnel.delete({n: 1}), "cuont", "count"),
    (lambda db, n: db.get_conversion_funnel(columns=[n]), "percent", "percentage"),
    (lambda db, n: db.get_conversion_funnel(order_by=n), "-cont", "count"),
]


@pytest.mark.parametrize(("call", "wrong", "nearest"), UNKNOWN)
def test_an_unknown_name_is_answered_with_the_nearest(unchanged, call, wrong, nearest):
    with pytest.raises(TypeError) as caught:
        call(unchanged, wrong)
    said = str(caught.value)
    assert wrong.lstrip("-") in said
    assert f"did you mean '{nearest}'" in said


def test_a_name_that_is_near_to_nothing_has_no_suggestion(unchanged):
    with pytest.raises(TypeError) as caught:
        unchanged.add_overview_kpis(record_date=DAY, zzzzzzzzzz=1)
    assert "zzzzzzzzzz" in str(caught.value)
    assert "did you mean" not in str(caught.value)


@every_table
def test_all_missing_columns_are_named_at_once(db, table):
    before = oracle.digest(db.db_path)
    add = getattr(db, table.adder)
    with pytest.raises(TypeError) as caught:
        add()
    for name in table.required:
        assert re.search(rf"\b{name}\b", str(caught.value)), name
    row = table.row()
    for name in table.required:
        with pytest.raises(TypeError, match=rf"\b{name}\b"):
            add(**{key: value for key, value in row.items() if key != name})
        with pytest.raises((TypeError, ValueError, IntegrityError), match=name):
            add(**row | {name: None})
    assert oracle.digest(db.db_path) == before


def test_an_unknown_attribute_is_an_attribute_error(unchanged):
    with pytest.raises(AttributeError):
        unchanged.get_overview_kpi()
    with pytest.raises(AttributeError):
        unchanged.add_overview_kpi(record_date=DAY)


@pytest.mark.parametrize("word", ["replace", "UPDATE", "", "igno\0re", None, 1])
def test_on_conflict_is_one_of_three_words(unchanged, word):
    with pytest.raises((TypeError, ValueError), match="on_conflict"):
        unchanged.add_overview_kpis(record_date=DAY, on_conflict=word)


def test_columns_may_not_be_named_twice_or_not_at_all(unchanged):
    with pytest.raises(ValueError, match="count"):
        unchanged.get_conversion_funnel(columns=["count", "count"])
    with pytest.raises(ValueError, match="columns"):
        unchanged.get_conversion_funnel(columns=[])
    for wrong in (5, [5], {"count": 1}.values):
        with pytest.raises(TypeError):
            unchanged.get_conversion_funnel(columns=wrong)
        with pytest.raises(TypeError):
            unchanged.get_conversion_funnel(order_by=wrong)


@pytest.mark.parametrize(
    "word",
    ["count; DROP TABLE x", "count DESC, id", "", "-", "--count", "count  desc", "1",
     "count\0", '"count"', "\ud800", "rowid"],
)  # fmt: skip
def test_order_by_takes_names_and_no_sql(unchanged, word):
    with pytest.raises((TypeError, ValueError)):
        unchanged.get_conversion_funnel(order_by=word)


# ---- values ----------------------------------------------------------------------


class Strange:
    """Neither number nor text."""

    def __repr__(self):
        raise AssertionError("the message must not run foreign code")


class Failing:
    def __index__(self):
        raise ZeroDivisionError

    __float__ = __index__


WRONG = {
    "total_customers": [
        ("5", TypeError),
        ("many", TypeError),
        (1.5, (TypeError, ValueError)),
        (math.nan, ValueError),
        (math.inf, (ValueError, OverflowError)),
        (2**63, OverflowError),
        (-(2**63) - 1, OverflowError),
        (10**5000, OverflowError),
        (b"5", TypeError),
        ([5], TypeError),
        (Strange(), TypeError),
        (..., TypeError),
        (5 + 0j, TypeError),
        (Failing(), ZeroDivisionError),
        (decimal.Decimal("0.5"), (TypeError, ValueError)),
        (datetime.date(2025, 1, 1), TypeError),
    ],
    "conversion_rate": [
        ("5.0", TypeError),
        (math.nan, ValueError),
        (math.inf, ValueError),
        (-math.inf, ValueError),
        (decimal.Decimal("NaN"), ValueError),
        (decimal.Decimal("0.1000000000000000055"), (TypeError, ValueError)),
        (10**400, OverflowError),
        (b"x", TypeError),
        (Strange(), TypeError),
        (..., TypeError),
        (Failing(), (ZeroDivisionError, TypeError)),
    ],
    "record_date": [
        ("2025-02-30", ValueError),
        ("2025-13-01", ValueError),
        ("2025-00-10", ValueError),
        ("0000-01-01", ValueError),
        ("10000-01-01", ValueError),
        ("2025-1-1", ValueError),
        ("01.02.2025", ValueError),
        ("yesterday", ValueError),
        ("", ValueError),
        (" 2025-01-01", ValueError),
        ("2025-01-01\0", ValueError),
        ("2025-01-01\n", ValueError),
        ("\u0662\u0660\u0662\u0665-01-01", ValueError),
        ("\ud800", (ValueError, TypeError)),
        (20250101, TypeError),
        (1735689600.0, TypeError),
        (b"2025-01-01", TypeError),
        (datetime.time(1), TypeError),
        (datetime.timedelta(1), TypeError),
        (Strange(), TypeError),
        (..., TypeError),
    ],
    "created_at": [
        ("2025-01-01 24:00:00", ValueError),
        ("2025-01-01 12:60:00", ValueError),
        ("2025-01-01 12:00:60", ValueError),
        ("2025-01-01x12:00:00", ValueError),
        ("2025-01-01 12:00:00 UTC", ValueError),
        ("2025-01-01 12:00:00+25:00", ValueError),
        ("0001-01-01 00:00:00+01:00", ValueError),
        ("9999-12-31 23:59:59-01:00", ValueError),
        ("now", ValueError),
        (0, TypeError),
    ],
}  # fmt: skip
WRONG_CELLS = [
    pytest.param(column, value, error, id=f"{column}-{n}")
    for column, cases in WRONG.items()
    for n, (value, error) in enumerate(cases)
]


@pytest.mark.parametrize(("column", "value", "error"), WRONG_CELLS)
def test_a_wrong_value_is_refused_by_column(unchanged, column, value, error):
    with pytest.raises(error) as caught:
        unchanged.add_overview_kpis(**{"record_date": DAY} | {column: value})
    if not isinstance(value, Failing):
        assert column in str(caught.value)
        assert len(str(caught.value)) < 400
    with pytest.raises(error):
        unchanged.overview_kpis.update(1, **{column: value})
    with pytest.raises(error):
        unchanged.overview_kpis.count(**{column: value})


@pytest.mark.parametrize(
    "value",
    [5, b"x", None, ["a"], "\ud800", "a\udfff", Strange(), ..., True],
    ids=lambda value: type(value).__name__,
)
def test_wrong_text_is_refused_by_column(unchanged, value):
    with pytest.raises((TypeError, ValueError), match="stage_name"):
        unchanged.add_conversion_funnel_stage(
            record_date=DAY, stage_name=value, stage_order=0, count=1
        )


def test_a_secret_is_not_in_the_message(unchanged):
    with pytest.raises((TypeError, ValueError)) as caught:
        unchanged.add_api_configuration(
            api_type="x", api_name="y", api_url="z", api_key="sk-12345\ud800"
        )
    assert "12345" not in str(caught.value)
    with pytest.raises((TypeError, ValueError)) as caught:
        unchanged.add_api_configuration(
            api_type="x", api_name="y", api_url="z", api_key=b"sk-12345"
        )
    assert "12345" not in str(caught.value)


# What is taken besides the plain types, and what it reads back as.
TAKEN = [
    ("total_customers", 2**63 - 1, 2**63 - 1),
    ("total_customers", True, 1),
    ("total_customers", 5.0, 5),
    ("total_customers_change", -(2**53), -(2.0**53)),
    ("total_customers_change", decimal.Decimal("0.1"), 0.1),
    ("total_customers_change", -0.0, 0.0),
    ("total_customers_change", 5e-324, 5e-324),
    ("total_customers_change", 1.7976931348623157e308, 1.7976931348623157e308),
    ("record_date", datetime.datetime(2025, 1, 1, 23, 59), datetime.date(2025, 1, 1)),
    ("record_date", "2025-01-01T23:59:59Z", datetime.date(2025, 1, 1)),
    ("record_date", "0001-01-01", datetime.date.min),
    ("record_date", "9999-12-31", datetime.date.max),
    (
        "record_date",
        datetime.datetime(
            2025, 1, 1, tzinfo=datetime.timezone(datetime.timedelta(hours=5.5))
        ),
        datetime.date(2024, 12, 31),
    ),
    ("created_at", "2025-01-01", datetime.datetime(2025, 1, 1)),
    ("created_at", "2025-01-01T01:00+05:30", datetime.datetime(2024, 12, 31, 19, 30)),
    ("created_at", datetime.date(2025, 1, 1), datetime.datetime(2025, 1, 1)),
    ("created_at", datetime.datetime.max, datetime.datetime.max),
    ("created_at", datetime.datetime.min, datetime.datetime.min),
]


@pytest.mark.parametrize(("column", "given", "wanted"), TAKEN)
def test_other_forms_of_a_value_are_taken(db, column, given, wanted):
    row_id = db.add_overview_kpis(**{"record_date": DAY} | {column: given})
    got = db.overview_kpis.get(row_id)[column]
    assert got == wanted
    assert type(got) is type(wanted)
    assert db.overview_kpis.count(**{column: given}) == 1
    stored = oracle.rows_of(db.db_path, TABLES["overview_kpis"])[0]
    assert stored[column] == wanted


@pytest.mark.parametrize(
    "text",
    ["", "nul\0inside", "\U0001f6d2 \u0639\u0631", "a" * 100_000, "'; DROP TABLE x; --",
     "\x1b[31m", "\u2028</script>", "\r\n\t"],
    ids=["empty", "nul", "planes", "long", "sql", "escape", "html", "control"],
)  # fmt: skip
def test_any_text_is_stored_as_it_is(db, text):
    row_id = db.add_interaction_type(record_date=DAY, interaction_name=text, count=1)
    assert db.interaction_types.get(row_id).interaction_name == text
    assert db.interaction_types.count(interaction_name=text) == 1
    assert (
        db.add_interaction_type(record_date=DAY, interaction_name=text, count=2)
        == row_id
    )
    with oracle.connect(db.db_path) as stock:
        stored = stock.execute("SELECT interaction_name FROM interaction_types")
        assert stored.fetchall() == [(text,)]


def test_numpy_scalars_are_taken(db):
    numpy = pytest.importorskip("numpy")
    row_id = db.add_overview_kpis(
        record_date=numpy.datetime64("2025-01-01"),
        total_customers=numpy.int32(5),
        conversion_rate=numpy.float32(0.5),
        created_at=numpy.datetime64("2025-01-01T12:00:00.123456789"),
    )
    got = db.overview_kpis.get(row_id)
    assert got.record_date == datetime.date(2025, 1, 1)
    assert (got.total_customers, got.conversion_rate) == (5, 0.5)
    assert got.created_at == datetime.datetime(2025, 1, 1, 12, 0, 0, 123456)
    for wrong in (numpy.float64("nan"), numpy.datetime64("NaT"), numpy.array([1, 2])):
        with pytest.raises((TypeError, ValueError)):
            db.add_overview_kpis(record_date=DAY, conversion_rate=wrong)


# ---- constraints -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "value"),
    [("total_customers", -1), ("conversion_rate", 100.5), ("ai_interactions", -5)],
)
def test_a_value_out_of_range_names_its_column(unchanged, column, value):
    with pytest.raises(IntegrityError, match=column) as caught:
        unchanged.add_overview_kpis(**{"record_date": DAY, column: value})
    assert (caught.value.table, caught.value.column) == ("overview_kpis", column)
    assert caught.value.value == str(value)
    allowed = "0..100" if column == "conversion_rate" else ">= 0"
    assert f"({column} = {value}; expected {allowed})" in str(caught.value)
    assert caught.value.sqlite_errorname == "SQLITE_CONSTRAINT_CHECK"
    assert caught.value.sqlite_errorcode == sqlite3.SQLITE_CONSTRAINT_CHECK
    with pytest.raises(IntegrityError):
        unchanged.overview_kpis.update(1, **{column: value})


def test_an_update_may_not_make_two_rows_of_one_key(unchanged):
    first, second = unchanged.conversion_funnel.select()[:2]
    with pytest.raises(IntegrityError):
        unchanged.conversion_funnel.update(second.id, stage_order=first.stage_order)
    with pytest.raises(IntegrityError):
        unchanged.conversion_funnel.update(
            {"record_date": first.record_date}, stage_order=1
        )


def test_an_id_that_is_taken_is_refused(unchanged):
    with pytest.raises(IntegrityError):
        unchanged.add_overview_kpis(
            id=1, record_date="2031-01-01", on_conflict="update"
        )


# ---- windows ---------------------------------------------------------------------

COMBINED = [
    ({"date": DAY, "start": DAY}, TypeError),
    ({"date": DAY, "end": DAY}, TypeError),
    ({"date": DAY, "period": "7d"}, TypeError),
    ({"date": DAY, "as_of": DAY}, TypeError),
    ({"period": "7d", "start": DAY}, TypeError),
    ({"period": "7d", "end": DAY}, TypeError),
    ({"as_of": DAY, "end": DAY}, TypeError),
    ({"start": "2025-01-02", "end": "2025-01-01"}, ValueError),
    ({"start": "2025-01-02", "as_of": "2025-01-01"}, ValueError),
]


@pytest.mark.parametrize(("window", "error"), COMBINED, ids=str)
def test_windows_that_contradict_themselves(unchanged, window, error):
    for read in (
        unchanged.get_conversion_funnel,
        unchanged.get_conversion_trends,
        unchanged.get_customer_interactions,
        unchanged.customer_interactions.select,
    ):
        with pytest.raises(error):
            read(**window)


@pytest.mark.parametrize(
    "period",
    ["", "d", "7", "0d", "-7d", "7 d", "7D", "1.5d", "7dd", "7h", "99999999999d",
     "7d\0", "\u0667d", "seven days", "\ud800"],
)  # fmt: skip
def test_a_bad_period_says_what_one_looks_like(unchanged, period):
    with pytest.raises(ValueError) as caught:
        unchanged.get_conversion_funnel(period=period)
    if period.isascii():
        assert "period" in str(caught.value)
        assert re.search("12w|before the year 1", str(caught.value))


@pytest.mark.parametrize("period", [7, b"7d", 7.0, ["7d"], datetime.timedelta(7)])
def test_a_period_is_text(unchanged, period):
    with pytest.raises(TypeError, match="period"):
        unchanged.get_conversion_funnel(period=period)


@pytest.mark.parametrize("name", ["date", "start", "end", "as_of"])
@pytest.mark.parametrize(
    ("value", "error"),
    [
        ("2025-02-30", ValueError),
        ("soon", ValueError),
        (5, TypeError),
        (..., TypeError),
    ],
)
def test_a_bad_moment_names_its_argument(unchanged, name, value, error):
    with pytest.raises(error, match=name):
        unchanged.get_conversion_funnel(**{name: value})
    with pytest.raises(error):
        unchanged.get_overview_kpis(value)


@pytest.mark.parametrize("window", ["date", "start", "end", "as_of", "period"])
def test_a_table_without_time_has_no_windows(unchanged, window):
    value = "7d" if window == "period" else DAY
    for read in (
        unchanged.get_api_configurations,
        unchanged.api_configurations.select,
    ):
        with pytest.raises(TypeError, match="time column"):
            read(**{window: value})


def test_a_getter_of_one_row_takes_no_window(unchanged):
    for wrong in ({"start": DAY}, {"limit": 1}, {"total_customers": 1}):
        with pytest.raises(TypeError):
            unchanged.get_overview_kpis(**wrong)


@pytest.mark.parametrize("name", ["limit", "offset"])
@pytest.mark.parametrize(
    ("value", "error"),
    [
        (-1, ValueError),
        (-(2**63), (ValueError, OverflowError)),
        (2**63, (ValueError, OverflowError)),
        (10**30, (ValueError, OverflowError)),
        ("5", TypeError),
        (5.0, TypeError),
        (math.nan, (TypeError, ValueError)),
        (..., TypeError),
        ([1], TypeError),
    ],
    ids=str,
)
def test_limit_and_offset_are_counts(unchanged, name, value, error):
    for read in (unchanged.get_conversion_funnel, unchanged.conversion_funnel.select):
        with pytest.raises(error, match=name):
            read(**{name: value})


def test_huge_counts_are_fine(unchanged):
    read = unchanged.get_conversion_funnel
    assert len(read(limit=2**63 - 1)) == 5
    assert len(read(limit=2**63 - 1, offset=2)) == 3
    assert len(read(offset=2**63 - 1)) == 0
    assert len(read(limit=0)) == 0


# ---- arguments by position -------------------------------------------------------


def test_an_ellipsis_is_refused_and_not_stored(unchanged):
    for table in TABLES.values():
        with pytest.raises(TypeError):
            getattr(unchanged, table.adder)(...)
    with pytest.raises(TypeError):
        unchanged.add(...)
    with pytest.raises(TypeError):
        unchanged.overview_kpis.add(...)
    with pytest.raises(TypeError):
        unchanged.overview_kpis.update(..., total_customers=1)
    with pytest.raises(TypeError):
        unchanged.overview_kpis.delete(...)
    with pytest.raises(TypeError):
        unchanged.overview_kpis.get(...)


def test_a_record_of_another_table_is_refused(unchanged):
    record = unchanged.get_overview_kpis()
    with pytest.raises(TypeError, match="ConversionFunnel"):
        unchanged.add_conversion_funnel_stage(record)
    with pytest.raises(TypeError):
        unchanged.add_overview_kpis(dict(record))
    with pytest.raises(TypeError):
        unchanged.add({"record_date": DAY})
    with pytest.raises(TypeError):
        unchanged.add(unchanged.query("SELECT 1 AS x")[0])


def test_too_many_or_too_few_arguments(unchanged):
    for call in (
        lambda: unchanged.get_overview_kpis(DAY, DAY),
        lambda: unchanged.get_overview_kpis(DAY, date=DAY),
        lambda: unchanged.connect(1),
        lambda: unchanged.close(1),
        lambda: unchanged.query(),
        lambda: unchanged.query("SELECT 1", (), ()),
        lambda: unchanged.add(),
        lambda: unchanged.conversion_funnel.get(),
        lambda: unchanged.conversion_funnel.select(DAY),
    ):
        with pytest.raises(TypeError):
            call()


@pytest.mark.parametrize("value", ["1", 1.5, None, 2**63, -(2**63) - 1, [1]])
def test_an_id_is_an_integer(unchanged, value):
    with pytest.raises((TypeError, OverflowError, ValueError)):
        unchanged.overview_kpis.get(value)
    with pytest.raises((TypeError, OverflowError, ValueError)):
        unchanged.overview_kpis.update(value, total_customers=1)
    with pytest.raises((TypeError, OverflowError, ValueError)):
        unchanged.overview_kpis.delete(value)


@pytest.mark.parametrize(
    ("value", "error"),
    [
        (-1, ValueError),
        ("1", TypeError),
        (math.nan, ValueError),
        (math.inf, ValueError),
    ],
)
def test_a_bad_timeout_is_refused(unchanged, value, error):
    with pytest.raises(error, match="timeout"):
        unchanged.query("SELECT 1", timeout=value)
    with pytest.raises(error, match="timeout"):
        unchanged.get_overview_kpis(timeout=value)


def test_strict_is_a_bool(unchanged):
    with pytest.raises(TypeError, match="strict"):
        unchanged.get_overview_kpis(strict="no")


# ---- state -----------------------------------------------------------------------


def test_a_locked_database_is_an_operational_error_and_then_works(path):
    with oracle.connect(path) as other, SmartShopieDB(path, busy_timeout=0.1) as db:
        db.connect()
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(OperationalError, match="lock") as caught:
            db.add_overview_kpis(record_date=DAY)
        assert caught.value.sqlite_errorname.startswith("SQLITE_BUSY")
        assert db.get_overview_kpis() is None
        other.execute("ROLLBACK")
        db.add_overview_kpis(record_date=DAY)
        assert db.overview_kpis.count() == 1


def test_wrong_use_is_told_apart_from_a_wrong_file(path):
    db = SmartShopieDB(path)
    db.close()
    with pytest.raises(ClosedError) as caught:
        db.add_overview_kpis(record_date=DAY)
    assert isinstance(caught.value, ProgrammingError)
    assert not isinstance(caught.value, InterfaceError)


# ---- what the stub says of it ----------------------------------------------------


def columns_of_adder(stub, table):
    """What the stub says of each column that the adder takes: its type as text."""
    adders = [node for node in stub if node.name == table.adder]
    arguments = adders[-1].args.kwonlyargs
    return {a.arg: ast.unparse(a.annotation) for a in arguments if a.annotation}


@pytest.fixture(scope="module")
def stub():
    text = Path(smartshopie_db.__file__).with_name("_core.pyi").read_text()
    return [n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.FunctionDef)]


@every_table
def test_the_stub_says_which_columns_take_none(db, table, stub):
    types = columns_of_adder(stub, table)
    for n, name in enumerate(table.names):
        row = {**table.least(n), name: None}
        if "None" in types[name]:
            assert getattr(db, table.adder)(**row) > 0, name
        else:
            with pytest.raises((TypeError, IntegrityError), match=name):
                getattr(db, table.adder)(**row)
