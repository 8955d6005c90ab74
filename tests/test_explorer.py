"""The scenario explorer: what is stored, that the page computes what the engine computes, and what its controls do."""

import csv
import gzip
import re

import numpy as np
import pandas as pd
import pytest

from rareearths import data, publish, published
from rareearths.publish import bundle
from rareearths.publish.explorer import PARAMETERS, SETTINGS
from rareearths.published import MIME
from rareearths.shock import engine, parameters, scenarios
from rareearths.site import explorer
from tests.test_browser import DESKTOP, LABELS, PHONE, open_page  # noqa: F401 - a fixture

MOST_BYTES = 25_000
"""Of script and draws, compressed."""
CLOSE = 1e-9
AS_DRAWN = {"lead": None, "thrift": None}
CASES = [
    {"pass": 25, "months": 6, "reserve": 0, "own": 3, **AS_DRAWN},
    {"pass": 0, "months": 24, "reserve": 0, "own": 3, **AS_DRAWN},
    {"pass": 0, "months": 1, "reserve": 6, "own": 75, **AS_DRAWN},
    {"pass": 60, "months": 12, "reserve": 1.5, "own": 3, "lead": 1, "thrift": 0},
    {"pass": 40, "months": 24, "reserve": 3, "own": 25, "lead": 3, "thrift": 20},
    {"pass": 99, "months": 13, "reserve": 0.5, "own": 50, "lead": 12, "thrift": 8},
    {"pass": 100, "months": 6, "reserve": 0, "own": 3, **AS_DRAWN},
]
RUN = """([draws, settings, base]) => {
  const out = shockModel.run(draws, settings, base);
  const seen = shockModel.summarise(out, base);
  const plain = (thing) => thing === null || typeof thing === "number" ? thing : Array.from(thing, plain);
  return [out, seen].map(part => Object.fromEntries(Object.entries(part).map(([name, thing]) => [name, plain(thing)])));
}"""
FIXED = dict(
    id="explore",
    title="Explore",
    caption="A good.",
    base={"months": 60, "shock": 3, "china_use": 3.0},
    start={"pass": 25, "months": 6, "reserve": 0, "own": 3},
    data_to=2026,
    sources=["this_report"],
)


@pytest.fixture(scope="session")
def tables():
    return {name: data.load(name) for name in scenarios.TABLES}


@pytest.fixture(scope="session")
def thing():
    """The one explorer of the book."""
    (found,) = (thing for thing in published.read_all().values() if thing.kind == "explorer")
    return found


@pytest.fixture
def stored(monkeypatch):
    outputs = []
    monkeypatch.setattr(bundle, "display", lambda content, raw, metadata: outputs.append(content))
    return outputs


def some_draws(tables, count=8):
    ranges = parameters.ranges(tables["parameters"], "scenarios")
    return pd.DataFrame(scenarios.draws(ranges, count), columns=engine.PARAMETERS)


def columns(thing):
    return {name: list(part) for name, part in zip(PARAMETERS, zip(*thing.payload["data"]["rows"]))}


def simulated(draws, settings, tables, monkeypatch, **others):
    """The engine on draws of the explorer, by the library's own scenarios; others: values of the parameters left out."""
    monkeypatch.setattr(scenarios, "ALONE", 60)
    middle = parameters.ranges(tables["parameters"], "scenarios")[["low", "high"]].mean(axis=1)
    whole = np.tile(middle.to_numpy(), (len(draws["stock_cover"]), 1))
    if settings["lead"] is not None:
        draws = {**draws, "lead_time_new_mine": 12 * settings["lead"]}
    if settings["thrift"] is not None:
        draws = {**draws, "intensity_cut_ceiling": settings["thrift"] / 100 / 12}
    for name, values in {**draws, **others}.items():
        whole[:, engine.AT[name]] = values
    scenario = scenarios.scenario(
        "S3",
        tables,
        oxide_pass_pct=settings["pass"],
        magnet_pass_pct=settings["pass"],
        duration_months=settings["months"],
        extra_stock_months=settings["reserve"],
        own_supply_pct=settings["own"],
    )
    return scenarios.run(scenario, whole, None, engine.VARIABLES)


def test_what_is_stored_is_rounded_and_no_more_than_needed(stored, tables):
    publish.explorer(some_draws(tables), **FIXED)
    payload = stored[0][MIME.format(kind="explorer")]
    assert payload["data"]["columns"] == list(PARAMETERS) and len(payload["data"]["rows"]) == 8
    assert all(value == float(f"{value:.5g}") for row in payload["data"]["rows"] for value in row)
    assert payload["sources"] and payload["data_digest"]


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"id": "Explore it"}, "lower-case words"),
        ({"title": " "}, "title is empty"),
        ({"base": {"months": 60, "shock": 3}}, "it needs months, shock, china_use"),
        ({"base": {"months": 20, "shock": 3, "china_use": 3}}, "do not hold the longest cut"),
        ({"start": {"pass": 101, "months": 6, "reserve": 0, "own": 3}}, "pass is 101; it runs from 0 to 100"),
        ({"start": {"pass": 25, "months": 6, "reserve": 0.3, "own": 3}}, "reserve is 0.3; it runs from 0 to 6 by 0.5"),
        ({"start": {"pass": 25}}, "it needs pass, months, reserve, own"),
        ({"sources": pd.DataFrame({"source_id": []})}, "no sources"),
    ],
)
def test_an_explorer_without_what_it_needs_is_refused_in_a_sentence(stored, tables, changes, message):
    with pytest.raises(publish.PublishError, match=message):
        publish.explorer(some_draws(tables), **FIXED | changes)
    assert not stored


def test_draws_without_a_parameter_or_a_value_are_refused(stored, tables):
    with pytest.raises(publish.PublishError, match="the draws have no stock_cover"):
        publish.explorer(some_draws(tables).drop(columns="stock_cover"), **FIXED)
    with pytest.raises(publish.PublishError, match="missing"):
        publish.explorer(some_draws(tables).assign(stock_cover=np.nan), **FIXED)


@pytest.mark.parametrize("name", [name for name in engine.PARAMETERS if name not in PARAMETERS])
def test_a_parameter_that_is_left_out_does_not_matter_here(name, thing, tables, monkeypatch):
    row = parameters.ranges(tables["parameters"], "scenarios").loc[name]
    for settings in CASES[:4]:
        low, high = (
            simulated(columns(thing), settings, tables, monkeypatch, **{name: end})[1] for end in (row.low, row.high)
        )
        for variable in ("price_outside", "stock_outside", "use_met_outside", "use_outside"):
            np.testing.assert_allclose(low[variable], high[variable], rtol=CLOSE, atol=1e-12)


def test_script_and_draws_are_light(thing):
    parts = (explorer.script(thing).encode(), (published.REPOSITORY / "rareearths/site/static/shock.js").read_bytes())
    assert sum(len(gzip.compress(part)) for part in parts) < MOST_BYTES


def test_only_its_own_page_loads_it(site, thing):
    loading = [page for page in site.rglob("*.html") if "shock.js" in page.read_text(encoding="utf-8")]
    assert loading == [site / thing.page]


@pytest.mark.browser
@pytest.mark.parametrize("settings", CASES, ids=lambda settings: "-".join(map(str, settings.values())))
def test_the_page_computes_what_the_engine_computes(open_page, thing, tables, monkeypatch, settings):  # noqa: F811
    draws, base = columns(thing), thing.payload["base"]
    page = open_page(thing.page)
    assert page.evaluate("shockModel.given") == {"draws": draws, "base": base}
    out, seen = page.evaluate(RUN, [draws, settings, base])
    expected, outcome = simulated(draws, settings, tables, monkeypatch)
    fans = {
        "price": outcome["price_outside"][..., 0].T,
        "stock": outcome["stock_outside"][..., 0].T,
        "met": (outcome["use_met_outside"] / outcome["use_outside"])[..., 0].T,
    }
    shares = [0.05, 0.25, 0.5, 0.75, 0.95]
    for name, values in fans.items():
        np.testing.assert_allclose(out[name], values, rtol=CLOSE, atol=1e-12, err_msg=name)
        np.testing.assert_allclose(seen[name], np.quantile(values, shares, axis=1).T, rtol=CLOSE, atol=1e-12)
    results = {"peak": "peak", "above": "months_above_twice", "lost": "lost_months", "below": "months_below_base"}
    for name, column in results.items():
        np.testing.assert_allclose(out[name], expected[column], rtol=CLOSE, atol=1e-9, err_msg=name)
        np.testing.assert_allclose(seen[name], expected[column].quantile(shares), rtol=CLOSE, atol=1e-9)
    assert seen["out_share"] == pytest.approx(expected["runs_out"].mean())
    if expected["runs_out"].any():
        np.testing.assert_allclose(seen["out_month"], expected["month_out"].dropna().quantile(shares), rtol=CLOSE)
    else:
        assert seen["out_month"] is None


def state(page):
    """Everything that shows the run: drawings with their words, sentence and table."""
    page.wait_for_timeout(600)  # the sentence waits until a control rests
    drawings = [page.locator(f".xp-{name} svg").evaluate("svg => svg.outerHTML") for name in explorer.PANELS]
    return [*drawings, page.locator(".xp-state").inner_text(), page.locator(".xp-results").inner_text()]


@pytest.mark.browser
@pytest.mark.parametrize("name, key", [("pass", "ArrowLeft"), ("months", "ArrowRight"), ("reserve", "ArrowRight")])
def test_a_slider_moved_by_keyboard_changes_picture_and_sentence(open_page, thing, name, key):  # noqa: F811
    page = open_page(thing.page)
    before = state(page)
    slider = page.locator(f"#xp-{name}")
    was, spoken = slider.input_value(), slider.get_attribute("aria-valuetext")
    slider.focus()
    for _ in range(3):
        page.keyboard.press(key)
    after = state(page)
    assert slider.input_value() != was and slider.get_attribute("aria-valuetext") != spoken
    assert all(one != other for one, other in zip(before[:2] + before[3:], after[:2] + after[3:]))
    assert f"{name}={slider.input_value()}" in page.url and page.said == []
    page.get_by_role("button", name="Back to the start").click()
    assert state(page) == before and page.url.endswith("#explore")


@pytest.mark.browser
@pytest.mark.parametrize("name", ["own", "lead", "thrift"])
def test_the_other_controls_move_the_picture_too(open_page, thing, name):  # noqa: F811
    page = open_page(f"{thing.page}#explore?pass=25&months=24")
    before = state(page)
    control = page.locator(f"#xp-{name}")
    if name == "own":
        control.fill("40")
    else:
        assert control.input_value() == "drawn"
        control.select_option("2")
    after = state(page)
    assert before[0] != after[0] and before[1] != after[1]
    assert page.locator(".xp-price svg").get_attribute("aria-label").startswith("Spot price outside China")


@pytest.mark.browser
def test_settings_come_from_the_address(open_page, thing):  # noqa: F811
    page = open_page(f"{thing.page}#explore?pass=60&months=12&reserve=1.5&own=25&lead=3&thrift=drawn")
    values = [page.locator(f"#xp-{name}").input_value() for name in (*SETTINGS, "lead", "thrift")]
    assert values == ["60", "12", "1.5", "25", "3", "drawn"]
    assert "60 % of exports pass for 12 months" in page.locator(".xp-state").inner_text()
    assert abs(page.locator("#explore").bounding_box()["y"]) < 200
    page.evaluate("location.hash = '#explore?pass=100'")
    page.get_by_text("Nothing is cut: all exports pass.").wait_for()


@pytest.mark.browser
@pytest.mark.parametrize(
    "asked, given",
    [
        ("pass=250", "100"),
        ("pass=-5", "25"),
        ("pass=12.4", "12"),
        ("pass=abc", "25"),
        ("pass=1e999", "25"),
        ("months=0", "1"),
        ("months=999", "24"),
        ("reserve=5.6", "5.5"),
        ("own=0", "3"),
        ("own=%3Cscript%3E", "3"),
        ("lead=0", "drawn"),
        ("thrift=500", "drawn"),
        ("submit=1", None),
    ],
)
def test_a_bad_value_cannot_be_set(open_page, thing, asked, given):  # noqa: F811
    page = open_page(f"{thing.page}#explore?{asked}")
    if given is not None:
        assert page.locator(f"#xp-{asked.split('=')[0]}").input_value() == given
    assert "NaN" not in "".join(state(page)) and page.said == []


@pytest.mark.browser
def test_what_is_shown_comes_as_csv(open_page, thing, tables, monkeypatch):  # noqa: F811
    settings = CASES[4]
    address = "&".join(f"{name}={value}" for name, value in settings.items())
    page = open_page(f"{thing.page}#explore?{address}")
    with page.expect_download() as started:
        page.get_by_role("button", name="Download as CSV").click()
    assert started.value.suggested_filename == "rare-earths-explorer.csv"
    with open(started.value.path(), encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    expected, outcome = simulated(columns(thing), settings, tables, monkeypatch)
    price = [row for row in rows if row["quantity"] == "spot_price_outside"]
    assert [int(row["month_from_start"]) for row in price] == list(range(-2, 58))
    median = np.quantile(outcome["price_outside"][..., 0], 0.5, axis=0)
    np.testing.assert_allclose([float(row["p50"]) for row in price], median, rtol=1e-5)
    (share,) = [row for row in rows if row["quantity"] == "stocks_run_out"]
    assert float(share["share"]) == pytest.approx(expected["runs_out"].mean(), rel=1e-5)
    assert {row["pass_pct"] for row in rows} == {"40"} and {row["lead_time_years"] for row in rows} == {"3"}


@pytest.mark.browser
def test_the_explorer_works_from_disk(browser, site, thing):
    page = browser.new_page()
    said = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto((site / thing.page).as_uri())
    page.locator(".xp-price svg").wait_for()
    before = state(page)
    page.locator("#xp-pass").fill("70")
    assert state(page) != before and "#explore?pass=70" in page.url
    assert said == []
    page.close()


@pytest.mark.browser
def test_without_scripts_the_page_says_so(open_page, thing):  # noqa: F811
    page = open_page(thing.page, java_script_enabled=False)
    assert page.get_by_text("The figures above show the main scenarios").is_visible()
    assert not page.locator(".xp-form").is_visible() and not page.locator(".xp-results").is_visible()


@pytest.mark.browser
@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize(
    "settings", ["", "#explore?pass=0&months=24", "#explore?pass=100", "#explore?reserve=6&own=75"]
)
def test_no_label_is_cut_off_or_laid_over_another(open_page, thing, viewport, settings):  # noqa: F811
    page = open_page(thing.page + settings, viewport=viewport)
    for name in explorer.PANELS:
        panel = page.locator(f".xp-{name} .xp-draw")
        assert panel.evaluate(LABELS) == []
        least = panel.evaluate(
            "p => Math.min(...[...p.querySelectorAll('text')].map(t => t.getBoundingClientRect().height))"
        )
        assert least >= 10.5


@pytest.mark.browser
def test_on_a_phone_the_price_stays_in_sight_while_a_control_is_moved(open_page, thing):  # noqa: F811
    page = open_page(thing.page, viewport=PHONE)
    for name in (*SETTINGS, "lead", "thrift"):
        control = page.locator(f"#xp-{name}")
        control.evaluate("c => c.scrollIntoView({block: 'start', behavior: 'instant'})")
        control.focus()
        box, price = control.bounding_box(), page.locator(".xp-price").bounding_box()
        assert 0 <= price["y"] and price["y"] + price["height"] <= box["y"] + 1, name
        assert box["y"] + box["height"] <= PHONE["height"], name


@pytest.mark.browser
def test_the_fans_are_drawn_in_the_colours_of_the_theme(open_page, thing):  # noqa: F811
    strokes = []
    for scheme in ("light", "dark"):
        page = open_page(thing.page, scheme=scheme)
        strokes.append(page.locator(".xp-price .xp-middle").evaluate("line => getComputedStyle(line).stroke"))
    light, dark = (sum(map(int, re.findall(r"\d+", stroke))) for stroke in strokes)
    assert light < 300 < dark


@pytest.mark.browser
def test_a_run_takes_tens_of_milliseconds(open_page, thing):  # noqa: F811
    page = open_page(thing.page)
    taken = page.evaluate(
        """settings => { const { draws, base } = shockModel.given; const once = () => { const begun = performance.now();
        shockModel.summarise(shockModel.run(draws, settings, base), base); return performance.now() - begun; };
        return Array.from({ length: 9 }, once).sort((a, b) => a - b)[4]; }""",
        CASES[0],
    )
    assert taken < 300, "a machine that is busy may take ten times as long as one that is not"
