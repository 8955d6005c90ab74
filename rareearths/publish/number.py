"""Publish a number, so that prose can quote it and a reader can follow it to its sources."""

from __future__ import annotations

from rareearths.publish import bundle


def number(id: str, value, *, unit: str, format: str, sources, note: str, bound: str = "") -> None:
    """Store one number for prose to quote with ``{num}`id```.

    Args:
        id: permanent name, e.g. ``china-mine-share-2024``.
        value: the number itself, unrounded.
        unit: written behind it, e.g. ``%``, ``t``, ``million t``; empty for a bare count or index.
        format: a format specification (``,.0f``) or a template with one (``about {:.0f}``).
        sources: the rows that it was computed from, or ids of sources.
        note: how it was computed, in a sentence.
        bound: ``more than`` or ``less than`` where the source prints a bound.

    Raises:
        PublishError: a missing value, an empty note, or no sources.
    """
    bundle.check_id(id)
    value = bundle.plain(value)
    if value is None:
        raise bundle.PublishError(f"{id}: the value is missing, so there is nothing to publish")
    if not note.strip():
        raise bundle.PublishError(f"{id}: say in a note how it was computed")
    shown = format.format(value) if "{" in format else f"{value:{format}}"
    shown = shown.replace("-", "−")
    text = " ".join(part for part in (bound, f"{shown}\u00a0{unit}" if unit else shown) if part)
    payload = {
        "id": id,
        "value": value,
        "unit": unit,
        "text": text,
        "note": note.strip(),
        "sources": bundle.provenance(sources, of=id),
    }
    bundle.show("number", payload, f"{id} = {text}")
