"""What the parts of the catalogue share: tables loaded once, names of codes, and texts as HTML."""

from __future__ import annotations

import functools
import html
import re
from pathlib import Path

import pandas as pd

from rareearths import data

LONG = 40
"""Characters from which on the cells of a column need a line break, and their column room for it."""

_LAST = ("source_id", "second_source_id", "locator", "note")
_LATE = ("period_start", "period_end", "precision", "date_precision")
_SELDOM = 0.15
"""Share of filled cells below which a column stands behind the others."""


@functools.cache
def load(name: str) -> pd.DataFrame:
    """Load a table once in a build."""
    return data.load(name)


@functools.cache
def cells(name: str) -> pd.DataFrame:
    """Give the cells of a table as they stand in its file, columns that say most first."""
    found = pd.read_csv(data.root() / data.describe(name)["path"], dtype=str, keep_default_na=False)
    filled = (found != "").mean()

    def place(column: str) -> tuple[int, int]:
        if column in _LAST:
            return 2, _LAST.index(column)
        late = filled[column] < _SELDOM or (column in _LATE and "period" in found)
        return (1 if late else 0), list(found).index(column)

    return found[sorted(found, key=place)]


@functools.cache
def names() -> dict[str, str]:
    """Give the short names of countries and the names of elements by code and symbol."""
    countries, elements = load("countries"), load("elements")
    return dict(zip(countries.country_iso3, countries.short_name, strict=True)) | dict(
        zip(elements.symbol, elements.name, strict=True)
    )


def text(words: str) -> str:
    """Escape a text of the description; backticks make code, double stars bold, names of tables links."""
    words = html.escape(" ".join(words.split()))
    words = re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", words)
    parts = words.split("`")
    return "".join(f"<code>{part}</code>" if place % 2 else _linked(part) for place, part in enumerate(parts))


def short(cell: str) -> str:
    """Cut a long cell of a preview."""
    return cell if len(cell) <= 90 else cell[:89] + "…"


def size(path: Path) -> str:
    """Give the size of a file in words."""
    found = path.stat().st_size
    return f"{found / 1_000_000:.1f} MB" if found >= 1_000_000 else f"{max(found / 1000, 1):.0f} kB"


def _linked(part: str) -> str:
    def link(match: re.Match) -> str:
        subject = data.describe(match[0])["subject"]
        return f'<a href="{subject}.html#table-{match[0]}">{match[0]}</a>'

    return _table_names().sub(link, part)


@functools.cache
def _table_names() -> re.Pattern:
    """Match names of tables with an underscore: the others are words of the language too."""
    named = "|".join(sorted((name for name in data.tables() if "_" in name), key=len, reverse=True))
    return re.compile(rf"(?<![\w/.])(?:{named})(?![\w/])")
