"""Numbers and statements in prose: the roles ``num`` and ``st``, and the notes at the end of a page."""

from __future__ import annotations

import html

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxRole

from rareearths.published import REPOSITORY, Published
from rareearths.site.evidence import source_text

log = logging.getLogger(__name__)

OUTDATED = "no longer holds with the data of this edition"


class quoted(nodes.Inline, nodes.TextElement):  # noqa: N801 - docutils names nodes so
    """A published number or statement, quoted in prose."""


class notes(nodes.General, nodes.Element):  # noqa: N801
    """The list of the numbers and statements that a page quotes."""


class Quote(SphinxRole):
    """Quote what a chapter has published, by its id, on any page."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """Give the text, linked to its note; an unknown id is a warning, and so fails the build."""
        thing: Published | None = self.env.rareearths_published.get(self.text)
        if thing is None or thing.kind != self.kind:
            log.warning(
                "no %s %r has been published; run its chapter, or mend the id",
                self.kind,
                self.text,
                location=self.get_location(),
            )
            return [nodes.problematic(self.rawtext, self.rawtext)], []
        self.env.note_dependency(str(REPOSITORY / f"{thing.docname}.ipynb"))
        text = thing.payload["text"] if self.kind == "number" else thing.payload["sentence"]
        node = quoted(self.rawtext, text, thing=thing.id)
        return [node], []


def add_notes(app: Sphinx, doctree: nodes.document) -> None:
    """Put the list of numbers and statements at the end of a page that quotes or publishes any."""
    made_here = (
        thing.id
        for thing in app.env.rareearths_published.values()
        if thing.docname == app.env.docname and thing.kind in ("number", "statement")
    )
    ids = list(dict.fromkeys([*(node["thing"] for node in doctree.findall(quoted)), *made_here]))
    if not ids:
        return
    section = nodes.section(ids=["numbers-on-this-page"], names=["numbers on this page"], classes=["ev-notes"])
    section += nodes.title(text="Where the numbers come from")
    section += notes("", things=ids)
    parent = next((child for child in doctree.children if isinstance(child, nodes.section)), doctree)
    parent += section


def visit_quoted(translator, node: quoted) -> None:
    """Open the link from a quoted number to its note."""
    thing = translator.builder.env.rareearths_published[node["thing"]]
    stale = thing.kind == "statement" and not thing.payload["holds"]
    kind = "ev-num" if thing.kind == "number" else "ev-st"
    translator.body.append(f'<a class="{kind}{" ev-stale" if stale else ""}" href="#note-{thing.id}">')


def depart_quoted(translator, node: quoted) -> None:
    """Close the link, with a mark where a statement no longer holds."""
    thing = translator.builder.env.rareearths_published[node["thing"]]
    if thing.kind == "statement" and not thing.payload["holds"]:
        translator.body.append(f" [{OUTDATED}]")
    translator.body.append("</a>")


def visit_notes(translator, node: notes) -> None:
    """Write the list: value or test, how it was computed, documents with editions and places in them."""
    env = translator.builder.env
    here = translator.builder.current_docname
    items = []
    for identifier in node["things"]:
        thing: Published = env.rareearths_published[identifier]
        payload = thing.payload
        if thing.kind == "number":
            head, how = html.escape(payload["text"]), html.escape(payload["note"])
        else:
            held = "Holds with these data" if payload["holds"] else OUTDATED.capitalize()
            head = html.escape(payload["sentence"])
            how = f"{held}. Test: {html.escape(payload['test'])}"
        home = "" if thing.docname == here else translator.builder.get_relative_uri(here, thing.docname)
        sources = "".join(f"<li>{_source(source)}</li>" for source in payload["sources"])
        items.append(
            f'<li id="note-{identifier}"><p><strong>{head}</strong> <a class="ev-id" '
            f'href="{home}#note-{identifier}">{identifier}</a></p><p>{how}.</p><ul>{sources}</ul>'
            f'<p><a href="{home}#code-{identifier}">Code</a></p></li>'.replace("..<", ".<")
        )
    translator.body.append(
        f'<details class="ev-notelist"><summary>{len(items)} numbers and statements, each with its computation '
        f"and sources</summary><ul>{''.join(items)}</ul></details>"
    )
    raise nodes.SkipNode


def _source(source: dict) -> str:
    name = html.escape(source_text(source))
    if source["url"].startswith("http"):
        name = f'<a href="{html.escape(source["url"])}">{name}</a>'
    places = "; ".join(html.escape(place) for place in source["locators"])
    more = f"; and {source['more_locators']} more places" if source["more_locators"] else ""
    return f"{name}{': ' if places else ''}{places}{more}"
