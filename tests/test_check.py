"""check(): each finding, on a file that was really damaged; and none on a sound one."""

import json
import os
import shutil
import sqlite3
import subprocess
import time
from contextlib import closing

import oracle
import pytest
import scripts

from smartshopie_db import (
    OperationalError,
    ProgrammingError,
    SmartShopieDB,
)

pytestmark = pytest.mark.timeout(60)

KNOWN = {"sqlite_wal_reset"}  # of this machine, not of a file


@pytest.fixture
def report_of(tmp_path):
    def report_of(path, **options):
        with SmartShopieDB(path) as db:
            return db.check(**options)

    return report_of


def codes(report):
    return [finding.code for finding in report if finding.code not in KNOWN]


def one(report, code):
    (finding,) = [finding for finding in report if finding.code == code]
    assert finding.message and finding.remedy
    return finding


def write_schema(path, sql, *parameters):
    """Change the file's schema in a way that SQL would not."""
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA writable_schema = ON")
        db.execute(sql, parameters)
        db.commit()


# --- sound files ------------------------------------------------------------------


def test_a_sound_file(demo):
    steps = []
    report = demo.check(progress=lambda done, total: steps.append((done, total)))
    assert report.ok and codes(report) == []
    assert steps == [(n, len(steps)) for n in range(1, len(steps) + 1)]
    assert report.full and report.seconds > 0
    assert oracle.healthy(demo.db_path)


def test_memory_and_a_new_file(tmp_path, report_of):
    assert codes(report_of(":memory:")) == []
    assert codes(report_of(tmp_path / "new.db")) == []


def test_it_changes_nothing(demo):
    before = oracle.digest(demo.db_path)
    demo.check()
    assert oracle.digest(demo.db_path) == before


def test_a_report_is_a_sequence_that_can_be_printed(report_of, path):
    os.chmod(path, 0o666)
    report = report_of(path)
    assert len(report) == len(list(report)) >= 1
    assert report[0].severity == "warning"  # the gravest comes first
    assert report[:1] == (report[0],)
    assert "ok, 1 warning" in repr(report)
    assert "chmod o-w" in str(report)
    assert json.loads(json.dumps(report.to_dicts()))[0]["code"] == "permissions"
    with pytest.raises(AttributeError):
        report[0].code = "other"


def test_an_older_file(legacy_path, report_of):
    before = oracle.digest(legacy_path)
    report = report_of(legacy_path)
    assert "migrate" in one(report, "legacy").remedy
    assert oracle.digest(legacy_path) == before


# --- damage -----------------------------------------------------------------------


def test_a_page_that_is_overwritten(demo_file, tmp_path, report_of):
    path = shutil.copy(demo_file, tmp_path / "demo.db")
    (page,) = oracle.run(
        path, "SELECT rootpage FROM sqlite_schema WHERE name = 'overview_kpis'"
    )[0]
    with open(path, "r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"\xff" * 4096)
    for full in (True, False):
        report = report_of(path, full=full)
        assert not report.ok
        assert "backup" in next(f for f in report if f.code == "corrupt").remedy


def test_a_schema_whose_bytes_are_damaged(path, report_of):
    sql = "UPDATE sqlite_schema SET sql = sql || CAST(x'202d2dff' AS TEXT)"
    write_schema(path, f"{sql} WHERE name = 'overview_kpis'")
    assert one(report_of(path), "schema_changed").table == "overview_kpis"


@pytest.mark.parametrize("encoding", ["UTF-16le", "UTF-16be"])
def test_a_file_of_another_encoding(tmp_path, report_of, encoding):
    path = tmp_path / "wide.db"
    oracle.run(
        path,
        f"PRAGMA encoding = '{encoding}'",
        "CREATE TABLE overview_kpis (id INTEGER PRIMARY KEY, record_date DATE)",
        "INSERT INTO overview_kpis VALUES (1, '2025-01-01'), (2, '2025-01-02 00:00')",
    )
    assert "'0000-00-00 00:00' (1)" in one(report_of(path), "mixed_dates").message
    with SmartShopieDB(path) as db:
        db.migrate()
        db.initialize_database()
        assert db.query("PRAGMA encoding")[0]["encoding"] == encoding
    assert codes(report_of(path)) == []


def test_a_collation_that_is_not_here(tmp_path, report_of):
    path = tmp_path / "odd.db"
    oracle.run(
        path,
        "CREATE TABLE overview_kpis (id INTEGER PRIMARY KEY, record_date DATE)",
        "CREATE INDEX odd ON overview_kpis (record_date)",
        "INSERT INTO overview_kpis VALUES (1, '2025-01-01')",
    )
    sql = "UPDATE sqlite_schema SET sql = replace(sql, 'date)', 'date COLLATE other)')"
    write_schema(path, f"{sql} WHERE name = 'odd'")
    assert "other" in one(report_of(path), "corrupt").message


def test_a_schema_that_lost_a_column(path, report_of):
    sql = "UPDATE sqlite_schema SET sql = replace(sql, 'total_customers', 'total_cu')"
    write_schema(path, f"{sql} WHERE name = 'overview_kpis'")
    report = report_of(path)
    assert one(report, "schema_changed").table == "overview_kpis"
    assert one(report, "corrupt").table == "overview_kpis"


def test_an_index_that_lacks_a_row(demo_file, tmp_path, report_of):
    path = shutil.copy(demo_file, tmp_path / "demo.db")
    ((name,),) = oracle.run(
        path,
        "SELECT name FROM sqlite_schema WHERE type = 'index'"
        " AND tbl_name = 'customer_interactions' AND sql IS NOT NULL LIMIT 1",
    )
    # An index that another one's pages are shown as has other rows.
    write_schema(
        path,
        "UPDATE sqlite_schema SET rootpage ="
        " (SELECT rootpage FROM sqlite_schema WHERE name = ?) WHERE name = ?",
        "sqlite_autoindex_overview_kpis_1",
        name,
    )
    report = report_of(path)
    assert not report.ok
    assert "REINDEX" in one(report, "index_damaged").remedy


def test_a_reference_to_nothing(path, report_of):
    parents = oracle.run(
        path,
        "SELECT m.name, f.[table], f.[from] FROM sqlite_schema AS m,"
        " pragma_foreign_key_list(m.name) AS f WHERE m.name = 'billing_payments'",
    )
    ((child, parent, column),) = parents
    with SmartShopieDB(path) as db:
        db.add_billing_payment(
            payment_date="2025-01-01", description="x", amount=1.0, status="paid"
        )
    oracle.run(path, f"UPDATE {child} SET {column} = 99")
    finding = one(report_of(path), "foreign_key")
    assert finding.severity == "error"
    assert (finding.table, finding.rows, finding.count) == (child, (1,), 1)
    assert parent in finding.message


def test_a_value_that_its_type_cannot_hold(path, report_of):
    with SmartShopieDB(path) as db:
        for day in range(1, 4):
            db.add_overview_kpis(record_date=f"2025-01-0{day}", total_customers=1)
    oracle.run(
        path,
        "PRAGMA ignore_check_constraints = ON",
        "UPDATE overview_kpis SET total_customers = 'many' WHERE id > 1",
    )
    finding = one(report_of(path), "value")
    assert (finding.table, finding.column) == ("overview_kpis", "total_customers")
    assert (finding.rows, finding.count) == ((2, 3), 2)
    assert "many" in finding.message
    assert "value" not in codes(report_of(path, full=False))


def test_duplicates_behind_a_damaged_index(path, report_of):
    with SmartShopieDB(path) as db:
        for day in range(1, 4):
            db.add_overview_kpis(record_date=f"2025-01-0{day}", total_customers=1)
    # Without its UNIQUE the table takes a second row; then it has it again.
    (sql,) = oracle.run(
        path, "SELECT sql FROM sqlite_schema WHERE name = 'overview_kpis'"
    )[0]
    index = "name = 'sqlite_autoindex_overview_kpis_1'"
    ((root,),) = oracle.run(path, f"SELECT rootpage FROM sqlite_schema WHERE {index}")
    other = sql.replace("UNIQUE (record_date)", "CHECK (1 OR record_date)")
    assert other != sql
    schema = "UPDATE sqlite_schema SET sql = ? WHERE name = 'overview_kpis'"
    write_schema(path, schema, other)
    write_schema(path, f"DELETE FROM sqlite_schema WHERE {index}")
    oracle.run(path, "UPDATE overview_kpis SET record_date = '2025-01-01' WHERE id = 3")
    write_schema(path, schema, sql)
    write_schema(
        path,
        "INSERT INTO sqlite_schema VALUES"
        " ('index', 'sqlite_autoindex_overview_kpis_1', 'overview_kpis', ?, NULL)",
        root,
    )
    report = report_of(path)
    finding = one(report, "duplicate")
    assert (finding.table, finding.rows, finding.count) == ("overview_kpis", (3,), 1)
    assert finding.severity == "error"


def test_duplicates_and_forms_of_an_older_file(tmp_path, report_of):
    path = tmp_path / "old.db"
    oracle.run(
        path,
        "CREATE TABLE overview_kpis (id INTEGER PRIMARY KEY, record_date DATE,"
        " total_customers INTEGER)",
        "INSERT INTO overview_kpis (record_date, total_customers) VALUES"
        " ('2025-01-01', 1), ('2025-01-01 00:00:00', 2), (NULL, 3), (NULL, 4),"
        " (NULL, 3)",
    )
    report = report_of(path)
    finding = one(report, "duplicate")
    assert (finding.table, finding.rows, finding.count) == ("overview_kpis", (2, 5), 2)
    forms = one(report, "mixed_dates")
    assert (forms.table, forms.column, forms.count) == (
        "overview_kpis",
        "record_date",
        2,
    )
    assert "0000-00-00 00:00:00" in forms.message


def test_a_day_of_an_older_file_whose_bytes_are_damaged(tmp_path, report_of):
    path = tmp_path / "old.db"
    oracle.run(
        path,
        "CREATE TABLE overview_kpis (id INTEGER PRIMARY KEY, record_date DATE)",
        "INSERT INTO overview_kpis (record_date) VALUES ('2025-01-01'),"
        " (CAST(x'32ff' AS TEXT))",
    )
    report = report_of(path)
    assert one(report, "value").rows == (2,)
    assert r"'0\xff'" in one(report, "mixed_dates").message


def test_a_missing_index_and_how_to_get_it_back(path, report_of):
    ((name,),) = oracle.run(
        path,
        "SELECT name FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL"
        " LIMIT 1",
    )
    oracle.run(path, f"DROP INDEX {name}")
    report = report_of(path)
    assert report.ok  # slower, not wrong
    finding = one(report, "missing_index")
    assert name in finding.message
    with SmartShopieDB(path) as db:
        exec(finding.remedy, {"db": db})
        assert codes(db.check()) == []


def test_a_table_that_was_changed_or_dropped(path, report_of):
    oracle.run(
        path,
        "ALTER TABLE overview_kpis ADD COLUMN more TEXT",
        "DROP TABLE usage_alerts",
    )
    report = report_of(path, full=False)
    assert one(report, "schema_changed").table == "overview_kpis"
    assert one(report, "missing_table").table == "usage_alerts"
    assert not report.ok
    assert one(report_of(path), "missing_table").table == "usage_alerts"


def test_what_is_missing_can_be_made_again(path, report_of):
    ((index,),) = oracle.run(
        path,
        "SELECT name FROM sqlite_schema WHERE type = 'index' AND name LIKE '%_idx'"
        " AND tbl_name != 'usage_alerts' LIMIT 1",
    )
    oracle.run(path, "DROP TABLE usage_alerts", f"DROP INDEX {index}")
    assert set(codes(report_of(path))) == {"missing_table", "missing_index"}
    with SmartShopieDB(path) as db:
        db.initialize_database()
        assert codes(db.check()) == []


def test_a_trigger(path, report_of):
    oracle.run(
        path, "CREATE TRIGGER t AFTER INSERT ON overview_kpis BEGIN SELECT 1; END"
    )
    assert one(report_of(path), "trigger").table == "overview_kpis"


# --- the file and its place -------------------------------------------------------


def test_what_a_killed_backup_left(db, tmp_path):
    part = tmp_path / "copy.db.0123456789abcdef.backup-part"
    part.write_bytes(b"")
    assert codes(db.check()) == []  # it may be running
    os.utime(part, (time.time() - 100,) * 2)
    assert part.name in one(db.check(), "unfinished_backup").message


def test_a_journal_beside_a_file_in_wal_mode(db, path):
    path.with_name(path.name + "-journal").write_bytes(bytes(512))
    assert one(db.check(), "stray_journal").severity == "warning"


@pytest.mark.timed
def test_a_large_log_and_an_old_reader(path):
    """Somebody's read keeps the log from being copied back."""
    with SmartShopieDB(path) as db, db.snapshot():
        db.realtime_metrics.count()
        oracle.run(
            path,
            "PRAGMA wal_autocheckpoint = 0",
            "CREATE TABLE ballast (x)",
            f"INSERT INTO ballast VALUES (zeroblob({65 << 20}))",
        )
        time.sleep(0.1)
        assert 0.05 < db.stats()["oldest_read_seconds"] < 5
        assert one(db.check(full=False), "wal_large").count > 64 << 20


def test_empty_pages(path, report_of):
    oracle.run(
        path,
        "CREATE TABLE ballast (x)",
        "INSERT INTO ballast VALUES (zeroblob(4000000))",
        "DROP TABLE ballast",
    )
    assert one(report_of(path), "free_space").count > 900
    with SmartShopieDB(path) as db:
        db.optimize(vacuum=True)
        assert codes(db.check()) == []


# --- the call ---------------------------------------------------------------------


def test_wrong_arguments_and_times(db):
    with pytest.raises(TypeError, match="positional"):
        db.check(True)
    with pytest.raises(TypeError, match="full"):
        db.check(full=1)
    with pytest.raises(TypeError, match="progress"):
        db.check(progress=1)
    with pytest.raises(TypeError):
        db.check(other=1)
    with pytest.raises(OperationalError, match="time limit"):
        db.check(timeout=0.0001)
    with db.transaction(), pytest.raises(ProgrammingError):
        db.check()


def test_what_progress_raises_ends_it(db):
    def progress(done, total):
        raise KeyError(done)

    with pytest.raises(KeyError):
        db.check(progress=progress)
    assert db.check().ok


# --- other copies of SQLite -------------------------------------------------------


@pytest.fixture
def second_sqlite(tmp_path):
    """The system's SQLite once more, under another name: a copy like any other."""
    with open("/proc/self/maps") as maps:
        paths = {line.split()[-1] for line in maps if "libsqlite3" in line}
    if not paths or shutil.which("cc") is None:
        pytest.skip("no shared SQLite")
    return shutil.copy(paths.pop(), tmp_path / "libsqlite3_other.so")


def test_a_second_copy_is_warned_of_at_import_and_found(second_sqlite, path):
    out = scripts.run(
        """
        import subprocess
        code = '''if True:
            import ctypes, sqlite3, sys, warnings
            ctypes.CDLL(sys.argv[2])
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                from smartshopie_db import DuplicateSQLiteWarning, SmartShopieDB
            print([w.category is DuplicateSQLiteWarning for w in caught])
            print(sys.argv[2] in str(caught[0].message))
            report = SmartShopieDB(sys.argv[1]).check(full=False)
            print([f.message.endswith(sys.argv[2]) for f in report
                   if f.code == "duplicate_sqlite"])
        '''
        print(subprocess.run([sys.executable, "-c", code, PATH, sys.argv[2]],
                             check=True, capture_output=True, text=True).stdout)
        """,
        path,
        second_sqlite,
    )
    assert out.split() == ["[True]", "True", "[True]"]


# --- network file systems ---------------------------------------------------------

NETWORK = """
mount=$1; list=$2; shift 2
mount -t tmpfs tmpfs "$mount" || exit 77
sed "s, - tmpfs tmpfs, - nfs4 server:/x," /proc/self/mountinfo >"$list" || exit 77
mount --bind "$list" /proc/$$/mountinfo || exit 77
exec "$@"
"""


@pytest.fixture
def on_network(tmp_path):
    """Run a script that sees a folder of its own as NFS: the list of mounts says so."""
    folder = tmp_path / "network"
    folder.mkdir()

    def on_network(code):
        if shutil.which("unshare") is None:
            pytest.skip("there is no unshare here")
        command = ["unshare", "-rm", "sh", "-c", NETWORK, "sh", folder]
        command.append(tmp_path / "mountinfo")
        process = subprocess.Popen(
            command
            + scripts.command(scripts.textwrap.dedent(code), folder / "shop.db"),
            env=scripts.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        if process.wait(30) == 77:
            process.communicate()
            pytest.skip("nothing can be mounted here")
        scripts.finish(process)

    return on_network


def test_no_log_is_begun_on_a_network_file_system(on_network):
    on_network(
        """
        error = raises(OperationalError, SmartShopieDB(PATH).connect)
        assert "network file system (nfs4)" in str(error), error
        assert 'journal="rollback"' in str(error), error
        assert not os.path.exists(PATH) or os.path.getsize(PATH) == 0
        with SmartShopieDB(PATH, journal="rollback") as db:
            add(db, 1)
            assert not db.stats()["wal"]
            report = db.check()
            assert report.ok and "network_file_system" in [f.code for f in report]
        with SmartShopieDB(PATH) as db:  # as it is, it stays
            assert not db.stats()["wal"]
        with SmartShopieDB(PATH, journal="wal") as db:  # as ordered
            assert db.stats()["wal"]
            assert not db.check().ok
        """
    )


def test_rollback_keeps_a_file_out_of_wal_mode(tmp_path):
    path = tmp_path / "new.db"
    with SmartShopieDB(path, journal="rollback") as db:
        assert not db.stats()["wal"]
        assert codes(db.check()) == ["no_wal"]
    with SmartShopieDB(path, mode="ro") as db:
        assert not db.stats()["wal"]
    with SmartShopieDB(path) as db:
        assert db.stats()["wal"]
    assert oracle.run(path, "PRAGMA journal_mode") == [("wal",)]
    with pytest.raises(ValueError, match="journal"):
        SmartShopieDB(path, journal="delete")


def test_a_restored_backup_gets_its_log_again(demo, tmp_path):
    copy = tmp_path / "copy.db"
    demo.backup(copy)
    with oracle.connect(copy) as other:  # not while somebody reads it
        other.execute("BEGIN")
        other.execute("SELECT * FROM overview_kpis").fetchone()
        with SmartShopieDB(copy) as db:
            assert not db.stats()["wal"]
            assert db.overview_kpis.count() == 1
    with SmartShopieDB(copy) as db:
        assert db.stats()["wal"]
