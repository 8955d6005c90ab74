"""One file of the Mineral Commodity Summaries as read: layout, edition, rows, and what its footnotes mean."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from pathlib import Path

from rareearths.upstream import UpstreamError, cells, fault
from rareearths.upstream.countries import plain

_HEADS = {
    "world": {"Source", "Country", "Type"},
    "world_all": {"SOURCE", "COMMODITY", "COUNTRY", "TYPE", "UNIT_MEAS"},
    "salient": {"DataSource", "Commodity", "Year"},
    "long": {
        "MCS chapter",
        "Section",
        "Commodity",
        "Country",
        "Statistics",
        "Statistics_detail",
        "Unit",
        "Year",
        "Value",
        "Notes",
    },  # fmt: skip
}
_ANY_EDITION = re.compile(r"mcs[ _-]?(20\d\d)", re.IGNORECASE)

CHAPTERS = {  # as the data release spells it: our chapter, the unit of its tonnages
    "rare earths": ("rare earths", "t REO"),
    "rare earths (heavy)": ("rare earths (heavy)", "t REO"),
    "scandium": ("scandium", "t Sc2O3"),
    "yttrium": ("yttrium", "t Y2O3"),
}
"""The chapters that this book draws on."""

_MEANINGS = [  # what a footnote says, the flag it gives, and the note in our words
    (re.compile(r"production quota", re.I), "quota", "official production quota, undocumented output excluded"),
    (re.compile(r"import data for China", re.I), "estimated", "USGS estimate from China's reported imports"),
    (re.compile(r"^estimated\b(?!.*import data)", re.I), "estimated", ""),
    (re.compile(r"excludes monazite", re.I), "", "monazite excluded"),
    (re.compile(r"exclude low-value shipments", re.I), "", "USGS left out low-value shipments"),
]


@dataclass(frozen=True)
class Sheet:
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
        """The row of ``data/sources.csv`` that stands for the edition's data release."""
        return f"usgs_mcs{self.edition_year}_csv"

    def fault(self, row: int, column: str, found: object, expected: str, to_do: str) -> UpstreamError:
        return fault(self.path, f"row {row}, column {column}", found, expected, to_do)


def records(path: Path) -> tuple[list[str], list[list[str]]]:
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
        lines = list(csv.reader(io.StringIO(text, newline="")))
    except csv.Error as error:
        raise UpstreamError(f"{path.name} is no CSV file ({error}). Download the official file again") from None
    if not lines:
        raise UpstreamError(f"{path.name} is empty. Download the official file again")
    return [cell.strip() for cell in lines[0]], lines[1:]


def layout_of(header: list[str]) -> str | None:
    """Tell the layout by the header; None when it is none of ours."""
    for name, columns in _HEADS.items():
        if columns <= set(header):
            return name
    return None


def open_sheet(path: Path) -> Sheet:
    """Read a file of the data release, blank lines left out; raises UpstreamError where it is none."""
    header, lines = records(path)
    layout = layout_of(header)
    if layout is None:
        raise fault(path, "row 1", ", ".join(header)[:120], "the header of a USGS Mineral Commodity Summaries file",
                    "If USGS has changed the layout, teach it to rareearths/upstream/usgs_mcs/sheet.py")  # fmt: skip
    rows = []
    for number, record in enumerate(lines, start=2):
        if any(cell.strip() for cell in record):
            if len(record) < len([column for column in header if column]):
                raise fault(path, f"row {number}", f"{len(record)} cells", f"{len(header)} as in the header",
                            "The file is cut off or damaged: download it again")  # fmt: skip
            rows.append(
                (number, {column: cell.strip() for column, cell in zip(header, record, strict=False) if column})
            )
    return Sheet(path, layout, header, rows, _edition_year(path, layout, header, rows))


def _edition_year(path: Path, layout: str, header: list[str], rows: list[tuple[int, dict[str, str]]]) -> int:
    """Find the edition: each row names it, or (``long``) it is the year after the newest year of data."""
    if layout == "long":
        years = [int(row["Year"]) for _, row in rows if is_chapter(row) and re.fullmatch(r"20\d\d", row["Year"])]
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


def is_chapter(row: dict[str, str]) -> bool:
    """Tell whether a row of the ``long`` layout is of a chapter that this book draws on."""
    return row["MCS chapter"].casefold() in CHAPTERS


def country_code(sheet: Sheet, number: int, name: str, countries: dict[str, str]) -> tuple[str, str]:
    """Give a country's name and code; raises UpstreamError for a name that is not known."""
    code = countries.get(plain(name))
    if code is None:
        raise sheet.fault(number, "Country", name, "a country of data/codes/countries.csv",
                          "Add the country there, or its USGS spelling to ALIASES in rareearths/upstream/countries.py")  # fmt: skip
    return name, code


def read_cell(sheet: Sheet, number: int, column: str, text: str) -> cells.Cell:
    """Read one cell, or say in which row and column the fault is."""
    try:
        return cells.read(text)
    except ValueError:
        raise sheet.fault(number, column, text, "a number, a dash, or one of " + ", ".join(cells.NO_NUMBER),
                          "Correct the cell if the official file has it otherwise, or download it again") from None  # fmt: skip


def add_meaning(note: str, year: int | None, flags: list[str], remarks: list[str]) -> None:
    """Add the flag and the words that a footnote stands for; a year in "Estimated in 2021 also" counts."""
    years = re.match(r"estimated in (20\d\d)", note, re.I)
    if years and int(years[1]) != year:
        return
    for pattern, flag, remark in _MEANINGS:
        if pattern.search(note):
            flags += [flag] if flag else []
            remarks += [remark] if remark else []


def year_of(sheet: Sheet, number: int, row: dict[str, str]) -> int:
    """Read the column Year, which has to be one year."""
    if not re.fullmatch(r"20\d\d", row["Year"]):
        raise sheet.fault(number, "Year", row["Year"], "one year", "Download the official file again")
    return int(row["Year"])


def joined(words: list[str], by: str = ";") -> str:
    """Join flags or notes, each once."""
    return by.join(dict.fromkeys(words))
