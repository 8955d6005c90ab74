"""What the site needs to know of the book itself; CITATION.cff is the one place where it is said."""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass
from pathlib import Path

import yaml

from rareearths.build import URL_VARIABLE


@dataclass(frozen=True)
class Book:
    """Title, authors, version, day of release and licence of the text, and the address of the site if known."""

    title: str
    authors: tuple[str, ...]
    version: str
    released: str
    licence: str
    url: str

    @property
    def year(self) -> str:
        """Year of the release."""
        return self.released[:4]

    def address(self, path: str) -> str:
        """Give the full address of a page or file; without a known site, its path alone."""
        return f"{self.url.rstrip('/')}/{path}" if self.url else path


@functools.cache
def load(repository: Path) -> Book:
    """Read CITATION.cff."""
    cff = yaml.safe_load((repository / "CITATION.cff").read_text(encoding="utf-8"))
    authors = tuple(
        author.get("name") or f"{author['family-names']}, {author['given-names']}" for author in cff["authors"]
    )
    return Book(
        title=cff["title"],
        authors=authors,
        version=str(cff["version"]),
        released=str(cff["date-released"]),
        licence="CC BY 4.0",
        url=os.environ.get(URL_VARIABLE) or cff.get("url", ""),
    )
