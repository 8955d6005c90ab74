"""The shipped data package: it is sound, and it says what its sources say."""

import json
import re

import pandas as pd
import pytest

from rareearths import data, series
from rareearths.check import check

LONGEST_NUMBER = 12
"""Digits: more are a floating-point artefact, no statistic has them."""

OWN_LISTS = ("sources", "flags", "stages")
"""Tables whose rows are no facts taken from a source."""


def row(table: str, **where) -> pd.Series:
    """Give the one row of a table that has these values."""
    rows = data.load(table)
    for column, value in where.items():
        rows = rows[rows[column] == value]
    assert len(rows) == 1, f"{len(rows)} rows of {table} with {where}"
    return rows.iloc[0]


def flags(found: pd.Series) -> set[str]:
    return set(found.flag.split(";"))


def test_package_is_sound():
    assert [str(problem) for problem in check()] == []


def test_stock_frictionless_finds_it_valid():
    from frictionless import Package

    assert Package(str(data.root() / "datapackage.yaml")).validate().valid


@pytest.mark.parametrize("name", data.tables())
def test_each_table_loads_with_sources_and_no_stray_blanks(name):
    table = data.load(name)
    assert len(table) > 0
    if name not in OWN_LISTS:
        assert table.source_id.notna().all() and table.locator.notna().all()
        for source_id in table.source_id.unique():
            assert data.source(source_id).licence
    texts = table.select_dtypes(["object", "string"])
    assert not texts.map(lambda cell: isinstance(cell, str) and cell != cell.strip()).to_numpy().any()


@pytest.mark.parametrize("name", data.tables())
def test_numbers_are_written_plainly(name):
    numbers = [field["name"] for field in data.describe(name)["schema"]["fields"] if field["type"] == "number"]
    cells = pd.read_csv(data.root() / data.describe(name)["path"], dtype=str, keep_default_na=False)[numbers]
    for cell in pd.unique(cells.to_numpy().ravel()):
        assert re.fullmatch(r"(-?(0|[1-9]\d*)(\.\d*[1-9])?)?", cell), f"{cell} is not written plainly"
        assert len(re.sub(r"\D", "", cell)) <= LONGEST_NUMBER, f"{cell} looks like the rest of a computation"


@pytest.mark.parametrize("name", data.tables())
def test_subject_is_the_folder(name):
    table = data.describe(name)
    folder, _, file = table["path"].rpartition("/")
    assert (folder or "evidence", file) == (table["subject"], f"{name}.csv")


def test_no_local_path_in_the_package():
    text = "".join(path.read_text(encoding="utf-8") for path in data.root().rglob("*") if path.is_file())
    for word in ("/tmp/", "/root/", "/home/", "file://", "C:\\"):
        assert word not in text


def test_description_can_be_stored_as_json():
    assert json.dumps([data.describe(name) for name in data.tables()])


@pytest.mark.parametrize(
    ("table", "column", "value", "where"),
    [
        ("mine_production", "tonnes_reo", 380_000, dict(year=2024, country_iso3="WLD", source_id="usgs_mcs2026_csv")),
        ("mine_production", "tonnes_reo", 390_000, dict(year=2024, country_iso3="WLD", edition="MCS 2025")),
        ("mine_production", "tonnes_reo", 1_500, dict(year=2024, country_iso3="NGA", edition="MCS 2026")),
        ("mine_production", "tonnes_reo", 13_000, dict(year=2024, country_iso3="NGA", edition="MCS 2025")),
        ("mine_production", "tonnes_reo", 72_000, dict(year=2023, country_iso3="MMR", publisher="BGS")),
        ("reserves", "reserves_tonnes_reo", 11_000_000, dict(country_iso3="BRA", edition="MCS 2026 v1.3")),
        ("reserves", "reserves_tonnes_reo", 21_000_000, dict(country_iso3="BRA", edition="MCS 2026")),
        ("reserves", "reserves_tonnes_reo", 44_000_000, dict(country_iso3="CHN", edition="MCS 2026")),
        ("world_production_history", "value", 243_000, dict(year=2020, measure="world_production")),
        (
            "us_salient",
            "value",
            45_500,
            dict(chapter="rare earths", year=2024, measure="production_mineral_concentrates", edition="MCS 2026"),
        ),
        (
            "us_import_sources",
            "share_pct",
            70,
            dict(edition="MCS 2026", chapter="yttrium", country_iso3="CHN"),
        ),
        ("us_prices", "price", 98, dict(year=2021, product="neodymium oxide 99.5% min", edition="MCS 2026")),
        ("us_prices", "price", 410, dict(year=2021, product="dysprosium oxide 99.5% min", edition="MCS 2026")),
        ("us_end_use", "share_pct", 75, dict(year=2020, end_use="catalysts")),
    ],
)
def test_figures_are_as_printed(table, column, value, where):
    assert row(table, **where)[column] == value


def test_china_2025_is_marked_as_unconfirmed():
    china = row("mine_production", year=2025, country_iso3="CHN")
    assert {"unconfirmed", "estimated"} <= flags(china) and "quota" not in flags(china)
    assert "no public quota" in china.note


def test_usgs_china_is_marked_as_quota():
    table = data.load("mine_production").query("publisher == 'USGS' and country_iso3 == 'CHN'")
    assert table[table.year.between(2014, 2024)].flag.str.contains("quota").all()


def test_import_quantity_of_2025_is_unconfirmed():
    found = row("us_salient", chapter="rare earths", year=2025, measure="imports_compounds", edition="MCS 2026")
    assert found.value == 21_000 and "unconfirmed" in flags(found)


def test_bound_is_flagged():
    world = row("reserves", country_iso3="WLD", edition="MCS 2026 v1.3")
    assert world.reserves_tonnes_reo == 75_000_000 and "lower_bound" in flags(world)


def test_missing_is_missing():
    india = row("reserves", country_iso3="IND", edition="MCS 2026")
    assert pd.isna(india.reserves_tonnes_reo) and flags(india) == {"not_available"}


def test_newest_edition_that_prints_a_year_is_found():
    newest = series.newest_usgs(data.load("mine_production")).set_index(["country_iso3", "year"])
    assert newest.loc[("WLD", 2024), "edition"] == "MCS 2026"
    assert newest.loc[("WLD", 2023), "tonnes_reo"] == 376_000


def test_seventeen_elements_and_four_magnet_rare_earths():
    elements = data.load("elements")
    assert len(elements) == 17
    assert sorted(elements[elements.magnet_ree].symbol) == ["Dy", "Nd", "Pr", "Tb"]


def test_every_outline_has_a_country():
    assert set(data.load("country_outlines").country_iso3) <= set(data.load("countries").country_iso3)


def test_texts_are_held_alike_whatever_else_is_installed():
    """Pandas would take pyarrow where it finds it, and then orders ties in another way."""
    assert data.load("elements")["name"].dtype.storage == "python"
