"""backup(): a file that equals one commit, made while others write; or no file."""

import itertools
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing

import oracle
import pytest
import scripts
import soak

from smartshopie_db import (
    OperationalError,
    ProgrammingError,
    SmartShopieDB,
)

BACKUPS = soak.times(10, 200)
pytestmark = pytest.mark.timeout(120 + 5 * BACKUPS)
BALLAST = 256 << 20  # bytes; some tenths of a second to copy


@pytest.fixture(scope="module")
def big_file(tmp_path_factory, blank_file):
    path = shutil.copy(blank_file, tmp_path_factory.mktemp("big") / "big.db")
    oracle.run(
        path,
        "PRAGMA journal_mode = OFF",
        "PRAGMA synchronous = OFF",
        "CREATE TABLE ballast (x)",
        f"INSERT INTO ballast VALUES (zeroblob({BALLAST}))",
        "PRAGMA journal_mode = WAL",
    )
    return path


@pytest.fixture
def big(big_file):
    """An open database that takes a while to copy; nobody changes it."""
    with SmartShopieDB(big_file, mode="rw") as db:
        yield db


@pytest.fixture
def target(tmp_path):
    folder = tmp_path / "backups"
    folder.mkdir()
    return folder / "copy.db"


def dump(path):
    with oracle.connect(path) as db:
        return list(db.iterdump())


def alone(path):
    return os.listdir(path.parent) == [path.name]


def test_the_copy_has_the_same_content_in_one_file(demo, target):
    assert demo.backup(target) is None
    assert alone(target)
    assert oracle.healthy(target)
    assert dump(target) == dump(demo.db_path)
    assert oracle.run(target, "PRAGMA journal_mode") == [("delete",)]
    for pragma in ("application_id", "user_version"):
        pragma = f"PRAGMA {pragma}"
        assert oracle.run(target, pragma) == oracle.run(demo.db_path, pragma)
    with SmartShopieDB(target) as copy:
        assert copy.get_overview_kpis() == demo.get_overview_kpis()


def test_the_copy_can_be_read_where_nothing_can_be_written(demo, target):
    """In WAL mode it could not: reading would need a -shm beside it."""
    demo.backup(target)
    scripts.run(
        """
        os.setgroups([]), os.setgid(65534), os.setuid(65534)
        os.chdir("/")
        with SmartShopieDB(PATH, mode="ro") as db:
            assert db.overview_kpis.count() == 1
        """
        if os.getuid() == 0
        else "SmartShopieDB(PATH, mode='ro').overview_kpis.count()",
        readable(target),
    )


def readable(path):
    """The path, for everybody, in a folder that nobody else can write."""
    folder = path.parent
    folder.chmod(0o755)
    while folder != folder.parent and folder.stat().st_uid == os.getuid():
        if folder.stat().st_mode & 0o011 != 0o011:
            folder.chmod(folder.stat().st_mode | 0o011)
        folder = folder.parent
    path.chmod(0o444)
    return path


def test_of_an_older_file(legacy_path, target):
    before = oracle.digest(legacy_path)
    with SmartShopieDB(legacy_path) as db:
        db.backup(target)
    assert oracle.digest(legacy_path) == before
    assert dump(target) == dump(legacy_path)


def test_of_a_real_file(real_path, target):
    with SmartShopieDB(real_path) as db:
        db.backup(target)
    assert oracle.healthy(target)
    assert dump(target) == dump(real_path)


def test_of_memory(target):
    with SmartShopieDB(":memory:") as db:
        db.add_realtime_metric(recorded_at="2025-01-01 00:00:00", active_sessions=7)
        db.backup(target)
    assert oracle.run(target, "SELECT active_sessions FROM realtime_metrics") == [(7,)]
    assert oracle.healthy(target)


def test_permissions_are_those_of_the_database(db, path, target):
    path.chmod(0o640)
    db.backup(target)
    assert target.stat().st_mode & 0o777 == 0o640


def test_a_file_that_nobody_may_write(path, target):
    """Its backup can be written by its owner, or SQLite could not make it."""
    path.chmod(0o444)
    with SmartShopieDB(path, mode="ro") as db:
        db.backup(target)
    assert target.stat().st_mode & 0o777 == 0o644


def test_names_of_every_type_and_relative_ones(db, target, monkeypatch):
    monkeypatch.chdir(target.parent)
    db.backup("a.db")
    db.backup(b"b.db")
    db.backup(target)
    assert sorted(os.listdir()) == ["a.db", "b.db", "copy.db"]


# --- under load --------------------------------------------------------------------

WRITER = """
db = SmartShopieDB(PATH)
begin = int(sys.argv[2])
for n in range(begin, begin + 1_000_000):
    with db.transaction():  # a pair, with different natural keys
        db.add_realtime_metric(recorded_at=minute(2 * n), active_sessions=n)
        db.add_realtime_metric(recorded_at=minute(2 * n + 1), active_sessions=n)
    print(n, flush=True)
"""


class Writer:
    """A process that adds numbered pairs; `acked` is the last it said was committed."""

    def __init__(self, path, begin):
        self.acked = begin - 1
        self.process = scripts.start(WRITER, path, begin)
        self.thread = threading.Thread(target=self.listen)
        self.thread.start()

    def listen(self):
        for line in self.process.stdout:
            self.acked = int(line)

    def stop(self):
        self.process.kill()
        self.thread.join()
        self.process.stdout.close()
        self.process.stderr.close()
        self.process.wait()


def pairs(path, begin, end):
    """The numbers of a range in the file, each with how many rows have it."""
    return oracle.run(
        path,
        "SELECT active_sessions, count(*) FROM realtime_metrics"
        f" WHERE active_sessions >= {begin} AND active_sessions < {end}"
        " GROUP BY 1 ORDER BY 1",
    )


@pytest.mark.slow
def test_under_load_each_copy_is_a_committed_prefix(path, tmp_path):
    begins = (0, 10_000_000)  # the second is beyond what the first can reach
    oracle.run(path, "CREATE TABLE ballast (x)")
    oracle.run(path, "INSERT INTO ballast VALUES (zeroblob(30000000))")
    writers = [Writer(path, begin) for begin in begins]
    grown = 0
    try:
        with SmartShopieDB(path) as db:
            while any(w.acked < b for w, b in zip(writers, begins, strict=True)):
                time.sleep(0.01)
            for i in range(BACKUPS):
                copy = tmp_path / f"copy{i}.db"
                before = [writer.acked for writer in writers]
                db.backup(copy)
                after = [writer.acked for writer in writers]
                grown += after != before
                assert oracle.healthy(copy)
                for begin, low, high in zip(begins, before, after, strict=True):
                    found = pairs(copy, begin, begin + 10_000_000)
                    last = found[-1][0]
                    assert found == [(n, 2) for n in range(begin, last + 1)]
                    assert low <= last <= high + 1
                copy.unlink()
    finally:
        for writer in writers:
            writer.stop()
    soak.figure("backups under load: not a committed prefix", BACKUPS)
    assert grown > BACKUPS // 2, "nobody wrote meanwhile"


def test_others_write_while_it_runs_and_are_not_in_it(big, target):
    seen = []

    def add():
        big.add_realtime_metric(recorded_at="2025-01-01 00:00:00", active_sessions=1)

    def progress(done, total):
        if not seen:
            assert done < total
            thread = threading.Thread(target=add)
            thread.start()
            thread.join(10)
            assert not thread.is_alive()
        seen.append(done)

    try:
        big.backup(target, progress=progress)
        assert big.realtime_metrics.count() == 1
    finally:
        big.realtime_metrics.delete(all=True)
    assert oracle.run(target, "SELECT count(*) FROM realtime_metrics") == [(0,)]


# --- progress ------------------------------------------------------------------------


def test_progress_is_told_at_most_ten_times_a_second_and_at_the_end(big, target):
    calls, times = [], []

    def progress(done, total):
        calls.append((done, total))
        times.append(time.monotonic())

    big.backup(target, progress=progress)
    pages = big.query("PRAGMA page_count")[0].page_count
    assert {total for _, total in calls} == {pages}
    done = [done for done, _ in calls]
    assert done == sorted(done) and done[-1] == pages
    assert len(calls) > 1
    gaps = [b - a for a, b in itertools.pairwise(times[:-1])]
    assert all(gap > 0.095 for gap in gaps)


def test_progress_cannot_use_the_database_and_is_told_so(db, target):
    found = []

    def progress(done, total):
        for use in (db.get_overview_kpis, db.close, db.snapshot().__exit__):
            with pytest.raises(ProgrammingError) as caught:
                use()
            found.append(str(caught.value))
        with pytest.raises(ProgrammingError):
            db.backup(target.with_name("other.db"))

    db.backup(target, progress=progress)
    assert "progress function" in found[0]
    assert "close() inside" in found[1]
    assert alone(target)


@pytest.mark.parametrize("size", ["small", "big"])
def test_what_progress_raises_ends_it(size, target, request):
    db = request.getfixturevalue("db" if size == "small" else "big")

    def progress(done, total):
        raise KeyError("enough")

    with pytest.raises(KeyError, match="enough"):
        db.backup(target, progress=progress)
    assert os.listdir(target.parent) == []
    db.backup(target)


def test_wrong_arguments(db, target):
    with pytest.raises(TypeError, match="progress: expected a function"):
        db.backup(target, progress=3)
    with pytest.raises(TypeError, match=r"path: expected str or os\.PathLike, got int"):
        db.backup(3)
    with pytest.raises(TypeError, match="overwrite"):
        db.backup(target, overwrite=1)
    with pytest.raises(ValueError, match="empty"):
        db.backup("")
    with pytest.raises(ValueError, match=":memory:"):
        db.backup(":memory:")
    assert os.listdir(target.parent) == []


# --- stopping ------------------------------------------------------------------------


@pytest.mark.timed
def test_a_time_limit_leaves_nothing(big, target):
    begun = time.monotonic()
    with pytest.raises(OperationalError, match="time limit"):
        big.backup(target, timeout=0.05)
    assert time.monotonic() - begun < 0.5
    assert os.listdir(target.parent) == []
    assert big.query("SELECT 1")


def test_cancel_leaves_nothing(big, target):
    timer = threading.Timer(0.05, big.cancel)
    timer.start()
    with pytest.raises(OperationalError, match="cancelled"):
        big.backup(target)
    timer.join()
    assert os.listdir(target.parent) == []


def test_ctrl_c_leaves_nothing(big_file, target):
    scripts.run(
        """
        def interrupt(*_):
            os.kill(os.getpid(), signal.SIGINT)
        signal.signal(signal.SIGALRM, interrupt)
        db = SmartShopieDB(PATH, mode="rw").connect()
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        raises(KeyboardInterrupt, lambda: db.backup(sys.argv[2]))
        assert os.listdir(os.path.dirname(sys.argv[2])) == []
        assert len(db.query("SELECT 1")) == 1
        """,
        big_file,
        target,
    )


def test_killed_it_leaves_only_a_part(big_file, target):
    process = scripts.start(
        "SmartShopieDB(PATH, mode='rw').backup(sys.argv[2])", big_file, target
    )
    parts = []
    while not parts and process.poll() is None:
        parts = os.listdir(target.parent)
        time.sleep(0.001)
    process.kill()
    scripts.finish(process, returncode=-signal.SIGKILL)
    assert len(parts) == 1
    assert os.listdir(target.parent) == parts
    assert parts[0].startswith("copy.db.") and parts[0].endswith(".backup-part")
    with SmartShopieDB(big_file, mode="rw") as db:
        db.backup(target)  # it is in nobody's way
    assert sorted(os.listdir(target.parent)) == ["copy.db", *parts]


def test_a_fork_by_progress_leaves_the_backup_to_the_parent(big_file, target):
    scripts.run(
        """
        children = []
        def progress(done, total):
            if not children:
                children.append(os.fork())
        db = SmartShopieDB(PATH, mode="rw")
        try:
            db.backup(sys.argv[2], progress=progress)
        except ForkError:
            os._exit(7 if children == [0] else 8)
        if children == [0]:
            os._exit(9)
        _, status = os.waitpid(children[0], 0)
        assert os.waitstatus_to_exitcode(status) == 7, status
        """,
        big_file,
        target,
    )
    assert alone(target)
    assert oracle.healthy(target)


# --- targets that are refused --------------------------------------------------------


@pytest.mark.parametrize("ending", ["", "-wal", "-shm", "-journal"])
@pytest.mark.parametrize("overwrite", [False, True])
def test_never_onto_the_database_itself(db, path, ending, overwrite):
    with pytest.raises(ValueError, match="a file of the database itself"):
        db.backup(str(path) + ending, overwrite=overwrite)
    assert oracle.healthy(path)


def test_never_onto_another_name_of_the_database(db, path, tmp_path):
    os.link(path, tmp_path / "other.db")
    with pytest.raises(ValueError, match="a file of the database itself"):
        db.backup(tmp_path / "other.db", overwrite=True)
    os.symlink(path, tmp_path / "link.db")
    with pytest.raises(ValueError, match="a file of the database itself"):
        db.backup(tmp_path / "link.db", overwrite=True)


def test_an_existing_file_is_replaced_only_on_demand(db, target):
    target.write_bytes(b"precious")
    with pytest.raises(OperationalError, match="exists already; overwrite=True"):
        db.backup(target)
    assert target.read_bytes() == b"precious"
    db.backup(target, overwrite=True)
    assert alone(target) and oracle.healthy(target)


def test_a_file_made_meanwhile_is_not_replaced(db, target):
    def progress(done, total):
        target.write_bytes(b"precious")

    with pytest.raises(OperationalError, match="File exists"):
        db.backup(target, progress=progress)
    assert alone(target) and target.read_bytes() == b"precious"


def test_a_file_in_use_is_not_replaced(db, target):
    """Its -wal would be taken for the copy's."""
    with closing(sqlite3.connect(target)) as other:
        other.execute("PRAGMA journal_mode = WAL")
        other.execute("CREATE TABLE t (x)")
        with pytest.raises(OperationalError, match=r"copy\.db-wal is there"):
            db.backup(target, overwrite=True)
        assert other.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_what_is_no_file_is_refused(db, target):
    with pytest.raises(OperationalError, match="not a regular file"):
        db.backup(target.parent, overwrite=True)
    os.mkfifo(target)
    with pytest.raises(OperationalError, match="not a regular file"):
        db.backup(target, overwrite=True)
    with pytest.raises(OperationalError, match="No such file or directory"):
        db.backup(target.parent / "missing" / "copy.db")


# --- blocks --------------------------------------------------------------------------


def test_not_inside_a_transaction(db, target):
    with db.transaction():
        db.add_realtime_metric(recorded_at="2025-01-01 00:00:00")
        with pytest.raises(ProgrammingError, match="not committed yet"):
            db.backup(target)
        db.add_realtime_metric(recorded_at="2025-01-02 00:00:00")
    assert db.realtime_metrics.count() == 2
    assert os.listdir(target.parent) == []


def test_inside_a_snapshot_it_is_that_snapshot(db, path, target):
    with db.snapshot():
        db.realtime_metrics.count()
        oracle.run(
            path,
            "INSERT INTO realtime_metrics (recorded_at) VALUES ('2025-01-01 00:00:00')",
        )
        db.backup(target)
        assert db.realtime_metrics.count() == 0
    assert db.realtime_metrics.count() == 1
    assert oracle.run(target, "SELECT count(*) FROM realtime_metrics") == [(0,)]


def test_a_closed_database(db, target):
    db.close()
    with pytest.raises(ProgrammingError, match="closed"):
        db.backup(target)
    assert os.listdir(target.parent) == []


# --- where nothing can be written ----------------------------------------------------


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [("size=256k", "DiskFullError", ""), ("ro", "OperationalError", "Read-only file")],
)
def test_a_full_or_read_only_disk(demo_file, tmp_path, options, error, text):
    folder = tmp_path / "small"
    folder.mkdir()
    path = shutil.copy(demo_file, tmp_path / "demo.db")
    code = f"""
    db = SmartShopieDB(PATH)
    folder = sys.argv[2]
    caught = raises({error}, lambda: db.backup(folder + "/copy.db"))
    assert {text!r} in str(caught), caught
    assert os.listdir(folder) == []
    assert db.overview_kpis.count() == 1
    db.close()
    """
    mount = f'mount -t tmpfs -o {options} tmpfs "$1" && shift && exec "$@"'
    probe = ["unshare", "-rm", "sh", "-c", mount, "sh", str(folder)]
    if (
        shutil.which("unshare") is None
        or subprocess.run([*probe, "true"], capture_output=True).returncode
    ):
        pytest.skip("no tmpfs can be mounted here")
    process = subprocess.Popen(
        probe + scripts.command(scripts.textwrap.dedent(code), path, folder),
        env=scripts.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    scripts.finish(process)


def test_memory_and_descriptors_come_back(db, target):
    def failing(done, total):
        raise ZeroDivisionError

    def rounds(n):
        for _ in range(n):
            db.backup(target)
            target.unlink()
            with pytest.raises(ZeroDivisionError):
                db.backup(target, progress=failing)
            with pytest.raises(ValueError):
                db.backup(db.db_path)

    rounds(5)
    files = len(os.listdir("/proc/self/fd"))
    references = sys.getrefcount(None)
    rounds(20)
    assert len(os.listdir("/proc/self/fd")) == files
    assert abs(sys.getrefcount(None) - references) < 15
