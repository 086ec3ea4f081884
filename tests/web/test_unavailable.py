"""A file that is missing, damaged, not ours or not the one that was opened: 503."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import sqlite3
import time

import command
import pytest

from smartshopie_db import SmartShopieDB, demo

TOKEN = "a-token-of-some-length"
CHECKED = 0.15  # seconds: a file that was replaced is looked for every 100 ms
FRONT = "/api/overview/kpis"  # answered before Flask makes its objects
ADDRESSES = (
    FRONT,
    FRONT + "?period=%37d",  # the same by the long way
    "/api/customers/segments",
    "/api/health",
    "/api/config",
    "/api/v1/tables",
    "/api/v1/tables/overview_kpis",
    "/api/v1/tables/overview_kpis/1",
    "/api/v1/tables/overview_kpis/series?columns=revenue_impact",
    "/charts/funnel.csv",
    "/healthz",
)
PAGES = ("/", "/customers", "/revenue?period=90d", "/billing")


def remove(path):
    path.unlink()


def overwrite(path):
    path.write_bytes(os.urandom(path.stat().st_size))


def cut(path):
    os.truncate(path, 5000)


def spoil_pages(path):
    """The first page holds, and so it is opened."""
    data = bytearray(path.read_bytes())
    data[8192:] = os.urandom(len(data) - 8192)
    path.write_bytes(data)


def make_folder(path):
    path.unlink()
    path.mkdir()


def make_foreign(path, application=0, version=0):
    """Somebody else's database, in place of ours."""
    path.unlink()
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE recipes (name TEXT)")
    db.execute(f"PRAGMA application_id = {application}")
    db.execute(f"PRAGMA user_version = {version}")
    db.close()


def make_theirs(path):
    make_foreign(path, 0x47504B47, 7)


def make_numbered(path):
    make_foreign(path, 0, 7)


def replace(path):
    other = path.with_name("other.db")
    demo.create(other)
    os.replace(other, path)


BEFORE = (
    remove, overwrite, cut, spoil_pages, make_folder, make_foreign, make_theirs,
    make_numbered,
)  # fmt: skip
WHILE = (remove, replace, make_folder, make_foreign, make_theirs)


def check_json(got, path, name):
    assert (got.status_code, got.headers["Retry-After"]) == (503, "5"), name
    assert got.headers["Cache-Control"] == "no-store" and "ETag" not in got.headers
    error = got.get_json()["error"]
    assert got.get_json()["success"] is False
    assert (error["code"], error["param"]) == ("database_unavailable", None)
    check_text(got.text, path)


def check_text(text, path):
    for secret in (path.name, str(path.parent), "Traceback", "SQLITE", "recipes"):
        assert secret not in text


def check_all(app, path, caplog):
    client = app.test_client()
    for name in ADDRESSES * 2:  # the second time the short way is there
        caplog.clear()
        check_json(client.get(name), path, name)
        (line,) = [record.getMessage() for record in caplog.records]
        assert name.partition("?")[0] in line and "\n" not in line
    for name in PAGES:
        check_json(client.get(name), path, name)
        got = client.get(name, headers={"Accept": "text/html"})
        assert (got.status_code, got.headers["Retry-After"]) == (503, "5"), name
        assert "The figures cannot be read just now" in got.text
        assert 'lang="en"' in got.text and "Try again" in got.text
        check_text(got.text, path)
    assert client.get("/metrics").status_code == 200


@pytest.mark.parametrize("spoil", BEFORE)
def test_a_file_that_is_none_of_ours(make_app, path, caplog, spoil):
    spoil(path)
    with caplog.at_level(logging.WARNING, logger="smartshopie_db.web"):
        check_all(make_app(), path, caplog)


@pytest.mark.parametrize("spoil", WHILE)
def test_a_file_that_goes_while_it_is_served(make_app, path, caplog, spoil):
    """Also what was asked before, and is kept, is no answer any more."""
    app = make_app()
    for name in (*ADDRESSES, *PAGES):
        assert app.test_client().get(name).status_code == 200, name
    spoil(path)
    time.sleep(CHECKED)
    with caplog.at_level(logging.WARNING, logger="smartshopie_db.web"):
        check_all(app, path, caplog)


@pytest.mark.parametrize("spoil", [overwrite, cut, spoil_pages])
def test_damage_while_it_is_served(make_app, path, spoil):
    """What is in memory already is served; what has to be read is 503, not 500."""
    app = make_app()
    assert app.test_client().get("/api/v1/tables").status_code == 200
    spoil(path)
    client = app.test_client()
    for name in ADDRESSES:
        got = client.get(name)
        assert got.status_code in (200, 503), name
        if got.status_code == 503:
            check_json(got, path, name)
    assert client.get("/healthz").status_code == 503
    for name in PAGES:
        assert client.get(name).status_code in (200, 503), name


def test_a_file_that_comes_is_served(make_app, path, tmp_path):
    """Nothing has to be started again when it was never opened."""
    shutil.move(path, tmp_path / "later.db")
    client = make_app().test_client()
    assert client.get(FRONT).status_code == 503
    shutil.move(tmp_path / "later.db", path)
    assert client.get(FRONT).status_code == 200
    assert client.get("/").status_code == 200


@pytest.mark.parametrize("spoil", [remove, overwrite, make_theirs])
def test_writes_say_the_same(make_app, path, spoil):
    spoil(path)
    client = make_app(writes=True, token=TOKEN).test_client()
    got = client.post(
        "/api/v1/tables/overview_kpis",
        json={"record_date": "2025-11-01"},
        headers={"Authorization": f"Bearer {TOKEN}"},
    )
    assert got.status_code in (409, 503)  # not ours: it cannot be written, either
    check_text(got.text, path)
    assert spoil is remove or path.exists()
    assert spoil is not remove or not path.exists()


def test_one_table_of_ours_that_is_missing_is_no_failure(make_app, path):
    db = sqlite3.connect(path)
    db.execute("DROP TABLE customer_satisfaction")
    db.commit()
    db.close()
    client = make_app().test_client()
    for name in (*ADDRESSES, *PAGES, "/api/customer/satisfaction"):
        assert client.get(name).status_code == 200, name


# ---- who may not read ----------------------------------------------------------------


@contextlib.contextmanager
def somebody_else():
    """For root may read everything."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def inner(tmp_path, path):
    """A copy of the file in a folder of its own, which others can reach."""
    folder = tmp_path / "inner"
    folder.mkdir()
    for outer in (folder, *folder.parents[:4]):
        if outer.stat().st_uid == os.geteuid():
            outer.chmod(outer.stat().st_mode | 0o055)
    return shutil.copy(path, folder / "shop.db")


def warm(make_app, path):
    """Imports what answers and refusals take, as long as that may be read."""
    for file, status in ((path, 200), ("missing", 503)):
        client = make_app(db=file).test_client()
        assert {client.get(name).status_code for name in ADDRESSES} == {status}


@pytest.mark.parametrize("what", ["file", "folder"])
def test_a_file_that_may_not_be_read(make_app, path, inner, what):
    warm(make_app, path)
    client = make_app(db=inner).test_client()
    closed = inner if what == "file" else inner.parent
    closed.chmod(0)
    with somebody_else():
        for name in ADDRESSES:
            check_json(client.get(name), inner, name)
    closed.chmod(0o755)
    assert client.get(FRONT).status_code == 200


def test_a_folder_in_which_nothing_may_be_written(make_app, path, inner):
    """Reading a file in WAL mode makes others beside it. 503: 403 is for who writes."""
    warm(make_app, path)
    client = make_app(db=inner).test_client()
    with somebody_else():
        for name in ADDRESSES:
            check_json(client.get(name), inner, name)
    assert client.get(FRONT).status_code == 200


def test_serve_refuses_what_is_not_ours(path):
    make_foreign(path)
    _, said = command.run("serve", path, "--port", 0, code=1)
    assert "none of the dashboard's tables" in said


def test_a_cut_write_that_who_reads_cannot_undo(make_app, path, tmp_path):
    """SQLite calls that read-only, but nobody wanted to write, so it is not 403."""
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA journal_mode = DELETE").fetchone()
    db.execute("PRAGMA cache_size = 2")
    db.execute("BEGIN")
    db.execute("UPDATE customer_interactions SET activity_description = zeroblob(9999)")
    crashed = tmp_path / "crashed.db"
    for end in ("", "-journal"):
        shutil.copy(f"{path}{end}", f"{crashed}{end}")
    db.close()
    client = make_app(db=crashed).test_client()
    for name in ADDRESSES:
        check_json(client.get(name), crashed, name)
    with SmartShopieDB(crashed) as writer:
        writer.connect()
    assert client.get(FRONT).status_code == 200
