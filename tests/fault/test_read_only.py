"""Files and folders that may be read and not written, or not even read."""

import os
import shutil

import layouts
import oracle
import pytest
import scripts

pytestmark = pytest.mark.timeout(60)

# Permissions do not apply to root, so the work is done as nobody.
AS_NOBODY = """
import sqlite3
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
def writes(db):
    return (
        lambda: add(db, 9),
        lambda: db.realtime_metrics.update(1, active_sessions=5),
        lambda: db.realtime_metrics.delete(all=True),
        lambda: db.execute("DELETE FROM realtime_metrics"),
        lambda: db.execute_query("DELETE FROM realtime_metrics"),
        lambda: db.transaction().__enter__(),
        db.initialize_database,
    )
"""


@pytest.fixture
def folder(tmp_path):
    """A folder that everybody can reach and write."""
    for parent in (tmp_path, *tmp_path.parents):
        if parent.stat().st_uid == os.geteuid() and parent.stat().st_mode & 0o005 == 0:
            parent.chmod(parent.stat().st_mode | 0o005)
    folder = tmp_path / "folder"
    folder.mkdir()
    folder.chmod(0o777)
    yield folder
    folder.chmod(0o777)


@pytest.fixture
def ours(folder, blank_file):
    path = shutil.copy(blank_file, folder / "shop.db")
    insert = "INSERT INTO realtime_metrics (recorded_at, active_sessions) VALUES"
    oracle.run(path, f"{insert} ('2025-01-01 00:00:00', 1)")
    path.chmod(0o666)
    return path


@pytest.fixture
def older(folder):
    path = layouts.build(folder / "old.db", "newer", rows=False)
    oracle.run(
        path, "INSERT INTO realtime_metrics VALUES ('2025-01-01', 1, 2, 3, 4, 5)"
    )
    path.chmod(0o666)
    return path


def run(code, path):
    return scripts.run(AS_NOBODY + scripts.textwrap.dedent(code), path)


READS = """
    before = os.stat(PATH).st_mtime_ns
    for mode in ("rwc", "rw", "ro"):
        db = SmartShopieDB(PATH, mode=mode)
        assert numbers(db) == [1]
        assert db.get_realtime_metrics()[0].active_sessions == 1
        assert len(db.query("SELECT 1")) == 1
        for write in writes(db):
            raises(ReadOnlyError, write)
        with db.snapshot():
            assert numbers(db) == [1]
        db.close()
    assert os.stat(PATH).st_mtime_ns == before
"""


def test_a_read_only_file_of_ours(ours):
    ours.chmod(0o444)
    before = oracle.digest(ours)
    run(READS, ours)
    assert oracle.digest(ours) == before


def test_a_read_only_older_file(older):
    older.chmod(0o444)
    before = oracle.digest(older)
    run(READS, older)
    assert oracle.digest(older) == before


def test_an_older_file_in_a_read_only_folder(older, folder):
    folder.chmod(0o555)
    before = oracle.digest(older)
    older.chmod(0o444)
    run(READS, older)
    assert oracle.digest(older) == before


def test_an_older_file_that_may_be_written_in_a_folder_that_may_not(older, folder):
    """The journal cannot be made beside it."""
    folder.chmod(0o555)
    before = oracle.digest(older)
    run(
        """
        db = SmartShopieDB(PATH)
        assert numbers(db) == [1]
        for write in writes(db)[:3]:
            raises((ReadOnlyError, OperationalError), write)
        assert numbers(db) == [1]
        db.close()
        """,
        older,
    )
    assert oracle.digest(older) == before


def test_a_file_of_ours_in_a_read_only_folder_names_the_ways_out(ours, folder):
    folder.chmod(0o555)
    run(
        """
        for mode in ("rwc", "ro"):
            db = SmartShopieDB(PATH, mode=mode)
            error = raises(OperationalError, lambda: numbers(db))
            assert "immutable=True" in str(error), error
            assert "journal_mode=DELETE" in str(error), error
            db.close()
        db = SmartShopieDB(PATH, mode="ro", immutable=True)
        assert numbers(db) == [1]
        for write in writes(db):
            raises(ReadOnlyError, write)
        db.close()
        """,
        ours,
    )
    assert [path.name for path in folder.iterdir()] == [ours.name]


def test_a_file_of_ours_whose_wal_is_there_in_a_read_only_folder(ours, folder):
    """Its newest rows are in the WAL: immutable would miss them, so nothing is read
    wrongly in silence."""
    scripts.run("db = SmartShopieDB(PATH); add(db, 2); os._exit(0)", ours)
    for path in folder.iterdir():
        path.chmod(0o444)
    folder.chmod(0o555)
    run(
        """
        db = SmartShopieDB(PATH, mode="ro")
        try:
            assert numbers(db) == [1, 2]
        except OperationalError as error:
            assert "WAL" in str(error) or "wal" in str(error), error
        db.close()
        """,
        ours,
    )


def test_a_folder_in_which_nothing_can_be_made(folder):
    folder.chmod(0o555)
    run(
        """
        for path in (PATH, PATH + "/sub/x.db"):
            error = raises(OperationalError, SmartShopieDB(PATH).connect)
            assert "permission" in str(error) and PATH in str(error), error
        """,
        folder / "new.db",
    )
    assert list(folder.iterdir()) == []


def test_a_file_that_may_not_be_read(ours):
    ours.chmod(0o000)
    run(
        """
        for mode in ("rwc", "rw", "ro"):
            error = raises(OperationalError, SmartShopieDB(PATH, mode=mode).connect)
            assert "permission" in str(error) and PATH in str(error), error
        """,
        ours,
    )


def test_a_folder_that_may_not_be_entered(ours, folder):
    folder.chmod(0o600)
    run(
        """
        for mode in ("rwc", "rw", "ro"):
            error = raises(OperationalError, SmartShopieDB(PATH, mode=mode).connect)
            assert "permission" in str(error), error
        """,
        ours,
    )


def test_permission_that_is_given_later(ours, folder):
    ours.chmod(0o444)
    run(
        """
        db = SmartShopieDB(PATH)
        raises(ReadOnlyError, lambda: add(db, 2))
        db.close()
        """,
        ours,
    )
    for file in folder.iterdir():  # SQLite made its -wal and -shm like the file
        file.chmod(0o666)
    run(
        """
        db = SmartShopieDB(PATH)
        add(db, 2)
        assert numbers(db) == [1, 2]
        db.close()
        """,
        ours,
    )
