"""The two real databases of the older system, for who has them beside the project."""

from __future__ import annotations

import pytest
from schema_facts import ROOT

REAL = ("c5130a5", "3240e3d")
REAL_FOLDER = ROOT.parent / "shared" / "data"


def real_file(name):
    path = REAL_FOLDER / f"upstream-{name}.db"
    if not path.exists():
        pytest.skip(f"the real database {path.name} is not beside the project")
    return path
