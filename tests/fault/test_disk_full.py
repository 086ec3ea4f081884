"""A file system without space: reading goes on, nothing half-written stays, and when
there is space again so does writing."""

import shutil
import subprocess

import oracle
import pytest
import scripts

pytestmark = pytest.mark.timeout(60)

MOUNT = 'mount -t tmpfs -o size=1m tmpfs "$1" && shift && exec "$@"'
WAYS = (["unshare", "-rm"], ["unshare", "-m"])
FILL = """
import shutil, sqlite3
FOLDER = os.path.dirname(PATH)
def fill(leave):
    "Take all space but some; free it by removing the file."
    with open(FOLDER + "/filler", "wb") as file:
        free = shutil.disk_usage(FOLDER).free - leave
        if free > 0:
            file.write(bytes(free))
def free():
    os.unlink(FOLDER + "/filler")
def healthy():
    other = sqlite3.connect(PATH)
    found = other.execute("PRAGMA integrity_check").fetchall()
    other.close()
    return found == [("ok",)]
def rows(n, text):
    for i in range(n):
        yield {"title": str(i), "message": text, "created_at": minute(i)}
def add_until_full(db, first):
    n = first
    while True:
        try:
            add(db, n)
        except DiskFullError as error:
            assert error.sqlite_errorname in ("SQLITE_FULL", "SQLITE_IOERR_WRITE",
                                              "SQLITE_IOERR_SHMSIZE"), error
            return n
        n += 1
"""


@pytest.fixture(scope="module")
def way(tmp_path_factory):
    """How a small file system can be had here, in a namespace of its own."""
    folder = tmp_path_factory.mktemp("probe")
    for way in WAYS:
        if shutil.which(way[0]) is None:
            continue
        command = [*way, "sh", "-c", MOUNT, "sh", folder, "true"]
        if subprocess.run(command, capture_output=True).returncode == 0:
            return way
    pytest.skip("no tmpfs can be mounted here: it needs root or unshare -rm")


@pytest.fixture
def run(way, tmp_path, blank_file):
    """Run a script on an empty file system of 1 MiB; PATH is where a file may be."""
    folder = tmp_path / "small"
    folder.mkdir()

    def run(code, copy=True, **environment):
        path = folder / "shop.db"
        begin = (
            f"import shutil; shutil.copy({str(blank_file)!r}, PATH)\n" if copy else ""
        )
        text = FILL + begin + scripts.textwrap.dedent(code)
        command = [*way, "sh", "-c", MOUNT, "sh", str(folder)]
        process = subprocess.Popen(
            command + scripts.command(text, path),
            env=scripts.environment() | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        return scripts.finish(process)

    return run


@pytest.mark.parametrize("durability", ["full", "normal", "off"])
def test_adds_until_the_disk_is_full_and_after(run, durability):
    run(
        f"""
        db = SmartShopieDB(PATH, durability={durability!r}).connect()
        add(db, 0)
        fill(100_000)
        n = add_until_full(db, 1)
        for _ in range(3):
            raises(DiskFullError, lambda: add(db, n))
            assert numbers(db) == list(range(n))
            assert db.get_realtime_metrics()[0].active_sessions == n - 1
        free()
        add(db, n)
        assert numbers(db) == list(range(n + 1))
        db.close()
        assert healthy()
        with SmartShopieDB(PATH) as db:
            assert numbers(db) == list(range(n + 1))
        """
    )


def test_a_transaction_that_fills_the_disk_leaves_nothing(run):
    run(
        """
        db = SmartShopieDB(PATH)
        add(db, 0)
        fill(60_000)
        def many():
            with db.transaction():
                for n in range(1, 100_000):
                    add(db, n)
        def by_cursor():
            with db.get_cursor() as cursor:
                cursor.executemany(
                    "INSERT INTO usage_alerts (title, message) VALUES (?, ?)",
                    ((str(n), "x" * 1000) for n in range(10_000)))
        def by_statement():
            db.execute("CREATE TABLE big AS " + SLOW.replace("max(x)", "x"))
        for work in (many, by_cursor, by_statement):
            raises(DiskFullError, work)
            assert numbers(db) == [0]
            assert db.usage_alerts.count() == 0
        free()
        with db.transaction():
            add(db, 1)
        assert numbers(db) == [0, 1]
        db.close()
        assert healthy()
        """
    )


def test_the_rest_of_a_block_is_refused_once_the_disk_was_full(run):
    """SQLite rolled all of it back: what follows must not be stored by itself."""
    run(
        """
        db = SmartShopieDB(PATH)
        add(db, 0)
        fill(60_000)
        def block():
            with db.transaction():
                add(db, 1)
                def big():  # more than SQLite keeps in memory until the commit
                    for n in range(1000):
                        db.add_usage_alert(title=str(n), message="x" * 10_000)
                raises(DiskFullError, big)
                free()
                for n in range(3):
                    assert "rolled back" in str(raises(ProgrammingError,
                                                       lambda: add(db, 10 + n)))
        assert "nothing was committed" in str(raises(ProgrammingError, block))
        assert numbers(db) == [0]
        assert db.usage_alerts.count() == 0
        add(db, 2)
        assert numbers(db) == [0, 2]
        db.close()
        assert healthy()
        """
    )


def test_eight_threads_on_a_full_disk(run):
    run(
        """
        db = SmartShopieDB(PATH)
        add(db, 0)
        fill(100_000)
        done, failed = [0], []
        def work(worker):
            n = worker * 10_000
            while len(failed) < 100:
                try:
                    add(db, n)
                    done.append(n)
                except DiskFullError:
                    failed.append(n)
                n += 1
        threads = [threading.Thread(target=work, args=(w,)) for w in range(1, 9)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(numbers(db)) == sorted(done)
        free()
        add(db, 5)
        db.close()
        assert healthy()
        """
    )


def test_a_full_disk_in_the_middle_of_a_shared_commit(run):
    """SQLite undoes the work of all eight for the sake of one: the seven go again."""
    run(
        """
        db = SmartShopieDB(PATH)
        add(db, 0)
        fill(60_000)
        inside, leave = threading.Event(), threading.Event()
        stored, failed = [0], []
        def block():
            with db.transaction():
                inside.set()
                leave.wait(20)
        def work(n):
            try:
                if n == 3:
                    db.add_usage_alert(title="big", message="x" * 4_000_000)
                else:
                    add(db, n)
                    stored.append(n)
            except DiskFullError:
                failed.append(n)
        threads = [threading.Thread(target=block)]
        threads += [threading.Thread(target=work, args=(n,)) for n in range(1, 9)]
        for thread in threads:
            thread.start()
            inside.wait(20)
            time.sleep(0.02)
        leave.set()
        for thread in threads:
            thread.join()
        assert failed == [3] and len(stored) == 8, (failed, stored)
        assert sorted(numbers(db)) == sorted(stored)
        free()
        add(db, 9)
        assert db.usage_alerts.count() == 0
        db.close()
        assert healthy()
        """
    )


def test_a_load_without_space_for_its_temporary_file(run, tmp_path, path):
    """Past 32 MiB the rows wait in a file; the database itself has space."""
    run(
        """
        with SmartShopieDB(os.environ["ROOMY"]) as db:
            db.add_usage_alert(title="before")
            for options in ({}, {"commit_every": 1_000_000}):
                error = raises(DiskFullError, lambda: db.usage_alerts.add_many(
                    rows(9_000, "x" * 4000), **options))
                assert FOLDER in str(error), error
                assert db.usage_alerts.count() == 1
            assert shutil.disk_usage(FOLDER).used < 700_000  # the database of others
            assert db.usage_alerts.add_many(rows(5, "y")) == (5, 0, 0)
            with db.transaction():
                add(db, 1)
                raises(DiskFullError, lambda: db.usage_alerts.add_many(
                    rows(9_000, "x" * 4000)))
                add(db, 2)
            assert numbers(db) == [1, 2] and db.usage_alerts.count() == 6
        """,
        SQLITE_TMPDIR=str(tmp_path / "small"),
        ROOMY=str(path),
    )
    assert oracle.healthy(path)


def test_a_load_that_fills_the_disk_in_the_middle(run):
    """Its rows fit in memory, but not into the write-ahead log."""
    run(
        """
        db = SmartShopieDB(PATH)
        db.add_usage_alert(title="before", message="as it was", created_at=minute(3))
        fill(200_000)
        for n, text in ((3000, "x" * 4000), (100_000, "")):
            raises(DiskFullError, lambda: db.usage_alerts.add_many(rows(n, text)))
            assert db.usage_alerts.count() == 1
            assert db.usage_alerts.latest().message == "as it was"
        raises(DiskFullError, lambda: db.usage_alerts.add_many(
            rows(100_000, ""), commit_every=100))
        n = db.usage_alerts.count()
        assert n > 1 and n % 100 == 1, n
        free()
        assert db.usage_alerts.add_many(rows(n + 50, "z")).inserted > 0
        db.close()
        assert healthy()
        """
    )


def test_making_a_file_without_space(run):
    run(
        """
        for leave in (0, 4096, 40_000, 100_000):
            fill(leave)
            db = SmartShopieDB(PATH)
            with contextlib.suppress(DiskFullError):
                db.connect()
                add(db, 1)
                raise AssertionError("it was stored")
            free()
            assert numbers(db) == []
            add(db, 1)
            assert numbers(db) == [1]
            db.close()
            assert healthy()
            for name in os.listdir(FOLDER):
                os.unlink(f"{FOLDER}/{name}")
        """,
        copy=False,
    )


def test_a_sort_without_space_for_its_file(run, tmp_path):
    run(
        """
        db = SmartShopieDB(PATH)
        sql = SLOW.replace("max(x)", "x, hex(zeroblob(100)) AS h")
        sql = sql.replace("FROM c)", "FROM c WHERE x < 300000)") + " ORDER BY -x"
        raises(DiskFullError, lambda: db.query(sql))
        assert len(db.query("SELECT 1")) == 1
        add(db, 1)
        assert numbers(db) == [1]
        """,
        SQLITE_TMPDIR=str(tmp_path / "small"),
    )


def test_closing_without_space_keeps_what_was_added(run):
    run(
        """
        db = SmartShopieDB(PATH)
        for n in range(50):
            add(db, n)
        fill(0)
        db.close()
        db = SmartShopieDB(PATH)
        assert numbers(db) == list(range(50))
        db.close()
        free()
        assert healthy()
        with SmartShopieDB(PATH) as db:
            assert numbers(db) == list(range(50))
        """
    )


def test_the_blank_file_leaves_room_for_the_tests(blank_file):
    assert blank_file.stat().st_size < 600_000
    assert oracle.healthy(blank_file)
