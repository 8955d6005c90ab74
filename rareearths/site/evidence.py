"""The two numbered things of a page, figure and table, as docutils nodes with their HTML."""

from __future__ import annotations

import html
import re

from docutils import nodes
from sphinx.util.docutils import SphinxTranslator

from rareearths.published import Published
from rareearths.site import citation

DOWNLOADS = {
    "figure": {
        "svg": "SVG, for editing",
        "png": "PNG, 300 dpi",
        "csv": "CSV, the data plotted",
        "json": "JSON, data and metadata",
        "zip": "ZIP, all of these with a README",
    },
    "table": {
        "csv": "CSV",
        "json": "JSON, data and metadata",
        "zip": "ZIP, both with a README",
    },
}


MOST_NAMED = 7
"""Documents that the source line names outright; with more it counts them, and lists them when opened."""


class evidence_figure(nodes.General, nodes.Element):  # noqa: N801 - docutils names nodes so
    """A published figure."""


class evidence_table(nodes.General, nodes.Element):  # noqa: N801
    """A published table."""


def title_of(node: nodes.Element) -> str:
    """Give the title that cross references and lists of figures show."""
    return node["title"]


def make(thing: Published) -> nodes.Element:
    """Make the node of a published figure or table."""
    node = (evidence_figure if thing.kind == "figure" else evidence_table)(
        "", title=thing.payload["title"], thing=thing.id
    )
    node["ids"] = [thing.id]
    node["names"] = [thing.id]
    return node


def visit_html(translator: SphinxTranslator, node: nodes.Element) -> None:
    """Write a figure or table with its number, footer, citation and downloads."""
    thing: Published = translator.builder.env.rareearths_published[node["thing"]]
    number, page = thing.number, thing.page
    meta = translator.builder.env.rareearths_book
    up = "../" * translator.builder.current_docname.count("/")
    body = chart(thing) if thing.kind == "figure" else _scrolling(thing)
    translator.body.append(
        f'<figure class="ev ev-{thing.kind}" id="{thing.id}" data-address="{"" if meta.url else page}" aria-labelledby="{thing.id}-title">'
        f'<div class="ev-head"><p class="ev-title" id="{thing.id}-title">'
        f'<span class="caption-number">{number}</span> {html.escape(thing.payload["title"])}{outdated(thing)}</p>'
        + (
            f'<p class="ev-subtitle">{for_both_layouts(thing, thing.payload["subtitle"])}</p>'
            if thing.kind == "figure"
            else ""
        )
        + f"</div>{body}"
        f"<figcaption>{for_both_layouts(thing, thing.payload['caption'])}</figcaption>"
        f"{source_line(thing)}"
        f"{_actions(translator, thing, number, page, up)}</figure>\n"
    )
    raise nodes.SkipNode


def for_both_layouts(thing: Published, text: str) -> str:
    """Escape the words of a figure, and say top and bottom on a phone where panels stand below each other."""
    text = html.escape(text)
    if thing.kind != "figure":
        return text
    for beside, below in (("Left", "Top"), ("Right", "Bottom")):
        both = f'<span class="ev-on-desktop">{beside}</span><span class="ev-on-phone">{below}</span>'
        text = re.sub(rf"\b{beside}(?=[:,])", both, text)
    return text


def visit_text(translator: SphinxTranslator, node: nodes.Element) -> None:
    """Leave the title where pictures cannot be shown."""
    translator.add_text(node["title"])
    raise nodes.SkipNode


def visit_latex(translator: SphinxTranslator, node: nodes.Element) -> None:
    """Leave the title in a printed edition that has no drawing of its own yet."""
    translator.body.append(translator.encode(node["title"]))
    raise nodes.SkipNode


def source_line(thing: Published) -> str:
    """Give the line that names producers, editions and the last period of the data; full titles are under Cite.

    A figure that rests on many documents says how many and of what strength, and lists them on demand.
    """
    sources, data_to = thing.payload["sources"], f"Data to {html.escape(thing.payload['data_to'])}."
    listed = _sources(thing, as_html=True)
    if len(sources) <= MOST_NAMED:
        return f'<p class="ev-source">{listed} {data_to}</p>'
    publishers = len({source["publisher"] for source in sources})
    weak = sum(source["strength"] == "secondary" for source in sources)
    strength = f", {'all' if weak == len(sources) else weak} of them secondary" if weak else ""
    return (
        f'<details class="ev-source ev-many"><summary>Sources: {len(sources)} documents of {publishers} publishers{strength}. '
        f"{data_to}</summary><p>{listed}</p></details>"
    )


def source_line_text(thing: Published) -> str:
    """Give the same line as plain text, for a file that stands alone."""
    return f"{_sources(thing, as_html=False)} Data to {thing.payload['data_to']}."


def _sources(thing: Published, as_html: bool) -> str:
    by_publisher: dict[str, list[dict]] = {}
    for source in thing.payload["sources"]:
        by_publisher.setdefault(source["publisher"], []).append(source)
    escape = html.escape if as_html else str
    named = (
        f"{escape(publisher)} [{', '.join(_edition(source, as_html) for source in sources)}]"
        for publisher, sources in sorted(by_publisher.items())
    )
    return f"Sources: {'; '.join(named)}."


def _edition(source: dict, as_html: bool) -> str:
    """Name a source by its editions, or its title where it has none, and its strength unless primary."""
    text = citation.join_editions(source["editions"]) or source["title"]
    weak = "" if source["strength"] in ("primary", "official copy", "code list") else f", {source['strength']}"
    if not as_html:
        return text + weak
    if source["url"].startswith("http"):
        return f'<a href="{html.escape(source["url"])}" title="{html.escape(source["title"])}">{html.escape(text)}</a>{weak}'
    return html.escape(text + weak)


def source_text(source: dict) -> str:
    """Name a source in a line of plain text: producer, title, editions, and its strength unless primary."""
    editions = f" [{citation.join_editions(source['editions'])}]" if source["editions"] else ""
    weak = "" if source["strength"] in ("primary", "code list") else f" ({source['strength']})"
    return f"{source['publisher']}, {source['title']}{editions}{weak}"


def outdated(thing: Published) -> str:
    """Mark a title that new data have made false."""
    return "" if thing.payload.get("holds", True) else ' <mark class="ev-stale">no longer true of these data</mark>'


def chart(thing: Published) -> str:
    """Give both drawings of a figure, of which a page shows the one that fits."""
    drawings = (("wide", thing.svg), ("narrow", thing.payload["narrow_svg"]))
    alt = html.escape(thing.payload["alt"])
    return "".join(
        f'<div class="ev-chart ev-{name}">'
        + re.sub(
            "^<svg ", f'<svg role="img" aria-label="{alt}" ', svg.replace(' xmlns="http://www.w3.org/2000/svg"', "")
        )
        + "</div>"
        for name, svg in drawings
    )


def _scrolling(thing: Published) -> str:
    if thing.html.startswith('<div class="ev-cards">'):
        return thing.html
    label = html.escape(thing.payload["title"])
    return f'<div class="ev-scroll" tabindex="0" role="region" aria-label="{label}">{thing.html}</div>'


def _actions(translator: SphinxTranslator, thing: Published, number: str, page: str, up: str) -> str:
    meta = translator.builder.env.rareearths_book
    forms = citation.render(citation.references(thing.payload, meta, number, page))
    bibtex, *others = (
        f'<a class="ev-copyable" href="{up}{thing.kind}s/{thing.id}.{suffix}" download>{name}</a>'
        for suffix, name in citation.FORMATS.items()
    )
    formats = (
        f'<details class="ev-format"><summary>BibTeX</summary>{_copy(forms["bib"])}</details>'
        f'<p class="ev-formats">Download: {bibtex}, {", ".join(others)}</p>'
    )
    files = "".join(
        f'<li><a href="{up}{thing.kind}s/{thing.id}.{suffix}" download>{name}</a></li>'
        for suffix, name in DOWNLOADS[thing.kind].items()
    )
    what = html.escape(f"{number}: ")
    return (
        '<div class="ev-actions">'
        f'<a class="ev-link" href="#{thing.id}"><span class="sr">{what}</span>Link</a>'
        f'<details class="ev-cite"><summary><span class="sr">{what}</span>Cite</summary>'
        f"<p>This {thing.kind}, and the producers of its data:</p>{_copy(forms['txt'])}{formats}</details>"
        f'<details class="ev-download"><summary><span class="sr">{what}</span>Download</summary><ul>{files}</ul></details>'
        f'<a class="ev-code" href="#code-{thing.id}"><span class="sr">{what}</span>Code</a>'
        "</div>"
    )


def _copy(text: str) -> str:
    return f'<div class="ev-copy"><pre tabindex="0">{html.escape(text.strip())}</pre></div>'
