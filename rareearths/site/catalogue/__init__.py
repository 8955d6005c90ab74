"""The data catalogue: a page a subject, made from the description of the data package and from the tables themselves.

A page holds the directive ``{catalogue} <subject>``, the first page ``{catalogue}`` alone. What the tables hold is
shown on demand: a table's rows stand in a file of their own, ``data/view/<table>.js``, which the page loads when a
reader opens them. So pages stay light, and it works from a folder on disk, where a page may not read a CSV.
"""

from __future__ import annotations

import html

from docutils import nodes
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective

from rareearths import data
from rareearths.site.book import Book
from rareearths.site.catalogue import entry, linked_data, overview
from rareearths.site.catalogue.files import write_data
from rareearths.site.catalogue.words import load

__all__ = ["SUBJECTS", "Catalogue", "subjects", "write_data"]

SUBJECTS = {
    "elements": "Elements",
    "deposits": "Deposits",
    "production": "Production",
    "industry": "Industry",
    "trade": "Trade",
    "prices": "Prices",
    "demand": "Demand",
    "policy": "Policy",
    "model": "Model",
    "claims": "Claims",
    "codes": "Code lists",
    "geo": "Maps",
    "evidence": "Evidence",
}
"""Subjects of tables, which are the folders of ``data/``, in the order of the catalogue, with their names in lists."""


class Catalogue(SphinxDirective):
    """Write the tables of one subject, or, without a subject, the list of all tables."""

    optional_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Give the nodes of the directive."""
        self.env.note_dependency(str(data.root() / "datapackage.yaml"))
        book: Book = self.env.rareearths_book
        docname, up = self.env.docname, "../" * self.env.docname.count("/")
        if not self.arguments:
            listed = overview.html_of({subject: SUBJECTS[subject] for subject in subjects()}, up)
            return [_raw(listed + linked_data.script([linked_data.of_catalogue(book, docname)]))]
        subject = self.arguments[0]
        names = [name for name in data.tables() if data.describe(name)["subject"] == subject]
        if not names:
            raise self.error(f"no table has the subject {subject!r}; there are {', '.join(subjects())}")
        for name in names:
            self.env.note_dependency(str(data.root() / data.describe(name)["path"]))
        made: list[nodes.Node] = [_raw(_contents(names))] if len(names) > 1 else []
        made += [
            self._section(f"table-{name}", data.describe(name)["title"], entry.html_of(name, up)) for name in names
        ]
        used = _sources(names)
        if used:
            made.append(self._section("sources-of-this-page", "Sources of this page", entry.sources(used)))
        made.append(_raw(linked_data.script([linked_data.of_table(name, book, docname) for name in names])))
        return made

    def _section(self, identifier: str, title: str, content: str) -> nodes.section:
        section = nodes.section(ids=[identifier], names=[identifier] if identifier.startswith("table-") else [])
        section += nodes.title("", title)
        section += _raw(content)
        if identifier.startswith("table-"):  # so that {ref}`table-name` finds it
            self.state.document.note_explicit_target(section, section)
        return section


def subjects() -> list[str]:
    """List the subjects that tables have, in the order of the catalogue.

    Raises:
        ExtensionError: a subject is not in :data:`SUBJECTS`.
    """
    there = {data.describe(name)["subject"] for name in data.tables()}
    if unknown := there - set(SUBJECTS):
        raise ExtensionError(
            f"subject {', '.join(sorted(unknown))} is not in SUBJECTS of rareearths/site/catalogue/__init__.py"
        )
    return [subject for subject in SUBJECTS if subject in there]


def _contents(names: list[str]) -> str:
    links = "".join(
        f'<li><a href="#table-{name}">{html.escape(data.describe(name)["title"])}</a></li>' for name in names
    )
    return f'<nav class="cat-contents" aria-label="Tables of this page"><ul>{links}</ul></nav>'


def _sources(names: list[str]) -> dict[str, dict[str, int]]:
    """Count, for each source that the tables cite, its rows by table."""
    used: dict[str, dict[str, int]] = {}
    for name in names:
        for column in data.cites(data.describe(name)):
            for source_id, count in load(name)[column].value_counts().items():
                by_table = used.setdefault(source_id, {})
                by_table[name] = by_table.get(name, 0) + int(count)
    return used


def _raw(content: str) -> nodes.raw:
    return nodes.raw("", content, format="html")
