"""The runner: runs what is stale and only that, says why, keeps the old file when a cell fails."""

import json
import shutil

import nbformat
import pytest

from rareearths import published, run
from tests.conftest import REPOSITORY, rareearths

CODE = """\
from rareearths import data, publish
rows = data.load("reserves")
world = rows[(rows["edition"] == "MCS 2026 v1.3") & (rows["country_iso3"] == "WLD")]
publish.number("test-reserves", world["reserves_tonnes_reo"].iloc[0], unit="t", format=",.0f", sources=world, note="as printed")
publish.statement("test-holds", "They are more than nothing.", bool((world["reserves_tonnes_reo"] > 0).all()), sources=world, test="above nought")
"""


@pytest.fixture
def chapter(tmp_path):
    """A small chapter of its own."""
    path = tmp_path / "99_test.ipynb"
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# Test"), nbformat.v4.new_code_cell(CODE)])
    nbformat.write(book, path)
    return path


def run_one(path, **options):
    return run.run([path], progress=False, **options)[0]


def test_a_chapter_runs_once_and_is_then_current(chapter):
    assert run.why_stale(chapter) == ["it has never been run"]
    assert run_one(chapter).error == ""
    assert run.why_stale(chapter) == []
    before = chapter.read_bytes()
    assert run_one(chapter).reasons == []
    assert chapter.read_bytes() == before


def test_running_again_gives_the_same_bytes(chapter):
    run_one(chapter)
    before = chapter.read_bytes()
    run_one(chapter, force=True)
    assert chapter.read_bytes() == before


def test_what_it_rests_on_is_recorded_and_a_change_is_named(chapter, data_copy, monkeypatch):
    monkeypatch.setenv("RAREEARTHS_DATA", str(data_copy))
    run_one(chapter)
    inputs = json.loads(chapter.read_text())["metadata"]["rareearths"]["inputs"]
    assert {
        "code",
        "outputs",
        "requirements",
        "table:reserves",
        "module:rareearths.data",
        "source:usgs_mcs2026_re_pdf",
    } <= set(inputs)
    assert "table:us_prices" not in inputs

    prices = data_copy / "production" / "us_prices.csv"
    prices.write_text(prices.read_text().replace("2021,", "2021,", 1) + "\n")
    assert run.why_stale(chapter) == []  # a table that it does not load

    reserves = data_copy / "production" / "reserves.csv"
    reserves.write_text(reserves.read_text().replace("75000000", "76000000"))
    assert run.why_stale(chapter) == ["table reserves has changed"]


def test_prose_may_change_without_a_run_and_code_may_not(chapter):
    run_one(chapter)
    book = nbformat.read(chapter, 4)
    book.cells[0].source = "# Reworded"
    nbformat.write(book, chapter)
    assert run.why_stale(chapter) == []
    book.cells[1].source += "\n# a remark"
    nbformat.write(book, chapter)
    assert run.why_stale(chapter) == ["its code has changed"]


def test_an_output_changed_by_hand_is_noticed(chapter):
    run_one(chapter)
    chapter.write_text(chapter.read_text().replace("75,000,000", "99,000,000"))
    assert run.why_stale(chapter) == ["its outputs have changed"]


@pytest.mark.parametrize(
    "code, message",
    [
        ("x = 1\n1 / 0", "99_test.ipynb, cell 2, line 2 ('x = 1'): ZeroDivisionError: division by zero"),
        ("from rareearths import data\ndata.load('no_such_table')", "no table 'no_such_table'; there are:"),
        ("import os; os._exit(3)", "the process that ran it has ended"),
        ("import warnings; warnings.warn('old thing')", "cell 2 warns, and a page may not"),
    ],
)
def test_a_failing_cell_is_named_and_the_file_is_as_it_was(chapter, code, message):
    book = nbformat.read(chapter, 4)
    book.cells[1].source = code
    nbformat.write(book, chapter)
    before = chapter.read_bytes()
    assert message in run_one(chapter).error
    assert chapter.read_bytes() == before
    assert [path.name for path in chapter.parent.iterdir() if "99_test" in path.name] == ["99_test.ipynb"]


def test_several_chapters_run_and_one_failure_does_not_stop_the_others(chapter, tmp_path):
    bad = tmp_path / "98_bad.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("raise SystemError('no')")]), bad)
    good, failed = run.run([chapter, bad], progress=False)
    assert good.error == "" and "SystemError: no" in failed.error


def test_a_statement_made_false_by_new_data_is_listed(chapter, data_copy, monkeypatch):
    monkeypatch.setenv("RAREEARTHS_DATA", str(data_copy))
    reserves = data_copy / "production" / "reserves.csv"
    reserves.write_text(reserves.read_text().replace("WLD,75000000", "WLD,0"))
    run_one(chapter)
    things = [t for t in published.read(chapter, chapter.parent) if t.kind == "statement"]
    assert [t.payload["holds"] for t in things] == [False]


def test_a_file_that_is_no_notebook_gets_a_sentence(tmp_path):
    path = tmp_path / "97_broken.ipynb"
    path.write_text("{ not json")
    with pytest.raises(run.ChapterFailed, match="not a notebook"):
        run.why_stale(path)


def test_an_unknown_chapter_gets_the_list_of_those_there_are():
    said = rareearths("run", "no_such")
    assert said.returncode == 1
    assert "no chapter 'no_such'; there are: 01_elements, 02" in said.stderr
    assert "Traceback" not in said.stderr


def test_the_books_own_chapters_are_current():
    for chapter in published.chapters():
        assert run.why_stale(chapter) == [], f"{chapter.name}: run `make run` and commit the outputs"


def test_an_unknown_command_gets_the_list_of_commands():
    said = rareearths("publish")
    assert said.returncode == 2 and "check" in said.stderr


def test_the_chapter_of_the_book_runs_from_a_copy_of_the_data(tmp_path, data_copy, monkeypatch):
    """One changed value reaches the number in the prose, and a statement that it makes false is reported."""
    monkeypatch.setenv("RAREEARTHS_DATA", str(data_copy))
    table = data_copy / "production" / "mine_production.csv"
    lines = table.read_text().splitlines(keepends=True)
    changed = [
        line.replace("USGS,2024,CHN,270000", "USGS,2024,CHN,100000") if "usgs_mcs2026_csv" in line else line
        for line in lines
    ]
    assert changed != lines
    table.write_text("".join(changed))
    copy = tmp_path / "03_who_mines.ipynb"
    shutil.copy(REPOSITORY / "book" / "chapters" / "03_who_mines.ipynb", copy)
    assert run.why_stale(copy) == ["table mine_production has changed"]
    outcome = run_one(copy)
    assert outcome.error == ""
    assert "china-mine-share-2024: 71.1\u00a0% -> 26.3\u00a0%" in outcome.changes
    assert "fig-china-mine-share: other data" in outcome.changes
    assert "china-share-above-2021: no longer holds" in outcome.changes
    assert not [change for change in outcome.changes if change.startswith("us-")], "what did not change is not told"
    things = {t.id: t.payload for t in published.read(copy, tmp_path)}
    assert things["china-mine-share-2024"]["text"] == "26.3\u00a0%"
    assert not things["china-share-above-2021"]["holds"]
    assert not things["fig-china-mine-share"]["holds"]


def test_a_chapter_that_takes_from_another_is_stale_when_that_has_changed(chapter, tmp_path, monkeypatch):
    """What a chapter takes from another is among what it rests on, and it runs after that one."""
    other = tmp_path / "98_other.ipynb"
    made = "from rareearths import publish\npublish.number('other-number', {}, unit='t', format='d', sources=['usgs_mcs2026_re_pdf'], note='A number')"
    taking = (
        "import pathlib\nfrom rareearths import published, quoted\n"
        f"published.chapters = lambda *_: [pathlib.Path({str(other)!r})]\n"
        "published.docname = lambda notebook, *_: notebook.stem\nprint(quoted.text('other-number'))"
    )
    monkeypatch.setattr(published, "chapters", lambda *_: [other])
    monkeypatch.setattr(published, "docname", lambda notebook, *_: notebook.stem)
    for path, code in ((other, made.format(1)), (chapter, taking)):
        nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)]), path)
        assert [outcome.error for outcome in run.run([path], progress=False)] == [""]
    assert run.why_stale(chapter) == []
    book = nbformat.read(other, 4)
    book.cells[0].source = made.format(2)
    nbformat.write(book, other)
    assert [bool(outcome.reasons) for outcome in run.run([other, chapter], progress=False)] == [True, True]
    assert "2\xa0t" in chapter.read_text(encoding="utf-8") and run.why_stale(chapter) == []
