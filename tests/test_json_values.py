"""Any value as JSON: what the answers of the web side are made of."""

import collections
import datetime
import decimal
import enum
import json
import math
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartshopie_db import SmartShopieDB
from smartshopie_db._core import _to_json

DAY = datetime.date(2025, 1, 31)

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
KEYS = st.text() | st.integers() | st.booleans() | st.none()
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner)
        | st.lists(inner).map(tuple)
        | st.dictionaries(KEYS, inner)
        | st.dictionaries(st.text(), inner).map(collections.OrderedDict)
    ),
    max_leaves=40,
)


@given(VALUES)
def test_it_is_what_the_standard_library_writes(value):
    written = _to_json(value)
    expected = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    assert written == expected.encode()


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (math.nan, "null"),
        ([math.inf, -math.inf], "[null,null]"),
        ({"a": math.nan}, '{"a":null}'),
        (-0.0, "-0.0"),
        (5e-324, "5e-324"),
        (2**63 - 1, str(2**63 - 1)),
        (-(2**63), str(-(2**63))),
        (2**63, str(2**63)),
        (-(10**40), str(-(10**40))),
        ("\ud800a", '"?a"'),
        ('"\\\n\x00</\u2028', '"\\"\\\\\\n\\u0000</\u2028"'),
        ({1.5: 1, True: 2, None: 3}, '{"1.5":1,"true":2,"null":3}'),
        (DAY, '"2025-01-31"'),
        (datetime.date(1, 2, 3), '"0001-02-03"'),
        (datetime.datetime(2025, 1, 31, 12, 30, 0, 5), '"2025-01-31T12:30:00.000005"'),
        (
            datetime.datetime(2025, 1, 31, tzinfo=datetime.UTC),
            '"2025-01-31T00:00:00+00:00"',
        ),
        ([], "[]"),
        ({}, "{}"),
        (((),), "[[]]"),
    ],
)
def test_what_a_browser_reads(value, written):
    assert _to_json(value).decode() == written


class Number(enum.IntEnum):
    BIG = 2**70
    SMALL = 3


class Text(str):
    def __str__(self):
        return "not this"


class Day(datetime.date):
    def isoformat(self):
        return "a day"


def test_what_is_derived_from_plain_types():
    kinds = collections.namedtuple("kinds", "a b")(Number.SMALL, Number.BIG)
    assert json.loads(_to_json(kinds)) == [3, 2**70]
    counted = collections.Counter("aab")
    assert json.loads(_to_json(counted)) == {"a": 2, "b": 1}
    assert _to_json([Text("this"), Day(2025, 1, 1)]) == b'["this","a day"]'


class Odd(dict):
    """Says itself what it holds."""

    pairs = (("said", 1), ("too", [2]))

    def items(self):
        return iter(self.pairs)


def test_a_dict_of_an_order_of_its_own():
    moved = collections.OrderedDict(a=1, b=2)
    moved.move_to_end("a")
    assert _to_json([moved]) == b'[{"b":2,"a":1}]'
    assert _to_json(Odd(hidden=1)) == b'{"said":1,"too":[2]}'
    for wrong in (1,), ("said", 1, 2), "ab":
        odd = Odd()
        odd.pairs = (wrong,)
        with pytest.raises(TypeError, match=r"Odd.items\(\) gave no pairs"):
            _to_json(odd)


def test_rows_and_records_write_themselves(path):
    with SmartShopieDB(path) as db:
        db.add_overview_kpis(record_date=DAY, total_customers=7)
        rows, record = db.overview_kpis.select(), db.get_overview_kpis()
        value = {"rows": rows, "one": record, "none": rows[:0], "column": None}
        written = _to_json(value)
        assert written == (
            b'{"rows":%b,"one":%b,"none":[],"column":null}'
            % (rows.to_json(), record.to_json())
        )


def test_secrets_are_hidden_when_asked(path):
    with SmartShopieDB(path) as db:
        key = {"api_key": "sk-0123456789"}
        db.add_api_configuration(api_type="orders", api_name="O", api_url="/", **key)
        rows = db.api_configurations.select()
        assert b"sk-0123456789" in _to_json([rows, rows[0]])
        hidden = _to_json([rows, rows[0]], redact=True)
        assert b"sk-" not in hidden and hidden.count(b"...6789") == 2


def test_what_is_not_known_is_asked_for():
    def other(value):
        return [str(value)] if isinstance(value, decimal.Decimal) else value

    assert _to_json({"a": decimal.Decimal("1.5")}, default=other) == b'{"a":["1.5"]}'
    with pytest.raises(TypeError, match=r"no JSON for decimal\.Decimal"):
        _to_json([decimal.Decimal(1)])
    with pytest.raises(TypeError, match="no JSON for set"):
        _to_json([set()], default=None)
    with pytest.raises(ZeroDivisionError):
        _to_json(object(), default=lambda value: 1 / 0)
    with pytest.raises(RecursionError):
        _to_json(object(), default=lambda value: value)


@pytest.mark.parametrize("key", [(1,), DAY, b"x"])
def test_a_key_that_is_no_text(key):
    with pytest.raises(TypeError, match=f"not {type(key).__name__}"):
        _to_json({key: 1})


def test_circles_and_depth():
    circle = []
    circle.append({"again": circle})
    with pytest.raises(RecursionError):
        _to_json(circle)
    deep = 1
    for _ in range(sys.getrecursionlimit() // 2):
        deep = [deep]
    assert json.loads(_to_json(deep)) == deep


def test_values_that_change_while_they_are_written():
    class Odd:
        pass

    items = [Odd(), 1, 2, [3]]
    assert _to_json(items, default=lambda odd: items.clear()) == b"[null]"
    grown = {"a": Odd(), "b": 1}
    with pytest.raises(RuntimeError, match="changed size"):
        _to_json(grown, default=lambda odd: grown.update(c=2))


def test_arguments():
    with pytest.raises(TypeError, match="value"):
        _to_json()
    with pytest.raises(TypeError, match="redact"):
        _to_json(1, redact=1)
    with pytest.raises(TypeError, match="default"):
        _to_json(1, defaults=str)
