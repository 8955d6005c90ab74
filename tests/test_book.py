"""The book as a whole: prose, ids, statements, citations, and what may stand in the repository."""

import ast
import json
import re
import subprocess

import pytest
import yaml

from rareearths import published
from rareearths.site import bibliography, editions
from rareearths.site.book import load
from tests.conftest import REPOSITORY

PAGES = sorted([*(REPOSITORY / "book").rglob("*.md"), *(REPOSITORY / "book").rglob("*.ipynb")])
PAGES = [page for page in PAGES if ".ipynb_checkpoints" not in page.parts]

# A figure in prose has to be a published number or stand in a sentence with a citation. What is no statistic:
YEARS = r"(?:1[89]|20)\d\d(?:[–-]\d{2,4})?"
NOT_STATISTICS = [
    r"\{[a-z:]+\}`[^`]*`",  # roles: published numbers and statements, citations, cross references
    r"`[^`]*`",
    r"\$[^$]*\$",  # code, formulas
    r"\]\([^)]*\)",
    r"https?://\S+",  # targets of links
    r"\b(?:MCS|MYB|WMS|DS)\s?\d[\w.]*(?:\s(?:version|v)\s?[\d.]+)?",
    r"\b[vV]ersion \d[\d.]*",
    r"\bData Series \d+",  # editions
    r"\b(?:chapters?|section|part|figure|table|page)\s\d[\d.]*",  # places in the book
    r"\b[A-Z]{1,3}-\d+\b",
    r"\bCC BY \d\.\d\b",
    r"\b\d+ dpi\b",  # names
    rf"\b\d{{1,2}} (?:January|February|March|April|May|June|July|August|September|October|November|December) {YEARS}",
    rf"\b{YEARS}s?\b",
]
STATISTIC = re.compile(r"(?<![\w.])[+−-]?\d[\d,.]*(?:\s?(?:%|percent|t\b|kt\b|million|billion))?")


def prose(page):
    """Paragraphs of a page's own text, without code, headings' marks and directive options."""
    if page.suffix == ".md":
        cells = [page.read_text(encoding="utf-8")]
    else:
        content = json.loads(page.read_text(encoding="utf-8"))
        cells = ["".join(c["source"]) for c in content["cells"] if c["cell_type"] == "markdown"]
    for cell in cells:
        cell = re.sub(r"^```[a-z]+\n.*?^```$", "", cell, flags=re.M | re.S)  # code that is shown
        text = re.sub(r"^(```\{.*|```|:[a-z-]+:.*|\$\$.*?\$\$)$", "", cell, flags=re.M)
        text = re.sub(r"\$\$.*?\$\$", "", text, flags=re.S)
        yield from re.split(r"\n\s*\n|(?<=[.!?])\s+(?=[A-Z*{`])|\n(?=[-*] )", text)


WITH_UNIT = re.compile(r"(?<![\w.,-])\d[\d,.]*\s?(?:%|percent\b|k?t\b|tonnes\b|million\b|billion\b)")


def bare_statistics(sentence):
    if "{cite" in sentence:
        return []
    sentence = re.sub(r"\{[a-z:]+\}`[^`]*`|\]\([^)]*\)", " ", sentence)
    found = WITH_UNIT.findall(sentence)  # before years and places are taken out: "2000 t", "part 71 %"
    if found:
        return [match.strip() for match in found]
    for pattern in NOT_STATISTICS:
        sentence = re.sub(pattern, " ", sentence, flags=re.I if "chapters" in pattern else 0)
    return [found.strip() for found in STATISTIC.findall(sentence)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_statistic_is_typed_into_prose(page):
    bare = [
        (found, " ".join(sentence.split())[:120]) for sentence in prose(page) for found in bare_statistics(sentence)
    ]
    assert not bare, "publish these with publish.number, or cite a source in the sentence"


@pytest.mark.parametrize(
    "sentence, found",
    [
        ("China mined 71 % of it.", ["71 %"]),
        ("It rose from 3,000 t to 120,000 t.", ["3,000 t", "120,000 t"]),
        ("In 2010 and on 21 December 2023, chapter 4, MCS 2026 v1.3, F-35, {num}`share-2024`.", []),
        ("It was 50 % {cite:p}`doj_hhi`.", []),
        ("They mined 2000 t, and `71 %` of part 12 % in 1990.", ["2000 t", "71 %", "12 %"]),
    ],
)
def test_the_prose_check_finds_what_it_is_for(sentence, found):
    assert bare_statistics(sentence) == found


def test_every_statement_and_title_holds_with_the_data_that_are_shipped():
    stale = [thing.id for thing in published.read_all().values() if not thing.payload.get("holds", True)]
    assert not stale, "reword these: the data no longer bear them out"


def test_published_ids_are_kept_for_good():
    """An id that was published once stays, or is among the errata as retracted; new ones are added to the list."""
    kept = set((REPOSITORY / "tests" / "published_ids.txt").read_text().split())
    now = set(published.read_all())
    kept -= {row.id for row in editions.errata(published.read_all()) if row.is_retracted}
    assert not kept - now, f"published before and now gone: {sorted(kept - now)}"
    assert not now - kept, f"new: add to tests/published_ids.txt: {sorted(now - kept)}"


def test_what_is_published_is_used():
    """No number or statement that no page quotes, no figure or table that no text refers to."""
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    role = {"number": "num", "statement": "st", "figure": "numref", "table": "numref"}
    named = [t for t in published.read_all().values() if t.kind in role]  # an explorer stands where it is made
    unused = [t.id for t in named if "{%s}`%s`" % (role[t.kind], t.id) not in text]
    assert not unused


def test_what_the_text_quotes_is_published():
    text = {page.name: page.read_text(encoding="utf-8") for page in PAGES}
    known = {(thing.kind, thing.id) for thing in published.read_all().values()}
    quoted = {
        (name, kind, identifier)
        for name, content in text.items()
        for kind, role in (("number", "num"), ("statement", "st"))
        for identifier in re.findall(r"\{%s\}`([^`]+)`" % role, content)
    }
    assert not sorted((name, identifier) for name, kind, identifier in quoted if (kind, identifier) not in known)


def test_every_figure_says_its_finding_to_those_who_do_not_see_it():
    for thing in published.read_all().values():
        if thing.kind == "figure":
            assert len(re.findall(r"\d", thing.payload["alt"])) >= 4, f"{thing.id}: the alt text has no numbers"
            assert "Figure size" not in thing.payload["alt"] and not thing.payload["title"].endswith(".")


def test_each_source_line_names_its_editions():
    for thing in published.read_all().values():
        for source in thing.payload["sources"]:
            assert source["publisher"] and source["title"] and source["licence"], (thing.id, source["source_id"])
            if source["source_id"].startswith("usgs"):
                assert source["editions"], (thing.id, source["source_id"])


def test_everything_published_leads_to_a_place_in_a_document():
    """A row's source without its page or line is hard to follow. The report's own counts lead to its tables."""
    nowhere = [
        thing.id
        for thing in published.read_all().values()
        if not any(source["locators"] or source["source_id"] == "this_report" for source in thing.payload["sources"])
    ]
    assert not nowhere


def test_ids_are_unique_over_the_book(tmp_path):
    cell = {
        "cell_type": "code",
        "source": "",
        "outputs": [{"data": {published.MIME.format(kind="number"): {"id": "twice"}}}],
    }
    for name in ("a", "b"):
        (tmp_path / f"{name}.ipynb").write_text(json.dumps({"cells": [cell]}))
    (tmp_path / "_toc.yml").write_text("format: jb-book\nroot: a\nchapters:\n- file: b\n")
    with pytest.raises(published.DuplicateId, match="'twice' is published twice: in a and in b"):
        published.read_all(tmp_path)


def test_a_chapter_that_is_missing_is_named(tmp_path):
    (tmp_path / "_toc.yml").write_text("format: jb-book\nroot: nowhere\n")
    with pytest.raises(FileNotFoundError, match="nowhere.ipynb nor nowhere.md"):
        published.chapters(tmp_path)


def test_references_are_made_from_the_list_of_sources():
    assert (REPOSITORY / "book" / "references.bib").read_text(encoding="utf-8") == bibliography.bibtex(REPOSITORY)


def test_the_books_own_citation_is_whole():
    book = load(REPOSITORY)
    assert book.title and book.authors and re.fullmatch(r"\d{4}-\d\d-\d\d", book.released)
    assert f'version = "{book.version}"' in (REPOSITORY / "pyproject.toml").read_text()
    assert str(yaml.safe_load((REPOSITORY / "data" / "datapackage.yaml").read_text())["version"]) == book.version
    assert book.version in (REPOSITORY / "CHANGELOG.md").read_text()


def test_no_output_is_kept_from_being_compared():
    """nbval can be told to skip a cell or its output; then nobody would prove what the page shows."""
    for chapter in published.chapters():
        for cell in json.loads(chapter.read_text())["cells"]:
            assert "NBVAL_" not in "".join(cell["source"]).upper(), chapter.name
            tags = set(cell["metadata"].get("tags", []))
            assert not {tag for tag in tags if tag.startswith("nbval") or tag in ("raises-exception", "skip-execution")}


def test_chapter_cells_are_short_and_end_without_a_semicolon():
    """A cell that ends in a semicolon shows nbval something else than a reader sees."""
    for chapter in published.chapters():
        for cell in json.loads(chapter.read_text())["cells"]:
            if cell["cell_type"] == "code":
                source = "".join(cell["source"])
                assert not source.rstrip().endswith(";")
                assert "savefig" not in source and "rcParams" not in source and "read_csv" not in source
                ast.parse(source)


def tracked():
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    ).stdout
    return [REPOSITORY / name for name in listed.split("\0") if name and (REPOSITORY / name).is_file()]


def test_no_path_of_one_machine_and_no_big_file_is_kept():
    for path in tracked():
        assert path.stat().st_size < 2_000_000, path
        if path.suffix in {".ttf", ".woff2", ".png"}:
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        assert not re.search(r"(?<![\w.:/])/(?:home|root|Users|tmp|work)/\w", text), path


def test_every_dependency_has_its_reason_in_the_readme():
    readme = (REPOSITORY / "README.md").read_text()
    for line in (REPOSITORY / "requirements.in").read_text().splitlines():
        name = re.split(r"[<>=\s#\[]", line.strip())[0]
        if name:
            assert f"| {name}" in readme, f"{name}: say in the README why it is there"


def test_requirements_are_pinned_with_hashes():
    text = (REPOSITORY / "requirements.txt").read_text()
    pins = [line for line in text.splitlines() if re.match(r"[a-z0-9]", line)]
    assert len(pins) > 50 and all("==" in pin and pin.endswith("\\") for pin in pins)
    assert text.count("--hash=sha256:") > len(pins)
