"""A Drawing as plotly's Figure.  Nothing else in the package imports plotly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .drawing import Drawing
from .palette import THEMES
from .text import escape

if TYPE_CHECKING:
    import plotly.graph_objects as go


HEAD = 84  # pixels for title and note


def plotly(module: str) -> Any:
    """plotly's module of that name; ImportError says how to install it."""
    import importlib

    try:
        return importlib.import_module(f"plotly.{module}")
    except ImportError as error:
        raise ImportError(
            "figures need plotly: pip install 'smartshopie_db[web]'"
        ) from error


def template(theme: str) -> dict[str, Any]:
    """The plotly template of a theme; ValueError for another name."""
    if theme not in THEMES:
        raise ValueError(f"theme is one of {', '.join(THEMES)}, not {theme!r}")
    return {"layout": THEMES[theme]}


def figure(drawing: Drawing, theme: str = "light") -> go.Figure:
    """The figure, with title and note; ImportError says how to install plotly."""
    look = template(theme)
    layout = {
        **drawing.layout,
        "template": look,
        "title": {
            "text": escape(drawing.title),
            "subtitle": {"text": escape(drawing.note)},
            "x": 0, "xref": "container", "xanchor": "left",
            "y": 1, "yref": "container", "yanchor": "top", "pad": {"t": 16, "l": 24},
        },
        "margin": {"t": HEAD, "l": 24, "r": 24, "b": 24, "pad": 4},
    }  # fmt: skip
    if layout["showlegend"]:  # under the figure: the title is above
        layout["legend"] = {
            **layout["legend"], "yref": "container", "y": 0, "yanchor": "bottom",
        }  # fmt: skip
    if "height" in layout:  # of the bars, without the title
        layout["height"] += HEAD
    if drawing.empty:
        layout["annotations"] = [
            {
                "text": escape(drawing.empty), "showarrow": False, "font": {"size": 15},
                "xref": "paper", "yref": "paper", "x": 0.5, "y": 0.5,
            }
        ]  # fmt: skip
    return plotly("graph_objects").Figure({"data": drawing.data, "layout": layout})
