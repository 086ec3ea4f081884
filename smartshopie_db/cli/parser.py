"""The command line of each verb."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence
from typing import Any

from .._core import __version__

DEFAULT_PATH = "smartshopie_dashboard.db"
FORMS = ("table", "json", "ndjson", "csv")
EVERY = ("day", "week", "month", "quarter", "year", "window")
CONFLICTS = ("update", "ignore", "error")
FILES = ("csv", "ndjson", "json", "parquet", "feather")
THEMES = ("light", "dark")
SHELLS = ("bash", "zsh", "fish")

Verb = argparse.ArgumentParser


def parse(words: Sequence[str]) -> argparse.Namespace:
    """Values may also follow options (`get TABLE --limit 9 COLUMN=VALUE`): argparse
    gives those back, as its lists end at the first option."""
    parser = make_parser()
    parsed, rest = parser.parse_known_args(joined(words))
    if rest:
        if parsed.more is None or any(word.startswith("-") for word in rest):
            parser.error(f"unrecognized arguments: {' '.join(rest)}")
        getattr(parsed, parsed.more).extend(rest)
    return parsed


def joined(words: Sequence[str]) -> list[str]:
    """`--order-by -revenue` as one word: argparse takes the second for an option."""
    found: list[str] = []
    for word in words:
        if found and found[-1] == "--order-by":
            found[-1] += f"={word}"
        else:
            found.append(word)
    return found


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="smartshopie",
        description="The dashboard database of a shop's AI assistant, from a shell.",
        epilog="smartshopie VERB --help shows examples. Without --db the database is"
        f" $SMARTSHOPIE_DB, else ./{DEFAULT_PATH}.",
    )
    parser.add_argument(
        "-V", "--version", action="version", version=f"smartshopie {__version__}"
    )
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    for define in VERBS:
        define(verbs)
    return parser


def verb(
    verbs: Any, name: str, run: str, summary: str, *examples: str, file: bool = True
) -> Verb:
    """A verb whose function is `run` in the module of that name, imported when it runs:
    "data.get" is get() in smartshopie_db/cli/data.py."""
    parser: Verb = verbs.add_parser(
        name,
        help=summary,
        description=summary[0].upper() + summary[1:] + ".",
        epilog="examples:\n" + "\n".join(f"  smartshopie {line}" for line in examples),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=load(run), form=None, more=None)
    if file:
        parser.add_argument(
            "--db",
            metavar="PATH",
            default=os.environ.get("SMARTSHOPIE_DB") or DEFAULT_PATH,
            help="the database file (default: %(default)s)",
        )
    parser.add_argument(
        "--debug", action="store_true", help="show where an error comes from"
    )
    return parser


def load(run: str) -> Callable[[argparse.Namespace], int | None]:
    module, function = run.split(".")

    def call(arguments: argparse.Namespace) -> int | None:
        import importlib

        found = importlib.import_module(f".{module}", __package__)
        result: int | None = getattr(found, function)(arguments)
        return result

    return call


def frozen(parser: Verb) -> None:
    parser.add_argument(
        "--immutable",
        action="store_true",
        help="nobody writes to this file: read it also where no log can be made",
    )


def lenient(parser: Verb) -> None:
    parser.add_argument(
        "--lenient",
        action="store_true",
        help="a cell that is no value of its column, as older files have, counts as"
        " missing instead of being an error; of rows, stderr says which",
    )


def forms(parser: Verb, file: bool = True) -> None:
    if file:
        frozen(parser)
        lenient(parser)
    group = parser.add_mutually_exclusive_group()
    for form in FORMS:
        group.add_argument(
            f"--{form}", dest="form", action="store_const", const=form,
            help=f"print as {form.upper() if form != 'table' else 'a table'}"
            + (" (default on a terminal)" if form == "table" else "")
            + (" (default elsewhere)" if form == "csv" else ""),
        )  # fmt: skip


def window(parser: Verb) -> None:
    parser.add_argument(
        "--period",
        help="7d, 30d, 12w, 6m, 1y, mtd, qtd, ytd: counted back from --as-of",
    )
    parser.add_argument("--start", metavar="DATE", help="first day, included")
    parser.add_argument("--end", metavar="DATE", help="last day, included")
    parser.add_argument(
        "--as-of",
        metavar="DATE",
        help="where a period ends (default: newest stored day)",
    )


def zone(parser: Verb) -> None:
    parser.add_argument(
        "--zone",
        metavar="NAME",
        help="time zone of the days of instants (Europe/Berlin)",
    )


def filters(parser: Verb) -> None:
    parser.set_defaults(more="filters")
    parser.add_argument(
        "filters", nargs="*", metavar="COLUMN=VALUE",
        help="only rows with that value; COLUMN= is NULL",
    )  # fmt: skip


def table(parser: Verb) -> None:
    parser.add_argument("table", metavar="TABLE", help="smartshopie tables lists them")


# ---- verbs ---------------------------------------------------------------------------


def define_init(verbs: Any) -> None:
    verb(verbs, "init", "files.init", "make the database, or the tables that it lacks",
         "init", "init --db shop.db")  # fmt: skip


def define_demo(verbs: Any) -> None:
    parser = verb(
        verbs, "demo", "files.demo",
        "make a database with demo data and print its figures",
        "demo", "demo --db big.db --days 365 --rows 1000000",
    )  # fmt: skip
    parser.add_argument("path", nargs="?", metavar="PATH", help="the same as --db PATH")
    parser.add_argument(
        "--days", type=int, metavar="N",
        help="make up that many days, the same every time (default: a small set)",
    )  # fmt: skip
    parser.add_argument(
        "--rows", type=int, metavar="N", help="of customer_interactions (with --days)"
    )
    parser.add_argument(
        "--until",
        metavar="DATE",
        help="the last day (with --days; default: 2025-12-31)",
    )


def define_info(verbs: Any) -> None:
    forms(verb(verbs, "info", "files.info", "say what kind of file this is", "info"))


def define_tables(verbs: Any) -> None:
    forms(verb(verbs, "tables", "files.tables", "list the tables with their rows",
               "tables", "tables --json"))  # fmt: skip


def define_get(verbs: Any) -> None:
    parser = verb(
        verbs, "get", "data.get", "print rows of a table",
        "get overview_kpis", "get overview_kpis --period 30d --csv",
        "get customer_interactions interaction_type=chat --limit 20",
    )  # fmt: skip
    table(parser)
    filters(parser)
    parser.add_argument("--date", help="the rows of that day")
    window(parser)
    parser.add_argument("--limit", type=int, metavar="N")
    parser.add_argument("--offset", type=int, metavar="N", default=0)
    parser.add_argument(
        "--order-by", metavar="COLUMNS", help="a,b; a minus before one: largest first"
    )
    parser.add_argument("--columns", metavar="COLUMNS", help="a,b,c")
    parser.add_argument("--all", action="store_true", help="every row, by row id")
    forms(parser)


def define_query(verbs: Any) -> None:
    parser = verb(
        verbs, "query", "data.query", "run an SQL statement that only reads",
        'query "SELECT count(*) FROM customer_interactions"', "query - <report.sql",
        'query "SELECT * FROM product_gaps WHERE gap_rank < ?" 4',
    )  # fmt: skip
    parser.add_argument(
        "sql", metavar="SQL", help="the statement; - reads it from stdin"
    )
    parser.set_defaults(more="params")
    parser.add_argument("params", nargs="*", metavar="VALUE", help="for each ? in it")
    parser.add_argument("--timeout", type=float, metavar="SECONDS")
    forms(parser)


def define_series(verbs: Any) -> None:
    parser = verb(
        verbs, "series", "data.series", "print figures over time",
        "series overview_kpis --period 1y --every month",
        "series revenue_attribution revenue_amount --by ai_feature --every quarter",
    )  # fmt: skip
    table(parser)
    figures(parser)
    window(parser)
    parser.add_argument("--every", choices=EVERY, default="day")
    parser.add_argument(
        "--by", metavar="COLUMNS", help="rows of its own for each value"
    )
    parser.add_argument(
        "--fill", choices=("0", "previous"), help="what stands where nothing is known"
    )
    zone(parser)
    forms(parser)


def figures(parser: Verb) -> None:
    parser.set_defaults(more="words")
    parser.add_argument(
        "words", nargs="*", metavar="FIGURE | COLUMN=VALUE",
        help="the figures to show (default: all) and what to filter by",
    )  # fmt: skip


def define_compare(verbs: Any) -> None:
    parser = verb(
        verbs, "compare", "data.compare", "print figures against those of another time",
        "compare overview_kpis --period 30d",
        "compare revenue_summary --period ytd --to previous_year",
    )  # fmt: skip
    table(parser)
    figures(parser)
    window(parser)
    parser.add_argument(
        "--to", default="previous_period", metavar="WHAT",
        help="previous_period (default), previous_year or START..END",
    )  # fmt: skip
    zone(parser)
    forms(parser)


def define_top(verbs: Any) -> None:
    for name, summary, example in (
        ("top", "print the groups with the largest figure",
         "top product_analytics revenue -n 5 --period 90d"),
        ("breakdown", "print the parts of a whole with their shares",
         "breakdown interaction_types count --period 30d"),
    ):  # fmt: skip
        parser = verb(verbs, name, f"data.{name}", summary, example)
        table(parser)
        parser.add_argument("column", metavar="FIGURE")
        filters(parser)
        if name == "top":
            parser.add_argument("-n", type=int, default=10, metavar="N")
        parser.add_argument("--by", metavar="COLUMNS", help="default: the table's key")
        window(parser)
        zone(parser)
        forms(parser)


def define_plot(verbs: Any) -> None:
    parser = verb(
        verbs, "plot", "draw.plot", "draw a figure into a file",
        "plot funnel --period 90d -o funnel.html",
        "plot kpi_trend --measure conversion_rate --theme dark -o rate.svg",
        "plot --list",
    )  # fmt: skip
    parser.add_argument("plot", nargs="?", metavar="NAME", help="--list shows them")
    parser.add_argument(
        "-o", "--output", metavar="PATH", help="ends in .html, .json, .png or .svg"
    )
    parser.add_argument("--list", action="store_true", help="list the plots")
    parser.add_argument("--measure", metavar="COLUMN", help="of kpi_trend: which")
    window(parser)
    parser.add_argument("--theme", choices=THEMES, default=THEMES[0])
    parser.add_argument(
        "--currency", metavar="CODE", help="how amounts are written (EUR)"
    )
    parser.add_argument(
        "--size", metavar="WxH", help="pixels of a .png or .svg (1000x600)"
    )
    forms(parser)


def define_add(verbs: Any) -> None:
    parser = verb(
        verbs, "add", "data.add", "add one row, or update the one with its key",
        "add overview_kpis record_date=2025-12-31 total_customers=1200",
    )  # fmt: skip
    table(parser)
    parser.add_argument(
        "values", nargs="+", metavar="COLUMN=VALUE", help="COLUMN= is NULL"
    )
    parser.add_argument("--on-conflict", choices=CONFLICTS, default="update")


def define_import(verbs: Any) -> None:
    parser = verb(
        verbs, "import", "load.run", "add the rows of files, all of them or none",
        "import overview_kpis.csv revenue_summary.csv",
        "import export.ndjson --table customer_interactions --dry-run",
        "import - --table product_analytics --format csv <product_analytics.csv",
    )  # fmt: skip
    parser.set_defaults(more="files")
    parser.add_argument("files", nargs="+", metavar="FILE", help="- is stdin")
    parser.add_argument("--table", help="default: the file's name without its ending")
    parser.add_argument("--format", choices=FILES, help="default: the file's ending")
    parser.add_argument(
        "--delimiter", metavar="CHAR", help="of CSV (default: a comma; in .tsv a tab)"
    )
    parser.add_argument("--on-conflict", choices=CONFLICTS, default="update")
    parser.add_argument(
        "--max-errors", type=int, default=20, metavar="N",
        help="stop looking after that many (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--dry-run", action="store_true", help="check everything, write nothing"
    )


def define_export(verbs: Any) -> None:
    parser = verb(
        verbs, "export", "dump.run", "write tables to files",
        "export overview_kpis -o kpis.csv", "export --all -o folder --format ndjson",
    )  # fmt: skip
    parser.add_argument("table", nargs="?", metavar="TABLE")
    parser.add_argument("--all", action="store_true", help="every table, into a folder")
    parser.add_argument("-o", "--output", metavar="PATH", help="default: stdout")
    parser.add_argument("--format", choices=FILES, help="default: the ending, else csv")
    parser.add_argument(
        "--secrets", action="store_true", help="write secret columns in full"
    )
    parser.add_argument(
        "--defuse", action="store_true",
        help="CSV: keep a spreadsheet from taking texts as formulas",
    )  # fmt: skip
    frozen(parser)
    lenient(parser)


def define_migrate(verbs: Any) -> None:
    parser = verb(
        verbs, "migrate", "files.migrate", "bring an older file to the current version",
        "migrate --dry-run", "migrate",
    )  # fmt: skip
    parser.add_argument(
        "--dry-run", action="store_true", help="say what would be done, change nothing"
    )
    parser.add_argument(
        "--json",
        dest="form",
        action="store_const",
        const="json",
        help="print one JSON object",
    )


def define_check(verbs: Any) -> None:
    parser = verb(
        verbs, "check", "files.check", "look for damage and doubtful values", "check",
        "check --fix",
    )  # fmt: skip
    parser.add_argument(
        "--fix", action="store_true",
        help="first do what is safe: tables not made yet, statistics, the log",
    )  # fmt: skip
    forms(parser)


def define_backup(verbs: Any) -> None:
    parser = verb(verbs, "backup", "files.backup", "write a copy while others work",
                  "backup saved.db")  # fmt: skip
    parser.add_argument("target", metavar="PATH")
    frozen(parser)
    parser.add_argument(
        "--overwrite", action="store_true", help="replace what is there"
    )


def define_optimize(verbs: Any) -> None:
    parser = verb(verbs, "optimize", "files.optimize",
                  "refresh statistics and fold the log away", "optimize",
                  "optimize --vacuum")  # fmt: skip
    parser.add_argument("--vacuum", action="store_true", help="give free space back")


def define_purge(verbs: Any) -> None:
    parser = verb(
        verbs, "purge", "files.purge", "delete rows older than a day, after a backup",
        "purge --before 2024-01-01",
        "purge --before 2024-01-01 --table system_health -y",
    )  # fmt: skip
    parser.add_argument("--before", metavar="DATE", required=True)
    parser.add_argument(
        "--table", action="append", help="only this one (again for more)"
    )
    parser.add_argument("-y", "--yes", action="store_true", help="do not ask")
    parser.add_argument("--no-backup", action="store_true", help="do not copy it first")


def define_schema(verbs: Any) -> None:
    parser = verb(
        verbs, "schema", "files.schema", "print the schema, or one table's columns",
        "schema", "schema overview_kpis", file=False,
    )  # fmt: skip
    parser.add_argument("table", nargs="?", metavar="TABLE")
    forms(parser, file=False)


def define_serve(verbs: Any) -> None:
    parser = verb(
        verbs, "serve", "serve.run", "serve the dashboard and its API to browsers",
        "serve --demo", "serve shop.db --port 8080 --currency EUR",
        "serve shop.db --writes --token-file token.txt",
        "serve shop.db --host 0.0.0.0 --allow-host shop.example",
    )  # fmt: skip
    parser.add_argument("path", nargs="?", metavar="DB", help="the same as --db DB")
    parser.add_argument(
        "--host", default="127.0.0.1", help="where to listen (default: %(default)s)"
    )
    parser.add_argument(
        "--port", type=port, default=5001, help="default: %(default)s; 0: a free one"
    )
    parser.add_argument(
        "--allow-host", action="append", metavar="NAME",
        help="a name by which others call this server (again for more)",
    )  # fmt: skip
    writes = parser.add_mutually_exclusive_group()
    writes.add_argument(
        "--read-only", dest="writes", action="store_false", default=None,
        help="take no writes (default)",
    )  # fmt: skip
    writes.add_argument(
        "--writes", dest="writes", action="store_true", default=None,
        help="take writes from who shows the token",
    )  # fmt: skip
    parser.add_argument("--token-file", metavar="FILE", help="where the token is")
    parser.add_argument(
        "--demo",
        action="store_true",
        help="make the file with a made-up year, if need be",
    )
    parser.add_argument("--currency", metavar="CODE", help="of money, as EUR")
    parser.add_argument("--title", metavar="TEXT", help="what the page is called")
    parser.add_argument(
        "--streams", type=positive, metavar="N",
        help="pages at once that hear of changes in each process (default: 200);"
        " others ask every 5 s",
    )  # fmt: skip
    parser.add_argument(
        "--workers", type=positive, default=1, metavar="N",
        help="processes (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--threads", type=positive, default=16, metavar="N",
        help="that answer, in each process (default: %(default)s)",
    )  # fmt: skip


def port(text: str) -> int:
    number = int(text)
    if not 0 <= number < 65536:
        raise ValueError
    return number


def positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def define_completion(verbs: Any) -> None:
    parser = verb(
        verbs, "completion", "completion.run", "print a shell's completion script",
        "completion bash >~/.local/share/bash-completion/completions/smartshopie",
        file=False,
    )  # fmt: skip
    parser.add_argument("shell", choices=SHELLS)


VERBS: tuple[Callable[[Any], None], ...] = (
    define_init, define_demo, define_info, define_tables, define_get, define_query,
    define_series, define_compare, define_top, define_plot, define_add, define_import,
    define_export, define_migrate, define_check, define_backup, define_optimize,
    define_purge, define_schema, define_serve, define_completion,
)  # fmt: skip
