"""One importer a source: an official file, as its publisher gives it, becomes a tidy table of ours.

Each importer has one function ``to_table(path)`` or ``to_tables(path)``. It reads one file and returns
rows in the columns of ``data/datapackage.yaml``; it writes nothing and asks the network nothing.
"""

from __future__ import annotations

from pathlib import Path


class UpstreamError(Exception):
    """An official file is not what its importer expects; the message says where and what to do."""


def fault(path: str | Path, where: str, found: object, expected: str, to_do: str) -> UpstreamError:
    """Word one fault of a file: file, row and column, what stands there, what was expected, what to do."""
    return UpstreamError(f"{Path(path).name}, {where}: found {found!r}, expected {expected}. {to_do}")
