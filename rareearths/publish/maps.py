"""Country outlines on the Equal Earth projection."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch
from matplotlib.path import Path

_A1, _A2, _A3, _A4 = 1.340264, -0.081106, 0.000893, 0.003796
"""Coefficients of the projection (Šavrič, Patterson and Jenny, 2018)."""

LEAST_STEP_PX = 2
"""Points nearer than this to the last one kept are left out: it can hardly be seen, and halves the drawing."""

WEST, EAST, SOUTH, NORTH = -2.46, 2.66, -1.06, 1.32
"""What is shown, on the plane of the projection: all land but Antarctica."""


def equal_earth(longitude, latitude) -> tuple[np.ndarray, np.ndarray]:
    """Project degrees to the plane, x within 2.71 and y within 1.32 of nought (Šavrič, Patterson and Jenny, 2018)."""
    longitude, latitude = np.radians(longitude), np.radians(latitude)
    theta = np.arcsin(np.sqrt(3) / 2 * np.sin(latitude))
    slope = _A1 + 3 * _A2 * theta**2 + theta**6 * (7 * _A3 + 9 * _A4 * theta**2)
    x = 2 * np.sqrt(3) * longitude * np.cos(theta) / (3 * slope)
    y = theta * (_A1 + _A2 * theta**2 + theta**6 * (_A3 + _A4 * theta**2))
    return x, y


def draw_countries(ax: Axes, outlines: pd.DataFrame, fill, tip) -> None:
    """Draw every country of the table ``country_outlines``.

    Args:
        fill: called with a country's code, gives its colour.
        tip: called with code and name, gives its tooltip, or None for none.
    """
    from rareearths.publish import charts, style

    least_step = LEAST_STEP_PX * (EAST - WEST) / (ax.figure.get_size_inches()[0] * 72)
    for code, rings in outlines.groupby("country_iso3", sort=True):
        vertices, codes = [], []
        for ring in rings["coordinates"]:
            degrees = np.array([pair.split() for pair in ring.split(",")], dtype=float)
            points = _thin(np.column_stack(equal_earth(degrees[:, 0], degrees[:, 1])), least_step)
            if len(points) < 4 or np.ptp(points, axis=0).max() < 2 * least_step:
                continue  # too small to see
            vertices.append(points)
            codes += [Path.MOVETO] + [Path.LINETO] * (len(points) - 2) + [Path.CLOSEPOLY]
        if not vertices:
            continue
        patch = PathPatch(
            Path(np.concatenate(vertices), codes),
            facecolor=fill(code),
            edgecolor=style.PAPER.light,
            linewidth=0.5,
            clip_on=False,
        )
        text = tip(code, rings["name"].iloc[0])
        ax.add_patch(charts.tip(patch, text) if text else patch)
    ax.set_xlim(WEST, EAST)
    ax.set_ylim(SOUTH, NORTH)
    ax.set_aspect("equal")
    ax.set_axis_off()


def _thin(points: np.ndarray, least_step: float) -> np.ndarray:
    kept = [points[0]]
    for point in points[1:-1]:
        if np.hypot(*(point - kept[-1])) >= least_step:
            kept.append(point)
    return np.array([*kept, points[0]])
