"""Where the United States imports from: shares over four years, from the ``long`` layout."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pandas as pd

from rareearths.upstream.usgs_mcs.sheet import CHAPTERS, Sheet, country_code, is_chapter, joined, read_cell

US_IMPORT_SOURCES = ["edition", "period_start", "period_end", "chapter", "product", "country_iso3", "share_pct", "rank",
                     "flag", "source_id", "locator", "note"]  # fmt: skip

_PERIOD = re.compile(r"(20\d\d)[–-](\d\d)")
_ALL_FORMS = {"scandium": "scandium oxide", "yttrium": "yttrium alloys, compounds, metal"}
"""What "All" means in the chapters with one list; the footnotes of edition 2026 say it."""

_NOTES = [
    (re.compile(r"includes hong kong", re.I), "includes Hong Kong"),
    (
        re.compile(r"reassigned to Japan", re.I),
        "Philippine-origin imports reassigned to Japan, where the oxide was refined",
    ),
    (re.compile(r"shipping records", re.I), "from shipping records"),
]
_ORIGIN = re.compile(r"imported from (.+?) were derived from", re.I)


def table(sheet: Sheet, countries: dict[str, str]) -> pd.DataFrame:
    """Read ``us_import_sources``: percent of imports, ranked in the order of the file, other countries last."""
    return pd.DataFrame(list(_rows(sheet, countries)), columns=US_IMPORT_SOURCES)


def _rows(sheet: Sheet, countries: dict[str, str]) -> Iterator[list]:
    ranks: dict[tuple[str, str], int] = {}
    for number, row in sheet.rows:
        if not is_chapter(row) or row["Section"] != "Import Sources":
            continue
        if row["Unit"] != "percent":
            raise sheet.fault(
                number, "Unit", row["Unit"], "percent", "Teach it to rareearths/upstream/usgs_mcs/imports.py"
            )
        chapter, _ = CHAPTERS[row["MCS chapter"].casefold()]
        detail = row["Statistics_detail"]
        product = _ALL_FORMS.get(chapter, detail) if detail == "All" else detail[:1].lower() + detail[1:]
        ranks[chapter, product] = ranks.get((chapter, product), 0) + 1
        name, code = country_code(sheet, number, row["Country"], countries)
        start, end = _period(sheet, number, row["Year"])
        cell = read_cell(sheet, number, "Value", row["Value"])
        yield [sheet.edition, start, end, chapter, product, code, cell.value, ranks[chapter, product], joined(list(cell.flags)),
               sheet.source_id, f"{sheet.path.name} row {number}", _note(row["Notes"], name)]  # fmt: skip


def _period(sheet: Sheet, number: int, text: str) -> tuple[int, int]:
    found = _PERIOD.fullmatch(text)
    if not found:
        raise sheet.fault(number, "Year", text, "a period such as 2021–24", "Download the official file again")
    return int(found[1]), int(found[1][:2] + found[2])


def _note(notes: str, country: str) -> str:
    remarks = [remark for pattern, remark in _NOTES if pattern.search(notes)]
    origin = _ORIGIN.search(notes)
    if origin and re.search(rf"\b{re.escape(country.split(',')[0])}\b", origin[1]):
        remarks.append("made from concentrates or intermediates of other countries")
    return joined(remarks, by="; ")
