"""Databases with a table that is large enough to be read by several readers."""

import os
import sqlite3
from contextlib import closing

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
