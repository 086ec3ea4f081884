"""The standard library's sqlite3 as the oracle: what a file holds, and what a reader of
ours should make of it, written down a second time in plain Python."""

import datetime
import hashlib
import sqlite3
from contextlib import closing

from schema_facts import TABLES

EVENTS = 100  # how many of the newest events a getter gives when nothing is asked


def moment(text):
    """A stored instant, in UTC and without a zone."""
    found = datetime.datetime.fromisoformat(text)
    if found.tzinfo is None:
        return found
    return found.astimezone(datetime.UTC).replace(tzinfo=None)


def typed(kind, cell):
    """A stored cell as the value that its declared type stands for."""
    if cell is None:
        return None
    if kind == "DATE":
        return moment(cell).date()
    if kind == "TIMESTAMP":
        return moment(cell)
    return {"INTEGER": int, "REAL": float, "TEXT": str}[kind](cell)


def connect(path):
    return closing(sqlite3.connect(path, isolation_level=None))


def run(path, *statements):
    """Execute statements as any other program would; return the rows of the last."""
    with connect(path) as db:
        for statement in statements:
            rows = db.execute(statement).fetchall()
    return rows


def stored_names(db, name):
    return [row[1] for row in db.execute(f"PRAGMA table_info({name})")]


def rows_of(path, table):
    """Every row by column name, by row id; a column that the file lacks is None."""
    with connect(path) as db:
        stored = stored_names(db, table.name)
        if not stored:
            return []
        cursor = db.execute(f"SELECT rowid, * FROM {table.name} ORDER BY rowid")
        return [
            _row(table, dict(zip(["rowid", *stored], cells, strict=True)))
            for cells in cursor
        ]


def _row(table, cells):
    row = {}
    for column in table.columns:
        cell = cells.get(column.name, cells.get(column.old))
        row[column.name] = typed(column.kind, cell)
    if "id" not in cells:
        row["id"] = cells["rowid"]
    return row


def everything(path):
    """All that a database says: its schema and every row of every table."""
    with connect(path) as db:
        db.text_factory = bytes
        schema = db.execute(
            "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name"
        ).fetchall()
        names = [name for kind, name, *_ in schema if kind == b"table"]
        rows = {
            name: sorted(db.execute(f'SELECT * FROM "{name.decode()}"'), key=repr)
            for name in names
        }
        marks = [
            db.execute(f"PRAGMA {name}").fetchone()
            for name in ("user_version", "application_id")
        ]
    return schema, rows, marks


def digest(path):
    return hashlib.sha256(repr(everything(path)).encode()).hexdigest()


def counts(path):
    with connect(path) as db:
        return {
            name: db.execute(f"SELECT count(*) FROM {name}").fetchone()[0]
            for name in TABLES
            if stored_names(db, name)
        }


def healthy(path):
    checks = ("PRAGMA integrity_check", "PRAGMA foreign_key_check")
    return [run(path, check) for check in checks] == [[("ok",)], []]


# ---- what the readers promise ----------------------------------------------------


def day_of(value):
    return value.date() if isinstance(value, datetime.datetime) else value


def months_before(day, months):
    number = day.year * 12 + day.month - 1 - months
    year, month = divmod(number, 12)
    next_month = datetime.date(year + month // 11, (month + 1) % 12 + 1, 1)
    last = (next_month - datetime.timedelta(days=1)).day
    ends_a_month = (day + datetime.timedelta(days=1)).day == 1
    number = last if ends_a_month else min(day.day, last)
    return datetime.date(year, month + 1, number)


def period_start(period, last):
    if period in ("mtd", "qtd", "ytd"):
        months = {"m": 1, "q": 3, "y": 12}[period[0]]
        return last.replace(month=last.month - (last.month - 1) % months, day=1)
    count, unit = int(period[:-1]), period[-1]
    if unit in "dw":
        days = count * (7 if unit == "w" else 1)
        return last - datetime.timedelta(days=days - 1)
    before = months_before(last, count * (12 if unit == "y" else 1))
    return before + datetime.timedelta(days=1)


def _at_least(value, bound):
    if isinstance(bound, datetime.datetime) and isinstance(value, datetime.datetime):
        return value >= bound
    return day_of(value) >= day_of(bound)


def _at_most(value, bound):
    if isinstance(bound, datetime.datetime) and isinstance(value, datetime.datetime):
        return value <= bound
    return day_of(value) <= day_of(bound)


def is_backwards(table, window):
    """Is start after end, as a reader of this table's times sees it?"""
    start, end = window.get("start"), window.get("end")
    if table.time is None or start is None or end is None:
        return False
    if table.column(table.time).kind == "DATE":
        return day_of(start) > day_of(end)
    return _first_instant(start) > _last_instant(end)


def _first_instant(moment):
    if isinstance(moment, datetime.datetime):
        return moment
    return datetime.datetime.combine(moment, datetime.time.min)


def _last_instant(moment):
    if isinstance(moment, datetime.datetime):
        return moment
    return datetime.datetime.combine(moment, datetime.time.max)


def _in_window(table, rows, all_rows, date, start, end, period, as_of):
    times = [row[table.time] for row in all_rows if row[table.time] is not None]
    if period is not None:
        if as_of is None and not times:
            return []
        end = day_of(as_of if as_of is not None else max(times))
        start = period_start(period, end)
    elif date is not None:
        start = end = date
    elif as_of is not None:
        end = as_of
    return [
        row
        for row in rows
        if row[table.time] is not None
        and (start is None or _at_least(row[table.time], start))
        and (end is None or _at_most(row[table.time], end))
    ]


def _sorted(rows, order):
    """NULL comes first, as in SQLite; ties by row id."""
    rows = sorted(rows, key=lambda row: row["id"])
    for word in reversed(order):
        name = word.removeprefix("-")
        rows.sort(
            key=lambda row: (row[name] is not None, row[name]), reverse=word[0] == "-"
        )
    return rows


def _default_order(table, ranged):
    if table.shape in ("one", "events"):
        return (f"-{table.time}", "-id")
    if table.shape == "history" or (table.shape == "set" and ranged):
        return (table.time, *(word for word in table.order if word != table.time))
    return table.order


def expected(
    table,
    all_rows,
    *,
    getter=True,
    date=None,
    start=None,
    end=None,
    period=None,
    as_of=None,
    limit=None,
    offset=0,
    order_by=None,
    **filters,
):
    """The rows that get_<table>() or select() of these rows should give, as dicts."""
    rows = [r for r in all_rows if all(r[k] == v for k, v in filters.items())]
    window = (date, start, end, period, as_of)
    if any(argument is not None for argument in window):
        rows = _in_window(table, rows, all_rows, *window)
    ranged = any(argument is not None for argument in (start, end, period))
    if getter and table.shape == "set" and not ranged and date is None:
        times = [row[table.time] for row in rows if row[table.time] is not None]
        if times:  # without any, the file has one step only: all its rows
            rows = [row for row in rows if row[table.time] == max(times)]
    if getter and table.shape == "events" and not ranged and date is None:
        limit = EVENTS if limit is None else limit
    order = _default_order(table, ranged) if getter else ()
    order = order if order_by is None else order_by
    rows = _sorted(rows, (order,) if isinstance(order, str) else order)
    if getter and table.shape == "one":
        limit = 1
    return rows[offset:] if limit is None else rows[offset : offset + limit]


def dicts(result):
    """What a getter gave, as a list of dicts."""
    if result is None:
        return []
    if hasattr(result, "keys"):
        return [dict(result)]
    return [dict(record) for record in result]
