"""Small drawing aids that figures share: labels at the ends of lines, tooltips, axes of tonnes."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from rareearths.publish import style
from rareearths.publish.svg import TIP_PREFIX


def tip(artist, text: str):
    """Give a mark a tooltip and return the mark."""
    artist.set_gid(TIP_PREFIX + text)
    return artist


def thousands(axis) -> None:
    """Label an axis of tonnes in thousands, e.g. 250,000 t as ``250``; the subtitle has to say so."""
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value / 1000:,.0f}"))


def label_ends(ax: Axes, ends: list[tuple[float, float, str, str]], gap_px: float = 15) -> None:
    """Write a label beside the end of each line, moved apart where they would overlap.

    Args:
        ends: ``(x, y, text, colour)`` of each line's last point, in data units.
        gap_px: least distance between two labels, in CSS pixels.
    """
    low, high = ax.get_ylim()
    ax.figure.draw_without_rendering()
    pixels = ax.get_window_extent().height or 1
    step = gap_px * (high - low) / pixels
    placed: list[float] = []
    for x, y, text, colour in sorted(ends, key=lambda end: end[1]):
        at = max(y, placed[-1] + step) if placed else y
        placed.append(at)
        ax.annotate(
            text,
            (x, at),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            color=colour,
            fontsize=12,
            annotation_clip=False,
        )


def note(ax: Axes, x: float, y: float, text: str, **options) -> None:
    """Write a short remark into the drawing, in the muted ink."""
    ax.text(x, y, text, color=options.pop("color", style.MUTED.light), fontsize=options.pop("fontsize", 12), **options)
