"""The update command: shows what would change, replaces tables in one step, and leaves them whole on any fault."""

import csv
import importlib
import json
import os
import shutil
from pathlib import Path

import pytest

from rareearths import update
from rareearths.upstream import fetch, replace

HERE = Path(__file__).resolve().parent
LONG = HERE / "upstream" / "MCS2027_Commodities_Data.csv"
DATA = HERE.parent / "data"
NEW_SOURCE = "usgs_mcs2027_csv"

PACKAGE = """\
name: small
resources:
  - {name: mine_production, path: production/mine_production.csv,
     schema: {primaryKey: [publisher, year, country_iso3, edition, source_id]}}
  - {name: reserves, path: production/reserves.csv, schema: {primaryKey: [country_iso3, edition, source_id]}}
  - {name: us_salient, path: production/us_salient.csv, schema: {primaryKey: [chapter, year, measure, edition, source_id]}}
"""
COUNTRIES = "country_iso3,name\nUSA,United States of America\nAUS,Australia\nMMR,Myanmar\nCAN,Canada\nCHN,China\nROW,Rest of the world\nWLD,World\n"
SOURCES = "source_id,title,publisher,date,edition,url_or_doi,licence,strength\nusgs_mcs2026_csv,Release,USGS,2026-02-06,MCS 2026,,,\nbgs_wms,WMS,BGS,2026,,,,\n"
SOURCE_LINE = f"{NEW_SOURCE},Release,USGS,2027-02-01,MCS 2027,,,\n"
MINE = """\
publisher,year,country_iso3,tonnes_reo,flag,edition,source_id,locator,note
USGS,2025,CHN,270000,estimated;unconfirmed,MCS 2026,usgs_mcs2026_csv,row 6094,no public quota behind it
USGS,2025,WLD,390000,estimated,MCS 2026,usgs_mcs2026_csv,row 6106,
BGS,2023,CHN,255000,,WMS to 2023,bgs_wms,row 3,
"""
RESERVES = "country_iso3,reserves_tonnes_reo,flag,edition,edition_date,source_id,locator,note\nCHN,44000000,,MCS 2026,2026-02-06,usgs_mcs2026_csv,row 6112,\n"
SALIENT = "chapter,year,measure,value,value_low,value_high,unit,flag,edition,source_id,locator,note\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A small data folder, listed in which is the new edition's source, and a check that finds no problem."""
    data = tmp_path / "data"
    for name, text in {
        "datapackage.yaml": PACKAGE,
        "sources.csv": SOURCES + SOURCE_LINE,
        "codes/countries.csv": COUNTRIES,
        "production/mine_production.csv": MINE,
        "production/reserves.csv": RESERVES,
        "production/us_salient.csv": SALIENT,
    }.items():
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        (data / name).write_text(text)
    monkeypatch.setattr(update, "_check", lambda: lambda folder: [])
    return data


def run(folder, *more, file=LONG):
    return update.main(["--data", str(folder), *(["--from", str(file)] if file else []), *more])


def content(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def rows(folder, table):
    with (folder / "production" / f"{table}.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


def edited(tmp_path, old, new):
    path = tmp_path / "official.csv"
    text = LONG.read_bytes()
    assert old in text
    path.write_bytes(text.replace(old, new, 1))
    return path


# ---------------------------------------------------------------- what it does


def test_a_new_edition_adds_its_rows_and_touches_no_other(folder, capsys):
    assert run(folder, "--yes") == 0
    mine = rows(folder, "mine_production")
    assert len(mine) == 3 + 14
    assert [row for row in mine if row["edition"] != "MCS 2027"] == list(csv.DictReader(MINE.splitlines()))
    china = [row for row in mine if row["country_iso3"] == "CHN" and row["year"] == "2026"]
    assert [(row["tonnes_reo"], row["flag"]) for row in china] == [("280000", "estimated;quota")]
    assert {row["edition_date"] for row in rows(folder, "reserves") if row["edition"] == "MCS 2027"} == {"2027-02-01"}
    said = capsys.readouterr().out
    assert "mine_production: 14 added, 0 changed, 0 removed" in said
    assert "+ USGS 2026 CHN MCS 2027 usgs_mcs2027_csv: 280000" in said
    assert "reserves: 7 added" in said and "us_salient: 12 added" in said


def test_new_rows_stand_where_the_order_of_the_table_puts_them(folder):
    run(folder, "--yes")
    order = [(row["publisher"], row["year"], row["country_iso3"]) for row in rows(folder, "mine_production")]
    assert order[2:9] == [("USGS", "2025", code) for code in ("AUS", "CAN", "CHN", "MMR", "USA", "ROW", "WLD")]
    assert order[-1] == ("BGS", "2023", "CHN")


def test_running_twice_reports_nothing_new(folder, capsys):
    run(folder, "--yes")
    before = content(folder)
    capsys.readouterr()
    assert run(folder, "--yes") == 0
    assert "Nothing new" in capsys.readouterr().out
    assert content(folder) == before


def test_our_flags_and_notes_stay_with_a_value_that_is_the_same(folder, tmp_path):
    run(folder, "--yes")
    table = folder / "production" / "mine_production.csv"
    table.write_text(table.read_text().replace("280000,estimated;quota", "280000,estimated;unconfirmed"))
    revised = edited(tmp_path, b'"49,000",Estimated.', b'"48,000",Estimated.')
    assert run(folder, "--yes", file=revised) == 0
    assert "280000,estimated;unconfirmed" in table.read_text()


def test_a_changed_value_is_shown_with_the_old_one_and_a_row_that_is_gone_is_removed(folder, tmp_path, capsys):
    run(folder, "--yes")
    capsys.readouterr()
    text = LONG.read_bytes()
    gone = next(line for line in text.splitlines(keepends=True) if b",Canada,Reserves" in line)
    path = tmp_path / "official.csv"
    path.write_bytes(text.replace(gone, b"").replace(b'"280,000"', b'"300,000"').replace(b">50,000,000", b"50,000,000"))
    assert run(folder, "--yes", file=path) == 0
    said = capsys.readouterr().out
    assert "~ USGS 2026 CHN MCS 2027 usgs_mcs2027_csv: 280000 -> 300000" in said
    assert "~ WLD MCS 2027 usgs_mcs2027_csv: 50000000 lower_bound -> 50000000" in said
    assert "- CAN MCS 2027 usgs_mcs2027_csv: 830000" in said
    assert "CAN" not in {row["country_iso3"] for row in rows(folder, "reserves")}
    assert (
        "2025,CHN,270000,estimated;unconfirmed,MCS 2026" in (folder / "production" / "mine_production.csv").read_text()
    )


def test_the_chapters_that_load_the_changed_tables_are_named(folder, tmp_path, monkeypatch, capsys):
    chapters = tmp_path / "chapters"
    chapters.mkdir()
    for name, inputs in (("03_who_mines", {"table:mine_production": "1"}), ("06_prices", {"table:us_prices": "2"})):
        notebook = {"cells": [], "metadata": {"rareearths": {"inputs": inputs}}, "nbformat": 4, "nbformat_minor": 5}
        (chapters / f"{name}.ipynb").write_text(json.dumps(notebook))
    monkeypatch.setattr(update, "CHAPTERS", chapters)
    run(folder, "--dry-run")
    said = capsys.readouterr().out
    assert "03_who_mines" in said and "06_prices" not in said


# ---------------------------------------------------------------- what it leaves alone


def test_dry_run_changes_nothing(folder, capsys):
    before = content(folder)
    assert run(folder, "--dry-run") == 0
    assert content(folder) == before
    assert "14 added" in capsys.readouterr().out


def test_nothing_is_replaced_without_consent(folder, capsys):
    before = content(folder)
    assert run(folder) == 1
    assert content(folder) == before
    assert "--yes" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (b'"28,000"', b'"28.000.000"', "row 19, column Value"),
        (b"Rare Earths,Burma", b"Rare Earths,Birmania", "Birmania"),
        (b"MCS chapter", b"Chapter", "no layout that is known"),
    ],
)
def test_a_faulty_file_changes_nothing_and_is_explained_without_a_trace(folder, tmp_path, capsys, old, new, said):
    before = content(folder)
    assert run(folder, "--yes", file=edited(tmp_path, old, new)) == 1
    assert content(folder) == before
    answer = capsys.readouterr().err
    assert said in answer and "Nothing has been changed" in answer and "Traceback" not in answer


def test_a_new_source_has_to_be_listed_by_hand_and_the_line_is_given(folder, capsys):
    (folder / "sources.csv").write_text(SOURCES)
    before = content(folder)
    assert run(folder, "--yes") == 1
    assert content(folder) == before
    answer = capsys.readouterr().err
    assert f"{NEW_SOURCE},Mineral Commodity Summaries 2027 data release,U.S. Geological Survey,<date" in answer


def test_tables_that_would_not_be_valid_are_not_replaced(folder, monkeypatch, capsys):
    before = content(folder)

    def check(data):
        found = "MCS 2027" in (data / "production" / "reserves.csv").read_text()
        return ["mine_production, row 5, tonnes_reo: 280000 is above the maximum"] if found else []

    monkeypatch.setattr(update, "_check", lambda: check)
    assert run(folder, "--yes") == 1
    assert content(folder) == before
    assert "row 5, tonnes_reo" in capsys.readouterr().err


def test_faults_that_were_there_before_are_not_blamed_on_the_file(folder, monkeypatch, capsys):
    monkeypatch.setattr(update, "_check", lambda: lambda folder: ["sources.csv, row 2, column date: out of bounds"])
    assert run(folder, "--yes") == 1
    assert "faults already" in capsys.readouterr().err


def test_a_wrong_path_is_told_plainly(folder, tmp_path, capsys):
    assert run(folder, file=tmp_path / "nowhere.csv") == 1
    assert "nowhere.csv is no file" in capsys.readouterr().err


# ---------------------------------------------------------------- interruptions


def interrupt(monkeypatch, at_call):
    """Let the ``at_call``-th os.replace fail, as if the machine had stopped there."""
    calls = []
    real = os.replace

    def failing(source, target):
        calls.append(target)
        if len(calls) == at_call:
            raise OSError("the machine stopped")
        real(source, target)

    monkeypatch.setattr(os, "replace", failing)


@pytest.mark.parametrize("at_call", [1, 2, 3])
def test_an_interrupted_replacement_is_completed_by_the_next_run(folder, tmp_path, monkeypatch, capsys, at_call):
    whole = tmp_path / "whole"
    shutil.copytree(folder, whole)
    run(whole, "--yes")
    with monkeypatch.context() as patch:
        interrupt(patch, at_call)
        assert run(folder, "--yes") == 1
    assert "once more" in capsys.readouterr().err
    assert content(folder) != content(whole)
    assert run(folder, "--yes") == 0
    assert "has been completed" in capsys.readouterr().out
    assert content(folder) == content(whole)


def test_an_interruption_before_the_step_is_decided_leaves_the_old_tables(folder, monkeypatch):
    before = content(folder)
    real = replace._write

    def failing(path, text):
        if path.name == replace.JOURNAL:
            path.write_bytes(text[:10])
            raise OSError("no space left")
        real(path, text)

    with monkeypatch.context() as patch:
        patch.setattr(replace, "_write", failing)
        assert run(folder, "--yes") == 1
    assert {name: text for name, text in content(folder).items() if name in before} == before
    assert replace.recover(folder) == []
    assert content(folder) == before


def test_a_dry_run_does_not_touch_an_interrupted_update_but_says_so(folder, monkeypatch, capsys):
    with monkeypatch.context() as patch:
        interrupt(patch, 2)
        run(folder, "--yes")
    before = content(folder)
    assert run(folder, "--dry-run") == 1
    assert content(folder) == before
    assert "interrupted" in capsys.readouterr().err


def test_waiting_files_that_were_tampered_with_are_not_moved_in(folder, monkeypatch, capsys):
    with monkeypatch.context() as patch:
        interrupt(patch, 1)
        run(folder, "--yes")
    waiting = next(folder.rglob("*" + replace.SUFFIX))
    waiting.write_text("other")
    assert run(folder, "--yes") == 1
    assert "version control" in capsys.readouterr().err


# ---------------------------------------------------------------- fetching


def test_without_a_file_it_fetches_what_has_an_address_and_names_the_pages_of_the_rest(folder, monkeypatch, capsys):
    known = fetch.UpstreamFile(NEW_SOURCE, LONG.name, "https://doi.org/10.0000/known", url="http://127.0.0.1/file")
    by_hand = fetch.UpstreamFile("other", "other.csv", "https://doi.org/10.0000/by_hand")
    monkeypatch.setattr(fetch, "FILES", [known, by_hand])
    monkeypatch.setattr(fetch, "fetch", lambda file: LONG)
    assert run(folder, "--yes", file=None) == 0
    said = capsys.readouterr().out
    assert "https://doi.org/10.0000/by_hand: other.csv" in said and "FROM=path" in said
    assert "mine_production: 14 added" in said


# ---------------------------------------------------------------- the book's own tables


@pytest.fixture
def book_data(tmp_path):
    """A copy of the book's own tables, in which the new edition's source is listed."""
    if importlib.import_module("rareearths.check").check(DATA):
        pytest.skip("the book's own tables have faults now; the data checks tell which")
    copy = tmp_path / "data"
    shutil.copytree(DATA, copy)
    path = copy / "sources.csv"
    listed = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    row = next(row for row in listed if row["source_id"] == "usgs_mcs2026_csv")
    listed.append(row | {"source_id": NEW_SOURCE, "date": "2027-02-01", "edition": "MCS 2027"})
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(row), lineterminator="\n")
        writer.writeheader()
        writer.writerows(listed)
    return copy


def test_a_new_edition_can_be_dropped_into_the_book_as_it_is(book_data, capsys):
    before = {name: rows(book_data, name) for name in ("mine_production", "reserves", "us_salient")}
    code = run(book_data, "--yes")
    said = capsys.readouterr()
    assert code == 0, said.err
    for name, old in before.items():
        new = rows(book_data, name)
        assert [row for row in new if row["source_id"] != NEW_SOURCE] == old
        assert len(new) > len(old)
