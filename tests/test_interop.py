"""Rows go into every data frame library with their values, types and names.

Each peer takes Rows in its own usual way. The rows are those of all thirty tables: with
none, one, some and every second of them, and with NULL in every cell that can be.
"""

import sqlite3

import altair
import duckdb
import nanoarrow
import narwhals
import narwhals.stable.v1
import pandas
import plotly.express
import polars
import pyarrow
import pyarrow.compute
import pytest
import scripts
from schema_facts import TABLES, every_table

from smartshopie_db import SmartShopieDB

ARROW_TYPES = {
    "INTEGER": pyarrow.int64(),
    "REAL": pyarrow.float64(),
    "TEXT": pyarrow.large_string(),
    "DATE": pyarrow.date32(),
    "TIMESTAMP": pyarrow.timestamp("us"),
}
N = 7
PARTS = {
    "all": slice(None),
    "none": slice(3, 3),
    "one": slice(4, 5),
    "end": slice(2, None),
    "middle": slice(1, 6),
    "reversed": slice(None, None, -1),
    "every second": slice(1, None, 2),
    "every third backwards": slice(6, None, -3),
}


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    """Every table with some rows; of each third one only what it must have."""
    with SmartShopieDB(tmp_path_factory.mktemp("full") / "shop.db") as db:
        db.connect()
        with db.transaction():
            for table in TABLES.values():
                for n in range(N):
                    row = table.least(n) if n % 3 == 1 else table.row(n)
                    db.tables[table.name].add(**row)
        yield db


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """Every table as an old file may have it: with no column but its id."""
    path = tmp_path_factory.mktemp("bare") / "old.db"
    stock = sqlite3.connect(path)
    for table in TABLES.values():
        stock.execute(f"CREATE TABLE {table.name} (id INTEGER PRIMARY KEY)")
        stock.execute(f"INSERT INTO {table.name} VALUES (1), (2), (3)")
    stock.commit()
    stock.close()
    with SmartShopieDB(path, mode="ro") as db:
        yield db


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    with SmartShopieDB(tmp_path_factory.mktemp("empty") / "shop.db") as db:
        yield db


def from_pyarrow(rows):
    table = pyarrow.table(rows)
    table.validate(full=True)
    return table.to_pylist()


def from_pyarrow_reader(rows):
    reader = pyarrow.RecordBatchReader.from_stream(rows)
    table = reader.read_all()
    table.validate(full=True)
    return table.to_pylist()


def from_pandas(frame):
    found = frame.astype(object).where(frame.notna(), None).to_dict("records")
    assert len(found) == 0 or isinstance(frame.columns[0], str)
    return found


def from_duckdb(rows):
    found = duckdb.sql("SELECT * FROM rows")
    return [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]


def from_columns(rows):
    columns = [pyarrow.array(rows[name]) for name in rows.columns]
    for column in columns:
        column.validate(full=True)
    return pyarrow.table(columns, names=rows.columns).to_pylist()


def from_series(rows):
    columns = {name: polars.Series(rows[name]) for name in rows.columns}
    return polars.DataFrame(columns).to_dicts()


PEERS = {
    "pyarrow": from_pyarrow,
    "pyarrow reader": from_pyarrow_reader,
    "pyarrow columns": from_columns,
    "polars": lambda rows: polars.DataFrame(rows).to_dicts(),
    "polars from_arrow": lambda rows: (
        polars.from_arrow(rows).struct.unnest().to_dicts()
    ),
    "polars from_dataframe": lambda rows: polars.from_dataframe(rows).to_dicts(),
    "polars columns": from_series,
    "pandas": lambda rows: from_pandas(pandas.DataFrame(rows)),
    "pandas from_arrow": lambda rows: from_pandas(pandas.DataFrame.from_arrow(rows)),
    "duckdb": from_duckdb,
    "nanoarrow": lambda rows: [dict(row) for row in nanoarrow.Array(rows).to_pylist()],
    "narwhals": lambda rows: narwhals.from_arrow(rows, backend="pyarrow").rows(
        named=True
    ),
}


@pytest.mark.parametrize("peer", PEERS)
@every_table
def test_values_arrive(full, bare, empty, table, peer):
    rows = full.tables[table.name].select()
    assert len(rows) == N
    nothing = empty.tables[table.name].select()
    nulls = bare.tables[table.name].select()
    assert len(nothing) == 0
    assert set(nulls[0].values()) == {1, None}
    for some in (*(rows[part] for part in PARTS.values()), nothing, nulls):
        assert PEERS[peer](some) == some.to_dicts()


# --- one schema -------------------------------------------------------------------


@every_table
def test_a_table_has_one_schema(full, bare, empty, table):
    rows = full.tables[table.name].select()
    schema = pyarrow.schema(rows)
    assert schema.names == list(table.names)
    assert schema.types == [ARROW_TYPES[column.kind] for column in table.columns]
    assert all(field.nullable for field in schema)
    assert schema.metadata[b"table"] == table.name.encode()
    others = [
        rows[:0],
        rows[::-2],
        rows[:1],
        bare.tables[table.name].select(),
        empty.tables[table.name].select(),
    ]
    for other in others:
        assert pyarrow.schema(other).equals(schema, check_metadata=True)
        assert pyarrow.table(other).schema.equals(schema, check_metadata=True)


def test_fields_say_what_they_are(full):
    schema = pyarrow.schema(full.overview_kpis.select())
    told = {
        key.decode(): value.decode()
        for key, value in schema.field("conversion_rate").metadata.items()
    }
    assert told.keys() == {"unit", "description", "aggregation"}
    assert (told["unit"], told["aggregation"]) == ("percent", "mean")
    assert "visitors" in told["description"]
    assert b"unit" not in schema.field("id").metadata
    assert full.overview_kpis.select()["conversion_rate"].unit == told["unit"]
    field = pyarrow.field(full.overview_kpis.select()["conversion_rate"])
    assert field.equals(schema.field("conversion_rate"), check_metadata=True)


@pytest.mark.slow
def test_a_million_rows_have_the_schema_of_none(path):
    stock = sqlite3.connect(path)
    stock.execute(
        "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 1000000)"
        " INSERT INTO realtime_metrics (recorded_at, active_sessions, cpu_usage_pct)"
        " SELECT strftime('%Y-%m-%d %H:%M:%S', 1700000000 + x, 'unixepoch'), x,"
        " CASE WHEN x % 2 THEN x % 100 END FROM c"
    )
    stock.commit()
    stock.close()
    with SmartShopieDB(path) as db:
        rows = db.realtime_metrics.select()
    table = pyarrow.table(rows)
    table.validate(full=True)
    assert table.num_rows == 1_000_000
    assert table.schema.equals(pyarrow.schema(rows[:0]), check_metadata=True)
    assert pyarrow.compute.sum(table["active_sessions"]).as_py() == 500_000_500_000
    assert table["cpu_usage_pct"].null_count == 500_000
    backwards = pyarrow.table(rows[::-1])
    backwards.validate(full=True)
    assert backwards.slice(999_999).to_pylist() == [rows[0].to_dict()]


# --- columns of free SQL ----------------------------------------------------------

EXPRESSIONS = {
    "SELECT 1 AS x UNION ALL SELECT NULL": pyarrow.int64(),
    "SELECT 1.5 AS x UNION ALL SELECT NULL": pyarrow.float64(),
    "SELECT 1.5 AS x UNION ALL SELECT 2": pyarrow.float64(),
    "SELECT 'a' AS x UNION ALL SELECT NULL": pyarrow.large_string(),
    "SELECT x'00ff' AS x UNION ALL SELECT NULL": pyarrow.large_binary(),
    "SELECT NULL AS x UNION ALL SELECT NULL": pyarrow.null(),
    "SELECT 1 AS x WHERE 0": pyarrow.null(),
    "SELECT record_date AS x FROM overview_kpis": pyarrow.date32(),
    "SELECT max(total_customers) AS x FROM overview_kpis": pyarrow.int64(),
}


@pytest.mark.parametrize("sql", EXPRESSIONS)
def test_expressions(full, sql):
    rows = full.query(sql)
    table = pyarrow.table(rows)
    table.validate(full=True)
    assert table.schema.types == [EXPRESSIONS[sql]]
    for name, peer in PEERS.items():
        if rows or name != "pandas":
            assert peer(rows) == rows.to_dicts(), name
            assert peer(rows[::-1]) == rows[::-1].to_dicts(), name


def test_a_slice_has_the_type_of_all_rows(full):
    rows = full.query("SELECT 1 AS x UNION ALL SELECT 1.5 UNION ALL SELECT NULL")
    schema = pyarrow.schema(rows)
    for part in (rows[:1], rows[1:], rows[2:], rows[:0], rows[::-1]):
        assert pyarrow.schema(part) == schema
        assert pyarrow.table(part).schema == schema


# --- the ways of each peer --------------------------------------------------------


def test_pandas_names_the_columns(full):
    rows = full.overview_kpis.select()
    for frame in (pandas.DataFrame(rows), pandas.DataFrame.from_arrow(rows)):
        assert list(frame.columns) == list(rows.columns)
    assert list(pandas.DataFrame.from_arrow(rows[:0]).columns) == list(rows.columns)
    series = pandas.Series(rows["record_date"], name="day")
    assert series.to_list() == rows["record_date"].to_list()


def test_duckdb_joins_and_sums(full):
    kpis = full.overview_kpis.select()
    funnel = full.conversion_funnel.select()
    found = duckdb.sql(
        "SELECT sum(f.count) FROM kpis AS k JOIN funnel AS f USING (record_date)"
    ).fetchall()
    days = set(kpis["record_date"])
    counts = [row["count"] or 0 for row in funnel if row.record_date in days]
    assert found == [(sum(counts),)]


def test_pyarrow_asks_for_its_own_types(full):
    rows = full.conversion_funnel.select()
    fields = [
        pyarrow.field(field.name, pyarrow.string())
        if field.type == pyarrow.large_string()
        else pyarrow.field(field.name, pyarrow.timestamp("us", "UTC"))
        if field.type == pyarrow.timestamp("us")
        else field
        for field in pyarrow.schema(rows)
    ]
    wanted = pyarrow.schema(fields)
    for part in PARTS.values():
        reader = pyarrow.RecordBatchReader.from_stream(rows[part], schema=wanted)
        assert reader.schema == wanted
        table = reader.read_all()
        table.validate(full=True)
        again = table.cast(pyarrow.schema(rows)).to_pylist()
        assert again == rows[part].to_dicts()
    column = pyarrow.array(rows["stage_name"], type=pyarrow.string())
    assert column.type == pyarrow.string()
    assert column.to_pylist() == rows["stage_name"].to_list()


# --- by narwhals: plotly, altair --------------------------------------------------


def test_narwhals_takes_rows_and_columns(full):
    rows = full.conversion_funnel.select()
    for version in (narwhals, narwhals.stable.v1):
        frame = version.from_native(rows, eager_only=True)
        assert frame.columns == list(rows.columns)
        assert frame.shape == (N, len(rows.columns))
        series = version.from_native(rows["count"], series_only=True)
        assert series.to_list() == rows["count"].to_list()
        with pytest.raises(TypeError, match="allow_series"):
            version.from_native(rows["count"])
        with pytest.raises(TypeError, match="series_only"):
            version.from_native(rows, series_only=True)
        assert version.dependencies.is_into_dataframe(rows)
    assert narwhals.dependencies.is_into_series(rows["count"])
    assert not narwhals.dependencies.is_into_series(rows)


def test_plotly_takes_rows(full):
    rows = full.overview_kpis.select()
    days = rows["record_date"].to_list()
    figure = plotly.express.line(rows, x="record_date", y="conversion_rate")
    (trace,) = figure.data
    assert [str(day)[:10] for day in trace.x] == [str(day) for day in days]
    found = [None if value != value else value for value in trace.y]
    assert found == rows["conversion_rate"].to_list()
    assert figure.layout.xaxis.title.text == "record_date"
    many = plotly.express.bar(rows, x="record_date", y=["total_customers", "id"])
    assert [trace.name for trace in many.data] == ["total_customers", "id"]
    (trace,) = plotly.express.scatter(x=rows["id"], y=rows["conversion_rate"]).data
    assert list(trace.x) == rows["id"].to_list()


def test_altair_takes_rows(full):
    rows = full.overview_kpis.select()
    chart = altair.Chart(rows).mark_line().encode(x="record_date", y="conversion_rate")
    told = chart.to_dict()
    assert told["encoding"]["x"] == {"field": "record_date", "type": "temporal"}
    assert told["encoding"]["y"]["type"] == "quantitative"
    (data,) = told["datasets"].values()
    assert [row["id"] for row in data] == rows["id"].to_list()
    assert [row["conversion_rate"] for row in data] == rows["conversion_rate"].to_list()
    assert data[0]["record_date"].startswith(rows[0].record_date.isoformat())


HIDE = """
        class Hidden:
            def find_spec(name, path, target=None):
                if name.partition(".")[0] in Hidden.names:
                    raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        def hide(names):
            Hidden.names = names
            sys.meta_path.insert(0, Hidden)
"""


@pytest.mark.parametrize("library", ["pyarrow", "polars", "pandas"])
def test_narwhals_takes_the_library_that_is_there(path, library):
    """In a process in which the other two cannot be imported."""
    out = scripts.run(
        HIDE
        + """
        hide({"pyarrow", "polars", "pandas"} - {sys.argv[2]})
        import narwhals
        with SmartShopieDB(PATH) as db:
            for n in range(3):
                add(db, n)
            rows = db.realtime_metrics.select(columns=["id", "active_sessions"])
        for some in (rows, rows[::-1], rows[:0]):
            frame = narwhals.from_native(some, eager_only=True)
            assert frame.rows(named=True) == some.to_dicts(), frame
            assert frame.columns == ["id", "active_sessions"]
        series = narwhals.from_native(rows["id"], series_only=True)
        assert series.to_list() == [1, 2, 3], series
        print(narwhals.get_native_namespace(frame).__name__)
        """,
        path,
        library,
    )
    assert out == f"{library}\n"


def test_narwhals_without_any_library_says_what_to_install(path):
    scripts.run(
        HIDE
        + """
        hide({"pyarrow", "polars", "pandas"})
        import narwhals
        with SmartShopieDB(PATH) as db:
            rows = db.realtime_metrics.select()
        error = raises(ModuleNotFoundError, lambda: narwhals.from_native(rows))
        assert "pip install pyarrow" in str(error)
        """,
        path,
    )
