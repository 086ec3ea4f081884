"""Requests that nobody means well with: each is refused, none breaks anything, and no
secret is in any answer."""

from __future__ import annotations

import json
import zlib

import pyarrow
import pytest

from smartshopie_db import SmartShopieDB

SECRET = "sk-live-never-to-be-seen"
SHOWN = SECRET[-4:]
TOKEN = "a-token-of-some-length"
BASE = "/api/v1/tables"


@pytest.fixture
def secret_app(path, make_app):
    with SmartShopieDB(path) as db:
        for i in range(3):
            db.add_api_configuration(
                api_type=f"type{i}", api_name="CRM", api_url="/", api_key=SECRET
            )
    app = make_app(writes=True, token=TOKEN)
    app.testing = False
    return app


def routes(app):
    """An address for each GET route of the app, with each of its tables."""
    tables = app.extensions["smartshopie"].db.tables
    found = []
    for rule in app.url_map.iter_rules():
        if "GET" not in rule.methods or "static" in rule.endpoint:
            continue
        path = rule.rule.replace("<int(signed=True):id>", "1")
        paths = [path.replace("<table>", table) for table in tables]
        found += paths if "<table>" in path else [path]
    return sorted({path for path in found if "<" not in path})


PARAMETERS = (
    "limit", "n", "after", "columns", "column", "order_by", "date", "period", "start",
    "end", "as_of", "zone", "every", "fill", "by", "to", "format", "mode", "since",
    "id", "record_date", "count", "status", "api_key", "nope",
)  # fmt: skip
VALUES = (
    "-1", "0", "1e3", "10000000000000000000000", "99999999999999999999999999d", "NaN",
    "%00", "%FF%FE", "%D9%A3", "'%20OR%201=1--", "../../etc/passwd", "%F0%9F%98%80",
    "0000-00-00", "9999-12-31", "2025-02-30", "%0d%0aSet-Cookie:%20a=b", "x" * 3000,
    ",", "[]", "null", "-", "id,id", "api_key", "AQD2QoFvqp0MLgECAAAAAAAAANy81vY",
)  # fmt: skip


def test_bad_parameters_are_never_our_failure(secret_app):
    """Every parameter with every value, over all routes in turn and on each kind."""
    client = secret_app.test_client()
    places = routes(secret_app)
    assert len(places) > 200
    pairs = [(name, value) for name in PARAMETERS for value in VALUES]
    assert len(pairs) >= 300
    seen = {}
    for i, (name, value) in enumerate(pairs * 2):
        where = f"{places[i * 7 % len(places)]}?{name}={value}"
        answer = client.get(where)
        seen[answer.status_code] = seen.get(answer.status_code, 0) + 1
        check(answer, where)
    for table in ("conversion_funnel", "customer_interactions", "api_configurations"):
        for kind in ("", "/series", "/compare", "/top", "/breakdown", "/1", "/schema"):
            for name, value in pairs:
                where = f"{BASE}/{table}{kind}?{name}={value}"
                check(client.get(where), where)
    for where in places:
        for query in ("limit=1&limit=2", "=", "&&&", "a" * 5000, "%zz=%zz", ";"):
            check(client.get(f"{where}?{query}"), where)
    assert seen[400] > 300


def check(answer, where):
    assert answer.status_code < 500, (where, answer.text)
    if answer.status_code >= 400 and answer.mimetype == "application/json":
        error = answer.get_json()["error"]
        assert set(error) == {"code", "param", "message"}
        assert len(answer.data) < 1200, where
        for word in ("Traceback", "SELECT ", "File ", "/tmp", "sqlite3."):
            assert word not in answer.text, where
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(
    "where",
    [
        "/api/v1/tables/nope",
        "/api/v1/tables/sqlite_schema",
        "/api/v1/tables/conversion_funnel;DROP",
        "/api/v1/tables/conversion_funnel/x",
        "/api/v1/tables/conversion_funnel/1/2",
        "/api/v1/tables/../../etc/passwd",
        "/api/v1/tables/%00",
        "/api/v1/nope",
        "/api/v1/tables/" + "x" * 5000,
    ],
)
def test_what_is_not_there_is_404(secret_app, where):
    answer = secret_app.test_client().get(where)
    assert answer.status_code == 404
    check(answer, where)


def test_other_methods_are_refused(secret_app):
    client = secret_app.test_client()
    for path in (BASE, f"{BASE}/overview_kpis", f"{BASE}/overview_kpis/1"):
        for method in ("PUT", "TRACE", "PROPFIND", "LINK"):
            answer = client.open(path, method=method)
            assert answer.status_code == 405 and "GET" in answer.headers["Allow"]


# ---- secrets -------------------------------------------------------------------------


def texts(answer):
    """The answer's bytes, and what is inside where they are packed."""
    packed = answer.headers.get("Content-Encoding") == "gzip"
    data = zlib.decompress(answer.data, 31) if packed else answer.data
    yield data
    yield repr(list(answer.headers)).encode()
    if answer.mimetype == "application/vnd.apache.arrow.stream":
        yield repr(pyarrow.ipc.open_stream(data).read_all().to_pylist()).encode()


def test_the_secret_is_in_no_answer_of_any_route(secret_app):
    client = secret_app.test_client()
    config = f"{BASE}/api_configurations"
    queries = ["", "?format=csv", "?format=ndjson", "?format=arrow", "?columns=api_key"]
    queries += ["?order_by=api_type&limit=1", "?api_name=CRM", "?columns=api_key,id"]
    places = [*routes(secret_app), *(config + query for query in queries)]
    places += [f"{config}/{id}?format={f}" for id in range(9) for f in ("json", "csv")]
    places += [
        f"{config}/top?column=rows&by=status&format={f}" for f in ("csv", "arrow")
    ]
    shown = 0
    for where in places:
        for accept in ("*/*", "text/html"):
            answer = client.get(
                where, headers={"Accept": accept, "Accept-Encoding": "gzip"}
            )
            for text in texts(answer):
                assert SECRET.encode() not in text, where
                assert SECRET[:-4].encode() not in text, where
                shown += f"...{SHOWN}".encode() in text
    assert shown > 5
    assert client.get(f"{config}?columns=api_key&format=arrow").status_code == 406


def test_a_secret_cannot_be_asked_for_letter_by_letter(secret_app):
    client = secret_app.test_client()
    config = f"{BASE}/api_configurations"
    for query in (
        f"api_key={SECRET}",
        "api_key=",
        "order_by=api_key",
        "order_by=-api_key",
        "order_by=id,api_key",
    ):
        answer = client.get(f"{config}?{query}")
        assert answer.status_code == 400 and "secret" in answer.text
    for figure in ("top?column=rows&by=api_key", "breakdown?column=rows&by=api_key"):
        answer = client.get(f"{config}/{figure}")
        assert answer.status_code == 400 and "secret" in answer.text
    for figure in ("top", "breakdown"):
        answer = client.get(f"{config}/{figure}?column=rows&by=status&api_key={SECRET}")
        assert answer.status_code == 400


def test_a_token_holds_no_secret_and_none_can_be_made_of_one(secret_app, path):
    client = secret_app.test_client()
    config = f"{BASE}/api_configurations"
    with SmartShopieDB(path) as db:
        token = db.api_configurations.select(limit=1, order_by="api_key").next_token
    for order in ("", "&order_by=id", "&order_by=api_name"):
        answer = client.get(f"{config}?limit=1&after={token}{order}")
        assert answer.status_code == 400
        assert answer.get_json()["error"]["code"] == "bad_token"


def test_a_write_shows_no_secret(secret_app):
    client = secret_app.test_client()
    headers = {"Authorization": f"Bearer {TOKEN}"}
    row = {"api_type": "x", "api_name": "n", "api_url": "/", "api_key": SECRET}
    for path, body in (
        (f"{BASE}/api_configurations", row),
        (f"{BASE}/api_configurations", row),
        (f"{BASE}/api_configurations?on_conflict=error", row),
        (f"{BASE}/api_configurations/bulk?on_conflict=error", [row, row]),
        (f"{BASE}/api_configurations/bulk?on_conflict=error", [row | {"id": 1}]),
    ):
        answer = client.post(path, data=json.dumps(body), headers={
            **headers, "Content-Type": "application/json"})  # fmt: skip
        assert SECRET not in answer.text
    answer = client.patch(
        f"{BASE}/api_configurations/1", json={"api_key": SECRET}, headers=headers
    )
    assert answer.status_code == 200 and SECRET not in answer.text


# ---- how much ------------------------------------------------------------------------


def test_nobody_gets_more_points_than_can_be_looked_at(secret_app):
    client = secret_app.test_client()
    path = f"{BASE}/overview_kpis/series?columns=total_customers"
    for query in ("start=0001-01-01", "start=0001-01-01&end=9999-12-31", "period=900y"):
        answer = client.get(f"{path}&{query}")
        assert answer.status_code == 400, query
        assert "10000 points" in answer.get_json()["error"]["message"]
    assert client.get(f"{path}&start=2000-01-01").status_code == 200
    assert client.get(f"{path}&start=0001-01-01&every=year").status_code == 200


def test_texts_of_the_data_stay_texts(path, make_app):
    with SmartShopieDB(path) as db:
        for i, text in enumerate(
            ("<script>", '"\r\nX: y', "\u2028", "=1+1", "\x1b[2J")
        ):
            db.add_customer_segment(
                record_date="2026-01-01", segment_name=text + str(i), segment_size=i
            )
    client = make_app().test_client()
    rows = client.get(f"{BASE}/customer_segments?date=2026-01-01").get_json()["data"]
    assert {row["segment_name"] for row in rows} >= {"<script>0", '"\r\nX: y1'}
    for form in ("json", "csv", "ndjson"):
        answer = client.get(f"{BASE}/customer_segments?date=2026-01-01&format={form}")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "X" not in answer.headers and answer.mimetype != "text/html"
