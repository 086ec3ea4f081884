"""The dashboard's figures: what each of its routes answers, worked out once for the
pages, the plots and anyone else.

    from smartshopie_db.reports import REPORTS, window
    REPORTS["overview/kpis"].run(db, window(db, period="7d"))
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from . import ai as ai
from . import answer as _answer
from . import api as api
from . import billing as billing
from . import conversions as conversions
from . import customers as customers
from . import interactions as interactions
from . import overview as overview
from . import products as products
from . import realtime as realtime
from . import revenue as revenue
from .answer import Answer, Report
from .window import Window, newest_day, oldest_day, window

REPORTS: Mapping[str, Report] = MappingProxyType(_answer.REPORTS)

__all__ = [
    "REPORTS",
    "Answer",
    "Report",
    "Window",
    "newest_day",
    "oldest_day",
    "window",
]
