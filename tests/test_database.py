"""SmartShopieDB itself: connecting, closing, its options, what outlives it."""

import copy
import gc
import os
import pickle
import sqlite3
import threading
from pathlib import Path

import oracle
import pytest
from schema_facts import SCHEMA, TABLES

import smartshopie_db
from smartshopie_db import (
    ClosedError,
    DataError,
    OperationalError,
    ProgrammingError,
    ReadOnlyError,
    ReplacedError,
    SmartShopieDB,
)

# ---- the package -----------------------------------------------------------------

ERRORS = {
    "InterfaceError": "Error",
    "DatabaseError": "Error",
    "DataError": "DatabaseError",
    "OperationalError": "DatabaseError",
    "IntegrityError": "DatabaseError",
    "InternalError": "DatabaseError",
    "ProgrammingError": "DatabaseError",
    "NotSupportedError": "DatabaseError",
    "ClosedError": "ProgrammingError",
    "ForkError": "OperationalError",
    "ReplacedError": "OperationalError",
    "ReadOnlyError": "OperationalError",
    "DiskFullError": "OperationalError",
    "SchemaError": "DatabaseError",
}
OLD_NAMES = (
    "SmartShopieDB",
    "OverviewKPI",
    "ConversionFunnel",
    "InteractionType",
    "ConversionAnalytics",
    "CustomerSegment",
    "ProductAnalytics",
    "RevenueSummary",
    "AIPerformance",
)


@pytest.mark.parametrize(("name", "base"), ERRORS.items())
def test_errors_form_the_tree_of_pep_249(name, base):
    error = getattr(smartshopie_db, name)
    assert error.__bases__ == (getattr(smartshopie_db, base),)
    assert issubclass(error, Exception)
    for attribute in (
        "sqlite_errorcode",
        "sqlite_errorname",
        "table",
        "column",
        "row",
        "value",
    ):
        assert getattr(error("text"), attribute) is None


def test_every_name_of_the_older_package_is_here():
    assert set(OLD_NAMES) <= set(smartshopie_db.__all__)
    assert {table.record for table in TABLES.values()} <= set(smartshopie_db.__all__)
    for name in smartshopie_db.__all__:
        assert getattr(smartshopie_db, name) is not None
    assert smartshopie_db.__version__


def test_the_older_module_paths_lead_here():
    from smartshopie_db import database, models

    assert database.SmartShopieDB is SmartShopieDB
    assert database.create_database is smartshopie_db.create_database
    for table in TABLES.values():
        assert getattr(models, table.record) is getattr(smartshopie_db, table.record)


# ---- opening ---------------------------------------------------------------------


def test_the_default_path_is_in_the_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    db = SmartShopieDB()
    assert db.db_path == "smartshopie_dashboard.db"
    db.connect()
    monkeypatch.chdir("/")  # where it was made is where it stays
    db.add_overview_kpis(record_date="2025-01-01")
    db.close()
    db.connect()
    assert db.overview_kpis.count() == 1
    db.close()
    assert oracle.counts(tmp_path / "smartshopie_dashboard.db")["overview_kpis"] == 1


def test_making_the_object_opens_nothing(tmp_path):
    path = tmp_path / "new.db"
    db = SmartShopieDB(path)
    assert not path.exists()
    db.close()
    assert not path.exists()


def test_connect_makes_a_missing_file_and_gives_the_db(tmp_path):
    path = tmp_path / "new.db"
    db = SmartShopieDB(path)
    assert db.connect() is db
    assert db.connect() is db
    assert db.connection is db
    assert set(oracle.counts(path).values()) == {0}
    db.close()
    assert oracle.run(path, "PRAGMA application_id") == [(0x53534442,)]
    assert oracle.run(path, "PRAGMA user_version") == [(1,)]
    assert oracle.run(path, "PRAGMA journal_mode") == [("wal",)]


def test_the_first_use_connects(tmp_path):
    path = tmp_path / "new.db"
    db = SmartShopieDB(path)
    assert db.get_overview_kpis() is None
    assert path.exists()
    db.close()


@pytest.mark.parametrize("form", [str, Path, os.fspath])
def test_a_path_may_be_any_path_like(tmp_path, form):
    with SmartShopieDB(form(tmp_path / "new.db")) as db:
        assert db.db_path == str(tmp_path / "new.db")
    assert (tmp_path / "new.db").exists()


def test_with_connects_and_closes(path):
    with SmartShopieDB(path) as db:
        assert isinstance(db, SmartShopieDB)
    with pytest.raises(ClosedError):
        db.get_overview_kpis()
    with db as again:
        assert again is db
        assert db.get_overview_kpis() is None


def test_with_closes_after_an_exception_and_lets_it_through(path):
    with pytest.raises(KeyError), SmartShopieDB(path) as db:
        db.add_overview_kpis(record_date="2025-01-01")
        raise KeyError
    with pytest.raises(ClosedError):
        db.get_overview_kpis()
    assert oracle.counts(path)["overview_kpis"] == 1


def test_a_subclass_works(path):
    class Shop(SmartShopieDB):
        def newest_day(self):
            return self.get_overview_kpis().record_date

    with Shop(path) as shop:
        shop.add_overview_kpis(record_date="2025-01-02")
        assert str(shop.newest_day()) == "2025-01-02"


def test_a_subclass_may_take_other_arguments(path):
    class Shop(SmartShopieDB):
        def __init__(self, name, folder, **options):
            super().__init__(folder / name, **options)
            self.name = name

    with Shop(path.name, path.parent, strict=False) as shop:
        shop.add_overview_kpis(record_date="2025-01-02")
        assert (shop.name, shop.db_path) == (path.name, str(path))
        shop.__init__("other.db", path.parent)  # it stays with its file
        assert shop.db_path == str(path)
        assert shop.overview_kpis.count() == 1
    assert [name.name for name in path.parent.iterdir()] == [path.name]
    with pytest.raises(ValueError, match="mode"):
        Shop(path.name, path.parent, mode="x")
    assert oracle.counts(path)["overview_kpis"] == 1


def test_two_objects_on_one_file_see_each_other(path):
    with SmartShopieDB(path) as one, SmartShopieDB(path) as two:
        one.add_overview_kpis(record_date="2025-01-01", total_customers=1)
        assert two.get_overview_kpis().total_customers == 1
        two.add_overview_kpis(record_date="2025-01-01", total_customers=2)
        assert one.get_overview_kpis().total_customers == 2


def test_the_standard_library_reads_and_writes_beside_us(db, path):
    db.add_overview_kpis(record_date="2025-01-01", total_customers=1)
    assert oracle.run(path, "SELECT total_customers FROM overview_kpis") == [(1,)]
    oracle.run(path, "UPDATE overview_kpis SET total_customers = 2")
    assert db.get_overview_kpis().total_customers == 2
    oracle.run(path, "DELETE FROM overview_kpis")
    assert db.get_overview_kpis() is None


# ---- in memory -------------------------------------------------------------------


def test_a_database_in_memory_is_its_own():
    with SmartShopieDB(":memory:") as one, SmartShopieDB(":memory:") as two:
        one.add_overview_kpis(record_date="2025-01-01")
        assert (one.overview_kpis.count(), two.overview_kpis.count()) == (1, 0)
        assert one.db_path == ":memory:"
        seen = []
        thread = threading.Thread(target=lambda: seen.append(one.get_overview_kpis()))
        thread.start()
        thread.join()
        assert str(seen[0].record_date) == "2025-01-01"
    assert not Path(":memory:").exists()


# ---- closing ---------------------------------------------------------------------


def calls_of(db):
    """One call of every kind."""
    table = db.overview_kpis
    return {
        "getter": db.get_overview_kpis,
        "set getter": db.get_conversion_funnel,
        "adder": lambda: db.add_overview_kpis(record_date="2025-01-01"),
        "insert": lambda: db.insert_revenue_attribution("2025-01-01", "a", 1, 2),
        "query": lambda: db.query("SELECT 1"),
        "execute": lambda: db.execute("DELETE FROM overview_kpis"),
        "execute_query": lambda: db.execute_query("SELECT 1"),
        "cursor": lambda: db.get_cursor().__enter__().execute("SELECT 1"),
        "tab": lambda: db.get_all_data_for_tab("overview"),
        "transaction": lambda: db.transaction().__enter__(),
        "snapshot": lambda: db.snapshot().__enter__(),
        "initialize": db.initialize_database,
        "select": table.select,
        "get": lambda: table.get(1),
        "latest": table.latest,
        "count": table.count,
        "add": lambda: table.add(record_date="2025-01-01"),
        "update": lambda: table.update(1, total_customers=1),
        "delete": lambda: table.delete(1),
    }


@pytest.mark.parametrize("connected", [True, False])
def test_after_close_every_call_says_so(path, connected):
    db = SmartShopieDB(path)
    if connected:
        db.connect()
    assert db.close() is None
    assert db.close() is None
    for name, call in calls_of(db).items():
        with pytest.raises(ClosedError, match="connect") as caught:
            call()
        assert isinstance(caught.value, ProgrammingError), name
    assert db.db_path == str(path)
    assert repr(db)
    assert oracle.counts(path)["overview_kpis"] == 0


def test_connect_revives_a_closed_db(path):
    db = SmartShopieDB(path)
    for day in range(1, 4):
        db.connect()
        db.add_overview_kpis(record_date=f"2025-01-0{day}")
        db.close()
    assert db.connect().overview_kpis.count() == 3
    db.close()


def test_results_outlive_the_database(path):
    db = SmartShopieDB(path)
    db.add_conversion_funnel_stage(
        record_date="2025-01-01", stage_name="Visit", stage_order=0, count=7
    )
    rows = db.get_conversion_funnel()
    record = rows[0]
    plain = db.execute_query("SELECT stage_name FROM conversion_funnel")
    db.close()
    assert record.stage_name == "Visit"
    del db
    gc.collect()
    assert [row.count for row in rows] == [7]
    assert plain == [{"stage_name": "Visit"}]


def test_a_table_handle_keeps_the_database(path):
    table = SmartShopieDB(path).overview_kpis
    gc.collect()
    table.add(record_date="2025-01-01")
    assert table.count() == 1
    del table
    gc.collect()
    assert oracle.counts(path)["overview_kpis"] == 1


def test_closing_leaves_one_file(path):
    with SmartShopieDB(path) as db:
        db.add_overview_kpis(record_date="2025-01-01")
        assert Path(f"{path}-wal").exists()
    assert [name.name for name in path.parent.iterdir()] == [path.name]


def test_dropping_an_open_database_closes_it(path):
    db = SmartShopieDB(path)
    db.add_overview_kpis(record_date="2025-01-01")
    del db
    gc.collect()
    assert [name.name for name in path.parent.iterdir()] == [path.name]
    assert oracle.counts(path)["overview_kpis"] == 1


def test_close_waits_for_what_runs(db):
    """A reader in another thread ends as it would have; nobody reads from a corpse."""
    started = threading.Event()
    outcome = []

    def read():
        started.set()
        try:
            rows = db.query(count_to(2_000_000))
            outcome.append(rows[0]["n"])
        except ClosedError:
            outcome.append("closed")

    thread = threading.Thread(target=read)
    thread.start()
    started.wait()
    db.close()
    thread.join()
    assert outcome in ([2_000_000], ["closed"])


def count_to(n):
    return (
        f"WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < {n})"
        " SELECT max(x) AS n FROM c"
    )


def test_a_database_cannot_be_copied_by_value(db):
    for copy_of in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError):
            copy_of(db)
        with pytest.raises(TypeError):
            copy_of(db.overview_kpis)


# ---- options ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "number"), [("full", 3), ("normal", 1), ("off", 0)], ids=str
)
def test_durability_is_what_sqlite_is_told(path, mode, number):
    with SmartShopieDB(path, durability=mode) as db, db.transaction():
        assert db.execute_query("PRAGMA synchronous") == [{"synchronous": number}]


SETTINGS = {
    "foreign_keys": 1,
    "trusted_schema": 0,
    "cell_size_check": 1,
    "mmap_size": 0,
    "temp_store": 1,
    "wal_autocheckpoint": 0,
    "journal_size_limit": 64 << 20,
}


@pytest.mark.parametrize(("name", "value"), SETTINGS.items())
def test_every_connection_is_set_up_safely(db, name, value):
    sql = f"PRAGMA {name}"
    assert [list(row.values()) for row in db.query(sql)] == [[value]]
    with db.transaction():
        assert [list(row.values()) for row in db.query(sql)] == [[value]]


def test_readers_cannot_write(db):
    assert db.query("PRAGMA query_only")[0]["query_only"] == 1


def test_the_path_has_its_older_name_too(path):
    with SmartShopieDB(db_path=str(path)) as db:
        assert db.db_path == str(path)
    with pytest.raises(TypeError, match="db_path"):
        SmartShopieDB(path, db_path=path)


def test_an_unknown_option_is_named_with_the_nearest(path):
    with pytest.raises(TypeError, match=r"'durabilty'.*'durability'"):
        SmartShopieDB(path, durabilty="off")
    with pytest.raises(TypeError):
        SmartShopieDB(path, "rw")


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"mode": "r"}, ValueError, "mode"),
        ({"mode": None}, TypeError, "mode"),
        ({"durability": "FULL!"}, ValueError, "durability"),
        ({"readers": 0}, ValueError, "readers"),
        ({"readers": "2"}, TypeError, "readers"),
        ({"busy_timeout": -1}, ValueError, "busy_timeout"),
        ({"busy_timeout": "5"}, TypeError, "busy_timeout"),
        ({"timeout": float("nan")}, ValueError, "timeout"),
        ({"strict": 1}, TypeError, "strict"),
        ({"cache": "yes"}, TypeError, "cache"),
        ({"path": 5}, TypeError, "path"),
        ({"path": "a\0b"}, ValueError, None),
        ({"path": ""}, ValueError, None),
        ({"immutable": True, "mode": "rwc"}, ValueError, "immutable"),
        ({"untrusted": True, "mode": "rw"}, ValueError, "untrusted"),
    ],
    ids=str,
)
def test_a_wrong_option_is_refused_by_name(tmp_path, monkeypatch, options, error, said):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match=said):
        SmartShopieDB(**{"path": "x.db"} | options)
    assert list(tmp_path.iterdir()) == []


def test_mode_ro_reads_and_never_writes(path):
    with SmartShopieDB(path) as db:
        db.add_overview_kpis(record_date="2025-01-01")
    before = oracle.digest(path)
    with SmartShopieDB(path, mode="ro") as db:
        assert str(db.get_overview_kpis().record_date) == "2025-01-01"
        for call in (
            lambda: db.add_overview_kpis(record_date="2025-01-02"),
            lambda: db.overview_kpis.delete(all=True),
            lambda: db.execute("DELETE FROM overview_kpis"),
            lambda: db.transaction().__enter__(),
        ):
            with pytest.raises(ReadOnlyError):
                call()
        assert db.overview_kpis.count() == 1
    assert oracle.digest(path) == before


@pytest.mark.parametrize("mode", ["ro", "rw"])
def test_a_missing_file_is_made_in_mode_rwc_only(tmp_path, mode):
    path = tmp_path / "missing.db"
    with pytest.raises(OperationalError, match=r"missing\.db"):
        SmartShopieDB(path, mode=mode).connect()
    assert list(tmp_path.iterdir()) == []


def test_immutable_reads_a_resting_file(path):
    with SmartShopieDB(path) as db:
        db.add_overview_kpis(record_date="2025-01-01")
    with SmartShopieDB(path, mode="ro", immutable=True) as db:
        assert db.overview_kpis.count() == 1
        assert [name.name for name in path.parent.iterdir()] == [path.name]


# ---- cells that do not fit their column ------------------------------------------


@pytest.fixture
def spoilt(tmp_path):
    """An older file with text where a number belongs, in row 2."""
    path = tmp_path / "old.db"
    oracle.run(
        path,
        "CREATE TABLE overview_kpis (id INTEGER PRIMARY KEY, record_date DATE,"
        " total_customers INTEGER, conversion_rate REAL)",
        "INSERT INTO overview_kpis VALUES (1, '2025-01-01', 1, 1.5),"
        " (2, '2025-01-02', 'many', 2.5), (3, '2025-02-30', 3, x'00ff')",
    )
    return path


def test_strict_names_the_cell(spoilt):
    with SmartShopieDB(spoilt) as db:
        for read in (
            lambda: db.get_overview_kpis("2025-01-02"),
            lambda: db.overview_kpis.select(id=2),
            lambda: db.overview_kpis.get(2),
            db.overview_kpis.select,
        ):
            with pytest.raises(DataError, match="many") as caught:
                read()
            error = caught.value
            assert (error.table, error.column) == ("overview_kpis", "total_customers")
            assert error.row == 2
            assert "many" in error.value
        assert db.get_overview_kpis("2025-01-01").total_customers == 1


def test_raw_values_are_given_whatever_they_are(spoilt):
    with SmartShopieDB(spoilt) as db:
        rows = db.get_all_data_for_tab("overview")["overview_kpis"]
        assert [row["total_customers"] for row in rows] == [3, "many", 1]
        assert rows[0]["conversion_rate"] == b"\x00\xff"
        plain = db.execute_query("SELECT * FROM overview_kpis")
        assert [row | plain[n] for n, row in enumerate(rows[::-1])] == rows[::-1]


def test_not_strict_reads_none_and_notes_it(spoilt):
    with SmartShopieDB(spoilt) as db:
        rows = db.overview_kpis.select(strict=False)
        check_notes(rows)
        assert rows[0].total_customers == 1
        assert len(db.overview_kpis.select(id=1, strict=False).notes) == 0
        assert db.get_overview_kpis("2025-01-02", strict=False).total_customers is None
    with SmartShopieDB(spoilt, strict=False) as db:
        check_notes(db.overview_kpis.select())
        with pytest.raises(DataError):
            db.overview_kpis.select(strict=True)


def check_notes(rows):
    assert [row.total_customers for row in rows] == [1, None, 3]
    assert rows[2].record_date is None
    assert rows[2].conversion_rate is None
    assert len(rows.notes) == 3
    assert "many" in str(rows.notes)


# ---- the file changes under us ---------------------------------------------------


def test_a_replaced_file_is_noticed_before_a_write(db, path, blank_file, tmp_path):
    db.add_overview_kpis(record_date="2025-01-01")
    other = tmp_path / "other.db"
    other.write_bytes(blank_file.read_bytes())
    os.replace(other, path)
    with pytest.raises(ReplacedError, match=r"shop\.db"):
        db.add_overview_kpis(record_date="2025-01-02")
    db.close()
    for name in (f"{path}-wal", f"{path}-shm"):
        Path(name).unlink(missing_ok=True)
    db.connect()
    assert db.overview_kpis.count() == 0


def test_a_removed_file_is_noticed_before_a_write(db, path):
    db.add_overview_kpis(record_date="2025-01-01")
    path.rename(path.with_name("moved.db"))
    with pytest.raises(ReplacedError, match="removed or renamed"):
        db.add_overview_kpis(record_date="2025-01-02")
    assert not path.exists()


# ---- initialize_database, create_database ----------------------------------------


def test_initialize_database_makes_what_is_missing(tmp_path):
    path = tmp_path / "other.db"
    oracle.run(path, "CREATE TABLE notes (text)", "INSERT INTO notes VALUES ('kept')")
    with SmartShopieDB(path) as db:
        db.initialize_database()
        db.initialize_database()
        db.add_overview_kpis(record_date="2025-01-01")
        assert db.overview_kpis.count() == 1
    assert len(oracle.counts(path)) == 30
    assert oracle.run(path, "SELECT * FROM notes") == [("kept",)]


def test_initialize_database_keeps_rows(demo):
    before = oracle.digest(demo.db_path)
    assert demo.initialize_database() is None
    assert oracle.digest(demo.db_path) == before


def test_initialize_database_runs_a_script(tmp_path):
    script = tmp_path / "extra.sql"
    script.write_text(
        "CREATE TABLE a (x); INSERT INTO a VALUES (1); -- end\nCREATE TABLE b (y);"
    )
    with SmartShopieDB(tmp_path / "new.db") as db:
        db.initialize_database(script)
        assert db.execute_query("SELECT x FROM a") == [{"x": 1}]
        with pytest.raises(FileNotFoundError):
            db.initialize_database(str(tmp_path / "missing.sql"))
        script.write_text("INSERT INTO a VALUES (2); INSERT INTO missing VALUES (3);")
        with pytest.raises((OperationalError, ProgrammingError)):
            db.initialize_database(schema_file=str(script))
        assert db.execute_query("SELECT x FROM a") == [{"x": 1}]


def test_the_checked_in_script_makes_a_file_of_ours(tmp_path):
    path = tmp_path / "by_script.db"
    with oracle.connect(path) as stock:
        stock.executescript((SCHEMA / "database_schema.sql").read_text("utf-8"))
    with SmartShopieDB(path) as db:
        db.add_overview_kpis(record_date="2025-01-01")
        assert db.get_overview_kpis().id == 1


def test_create_database_gives_an_initialised_db(tmp_path):
    db = smartshopie_db.create_database(tmp_path / "made.db")
    assert isinstance(db, SmartShopieDB)
    assert db.get_overview_kpis() is None
    db.close()
    assert len(oracle.counts(tmp_path / "made.db")) == 30


# ---- what it says of itself ------------------------------------------------------


def test_repr_names_the_path(db, path):
    assert str(path) in repr(db)


def test_stats_are_a_dict_of_figures(db):
    db.get_overview_kpis()
    assert isinstance(db.stats(), dict)


def test_one_copy_of_sqlite_serves_us_and_the_standard_library(db):
    version = db.execute_query("SELECT sqlite_version() AS v")[0]["v"]
    assert version == sqlite3.sqlite_version
