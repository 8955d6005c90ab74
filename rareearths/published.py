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
    def page(self) -> str:
        """Path of its page on the site."""
        return f"{self.docname}.html"


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


def changes(before: list[Published], after: list[Published]) -> list[str]:
    """Say, in a line each, what two states of a chapter publish otherwise: numbers, data of figures, what holds."""
    old, new = ({thing.id: thing for thing in things} for things in (before, after))
    said = [f"{name}: no longer published" for name in old if name not in new]
    for name, thing in new.items():
        if name not in old:
            said.append(f"{name}: new {thing.kind}")
            continue
        was, now = old[name].payload, thing.payload
        if thing.kind == "number" and was["text"] != now["text"]:
            said.append(f"{name}: {was['text']} -> {now['text']}")
        elif was.get("data_digest") != now.get("data_digest"):
            said.append(f"{name}: other data")
        if was.get("holds", True) != now.get("holds", True):
            said.append(f"{name}: {'holds again' if now['holds'] else 'no longer holds'}")
        elif was.get("sentence", was.get("title")) != now.get("sentence", now.get("title")):
            said.append(f"{name}: worded otherwise")
    return said


def _text(value: str | list[str]) -> str:
    return value if isinstance(value, str) else "".join(value)
