"""The older app's routes over HTTP: what the reports answer, and who may ask."""

from __future__ import annotations

import json

import pytest

from smartshopie_db import SmartShopieDB
from smartshopie_db.reports import REPORTS, window
from smartshopie_db.web.jsons import encode

PATHS = sorted(REPORTS)


@pytest.mark.parametrize("route", PATHS)
def test_a_route_gives_its_report(client, route):
    got = client.get(f"/api/{route}?period=7d")
    assert got.status_code == 200 and got.content_type == "application/json"
    body = got.get_json()
    assert body.pop("success") is True
    state = client.application.extensions["smartshopie"]
    answer = REPORTS[route].run(state.db, window(state.db, period="7d"))
    assert body == json.loads(encode(answer))


@pytest.mark.parametrize("route", PATHS)
@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("period=7D", "period"),
        ("period=", "period"),
        ("period=xyz", "period"),
        ("period=-7d", "period"),
        ("period=7d&start=2025-01-01", "period"),
        ("start=2025-10-31&end=2025-10-01", "start"),
        ("start=yesterday", "start"),
        ("as_of=0000-00-00", "as_of"),
        ("as_of=20251031", "as_of"),
        ("as_of=2025-W44-5", "as_of"),
        ("period=99999999999999999999d", "period"),
        ("periods=7d", "periods"),
        ("period=7d&period=30d", "period"),
        ("period=" + "x" * 5000, "period"),
        ("period=7d'%20OR%201=1--", "period"),
    ],
)
def test_a_wrong_window_is_named(client, route, query, param):
    got = client.get(f"/api/{route}?{query}")
    assert got.status_code == 400
    assert got.get_json()["error"]["param"] == param
    assert len(got.data) < 1000


def test_a_day_that_the_calendar_barely_has(client):
    for day in ("0001-01-01", "9999-12-31"):
        for query in (f"as_of={day}", f"start={day}&end={day}", f"start={day}"):
            got = client.get(f"/api/overview/kpis?{query}")
            assert got.status_code in (200, 400), query


@pytest.mark.parametrize(
    ("route", "query", "param"),
    [
        ("customers/interactions", "limit=0", "limit"),
        ("customers/interactions", "limit=-1", "limit"),
        ("customers/interactions", "limit=99999999999999999999", "limit"),
        ("customers/interactions", "limit=" + "9" * 5000, "limit"),
        ("customers/interactions", "after=nonsense", "after"),
        ("billing/newest-alerts", "limit=101", "limit"),
        ("realtime/system-health", "since=0", "since"),
        ("realtime/system-health", "since=", "since"),
        ("realtime/system-health", "since=9999-12-31T23:59:59.999999", "since"),
        ("realtime/system-health", "since=0001-01-01T00:00:00%2B14:00", "since"),
        ("ai/model-performance", "mode=zzz", "mode"),
    ],
)
def test_a_wrong_parameter_is_named(client, route, query, param):
    got = client.get(f"/api/{route}?{query}")
    assert got.status_code == 400 and got.get_json()["error"]["param"] == param


def test_readings_later_than_an_instant(client, path):
    with SmartShopieDB(path) as db:
        db.add_realtime_metric(recorded_at="2031-01-01 08:00:00", active_sessions=7)
    for since, count in (("2031-01-01T07:59:59Z", 1), ("2031-01-01T08:00:00", 0)):
        got = client.get(f"/api/realtime/system-health?since={since}").get_json()
        assert [row["active_sessions"] for row in got["data"]] == [7] * count


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_other_methods_and_paths_are_json_errors(client, method):
    got = client.open("/api/overview/kpis", method=method, json={})
    assert got.status_code == 405 and "GET" in got.headers["Allow"]
    assert got.get_json()["error"]["code"] == "method_not_allowed"
    for path in ("/api/nope", "/api/overview/kpis/", "/api/"):
        got = client.open(path, method="GET")
        assert got.status_code == 404
        assert got.get_json()["error"]["code"] == "not_found"


def test_head_and_options(client):
    head = client.head("/api/overview/kpis")
    assert head.status_code == 200 and head.data == b"" and head.headers["ETag"]
    options = client.options("/api/overview/kpis")
    assert options.status_code == 200 and "GET" in options.headers["Allow"]


ORIGIN = "https://shop.example"


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        (ORIGIN, True),
        ("https://other.example", False),
        ("https://shop.example.evil.example", False),
        ("http://shop.example", False),
        ("null", False),
    ],
)
def test_scripts_of_other_sites_read_when_they_are_named(make_app, origin, allowed):
    client = make_app(origins=ORIGIN).test_client()
    headers = {"Origin": origin}
    got = client.get("/api/overview/kpis", headers=headers).headers
    assert got.get("Access-Control-Allow-Origin") == (origin if allowed else None)
    assert "Origin" in got["Vary"]
    assert "Access-Control-Allow-Credentials" not in got
    headers["Access-Control-Request-Method"] = "POST"
    headers["Access-Control-Request-Headers"] = "Authorization"
    preflight = client.options("/api/overview/kpis", headers=headers).headers
    assert "POST" not in preflight.get("Access-Control-Allow-Methods", "")
    allows = preflight.get("Access-Control-Allow-Headers", "").lower()
    assert "authorization" not in allows


def test_without_origins_there_are_no_such_headers(client):
    got = client.get("/api/overview/kpis", headers={"Origin": ORIGIN}).headers
    assert not [name for name, _ in got if name.startswith("Access-Control")]


def test_a_prefix_and_an_app_around_it(path):
    from flask import Flask

    from smartshopie_db.web import SmartShopie

    app = Flask("shop")
    SmartShopie(app, db=path, url_prefix="/assistant")
    app.get("/api/overview/kpis")(lambda: "mine")
    client = app.test_client()
    assert client.get("/api/overview/kpis").text == "mine"
    assert client.get("/assistant/api/overview/kpis").get_json()["success"] is True
    assert "Content-Security-Policy" not in client.get("/api/overview/kpis").headers
    assert client.get("/assistant/api/nope").get_json()["success"] is False
    app.extensions["smartshopie"].db.close()


def test_a_write_elsewhere_is_in_the_next_answer(client, path):
    before = client.get("/api/overview/kpis").get_json()["data"]
    with SmartShopieDB(path) as db:
        db.add_overview_kpis(record_date="2025-10-28", total_customers=99)
    after = client.get("/api/overview/kpis").get_json()["data"]
    assert before["total_customers"] != 99 == after["total_customers"]
