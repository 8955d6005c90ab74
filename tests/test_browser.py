"""The built site in a real browser: what readers see, and what the controls do."""

import datetime
import io
import re
from urllib.parse import urlparse

import pytest

from rareearths import controls, published
from rareearths.site import catalogue
from rareearths.site.catalogue import entry
from rareearths.site.matrix import LEGEND

pytestmark = pytest.mark.browser

CHAPTER = "book/chapters/03_who_mines.html"
CHAPTERS = [f"book/chapters/{notebook.stem}.html" for notebook in published.chapters()]
CATALOGUE = "book/reference/data/"
PAGES = [
    "book/index.html",
    *CHAPTERS,
    *(f"book/reference/{name}.html" for name in ("answers", "glossary", "methods", "how_to_cite", "changes", "errata")),
    "book/reference/record_for_programs.html",
    *(f"{CATALOGUE}{name}.html" for name in ("index", *catalogue.subjects())),
    "search.html",
]
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 375, "height": 740}


@pytest.fixture
def open_page(browser, address):
    """Open a page; gives the page, what its console said and where its requests went."""
    contexts = []

    def open_(path, viewport=DESKTOP, scheme="light", **options):
        context = browser.new_context(viewport=viewport, color_scheme=scheme, accept_downloads=True, **options)
        contexts.append(context)
        page = context.new_page()
        page.said, page.asked = [], []
        page.on(
            "console", lambda message: page.said.append(message.text) if message.type in ("error", "warning") else None
        )
        page.on("pageerror", lambda error: page.said.append(str(error)))
        page.on("request", lambda request: page.asked.append(request.url))
        page.goto(f"{address}/{path}")
        page.wait_for_load_state("networkidle")
        return page

    yield open_
    for context in contexts:
        context.close()


@pytest.mark.parametrize("path", PAGES)
def test_a_page_loads_without_an_error_and_asks_nobody_else(open_page, address, path):
    page = open_page(path)
    assert page.said == []
    assert {urlparse(url).netloc for url in page.asked if not url.startswith("data:")} == {urlparse(address).netloc}


@pytest.mark.parametrize("path", PAGES)
def test_a_phone_does_not_scroll_sideways(open_page, path):
    page = open_page(path, viewport=PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", CHAPTERS)
def test_every_figure_can_be_seen_in_both_themes(open_page, path, scheme, viewport):
    """Each drawing has enough pixels that stand out from its background, and its text is large enough to read."""
    from PIL import Image

    page = open_page(path, viewport=viewport, scheme=scheme)
    figures = page.locator("figure.ev-figure")
    assert figures.count() == sum(
        thing.kind == "figure" and thing.page == path for thing in published.read_all().values()
    )
    for position in range(figures.count()):
        name = figures.nth(position).get_attribute("id")
        chart = figures.nth(position).locator(".ev-chart:visible")
        assert chart.count() == 1, name
        chart.scroll_into_view_if_needed()
        image = Image.open(io.BytesIO(chart.screenshot())).convert("L")
        background = image.getpixel((1, image.height - 2))
        assert (background < 60) == (scheme == "dark"), name
        marked = sum(count for value, count in enumerate(image.histogram()) if abs(value - background) > 60)
        assert marked / (image.width * image.height) > 0.008, name
        least = chart.evaluate(
            "c => Math.min(...[...c.querySelectorAll('svg text')].map(t => parseFloat(getComputedStyle(t).fontSize)"
            " * c.querySelector('svg').getBoundingClientRect().width / c.querySelector('svg').viewBox.baseVal.width))"
        )
        assert least >= 10.5, name


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_first_page_shows_one_drawing_of_each_of_its_figures(open_page, viewport):
    figures = open_page("book/index.html", viewport=viewport).locator("figure.ev-shown")
    assert [figures.nth(i).locator(".ev-chart:visible").count() for i in range(figures.count())] == [1] * 5


LABELS = """chart => {
  const frame = chart.querySelector('svg').getBoundingClientRect();
  const seen = [...chart.querySelectorAll('svg text')].filter(t => t.textContent.trim())
    .map(t => ({text: t.textContent, box: t.getBoundingClientRect()}));
  const cut = seen.filter(({box}) => box.left < frame.left - 2 || box.right > frame.right + 2
    || box.top < frame.top - 2 || box.bottom > frame.bottom + 2).map(({text}) => 'cut off: ' + text);
  const laid = [];
  seen.forEach((one, i) => seen.slice(i + 1).forEach(other => {
    const across = Math.min(one.box.right, other.box.right) - Math.max(one.box.left, other.box.left);
    const down = Math.min(one.box.bottom, other.box.bottom) - Math.max(one.box.top, other.box.top);
    if (across > 3 && down > 0.4 * Math.min(one.box.height, other.box.height))
      laid.push(one.text + ' over ' + other.text);
  }));
  return [...cut, ...laid];
}"""


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("path", CHAPTERS)
def test_no_label_of_a_figure_is_cut_off_or_laid_over_another(open_page, path, viewport):
    page = open_page(path, viewport=viewport)
    figures = page.locator("figure.ev-figure")
    found = {
        figures.nth(position).get_attribute("id"): figures.nth(position).locator(".ev-chart:visible").evaluate(LABELS)
        for position in range(figures.count())
    }
    assert not {name: labels for name, labels in found.items() if labels}


def test_the_text_of_a_figure_is_drawn_with_the_books_font(open_page):
    page = open_page(CHAPTER)
    assert page.evaluate("document.fonts.check('12px Inter') && [...document.fonts].some(f => f.status === 'loaded')")
    text = page.locator("#fig-china-mine-share .ev-wide svg text").first
    assert "Inter" in text.evaluate("t => getComputedStyle(t).fontFamily")


def test_the_theme_can_be_switched_by_hand(open_page):
    page = open_page(CHAPTER, scheme="light")
    button = page.locator(".theme-toggle-content .theme-toggle")
    for _ in range(3):
        if page.evaluate("document.body.dataset.theme") == "dark":
            break
        button.click()
    assert page.evaluate("document.body.dataset.theme") == "dark"
    colour = page.locator("#fig-china-mine-share .ev-wide svg text").first.evaluate("t => getComputedStyle(t).fill")
    assert sum(map(int, re.findall(r"\d+", colour)[:3])) > 380


def test_cite_opens_and_copies_the_reference(open_page):
    page = open_page(CHAPTER, permissions=["clipboard-read", "clipboard-write"])
    figure = page.locator("#fig-china-mine-share")
    figure.locator(".ev-cite > summary").click()
    text = figure.locator(".ev-cite > .ev-copy pre")
    assert re.search(r"http\S+/book/chapters/03_who_mines.html#fig-china-mine-share", text.inner_text())
    assert (
        "Rare earths report contributors (2026)" in text.inner_text()
        and "British Geological Survey" in text.inner_text()
    )
    figure.locator(".ev-cite > .ev-copy button").click()
    page.wait_for_function(
        "async text => (await navigator.clipboard.readText()).trim() === text", arg=text.inner_text().strip()
    )
    figure.locator(".ev-format", has_text="BibTeX").locator("summary").click()
    figure.locator("button", has_text="Copy RIS").click()
    copied = "async begins => (await navigator.clipboard.readText()).startsWith(begins)"  # the file is fetched first
    page.wait_for_function(copied, arg="TY  - FIGURE")
    assert "@misc{fig-china-mine-share," in figure.locator(".ev-format", has_text="BibTeX").locator("pre").inner_text()


@pytest.mark.parametrize(
    "suffix, begins",
    [("svg", b"<svg"), ("png", b"\x89PNG"), ("csv", b"publisher,year"), ("json", b"{"), ("zip", b"PK")],
)
def test_download_gives_the_file(open_page, suffix, begins):
    page = open_page(CHAPTER)
    figure = page.locator("#fig-china-mine-share")
    figure.locator(".ev-download > summary").click()
    with page.expect_download() as started:
        figure.locator(f".ev-download a[href$='.{suffix}']").click()
    assert started.value.suggested_filename == f"fig-china-mine-share.{suffix}"
    assert open(started.value.path(), "rb").read(20).startswith(begins)


def test_code_opens_the_cell_that_drew_it(open_page):
    page = open_page(CHAPTER)
    page.locator("#fig-china-mine-share .ev-code").click()
    code = page.locator("#code-fig-china-mine-share")
    assert code.is_visible() and "fig-china-mine-share" in code.inner_text()


def test_the_link_of_a_figure_is_permanent_and_leads_to_it(open_page, address):
    page = open_page(f"{CHAPTER}#fig-us-turn")
    page.wait_for_function(
        "Math.abs(document.getElementById('fig-us-turn').getBoundingClientRect().top) < 200", timeout=5000
    )


def test_a_number_shows_its_source_on_the_spot_and_at_the_end(open_page):
    page = open_page(CHAPTER)
    number = page.locator("a.ev-num[href='#note-china-mine-share-2010']").first
    number.focus()
    note = page.locator(".ev-pop")
    assert note.is_visible() and "130,000 t over world 133,000 t" in note.inner_text()
    page.keyboard.press("Escape")
    assert note.count() == 0
    number.click()
    assert page.locator("#note-china-mine-share-2010").is_visible()


def test_everything_can_be_read_without_scripts(open_page):
    page = open_page(CHAPTER, java_script_enabled=False)
    assert page.locator("figure.ev-figure .ev-wide svg").first.is_visible()
    page.locator("#fig-mine-output .ev-cite > summary").click()
    assert page.locator("#fig-mine-output .ev-cite > .ev-copy pre").is_visible()


def test_search_finds_the_chapter(open_page):
    page = open_page("search.html?q=reserves")
    page.wait_for_selector("#search-results li a")
    found = [link.get_attribute("href") for link in page.locator("#search-results li a").all()]
    assert any("03_who_mines" in href for href in found)


def test_on_paper_figures_stand_without_their_controls(open_page):
    page = open_page(CHAPTER, scheme="dark")
    page.emulate_media(media="print", color_scheme="light")
    assert not page.locator("#fig-mine-output .ev-actions").is_visible()
    assert page.locator("#fig-mine-output .ev-wide").is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", PAGES[:-1])
def test_no_accessibility_rule_is_broken(open_page, path, scheme):
    """WCAG 2.2 levels A and AA, as far as a program can tell."""
    from axe_playwright_python.sync_playwright import Axe

    page = open_page(path, scheme=scheme)
    result = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]})
    broken = [(v["id"], [n["html"][:150] for n in v["nodes"]][:3]) for v in result.response["violations"]]
    assert not broken


def open_rows(page, name="mine_production"):
    details = page.locator(f"details.cat-rows[data-table='{name}']")
    details.locator("summary").click()
    details.locator("input").wait_for()
    return details


def test_the_rows_of_a_table_can_be_searched_and_sorted(open_page, address):
    page = open_page(f"{CATALOGUE}production.html")
    before = len(page.asked)
    rows = open_rows(page)
    assert [url for url in page.asked[before:] if "favicon" not in url] == [
        f"{address}/data/view/mine_production.js"
    ], "asked for, and only then"
    everything = int(re.search(r"of ([\d,]+) rows", rows.locator(".cat-count").inner_text())[1].replace(",", ""))
    rows.locator("input").fill("chn MCS 2026")
    rows.get_by_text("rows found.").wait_for()
    shown = [row.inner_text().split("\t") for row in rows.locator("tbody tr").all()]
    assert 0 < len(shown) < everything and all("CHN" in row and "MCS 2026" in row for row in shown)
    amount = rows.locator("thead button", has_text="tonnes_reo")
    for order, way in ((False, "ascending"), (True, "descending")):
        amount.focus()
        page.keyboard.press("Enter")  # by keyboard
        assert rows.locator("th", has_text="tonnes_reo").get_attribute("aria-sort") == way
        found = [float(row.inner_text().split("\t")[3]) for row in rows.locator("tbody tr").all()]
        assert found == sorted(found, reverse=order)


def test_more_rows_come_on_demand(open_page):
    page = open_page(f"{CATALOGUE}production.html")
    rows = open_rows(page)
    assert rows.locator("tbody tr").count() == 50
    rows.locator(".cat-more").click()
    assert rows.locator("tbody tr").count() == 300


def test_a_source_leads_to_its_document(open_page):
    page = open_page(f"{CATALOGUE}production.html")
    link = open_rows(page).locator("tbody a").first
    target = link.get_attribute("href")
    link.click()
    assert page.locator(f"tr[id='{target[1:]}']").is_visible()


def test_the_catalogue_works_from_a_folder_on_disk(open_page, browser, site):
    context = browser.new_context()
    page = context.new_page()
    page.goto((site / CATALOGUE / "production.html").as_uri())
    assert open_rows(page).locator("tbody tr").count() == 50
    context.close()


def test_the_catalogue_can_be_read_without_scripts(open_page):
    page = open_page(f"{CATALOGUE}production.html", java_script_enabled=False)
    rows = page.locator("details.cat-rows").first
    rows.locator("summary").click()
    assert rows.locator("tbody tr").count() == entry.PREVIEW
    assert page.locator("a[href$='mine_production.csv']").is_visible()


def test_the_list_of_tables_can_be_searched(open_page):
    page = open_page(f"{CATALOGUE}index.html")
    page.get_by_label("Search in").fill("magnets exports month destination")
    page.get_by_text("tables found").wait_for()
    names = page.locator("table.cat-sort tbody tr:visible code").all_inner_texts()
    assert "china_exports_by_destination" in names and len(names) < 10


def test_rows_are_found_by_the_names_of_their_codes(open_page):
    page = open_page(f"{CATALOGUE}policy.html")
    rows = open_rows(page, "controls")
    rows.locator("input").fill("dysprosium magnet licence")
    rows.get_by_text("rows found").wait_for()
    assert 0 < rows.locator("tbody tr").count() < 50


BAN = "book/chapters/09_ban.html"

STATES = """days => Object.fromEntries(days.map(day => {
  const input = document.querySelector("#control-matrix [name=day]");
  input.value = day;
  input.dispatchEvent(new Event("change"));
  return [day, [...document.querySelectorAll("#control-matrix tbody tr")].map(row =>
    [...row.querySelectorAll("td")].map(cell => [...cell.querySelectorAll(".cm-chip")].map(chip => chip.title)))];
}))"""


def test_the_matrix_shows_on_every_day_of_change_what_the_library_says(open_page):
    page = open_page(BAN)
    one = datetime.timedelta(days=1)
    changes = controls.change_days()
    days = sorted({*changes, *(day - one for day in changes[1:]), controls.RECORD_TO, controls.RECORD_TO + one})
    shown = page.evaluate(STATES, [str(day) for day in days])
    for day in days:
        expected = [[[str(mark) for mark in cell] for cell in row] for row in controls.matrix(day).to_numpy().tolist()]
        assert shown[str(day)] == expected, day


def test_a_day_of_the_matrix_is_chosen_by_keyboard(open_page):
    page = open_page(BAN)
    matrix = page.locator("#control-matrix")
    state = matrix.locator(".cm-state")
    assert state.inner_text().startswith("State on 9 October 2026, the last day of the record.")
    matrix.locator("[name=back]").focus()
    page.keyboard.press("Enter")
    assert state.inner_text().startswith("State on 6 January 2026.")
    matrix.locator("[name=slide]").focus()
    page.keyboard.press("ArrowLeft")
    assert state.inner_text().startswith("State on 5 January 2026.")
    matrix.locator("[name=day]").fill("2025-04-04")
    cell = matrix.locator("tr[data-element=Dy] td[data-stage=magnet] button")
    assert cell.get_attribute("aria-label") == "Dy, magnet: goods: licence"
    cell.focus()
    page.keyboard.press("Enter")
    detail = matrix.locator(".cm-detail")
    assert "Dy, magnet, 4 April 2025" in detail.inner_text() and "Announcement No. 18 of 2025" in detail.inner_text()
    assert detail.locator("a[href$='08_record.html#measure-m062']").count() == 1
    assert detail.locator("a[href^='http']").count() >= 1


def test_the_matrix_tells_what_changed_between_two_days(open_page):
    matrix = open_page(BAN).locator("#control-matrix")
    matrix.locator("[name=day]").fill("2025-04-04")
    matrix.locator("[name=other]").fill("2025-04-03")
    said = matrix.locator(".cm-changes").inner_text()
    assert "What changed between 3 April 2025 and 4 April 2025" in said
    assert "Sc, Y, Sm, Gd, Tb, Dy, Lu, separation: to come → in force" in said
    changed = {
        (cell.locator("xpath=..").get_attribute("data-element"), cell.get_attribute("data-stage"))
        for cell in matrix.locator("td.cm-changed").all()
    }
    rows = controls.diff("2025-04-03", "2025-04-04")
    assert changed == set(zip(rows["element"], rows["stage"]))


@pytest.mark.parametrize(
    "day, said",
    [
        ("1999-01-01", "lies before the record of controls, which begins on 1 January 2005"),
        ("2027-01-01", "nothing later is known to it"),
    ],
)
def test_a_day_outside_the_record_gets_a_sentence(open_page, day, said):
    matrix = open_page(BAN).locator("#control-matrix")
    matrix.locator("[name=day]").fill(day)
    assert said in matrix.locator(".cm-state").inner_text()


def test_the_matrix_works_from_disk_and_stands_there_without_scripts(open_page, browser, site):
    page = browser.new_page()
    page.goto((site / BAN).as_uri())
    page.locator("#control-matrix form").wait_for()
    page.locator("#control-matrix [name=back]").click()
    assert "State on 6 January 2026." in page.locator(".cm-state").inner_text()
    page.close()
    page = open_page(BAN, java_script_enabled=False)
    assert not page.locator("#control-matrix form").is_visible()
    cell = page.locator("#control-matrix tr[data-element=Nd] td[data-stage=magnet]")
    titles = [chip.get_attribute("title") for chip in cell.locator(".cm-chip").all()]
    assert titles == [str(mark) for mark in controls.matrix(controls.RECORD_TO).loc["Nd", "magnet"]]


def test_measures_can_be_chosen_and_each_has_its_address(open_page):
    page = open_page("book/chapters/08_record.html#measure-m057")
    line = page.locator("#measure-m057")
    assert line.is_visible()
    table = page.locator("#tab-measures")
    everything = table.locator("tbody tr").count()
    table.locator(".ev-choosers select").first.select_option("Japan")
    found = table.locator("tbody tr").count()
    assert 0 < found < everything
    assert f"{found} " in table.locator("[role=status]").inner_text()
    table.locator("input[type=search]").fill("no such thing")
    page.wait_for_function("document.querySelectorAll('#tab-measures tbody tr').length === 0")


def test_a_refused_day_leaves_nothing_of_another_day(open_page):
    page = open_page(BAN)
    matrix = page.locator("#control-matrix")
    matrix.locator("tr[data-element=Dy] td[data-stage=magnet] button").click()
    assert matrix.locator(".cm-detail").inner_text()
    matrix.locator("[name=day]").fill("2004-01-01")
    assert matrix.locator(".cm-chip").count() == len(LEGEND)
    assert matrix.locator(".cm-detail").inner_text() == ""
    matrix.locator("[name=forth]").click()
    assert matrix.locator("tbody .cm-chip").count() > 0
    matrix.locator("[name=other]").fill("1999-01-01")
    matrix.locator("[name=day]").fill("2023-01-01")
    assert matrix.locator(".cm-state").inner_text().startswith("State on 1 January 2023.")
    assert "lies before the record" in matrix.locator(".cm-changes").inner_text()


def test_the_documents_of_a_cell_can_be_seen_on_a_phone(open_page):
    page = open_page(BAN, viewport=PHONE)
    matrix = page.locator("#control-matrix")
    matrix.locator("tr[data-element=Sc] td[data-stage=separation] button").click()
    box = matrix.locator(".cm-detail").bounding_box()
    assert 0 < box["y"] < PHONE["height"] - 60 and box["y"] + box["height"] <= PHONE["height"] + 1
    matrix.locator(".cm-close").click()
    assert matrix.locator(".cm-detail").inner_text() == ""


def test_an_address_of_a_measure_takes_the_filter_back(open_page):
    page = open_page("book/chapters/08_record.html")
    table = page.locator("#tab-measures")
    table.locator(".ev-choosers select").first.select_option("Japan")
    assert page.locator("#measure-m062").count() == 0
    page.evaluate("location.hash = '#measure-M062'")  # in either case
    page.locator("#measure-m062").wait_for()
    assert table.locator(".ev-choosers select").first.input_value() == ""


@pytest.mark.parametrize("words", ["21 december 2023", "2023-12-21", "dysprosium"])
def test_measures_are_found_by_dates_and_by_names_of_elements(open_page, words):
    page = open_page("book/chapters/08_record.html")
    page.locator("#tab-measures input[type=search]").fill(words)
    page.wait_for_function("document.querySelectorAll('#tab-measures tbody tr').length < 100")
    assert page.locator("#measure-m047" if words != "dysprosium" else "#measure-m062").is_visible()


def test_captions_of_stacked_panels_say_top_and_bottom_on_a_phone(open_page):
    desktop = open_page("book/chapters/05_trade.html").locator("#fig-china-imports figcaption").inner_text()
    phone = (
        open_page("book/chapters/05_trade.html", viewport=PHONE).locator("#fig-china-imports figcaption").inner_text()
    )
    assert "Left," in desktop and "Top," not in desktop
    assert "Top," in phone and "Left," not in phone


def test_a_term_is_explained_on_the_spot_and_leads_to_the_glossary_and_back(open_page):
    page = open_page(CHAPTER)
    link = page.locator("a.ev-term").first
    link.focus()
    said = page.locator(".ev-pop").inner_text()
    assert len(said) > 20 and said == link.get_attribute("aria-description") + "."
    link.click()
    page.wait_for_url("**/glossary.html#term-*")
    entry = page.locator(f"dt[id='{page.url.split('#')[1]}'] ~ dd").first
    assert entry.inner_text().startswith(said[:-1])
    entry.locator(".ev-used a", has_text=re.compile("^3$")).click()
    page.wait_for_url("**/03_who_mines.html#use-term-*")
    assert page.locator(":target").inner_text() and page.locator(":target").is_visible()
