"""U.S. Geological Survey, Mineral Commodity Summaries (MCS): the data release to three tables of ours.

Four layouts are read, and told apart by their header, never by the file's name:

* ``world``: one rare-earths file, years as columns (editions 2022 to 2024, ``mcs2024-raree_world.csv``);
* ``world_all``: the same for all commodities (edition 2025, ``MCS2025_World_Data.csv``);
* ``salient``: United States statistics, a line a year (2022 to 2024, ``mcs2024-raree_salient.csv``);
* ``long``: everything in one file, a line a value (from edition 2026, ``MCS2026_Commodities_Data.csv``, cp1252).

A later edition in the ``long`` layout needs no change here: its year follows from the newest year in it.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from rareearths.upstream import UpstreamError, cells, fault
from rareearths.upstream.countries import codes_by_name, plain

TITLE = "USGS Mineral Commodity Summaries"

MINE_PRODUCTION = ["publisher", "year", "country_iso3", "tonnes_reo", "flag", "edition", "source_id", "locator", "note"]
RESERVES = ["country_iso3", "reserves_tonnes_reo", "flag", "edition", "edition_date", "source_id", "locator", "note"]
US_SALIENT = ["chapter", "year", "measure", "value", "value_low", "value_high", "unit", "flag", "edition", "source_id",
              "locator", "note"]  # fmt: skip

VALUE_COLUMNS = {
    "mine_production": ["tonnes_reo"],
    "reserves": ["reserves_tonnes_reo"],
    "us_salient": ["value", "value_low", "value_high"],
}
"""The columns whose change is a change of the fact; the others describe it."""

SCOPE_COLUMNS = {"mine_production": ["edition"], "reserves": ["edition"], "us_salient": ["edition", "chapter"]}
"""What one file covers whole: a row of the same source and scope that the file lacks is gone upstream."""

BLANK_MEANS_ZERO = {"MCS 2025": "blank in the data file; the printed table has a dash (zero)"}
"""Editions whose data file leaves mine production blank where the printed table has a dash for zero."""

_HEADS = {
    "world": {"Source", "Country", "Type"},
    "world_all": {"SOURCE", "COMMODITY", "COUNTRY", "TYPE", "UNIT_MEAS"},
    "salient": {"DataSource", "Commodity", "Year"},
    "long": {"MCS chapter", "Section", "Commodity", "Country", "Statistics", "Statistics_detail", "Unit", "Year",
             "Value", "Notes"},  # fmt: skip
}
_ANY_EDITION = re.compile(r"mcs[ _-]?(20\d\d)", re.IGNORECASE)
_PRODUCTION_COLUMN = re.compile(r"PROD(?:_T)?(_EST)?_\s*(20\d\d)", re.IGNORECASE)
_RESERVES_COLUMN = re.compile(r"RESERVES_(?:T|20\d\d)", re.IGNORECASE)
_RESERVES_NOTE_COLUMN = re.compile(r"RESERVES?_NOTES", re.IGNORECASE)

_CHAPTERS = {  # as the data release spells it: our chapter, the unit of its tonnages
    "rare earths": ("rare earths", "t REO"),
    "rare earths (heavy)": ("rare earths (heavy)", "t REO"),
    "scandium": ("scandium", "t Sc2O3"),
    "yttrium": ("yttrium", "t Y2O3"),
}
_SHARE = "% of apparent consumption"
_UNITS = {"percent": _SHARE, "number": "persons"}

_SALIENT_COLUMNS = {  # (our chapter, upstream column): our measure, our unit (None: the chapter's tonnage)
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
_SALIENT_LINES = {  # (our chapter, Statistics_detail as _line() folds it): our measure
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
_LEFT_OUT_STATISTICS = {"Price"}
"""Lines of the chapters that belong to another table of ours."""

_MEANINGS = [  # what a footnote says, the flag it gives, and the note in our words
    (re.compile(r"production quota", re.I), "quota", "official production quota, undocumented output excluded"),
    (re.compile(r"import data for China", re.I), "estimated", "USGS estimate from China's reported imports"),
    (re.compile(r"^estimated\b(?!.*import data)", re.I), "estimated", ""),
    (re.compile(r"excludes monazite", re.I), "", "monazite excluded"),
    (re.compile(r"exclude low-value shipments", re.I), "", "USGS left out low-value shipments"),
]
_JORC = re.compile(r"equivalent\s+reserves\s+were\s+([\d.,]+)\s+(million )?tons", re.I)


@dataclass(frozen=True)
class _Sheet:
    """One file as read: its name, its layout, its header, and its rows by number (the header is row 1)."""

    path: Path
    layout: str
    header: list[str]
    rows: list[tuple[int, dict[str, str]]]
    edition_year: int

    @property
    def edition(self) -> str:
        return f"MCS {self.edition_year}"

    @property
    def source_id(self) -> str:
        return source_id(self.edition_year)

    def fault(self, row: int, column: str, found: object, expected: str, to_do: str) -> UpstreamError:
        return fault(self.path, f"row {row}, column {column}", found, expected, to_do)


def source_id(edition_year: int) -> str:
    """Name the row of ``data/sources.csv`` that stands for one edition's data release."""
    return f"usgs_mcs{edition_year}_csv"


def source_row(of: str) -> dict[str, str]:
    """Suggest what ``data/sources.csv`` should say of a new edition; what the file cannot tell is in <...>."""
    year = re.search(r"\d{4}", of)[0]
    return {
        "source_id": of,
        "title": f"Mineral Commodity Summaries {year} data release",
        "publisher": "U.S. Geological Survey",
        "date": "<date of the release>",
        "edition": f"MCS {year}",
        "url_or_doi": "<DOI of the release>",
        "licence": "US public domain",
        "strength": "primary",
    }


def recognises(path: str | Path) -> bool:
    """Tell from a file's header whether it is a table of the data release."""
    try:
        header, _ = _records(Path(path))
    except UpstreamError:
        return False
    return _layout(header) is not None


def to_tables(path: str | Path, data_folder: str | Path) -> dict[str, pd.DataFrame]:
    """Read one file of the data release into tables of ours, by table name.

    Returns:
        ``mine_production`` and ``reserves`` (tonnes of rare-earth oxide) from a world table,
        ``us_salient`` from a salient table, all three from the ``long`` layout; columns as in
        MINE_PRODUCTION, RESERVES and US_SALIENT. Rows stand in the file's order.

    Raises:
        UpstreamError: layout, country, statistic or number is not known; the message says where.
    """
    sheet = _open(Path(path))
    if sheet.layout == "salient":
        return {"us_salient": _frame(_salient_by_column(sheet), US_SALIENT)}
    countries = codes_by_name(data_folder)
    if sheet.layout == "long":
        facts = list(_world_by_line(sheet, countries))
    else:
        facts = list(_world_by_column(sheet, countries))
    date = _edition_date(sheet.source_id, Path(data_folder))
    _require_world_totals(sheet, facts)
    tables = {"mine_production": _frame((_mine_row(sheet, fact) for fact in facts if not fact["reserves"]), MINE_PRODUCTION)}
    reserves = [_reserves_row(sheet, fact, date) for fact in facts if fact["reserves"]]
    if reserves:
        tables["reserves"] = _frame(reserves, RESERVES)
    if sheet.layout == "long":
        tables["us_salient"] = _frame(_salient_by_line(sheet), US_SALIENT)
    return tables


# ---------------------------------------------------------------- the file


def _records(path: Path) -> tuple[list[str], list[list[str]]]:
    """Read a CSV file of the publisher's, UTF-8 or else Windows-1252, as header and records."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UpstreamError(f"{path} cannot be read: {error.strerror}") from None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
    try:
        records = list(csv.reader(io.StringIO(text, newline="")))
    except csv.Error as error:
        raise UpstreamError(f"{path.name} is no CSV file ({error}). Download the official file again") from None
    if not records:
        raise UpstreamError(f"{path.name} is empty. Download the official file again")
    return [cell.strip() for cell in records[0]], records[1:]


def _layout(header: list[str]) -> str | None:
    for name, columns in _HEADS.items():
        if columns <= set(header):
            return name
    return None


def _open(path: Path) -> _Sheet:
    header, records = _records(path)
    layout = _layout(header)
    if layout is None:
        raise fault(path, "row 1", ", ".join(header)[:120], "the header of a USGS Mineral Commodity Summaries file",
                    "If USGS has changed the layout, teach it to rareearths/upstream/usgs_mcs.py")  # fmt: skip
    rows = []
    for number, record in enumerate(records, start=2):
        if any(cell.strip() for cell in record):
            if len(record) < len([column for column in header if column]):
                raise fault(path, f"row {number}", f"{len(record)} cells", f"{len(header)} as in the header",
                            "The file is cut off or damaged: download it again")  # fmt: skip
            rows.append((number, {column: cell.strip() for column, cell in zip(header, record, strict=False) if column}))
    return _Sheet(path, layout, header, rows, _edition_year(path, layout, header, rows))


def _edition_year(path: Path, layout: str, header: list[str], rows: list[tuple[int, dict[str, str]]]) -> int:
    """Find the edition: each row names it, or (``long``) it is the year after the newest year of data."""
    if layout == "long":
        years = [int(row["Year"]) for _, row in rows if _is_chapter(row) and re.fullmatch(r"20\d\d", row["Year"])]
        if not years:
            raise fault(path, "column MCS chapter", "no row", "rows of the chapter RARE EARTHS with years",
                        "Download the data file of all commodities")  # fmt: skip
        edition = max(years) + 1
    else:
        number, first = rows[0] if rows else (2, {header[0]: ""})
        found = _ANY_EDITION.fullmatch(first[header[0]])
        if not found:
            raise fault(path, f"row {number}, column {header[0]}", first[header[0]], "an edition such as MCS2024",
                        "Download the official file again")  # fmt: skip
        edition = int(found[1])
    named = _ANY_EDITION.search(path.name)
    if named and int(named[1]) != edition:
        raise UpstreamError(
            f"{path.name} is named after edition {named[1]} but holds edition {edition}. "
            "Make sure which file it is, then give it a name without the year"
        )
    return edition


def _is_chapter(row: dict[str, str]) -> bool:
    return row["MCS chapter"].casefold() in _CHAPTERS


def _edition_date(of: str, data_folder: Path) -> str:
    """Give the date of the edition as ``sources.csv`` has it; blank when the source is not listed yet."""
    path = data_folder / "sources.csv"
    if not path.is_file():
        return ""
    rows = csv.DictReader(path.read_text(encoding="utf-8-sig").splitlines())
    return next((row.get("date", "") for row in rows if row.get("source_id") == of), "")


# ---------------------------------------------------------------- world mine production and reserves


def _world_by_column(sheet: _Sheet, countries: dict[str, str]) -> Iterator[dict]:
    """Read the layouts with a line a country and the years as columns."""
    columns = _columns_of_world(sheet)
    for number, row in sheet.rows:
        if sheet.layout == "world_all" and row["COMMODITY"].casefold() != "rare earths":
            continue
        kind = row["Type" if sheet.layout == "world" else "TYPE"]
        if "mine production" not in kind.casefold() or "rare-earth-oxide" not in kind.casefold():
            raise sheet.fault(number, "Type", kind, "mine production in rare-earth-oxide equivalent",
                              "Tonnes of another basis must not be mixed in")  # fmt: skip
        country = _country(sheet, number, row["Country" if sheet.layout == "world" else "COUNTRY"], countries)
        note = row.get(columns["production_note"] or "", "")
        for column, year, estimated in columns["production"]:
            yield _fact(sheet, number, column, country, year, row[column], [note], estimated, locate_column=True)
        if columns["reserves"]:
            note = row.get(columns["reserves_note"] or "", "")
            text = row[columns["reserves"]]
            if not text and note in cells.NO_NUMBER:  # edition 2025 writes NA into the column of notes
                text, note = note, ""
            yield _fact(sheet, number, columns["reserves"], country, None, text, [note], False, locate_column=True)


def _columns_of_world(sheet: _Sheet) -> dict:
    production = []
    for column in sheet.header:
        if found := _PRODUCTION_COLUMN.fullmatch(column):
            production.append((column, int(found[2]), bool(found[1])))
    if len(production) != 2:
        raise fault(sheet.path, "row 1", ", ".join(sheet.header)[:120], "two columns such as Prod_t_est_2023",
                    "If USGS has changed the layout, teach it to rareearths/upstream/usgs_mcs.py")  # fmt: skip

    def one(pattern: re.Pattern) -> str | None:
        return next((column for column in sheet.header if pattern.fullmatch(column)), None)

    return {
        "production": production,
        "production_note": one(re.compile("PROD_NOTES", re.I)),
        "reserves": one(_RESERVES_COLUMN),
        "reserves_note": one(_RESERVES_NOTE_COLUMN),
    }


def _world_by_line(sheet: _Sheet, countries: dict[str, str]) -> Iterator[dict]:
    """Read the ``long`` layout, a line a value."""
    for number, row in sheet.rows:
        if row["MCS chapter"].casefold() != "rare earths" or not row["Section"].startswith("World Mine Production"):
            continue
        statistic = row["Statistics"]
        if statistic not in ("Production", "Reserves"):
            raise sheet.fault(number, "Statistics", statistic, "Production or Reserves", "Teach it to usgs_mcs.py")
        if row["Unit"] != "metric tons":
            raise sheet.fault(number, "Unit", row["Unit"], "metric tons", "Convert nothing by hand: teach it to usgs_mcs.py")
        if not re.fullmatch(r"20\d\d", row["Year"]):
            raise sheet.fault(number, "Year", row["Year"], "one year", "Download the official file again")
        country = _country(sheet, number, row["Country"], countries)
        notes = row["Notes"].split(" -- ") + row.get("Other notes", "").split(" -- ")
        year = int(row["Year"]) if statistic == "Production" else None
        yield _fact(sheet, number, "Value", country, year, row["Value"], notes, False, locate_column=False)


def _country(sheet: _Sheet, number: int, name: str, countries: dict[str, str]) -> tuple[str, str]:
    code = countries.get(plain(name))
    if code is None:
        raise sheet.fault(number, "Country", name, "a country of data/codes/countries.csv",
                          "Add the country there, or its USGS spelling to ALIASES in rareearths/upstream/countries.py")  # fmt: skip
    return name, code


def _fact(sheet: _Sheet, number: int, column: str, country: tuple[str, str], year: int | None, text: str,
          notes: list[str], estimated: bool, locate_column: bool) -> dict:  # fmt: skip
    """Read one value of the world table; ``year`` None means reserves."""
    name, code = country
    flags, remarks = [], []
    if not text and year is not None and sheet.edition in BLANK_MEANS_ZERO:
        cell = cells.Cell(value=0.0, flags=("zero",))
        remarks.append(BLANK_MEANS_ZERO[sheet.edition])
    else:
        cell = _cell(sheet, number, column, text)
    if cell.low is not None:
        raise sheet.fault(number, column, text, "one number", "Ranges have no place in this table")
    flags += cell.flags + (("estimated",) if estimated else ())
    for note in notes:
        _add_meaning(note, year, flags, remarks)
        if _says_revised(note, name, year):
            remarks.append("revised in this edition")
        if year is None and name.strip() in note and (found := _JORC.search(note.replace("\N{NO-BREAK SPACE}", " "))):
            remarks.append(f"JORC-compliant or equivalent: {found[1]} {'million t' if found[2] else 't'}")
    locator = f"{sheet.path.name} row {number}" + (f", column {column}" if locate_column else "")
    return {"reserves": year is None, "year": year, "country_iso3": code, "value": cell.value,
            "flag": _joined(flags), "locator": locator, "note": "; ".join(dict.fromkeys(remarks))}  # fmt: skip


def _cell(sheet: _Sheet, number: int, column: str, text: str) -> cells.Cell:
    try:
        return cells.read(text)
    except ValueError:
        raise sheet.fault(number, column, text, "a number, a dash, or one of " + ", ".join(cells.NO_NUMBER),
                          "Correct the cell if the official file has it otherwise, or download it again") from None  # fmt: skip


def _add_meaning(note: str, year: int | None, flags: list[str], remarks: list[str]) -> None:
    """Add the flag and the words that a footnote stands for; a year in "Estimated in 2021 also" counts."""
    years = re.match(r"estimated in (20\d\d)", note, re.I)
    if years and int(years[1]) != year:
        return
    for pattern, flag, remark in _MEANINGS:
        if pattern.search(note):
            flags += [flag] if flag else []
            remarks += [remark] if remark else []


def _says_revised(note: str, country: str, year: int | None) -> bool:
    """Tell whether a footnote such as "Reserves for A and B were revised ..." is about this value."""
    for sentence in re.split(r"(?<=\.)\s+", note.replace("\N{NO-BREAK SPACE}", " ")):
        about = "eserves" in sentence if year is None else f"{year} production" in sentence
        if about and "revis" in sentence and re.search(rf"\b{re.escape(country.strip())}\b", sentence):
            return True
    return False


def _require_world_totals(sheet: _Sheet, facts: list[dict]) -> None:
    """Refuse a world table without its total: it is cut off, and its missing rows would count as gone."""
    groups = {(fact["reserves"], fact["year"]) for fact in facts}
    totals = {(fact["reserves"], fact["year"]) for fact in facts if fact["country_iso3"] == "WLD"}
    missing = sorted("reserves" if reserves else f"mine production of {year}" for reserves, year in groups - totals)
    if missing or len({year for _, year in groups if year}) != 2:
        raise UpstreamError(
            f"{sheet.path.name}: the world table of rare earths is not whole: expected two years of mine production, each "
            f"with a world total; without one: {', '.join(missing) or 'a year'}. The file is cut off: download it again"
        )


def _mine_row(sheet: _Sheet, fact: dict) -> list:
    return ["USGS", fact["year"], fact["country_iso3"], fact["value"], fact["flag"], sheet.edition, sheet.source_id,
            fact["locator"], fact["note"]]  # fmt: skip


def _reserves_row(sheet: _Sheet, fact: dict, date: str) -> list:
    return [fact["country_iso3"], fact["value"], fact["flag"], sheet.edition, date, sheet.source_id, fact["locator"],
            fact["note"]]  # fmt: skip


# ---------------------------------------------------------------- United States salient statistics


def _salient_by_column(sheet: _Sheet) -> Iterator[list]:
    for number, row in sheet.rows:
        if row["Commodity"].casefold() not in _CHAPTERS:
            raise sheet.fault(number, "Commodity", row["Commodity"], "one of " + ", ".join(_CHAPTERS), "Take the right file")
        chapter, tonnes = _CHAPTERS[row["Commodity"].casefold()]
        if not re.fullmatch(r"20\d\d", row["Year"]):
            raise sheet.fault(number, "Year", row["Year"], "a year", "Download the official file again")
        year = int(row["Year"])
        for column in sheet.header[3:]:
            if not column or column.startswith("Price_"):
                continue
            if (chapter, column) not in _SALIENT_COLUMNS:
                raise fault(sheet.path, f"row 1, column {column}", column, f"a known statistic of the chapter {chapter}",
                            "Name its measure in _SALIENT_COLUMNS of rareearths/upstream/usgs_mcs.py")  # fmt: skip
            measure, unit = _SALIENT_COLUMNS[chapter, column]
            # The printed tables head the newest year "e"; the file itself marks no estimates.
            estimated = ["estimated"] if year == sheet.edition_year - 1 else []
            locator = f"{sheet.path.name} row {number}, column {column}"
            cell = _cell(sheet, number, column, row[column])
            yield _salient_row(sheet, chapter, year, measure, cell, unit or tonnes, estimated, locator, [])


def _salient_by_line(sheet: _Sheet) -> Iterator[list]:
    for number, row in sheet.rows:
        if not _is_chapter(row) or not row["Section"].startswith("Salient"):
            continue
        if row["Statistics"] in _LEFT_OUT_STATISTICS:
            continue
        chapter, tonnes = _CHAPTERS[row["MCS chapter"].casefold()]
        measure = _SALIENT_LINES.get((chapter, _line(row["Statistics_detail"])))
        if measure is None:
            raise sheet.fault(number, "Statistics_detail", row["Statistics_detail"], f"a known line of the chapter {chapter}",
                              "Name its measure in _SALIENT_LINES of rareearths/upstream/usgs_mcs.py")  # fmt: skip
        if not re.fullmatch(r"20\d\d", row["Year"]):
            raise sheet.fault(number, "Year", row["Year"], "a year", "Download the official file again")
        if row["Unit"] != "metric tons" and row["Unit"] not in _UNITS:
            raise sheet.fault(number, "Unit", row["Unit"], "metric tons, percent or number", "Teach it to usgs_mcs.py")
        flags, remarks = [], []
        for note in row["Notes"].split(" -- "):
            _add_meaning(note, None, flags, remarks)
        cell = _cell(sheet, number, "Value", row["Value"])
        locator = f"{sheet.path.name} row {number}"
        unit = _UNITS.get(row["Unit"], tonnes)
        yield _salient_row(sheet, chapter, int(row["Year"]), measure, cell, unit, flags, locator, remarks)


def _line(detail: str) -> str:
    """Fold a line of the salient table; USGS prints "reliance as" and "relianceas" for the same line."""
    folded = " ".join(detail.casefold().split())
    return re.sub(r"(net import reliance)\s*as a percentage of apparent consumption", r"\1", folded)


def _salient_row(sheet: _Sheet, chapter: str, year: int, measure: str, cell: cells.Cell, unit: str, flags: list[str],
                 locator: str, remarks: list[str]) -> list:  # fmt: skip
    flag = _joined([*cell.flags, *flags])
    note = "; ".join(dict.fromkeys(remarks))
    return [chapter, year, measure, cell.value, cell.low, cell.high, unit, flag, sheet.edition, sheet.source_id, locator, note]


def _joined(flags: list[str]) -> str:
    return ";".join(dict.fromkeys(flags))


def _frame(rows: object, columns: list[str]) -> pd.DataFrame:
    frame = pd.DataFrame(list(rows), columns=columns)
    for column in set(columns) & {"tonnes_reo", "reserves_tonnes_reo", "value", "value_low", "value_high"}:
        frame[column] = frame[column].astype("float64")
    return frame
