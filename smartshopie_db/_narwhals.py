"""Lets narwhals take Rows and columns, and with it plotly, altair and others.

narwhals finds this module by its entry point and asks it about objects of this package.
They become frames of whichever library is there that narwhals knows well; pyarrow and
polars take them without a copy.
"""

from __future__ import annotations

import importlib
from typing import Any

from ._core import Column, Rows

NATIVE_PACKAGE = "smartshopie_db"


def is_native(native_object: object, /) -> bool:
    return isinstance(native_object, (Rows, Column))


def _pyarrow(library: Any, data: Any) -> Any:
    if isinstance(data, Rows):
        return library.table(data)
    return library.chunked_array([library.array(data)])


def _polars(library: Any, data: Any) -> Any:
    if isinstance(data, Rows):
        return library.DataFrame(data)
    return library.Series(data).alias(data.name)


def _pandas(library: Any, data: Any) -> Any:
    if isinstance(data, Rows):
        return library.DataFrame(data.to_list(), columns=list(data.columns))
    return library.Series(data.to_list(), name=data.name)


_LIBRARIES = {"pyarrow": _pyarrow, "polars": _polars, "pandas": _pandas}


def _convert(data: object) -> Any:
    for name, convert in _LIBRARIES.items():
        try:
            library = importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name != name:
                raise
        else:
            return convert(library, data)
    raise ModuleNotFoundError(
        "rows become a data frame by pyarrow, polars or pandas, and none of them is "
        "here: pip install pyarrow"
    )


class _Namespace:
    def __init__(self, version: Any) -> None:
        self._version = version

    def from_native(self, data: object, /) -> Any:
        frame = _convert(data)
        namespace = self._version.namespace.from_native_object(frame)
        return namespace.compliant.from_native(frame)


def __narwhals_namespace__(version: Any) -> _Namespace:
    return _Namespace(version)
