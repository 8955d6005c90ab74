"""Importers: official files in their real formats become rows of our tables, or one clear error."""

import csv
import functools
import hashlib
import http.server
import io
import json
import shutil
import threading
from pathlib import Path

import pandas as pd
import pytest

from rareearths.upstream import UpstreamError, cells, fetch, natural_earth, usgs_mcs
from rareearths.upstream.importers import importer_of

HERE = Path(__file__).resolve().parent
FIXTURES = HERE / "upstream"
LONG = FIXTURES / "MCS2027_Commodities_Data.csv"
DATA = HERE.parent / "data"
OFFICIAL = next(HERE.parent.parent.glob("*/*/production/raw"), None)
"""A folder of official files kept beside the checkout; nothing of it is in the repository."""

COUNTRIES = {
    "USA": "United States of America",
    "AUS": "Australia",
    "MMR": "Myanmar",
    "CAN": "Canada",
    "CHN": "China",
    "ROW": "Rest of the world",
    "WLD": "World",
}


@pytest.fixture
def folder(tmp_path):
    """A data folder with the two code lists that an importer looks at."""
    (tmp_path / "codes").mkdir()
    lines = ["country_iso3,name", *(f"{code},{name}" for code, name in COUNTRIES.items())]
    (tmp_path / "codes" / "countries.csv").write_text("\n".join(lines) + "\n")
    (tmp_path / "sources.csv").write_text("source_id,date\nusgs_mcs2027_csv,2027-02-01\n")
    return tmp_path


def cell(table, column, **where):
    for name, value in where.items():
        table = table[table[name] == value]
    assert len(table) == 1, where
    return table.iloc[0][column]


# ---------------------------------------------------------------- cells


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("42,400", cells.Cell(value=42400)),
        ("1.71", cells.Cell(value=1.71)),
        (">95", cells.Cell(value=95, flags=("lower_bound",))),
        ("<1", cells.Cell(value=1, flags=("upper_bound",))),
        ("820–880", cells.Cell(low=820, high=880)),
        ("10,000 - 15,000", cells.Cell(low=10000, high=15000)),
        ("—", cells.Cell(value=0, flags=("zero",))),
        ("0", cells.Cell(value=0, flags=("zero",))),
        ("NA", cells.Cell(flags=("not_available",))),
        ("W", cells.Cell(flags=("withheld",))),
        ("E", cells.Cell(flags=("net_exporter",))),
        ("XX", cells.Cell(flags=("not_applicable",))),
    ],
)
def test_a_cell_is_a_number_a_bound_a_range_or_says_why_there_is_none(text, cell):
    assert cells.read(text) == cell


@pytest.mark.parametrize("text", ["", "Large", "4,24", "12 t", "1.2.3", "nan", "-5"])
def test_anything_else_in_a_cell_is_refused(text):
    with pytest.raises(ValueError):
        cells.read(text)


# ---------------------------------------------------------------- the layouts of the USGS


def test_long_layout_of_an_edition_nobody_has_seen(folder):
    tables = usgs_mcs.to_tables(LONG, folder)
    assert {name: list(table.columns) for name, table in tables.items()} == {
        "mine_production": usgs_mcs.world.MINE_PRODUCTION,
        "reserves": usgs_mcs.world.RESERVES,
        "us_salient": usgs_mcs.salient.US_SALIENT,
        "us_prices": usgs_mcs.prices.US_PRICES,
        "us_import_sources": usgs_mcs.imports.US_IMPORT_SOURCES,
    }
    mine = tables["mine_production"]
    assert set(mine["edition"]) == {"MCS 2027"} and set(mine["source_id"]) == {"usgs_mcs2027_csv"}
    assert cell(mine, "tonnes_reo", year=2026, country_iso3="CHN") == 280000
    assert cell(mine, "flag", year=2026, country_iso3="CHN") == "estimated;quota"
    assert cell(mine, "flag", year=2025, country_iso3="CHN") == "estimated"
    assert cell(mine, "flag", year=2025, country_iso3="USA") == ""
    assert cell(mine, "flag", year=2026, country_iso3="CAN") == "zero"
    assert cell(mine, "note", year=2025, country_iso3="MMR") == (
        "USGS estimate from China's reported imports; revised in this edition"
    )
    assert cell(mine, "tonnes_reo", year=2026, country_iso3="ROW") == 900
    assert cell(mine, "locator", year=2025, country_iso3="USA") == "MCS2027_Commodities_Data.csv row 18"


def test_locator_names_the_row_a_spreadsheet_shows(folder):
    records = list(csv.reader(io.StringIO(LONG.read_text(encoding="cp1252"), newline="")))
    for row in usgs_mcs.to_tables(LONG, folder)["mine_production"].itertuples():
        number = int(row.locator.rpartition(" ")[2])
        assert records[number - 1][7] == str(row.year)


def test_long_layout_reserves(folder):
    reserves = usgs_mcs.to_tables(LONG, folder)["reserves"]
    assert cell(reserves, "reserves_tonnes_reo", country_iso3="WLD") == 50_000_000
    assert cell(reserves, "flag", country_iso3="WLD") == "lower_bound"
    assert pd.isna(cell(reserves, "reserves_tonnes_reo", country_iso3="MMR"))
    assert cell(reserves, "flag", country_iso3="MMR") == "not_available"
    assert (
        cell(reserves, "note", country_iso3="AUS")
        == "JORC-compliant or equivalent: 3.4 million t; revised in this edition"
    )
    assert set(reserves["edition_date"]) == {"2027-02-01"}


def test_long_layout_salient_statistics(folder):
    salient = usgs_mcs.to_tables(LONG, folder)["us_salient"]
    concentrates = {"chapter": "rare earths", "measure": "production_mineral_concentrates", "year": 2026}
    assert cell(salient, "value", **concentrates) == 49000
    assert cell(salient, "unit", **concentrates) == "t REO"
    assert cell(salient, "note", **concentrates) == "monazite excluded"
    assert cell(salient, "flag", measure="imports_compounds", year=2026) == "withheld;estimated"
    assert cell(salient, "flag", measure="net_import_reliance_compounds_metals", year=2026) == "lower_bound"
    assert (
        cell(salient, "unit", measure="net_import_reliance_compounds_metals", year=2026) == "% of apparent consumption"
    )
    assert cell(salient, "flag", measure="net_import_reliance_mineral_concentrates", year=2026) == "net_exporter"
    assert cell(salient, "value_high", chapter="yttrium", year=2026) == 310
    assert not salient["measure"].str.contains("price").any()


def test_long_layout_prices_and_import_sources(folder):
    tables = usgs_mcs.to_tables(LONG, folder)
    cerium = {"product": "cerium oxide 99.5% min", "year": 2026}
    assert cell(tables["us_prices"], "price", **cerium) == 1.9
    assert cell(tables["us_prices"], "element", **cerium) == "Ce"
    assert cell(tables["us_prices"], "basis", **cerium) == "annual average, fob, Argus"
    china = {"country_iso3": "CHN", "period_start": 2022, "period_end": 2025}
    assert cell(tables["us_import_sources"], "share_pct", **china) == 70
    assert cell(tables["us_import_sources"], "product", **china) == "rare-earth compounds and metals"
    assert cell(tables["us_import_sources"], "note", **china) == "includes Hong Kong"


def test_one_file_a_chapter_with_years_as_columns(folder):
    tables = usgs_mcs.to_tables(FIXTURES / "mcs2023-raree_world.csv", folder)
    mine = tables["mine_production"]
    assert len(mine) == 14 and set(mine["edition"]) == {"MCS 2023"}
    assert cell(mine, "flag", year=2021, country_iso3="AUS") == "estimated"
    assert cell(mine, "flag", year=2021, country_iso3="USA") == ""
    assert cell(mine, "flag", year=2022, country_iso3="USA") == "estimated"
    assert cell(mine, "locator", year=2021, country_iso3="USA") == "mcs2023-raree_world.csv row 2, column Prod_t_2021"
    assert cell(tables["reserves"], "note", country_iso3="AUS") == "JORC-compliant or equivalent: 2.5 million t"


def test_world_table_of_all_commodities(folder):
    tables = usgs_mcs.to_tables(FIXTURES / "MCS2025_World_Data.csv", folder)
    mine = tables["mine_production"]
    assert set(mine["country_iso3"]) == {"USA", "MMR", "CAN", "CHN", "ROW", "WLD"}
    assert cell(mine, "tonnes_reo", year=2023, country_iso3="CAN") == 0
    assert "dash" in cell(mine, "note", year=2023, country_iso3="CAN")
    assert cell(tables["reserves"], "flag", country_iso3="MMR") == "not_available"
    assert cell(tables["reserves"], "flag", country_iso3="WLD") == "lower_bound"


def test_salient_statistics_a_line_a_year(folder):
    salient = usgs_mcs.to_tables(FIXTURES / "mcs2024-raree_salient.csv", folder)["us_salient"]
    assert cell(salient, "value", year=2022, measure="apparent_consumption_compounds_metals") == 10100
    assert cell(salient, "flag", year=2023, measure="exports_ores_compounds") == "withheld;estimated"
    assert cell(salient, "flag", year=2022, measure="net_import_reliance_compounds_metals") == "lower_bound"
    assert len(salient) == 24


# ---------------------------------------------------------------- faults


def faulty(tmp_path, old, new, name="official.csv"):
    path = tmp_path / name
    content = LONG.read_bytes()
    assert old.encode("cp1252") in content
    path.write_bytes(content.replace(old.encode("cp1252"), new.encode("cp1252"), 1))
    return path


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "Rare Earths,Burma,Production",
            "Rare Earths,Birmania,Production",
            ["row 20", "column Country", "Birmania", "countries"],
        ),
        ('"28,000"', '"28,000 t"', ["row 19", "column Value", "28,000 t", "a number"]),
        ("Imports: Compounds", "Imports: Powders", ["row 5", "Statistics_detail", "Imports: Powders", "LINES"]),
        ("Mine production,metric tons", "Mine production,kilograms", ["column Unit", "kilograms", "metric tons"]),
        ("Rare Earths,World total,", "Rare Earths,Canada,", ["not whole", "world total", "mine production of 2025"]),
        ("Statistics_detail", "Detail", ["row 1", "header", "layout"]),
    ],
)
def test_a_fault_is_told_with_row_column_and_what_to_do(folder, old, new, said):
    path = faulty(folder, old, new)
    with pytest.raises(UpstreamError) as error:
        usgs_mcs.to_tables(path, folder)
    assert "official.csv" in str(error.value)
    for words in said:
        assert words in str(error.value)
    assert "\n" not in str(error.value)


def test_a_file_that_is_cut_off_is_refused(folder):
    path = folder / "official.csv"
    path.write_bytes(LONG.read_bytes()[:-400])
    with pytest.raises(UpstreamError, match="cut off"):
        usgs_mcs.to_tables(path, folder)


def test_a_file_named_after_another_edition_is_refused(folder):
    path = folder / "MCS2026_Commodities_Data.csv"
    path.write_bytes(LONG.read_bytes())
    with pytest.raises(UpstreamError, match="named after edition 2026 but holds edition 2027"):
        usgs_mcs.to_tables(path, folder)


def test_importer_is_found_by_content_and_not_by_name(folder, tmp_path):
    path = tmp_path / "anything.txt"
    path.write_bytes(LONG.read_bytes())
    assert importer_of(path) is usgs_mcs
    path.write_text("year,value\n2020,1\n")
    with pytest.raises(UpstreamError, match="no layout that is known"):
        importer_of(path)
    with pytest.raises(UpstreamError, match="is no file"):
        importer_of(tmp_path / "missing.csv")


# ---------------------------------------------------------------- the real files, where they are at hand


def official_rows(table):
    path = DATA / "production" / f"{table}.csv"
    if OFFICIAL is None or not path.is_file() or not (DATA / "codes" / "countries.csv").is_file():
        pytest.skip("needs the official files beside the checkout, and the tables")
    rows = pd.read_csv(
        path, keep_default_na=False, na_values={column: [""] for column in usgs_mcs.VALUE_COLUMNS[table]}
    )
    # Rank-only rows are read from a figure of the report, which no importer takes.
    return rows[rows["source_id"].str.fullmatch(r"usgs_mcs20\d\d_csv") & ~rows["flag"].str.contains("rank_only")]


@functools.cache
def imported_tables():
    tables = {}
    for path in sorted(OFFICIAL.iterdir()):
        if usgs_mcs.recognises(path):
            for name, table in usgs_mcs.to_tables(path, DATA).items():
                tables.setdefault(name, []).append(table)
    return {name: pd.concat(parts) for name, parts in tables.items()}


def same_place(ours, found):
    """Ours may name a second column (edition 2025 has some NA in the next one), or leave the column out."""
    return ours.removesuffix("/RESERVE_NOTES") == found or found.startswith(f"{ours}, column")


@pytest.mark.parametrize(
    ("table", "key"),
    [
        ("mine_production", ["publisher", "year", "country_iso3"]),
        ("reserves", ["country_iso3"]),
        ("us_salient", ["chapter", "year", "measure", "unit"]),
        ("us_prices", ["year", "product", "unit"]),
        ("us_import_sources", ["period_start", "period_end", "chapter", "product", "country_iso3"]),
    ],
)
def test_every_official_row_of_our_tables_is_what_the_official_file_says(table, key):
    ours = official_rows(table)
    key = [*key, "edition", "source_id"]
    both = ours.merge(imported_tables()[table], on=key, how="outer", suffixes=("", "_file"), indicator=True)
    assert both[both["_merge"] != "both"][key].to_dict("records") == []
    for column in usgs_mcs.VALUE_COLUMNS[table]:
        values, found = both[column].astype(float), both[f"{column}_file"].astype(float)
        other = ~((values == found) | (values.isna() & found.isna()))
        assert both[other][[*key, column, f"{column}_file"]].to_dict("records") == []
    assert [pair for pair in zip(both["locator"], both["locator_file"], strict=True) if not same_place(*pair)] == []


# ---------------------------------------------------------------- outlines


def topology(**changes):
    """Two countries that share a border, one across the 180th meridian, one hole, in TopoJSON."""
    scale = [1.0, 1.0]
    return {
        "type": "Topology",
        "transform": {"scale": scale, "translate": [-180.0, -90.0]},
        "arcs": [
            [[190, 100], [10, 0], [0, 10], [-10, 0]],  # 10..20 E, 10..20 N, without its west side
            [[190, 110], [0, -10]],  # the shared border, southward
            [[190, 100], [-10, 0], [0, 10], [10, 0]],  # the western neighbour, without its east side
            [[355, 90], [10, 0], [0, 5], [-10, 0], [0, -5]],  # 175 E .. 175 W, runs on past 180
            [[193, 103], [0, 2], [2, 0], [0, -2], [-2, 0]],  # a hole in the first
        ],
        "objects": {
            "countries": {
                "type": "GeometryCollection",
                "geometries": [
                    {"type": "Polygon", "id": "100", "arcs": [[0, 1], [4]], "properties": {"name": "Bulgaria"}},
                    {"type": "Polygon", "id": "008", "arcs": [[2, 1]], "properties": {"name": "Albania"}},
                    {"type": "MultiPolygon", "id": "242", "arcs": [[[3]]], "properties": {"name": "Fiji"}},
                    {"type": "Polygon", "id": "010", "arcs": [[2, 1]], "properties": {"name": "Antarctica"}},
                    {"type": "Polygon", "arcs": [[2, 1]], "properties": {"name": "Kosovo"}},
                ],
            }
        },
    } | changes


@pytest.fixture
def outlines(tmp_path):
    path = tmp_path / "countries-110m.json"
    path.write_text(json.dumps(topology()))
    return natural_earth.to_table(path)


def test_outlines_are_decoded_and_stitched(outlines):
    assert cell(outlines, "coordinates", country_iso3="BGR", ring=1) == "10 10,20 10,20 20,10 20,10 10"
    assert cell(outlines, "hole", country_iso3="BGR", ring=2) == "true"
    assert cell(outlines, "hole", country_iso3="ALB", ring=1) == "false"
    assert "010" not in "".join(outlines["locator"]) and set(outlines["country_iso3"]) == {"ALB", "BGR", "FJI", "XKX"}
    assert "user-assigned" in cell(outlines, "note", country_iso3="XKX")


def test_an_outline_across_the_180th_meridian_is_cut_there(outlines):
    assert cell(outlines, "coordinates", country_iso3="FJI", ring=1) == "175 0,180 0,180 5,175 5,175 0"
    assert cell(outlines, "coordinates", country_iso3="FJI", ring=2) == "-180 0,-175 0,-175 5,-180 5,-180 0"


def test_an_unknown_country_number_is_told(tmp_path):
    path = tmp_path / "countries-110m.json"
    path.write_text(json.dumps(topology()).replace('"242"', '"999"'))
    with pytest.raises(UpstreamError, match="id 999"):
        natural_earth.to_table(path)
    path.write_text("{}")
    with pytest.raises(UpstreamError, match="no TopoJSON"):
        natural_earth.to_table(path)


def test_the_outlines_of_the_book_can_be_drawn():
    table = pd.read_csv(DATA / "geo" / "country_outlines.csv", keep_default_na=False)
    assert table["country_iso3"].str.fullmatch("[A-Z]{3}").all()
    assert not table.duplicated(["country_iso3", "ring"]).any()
    assert {"CHN", "TWN", "XKX", "XSO", "XNC"} <= set(table["country_iso3"]) and "ATA" not in set(table["country_iso3"])
    for row in table.itertuples():
        points = [tuple(map(float, point.split(" "))) for point in row.coordinates.split(",")]
        assert points[0] == points[-1] and len(points) > 3
        assert all(-180 <= longitude <= 180 and -90 <= latitude <= 90 for longitude, latitude in points)
        assert max(abs(a[0] - b[0]) for a, b in zip(points, points[1:], strict=False)) < 90, "runs around the globe"


# ---------------------------------------------------------------- fetching


@pytest.fixture
def server(tmp_path):
    """A server on this machine that offers one official file and counts how often it is asked."""
    offered = tmp_path / "offered"
    offered.mkdir()
    shutil.copy(LONG, offered)
    asked = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            super().do_GET()

        def log_message(self, *_):
            pass

    running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(offered)))
    threading.Thread(target=running.serve_forever, daemon=True).start()
    running.asked = asked
    yield running
    running.shutdown()
    running.server_close()


def upstream_file(server, **changes):
    entry = {
        "source_id": "usgs_mcs2027_csv",
        "file_name": LONG.name,
        "landing_page": "https://doi.org/10.0000/example",
        "url": f"http://127.0.0.1:{server.server_port}/{LONG.name}",
        "sha256": hashlib.sha256(LONG.read_bytes()).hexdigest(),
    }
    return fetch.UpstreamFile(**entry | changes)


def test_a_file_is_fetched_once_and_then_taken_from_the_cache(server, tmp_path):
    for _ in range(2):
        assert fetch.fetch(upstream_file(server), tmp_path / "cache").read_bytes() == LONG.read_bytes()
    assert len(server.asked) == 1


def test_a_file_with_another_checksum_is_refused_and_not_kept(server, tmp_path):
    with pytest.raises(UpstreamError, match="another SHA-256"):
        fetch.fetch(upstream_file(server, sha256="0" * 64), tmp_path / "cache")
    assert not list((tmp_path / "cache").glob("*"))


def test_a_fetch_that_fails_says_so_in_one_line_with_the_way_out(server, tmp_path):
    gone = upstream_file(server, url=f"http://127.0.0.1:{server.server_port}/gone.csv")
    with pytest.raises(UpstreamError) as error:
        fetch.fetch(gone, tmp_path / "cache")
    assert "gone.csv" in str(error.value) and "404" in str(error.value) and "FROM=path" in str(error.value)
    server.shutdown()
    server.server_close()
    with pytest.raises(UpstreamError) as error:
        fetch.fetch(upstream_file(server), tmp_path / "cache")
    assert "no connection" in str(error.value) and "\n" not in str(error.value)


def test_a_file_without_a_known_address_names_its_landing_page():
    by_hand = next(file for file in fetch.FILES if file.url is None)
    with pytest.raises(UpstreamError) as error:
        fetch.fetch(by_hand)
    assert by_hand.landing_page in str(error.value) and "FROM=path" in str(error.value)
