"""Cite a published thing and the producers of its data: as text, BibTeX, RIS and CSL-JSON."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from rareearths.site.book import Book

FORMATS = {"bib": "BibTeX", "ris": "RIS", "csl.json": "CSL-JSON"}


@dataclass(frozen=True)
class Reference:
    """One thing to cite."""

    key: str
    author: str
    title: str
    container: str
    publisher: str
    date: str
    version: str
    url: str
    kind: str  # "figure", "table" or "dataset"

    @property
    def year(self) -> str:
        """First four-digit year in the date, or n.d."""
        found = re.search(r"\d{4}", self.date)
        return found[0] if found else "n.d."


def references(thing: dict, book: Book, number: str, page: str) -> list[Reference]:
    """List the figure or table first, then each document that its data come from.

    Args:
        thing: the stored payload of the figure or table.
        book: the book that it is in.
        number: e.g. ``Figure 3.1``.
        page: path of its page on the site, without the fragment.
    """
    kind = "figure" if thing["id"].startswith("fig-") else "table"
    own = Reference(
        key=thing["id"],
        author=" and ".join(book.authors),
        title=f"{thing['title']} [{number}, {thing['id']}, data digest {thing['data_digest']}]",
        container=book.title,
        publisher="",
        date=book.released,
        version=book.version,
        url=book.address(f"{page}#{thing['id']}"),
        kind=kind,
    )
    return [own, *(of_source(source) for source in thing["sources"])]


def of_source(source: dict) -> Reference:
    """Give the reference of one source, as provenance stores it."""
    url = source["url"]
    return Reference(
        key=source["source_id"],
        author=source["publisher"],
        title=source["title"],
        container="",
        publisher=source["publisher"],
        date=source["date"],
        version=join_editions(source["editions"]),
        url=url if "://" in url else "",
        kind="dataset",
    )


def as_text(reference: Reference) -> str:
    """Write one reference as a line of text, author-date."""
    parts = [f"{reference.author} ({reference.year}). {reference.title}."]
    if reference.container:
        parts.append(f"In: {reference.container}, version {reference.version}.")
    elif reference.version:
        parts.append(f"Edition: {reference.version}.")
    if reference.url:
        parts.append(reference.url)
    return " ".join(parts)


def as_bibtex(reference: Reference) -> str:
    """Write one reference as a BibTeX entry; corporate authors stay whole in double braces."""
    fields = {
        "author": " and ".join(f"{{{name}}}" for name in reference.author.split(" and ")),
        "title": f"{{{_tex(reference.title)}}}",
        "howpublished": _tex(reference.container),
        "year": reference.year if reference.year != "n.d." else "",
        "version": _tex(reference.version),
        "url": reference.url,
    }
    if reference.container:
        fields["note"] = f"In: {_tex(reference.container)}, version {_tex(reference.version)}"
        fields.pop("howpublished")
        fields.pop("version")
    elif reference.version:
        fields["note"] = f"Edition: {_tex(reference.version)}"
        fields.pop("version")
    body = ",\n".join(f"  {name} = {{{value}}}" for name, value in fields.items() if value)
    return f"@misc{{{reference.key},\n{body}\n}}"


def as_ris(reference: Reference) -> str:
    """Write one reference as a RIS record."""
    lines = ["TY  - " + {"figure": "FIGURE", "table": "CHART", "dataset": "DATA"}[reference.kind]]
    lines += [f"AU  - {name}" for name in reference.author.split(" and ")]
    lines.append(f"TI  - {reference.title}")
    if reference.container:
        lines.append(f"T2  - {reference.container}")
    if reference.year != "n.d.":
        lines.append(f"PY  - {reference.year}")
    if reference.version:
        lines.append(f"ET  - {reference.version}")
    if reference.url:
        lines.append(f"UR  - {reference.url}")
    lines.append("ER  - ")
    return "\r\n".join(lines)


def as_csl(reference: Reference) -> dict:
    """Give one reference as a CSL-JSON item."""
    item = {
        "id": reference.key,
        "type": {"figure": "graphic", "table": "dataset", "dataset": "dataset"}[reference.kind],
        "author": [{"literal": name} for name in reference.author.split(" and ")],
        "title": reference.title,
        "container-title": reference.container,
        "version": reference.version,
        "URL": reference.url,
    }
    parts = [int(part) for part in re.findall(r"\d+", reference.date)[:3]]
    if parts:
        item["issued"] = {"date-parts": [parts]}
    return {key: value for key, value in item.items() if value}


def join_editions(editions: list[str]) -> str:
    """List editions, those of years in a row as a range: ``MCS 2005 to MCS 2019, MCS 2025``."""
    runs: list[list[str]] = []
    for edition in editions:
        name, _, year = edition.rpartition(" ")
        before, _, last = runs[-1][-1].rpartition(" ") if runs else ("", "", "")
        if name and name == before and year.isdigit() and last.isdigit() and int(year) == int(last) + 1:
            runs[-1].append(edition)
        else:
            runs.append([edition])
    return ", ".join(run[0] if len(run) == 1 else f"{run[0]} to {run[-1]}" for run in runs)


def render(listed: list[Reference]) -> dict[str, str]:
    """Give all forms at once, keyed ``txt``, ``bib``, ``ris`` and ``csl.json``."""
    return {
        "txt": "\n".join(as_text(reference) for reference in listed) + "\n",
        "bib": "\n\n".join(as_bibtex(reference) for reference in listed) + "\n",
        "ris": "\r\n".join(as_ris(reference) for reference in listed) + "\r\n",
        "csl.json": json.dumps([as_csl(reference) for reference in listed], ensure_ascii=False, indent=1) + "\n",
    }


def _tex(text: str) -> str:
    return re.sub(r"([&%$#_{}])", r"\\\1", text)
