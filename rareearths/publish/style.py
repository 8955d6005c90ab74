"""The one house style of figures: font, colours, layouts.

Colours have a meaning that never changes: a country, an element, a stage or a group of elements has one colour in
every figure of the book; those of countries and elements stand in the code lists of the data package. Each has a light-mode and a dark-mode value; figures are drawn with the first,
and the page swaps in the second (see ``site/theme.py``), so one drawing serves both themes.
"""

from __future__ import annotations

import functools
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import matplotlib
import seaborn
from matplotlib import font_manager
from matplotlib.figure import Figure

from rareearths import data

FONTS = Path(__file__).parent / "fonts"
FONT_FAMILY = "Inter"


@dataclass(frozen=True)
class Colour:
    """One colour in its light-mode and its dark-mode value, as #rrggbb in lower case."""

    light: str
    dark: str


INK = Colour("#1b1f24", "#e6e8eb")
MUTED = Colour("#5b636d", "#a9b1bb")
GRID = Colour("#dfe3e8", "#353b43")
PAPER = Colour("#ffffff", "#14171b")

# All colours that text is set in, those of the code lists too, read on the paper of their theme (contrast 4.5 or more), and those
# that meet in one figure stay apart for readers with protanopia and deuteranopia; tests hold both.
REST = Colour("#6a727c", "#9aa3ad")
STAGES = {
    "mining": Colour("#6b4a3a", "#cfa894"),
    "beneficiation": Colour("#8a5a00", "#f2c04d"),
    "separation": Colour("#00786a", "#4fd6c1"),
    "metal": Colour("#0a57a8", "#66b3ff"),
    "alloy": Colour("#3c4a8c", "#9aa8f5"),
    "magnet": Colour("#7d5bb5", "#c3a6ff"),
    "recycling": Colour("#3f7216", "#9bd46a"),
}
ELEMENT_GROUPS = {
    "LREE": Colour("#8a5a00", "#f2c04d"),
    "HREE": Colour("#3c4a8c", "#9aa8f5"),
    "magnet": Colour("#7d5bb5", "#c3a6ff"),
    "other": REST,
}
# Things without a colour of their own (scenarios, editions, uses, firms), in this order; what one stands for holds
# within a figure only, which labels it. Ink and the grey of the rest go with them.
SERIES = [
    Colour("#1d4f91", "#5a8fe8"),
    Colour("#927200", "#e8c840"),
    Colour("#0f7c8a", "#40b8c4"),
    Colour("#a3364b", "#ff8f80"),
]
# Steps of one quantity, little to much; the first is "none or not reported".
SEQUENCE = [
    Colour("#e4e7eb", "#2b3036"),
    Colour("#f3d9a8", "#4d3b22"),
    Colour("#e5a862", "#7d5528"),
    Colour("#cf7438", "#b5652c"),
    Colour("#a8441f", "#e08a4a"),
    Colour("#6e2411", "#ffc08a"),
]


@functools.cache
def countries() -> dict[str, Colour]:
    """Give the colours of countries by code, as ``data/codes/countries.csv`` has them."""
    return _colours("countries", "country_iso3")


@functools.cache
def elements() -> dict[str, Colour]:
    """Give the colours of the elements by symbol, as ``data/codes/elements.csv`` has them."""
    return _colours("elements", "symbol")


def country_colour(country_iso3: str) -> str:
    """Give a country's colour as drawn; countries without one of their own share that of the rest."""
    return countries().get(country_iso3, REST).light


def element_colour(symbol: str) -> str:
    """Give an element's colour as drawn.

    Raises:
        KeyError: no rare-earth element has this symbol.
    """
    return elements()[symbol].light


def all_colours() -> list[Colour]:
    """List every colour that a figure may be drawn in, once each."""
    groups = [[INK, MUTED, GRID, PAPER, REST], countries().values(), elements().values()]
    groups += [STAGES.values(), ELEMENT_GROUPS.values(), SERIES, SEQUENCE]
    return list(dict.fromkeys(colour for group in groups for colour in group))


def _colours(table: str, key: str) -> dict[str, Colour]:
    listed = data.load(table).dropna(subset="colour")
    return {row[key]: Colour(row["colour"], row["colour_dark"]) for _, row in listed.iterrows()}


@dataclass(frozen=True)
class Layout:
    """One drawing of a figure: its name and its size in CSS pixels."""

    name: str
    width: int
    height: int

    @property
    def narrow(self) -> bool:
        """Whether this is the drawing for a phone."""
        return self.name == "narrow"


WIDE_PX, NARROW_PX = 720, 350
"""Widths of the two drawings: a text column on a desktop, the inside of a phone's page."""

_RC = {
    "font.family": FONT_FAMILY,
    "font.size": 13,
    "axes.titlesize": 13,
    "axes.titleweight": 600,
    "axes.titlelocation": "left",
    "axes.titlepad": 8,
    "axes.labelsize": 12,
    "axes.labelcolor": MUTED.light,
    "axes.edgecolor": MUTED.light,
    "axes.linewidth": 1,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.facecolor": "none",
    "grid.color": GRID.light,
    "grid.linewidth": 1,
    "text.color": INK.light,
    "xtick.color": MUTED.light,
    "ytick.color": MUTED.light,
    "xtick.labelsize": 12,
    "ytick.labelsize": 12,
    "ytick.major.size": 0,
    "xtick.major.size": 4,
    "lines.linewidth": 2.4,
    "lines.solid_capstyle": "round",
    "patch.linewidth": 0,
    "legend.frameon": False,
    "figure.facecolor": "none",
    "figure.dpi": 72,
    "svg.fonttype": "none",
    "mathtext.default": "regular",
}


def _register_font() -> None:
    known = {entry.fname for entry in font_manager.fontManager.ttflist}
    for path in sorted(FONTS.glob("*.ttf")):
        if str(path) not in known:
            font_manager.fontManager.addfont(path)


@contextmanager
def house_style(salt: str):
    """Apply the house style to whatever is drawn inside; ``salt`` keeps ids of one figure apart from another's."""
    _register_font()
    with matplotlib.rc_context({**seaborn.axes_style("ticks"), **_RC, "svg.hashsalt": salt}):
        yield


def new_figure(layout: Layout, panels: int, sharey: bool, widths: list[float] | None) -> tuple[Figure, list]:
    """Make an empty figure of that layout: panels side by side when wide, stacked when narrow."""
    figure = Figure(figsize=(layout.width / 72, layout.height / 72), dpi=72, layout="constrained")
    figure.get_layout_engine().set(w_pad=0.06, h_pad=0.06, wspace=0.04, hspace=0.04)
    rows, columns = (panels, 1) if layout.narrow else (1, panels)
    ratios = None if layout.narrow else widths
    axes = figure.subplots(rows, columns, sharey=sharey and not layout.narrow, squeeze=False, width_ratios=ratios)
    return figure, list(axes.flat)
