"""Write ``book/references.bib`` from the list of sources, so that no citation can drift from it."""

from __future__ import annotations

import re
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

from rareearths import data, published
from rareearths.site import citation

_ROLE = re.compile(r"\{cite(?::[a-z]+)?\}\\?`([^`]+?)\\?`")
HEAD = "% Made from data/sources.csv for the sources that the text cites: change them there, not here.\n\n"


def cited(repository: Path) -> dict[str, str]:
    """Find the ids that the text cites, each with one page that does."""
    found: dict[str, str] = {}
    for page in sorted([*(repository / "book").rglob("*.md"), *(repository / "book").rglob("*.ipynb")]):
        if ".ipynb_checkpoints" in page.parts:
            continue
        for keys in _ROLE.findall(page.read_text(encoding="utf-8")):
            for key in keys.split(","):
                found.setdefault(key.strip(), page.relative_to(repository).as_posix())
    return dict(sorted(found.items()))


def bibtex(repository: Path) -> str:
    """Give the content of the file.

    Raises:
        DataError: a page cites an id that ``data/sources.csv`` does not have.
    """
    entries = []
    for key, page in cited(repository).items():
        try:
            source = data.source(key)
        except data.DataError:
            raise data.DataError(f"{page} cites {key!r}, and data/sources.csv has no such source_id") from None
        entries.append(
            citation.as_bibtex(
                citation.of_source(vars(source) | {"editions": [source.edition] if source.edition else []})
            )
        )
    return HEAD + "\n\n".join(entries) + "\n"


def write(app: Sphinx, config) -> None:
    """Write the file before the bibliography is read, if it has changed."""
    path = published.REPOSITORY / "book" / "references.bib"
    try:
        content = bibtex(published.REPOSITORY)
    except data.DataError as error:
        raise ExtensionError(str(error)) from None
    if not path.is_file() or path.read_text(encoding="utf-8") != content:
        path.write_text(content, encoding="utf-8")
