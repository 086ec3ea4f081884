"""The verbs about a database as a whole."""

from __future__ import annotations

import datetime
import json
import os
import sys
from argparse import Namespace
from typing import Any

from .._core import SmartShopieDB
from .data import find_table, open_to_read
from .output import plain, put_bytes, put_records, put_rows, say, show
from .progress import progress


def init(arguments: Namespace) -> None:
    there = os.path.exists(arguments.db)
    with SmartShopieDB(arguments.db) as db:
        db.initialize_database()
        n = len(db.tables)
    say(f"{arguments.db}: {'has' if there else 'made, with'} all {n} tables")


# ---- demo ----------------------------------------------------------------------------


def demo(arguments: Namespace) -> None:
    path: str = arguments.path or arguments.db
    if arguments.days is None and (arguments.rows is not None or arguments.until):
        raise ValueError("demo: --rows and --until go with --days")
    try:
        if arguments.days is None:
            from ..demo import create

            say(f"{path}: made, with {create(path)} rows of demo data")
        else:
            say(f"{path}: made, with {made_up(path, arguments):,} rows of demo data")
    except FileExistsError:
        if arguments.days is not None:
            raise
        say(f"{path}: was there and has rows; used as it is")
    with SmartShopieDB(path, mode="rw") as db:
        print_figures(db)


def made_up(path: str, arguments: Namespace) -> int:
    from ..demo import generate

    if not 1 <= arguments.days <= 36_500:
        raise ValueError(f"--days: expected 1 to 36500, got {arguments.days}")
    rows = arguments.days * 50 if arguments.rows is None else arguments.rows
    if not 0 <= rows <= 1_000_000_000:
        raise ValueError(f"--rows: expected 0 to 1000000000, got {rows}")
    until = day("--until", arguments.until) if arguments.until else None
    with progress("demo data", "rows") as tell:
        return generate(
            path, days=arguments.days, rows=rows, until=until, progress=tell
        )


def print_figures(db: SmartShopieDB) -> None:
    kpis = db.get_overview_kpis()
    if kpis is None:
        print("\nOverview: no figures yet")
    else:
        print(f"\nOverview of {show(kpis.record_date)}")
        print(f"  Total Customers: {bare(kpis.total_customers)}")
        print(f"  Conversion Rate: {bare(kpis.conversion_rate)}%")
    print("\nConversion funnel")
    for stage in db.get_conversion_funnel():
        share = bare(stage.percentage)
        print(f"  {show(stage.stage_name)}: {bare(stage.count)} ({share}%)")
    print("\nLatest activity")
    for activity in db.get_customer_interactions(limit=10):
        print(
            f"  {show(activity.customer_name)}: {show(activity.activity_description)}"
        )


def day(option: str, text: str) -> datetime.date:
    try:
        return datetime.datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError:
        raise ValueError(
            f"{option}: expected a day as YYYY-MM-DD, got {text!r}"
        ) from None


def bare(value: float | None) -> str:
    return "-" if value is None else str(value)


# ---- what is there -------------------------------------------------------------------


def info(arguments: Namespace) -> None:
    with open_to_read(arguments) as db:
        stats: Any = db.stats()
        counts = {name: table.count() for name, table in db.tables.items()}
    used = [name for name, n in counts.items() if n]
    facts = {
        "path": os.path.abspath(arguments.db),
        "bytes": os.path.getsize(arguments.db),
        "layout": stats["layout"],
        "schema version": stats["schema_version"],
        "write-ahead log": stats["wal"],
        "rows": sum(counts.values()),
        "tables with rows": f"{len(used)} of {len(counts)}",
        "SQLite": stats["sqlite_version"],
    }
    if arguments.form in ("json", "ndjson", "csv"):
        put_records([facts], arguments)
        return
    width = max(map(len, facts))
    for name, value in facts.items():
        print(f"{name:<{width}}  {show(value)}")


def tables(arguments: Namespace) -> None:
    with open_to_read(arguments) as db:
        found = []
        for table in db.tables.values():
            newest = table.latest()
            time = table.time_column
            found.append(
                {
                    "table": table.name,
                    "rows": table.count(),
                    "newest": str(newest[time]) if newest and time else None,
                    "one row means": table.description,
                }
            )
    put_records(found, arguments)


def schema(arguments: Namespace) -> None:
    if arguments.table is None:
        folder = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
        with open(
            os.path.join(folder, "database_schema.sql"), encoding="utf-8"
        ) as file:
            print(file.read(), end="")
        return
    with SmartShopieDB(":memory:") as db:
        columns = find_table(db, arguments.table).schema
    names = (
        "name",
        "type",
        "unit",
        "range",
        "aggregate",
        "key",
        "required",
        "description",
    )
    put_records(
        [{name: column[name] for name in names} for column in columns], arguments
    )


# ---- care ----------------------------------------------------------------------------


def migrate(arguments: Namespace) -> None:
    with SmartShopieDB(arguments.db, mode="rw") as db:
        report = db.migrate(dry_run=arguments.dry_run)
    if report.from_version == report.to_version:
        say(f"{arguments.db}: is of the current version ({report.to_version}) already")
        return
    if report.backup:
        say(f"backup: {report.backup}")
    say(
        f"{arguments.db}: version {report.from_version} -> {report.to_version}"
        + (" (dry run: nothing was changed)" if report.dry_run else "")
    )
    if arguments.form == "json":
        tables, rows = report.tables.to_json(), report.rows.to_json()
        put_bytes(b'{"tables":%b,"rows":%b}\n' % (tables, rows))
        return
    put_rows(report.tables, arguments)
    if len(report.rows):
        say(f"{len(report.rows)} rows were changed, merged or set aside:")
        put_rows(report.rows, arguments)


def check(arguments: Namespace) -> int:
    """Exit code 1 when something is wrong, so that cron says so."""
    if arguments.fix:
        with SmartShopieDB(arguments.db, mode="rw") as db:
            db.initialize_database()
            db.optimize()
    with open_to_read(arguments) as db, progress("check", "steps") as tell:
        report = db.check(progress=tell)
    found = report.to_dicts()
    if arguments.form in ("json", "ndjson", "csv"):
        put_records(found, arguments)
    else:
        for finding in report:
            print(f"{finding.severity}: {plain(finding.message)}")
            print(f"  {plain(finding.remedy)}")
    say(f"{arguments.db}: {'ok' if report.ok else 'not ok'}, {len(found)} findings")
    return 0 if report.ok else 1


def backup(arguments: Namespace) -> None:
    if os.path.exists(arguments.target) and not arguments.overwrite:
        raise FileExistsError(f"{arguments.target} exists; --overwrite replaces it")
    with open_to_read(arguments) as db, progress(arguments.target, "pages") as tell:
        db.backup(arguments.target, overwrite=arguments.overwrite, progress=tell)
    say(f"{arguments.target}: {os.path.getsize(arguments.target):,} bytes")


def optimize(arguments: Namespace) -> None:
    with SmartShopieDB(arguments.db, mode="rw") as db:
        done: Any = db.optimize(vacuum=arguments.vacuum)
    before, after = done["file_bytes"]
    say(f"{arguments.db}: {before:,} bytes before, {after:,} after")


def purge(arguments: Namespace) -> int:
    before = day("--before", arguments.before)
    last = before - datetime.timedelta(days=1)
    with SmartShopieDB(arguments.db, mode="rw") as db:
        chosen = [find_table(db, name) for name in arguments.table or db.tables]
        for table in chosen:
            if table.time_column is None and arguments.table:
                raise ValueError(f"purge: {table.name} has no time column")
        counts = {
            table: n
            for table in chosen
            if table.time_column is not None and (n := table.count(end=last))
        }
        total = sum(counts.values())
        for table, n in counts.items():
            say(f"{table.name}: {n:,} rows before {before}")
        if not total:
            say(f"nothing is older than {before}")
            return 0
        if not arguments.yes and not agreed(f"Delete these {total:,} rows?"):
            say("nothing was deleted")
            return 1
        if not arguments.no_backup:
            copy = (
                f"{arguments.db}.before-purge-{datetime.datetime.now():%Y%m%d-%H%M%S}"
            )
            db.backup(copy)
            say(f"backup: {copy}")
        with db.transaction():
            done = sum(delete_before(db, table, before) for table in counts)
    say(f"{done:,} rows deleted")
    return 0


def delete_before(db: SmartShopieDB, table: Any, before: datetime.date) -> int:
    """By row id, so that it is right whatever form an old file's dates have. Some
    tables of such a file lack the column `id`; what is read there is SQLite's rowid."""
    last = before - datetime.timedelta(days=1)
    ids = table.select(columns=["id"], end=last)["id"].to_list()
    sql = f"DELETE FROM {table.name} WHERE rowid IN (SELECT value FROM json_each(?))"
    return db.execute(sql, [json.dumps(ids)])


def agreed(question: str) -> bool:
    if not sys.stdin.isatty():
        raise ValueError("purge: there is nobody to ask here; --yes says that it may")
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")
