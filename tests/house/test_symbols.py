"""What the built core shows: one exported name, SQLite from the system's shared
library, and no variable that two interpreters would share."""

from __future__ import annotations

import re
import subprocess
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = {
    path.relative_to(ROOT).as_posix(): path.read_text()
    for path in sorted((ROOT / "csrc").rglob("*.[ch]"))
}

# Tables that CPython's interface takes without const; nobody here writes to them.
PYTHON_TABLES = (
    "PyGetSetDef",
    "PyMemberDef",
    "PyMethodDef",
    "PyModuleDef",
    "PyModuleDef_Slot",
    "PyType_Slot",
    "PyType_Spec",
)
# Of the C runtime, in every shared object.
COMPILER_VARIABLES = {"__TMC_END__", "__dso_handle", "completed"}
# Ours: what a whole process has once, each with the reason.
PROCESS_VARIABLES: dict[str, str] = {
    "last": "base/thread: identities given to threads so far, atomic",
    "mine": "base/thread: this thread's identity",
}


def built_core() -> Path:
    path = ROOT / "smartshopie_db" / ("_core" + sysconfig.get_config_var("EXT_SUFFIX"))
    assert path.exists(), f"{path} is not there: run ./run build"
    return path


def output_of(*command: str) -> str:
    return subprocess.run(
        [*command, built_core()], check=True, capture_output=True, text=True
    ).stdout


def symbols(which: str) -> list[str]:
    listing = output_of("nm", "-D", which)
    return [line.split()[-1].split("@")[0] for line in listing.splitlines()]


def test_only_the_init_function_is_exported():
    assert symbols("--defined-only") == ["PyInit__core"]


def test_sqlite_is_the_systems():
    assert "libsqlite3.so" in output_of("objdump", "-p")
    assert "sqlite3_open_v2" in symbols("--undefined-only")


def test_sqlite_is_never_shut_down_or_configured_for_the_process():
    forbidden = {"sqlite3_shutdown", "sqlite3_config", "sqlite3_enable_shared_cache"}
    assert not forbidden & set(symbols("--undefined-only"))


def variables(listing: str) -> set[str]:
    """Names of the objects in sections that stay writable, of `objdump --syms`.

    What only the loader writes (.data.rel.ro, constants that hold addresses) is not
    among them; a static of a function has lost its number.
    """
    found = set()
    for line in listing.splitlines():
        match = re.match(r"[0-9a-f]+ (.{7}) (\S+)\s+[0-9a-f]+ (?:.*\s)?(\S+)$", line)
        if not match or "d" in match[1]:  # a section or a file
            continue
        of_a_thread = match[2] in (".tdata", ".tbss")
        if of_a_thread or ("O" in match[1] and match[2] in (".data", ".bss")):
            found.add(re.sub(r"\.\d+$", "", match[3]))
    return found


def test_no_variable_outlives_its_interpreter():
    kinds = "|".join(PYTHON_TABLES)
    tables = {
        name
        for text in SOURCES.values()
        for name in re.findall(rf"\b(?:{kinds})\s+(\w+)\s*[\[=]", text)
    }
    found = variables(output_of("objdump", "--syms", "--wide"))
    assert found & COMPILER_VARIABLES, "the core is stripped: its variables are hidden"
    strange = found - tables - COMPILER_VARIABLES - PROCESS_VARIABLES.keys()
    faults = [
        f"{name}: neither const nor on the stack, in "
        + ", ".join(f for f, text in SOURCES.items() if re.search(rf"\b{name}\b", text))
        for name in sorted(strange)
    ]
    if faults:
        pytest.fail("\n".join(faults), pytrace=False)
    stale = PROCESS_VARIABLES.keys() - found
    assert not stale, f"no longer there, strike them from PROCESS_VARIABLES: {stale}"
