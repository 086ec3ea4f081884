#!/usr/bin/env python3
"""Write every file that follows from the migrations and tables.toml.

    python schema/generate.py           write the derived files
    python schema/generate.py --check   write nothing; name the stale files and exit 1

The migrations run in an in-memory database and the tables are read back from there, so
that what SQLite understood is what gets generated.  tables.toml adds what SQL cannot
say.  The two must agree in every name: a disagreement is an error that names the table
and the column, and then nothing is written.

Derived files: csrc/catalog/catalog_gen.h, smartshopie_db/_core.pyi (its static part is
schema/core.pyi.in), docs/schema.md and schema/database_schema.sql.

Needs the standard library of Python 3.11 or newer and nothing else.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from to_c import catalog_header
from to_docs import schema_page, schema_script
from to_stub import stub
from truth import (
    ROOT,
    SchemaError,
    load,
)

# ---- The files -------------------------------------------------------------------


def derived(root: Path) -> dict[Path, str]:
    """Every derived file and what should be in it."""
    schema = load(root)
    template = (root / "schema/core.pyi.in").read_text(encoding="utf-8")
    return {
        root / "csrc/catalog/catalog_gen.h": catalog_header(schema),
        root / "smartshopie_db/_core.pyi": stub(schema, template),
        root / "docs/schema.md": schema_page(schema),
        root / "schema/database_schema.sql": schema_script(schema),
    }


def is_stale(path: Path, text: str) -> bool:
    return not path.is_file() or path.read_text(encoding="utf-8") != text


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description="Write the files derived from schema/."
    )
    parser.add_argument("--check", action="store_true", help="only name stale files")
    options = parser.parse_args(arguments)
    try:
        files = derived(ROOT)
    except SchemaError as error:
        print(error, file=sys.stderr)
        return 1
    stale = [path for path, text in files.items() if is_stale(path, text)]
    for path in stale:
        print(f"{'stale' if options.check else 'wrote'}: {path.relative_to(ROOT)}")
        if not options.check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(files[path], encoding="utf-8", newline="\n")
    return 1 if options.check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
