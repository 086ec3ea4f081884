"""Files whose answers are kept."""

import layouts
import oracle
import pytest
from cached import fill

from smartshopie_db import SmartShopieDB


@pytest.fixture
def db(path):
    with SmartShopieDB(path) as db:
        fill(db)
        yield db


@pytest.fixture
def old_file(tmp_path):
    """A file with a rollback journal and some rows."""
    path = layouts.build(tmp_path / "old.db", next(iter(layouts.LAYOUTS)))
    oracle.run(path, "UPDATE overview_kpis SET total_customers = 100")
    return path
