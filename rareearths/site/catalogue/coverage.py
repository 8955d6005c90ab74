"""A small picture of what a table covers: a line a country, element or series, a square a year, fuller with more rows."""

from __future__ import annotations

import html
from dataclasses import dataclass

import pandas as pd

PERIODS = (
    "year",
    "period_start",
    "period",
    "date",
    "date_announced",
    "event_date",
    "effective_from",
    "assessment_year",
    "edition_date",
    "published",
    "status_as_of",
    "as_of",
    "to_year",
    "reference_year",
)
"""Columns that place a row in time, in the order of preference; what counts is the year they begin with."""

GROUPS = (
    "country_iso3",
    "exporter_iso3",
    "importer_iso3",
    "reporter_iso3",
    "destination_iso3",
    "partner_iso3",
    "actor_iso3",
    "element",
    "measure",
    "metric",
    "product",
    "stage",
    "technology",
    "series",
)
"""Columns that can make the rows of the picture, in the order of preference; ``picture_by`` of a table names another."""

MOST_ROWS, FEWEST_YEARS = 12, 3
LEVELS = ((1, "a"), (3, "b"), (10**9, "c"))
"""Up to one row a year, up to three, more: the class of the square."""

LEGEND = "Rows a year: " + " ".join(
    f'<svg viewBox="0 0 1 1"><rect class="{level}" width="1" height="1"/></svg> {said}'
    for level, said in (("a", "one"), ("b", "two or three"), ("c", "more"))
)

GAP = 0.08
"""Part of a year that is left blank after a run of years, so that runs stay apart."""


@dataclass(frozen=True)
class Coverage:
    """What a table reaches: years, in words and as a span such as 1992–2025, countries, the world, elements."""

    years: str
    span: str
    countries: int
    world: bool
    elements: int


def years_of(table: pd.DataFrame) -> pd.Series | None:
    """Give the year of each row, or None where the table has no column of time."""
    for column in PERIODS:
        if column in table:
            years = pd.to_numeric(table[column].astype("string").str.extract(r"^(\d{4})")[0]).astype("Int64")
            if years.notna().any():
                return years
    return None


def coverage(table: pd.DataFrame) -> Coverage:
    """Say what a table covers."""
    codes = {
        code
        for column in table
        if str(column).endswith("_iso3")
        for cell in table[column].dropna().unique()
        for code in cell.split(";")
    }
    elements: set[str] = set(table["element"].dropna()) if "element" in table else set()
    if "elements" in table:
        elements |= {symbol for cell in table["elements"].dropna() for symbol in cell.split(";")}
    return Coverage(*_span(table), len(codes - {"WLD", "ROW"}), "WLD" in codes, len(elements))


def _span(table: pd.DataFrame) -> tuple[str, str]:
    """Give the years of a table in words and as a span; what is projected is said."""
    years = years_of(table)
    if years is None:
        return "", ""
    ends = years
    for column in ("period_end", "to_year"):
        if column in table:
            ends = pd.to_numeric(table[column].astype("string").str[:4]).astype("Int64").fillna(years)
    first, last = int(years.min()), int(max(years.max(), ends.max()))
    said = str(first) if first == last else f"{first} to {last}"
    if "flag" in table:
        projected = table.flag.fillna("").str.contains(r"\b(?:projection|target|announced)\b")
        real = ends[~projected].max() if (~projected).any() else first
        if projected.any() and pd.notna(real) and real < last:
            said += f" (after {int(real)} projected or planned)"
    return said, str(first) if first == last else f"{first}–{last}"


def picture(table: pd.DataFrame, resource: dict, names: dict[str, str]) -> str:
    """Draw the picture, labels as text and squares as SVG that stretches with the page; "" where it would show nothing.

    Args:
        names: what to call a code, such as China for CHN; a code without a name stands for itself.
    """
    years = years_of(table)
    if years is None or years.nunique() < FEWEST_YEARS:
        return ""
    title, wanted = resource["title"], (resource["picture_by"],) if "picture_by" in resource else GROUPS
    group = next((column for column in wanted if column in table and table[column].nunique() > 1), None)
    if group is None:
        return ""
    counts = pd.crosstab(table[group], years)
    order = counts.sum(axis=1).sort_values(ascending=False, kind="stable").index
    shown = [code for code in order if code in names or not group.endswith("_iso3")][:MOST_ROWS]
    first, last = int(years.min()), int(years.max())
    rows = []
    for code in shown:
        name = names.get(code, str(code).replace("_", " "))
        marks = "".join(
            f'<rect class="{level}" x="{start - first}" width="{end - start + 1 - GAP:g}" height="1"/>'
            for start, end, level in _runs(counts.loc[code])
        )
        box = f'<svg viewBox="0 0 {last - first + 1} 1" preserveAspectRatio="none">{marks}</svg>'
        rows.append(f"<span>{html.escape(name)}</span>{box}")
    more = f", {len(order) - len(shown)} more not shown" if len(order) > len(shown) else ""
    alt = (
        f"{title}: rows by year and {group.removesuffix('_iso3').replace('_', ' ')}, {first} to {last}; "
        f"most rows for {', '.join(names.get(code, str(code)) for code in shown[:3])}{more}."
    )
    return (
        f'<div class="cat-cover" role="img" aria-label="{html.escape(alt)}">'
        f'<span></span><span class="cat-years"><span>{first}</span><span>{last}</span></span>{"".join(rows)}</div>'
        f'<p class="cat-legend">{LEGEND}</p>'
    )


def _runs(counts: pd.Series) -> list[tuple[int, int, str]]:
    """Give runs of years with the same level as first year, last year, class."""
    runs: list[tuple[int, int, str]] = []
    for year, count in counts.items():
        if not count:
            continue
        level = next(name for most, name in LEVELS if count <= most)
        if runs and runs[-1][1] == year - 1 and runs[-1][2] == level:
            runs[-1] = (runs[-1][0], int(year), level)
        else:
            runs.append((int(year), int(year), level))
    return runs
