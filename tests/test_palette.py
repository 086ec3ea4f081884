"""The colours of the plots: they stand out on both themes and can be told apart."""

import itertools
import math

import pytest

from smartshopie_db.plots import OTHER, PALETTE, THEMES


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
    for colour in (*PALETTE, OTHER):
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
