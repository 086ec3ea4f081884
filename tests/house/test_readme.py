"""The examples of README.md, and those of the older package's README, run as they are.

All in the order of the text: Python blocks share one namespace, shell and SQL blocks
work on the same database file, which is the demo database.
"""

import contextlib
import datetime
import io
import re
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import oracle
import pytest
import scripts
from schema_facts import ROOT, TABLES

from smartshopie_db import SmartShopieDB

NAME = "smartshopie_dashboard.db"
OURS = ROOT / "README.md"
OLDER = Path(__file__).with_name("upstream_readme.md")
FENCED = re.compile(r"^```([\w-]*)[^\n]*\n(.*?)^```$", re.DOTALL | re.MULTILINE)
PYTHON, SQL, SHELL = {"python", "py"}, {"sql"}, {"sh", "bash", "shell", "console"}
PLAIN = {"", "text", "json", "toml"}


def blocks(path):
    """(language, text, number of its first line) of every fenced block."""
    text = path.read_text(encoding="utf-8")
    for found in FENCED.finditer(text):
        line = text.count("\n", 0, found.start()) + 2
        yield found[1].lower(), found[2], line


# ---- running a block -------------------------------------------------------------


class Session:
    """One reading of a README, from its first example to its last."""

    def __init__(self, source, folder):
        self.source, self.folder = source, folder
        self.namespace = {"__name__": "__main__"}
        self.output = ""

    def run(self, language, text, line):
        if language in PYTHON:
            self.run_python(text, line)
        elif language in SQL:
            self.run_sqlite(NAME, text)
        elif language in SHELL:
            self.run_shell(text)
        else:
            assert language in PLAIN, f"{self.source.name}:{line}: {language} block"

    def run_python(self, text, line):
        code = compile("\n" * (line - 1) + text, str(self.source), "exec")
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            exec(code, self.namespace)
        self.output += out.getvalue()

    def run_sqlite(self, file, text):
        """What is typed into the sqlite3 shell."""
        if shutil.which("sqlite3") is None:
            pytest.skip("the sqlite3 tool is not installed")
        self.output += succeed(["sqlite3", "-bail", file], self.folder, text)

    def run_shell(self, text):
        """Line by line; what follows a bare `sqlite3 FILE` is typed into it."""
        lines = [line.removeprefix("$ ") for line in text.splitlines()]
        lines = [line for line in lines if line.strip() and line[0] != "#"]
        while lines:
            line = lines.pop(0)
            while line.endswith("\\"):
                line = line[:-1] + lines.pop(0)
            if re.fullmatch(r"sqlite3 \S+", line):
                self.run_sqlite(line.split()[1], "\n".join(lines) + "\n")
                return
            self.run_command(line)

    def run_command(self, line):
        if re.match(r"(\./run|git|cd|pip|python -m pip|apt|sudo|\. |source) ?", line):
            return  # sets things up; ./run test does that, and more, elsewhere
        line = re.sub(r"^(\.venv/bin/)?python3? ", f"{sys.executable} ", line)
        self.output += succeed(["sh", "-euc", line], self.folder, "")


def succeed(command, folder, typed):
    done = subprocess.run(
        command,
        input=typed,
        cwd=folder,
        env=scripts.environment(),
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert (done.returncode, done.stderr) == (0, ""), (command, done.stderr)
    return done.stdout


# ---- the files to run on ---------------------------------------------------------


def make_demo(folder, demo_file):
    """As a newcomer does: the command of the package, in an empty folder."""
    command = [sys.executable, "-m", "smartshopie_db", "demo"]
    done = subprocess.run(
        command,
        cwd=folder,
        env=scripts.environment(),
        check=True,
        capture_output=True,
        text=True,
    )
    assert "Total Customers" in done.stdout
    assert len(done.stderr.splitlines()) == 1
    return folder / NAME


def copy_real(name):
    def copy(folder, demo_file):
        from real import real_file

        return Path(shutil.copy(real_file(name), folder / NAME))

    return copy


STARTS = {
    "demo": make_demo,
    "real c5130a5": copy_real("c5130a5"),
    "real 3240e3d": copy_real("3240e3d"),
}


@pytest.fixture(params=STARTS)
def database(request, tmp_path, demo_file, monkeypatch):
    path = STARTS[request.param](tmp_path, demo_file)
    monkeypatch.chdir(tmp_path)
    return path


# ---- README.md -------------------------------------------------------------------


@pytest.mark.timeout(120)
def test_every_example_of_our_readme_runs(tmp_path, monkeypatch, demo_file):
    make_demo(tmp_path, demo_file)
    monkeypatch.chdir(tmp_path)
    session = Session(OURS, tmp_path)
    languages = []
    for language, text, line in blocks(OURS):
        session.run(language, text, line)
        languages.append(language)
    assert set(languages) & PYTHON and set(languages) & (SHELL | SQL)
    for value in session.namespace.values():
        if isinstance(value, SmartShopieDB):
            value.close()
    assert oracle.healthy(tmp_path / NAME)


def test_our_readme_says_what_to_run_first():
    text = OURS.read_text(encoding="utf-8")
    assert "./run demo" in text and "./run test" in text


def test_links_of_our_readme_lead_to_files():
    text = OURS.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#\s]+)", text):
        if "://" not in target and not target.startswith("mailto:"):
            assert (ROOT / target).exists(), target


# ---- the twelve examples of the older README -------------------------------------


def older(*numbers):
    """The examples E1..E12 of those numbers, as a session's steps."""
    text = OLDER.read_text(encoding="utf-8")
    parts = re.split(r"^E(\d+)[,:]", text, flags=re.MULTILINE)
    found = dict(zip(map(int, parts[1::2]), parts[2::2], strict=True))
    assert list(found) == list(range(1, 13))
    for number in numbers:
        match = FENCED.search(found[number])
        yield match[1], match[2], number


def run_older(folder, *numbers, session=None):
    session = session or Session(OLDER, folder)
    for language, text, number in older(*numbers):
        session.run(language, text, number)
    return session


def test_basic_use_prints_the_newest_figures(database, tmp_path):
    kpis = oracle.rows_of(database, TABLES["overview_kpis"])
    funnel = oracle.rows_of(database, TABLES["conversion_funnel"])
    newest = max(kpis, key=lambda row: row["record_date"])
    day = max(row["record_date"] for row in funnel)
    stages = sorted(
        (row for row in funnel if row["record_date"] == day),
        key=lambda row: row["stage_order"],
    )
    feed = oracle.expected(
        TABLES["customer_interactions"],
        oracle.rows_of(database, TABLES["customer_interactions"]),
        limit=10,
    )
    wanted = [
        f"Total Customers: {newest['total_customers']}",
        f"Conversion Rate: {newest['conversion_rate']}%",
        *(f"{r['stage_name']}: {r['count']} ({r['percentage']}%)" for r in stages),
        *(f"{r['customer_name']}: {r['activity_description']}" for r in feed),
    ]
    assert run_older(tmp_path, 5).output.splitlines() == wanted
    assert len(wanted) == 2 + 5 + 4


def test_the_figures_of_the_real_file_are_the_known_ones(tmp_path, monkeypatch):
    copy_real("c5130a5")(tmp_path, None)
    monkeypatch.chdir(tmp_path)
    lines = run_older(tmp_path, 5).output.splitlines()
    assert lines[:2] == ["Total Customers: 156847", "Conversion Rate: 26.4%"]
    assert lines[2].endswith(": 12847 (100.0%)")
    assert lines[6].endswith(": 3186 (25.0%)")


def test_all_examples_run_in_order_in_one_session(database, tmp_path):
    session = run_older(tmp_path, 5, 6, 7, 8, 9, 10)
    with pytest.raises(TypeError):
        run_older(tmp_path, 11, session=session)
    for line in next(older(11))[1].splitlines():
        with pytest.raises(TypeError):  # each, not only the first
            session.run_python(line, 1)
    run_older(tmp_path, 12, 12, 9, 10, 12, session=session)
    assert session.output.startswith("Total Customers: ")
    assert "overview_kpis" in session.output  # of .tables
    assert oracle.healthy(database)


def test_adding_data_twice_changes_no_row_count(database, tmp_path):
    before = oracle.counts(database)
    run_older(tmp_path, 6)
    once = oracle.counts(database)
    assert once == before | {
        "overview_kpis": before["overview_kpis"] + 1,
        "conversion_funnel": before["conversion_funnel"] + 1,
    }
    run_older(tmp_path, 6, 6)
    assert oracle.counts(database) == once
    output = run_older(tmp_path, 5).output
    assert output.startswith("Total Customers: 20000\nConversion Rate: 25.5%\n")
    assert "\nPage Visitors: 50000 (100.0%)\n" in output
    added = oracle.rows_of(database, TABLES["overview_kpis"])[-1]
    assert added["ai_interactions"] is None
    assert added["revenue_impact"] == 1200000.0
    assert added["created_at"] is not None


def test_what_was_added_is_durable_when_the_call_returns(database, tmp_path):
    """Read by the standard library while the example has the file open."""
    text = next(older(6))[1]
    before, _, _ = text.partition("db.close()")
    session = Session(OLDER, tmp_path)
    session.run_python(before, 1)
    today = datetime.date.today().isoformat()
    rows = oracle.run(database, "SELECT * FROM overview_kpis ORDER BY id DESC LIMIT 1")
    assert today in rows[0]
    session.run_python("db.close()", 1)


def test_the_command_line_reads_beside_an_open_database(database, tmp_path):
    with SmartShopieDB(database) as db:
        db.get_overview_kpis()
        output = run_older(tmp_path, 7).output
        db.add_overview_kpis(record_date="2031-01-01")
        again = run_older(tmp_path, 7).output
    assert "overview_kpis" in output and "customer_interactions" in output
    assert "2031-01-01" not in output and "2031-01-01" in again
    count = oracle.counts(database)["conversion_funnel"]
    assert f"\n{count}\n" in output


def test_the_standard_library_prints_segments_and_revenue(database, tmp_path):
    lines = run_older(tmp_path, 8).output.splitlines()
    segments = oracle.run(database, "SELECT * FROM customer_segments")
    assert lines[: len(segments)] == [str(segment) for segment in segments]
    prices = lines[len(segments) :]
    assert len(prices) >= 4
    assert all(re.fullmatch(r".+: \$[\d,]+\.\d\d \([\d.]+%\)", line) for line in prices)


def test_the_listings_make_a_file_that_we_open(tmp_path):
    path = tmp_path / NAME
    with contextlib.closing(sqlite3.connect(path)) as db:
        for language, text, _ in older(1, 2, 3):
            assert language == "sql"
            db.executescript(text)
    with SmartShopieDB(path) as db:
        assert db.get_overview_kpis() is None
        assert (
            len(db.get_conversion_funnel()) == len(db.get_customer_interactions()) == 0
        )
    with contextlib.chdir(tmp_path):
        run_older(tmp_path, 6, 6)
    counts = oracle.counts(path)
    assert counts == {
        "overview_kpis": 1,
        "conversion_funnel": 1,
        "customer_interactions": 0,
    }


def test_the_listings_fail_on_a_file_that_has_the_tables(database):
    before = oracle.digest(database)
    with SmartShopieDB(database) as db:
        for _, text, _ in older(1, 2, 3):
            with pytest.raises(Exception, match="already exists"):
                db.execute(text)
    assert oracle.digest(database) == before


def test_the_package_needs_nothing_of_the_shell_example(tmp_path):
    """E4 installs Flask for the older dashboard; the package imports without it."""
    names = next(older(4))[1].split()
    assert names == ["pip", "install", "flask", "flask-cors"]
    code = """
    class Refuse:
        def find_spec(self, name, *rest):
            top = name.partition(".")[0]
            assert top not in ("flask", "flask_cors", "sqlite3"), name
    for name in [n for n in sys.modules if n.startswith("smartshopie_db")]:
        del sys.modules[name]
    sys.meta_path.insert(0, Refuse())
    import smartshopie_db, smartshopie_db.database, smartshopie_db.models
    import smartshopie_db.demo, smartshopie_db.__main__
    """
    scripts.run(code, tmp_path / NAME)


def test_the_demo_command_can_be_repeated(tmp_path):
    path = make_demo(tmp_path, None)
    before = oracle.digest(path)
    assert [file.name for file in tmp_path.iterdir()] == [NAME]
    make_demo(tmp_path, None)
    assert oracle.digest(path) == before
    assert sum(oracle.counts(path).values()) > 70
