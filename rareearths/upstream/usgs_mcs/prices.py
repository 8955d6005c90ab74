"""Prices that the chapters list, as annual averages or, in the older scandium tables, list prices."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pandas as pd

from rareearths.upstream import fault
from rareearths.upstream.usgs_mcs.sheet import CHAPTERS, Sheet, add_meaning, is_chapter, joined, read_cell, year_of

US_PRICES = ["year", "product", "element", "price", "price_low", "price_high", "unit", "basis", "flag", "edition",
             "source_id", "locator", "note"]  # fmt: skip

_ARGUS = "annual average, Argus"
_ARGUS_CHINA = "annual average, fob China, Argus"
_LIST_PRICE = "yearend, supplier list price"

COLUMNS = {  # (our chapter, upstream column): our product, element, unit, basis
    ("rare earths", "Price_CeO2_dkg"): ("cerium oxide 99.5% min", "Ce", "USD/kg", _ARGUS),
    ("rare earths", "Price_Dy2O3_dkg"): ("dysprosium oxide 99.5% min", "Dy", "USD/kg", _ARGUS),
    ("rare earths", "Price_Eu2O3_dkg"): ("europium oxide 99.99% min", "Eu", "USD/kg", _ARGUS),
    ("rare earths", "Price_La2O3_dkg"): ("lanthanum oxide 99.5% min", "La", "USD/kg", _ARGUS),
    ("rare earths", "Price_Mischmetal_dkg"): ("mischmetal 65% Ce 35% La", "", "USD/kg", _ARGUS),
    ("rare earths", "Price_Nd2O3_dkg"): ("neodymium oxide 99.5% min", "Nd", "USD/kg", _ARGUS),
    ("rare earths", "Price_TbO2_dkg"): ("terbium oxide 99.99% min", "Tb", "USD/kg", _ARGUS),
    ("yttrium", "Price_Y2O3_dkg"): ("yttrium oxide 99.999% min", "Y", "USD/kg", _ARGUS_CHINA),
    ("yttrium", "Price_Metal_dkg"): ("yttrium metal 99.9% min", "Y", "USD/kg", _ARGUS_CHINA),
    ("scandium", "Price_Cmpds_Acetate_dg"): ("scandium acetate 5 g lot", "", "USD/g", _LIST_PRICE),
    ("scandium", "Price_Cmpds_Chloride_dg"): ("scandium chloride 5 g lot", "", "USD/g", _LIST_PRICE),
    ("scandium", "Price_Cmpds_Fluoride_dg"): ("scandium fluoride small lot", "", "USD/g", _LIST_PRICE),
    ("scandium", "Price_Cmpds_Iodide_dg"): ("scandium iodide 5 g lot", "", "USD/g", _LIST_PRICE),
    ("scandium", "Price_Cmpds_Oxide_dg"): ("scandium oxide 99.99% 5 kg lot", "Sc", "USD/g", _LIST_PRICE),
    ("scandium", "Price_Mtl_Dendritic_dg"): ("scandium metal distilled dendritic 2 g lot", "Sc", "USD/g", _LIST_PRICE),
    ("scandium", "Price_Mtl_Ingot_dg"): ("scandium metal ingot 5 g lot", "Sc", "USD/g", _LIST_PRICE),
    ("scandium", "Price_ScAl_kglot_dkg"): ("scandium-aluminium alloy 1 kg lot", "", "USD/kg", _LIST_PRICE),
    ("scandium", "Price_ScAl_mtlot_dkg"): ("scandium-aluminium alloy 1,000 kg lot", "", "USD/kg", _LIST_PRICE),
    ("scandium", "Price_ScAl_1000kglot_dkg"): ("scandium-aluminium alloy 1,000 kg lot", "", "USD/kg", _LIST_PRICE),
}
LINES = {  # what stands after the heading "Price, ...:", folded: our product, element
    "lanthanum oxide, 99.5% minimum": ("lanthanum oxide 99.5% min", "La"),
    "cerium oxide, 99.5% minimum": ("cerium oxide 99.5% min", "Ce"),
    "mischmetal, 65% cerium, 35% lanthanum": ("mischmetal 65% Ce 35% La", ""),
    "praseodymium oxide, 99.99% minimum": ("praseodymium oxide 99.99% min", "Pr"),
    "neodymium oxide, 99.5% minimum": ("neodymium oxide 99.5% min", "Nd"),
    "neodymium-praseodymium (ndpr) oxide, 99% minimum": ("NdPr oxide 99% min", ""),
    "samarium oxide, 99.5% minimum": ("samarium oxide 99.5% min", "Sm"),
    "europium oxide, 99.99% minimum": ("europium oxide 99.99% min", "Eu"),
    "gadolinium oxide, 99.99% minimum": ("gadolinium oxide 99.99% min", "Gd"),
    "terbium oxide, 99.99% minimum": ("terbium oxide 99.99% min", "Tb"),
    "dysprosium oxide, 99.5% minimum": ("dysprosium oxide 99.5% min", "Dy"),
    "holmium oxide, 99.5% minimum": ("holmium oxide 99.5% min", "Ho"),
    "erbium oxide, 99.5%, minimum": ("erbium oxide 99.5% min", "Er"),
    "erbium oxide, 99.5% minimum": ("erbium oxide 99.5% min", "Er"),
    "ytterbium oxide, 99.99% minimum": ("ytterbium oxide 99.99% min", "Yb"),
    "lutetium oxide, 99.99% minimum": ("lutetium oxide 99.99% min", "Lu"),
    "y2o3, minimum 99.999% purity": ("yttrium oxide 99.999% min", "Y"),
    "yttrium metal, minimum 99.9% purity": ("yttrium metal 99.9% min", "Y"),
    "scandium oxide, powder, 99.99% purity, 5- to 100-kilogram lot size": ("scandium oxide 99.99% 5-100 kg lot", "Sc"),
    "scandium metal, ingot, 99.999% purity, 1- to 10-kilogram lot size": (
        "scandium metal ingot 99.999% 1-10 kg lot",
        "Sc",
    ),
    "scandium-aluminum alloy, ingot,scandium 2%, 1- to 30-kilogram lot size": (
        "scandium-aluminium alloy 2% Sc 1-30 kg lot",
        "",
    ),
}
_HEADINGS = re.compile(r"price, (average|global), dollars per kilogram(, range of average values)?: ")


def table(sheet: Sheet) -> pd.DataFrame:
    """Read ``us_prices``, in US dollars per kilogram or gram as each row says."""
    rows = _by_line(sheet) if sheet.layout == "long" else _by_column(sheet)
    return pd.DataFrame(list(rows), columns=US_PRICES)


def _by_column(sheet: Sheet) -> Iterator[list]:
    for number, row in sheet.rows:
        chapter, _ = CHAPTERS[row["Commodity"].casefold()]
        year = year_of(sheet, number, row)
        for column in sheet.header:
            if not column.startswith("Price_"):
                continue
            if (chapter, column) not in COLUMNS:
                raise fault(sheet.path, f"row 1, column {column}", column, f"a known price of the chapter {chapter}",
                            "Name its product in COLUMNS of rareearths/upstream/usgs_mcs/prices.py")  # fmt: skip
            # The printed tables head the newest year "e"; the file itself marks no estimates.
            flags = ["estimated"] if year == sheet.edition_year - 1 else []
            yield _row(sheet, number, year, *COLUMNS[chapter, column], column, row[column], flags)


def _by_line(sheet: Sheet) -> Iterator[list]:
    for number, row in sheet.rows:
        if not is_chapter(row) or not row["Section"].startswith("Salient") or row["Statistics"] != "Price":
            continue
        detail = " ".join(row["Statistics_detail"].casefold().split())
        product = LINES.get(_HEADINGS.sub("", detail))
        if product is None:
            raise sheet.fault(number, "Statistics_detail", row["Statistics_detail"], "a known product",
                              "Name it in LINES of rareearths/upstream/usgs_mcs/prices.py")  # fmt: skip
        if row["Unit"] != "dollars per kilogram":
            raise sheet.fault(number, "Unit", row["Unit"], "dollars per kilogram",
                              "Teach it to rareearths/upstream/usgs_mcs/prices.py")  # fmt: skip
        flags: list[str] = []
        for note in row["Notes"].split(" -- "):
            add_meaning(note, None, flags, [])
        year = year_of(sheet, number, row)
        yield _row(sheet, number, year, *product, "USD/kg", _basis(detail, row["Notes"]), "Value", row["Value"], flags)


def _basis(detail: str, notes: str) -> str:
    """Word the kind of price, the terms of delivery and the agencies, as heading and footnotes give them."""
    if "range of average values" in detail:
        return ("ex-works China, " if "Ex-works China" in notes else "") + "global, range of averages"
    terms = "fob China" if "Free on board China" in notes else "fob" if "Free on board" in notes else ""
    agencies = " and ".join(name for name in ("Argus", "Asian Metal") if name in notes)
    return ", ".join(part for part in ("annual average", terms, agencies) if part)


def _row(sheet: Sheet, number: int, year: int, product: str, element: str, unit: str, basis: str, column: str, text: str,
         flags: list[str]) -> list:  # fmt: skip
    cell = read_cell(sheet, number, column, text)
    locator = f"{sheet.path.name} row {number}" + ("" if sheet.layout == "long" else f", column {column}")
    flag = joined([*cell.flags, *flags])
    return [year, product, element, cell.value, cell.low, cell.high, unit, basis, flag, sheet.edition, sheet.source_id,
            locator, ""]  # fmt: skip
