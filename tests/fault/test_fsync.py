"""A disk that fails to make a write durable: the first failure is told, nothing is
acknowledged, and nothing more is written before the database is opened anew; the
system may have dropped what it could not write, and a second fsync would succeed.
A backup has its name only once it is on the disk."""

import os
import shlex
import subprocess

import oracle
import pytest
import scripts

pytestmark = pytest.mark.timeout(60)

# fsync and fdatasync fail while the file $FSYNC_FAILS exists, with $FSYNC_ERRNO or EIO.
# What they flush, and whether $FSYNC_BEFORE existed then, is a line in $FSYNC_LOG.
SHIM = r"""
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/syscall.h>
static void
note(const char *log, int fd)
{
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof(path));
    int out = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    dprintf(out, "%.*s %d\n", n > 0 ? (int)n : 0, path,
            access(getenv("FSYNC_BEFORE"), F_OK) == 0);
    close(out);
}
static int
sync_unless(long call, int fd)
{
    const char *flag = getenv("FSYNC_FAILS"), *number = getenv("FSYNC_ERRNO");
    if (getenv("FSYNC_LOG") != NULL) {
        note(getenv("FSYNC_LOG"), fd);
    }
    if (flag != NULL && access(flag, F_OK) == 0) {
        errno = number != NULL ? atoi(number) : EIO;
        return -1;
    }
    return (int)syscall(call, fd);
}
int fsync(int fd) { return sync_unless(SYS_fsync, fd); }
int fdatasync(int fd) { return sync_unless(SYS_fdatasync, fd); }
"""
BEGIN = """
FLAG = os.environ["FSYNC_FAILS"]
def break_disk():
    open(FLAG, "w").close()
def repair_disk():
    os.unlink(FLAG)
def refused(call):
    error = raises(OperationalError, call)
    assert "fsync" in str(error) and "connect()" in str(error), error
"""


@pytest.fixture(scope="module")
def shim(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shim")
    (folder / "shim.c").write_text(SHIM)
    compiler = shlex.split(os.environ.get("CC", "cc"))
    command = [*compiler, "-shared", "-fPIC", "-O1", "shim.c", "-o", "shim.so"]
    subprocess.run(command, cwd=folder, check=True)
    return folder / "shim.so"


@pytest.fixture
def run(shim, path, monkeypatch):
    monkeypatch.setenv("LD_PRELOAD", str(shim))
    monkeypatch.setenv("FSYNC_FAILS", str(path.with_name("broken")))
    return lambda code: scripts.run(BEGIN + scripts.textwrap.dedent(code), path)


def test_the_first_failure_ends_writing(run, path):
    run(
        """
        db = SmartShopieDB(PATH)
        add(db, 0)
        break_disk()
        error = raises(OperationalError, lambda: add(db, 1))
        assert error.sqlite_errorname == "SQLITE_IOERR_FSYNC", error
        repair_disk()
        for _ in range(2):
            refused(lambda: add(db, 2))
            refused(lambda: db.execute("DELETE FROM realtime_metrics"))
            refused(lambda: db.transaction().__enter__())
            assert numbers(db) == [0]
        with db.snapshot():
            assert numbers(db) == [0]
        db.close()
        db.connect()
        add(db, 3)
        assert numbers(db) == [0, 3]
        db.close()
        """
    )
    assert oracle.healthy(path)


def test_a_transaction_whose_commit_fails(run):
    run(
        """
        db = SmartShopieDB(PATH)
        def block():
            with db.transaction():
                add(db, 1)
                break_disk()
        assert raises(OperationalError, block).sqlite_errorname == "SQLITE_IOERR_FSYNC"
        repair_disk()
        assert numbers(db) == []
        refused(lambda: add(db, 2))
        ended(in_child(lambda: refused(lambda: add(db, 2))))
        db.close()
        """
    )


def test_eight_threads(run):
    """Whose write was in the failed commit learns it; who came after is refused."""
    run(
        """
        db = SmartShopieDB(PATH)
        acked, failed = [], []
        def work(worker):
            n = worker * 10_000
            while True:
                try:
                    add(db, n)
                except OperationalError as error:
                    failed.append(error.sqlite_errorname)
                    return
                acked.append(n)
                n += 1
        threads = [threading.Thread(target=work, args=(w,)) for w in range(8)]
        for thread in threads:
            thread.start()
        while len(acked) < 200:
            time.sleep(0.001)
        break_disk()
        for thread in threads:
            thread.join()
        assert len(failed) == 8 and "SQLITE_IOERR_FSYNC" in failed, failed
        repair_disk()
        assert sorted(numbers(db)) == sorted(acked)
        db.close()
        with db.connect():
            assert sorted(numbers(db)) == sorted(acked)
        """
    )


@pytest.mark.parametrize("durability", ["normal", "off"])
def test_who_asks_for_less_waits_for_no_disk(run, durability):
    """Only "normal" lets a checkpoint ask for it, and finds out there."""
    run(
        f"""
        db = SmartShopieDB(PATH, durability={durability!r}).connect()
        add(db, 0)  # a new log is begun with one
        break_disk()
        written = 1
        try:
            for n in range(1, 1500):
                add(db, n)
                written += 1
        except OperationalError as error:
            assert {durability!r} == "normal" and "fsync" in str(error), error
            assert written > 100
        else:
            assert {durability!r} == "off"
            assert db.stats()["checkpoints"] > 0
        assert numbers(db) == list(range(written))
        db.close()
        """
    )


def test_a_backup_is_flushed_before_it_has_its_name(run):
    """First the copy, then, when it has its name, the folder that says so."""
    run(
        """
        copy, log = PATH + ".copy", PATH + ".log"
        with SmartShopieDB(PATH) as db:
            add(db, 0)
            os.environ.update(FSYNC_BEFORE=copy, FSYNC_LOG=log)
            db.backup(copy)
            del os.environ["FSYNC_LOG"]
        with open(log) as lines:
            flushed = [line.rstrip().rsplit(" ", 1) for line in lines]
        (part, early), (folder, late) = flushed
        assert part.startswith(copy + ".") and early == "0", flushed
        assert folder == os.path.dirname(copy) and late == "1", flushed
        """
    )


@pytest.mark.parametrize(
    ("number", "kind"), [("EIO", "Operational"), ("ENOSPC", "DiskFull")]
)
def test_a_backup_that_cannot_be_flushed(run, number, kind):
    run(
        f"""
        import errno
        os.environ["FSYNC_ERRNO"] = str(errno.{number})
        db = SmartShopieDB(PATH)
        add(db, 0)
        before = set(os.listdir(os.path.dirname(PATH)))
        break_disk()
        error = raises({kind}Error, lambda: db.backup(PATH + ".copy"))
        repair_disk()
        assert type(error) is {kind}Error and "cannot flush" in str(error), error
        assert set(os.listdir(os.path.dirname(PATH))) == before
        db.backup(PATH + ".copy")
        db.close()
        with SmartShopieDB(PATH + ".copy") as copy:
            assert numbers(copy) == [0]
        """
    )
