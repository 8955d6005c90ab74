"""The countries' names as publishers spell them, to the codes of ``data/codes/countries.csv``."""

from __future__ import annotations

import csv
from pathlib import Path

from rareearths.upstream import UpstreamError

CODES = Path("codes") / "countries.csv"

ALIASES = {
    "bolivia": "BOL",
    "burma": "MMR",
    "congo (brazzaville)": "COG",
    "congo (kinshasa)": "COD",
    "côte d'ivoire": "CIV",
    "czech republic": "CZE",
    "iran": "IRN",
    "korea, north": "PRK",
    "korea, republic of": "KOR",
    "laos": "LAO",
    "other countries": "ROW",
    "russia": "RUS",
    "syria": "SYR",
    "taiwan": "TWN",
    "tanzania": "TZA",
    "turkey": "TUR",
    "united kingdom": "GBR",
    "united states": "USA",
    "venezuela": "VEN",
    "vietnam": "VNM",
    "world total": "WLD",
    "world total (rounded)": "WLD",
}
"""Spellings of the U.S. Geological Survey that differ from ISO 3166, and the two rows that are no country."""


def codes_by_name(data_folder: str | Path) -> dict[str, str]:
    """Give alpha-3 codes by name (see :func:`plain`), from all name columns of the code list and ALIASES.

    Raises:
        UpstreamError: the code list is missing or has no column ``country_iso3``.
    """
    path = Path(data_folder) / CODES
    try:
        rows = list(csv.DictReader(path.read_text(encoding="utf-8-sig").splitlines()))
    except OSError as error:
        raise UpstreamError(
            f"{path} cannot be read ({error.strerror}): an importer needs it for country codes"
        ) from None
    if not rows or "country_iso3" not in rows[0]:
        raise UpstreamError(f"{path} has no column 'country_iso3': an importer needs it for country codes")
    names = {
        plain(row[column]): row["country_iso3"] for row in rows for column in ("short_name", "name") if row.get(column)
    }
    known = {row["country_iso3"] for row in rows}
    return names | {alias: code for alias, code in ALIASES.items() if code in known}


def plain(name: str) -> str:
    """Fold case, blanks and apostrophes, so that "Other Countries " and "other countries" are one name."""
    return " ".join(name.replace("’", "'").split()).casefold()
