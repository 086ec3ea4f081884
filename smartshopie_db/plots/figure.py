"""A Drawing as plotly's Figure.  Nothing else in the package imports plotly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .drawing import Drawing
from .palette import THEMES
from .text import escape

if TYPE_CHECKING:
    import plotly.graph_objects as go


def template(theme: str) -> dict[str, Any]:
    """The plotly template of a theme; ValueError for another name."""
    if theme not in THEMES:
        raise ValueError(f"theme is one of {', '.join(THEMES)}, not {theme!r}")
    return {"layout": THEMES[theme]}


def figure(drawing: Drawing, theme: str = "light") -> go.Figure:
    """The figure, with title and note; ImportError says how to install plotly."""
    look = template(theme)
    try:
        import plotly.graph_objects as go
    except ImportError as error:
        raise ImportError(
            "figures need plotly: pip install 'smartshopie_db[web]'"
        ) from error
    layout = {
        **drawing.layout,
        "template": look,
        "title": {
            "text": escape(drawing.title),
            "subtitle": {"text": escape(drawing.note)},
            "x": 0, "xref": "paper", "xanchor": "left",
            "y": 1, "yref": "container", "yanchor": "top", "pad": {"t": 16},
        },
        "margin": {"t": 84, "l": 24, "r": 24, "b": 24, "pad": 4},
    }  # fmt: skip
    if drawing.empty:
        layout["annotations"] = [
            {
                "text": escape(drawing.empty), "showarrow": False, "font": {"size": 15},
                "xref": "paper", "yref": "paper", "x": 0.5, "y": 0.5,
            }
        ]  # fmt: skip
    return go.Figure({"data": drawing.data, "layout": layout})
