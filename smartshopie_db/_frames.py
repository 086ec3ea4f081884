"""Rows as tables of other libraries: the core calls this when one is asked for.

The libraries are the user's own and are imported here at the call, never before.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._core import Rows


def _need(library: str, method: str) -> Any:
    try:
        return importlib.import_module(library)
    except ModuleNotFoundError as error:
        if error.name != library:
            raise  # it is there, and something that it needs is not
        raise ImportError(
            f"{method}() needs {library}: pip install {library}", name=library
        ) from None


def to_arrow(rows: Rows[Any]) -> Any:
    return _need("pyarrow", "to_arrow").table(rows)


def to_polars(rows: Rows[Any]) -> Any:
    return _need("polars", "to_polars").DataFrame(rows)


def to_pandas(rows: Rows[Any]) -> Any:
    """The same types with pyarrow and, more slowly, without."""
    pandas = _need("pandas", "to_pandas")
    names = list(dict.fromkeys(rows.columns))
    try:
        pyarrow = importlib.import_module("pyarrow")
    except ImportError:
        return _to_pandas_alone(pandas, rows, names)
    types = {pyarrow.int64(): pandas.Int64Dtype()}
    table = pyarrow.table(rows).select([rows.columns.index(name) for name in names])
    return table.to_pandas(types_mapper=types.get, date_as_object=False)


def _to_pandas_alone(pandas: Any, rows: Rows[Any], names: list[str]) -> Any:
    types = {
        "INTEGER": "Int64",
        "REAL": "float64",
        "TEXT": "str" if pandas.__version__ >= "3" else object,
        "DATE": "datetime64[ms]",
        "TIMESTAMP": "datetime64[us]",
        "ANY": object,
    }
    columns = {
        name: pandas.array(rows[name].to_list(), dtype=types[rows[name].type])
        for name in names
    }
    return pandas.DataFrame(columns, columns=names)
