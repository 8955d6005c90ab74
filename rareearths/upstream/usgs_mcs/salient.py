"""Salient statistics of the United States: production, trade, consumption, employment, import reliance."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pandas as pd

from rareearths.upstream import cells, fault
from rareearths.upstream.usgs_mcs.sheet import CHAPTERS, Sheet, add_meaning, is_chapter, joined, read_cell, year_of

US_SALIENT = ["chapter", "year", "measure", "value", "value_low", "value_high", "unit", "flag", "edition", "source_id",
              "locator", "note"]  # fmt: skip

_SHARE = "% of apparent consumption"
_UNITS = {"percent": _SHARE, "number": "persons"}

COLUMNS = {  # (our chapter, upstream column): our measure, our unit (None: the chapter's tonnage)
    ("rare earths", "USprod_Concentrate_t"): ("production_mineral_concentrates", None),
    ("rare earths", "USprod_Compounds-Metals_t"): ("production_compounds_metals", None),
    ("rare earths", "Imports_Compounds_t"): ("imports_compounds", None),
    ("rare earths", "Imports_Alloys_t"): ("imports_ferrocerium_alloys", None),
    ("rare earths", "Imports_Metals_t"): ("imports_rare_earth_metals", None),
    ("rare earths", "Exports_Ores-Compounds_t"): ("exports_ores_compounds", None),
    ("rare earths", "Exports_Alloys_t"): ("exports_ferrocerium_alloys", None),
    ("rare earths", "Exports_Metals_t"): ("exports_rare_earth_metals", None),
    ("rare earths", "Consump_Compounds-Metals_t"): ("apparent_consumption_compounds_metals", None),
    ("rare earths", "Employment_num"): ("employment_mine_and_mill", "persons"),
    ("rare earths", "Employment_m"): ("employment_mine_and_mill", "persons"),
    ("rare earths", "NIR_Compounds-Metals_pct"): ("net_import_reliance_compounds_metals", _SHARE),
    ("rare earths", "NIR_Concentrate_pct"): ("net_import_reliance_mineral_concentrates", _SHARE),
    # Editions 2022 and 2024 head these two "_t"; the printed tables show that they are percentages.
    ("rare earths", "NIR_Compounds-Metals_t"): ("net_import_reliance_compounds_metals", _SHARE),
    ("rare earths", "NIR_Concentrate_t"): ("net_import_reliance_mineral_concentrates", _SHARE),
    ("yttrium", "USprod_Mine_t"): ("production_mine", None),
    ("yttrium", "Imports_All_t"): ("imports_yttrium_all_forms", None),
    ("yttrium", "Exports_Compounds_t"): ("exports_yttrium_compounds", None),
    ("yttrium", "Consump_t"): ("apparent_consumption", None),
    ("yttrium", "NIR_pct"): ("net_import_reliance", _SHARE),
    ("scandium", "NIR_pct"): ("net_import_reliance", _SHARE),
}
LINES = {  # (our chapter, Statistics_detail as _line() folds it): our measure
    ("rare earths", "production: mineral concentrates"): "production_mineral_concentrates",
    ("rare earths", "production: compounds and metals"): "production_compounds_metals",
    ("rare earths", "imports: compounds"): "imports_compounds",
    ("rare earths", "imports: metals: ferrocerium, alloys"): "imports_ferrocerium_alloys",
    ("rare earths", "imports: metals: rare-earth metals and alloys"): "imports_rare_earth_metals",
    ("rare earths", "exports: ores and compounds"): "exports_ores_compounds",
    ("rare earths", "exports: metals: ferrocerium, alloys"): "exports_ferrocerium_alloys",
    ("rare earths", "exports: metals: rare-earth metals and alloys"): "exports_rare_earth_metals",
    ("rare earths", "consumption, apparent, compounds and metals"): "apparent_consumption_compounds_metals",
    ("rare earths", "employment, mine and mill, annual average, number"): "employment_mine_and_mill",
    ("rare earths", "net import reliance: compounds and metals"): "net_import_reliance_compounds_metals",
    ("rare earths", "net import reliance: mineral concentrates"): "net_import_reliance_mineral_concentrates",
    ("rare earths (heavy)", "imports, compounds and metals"): "imports_heavy_compounds_metals",
    ("rare earths (heavy)", "net import reliance, compounds and metals"): "net_import_reliance_heavy_compounds_metals",
    ("scandium", "imports, scandium oxide"): "imports_scandium_oxide",
    ("scandium", "net import reliance"): "net_import_reliance",
    ("yttrium", "production, mine"): "production_mine",
    ("yttrium", "imports for consumption, yttrium, alloys, compounds, and metal"): "imports_yttrium_all_forms",
    ("yttrium", "exports, compounds"): "exports_yttrium_compounds",
    ("yttrium", "consumption, apparent"): "apparent_consumption",
    ("yttrium", "net import reliance"): "net_import_reliance",
}


def table(sheet: Sheet) -> pd.DataFrame:
    """Read ``us_salient``; prices are left to :mod:`rareearths.upstream.usgs_mcs.prices`."""
    rows = _by_line(sheet) if sheet.layout == "long" else _by_column(sheet)
    return pd.DataFrame(list(rows), columns=US_SALIENT)


def _by_column(sheet: Sheet) -> Iterator[list]:
    for number, row in sheet.rows:
        if row["Commodity"].casefold() not in CHAPTERS:
            raise sheet.fault(
                number, "Commodity", row["Commodity"], "one of " + ", ".join(CHAPTERS), "Take the right file"
            )
        chapter, tonnes = CHAPTERS[row["Commodity"].casefold()]
        year = year_of(sheet, number, row)
        for column in sheet.header[3:]:
            if not column or column.startswith("Price_"):
                continue
            if (chapter, column) not in COLUMNS:
                raise fault(sheet.path, f"row 1, column {column}", column, f"a known statistic of the chapter {chapter}",
                            "Name its measure in COLUMNS of rareearths/upstream/usgs_mcs/salient.py")  # fmt: skip
            measure, unit = COLUMNS[chapter, column]
            # The printed tables head the newest year "e"; the file itself marks no estimates.
            estimated = ["estimated"] if year == sheet.edition_year - 1 else []
            locator = f"{sheet.path.name} row {number}, column {column}"
            cell = read_cell(sheet, number, column, row[column])
            yield _row(sheet, chapter, year, measure, cell, unit or tonnes, estimated, locator, [])


def _by_line(sheet: Sheet) -> Iterator[list]:
    for number, row in sheet.rows:
        if not is_chapter(row) or not row["Section"].startswith("Salient"):
            continue
        if row["Statistics"] == "Price":
            continue
        chapter, tonnes = CHAPTERS[row["MCS chapter"].casefold()]
        measure = LINES.get((chapter, _line(row["Statistics_detail"])))
        if measure is None:
            raise sheet.fault(number, "Statistics_detail", row["Statistics_detail"], f"a known line of the chapter {chapter}",
                              "Name its measure in LINES of rareearths/upstream/usgs_mcs/salient.py")  # fmt: skip
        if row["Unit"] != "metric tons" and row["Unit"] not in _UNITS:
            raise sheet.fault(
                number,
                "Unit",
                row["Unit"],
                "metric tons, percent or number",
                "Teach it to rareearths/upstream/usgs_mcs/salient.py",
            )
        flags, remarks = [], []
        for note in row["Notes"].split(" -- "):
            add_meaning(note, None, flags, remarks)
        cell = read_cell(sheet, number, "Value", row["Value"])
        locator = f"{sheet.path.name} row {number}"
        unit = _UNITS.get(row["Unit"], tonnes)
        yield _row(sheet, chapter, year_of(sheet, number, row), measure, cell, unit, flags, locator, remarks)


def _line(detail: str) -> str:
    """Fold a line of the salient table; USGS prints "reliance as" and "relianceas" for the same line."""
    folded = " ".join(detail.casefold().split())
    return re.sub(r"(net import reliance)\s*as a percentage of apparent consumption", r"\1", folded)


def _row(sheet: Sheet, chapter: str, year: int, measure: str, cell: cells.Cell, unit: str, flags: list[str],
                 locator: str, remarks: list[str]) -> list:  # fmt: skip
    flag = joined([*cell.flags, *flags])
    note = "; ".join(dict.fromkeys(remarks))
    return [
        chapter,
        year,
        measure,
        cell.value,
        cell.low,
        cell.high,
        unit,
        flag,
        sheet.edition,
        sheet.source_id,
        locator,
        note,
    ]
