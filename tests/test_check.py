"""The checker: each fault gives one plain message with file, row, column and what was expected, and exit code 1."""

import hashlib
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest

from rareearths import check, data
from rareearths.crosschecks import production, tools

MINE = "production/mine_production.csv"
IMPORTS = "production/us_import_sources.csv"
PRICES = "production/us_prices.csv"
RESERVES = "production/reserves.csv"


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """Give a copy of the shipped data that a test may spoil."""
    return shutil.copytree(data.root(), tmp_path / "data")


@pytest.fixture
def run(package, capsys):
    """Give a function that checks the copy as the command line does: exit code, output and number of problems."""

    def _run() -> tuple[int, str, int]:
        before = digest(package)
        code = check.main(["--data", str(package)])
        out, err = capsys.readouterr()
        assert digest(package) == before, "the check changed the data"
        assert "Traceback" not in out + err
        last = out.rstrip().splitlines()[-1]
        return code, out, 0 if "no problems" in last else int(re.search(r"(\d+) problems?$", last)[1])

    return _run


def digest(folder: Path) -> dict[str, str]:
    return {str(p): hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.rglob("*") if p.is_file()}


def edit(package: Path, file: str, column: str, value: object, **where: object) -> int:
    """Write a value into the one row that has these values, and give the row's number in an editor."""
    table = pd.read_csv(package / file, dtype=str, keep_default_na=False)
    chosen = pd.Series(True, index=table.index)
    for name, wanted in where.items():
        chosen &= table[name] == str(wanted)
    assert chosen.sum() == 1
    table.loc[chosen, column] = str(value)
    table.to_csv(package / file, index=False, lineterminator="\n")
    return int(table.index[chosen][0]) + 2


def test_copy_is_sound(run):
    code, out, problems = run()
    assert (code, problems) == (0, 0)
    assert re.search(r"^\d+ tables, \d+ rows: no problems$", out.rstrip())


# One fault in a cell

NIGERIA = dict(year=2024, country_iso3="NGA", edition="MCS 2026")
YTTRIUM = dict(edition="MCS 2026", chapter="yttrium", country_iso3="CHN")


@pytest.mark.parametrize(
    ("file", "column", "value", "where", "expected"),
    [
        (MINE, "tonnes_reo", "about 1500", NIGERIA, "a number from 0"),
        (MINE, "tonnes_reo", "1,500", NIGERIA, "a number from 0"),
        (MINE, "tonnes_reo", "-1500", NIGERIA, "a number from 0"),
        (MINE, "year", "2024.5", NIGERIA, "a whole number"),
        (MINE, "country_iso3", "NIG", NIGERIA, "a country_iso3 of codes/countries.csv"),
        (MINE, "country_iso3", "Nigeria", NIGERIA, "three capital letters"),
        (MINE, "source_id", "", NIGERIA, "a source_id of sources.csv"),
        (MINE, "source_id", "usgs_mcs2062_csv", NIGERIA, "a source_id of sources.csv"),
        (MINE, "locator", "", NIGERIA, "a text"),
        (MINE, "flag", "guessed", NIGERIA, "words of codes/flags.csv, column flag"),
        (MINE, "flag", "estimated;", NIGERIA, "words of codes/flags.csv, column flag"),
        (MINE, "edition", "2026", NIGERIA, "an edition such as MCS 2026"),
        (MINE, "publisher", "usgs", NIGERIA, "one of USGS, BGS"),
        (IMPORTS, "share_pct", "170", YTTRIUM, "a number from 0 to 100"),
        (
            PRICES,
            "element",
            "Nm",
            dict(year=2024, product="neodymium oxide 99.5% min", edition="MCS 2026"),
            "a symbol of codes/elements.csv",
        ),
    ],
)
def test_wrong_cell(package, run, file, column, value, where, expected):
    row = edit(package, file, column, value, **where)
    code, out, problems = run()
    assert (code, problems) == (1, 1), out
    assert f"{file}, row {row}, column {column}" in out
    assert expected in out and ("a blank cell" if value == "" else value) in out


@pytest.mark.parametrize(
    ("file", "column", "value", "where"),
    [
        (MINE, "tonnes_reo", "140_000", NIGERIA),
        (MINE, "tonnes_reo", "１４００", NIGERIA),
        (MINE, "tonnes_reo", "1.5E+03", NIGERIA),
        (MINE, "tonnes_reo", " 1500", NIGERIA),
        (MINE, "tonnes_reo", "NaN", NIGERIA),
        (MINE, "year", "2_024", NIGERIA),
        (MINE, "locator", " ", NIGERIA),
        ("evidence/headline_facts.csv", "value", "NaN", dict(fact_id="H01")),
        ("evidence/headline_facts.csv", "checked", "2026-11-2", dict(fact_id="H01")),
        ("codes/elements.csv", "magnet_ree", "FALSE", dict(symbol="La")),
    ],
)
def test_cell_as_a_spreadsheet_or_a_program_writes_it(package, run, file, column, value, where):
    row = edit(package, file, column, value, **where)
    code, out, problems = run()
    assert code == 1 and problems >= 1, out
    assert f"{file}, row {row}, column {column}" in out


def test_one_unknown_value_in_many_rows_is_one_problem(package, run):
    path = package / MINE
    path.write_text(path.read_text(encoding="utf-8").replace(",MYS,", ",MAL,"), encoding="utf-8", newline="")
    code, out, problems = run()
    assert (code, problems) == (1, 1), out
    assert "'MAL', also in rows" in out


def test_all_faults_are_told_at_once(package, run):
    rows = [
        edit(package, MINE, "tonnes_reo", "much", **NIGERIA),
        edit(package, IMPORTS, "share_pct", 170, **YTTRIUM),
        edit(package, RESERVES, "country_iso3", "BRS", country_iso3="BRA", edition="MCS 2025"),
    ]
    code, out, problems = run()
    assert (code, problems) == (1, 3)
    for file, row in zip((MINE, IMPORTS, RESERVES), rows, strict=True):
        assert f"{file}, row {row}, " in out


def test_duplicate_key(package, run):
    path = package / MINE
    lines = path.read_text(encoding="utf-8").splitlines()
    copied = next(number for number, line in enumerate(lines) if line.startswith("USGS,2024,NGA,1500"))
    path.write_text("\n".join([*lines, lines[copied]]) + "\n", encoding="utf-8", newline="")
    code, out, problems = run()
    assert (code, problems) == (1, 1)
    assert f"{MINE}, row {len(lines) + 1}, column publisher, year, country_iso3, edition, source_id" in out
    assert "USGS, 2024, NGA, MCS 2026, usgs_mcs2026_csv" in out and f"row {copied + 1} has them" in out


# One fault of a file


def spoil(package: Path, file: str, change) -> None:
    path = package / file
    path.write_bytes(change(path.read_bytes()))


def to_cp1252(content: bytes) -> bytes:
    return content.decode("utf-8").encode("cp1252")


@pytest.mark.parametrize(
    ("file", "change", "said"),
    [
        (MINE, lambda b: b"\xef\xbb\xbf" + b, ["row 1, column publisher", "byte order mark", "without BOM"]),
        (MINE, lambda b: b.replace(b"\n", b"\r\n"), ["row 1", "line ends", "LF alone"]),
        (MINE, lambda b: b.replace(b",", b";"), ["row 1", "semicolons", "commas"]),
        (MINE, lambda b: b.replace(b",", b"\t"), ["row 1", "tabs", "commas"]),
        (MINE, lambda b: b"", ["empty file", "a header and rows"]),
        (MINE, lambda b: b.split(b"\n")[0] + b"\n", ["empty table", "at least one row"]),
        (MINE, lambda b: b.decode().encode("utf-16"), ["not UTF-8", "UTF-8 text"]),
        (MINE, lambda b: b.replace(b"tonnes_reo", b"tons"), ["row 1, column tonnes_reo", "not known tons"]),
        (MINE, lambda b: b.replace(b"publisher,year", b"year,publisher"), ["row 1, column publisher", "another order"]),
        (MINE, lambda b: b.replace(b",note\n", b"\n", 1), ["row 1, column note", "missing note"]),
        (MINE, lambda b: b.replace(b",note\n", b",note,more\n", 1), ["row 1, column more", "not known more"]),
        ("codes/countries.csv", to_cp1252, ["not UTF-8", "UTF-8 text", "column name", "row "]),
        ("sources.csv", lambda b: b"\xef\xbb\xbf" + b, ["sources.csv, row 1", "byte order mark"]),
    ],
)
def test_wrong_file(package, run, file, change, said):
    spoil(package, file, change)
    code, out, problems = run()
    assert (code, problems) == (1, 1), out
    assert all(words in out for words in [file, *said]), out


@pytest.mark.parametrize("cut", [1, 2, 40, 60])
def test_truncated_last_line(package, run, cut):
    last = (package / MINE).read_bytes().count(b"\n")
    spoil(package, MINE, lambda content: content[:-cut])
    code, out, problems = run()
    assert (code, problems) == (1, 1), out
    assert f"{MINE}, row {last}, column " in out and "truncated" in out and "9 cells and a line end" in out


def test_row_with_a_cell_too_many(package, run):
    spoil(package, MINE, lambda content: content.replace(b"2024,NGA,1500,", b"2024,NGA,1,500,"))
    code, out, problems = run()
    assert (code, problems) == (1, 1)
    assert re.search(rf"{MINE}, row \d+: number of cells", out) and "10 cells" in out and "9 cells" in out


def test_lone_quotation_mark(package, run):
    spoil(package, MINE, lambda content: content.replace(b",1500,estimated,", b',"1500,estimated,', 1))
    code, out, problems = run()
    assert (code, problems) == (1, 1) and re.search(rf"{MINE}, row \d+: (not CSV|number of cells)", out), out


def test_file_as_a_spreadsheet_saves_it(package, run):
    spoil(package, MINE, lambda b: b"\xef\xbb\xbf" + b.replace(b",", b";").replace(b"\n", b"\r\n"))
    code, out, problems = run()
    assert (code, problems) == (1, 3), "three faults, told at once, and nothing that follows from them"


def test_missing_file(package, run):
    (package / MINE).unlink()
    code, out, problems = run()
    assert (code, problems) == (1, 1)
    assert f"{MINE}: missing file" in out and "the table that the description names" in out


def test_table_that_nobody_described(package, run):
    (package / "production" / "more.csv").write_text("a\n1\n")
    code, out, problems = run()
    assert (code, problems) == (1, 1) and "production/more.csv: undescribed table" in out


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("resources:\n", "resources: [\n", "not YAML"),
        ('created: "2026-11-22T00:00:00Z"', "created: 2026-11-22", "put dates in quotes"),
        ("resources:\n", "tables:\n", "no list called resources"),
        ("    subject: evidence\n", "", "has no subject"),
        ("resource: elements", "resource: atoms", "of 'atoms'"),
        ("type: boolean, title: Magnet", "type: yesno, title: Magnet", "yesno"),
        ("    path: sources.csv\n", "", "path"),
        ("    format: csv\n", "", "table sources has format None"),
        ("resource: elements, fields: [symbol]", "resource: elements, fields: [el]", "refers to 'el' of 'elements'"),
        ("  - name: sources\n", "  - label: sources\n", "name"),
        ("    subject: evidence\n", "    subject: evidences\n", "of subject 'evidences'"),
        ("    zeros: flagged\n", "    zeros: flaged\n", "zeros: 'flaged'"),
        ("    values: [tonnes_reo]\n", "    values: tonnes_reo\n", "a list such as"),
        ("listOf: {resource: flags, field: flag}", "listOf: flags", "name both"),
        ("minimum: 21, maximum: 71", "minimum: zero, maximum: 71", "minimum"),
        ('pattern: "^[A-Z][a-z]?$"', 'pattern: "^[A-Z][a-z?$"', "pattern"),
    ],
)
def test_wrong_description(package, run, old, new, said):
    path = package / "datapackage.yaml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    code, out, problems = run()
    assert code == 1 and problems >= 1
    assert "datapackage.yaml" in out and said in out


def test_folder_without_a_package(tmp_path, capsys):
    assert check.main(["--data", str(tmp_path / "nowhere")]) == 1
    assert "missing file" in capsys.readouterr().out


# What a schema cannot say


def mined(country: str, year: int, **more) -> dict:
    return dict(country_iso3=country, year=year, **more)


def reserve(country: str, edition: str) -> dict:
    return dict(country_iso3=country, edition=edition)


@pytest.mark.parametrize(
    ("file", "column", "value", "where", "said"),
    [
        (MINE, "tonnes_reo", 39_000, mined("AUS", 2024, edition="MCS 2026"), "MCS 2026, 2024: the countries"),
        (MINE, "tonnes_reo", 46_000, mined("USA", 2024, edition="MCS 2026"), "45,500 t in us_salient"),
        (MINE, "tonnes_reo", 3_100, mined("MDG", 2023, publisher="BGS"), "no problems"),
        (MINE, "tonnes_reo", 5_100, mined("MDG", 2023, publisher="BGS"), "MDG, 2023: BGS 5,100 t"),
        (RESERVES, "reserves_tonnes_reo", 60_000_000, reserve("CHN", "MCS 2023"), "MCS 2023: the countries"),
        (RESERVES, "reserves_tonnes_reo", 34_000_000, reserve("CHN", "MCS 2025"), "MCS 2025: the countries"),
        (RESERVES, "reserves_tonnes_reo", 21_000_000, reserve("BRA", "MCS 2026 v1.3"), "v1.3: the countries"),
        (
            "production/world_production_history.csv",
            "value",
            300_000,
            dict(year=2019, measure="world_production"),
            "2019: Data Series 140 300,000 t",
        ),
        (IMPORTS, "share_pct", 60, YTTRIUM, "90 percent"),
        ("production/us_end_use.csv", "share_pct", 55, dict(year=2020, end_use="catalysts"), "80 percent"),
        (
            PRICES,
            "price",
            900,
            dict(year=2023, product="dysprosium oxide 99.5% min", edition="MCS 2024"),
            "dysprosium oxide 99.5% min, 2023",
        ),
        (RESERVES, "flag", "superseded", reserve("CHN", "MCS 2026"), "superseded by nothing"),
        (MINE, "flag", "estimated;zero", NIGERIA, "zero and flag differ"),
        (MINE, "tonnes_reo", "", NIGERIA, "unexplained blank"),
    ],
)
def test_cross_checks_fire(package, run, file, column, value, where, said):
    edit(package, file, column, value, **where)
    code, out, _ = run()
    assert said in out, out
    assert code == (0 if said == "no problems" else 1)
    assert said == "no problems" or re.search(rf"{file}, row \d+, column ", out)


@pytest.mark.parametrize(
    ("file", "column", "value", "where", "said"),
    [
        (MINE, "tonnes_reo", 41_600, mined("USA", 2023, publisher="BGS"), "USA, 2023 no longer differs"),
        (
            "production/world_production_history.csv",
            "value",
            133_000,
            dict(year=2010, measure="world_production"),
            "2010 no longer differs",
        ),
    ],
)
def test_exception_that_is_not_needed_fails(package, run, file, column, value, where, said):
    edit(package, file, column, value, **where)
    code, out, problems = run()
    assert (code, problems) == (1, 1), out
    assert "exception not needed" in out and said in out and "_KNOWN in rareearths/crosschecks/production.py" in out


def test_known_wrong_price_has_to_be_there_still(package, run):
    for edition in ("MCS 2022", "MCS 2023"):
        edit(package, PRICES, "price", 98, year=2021, product="neodymium oxide 99.5% min", edition=edition)
    code, out, problems = run()
    assert (code, problems) == (1, 1)
    assert "neodymium oxide 99.5% min, 2021 no longer differs" in out and "PRICES_KNOWN" in out


def test_invented_exception_fails(monkeypatch):
    invented = tools.Known((("BRA", 1999),), "no reason")
    monkeypatch.setattr(production, "PUBLISHERS_KNOWN", (*production.PUBLISHERS_KNOWN, invented))
    assert [problem.found for problem in check.check()] == ["BRA, 1999 no longer differs"]


def test_unused_source(package, run):
    path = package / "sources.csv"
    line = "a_book,A book,A publisher,2020,,https://example.org/,free,secondary,the book,\n"
    path.write_text(path.read_text(encoding="utf-8") + line, encoding="utf-8", newline="")
    code, out, problems = run()
    assert (code, problems) == (1, 1)
    assert "sources.csv, row " in out and "a_book" in out and "column source_id" in out


def test_package_without_a_table_the_checks_need(package, run):
    path = package / "datapackage.yaml"
    text = path.read_text(encoding="utf-8")
    start = text.index("  - name: us_end_use")
    after = text.find("\n  - name:", start)
    path.write_text(text[:start] + (text[after + 1 :] if after > 0 else ""), encoding="utf-8")
    (package / "production/us_end_use.csv").unlink()
    code, out, problems = run()
    assert code == 1 and "no table us_end_use" in out


@pytest.mark.parametrize(
    ("printed", "half"),
    [
        (380_000, 5_000),
        (300_000, 5_000),
        (376_000, 500),
        (8_000, 50),
        (45_500, 50),
        (7, 0.05),
        (0, 0),
        (float("nan"), 0),
    ],
)
def test_rounding_of_a_printed_figure(printed, half):
    assert tools.half_unit(printed) == pytest.approx(half)
