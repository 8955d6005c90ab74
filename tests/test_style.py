"""The palette: readable as text in both themes, and apart for colour-blind readers."""

import itertools

import numpy as np
import pytest

from rareearths.publish import style
from rareearths.site import theme

LEAST_CONTRAST = 4.5  # WCAG 2.2, success criterion 1.4.3, for text of normal size
LEAST_DIFFERENCE = 15.0  # CIE76; some five just noticeable differences
MEET_IN_ONE_FIGURE = ["CHN", "USA", "MMR", "AUS", "ROW"]  # countries drawn as neighbouring areas

ELEMENTS_IN_A_STACK = "La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu Y Sc".split()
ELEMENTS_MOST_DRAWN = "La Ce Pr Nd Sm Gd Tb Dy Y".split()

# Full-strength simulation, linear RGB (Machado, Oliveira and Fernandes, 2009).
SIMULATION = {
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "none": np.eye(3).tolist(),
}


def linear(colour: str) -> np.ndarray:
    channels = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    light, dark = sorted((float(linear(c) @ [0.2126, 0.7152, 0.0722]) for c in (one, other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def lab(rgb: np.ndarray) -> np.ndarray:
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ np.clip(rgb, 0, 1)
    x, y, z = np.cbrt(xyz / [0.9505, 1.0, 1.089])
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


TEXT_COLOURS = {
    **style.countries(),
    **style.elements(),
    **style.STAGES,
    **style.ELEMENT_GROUPS,
    **{f"series {place}": colour for place, colour in enumerate(style.SERIES)},
    "ink": style.INK,
    "muted": style.MUTED,
}


@pytest.mark.parametrize("name", sorted(TEXT_COLOURS))
def test_each_colour_reads_as_text_in_both_themes(name):
    colour = TEXT_COLOURS[name]
    assert contrast(colour.light, style.PAPER.light) >= LEAST_CONTRAST
    assert contrast(colour.dark, style.PAPER.dark) >= LEAST_CONTRAST


@pytest.mark.parametrize("vision", SIMULATION)
@pytest.mark.parametrize("mode", ["light", "dark"])
def test_countries_that_meet_stay_apart(vision, mode):
    matrix = np.array(SIMULATION[vision])
    seen = {code: lab(matrix @ linear(getattr(style.countries()[code], mode))) for code in MEET_IN_ONE_FIGURE}
    near = {
        pair: round(float(np.linalg.norm(seen[pair[0]] - seen[pair[1]])), 1) for pair in itertools.combinations(seen, 2)
    }
    assert min(near.values()) >= LEAST_DIFFERENCE, near


@pytest.mark.parametrize("vision", SIMULATION)
@pytest.mark.parametrize("mode", ["light", "dark"])
def test_elements_that_meet_stay_apart(vision, mode):
    """Neighbours in the row of the elements, which a stacked chart follows, and the elements most drawn."""
    matrix = np.array(SIMULATION[vision])
    seen = {symbol: lab(matrix @ linear(getattr(colour, mode))) for symbol, colour in style.elements().items()}
    row = sorted(seen, key=ELEMENTS_IN_A_STACK.index)
    pairs = {*itertools.pairwise(row), *itertools.combinations(ELEMENTS_MOST_DRAWN, 2)}
    near = {pair: round(float(np.linalg.norm(seen[pair[0]] - seen[pair[1]])), 1) for pair in pairs}
    assert min(near.values()) >= LEAST_DIFFERENCE, min(near, key=near.get)


@pytest.mark.parametrize("vision", SIMULATION)
@pytest.mark.parametrize("mode", ["light", "dark"])
def test_series_without_a_colour_of_their_own_stay_apart(vision, mode):
    matrix = np.array(SIMULATION[vision])
    seen = [lab(matrix @ linear(getattr(colour, mode))) for colour in [*style.SERIES, style.INK]]
    assert min(float(np.linalg.norm(a - b)) for a, b in itertools.combinations(seen, 2)) >= LEAST_DIFFERENCE


def test_no_two_light_colours_are_the_same_with_different_dark_ones():
    """The page tells colours apart by their light value alone."""
    lights = [colour.light for colour in style.all_colours()]
    assert len(lights) == len(set(lights))


def test_every_colour_has_its_dark_rule():
    css = theme.palette_css()
    for colour in style.all_colours():
        assert f'body[data-theme="dark"] .ev-chart [fill="{colour.light}"]' in css
