"""to_arrow(), to_pandas() and to_polars(): the same cells, types that the data does not
change, and what to install where a library is missing."""

import subprocess
import sys

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from smartshopie_db import _frames

PANDAS = {
    "INTEGER": "Int64",
    "REAL": "float64",
    "TEXT": "str",
    "DATE": "datetime64[ms]",
    "TIMESTAMP": "datetime64[us]",
}


def cells(frame):
    """A pandas frame as rows of plain values, a missing one as None."""
    columns = [
        [None if pd.isna(cell) else cell for cell in frame.iloc[:, i]]
        for i in range(frame.shape[1])
    ]
    return list(zip(*columns, strict=True))


def in_pandas(rows):
    """What the rows hold, dates as the moments that pandas makes of them."""
    dates = {i for i, name in enumerate(rows.columns) if rows[name].type == "DATE"}
    return [
        tuple(
            pd.Timestamp(cell) if i in dates and cell is not None else cell
            for i, cell in enumerate(row)
        )
        for row in rows.to_list()
    ]


@pytest.fixture(params=["with pyarrow", "without"])
def to_pandas(request, monkeypatch):
    if request.param == "without":
        monkeypatch.setitem(sys.modules, "pyarrow", None)
    return lambda rows: rows.to_pandas()


def test_pandas(demo, to_pandas):
    for table in demo.tables.values():
        rows = table.select()
        for part in (rows, rows[::-2], rows[:0]):
            frame = to_pandas(part)
            assert list(frame.columns) == list(rows.columns)
            assert cells(frame) == in_pandas(part)
            types = [PANDAS[rows[name].type] for name in rows.columns]
            assert list(map(str, frame.dtypes)) == types


def test_pandas_keeps_every_integer(db, to_pandas):
    db.execute("CREATE TABLE big (n INTEGER)")
    for n in (2**63 - 1, None, -(2**63), 2**53 + 1):
        db.execute("INSERT INTO big VALUES (?)", [n])
    frame = to_pandas(db.query("SELECT n FROM big ORDER BY rowid"))
    assert cells(frame) == [(2**63 - 1,), (None,), (-(2**63),), (2**53 + 1,)]


def test_pandas_has_the_first_column_of_a_name(db, to_pandas):
    frame = to_pandas(db.query("SELECT id AS a, id AS b, 'x' AS a FROM usage_alerts"))
    assert list(frame.columns) == ["a", "b"]


def test_arrow(demo):
    rows = demo.customer_interactions.select()
    table = rows.to_arrow()
    table.validate(full=True)
    assert isinstance(table, pa.Table)
    assert table.to_pylist() == rows.to_dicts()


def test_polars(demo):
    rows = demo.customer_interactions.select()
    frame = rows.to_polars()
    assert isinstance(frame, pl.DataFrame)
    assert frame.to_dicts() == rows.to_dicts()


@pytest.mark.parametrize("library", ["pyarrow", "pandas", "polars"])
def test_what_is_missing_is_named(demo, monkeypatch, library):
    method = {"pyarrow": "to_arrow"}.get(library, f"to_{library}")
    rows = demo.get_interaction_types()
    found = sys.meta_path[:]

    class Hidden:
        @staticmethod
        def find_spec(name, path=None, target=None):
            if name == library:
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    monkeypatch.delitem(sys.modules, library)
    monkeypatch.setattr(sys, "meta_path", [Hidden, *found])
    with pytest.raises(ImportError, match=rf"^{method}\(\).* pip install {library}$"):
        getattr(rows, method)()


def test_another_missing_module_is_not_blamed_on_the_library(tmp_path, monkeypatch):
    (tmp_path / "broken_library.py").write_text("import not_there_at_all")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="not_there_at_all"):
        _frames._need("broken_library", "to_x")


def test_nothing_is_imported_before_it_is_asked_for():
    code = (
        "import sys, smartshopie_db\n"
        "found = {'pandas', 'pyarrow', 'polars', 'numpy', 'smartshopie_db._frames'}\n"
        "assert not found & set(sys.modules), found & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
