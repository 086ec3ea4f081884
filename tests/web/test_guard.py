"""What every request has to be and every answer carries; errors in one shape."""

from __future__ import annotations

import contextlib
import logging
import threading
import tracemalloc
from datetime import date, datetime, timedelta

import pytest

from smartshopie_db import OperationalError, SmartShopieDB
from smartshopie_db.web import guard
from smartshopie_db.web import state as states
from smartshopie_db.web.answers import fresh
from smartshopie_db.web.state import KEPT, Bodies, Body, of


@pytest.fixture
def app(make_app):
    app = make_app()
    app.testing = False
    app.get("/api/boom")(boom)
    app.get("/api/any/<path:rest>", endpoint="any")(lambda rest: boom())
    app.get("/api/kpis")(fresh("limit", "since", "start")(kpis))
    return app


def boom():
    raise RuntimeError("/etc/passwd SELECT secret")


def kpis(state, **given):
    return {"data": state.db.get_overview_kpis(), "given": given}


def test_the_headers_allow_no_more_than_this():
    assert guard.HEADERS == {
        "Content-Security-Policy": "default-src 'self'; img-src 'self' data:;"
        " object-src 'none'; base-uri 'none'; form-action 'self';"
        " frame-ancestors 'none'",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "X-Frame-Options": "DENY",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    }


def test_tokens_are_compared_in_constant_time(make_app, monkeypatch):
    right, compared = "a-token-of-some-length", []

    def compare(*both):
        compared.append(both)
        return compare_digest(*both)

    compare_digest = guard.hmac.compare_digest
    monkeypatch.setattr(guard.hmac, "compare_digest", compare)
    client = make_app(writes=True, token=right).test_client()
    for given, status in ((right, 404), ("a", 401), (right[:-1] + "x", 401)):
        sent = {"Authorization": f"Bearer {given}"}
        got = client.delete("/api/v1/tables/overview_kpis/0", headers=sent)
        assert got.status_code == status
        assert compared.pop() == (given.encode(), right.encode())


def test_forms_have_few_parts(make_app):
    assert make_app().config["MAX_FORM_PARTS"] == 10


PARTS = {
    "table": "overview_kpis",
    "int(signed=True):id": "1",
    "name": "funnel",
    "ext": "csv",
    "version": "1",
    "path:rest": "x",
}


def every_address(app):
    """One of each route; those that are nowhere; those that somebody else made up."""
    for rule in app.url_map.iter_rules():
        path = rule.rule
        for part, value in PARTS.items():
            path = path.replace(f"<{part}>", value)
        assert "<" not in path, "PARTS has no value for it"
        yield path
    yield from ("/revenue", "/static/1/app.js", "/static/1/plotly.min.js")
    yield from ("/nope", "/api/nope", "/static/1/nope", "/api/v1", "/?period=x")


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "POST", "TRACE", "X"])
def test_the_headers_are_exactly_these_on_every_answer(app, method):
    """Whatever the route and whether it is answered, refused, not there or failed."""
    seen = set()
    for path in every_address(app):
        for sent in ({}, {"Host": "evil.example"}, {"Origin": "https://evil.example"}):
            got = app.test_client().open(path, method=method, headers=sent)
            seen.add(got.status_code)
            for name, value in guard.HEADERS.items():
                assert got.headers.getlist(name) == [value], path
            (kept,) = got.headers.getlist("Cache-Control")
            assert kept in ("private, no-cache", "no-store") or "/static/" in path
            added = ("Access-Control-", "Set-Cookie", "Server", "X-Powered-By")
            assert not [name for name, _ in got.headers if name.startswith(added)]
    assert seen >= {
        "GET": {200, 308, 400, 404, 500},
        "HEAD": {200, 308, 400, 404, 500},
        "OPTIONS": {200, 400},
        "POST": {400, 403, 404, 405},
    }.get(method, {400, 405})


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("LocalHost:8080", 200),
        ("127.0.0.1:5001", 200),
        ("[::1]:5001", 200),
        ("[::2]:5001", 400),
        ("[::1].evil.example", 400),
        ("[::1]x80", 400),
        ("evil.example", 400),
        ("localhost.evil.example", 400),
        ("127.0.0.1.evil.example:80", 400),
        ("", 400),
    ],
)
def test_a_server_answers_to_its_own_names(app, host, status):
    got = app.test_client().get("/api/kpis", headers={"Host": host})
    assert got.status_code == status


def test_an_error_tells_the_caller_nothing_and_the_log_all(app, caplog):
    with caplog.at_level(logging.ERROR, logger="smartshopie_db.web"):
        got = app.test_client().get("/api/boom")
    assert got.status_code == 500
    assert "passwd" not in got.text and "SELECT" not in got.text
    error = got.get_json()["error"]
    number = error["message"].rsplit(" ", 1)[1]
    assert number in caplog.text and "passwd" in caplog.text
    assert got.get_json()["success"] is False and error["param"] is None


def test_log_lines_are_not_forged(app, caplog):
    app.test_client().get("/api/any/x%0dERROR%20forged")
    assert "\\rERROR forged" in caplog.text
    assert "\rERROR forged" not in caplog.text


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=-1", "limit"),
        ("limit=1e3", "limit"),
        ("limit=", "limit"),
        ("limit=%D9%A3", "limit"),
        ("limit=99999999999999999999", "limit"),
        ("limit=" + "9" * 5000, "limit"),
        ("limit=1&limit=2", "limit"),
        ("limmit=1", "limmit"),
        ("start=2025-02-30", "start"),
        ("start=20250228", "start"),
        ("since=2025-10-31", "since"),
        ("since=zzz", "since"),
        ("a" * 5000 + "=1", "a" * 200),
    ],
)
def test_a_bad_parameter_is_named(app, query, param):
    got = app.test_client().get(f"/api/kpis?{query}")
    assert got.status_code == 400
    assert got.get_json()["error"]["param"] == param
    assert len(got.data) < 1000


def test_a_nearest_name_is_told(app):
    got = app.test_client().get("/api/kpis?limmit=1").get_json()
    assert "nearest: limit" in got["error"]["message"]


def test_an_unchanged_answer_costs_no_query(app, path):
    client = app.test_client()
    first = client.get("/api/kpis?limit=5&_t=1")
    assert first.get_json()["given"] == {"limit": 5}
    tag = first.headers["ETag"]
    assert tag.startswith('W/"') and first.headers["Vary"] == "Accept-Encoding"
    reads = app.extensions["smartshopie"].db.stats()["cache_misses"]
    again = client.get("/api/kpis?_t=2&limit=5", headers={"If-None-Match": tag})
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["ETag"] == tag
    assert client.get("/api/kpis?limit=5").data == first.data
    assert app.extensions["smartshopie"].db.stats()["cache_misses"] == reads
    with SmartShopieDB(path) as db:
        db.add_overview_kpis(record_date="2025-10-28", total_customers=7)
    new = client.get("/api/kpis?limit=5", headers={"If-None-Match": tag})
    assert new.status_code == 200 and new.headers["ETag"] != tag
    assert new.get_json()["data"]["total_customers"] == 7


@pytest.mark.parametrize("seen", ["*", "ETAG"])
@pytest.mark.parametrize(
    ("url", "status"),
    [
        ("/?period=bogus", 400),
        ("/revenue?start=2025-13-01", 400),
        ("/api/overview/kpis?period=zzz", 400),
        ("/charts/funnel.csv?period=zz", 400),
        ("/api/v1/tables/overview_kpis/99999999", 404),
        ("/api/v1/tables/overview_kpis?after=none", 400),
        ("/api/v1/series/overview_kpis/no_such", 404),
    ],
)
def test_what_is_wrong_is_said_whatever_tag_comes_with_it(client, url, status, seen):
    tag = client.get("/api/overview/kpis").headers["ETag"]
    answer = client.get(url, headers={"If-None-Match": seen.replace("ETAG", tag)})
    assert answer.status_code == status


def test_an_answer_is_made_once_for_all_who_ask(app, path):
    made = []

    def view(state, **given):
        made.append(given)
        return {"made": len(made)}

    app.get("/api/made", endpoint="made")(fresh("limit")(view))
    for client in (app.test_client(), app.test_client()):
        assert client.get("/api/made").get_json()["made"] == 1
    assert app.test_client().get("/api/made?limit=1").get_json()["made"] == 2
    with SmartShopieDB(path) as db:
        db.add_overview_kpis(record_date="2025-10-28", total_customers=8)
    assert app.test_client().get("/api/made").get_json()["made"] == 3


def test_what_is_kept_has_a_limit_of_memory():
    """Also when all of it is small: anybody may ask for each day there is."""
    bodies = Bodies()
    tracemalloc.start()
    for i in range(40_000):
        key = ("", (len, ("end", date.fromordinal(700_000 + i))))
        bodies.put("tag", key, Body(bytes(100), "application/json"))
    taken = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert taken < 1.2 * KEPT
    assert bodies.get("tag", key) is not None


def test_what_was_asked_counts_as_kept():
    """A filter may be as long as an address, and find nothing."""
    bodies = Bodies()
    tracemalloc.start()
    for i in range(1000):
        long = f"{i}" + "x" * 30_000 + "\N{PARTY POPPER}"  # 4 bytes a character
        headers = (("Link", f"</{i}{'x' * 30_000}>"),)
        bodies.put(
            "tag", ("rows", ("name", long)), Body(b"", "text/csv", None, headers)
        )
    taken = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert taken < 1.2 * KEPT


def test_what_is_kept_is_what_was_asked_last(monkeypatch):
    """Each state of the database begins with nothing, and what is asked again stays."""
    bodies, body = Bodies(), Body(bytes(1000), "application/json")
    monkeypatch.setattr(states, "KEPT", 7 * states.size("a", body) // 2)
    for n in range(9):
        bodies.put(f"tag {n}", "a", body)
        bodies.put(f"tag {n}", "a", body)  # another thread made it, too
        assert bodies.get(f"tag {n}", "a") is body
        assert bodies.get(f"tag {n - 1}", "a") is None
    for key in "bc":
        bodies.put("tag 8", key, body)
    assert bodies.get("tag 8", "a") is body
    bodies.put("tag 8", "d", body)
    kept = [key for key in "abcd" if bodies.get("tag 8", key)]
    assert kept == ["a", "c", "d"]


def test_large_answers_are_compressed_for_those_who_want_it(app):
    import gzip

    large = fresh()(lambda state: {"data": ["word"] * 1000})
    app.get("/api/large", endpoint="large")(large)
    client = app.test_client()
    plain = client.get("/api/large", headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in plain.headers
    none = client.get("/api/large", headers={"Accept-Encoding": "gzip;q=0, br"})
    assert "Content-Encoding" not in none.headers
    packed = client.get("/api/large", headers={"Accept-Encoding": "br, gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == plain.data
    assert packed.headers["ETag"] == plain.headers["ETag"]


@contextlib.contextmanager
def all_readers_in_use(db):
    """By other threads, each in a snapshot; the last of them got none."""
    inside, done, refused = threading.Semaphore(0), threading.Event(), []

    def read():
        try:
            with db.snapshot():
                inside.release()
                done.wait()
        except OperationalError as error:
            refused.append(error)
            inside.release()

    readers = []
    try:
        while not refused:
            readers.append(threading.Thread(target=read))
            readers[-1].start()
            assert inside.acquire(timeout=10)
        yield
    finally:
        done.set()
        for reader in readers:
            reader.join()


def test_a_crowd_is_no_damage(make_app, caplog):
    """Nothing is wrong with the file when all of its connections are in use."""
    app = make_app(timeout=0.05)
    client = app.test_client()
    assert client.get("/api/overview/kpis").status_code == 200
    with all_readers_in_use(of(app).db):
        got = client.get("/api/customers/segments")
        page = client.get("/customers", headers={"Accept": "text/html"})
        health = client.get("/healthz")
    assert (got.status_code, got.headers["Retry-After"]) == (503, "1")
    assert got.json["error"]["code"] == "busy"
    assert page.status_code == 503 and "Busy just now" in page.text
    assert health.status_code == 503 and health.json["error"]["code"] == "busy"
    assert {record.levelname for record in caplog.records} == {"WARNING"}


def test_a_read_that_takes_too_long_is_asked_to_come_again(make_app):
    app = make_app(timeout=0.05)
    endless = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c)"
    app.get("/api/slow")(
        fresh()(
            lambda state: {"data": state.db.query(f"{endless} SELECT max(x) FROM c")}
        )
    )
    got = app.test_client().get("/api/slow")
    assert got.status_code == 503 and got.headers["Retry-After"] == "1"
    assert got.get_json()["error"]["code"] == "busy"


def test_a_tag_is_of_one_day_and_of_one_way_to_show(make_app, monkeypatch):
    """What ended yesterday is complete today; amounts are shown in a currency."""
    app = make_app()
    first = of(app).tag()
    assert first == of(app).tag() != of(make_app(currency="CHF")).tag()

    class Tomorrow(datetime):
        @classmethod
        def now(cls, tz=None):
            return super().now(tz) + timedelta(days=1)

    monkeypatch.setattr(states, "datetime", Tomorrow)
    assert of(app).tag() != first


def test_a_window_ends_at_what_is_newest_now(make_app, path):
    state = of(make_app())
    with SmartShopieDB(path) as db:
        for day in (date(2025, 10, 29), date(2025, 10, 31)):
            db.add_overview_kpis(record_date=day, total_customers=8)
            assert state.window().end == day
