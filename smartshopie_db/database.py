"""The older package's module path of SmartShopieDB and create_database."""

import os

from ._core import SmartShopieDB

__all__ = ["SmartShopieDB", "create_database"]


def create_database(
    db_path: str | os.PathLike[str] = "smartshopie_dashboard.db",
    schema_file: str | os.PathLike[str] | None = None,
) -> SmartShopieDB:
    """Make a database with all its tables, or add those that a file lacks; return it.

    schema_file: an SQL script to run instead, as for initialize_database().
    """
    db = SmartShopieDB(db_path)
    db.initialize_database(schema_file)
    return db
