"""Publishing: what is stored, what is refused, and that the drawing is small, safe and the same every time."""

import json
import re
from xml.etree import ElementTree as ET

import pandas as pd
import pytest

from rareearths import data, publish
from rareearths.publish import bundle, charts, style
from rareearths.published import MIME
from rareearths.site import citation, compose
from rareearths.site.book import Book

ROWS = pd.DataFrame(
    {
        "year": [2023, 2024],
        "tonnes_reo": [255_000.0, 270_000.0],
        "source_id": ["usgs_mcs2025_csv", "usgs_mcs2026_csv"],
        "edition": ["MCS 2025", "MCS 2026"],
        "locator": ["row 1", "row 2"],
    }
)
SVG = "{http://www.w3.org/2000/svg}"
BOOK = Book("A report & more", ("Contributors",), "1.0", "2026-11-22", "CC BY 4.0", "https://example.org/book")


@pytest.fixture
def stored(monkeypatch):
    """What publishing has stored, one bundle a thing."""
    outputs = []
    monkeypatch.setattr(bundle, "display", lambda content, raw, metadata: outputs.append(content))
    return outputs


def draw(ax, narrow):
    charts.tip(ax.plot(ROWS["year"], ROWS["tonnes_reo"])[0], 'up & "away"')


FIGURE = dict(
    id="fig-test",
    title="It rose",
    subtitle="Tonnes REO",
    caption="From a table.",
    alt="It rose to 270,000 t.",
    data=ROWS,
    holds=True,
)


def make(**changes):
    publish.figure(draw, **FIGURE | changes)


def test_a_figure_carries_its_data_sources_editions_and_both_drawings(stored):
    make()
    payload = stored[0][MIME.format(kind="figure")]
    assert payload["data"]["rows"][1][:2] == [2024, 270_000]
    assert [(s["source_id"], s["editions"], s["locators"]) for s in payload["sources"]] == [
        ("usgs_mcs2025_csv", ["MCS 2025"], ["row 1"]),
        ("usgs_mcs2026_csv", ["MCS 2026"], ["row 2"]),
    ]
    assert payload["sources"][0]["licence"] and payload["sources"][0]["strength"]
    assert 'viewBox="0 0 720 380"' in stored[0]["image/svg+xml"] and 'viewBox="0 0 350 380"' in payload["narrow_svg"]
    json.dumps(payload)


def test_the_last_year_of_the_data_is_not_typed(stored):
    make()
    make(data_to="May 2026", holds=False)
    payloads = [s[MIME.format(kind="figure")] for s in stored]
    assert [(p["data_to"], p["holds"]) for p in payloads] == [("2024", True), ("May 2026", False)]


def test_a_figure_drawn_twice_is_the_same_to_the_byte(stored):
    make()
    make()
    assert stored[0] == stored[1]


def test_the_digest_follows_the_data_and_nothing_else(stored):
    make()
    make(title="Another title")
    make(data=ROWS.assign(tonnes_reo=[255_000.0, 270_001.0]))
    first, renamed, changed = (s[MIME.format(kind="figure")]["data_digest"] for s in stored)
    assert first == renamed != changed


def test_the_drawing_is_safe_inside_a_page(stored):
    """No rule that would reach the page around it, no dates, no ids that two figures could share, text as text."""
    make()
    make(id="fig-other")
    svg = stored[0]["image/svg+xml"]
    assert "<style" not in svg and "<metadata" not in svg and "<?xml" not in svg
    ids = [set(re.findall(r'id="([^"]+)"', s["image/svg+xml"])) for s in stored]
    assert not ids[0] & ids[1]
    for used in re.findall(r'(?:href="#|url\(#)([^")]+)', svg):
        assert used in ids[0]
    root = ET.fromstring(svg)
    texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert "2024" in " ".join(map(str, texts)) or "2023.5" in " ".join(map(str, texts))
    assert [t.text for t in root.iter("{http://www.w3.org/2000/svg}title")] == ['up & "away"']


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"id": "Fig 1"}, "lower-case words joined with hyphens"),
        ({"id": "china-share"}, "starts with fig-"),
        ({"alt": " "}, "alt is empty"),
        ({"caption": ""}, "caption is empty"),
        ({"alt": "x" * 800}, "at most"),
        ({"data": ROWS.head(0)}, "no data"),
        ({"holds": "yes"}, "whether the title is true"),
        ({"data": ROWS.drop(columns="year")}, "say data_to"),
        ({"data": ROWS.drop(columns="source_id")}, "no sources"),
    ],
)
def test_a_figure_without_what_it_needs_is_refused_in_a_sentence(stored, changes, message):
    with pytest.raises(publish.PublishError, match=message):
        make(**changes)
    assert not stored


def test_an_unknown_source_is_refused(stored):
    with pytest.raises(data.DataError, match="no source 'usgs_mcs1899'"):
        make(sources=["usgs_mcs1899"])


def test_a_number_is_shown_with_its_unit_and_bound_and_keeps_its_value(stored):
    publish.number("x", 71.0526, unit="%", format=".1f", sources=ROWS, note="computed")
    publish.number("y", -4321.5, unit="t", format=",.0f", sources=ROWS, note="computed", bound="more than")
    texts = [s[MIME.format(kind="number")]["text"] for s in stored]
    assert texts == ["71.1\u00a0%", "more than −4,322\u00a0t"]
    assert stored[0][MIME.format(kind="number")]["value"] == 71.0526


@pytest.mark.parametrize("value", [None, float("nan"), pd.NA])
def test_a_missing_number_is_not_published_as_anything(stored, value):
    with pytest.raises(publish.PublishError, match="missing"):
        publish.number("x", value, unit="t", format=".0f", sources=ROWS, note="n")


def test_a_statement_needs_a_test_that_gives_true_or_false(stored):
    publish.statement(
        "s", "It rose.", ROWS["tonnes_reo"].is_monotonic_increasing, sources=ROWS, test="later above earlier"
    )
    assert stored[0][MIME.format(kind="statement")]["holds"] is True
    with pytest.raises(publish.PublishError, match="true or false"):
        publish.statement("s", "It rose.", "yes", sources=ROWS, test="t")


def test_a_table_shows_missing_as_a_dash_and_escapes_text(stored):
    rows = ROWS.assign(tonnes_reo=[None, -5.0], name=["<b>", "A & B"])
    publish.table(
        rows,
        id="tab-x",
        title="T",
        caption="C",
        data_to=2024,
        columns={"name": "Name", "tonnes_reo": "t"},
        formats={"tonnes_reo": ",.0f"},
    )
    html = stored[0]["text/html"]
    assert "–</td>" in html and "−5</td>" in html and "&lt;b&gt;" in html and "A &amp; B" in html
    with pytest.raises(publish.PublishError, match="no column nothing"):
        publish.table(rows, id="tab-x", title="T", caption="C", data_to=2024, columns={"nothing": "N"})


def test_a_citation_names_figure_and_data_producers_in_every_format(stored):
    make()
    forms = citation.render(citation.references(stored[0][MIME.format(kind="figure")], BOOK, "Figure 1.1", "p.html"))
    for form in forms.values():
        assert "https://example.org/book/p.html#fig-test" in form
        assert form.count("Geological Survey") >= 2
    entries = json.loads(forms["csl.json"])
    assert [e["type"] for e in entries] == ["graphic", "dataset", "dataset"]
    assert forms["bib"].count("@misc{") == 3 and forms["bib"].count("{") == forms["bib"].count("}")
    assert r"A report \& more" in forms["bib"]
    assert forms["ris"].count("TY  - ") == forms["ris"].count("ER  - ") == 3


def test_bibtex_is_read_back_by_a_bibtex_reader(stored):
    from pybtex.database import parse_string

    make()
    forms = citation.render(citation.references(stored[0][MIME.format(kind="figure")], BOOK, "Figure 1.1", "p.html"))
    entries = parse_string(forms["bib"], "bibtex").entries
    assert list(entries) == ["fig-test", "usgs_mcs2025_csv", "usgs_mcs2026_csv"]
    assert entries["usgs_mcs2026_csv"].fields["year"] == "2026"


def test_editions_of_years_in_a_row_are_named_as_a_range():
    assert (
        citation.join_editions(["MCS 2005", "MCS 2006", "MCS 2007", "MCS 2026", "MCS 2026 v1.3"])
        == "MCS 2005 to MCS 2007, MCS 2026, MCS 2026 v1.3"
    )


def test_a_composed_drawing_stands_alone_and_becomes_a_png(stored):
    make()
    svg = compose.compose(stored[0]["image/svg+xml"], "It rose " * 20, "Tonnes", ["Sources: somebody."])
    ET.fromstring(svg)
    ET.fromstring(compose.with_font(svg))
    assert "font/woff2" in compose.with_font(svg)
    png = compose.to_png(svg)
    assert png.startswith(b"\x89PNG")
    width = int.from_bytes(png[16:20], "big")
    assert width == pytest.approx((720 + 32) * 300 / 96, abs=1)


def test_lines_are_broken_where_they_fit():
    lines = compose.wrap("one two three four five six seven eight nine ten", 18, 600, 120)
    assert len(lines) > 2 and all(compose.text_width(line, 18, 600) <= 120 for line in lines)


def test_the_outline_of_a_marker_turns_with_the_theme(stored):
    """The page turns colours of what is drawn, not of definitions; so none may stand in a definition alone."""

    def circles(ax, narrow):
        ax.plot(
            ROWS["year"], ROWS["tonnes_reo"], "o", markerfacecolor=style.PAPER.light, markeredgecolor=style.INK.light
        )

    publish.figure(circles, **FIGURE)
    svg = ET.fromstring(stored[0]["image/svg+xml"])
    defined = [path for defs in svg.iter(f"{SVG}defs") for path in defs.iter(f"{SVG}path")]
    assert defined and not [path for path in defined if path.get("stroke") or path.get("fill")]
    assert [use for use in svg.iter(f"{SVG}use") if use.get("stroke") == style.INK.light]


def test_hatched_bars_keep_their_hatch(stored):
    def hatched(ax, narrow):
        ax.bar(ROWS["year"], ROWS["tonnes_reo"], hatch="//", facecolor="none", edgecolor=style.INK.light)

    publish.figure(hatched, **FIGURE)
    svg = ET.fromstring(stored[0]["image/svg+xml"])
    patterns = {pattern.get("id") for pattern in svg.iter(f"{SVG}pattern")}
    filled = {path.get("fill", "")[5:-1] for path in svg.iter(f"{SVG}path") if path.get("fill", "").startswith("url(#")}
    assert filled and filled <= patterns


TABLE = dict(id="tab-x", title="T", caption="C", data_to=2024, columns={"year": "Year", "tonnes_reo": "t REO"})


def test_a_line_of_a_table_can_have_an_address_and_lead_somewhere(stored):
    rows = ROWS.assign(page=["https://example.org/?a=1&b=2", None])
    publish.table(rows, **TABLE, anchor="year-{year}", links={"tonnes_reo": "page"})
    html = stored[0]["text/html"]
    assert '<tr id="year-2023">' in html and '<tr id="year-2024">' in html
    assert '<a href="https://example.org/?a=1&amp;b=2">255000</a>' in html and html.count("<a ") == 1


def test_lines_of_a_table_can_be_chosen_by_columns_that_are_not_shown(stored):
    rows = ROWS.assign(element=["Dy;Tb", None], actor=["A|B", "<C>"])
    publish.table(rows, **TABLE, filters={"element": "Element", "actor": "Actor"}, words="actor")
    html = stored[0]["text/html"]
    assert 'data-words="A|B"' in html and 'data-words="&lt;C&gt;"' in html
    assert '<table class="ev-filtered" data-facets="Element|Actor">' in html
    assert '<tr data-facets="Dy;Tb|A/B"' in html and '<tr data-facets="–|&lt;C&gt;"' in html


def test_cards_list_the_columns_of_each_row_under_its_heading(stored):
    rows = ROWS.assign(symbol=["Dy", "Tb"], what=["one\ntwo", None])
    options = TABLE | {"columns": {"what": "What", "tonnes_reo": "t REO"}, "formats": {"tonnes_reo": ",.0f"}}
    publish.cards(rows, **options, heading="{symbol} <1>", anchor="element-{symbol}")
    html = stored[0]["text/html"]
    assert '<section class="ev-card" id="element-dy" aria-label="Dy &lt;1&gt;">' in html
    assert "<dd>one<br>two</dd>" in html and "<dd>–</dd>" in html and "<dd>255,000</dd>" in html
    assert stored[0][MIME.format(kind="table")]["data"]["rows"][0][-2:] == ["Dy", "one\ntwo"]


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"anchor": "same"}, "two rows with the anchor same"),
        ({"anchor": "{year}"}, "cannot be an anchor"),
        ({"links": {"year": "nowhere"}}, "no column nowhere"),
        ({"id": "table"}, "starts with tab-"),
    ],
)
def test_a_table_that_cannot_be_addressed_is_refused(stored, changes, message):
    with pytest.raises(publish.PublishError, match=message):
        publish.table(ROWS, **TABLE | changes)
    assert not stored
