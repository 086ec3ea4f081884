"""Compiles csrc/ into smartshopie_db._core, with nothing but Python and a C compiler.

setup.py calls build_core() for wheels, `./run build` runs this file for the tree, and
tests/c/build.py compiles the rooms below csrc/py through the same `Compiler`.  Files
are compiled in parallel, each again only when it, a header that it includes or the
way of compiling has changed.

Environment: SMARTSHOPIE_DB_WERROR=1 makes warnings fatal, SMARTSHOPIE_DB_CFLAGS is
appended to the flags of compiler and linker (-O1 -g -fsanitize=address); CC, CFLAGS
and LDFLAGS mean what they always do.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = "smartshopie_db"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
VERSION = PROJECT["version"]
SQLITE = "sqlite3 >= 3.37"
DIALECT = [
    "-std=c11",
    "-fvisibility=hidden",
    "-Wall",
    "-Wextra",
    "-Wshadow",
    "-Wstrict-prototypes",
    "-Wmissing-prototypes",
    "-Wunused-result",  # CPython's own flags switch it off
    f'-DSS_VERSION="{VERSION}"',
]


def pkg_config(*arguments: str) -> list[str]:
    """Ask pkg-config about the system's SQLite, or say which package is missing."""
    program = os.environ.get("PKG_CONFIG", "pkg-config")
    try:
        subprocess.run([program, "--print-errors", SQLITE], check=True)
        command = [program, *arguments, "sqlite3"]
        answer = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    except FileNotFoundError:
        raise SystemExit(
            f"{program}: not found; it says where SQLite is.\n"
            "On Debian or Ubuntu: apt-get install pkg-config libsqlite3-dev"
        ) from None
    except subprocess.CalledProcessError:
        raise SystemExit(
            f"{program} finds no {SQLITE}.\n"
            "On Debian or Ubuntu: apt-get install libsqlite3-dev"
        ) from None
    return shlex.split(answer.stdout)


class Compiler:
    """Compiles C files, several at once, into one object directory per way to do it.

    `command` is the compiler with all its flags.  Paths are relative to the root.
    """

    def __init__(self, command: Sequence[str], build: Path):
        self.extra = shlex.split(os.environ.get("SMARTSHOPIE_DB_CFLAGS", ""))
        self.command = [*command, *pkg_config("--cflags"), *self.extra]
        self.werror = os.environ.get("SMARTSHOPIE_DB_WERROR") == "1"
        try:
            version = subprocess.check_output([command[0], "--version"], text=True)
        except FileNotFoundError:
            raise SystemExit(
                f"{command[0]}: not found; a C compiler is needed.\n"
                "On Debian or Ubuntu: apt-get install gcc libc6-dev"
            ) from None
        way = repr([self.command, version, pkg_config("--modversion")])
        self.objects = build / hashlib.sha256(way.encode()).hexdigest()[:12]

    def compile(self, sources: Sequence[str]) -> list[str]:
        """The objects of the sources, in their order, each up to date."""
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            done = list(pool.map(self._compile_one, sources))
        failed = [
            source for source, made in zip(sources, done, strict=True) if not made
        ]
        if failed:
            raise SystemExit(f"not compiled: {', '.join(failed)}")
        return [str(made) for made in done]

    def _compile_one(self, source: str) -> Path | None:
        target = self.objects / (source.removesuffix(".c") + ".o")
        warned = target.with_suffix(".warned")  # it compiled, but not in silence
        if _is_current(target) and not (self.werror and warned.exists()):
            return target
        target.parent.mkdir(parents=True, exist_ok=True)
        unfinished = target.with_suffix(".unfinished")
        unfinished.touch()
        begun = unfinished.stat().st_mtime_ns
        print(f"cc {source}\n", end="", flush=True)  # one write: threads
        done = subprocess.run(
            [
                *(*self.command, *(["-Werror"] if self.werror else [])),
                *("-MMD", "-MF", str(target.with_suffix(".d"))),
                *("-c", source, "-o", str(unfinished)),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        print(done.stdout, end="", flush=True)
        if done.returncode != 0:
            return None
        warned.unlink(missing_ok=True)
        if done.stdout:
            warned.touch()
        # A source saved while it was compiled counts as newer than its object.
        os.utime(unfinished, ns=(begun, begun))
        unfinished.replace(target)
        return target

    def link(self, command: Sequence[str], objects: Sequence[str], name: str) -> Path:
        """The linked file, beside the objects; made again when one is newer."""
        target = self.objects / name
        if not _is_newer(target, objects):
            unfinished = target.with_name(name + ".unfinished")
            libraries = [*pkg_config("--libs"), "-pthread", "-lm"]
            done = subprocess.run(
                [*command, *self.extra, *objects, *libraries, "-o", str(unfinished)]
            )
            if done.returncode != 0:
                raise SystemExit(f"not linked: {name}")
            unfinished.replace(target)
        return target


def _is_newer(target: Path, sources: Sequence[str]) -> bool:
    """Is the target there, and no source missing or newer?"""
    try:
        made = target.stat().st_mtime_ns
        return all(os.stat(source).st_mtime_ns <= made for source in sources)
    except FileNotFoundError:
        return False


def _is_current(target: Path) -> bool:
    """Is the object newer than all that the compiler read for it (its .d file)?"""
    try:
        rule = target.with_suffix(".d").read_text()
    except FileNotFoundError:
        return False
    read = re.findall(r"(?:\\.|\S)+", rule.split(": ", 1)[-1].replace("\\\n", " "))
    return _is_newer(target, [name.replace("\\ ", " ") for name in read])


@contextlib.contextmanager
def alone(build: Path) -> Iterator[None]:
    """One build at a time in this tree."""
    build.mkdir(parents=True, exist_ok=True)
    with open(build / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def sources() -> list[str]:
    return sorted(str(path) for path in Path("csrc").glob("**/*.c"))


def _python_commands() -> tuple[list[str], list[str]]:
    """How this Python wants an extension compiled and linked."""
    ask = sysconfig.get_config_var
    compiler = shlex.split(os.environ.get("CC", ask("CC")))
    linker = [*compiler, *shlex.split(ask("LDSHARED"))[len(shlex.split(ask("CC"))) :]]
    cflags = shlex.split(os.environ.get("CFLAGS", ""))
    ldflags = shlex.split(os.environ.get("LDFLAGS", ""))
    paths = sysconfig.get_paths()
    includes = ["csrc", *dict.fromkeys((paths["include"], paths["platinclude"]))]
    flags = [*shlex.split(ask("CFLAGS")), *shlex.split(ask("CCSHARED")), *cflags, "-O3"]
    return (
        [*compiler, *flags, *DIALECT, *("-I" + path for path in includes)],
        [*linker, *cflags, *ldflags],
    )


def build_core(target: Path) -> None:
    """Bring `target`, the extension module's file, up to date in one step."""
    build = Path("build", "core")
    compile_command, link_command = _python_commands()
    with alone(build):
        compiler = Compiler(compile_command, build)
        made = compiler.link(link_command, compiler.compile(sources()), target.name)
        if target.exists() and target.read_bytes() == made.read_bytes():
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        unfinished = target.with_name(target.name + ".unfinished")
        shutil.copy(made, unfinished)
        unfinished.replace(target)


def announce(site: Path) -> None:
    """Say in an environment that imports this tree what an installation would say: the
    package's name, version and entry points, which others look for."""
    for old in site.glob(f"{PACKAGE}-*.dist-info"):
        shutil.rmtree(old)
    info = site / f"{PACKAGE}-{VERSION}.dist-info"
    info.mkdir()
    head = f"Metadata-Version: 2.1\nName: {PACKAGE}\nVersion: {VERSION}\n"
    (info / "METADATA").write_text(head)
    lines = []
    groups = {"console_scripts": PROJECT["scripts"], **PROJECT["entry-points"]}
    for group, entries in groups.items():
        lines += [f"[{group}]", *(f"{name} = {to}" for name, to in entries.items())]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
    for name, to in PROJECT["scripts"].items():
        module, function = to.split(":")
        script = Path(sysconfig.get_path("scripts"), name)
        script.write_text(
            f"#!{sys.executable}\nimport sys\n\nfrom {module} import {function}\n\n"
            f"sys.exit({function}())\n"
        )
        script.chmod(0o755)


def main(directory: str = PACKAGE) -> None:
    os.chdir(ROOT)
    site = Path(sysconfig.get_path("purelib"))
    if (site / f"{PACKAGE}.pth").exists():
        announce(site)
    build_core(Path(directory, "_core" + sysconfig.get_config_var("EXT_SUFFIX")))
    # What a wheel holds as copies (setup.py), the tree has as links, never stale.
    for name in ("database_schema.sql", "demo"):
        link = Path(PACKAGE, name)
        if not link.is_symlink():
            link.symlink_to(f"../schema/{name}")


if __name__ == "__main__":
    main(*sys.argv[1:])
