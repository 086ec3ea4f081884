"""For type checkers: smartshopie_db/_core.pyi from schema/core.pyi.in."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence

from truth import (
    GIVEN_TYPES,
    NOTICE,
    READ_TYPES,
    SOURCES,
    WIDTH,
    Column,
    Schema,
    SchemaError,
    Table,
)

# ---- smartshopie_db/_core.pyi ----------------------------------------------------


def py_def(indent: str, name: str, arguments: Sequence[str], result: str) -> list[str]:
    """A method, on one line when it fits."""
    line = f"{indent}def {name}({', '.join(arguments)}) -> {result}: ..."
    if len(line) <= WIDTH:
        return [line]
    inner = [f"{indent}    {argument}," for argument in arguments]
    return [f"{indent}def {name}(", *inner, f"{indent}) -> {result}: ..."]


def py_names(indent: str, name: str, values: Sequence[str]) -> list[str]:
    items = [f'"{value}"' for value in values]
    comma = "," if len(items) == 1 else ""
    line = f"{indent}{name} = ({', '.join(items)}{comma})"
    if len(line) <= WIDTH:
        return [line]
    return [f"{indent}{name} = (", *(f"{indent}    {i}," for i in items), f"{indent})"]


def py_read(column: Column) -> str:
    return f"{READ_TYPES[column.type]} | None"


def py_given(column: Column) -> str:
    return f"{GIVEN_TYPES[column.type]} | None"


def py_written(column: Column) -> str:
    return py_given(column) if column.nullable else GIVEN_TYPES[column.type]


def py_docstring(text: str) -> list[str]:
    line = f'    """{text}"""'
    if len(line) <= WIDTH:
        return [line]
    return [
        *textwrap.wrap(f'    """{text}', WIDTH, subsequent_indent="    "),
        '    """',
    ]


def py_record(table: Table) -> list[str]:
    given = [
        f"{name}: {py_given(table.by_name[name])} = None" for name in table.positional
    ]
    managed = [
        f"{column.name}: {py_given(column)} = None"
        for column in table.columns
        if column.name not in table.positional
    ]
    lines = ["@final", f"class {table.record}(Record):", *py_docstring(table.doc), ""]
    lines += py_names("    ", "__match_args__", table.positional)
    lines += py_def("    ", "__new__", ["cls", *given, "*", *managed], "Self")
    for column in table.columns:
        lines.append("    @property")
        lines.append(f"    def {column.name}(self) -> {py_read(column)}: ...")
    return lines


def py_getter(table: Table) -> list[str]:
    limits = ["strict: bool | None = None", "timeout: float | None = None"]
    start = ["self", "date: _DateLike | None = None", "*"]
    if table.shape == "one":
        result = f"{table.record} | None"
        return py_def("    ", table.getter, [*start, *limits], result)
    window = [
        "start: _DateLike | None = None",
        "end: _DateLike | None = None",
        "period: str | None = None",
        "as_of: _DateLike | None = None",
        "limit: int | None = None",
        "offset: int = 0",
        "after: str | None = None",
        "order_by: str | Sequence[str] | None = None",
        "columns: Sequence[str] | None = None",
    ]
    filters = [f"{column.name}: {py_given(column)} = ..." for column in table.columns]
    arguments = [*start, *window, *limits, *filters]
    return py_def("    ", table.getter, arguments, f"Rows[{table.record}]")


def py_adder(table: Table) -> list[str]:
    conflict = 'on_conflict: _OnConflict = "update"'
    required = [
        f"{column.name}: {py_written(column)}"
        for column in table.columns
        if column.required
    ]
    others = [
        f"{column.name}: {py_written(column)} = ..."
        for column in table.columns
        if not column.required
    ]
    record = ["self", f"record: {table.record}", "/", "*", conflict]
    keywords = ["self", "*", *required, *others, conflict]
    return [
        "    @overload",
        *py_def("    ", table.adder, record, "int"),
        "    @overload",
        *py_def("    ", table.adder, keywords, "int"),
    ]


def py_insert(table: Table) -> list[str]:
    if table.insert is None:
        return []
    arguments = ["self"]
    for name in table.insert_args:
        arguments.append(f"{name}: {py_written(table.by_name[name])}")
    return py_def("    ", table.insert, arguments, "None")


def py_table(table: Table) -> list[str]:
    return [
        f"    # {table.name}",
        "    @property",
        f"    def {table.name}(self) -> Table[{table.record}]: ...",
        *py_getter(table),
        *py_adder(table),
        *py_insert(table),
    ]


def py_all(text: str) -> str:
    """__all__ of a stub: its public classes and constants, sorted."""
    names = re.findall(r"^(?:class )?([A-Za-z]\w*)(?:[(\[:])", text, re.MULTILINE)
    constants = re.findall(r"^([a-z]\w*): str$", text, re.MULTILINE)
    classes = [name for name in names if name[0].isupper()]
    lines = "".join(f'    "{name}",\n' for name in sorted({*classes, *constants}))
    return f"__all__ = [\n{lines}]\n"


def stub(schema: Schema, template: str) -> str:
    """The template with its two placeholder lines filled."""
    records = "\n\n".join("\n".join(py_record(table)) for table in schema.tables)
    methods = "\n\n".join("\n".join(py_table(table)) for table in schema.tables)
    for mark, text in (("# <records>", records), ("    # <tables>", methods)):
        if template.count(f"\n{mark}\n") != 1:
            raise SchemaError(f"schema/core.pyi.in: {mark.strip()} must be there once")
        template = template.replace(f"\n{mark}\n", f"\n{text}\n")
    template = template.replace("# <all>\n", py_all(template))
    notice = NOTICE.replace(SOURCES, f"schema/core.pyi.in,\n# {SOURCES}")
    return f"# {notice}\n{template}"
