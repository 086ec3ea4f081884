"""What lies beside a database file under the names that SQLite uses may be a
stranger's, too: nothing outside is written, deleted or waited for."""

from __future__ import annotations

import os
import struct

import layouts
import oracle
import pytest

from smartshopie_db import OperationalError, SmartShopieDB

ENDINGS = ["-journal", "-wal", "-shm"]
MODES = [{}, {"mode": "rw"}, {"mode": "ro"}, {"mode": "ro", "untrusted": True}]
MAGIC = bytes.fromhex("d9d505f920a163d7")


@pytest.fixture
def old_file(tmp_path):
    return layouts.build(tmp_path / "old.db", "older")


def refused(path, options, match):
    db = SmartShopieDB(path, **options)
    with pytest.raises(OperationalError, match=match):
        db.connect()
    db.close()


@pytest.mark.parametrize("options", MODES)
@pytest.mark.parametrize("ending", ENDINGS)
def test_a_link_is_not_followed(tmp_path, old_file, ending, options):
    precious = tmp_path / "precious"
    precious.write_bytes(b"precious" * 1000)
    (tmp_path / f"old.db{ending}").symlink_to(precious)
    refused(old_file, options, f"old.db{ending} is a symbolic link")
    assert precious.read_bytes() == b"precious" * 1000


@pytest.mark.parametrize("options", MODES)
@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.timeout(20)
def test_a_fifo_is_not_waited_for(tmp_path, old_file, ending, options):
    os.mkfifo(tmp_path / f"old.db{ending}")
    refused(old_file, options, f"old.db{ending} is special")


def test_beside_the_file_that_a_link_leads_to(tmp_path, old_file):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "link.db").symlink_to(old_file)
    (tmp_path / "old.db-journal").symlink_to(tmp_path / "precious")
    refused(elsewhere / "link.db", {}, "old.db-journal is a symbolic link")


def killed_while_writing(path):
    """Leaves a journal that is to be undone."""
    child = os.fork()
    if child == 0:
        connection = oracle.sqlite3.connect(path, isolation_level=None)
        connection.execute("PRAGMA cache_size = 1")
        connection.execute("BEGIN")
        connection.execute("CREATE TABLE big (a)")
        for _ in range(100):
            connection.execute("INSERT INTO big VALUES (zeroblob(4000))")
        os._exit(9)
    os.waitpid(child, 0)


def name_super_journal(path, name):
    with open(f"{path}-journal", "ab") as journal:
        journal.write(struct.pack(">I", 99) + name)
        journal.write(struct.pack(">II", len(name), sum(name)) + MAGIC)


@pytest.mark.parametrize("ending", [b"", b"\0-mj00000A9BB", b"-mj0000A9BB"])
@pytest.mark.parametrize("options", MODES)
def test_a_journal_names_no_file_to_delete(tmp_path, old_file, options, ending):
    precious = tmp_path / "precious"
    precious.write_bytes(b"precious")
    killed_while_writing(old_file)
    name_super_journal(old_file, os.fsencode(precious) + ending)
    refused(old_file, options, "would delete a file that it names")
    assert precious.read_bytes() == b"precious"


def test_a_transaction_over_several_files_is_undone(tmp_path, old_file):
    killed_while_writing(old_file)
    several = tmp_path / "other.db-mj00000A9BB"
    several.write_bytes(os.fsencode(f"{old_file}-journal") + b"\0")
    name_super_journal(old_file, os.fsencode(several))
    with SmartShopieDB(old_file) as db:
        assert db.query("PRAGMA integrity_check")[0]["integrity_check"] == "ok"
        assert not db.query("SELECT 1 FROM sqlite_schema WHERE name = 'big'")
    assert not (tmp_path / "old.db-journal").exists()


def test_a_journal_alone_is_undone(tmp_path, old_file):
    killed_while_writing(old_file)
    with SmartShopieDB(old_file) as db:
        assert db.query("PRAGMA integrity_check")[0]["integrity_check"] == "ok"
    assert not (tmp_path / "old.db-journal").exists()
