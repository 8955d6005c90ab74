"""The reference pages: glossary and its links, methods from the library, errata, changes between editions."""

import dataclasses
import html
import json
import re
from types import SimpleNamespace

import pytest
from docutils import nodes
from docutils.utils import new_document

from rareearths import edition, indicators, published
from rareearths.site import editions, glossary, methods
from tests.conftest import REPOSITORY, rareearths

LINK = re.compile(r'<a class="ev-term[^>]*href="[^"#]*#(term-[^"]+)" id="use-\1" title="([^"]+)">(.+?)</a>', re.DOTALL)
ENTRY = re.compile(r"((?:<dt.*?</dt>\s*)+)<dd>(.*?)</dd>", re.DOTALL)


def plain(text):
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", text)).split())


@pytest.fixture(scope="module")
def terms(site):
    """Each entry of the built glossary: its anchors, its written forms and its text."""
    page = (site / f"{glossary.PAGE}.html").read_text(encoding="utf-8")
    return [
        (
            re.findall(r'<dt id="([^"]+)"', names),
            [
                plain(re.sub(r'<a class="headerlink.*?</a>', "", each))
                for each in re.findall(r"<dt.*?</dt>", names, re.DOTALL)
            ],
            plain(text),
        )
        for names, text in ENTRY.findall(page[page.index('<dl class="') :])
    ]


@pytest.fixture(scope="module")
def uses(site):
    """Links to the glossary on each page that has them: anchor, what is said of it, the words that are linked."""
    return {name: LINK.findall((site / f"{name}.html").read_text(encoding="utf-8")) for name in glossary.linked_pages()}


def test_each_term_is_defined_once(terms):
    forms = [form.lower() for _, names, _ in terms for form in names]
    assert len(terms) >= 40 and sorted(forms) == sorted(set(forms))


def test_each_term_is_used_in_a_chapter_or_under_methods(terms, uses):
    used = {anchor for links in uses.values() for anchor, _, _ in links}
    assert not [names[0] for anchors, names, _ in terms if anchors[0] not in used], "take them out, or use them"


def test_the_first_use_on_a_page_is_linked_and_no_other(uses):
    for name, links in uses.items():
        anchors = [anchor for anchor, _, _ in links]
        assert len(anchors) == len(set(anchors)), name
    assert sum(map(bool, uses.values())) == len(uses)


def test_a_link_says_the_first_sentence_of_the_definition(terms, uses):
    said = {anchors[0]: text for anchors, _, text in terms}
    for name, links in uses.items():
        for anchor, tip, _ in links:
            assert said[anchor].startswith(html.unescape(tip)) and len(tip) > 10, (name, anchor)


def test_no_term_is_linked_in_a_heading_a_table_a_link_or_a_published_sentence(site, uses):
    for name in uses:
        page = (site / f"{name}.html").read_text(encoding="utf-8")
        for place in re.findall(
            r"<(?:h\d|table|figcaption|pre|a)\b.*?</(?:h\d|table|figcaption|pre|a)>", page, re.DOTALL
        ):
            assert 'class="ev-term' not in place[2:] or place.startswith('<a class="ev-term'), (name, place[:200])


def test_the_glossary_names_the_chapters_that_use_a_term(site, terms, uses):
    page = (site / f"{glossary.PAGE}.html").read_text(encoding="utf-8")
    for notebook in published.chapters():
        for anchor, _, _ in uses[published.docname(notebook)]:
            assert f'href="../chapters/{notebook.stem}.html#use-{anchor}"' in page


TERMS = [
    glossary.Entry("term-quota", ("quota", "export quota"), "A ceiling"),
    glossary.Entry("term-REO", ("REO", "rare-earth oxide"), "Weight"),
    glossary.Entry("term-duty", ("duty",), "A tax"),
]


def page_of(*parts):
    document = new_document("page")
    for part in parts:
        document += part if isinstance(part, nodes.Node) else nodes.paragraph("", part)
    return document


@pytest.mark.parametrize(
    "parts, linked",
    [
        (["An export\nquota and a quota in REO."], ["export\nquota", "REO"]),
        (["Duties, then a duty."], ["Duties"]),
        (["Reo is not written so; non-REO is one word, quotation another."], []),
        ([nodes.title("", "Quota"), nodes.literal_block("", "quota"), "The quota."], ["quota"]),
        ([nodes.paragraph("", "", nodes.reference("", "quota", refuri="x"), nodes.Text(" quotas"))], ["quotas"]),
        ([nodes.paragraph("", "", nodes.strong("", "Quotas."))], ["Quotas"]),
    ],
)
def test_what_is_linked_on_a_page(parts, linked):
    document = page_of(*parts)
    before = document.astext()
    glossary.link(document, TERMS, "glossary.html")
    made = [node for node in document.findall(nodes.reference) if "ev-term" in node["classes"]]
    assert [node.astext() for node in made] == linked and document.astext() == before
    assert all(node["reftitle"] and node["refuri"].startswith("glossary.html#term-") for node in made)


def test_every_indicator_stands_under_methods_with_its_formula(site):
    page = (site / "book/reference/methods.html").read_text(encoding="utf-8")
    for name, function in methods.functions(indicators).items():
        item = page[page.index(f'id="{nodes.make_id(f"indicators-{name}")}"') :]
        item = item[: item.index("In the library")]
        assert "<math" in item and "Formula" in methods.parts(function), name
        words = re.findall(r"\w+", methods.parts(function)[""].lower())
        assert words == re.findall(r"\w+", plain(item[item.index("<strong") :]).lower())[: len(words)], name


def test_the_equations_of_the_model_are_those_of_its_chapter(site, tmp_path):
    cells = [
        {
            "cell_type": "markdown",
            "source": ["# T\n", "\n", "*Price.* See [this](x.md):\n", "\n", "$$a = b \\qquad (1)$$\n"],
        }
    ]
    notebook = tmp_path / "12_x.ipynb"
    notebook.write_text(json.dumps({"cells": [*cells, {"cell_type": "markdown", "source": "## H\n\n$$c$$"}]}))
    assert methods.equations(notebook) == [("*Price.* See this:", "a = b \\qquad (1)"), ("", "c")]
    chapter = [path for path in published.chapters() if path.stem.startswith("12_")]
    page = (site / "book/reference/methods.html").read_text(encoding="utf-8")
    shown = page[page.index('id="equations"') :].split("</section>")[0] if 'id="equations"' in page else ""
    assert shown.count('display="block"') == sum(len(methods.equations(path)) for path in chapter)


HEAD = ",".join(editions.COLUMNS) + "\n"
ROW = "china-mine-share-2024,book/chapters/03_who_mines,0.1.0,0.2.0,2027-01-05,It said 70 %,It is 71 %,no\n"
GONE = "fig-gone,book/chapters/03_who_mines,0.1.0,0.2.0,2027-02-05,It was drawn twice,Nothing takes its place,yes\n"


def listed(tmp_path, *rows):
    path = tmp_path / "errata.csv"
    path.write_text(HEAD + "".join(rows))
    return editions.errata(published.read_all(), path)


def test_the_list_of_errata_can_be_read_and_is_shown(site):
    rows = editions.errata(published.read_all())
    page = (site / f"{editions.ERRATA_PAGE}.html").read_text(encoding="utf-8")
    assert page.count('id="erratum-') == len(rows) and ("None so far" in page) == (not rows)


def test_an_erratum_says_what_is_right_and_leads_to_the_thing(tmp_path):
    first, second = listed(tmp_path, ROW, GONE)
    assert (first.id, second.id) == ("fig-gone", "china-mine-share-2024"), "the latest first"
    shown = editions.errata_html([first, second], "../../")
    assert 'href="../../book/chapters/03_who_mines.html#note-china-mine-share-2024"' in shown
    assert editions.errata_html([first, first], "").count('id="erratum-fig-gone"') == 1
    assert "It said 70 %" in shown and "It is 71 %" in shown and "retracted in 0.2.0" in shown


def test_a_retracted_id_still_leads_somewhere(tmp_path):
    for here, anchors in (("book/chapters/03_who_mines", ["fig-gone"]), ("book/index", [])):
        env = SimpleNamespace(
            docname=here, rareearths_errata=listed(tmp_path, ROW, GONE), note_dependency=lambda path: None
        )
        document = page_of("Text.")
        editions.keep_retracted(SimpleNamespace(env=env), document)
        assert [i for node in document.findall(nodes.paragraph) for i in node["ids"]] == anchors
        links = [node["refuri"] for node in document.findall(nodes.reference)]
        assert links == ["../../book/reference/errata.html#erratum-fig-gone"] * len(anchors)


@pytest.mark.parametrize(
    "row, said",
    [
        (ROW.replace("2027-01-05", "May"), "row 2, column found: 'May'"),
        (ROW.replace("03_who_mines", "03_nobody"), "column page"),
        (ROW.replace("china-mine-share-2024", "no-such-id"), "column id: 'no-such-id'"),
        (ROW.replace(",no\n", ",yes\n"), "an id that is no longer published"),
        (ROW.replace(",no\n", "\n"), "row 2: 7 cells"),
    ],
)
def test_a_wrong_row_of_the_errata_is_named(tmp_path, row, said):
    with pytest.raises(editions.ErrataError, match=re.escape(said)):
        listed(tmp_path, row)


def record(version, **things):
    made = {}
    for name, (text, sources) in things.items():
        made[name.replace("_", "-")] = {
            "kind": "number",
            "page": "book/chapters/03_who_mines",
            "says": "As printed",
            "text": text,
            "sources": sources,
        }
    digest = "new" if version == "0.2.0" else "old"
    return edition.Edition(
        version, "2026-11-22", made, {"book/chapters/03_who_mines": {"mine": digest, "trade": "same"}}
    )


OLD = record("0.1.0", share=("70 %", {"a": ["MCS 2025"]}), gone=("1 t", {"a": ["MCS 2025"]}), same=("2 t", {}))
NEW = record("0.2.0", share=("71 %", {"b": ["MCS 2026"]}), same=("2 t", {}), fresh=("3 t", {}))


def test_two_editions_are_compared():
    found = {change.id: change for change in published.compare(OLD.published, NEW.published)}
    assert {name: change.kind for name, change in found.items()} == {
        "gone": "withdrawn",
        "share": "changed",
        "fresh": "added",
    }
    assert found["share"].said == ("70 % -> 71 %",)
    assert edition.why(found["share"], OLD, NEW) == [
        "source added b",
        "source dropped a",
        "tables of the chapter that changed: mine",
    ]
    assert not edition.why(found["fresh"], OLD, NEW)


def test_the_page_of_changes_shows_old_and_new_and_why():
    found = published.compare(OLD.published, NEW.published)
    shown = editions.changes_html(found, OLD, NEW, "../../", retracted={"gone"})
    assert "<del>70 %</del> <ins>71 %</ins>" in shown and "source added b" in shown
    assert 'href="../../book/chapters/03_who_mines.html#note-share"' in shown
    assert ">3 · Who mines</a>" in shown
    assert "retracted" in shown and "same" not in re.sub(r"<[^>]+>", "", shown)


def test_a_statement_that_is_reworded_or_fails_is_told():
    old = {"kind": "statement", "page": "p", "says": "It rose.", "holds": True, "sources": {}}
    for new, said in (
        (old | {"says": "It fell."}, "worded otherwise"),
        (old | {"holds": False}, "no longer holds"),
    ):
        (change,) = published.compare({"s": old}, {"s": new})
        assert change.said == (said,)
        assert said in editions.changes_html([change], OLD, NEW, "", set())


def test_an_edition_is_frozen_once_and_read_back(tmp_path):
    path = edition.freeze(OLD, tmp_path)
    content = path.read_bytes()
    assert edition.load(path) == OLD and edition.freeze(OLD, tmp_path) == path and path.read_bytes() == content
    with pytest.raises(ValueError, match="edition 0.1.0 was frozen with other content"):
        edition.freeze(dataclasses.replace(NEW, version="0.1.0"), tmp_path)
    assert path.read_bytes() == content


def test_the_last_edition_is_the_newest_of_the_others(tmp_path):
    assert edition.last("0.1.0", tmp_path) is None
    for version in ("0.2.0", "0.9.0", "0.10.0", "0.11.0"):
        edition.freeze(dataclasses.replace(OLD, version=version), tmp_path)
    assert edition.last("0.11.0", tmp_path).version == "0.10.0"


def test_a_file_that_is_no_record_is_named(tmp_path):
    (tmp_path / "0.1.0.json").write_text('{"version": "0.3.0"}')
    with pytest.raises(ValueError, match="0.1.0.json: not a record of edition 0.1.0"):
        edition.last("0.2.0", tmp_path)


def test_what_a_frozen_edition_published_is_what_its_version_still_publishes():
    now = edition.current()
    path = edition.FOLDER / f"{now.version}.json"
    assert not path.is_file() or path.read_text(encoding="utf-8") == edition.text(now), (
        "this edition is frozen: give what has changed since the next version"
    )


def test_the_page_of_changes_names_the_edition_before(site):
    now = edition.current()
    before = edition.last(now.version)
    page = plain((site / "book/reference/changes.html").read_text(encoding="utf-8"))
    assert (f"against edition {before.version}" if before else f"This is edition {now.version}, the first") in page


def test_the_command_says_what_has_changed():
    said = rareearths("edition")
    before = edition.last(edition.current().version)
    assert said.returncode == 0 and (before or "is the first edition" in said.stdout), said.stderr


def test_errata_keep_what_was_retracted_out_of_the_book():
    kept = set((REPOSITORY / "tests" / "published_ids.txt").read_text().split())
    assert {row.id for row in editions.errata(published.read_all()) if row.is_retracted} <= kept
