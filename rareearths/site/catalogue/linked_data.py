"""The catalogue as schema.org has it, for search engines: a DataCatalog and a Dataset a table."""

from __future__ import annotations

import json

from rareearths import data
from rareearths.site.book import Book
from rareearths.site.catalogue import coverage
from rareearths.site.catalogue.words import load

SCHEMA_ORG_LONGEST = 5000
"""Characters that search engines take of the description of a Dataset."""


def of_catalogue(book: Book, docname: str) -> dict:
    """Describe the whole package."""
    package = data.package()
    return {
        "@type": "DataCatalog",
        "name": package["title"],
        "description": package["description"],
        "url": book.address(f"{docname}.html"),
        "license": package["licenses"][0]["path"],
        "keywords": package["keywords"],
        "creator": [{"@type": "Organization", "name": author} for author in book.authors],
        "dateModified": book.released,
        "version": book.version,
        "distribution": _download(book, "data/rare-earths-data.zip", "application/zip"),
    }


def of_table(name: str, book: Book, docname: str) -> dict:
    """Describe one table."""
    resource, table = data.describe(name), load(name)
    covered = coverage.coverage(table)
    sources = sorted({value for column in data.cites(resource) for value in table[column].dropna()})
    found = {
        "@type": "Dataset",
        "@id": book.address(f"{docname}.html#table-{resource['name']}"),
        "name": resource["title"],
        "description": " ".join([resource["description"], resource["limitations"]])[:SCHEMA_ORG_LONGEST],
        "url": book.address(f"{docname}.html#table-{resource['name']}"),
        "license": "https://creativecommons.org/licenses/by/4.0/",
        "usageInfo": resource["licence_note"],
        "creditText": resource["attribution"],
        "creator": [{"@type": "Organization", "name": author} for author in book.authors],
        "version": book.version,
        "dateModified": book.released,
        "isAccessibleForFree": True,
        "variableMeasured": [field.get("title", field["name"]) for field in resource["schema"]["fields"]],
        "distribution": _download(book, f"data/{resource['path']}", "text/csv"),
        "isBasedOn": [_source_ld(data.source(source_id)) for source_id in sources[:MOST_BASED_ON]],
    }
    if covered.span:
        found["temporalCoverage"] = covered.span.replace("–", "/")
    return found


MOST_BASED_ON = 20
"""Documents that a Dataset names as its basis; the page lists all."""


def _source_ld(source: data.Source) -> dict:
    found = {"@type": "CreativeWork", "name": source.title, "publisher": source.publisher}
    return found | ({"url": source.url} if source.url.startswith("http") else {})


def _download(book: Book, path: str, form: str) -> dict:
    return {"@type": "DataDownload", "encodingFormat": form, "contentUrl": book.address(path)}


def script(things: list[dict]) -> str:
    """Give the element of a page that holds these descriptions."""
    content = json.dumps({"@context": "https://schema.org/", "@graph": things}, ensure_ascii=False)
    safe = content.replace("</", "<\\/")  # no text of ours may end the script
    return f'<script type="application/ld+json">{safe}</script>'
