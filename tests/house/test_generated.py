"""The derived files are current, and the schema is what tables.toml says it is."""

import csv
import importlib
import re
import shutil
import sqlite3
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = ROOT / "schema"
TOLD = tomllib.loads((SCHEMA / "tables.toml").read_text(encoding="utf-8"))["table"]


sys.path.insert(0, str(SCHEMA))  # its files import each other, as when one is run
generate = importlib.import_module("generate")
truth = importlib.import_module("truth")
TABLES = {table.name: table for table in truth.load(ROOT).tables}
COLUMNS = [
    pytest.param(table, column, id=f"{table.name}.{column.name}")
    for table in TABLES.values()
    for column in table.columns
]
CHECKED = [param for param in COLUMNS if param.values[1].check]

# Rows of the demo data whose number the README states, or that its examples print.
README_ROWS = {
    "overview_kpis": 1,
    "conversion_funnel": 5,
    "interaction_types": 4,
    "customer_segments": 3,
    "behavioral_patterns": 3,
    "customer_concerns": 4,
    "customer_interactions": 4,
    "customer_value_analysis": 3,
    "product_analytics": 5,
    "product_gaps": 3,
    "revenue_summary": 1,
    "revenue_attribution": 4,
    "category_revenue": 4,
    "conversion_analytics": 1,
    "ai_model_performance": 3,
    "ai_feature_performance": 4,
    "system_health": 8,
    "billing_summary": 1,
    "usage_breakdown": 4,
    "api_configurations": 5,
}


def migrated():
    db = sqlite3.connect(":memory:", isolation_level=None)
    for path in sorted((SCHEMA / "migrations").glob("*.sql")):
        db.executescript(path.read_text(encoding="utf-8"))
    db.execute("PRAGMA foreign_keys = ON")
    return db


@pytest.fixture
def db():
    db = migrated()
    yield db
    db.close()


def demo_rows(name):
    with open(SCHEMA / "demo" / f"{name}.csv", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, strict=True):
            yield {column: cell or None for column, cell in row.items()}


def insert(db, name, row):
    marks = ", ".join("?" * len(row))
    sql = f"INSERT INTO {name} ({', '.join(row)}) VALUES ({marks})"
    return db.execute(sql, list(row.values())).lastrowid


def load_demo(db):
    for name in TABLES:
        for row in demo_rows(name):
            insert(db, name, row)


def one_row(table):
    """A row that every CHECK accepts; foreign keys stay empty."""
    foreign = {key.column for key in table.foreign_keys}
    plain = {"TEXT": "x", "DATE": "2025-10-28", "TIMESTAMP": "2025-10-28 12:00:00"}
    return {
        column.name: plain.get(column.type, 1)
        for column in table.columns
        if column.name != "id" and column.name not in foreign
    }


# ---- the derived files -----------------------------------------------------------


def test_check_accepts_the_tree():
    command = [sys.executable, str(SCHEMA / "generate.py"), "--check"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


@pytest.mark.parametrize("path", generate.derived(ROOT), ids=lambda path: path.name)
def test_a_derived_file_is_current(path):
    assert path.read_text(encoding="utf-8") == generate.derived(ROOT)[path]


def test_output_is_the_same_in_every_process():
    code = (
        "import hashlib, os, runpy, sys\n"
        "sys.path.insert(0, os.path.dirname(sys.argv[1]))\n"
        "module = runpy.run_path(sys.argv[1])\n"
        "files = module['derived'](module['ROOT'])\n"
        "print(hashlib.sha256(repr(sorted(files.items())).encode()).hexdigest())\n"
    )
    seen = set()
    for seed in ("0", "1", "2"):
        command = [sys.executable, "-c", code, str(SCHEMA / "generate.py")]
        environment = {"PYTHONHASHSEED": seed, "PYTHONUTF8": "1"}
        seen.add(subprocess.check_output(command, env=environment))
    assert len(seen) == 1


def copy_of_tree(tmp_path):
    for name in ("schema", "docs", "smartshopie_db", "csrc/catalog"):
        source, target = ROOT / name, tmp_path / name
        target.mkdir(parents=True)
        for path in source.iterdir():
            if path.is_file():
                shutil.copy(path, target)
    shutil.copytree(SCHEMA / "migrations", tmp_path / "schema/migrations")
    return tmp_path


def run_in(root, *arguments):
    command = [sys.executable, str(root / "schema/generate.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_check_names_a_stale_file_and_writes_nothing(tmp_path):
    root = copy_of_tree(tmp_path)
    page = root / "docs/schema.md"
    page.write_text("old", encoding="utf-8")
    result = run_in(root, "--check")
    assert (result.returncode, result.stdout) == (1, "stale: docs/schema.md\n")
    assert page.read_text(encoding="utf-8") == "old"
    assert run_in(root).returncode == 0
    assert run_in(root, "--check").returncode == 0


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("total_customers = {", "total_custmers = {", "overview_kpis.total_custmers"),
        ("total_customers = {", "total_custmers = {", "overview_kpis.total_customers"),
        (
            'time = "record_date"',
            'time = "recorded"',
            "overview_kpis.recorded: in time",
        ),
        ('key = ["record_date"]', 'key = ["id"]', "overview_kpis: key ['id']"),
        ("[table.usage_alerts]", "[table.usage_alert]", "usage_alerts"),
        ('"mean:query_count"', '"mean:queries"', "customer_concerns.ai_success_rate"),
        ('aggregate = "sum"', 'aggregate = "add"', "overview_kpis.ai_interactions"),
        (
            'unit = "percent"',
            'unit = "per cent"',
            "overview_kpis.total_customers_change",
        ),
        ('range = "0..100"', 'range = "0..99"', "overview_kpis.conversion_rate"),
        ('"-count"', '"-counts"', "interaction_types.counts: in order"),
        ('shape = "one"', 'shape = "some"', "overview_kpis: shape 'some'"),
        ('doc = "The day."', 'doc = ""', "overview_kpis.record_date: has no doc"),
        ('"usage_alerts"]', "]", "usage_alerts: in 0 tabs"),
    ],
)
def test_a_disagreement_is_named(tmp_path, before, after, message):
    root = copy_of_tree(tmp_path)
    path = root / "schema/tables.toml"
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after, 1), encoding="utf-8")
    result = run_in(root)
    assert result.returncode == 1
    assert message in result.stderr
    assert "Traceback" not in result.stderr


# ---- the schema ------------------------------------------------------------------


def test_there_are_thirty_tables(db):
    rows = db.execute(
        "SELECT name FROM sqlite_schema"
        " WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
    )
    assert sorted(name for (name,) in rows) == sorted(TOLD)
    assert len(TOLD) == 30


def test_there_is_nothing_but_tables_and_indexes(db):
    kinds = db.execute("SELECT DISTINCT type FROM sqlite_schema")
    assert {kind for (kind,) in kinds} == {"table", "index"}


def test_a_migration_leaves_transaction_and_version_to_the_caller():
    for path in (SCHEMA / "migrations").glob("*.sql"):
        code = re.sub(r"--.*", "", path.read_text(encoding="utf-8"))
        assert not re.search(r"\b(BEGIN|COMMIT|PRAGMA|IF NOT EXISTS|STRICT)\b", code)
        assert '"' not in code


@pytest.mark.parametrize("name", TOLD)
def test_the_natural_key_is_unique_and_not_null(db, name):
    unique = [
        [row[2] for row in db.execute(f"PRAGMA index_info({index})")]
        for _, index, is_unique, *_ in db.execute(
            f"PRAGMA index_list({name})"
        ).fetchall()
        if is_unique
    ]
    assert unique == [TOLD[name]["key"]]
    not_null = {row[1] for row in db.execute(f"PRAGMA table_xinfo({name})") if row[3]}
    assert set(TOLD[name]["key"]) <= not_null


@pytest.mark.parametrize("name", TOLD)
def test_a_second_row_of_a_key_is_refused(db, name):
    row = one_row(TABLES[name])
    insert(db, name, row)
    with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
        insert(db, name, row)


@pytest.mark.parametrize(
    "table", [t for t in TABLES.values() if t.time], ids=lambda t: t.name
)
def test_a_range_of_time_uses_an_index(db, table):
    plan = db.execute(
        f"EXPLAIN QUERY PLAN SELECT * FROM {table.name} WHERE {table.time} >= '2025'"
    ).fetchall()
    assert "USING INDEX" in plan[0][3], plan


def test_the_script_builds_the_same_file(db):
    script = (SCHEMA / "database_schema.sql").read_text(encoding="utf-8")
    other = sqlite3.connect(":memory:")
    other.executescript(script)
    query = "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY rowid"
    assert other.execute(query).fetchall() == db.execute(query).fetchall()
    assert other.execute("PRAGMA application_id").fetchone()[0] == 0x53534442
    versions = len(list((SCHEMA / "migrations").glob("*.sql")))
    assert other.execute("PRAGMA user_version").fetchone()[0] == versions
    other.close()


# ---- the CHECKs ------------------------------------------------------------------


def limits(column):
    """What lies just inside and just outside of a column's range."""
    if column.type == "DATE":
        wrong = [
            "2025-10-28 12:00:00",
            "28.10.2025",
            "2025-1-2",
            "",
            "2025-10-28T",
            20251028,
        ]
        return ["2025-10-28", "0001-01-01"], wrong
    if column.type == "TIMESTAMP":
        good = ["2025-10-28 12:00:00", "2025-10-28 12:00:00.000001"]
        wrong = ["2025-10-28", "2025-10-28T12:00:00", "2025-10-28 12:00", "", 0]
        wrong += ["2025-10-28 12:00:00.1", "2025-10-28 12:00:00+00:00"]
        return good, wrong
    if column.range == ">= 0":
        return [0, 10**9], [-1]
    low, high = map(int, column.range.split(".."))
    return [low, high], [low - 1, high + 1]


@pytest.mark.parametrize(("table", "column"), CHECKED)
def test_a_check_refuses_bad_values_by_name(db, table, column):
    good, bad = limits(column)
    for value in bad:
        with pytest.raises(sqlite3.IntegrityError, match="CHECK") as caught:
            insert(db, table.name, one_row(table) | {column.name: value})
        assert str(caught.value).endswith(f"{table.name}_{column.name}_check"), value
    for value in good:
        insert(db, table.name, one_row(table) | {column.name: value})
        db.execute(f"DELETE FROM {table.name}")
    if not column.not_null:
        insert(db, table.name, one_row(table) | {column.name: None})


FREE = re.compile(r"_change$|^demand_score$|^roi_percentage$|^dropoff_rate$")


@pytest.mark.parametrize(("table", "column"), COLUMNS)
def test_what_may_be_anything_has_no_check(table, column):
    if FREE.search(column.name) or column.type == "TEXT":
        assert not column.check
    if column.type in ("DATE", "TIMESTAMP"):
        assert column.check


# ---- the demo data ---------------------------------------------------------------


def test_the_demo_data_loads_and_has_the_rows_of_the_readme(db):
    load_demo(db)
    counts = {
        name: db.execute(f"SELECT count(*) FROM {name}").fetchone()[0]
        for name in TABLES
    }
    assert {name: counts[name] for name in README_ROWS} == README_ROWS
    assert all(counts.values()), counts
    assert db.execute("PRAGMA foreign_key_check").fetchall() == []
    assert sorted(p.stem for p in (SCHEMA / "demo").glob("*.csv")) == sorted(TABLES)


def test_demo_cells_are_of_the_declared_type(db):
    load_demo(db)
    for param in COLUMNS:
        table, column = param.values
        wanted = {"INTEGER": {"integer"}, "REAL": {"real"}}.get(column.type, {"text"})
        query = f"SELECT DISTINCT typeof({column.name}) FROM {table.name}"
        kinds = {kind for (kind,) in db.execute(query)}
        assert kinds <= wanted | {"null"}, param.id


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)
def test_no_demo_row_repeats_another_under_a_new_key(table):
    if table.time is None or table.shape == "history":
        return
    rows = list(demo_rows(table.name))
    seen = {tuple(v for k, v in row.items() if k != table.time) for row in rows}
    assert len(seen) == len(rows)


def sums(db, sql):
    return db.execute(sql).fetchone()


def test_demo_figures_agree_with_each_other(db):
    load_demo(db)
    counts = [
        r[0] for r in db.execute("SELECT count FROM conversion_funnel ORDER BY 1")
    ]
    funnel = "SELECT stage_order, count, percentage FROM conversion_funnel ORDER BY 1"
    rows = db.execute(funnel).fetchall()
    assert [count for _, count, _ in rows] == sorted(counts, reverse=True)
    for _, count, percentage in rows:
        assert percentage == pytest.approx(100 * count / rows[0][1], abs=0.05)
    for table, part in (
        ("interaction_types", "count"),
        ("customer_segments", "segment_size"),
        ("revenue_attribution", "revenue_amount"),
        ("category_revenue", "revenue_amount"),
    ):
        wrong = (
            f"SELECT count(*) FROM {table} WHERE abs(percentage -"
            f" 100.0 * {part} / (SELECT sum({part}) FROM {table})) > 0.051"
        )
        assert sums(db, wrong) == (0,), table
    assert sums(db, "SELECT sum(count) FROM interaction_types") == sums(
        db, "SELECT ai_interactions FROM overview_kpis"
    )
    assert sums(db, "SELECT sum(revenue_amount) FROM revenue_attribution") == sums(
        db, "SELECT revenue_impact FROM overview_kpis"
    )
    assert sums(db, "SELECT sum(segment_size) FROM customer_segments") == sums(
        db, "SELECT total_customers FROM overview_kpis"
    )
    parts = (
        "chat_interactions + questionnaire_interactions + image_analysis_interactions"
        " + routine_planner_interactions"
    )
    wrong = (
        f"SELECT count(*) FROM interaction_summary WHERE total_interactions <> {parts}"
    )
    assert sums(db, wrong) == (0,)
    assert sums(
        db,
        "SELECT total_cost, amount FROM billing_summary AS b"
        " JOIN billing_payments AS p ON p.billing_id = b.id WHERE total_cost = amount",
    )
    assert sums(db, "SELECT round(sum(cost), 2) FROM usage_breakdown") == sums(
        db, "SELECT usage_cost FROM billing_summary"
    )


def test_demo_keys_are_plainly_not_real():
    keys = {row["api_key"] for row in demo_rows("api_configurations")} - {None}
    assert keys
    assert all(re.fullmatch(r"demo-key-\d{4}", key) for key in keys)


FOREIGN = [
    pytest.param(table, key, id=f"{table.name}.{key.column}")
    for table in TABLES.values()
    for key in table.foreign_keys
]


@pytest.mark.parametrize(("table", "key"), FOREIGN)
def test_a_deleted_parent_leaves_its_rows_behind(db, table, key):
    load_demo(db)
    count = f"SELECT count(*), count({key.column}) FROM {table.name}"
    before, linked = sums(db, count)
    assert linked > 0
    db.execute(f"DELETE FROM {key.table}")
    assert sums(db, count) == (before, 0)


@pytest.mark.parametrize(("table", "key"), FOREIGN)
def test_a_reference_to_nothing_is_refused(db, table, key):
    with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
        insert(db, table.name, one_row(table) | {key.column: 99})


def test_there_are_three_foreign_keys():
    assert {
        (t.name, k.column, k.table) for t in TABLES.values() for k in t.foreign_keys
    } == {
        ("usage_breakdown", "billing_id", "billing_summary"),
        ("billing_payments", "billing_id", "billing_summary"),
        ("api_endpoints", "configuration_id", "api_configurations"),
    }
