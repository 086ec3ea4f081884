"""The database that is measured: a year of an online shop, the same on every machine.

    python bench/data.py [ROWS]     make it now (1,000,000 interactions) and say where

It has the current schema, ROWS customer_interactions in the order in which they
happened, and 366 days of overview_kpis.  It is kept under build/bench until the schema
or this file changes.  Nobody measures on it: each side reads a copy (see `copy`).
"""

from __future__ import annotations

import hashlib
import os
import random
import sqlite3
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SCHEMA = ROOT / "schema" / "database_schema.sql"
BUILD = ROOT / "build" / "bench"

FIRST_DAY = datetime(2024, 10, 31)
DAYS = 366

# kind, weight, mean seconds, the badges it can lead to
KINDS = (
    ("chat", 46, 42.0, ("Processing", "High Intent", "Converted", "Premium")),
    ("image", 21, 18.0, ("Processing", "High Intent", "Converted")),
    ("questionnaire", 19, 110.0, ("High Intent", "Premium", "Converted")),
    ("routine", 14, 9.0, ("Processing", "Converted")),
)
FIRST_NAMES = [
    "Aanya",
    "Aarav",
    "Adele",
    "Aisha",
    "Amir",
    "Ana",
    "Anders",
    "Beatriz",
    "Bjørn",
    "Carmen",
    "Chen",
    "Chloé",
    "Daniel",
    "Deepa",
    "Elena",
    "Emma",
    "Farid",
    "Fatima",
    "Georg",
    "Hana",
    "Ingrid",
    "Ivan",
    "Jamal",
    "Joana",
    "José",
    "Kavya",
    "Lars",
    "Lea",
    "Liam",
    "Lucía",
    "Mai",
    "Maria",
    "Mateo",
    "Mei",
    "Mia",
    "Nadia",
    "Neha",
    "Nikhil",
    "Noah",
    "Olga",
    "Omar",
    "Priya",
    "Rahul",
    "Renée",
    "Rosa",
    "Sara",
    "Sofia",
    "Søren",
    "Tariq",
    "Tomás",
    "Uma",
    "Victor",
    "Wei",
    "Yara",
    "Yuki",
    "Zoë",
]
ACTIVITIES = (
    "asked about {}",
    "engaged with AI chat",
    "uploaded image, saw {}",
    "completed product questionnaire",
    "created routine with {}",
    "added {} to the basket",
    "asked if {} suits dry skin",
)
PRODUCTS = (
    "retinol serum",
    "vitamin C kit",
    "hyaluronic set",
    "matte lipstick",
    "hair repair",
    "night cream",
    "rosé lip balm",
)


def interactions(rows: int) -> Iterator[tuple[object, ...]]:
    draw = random.Random(20251031)
    kinds = [kind for kind in KINDS for _ in range(kind[1])]
    step = timedelta(days=DAYS) / rows
    for i in range(rows):
        kind, _, seconds, badges = kinds[int(draw.random() * 100)] if i else KINDS[0]
        at = FIRST_DAY + step * (i + draw.random())
        # The first row is complete: some readers guess a column's type from it.
        known = i == 0 or draw.random() > 0.06
        customer = int(draw.paretovariate(0.6) * 40) % 60000
        yield (
            f"INT{i + 1:07d}",
            at.isoformat(" ", "microseconds"),
            kind,
            f"C{customer:05d}" if known else None,
            f"S{int(draw.random() * 0xFFFFFFF):07x}",
            round(draw.expovariate(1 / seconds), 2)
            if i == 0 or draw.random() > 0.02
            else None,
            min(5, 2 + int(draw.random() * 4))
            if i == 0 or draw.random() > 0.35
            else None,
            f"{FIRST_NAMES[customer % len(FIRST_NAMES)]} {chr(65 + customer % 26)}."
            if known
            else None,
            ACTIVITIES[int(draw.random() * len(ACTIVITIES))].format(
                PRODUCTS[int(draw.random() * len(PRODUCTS))]
            ),
            badges[int(draw.random() * len(badges))]
            if i == 0 or draw.random() > 0.15
            else None,
            1 + int(draw.expovariate(0.12)) if kind == "chat" else None,
            (at + timedelta(seconds=draw.random() * 5)).isoformat(" ", "seconds"),
        )


def kpis() -> Iterator[tuple[object, ...]]:
    draw = random.Random(366)
    for day in range(DAYS):
        at = FIRST_DAY + timedelta(days=day)
        yield (
            at.date().isoformat(),
            1000 + 15 * day + draw.randrange(200),
            round(draw.uniform(-0.8, 1.8), 2),
            round(draw.uniform(7, 13), 2),
            round(draw.uniform(-1, 1.5), 2),
            draw.randrange(1280, 1530),
            round(draw.uniform(-1, 1.5), 2),
            round(draw.uniform(148e3, 513e3), 2),
            round(draw.uniform(-1, 2), 2),
            at.replace(hour=23, minute=55).isoformat(" "),
        )


def fill(con: sqlite3.Connection, rows: int) -> None:
    con.executescript(SCHEMA.read_text())
    with con:
        con.executemany(
            "INSERT INTO customer_interactions (interaction_id, interaction_date,"
            " interaction_type, customer_id, session_id, response_time_sec,"
            " satisfaction_score, customer_name, activity_description, status_badge,"
            " message_count, created_at, updated_at)"
            " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?12)",
            interactions(rows),
        )
        con.executemany(
            "INSERT INTO overview_kpis (record_date, total_customers,"
            " total_customers_change, conversion_rate, conversion_rate_change,"
            " ai_interactions, ai_interactions_change, revenue_impact,"
            " revenue_impact_change, created_at, updated_at)"
            " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?10)",
            kpis(),
        )


def make(rows: int = 1_000_000) -> Path:
    """The finished database of that size; made when it is not there yet."""
    BUILD.mkdir(parents=True, exist_ok=True)
    state = hashlib.sha256(SCHEMA.read_bytes() + Path(__file__).read_bytes())
    target = BUILD / f"year-{rows}-{state.hexdigest()[:12]}.db"
    if target.exists():
        return target
    for old in BUILD.glob(f"year-{rows}-*.db*"):
        old.unlink()
    unfinished = target.with_suffix(".unfinished")
    unfinished.unlink(missing_ok=True)
    con = sqlite3.connect(unfinished)
    con.execute("PRAGMA journal_mode = OFF")
    con.execute("PRAGMA synchronous = OFF")
    fill(con, rows)
    con.execute("PRAGMA journal_mode = WAL")
    con.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    con.close()
    unfinished.replace(target)
    return target


def empty(name: str) -> Path:
    """A new file of the schema, without rows, to be loaded into."""
    target = BUILD / f"load-{name}.db"
    for suffix in ("", "-wal", "-shm"):
        Path(f"{target}{suffix}").unlink(missing_ok=True)
    con = sqlite3.connect(target)
    con.executescript(SCHEMA.read_text())
    con.execute("PRAGMA journal_mode = WAL")
    con.close()
    return target


def copy(source: Path, name: str) -> Path:
    """A copy that may be opened and written to, by SQLite's own backup."""
    target = BUILD / f"copy-{name}.db"
    for suffix in ("", "-wal", "-shm"):
        Path(f"{target}{suffix}").unlink(missing_ok=True)
    source_con, target_con = sqlite3.connect(source), sqlite3.connect(target)
    with target_con:
        source_con.backup(target_con)
    source_con.close()
    target_con.execute("PRAGMA journal_mode = WAL")
    target_con.close()
    return target


def lengthen_log(path: Path) -> None:
    """Make the write-ahead log as long as it becomes, in a file that others have open.
    A commit that makes it longer waits about twice as long for the disk; so whoever
    makes fewer commits would be held up for more of them."""
    frames = 1200  # a checkpoint comes after 1,000, and the log begins again
    con = sqlite3.connect(path, isolation_level=None)
    con.execute("PRAGMA synchronous = OFF")
    con.execute(f"PRAGMA wal_autocheckpoint = {frames}")
    for _ in range(frames):
        con.execute("UPDATE overview_kpis SET revenue_impact = random() WHERE id = 1")
    con.close()
    log = os.open(f"{path}-wal", os.O_RDWR)
    os.fsync(log)
    os.close(log)


def arrow_bytes(path: Path, columns: tuple[str, ...], table: str) -> int:
    """What these columns take in Arrow's layout: large_utf8 with 8-byte offsets, 8-byte
    numbers and instants, one validity bit a row where a column has a NULL."""
    con = sqlite3.connect(path)
    declared = {row[1]: row[2] for row in con.execute(f"PRAGMA table_info({table})")}
    total = 0
    for name in columns:
        rows, present, text = con.execute(
            f"SELECT count(*), count({name}), sum(length(CAST({name} AS BLOB)))"
            f" FROM {table}"
        ).fetchone()
        total += (rows + 7) // 8 if present < rows else 0
        total += 8 * (rows + 1) + text if declared[name] == "TEXT" else 8 * rows
    con.close()
    return total


if __name__ == "__main__":
    path = make(*map(int, sys.argv[1:]))
    print(f"{path} ({path.stat().st_size / 1e6:.0f} MB)")
