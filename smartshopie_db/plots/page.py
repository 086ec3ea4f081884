"""A Drawing as one HTML file: it holds plotly's JavaScript, so it works offline, and
the numbers as a table, so it can be read without."""

from __future__ import annotations

import json
from html import escape, unescape
from typing import Any

from .drawing import Drawing, Style
from .figure import plotly, template
from .palette import FONT, THEMES
from .text import number

HEIGHT = 480

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ margin: 0 auto; max-width: 64rem; padding: 1.5rem; font: 1rem/1.5 {font};
  background: {paper}; color: {text} }}
h1 {{ font-size: 1.4rem; margin: 0 }}
p, summary, th {{ color: {muted} }}
p {{ margin: 0 0 1rem }}
table {{ border-collapse: collapse; margin-top: .5rem; font-size: .9rem }}
th, td {{ border-bottom: 1px solid {grid}; padding: .25rem .75rem; text-align: left }}
.number {{ text-align: right; font-variant-numeric: tabular-nums }}
.wide {{ overflow-x: auto }}
</style>
<h1>{title}</h1>
<p>{note}</p>
{figure}
</html>
"""

_FIGURE = """<div id="plot" role="img" aria-label="{title}" style="height: {height}px">
</div>
<details>
<summary>The numbers</summary>
<div class="wide"><table>
{table}
</table></div>
</details>
<script>{plotly}</script>
<script>
Plotly.newPlot("plot", {data}, {layout}, {{
  responsive: true, displaylogo: false, modeBarButtons: [["toImage"]],
}});
</script>"""


def page(drawing: Drawing, style: Style, theme: str = "light") -> str:
    """The text of the file; ImportError says how to install plotly."""
    look = template(theme)
    colours = THEMES[theme]
    if drawing.empty:
        figure = f"<p>{escape(drawing.empty)}</p>"
    else:
        layout = {**drawing.layout, "template": look}
        figure = _FIGURE.format(
            title=escape(drawing.title),
            height=drawing.layout.get("height", HEIGHT),
            table=table(drawing, style),
            plotly=plotly("offline").get_plotlyjs(),
            data=script(drawing.data),
            layout=script(layout),
        )
    return _PAGE.format(
        title=escape(drawing.title),
        note=escape(drawing.note),
        figure=figure,
        font=FONT,
        paper=colours["paper_bgcolor"],
        text=colours["font"]["color"],
        muted=colours["xaxis"]["tickfont"]["color"],
        grid=colours["xaxis"]["gridcolor"],
    )


def script(value: Any) -> str:
    """JSON that cannot end the script element that it stands in."""
    return json.dumps(value, allow_nan=False).replace("<", "\\u003c")


def table(drawing: Drawing, style: Style) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in drawing.columns)
    rows = (
        "".join(
            cell(value, unit, style)
            for value, unit in zip(row, drawing.units, strict=True)
        )
        for row in drawing.rows
    )
    return "\n".join(f"<tr>{cells}</tr>" for cells in (head, *rows))


def cell(value: Any, unit: str | None, style: Style) -> str:
    if isinstance(value, bool):
        return f"<td>{'yes' if value else 'no'}</td>"
    if isinstance(value, (int, float)):
        digits = 0 if isinstance(value, int) else 2
        text = escape(unescape(number(value, unit, style, digits)))
        return f'<td class="number">{text}</td>'
    return f"<td>{escape('' if value is None else str(value))}</td>"
