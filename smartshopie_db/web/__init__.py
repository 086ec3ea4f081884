"""The web side, with Flask: SmartShopie for an app of yours, create_app() for ours.

Needs the extra `web`: pip install 'smartshopie_db[web]'.
"""

from __future__ import annotations

try:
    import flask as _flask  # noqa: F401
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        "smartshopie_db.web needs flask: pip install 'smartshopie_db[web]'",
        name=error.name,
    ) from None

from .extension import SmartShopie, create_app
from .jsons import JSONProvider
from .settings import Settings

__all__ = ["JSONProvider", "Settings", "SmartShopie", "create_app"]
