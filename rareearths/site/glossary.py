"""Terms of the glossary, linked where a page first uses them, and under each term the chapters that do.

The glossary is Sphinx's own, on one page; the lines of an entry are the written forms that are looked for, with their
plurals. A form in small letters is found with a capital too; one with capitals (REO) only as it is written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

from rareearths import published
from rareearths.site import numbers

PAGE = "book/reference/glossary"
ALSO_LINKED = ("book/reference/methods",)
"""Pages besides the chapters on which terms are linked."""

NO_PROSE = (
    nodes.title,
    nodes.reference,
    nodes.literal,
    nodes.literal_block,
    nodes.table,
    nodes.figure,
    nodes.raw,
    nodes.math,
    addnodes.pending_xref,
    numbers.quoted,
    numbers.notes,
)
"""What may hold text that is not running prose."""


@dataclass(frozen=True)
class Entry:
    """A term: its anchor on the page of the glossary, its written forms, the first sentence of its definition."""

    anchor: str
    forms: tuple[str, ...]
    tip: str


def entries(glossary: nodes.document) -> list[Entry]:
    """Read the terms off the page."""
    found = []
    for item in glossary.findall(nodes.definition_list_item):
        terms = list(item.findall(nodes.term))
        definition = next(item.findall(nodes.definition)).astext()
        tip = re.split(r"(?<=[.;])\s", " ".join(definition.split()))[0].rstrip(".;")
        found.append(Entry(terms[0]["ids"][0], tuple(term.astext() for term in terms), tip))
    return found


def first_uses(page: nodes.document, terms: list[Entry]) -> Iterator[tuple[nodes.Text, list[tuple[int, int, Entry]]]]:
    """Give the texts of a page in which terms stand for the first time, each with the places and their terms."""
    forms = sorted(((form, entry) for entry in terms for form in entry.forms), key=lambda pair: -len(pair[0]))
    pattern = re.compile(rf"(?<![\w-])(?:{'|'.join(f'({_written(form)})' for form, _ in forms)})(?![\w-])")
    seen: set[Entry] = set()
    for text in list(page.findall(nodes.Text)):
        if not _is_prose(text):
            continue
        found = []
        for match in pattern.finditer(text.astext()):
            entry = forms[match.lastindex - 1][1]
            if entry not in seen:
                seen.add(entry)
                found.append((*match.span(), entry))
        if found:
            yield text, found


def linked_pages() -> list[str]:
    """List the pages on which terms are linked: the chapters in their order, and :data:`ALSO_LINKED`."""
    return [*map(published.docname, published.chapters()), *ALSO_LINKED]


class LinkTerms(SphinxPostTransform):
    """Link the first use of each term on a page; on that of the glossary, say which chapters use each."""

    default_priority = 5  # before references are resolved, while what is a link can still be told from what is not
    formats = ("html",)

    def run(self, **kwargs) -> None:
        """Run on one page."""
        if self.env.docname == PAGE:
            self._say_where()
        elif self.env.docname in linked_pages() and PAGE in self.env.found_docs:
            link(
                self.document,
                entries(self.env.get_doctree(PAGE)),
                self.app.builder.get_relative_uri(self.env.docname, PAGE),
            )

    def _say_where(self) -> None:
        terms = entries(self.document)
        used: dict[str, list[tuple[str, str]]] = {}
        for notebook in published.chapters():
            name = published.docname(notebook)
            address = self.app.builder.get_relative_uri(PAGE, name)
            for _, places in first_uses(self.env.get_doctree(name), terms):
                for _, _, entry in places:
                    used.setdefault(entry.anchor, []).append((str(int(notebook.stem[:2])), address))
        for item in self.document.findall(nodes.definition_list_item):
            anchor = next(item.findall(nodes.term))["ids"][0]
            where = nodes.paragraph(classes=["ev-used"])
            for number, address in used.get(anchor, []):
                where += nodes.Text(", " if len(where) else "Chapter " if len(used[anchor]) == 1 else "Chapters ")
                where += nodes.reference("", number, internal=True, refuri=f"{address}#use-{anchor}")
            if len(where):
                next(item.findall(nodes.definition)).append(where)


def link(page: nodes.document, terms: list[Entry], address: str) -> None:
    """Turn the first use of each term on a page into a link to its entry, with the first sentence as its description."""
    for text, places in list(first_uses(page, terms)):
        raw, parts, at = text.astext(), [], 0
        for start, end, entry in places:
            parts.append(nodes.Text(raw[at:start]))
            parts.append(
                nodes.reference(
                    "",
                    raw[start:end],
                    internal=True,
                    refuri=f"{address}#{entry.anchor}",
                    reftitle=entry.tip,
                    classes=["ev-term"],
                    ids=[f"use-{entry.anchor}"],
                )
            )
            at = end
        text.parent.replace(text, [*parts, nodes.Text(raw[at:])])


def depend(app: Sphinx, doctree: nodes.document) -> None:
    """Have pages read anew when the glossary changes, and the glossary when a chapter does."""
    if app.env.docname == PAGE:
        for notebook in published.chapters():
            app.env.note_dependency(str(notebook))
    elif app.env.docname in linked_pages():
        app.env.note_dependency(str(published.REPOSITORY / f"{PAGE}.md"))


def _written(form: str) -> str:
    """Give the pattern of a written form: any space, its plural, and a capital where it begins small."""
    singular, ending = (form[:-1], "(?:y|ies)") if re.search(r"[^aeiou]y$", form) else (form, "s?")
    body = r"\s+".join(map(re.escape, singular.split()))
    if singular == singular.lower() and singular[0].isalpha():
        body = f"[{singular[0].upper()}{singular[0]}]{body[1:]}"
    return body + ending


def _is_prose(text: nodes.Text) -> bool:
    node, in_paragraph = text.parent, False
    while node is not None:
        if isinstance(node, NO_PROSE) or node.get("nb_element") == "cell_code":
            return False
        in_paragraph |= isinstance(node, nodes.paragraph)
        node = node.parent
    return in_paragraph
