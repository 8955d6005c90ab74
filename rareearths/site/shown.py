"""The directive ``show``: the drawing of a published figure on another page, with the link that leads to it."""

from __future__ import annotations

import html

from docutils import nodes
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from rareearths.published import REPOSITORY, Published
from rareearths.site import evidence

log = logging.getLogger(__name__)


class shown(nodes.General, nodes.Element):  # noqa: N801 - docutils names nodes so
    """The drawing of a figure whose place is another page."""


class Show(SphinxDirective):
    """Show a figure by its id; what stands in the directive is said below it."""

    required_arguments = 1
    has_content = True

    def run(self) -> list[nodes.Node]:
        """Give the node; an id that is no figure's is a warning, and so fails the build."""
        identifier = self.arguments[0]
        thing: Published | None = self.env.rareearths_published.get(identifier)
        if thing is None or thing.kind != "figure":
            log.warning("no figure %r has been published; run its chapter, or mend the id", identifier)
            return []
        self.env.note_dependency(str(REPOSITORY / f"{thing.docname}.ipynb"))
        said = nodes.container(classes=["ev-said"])
        self.state.nested_parse(self.content, self.content_offset, said)
        return [shown(thing=identifier), *([said] if self.content else [])]


def visit_html(translator, node: shown) -> None:
    """Write title, drawing and source line; number and title lead to the figure, which has its data and citation."""
    thing: Published = translator.builder.env.rareearths_published[node["thing"]]
    place = translator.builder.get_relative_uri(translator.builder.current_docname, thing.docname)
    translator.body.append(
        f'<figure class="ev ev-shown" aria-labelledby="shown-{thing.id}"><div class="ev-head">'
        f'<p class="ev-title" id="shown-{thing.id}"><a href="{place}#{thing.id}">'
        f'<span class="caption-number">{thing.number}</span> {html.escape(thing.payload["title"])}</a>'
        f"{evidence.outdated(thing)}</p>"
        f'<p class="ev-subtitle">{evidence.for_both_layouts(thing, thing.payload["subtitle"])}</p></div>'
        f"{evidence.chart(thing)}{evidence.source_line(thing)}</figure>\n"
    )
    raise nodes.SkipNode


def visit_other(translator, node: shown) -> None:
    """Leave nothing where pictures cannot be shown; the words below say the finding."""
    raise nodes.SkipNode
