"""The plots: what is drawn, that plotly takes it, that text of the file stays text."""

import datetime
import itertools
import json
import math

import plotly.graph_objects as go
import pytest

from smartshopie_db import SmartShopieDB, plots
from smartshopie_db.demo import generate
from smartshopie_db.plots import PALETTE, PLOTS, THEMES, Style
from smartshopie_db.plots.figure import figure
from smartshopie_db.reports import window

D = datetime.date
DEMO_DAY = D(2025, 10, 28)
PERIODS = (1, 7, 30, 90, 365)


def last(db, days, end=DEMO_DAY):
    return window(db, period=f"{days}d", as_of=end)


@pytest.fixture(scope="module")
def year(tmp_path_factory):
    path = tmp_path_factory.mktemp("year") / "year.db"
    generate(path, days=400, rows=500)
    with SmartShopieDB(path, mode="ro") as db:
        yield db


def drawings(db, days, style=None):
    """Every drawing, JSON and valid for plotly."""
    style = style or Style("EUR")
    for plot in PLOTS.values():
        names = list(plot.parameters)
        for values in itertools.product(*plot.parameters.values()):
            drawn = plot.draw(db, days, style, **dict(zip(names, values, strict=True)))
            json.dumps([drawn.data, drawn.layout, drawn.rows], allow_nan=False)
            assert drawn.name == plot.name and drawn.title and drawn.note
            assert len(drawn.columns) == len(drawn.units)
            assert all(len(row) == len(drawn.columns) for row in drawn.rows)
            assert bool(drawn.empty) == (not drawn.data) == (not drawn.rows)
            for theme in THEMES:
                assert isinstance(figure(drawn, theme), go.Figure)
            yield drawn


@pytest.mark.parametrize("days", PERIODS)
def test_plotly_takes_every_drawing_of_a_year(year, days):
    for drawn in drawings(year, last(year, days, D(2025, 12, 31))):
        assert drawn.empty is None


def test_plotly_takes_every_drawing_of_the_demo(demo):
    assert all(not drawn.empty for drawn in drawings(demo, last(demo, 30)))


def test_an_empty_file_says_so(db):
    assert all(drawn.empty for drawn in drawings(db, last(db, 30)))


def test_older_files_are_drawn(legacy_path):
    with SmartShopieDB(legacy_path, mode="ro") as db:
        assert list(drawings(db, last(db, 30)))


@pytest.mark.parametrize("end", [D(2025, 10, 28), D(2025, 10, 31)])
def test_real_files_are_drawn(real_path, end):
    with SmartShopieDB(real_path, mode="ro") as db:
        for days in PERIODS:
            assert list(drawings(db, last(db, days, end)))


# ---- colours -------------------------------------------------------------------------


def linear(channel):
    channel /= 255
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4


def light(colour):
    return [linear(int(colour[i : i + 2], 16)) for i in (1, 3, 5)]


def contrast(one, other):
    """The ratio of WCAG 2."""
    dark, bright = sorted(
        0.2126 * r + 0.7152 * g + 0.0722 * b for r, g, b in (light(one), light(other))
    )
    return (bright + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", THEMES)
def test_colours_stand_out_from_the_background(theme):
    paper = THEMES[theme]["paper_bgcolor"]
    for colour in (*PALETTE, plots.OTHER):
        assert contrast(colour, paper) >= 3, colour
    assert contrast(THEMES[theme]["font"]["color"], paper) >= 7
    assert contrast(THEMES[theme]["xaxis"]["tickfont"]["color"], paper) >= 4.5


# How people see who lack one kind of cone (Machado, Oliveira and Fernandes, 2009).
SIGHT = {
    "all": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "no red": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "no green": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "no blue": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}


def oklab(colour, sight):
    seen = [
        min(1, max(0, sum(a * b for a, b in zip(row, light(colour), strict=True))))
        for row in sight
    ]
    cones = [
        sum(a * b for a, b in zip(row, seen, strict=True)) ** (1 / 3)
        for row in (
            (0.4122214708, 0.5363325363, 0.0514459929),
            (0.2119034982, 0.6806995451, 0.1073969566),
            (0.0883024619, 0.2817188376, 0.6299787005),
        )
    ]
    return [
        sum(a * b for a, b in zip(row, cones, strict=True))
        for row in (
            (0.2104542553, 0.7936177850, -0.0040720468),
            (1.9779984951, -2.4285922050, 0.4505937099),
            (0.0259040371, 0.7827717662, -0.8086757660),
        )
    ]


@pytest.mark.parametrize("sight", SIGHT)
def test_colours_can_be_told_apart(sight):
    for one, other in itertools.combinations(PALETTE, 2):
        seen = [oklab(colour, SIGHT[sight]) for colour in (one, other)]
        assert math.dist(*seen) >= 0.06, (one, other)
