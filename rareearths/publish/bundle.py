"""What every published thing carries: its id, its sources with editions and locators, its digest.

A published thing is one output of a notebook, with a JSON part of its own type. The site, the registers,
the list of what an update changed and the tests all read these stored outputs, and nothing else.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from dataclasses import asdict

import pandas as pd
from IPython.display import display

from rareearths import data
from rareearths.published import MIME

pd.set_option("mode.string_storage", data.TEXT_STORAGE)  # for the frames a chapter makes itself

SIGNIFICANT_DIGITS = 10
"""Digits kept of a computed float: more would differ between machines, fewer would round the sources."""
LOCATORS_SHOWN = 6
"""Places named per source; a thing that rests on more says how many more."""

_ID = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


class PublishError(ValueError):
    """Something cannot be published as it was given."""


def check_id(identifier: str) -> str:
    """Give the id back if it may be one: lower-case words and figures joined with hyphens.

    Raises:
        PublishError: it may not.
    """
    if not isinstance(identifier, str) or not _ID.fullmatch(identifier):
        raise PublishError(f"id {identifier!r}: lower-case words joined with hyphens are needed, e.g. china-mine-share")
    return identifier


def provenance(rows: pd.DataFrame | list | tuple | str, of: str) -> list[dict]:
    """Name the documents that rows rest on, with the editions and the places in them.

    Args:
        rows: facts with a ``source_id`` column (``edition`` and ``locator`` are used where there are any),
            several such tables, or ids of sources.
        of: what is being published, for the error.

    Raises:
        PublishError: nothing names a source.
        DataError: a source is not in ``data/sources.csv``.
    """
    if isinstance(rows, str):
        rows = [rows]
    if isinstance(rows, (list, tuple)) and any(isinstance(part, pd.DataFrame) for part in rows):
        rows = pd.concat([part for part in rows if len(part)], ignore_index=True)
    if not isinstance(rows, pd.DataFrame):
        rows = pd.DataFrame({"source_id": list(rows)})
    if "source_id" not in rows or rows["source_id"].isna().all():
        raise PublishError(f"{of}: no sources; give rows with a source_id column, or ids of sources")
    found: list[dict] = []
    for source_id in sorted(rows["source_id"].dropna().unique()):
        part = rows[rows["source_id"] == source_id]
        entry = asdict(data.source(source_id))
        editions = sorted(part["edition"].dropna().unique()) if "edition" in part else []
        entry["editions"] = list(editions) or ([entry["edition"]] if entry["edition"] else [])
        locators = list(dict.fromkeys(part["locator"].dropna())) if "locator" in part else []
        entry["locators"] = locators[:LOCATORS_SHOWN]
        entry["more_locators"] = max(0, len(locators) - LOCATORS_SHOWN)
        del entry["edition"]
        found.append(entry)
    return found


def plain(value):
    """Turn a cell into what JSON can hold: missing is None, floats keep ten significant digits."""
    if value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return None
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float):
        value = float(f"{value:.{SIGNIFICANT_DIGITS}g}")
        return int(value) if value.is_integer() and abs(value) < 1e15 else value
    return value


def columns_and_rows(table: pd.DataFrame) -> dict:
    """Turn a table into ``{"columns": [...], "rows": [[...], ...]}`` of plain values."""
    return {
        "columns": [str(column) for column in table.columns],
        "rows": [[plain(value) for value in row] for row in table.itertuples(index=False, name=None)],
    }


def keep_units(text: str) -> str:
    """Keep a figure and its unit on one line (``57.9 %``, ``110,000 t``)."""
    return re.sub(r"(?<=\d) (?=(%|t|kt|million|points)\b|%)", "\u00a0", text.strip())


def digest(content) -> str:
    """Give the first 16 hexadecimal digits of the SHA-256 of a JSON value."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:16]


def show(kind: str, payload: dict, text: str, **others: str) -> None:
    """Store one published thing as an output of the cell that runs."""
    display({MIME.format(kind=kind): payload, "text/plain": text, **others}, raw=True, metadata={"rareearths": kind})
