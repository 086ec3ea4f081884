"""/api/v1, writing: what is stored, who may, and what of a body is refused."""

from __future__ import annotations

import io
import json
import sqlite3
import subprocess
import sys

import pytest

from smartshopie_db import SmartShopieDB

TOKEN = "a-token-of-some-length"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
BASE = "/api/v1/tables"
FUNNEL = f"{BASE}/conversion_funnel"
STAGE = {"record_date": "2026-01-01", "stage_name": "A", "stage_order": 0, "count": 5}


@pytest.fixture
def client(make_app):
    return make_app(writes=True, token=TOKEN).test_client()


@pytest.fixture
def ask(path):
    """What sqlite3 finds in the file."""

    def ask(sql, *values):
        with sqlite3.connect(path) as raw:
            found = raw.execute(sql, values).fetchall()
        raw.close()
        return found

    return ask


def post(client, path, body, kind="application/json", status=200, **headers):
    text = body if isinstance(body, (str, bytes)) else json.dumps(body)
    answer = client.post(path, data=text, content_type=kind, headers=BEARER | headers)
    assert answer.status_code == status, answer.text[:400]
    return answer


def error_of(answer):
    found = answer.get_json()
    assert found["success"] is False
    return found["error"]


def test_a_row_is_added_then_updated_then_left(client, ask):
    first = post(client, FUNNEL, STAGE, status=201)
    id = first.get_json()["data"]["id"]
    assert first.get_json()["data"] == {"id": id, "result": "inserted"}
    assert first.headers["Location"] == f"{FUNNEL}/{id}"
    assert client.get(first.headers["Location"]).get_json()["data"]["count"] == 5
    again = post(client, FUNNEL, STAGE | {"count": 6}).get_json()["data"]
    assert again == {"id": id, "result": "updated"}
    path = f"{FUNNEL}?on_conflict=ignore"
    left = post(client, path, STAGE | {"count": 7}).get_json()["data"]
    assert left == {"id": id, "result": "ignored"}
    assert ask("SELECT count FROM conversion_funnel WHERE id=?", id) == [(6,)]
    path = f"{FUNNEL}?on_conflict=error"
    error = error_of(post(client, path, STAGE, status=409))
    assert (error["code"], error["table"]) == ("conflict", "conversion_funnel")


def test_a_row_is_changed_and_deleted(client, ask):
    answer = client.patch(f"{FUNNEL}/2", json={"count": 3}, headers=BEARER)
    assert answer.get_json()["data"] == {"id": 2, "result": "updated"}
    assert ask("SELECT count FROM conversion_funnel WHERE id=2") == [(3,)]
    taken = client.patch(f"{FUNNEL}/2", json={"stage_order": 0}, headers=BEARER)
    assert taken.status_code == 409
    for body in ({"id": 9}, {}):
        bad = client.patch(f"{FUNNEL}/2", json=body, headers=BEARER)
        assert bad.status_code == 422
    answer = client.delete(f"{FUNNEL}/2", headers=BEARER)
    assert answer.get_json()["data"] == {"id": 2, "result": "deleted"}
    assert ask("SELECT * FROM conversion_funnel WHERE id=2") == []
    for id in (2, 10**25):
        assert client.delete(f"{FUNNEL}/{id}", headers=BEARER).status_code == 404
        gone = client.patch(f"{FUNNEL}/{id}", json={"count": 1}, headers=BEARER)
        assert gone.status_code == 404


def test_every_table_takes_back_what_it_gives(client, ask):
    for table in SmartShopieDB(":memory:").tables:
        rows = client.get(f"{BASE}/{table}").get_json()["data"]
        for row in rows:
            row.pop("api_key", None)
        counts = post(client, f"{BASE}/{table}/bulk", rows).get_json()["data"]
        assert counts == {"inserted": 0, "updated": len(rows), "ignored": 0}, table
        again = client.get(f"{BASE}/{table}").get_json()["data"]
        changed = {"updated_at", "api_key"}
        for one, other in zip(rows, again, strict=True):
            assert {k: v for k, v in other.items() if k not in changed} == {
                k: v for k, v in one.items() if k not in changed
            }


FORMS = {
    "application/json": lambda rows: " [ " + " , ".join(map(json.dumps, rows)) + "]\n",
    "application/x-ndjson": lambda rows: "\n\n".join(map(json.dumps, rows)),
    "text/csv": lambda rows: "\r\n".join(
        [",".join(rows[0]), *(",".join(map(str, row.values())) for row in rows)]
    ),
}


@pytest.mark.parametrize("kind", FORMS)
def test_many_rows_in_each_form(client, ask, kind):
    rows = [
        STAGE | {"stage_order": i, "stage_name": f"stage ä{i}"} for i in range(3000)
    ]
    got = post(client, f"{FUNNEL}/bulk", FORMS[kind](rows).encode(), kind)
    assert got.get_json()["data"] == {"inserted": 3000, "updated": 0, "ignored": 0}
    sql = "SELECT stage_order, stage_name FROM conversion_funnel WHERE record_date=?"
    want = [(i, f"stage ä{i}") for i in range(3000)]
    assert sorted(ask(sql, "2026-01-01")) == want
    ignored = post(client, f"{FUNNEL}/bulk?on_conflict=ignore", FORMS[kind](rows), kind)
    assert ignored.get_json()["data"]["ignored"] == 3000


@pytest.mark.parametrize("kind", FORMS)
def test_many_rows_are_in_or_none_of_them(client, ask, kind):
    before = ask("SELECT count(*) FROM conversion_funnel")
    rows = [STAGE | {"stage_order": i} for i in range(2000)]
    rows[1777] |= {"count": -1}
    answer = post(client, f"{FUNNEL}/bulk", FORMS[kind](rows), kind, status=422)
    error = error_of(answer)
    place = (error["table"], error["column"], error["row"])
    assert place == ("conversion_funnel", "count", 1777)
    assert "-1" in error["message"]
    assert ask("SELECT count(*) FROM conversion_funnel") == before


def test_a_conflict_names_the_row(client):
    rows = [STAGE, STAGE | {"stage_order": 1}, STAGE | {"stage_order": 1, "id": 1}]
    post(client, f"{FUNNEL}/bulk", rows)
    path = f"{FUNNEL}/bulk?on_conflict=error"
    new = STAGE | {"stage_order": 2}
    error = error_of(post(client, path, [new, STAGE], status=409))
    assert error["row"] == 1 and error["code"] == "conflict"


def test_empty_texts(client, ask):
    head = "record_date,stage_name,stage_order,count,percentage\n"
    text = head + "2026-01-01,A,0,5,\n"
    post(client, f"{FUNNEL}/bulk", "\ufeff" + text, "text/csv")
    sql = "SELECT percentage FROM conversion_funnel WHERE record_date='2026-01-01'"
    assert ask(sql) == [(None,)]
    assert post(client, f"{FUNNEL}/bulk", "[]").get_json()["data"]["inserted"] == 0
    post(client, f"{FUNNEL}/bulk", "", "text/csv", status=400)
    post(client, FUNNEL, STAGE | {"percentage": ""}, status=422)


@pytest.mark.parametrize(
    ("body", "status", "column"),
    [
        ({"count": "5"}, 422, "count"),
        ({"count": 5.5}, 422, "count"),
        ({"count": True}, 422, "count"),
        ({"count": None}, 422, "count"),
        ({"count": 2**63}, 422, "count"),
        ({"count": -1}, 422, "count"),
        ({"percentage": 101}, 422, "percentage"),
        ({"percentage": "1"}, 422, "percentage"),
        ({"stage_name": 5}, 422, "stage_name"),
        ({"stage_name": "\ud800"}, 422, "stage_name"),
        ({"record_date": "2026-02-30"}, 422, "record_date"),
        ({"record_date": "2026-02-01 10:00"}, 422, "record_date"),
        ({"record_date": 20260201}, 422, "record_date"),
        ({"created_at": "yesterday"}, 422, "created_at"),
        ({"cuont": 5}, 422, "cuont"),
        ({"count": {"$gt": 0}}, 400, None),
        ({"count": [5]}, 400, None),
    ],
)
def test_a_bad_cell_is_named(client, body, status, column):
    error = error_of(post(client, FUNNEL, STAGE | body, status=status))
    assert error.get("column") == column
    rows = [STAGE, STAGE | body]
    error = error_of(post(client, f"{FUNNEL}/bulk", rows, status=status))
    assert error.get("column") == column
    if status == 422:
        assert (error["table"], error["row"]) == ("conversion_funnel", 1)
    if column == "cuont":
        assert "nearest: count" in error["message"]


def test_missing_columns_are_named(client):
    error = error_of(post(client, FUNNEL, {"record_date": "2026-01-01"}, status=422))
    assert "stage_name, stage_order, count" in error["message"]


DEEP = "[" * 200_000
BAD = [
    ("application/json", "", 400),
    ("application/json", "null", 400),
    ("application/json", "{", 400),
    ("application/json", "[1]", 400),
    ("application/json", '{"count": NaN}', 400),
    ("application/json", '{"count": Infinity}', 400),
    ("application/json", '{"count": 1, "count": 2}', 400),
    ("application/json", '{"count": ' + "9" * 5000 + "}", 400),
    ("application/json", DEEP, 400),
    ("application/json", '{"a":' * 100_000, 400),
    ("application/json", b'{"stage_name": "\xff"}', 400),
    ("application/json", "{} {}", 400),
    ("text/plain", "{}", 415),
    ("application/x-www-form-urlencoded", "count=5", 415),
    ("multipart/form-data; boundary=x", "--x--", 415),
    ("application/json; charset=utf-16", "{}", 415),
    ("", "{}", 415),
]
BULK = [
    ("application/json", "{}", 400),
    ("application/json", "[{}, {}", 422),
    ("application/json", f"[{json.dumps(STAGE)}", 400),
    ("application/json", f"[{json.dumps(STAGE)} {json.dumps(STAGE)}]", 400),
    ("application/json", f"[{json.dumps(STAGE)},]", 400),
    ("application/json", f"[{json.dumps(STAGE)}] []", 400),
    ("application/json", '[{"stage_name": "' + "x" * 300_000 + '"}]', 413),
    ("application/json", '[{"stage_name": "' + "x" * 300_000, 413),
    ("application/json", b'[{"stage_name": "\xff"}]', 400),
    ("application/x-ndjson", "[]", 400),
    ("application/x-ndjson", "{", 400),
    ("application/x-ndjson", DEEP, 400),
    ("application/x-ndjson", "x" * 300_000, 413),
    ("application/x-ndjson", b"\xff", 400),
    ("text/csv", "count,count\n1,2\n", 400),
    ("text/csv", "count,\n1,2\n", 400),
    ("text/csv", "count\n1,2\n", 400),
    ("text/csv", "nope\n", 422),
    ("text/csv", 'count\n"1', 400),
    ("text/csv", 'count\n"' + "x\n" * 200_000, 400),
    ("text/csv", b"count\n\xff\n", 400),
]


@pytest.mark.parametrize(
    ("path", "kind", "body", "status"),
    [(FUNNEL, *case) for case in BAD]
    + [(f"{FUNNEL}/bulk", *case) for case in BULK]
    + [(f"{FUNNEL}/bulk", *case) for case in BAD if case[2] == 415 or case[1] == DEEP],
    ids=lambda value: str(value)[:20],
)
def test_a_bad_body_is_refused(client, path, kind, body, status):
    answer = post(client, path, body, kind, status=status)
    error = error_of(answer)
    assert error["message"] and len(answer.data) < 1000
    for word in ("Traceback", "SELECT", "INSERT", "/work", ".py"):
        assert word not in answer.text


def test_a_compressed_body_is_refused(client):
    post(client, FUNNEL, STAGE, status=415, **{"Content-Encoding": "gzip"})


# ---- who may -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Authorization": ""}, 401),
        ({"Authorization": "Bearer"}, 401),
        ({"Authorization": "Bearer wrong-token-of-length"}, 401),
        ({"Authorization": f"Bearer {TOKEN}x"}, 401),
        ({"Authorization": f"Bearer {TOKEN[:-1]}"}, 401),
        ({"Authorization": f"Basic {TOKEN}"}, 401),
        ({"Authorization": f"Bearer tökén-{TOKEN}".encode().decode("latin-1")}, 401),
        (BEARER | {"Sec-Fetch-Site": "cross-site"}, 403),
        (BEARER | {"Sec-Fetch-Site": "same-site"}, 403),
        (BEARER | {"Content-Type": "text/plain"}, 415),
        (BEARER | {"Content-Type": "application/x-www-form-urlencoded"}, 415),
    ],
)
def test_who_may_not_write(client, ask, headers, status):
    before = ask("SELECT * FROM conversion_funnel ORDER BY id")
    sent = {"Content-Type": "application/json", **headers}
    for method, path in (
        ("POST", FUNNEL),
        ("POST", f"{FUNNEL}/bulk"),
        ("PATCH", f"{FUNNEL}/1"),
        ("DELETE", f"{FUNNEL}/1"),
    ):
        if status == 415 and method == "DELETE":
            continue  # it has no body
        got = client.open(path, method=method, data=json.dumps(STAGE), headers=sent)
        assert got.status_code == status, (method, got.text)
        assert ("WWW-Authenticate" in got.headers) == (status == 401)
        assert "Access-Control-Allow-Origin" not in got.headers
    assert ask("SELECT * FROM conversion_funnel ORDER BY id") == before


def test_the_token_is_not_taken_from_the_address(client):
    for name in ("token", "access_token", "Authorization"):
        answer = client.post(f"{FUNNEL}?{name}={TOKEN}", json=STAGE)
        assert answer.status_code == 401


@pytest.mark.parametrize("options", [{}, {"token": TOKEN}])
def test_nobody_writes_unless_the_settings_say_so(make_app, options):
    client = make_app(**options).test_client()
    for method, path in (("POST", FUNNEL), ("PATCH", f"{FUNNEL}/1")):
        answer = client.open(path, method=method, json=STAGE, headers=BEARER)
        assert answer.status_code == 403
        assert answer.get_json()["error"]["code"] == "read_only"


@pytest.mark.parametrize("bulk", [False, True])
def test_no_row_takes_the_last_id_there_is(client, bulk):
    """After it SQLite has none left for rows that come without one."""
    for id, status in ((2**63 - 1, 422), (2**53, 422), (2**53 - 1, 200 + (not bulk))):
        row = STAGE | {"id": id, "stage_order": 77}
        path, body = (f"{FUNNEL}/bulk", [row]) if bulk else (FUNNEL, row)
        post(client, path, body, status=status)
    post(client, FUNNEL, STAGE | {"stage_order": 78, "stage_name": "new"}, status=201)


# ---- how much ------------------------------------------------------------------------


# A body that comes in chunks; the client here would measure it otherwise.
UNKNOWN = {"wsgi.input_terminated": True, "CONTENT_LENGTH": ""}


def test_a_large_body_is_refused_before_it_is_read(make_app, ask):
    client = make_app(
        writes=True, token=TOKEN, max_body=2000, max_bulk=50_000
    ).test_client()
    long = STAGE | {"stage_name": "x" * 3000}
    post(client, FUNNEL, long, status=413)
    post(client, f"{FUNNEL}/bulk", [long])
    rows = [STAGE | {"stage_order": i} for i in range(1000)]
    for kind, form in FORMS.items():
        post(client, f"{FUNNEL}/bulk", form(rows) + " " * 50_000, kind, status=413)
        chunked = client.post(  # its length is not said
            f"{FUNNEL}/bulk",
            input_stream=io.BytesIO(form(rows).encode() + b"\n" * 50_000),
            headers=BEARER | {"Content-Type": kind},
            environ_overrides=UNKNOWN,
        )
        assert chunked.status_code == 413
    one = json.dumps(STAGE | {"stage_order": 10}).encode()
    for body in (one + b" " * 3000, b" " * 3000 + one):
        chunked = client.post(
            FUNNEL,
            input_stream=io.BytesIO(body),
            headers=BEARER | {"Content-Type": "application/json"},
            environ_overrides=UNKNOWN,
        )
        assert chunked.status_code == 413
    assert ask("SELECT count(*) FROM conversion_funnel WHERE stage_order > 9") == [(0,)]


def test_there_are_at_most_so_many_rows(client, monkeypatch, ask):
    from smartshopie_db.web.v1 import incoming

    monkeypatch.setattr(incoming, "MOST", 10)
    rows = [STAGE | {"stage_order": i} for i in range(11)]
    post(client, f"{FUNNEL}/bulk", rows, status=413)
    post(client, f"{FUNNEL}/bulk", rows[:10])


LARGE = """
import json, resource, sys
from smartshopie_db.web import create_app
kind, file = sys.argv[1:]
app = create_app(db=file, writes=True, token="a-token-of-some-length")
client = app.test_client()
def rows():
    yield b"[" if kind == "json" else b""
    for i in range(200_000):
        row = {"record_date": "2026-01-01", "stage_name": "s" * 60, "stage_order": i,
               "count": 5}
        if i: yield b"," if kind == "json" else b"\\n"
        yield json.dumps(row).encode()
    yield b"]" if kind == "json" else b""
with open(file + ".body", "wb") as body:
    body.writelines(rows())
def send(path, kind, stream):
    return client.post(path, input_stream=stream, content_type=kind,
        headers={"Authorization": "Bearer a-token-of-some-length"})
import io
path = "/api/v1/tables/conversion_funnel/bulk"
mime = {"json": "application/json", "ndjson": "application/x-ndjson"}[kind]
assert send(path, mime, io.BytesIO(b"[]" if kind == "json" else b"")).status_code == 200
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
answer = send(path, mime, open(file + ".body", "rb"))
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(answer.status_code, answer.get_json().get("data"), (after - before) // 1024)
"""


@pytest.mark.timed
@pytest.mark.slow
@pytest.mark.parametrize("kind", ["json", "ndjson"])
def test_a_large_load_takes_little_memory(path, kind):
    """28 MB of JSON; as objects of Python they would be some 100 MiB."""
    done = subprocess.run(
        [sys.executable, "-c", LARGE, kind, str(path)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-1000:]
    status, *_, mib = done.stdout.split()
    assert status == "200" and "200000" in done.stdout
    assert int(mib) < 64, done.stdout
