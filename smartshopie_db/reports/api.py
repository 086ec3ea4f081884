"""The connections to other APIs, the state of the database, and of the page's files."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from .. import SmartShopieDB
from .answer import Answer, answer, report
from .window import Window

CONNECTION = (
    "id", "api_type", "api_name", "api_url", "api_key", "status", "last_sync",
    "sync_frequency", "created_at", "updated_at",
)  # fmt: skip


@report("config", "api_configurations")
def config(db: SmartShopieDB, window: Window) -> Answer:
    """The newest configuration of each kind of API, by kind.

    api_key shows its last four characters, of a short key fewer.
    """
    rows = db.api_configurations.select()
    newest: dict[str, Any] = {row["api_type"]: row for row in rows}  # the last id wins
    data = []
    for kind in sorted(newest, key=str):
        found = {name: newest[kind][name] for name in CONNECTION}
        data.append(found | {"api_key": redacted(found["api_key"])})
    return answer(window, data)


def redacted(secret: str | None) -> str | None:
    """A secret as its last four characters, never more than the half of it."""
    if secret is None:
        return None
    shown = min(4, len(secret) // 2)
    return "..." + secret[len(secret) - shown :]


@report("health", "overview_kpis")
def health(db: SmartShopieDB, window: Window) -> Answer:
    """That the database can be read, by reading it; its errors are raised."""
    newest = db.overview_kpis.latest()
    stats = db.stats()
    data = {
        "layout": stats["layout"],
        "schema_version": stats["schema_version"],
        "read_only": stats["read_only"],
        "newest_kpis": newest and newest.record_date,
    }
    return {"status": "healthy", "database": "connected", "data": data}


@report("test-assets")
def test_assets(
    db: SmartShopieDB, window: Window, *, assets: Collection[str] = ()
) -> Answer:
    """Whether the page's own files are there; `assets` names what is served of them.

    It looks at no folder, so "files" has these names and none of this machine.
    """
    return {
        "static_dir_exists": bool(assets),
        "files": sorted(assets),
        "dashboard_css_exists": "dashboard.css" in assets,
        "dashboard_js_exists": "dashboard.js" in assets,
    }
