"""The control matrix of any day as part of a page, and the record of policy as files of the site.

The directive ``{control-matrix}`` writes the state at the last day of the record as a plain table; ``matrix.js`` lets
readers choose a day. The controls reach it as a script, so that it works from a folder on disk too.
"""

from __future__ import annotations

import html
import json
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective, SphinxRole

from rareearths import controls, data
from rareearths.controls import exchange

FOLDER = "policy"
"""Where the files stand on the site."""
RECORD_PAGE = "book/chapters/08_record"
"""The page that has an anchor for each measure."""

LETTERS = {"goods": "G", "technology": "T", "equipment": "E", "output": "O"}
WEAK = ("quota", "duty", "reporting")

LEGEND = (
    ("cm-prohibition", "T", "prohibition"),
    ("cm-licence", "G", "licence"),
    ("cm-weak", "O", "quota, duty or reporting"),
    ("cm-licence cm-suspended", "(E)", "suspended"),
    ("cm-weak cm-unknown", "G?", "not known to this record"),
)


class ControlMatrix(SphinxDirective):
    """Write the matrix of elements and stages, with the controls to choose a day."""

    def run(self) -> list[nodes.Node]:
        """Give the nodes of the directive."""
        for table in ("controls", "measures", "elements", "stages"):
            self.env.note_dependency(str(data.root() / data.describe(table)["path"]))
        up = "../" * self.env.docname.count("/")
        record = f"{up}{RECORD_PAGE}.html" if RECORD_PAGE in self.env.found_docs else ""
        return [nodes.raw("", _html(up, record), format="html")]


class PolicyFile(SphinxRole):
    """Link to one of the files, by its name."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """Give the link."""
        up = "../" * self.env.docname.count("/")
        return [nodes.raw("", f'<a href="{up}{FOLDER}/{self.text}"><code>{self.text}</code></a>', format="html")], []


def write_files(app: Sphinx, error: Exception | None) -> None:
    """Write JSON, schemas, calendar and the script for the page to ``policy/`` of the site, after a good build."""
    if error is not None or app.builder.format != "html":
        return
    out = Path(app.outdir) / FOLDER
    out.mkdir(exist_ok=True)
    matrix = exchange.controls_json()
    content = {"controls": matrix, "timeline": exchange.timeline_json()}
    for name in list(content):
        content[f"{name}.schema"] = exchange.schema(name)
    for name, part in content.items():
        (out / f"{name}.json").write_text(json.dumps(part, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    short = json.dumps(matrix, ensure_ascii=False, separators=(",", ":"))
    (out / "controls.js").write_text(f"rareearthsControls({short});\n", encoding="utf-8")
    book = app.env.rareearths_book
    page = book.address(f"{RECORD_PAGE}.html") if book.url and RECORD_PAGE in app.env.found_docs else ""
    (out / "days-ahead.ics").write_bytes(exchange.calendar(page).encode())


def chip(mark: controls.Mark) -> str:
    """Give a mark as HTML: a letter for the object, its look for severity and status."""
    letter = LETTERS[mark.object] + ("†" if mark.weak else "") + ("*" if mark.named_users else "")
    classes = "cm-weak" if mark.severity in WEAK else f"cm-{mark.severity}"
    if mark.status == controls.SUSPENDED:
        letter, classes = f"({letter})", f"{classes} cm-suspended"
    if mark.status == controls.UNKNOWN:
        letter, classes = f"{letter}?", f"{classes} cm-unknown"
    return f'<span class="cm-chip {classes}" title="{html.escape(str(mark))}">{letter}</span>'


def _html(up: str, record: str) -> str:
    day = controls.RECORD_TO
    cells = controls.matrix(day)
    names = data.load("elements").set_index("symbol")["name"]
    head = "".join(f'<th scope="col">{stage}</th>' for stage in cells.columns)
    rows = "".join(
        f'<tr data-element="{symbol}"><th scope="row"><abbr title="{html.escape(names[symbol])}">{symbol}</abbr></th>'
        + "".join(f'<td data-stage="{stage}">{"".join(map(chip, row[stage]))}</td>' for stage in cells.columns)
        + "</tr>"
        for symbol, row in cells.iterrows()
    )
    legend = "".join(f'<li><span class="cm-chip {look}">{letter}</span> {text}</li>' for look, letter, text in LEGEND)
    objects = "".join(f'<option value="{kind}">{kind}</option>' for kind in controls.OBJECTS)
    span = (day - controls.RECORD_FROM).days
    days = ",".join(str(each) for each in controls.change_days())
    files = f"{up}{FOLDER}/"
    return f"""<section class="cm" id="control-matrix" aria-label="Control matrix" data-from="{controls.RECORD_FROM}"
 data-to="{day}" data-days="{days}" data-record="{record}">
<form class="cm-form" hidden>
<label class="cm-day"><span>Day</span> <input type="date" name="day" min="{controls.RECORD_FROM}" max="{day}" value="{day}" required></label>
<label class="cm-slide"><span>Slide to a day</span> <input type="range" name="slide" min="0" max="{span}" value="{span}" step="1"></label>
<span class="cm-steps"><button type="button" name="back">◀ earlier change</button> <button type="button" name="forth">later change ▶</button></span>
<label><span>Compare with</span> <input type="date" name="other" min="{controls.RECORD_FROM}" max="{day}"></label>
<label><span>Show</span> <select name="object"><option value="">all objects</option>{objects}</select></label>
</form>
<p class="cm-state" role="status">State on {day.day} {day:%B %Y}, the last day of the record.</p>
<ul class="cm-legend">{legend}<li>G goods, T technology, E equipment, O output in China; * besides, a prohibition for named users; † by a weak source alone</li></ul>
<div class="cm-scroll" tabindex="0" role="region" aria-label="Controls by element and stage"><table>
<thead><tr><th scope="col">Element</th>{head}</tr></thead><tbody>{rows}</tbody></table></div>
<div class="cm-detail" aria-live="polite" tabindex="0"></div>
<div class="cm-changes" aria-live="polite"></div>
<p class="cm-files">The whole matrix: <a href="{files}controls.json">JSON</a> (<a href="{files}controls.schema.json">schema</a>);
the timeline: <a href="{files}timeline.json">JSON</a> (<a href="{files}timeline.schema.json">schema</a>);
days ahead: <a href="{files}days-ahead.ics">calendar file</a>; the table: <a href="{up}data/policy/controls.csv">CSV</a>.</p>
</section>
<script defer src="{up}_static/matrix.js"></script><script defer src="{files}controls.js"></script>"""
