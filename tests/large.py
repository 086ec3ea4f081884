"""Databases with a table that is large enough to be read by several readers, and what
is done to them."""

import os
import sqlite3
import time
from contextlib import closing

import layouts
import scripts

from smartshopie_db import SmartShopieDB

PROCESSORS = len(os.sched_getaffinity(0))
ROWS = 30_000

INTERACTIONS = """
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})
INSERT INTO customer_interactions (id, interaction_id, interaction_date,
    interaction_type, customer_id, response_time_sec, satisfaction_score,
    customer_name, message_count)
SELECT {id}, 'WEB-' || i, datetime('2025-01-01', ({seconds}) || ' seconds'),
    substr('chatvoicemail', i % 9, 1 + i % 4),
    CASE WHEN i % 7 THEN 'c' || (i % 1000) END,
    CASE WHEN i % 5 THEN i / 8.0 END, 1 + i % 5,
    CASE i % 11 WHEN 0 THEN NULL WHEN 1 THEN '' ELSE printf('%.*c', i % 30, 'é') END,
    CASE WHEN i BETWEEN 100 AND 20000 THEN NULL ELSE i END
FROM n
"""
PRODUCTS = """
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {rows} - 1)
INSERT INTO product_analytics (record_date, product_id, product_name, category, views,
    revenue)
SELECT date('2025-01-01', (i / {a_day}) || ' days'), 'p' || (i % {a_day}),
    'name ' || (i % 7),
    substr('abc', 1 + i % 3, 1), CASE WHEN i % 4 THEN i % 13 END, i % 17 / 4.0
FROM n
"""


def execute(path, *statements):
    with closing(sqlite3.connect(path)) as stock, stock:
        for sql in statements:
            stock.execute(sql)


def fill(path, rows=ROWS, row_id="i", seconds="i"):
    execute(path, INTERACTIONS.format(rows=rows, id=row_id, seconds=seconds))
    return path


def fill_products(path, rows=ROWS, a_day=300):
    execute(path, PRODUCTS.format(rows=rows, a_day=a_day))
    return path


def scans(db):
    """How many answers were read in parts; how many of those by several readers."""
    stats = db.stats()
    return stats["scans"], stats["shared_scans"]


def old_file(path):
    """One of an older layout, with a log."""
    layouts.build(path, "newer")
    execute(path, "PRAGMA journal_mode = WAL", "DELETE FROM customer_interactions")
    return fill(path)


BAD = (777, 3000, 21_003, 25_000, 29_999)


def spoil(path):
    """In the rows BAD, text stands where a number belongs."""
    execute(
        path,
        "PRAGMA ignore_check_constraints = ON",
        f"UPDATE customer_interactions SET message_count = 'many' WHERE id IN {BAD}",
    )
    return path


# ---- what is read while others commit ------------------------------------------------

# Each transaction moves an amount from one row to another, and some add a pair: the sum
# and the count are right only when all that is seen is of one state.
WRITER = """
import random
end = time.monotonic() + float(sys.argv[2])
dice = random.Random(int(sys.argv[3]))
with SmartShopieDB(PATH, durability="off") as db:
    n = 0
    while time.monotonic() < end:
        n += 1
        a, b = dice.sample(range(1, 30001), 2) if n % 2 else (1, 30000)
        amount = dice.randrange(-1000, 1000)
        with db.transaction():
            sql = "UPDATE customer_interactions SET message_count = message_count + ?1"
            db.execute(sql + " WHERE id = ?2", (amount, a))
            db.execute(sql + " WHERE id = ?2", (-amount, b))
            if n % 5 == 0:
                for sign in (1, -1):
                    db.add_customer_interaction(
                        interaction_id=f"{os.getpid()} {n} {sign}",
                        interaction_date=datetime.datetime(2025, 1, 1, 9),
                        interaction_type="pair", message_count=10**9 + amount * sign)
    print(n)
"""


def read_while_others_commit(path, seconds, ask):
    """Each answer of ask(db) is one state; how many commits, scans, shared scans."""
    fill(path)
    execute(path, "UPDATE customer_interactions SET message_count = 1000000000")
    writers = [scripts.start(WRITER, path, seconds, seed) for seed in (1, 2)]
    end = time.monotonic() + seconds
    with SmartShopieDB(path, cache=False) as db:
        while time.monotonic() < end:
            rows = ask(db)
            assert len(rows) >= ROWS
            assert len(rows) % 2 == 0
            assert sum(rows["message_count"]) == 10**9 * len(rows)
        read, shared = scans(db)
    commits = sum(int(scripts.finish(writer, seconds + 60)) for writer in writers)
    print(f"{commits} commits, {read} scans, {shared} shared")
    return commits, read, shared
