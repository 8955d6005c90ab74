"""The importers there are, and which of them a file belongs to."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

from rareearths.upstream import UpstreamError, natural_earth, usgs_mcs

IMPORTERS: list[ModuleType] = [usgs_mcs, natural_earth]
"""Modules with TITLE, VALUE_COLUMNS, SCOPE_COLUMNS, ORDER_COLUMNS, recognises(), to_tables() and source_row()."""


def importer_of(path: str | Path) -> ModuleType:
    """Find the importer that knows a file's content; its name does not matter.

    Raises:
        UpstreamError: there is no such file, or no importer knows its layout.
    """
    path = Path(path)
    if not path.is_file():
        raise UpstreamError(f"{path} is no file: give the path of a downloaded official file")
    for importer in IMPORTERS:
        if importer.recognises(path):
            return importer
    known = "; ".join(importer.TITLE for importer in IMPORTERS)
    raise UpstreamError(
        f"{path.name} is in no layout that is known here ({known}). Take the official data file, not a page or a "
        "table saved from it; if the publisher has changed the layout, its importer in rareearths/upstream/ needs to learn it"
    )
