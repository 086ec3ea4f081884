"""to_json() and to_ndjson(): always JSON, and always what the rows hold."""

import json
import math
from datetime import UTC, date, datetime

import orjson
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartshopie_db import DataError, SmartShopieDB

TEXT = st.text(
    st.characters(exclude_categories=["Cs"])
    | st.sampled_from(
        "\x00\x01\x1f\x7f\"\\/<>&'\b\n\r\t\f\u2028\u2029\ue228\U0001f600"
    ),
    max_size=40,
)
INTEGERS = st.integers(-(2**63), 2**63 - 1) | st.sampled_from([2**53 + 1, -(2**63)])
REALS = st.floats(allow_nan=False) | st.sampled_from(
    [-0.0, 1e308, 5e-324, -2.5e-310, 1e16, 1e-5, 0.1 + 0.2, 123.45]
)
CELLS = st.none() | INTEGERS | REALS | TEXT
DAYS = st.dates(date(1, 1, 1), date(9999, 12, 31))
INSTANTS = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59, 999999))


def plain(value):
    """A cell as it comes out of json.loads()."""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def plain_dicts(rows):
    return [{name: plain(cell) for name, cell in row.items()} for row in rows]


def same(got, want):
    """Equal with the type and the sign of every number."""
    return repr(got) == repr(want)


def check(rows, **options):
    dicts = plain_dicts(rows.to_dicts())
    assert same(json.loads(rows.to_json(**options)), dicts)
    columns = {
        name: [row[name] for row in dicts] for name in dict.fromkeys(rows.columns)
    }
    assert same(json.loads(rows.to_json("columns", **options)), columns)
    lines = rows.to_ndjson(**options)
    assert lines.count(b"\n") == len(rows)
    assert same([json.loads(line) for line in lines.split(b"\n")[:-1]], dicts)
    for row, want in list(zip(rows, dicts, strict=True))[:3]:
        assert same(json.loads(row.to_json(**options)), want)


@pytest.fixture(scope="module")
def memory():
    with SmartShopieDB(":memory:") as db:
        db.execute("CREATE TABLE cells (id INTEGER PRIMARY KEY, a, b, c)")
        yield db


@given(st.lists(st.tuples(CELLS, CELLS, TEXT | st.none()), max_size=12), st.booleans())
def test_any_cells(memory, cells, html):
    with memory.transaction():
        memory.execute("DELETE FROM cells")
        for row in cells:
            memory.execute("INSERT INTO cells (a, b, c) VALUES (?, ?, ?)", row)
        check(memory.query("SELECT a, b, c FROM cells ORDER BY id"), html=html)


ROW = st.fixed_dictionaries(
    {
        "interaction_date": INSTANTS,
        "interaction_type": TEXT,
        "customer_id": TEXT | st.none(),
        "response_time_sec": st.floats(0, allow_infinity=False) | st.none(),
        "message_count": st.integers(0, 2**63 - 1) | st.none(),
        "activity_description": TEXT | st.none(),
    }
)


@given(st.lists(ROW, max_size=12), st.booleans(), st.data())
def test_typed_columns(memory, cells, html, data):
    memory.customer_interactions.delete(all=True)
    for number, row in enumerate(cells):
        memory.customer_interactions.add(interaction_id=str(number), **row)
    rows = memory.customer_interactions.select()
    check(rows, html=html)
    part = data.draw(st.slices(len(cells)))
    check(rows[part], html=html)


@given(st.lists(DAYS, max_size=5, unique=True))
def test_days(memory, days):
    memory.interaction_types.delete(all=True)
    for day in days:
        memory.interaction_types.add(record_date=day, interaction_name="x", count=1)
    check(memory.interaction_types.select())


def test_every_table_of_the_demo(demo):
    for table in demo.tables.values():
        rows = table.select()
        check(rows)
        assert same(orjson.loads(rows.to_json(html=True)), plain_dicts(rows))
        assert (
            rows.to_json()
            == json.dumps(
                plain_dicts(rows), separators=(",", ":"), ensure_ascii=False
            ).encode()
        )


def test_no_rows(db):
    rows = db.overview_kpis.select(columns=["id", "record_date"])
    assert rows.to_json() == b"[]"
    assert rows.to_json("columns") == b'{"id":[],"record_date":[]}'
    assert rows.to_ndjson() == b""
    assert rows.to_json(prefix=b"a", suffix=b"b") == b"a[]b"


def test_what_json_lacks_is_null(db):
    rows = db.query("SELECT 9e999 AS up, -9e999 AS down, NULL AS none")
    assert rows.to_json() == b'[{"up":null,"down":null,"none":null}]'
    assert rows[0].to_json() == b'{"up":null,"down":null,"none":null}'


def test_integers_keep_their_digits(db):
    rows = db.query("SELECT 9223372036854775807 AS big, -9223372036854775808 AS low")
    assert rows.to_json() == (
        b'[{"big":9223372036854775807,"low":-9223372036854775808}]'
    )


def test_moments_are_as_isoformat_has_them(db):
    at = datetime(2025, 10, 28, 5, 42, 44, 1000, tzinfo=UTC)
    for moment in (at, at.replace(microsecond=0)):
        db.customer_interactions.add(
            interaction_id=str(moment), interaction_date=moment, interaction_type="chat"
        )
    rows = db.customer_interactions.select(columns="interaction_date")
    assert rows.to_json("columns") == (
        b'{"interaction_date":["2025-10-28T05:42:44.001000","2025-10-28T05:42:44"]}'
    )


def test_the_first_of_two_columns_has_their_name(db):
    rows = db.query("SELECT 1 AS a, 2 AS b, 3 AS a")
    assert rows.to_json() == b'[{"a":1,"b":2}]'
    assert rows.to_json("columns") == b'{"a":[1],"b":[2]}'


PAYLOAD = "</script><script>alert('1')</script>&\u2028\u2029<!--\""


def test_html_leaves_nothing_to_a_browser(db):
    rows = db.query(f'SELECT ? AS x, 1 AS "{PAYLOAD.replace(chr(34), "")}"', [PAYLOAD])
    for got in (rows.to_json(html=True), rows.to_ndjson(html=True)):
        text = got.decode()
        assert not set("<>&'\u2028\u2029") & set(text)
    assert json.loads(rows.to_json(html=True))[0]["x"] == PAYLOAD
    assert "</script>" in rows.to_json().decode()
    assert json.loads(rows.to_json())[0]["x"] == PAYLOAD


def test_secrets(demo):
    rows = demo.api_configurations.select()
    keys = rows["api_key"].to_list()
    assert json.loads(rows.to_json("columns"))["api_key"] == keys
    shown = json.loads(rows.to_json("columns", redact=True))["api_key"]
    assert shown == [key and "..." + key[-4:] for key in keys]
    assert keys[0]
    assert keys[0].encode() not in rows[0].to_json(redact=True)
    assert keys[0].encode() not in rows.to_ndjson(redact=True)
    free = demo.query("SELECT api_key FROM api_configurations")
    assert keys[0].encode() not in free.to_json(redact=True)


def test_prefix_and_suffix_are_put_around(demo):
    rows = demo.get_interaction_types()
    answer = rows.to_json(prefix=b'{"data":', suffix=b',"n":%d}' % len(rows))
    assert json.loads(answer) == {"data": plain_dicts(rows), "n": len(rows)}
    record = demo.get_overview_kpis()
    assert record.to_json(prefix=b"(", suffix=b")") == b"(" + record.to_json() + b")"


def test_what_has_no_json_is_refused(db):
    rows = db.query("SELECT 1 AS ok, x'00ff' AS picture")
    with pytest.raises(DataError, match=r"column picture, row 0: JSON has no bytes"):
        rows.to_json()
    rows = db.query("SELECT CAST(x'ff' AS TEXT) AS broken")
    with pytest.raises(DataError, match=r"column broken, row 0.* not UTF-8"):
        rows.to_ndjson()


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"orient": "record"}, ValueError, "did you mean 'records'"),
        ({"orient": 1}, TypeError, "orient"),
        ({"html": 1}, TypeError, "html"),
        ({"prefix": "text"}, TypeError, "prefix must be bytes, not str"),
        ({"sufix": b""}, TypeError, "did you mean 'suffix'"),
    ],
)
def test_wrong_arguments(demo, options, error, message):
    with pytest.raises(error, match=message):
        demo.get_interaction_types().to_json(**options)


def test_a_large_answer(db):
    """Of more than 64 MiB: a mapping of its own, cut to its size at the end."""
    rows = db.query(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3e5)"
        " SELECT i, i * 0.25 AS quarter, 'text ' || i || ' of many' AS words,"
        " 'the key of this column makes the answer large' AS constant FROM n"
    )
    answer = rows.to_json(prefix=b" " * 40_000_000)
    assert len(answer) > 64 << 20
    assert answer[40_000_000:] == rows.to_json()
    assert orjson.loads(answer) == rows.to_dicts()
    assert same(orjson.loads(rows[::-50].to_json()), rows.to_dicts()[::-50])


def test_pandas_reads_it(demo, tmp_path):
    rows = demo.customer_interactions.select()
    path = tmp_path / "rows.ndjson"
    path.write_bytes(rows.to_ndjson())
    frame = pd.read_json(path, lines=True)
    assert list(frame.columns) == list(rows.columns)
    assert frame["interaction_id"].to_list() == rows["interaction_id"].to_list()


def test_results_outlive_the_database(demo):
    rows = demo.get_interaction_types()
    want = rows.to_json()
    demo.close()
    assert rows.to_json() == want
