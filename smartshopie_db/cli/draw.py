"""The verb that draws."""

from __future__ import annotations

import json
import re
from argparse import Namespace
from pathlib import Path
from typing import Any

from ..plots import PLOTS, Drawing, Plot, Style
from ..plots.figure import figure, template
from ..plots.page import page
from ..reports.window import window
from .data import given, nearest, open_to_read
from .dump import replaced
from .output import put_records, say

SIZE = (1000, 600)
ENDINGS = (".html", ".json", ".png", ".svg")


def plot(arguments: Namespace) -> None:
    if arguments.list:
        put_list(arguments)
        return
    if arguments.plot is None:
        raise ValueError("plot: which? --list shows them")
    found = find_plot(arguments.plot)
    target = output(arguments)
    parameters = given(arguments, "measure")
    for name in parameters.keys() - found.parameters.keys():
        raise ValueError(f"plot: {found.name} takes no --{name}")
    with open_to_read(arguments) as db:
        asked = window(db, **given(arguments, "period", "start", "end", "as_of"))
        style = Style(currency=arguments.currency)
        drawing = found.draw(db, asked, style, **parameters)
    with replaced(target) as temporary:
        temporary.write_bytes(as_bytes(drawing, style, target.suffix, arguments))
    say(f"{target}: {drawing.title}, {drawing.note}")
    if drawing.empty:
        say(drawing.empty)


def put_list(arguments: Namespace) -> None:
    found = [
        {"plot": p.name, "area": p.area, "shows": p.summary} for p in PLOTS.values()
    ]
    put_records(found, arguments)


def find_plot(name: str) -> Plot:
    if name not in PLOTS:
        raise ValueError(f"there is no plot '{name}'{nearest(name, list(PLOTS))}")
    return PLOTS[name]


def output(arguments: Namespace) -> Path:
    if arguments.output is None:
        raise ValueError("plot: into which file? say it with -o")
    target = Path(arguments.output)
    if target.suffix not in ENDINGS:
        raise ValueError(
            f"plot: -o ends in {', '.join(ENDINGS)}, not in '{target.suffix}'"
        )
    if arguments.size and target.suffix not in (".png", ".svg"):
        raise ValueError("plot: --size is for .png and .svg; others fit their window")
    return target


def as_bytes(
    drawing: Drawing, style: Style, ending: str, arguments: Namespace
) -> bytes:
    theme = arguments.theme
    if ending == ".html":
        return page(drawing, style, theme).encode()
    if ending == ".json":
        return as_json(drawing, theme).encode()
    return image(figure(drawing, theme), ending[1:], size(arguments.size))


def as_json(drawing: Drawing, theme: str) -> str:
    """What plotly.js takes (data, layout), and the numbers."""
    return json.dumps(
        {
            "title": drawing.title,
            "note": drawing.note,
            "data": drawing.data,
            "layout": {**drawing.layout, "template": template(theme)},
            "columns": drawing.columns,
            "units": drawing.units,
            "rows": drawing.rows,
        },
        allow_nan=False,
        ensure_ascii=False,
    )


def size(text: str | None) -> tuple[int, int]:
    if text is None:
        return SIZE
    found = re.fullmatch(r"(\d{2,5})x(\d{2,5})", text)
    if not found:
        raise ValueError(
            f"--size: expected WIDTHxHEIGHT such as 1000x600, got '{text}'"
        )
    return int(found[1]), int(found[2])


def image(drawn: Any, form: str, pixels: tuple[int, int]) -> bytes:
    width, height = pixels
    try:
        import kaleido  # noqa: F401  # plotly asks it to draw
    except ImportError:
        raise ImportError(
            f"plot to {form} needs kaleido and a Chrome: pip install kaleido;"
            " apt-get install chromium"
        ) from None
    drawn.update_layout(height=None)
    try:
        made: bytes = drawn.to_image(format=form, width=width, height=height)
    except RuntimeError as error:
        raise ImportError(
            f"plot to {form} needs a Chrome for kaleido: apt-get install chromium"
        ) from error
    return made
