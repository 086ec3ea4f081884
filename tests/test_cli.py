"""The program `smartshopie`: its verbs, forms of output, errors and exit codes."""

import contextlib
import csv
import io
import json
import os
import re
import shlex
import shutil
import sqlite3
import statistics
import subprocess
import sys
import time

import command
import pytest
import schema_facts

from smartshopie_db import SmartShopieDB
from smartshopie_db.cli import completion, main, parser

TABLES = list(schema_facts.TABLES)


@pytest.fixture
def shop(tmp_path, demo_file, monkeypatch):
    """The demo data under the default name, in the current folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SMARTSHOPIE_DB", raising=False)
    return shutil.copy(demo_file, tmp_path / "smartshopie_dashboard.db")


@pytest.fixture
def cli(shop, capsys):
    """Run a command line; its stdout. What it said is in cli.said."""

    def run(*words, code=0):
        try:
            found = main([str(word) for word in words])
        except SystemExit as ended:
            found = ended.code
        out, run.said = capsys.readouterr()
        assert found == code, (found, out, run.said)
        assert "Traceback" not in run.said
        return out

    return run


def records(text):
    return list(csv.DictReader(io.StringIO(text)))


# ---- reading ---------------------------------------------------------------------


def test_get_answers_as_the_getter_does(cli, shop):
    with SmartShopieDB(shop) as db:
        kpis = db.get_overview_kpis()
        funnel = db.get_conversion_funnel()
        feed = db.get_customer_interactions(limit=2)
    (row,) = json.loads(cli("get", "overview_kpis", "--json"))
    assert row["record_date"] == str(kpis.record_date)
    assert row["conversion_rate"] == kpis.conversion_rate
    assert cli("get", "conversion_funnel", "--csv").encode() == funnel.to_csv()
    text = cli("get", "customer_interactions", "--limit", "2", "--ndjson")
    assert text.encode() == feed.to_ndjson()
    assert cli.said == ""


def test_get_with_everything(cli):
    got = json.loads(
        cli("get", "customer_interactions", "--limit", 5,
            "--columns", "customer_name,interaction_type",
            "--order-by", "-customer_name", "interaction_type=chat",
            "--json")
    )  # fmt: skip
    assert got and all(row["interaction_type"] == "chat" for row in got)
    assert list(got[0]) == ["customer_name", "interaction_type"]
    names = [row["customer_name"] for row in got]
    assert names == sorted(names, reverse=True)
    days = [row["record_date"] for row in records(cli("get", "overview_kpis", "--all"))]
    oldest = records(cli("get", "overview_kpis", "--start", min(days), "--limit", 1))
    assert oldest[0]["record_date"] == min(days)
    assert records(cli("get", "overview_kpis", "--date", min(days), "--columns",
                       "record_date")) == [{"record_date": min(days)}]  # fmt: skip
    before = cli("get", "overview_kpis", "--as-of", max(days), "--columns", "id")
    assert len(records(before)) == 1
    assert records(cli("get", "overview_kpis", "total_customers=")) == []


def test_query(cli):
    out = cli("query", "SELECT ? AS a, ? AS b", "1", "x")
    assert out == "a,b\r\n1,x\r\n"
    out, err = command.run("query", "-", "--json", stdin=b"SELECT 1.5 AS n, NULL AS x")
    assert json.loads(out) == [{"n": 1.5, "x": None}] and err == ""
    assert cli("query", "DELETE FROM overview_kpis", code=1) == ""
    assert len(cli.said.splitlines()) == 1
    cli("query", "SELEC 1", code=1)
    assert "syntax error" in cli.said


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("get overview_kpis --all --csv", True),
        ("query 'SELECT total_customers FROM overview_kpis' --csv", True),
        ("export overview_kpis", True),
        ("series overview_kpis total_customers --every year --csv", False),
    ],
)
def test_an_unfit_cell_is_an_error_or_missing(cli, shop, line, told):
    with contextlib.closing(sqlite3.connect(shop)) as stock, stock:
        stock.execute("PRAGMA ignore_check_constraints = ON")
        stock.execute("UPDATE overview_kpis SET total_customers = 'many'")
        n = stock.execute("SELECT count(*) FROM overview_kpis").fetchone()[0]
    words = shlex.split(line)
    if words[0] != "query":  # of which the file does not say what its columns hold
        assert cli(*words, code=1) == ""
        assert "'many'" in cli.said and "--lenient" in cli.said
    assert {row["total_customers"] for row in records(cli(*words, "--lenient"))} == {""}
    assert cli.said.count("no value of its column") == (min(n, 10) if told else 0)
    assert ("more cells" in cli.said) == (told and n > 10)


def test_series_compare_top_breakdown(cli, shop):
    with SmartShopieDB(shop) as db:
        series = db.series("overview_kpis", "total_customers", period="30d",
                           every="week", fill="previous")  # fmt: skip
        compare = db.compare("overview_kpis", period="7d", to="previous_year")
        top = db.top("product_analytics", "revenue", 2, by="category")
        parts = db.breakdown("interaction_types", "count")
    words = ("series", "overview_kpis", "total_customers", "--period", "30d")
    out = cli(*words, "--every", "week", "--fill", "previous", "--csv")
    assert out.encode() == series.to_csv()
    out = cli("compare", "overview_kpis", "--period", "7d", "--to", "previous_year")
    assert out.encode() == compare.to_csv()
    out = cli("top", "product_analytics", "revenue", "-n", 2, "--by", "category")
    assert out.encode() == top.to_csv()
    assert cli("breakdown", "interaction_types", "count").encode() == parts.to_csv()
    cli("compare", "overview_kpis", "--period", "7d", "--to", "2024-01-01..2024-01-07")


def test_info_tables_schema(cli, shop):
    (facts,) = json.loads(cli("info", "--json"))
    assert facts["path"] == str(shop) and facts["layout"] == "current"
    assert "layout" in cli("info")
    listed = json.loads(cli("tables", "--json"))
    assert [row["table"] for row in listed] == TABLES
    with SmartShopieDB(shop) as db:
        for row in listed:
            assert row["rows"] == db.tables[row["table"]].count()
    assert "CREATE TABLE overview_kpis" in cli("schema")
    columns = records(cli("schema", "overview_kpis"))
    assert columns[1]["name"] == "record_date" and columns[1]["key"] == "true"


def test_the_table_form(cli):
    out = cli("tables", "--table")
    lines = out.splitlines()
    assert lines[0].split()[:2] == ["table", "rows"] and len(lines) == 31
    assert "\033" not in out
    out = cli("get", "overview_kpis", "--table")
    assert "created_at" not in out and "34,000" in out
    assert cli("get", "overview_kpis", "--date", "1999-01-01", "--table") == ""
    assert cli.said == "no rows\n"


def test_stored_text_cannot_command_a_terminal(cli):
    cli("add", "usage_alerts", "title=\033[2Jx\ny\u202e")
    out = cli("get", "usage_alerts", "--table")
    assert "\033" not in out and "\u202e" not in out and "x y" in out


def test_colour_only_on_a_terminal_and_not_with_no_color(shop):
    words = command.command("get", "overview_kpis")
    for more, bold in (
        ({}, True),
        ({"NO_COLOR": "1"}, False),
        ({"TERM": "dumb"}, False),
    ):
        master, slave = os.openpty()
        env = command.environment(**({"TERM": "xterm"} | more))
        env.pop("NO_COLOR", None) if "NO_COLOR" not in more else None
        subprocess.run(words, stdout=slave, check=True, env=env, timeout=30)
        os.close(slave)
        shown = os.read(master, 65536).decode()
        os.close(master)
        assert ("\033[1m" in shown) == bold
        assert "record_date" in shown


@pytest.mark.parametrize("columns, is_cut", [("50", True), ("300", False)])
def test_no_line_is_wider_than_the_terminal(shop, columns, is_cut):
    master, slave = os.openpty()
    words = "get customer_interactions --columns interaction_date,activity_description"
    subprocess.run(
        command.command(*words.split()), stdout=slave, check=True, timeout=30,
        env=command.environment(COLUMNS=columns, NO_COLOR="1"),
    )  # fmt: skip
    os.close(slave)
    lines = os.read(master, 65536).decode().splitlines()
    os.close(master)
    assert len(lines) == 5
    assert ("\N{HORIZONTAL ELLIPSIS}" in "".join(lines)) == is_cut
    assert (max(map(len, lines)) > 50) == (not is_cut)


def test_the_environment_names_the_database(cli, shop, tmp_path, monkeypatch):
    other = shutil.copy(shop, tmp_path / "other.db")
    with SmartShopieDB(other) as db:
        db.add_overview_kpis(record_date="2031-01-01")
    monkeypatch.setenv("SMARTSHOPIE_DB", str(other))
    assert "2031-01-01" in cli("get", "overview_kpis")
    assert "2031-01-01" not in cli("get", "overview_kpis", "--db", shop)


# ---- writing ---------------------------------------------------------------------


def test_init_and_demo(cli, tmp_path):
    cli("init", "--db", "new.db")
    assert "made, with all 30 tables" in cli.said
    cli("init", "--db", "new.db")
    assert "has all 30 tables" in cli.said
    out = cli("demo", "small.db", "--days", 3, "--rows", 50)
    assert re.search(r"Total Customers: \d+\n", out) and "made, with" in cli.said
    with SmartShopieDB("small.db") as db:
        assert db.customer_interactions.count() == 50
        assert db.overview_kpis.count() == 3
    cli("demo", "small.db", "--days", 3, code=1)
    assert "has rows" in cli.said
    cli("demo", "x.db", "--rows", 3, code=2)
    cli("demo", "x.db", "--days", 0, code=2)
    cli("demo", "x.db", "--days", 1, "--until", "yesterday", code=2)
    assert not (tmp_path / "x.db").exists()


def test_add(cli, shop):
    words = ("add", "overview_kpis", "record_date=2030-01-01")
    row = int(cli(*words, "total_customers=5"))
    assert "added" in cli.said
    assert int(cli(*words, "total_customers=6")) == row
    assert "updated" in cli.said
    cli(*words, "total_customers=7", "--on-conflict", "ignore")
    assert "left as it was" in cli.said
    cli(*words, "--on-conflict", "error", code=1)
    with SmartShopieDB(shop) as db:
        assert db.overview_kpis.get(row).total_customers == 6
    cli(*words, "total_customers=")
    with SmartShopieDB(shop) as db:
        assert db.overview_kpis.get(row).total_customers is None


def test_backup_and_migrate(cli, shop, tmp_path, old_path):
    cli("backup", "copy.db")
    with SmartShopieDB("copy.db") as copy, SmartShopieDB(shop) as db:
        for name, table in db.tables.items():
            assert copy.tables[name].select() == table.select()
    cli("backup", "copy.db", code=1)
    assert cli.said == "smartshopie: copy.db exists; --overwrite replaces it\n"
    cli("backup", "copy.db", "--overwrite")
    cli("migrate")
    assert "already" in cli.said
    before = old_path.read_bytes()
    dry = json.loads(cli("migrate", "--dry-run", "--json", "--db", old_path))
    assert set(dry) == {"tables", "rows"} and "dry run" in cli.said
    assert old_path.read_bytes() == before
    cli("info", "--db", old_path)
    cli("tables", "--db", old_path)
    cli("migrate", "--db", old_path)
    assert "backup: " in cli.said
    assert "already" not in cli.said
    cli("migrate", "--db", old_path)
    assert "already" in cli.said


def rows_of(path):
    with SmartShopieDB(path, mode="ro") as db:
        return {name: table.count() for name, table in db.tables.items()}


def test_purge_asks_and_saves_a_copy(cli, shop, tmp_path):
    cli("add", "overview_kpis", "record_date=2001-01-01")
    cli("add", "realtime_metrics", "recorded_at=2001-12-31 23:59:59")
    cli("add", "realtime_metrics", "recorded_at=2002-01-01 00:00:00")
    before = rows_of(shop)
    words = ("purge", "--before", "2002-01-01")
    _, err = command.run(*words, stdin=b"", code=2)
    assert "--yes" in err and rows_of(shop) == before
    cli(*words, "--table", "overview_kpis", "--yes")
    (copy,) = tmp_path.glob("*.before-purge-*")
    assert rows_of(copy) == before
    after = before | {"overview_kpis": before["overview_kpis"] - 1}
    assert rows_of(shop) == after
    cli(*words, "-y", "--no-backup")
    after["realtime_metrics"] -= 1
    assert rows_of(shop) == after
    assert len(list(tmp_path.glob("*.before-purge-*"))) == 1
    cli(*words, "-y")
    assert "nothing is older" in cli.said
    cli("purge", "--before", "soon", "-y", code=2)
    cli(*words, "-y", "--table", "api_configurations", code=2)


def test_purge_of_older_files(cli, old_path):
    """Also of their tables that have no column id."""
    with SmartShopieDB(old_path, mode="ro") as db:
        older = {
            name: table.count(end="2029-12-31") if table.time_column else 0
            for name, table in db.tables.items()
        }
    kept = {name: n - older[name] for name, n in rows_of(old_path).items()}
    words = ("purge", "--before", "2030-01-01", "-y", "--no-backup", "--db", old_path)
    cli(*words)
    assert f"{sum(older.values()):,} rows deleted" in cli.said
    assert rows_of(old_path) == kept


@pytest.mark.parametrize("answer, deleted", [(b"y\n", 1), (b"\n", 0)])
def test_purge_does_what_is_answered(cli, shop, answer, deleted):
    cli("add", "overview_kpis", "record_date=2001-01-01")
    before = rows_of(shop)
    master, slave = os.openpty()
    words = command.command("purge", "--before", "2002-01-01", "--no-backup")
    process = subprocess.Popen(
        words, stdin=slave, stderr=subprocess.PIPE, env=command.environment()
    )
    os.write(master, answer)
    _, err = process.communicate(timeout=30)
    os.close(slave)
    os.close(master)
    assert b"[y/N]" in err and process.returncode == 1 - deleted
    assert rows_of(shop)["overview_kpis"] == before["overview_kpis"] - deleted


def test_check_and_optimize(cli, shop):
    findings = json.loads(cli("check", "--json"))
    assert "ok, " in cli.said and all(f["severity"] != "error" for f in findings)
    cli("optimize", "--vacuum")
    assert "bytes before" in cli.said
    with contextlib.closing(sqlite3.connect(shop)) as db:
        db.execute("PRAGMA ignore_check_constraints = ON")
        db.execute("UPDATE overview_kpis SET record_date = 'nonsense' WHERE id = 1")
        db.commit()
    out = cli("check", code=1)
    assert "error: " in out and "not ok" in cli.said
    codes = [row["code"] for row in records(cli("check", "--csv", code=1))]
    assert "value" in codes
    cli("check", "--fix", code=1)


# ---- export, and import of it ----------------------------------------------------


@pytest.mark.parametrize("form", parser.FILES)
def test_what_is_exported_can_be_imported(cli, tmp_path, form):
    if form in ("parquet", "feather"):
        pytest.importorskip("pyarrow")
    cli("demo", "full.db", "--days", 40, "--rows", 300)
    full = cli("export", "--all", "-o", "out", "--format", form, "--db", "full.db",
               "--secrets")  # fmt: skip
    files = sorted((tmp_path / "out").iterdir())
    assert full == "" and [file.stem for file in files] == sorted(TABLES)
    cli("init", "--db", "empty.db")
    cli("import", *files, "--db", "empty.db")
    first = content("empty.db")
    assert first == content("full.db")
    assert all(first.values())
    cli("import", *files, "--db", "empty.db")
    assert " 0 added" in cli.said
    assert without_stamps(content("empty.db")) == without_stamps(first)


def content(path):
    with SmartShopieDB(path, mode="ro") as db:
        return {name: table.select().to_dicts() for name, table in db.tables.items()}


def without_stamps(tables):
    return {
        name: [{k: v for k, v in row.items() if k != "updated_at"} for row in rows]
        for name, rows in tables.items()
    }


def test_export_to_stdout_and_files(cli, shop, tmp_path):
    with SmartShopieDB(shop) as db:
        rows = db.overview_kpis.select()
    assert cli("export", "overview_kpis").encode() == rows.to_csv()
    assert cli.said == ""
    cli("export", "overview_kpis", "-o", "x.jsonl")
    assert (tmp_path / "x.jsonl").read_bytes() == rows.to_ndjson()
    for words in (("x", "--all"), (), ("overview_kpis", "-o", "x.pdf"), ("--all",),
                  ("overview_kpis", "--format", "parquet")):  # fmt: skip
        cli("export", *words, code=2)
    cli("export", "overview_kpis", "-o", "nowhere/x.csv", code=1)
    assert [p.name for p in tmp_path.glob(".*.unfinished")] == []


@pytest.mark.parametrize("form", parser.FILES)
def test_secrets_stay_unless_asked_for(cli, shop, tmp_path, form):
    if form in ("parquet", "feather"):
        pytest.importorskip("pyarrow")
    key = "secret-of-the-shop-9876"
    cli("add", "api_configurations", "api_type=orders", "api_name=Mine", "api_url=u",
        f"api_key={key}")  # fmt: skip
    words = ("export", "api_configurations", "--format", form)
    cli(*words, "-o", "hidden")
    cli(*words, "-o", "open", "--secrets")
    for name, seen in (("hidden", False), ("open", True)):
        if form in ("parquet", "feather"):
            import pyarrow.dataset

            table = pyarrow.dataset.dataset(name, format=form).to_table()
            text = str(table["api_key"].to_pylist())
        else:
            text = (tmp_path / name).read_text()
        assert (key in text) == seen
        assert "9876" in text
    for form in parser.FORMS:
        assert key not in cli("get", "api_configurations", f"--{form}")


# ---- what goes wrong -------------------------------------------------------------

WRONG = [
    (2, "did you mean 'overview_kpis'", "get overview_kpi"),
    (2, "did you mean 'total_customers'", "get overview_kpis total_customer=1"),
    (2, "expected an integer, got 'x'", "get overview_kpis total_customers=x"),
    (2, "given twice", "get overview_kpis id=1 id=2"),
    (2, "date", "get overview_kpis --date 2025-13-01"),
    (2, "period", "get conversion_funnel --period 7x"),
    (2, "period", "series overview_kpis --period fortnight"),
    (2, "before the year 1", "series overview_kpis --period 3000y"),
    (2, "before the year 1", "compare overview_kpis --period 99999999999999d"),
    (2, "got \"0d\"", "series overview_kpis --period 0d"),
    (2, "start", "series overview_kpis --start 2025-02-01 --end 2025-01-01"),
    (2, "recorded", "series overview_kpis recorded"),
    (2, "zone", "series customer_interactions message_count --zone Mars/Olympus"),
    (2, "to", "compare overview_kpis --period 7d --to yesterday"),
    (2, "expected COLUMN=VALUE", "add overview_kpis record_date"),
    (2, "record_date", "add overview_kpis total_customers=1"),
    (2, "point: 1.5", "add overview_kpis record_date=2030-01-01 conversion_rate=1,5"),
    (1, "_rate", "add overview_kpis record_date=2030-01-01 conversion_rate=101"),
    (1, "no such file", "get overview_kpis --db missing.db"),
    (1, "no such file", "backup x.db --db missing.db"),
    (1, "no such file", "add overview_kpis record_date=2030-01-01 --db missing.db"),
    (1, "is a folder", "info --db ."),
    (1, "not a SQLite database", "info --db text.db"),
    (1, "no_folder", "init --db no_folder/x.db"),
    (2, "no table", "schema nothing"),
    (2, "64 bits", "get overview_kpis --offset 99999999999999999999"),
    (2, "--rows: expected", "demo x.db --days 3 --rows 99999999999999999999"),
    (1, ": nothing: No such file", "export overview_kpis -o nothing/x.csv"),
    (1, ": nothing: No such file", "export overview_kpis -o nothing/x.feather"),
]  # fmt: skip


@pytest.mark.parametrize("code, why, line", WRONG, ids=[line for _, _, line in WRONG])
def test_errors_are_one_line(cli, tmp_path, code, why, line):
    (tmp_path / "text.db").write_text("just some text, no database at all\n" * 50)
    assert cli(*line.split(" "), code=code) == ""
    assert why in cli.said and len(cli.said.splitlines()) == 1
    assert cli.said.startswith("smartshopie: ") and "--debug" not in cli.said


@pytest.mark.parametrize(
    "line", ["", "nothing", "get", "get overview_kpis --nothing", "info x", "query"]
)
def test_wrong_command_lines(cli, line):
    assert cli(*line.split(), code=2) == ""
    assert cli.said.startswith("usage: ")


def test_a_terminal_that_is_not_utf8(shop):
    """What it lacks is an escape in a table; data is UTF-8 all the same."""
    name = "\u00e9\u65e5"
    strange = shop.with_name(f"{name}.db")
    shop.rename(strange)

    def out(*words):
        done = subprocess.run(
            command.command(*words, "--db", strange),
            env=command.environment(PYTHONIOENCODING="latin-1"),
            capture_output=True,
        )
        assert (done.returncode, done.stderr) == (0, b"")
        return done.stdout

    sql = f"SELECT '{name}' AS word"
    assert out("query", sql, "--table").splitlines()[1] == b"\xe9\\u65e5"
    assert b"\xe9\\u65e5.db" in out("info", "--table")
    for form in ("--csv", "--json", "--ndjson"):
        assert name in out("query", sql, form).decode()
        assert f"{name}.db" in out("info", form).decode()


def test_debug_shows_where(cli):
    with pytest.raises(ValueError, match="there is no table"):
        main(["get", "nothing", "--debug"])


def without_privileges():
    """The beginning of a command to which permissions apply, as they do not to root."""
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        pytest.skip("root may write everywhere, and there is no setpriv")
    return ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--"]


@pytest.fixture
def locked(shop, tmp_path):
    """A folder that the programs under test cannot write to; the shop is in it."""
    with SmartShopieDB(shop) as db:
        db.optimize()
    shop.chmod(0o444)
    (tmp_path / "overview_kpis.csv").write_text("record_date\n2030-01-01\n")
    tmp_path.chmod(0o555)
    yield tmp_path
    tmp_path.chmod(0o755)


@pytest.mark.parametrize("code, line", [
    *((0, f"{line} --immutable") for line in (
        "get overview_kpis", "tables", "check", "info", "export overview_kpis",
        "series overview_kpis --period 7d", "query VALUES(1)")),
    (1, "get overview_kpis"), (1, "export overview_kpis"),
    (1, "init --db new.db"), (1, "init"), (1, "demo --db new.db"), (1, "optimize"),
    (1, "demo --db new.db --days 3"), (1, "add overview_kpis record_date=2030-01-01"),
    (1, "import overview_kpis.csv"), (1, "import overview_kpis.csv --dry-run"),
    (1, "backup copy.db"), (1, "export overview_kpis -o new.csv"), (1, "check --fix"),
    (1, "export --all -o new"), (1, "purge --before 2030-01-01 --yes --no-backup"),
])  # fmt: skip
def test_a_read_only_folder(locked, code, line):
    before = sorted(os.listdir(locked))
    done = subprocess.run(
        without_privileges() + command.command(*line.split()),
        capture_output=True, text=True, env=command.environment(), timeout=60,
    )  # fmt: skip
    assert done.returncode == code, done
    assert bool(done.stdout) == (code == 0)
    if code:
        assert done.stderr.splitlines()[-1].startswith("smartshopie: ")
        assert "Traceback" not in done.stderr
        assert "--debug" not in done.stderr
    assert sorted(os.listdir(locked)) == before


def test_a_reader_that_leaves(shop):
    sql = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 300000)"
    words = command.command("query", sql + " SELECT x FROM c")
    process = subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=command.environment()
    )
    assert process.stdout.readline() == b"x\r\n"
    process.stdout.close()
    err = process.stderr.read()
    assert (process.wait(30), err) == (1, b"")
    process.stderr.close()


@pytest.mark.parametrize(
    "line",
    [
        "tables",
        "info",
        "schema",
        "get overview_kpis",
        "--help",
        "get --help",
        "--version",
    ],
)
def test_a_reader_that_has_gone_and_a_full_disk(shop, line):
    hear, tell = os.pipe()
    os.close(hear)
    with open(tell, "wb") as gone, open("/dev/full", "wb") as full:
        for stdout, said in ((gone, ""), (full, "smartshopie: [Errno 28] No space")):
            done = subprocess.run(
                command.command(*line.split()), stdout=stdout, text=True,
                stderr=subprocess.PIPE, env=command.environment(), timeout=60,
            )  # fmt: skip
            assert done.returncode == 1 and done.stderr.startswith(said)
            assert len(done.stderr.splitlines()) == bool(said), done.stderr


@pytest.mark.parametrize("line, code", [
    ("get overview_kpis", 0), ("schema", 0), ("--version", 0), ("get nothing", 2),
    ("query -", 1),
])  # fmt: skip
def test_closed_streams(shop, line, code):
    """What would go to one that is closed goes nowhere, and not to another."""
    words = " ".join(map(shlex.quote, command.command(*line.split())))
    for closed in ("0<&-", "1>&-", "2>&-", "0<&- 1>&- 2>&-"):
        done = subprocess.run(
            ["sh", "-c", f"{words} {closed}"],
            stdin=subprocess.DEVNULL, capture_output=True, text=True,
            env=command.environment(), timeout=60,
        )  # fmt: skip
        assert done.returncode == code, (closed, done)
        assert "Error" not in done.stdout + done.stderr, (closed, done)
        assert bool(done.stdout) == ("1>" not in closed and code == 0)
        assert bool(done.stderr) == ("2>" not in closed and code != 0)


# ---- the program itself ----------------------------------------------------------


def test_every_verb_has_help_with_examples(cli):
    verbs = completion.words()
    assert len(verbs) == len(parser.VERBS) + 1  # top and breakdown are one
    for verb in verbs:
        out = cli(verb, "--help")
        assert f"smartshopie {verb}" in out and "examples:" in out
        for line in out.partition("examples:\n")[2].splitlines():
            assert line.startswith("  smartshopie ") or "| smartshopie " in line


@pytest.mark.timed
def test_the_examples_of_the_help_are_command_lines():
    for name, verb in completion.verbs().items():
        head, *examples = verb.epilog.splitlines()
        assert head == "examples:"
        for example in examples:
            redirect = re.search(" [<>](?=[a-z~])", example)
            program, *words = shlex.split(example[: redirect and redirect.start()])
            assert (program, words[0]) == ("smartshopie", name)
            parser.parse(words)


def test_version_is_quick(shop):
    def wall(*words):
        times = []
        for _ in range(7):
            begun = time.perf_counter()
            subprocess.run(words, check=True, capture_output=True,
                           env=command.environment())  # fmt: skip
            times.append(time.perf_counter() - begun)
        return statistics.median(times)

    out, err = command.run("--version")
    assert out.startswith("smartshopie 0.") and err == ""
    bare = wall(sys.executable, "-c", "pass")
    # 60 ms on a machine at rest; several programs share this one.
    assert wall(*command.command("--version")) < 3 * bare + 0.06


def test_what_version_does_not_import():
    code = (
        "import sys; from smartshopie_db.cli import main; main(['--version'])\n"
        "assert not {'argparse', 'json', 'csv', 'rich'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env=command.environment(),
                   stdout=subprocess.DEVNULL)  # fmt: skip
