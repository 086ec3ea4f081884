"""This package with one reader: one thread reads, and no other is made to help it."""

from __future__ import annotations

from peers.ours import UNCACHED, arrow, full, half, newest, versions
from smartshopie_db import SmartShopieDB

__all__ = ["arrow", "full", "half", "newest", "open", "threads", "versions"]


def open(path: str) -> SmartShopieDB:
    return SmartShopieDB(path, readers=1, **UNCACHED).connect()


def threads(db: SmartShopieDB) -> None:
    for _ in range(16):
        full(db)
