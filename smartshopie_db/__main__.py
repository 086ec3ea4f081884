"""What can be done with a dashboard database from a shell; so far one verb, demo."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from . import demo
from ._core import Error, SmartShopieDB

_PROGRAM = "python -m smartshopie_db"


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=_PROGRAM, description=__doc__)
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    verb = verbs.add_parser(
        "demo",
        help="make a database with demo data and print its figures",
        description="Make a database with demo data, unless there is one with rows"
        " already, and print the figures of the README's first example.",
    )
    verb.set_defaults(run=_demo)
    verb.add_argument(
        "path",
        nargs="?",
        metavar="PATH",
        default="smartshopie_dashboard.db",
        help="the database file (default: %(default)s)",
    )
    return parser.parse_args(arguments)


def _demo(arguments: argparse.Namespace) -> None:
    path: str = arguments.path
    try:
        print(f"{path}: made, with {demo.create(path)} rows of demo data")
    except FileExistsError:
        print(f"{path}: was there and has rows; used as it is")
    with SmartShopieDB(path, mode="rw") as db:
        _print_figures(db)


def _print_figures(db: SmartShopieDB) -> None:
    kpis = db.get_overview_kpis()
    if kpis is None:
        print("\nOverview: no figures yet")
    else:
        print(f"\nOverview of {_show(kpis.record_date)}")
        print(f"  Total Customers: {_show(kpis.total_customers)}")
        print(f"  Conversion Rate: {_show(kpis.conversion_rate)}%")
    print("\nConversion funnel")
    for stage in db.get_conversion_funnel():
        name, count, share = stage.stage_name, stage.count, stage.percentage
        print(f"  {_show(name)}: {_show(count)} ({_show(share)}%)")
    print("\nLatest activity")
    for activity in db.get_customer_interactions(limit=10):
        name, what = activity.customer_name, activity.activity_description
        print(f"  {_show(name)}: {_show(what)}")


def _show(value: object) -> str:
    """The value as text that does nothing to a terminal; a dash for None."""
    text = "-" if value is None else str(value)
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code (argparse ends with 2 itself)."""
    parsed = _parse(arguments)
    try:
        parsed.run(parsed)
    except (Error, OSError) as error:
        print(f"{_PROGRAM}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
