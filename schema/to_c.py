"""The descriptors for the C core: csrc/catalog/catalog_gen.h."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from truth import (
    KINDS,
    NOTICE,
    WIDTH,
    Column,
    Schema,
    SchemaError,
    Table,
)

# ---- csrc/catalog/catalog_gen.h --------------------------------------------------


def c_string(text: str | None) -> str:
    if text is None:
        return "NULL"
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    if not escaped.isascii() or "??" in escaped:
        raise SchemaError(f"not plain ASCII: {text!r}")
    return f'"{escaped}"'


def c_wrapped(start: str, text: str, end: str) -> Iterator[str]:
    """A text that may be longer than a line, as adjacent literals."""
    indent = " " * (len(start) - len(start.lstrip()) + 4)
    if len(start) + len(c_string(text)) + len(end) <= WIDTH:
        yield start + c_string(text) + end
        return
    yield start.rstrip()
    room = WIDTH - len(indent) - 4
    parts = textwrap.wrap(text, room, drop_whitespace=False, break_on_hyphens=False)
    for part in parts[:-1]:
        yield indent + c_string(part)
    yield indent + c_string(parts[-1]) + end


def c_flags(table: Table, column: Column) -> str:
    flags = {
        "SS_COL_KEY": column.name in table.key,
        "SS_COL_REQUIRED": column.required,
        "SS_COL_SECRET": column.secret,
        "SS_COL_MANAGED": column.managed,
    }
    return " | ".join(name for name, on in flags.items() if on) or "0"


def c_columns(table: Table) -> Iterator[str]:
    yield f"static const ss_column_desc {table.name}_columns[] = {{"
    for column in table.columns:
        yield "    {"
        yield f"        .name = {c_string(column.name)},"
        if column.old is not None:
            yield f"        .old_name = {c_string(column.old)},"
        if column.source is not None:
            yield f"        .source = {c_string(column.source)},"
        if column.otherwise is not None:
            yield f"        .otherwise = {c_string(column.otherwise)},"
        yield f"        .unit = {c_string(column.unit)},"
        yield from c_wrapped("        .doc = ", column.doc, ",")
        yield from c_wrapped("        .range = ", column.range, ",")
        yield f"        .aggregate = {c_string(column.aggregate)},"
        yield f"        .better = {c_string(column.better)},"
        if column.apart is not None:
            yield f"        .apart = {c_string(column.apart)},"
        if column.default_text is not None:
            yield f"        .default_text = {c_string(column.default_text)},"
        yield f"        .kind = {KINDS[column.type]},"
        yield f"        .flags = {c_flags(table, column)},"
        yield "    },"
    yield "};"


def c_indexes(table: Table, what: str, names: Sequence[str]) -> Iterator[str]:
    if names:
        numbers = ", ".join(str(table.index(name)) for name in names)
        start = f"static const int16_t {table.name}_{what}[] = {{"
        if len(start) + len(numbers) + 2 <= WIDTH:
            yield f"{start}{numbers}}};"
        else:
            yield start
            yield f"    {numbers},"
            yield "};"


def c_order(table: Table) -> Iterator[str]:
    if table.order:
        items = ", ".join(
            f"{{{table.index(name.removeprefix('-'))}, "
            f"{'true' if name.startswith('-') else 'false'}}}"
            for name in table.order
        )
        yield f"static const ss_order_desc {table.name}_order[] = {{{items}}};"


def c_table(table: Table) -> Iterator[str]:
    def pointer(what: str, names: Sequence[str]) -> str:
        return f"{table.name}_{what}" if names else "NULL"

    yield "    {"
    yield f"        .name = {c_string(table.name)},"
    yield f"        .record = {c_string(table.record)},"
    yield f"        .getter = {c_string(table.getter)},"
    yield f"        .adder = {c_string(table.adder)},"
    yield f"        .insert_name = {c_string(table.insert)},"
    yield from c_wrapped("        .doc = ", table.doc, ",")
    yield f"        .columns = {table.name}_columns,"
    yield f"        .key = {table.name}_key,"
    yield f"        .order = {pointer('order', table.order)},"
    yield f"        .positional = {table.name}_positional,"
    yield f"        .insert_args = {pointer('insert_args', table.insert_args)},"
    yield f"        .n_columns = {len(table.columns)},"
    yield f"        .n_key = {len(table.key)},"
    yield f"        .n_order = {len(table.order)},"
    yield f"        .n_positional = {len(table.positional)},"
    yield f"        .n_insert_args = {len(table.insert_args)},"
    yield f"        .time_column = {table.index(table.time) if table.time else -1},"
    yield f"        .updated_at = {table.index('updated_at')},"
    yield f"        .created_at = {table.index('created_at')},"
    yield f"        .shape = SS_SHAPE_{table.shape.upper()},"
    yield f"        .step = SS_EVERY_{table.step.upper()},"
    yield "    },"


def c_tabs(schema: Schema) -> Iterator[str]:
    numbers = {table.name: i for i, table in enumerate(schema.tables)}
    symbols = {tab: f"tab_{tab.replace('-', '_')}" for tab in schema.tabs}
    for tab, names in schema.tabs.items():
        items = ", ".join(str(numbers[name]) for name in names)
        yield f"static const int16_t {symbols[tab]}[] = {{{items}}};"
    yield ""
    yield "const ss_tab_desc ss_tabs[] = {"
    for tab, names in schema.tabs.items():
        yield f"    {{{c_string(tab)}, {symbols[tab]}, {len(names)}}},"
    yield "};"
    yield ""
    yield f"const int ss_n_tabs = {len(schema.tabs)};"


def c_migrations(schema: Schema) -> Iterator[str]:
    """One literal for each line of SQL: none comes near the length that a compiler
    has to accept."""
    yield "const char *const ss_migrations[] = {"
    for name, sql in schema.migrations.items():
        yield f"    /* {name} */"
        lines = sql.splitlines()
        for line in lines[:-1]:
            yield f"    {c_string(line + chr(10))}"
        yield f"    {c_string(lines[-1] + chr(10))},"
    yield "};"
    yield ""
    yield f"const int ss_n_migrations = {len(schema.migrations)};"


def catalog_header(schema: Schema) -> str:
    lines = [
        f"/* {NOTICE} */",
        "#ifndef SS_CATALOG_CATALOG_GEN_H",
        "#define SS_CATALOG_CATALOG_GEN_H",
        "",
        '#include "catalog/catalog.h"',
        "",
    ]
    for table in schema.tables:
        lines += [f"/* {table.name} */", ""]
        lines += [*c_columns(table), ""]
        lines += c_indexes(table, "key", table.key)
        lines += c_order(table)
        lines += c_indexes(table, "positional", table.positional)
        lines += c_indexes(table, "insert_args", table.insert_args)
        lines += [""]
    lines += ["/* all of them */", "", "const ss_table_desc ss_tables[] = {"]
    for table in schema.tables:
        lines += c_table(table)
    lines += ["};", "", f"const int ss_n_tables = {len(schema.tables)};", ""]
    lines += [*c_tabs(schema), "", *c_migrations(schema), "", "#endif"]
    return "\n".join(lines) + "\n"
