"""U.S. Geological Survey, Mineral Commodity Summaries (MCS): the data release to five tables of ours.

Four layouts are read, and told apart by their header, never by the file's name:

* ``world``: one rare-earths file, years as columns (editions 2022 to 2024, ``mcs2024-raree_world.csv``);
* ``world_all``: the same for all commodities (edition 2025, ``MCS2025_World_Data.csv``);
* ``salient``: United States statistics, a line a year (2022 to 2024, ``mcs2024-raree_salient.csv``);
* ``long``: everything in one file, a line a value (from edition 2026, ``MCS2026_Commodities_Data.csv``, cp1252).

A later edition in the ``long`` layout needs no change here: its year follows from the newest year in it.
"""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from rareearths.upstream import UpstreamError
from rareearths.upstream.countries import codes_by_name
from rareearths.upstream.usgs_mcs import imports, prices, salient, world
from rareearths.upstream.usgs_mcs.sheet import layout_of, open_sheet, records

TITLE = "USGS Mineral Commodity Summaries"

VALUE_COLUMNS = {
    "mine_production": ["tonnes_reo"],
    "reserves": ["reserves_tonnes_reo"],
    "us_salient": ["value", "value_low", "value_high"],
    "us_prices": ["price", "price_low", "price_high"],
    "us_import_sources": ["share_pct"],
}
"""The columns whose change is a change of the fact; the others describe it."""

SCOPE_COLUMNS = {
    "mine_production": ["edition"],
    "reserves": ["edition"],
    "us_salient": ["edition", "chapter"],
    "us_prices": ["edition", "product"],
    "us_import_sources": ["edition", "chapter", "product"],
}
"""What one file covers whole: a row of the same source and scope that the file lacks is gone upstream."""

ORDER_COLUMNS = {
    "mine_production": ["publisher", "year", "edition", "source_id", "country_iso3"],
    "reserves": ["edition", "source_id", "country_iso3"],
    "us_salient": ["chapter", "source_id", "measure", "edition", "year"],
    "us_prices": ["product", "unit", "year", "edition", "source_id"],
    "us_import_sources": ["edition", "period_start", "chapter", "product", "rank"],
}
"""How our tables are sorted."""


def source_row(of: str) -> dict[str, str]:
    """Suggest what ``data/sources.csv`` should say of a new edition; what the file cannot tell is in <...>."""
    year = re.search(r"\d{4}", of)[0]
    return {
        "source_id": of,
        "title": f"Mineral Commodity Summaries {year} data release",
        "publisher": "U.S. Geological Survey",
        "date": "<date of the release>",
        "edition": f"MCS {year} data release",
        "url_or_doi": "<DOI of the release>",
        "licence": "U.S. public domain",
        "strength": "primary",
        "read_in": "<where the file was read>",
    }


def recognises(path: str | Path) -> bool:
    """Tell from a file's header whether it is a table of the data release."""
    try:
        header, _ = records(Path(path))
    except UpstreamError:
        return False
    return layout_of(header) is not None


def to_tables(path: str | Path, data_folder: str | Path) -> dict[str, pd.DataFrame]:
    """Read one file of the data release into tables of ours, by table name.

    Returns:
        ``mine_production`` and ``reserves`` from a world table, ``us_salient`` and ``us_prices`` from a
        salient table, these and ``us_import_sources`` from the ``long`` layout; rows in the file's order.

    Raises:
        UpstreamError: layout, country, statistic or number is not known; the message says where.
    """
    sheet = open_sheet(Path(path))
    tables = {}
    if sheet.layout != "salient":
        tables |= world.tables(sheet, Path(data_folder))
    if sheet.layout in ("salient", "long"):
        tables |= {"us_salient": salient.table(sheet), "us_prices": prices.table(sheet)}
    if sheet.layout == "long":
        tables["us_import_sources"] = imports.table(sheet, codes_by_name(data_folder))
    return {name: table for name, table in tables.items() if len(table)}
