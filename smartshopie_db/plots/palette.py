"""Colours: one set for the data on every theme, and text and grid for each theme.

PALETTE was searched for: six hues that stay apart for people who see no red or no
green (in the manner of Okabe and Ito), each with a contrast of at least 3 to 1 against
the background of both themes, so that a figure keeps its colours when the theme
changes.  OTHER is for what has no hue of its own: the rest, what went before.
"""

from __future__ import annotations

from typing import Any

BLUE, ORANGE, GREEN, PURPLE, SKY, CRIMSON = PALETTE = (
    "#0072b2", "#d9760f", "#55781a", "#9d36e6", "#668eea", "#c92a5e",
)  # fmt: skip
OTHER = "#7f868f"

FONT = (
    "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
)


def shade(colour: str, alpha: float) -> str:
    """The colour, let through by so much (0 to 1)."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{alpha:g})"


def _theme(paper: str, text: str, muted: str, grid: str, line: str) -> dict[str, Any]:
    small = {"color": muted, "size": 12}
    axis = {
        "gridcolor": grid, "linecolor": line, "tickcolor": line, "zerolinecolor": line,
        "tickfont": small, "title": {"font": small},
    }  # fmt: skip
    return {
        "paper_bgcolor": paper,
        "plot_bgcolor": paper,
        "colorway": [*PALETTE, OTHER],
        "font": {"family": FONT, "size": 13, "color": text},
        "title": {
            "font": {"size": 17, "color": text},
            "subtitle": {"font": {"size": 13, "color": muted}},
        },
        "xaxis": axis,
        "yaxis": axis,
        "hoverlabel": {
            "bgcolor": paper, "bordercolor": line,
            "font": {"color": text, "family": FONT, "size": 12},
        },
        "legend": {"bgcolor": "rgba(0,0,0,0)", "font": {"color": text, "size": 12}},
        "annotationdefaults": {"font": {"color": text}, "bgcolor": paper},
        "modebar": {
            "bgcolor": "rgba(0,0,0,0)", "color": muted, "activecolor": text,
        },
    }  # fmt: skip


# The `layout` of a plotly template.
THEMES: dict[str, dict[str, Any]] = {
    "light": _theme("#ffffff", "#1c2530", "#59636e", "#e4e8ec", "#b4bcc5"),
    "dark": _theme("#161b22", "#e6eaf0", "#a3adb9", "#2a313b", "#4b5563"),
}
