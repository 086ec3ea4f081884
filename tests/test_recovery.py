"""After a writer died in the middle; scripts that make a file's tables themselves."""

import layouts
import oracle
import pytest
import scripts

import smartshopie_db
from smartshopie_db import (
    OperationalError,
    ProgrammingError,
    SmartShopieDB,
    create_database,
)

# ---- a write that was cut short --------------------------------------------------

# With next to no cache, pages of the change reach the file before the commit does.
DIE = """
    import sqlite3
    db = sqlite3.connect(PATH, isolation_level=None)
    db.execute("PRAGMA cache_size = 1")
    db.execute("BEGIN IMMEDIATE")
    db.execute("UPDATE overview_kpis SET total_customers = -1")
    db.execute("DELETE FROM conversion_funnel")
    db.execute("UPDATE ballast SET x = randomblob(200000)")
    os._exit(7)
"""


@pytest.fixture
def old_path(tmp_path):
    """A legacy file, big enough that a change does not fit into the cache."""
    path = layouts.build(tmp_path / "old.db", "older")
    oracle.run(
        path,
        "CREATE TABLE ballast (x)",
        "INSERT INTO ballast VALUES (zeroblob(200000)), (zeroblob(200000))",
    )
    return path


def die_writing(path):
    """Leave a hot journal; not in vain: the file is no longer what it was."""
    before = path.read_bytes()
    scripts.run(DIE, path, returncode=7)
    journal = path.with_name(path.name + "-journal")
    assert journal.stat().st_size > 512
    assert journal.read_bytes()[:8] != bytes(8)
    assert path.read_bytes() != before
    return journal


def stored(path):
    return oracle.run(path, "SELECT * FROM overview_kpis")


READERS = {
    "one": lambda db: oracle.dicts([db.get_overview_kpis()]),
    "set": lambda db: oracle.dicts(db.get_conversion_funnel()),
    "period": lambda db: oracle.dicts(db.get_conversion_trends(period="1y")),
    "select": lambda db: oracle.dicts(db.overview_kpis.select()),
    "count": lambda db: db.overview_kpis.count(),
    "count of a range": lambda db: db.conversion_funnel.count(period="1y"),
    "get": lambda db: oracle.dicts([db.overview_kpis.get(1)]),
    "latest": lambda db: oracle.dicts([db.overview_kpis.latest()]),
    "query": lambda db: oracle.dicts(
        db.query("SELECT id, total_customers FROM overview_kpis")
    ),
    "execute_query": lambda db: db.execute_query("SELECT * FROM conversion_funnel"),
    "cursor": lambda db: [
        tuple(row)
        for row in db.get_cursor().execute("SELECT * FROM overview_kpis").fetchall()
    ],
    "tab": lambda db: db.get_all_data_for_tab("overview"),
}


@pytest.mark.parametrize("read", READERS.values(), ids=list(READERS))
@pytest.mark.parametrize("warm", [True, False], ids=["read before", "not yet read"])
def test_a_reader_undoes_what_a_dead_writer_left(old_path, read, warm):
    with SmartShopieDB(old_path, mode="rw") as other:
        want = read(other)
    # A kept answer would be right without the repair.
    with SmartShopieDB(old_path, mode="rw", cache=False) as db:
        if warm:
            assert read(db) == want
        journal = die_writing(old_path)
        assert read(db) == want
        assert not journal.exists()
        assert read(db) == want
    assert oracle.healthy(old_path)


@pytest.mark.parametrize("read", READERS.values(), ids=list(READERS))
def test_a_kept_answer_is_what_the_repair_brings_back(old_path, read):
    with SmartShopieDB(old_path, mode="rw") as db:
        want = read(db)
        assert read(db) == want
        die_writing(old_path)
        assert read(db) == want
        with SmartShopieDB(old_path, mode="rw", cache=False) as other:
            assert read(other) == want
        assert read(db) == want
    assert oracle.healthy(old_path)


def test_a_snapshot_undoes_what_a_dead_writer_left(old_path):
    with SmartShopieDB(old_path, mode="rw") as db:
        want = db.execute_query("SELECT * FROM overview_kpis")
        die_writing(old_path)
        with db.snapshot():
            assert db.execute_query("SELECT * FROM overview_kpis") == want


def test_a_writer_undoes_what_a_dead_writer_left(old_path):
    rows, counts = stored(old_path), oracle.counts(old_path)
    with SmartShopieDB(old_path, mode="rw") as db:
        db.connect()
        die_writing(old_path)
        with db.transaction():
            assert db.overview_kpis.count() == counts["overview_kpis"]
        db.add_overview_kpis(record_date="2030-01-01", total_customers=5)
        assert db.get_overview_kpis().total_customers == 5
        db.overview_kpis.delete({"record_date": "2030-01-01"})
    assert stored(old_path) == rows
    assert oracle.counts(old_path) == counts


def test_opening_undoes_what_a_dead_writer_left(old_path):
    rows, counts = stored(old_path), oracle.counts(old_path)
    journal = die_writing(old_path)
    with pytest.raises(OperationalError, match="cut short"):
        SmartShopieDB(old_path, mode="ro").connect()
    assert journal.exists()
    with SmartShopieDB(old_path) as db:
        assert db.overview_kpis.count() == counts["overview_kpis"]
    assert stored(old_path) == rows
    assert oracle.counts(old_path) == counts


def test_a_reader_that_may_not_write_says_what_to_do(old_path):
    with SmartShopieDB(old_path, mode="ro") as db:
        want = db.execute_query("SELECT * FROM overview_kpis")
        journal = die_writing(old_path)
        for read in (db.get_overview_kpis, db.overview_kpis.count):
            with pytest.raises(OperationalError, match="cut short"):
                read()
        assert journal.exists()
        with SmartShopieDB(old_path, mode="rw") as writer:
            writer.get_overview_kpis()
        assert db.execute_query("SELECT * FROM overview_kpis") == want


# ---- a script of one's own -------------------------------------------------------

SCRIPT = """
-- Two tables, one of them with a name of ours.
CREATE TABLE overview_kpis (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    record_date DATE NOT NULL,
    total_customers INTEGER
);
CREATE TABLE notes (x TEXT);
INSERT INTO overview_kpis (record_date, total_customers) VALUES ('2025-01-01', 7);
"""


@pytest.fixture
def script(tmp_path):
    path = tmp_path / "own.sql"
    path.write_text(SCRIPT, encoding="utf-8")
    return path


def initialize(path, script):
    db = SmartShopieDB(path)
    db.initialize_database(script)
    return db


MAKERS = [initialize, create_database]


def tables_of(path):
    found = oracle.run(
        path,
        "SELECT name FROM sqlite_schema WHERE type = 'table'"
        " AND name NOT LIKE 'sqlite%' ORDER BY 1",
    )
    return [name for (name,) in found]


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("empty", [True, False], ids=["empty", "missing"])
def test_a_script_makes_its_own_tables_only(tmp_path, script, make, empty):
    path = tmp_path / "new.db"
    if empty:
        path.touch()
    with make(path, script) as db:
        assert db.get_overview_kpis().total_customers == 7
        assert list(db.get_conversion_funnel()) == []
        db.add_overview_kpis(record_date="2025-01-02", total_customers=8)
        assert db.overview_kpis.count() == 2
        with pytest.raises(smartshopie_db.SchemaError, match="usage_alerts"):
            db.add_usage_alert(title="x")
    assert tables_of(path) == ["notes", "overview_kpis"]
    assert oracle.run(path, "PRAGMA application_id") == [(0,)]
    with SmartShopieDB(path) as db:  # and opening it anew makes no more
        assert db.overview_kpis.count() == 2
    assert tables_of(path) == ["notes", "overview_kpis"]


@pytest.mark.parametrize("make", MAKERS)
def test_a_script_for_a_file_that_has_the_tables(path, script, make):
    with SmartShopieDB(path) as db:
        db.add_overview_kpis(record_date="2025-01-01", total_customers=3)
    before = oracle.digest(path)
    with pytest.raises(ProgrammingError, match="overview_kpis"):
        make(path, script)
    assert oracle.digest(path) == before
    assert "notes" not in tables_of(path)
    with SmartShopieDB(path) as db:
        assert db.get_overview_kpis().total_customers == 3


@pytest.mark.parametrize("make", MAKERS)
def test_a_script_that_fails_leaves_nothing(tmp_path, script, make):
    path = tmp_path / "new.db"
    script.write_text(SCRIPT + "SELECT nope;", encoding="utf-8")
    with pytest.raises(ProgrammingError, match="nope"):
        make(path, script)
    assert tables_of(path) == []


def test_a_script_after_the_file_was_used_adds_to_it(tmp_path, script):
    path = tmp_path / "new.db"
    with SmartShopieDB(path) as db:
        assert db.get_overview_kpis() is None
        with pytest.raises(ProgrammingError):
            db.initialize_database(script)
        script.write_text("CREATE TABLE notes (x TEXT);", encoding="utf-8")
        db.initialize_database(script)
        db.add_overview_kpis(record_date="2025-01-01", total_customers=3)
        assert db.get_overview_kpis().total_customers == 3
    assert len(tables_of(path)) == 31


def test_without_a_script_all_tables_are_made(tmp_path):
    with create_database(tmp_path / "new.db") as db:
        assert db.get_overview_kpis() is None
    assert len(tables_of(tmp_path / "new.db")) == 30
    path = layouts.build(tmp_path / "old.db", "reduced")
    before = oracle.counts(path)
    with create_database(path) as db:
        db.add_overview_kpis(record_date="2025-01-01")
    after = oracle.counts(path)
    assert {name: after[name] for name in before if before[name]} == {
        name: count for name, count in before.items() if count
    }
    assert len(tables_of(path)) == 30
    assert oracle.run(path, "PRAGMA application_id") == [(0,)]
