"""The architecture of csrc/, held by reading the sources: which room may include
which, who may know Python, how the GIL is released, how long things may grow.

What the built core shows of it is in test_symbols.py.
"""

from __future__ import annotations

import ast
import functools
import os
import re
import shlex
import subprocess
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CSRC = ROOT / "csrc"

# The floors, lowest first; a room may include itself and what is named here.
ALLOWED = {
    "base": set(),
    "store": {"base"},
    "catalog": {"base"},
    "columns": {"base", "store", "catalog"},
    "db": {"base", "store", "catalog", "columns"},
    "formats": {"base", "catalog", "columns"},
    "py": {"base", "store", "catalog", "columns", "db", "formats"},
}
GENERATED = {"catalog/catalog_gen.h"}  # data: no length, and for catalog.c alone
LINES_OF_A_FILE = 1000
LINES_OF_A_FUNCTION = 80

# Headers of CPython, which none but csrc/py may know.
PYTHON_HEADERS = {
    path.name for path in Path(sysconfig.get_path("include")).glob("*.h")
} | {"Python.h"}


def name_of(path: Path) -> str:
    return path.relative_to(CSRC).as_posix()


@functools.cache
def files() -> dict[str, str]:
    """Every C file below csrc by its name there, as text."""
    found = {name_of(path): path.read_text() for path in sorted(CSRC.rglob("*.[ch]"))}
    assert found, "no C files below csrc/"
    return found


def sources() -> list[str]:
    return [name for name in files() if name.endswith(".c")]


def headers() -> list[str]:
    return [name for name in files() if name.endswith(".h")]


def code(text: str) -> str:
    """The text with comments, strings and characters emptied; no line moves."""

    def emptied(match: re.Match[str]) -> str:
        found = match.group()
        if found.startswith("/"):
            return " " + "\n" * found.count("\n")
        return found[0] + found[-1]

    return re.sub(
        r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'",
        emptied,
        text,
        flags=re.DOTALL,
    )


def line_of(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


@functools.cache
def includes(name: str) -> list[tuple[int, str, str]]:
    """(line, < or ", file) of each #include."""
    text = re.sub(
        r"/\*.*?\*/", lambda m: "\n" * m[0].count("\n"), files()[name], flags=re.DOTALL
    )
    return [
        (line_of(text, match.start()), match[1], match[2])
        for match in re.finditer(
            r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"\n]+)[>"]', text, re.MULTILINE
        )
    ]


def own_includes(name: str) -> list[tuple[int, str]]:
    return [(line, file) for line, mark, file in includes(name) if mark == '"']


def report(faults: list[str]) -> None:
    if faults:
        pytest.fail("\n".join(faults), pytrace=False)


# --- the include graph ------------------------------------------------------------


def test_every_file_is_in_a_known_room():
    report(
        [
            f"csrc/{name}: this room is not in ALLOWED of {Path(__file__).name}"
            for name in files()
            if name.split("/")[0] not in ALLOWED
        ]
    )


def test_own_files_are_included_by_their_path_below_csrc():
    report(
        [
            f'csrc/{name}:{line}: "{included}" is no file below csrc/'
            for name in files()
            for line, included in own_includes(name)
            if included not in files()
        ]
        + [
            f'csrc/{name}:{line}: <{included}> is ours, written "{included}"'
            for name in files()
            for line, mark, included in includes(name)
            if mark == "<" and included in files()
        ]
    )


def test_includes_point_down():
    faults = []
    for name in files():
        room = name.split("/")[0]
        for line, included in own_includes(name):
            other = included.split("/")[0]
            if other != room and other not in ALLOWED.get(room, set()):
                faults.append(f"csrc/{name}:{line}: {room} may not include {included}")
    report(faults)


def test_no_include_cycles():
    finished: set[str] = set()
    faults = []

    def visit(name: str, path: tuple[str, ...]) -> None:
        if name in path:
            faults.append(" -> ".join((*path[path.index(name) :], name)))
        elif name not in finished:
            for _, included in own_includes(name) if name in files() else ():
                visit(included, (*path, name))
            finished.add(name)

    for name in files():
        visit(name, ())
    report(faults)


def test_only_py_knows_python():
    faults = [
        f"csrc/{name}:{line}: only csrc/py may include {included}"
        for name in files()
        if not name.startswith("py/")
        for line, mark, included in includes(name)
        if included in PYTHON_HEADERS or included.startswith(("python3", "cpython/"))
    ]
    report(faults)


def test_generated_data_is_included_once():
    users = [
        name
        for name in files()
        for _, included in own_includes(name)
        if included in GENERATED
    ]
    assert users == ["catalog/catalog.c"]


def first_include(name: str) -> str:
    return next((f"{mark}{file}" for _, mark, file in includes(name)), "")


def test_every_source_includes_its_own_header_first():
    """Its own header, or the insides of it (_int.h), which begin with that header."""
    faults = []
    for name in sources():
        room = name.removesuffix(".c")
        first = first_include(name)
        if f"{room}.h" not in files():
            # The roof has no door: PyInit__core is found by its name.
            if name != "py/module.c":
                faults.append(f"csrc/{name}: there is no {room}.h")
            continue
        if first == f'"{room}_int.h' and f"{room}_int.h" in files():
            first = first_include(f"{room}_int.h")
        if first != f'"{room}.h':
            faults.append(f'csrc/{name}: the first include must be "{room}.h"')
    report(faults)


# --- headers alone ----------------------------------------------------------------


def flags_of(name: str) -> list[str]:
    sqlite = subprocess.check_output(["pkg-config", "--cflags", "sqlite3"], text=True)
    python = ["-I" + sysconfig.get_path("include")] if name.startswith("py/") else []
    return [
        *("-std=c11", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", f"-I{CSRC}"),
        *(*python, *shlex.split(sqlite)),
    ]


@pytest.mark.parametrize("name", [n for n in headers() if n not in GENERATED])
def test_header_compiles_alone_and_twice(name: str):
    compiler = shlex.split(os.environ.get("CC", "gcc"))
    text = f'#include "{name}"\n#include "{name}"\n'
    done = subprocess.run(
        [*compiler, *flags_of(name), "-x", "c", "-"],
        input=text,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


# --- the GIL ----------------------------------------------------------------------

CONTROL = {"if", "while", "for", "switch", "return", "sizeof"}


def gil_faults(name: str, text: str) -> list[str]:
    """Between Py_BEGIN_ and Py_END_ALLOW_THREADS: one statement, one call, to ss_*."""
    text = code(text)
    marks = list(re.finditer(r"\bPy_(BEGIN|END)_ALLOW_THREADS\b", text))
    where = [f"csrc/{name}:{line_of(text, mark.start())}" for mark in marks]
    if [mark[1] for mark in marks] != ["BEGIN", "END"] * (len(marks) // 2):
        return [f"csrc/{name}: Py_BEGIN_ and Py_END_ALLOW_THREADS do not pair up"]
    faults = []
    for at in range(0, len(marks), 2):
        body = text[marks[at].end() : marks[at + 1].start()].strip().lstrip(";").strip()
        calls = re.findall(r"\b([A-Za-z_]\w*)\s*\(", body)
        statement = re.fullmatch(
            r"(?:[A-Za-z_][\w\s.\[\]*>-]*?=\s*|\(void\)\s*)?(\w+)\s*\([^;{}]*\)\s*;",
            body,
        )
        if len(calls) != 1 or not calls[0].startswith("ss_"):
            faults.append(
                f"{where[at]}: without the GIL stands exactly one call, to an ss_ "
                f"function, not {', '.join(calls) or 'none'}"
            )
        elif not statement or statement[1] != calls[0]:
            faults.append(f"{where[at]}: without the GIL stands one call, nothing else")
    trampolines = [
        range(line, line + length)
        for line, function, length in functions(text)
        if function.endswith("_trampoline")
    ]
    for match in re.finditer(r"\bPy(?:Eval_\w*Thread|GILState_Ensure)\b", text):
        line = line_of(text, match.start())
        if not any(line in lines for lines in trampolines):
            faults.append(
                f"csrc/{name}:{line}: {match[0]} outside a ..._trampoline(): release "
                "the GIL with Py_BEGIN_ALLOW_THREADS"
            )
    return faults


def test_without_the_gil_stands_one_call_to_a_lower_floor():
    report([fault for name in files() for fault in gil_faults(name, files()[name])])


def test_only_a_trampoline_takes_the_gil_itself():
    text = "static int\n{}(void *arg)\n{{\n    PyEval_RestoreThread(arg);\n}}\n"
    assert gil_faults("py/x.c", text.format("py_check_trampoline")) == []
    assert len(gil_faults("py/x.c", text.format("py_check"))) == 1


@pytest.mark.parametrize(
    ("body", "good"),
    [
        ("rc = ss_pool_lease(pool, &call, &err);", True),
        ("self->rc = ss_batch_finish(self->batch);", True),
        ("ss_sleep_us(5); /* not Py_DECREF() */", True),
        ("ss_sleep_us(5); ss_sleep_us(5);", False),
        ("ss_sleep_us(PyLong_AsLong(x));", False),
        ("rc = sqlite3_step(stmt);", False),
        ("rc = 0;", False),
        ("if (x) { ss_sleep_us(5); }", False),
        ("ss_sleep_us(5); x->n++;", False),
        ("(void)ss_sleep_us(5);", True),
    ],
)
def test_the_gil_rule_sees(body: str, good: bool):
    text = f"{{\n    Py_BEGIN_ALLOW_THREADS\n    {body}\n    Py_END_ALLOW_THREADS\n}}\n"
    assert (gil_faults("py/x.c", text) == []) is good


# --- size -------------------------------------------------------------------------


def functions(text: str) -> list[tuple[int, str, int]]:
    """(line, name, lines of the body with its braces) of each function."""
    lines = code(text).split("\n")
    found, begun = [], None
    for number, line in enumerate(lines, 1):
        if line.startswith("{"):
            begun = number
        elif line.startswith("}") and begun:
            head = "\n".join(lines[max(0, begun - 12) : begun - 1])
            names = re.findall(r"^(\w+)\s*\(", head, re.MULTILINE)
            found.append((begun, names[-1] if names else "?", number - begun + 1))
            begun = None
    return found


def test_functions_stay_short():
    report(
        [
            f"csrc/{name}:{line}: {function}() has {length} lines, "
            f"at most {LINES_OF_A_FUNCTION}"
            for name in files()
            if name not in GENERATED
            for line, function, length in functions(files()[name])
            if length > LINES_OF_A_FUNCTION
        ]
    )


def test_files_stay_short():
    lengths = {name: text.count("\n") for name, text in files().items()}
    report(
        [
            f"csrc/{name}: {length} lines, at most {LINES_OF_A_FILE}: usually two rooms"
            for name, length in lengths.items()
            if length > LINES_OF_A_FILE and name not in GENERATED
        ]
    )


def test_functions_are_seen():
    text = "static int\nfirst(int a,\n      int b)\n{\n    return 0;\n}\n"
    assert functions(text) == [(4, "first", 3)]
    seen = sum(len(functions(files()[name])) for name in sources())
    assert seen > len(sources()), f"only {seen} functions in {len(sources())} files"


# --- the Python package -----------------------------------------------------------


def test_the_package_never_imports_sqlite3():
    faults = []
    for path in sorted((ROOT / "smartshopie_db").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            faults += [
                f"{path.relative_to(ROOT)}:{node.lineno}: imports {name}"
                for name in names
                if name.split(".")[0] in ("sqlite3", "_sqlite3")
            ]
    report(faults)


# Rooms of the package and what none of their files may import, here or by name.
ABOVE = {
    "reports": {"flask", "plotly", "plots", "web", "cli"},
    "plots": {"flask", "web", "cli"},
}


@pytest.mark.parametrize("room", ABOVE)
def test_python_rooms_know_nothing_above_them(room: str):
    faults = []
    for path in sorted((ROOT / "smartshopie_db" / room).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or "", *(alias.name for alias in node.names)]
            parts = {part for name in names for part in name.split(".")}
            faults += [
                f"{path.relative_to(ROOT)}:{node.lineno}: {room} may not import {part}"
                for part in sorted(parts & ABOVE[room])
            ]
    report(faults)
