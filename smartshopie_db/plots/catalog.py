"""Every plot there is."""

from __future__ import annotations

from collections.abc import Mapping

from . import overview, revenue
from .drawing import Plot

_ALL = (
    Plot("kpi_trend", overview.kpi_trend, "overview", "A headline figure over time",
         ("overview_kpis",), {"measure": tuple(overview.KPIS)}),
    Plot("funnel", overview.funnel, "overview", "How many sessions reach each stage",
         ("conversion_funnel",)),
    Plot("attribution", revenue.attribution, "overview",
         "Revenue credited to each feature of the assistant", ("revenue_attribution",)),
)  # fmt: skip

PLOTS: Mapping[str, Plot] = {plot.name: plot for plot in _ALL}
