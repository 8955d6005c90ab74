"""What MyST-NB does with a stored output that carries a published thing."""

from __future__ import annotations

from docutils import nodes
from myst_nb.core.render import MimeData, NbElementRenderer

from rareearths.published import KINDS, MIME
from rareearths.site import evidence, explorer

_KIND_OF = {MIME.format(kind=kind): kind for kind in KINDS}


class Renderer:
    """Turns figures and tables into numbered nodes and explorers into theirs; numbers and statements show only where prose quotes them."""

    mime_priority_overrides = [("*", mime, 1) for mime in _KIND_OF]

    @staticmethod
    def handle_mime(renderer: NbElementRenderer, data: MimeData, inline: bool) -> list[nodes.Element] | None:
        """Give the nodes of a published thing; of anything else, None (MyST-NB's own renderer takes it)."""
        kind = _KIND_OF.get(data.mime_type)
        if kind is None:
            # The SVG, HTML or text beside a published thing is brought by its node.
            return [] if data.output_metadata.get("rareearths") else None
        document = renderer.renderer.document
        identifier = data.content["id"]
        if kind in ("number", "statement"):
            return [nodes.inline(thing=identifier, classes=["ev-made-here"])]
        env = renderer.renderer.sphinx_env
        make = explorer.make if kind == "explorer" else evidence.make
        node = make(env.rareearths_published[identifier])
        document.note_explicit_target(node, node)
        return [node]
