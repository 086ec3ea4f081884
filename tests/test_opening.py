"""Which files open, which do not, and what the refusal says."""

import hashlib
import os
import socket
from pathlib import Path

import layouts
import oracle
import pytest
from schema_facts import TABLES, every_table

from smartshopie_db import (
    ClosedError,
    DatabaseError,
    OperationalError,
    SchemaError,
    SmartShopieDB,
)


def sha256(path):
    """Of a file that nobody has open: reading one that is would drop its locks."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


# ---- files of ours ---------------------------------------------------------------


def test_an_empty_file_becomes_ours(tmp_path):
    path = tmp_path / "empty.db"
    path.touch()
    with SmartShopieDB(path) as db:
        assert db.get_overview_kpis() is None
    assert len(oracle.counts(path)) == 30


@pytest.mark.parametrize("mode", ["rw", "ro"])
def test_an_empty_file_stays_empty_unless_it_may_be_made(tmp_path, mode):
    path = tmp_path / "empty.db"
    path.touch()
    with SmartShopieDB(path, mode=mode) as db:
        assert db.get_overview_kpis() is None
        assert len(db.get_conversion_funnel()) == 0
    assert path.stat().st_size == 0
    assert names_in(tmp_path) == ["empty.db"]


def test_opening_a_current_file_changes_nothing(path):
    with SmartShopieDB(path) as db:
        db.add_overview_kpis(record_date="2025-01-01")
    before = sha256(path)
    for mode in ("rwc", "rw", "ro"):
        with SmartShopieDB(path, mode=mode) as db:
            assert db.overview_kpis.count() == 1
        assert sha256(path) == before, mode
        if mode != "ro":  # a reader of a WAL file may not remove what it needed
            assert names_in(path.parent) == [path.name]


def test_a_newer_version_is_read_but_not_written(path):
    with SmartShopieDB(path) as db:
        db.add_overview_kpis(record_date="2025-01-01", total_customers=7)
    oracle.run(
        path,
        "PRAGMA user_version = 99",
        "ALTER TABLE overview_kpis ADD COLUMN brand_new TEXT",
    )
    before = oracle.digest(path)
    for mode in ("rwc", "rw"):
        with pytest.raises(SchemaError, match="99"):
            SmartShopieDB(path, mode=mode).connect()
    with SmartShopieDB(path, mode="ro") as db:
        assert db.get_overview_kpis().total_customers == 7
    assert oracle.digest(path) == before


def test_two_processes_may_make_the_file_at_once(tmp_path):
    """Here: two objects; tests/isolated does it with processes."""
    path = tmp_path / "new.db"
    with SmartShopieDB(path) as one, SmartShopieDB(path) as two:
        one.add_overview_kpis(record_date="2025-01-01")
        two.add_overview_kpis(record_date="2025-01-02")
        assert one.overview_kpis.count() == 2


# ---- foreign files ---------------------------------------------------------------


def test_a_foreign_file_is_left_alone(tmp_path):
    path = tmp_path / "notes.db"
    oracle.run(path, "CREATE TABLE notes (x)", "INSERT INTO notes VALUES (1)")
    before = sha256(path)
    with SmartShopieDB(path) as db:
        assert db.get_overview_kpis() is None
        assert len(db.get_customer_interactions()) == 0
        assert db.execute_query("SELECT x FROM notes") == [{"x": 1}]
        with pytest.raises(SchemaError, match="overview_kpis"):
            db.add_overview_kpis(record_date="2025-01-01")
    assert sha256(path) == before
    assert names_in(tmp_path) == ["notes.db"]


def test_the_file_of_another_application_is_refused(tmp_path):
    path = tmp_path / "other.db"
    oracle.run(path, "CREATE TABLE notes (x)", "PRAGMA application_id = 1234567")
    before = sha256(path)
    with pytest.raises(SchemaError, match="1234567"):
        SmartShopieDB(path).connect()
    assert sha256(path) == before


def test_a_user_version_without_our_mark_is_not_ours(tmp_path):
    path = layouts.build(tmp_path / "old.db", "older")
    oracle.run(path, "PRAGMA user_version = 1")
    with SmartShopieDB(path) as db:
        assert db.overview_kpis.count() == 8
        assert db.customer_interactions.select()[0].updated_at is None


# ---- files that are no database --------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        b"record_date,total_customers\n2025-01-01,5\n" * 50,
        b"SQLite format 3\0" + b"\xff" * 200,
        b"\0" * 5000,
        b"PK\x03\x04" + b"zip" * 1000,
        b"SQLite",
    ],
    ids=["csv", "torn", "zeros", "zip", "short"],
)
@pytest.mark.parametrize("mode", ["rwc", "ro"])
def test_a_file_that_is_no_database(tmp_path, content, mode):
    path = tmp_path / "figures.csv"
    path.write_bytes(content)
    db = SmartShopieDB(path, mode=mode)
    with pytest.raises(DatabaseError, match=r"figures\.csv"):
        db.connect()
    with pytest.raises(DatabaseError):
        db.get_overview_kpis()
    db.close()
    assert path.read_bytes() == content
    assert names_in(tmp_path) == ["figures.csv"]


def test_a_folder_is_no_database(tmp_path):
    with pytest.raises(OperationalError, match="folder"):
        SmartShopieDB(tmp_path).connect()


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(OperationalError, match="nowhere"):
        SmartShopieDB(tmp_path / "nowhere" / "x.db").connect()
    assert names_in(tmp_path) == []


def test_a_path_through_a_file_is_refused(path):
    with pytest.raises(OperationalError):
        SmartShopieDB(path / "x.db").connect()


def test_what_is_no_regular_file_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket"))
        for name in ("pipe", "socket"):
            with pytest.raises(OperationalError, match="regular file"):
                SmartShopieDB(tmp_path / name).connect()
    with pytest.raises(OperationalError, match="regular file"):
        SmartShopieDB("/dev/null").connect()


def test_a_failed_connect_can_be_tried_again(tmp_path):
    folder = tmp_path / "later"
    db = SmartShopieDB(folder / "x.db")
    with pytest.raises(OperationalError):
        db.get_overview_kpis()
    folder.mkdir()
    assert db.get_overview_kpis() is None
    db.close()


@pytest.mark.parametrize(
    "name",
    [
        "file:x.db",
        "file:x.db?mode=memory",
        "x.db?mode=ro",
        "100% of it#1.db",
        "with blank.db",
        "\N{SNOWMAN}.db",
        "a" * 200 + ".db",
        ":memory:x",
        "-x.db",
    ],
)
def test_a_name_is_a_name_and_no_address(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    with SmartShopieDB(name) as db:
        db.add_overview_kpis(record_date="2025-01-01")
    assert names_in(tmp_path) == [name]
    with SmartShopieDB(name, mode="ro", immutable=True) as db:
        assert db.overview_kpis.count() == 1


def test_a_name_in_bytes_that_are_no_text(tmp_path):
    path = os.fsdecode(bytes(tmp_path) + b"/\xff\xfe.db")
    with SmartShopieDB(path) as db:
        db.add_overview_kpis(record_date="2025-01-01")
        assert db.db_path == path
        assert repr(db)
    assert os.listdir(bytes(tmp_path)) == [b"\xff\xfe.db"]


def test_a_path_that_is_too_long(tmp_path):
    for path in (tmp_path / ("x" * 300), "/".join([str(tmp_path), *["y" * 200] * 40])):
        with pytest.raises(OperationalError):
            SmartShopieDB(path).connect()


def test_a_symbolic_link_leads_to_the_file(tmp_path, path):
    link = tmp_path / "link.db"
    link.symlink_to(path)
    with SmartShopieDB(link) as db:
        db.add_overview_kpis(record_date="2025-01-01")
    assert oracle.counts(path)["overview_kpis"] == 1
    with pytest.raises(OperationalError, match="link"):
        SmartShopieDB(link, untrusted=True).connect()


# ---- our names for other things --------------------------------------------------

ENDLESS = (
    "CREATE VIEW overview_kpis AS WITH RECURSIVE r(id) AS"
    " (SELECT 1 UNION ALL SELECT id + 1 FROM r) SELECT id, '2025-01-01' AS record_date"
    " FROM r"
)
IMPOSTORS = {
    "a view": "CREATE VIEW overview_kpis AS SELECT 1 AS id, '2025' AS record_date",
    "an endless view": ENDLESS,
    "a view in capitals": "CREATE VIEW Overview_KPIs AS SELECT 1 AS id",
    "a virtual table": "CREATE VIRTUAL TABLE overview_kpis USING fts5(record_date)",
    "a generated column": "CREATE TABLE overview_kpis (id INTEGER PRIMARY KEY,"
    " record_date TEXT, total_customers INTEGER AS (id * 2))",
    "a table without row ids": "CREATE TABLE overview_kpis (id INTEGER PRIMARY KEY,"
    " record_date TEXT) WITHOUT/**/ROWID",
}


@pytest.mark.parametrize("mode", ["rwc", "ro"])
@pytest.mark.parametrize("sql", IMPOSTORS.values(), ids=list(IMPOSTORS))
@pytest.mark.timeout(10)
def test_an_impostor_is_a_schema_error(tmp_path, sql, mode):
    path = tmp_path / "odd.db"
    oracle.run(path, sql)
    before = sha256(path)
    db = SmartShopieDB(path, mode=mode)
    with pytest.raises(SchemaError, match="overview_kpis") as caught:
        db.get_overview_kpis()
    assert caught.value.table == "overview_kpis"
    db.close()
    assert sha256(path) == before


def test_a_virtual_table_by_another_text_is_not_read(path):
    oracle.run(
        path,
        "DROP TABLE overview_kpis",
        "CREATE VIRTUAL TABLE overview_kpis USING rtree(id, low, high)",
        "PRAGMA writable_schema = ON",
        "UPDATE sqlite_schema SET sql = replace(sql, 'CREATE ', 'CREATE/**/')"
        " WHERE name = 'overview_kpis'",
    )
    with pytest.raises(SchemaError, match="overview_kpis is a virtual table"):
        SmartShopieDB(path).get_overview_kpis()


def test_a_view_that_comes_later_is_not_read(tmp_path):
    path = layouts.build(tmp_path / "old.db", "readme")
    with SmartShopieDB(path) as db:
        assert len(db.get_conversion_funnel()) > 0
        oracle.run(
            path,
            "ALTER TABLE overview_kpis RENAME TO was_overview_kpis",
            "CREATE VIEW overview_kpis AS SELECT * FROM was_overview_kpis",
        )
        with pytest.raises((SchemaError, OperationalError)):
            db.get_overview_kpis()


@pytest.mark.parametrize("made_by", ["older", "current"])
def test_a_trigger_is_not_run_and_its_table_not_written(tmp_path, path, made_by):
    if made_by == "older":
        path = layouts.build(tmp_path / "old.db", "older")
    oracle.run(
        path,
        "CREATE TABLE log (x)",
        "CREATE TRIGGER spy AFTER INSERT ON overview_kpis BEGIN"
        " INSERT INTO log VALUES (new.total_customers); END",
    )
    before = oracle.digest(path)
    with SmartShopieDB(path) as db:
        db.get_overview_kpis()
        with pytest.raises(SchemaError, match="spy"):
            db.add_overview_kpis(record_date="2030-01-01", total_customers=1)
        with pytest.raises(SchemaError, match="spy"):
            db.overview_kpis.update(1, total_customers=1)
        with pytest.raises(SchemaError, match="spy"):
            db.overview_kpis.delete(1)
        with pytest.raises(SchemaError, match="spy"):
            db.overview_kpis.delete(all=True)
    assert oracle.digest(path) == before


def test_other_views_and_triggers_do_not_hinder(path):
    oracle.run(
        path,
        "CREATE TABLE notes (x)",
        "CREATE VIEW newest AS SELECT max(record_date) FROM overview_kpis",
        "CREATE TRIGGER t AFTER INSERT ON notes BEGIN DELETE FROM overview_kpis; END",
    )
    with SmartShopieDB(path) as db:
        db.add_overview_kpis(record_date="2025-01-01")
        assert db.overview_kpis.count() == 1
        with pytest.raises(DatabaseError, match="view"):
            db.query("SELECT * FROM newest")


def test_a_strict_table_of_our_name_is_read(tmp_path):
    path = tmp_path / "odd.db"
    oracle.run(
        path,
        "CREATE TABLE overview_kpis (record_date TEXT PRIMARY KEY, total_customers"
        " INTEGER) STRICT",
        "INSERT INTO overview_kpis VALUES ('2025-01-01', 5), ('2025-01-02', 6)",
    )
    with SmartShopieDB(path) as db:
        assert db.get_overview_kpis().total_customers == 6


def test_a_word_that_only_looks_like_rowless(tmp_path):
    path = tmp_path / "odd.db"
    oracle.run(
        path,
        "CREATE TABLE overview_kpis (record_date TEXT, -- not WITHOUT ROWID\n"
        " total_customers INTEGER, source_rowid)",
        "INSERT INTO overview_kpis VALUES ('2025-01-01', 5, 7)",
    )
    with SmartShopieDB(path) as db:
        assert db.get_overview_kpis().total_customers == 5


@every_table
def test_a_missing_table_reads_as_empty_and_refuses_an_add(tmp_path, table):
    path = layouts.build(tmp_path / "old.db", "older")
    oracle.run(path, f"DROP TABLE IF EXISTS {table.name}")
    with SmartShopieDB(path) as db:
        got = getattr(db, table.getter)()
        assert got is None if table.shape == "one" else list(got) == []
        handle = getattr(db, table.name)
        assert handle.count() == 0
        assert list(handle.select()) == []
        assert handle.get(1) is None
        assert handle.latest() is None
        with pytest.raises(SchemaError, match=table.name) as caught:
            getattr(db, table.adder)(**table.row())
        assert caught.value.table == table.name
        with pytest.raises(SchemaError, match=table.name):
            handle.delete(1)


def test_a_table_that_comes_later_is_seen(tmp_path):
    path = layouts.build(tmp_path / "old.db", "reduced")
    with SmartShopieDB(path) as db:
        assert db.get_overview_kpis() is None
        oracle.run(
            path,
            f"CREATE TABLE overview_kpis ({layouts.OLDEST['overview_kpis']})",
            "INSERT INTO overview_kpis (record_date, total_customers)"
            " VALUES ('2025-01-01', 3)",
        )
        assert db.get_overview_kpis().total_customers == 3
        db.add_overview_kpis(record_date="2025-01-02", total_customers=4)
        assert db.get_overview_kpis().total_customers == 4


def test_names_in_capitals_are_ours_too(tmp_path):
    path = tmp_path / "loud.db"
    oracle.run(
        path,
        "CREATE TABLE OVERVIEW_KPIS (ID INTEGER PRIMARY KEY, RECORD_DATE DATE,"
        " Total_Customers INTEGER)",
        "INSERT INTO OVERVIEW_KPIS VALUES (4, '2025-01-01', 5)",
    )
    with SmartShopieDB(path) as db:
        record = db.get_overview_kpis()
        assert (record.id, record.total_customers) == (4, 5)


def test_untrusted_reads_an_ordinary_file(demo_file):
    with SmartShopieDB(demo_file, mode="ro", untrusted=True) as db:
        for table in TABLES.values():
            got = oracle.dicts(getattr(db, table.name).select())
            assert len(got) == db.tables[table.name].count() > 0


def test_a_closed_database_says_nothing_about_the_file(tmp_path):
    path = tmp_path / "none.db"
    db = SmartShopieDB(path)
    db.close()
    with pytest.raises(ClosedError):
        db.get_overview_kpis()
    assert not path.exists()
