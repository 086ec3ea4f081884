"""The dashboard database of an AI shopping assistant: typed rows straight from SQLite.

Start with SmartShopieDB.  The names come from the compiled core, which has the tables.
"""

from . import _core
from ._core import *  # noqa: F403
from .database import create_database as create_database

__all__ = sorted({*_core.__all__, "create_database"})
__version__ = _core.__version__
