"""The short way answers as the long way does, or not at all."""

from __future__ import annotations

import pytest
from flask import abort

from smartshopie_db.reports import REPORTS
from smartshopie_db.web import answers
from smartshopie_db.web import front as fronts
from smartshopie_db.web.answers import fresh
from smartshopie_db.web.front import Front

KPIS = "/api/overview/kpis"


@pytest.fixture
def app(make_app):
    return make_app()


class Ways:
    """Both ways of an app, and how many requests went the short one."""

    def __init__(self, app):
        self.app, self.short = app, 0
        self.front = app.wsgi_app
        assert isinstance(self.front, Front)
        app.test_client().get(KPIS)
        inner = self.front._answer

        def counted(*given):
            answer = inner(*given)
            self.short += 1
            return answer

        self.front._answer = counted

    def both(self, path, **options):
        """(answer of the app, answer of the long way): status, headers, body"""
        found = []
        for way in (self.front, self.front._flask):
            self.app.wsgi_app = way
            got = self.app.test_client().get(path, **options)
            found.append((got.status, sorted(got.headers), got.data))
        self.app.wsgi_app = self.front
        return found


@pytest.fixture
def ways(app):
    return Ways(app)


@pytest.mark.parametrize("name", REPORTS)
def test_each_report_goes_the_short_way(ways, name):
    for query in ("", "?period=7d", "?_t=1"):
        short, long = ways.both(f"/api/{name}{query}")
        assert short == long
    assert ways.short >= 1


TAKEN = [
    ({}, "200 OK"),
    ({"Accept-Encoding": "gzip"}, "200 OK"),
    ({"Accept-Encoding": "gzip;q=0"}, "200 OK"),
    ({"Accept-Encoding": "br, gzip;q=0.5"}, "200 OK"),
    ({"If-None-Match": '"other"'}, "200 OK"),
    ({"If-None-Match": "*"}, "304 NOT MODIFIED"),
    ({"If-None-Match": "TAG"}, "304 NOT MODIFIED"),
    ({"If-None-Match": '"a", TAG'}, "304 NOT MODIFIED"),
    ({"If-None-Match": "BARE"}, "304 NOT MODIFIED"),
    ({"If-None-Match": '"a"BARE"'}, "200 OK"),
    ({"If-None-Match": '"BAREx"'}, "200 OK"),
    ({"Host": "127.0.0.1:5001"}, "200 OK"),
]
LEFT = [
    (KPIS + "?period=%37d", {}, "200 OK"),
    (KPIS + "?limit=1", {}, "400 BAD REQUEST"),
    (KPIS + "?period=7d&period=7d", {}, "400 BAD REQUEST"),
    (KPIS + "?period", {}, "400 BAD REQUEST"),
    (KPIS + "?period=9x", {}, "400 BAD REQUEST"),
    (KPIS + "?period=9x", {"If-None-Match": "*"}, "400 BAD REQUEST"),
    (KPIS + "/", {}, "404 NOT FOUND"),
    (KPIS, {"Host": "evil.example"}, "400 BAD REQUEST"),
    (KPIS, {"Host": ""}, "400 BAD REQUEST"),
    (KPIS, {"Origin": "https://a.example"}, "200 OK"),
    ("/api/nope", {}, "404 NOT FOUND"),
]


@pytest.mark.parametrize(("headers", "status"), TAKEN, ids=str)
def test_headers_of_a_request(ways, headers, status):
    tag = ways.app.test_client().get(KPIS).headers["ETag"]
    headers = {
        name: value.replace("TAG", tag).replace("BARE", tag[3:-1])
        for name, value in headers.items()
    }
    ways.short = 0
    short, long = ways.both(KPIS, headers=headers)
    assert short == long and short[0] == status and ways.short == 1


@pytest.mark.parametrize(("url", "headers", "status"), LEFT, ids=str)
def test_what_is_unusual_goes_the_long_way(ways, url, headers, status):
    short, long = ways.both(url, headers=headers)
    assert short == long and short[0] == status and ways.short == 0


@pytest.mark.parametrize(
    ("accepted", "compressed"),
    [
        ("gzip", True), ("br,gzip", True), ("gzip, deflate", True), ("", False),
        ("notgzip", False), ("gzipped, br", False), ("notgzip;q=1", False),
    ],
)  # fmt: skip
def test_who_takes_gzip(accepted, compressed):
    body = answers.Body(bytes(2000), "text/plain")
    assert answers.wants_gzip(body, accepted) == compressed


def test_what_goes_in_pieces_goes_the_long_way(ways, monkeypatch):
    monkeypatch.setattr(fronts, "LARGE", 10)
    monkeypatch.setattr(answers, "LARGE", 10)
    short, long = ways.both(KPIS)
    assert short == long and ways.short == 0


def test_head_and_post_go_the_long_way(ways):
    client = ways.app.test_client()
    assert client.head(KPIS).data == b"" and client.post(KPIS).status_code == 405
    assert ways.short == 0


def test_nothing_goes_past_a_hook(make_app):
    app = make_app()

    @app.before_request
    def log_in():
        abort(401)

    client = app.test_client()
    assert [client.get(KPIS).status_code for _ in range(3)] == [401] * 3


def test_no_hook_comes_too_late(ways):
    with pytest.raises(AssertionError, match="before_request"):
        ways.app.before_request(lambda: abort(401))


def test_what_takes_too_long_is_not_tried_on_both_ways(make_app):
    app, tried = make_app(timeout=0.05), []
    endless = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c)"

    def slow(state):
        tried.append(state)
        return {"data": state.db.query(f"{endless} SELECT max(x) FROM c")}

    app.get("/api/slow")(fresh()(slow))
    ways = Ways(app)
    got = app.test_client().get("/api/slow")
    assert got.status_code == 503 and got.json["error"]["code"] == "busy"
    assert got.headers["Retry-After"] == "1"
    assert len(tried) == 1 and ways.short == 0


def test_both_ways_are_counted(ways):
    client = ways.app.test_client()
    client.get(KPIS)
    client.get(KPIS + "?limit=1")
    text = client.get("/metrics").text
    assert f'total{{route="{KPIS}",method="GET",status="200"}} 2\n' in text
    assert f'total{{route="{KPIS}",method="GET",status="400"}} 1\n' in text


def test_what_is_remembered_has_an_end(ways, monkeypatch):
    monkeypatch.setattr(fronts, "MOST", 3)
    client = ways.app.test_client()
    for i in range(9):
        assert client.get(f"{KPIS}?_t={i}").status_code == 200
    assert len(ways.front._given) <= 3
    app = ways.app
    app.config["TRUSTED_HOSTS"] = [".example.com"]  # any name below it
    for i in range(9):
        got = client.get(KPIS, headers={"Host": f"h{i}.example.com"})
        assert got.status_code == 200
    assert len(ways.front._hosts) <= 3 and ways.short >= 9
