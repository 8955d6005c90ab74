"""Publish a figure: drawn for a desktop and for a phone, with its data, sources and words."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from rareearths.publish import bundle, style
from rareearths.publish.svg import to_svg

MAX_ALT = 700


def figure(
    draw: Callable,
    *,
    id: str,
    title: str,
    subtitle: str,
    caption: str,
    alt: str,
    data: pd.DataFrame,
    holds: bool,
    data_to: str | int | None = None,
    sources=None,
    panels: int = 1,
    sharey: bool = False,
    widths: list[float] | None = None,
    height: int = 380,
    narrow_height: int | None = None,
) -> None:
    """Draw a figure in the house style and store it with everything needed to cite and redo it.

    Args:
        draw: called as ``draw(ax, narrow)`` once for each layout (``draw(axes, narrow)`` with several panels);
            it draws on the axes it is given and sets no style.
        id: permanent name, starting with ``fig-``; never changed once published.
        title: the finding, in one sentence.
        subtitle: what is plotted, with its unit.
        caption: what to see, how it was computed, what to be careful about.
        alt: the finding with its numbers, for readers who do not see the picture.
        data: what is plotted, one row a mark; it is the CSV that readers download. Columns ``source_id``,
            ``edition`` and ``locator`` name where each row comes from.
        holds: the outcome of a test on the data that the title is true; false marks the figure as out of date.
        data_to: the last period that the data reach; by default the last ``year`` in ``data``.
        sources: rows or ids of sources, where ``data`` has no ``source_id`` column.
        panels, sharey, widths: several axes, side by side on a desktop (of these relative widths) and stacked
            on a phone.
        height, narrow_height: heights of the two drawings in CSS pixels.

    Raises:
        PublishError: an id of another form, empty words, no data, or no sources.
    """
    bundle.check_id(id)
    if not id.startswith("fig-"):
        raise bundle.PublishError(f"id {id!r}: a figure's id starts with fig-")
    for name, text in {"title": title, "subtitle": subtitle, "caption": caption, "alt": alt}.items():
        if not text or not text.strip():
            raise bundle.PublishError(f"{id}: {name} is empty")
    if len(alt) > MAX_ALT:
        raise bundle.PublishError(f"{id}: alt text of {len(alt)} characters; at most {MAX_ALT} can be listened to")
    if holds not in (True, False):
        raise bundle.PublishError(f"{id}: holds is {holds!r}; a test on the data has to say whether the title is true")
    if not len(data):
        raise bundle.PublishError(f"{id}: no data")
    if data_to is None:
        if "year" not in data:
            raise bundle.PublishError(
                f"{id}: say data_to, the last period that the data reach; there is no column year"
            )
        data_to = int(data["year"].max())
    layouts = [
        style.Layout("wide", style.WIDE_PX, height),
        style.Layout(
            "narrow", style.NARROW_PX, narrow_height or (height if panels == 1 else int(height * 0.8 * panels))
        ),
    ]
    drawings = {layout.name: _draw(draw, id, layout, panels, sharey, widths) for layout in layouts}
    table = bundle.columns_and_rows(data)
    payload = {
        "id": id,
        "title": bundle.keep_units(title),
        "subtitle": bundle.keep_units(subtitle),
        "caption": bundle.keep_units(caption),
        "alt": alt.strip(),
        "data_to": str(data_to),
        "holds": bool(holds),
        "data": table,
        "data_digest": bundle.digest(table),
        "sources": bundle.provenance(data if sources is None else sources, of=id),
        "narrow_svg": drawings["narrow"],
    }
    bundle.show("figure", payload, f"{title} {alt}", **{"image/svg+xml": drawings["wide"]})


def _draw(draw: Callable, id: str, layout: style.Layout, panels: int, sharey: bool, widths) -> str:
    with style.house_style(salt=f"{id}-{layout.name}"):
        drawing, axes = style.new_figure(layout, panels, sharey, widths)
        draw(axes[0] if panels == 1 else axes, layout.narrow)
        return to_svg(drawing)
