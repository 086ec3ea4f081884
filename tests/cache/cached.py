"""A few days of figures, what is asked of them, and every way in which they change."""

import datetime
import subprocess
import sys
import threading

import oracle

from smartshopie_db import SmartShopieDB

DAY = datetime.date(2025, 1, 1)
CHANGE = "UPDATE overview_kpis SET total_customers = total_customers + 1"


def fill(db, days=5):
    for n in range(days):
        db.add_overview_kpis(
            record_date=DAY + datetime.timedelta(n), total_customers=100 + n
        )


def total(db):
    return sum(row.total_customers or 0 for row in db.overview_kpis.select())


def compared(db, to):
    """All days from the first that is filled on, and others."""
    last = datetime.date(2099, 12, 31)
    return db.compare("overview_kpis", "total_customers", start=DAY, end=last, to=to)


def newest(db):
    return db.get_overview_kpis().total_customers


def elsewhere(path, *statements):
    """The statements, committed by another process before this returns."""
    code = (
        "import sqlite3, sys\n"
        "db = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=10)\n"
        "for sql in sys.argv[2:]: db.execute(sql).fetchall()\n"
        "db.close()"
    )
    subprocess.run([sys.executable, "-c", code, path, *statements], check=True)


def by_add(db):
    db.add_overview_kpis(record_date="2025-02-01", total_customers=900)


def by_upsert(db):
    db.add_overview_kpis(record_date="2025-01-05", total_customers=900)


def by_update(db):
    db.overview_kpis.update(5, total_customers=900)


def by_delete(db):
    db.overview_kpis.delete(5)


def by_execute(db):
    db.execute(CHANGE)


def by_cursor(db):
    with db.get_cursor() as cursor:
        cursor.execute(CHANGE)


def by_transaction(db):
    with db.transaction():
        db.execute(CHANGE)
        with db.transaction():
            db.execute(CHANGE)


def by_another_object(db):
    with SmartShopieDB(db.db_path) as other:
        other.execute(CHANGE)


def by_another_library(db):
    oracle.run(db.db_path, CHANGE)


def by_another_process(db):
    elsewhere(db.db_path, CHANGE)


def by_a_thread(db):
    thread = threading.Thread(target=db.execute, args=(CHANGE,))
    thread.start()
    thread.join()


def by_a_process_that_resets_the_log(db):
    elsewhere(
        db.db_path,
        CHANGE,
        "PRAGMA wal_checkpoint(TRUNCATE)",
        CHANGE,
        "PRAGMA wal_checkpoint(TRUNCATE)",
    )


def by_restoring_a_backup(db):
    """SQLite's backup API, into the file that is open here."""
    with (
        oracle.connect(":memory:") as copy,
        oracle.connect(db.db_path) as source,
    ):
        source.backup(copy)
        copy.execute(CHANGE)
        copy.backup(source)


def by_a_vacuum(db):
    """Row ids move where nothing else depends on them; here the content stays."""
    elsewhere(db.db_path, "DELETE FROM overview_kpis WHERE id = 5", "VACUUM")


CHANGES = [value for name, value in list(globals().items()) if name.startswith("by_")]
