"""Read back what the chapters have published, from the outputs stored in their notebooks.

This is the only way in which the site, the registers, the comparison of two states of the book and the
tests learn what was published: nothing of it is kept anywhere else.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import yaml

KINDS = ("figure", "table", "number", "statement", "explorer")
MIME = "application/vnd.rareearths.{kind}+json"
"""Type of the JSON part of a stored output, by kind."""

REPOSITORY = Path(__file__).resolve().parent.parent
_KIND_OF = {MIME.format(kind=kind): kind for kind in KINDS}


class DuplicateId(ValueError):
    """Two published things have one id."""


@dataclass(frozen=True)
class Published:
    """One published thing: its kind and id, the page and cell that hold it, which of its kind on the page it is
    (from 1), what was stored, and the code that made it."""

    kind: str
    id: str
    docname: str
    cell: int
    payload: dict
    position: int = 0
    svg: str = ""
    html: str = ""
    code: str = field(default="", repr=False)

    @property
    def chapter(self) -> int:
        """Number of the chapter, that of its file (03_who_mines); 0 for a page without one."""
        stem = self.docname.rsplit("/", 1)[-1]
        return int(stem[:2]) if stem[:2].isdigit() else 0

    @property
    def number(self) -> str:
        """Number that readers see, e.g. ``Figure 3.1``."""
        return f"{self.kind.capitalize()} {self.chapter}.{self.position}"

    @property
    def anchor(self) -> str:
        """Where it stands on its page; a number or statement has its note there."""
        return anchor(self.id)

    @property
    def page(self) -> str:
        """Path of its page on the site."""
        return f"{self.docname}.html"


def anchor(identifier: str) -> str:
    """Give the anchor of a published thing on its page, by its id."""
    return identifier if identifier.startswith(("fig-", "tab-", "explore")) else f"note-{identifier}"


def chapters(repository: Path = REPOSITORY) -> list[Path]:
    """List the notebooks that ``_toc.yml`` names, in the order of the book.

    Raises:
        FileNotFoundError: ``_toc.yml`` names a notebook that is not there.
    """
    toc = yaml.safe_load((repository / "_toc.yml").read_text(encoding="utf-8"))
    names: list[str] = []

    def walk(node) -> None:
        if isinstance(node, dict):
            names.extend(node[key] for key in ("root", "file") if key in node)
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    walk(toc)
    found = []
    for name in names:
        notebook = repository / f"{name}.ipynb" if not name.endswith(".ipynb") else repository / name
        if notebook.is_file():
            found.append(notebook)
        elif not (repository / f"{name}.md").is_file() and not (repository / name).is_file():
            raise FileNotFoundError(f"_toc.yml names {name}, and there is neither {name}.ipynb nor {name}.md")
    return found


def docname(notebook: Path, repository: Path = REPOSITORY) -> str:
    """Give the name that Sphinx has for a notebook's page."""
    return notebook.relative_to(repository).with_suffix("").as_posix()


def read(notebook: Path, repository: Path = REPOSITORY) -> list[Published]:
    """List what one notebook has published, in the order of its cells."""
    content = json.loads(notebook.read_text(encoding="utf-8"))
    found: list[Published] = []
    for position, cell in enumerate(content["cells"]):
        for output in cell.get("outputs", []):
            bundle = output.get("data", {})
            for mime, kind in _KIND_OF.items():
                if mime in bundle:
                    payload = bundle[mime]
                    found.append(
                        Published(
                            kind=kind,
                            id=payload["id"],
                            docname=docname(notebook, repository),
                            cell=position,
                            position=1 + sum(thing.kind == kind for thing in found),
                            payload=payload,
                            svg=_text(bundle.get("image/svg+xml", "")),
                            html=_text(bundle.get("text/html", "")),
                            code=_text(cell["source"]),
                        )
                    )
    return found


def read_all(repository: Path = REPOSITORY) -> dict[str, Published]:
    """Collect everything that the book has published, by id.

    Raises:
        DuplicateId: two things have the same id; the message names both pages.
    """
    found: dict[str, Published] = {}
    for notebook in chapters(repository):
        for thing in read(notebook, repository):
            if thing.id in found:
                raise DuplicateId(
                    f"id {thing.id!r} is published twice: in {found[thing.id].docname} and in {thing.docname}"
                )
            found[thing.id] = thing
    return found


@dataclass(frozen=True)
class Change:
    """How one published thing differs between two states: what it was and what it is, as :func:`summary` gives them
    (None: not there), and each difference in words."""

    id: str
    old: dict | None
    new: dict | None
    said: tuple[str, ...]

    @property
    def kind(self) -> str:
        """Whether it was added, changed or withdrawn."""
        return "added" if self.old is None else "withdrawn" if self.new is None else "changed"


def summary(thing: Published) -> dict:
    """Give what one state of a published thing is told from another by: small, and the same on every machine."""
    kept = {name: thing.payload.get(name) for name in ("text", "value", "unit", "data_digest", "holds")}
    says = thing.payload.get("sentence") or thing.payload.get("title") or thing.payload.get("note", "")
    sources = {source["source_id"]: source["editions"] for source in thing.payload.get("sources", [])}
    kept |= {"kind": thing.kind, "page": thing.docname, "says": says, "sources": sources}
    return {name: value for name, value in sorted(kept.items()) if value is not None}


def compare(old: dict[str, dict], new: dict[str, dict]) -> list[Change]:
    """List what differs between two states, each a :func:`summary` by id: what is gone first, then in the new order."""
    found = [Change(name, was, None, ("no longer published",)) for name, was in old.items() if name not in new]
    for name, now in new.items():
        if name not in old:
            found.append(Change(name, None, now, (f"new {now['kind']}",)))
        elif said := _differences(old[name], now):
            found.append(Change(name, old[name], now, said))
    return found


def _differences(was: dict, now: dict) -> tuple[str, ...]:
    said = []
    if now["kind"] == "number" and was.get("text") != now["text"]:
        said.append(f"{was.get('text')} -> {now['text']}")
    elif was.get("data_digest") != now.get("data_digest"):
        said.append("other data")
    if was.get("holds", True) != now.get("holds", True):
        said.append("holds again" if now["holds"] else "no longer holds")
    elif now["kind"] != "number" and was["says"] != now["says"]:
        said.append("worded otherwise")
    return tuple(said)


def changes(before: list[Published], after: list[Published]) -> list[str]:
    """Say, in a line each, what two states of a chapter publish otherwise: numbers, data of figures, what holds."""
    old, new = ({thing.id: summary(thing) for thing in things} for things in (before, after))
    return [f"{change.id}: {words}" for change in compare(old, new) for words in change.said]


def _text(value: str | list[str]) -> str:
    return value if isinstance(value, str) else "".join(value)
