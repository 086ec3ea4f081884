"""Records: the thirty types, and one row as attributes and as a mapping."""

import collections
import copy
import datetime
import decimal
import enum
import inspect
import pickle
import types
from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from schema_facts import TABLES, every_table

import smartshopie_db
from smartshopie_db import (
    AIPerformance,
    APIConfiguration,
    BehavioralPattern,
    ConversionFunnel,
    DataError,
    Error,
    IntegrityError,
    OverviewKPI,
    Record,
    Row,
    Rows,
    SmartShopieDB,
    SystemHealth,
)

DAY = datetime.date(2025, 10, 28)
NOON = datetime.datetime(2025, 10, 28, 12)
UTC = datetime.UTC
INDIA = datetime.timezone(datetime.timedelta(hours=5, minutes=30))


def type_of(table):
    return getattr(smartshopie_db, table.record)


@pytest.fixture
def kpi():
    return OverviewKPI(record_date=DAY, total_customers=7, conversion_rate=2.5)


@pytest.fixture
def stage(db):
    """A record that was read."""
    db.add_conversion_funnel_stage(
        record_date=DAY,
        stage_name="Visitors",
        stage_order=0,
        count=50,
        percentage=100.0,
    )
    return db.get_conversion_funnel()[0]


@pytest.fixture
def row(db):
    """A row of free SQL, one of whose names comes twice and one is an expression."""
    return db.query("SELECT 1 AS a, 'x' AS keys, 3 AS a, NULL AS \"of it\"")[0]


# ---- making one ------------------------------------------------------------------


@every_table
def test_every_type_is_there_with_its_columns(table):
    record_type = type_of(table)
    assert record_type._fields == table.names
    assert record_type.__match_args__ == table.positional
    assert issubclass(record_type, Record)
    assert record_type.__module__ == "smartshopie_db"
    assert record_type.__qualname__ == table.record
    for column in table.columns:
        assert getattr(record_type, column.name).__doc__


@every_table
def test_made_by_keyword(table):
    given = table.row(3)
    record = type_of(table)(**given)
    expected = dict.fromkeys(table.names) | given
    assert record == expected
    assert {name: getattr(record, name) for name in table.names} == expected


@every_table
def test_made_by_position_in_the_order_of_the_older_package(table):
    given = [table.column(name).sample(2) for name in table.positional]
    record = type_of(table)(*given)
    assert [getattr(record, name) for name in table.positional] == given
    assert record.id is None


@every_table
def test_the_signature_says_how(table):
    parameters = inspect.signature(type_of(table)).parameters
    kinds = {
        kind: tuple(name for name, p in parameters.items() if p.kind is kind)
        for kind in inspect._ParameterKind
    }
    assert kinds[inspect.Parameter.POSITIONAL_OR_KEYWORD] == table.positional
    rest = tuple(name for name in table.names if name not in table.positional)
    assert kinds[inspect.Parameter.KEYWORD_ONLY] == rest
    assert all(p.default is None for p in parameters.values())


def test_the_docstring_names_columns_kinds_and_units():
    doc = OverviewKPI.__doc__
    assert doc.startswith("A row of overview_kpis. ")
    assert "\ntotal_customers: INTEGER, count, >= 0\n" in doc
    assert "\nconversion_rate: REAL, percent, 0..100\n" in doc


def test_managed_columns_go_by_keyword():
    record = OverviewKPI(
        id=5, record_date=DAY, created_at=NOON, updated_at="2025-10-28"
    )
    assert (record.id, record.created_at) == (5, NOON)
    assert record.updated_at == datetime.datetime(2025, 10, 28)


def test_wrong_arguments_are_named():
    with pytest.raises(TypeError, match="'total_custmers'; did you mean 'total_cust"):
        OverviewKPI(total_custmers=1)
    with pytest.raises(
        TypeError, match=r"OverviewKPI\(\): overview_kpis has no column 'q'"
    ):
        OverviewKPI(q=1)
    with pytest.raises(TypeError, match=r"at most 9 positional arguments \(10 given"):
        OverviewKPI(*range(10))
    with pytest.raises(TypeError, match="total_customers was given twice"):
        OverviewKPI(1, total_customers=1)
    with pytest.raises(TypeError, match="total_customers: expected int, got str 'abc'"):
        OverviewKPI(total_customers="abc")


def test_a_class_below_record_has_no_instances():
    mine = type("Mine", (Record,), {"__new__": lambda cls: object.__new__(cls)})
    with pytest.raises(TypeError, match="is not safe"):
        mine()
    with pytest.raises(TypeError, match="cannot create"):
        type("Other", (Record,), {})()


@pytest.mark.parametrize("base", [Row, OverviewKPI, Rows])
def test_no_subclasses(base):
    with pytest.raises(TypeError, match="not an acceptable base type"):
        type("Mine", (base,), {})


@pytest.mark.parametrize("made", [Record, Row, Rows])
def test_only_the_thirty_are_made_by_hand(made):
    with pytest.raises(TypeError, match="cannot create"):
        made()
    with pytest.raises(TypeError):
        object.__new__(made)


def test_no_way_round_the_constructor():
    with pytest.raises(TypeError):
        object.__new__(OverviewKPI)
    with pytest.raises(TypeError):
        ConversionFunnel.__new__(OverviewKPI)
    with pytest.raises(TypeError):
        OverviewKPI.count = 1
    record = OverviewKPI(total_customers=1)
    record.__init__()
    assert record.total_customers == 1


# ---- what a column takes ---------------------------------------------------------


class Level(enum.IntEnum):
    HIGH = 3


class Mode(enum.StrEnum):
    FAST = "fast"


class Indexed:
    def __index__(self):
        return 11


class Angry:
    def __index__(self):
        raise RuntimeError("not today")

    def __repr__(self):
        raise AssertionError("a message must not ask")


def real(value):
    return SystemHealth(cpu_usage=value).cpu_usage


def integer(value):
    return SystemHealth(response_time_ms=value).response_time_ms


def text(value):
    return SystemHealth(status=value).status


def day(value):
    return OverviewKPI(record_date=value).record_date


def instant(value):
    return SystemHealth(record_date=value).record_date


TAKEN = [
    (integer, 0, 0),
    (integer, -(2**63), -(2**63)),
    (integer, 2**63 - 1, 2**63 - 1),
    (integer, True, 1),
    (integer, 3.0, 3),
    (integer, -(2.0**63), -(2**63)),
    (integer, Level.HIGH, 3),
    (integer, Indexed(), 11),
    (integer, np.int8(-3), -3),
    (integer, np.uint64(9), 9),
    (integer, np.float32(4), 4),
    (integer, np.float64(5), 5),
    (integer, np.bool_(True), 1),
    (integer, decimal.Decimal("5.0"), 5),
    (real, 1.5, 1.5),
    (real, -0.0, -0.0),
    (real, 3, 3.0),
    (real, 2**53 + 1, 2.0**53),
    (real, True, 1.0),
    (real, 5e-324, 5e-324),
    (real, np.float32(0.5), 0.5),
    (real, np.float64(0.1), 0.1),
    (real, np.longdouble(0.25), 0.25),
    (real, np.int16(4), 4.0),
    (real, decimal.Decimal("12.340"), 12.34),
    (real, decimal.Decimal("0.1"), 0.1),
    (real, decimal.Decimal("1E+3"), 1000.0),
    (text, "", ""),
    (text, "a\0b", "a\0b"),
    (text, "\U0001f600 \N{EM DASH}", "\U0001f600 \N{EM DASH}"),
    (text, Mode.FAST, "fast"),
    (text, np.str_("n"), "n"),
    (day, DAY, DAY),
    (day, NOON, DAY),
    (day, datetime.datetime(2025, 10, 29, 1, tzinfo=INDIA), DAY),
    (day, "2025-10-28", DAY),
    (day, "2025-10-28 23:59:59.999999", DAY),
    (day, np.datetime64("2025-10-28"), DAY),
    (day, np.datetime64("2025-10-28T23:00:00.5"), DAY),
    (day, datetime.date(1, 1, 1), datetime.date(1, 1, 1)),
    (day, datetime.date(9999, 12, 31), datetime.date(9999, 12, 31)),
    (instant, NOON, NOON),
    (instant, DAY, datetime.datetime(2025, 10, 28)),
    (instant, NOON.replace(tzinfo=UTC), NOON),
    (instant, NOON.replace(tzinfo=INDIA), NOON - INDIA.utcoffset(None)),
    (instant, "2025-10-28T12:00", NOON),
    (instant, "2025-10-28 12:00:00+05:30", NOON - INDIA.utcoffset(None)),
    (instant, np.datetime64("2025-10-28T12:00:00"), NOON),
    (instant, np.datetime64("2025-10-28T12:00:00.000001999", "ns"),
     NOON.replace(microsecond=1)),
    (instant, datetime.datetime.max, datetime.datetime.max),
    (instant, datetime.datetime.min, datetime.datetime.min),
]  # fmt: skip


@pytest.mark.parametrize(("convert", "value", "expected"), TAKEN)
def test_a_column_takes(convert, value, expected):
    found = convert(value)
    assert found == expected
    assert type(found) is type(expected)
    assert str(found) == str(expected)


@pytest.mark.parametrize("convert", [integer, real, text, day, instant])
def test_none_is_a_missing_value(convert):
    assert convert(None) is None


NAN = float("nan")
INF = float("inf")
REFUSED = [
    (integer, "5", TypeError, "expected int, got str '5'"),
    (integer, b"5", TypeError, "expected int, got bytes"),
    (integer, 3.5, TypeError, "expected int, got float 3.5"),
    (integer, np.float32(3.5), TypeError, "expected int, got numpy.float32"),
    (integer, NAN, ValueError, "NaN is not a value; give None"),
    (integer, INF, ValueError, "expected a finite number, got inf"),
    (integer, 2**63, OverflowError, f"int {2**63} does not fit in 64 bits"),
    (integer, -(2**63) - 1, OverflowError, "does not fit in 64 bits"),
    (integer, 2**1000, OverflowError, "int of 1001 bits does not fit"),
    (integer, 2.0**63, OverflowError, "does not fit in 64 bits"),
    (integer, ..., TypeError, r"expected int, got Ellipsis \(\.\.\.\)"),
    (integer, [1], TypeError, "expected int, got list"),
    (integer, np.array([1]), TypeError, "expected int, got numpy.ndarray"),
    (integer, np.timedelta64(1, "s"), TypeError, "expected int, got numpy.timedelta64"),
    (integer, decimal.Decimal("5.5"), TypeError, "expected int, got decimal.Decimal"),
    (integer, decimal.Decimal("1E+999999999"), ValueError, "more digits"),
    (integer, 1 + 0j, TypeError, "expected int, got complex"),
    (integer, Angry(), RuntimeError, "not today"),
    (real, "1.5", TypeError, "expected float, got str '1.5'"),
    (real, NAN, ValueError, "NaN is not a value"),
    (real, np.float32("nan"), ValueError, "NaN is not a value"),
    (real, decimal.Decimal("NaN"), ValueError, "NaN is not a value"),
    (real, decimal.Decimal("sNaN"), ValueError, "NaN is not a value"),
    (real, INF, ValueError, "got inf"),
    (real, -INF, ValueError, "got -inf"),
    (real, decimal.Decimal("Infinity"), ValueError, "got inf"),
    (real, 2**1024, OverflowError, "is too large for a float"),
    (real, decimal.Decimal("0.12345678901234567890"), ValueError, "more digits"),
    (real, ..., TypeError, "expected float, got Ellipsis"),
    (real, np.complex128(1), TypeError, "expected float, got numpy.complex128"),
    (text, 5, TypeError, "expected str, got int 5"),
    (text, b"x", TypeError, "expected str, got bytes"),
    (text, ["x" * 99], TypeError, "expected str, got list"),
    (text, "ab\udc80c", ValueError, r"lone surrogate U\+DC80 at position 2"),
    (day, "28.10.2025", ValueError, "expected a day as 'YYYY-MM-DD', got str '28.10"),
    (day, "2025-02-30", ValueError, "expected a day as 'YYYY-MM-DD'"),
    (day, "\udc80", ValueError, "lone surrogate"),
    (day, "x" * 1000, ValueError, "got str 'x{60}'[.]{3}$"),
    (day, 20251028, TypeError, "expected datetime.date or str 'YYYY-MM-DD', got int"),
    (day, datetime.time(1), TypeError, "got datetime.time"),
    (day, np.datetime64("NaT"), ValueError, "NaT is not a time"),
    (day, np.datetime64("99999-01-01"), ValueError, "outside of the years 1 to 9999"),
    (instant, "yesterday", ValueError, "expected an instant as 'YYYY-MM-DD HH:MM:SS'"),
    (instant, 1761652800, TypeError, "expected datetime.datetime or str"),
    (
        instant,
        datetime.datetime.min.replace(tzinfo=INDIA),
        ValueError,
        "years 1 to 9999",
    ),
    (instant, np.datetime64("NaT"), ValueError, "NaT is not a time"),
]


@pytest.mark.parametrize(("convert", "value", "error", "message"), REFUSED)
def test_a_column_refuses(convert, value, error, message):
    with pytest.raises(error, match=message) as caught:
        convert(value)
    if not isinstance(value, Angry):
        assert str(caught.value).startswith(
            ("response_time_ms: ", "cpu_usage: ", "status: ", "record_date: ")
        )


def test_pandas_missing_values_are_refused_and_timestamps_taken():
    import pandas as pd  # slow to import, and used here only

    assert instant(pd.Timestamp("2025-10-28 12:00")) == NOON
    assert day(pd.Timestamp("2025-10-28 23:00", tz="UTC")) == DAY
    with pytest.raises(ValueError, match="NaT is not a time"):
        instant(pd.NaT)
    with pytest.raises(TypeError, match="expected float"):
        real(pd.NA)


def test_a_zone_that_raises_is_heard():
    class Broken(datetime.tzinfo):
        def utcoffset(self, moment):
            raise RuntimeError("no clock")

    with pytest.raises(RuntimeError, match="no clock"):
        instant(NOON.replace(tzinfo=Broken()))


def test_a_wrong_secret_is_not_shown():
    with pytest.raises(TypeError, match=r"api_key: expected str, got int$"):
        APIConfiguration(api_key=123456789)


# ---- reading ---------------------------------------------------------------------


def test_columns_win_over_helpers(stage, row):
    assert stage.count == 50
    assert BehavioralPattern(value=2.5).value == 2.5
    assert row.keys == "x"
    assert row["keys"] == "x"
    assert list(dict(stage)) == list(ConversionFunnel._fields)


def test_a_mapping(stage):
    assert isinstance(stage, Mapping)
    assert not isinstance(stage, Sequence)
    assert len(stage) == len(stage._fields) == 9
    assert list(stage) == list(stage.keys()) == list(stage._fields)
    assert stage["stage_name"] == "Visitors" == stage.get("stage_name")
    assert stage.get("nothing") is None
    assert stage.get("nothing", 5) == 5
    assert "count" in stage
    assert "nothing" not in stage
    assert 3 not in stage
    assert dict(stage) == stage.to_dict() == {**stage}
    assert list(stage.values()) == list(stage.to_dict().values())
    assert stage.items() == stage.to_dict().items()
    assert stage.keys() & {"count", "x"} == {"count"}
    assert type(stage.to_dict()) is dict


def test_a_wrong_name_gets_the_nearest(stage, row):
    with pytest.raises(
        KeyError, match="no column 'stage_nmae'; did you mean 'stage_na"
    ):
        stage["stage_nmae"]
    with pytest.raises(KeyError, match=r"conversion_funnel has no column 'zzz'\"?$"):
        stage["zzz"]
    with pytest.raises(KeyError, match=r"by column name \(str\), not by int"):
        stage[0]
    with pytest.raises(TypeError, match="unhashable"):
        stage[[]]
    with pytest.raises(KeyError, match="this result has no column 'b'"):
        row["b"]
    with pytest.raises(AttributeError, match="stage_nmae"):
        stage.stage_nmae  # noqa: B018
    with pytest.raises(AttributeError, match="'b'"):
        row.b  # noqa: B018
    with pytest.raises(TypeError, match="get\\(\\) takes"):
        stage.get()


def test_a_record_cannot_change(stage, row):
    for record in (stage, row):
        with pytest.raises(AttributeError):
            record.count = 1
        with pytest.raises(AttributeError):
            record.another = 1
        with pytest.raises(TypeError):
            record["count"] = 1
        with pytest.raises(TypeError):
            del record["count"]
    with pytest.raises(TypeError):
        stage.keys().mapping["count"] = 0


def test_a_row_of_free_sql(row):
    assert type(row) is Row
    assert isinstance(row, Record)
    assert isinstance(row, Mapping)
    assert row == {"a": 1, "keys": "x", "of it": None}
    assert row._fields == ("a", "keys", "of it")
    assert len(row) == 3
    assert row.a == row["a"] == 1
    assert repr(row) == "Row(a=1, keys='x', 'of it'=None)"
    assert {"a", "of it", "values", "to_dict"} <= set(dir(row))
    assert len(dir(row)) == len(set(dir(row)))


def test_some_columns_of_a_table_make_a_row(db):
    db.add_overview_kpis(record_date=DAY, total_customers=5)
    (row,) = db.overview_kpis.select(columns=["total_customers", "record_date"])
    assert type(row) is Row
    assert row == {"total_customers": 5, "record_date": DAY}
    with pytest.raises(KeyError, match="did you mean 'record_date'"):
        row["record_dat"]


def test_names_for_dir_and_completion(stage):
    assert set(stage._fields) | {"get", "keys", "to_dict"} <= set(dir(stage))


def test_match_statements(stage):
    match stage:
        case ConversionFunnel("Visitors", 0, count=n):
            assert n == 50
        case _:
            pytest.fail("not matched as a class")
    match stage:
        case {"stage_order": 0, "percentage": percentage, **rest}:
            assert percentage == 100.0
            assert rest["count"] == 50
        case _:
            pytest.fail("not matched as a mapping")
    match stage:
        case [*_]:
            pytest.fail("matched as a sequence")


# ---- comparing -------------------------------------------------------------------


def test_equal_as_mappings(kpi):
    same = OverviewKPI(conversion_rate=2.5, total_customers=7, record_date="2025-10-28")
    other = OverviewKPI(total_customers=8)
    assert kpi == same
    assert hash(kpi) == hash(same)
    assert kpi != other
    assert kpi == dict(kpi)
    assert dict(kpi) == kpi
    assert kpi == types.MappingProxyType(dict(kpi))
    assert kpi == collections.ChainMap(dict(kpi))
    assert kpi != dict(kpi, id=1)
    assert kpi != {"id": None}
    assert kpi != list(kpi)
    assert kpi != 5
    assert kpi is not None
    assert len({kpi, same, other}) == 2


def test_a_defaultdict_does_not_grow(kpi):
    names = list(kpi)
    almost = collections.defaultdict(lambda: None, dict(kpi))
    almost["x"] = almost.pop(names[0])
    assert kpi != almost
    assert names[0] not in almost


def test_equal_whatever_the_order_of_columns(db):
    first = db.query("SELECT 1 AS a, 2 AS b")[0]
    second = db.query("SELECT 2 AS b, 1.0 AS a")[0]
    assert first == second
    assert hash(first) == hash(second)
    assert first != db.query("SELECT 1 AS a, 3 AS b")[0]
    assert first != db.query("SELECT 1 AS a, 2 AS c")[0]


def test_types_are_told_apart_as_in_python(db):
    def one(sql):
        return db.query(f"SELECT {sql} AS x")[0]

    assert one("1") == one("1.0")
    assert one("9007199254740993") != one("9007199254740992.0")
    assert one("'a'") != one("x'61'")
    assert one("NULL") == one("NULL")
    assert one("NULL") != one("0")
    assert one("'1'") != one("1")


def test_records_have_no_order(kpi):
    with pytest.raises(TypeError):
        kpi < kpi  # noqa: B015
    with pytest.raises(TypeError):
        sorted([kpi, kpi])


def test_a_mapping_that_raises_is_heard(kpi):
    class Broken(Mapping):
        def __getitem__(self, name):
            raise RuntimeError("broken")

        def __iter__(self):
            return iter(kpi)

        def __len__(self):
            return len(kpi)

    with pytest.raises(RuntimeError, match="broken"):
        kpi == Broken()  # noqa: B015


# ---- showing ---------------------------------------------------------------------


def test_repr(kpi):
    assert repr(ConversionFunnel("Visitors", 0, 5, 2.5, None, DAY)) == (
        "ConversionFunnel(id=None, record_date=datetime.date(2025, 10, 28), "
        "stage_name='Visitors', stage_order=0, count=5, percentage=2.5, "
        "dropoff_rate=None, created_at=None, updated_at=None)"
    )
    assert eval(repr(kpi), {"OverviewKPI": OverviewKPI, "datetime": datetime}) == kpi


def test_repr_is_safe_and_bounded():
    shown = repr(AIPerformance(model_name="\x1b[31m\n\u202e" + "\N{EM DASH}" * 10_000))
    assert shown.isprintable()
    assert len(shown) < 1500
    assert r"'\x1b[31m\n\u202e" in shown


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        ("sk-live-0123f2a", "'...3f2a'"),
        ("abcd", "'...'"),
        ("", "'...'"),
        (None, "None"),
    ],
)
def test_a_secret_shows_its_last_four_characters(db, key, shown):
    record = APIConfiguration("chat", "n", "https://example.org", key)
    assert f"api_key={shown}" in repr(record)
    assert record.api_key == key
    db.add(record)
    rows = db.api_configurations.select(columns=["api_key"])
    assert repr(rows[0]) == f"Row(api_key={shown})"
    assert repr(db.query("SELECT api_key FROM api_configurations")[0]) == repr(rows[0])
    assert "0123" not in repr(rows) + repr(rows["api_key"])


# ---- copies ----------------------------------------------------------------------


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickle(kpi, stage, row, db, protocol):
    db.add_overview_kpis(record_date=DAY, total_customers=5)
    some = db.overview_kpis.select(columns=["total_customers", "record_date"])[0]
    for record in (kpi, stage, row, some):
        again = pickle.loads(pickle.dumps(record, protocol))
        assert again == record
        assert type(again) is type(record)
        assert list(again) == list(record)
        assert repr(again) == repr(record)
        assert hash(again) == hash(record)


def test_pickle_keeps_what_was_left_out(db):
    db.add_overview_kpis(record_date=DAY, total_customers=5, conversion_rate=1.0)
    partial = pickle.loads(
        pickle.dumps(OverviewKPI(record_date=DAY, conversion_rate=2))
    )
    db.add(partial)
    found = db.get_overview_kpis()
    assert (found.total_customers, found.conversion_rate) == (5, 2.0)
    db.add(copy.copy(OverviewKPI(record_date=DAY, total_customers=None)))
    assert db.get_overview_kpis().total_customers is None


def test_pickle_outlives_a_column():
    restore, arguments = OverviewKPI(total_customers=5).__reduce__()
    table, whole, names, kinds, values = arguments
    gone = restore(table, whole, (*names, "gone"), kinds + kinds[:1], (*values, 6))
    assert type(gone) is Row
    assert gone == {"total_customers": 5, "gone": 6}
    assert restore("no_such_table", whole, names, kinds, values) == {
        "total_customers": 5
    }


@pytest.mark.parametrize(
    "forged",
    [
        ("overview_kpis", True, ("id",), b"", (1,)),
        ("overview_kpis", True, ("id",), b"\x09", (1,)),
        ("overview_kpis", True, ("id",), b"\x00", ()),
        ("overview_kpis", True, (5,), b"\x00", (1,)),
        ("overview_kpis", True, ("id",), b"\x00", ("text",)),
        ("overview_kpis", True, ["id"], b"\x00", (1,)),
        ("overview_kpis", True, ("\udc80",), b"\x00", (1,)),
        (5, True, ("id",), b"\x00", (1,)),
        (),
    ],
)
def test_a_forged_pickle_is_refused(forged):
    restore, _ = OverviewKPI().__reduce__()
    with pytest.raises((TypeError, ValueError)):
        restore(*forged)


def test_what_only_a_file_can_hold_survives_pickle(db):
    row = db.query("SELECT 9e999 AS x, x'00ff' AS b, 'a' || char(0) AS t")[0]
    assert row.x == INF
    assert pickle.loads(pickle.dumps(row)) == row


def test_copies_are_the_record_itself(kpi, row):
    for record in (kpi, row):
        assert copy.copy(record) is record
        assert copy.deepcopy(record) is record


def replace(record, **changes):
    """copy.replace() of Python 3.13."""
    return record.__replace__(**changes)


def test_replace(kpi, stage, row):
    assert replace(kpi) == kpi
    changed = replace(kpi, total_customers=9, record_date="2025-01-01")
    assert type(changed) is OverviewKPI
    assert changed.total_customers == 9
    assert changed.record_date == datetime.date(2025, 1, 1)
    assert changed.conversion_rate == kpi.conversion_rate
    assert kpi.total_customers == 7
    assert replace(stage, count=1) == dict(stage, count=1)
    assert replace(row, a=2.5) == {"a": 2.5, "keys": "x", "of it": None}
    with pytest.raises(TypeError, match="no column 'cuont'; did you mean 'count'"):
        replace(stage, cuont=1)
    with pytest.raises(TypeError, match="count: expected int"):
        replace(stage, count="x")
    with pytest.raises(TypeError):
        stage.__replace__(5)


# ---- errors ----------------------------------------------------------------------


def test_every_error_has_the_attributes():
    for name in (
        "sqlite_errorcode",
        "sqlite_errorname",
        "table",
        "column",
        "row",
        "value",
    ):
        assert getattr(Error("x"), name) is None
        assert getattr(IntegrityError(), name) is None
    assert Error.__module__ == DataError.__module__ == "smartshopie_db"


def test_an_error_says_where_and_survives_pickle(db):
    with pytest.raises(IntegrityError) as caught:
        db.add_overview_kpis(record_date=DAY, total_customers=-1)
    error = caught.value
    assert error.sqlite_errorname == "SQLITE_CONSTRAINT_CHECK"
    assert error.sqlite_errorcode == 275
    assert error.table == "overview_kpis"
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is IntegrityError
    assert str(again) == str(error)
    assert again.__dict__ == error.__dict__


# ---- round trips -----------------------------------------------------------------

texts = st.text(st.characters(exclude_categories=["Cs"]))
numbers = st.integers(-(2**63), 2**63 - 1)
reals = st.floats(allow_nan=False, allow_infinity=False)


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    with SmartShopieDB(tmp_path_factory.mktemp("shared") / "shop.db") as db:
        yield db


@given(
    st.tuples(
        texts.filter(bool),
        st.datetimes(),
        texts | st.none(),
        reals | st.none(),
        st.integers(0, 2**63 - 1) | st.none(),
    )
)
def test_what_is_added_is_read_back(shared, row):
    text, moment, note, score, count = row
    given = {
        "interaction_id": text,
        "interaction_date": moment,
        "interaction_type": "x",
        "activity_description": note,
        "message_count": count,
    }
    made = smartshopie_db.CustomerInteraction(**given)
    assert {name: made[name] for name in given} == given
    (found,) = (shared.customer_interactions.get(shared.add(made)),)
    assert {name: found[name] for name in given} == given
    assert pickle.loads(pickle.dumps(found)) == found
    assert hash(found.__replace__()) == hash(found)
    kpi = OverviewKPI(record_date=moment.date(), revenue_impact=score)
    assert kpi.revenue_impact == score
    shared.add(kpi)
    assert shared.get_overview_kpis(moment.date()).revenue_impact == score


@given(texts, numbers, reals, st.binary(), st.dates(), st.datetimes())
def test_parameters_of_free_sql_come_back(
    shared, text, number, value, blob, when, moment
):
    row = shared.query(
        "SELECT ? AS t, ? AS i, ? AS r, ? AS b, ? AS d, ? AS m",
        (text, number, value, blob, when, moment),
    )[0]
    assert (row.t, row.i, row.r, row.b) == (text, number, value, blob)
    assert row.d == when.isoformat()
    assert row.m.rstrip("0") == moment.isoformat(" ").rstrip("0")


def test_the_schema_has_thirty_record_types():
    assert len(TABLES) == 30
    found = {type_of(table) for table in TABLES.values()}
    assert found == set(Record.__subclasses__()) - {Row}
