"""to_csv(): what csv.reader and pandas read back is what the rows hold."""

import csv
import io
import json

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartshopie_db import DataError, SmartShopieDB

TEXT = st.text(
    st.characters(exclude_categories=["Cs"]) | st.sampled_from(",;\t|\"'\r\n=+-@ "),
    max_size=20,
)
CELLS = st.none() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | TEXT


def fields(data, delimiter=","):
    # newline="": csv.reader wants to see the line breaks as they are.
    text = io.StringIO(data.decode(), newline="")
    return list(csv.reader(text, delimiter=delimiter, strict=True))


def written(value):
    return "" if value is None else str(value)


def check(rows, delimiter=","):
    got = fields(rows.to_csv(delimiter=delimiter), delimiter)
    assert got[0] == list(rows.columns)
    assert got[1:] == [[written(cell) for cell in row] for row in rows.to_list()]


@pytest.fixture(scope="module")
def memory():
    with SmartShopieDB(":memory:") as db:
        db.execute("CREATE TABLE cells (id INTEGER PRIMARY KEY, a, b)")
        yield db


@given(st.lists(st.tuples(CELLS, CELLS), max_size=10), st.sampled_from(",;\t|"))
def test_any_cells(memory, cells, delimiter):
    with memory.transaction():
        memory.execute("DELETE FROM cells")
        for row in cells:
            memory.execute("INSERT INTO cells (a, b) VALUES (?, ?)", row)
        rows = memory.query("SELECT a, b FROM cells ORDER BY id")
        check(rows, delimiter)
        check(memory.query("SELECT a FROM cells ORDER BY id"), delimiter)
        check(rows[::-2], delimiter)


def test_every_table_of_the_demo(demo):
    for table in demo.tables.values():
        check(table.select())


def test_the_bytes(db):
    rows = db.query(
        "SELECT 1 AS a, NULL AS b, '' AS c, 'x,y' AS d, 'say \"hi\"' AS e, 0.5 AS f"
        " UNION ALL SELECT -2, 9e999, 'two\nlines', ' spaced ', 'é', -9e999"
    )
    assert rows.to_csv() == (
        b'a,b,c,d,e,f\r\n1,,"","x,y","say ""hi""",0.5\r\n'
        b'-2,inf,"two\nlines", spaced ,\xc3\xa9,-inf\r\n'
    )
    assert rows[:0].to_csv() == b"a,b,c,d,e,f\r\n"
    assert rows[:0].to_csv(header=False) == b""
    assert rows[:1].to_csv(delimiter=";", header=False) == (
        b'1;;"";x,y;"say ""hi""";0.5\r\n'
    )


def test_null_and_empty_text_differ(db):
    rows = db.query("SELECT NULL AS a, '' AS b")
    assert rows.to_csv(header=False) == b',""\r\n'
    # Alone in its line NULL would be no row.
    assert db.query("SELECT NULL AS a").to_csv() == b'a\r\n""\r\n'


def test_both_columns_of_a_name(db):
    assert db.query("SELECT 1 AS a, 2 AS a").to_csv() == b"a,a\r\n1,2\r\n"


@pytest.mark.parametrize(
    "payload",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\uff1d1", "=1,2"],
)
def test_formulas(db, payload):
    rows = db.query("SELECT ? AS x, -5 AS n, 'a=b' AS t, 1 AS \"=name\"", [payload])
    head, line = fields(rows.to_csv(formulas="defuse"))
    assert line == ["'" + payload, "-5", "a=b", "1"]
    assert head == ["x", "n", "t", "'=name"]
    assert fields(rows.to_csv())[1][0] == payload


def test_secrets(demo):
    rows = demo.api_configurations.select()
    keys = [key for key in rows["api_key"].to_list() if key]
    data = rows.to_csv(redact=True).decode()
    assert keys
    assert all(f",...{key[-4:]}," in data and key not in data for key in keys)
    assert all(key in rows.to_csv().decode() for key in keys)


def test_what_has_no_text_is_refused(db):
    with pytest.raises(DataError, match=r"column b, row 0: CSV has no bytes"):
        db.query("SELECT 1 AS a, x'00' AS b").to_csv()
    with pytest.raises(DataError, match=r"column b, row 0: .* not UTF-8"):
        db.query("SELECT 1 AS a, CAST(x'ff' AS TEXT) AS b").to_csv()


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"delimiter": "."}, ValueError, "delimiter: expected one of"),
        ({"delimiter": ",,"}, ValueError, "delimiter: expected one of"),
        ({"delimiter": 1}, TypeError, "delimiter: expected one of"),
        ({"formulas": "defused"}, ValueError, "did you mean 'defuse'"),
        ({"headers": True}, TypeError, "did you mean 'header'"),
    ],
)
def test_wrong_arguments(demo, options, error, message):
    with pytest.raises(error, match=message):
        demo.get_interaction_types().to_csv(**options)


def test_pandas_reads_it(demo):
    rows = demo.customer_interactions.select()
    frame = pd.read_csv(io.BytesIO(rows.to_csv()))
    assert frame["interaction_id"].to_list() == rows["interaction_id"].to_list()
    times = pd.to_datetime(frame["interaction_date"], format="ISO8601")
    assert [at.to_pydatetime() for at in times] == rows["interaction_date"].to_list()
    assert len(frame) == len(json.loads(rows.to_json()))
