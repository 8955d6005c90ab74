"""World mine production and reserves by country, tonnes of rare-earth oxide (REO) equivalent."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from rareearths.upstream import UpstreamError, cells, fault
from rareearths.upstream.countries import codes_by_name
from rareearths.upstream.usgs_mcs.sheet import Sheet, add_meaning, country_code, joined, read_cell, year_of

MINE_PRODUCTION = ["publisher", "year", "country_iso3", "tonnes_reo", "flag", "edition", "source_id", "locator", "note"]
RESERVES = ["country_iso3", "reserves_tonnes_reo", "flag", "edition", "edition_date", "source_id", "locator", "note"]

BLANK_MEANS_ZERO = {"MCS 2025": "blank in the data file; the printed table has a dash (zero)"}
"""Editions whose data file leaves mine production blank where the printed table has a dash for zero."""

_PRODUCTION_COLUMN = re.compile(r"PROD(?:_T)?(_EST)?_\s*(20\d\d)", re.IGNORECASE)
_RESERVES_COLUMN = re.compile(r"RESERVES_(?:T|20\d\d)", re.IGNORECASE)
_RESERVES_NOTE_COLUMN = re.compile(r"RESERVES?_NOTES", re.IGNORECASE)
_JORC = re.compile(r"equivalent\s+reserves\s+were\s+([\d.,]+)\s+(million )?tons", re.I)


def tables(sheet: Sheet, data_folder: Path) -> dict[str, pd.DataFrame]:
    """Read ``mine_production`` and, where the file has them, ``reserves``."""
    countries = codes_by_name(data_folder)
    by_line = sheet.layout == "long"
    facts = list(_by_line(sheet, countries) if by_line else _by_column(sheet, countries))
    _require_world_totals(sheet, facts)
    date = _edition_date(sheet.source_id, data_folder)
    mine = [_mine_row(sheet, fact) for fact in facts if not fact["reserves"]]
    reserves = [_reserves_row(sheet, fact, date) for fact in facts if fact["reserves"]]
    return {"mine_production": pd.DataFrame(mine, columns=MINE_PRODUCTION)} | (
        {"reserves": pd.DataFrame(reserves, columns=RESERVES)} if reserves else {}
    )


def _edition_date(of: str, data_folder: Path) -> str:
    """Give the date of the edition as ``sources.csv`` has it; blank when the source is not listed yet."""
    path = data_folder / "sources.csv"
    if not path.is_file():
        return ""
    rows = csv.DictReader(path.read_text(encoding="utf-8-sig").splitlines())
    return next((row.get("date", "") for row in rows if row.get("source_id") == of), "")


def _by_column(sheet: Sheet, countries: dict[str, str]) -> Iterator[dict]:
    """Read the layouts with a line a country and the years as columns."""
    columns = _columns_of_world(sheet)
    for number, row in sheet.rows:
        if sheet.layout == "world_all" and row["COMMODITY"].casefold() != "rare earths":
            continue
        kind = row["Type" if sheet.layout == "world" else "TYPE"]
        if "mine production" not in kind.casefold() or "rare-earth-oxide" not in kind.casefold():
            raise sheet.fault(number, "Type", kind, "mine production in rare-earth-oxide equivalent",
                              "Tonnes of another basis must not be mixed in")  # fmt: skip
        country = country_code(sheet, number, row["Country" if sheet.layout == "world" else "COUNTRY"], countries)
        note = row.get(columns["production_note"] or "", "")
        for column, year, estimated in columns["production"]:
            yield _fact(sheet, number, column, country, year, row[column], [note], estimated, locate_column=True)
        if columns["reserves"]:
            note = row.get(columns["reserves_note"] or "", "")
            text = row[columns["reserves"]]
            if not text and note in cells.NO_NUMBER:  # edition 2025 writes NA into the column of notes
                text, note = note, ""
            yield _fact(sheet, number, columns["reserves"], country, None, text, [note], False, locate_column=True)


def _columns_of_world(sheet: Sheet) -> dict:
    production = []
    for column in sheet.header:
        if found := _PRODUCTION_COLUMN.fullmatch(column):
            production.append((column, int(found[2]), bool(found[1])))
    if len(production) != 2:
        raise fault(sheet.path, "row 1", ", ".join(sheet.header)[:120], "two columns such as Prod_t_est_2023",
                    "If USGS has changed the layout, teach it to rareearths/upstream/usgs_mcs/world.py")  # fmt: skip

    def one(pattern: re.Pattern) -> str | None:
        return next((column for column in sheet.header if pattern.fullmatch(column)), None)

    return {
        "production": production,
        "production_note": one(re.compile("PROD_NOTES", re.I)),
        "reserves": one(_RESERVES_COLUMN),
        "reserves_note": one(_RESERVES_NOTE_COLUMN),
    }


def _by_line(sheet: Sheet, countries: dict[str, str]) -> Iterator[dict]:
    """Read the ``long`` layout, a line a value."""
    for number, row in sheet.rows:
        if row["MCS chapter"].casefold() != "rare earths" or not row["Section"].startswith("World Mine Production"):
            continue
        statistic = row["Statistics"]
        if statistic not in ("Production", "Reserves"):
            raise sheet.fault(
                number,
                "Statistics",
                statistic,
                "Production or Reserves",
                "Teach it to rareearths/upstream/usgs_mcs/world.py",
            )
        if row["Unit"] != "metric tons":
            raise sheet.fault(
                number,
                "Unit",
                row["Unit"],
                "metric tons",
                "Convert nothing by hand: teach it to rareearths/upstream/usgs_mcs/world.py",
            )
        country = country_code(sheet, number, row["Country"], countries)
        notes = row["Notes"].split(" -- ") + row.get("Other notes", "").split(" -- ")
        year = year_of(sheet, number, row) if statistic == "Production" else None
        yield _fact(sheet, number, "Value", country, year, row["Value"], notes, False, locate_column=False)


def _fact(sheet: Sheet, number: int, column: str, country: tuple[str, str], year: int | None, text: str,
          notes: list[str], estimated: bool, locate_column: bool) -> dict:  # fmt: skip
    """Read one value of the world table; ``year`` None means reserves."""
    name, code = country
    flags, remarks = [], []
    if not text and year is not None and sheet.edition in BLANK_MEANS_ZERO:
        cell = cells.Cell(value=0.0, flags=("zero",))
        remarks.append(BLANK_MEANS_ZERO[sheet.edition])
    else:
        cell = read_cell(sheet, number, column, text)
    if cell.low is not None:
        raise sheet.fault(number, column, text, "one number", "Ranges have no place in this table")
    flags += cell.flags + (("estimated",) if estimated else ())
    for note in notes:
        add_meaning(note, year, flags, remarks)
        if _says_revised(note, name, year):
            remarks.append("revised in this edition")
        if year is None and name.strip() in note and (found := _JORC.search(note.replace("\N{NO-BREAK SPACE}", " "))):
            remarks.append(f"JORC-compliant or equivalent: {found[1]} {'million t' if found[2] else 't'}")
    locator = f"{sheet.path.name} row {number}" + (f", column {column}" if locate_column else "")
    return {"reserves": year is None, "year": year, "country_iso3": code, "value": cell.value,
            "flag": joined(flags), "locator": locator, "note": "; ".join(dict.fromkeys(remarks))}  # fmt: skip


def _says_revised(note: str, country: str, year: int | None) -> bool:
    """Tell whether a footnote such as "Reserves for A and B were revised ..." is about this value."""
    for sentence in re.split(r"(?<=\.)\s+", note.replace("\N{NO-BREAK SPACE}", " ")):
        about = "eserves" in sentence if year is None else f"{year} production" in sentence
        if about and "revis" in sentence and re.search(rf"\b{re.escape(country.strip())}\b", sentence):
            return True
    return False


def _require_world_totals(sheet: Sheet, facts: list[dict]) -> None:
    """Refuse a world table without its total: it is cut off, and its missing rows would count as gone."""
    groups = {(fact["reserves"], fact["year"]) for fact in facts}
    totals = {(fact["reserves"], fact["year"]) for fact in facts if fact["country_iso3"] == "WLD"}
    missing = sorted("reserves" if reserves else f"mine production of {year}" for reserves, year in groups - totals)
    if missing or len({year for _, year in groups if year}) != 2:
        raise UpstreamError(
            f"{sheet.path.name}: the world table of rare earths is not whole: expected two years of mine production, each "
            f"with a world total; without one: {', '.join(missing) or 'a year'}. The file is cut off: download it again"
        )


def _mine_row(sheet: Sheet, fact: dict) -> list:
    return ["USGS", fact["year"], fact["country_iso3"], fact["value"], fact["flag"], sheet.edition, sheet.source_id,
            fact["locator"], fact["note"]]  # fmt: skip


def _reserves_row(sheet: Sheet, fact: dict, date: str) -> list:
    return [fact["country_iso3"], fact["value"], fact["flag"], sheet.edition, date, sheet.source_id, fact["locator"],
            fact["note"]]  # fmt: skip
