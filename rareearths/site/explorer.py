"""The scenario explorer as part of a page: its controls, and the draws as a script beside the page.

``static/shock.js`` runs the model and draws; it is loaded on the explorer's page alone. The draws reach it as a script, so
that it works from a folder on disk too. They are the stored output of a chapter: nothing is computed here.
"""

from __future__ import annotations

import html
import json
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxTranslator

from rareearths.publish.explorer import SETTINGS
from rareearths.published import Published
from rareearths.site import evidence

FOLDER = "explorers"
"""Where the draws stand on the site."""

MODEL_CHAPTER = 12
"""The chapter with the equations."""

LEAD_TIMES = range(1, 13)  # years
THRIFTING = (0, 2, 4, 6, 8, 10, 12, 15, 20)  # percent a year

SLIDERS = {
    "pass": ("Share of normal exports that passes", "as stated; what really passes is drawn around it"),
    "months": ("Duration of the cut", ""),
    "reserve": ("Reserve outside China", "released while the cut leaves use unmet"),
    "own": ("Own supply outside China", "share of normal use, before the cut"),
}
RESULTS = {
    "peak": "Peak of the spot price before stocks run out, multiple of the base",
    "above": "Months above twice the base price",
    "out": "Draws in which users’ stocks run out",
    "month": "Month from the start of the cut in which they run out, where they do",
    "lost": "Lost use, wanted at the price and not to be had, months",
    "below": "Use below that at base prices, lost, saved or designed out, months",
}
PANELS = {
    "price": "Spot price outside China, times the base price (log scale)",
    "stock": "Users’ stocks outside China, months of use, reserve apart",
    "met": "Share of use that is met",
}


class explorer(nodes.General, nodes.Element):  # noqa: N801 - docutils names nodes so
    """A published explorer."""


def make(thing: Published) -> nodes.Element:
    """Make the node of a published explorer."""
    return explorer("", title=thing.payload["title"], thing=thing.id, ids=[thing.id], names=[thing.id])


def visit_html(translator: SphinxTranslator, node: nodes.Element) -> None:
    """Write the explorer: words, controls, empty panels, results, sources, scripts."""
    env = translator.builder.env
    thing: Published = env.rareearths_published[node["thing"]]
    here = translator.builder.current_docname
    up = "../" * here.count("/")
    model = next((name for name in sorted(env.found_docs) if f"/{MODEL_CHAPTER:02}_" in f"/{name}"), "")
    chapter = f"chapter {MODEL_CHAPTER}"
    if model:
        chapter = f'<a href="{translator.builder.get_relative_uri(here, model)}">{chapter}</a>'
    translator.body.append(_html(thing, chapter, up))
    raise nodes.SkipNode


def visit_other(translator, node: nodes.Element) -> None:
    """Leave the title where nothing can be moved."""
    if hasattr(translator, "add_text"):
        translator.add_text(node["title"])
    else:
        translator.body.append(translator.encode(node["title"]))
    raise nodes.SkipNode


def write_draws(app: Sphinx, error: Exception | None) -> None:
    """Write the draws of each explorer, after a good build."""
    if error is not None or app.builder.format != "html":
        return
    for thing in app.env.rareearths_published.values():
        if thing.kind == "explorer":
            folder = Path(app.outdir) / FOLDER
            folder.mkdir(exist_ok=True)
            (folder / f"{thing.id}.js").write_text(script(thing), encoding="utf-8")


def script(thing: Published) -> str:
    """Give the script that hands draws and market to the page."""
    columns = zip(thing.payload["data"]["columns"], zip(*thing.payload["data"]["rows"]))
    lists = ",\n".join(f'"{name}":{_numbers(values)}' for name, values in columns)
    rest = json.dumps({"id": thing.id, "base": thing.payload["base"]})
    return f'rareearthsExplorer({rest[:-1]}, "draws": {{\n{lists}\n}}}});\n'


def _numbers(values) -> str:
    """Give numbers as JavaScript, without the nought before the point."""
    texts = (repr(value) for value in values)
    return "[" + ",".join(t.replace("0.", ".", 1) if t.startswith(("0.", "-0.")) else t for t in texts) + "]"


def _drawn(thing: Published, name: str, factor: float) -> str:
    """Give the range of a parameter over the draws, in whole units."""
    values = [row[thing.payload["data"]["columns"].index(name)] * factor for row in thing.payload["data"]["rows"]]
    return f"as drawn ({min(values):.0f} to {max(values):.0f})"


def _slider(name: str, value: float) -> str:
    label, hint = SLIDERS[name]
    least, most, step = SETTINGS[name]
    described = f' aria-describedby="xp-{name}-hint"' if hint else ""
    hint = f'<small id="xp-{name}-hint">{hint}</small>' if hint else ""
    return (
        f'<div class="xp-set"><label for="xp-{name}">{label}</label><output for="xp-{name}"></output>'
        f'<input type="range" id="xp-{name}" name="{name}" min="{least}" max="{most}" step="{step}" value="{value:g}"'
        f'{described} autocomplete="off">{hint}</div>'
    )


def _choice(name: str, label: str, drawn: str, options: dict[int, str]) -> str:
    listed = "".join(f'<option value="{value}">{text}</option>' for value, text in options.items())
    return (
        f'<div class="xp-set"><label for="xp-{name}">{label}</label><select id="xp-{name}" name="{name}" '
        f'autocomplete="off"><option value="drawn" selected>{drawn}</option>{listed}</select></div>'
    )


def _html(thing: Published, chapter: str, up: str) -> str:
    payload = thing.payload
    months, count = payload["base"]["months"], len(payload["data"]["rows"])
    sliders = {name: _slider(name, payload["start"][name]) for name in SLIDERS}
    lead = _choice(
        "lead",
        "Lead time of new plants, years",
        _drawn(thing, "lead_time_new_mine", 1 / 12),
        {years: str(years) for years in LEAD_TIMES},
    )
    thrift = _choice(
        "thrift",
        "Thrifting: fastest cut of use per product, % a year",
        _drawn(thing, "intensity_cut_ceiling", 1200),
        {rate: str(rate) for rate in THRIFTING},
    )
    panels = {
        name: f'<div class="xp-panel xp-{name}" data-name="{name}"><p>{text}</p><div class="xp-draw"></div></div>'
        for name, text in PANELS.items()
    }
    results = "".join(
        f'<tr data-result="{name}"><th scope="row">{text}</th><td></td><td></td></tr>' for name, text in RESULTS.items()
    )
    return f"""<section class="xp" id="{thing.id}" aria-labelledby="{thing.id}-title">
<p class="xp-title" id="{thing.id}-title">{html.escape(payload["title"])}</p>
<p class="xp-note">A run of the model of {chapter} with ranges, <strong>not a forecast</strong>: {count} draws of its parameters over
{months} months. A peak is the highest price before users’ stocks run out; after that the model knows that there is no oxide to be had,
not its price, which then stands at the ceiling of the formula.</p>
<p class="xp-without">The explorer needs JavaScript, which is off or could not be loaded. The figures above show the main scenarios.</p>
<div class="xp-top"><form class="xp-form">
<fieldset><legend>The cut</legend>{sliders["pass"]}{sliders["months"]}</fieldset>
<fieldset><legend>What stands against it</legend>{sliders["reserve"]}{sliders["own"]}{lead}{thrift}</fieldset>
<p class="xp-buttons"><button type="button" name="csv">Download as CSV</button> <button type="button" name="again">Back to the start</button></p>
</form>{panels["price"]}</div>
{panels["stock"]}{panels["met"]}
<ul class="xp-legend"><li class="xp-key-middle">middle of the draws</li><li class="xp-key-half">half of them (25 to 75 %)</li>
<li class="xp-key-most">nine in ten (5 to 95 %)</li><li class="xp-key-cut">months of the cut</li></ul>
<p class="xp-state" role="status"></p>
<table class="xp-results"><caption class="sr">Results with these settings</caption><thead><tr><th scope="col">Result, over {months} months</th>
<th scope="col">Middle</th><th scope="col">Nine draws in ten</th></tr></thead><tbody>{results}</tbody></table>
<p class="xp-small">{html.escape(payload["caption"])} The settings stand in the address of the page, which can be kept and sent.
<a href="#code-{thing.id}">Code</a> of the draws.</p>
{evidence.source_line(thing)}
</section>
<script defer src="{up}_static/shock.js"></script><script defer src="{up}{FOLDER}/{thing.id}.js"></script>"""
