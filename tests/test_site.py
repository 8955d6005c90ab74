"""The built site as files: links inside it, downloads, citations, the register, and what pages weigh."""

import csv
import gzip
import html
import io
import json
import re
import zipfile
from html.parser import HTMLParser
from urllib.parse import unquote, urldefrag, urljoin

import pytest

from rareearths import data, published
from rareearths.site import answers, evidence

HEAVIEST = 500_000
"""Bytes of a page, compressed."""

FIGURE_FILES = ("svg", "png", "csv", "json", "zip", "bib", "ris", "csl.json")
TABLE_FILES = ("csv", "json", "zip", "bib", "ris", "csl.json")


class Page(HTMLParser):
    """Links, ids and loaded files of a page."""

    def __init__(self, text):
        super().__init__()
        self.links, self.ids, self.loaded, self.inline = [], [], [], []
        self._in_script = False
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if attributes.get("id"):
            self.ids.append(attributes["id"])
        if tag == "a" and attributes.get("href"):
            self.links.append(attributes["href"])
        if tag == "link" and attributes.get("rel") in ("stylesheet", "icon", "shortcut icon"):
            self.loaded.append(attributes["href"])
        if tag in ("script", "img", "iframe", "source") and attributes.get("src"):
            self.loaded.append(attributes["src"])
        self._in_script = (
            tag == "script" and attributes.get("type") != "application/ld+json"
        )  # names things, asks nobody

    def handle_endtag(self, tag):
        self._in_script = False

    def handle_data(self, text):
        if self._in_script:
            self.inline.append(text)


@pytest.fixture(scope="session")
def pages(site):
    return {
        path.relative_to(site).as_posix(): Page(path.read_text(encoding="utf-8"))
        for path in sorted(site.rglob("*.html"))
    }


def test_every_link_inside_the_site_leads_somewhere(site, pages):
    broken = []
    for name, page in pages.items():
        for link in page.links + page.loaded:
            if re.match(r"[a-z]+:", link) or link.startswith("//"):
                continue
            target, fragment = urldefrag(urljoin(name, unquote(link.split("?")[0] if "#" not in link else link)))
            target = target or name
            if not (site / target).is_file():
                broken.append((name, link))
            elif fragment and target in pages and unquote(fragment) not in pages[target].ids:
                broken.append((name, link))
    assert not broken


def test_no_id_stands_twice_on_a_page(pages):
    for name, page in pages.items():
        twice = {i for i in page.ids if page.ids.count(i) > 1}
        assert not twice, (name, twice)


def test_pages_load_nothing_from_anybody_else(pages):
    for name, page in pages.items():
        assert not [f for f in page.loaded if re.match(r"(https?:)?//", f)], name
        assert not [s for s in page.inline if "http" in s], name


def test_no_page_is_heavy(site):
    """With what a page loads at once; rows of tables come when asked for."""
    for file in site.rglob("*.html"):
        assert len(gzip.compress(file.read_bytes())) <= HEAVIEST, file


def test_the_data_package_of_the_site_is_whole(site):
    from frictionless import Package

    package = Package(str(site / "data" / "datapackage.json"))
    assert [resource.name for resource in package.resources] == data.tables()
    for name in data.tables():
        path = data.describe(name)["path"]
        assert (site / "data" / path).read_bytes() == (data.root() / path).read_bytes()
    with zipfile.ZipFile(site / "data" / "rare-earths-data.zip") as archive:
        assert {"datapackage.json", *(data.describe(name)["path"] for name in data.tables())} <= set(archive.namelist())


def plain(text):
    """A text without marks, whatever its first letter."""
    words = " ".join(html.unescape(re.sub(r"<[^>]+>", "", text)).replace("`", "").replace("**", "").split())
    return words[:1].lower() + words[1:]


def test_every_table_has_its_entry_in_the_catalogue(site, pages):
    for name in data.tables():
        resource = data.describe(name)
        page = f"book/reference/data/{resource['subject']}.html"
        text = (site / page).read_text(encoding="utf-8")
        entry = text[text.index(f'id="table-{name}"') :]
        for key in ("title", "description", "coverage", "limitations", "licence_note", "attribution", "update_rhythm"):
            assert plain(resource[key])[1:] in plain(entry), (name, key)
        for field in resource["schema"]["fields"]:
            assert f"<code>{field['name']}</code>" in entry, (name, field["name"])


def test_the_rows_to_view_are_those_of_the_table(site):
    for name in data.tables():
        view = (site / "data" / "view" / f"{name}.js").read_text(encoding="utf-8")
        content = json.loads(view.removeprefix("rareearthsTable(").removesuffix(");\n"))
        path = data.root() / data.describe(name)["path"]
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file))[1:]
        assert [sorted(row) for row in content["rows"]] == [sorted(row) for row in rows]


def test_search_engines_are_told_of_every_table(site):
    told = {}
    for page in (site / "book" / "reference" / "data").glob("*.html"):
        for found in re.findall(
            r'<script type="application/ld\+json">(.*?)</script>', page.read_text(encoding="utf-8")
        ):
            content = json.loads(found)
            assert content["@context"] == "https://schema.org/"
            told |= {thing["name"]: thing for thing in content["@graph"]}
    for name in data.tables():
        dataset = told[data.describe(name)["title"]]
        assert dataset["@type"] == "Dataset" and 50 <= len(dataset["description"]) <= 5000
        assert dataset["license"].startswith("https://") and dataset["creator"] and dataset["usageInfo"]
        assert dataset["distribution"]["contentUrl"].endswith(data.describe(name)["path"])
    assert any(thing["@type"] == "DataCatalog" for thing in told.values())


def test_each_figure_and_table_has_all_its_files(site):
    for thing in published.read_all().values():
        if thing.kind in ("figure", "table"):
            for suffix in FIGURE_FILES if thing.kind == "figure" else TABLE_FILES:
                file = site / f"{thing.kind}s" / f"{thing.id}.{suffix}"
                assert file.stat().st_size > 50, file


def test_the_csv_of_a_figure_holds_its_data_with_their_sources(site):
    thing = published.read_all()["fig-mine-output"]
    rows = list(csv.DictReader(io.StringIO((site / "figures" / "fig-mine-output.csv").read_text(encoding="utf-8"))))
    assert len(rows) == len(thing.payload["data"]["rows"])
    found = [r for r in rows if r["publisher"] == "USGS" and r["year"] == "2024" and r["country_iso3"] == "CHN"]
    assert [(r["tonnes_reo"], r["edition"]) for r in found] == [("270000", "MCS 2026")]
    assert found[0]["source_id"] and found[0]["locator"]


def test_the_archive_of_a_figure_explains_itself(site):
    with zipfile.ZipFile(site / "figures" / "fig-china-mine-share.zip") as archive:
        names = {name.rsplit("/", 1)[-1] for name in archive.namelist()}
        readme = archive.read("fig-china-mine-share/README.txt").decode()
    assert {"README.txt", "fig-china-mine-share.svg", "fig-china-mine-share.png", "fig-china-mine-share.csv"} <= names
    assert "How to cite" in readme and "licence" in readme and "British Geological Survey" in readme


def test_the_metadata_of_a_figure_are_whole(site):
    content = json.loads((site / "figures" / "fig-china-mine-share.json").read_text())
    assert content["number"] == "Figure 3.2"
    for key in (
        "title",
        "subtitle",
        "caption",
        "alt",
        "data",
        "data_to",
        "data_digest",
        "sources",
        "licence",
        "book",
        "citation",
    ):
        assert content[key], key


def test_the_register_lists_everything_published(site):
    register = json.loads((site / "published.json").read_text())
    listed = {entry["id"]: entry for entry in register["published"]}
    assert set(listed) == set(published.read_all())
    for entry in listed.values():
        page = (site / entry["page"]).read_text(encoding="utf-8")
        assert f'id="{entry["anchor"]}"' in page, entry["id"]


def test_prose_shows_numbers_linked_to_their_notes(site):
    page = (site / "book" / "chapters" / "03_who_mines.html").read_text(encoding="utf-8")
    thing = published.read_all()["china-mine-share-2010"]
    assert f'<a class="ev-num" href="#note-china-mine-share-2010">{thing.payload["text"]}</a>' in page
    note = page[page.index('id="note-china-mine-share-2010"') :][:2500]
    assert html.escape(thing.payload["note"]) in note and "Critical Materials Atlas" in note


def test_a_number_quoted_on_another_page_has_its_note_there_too(site):
    page = (site / "book" / "index.html").read_text(encoding="utf-8")
    assert 'id="note-china-mine-share-2024"' in page
    assert 'href="chapters/03_who_mines.html#note-china-mine-share-2024"' in page


def test_one_page_gives_the_answer_of_every_chapter(site, pages):
    where = "book/reference/answers.html"
    assert "reference/answers.html" in pages["book/index.html"].links
    page = html.unescape((site / where).read_text(encoding="utf-8")).replace("’", "'")
    for notebook in published.chapters():
        said = answers.opening(notebook)
        assert f"chapters/{notebook.stem}.html" in pages["book/index.html"].links
        assert f"../chapters/{notebook.stem}.html" in pages[where].links
        assert said.question in page, notebook.stem
        quoted = re.findall(r"{(?:num|st)}`([^`]+)`", said.answer)
        assert quoted, f"{notebook.stem}: the answer quotes no published number or statement"
        assert {f"note-{name}" for name in quoted} <= set(pages[where].ids)


def test_the_first_page_is_the_report_on_one_page(site):
    """The answer comes before all else, five figures with their links follow, and the page stays light."""
    page = (site / "book" / "index.html").read_text(encoding="utf-8")
    assert page.index("admonition") < page.index("<h2") and "admonition" in page[page.index("The question.") :][:900]
    shown = re.findall(r'class="ev-title" id="shown-([^"]+)"><a href="([^"]+)"', page)
    assert len(shown) == 5
    for name, link in shown:
        assert link == published.read_all()[name].page.removeprefix("book/") + f"#{name}"
    assert len(gzip.compress(page.encode())) < 150_000


@pytest.mark.parametrize(
    "text",
    [
        "# T\n\nNo question.\n",
        "# T\n\n**The question.** Why?\n",
        "**The question.** Why?\n\n```{admonition} Answer\nA.\n```\n",
    ],
)
def test_a_chapter_without_question_or_answer_is_told(tmp_path, text):
    notebook = tmp_path / "01_x.ipynb"
    notebook.write_text(json.dumps({"cells": [{"source": text.splitlines(keepends=True)}]}))
    with pytest.raises(answers.NoAnswer, match="01_x.ipynb: the first cell has to hold"):
        answers.opening(notebook)


def test_figures_and_tables_are_numbered_by_the_chapter_of_their_file(site):
    for notebook in published.chapters():
        things = [thing for thing in published.read(notebook) if thing.kind in ("figure", "table")]
        page = (site / "book" / "chapters" / f"{notebook.stem}.html").read_text(encoding="utf-8")
        shown = re.findall(r'caption-number">((?:Figure|Table) [\d.]+)<', page)
        chapter = int(notebook.stem[:2])
        assert shown == [thing.number for thing in things]
        for kind in ("Figure", "Table"):
            of_kind = [number for number in shown if number.startswith(kind)]
            assert of_kind == [f"{kind} {chapter}.{i}" for i in range(1, len(of_kind) + 1)]


def test_each_chapter_has_the_evidence_it_should():
    """Four to eight figures and one to four tables a chapter; those on claims and findings lead to figures of others."""
    for notebook in published.chapters():
        kinds = [thing.kind for thing in published.read(notebook)]
        least = 1 if notebook.stem in ("14_claims", "15_findings") else 4
        assert least <= kinds.count("figure") <= 8, notebook.stem
        assert 1 <= kinds.count("table") <= 4, notebook.stem


def test_the_code_of_each_figure_can_be_reached(pages):
    for thing in published.read_all().values():
        assert f"code-{thing.id}" in pages[thing.page].ids


def test_formulas_need_no_script(site):
    page = (site / "book" / "chapters" / "03_who_mines.html").read_text(encoding="utf-8")
    assert "<math" in page and "mathjax" not in page.lower()


def test_a_figure_of_many_documents_counts_them_and_lists_them_on_demand(site):
    many = [
        thing
        for thing in published.read_all().values()
        if thing.kind == "figure" and len(thing.payload["sources"]) > evidence.MOST_NAMED
    ]
    assert many
    for thing in many:
        page = (site / thing.page).read_text(encoding="utf-8")
        figure = page[page.index(f'id="{thing.id}"') :]
        line = figure[figure.index('<details class="ev-source') :]
        line = html.unescape(line[: line.index("</details>")])
        assert f"Sources: {len(thing.payload['sources'])} documents of" in line
        for source in thing.payload["sources"]:
            assert source["publisher"] in line and (source["editions"] or source["title"] in line)
