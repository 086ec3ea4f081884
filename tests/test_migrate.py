"""db.migrate(): an old file becomes a current one, and not a cell of it is lost."""

import datetime
import json
import re
import sqlite3
import subprocess
import threading
import time
from pathlib import Path

import layouts
import oracle
import pytest
import scripts
from schema_facts import TABLES

from smartshopie_db import (
    OperationalError,
    ProgrammingError,
    ReadOnlyError,
    SchemaError,
    SmartShopieDB,
)

SECOND = re.compile(r"\.v0-\d{8}T\d{6}Z\.backup$")


def rows(path, sql):
    db = sqlite3.connect(path)
    try:
        db.row_factory = sqlite3.Row
        return [dict(row) for row in db.execute(sql)]
    finally:
        db.close()


def dump(path):
    db = sqlite3.connect(path)
    try:
        return list(db.iterdump())
    finally:
        db.close()


def make(path, *statements):
    db = sqlite3.connect(path)
    for statement in statements:
        db.execute(statement)
    db.commit()
    db.close()
    return path


def raw_tables(path):
    """Every table as it is stored, row by row id."""
    names = [name for name in TABLES if name in oracle.counts(path)]
    return {
        name: {
            row.pop("_row_id"): row
            for row in rows(path, f"SELECT rowid AS _row_id, * FROM {name}")
        }
        for name in names
    }


def typed_tables(path):
    """The same as we read it, cells that no type can hold as None."""
    with SmartShopieDB(path, strict=False) as db:
        return {
            name: {row.id: dict(row) for row in getattr(db, name).select()}
            for name in oracle.counts(path)
            if name in TABLES
        }


def as_json(row):
    """What _rejected keeps of a row."""
    return {
        name: {"hex": value.hex()} if isinstance(value, bytes) else value
        for name, value in row.items()
    }


def migrated(path, **options):
    with SmartShopieDB(path) as db:
        return db.migrate(**options)


# ---- whole files -----------------------------------------------------------------


def test_no_row_is_lost(old_path):
    raw, typed = raw_tables(old_path), typed_tables(old_path)
    report = migrated(old_path)
    kept = {}
    for row in rows(old_path, "SELECT * FROM _rejected"):
        assert json.loads(row["row"]) == as_json(raw[row["table_name"]][row["row_id"]])
        assert row["reason"]
        kept.setdefault(row["table_name"], set()).add(row["row_id"])
    after = typed_tables(old_path)
    touched = {(row.table, row.row_id): row for row in report.rows}
    for table in report.tables:
        name = table.table
        assert table.rows == len(raw[name])
        assert table.rows == table.copied + table.merged + table.rejected
        assert set(after[name]) | kept.get(name, set()) == set(raw[name])
        assert len(after[name]) == table.copied
        for row_id, row in after[name].items():
            if (name, row_id) not in touched:
                same_cells(name, row, typed[name][row_id])
    assert {table.table for table in report.tables} == set(raw)


def same_cells(table, new, old):
    for column, value in new.items():
        if old[column] is None and column in ("created_at", "updated_at"):
            assert value is not None
        elif old[column] is None and value is not None:
            assert (table, column, value) == ("api_configurations", "status", "active")
        else:
            assert value == old[column], (table, column)


def test_the_result_is_what_a_new_file_is(old_path, blank_file):
    counters = {
        row["name"]: row["seq"]
        for row in rows(old_path, "SELECT * FROM sqlite_sequence")
    }
    migrated(old_path)
    schema = "SELECT type, name, sql FROM sqlite_schema WHERE name <> '_rejected'"
    old, blank = rows(old_path, schema), rows(blank_file, schema)
    assert sorted(old, key=str) == sorted(blank, key=str)
    for pragma in ("application_id", "user_version", "journal_mode"):
        ask = f"PRAGMA {pragma}"
        assert rows(old_path, ask) == rows(blank_file, ask)
    assert rows(old_path, "PRAGMA integrity_check") == [{"integrity_check": "ok"}]
    assert rows(old_path, "PRAGMA foreign_key_check") == []
    for row in rows(old_path, "SELECT * FROM sqlite_sequence"):
        assert row["seq"] >= counters.get(row["name"], 0)
    with SmartShopieDB(old_path) as db:
        assert db.stats()["layout"] == "current"
        for table in TABLES.values():
            getattr(db, table.name).select()  # strict


def test_the_real_files_lose_nothing_at_all(real_path):
    before = typed_tables(real_path)
    report = migrated(real_path)
    assert len(report.rows) == 0
    assert sum(row.merged + row.rejected + row.cleared for row in report.tables) == 0
    assert len(report.objects) == 11
    after = typed_tables(real_path)
    for name, table in before.items():
        assert set(after[name]) == set(table)
        for row_id, row in table.items():
            same_cells(name, after[name][row_id], row)


def test_a_dry_run_changes_nothing_and_reports_the_same(old_path, tmp_path):
    before = old_path.read_bytes()
    dry = migrated(old_path, dry_run=True)
    assert old_path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == [old_path.name]
    report = migrated(old_path)
    assert dry.dry_run and not report.dry_run
    assert dry.backup is None and report.backup is not None
    assert dry[:2] == report[:2] == (0, 1)
    for name in ("tables", "rows", "objects"):
        assert getattr(dry, name) == getattr(report, name)


def test_the_second_time_there_is_nothing_to_do(legacy_path, tmp_path):
    migrated(legacy_path)
    before, files = legacy_path.read_bytes(), sorted(tmp_path.iterdir())
    report = migrated(legacy_path)
    assert (report.from_version, report.to_version) == (1, 1)
    assert report.backup is None and len(report.tables) == len(report.rows) == 0
    assert legacy_path.read_bytes() == before
    assert sorted(tmp_path.iterdir()) == files


def test_a_current_file_has_nothing_to_do(db):
    report = db.migrate()
    assert report.from_version == report.to_version == 1
    assert repr(report).startswith("smartshopie_db.Migration(from_version=1, ")


# ---- the backup ------------------------------------------------------------------


def test_the_backup_is_the_file_as_it_was(legacy_path, tmp_path):
    before = dump(legacy_path)
    report = migrated(legacy_path)
    assert SECOND.search(report.backup)
    assert report.backup.startswith(str(legacy_path))
    assert dump(report.backup) == before
    assert sorted(tmp_path.iterdir()) == sorted([legacy_path, Path(report.backup)])


def test_the_backup_goes_where_it_is_told(legacy_path, tmp_path):
    target = tmp_path / "safe" / "old.db"
    with pytest.raises(OperationalError, match="safe"):
        migrated(legacy_path, backup=target)
    assert rows(legacy_path, "PRAGMA user_version") == [{"user_version": 0}]
    target.parent.mkdir()
    before = dump(legacy_path)
    assert migrated(legacy_path, backup=target).backup == str(target)
    assert dump(target) == before
    assert [file.name for file in target.parent.iterdir()] == ["old.db"]


def test_a_backup_beside_the_current_folder(legacy_path, tmp_path, monkeypatch):
    """A path that is not absolute is one from the current folder, as for open()."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    assert migrated(legacy_path, backup="old.db").backup == str(folder / "old.db")
    assert [file.name for file in folder.iterdir()] == ["old.db"]


@pytest.mark.parametrize("wrong", ["", ":memory:"])
def test_a_backup_is_a_file(legacy_path, wrong):
    before = legacy_path.read_bytes()
    with pytest.raises(ValueError, match="expected a file name"):
        migrated(legacy_path, backup=wrong)
    assert legacy_path.read_bytes() == before


def test_a_backup_overwrites_nothing(legacy_path, tmp_path):
    target = tmp_path / "precious"
    target.write_text("words")
    before = legacy_path.read_bytes()
    with pytest.raises(OperationalError, match="exists already"):
        migrated(legacy_path, backup=target)
    assert target.read_text() == "words"
    assert legacy_path.read_bytes() == before


def test_without_a_backup(legacy_path, tmp_path):
    assert migrated(legacy_path, backup=False).backup is None
    assert [file.name for file in tmp_path.iterdir()] == [legacy_path.name]


@pytest.mark.parametrize("wrong", [None, 1, 2.5, []])
def test_backup_is_true_false_or_a_path(legacy_path, wrong):
    with SmartShopieDB(legacy_path) as db, pytest.raises(TypeError, match="backup"):
        db.migrate(backup=wrong)


# ---- rows ------------------------------------------------------------------------


def test_the_newest_of_a_key_wins(tmp_path):
    path = make(
        tmp_path / "old.db",
        f"CREATE TABLE overview_kpis ({layouts.OLDEST['overview_kpis']})",
        "INSERT INTO overview_kpis (record_date, total_customers) VALUES"
        " ('2025-01-01', 1), ('2025-01-02', 2), ('2025-01-01 00:00:00', 3),"
        " ('2025-01-01', 4)",
    )
    report = migrated(path)
    (table,) = report.tables
    assert (table.rows, table.copied, table.merged) == (4, 2, 2)
    with SmartShopieDB(path) as db:
        assert [(r.id, r.total_customers) for r in db.overview_kpis.select()] == [
            (2, 2),
            (4, 4),
        ]
        assert db.add_overview_kpis(record_date="2025-01-03", total_customers=5) == 5
    assert [(row.row_id, row.what) for row in report.rows] == [
        (3, "merged"),
        (1, "merged"),
    ]
    assert "row 4, which is newer" in report.rows[0].detail


def test_what_a_missing_key_becomes(tmp_path):
    path = tmp_path / "old.db"
    db = sqlite3.connect(path)
    layouts.reduced(db)
    db.executescript("""
        INSERT INTO usage_breakdown (month, usage_type, used) VALUES
            ('2025-05-04', 'chat', 680), (NULL, 'image', 1), ('2025-06-04', NULL, 2);
        INSERT INTO billing_summary (plan_name, renewal_date) VALUES
            ('Pro', '2025-11-15'), (NULL, '2025-12-15'), ('Pro', NULL);
        INSERT INTO api_endpoints (endpoint_name, avg_response_ms) VALUES
            ('chat', 12), (NULL, 13);
        INSERT INTO billing_payments VALUES
            ('2025-10-01', NULL, 5, 'paid', ''), (NULL, 'Pro', 6, 'paid', '');
        INSERT INTO usage_alerts VALUES
            ('info', NULL, 'Nearly there', '2025-10-01T00:00:00'),
            ('info', 'When?', 'x', NULL);
        INSERT INTO realtime_metrics (recorded_at, active_sessions) VALUES
            ('2025-10-31T07:19:00', 1), (NULL, 2);
    """)
    db.close()
    report = migrated(path)
    day = datetime.date
    with SmartShopieDB(path) as db:
        (usage,) = db.usage_breakdown.select()
        assert (usage.record_date, usage.service_name) == (day(2025, 5, 4), "chat")
        first, second = db.billing_summary.select()
        assert first.billing_period_start == first.billing_period_end
        assert first.billing_period_end == day(2025, 11, 15)
        assert second.plan_name == "unknown"
        (endpoint,) = db.api_endpoints.select()
        assert (endpoint.method, endpoint.avg_response_ms) == ("GET", 12.0)
        (payment,) = db.billing_payments.select()
        assert payment.description == "unknown"
        (alert,) = db.usage_alerts.select()
        assert alert.title == "Nearly there"
        assert len(db.realtime_metrics.select()) == 1
    rejected = [row for row in report.rows if row.what == "rejected"]
    assert [(row.table, row.row_id, row.column) for row in rejected] == [
        ("billing_summary", 3, "billing_period_start"),
        ("usage_breakdown", 3, "service_name"),
        ("usage_breakdown", 2, "record_date"),
        ("api_endpoints", 2, "endpoint_name"),
        ("billing_payments", 2, "payment_date"),
        ("realtime_metrics", 2, "recorded_at"),
        ("usage_alerts", 2, "created_at"),
    ]
    assert rejected[0].detail == "it has no billing_period_start"
    filled = {(row.table, row.column) for row in report.rows if row.what == "filled"}
    assert ("api_endpoints", "method") in filled


def test_a_cell_that_does_not_fit_is_cleared_and_kept(tmp_path):
    path = make(
        tmp_path / "old.db",
        f"CREATE TABLE overview_kpis ({layouts.OLDEST['overview_kpis']})",
        "INSERT INTO overview_kpis (record_date, total_customers, conversion_rate,"
        " ai_interactions, revenue_impact) VALUES"
        " ('2025-01-01', 'many', 120, 7.0, 1e999), ('soon', 1, 1, 1, 1)",
    )
    report = migrated(path)
    with SmartShopieDB(path) as db:
        (row,) = db.overview_kpis.select()
        assert (row.total_customers, row.conversion_rate) == (None, None)
        assert row.ai_interactions == 7
    (table,) = report.tables
    assert (table.copied, table.rejected, table.cleared) == (1, 1, 2)
    assert [row.detail for row in report.rows] == [
        "it has no record_date",
        "total_customers: 'many' is no INTEGER; "
        "conversion_rate: 120 is out of its range",
    ]
    kept = rows(path, "SELECT row FROM _rejected ORDER BY id")
    assert json.loads(kept[0]["row"])["record_date"] == "soon"
    assert json.loads(kept[1]["row"])["total_customers"] == "many"
    assert '"revenue_impact": 9e999' in kept[1]["row"]


def test_a_secret_is_not_in_the_report(tmp_path):
    path = make(
        tmp_path / "old.db",
        f"CREATE TABLE api_configurations ({layouts.OLDEST['api_configurations']})",
        "INSERT INTO api_configurations (api_type, api_name, api_url, api_key) VALUES"
        " ('a', 'b', 'c', x'73656372657421')",
    )
    report = migrated(path)
    (row,) = report.rows
    assert row.detail == "api_key: the value is no TEXT"


def test_the_users_own_things_stay(tmp_path):
    path = tmp_path / "old.db"
    db = sqlite3.connect(path)
    db.executescript(f"""
        CREATE TABLE overview_kpis ({layouts.OLDEST["overview_kpis"]},
            "my note" VARCHAR(20), record_dates TEXT);
        CREATE TABLE notes (id INTEGER PRIMARY KEY, kpi INTEGER REFERENCES
            overview_kpis (id), words TEXT);
        CREATE VIEW latest AS SELECT max(record_date) AS day FROM overview_kpis;
        CREATE INDEX mine ON overview_kpis (total_customers);
        CREATE INDEX on_notes ON notes (words);
        CREATE TRIGGER count_notes AFTER INSERT ON overview_kpis
            BEGIN INSERT INTO notes (words) VALUES ('x'); END;
        INSERT INTO overview_kpis (record_date, "my note", record_dates)
            VALUES ('2025-01-01', 'hello', x'00ff');
        DELETE FROM notes;
        INSERT INTO notes VALUES (1, 1, 'kept');
    """)
    before = rows(path, "SELECT name, sql FROM sqlite_schema WHERE name IN"
                        " ('notes', 'latest', 'count_notes', 'on_notes')")  # fmt: skip
    db.close()
    report = migrated(path)
    assert rows(path, "SELECT * FROM notes") == [{"id": 1, "kpi": 1, "words": "kept"}]
    assert rows(path, "SELECT * FROM latest") == [{"day": "2025-01-01"}]
    after = rows(path, "SELECT name, sql FROM sqlite_schema WHERE name IN"
                       " ('notes', 'latest', 'count_notes', 'on_notes')")  # fmt: skip
    assert sorted(map(str, after)) == sorted(map(str, before))
    (row,) = rows(path, 'SELECT "my note", record_dates FROM overview_kpis')
    assert row == {"my note": "hello", "record_dates": b"\x00\xff"}
    assert [(o.type, o.name, o.table, o.what) for o in report.objects] == [
        ("view", "latest", None, "kept"),
        ("index", "mine", "overview_kpis", "dropped"),
        ("trigger", "count_notes", "overview_kpis", "kept"),
    ]
    assert (
        report.objects[1].sql == "CREATE INDEX mine ON overview_kpis (total_customers)"
    )


def test_a_type_in_the_file_is_no_sql_of_ours(tmp_path):
    path = make(
        tmp_path / "old.db",
        "CREATE TABLE overview_kpis (id INTEGER PRIMARY KEY, record_date DATE,"
        ' extra "TEXT); DROP TABLE notes; --")',
        "CREATE TABLE notes (words)",
        "INSERT INTO overview_kpis VALUES (1, '2025-01-01', 'x')",
    )
    migrated(path)
    assert rows(path, "SELECT * FROM notes") == []
    assert rows(path, "SELECT extra FROM overview_kpis") == [{"extra": "x"}]


def test_of_the_text_of_a_trigger_one_statement_is_run(tmp_path):
    path, other = tmp_path / "old.db", tmp_path / "other.db"
    make(
        path,
        "CREATE TABLE overview_kpis (id INTEGER PRIMARY KEY, record_date DATE)",
        "CREATE TRIGGER t AFTER INSERT ON overview_kpis BEGIN SELECT 1; END",
        "PRAGMA writable_schema = ON",
        f"UPDATE sqlite_schema SET sql = sql || '; COMMIT; ATTACH ''{other}'' AS o;"
        " CREATE TABLE o.x (y); BEGIN' WHERE name = 't'",
    )
    with SmartShopieDB(path) as db:
        with pytest.raises(ProgrammingError, match="one statement"):
            db.migrate()
        assert db.overview_kpis.count() == 0
    assert not other.exists()
    assert rows(path, "PRAGMA user_version") == [{"user_version": 0}]


@pytest.mark.parametrize(
    "taken",
    [
        "CREATE TABLE _rejected (a)",
        "CREATE VIEW _rejected AS SELECT 1",
        "CREATE INDEX _Rejected ON overview_kpis (record_date)",
        "CREATE TABLE _legacy_overview_kpis (a)",
        "CREATE VIEW _legacy_overview_kpis AS SELECT 1",
    ],
)
@pytest.mark.parametrize("dry_run", [True, False])
def test_a_name_that_it_needs_is_taken(tmp_path, taken, dry_run):
    path = make(
        tmp_path / "old.db",
        "CREATE TABLE overview_kpis (id INTEGER PRIMARY KEY, record_date DATE)",
        taken,
    )
    name = taken.split()[2]
    with (
        SmartShopieDB(path) as db,
        pytest.raises(SchemaError, match=f"(?i){name}.*rename it"),
    ):
        db.migrate(dry_run=dry_run)
    assert [found.name for found in tmp_path.iterdir()] == ["old.db"]


@pytest.mark.parametrize("version", [-1, -(2**31)])
def test_a_version_that_nobody_makes(path, version):
    oracle.run(path, f"PRAGMA user_version = {version}")
    with SmartShopieDB(path) as db, pytest.raises(SchemaError, match=str(version)):
        db.migrate()


# ---- who may, and who is first ---------------------------------------------------


def test_on_opening(legacy_path, tmp_path):
    with SmartShopieDB(legacy_path, migrate=True) as db:
        assert db.stats()["layout"] == "current"
        assert db.stats()["wal"]
    assert len(list(tmp_path.glob("*.backup"))) == 1
    with SmartShopieDB(legacy_path, migrate=True) as db:
        assert db.stats()["layout"] == "current"
    assert len(list(tmp_path.glob("*.backup"))) == 1


def test_a_new_file_needs_no_migration(tmp_path):
    with SmartShopieDB(tmp_path / "new.db", migrate=True) as db:
        assert db.get_overview_kpis() is None
    assert list(tmp_path.glob("*.backup")) == []


def test_not_for_readers(legacy_path):
    with pytest.raises(ValueError, match="migrate=True"):
        SmartShopieDB(legacy_path, mode="ro", migrate=True)
    with SmartShopieDB(legacy_path, mode="ro") as db, pytest.raises(ReadOnlyError):
        db.migrate()


def test_not_inside_a_block(legacy_path):
    with SmartShopieDB(legacy_path) as db:
        with db.transaction(), pytest.raises(ProgrammingError, match="inside"):
            db.migrate()
        assert db.migrate().to_version == 1


@pytest.mark.parametrize("kind", ["newer", "foreign version", "foreign"])
def test_files_of_others_are_left_alone(path, tmp_path, kind):
    if kind == "newer":
        make(path, "PRAGMA user_version = 99")
    elif kind == "foreign":
        path = make(tmp_path / "other.db", "CREATE TABLE x (y)")
    else:
        path = make(
            tmp_path / "other.db",
            "CREATE TABLE overview_kpis (record_date DATE)",
            "PRAGMA user_version = 7",
        )
    before = path.read_bytes()
    if kind == "foreign":
        assert len(migrated(path).tables) == 0
    else:
        with pytest.raises(SchemaError, match=r"version (99|7)"):
            migrated(path)
    assert path.read_bytes() == before


def test_others_go_on_with_the_new_tables(legacy_path):
    with SmartShopieDB(legacy_path) as other, SmartShopieDB(legacy_path) as db:
        before = [dict(row) for row in other.overview_kpis.select(columns=["id"])]
        db.migrate()
        after = [dict(row) for row in other.overview_kpis.select(columns=["id"])]
        assert len(after) <= len(before)
        day = "2031-01-01"
        other.add_overview_kpis(record_date=day, total_customers=1)
        assert db.get_overview_kpis(day).total_customers == 1
        assert other.stats()["layout"] == "current"


def test_no_answer_is_stale_after_it(real_path):
    with SmartShopieDB(real_path) as db, SmartShopieDB(real_path) as other:
        for one in (db, other):
            assert one.get_overview_kpis() == one.get_overview_kpis()
        db.migrate()
        for n in (7, 8):
            make(real_path, f"UPDATE overview_kpis SET total_customers = {n}")
            for one in (db, other):
                assert one.get_overview_kpis().total_customers == n
                assert one.get_overview_kpis().total_customers == n


RACE = """
from smartshopie_db import SmartShopieDB
import sys
with SmartShopieDB(sys.argv[1], busy_timeout=60) as db:
    print("ready", flush=True)
    sys.stdin.readline()
    print(db.migrate().from_version, len(db.overview_kpis.select()))
"""


def test_of_eight_processes_one_does_it(real_path, tmp_path):
    processes = [
        scripts.start(RACE, real_path, stdin=subprocess.PIPE) for _ in range(8)
    ]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()
    answers = [scripts.finish(process, timeout=120).split() for process in processes]
    assert sorted(int(version) for version, _ in answers) == [0] + [1] * 7
    assert len({int(count) for _, count in answers}) == 1
    assert len(list(tmp_path.glob("*.backup"))) == 1


@pytest.mark.timed
def test_it_can_be_stopped(tmp_path):
    path = tmp_path / "old.db"
    db = sqlite3.connect(path)
    layouts.oldest(db)
    db.execute(
        "WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c"
        " LIMIT 300000) INSERT INTO customer_interactions (interaction_id,"
        " interaction_date, interaction_type) SELECT n, '2025-01-01T00:00:00', 'x'"
        " FROM c"
    )
    db.commit()
    db.close()
    before = path.read_bytes()
    with SmartShopieDB(path) as db:
        stopper = threading.Timer(0.5, db.cancel)
        stopper.start()
        begun = time.monotonic()
        with pytest.raises(OperationalError, match="cancel"):
            db.migrate()
        stopper.join()
        assert time.monotonic() - begun < 1.5
        assert db.customer_interactions.count() == 300000
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["old.db"]
