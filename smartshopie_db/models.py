"""The older package's module path of the record types: one for each table.

Their positional arguments come in the order they had there.
"""

from . import _core
from ._core import *  # noqa: F403


def _is_of_a_table(name: str) -> bool:
    found = getattr(_core, name)
    if found is _core.Record or found is _core.Row:
        return False
    return isinstance(found, type) and issubclass(found, _core.Record)


__all__ = [name for name in _core.__all__ if _is_of_a_table(name)]
