"""For people: docs/schema.md, and the schema as one commented script."""

from __future__ import annotations

from collections.abc import Iterator

from truth import (
    NOTICE,
    Column,
    Schema,
    Table,
)

# ---- schema/database_schema.sql --------------------------------------------------


def schema_script(schema: Schema) -> str:
    head = f"""\
-- {NOTICE}
--
-- The whole current schema, for a new and empty file:
--
--     sqlite3 smartshopie_dashboard.db < database_schema.sql
--
-- builds the same file as the library does.  Turn on foreign keys in each connection of
-- your own: PRAGMA foreign_keys = ON.

PRAGMA application_id = {schema.application_id};

"""
    tail = f"\nPRAGMA user_version = {len(schema.migrations)};\n"
    return head + "\n".join(schema.migrations.values()) + tail


# ---- docs/schema.md --------------------------------------------------------------

DOC_SHAPES = {
    "one": "one row per time step; the getter gives the newest one, or None",
    "set": "the getter gives all rows of the newest day that has any",
    "history": "the getter gives every row of the window, oldest first",
    "events": "the getter gives rows newest first",
    "all": "a table of settings; the getter gives all of it",
}

DOC_HEAD = """\
# The tables

{count} tables, each with a record type, a getter and an adder. This page is written by
the generator from the migrations (`schema/migrations/`) and `schema/tables.toml`; the
same descriptions are in `db.tables["<table>"].schema`.

In every table `id` names a row, and the **key** says what the row is about: it is
UNIQUE and NOT NULL, so adding a row whose key exists updates that row. `created_at` and
`updated_at` are kept by the library. A column marked **required** must be given when a
row is added; every other may be left out.

`database_schema.sql` is the same as one script for the standard `sqlite3` shell. A file
made either way carries the application id `{application_id:#x}` ("SSDB") and, in
`user_version`, the number of migrations it has seen: {version}.

## Contents

"""

DOC_TIME = """\
## Days and instants

| what | stored as | read as |
|---|---|---|
| DATE | text `YYYY-MM-DD` | `datetime.date` |
| TIMESTAMP | text `YYYY-MM-DD HH:MM:SS[.ffffff]` | naive `datetime.datetime` |

Instants are UTC and carry no zone; a fraction, when there is one, has six digits. In
these two forms the order of text is the order of time, so plain comparison in SQL is
right, and an index serves it. A CHECK looks at the shape, which catches a wrong column
or a foreign format at little cost; that the day exists in the calendar (no 31 February)
is checked when the library writes it.

Older files also hold `YYYY-MM-DDTHH:MM:SS`, with and without a fraction. They are read
as they are, and migration rewrites them to the form above. Some of their instants
were stored in local time without saying so; nothing in the file tells which, so they
are kept as written.

`system_health.record_date` is an instant although every other `record_date` is a day.
`usage_breakdown.month` is a whole day although its name says month.
"""

DOC_CHECKS = """\
## What the file refuses

A CHECK, named `<table>_<column>_check`, states what is always true of a figure: counts
and amounts are not negative, a share is within 0 and 100, a score is on its scale. The
limit is in the range column above. There is none where a figure may rightly be
anything:

- changes, returns, impacts and lifetime values may be negative;
- `conversion_funnel.dropoff_rate` is a change, so it is zero or negative;
- `revenue_summary.roi_percentage` often exceeds 100;
- `product_gaps.demand_score` is a score in some files and a number of requests in
  others;
- processor use adds up over cores, and a product can sell more often than it was
  recommended: both may exceed 100 percent;
- words (stages, categories, states) are never limited, because each shop has its own.
  Where the range column lists words, they are the ones seen so far.
"""

DOC_FOREIGN_HEAD = """\
## Foreign keys

| column | refers to | when that row is deleted |
|---|---|---|
"""

DOC_FOREIGN_TAIL = """\

These columns are ours: they are NULL where the connection is not known, as in every
migrated file. Foreign keys are enforced on every connection that the library opens.

There are no more, because the figures hold no other true reference. Tables share words
(a segment, a category, a feature), but each reports on its own: the segments of
`customer_segments` are not those of `customer_lifetime_value`, the categories of
`category_performance` are finer than those of `category_revenue`, products are numbered
differently in files of different age, and customers and sessions have no table of
their own. A constraint on such a word would refuse rows that are right.
"""

DOC_RENAMED_HEAD = """\
## Columns that had another name

| column | in older files |
|---|---|
"""

DOC_RENAMED_TAIL = """\

Both names are understood when a file is opened. Column names never change otherwise.
Compared with older files, every table has gained what it lacked of `id`, `created_at`
and `updated_at`, and `billing_summary.base_cost` and `total_cost` may be NULL, because
a 0 that only filled a gap was not told from a real one.
"""

DOC_AGGREGATES = """\
## How rows add up

The last column of a table says what happens to a figure when several rows become one
(`db.series`, `db.compare`):

| rule | meaning |
|---|---|
| sum | added up |
| mean | plain mean of the rows that have it |
| mean by x | mean weighted by the column x, so that a busy day counts more |
| a / b | the sum of a divided by the sum of b |
| last | a level, not a flow: the value at the newest step; days do not add up |
| | no meaning: refused |

A reported share of a whole has no rule, because shares of different days cannot be
combined: compute it from the counts instead.
"""


def doc_type(column: Column) -> str:
    text = column.type
    if column.unit:
        text += f", {column.unit}"
    return text


def doc_aggregate(column: Column) -> str:
    rule, _, rest = column.aggregate.partition(":")
    if rule == "none":
        return ""
    text = rest.replace("/", " / ") if rule == "ratio" else rule
    if rule == "mean" and rest:
        text = f"mean by {rest}"
    return text if column.apart is None else f"{text}, per {column.apart}"


def doc_null(column: Column) -> str:
    if column.required:
        return "**required**"
    if column.name == "id":
        return "never"
    if not column.not_null:
        return "yes" if column.default is None else f"yes; {doc_default(column)}"
    return f"never; {doc_default(column)}"


def doc_default(column: Column) -> str:
    if column.default == "CURRENT_TIMESTAMP":
        return "now by default"
    return f"`{column.default}` by default"


def doc_table(table: Table, tab: str) -> Iterator[str]:
    key = ", ".join(f"`{name}`" for name in table.key)
    yield f"### {table.name}"
    yield ""
    yield table.doc
    yield ""
    yield f"- **Key:** {key}"
    yield f"- **Shape:** {table.shape}: {DOC_SHAPES[table.shape]}"
    if table.time:
        yield f"- **Time column:** `{table.time}`"
    if table.order:
        order = ", ".join(
            f"`{name.removeprefix('-')}`{' descending' * name.startswith('-')}"
            for name in table.order
        )
        yield f"- **Order:** {order}"
    methods = f"`{table.getter}`, `{table.adder}`"
    if table.insert:
        methods += f", `{table.insert}`"
    yield f"- **Methods:** {methods}; table object `db.{table.name}`"
    positional = ", ".join(table.positional)
    yield f"- **Record:** `{table.record}({positional})`"
    yield f"- **Dashboard page:** {tab}"
    yield ""
    yield "| column | type, unit | meaning | range | NULL? | better | adds up |"
    yield "|---|---|---|---|---|---|---|"
    for column in table.columns:
        cells = (
            f"`{column.name}`",
            doc_type(column),
            column.doc,
            column.range,
            doc_null(column),
            column.better,
            doc_aggregate(column),
        )
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
    yield ""


def schema_page(schema: Schema) -> str:
    tab_of = {name: tab for tab, names in schema.tabs.items() for name in names}
    head = DOC_HEAD.format(
        count=len(schema.tables),
        application_id=schema.application_id,
        version=len(schema.migrations),
    )
    lines = [f"<!-- {NOTICE} -->", "", head.rstrip("\n"), ""]
    lines += ["| table | one row | record | key |", "|---|---|---|---|"]
    for table in schema.tables:
        key = ", ".join(table.key)
        link = f"[{table.name}](#{table.name})"
        lines.append(f"| {link} | {table.doc} | `{table.record}` | {key} |")
    lines += ["", "Then: [units](#units), [days and instants](#days-and-instants),"]
    lines += ["[how rows add up](#how-rows-add-up),"]
    lines += ["[what the file refuses](#what-the-file-refuses),"]
    lines += ["[foreign keys](#foreign-keys),"]
    lines += ["[renamed columns](#columns-that-had-another-name).", ""]
    lines += ["## Tables", ""]
    for table in schema.tables:
        lines += doc_table(table, tab_of[table.name])
    lines += ["## Units", "", "| unit | meaning |", "|---|---|"]
    lines += [f"| {unit} | {meaning} |" for unit, meaning in schema.units.items()]
    lines += ["", DOC_TIME, DOC_AGGREGATES, DOC_CHECKS]
    lines += [DOC_FOREIGN_HEAD + "\n".join(doc_foreign(schema)), DOC_FOREIGN_TAIL]
    lines += [DOC_RENAMED_HEAD + "\n".join(doc_renamed(schema)), DOC_RENAMED_TAIL]
    return "\n".join(lines).rstrip("\n") + "\n"


def doc_foreign(schema: Schema) -> Iterator[str]:
    for table in schema.tables:
        for key in table.foreign_keys:
            yield (
                f"| `{table.name}.{key.column}` | `{key.table}.{key.to}`"
                f" | {key.on_delete.capitalize().replace('null', 'NULL')} |"
            )


def doc_renamed(schema: Schema) -> Iterator[str]:
    for table in schema.tables:
        for column in table.columns:
            if column.old:
                yield f"| `{table.name}.{column.name}` | `{column.old}` |"
