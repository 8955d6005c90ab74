"""What readers of an earlier edition need: what changed since the last one, what was wrong, and where retracted ids lead."""

from __future__ import annotations

import csv
import html
import re
from dataclasses import dataclass
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from rareearths import edition, published
from rareearths.site import answers

ERRATA = published.REPOSITORY / "book" / "reference" / "errata.csv"
ERRATA_PAGE = "book/reference/errata"
COLUMNS = ("id", "page", "since", "corrected", "found", "wrong", "right", "retracted")
SHOWN = {"changed": "Changed", "withdrawn": "Withdrawn", "added": "Added"}


class ErrataError(ValueError):
    """A row of the list of errata cannot be right."""


@dataclass(frozen=True)
class Erratum:
    """An error of a published edition: the id of the thing (empty for a passage), its page, the editions that have it
    first and have it corrected, the day it was found, what was wrong and what is right, and whether the id is retracted."""

    id: str
    page: str
    since: str
    corrected: str
    found: str
    wrong: str
    right: str
    retracted: str

    @property
    def is_retracted(self) -> bool:
        """Whether the thing was withdrawn for good."""
        return self.retracted == "yes"


def errata(things: dict[str, published.Published], path: Path = ERRATA) -> list[Erratum]:
    """Read the list of errata, the latest first.

    Raises:
        ErrataError: a row with another number of cells, an unknown page, a bad date, no text; an id that is published and
            retracted, or neither. The message names file, row and column.
    """
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    if tuple(header) != COLUMNS:
        raise ErrataError(f"{path.name}: the columns have to be {', '.join(COLUMNS)}")
    found = []
    for place, cells in enumerate(rows, start=2):
        if len(cells) != len(COLUMNS):
            raise ErrataError(f"{path.name}, row {place}: {len(cells)} cells, and there have to be {len(COLUMNS)}")
        row = Erratum(*cells)
        for column, fine, needs in (
            (
                "page",
                any((published.REPOSITORY / f"{row.page}.{kind}").is_file() for kind in ("ipynb", "md")),
                "a page",
            ),
            ("since", row.since, "an edition"),
            ("corrected", row.corrected, "an edition"),
            ("found", re.fullmatch(r"\d{4}-\d\d-\d\d", row.found), "a day such as 2027-01-05"),
            ("wrong", row.wrong, "a sentence"),
            ("right", row.right, "a sentence"),
            ("retracted", row.retracted in ("yes", "no"), "yes or no"),
            (
                "id",
                not row.is_retracted or row.id not in things,
                "an id that is no longer published, since it is retracted",
            ),
            ("id", not row.id or row.is_retracted or row.id in things, "a published id, or retracted = yes"),
        ):
            if not fine:
                raise ErrataError(
                    f"{path.name}, row {place}, column {column}: {getattr(row, column)!r}; needed: {needs}"
                )
        found.append(row)
    return sorted(found, key=lambda row: row.found, reverse=True)


def errata_html(rows: list[Erratum], up: str) -> str:
    """Write the list; the latest on an id has the address ``erratum-<id>``, any other its number."""
    items: list[str] = []
    named: set[str] = set()
    for place, row in enumerate(rows):
        where = f"{up}{row.page}.html#{published.anchor(row.id)}" if row.id else f"{up}{row.page}.html"
        what = f"<code>{html.escape(row.id)}</code>" if row.id else "a passage"
        end = "retracted" if row.is_retracted else "corrected"
        address = row.id if row.id and row.id not in named else len(rows) - place
        named.add(row.id)
        items.append(
            f'<li id="erratum-{address}"><p><a href="{html.escape(where)}">{what}</a>, found '
            f"{html.escape(row.found)}; in editions since {html.escape(row.since)}, {end} in {html.escape(row.corrected)}.</p>"
            f"<p><strong>Wrong:</strong> {html.escape(row.wrong)}</p><p><strong>Right:</strong> {html.escape(row.right)}</p></li>"
        )
    return f'<ul class="edi-list">{"".join(items)}</ul>'


def changes_html(
    changes: list[published.Change], before: edition.Edition, now: edition.Edition, up: str, retracted: set[str]
) -> str:
    """Write changes of one kind, by page: what each was, what it is, and what can have moved it."""
    pages: dict[str, list[str]] = {}
    for change in changes:
        state = change.new or change.old
        pages.setdefault(state["page"], []).append(_item(change, edition.why(change, before, now), up, retracted))
    return "".join(
        f'<p class="edi-page">{_page(page, up)}</p><ul class="edi-list">{"".join(items)}</ul>'
        for page, items in pages.items()
    )


def _page(page: str, up: str) -> str:
    """Link a chapter by its number and title; give the name of its file alone where the book has it no more."""
    name = page.rsplit("/", 1)[-1]
    try:
        title = answers.opening(published.REPOSITORY / f"{page}.ipynb").title
    except OSError:
        return html.escape(name)
    return f'<a href="{up}{page}.html">{int(name[:2])} · {html.escape(title)}</a>'


def _item(change: published.Change, reasons: list[str], up: str, retracted: set[str]) -> str:
    state = change.new or change.old
    name = f"<code>{html.escape(change.id)}</code>"
    if change.new or change.id in retracted:
        name = f'<a href="{up}{state["page"]}.html#{published.anchor(change.id)}">{name}</a>'
    says = html.escape(state["says"])
    if change.old and change.new and change.old["says"] != change.new["says"]:
        says = f"<del>{html.escape(change.old['says'])}</del> <ins>{says}</ins>"
    value = html.escape(state.get("text", ""))
    if change.old and change.new and change.old.get("text") != change.new.get("text"):
        value = f"<del>{html.escape(change.old.get('text', ''))}</del> <ins>{value}</ins>"
    said = "; ".join(words for words in change.said if " -> " not in words and change.kind == "changed")
    notes = "; ".join(filter(None, [html.escape(said), *map(html.escape, reasons)]))
    head = f"{name} ({state['kind']}){', retracted' if change.id in retracted else ''}"
    return f"<li>{head}: {value + '; ' if value else ''}{says}{f' <small>{notes}.</small>' if notes else ''}</li>"


class Errata(SphinxDirective):
    """Write the list of errata, or that there is none."""

    def run(self) -> list[nodes.Node]:
        """Give the nodes of the directive."""
        for path in (ERRATA, published.REPOSITORY / "CITATION.cff", *edition.FOLDER.glob("*.json")):
            self.env.note_dependency(str(path))
        rows = self.env.rareearths_errata
        if not rows:
            version = self.env.rareearths_book.version
            first = "" if edition.last(version) else f": edition {version} is the first"
            return [nodes.paragraph("", f"None so far{first}.")]
        return [nodes.raw("", errata_html(rows, "../" * self.env.docname.count("/")), format="html")]


class EditionChanges(SphinxDirective):
    """Write what this edition publishes otherwise than the last one that was frozen."""

    def run(self) -> list[nodes.Node]:
        """Give the nodes of the directive."""
        for path in (*published.chapters(), published.REPOSITORY / "CITATION.cff", *edition.FOLDER.glob("*.json")):
            self.env.note_dependency(str(path))
        now = edition.current()
        before = edition.last(now.version)
        if before is None:
            text = f"This is edition {now.version}, the first: there is none before it to compare it with."
            return [nodes.paragraph("", text)]
        found = published.compare(before.published, now.published)
        made: list[nodes.Node] = [
            nodes.paragraph(
                "", f"Edition {now.version} ({now.released}) against edition {before.version} ({before.released})."
            )
        ]
        retracted = {row.id for row in self.env.rareearths_errata if row.is_retracted}
        for kind, title in SHOWN.items():
            changes = [change for change in found if change.kind == kind]
            section = nodes.section(ids=[kind], names=[kind])
            section += nodes.title("", f"{title} ({len(changes)})")
            content = changes_html(changes, before, now, "../" * self.env.docname.count("/"), retracted)
            section += nodes.raw("", content, format="html") if changes else nodes.paragraph("", "Nothing.")
            made.append(section)
        return made


def keep_retracted(app: Sphinx, doctree: nodes.document) -> None:
    """Leave, at the end of a page, each id that was retracted from it, with the way to its retraction."""
    here = app.env.docname
    app.env.note_dependency(str(ERRATA))
    rows = [row for row in app.env.rareearths_errata if row.is_retracted and row.page == here and row.id]
    if not rows:
        return
    section = nodes.section(ids=["retracted"], names=["retracted"])
    section += nodes.title("", "Retracted")
    for row in rows:
        paragraph = nodes.paragraph("", "", nodes.literal("", row.id), ids=[published.anchor(row.id)])
        paragraph += nodes.Text(f" was retracted in edition {row.corrected}: ")
        address = f"{'../' * here.count('/')}{ERRATA_PAGE}.html#erratum-{row.id}"
        paragraph += nodes.reference("", "what was wrong", internal=True, refuri=address)
        section += paragraph
    parent = next((child for child in doctree.children if isinstance(child, nodes.section)), doctree)
    parent += section
