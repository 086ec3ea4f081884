"""Databases to test on: new, with demo data, of older layouts, and real old ones."""

import shutil
import signal
import sqlite3
from pathlib import Path

import layouts
import pytest
import soak
from hypothesis import settings
from real import REAL, real_file
from schema_facts import SCHEMA

from smartshopie_db import SmartShopieDB

settings.register_profile("house", deadline=None, derandomize=True, database=None)
settings.load_profile("house")


def pytest_configure():
    """What a shell starts in the background ignores Ctrl-C, which is tested here."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(trylast=True)  # after those that mark whole folders
def pytest_collection_modifyitems(items):
    """What measures may measure again; what counts rows has one try."""
    for item in items:
        if item.get_closest_marker("timed"):
            item.add_marker(pytest.mark.flaky(reruns=2))


def pytest_terminal_summary(terminalreporter):
    if lines := soak.table():
        terminalreporter.section("figures: how many, how many of them went wrong")
        for line in lines:
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def blank_file(tmp_path_factory):
    """A file of the current version without rows; copy it, do not open it."""
    path = tmp_path_factory.mktemp("blank") / "blank.db"
    script = (SCHEMA / "database_schema.sql").read_text(encoding="utf-8")
    db = sqlite3.connect(path)
    db.executescript(script)
    db.execute("PRAGMA journal_mode = WAL").fetchone()
    db.close()
    return path


@pytest.fixture(scope="session")
def demo_file(tmp_path_factory):
    """A file with the demo data; copy it, do not open it."""
    from smartshopie_db import demo

    path = tmp_path_factory.mktemp("demo") / "demo.db"
    demo.create(path)
    return path


@pytest.fixture(scope="session")
def made_file(tmp_path_factory):
    """More than two years of a made-up shop; open it read-only."""
    from smartshopie_db import demo

    path = tmp_path_factory.mktemp("made") / "made.db"
    demo.generate(path, days=800, rows=3000)
    return path


@pytest.fixture
def plain():
    """plain(path): a function from SQL to rows, by the standard module: the oracle."""
    opened = []

    def connect(path):
        db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        db.row_factory = sqlite3.Row
        opened.append(db)
        return lambda sql, *values: [dict(row) for row in db.execute(sql, values)]

    yield connect
    for db in opened:
        db.close()


@pytest.fixture
def path(tmp_path, blank_file):
    """The path of a file of the current version without rows."""
    return Path(shutil.copy(blank_file, tmp_path / "shop.db"))


@pytest.fixture
def db(path):
    """An open database without rows."""
    with SmartShopieDB(path) as db:
        yield db


@pytest.fixture
def demo(tmp_path, demo_file):
    """An open database with the demo data."""
    with SmartShopieDB(shutil.copy(demo_file, tmp_path / "demo.db")) as db:
        yield db


@pytest.fixture(params=list(layouts.LAYOUTS))
def legacy_path(request, tmp_path):
    """A small file of each older layout, with rows."""
    return layouts.build(tmp_path / "old.db", request.param)


@pytest.fixture(params=REAL)
def real_path(request, tmp_path):
    """A copy of each real database of the older package."""
    return Path(shutil.copy(real_file(request.param), tmp_path / "real.db"))


@pytest.fixture(params=[f"real {name}" for name in REAL] + list(layouts.LAYOUTS))
def old_path(request, tmp_path):
    """Both: the real old files and a small one of each layout."""
    kind, _, name = request.param.partition(" ")
    if kind == "real":
        return Path(shutil.copy(real_file(name), tmp_path / "real.db"))
    return layouts.build(tmp_path / "old.db", kind)
