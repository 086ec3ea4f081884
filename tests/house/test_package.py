"""What a user installs: the source distribution holds all that the wheel is built
from, and the wheel works in a clean environment outside the tree, on every Python
that is found here (`./run pythons`; at least the running one)."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
NAME = f"smartshopie_db-{PROJECT['version']}"

# One day's figures through the installed package, as a user would.
USE = """
import importlib.metadata, pathlib, sys
import smartshopie_db
from smartshopie_db import SmartShopieDB

package = pathlib.Path(smartshopie_db.__file__).parent
assert package.is_relative_to(sys.prefix), package
needed = importlib.metadata.requires("smartshopie_db")
assert all("; extra ==" in line for line in needed)
db = SmartShopieDB("shop.db")
db.connect()
kpis = db.get_overview_kpis()
db.close()
assert pathlib.Path("shop.db").exists()
assert kpis is None, kpis
print("works on", sys.version.split()[0])
"""


def pythons() -> dict[str, str]:
    """Version -> path: of ./run pythons, and of the interpreter that runs the tests."""
    listing = subprocess.run(
        ["sh", ROOT / "run", "pythons"], check=True, capture_output=True, text=True
    ).stdout
    found = dict(re.findall(r"^Python (\S+): (/.*)$", listing, re.MULTILINE))
    own = f"{sys.version_info[0]}.{sys.version_info[1]}"
    return {own: getattr(sys, "_base_executable", sys.executable), **found}


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    """Run outside the tree, with nothing of this environment's Python settings."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("PYTHON")
    }
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**inherited, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, f"{command}:\n{done.stdout}"
    return done.stdout


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("sdist")
    unwanted = shutil.ignore_patterns(".*cache", ".git", ".venv*", "build", "dist")
    tree = shutil.copytree(ROOT, home / "tree", symlinks=True, ignore=unwanted)
    run(sys.executable, "-m", "build", "--sdist", "-o", home, tree, cwd=home)
    return home / f"{NAME}.tar.gz"


@pytest.fixture(scope="module", params=sorted(pythons()))
def installed(
    request: pytest.FixtureRequest,
    sdist: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, Path]:
    """A clean environment's Python with the wheel installed, and the wheel."""
    home = tmp_path_factory.mktemp(f"python{request.param}")
    python = home / "venv" / "bin" / "python"
    pip = [python, "-m", "pip", "--disable-pip-version-check"]
    run(pythons()[request.param], "-m", "venv", home / "venv", cwd=home)
    run(*pip, "wheel", "--no-deps", sdist, cwd=home, SMARTSHOPIE_DB_WERROR="1")
    (wheel,) = home.glob("*.whl")
    run(*pip, "install", "--no-index", wheel, cwd=home)
    return python, wheel


def tracked_files() -> set[str]:
    """The tree's own files by kind: what a build, a test or a reader needs."""
    folders = ("bench", "csrc", "docs", "schema", "smartshopie_db", "tests")
    made = re.compile(
        r"(^|/)(\.\w+_cache|__pycache__)/|\.(pyc|so|unfinished)$"
        r"|^smartshopie_db/(demo/|database_schema\.sql)"  # links into schema/
    )
    found = {
        path.relative_to(ROOT).as_posix()
        for folder in folders
        for path in (ROOT / folder).rglob("*")
        if path.is_file()
    }
    tops = "CHANGELOG.md LICENSE README.md pyproject.toml run setup.py .ci/run"
    return {name for name in found if not made.search(name)} | set(tops.split())


def test_sdist_holds_the_whole_tree(sdist: Path):
    with tarfile.open(sdist) as archive:
        inside = {
            member.name.split("/", 1)[1]: member
            for member in archive.getmembers()
            if member.isfile()
        }
    assert tracked_files() - inside.keys() == set()
    assert not [name for name in inside if name.endswith((".so", ".pyc", ".o"))]
    assert inside["run"].mode & 0o111, "run must stay executable"


def test_wheel_holds_the_package_alone(installed: tuple[Path, Path]):
    _, wheel = installed
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        (metadata_name,) = [name for name in names if name.endswith("/METADATA")]
        metadata = archive.read(metadata_name).decode()
        schema = archive.read("smartshopie_db/database_schema.sql")
        entry_points = archive.read(f"{NAME}.dist-info/entry_points.txt").decode()
    assert {name.split("/")[0] for name in names} == {
        "smartshopie_db",
        f"{NAME}.dist-info",
    }
    assert {"smartshopie_db/py.typed", "smartshopie_db/_core.pyi"} <= names
    modules = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "smartshopie_db").rglob("*.py")
    }
    assert modules <= names
    demo = {f"smartshopie_db/demo/{p.name}" for p in ROOT.glob("schema/demo/*.csv")}
    assert demo
    assert demo <= names
    assert schema == (ROOT / "schema" / "database_schema.sql").read_bytes()
    cores = [name for name in names if name.endswith(".so")]
    assert len(cores) == 1
    assert cores[0].startswith("smartshopie_db/_core.")
    known = (".py", ".pyi", ".csv", ".html", ".css", ".js", ".sql", ".so", ".typed")
    inside = {name for name in names if name.startswith("smartshopie_db/")}
    assert {name for name in inside if not name.endswith(known)} == set()
    assert not [name for name in names if "test" in name.lower()]
    assert (
        "[narwhals.plugins]\nsmartshopie_db = smartshopie_db._narwhals" in entry_points
    )
    needed = re.findall("^Requires-Dist: (.*)$", metadata, re.MULTILINE)
    assert all("; extra ==" in line for line in needed)
    assert "[console_scripts]\nsmartshopie = smartshopie_db.cli:main" in entry_points
    assert f"Version: {PROJECT['version']}" in metadata
    assert "License-Expression: Apache-2.0" in metadata
    assert "Requires-Python: >=3.11" in metadata


def test_wheel_works_in_a_clean_environment(
    installed: tuple[Path, Path], tmp_path: Path
):
    python, _ = installed
    assert "works on" in run(python, "-I", "-W", "error", "-c", USE, cwd=tmp_path)
