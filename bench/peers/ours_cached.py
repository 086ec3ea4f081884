"""This package as it comes: with its result cache, and nothing changes the file."""

from __future__ import annotations

from queries import YEAR

from peers.ours import one, versions
from smartshopie_db import SmartShopieDB

__all__ = ["again", "again_days", "again_days_json", "again_json", "again_series"]
__all__ += ["open", "versions"]

again = one


def open(path: str) -> SmartShopieDB:
    return SmartShopieDB(path).connect()


def again_json(db: SmartShopieDB, n: int):
    for _ in range(n):
        text = db.get_overview_kpis().to_json()
    return text


def again_days(db: SmartShopieDB, n: int):
    days = db.overview_kpis
    for _ in range(n):
        rows = days.select()
    return rows


def again_days_json(db: SmartShopieDB, n: int):
    days = db.overview_kpis
    for _ in range(n):
        text = days.select().to_json()
    return text


def again_series(db: SmartShopieDB, n: int):
    for _ in range(n):
        months = db.series("overview_kpis", start=YEAR[0], end=YEAR[1], every="month")
    return months
