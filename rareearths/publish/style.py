"""The one house style of figures: font, colours, layouts.

Colours have a meaning that never changes: a country, a stage or a group of elements has one colour in
every figure of the book. Each has a light-mode and a dark-mode value; figures are drawn with the first,
and the page swaps in the second (see ``site/theme.py``), so one drawing serves both themes.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import matplotlib
import seaborn
from matplotlib import font_manager
from matplotlib.figure import Figure

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

# Chosen so that each reads as text on the paper of its theme (contrast 4.5 or more) and so that those
# that meet in one figure stay apart for readers with protanopia and deuteranopia; tests hold both.
COUNTRIES = {
    "CHN": Colour("#8f1d14", "#ff8c69"),
    "USA": Colour("#0a57a8", "#66b3ff"),
    "AUS": Colour("#967000", "#f2c04d"),
    "MMR": Colour("#007f4d", "#4fd69f"),
    "THA": Colour("#7d5bb5", "#c3a6ff"),
    "IND": Colour("#a3326f", "#ff8fc4"),
    "RUS": Colour("#3c4a8c", "#9aa8f5"),
    "BRA": Colour("#3f7216", "#9bd46a"),
    "VNM": Colour("#00708f", "#55cbea"),
    "MYS": Colour("#7a6a00", "#d8cb52"),
    "MDG": Colour("#6b4a3a", "#cfa894"),
    "NGA": Colour("#4a6b52", "#9cc7a7"),
    "WLD": INK,
    "ROW": Colour("#6a727c", "#9aa3ad"),
}
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
    "other": COUNTRIES["ROW"],
}
# Steps of one quantity, little to much; the first is "none or not reported".
SEQUENCE = [
    Colour("#e4e7eb", "#2b3036"),
    Colour("#f3d9a8", "#4d3b22"),
    Colour("#e5a862", "#7d5528"),
    Colour("#cf7438", "#b5652c"),
    Colour("#a8441f", "#e08a4a"),
    Colour("#6e2411", "#ffc08a"),
]


def country_colour(country_iso3: str) -> str:
    """Give a country's colour as drawn; countries without one of their own share that of the rest."""
    return COUNTRIES.get(country_iso3, COUNTRIES["ROW"]).light


def all_colours() -> list[Colour]:
    """List every colour that a figure may be drawn in, once each."""
    groups = [[INK, MUTED, GRID, PAPER], COUNTRIES.values(), STAGES.values(), ELEMENT_GROUPS.values(), SEQUENCE]
    return list(dict.fromkeys(colour for group in groups for colour in group))


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
