"""/api/v1, reading: rows, pages, figures and forms, against what sqlite3 finds."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
import subprocess
import sys
import urllib.parse

import pyarrow
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smartshopie_db import SmartShopieDB, demo
from smartshopie_db.web import create_app

BASE = "/api/v1/tables"
TABLES = list(SmartShopieDB(":memory:").tables)


@pytest.fixture(scope="module")
def year(tmp_path_factory):
    """A file with a hundred days, the client of an app on it, and sqlite3."""
    file = tmp_path_factory.mktemp("v1") / "shop.db"
    demo.generate(file, days=100)
    app = create_app(db=file)
    with sqlite3.connect(file) as oracle:
        oracle.row_factory = sqlite3.Row
        yield app.test_client(), oracle
    oracle.close()
    app.extensions["smartshopie"].db.close()


def get(client, path, status=200, **headers):
    answer = client.get(path, headers=headers)
    assert answer.status_code == status, (path, answer.text[:300])
    return answer


def data(client, path):
    return get(client, path).get_json()["data"]


def as_stored(row):
    """A row of an answer as sqlite3 has it: instants with a space."""
    return {
        name: value.replace("T", " ")
        if isinstance(value, str) and value[10:11] == "T" and value[4] == "-"
        else value
        for name, value in row.items()
    }


def all_rows(client, path):
    found = []
    while path:
        answer = get(client, path).get_json()
        found += answer["data"]
        path = answer["next_link"]
        assert (answer["next"] is None) == (path is None)
    return found


@pytest.mark.parametrize("table", TABLES)
def test_every_table_is_read_whole_by_its_pages(year, table):
    client, oracle = year
    secret = {"api_key"}
    want = [dict(row) for row in oracle.execute(f"SELECT * FROM {table} ORDER BY id")]
    got = all_rows(client, f"{BASE}/{table}?limit=700&order_by=id")
    assert [row["id"] for row in got] == [row["id"] for row in want]
    for one, other in zip(map(as_stored, got), want, strict=True):
        assert one.keys() == other.keys()
        for name in one.keys() - secret:
            assert one[name] == pytest.approx(other[name]), (table, name)


@pytest.mark.parametrize(
    ("query", "sql"),
    [
        ("conversion_funnel?stage_name=Purchase", "stage_name='Purchase'"),
        ("conversion_funnel?stage_order=4&limit=1000", "stage_order=4"),
        ("customer_interactions?satisfaction_score=", "satisfaction_score IS NULL"),
        ("customer_interactions?customer_name=", "customer_name IS NULL"),
        ("product_analytics?category=Skincare&order_by=-views", "category='Skincare'"),
        ("overview_kpis?limit=1000", "1"),
    ],
)
def test_filters(year, query, sql):
    client, oracle = year
    table = query.partition("?")[0]
    got = all_rows(client, f"{BASE}/{query}")
    want = oracle.execute(f"SELECT id FROM {table} WHERE {sql}").fetchall()
    assert {row["id"] for row in got} == {row["id"] for row in want}
    assert got or sql.endswith("NULL")


def test_filters_by_day_instant_and_real(year):
    client, oracle = year
    for table, column in (
        ("customer_interactions", "interaction_date"),
        ("overview_kpis", "record_date"),
        ("overview_kpis", "conversion_rate"),
    ):
        value = oracle.execute(f"SELECT {column} FROM {table} LIMIT 1").fetchone()[0]
        words = [str(value)]
        if column == "interaction_date":
            words += [value.replace(" ", "T") + "Z", value.replace(" ", "T")]
        want = oracle.execute(
            f"SELECT id FROM {table} WHERE {column} = ? ORDER BY id", [value]
        ).fetchall()
        for word in words:
            quoted = urllib.parse.quote(word)
            got = data(client, f"{BASE}/{table}?{column}={quoted}&order_by=id")
            assert [row["id"] for row in got] == [row["id"] for row in want]


def test_windows_orders_and_columns(year):
    client, oracle = year
    newest = oracle.execute("SELECT max(record_date) FROM overview_kpis").fetchone()[0]
    sql = "SELECT record_date FROM overview_kpis ORDER BY record_date DESC LIMIT 7"
    want = [row[0] for row in oracle.execute(sql)]
    path = f"{BASE}/overview_kpis?period=7d&columns=record_date&order_by=-record_date"
    assert [row["record_date"] for row in data(client, path)] == want
    assert [list(row) for row in data(client, path)] == [["record_date"]] * 7
    same = f"{BASE}/overview_kpis?start={want[-1]}&end={newest}&columns=record_date"
    assert len(data(client, same)) == 7
    assert data(client, f"{BASE}/overview_kpis?date={newest}&columns=id")
    assert (
        data(client, f"{BASE}/overview_kpis?as_of={want[2]}&period=3d")[-1][
            "record_date"
        ]
        in want[2:5]
    )


def test_one_row_and_what_its_columns_mean(year):
    client, oracle = year
    row = data(client, f"{BASE}/conversion_funnel/3")
    want = dict(oracle.execute("SELECT * FROM conversion_funnel WHERE id=3").fetchone())
    assert as_stored(row) == want
    assert data(client, f"{BASE}/conversion_funnel/3?columns=id,count") == {
        "id": 3,
        "count": want["count"],
    }
    for id in (0, -1, 10**30, 999999):
        error = get(client, f"{BASE}/conversion_funnel/{id}", 404).get_json()["error"]
        assert error["code"] == "not_found"
    columns = data(client, f"{BASE}/conversion_funnel/schema")
    assert [c["name"] for c in columns] == list(want)
    names = [table["name"] for table in data(client, BASE)]
    assert names == TABLES
    for table in data(client, BASE):
        assert get(client, table["rows"]) and get(client, table["schema"])


def test_figures_are_those_of_the_database(year):
    client, oracle = year
    newest = oracle.execute("SELECT max(record_date) FROM overview_kpis").fetchone()[0]
    got = data(
        client, f"{BASE}/overview_kpis/series?columns=ai_interactions&period=30d"
    )
    assert len(got) == 30
    for row in got:
        sql = "SELECT sum(ai_interactions) FROM overview_kpis WHERE record_date = ?"
        assert (
            row["ai_interactions"] == oracle.execute(sql, [row["start"]]).fetchone()[0]
        )
    by = "columns=count&by=stage_name&every=month&stage_order=4"
    months = data(client, f"{BASE}/conversion_funnel/series?{by}")
    total = "SELECT sum(count) FROM conversion_funnel WHERE stage_order = 4"
    assert sum(row["count"] for row in months) == oracle.execute(total).fetchone()[0]
    (row,) = data(
        client, f"{BASE}/overview_kpis/compare?columns=total_customers&period=7d"
    )
    last = "SELECT total_customers FROM overview_kpis WHERE record_date = ?"
    assert row["value"] == oracle.execute(last, [newest]).fetchone()[0]
    assert row["previous"] is not None
    top = data(client, f"{BASE}/product_analytics/top?column=revenue&n=3&by=product_id")
    sql = (
        "SELECT product_id, sum(revenue) FROM product_analytics"
        " GROUP BY 1 ORDER BY 2 DESC LIMIT 3"
    )
    want = oracle.execute(sql).fetchall()
    assert [r["product_id"] for r in top] == [r[0] for r in want]
    assert [r["revenue"] for r in top] == pytest.approx([r[1] for r in want])
    shares = data(client, f"{BASE}/interaction_types/breakdown?column=count")
    assert sum(r["share"] for r in shares) == pytest.approx(100)
    kinds = data(
        client, f"{BASE}/customer_interactions/top?column=rows&by=interaction_type"
    )
    sql = "SELECT count(*) FROM customer_interactions WHERE interaction_type = ?"
    for row in kinds:
        want = oracle.execute(sql, [row["interaction_type"]]).fetchone()[0]
        assert row["rows"] == want
    to = "columns=ai_interactions&start=2025-01-01&to=2024-01-01..2024-02-01"
    (row,) = data(client, f"{BASE}/overview_kpis/compare?{to}")
    assert row["previous_start"] == "2024-01-01" and row["previous_end"] == "2024-02-01"
    path = f"{BASE}/conversion_funnel/series?columns=count&by=stage_order&fill=0"
    assert data(client, f"{path}&start={newest}&end={newest}")


def test_every_form_has_the_same_rows(year):
    client, _ = year
    path = f"{BASE}/customer_interactions?limit=20"
    rows = data(client, path)
    text = get(client, path, Accept="text/csv").text
    assert [int(row["id"]) for row in csv.DictReader(io.StringIO(text))] == [
        row["id"] for row in rows
    ]
    lines = get(client, path, Accept="application/x-ndjson").text.splitlines()
    assert [json.loads(line) for line in lines] == rows
    stream = get(client, f"{path}&format=arrow")
    assert stream.content_type == "application/vnd.apache.arrow.stream"
    table = pyarrow.ipc.open_stream(stream.data).read_all()
    assert table["id"].to_pylist() == [row["id"] for row in rows]
    assert table["customer_name"].to_pylist() == [row["customer_name"] for row in rows]
    for form in ("csv", "ndjson", "arrow"):
        answer = get(client, f"{path}&format={form}")
        named = f'attachment; filename="customer_interactions.{form}"'
        assert answer.headers["Content-Disposition"] == named
        link = answer.headers["Link"]
        assert link.startswith("</api/v1/") and link.endswith('; rel="next"')
        assert f"format={form}" in link and "Accept" in answer.headers["Vary"]


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("*/*", "application/json"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "application/json"),
        ("text/csv;q=0.5, application/json;q=0.4", "text/csv; charset=utf-8"),
        ("text/*", "text/csv; charset=utf-8"),
        ("application/vnd.apache.arrow.stream", "application/vnd.apache.arrow.stream"),
        ("image/png", None),
        ("application/json;q=0", None),
    ],
)
def test_accept_chooses_the_form(year, accept, form):
    client, _ = year
    for path in ("conversion_funnel", "conversion_funnel/1", "overview_kpis/series"):
        answer = client.get(f"{BASE}/{path}", headers={"Accept": accept})
        if form is None:
            assert answer.status_code == 406
            assert "text/csv" in answer.get_json()["error"]["message"]
        else:
            assert (answer.status_code, answer.content_type) == (200, form)


def test_arrow_without_pyarrow(year, monkeypatch):
    client, _ = year
    path = f"{BASE}/conversion_funnel?limit=3&format=arrow"
    want = pyarrow.ipc.open_stream(get(client, path).data).read_all()
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    small = get(client, f"{path}&_t=1&columns={','.join(want.column_names)}").data
    assert pyarrow.ipc.open_stream(small).read_all().equals(want)
    monkeypatch.setitem(sys.modules, "nanoarrow.ipc", None)
    answer = get(client, f"{BASE}/conversion_funnel?limit=4&format=arrow", 406)
    assert "pip install pyarrow" in answer.get_json()["error"]["message"]


def test_formulas_in_csv_are_only_text(path, make_app):
    with SmartShopieDB(path) as db:
        db.add_customer_segment(
            record_date="2026-01-01", segment_name="=1+1", segment_size=1
        )
    client = make_app().test_client()
    text = get(client, f"{BASE}/customer_segments?format=csv&date=2026-01-01").text
    assert "'=1+1" in text


def test_an_answer_is_kept_while_nothing_changes(path, make_app):
    client = make_app().test_client()
    where = f"{BASE}/conversion_funnel?limit=2"
    first = get(client, where)
    for accept in ("*/*", "text/csv"):
        same = client.get(
            where, headers={"If-None-Match": first.headers["ETag"], "Accept": accept}
        )
        assert (same.status_code, same.data) == (304, b"")
    assert get(client, where, Accept="text/csv").data != get(client, where).data
    with SmartShopieDB(path) as db:
        db.conversion_funnel.update(1, count=7)
    new = get(client, where, **{"If-None-Match": first.headers["ETag"]})
    assert new.get_json()["data"][0]["count"] == 7


def test_cells_that_do_not_fit_are_null_and_told(tmp_path):
    file = tmp_path / "old.db"
    with sqlite3.connect(file) as raw:
        raw.execute("CREATE TABLE overview_kpis (id INTEGER PRIMARY KEY,"
                    " record_date TEXT, total_customers)")  # fmt: skip
        raw.execute("INSERT INTO overview_kpis VALUES (1, '2025-01-01', 'many')")
    raw.close()
    app = create_app(db=file)
    answer = get(app.test_client(), f"{BASE}/overview_kpis").get_json()
    assert answer["data"][0]["total_customers"] is None
    (note,) = answer["notes"]
    assert note["column"] == "total_customers"
    app.extensions["smartshopie"].db.close()


def test_links_work_below_a_prefix(make_app):
    client = make_app(url_prefix="/shop").test_client()
    found = all_rows(client, f"/shop{BASE}/conversion_funnel?limit=2&stage_order=0")
    assert len(found) == 1
    answer = get(client, f"/shop{BASE}/conversion_funnel?limit=2").get_json()
    assert answer["next_link"].startswith("/shop/api/v1/tables/conversion_funnel?")


def test_the_largest_page_is_a_setting(make_app):
    client = make_app(max_rows=3).test_client()
    assert len(data(client, f"{BASE}/conversion_funnel")) == 3
    assert get(client, f"{BASE}/conversion_funnel?limit=4", 400)


# ---- pages ---------------------------------------------------------------------------

ORDERS = ("", "id", "-id", "count,-stage_name", "-percentage,record_date", "updated_at")


@given(
    rows=st.lists(
        st.tuples(st.integers(1, 4), st.integers(0, 6), st.integers(0, 3)),
        min_size=1,
        max_size=25,
        unique_by=lambda row: row[:2],
    ),
    order=st.sampled_from(ORDERS),
    limit=st.integers(1, 6),
    more=st.lists(st.integers(100, 140), max_size=3, unique=True),
)
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_pages_concatenate_while_rows_come(tmp_path_factory, rows, order, limit, more):
    file = tmp_path_factory.mktemp("pages") / "shop.db"
    with SmartShopieDB(file) as db:
        for day, stage, count in rows:
            db.conversion_funnel.add(
                record_date=f"2025-01-0{day}",
                stage_name=f"s{stage}",
                stage_order=stage,
                count=count,
            )
        app = create_app(db=file)
        client = app.test_client()
        path = f"{BASE}/conversion_funnel?limit={limit}"
        path += f"&order_by={order}" if order else ""
        whole = db.conversion_funnel.select(
            order_by=order.split(",") if order else None
        )
        before = [row.id for row in whole]
        seen = []
        fresh = list(more)
        while path:
            answer = client.get(path).get_json()
            assert len(answer["data"]) <= limit
            seen += [row["id"] for row in answer["data"]]
            path = answer["next_link"]
            if fresh:
                n = fresh.pop()
                db.conversion_funnel.add(
                    record_date="2025-01-02", stage_name="new", stage_order=n, count=1
                )
        app.extensions["smartshopie"].db.close()
    assert len(seen) == len(set(seen))
    assert [id for id in seen if id in set(before)] == before


def test_importing_the_routes_brings_no_arrow():
    code = (
        "import sys, smartshopie_db.web.v1 as v;"
        "print([m for m in ('pyarrow', 'nanoarrow', 'pandas') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr
