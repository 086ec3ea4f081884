"""A msgspec.Struct for every row of the standard module, encoded by msgspec."""

from __future__ import annotations

import itertools
import sqlite3

import msgspec
from queries import FULL, INTERACTION

Interaction = msgspec.defstruct("Interaction", INTERACTION, gc=False)


def versions() -> str:
    return f"msgspec {msgspec.__version__}"


open = sqlite3.connect


def json(con: sqlite3.Connection):
    rows = con.execute(FULL)
    return msgspec.json.encode(list(itertools.starmap(Interaction, rows)))
