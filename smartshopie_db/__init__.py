"""The dashboard database of an AI shopping assistant: typed rows straight from SQLite.

Start with SmartShopieDB.  The names come from the compiled core, which has the tables.
"""

from __future__ import annotations

from . import _core
from ._core import *  # noqa: F403
from .database import create_database as create_database

__all__ = sorted({*_core.__all__, "create_database"})
__version__ = _core.__version__

TYPE_CHECKING = False  # typing takes longer to import than all of this package
if TYPE_CHECKING:
    from typing import Any


def _check(db: _core.SmartShopieDB, **options: Any) -> Any:
    from .check import check

    return check(db, **options)


_core._set_check(_check)
