"""The standard module with sqlite3.Row: columns by name."""

from __future__ import annotations

import sqlite3

from queries import FULL

from peers.sqlite3 import full, one, versions, whole

__all__ = ["attributes", "full", "one", "open", "versions", "whole"]


def open(path: str) -> sqlite3.Connection:
    con = sqlite3.connect(path)
    con.row_factory = sqlite3.Row
    return con


def attributes(con: sqlite3.Connection):
    for row in con.execute(FULL):
        kind = row["interaction_type"]
        score = row["satisfaction_score"]
        seconds = row["response_time_sec"]
    return kind, score, seconds
