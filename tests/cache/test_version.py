"""db.version: another text for another content, and the same for the same."""

import os
import subprocess
import sys
import time

import oracle
import pytest
from cached import CHANGE, CHANGES, elsewhere, fill, newest, total

from smartshopie_db import ClosedError, ProgrammingError, SmartShopieDB


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_change_is_another_version(db, change):
    before = db.version
    assert before == db.version
    newest(db)
    assert db.version == before
    change(db)
    after = db.version
    assert after != before
    assert after == db.version


def test_the_version_of_nothing_new(db):
    before = db.version
    with pytest.raises(KeyError), db.transaction():
        db.execute(CHANGE)
        raise KeyError
    elsewhere(db.db_path, "PRAGMA wal_checkpoint(PASSIVE)")
    with SmartShopieDB(db.db_path) as other:
        assert other.version == before
    code = (
        "import sys, smartshopie_db as s; print(s.SmartShopieDB(sys.argv[1]).version)"
    )
    command = [sys.executable, "-c", code, db.db_path]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    assert answer.stdout.strip() == before
    assert db.version == before


def test_the_version_stays_over_restarts(path):
    with SmartShopieDB(path) as db:
        fill(db)
    versions = set()
    for _ in range(3):  # nothing is left to fold away
        with SmartShopieDB(path) as db:
            versions.add(db.version)
            total(db)
    assert len(versions) == 1
    seen = set()
    for _ in range(20):  # as fast as can be, where file times are coarse
        oracle.run(path, CHANGE)
        with SmartShopieDB(path) as db:
            seen.add(db.version)
    assert len(seen) == 20


def test_the_version_waits_for_the_clock_of_files(db):
    """Another write could leave the time that the file has now."""
    path = db.db_path

    def reopened(times=None):
        db.close()
        os.utime(path, times)
        db.connect()
        begun = time.monotonic()
        assert db.version
        return time.monotonic() - begun

    for _ in range(3):
        reopened()
        assert time.time_ns() - os.stat(path).st_mtime_ns >= 20_000_000
    assert reopened((time.time() + 3600,) * 2) < 1  # a clock that was put back


def test_the_version_is_made_once(db):
    """The text is kept as long as its state, and is no other's."""
    kept = db.version
    assert db.version is kept
    with db.snapshot():
        assert db.version == kept
        elsewhere(db.db_path, CHANGE)
        assert db.version == kept
    changed = db.version
    assert changed != kept and db.version is changed
    fill(db, 1)
    assert db.version not in (kept, changed)
    db.close()
    db.connect()
    assert db.version not in (kept, changed)


def test_the_version_in_a_block(db):
    before = db.version
    with db.snapshot():
        assert db.version == before
        elsewhere(db.db_path, CHANGE)
        assert db.version == before
        assert newest(db) == 104
    assert db.version != before
    with db.transaction(), pytest.raises(ProgrammingError, match="transaction"):
        _ = db.version


def test_the_version_of_a_rollback_journal(old_file):
    with SmartShopieDB(old_file) as db:
        versions = [db.version]
        for _ in range(3):
            assert db.version == versions[-1]
            elsewhere(old_file, CHANGE)
            versions.append(db.version)
        db.execute(CHANGE)
        versions.append(db.version)
        with db.snapshot():
            assert db.version == versions[-1]
    assert len(set(versions)) == 5
    with SmartShopieDB(old_file) as db:
        assert db.version == versions[-1]


def test_the_version_of_memory():
    with SmartShopieDB(":memory:") as db, SmartShopieDB(":memory:") as other:
        before = db.version
        assert before == db.version != other.version
        fill(db, 1)
        assert db.version != before


def test_the_version_of_a_closed_database(path):
    db = SmartShopieDB(path)
    assert db.version  # opens it
    db.close()
    with pytest.raises(ClosedError):
        _ = db.version
