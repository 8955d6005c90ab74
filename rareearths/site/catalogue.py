"""The data catalogue: a page a subject, made from the description of the data package and from the tables themselves.

A page holds the directive ``{catalogue} <subject>``, the first page ``{catalogue}`` alone. What the tables hold is
shown on demand: a table's rows stand in a file of their own, ``data/view/<table>.js``, which the page loads when a
reader opens them. So pages stay light, and it works from a folder on disk, where a page may not read a CSV.
"""

from __future__ import annotations

import functools
import html
import io
import json
import shutil
import zipfile
from pathlib import Path

import pandas as pd
import yaml
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective

from rareearths import data
from rareearths.site import coverage
from rareearths.site.book import Book
from rareearths.site.downloads import ZIP_DAY

SUBJECTS = {
    "elements": "The elements",
    "deposits": "Deposits and ores",
    "production": "Production and reserves",
    "industry": "Industry",
    "trade": "Trade",
    "prices": "Prices",
    "demand": "Demand and outlook",
    "policy": "Policy and controls",
    "model": "Model",
    "claims": "Claims",
    "codes": "Code lists",
    "geo": "Maps",
    "evidence": "Evidence",
}
"""Subjects of tables, which are the folders of ``data/``, in the order of the catalogue, with their headings."""

PREVIEW = 5
"""Rows that a page shows before a reader asks for all of them."""

LONG = 40
"""Characters from which on the cells of a column need a line break, and their column room for it."""

SCHEMA_ORG_LONGEST = 5000
"""Characters that search engines take of the description of a Dataset."""


class Catalogue(SphinxDirective):
    """Write the tables of one subject, or, without a subject, the list of all tables."""

    optional_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Give the nodes of the directive."""
        self.env.note_dependency(str(data.root() / "datapackage.yaml"))
        book: Book = self.env.rareearths_book
        if not self.arguments:
            parts = [_overview(self.env.docname), _json_ld([_catalogue_ld(book, self.env.docname)])]
            return [nodes.raw("", "".join(parts), format="html")]
        subject = self.arguments[0]
        names = [name for name in data.tables() if data.describe(name)["subject"] == subject]
        if not names:
            raise self.error(f"no table has the subject {subject!r}; there are {', '.join(subjects())}")
        up = "../" * self.env.docname.count("/")
        made: list[nodes.Node] = []
        used: dict[str, dict[str, int]] = {}
        for name in names:
            resource = data.describe(name)
            self.env.note_dependency(str(data.root() / resource["path"]))
            table = _load(name)
            for column in _cites(resource):
                for source_id, count in table[column].value_counts().items():
                    used.setdefault(source_id, {}).setdefault(name, 0)
                    used[source_id][name] += int(count)
            section = nodes.section(ids=[f"table-{name}"], names=[f"table-{name}"])
            section += nodes.title("", resource["title"])
            section += nodes.raw("", _table(resource, table, up), format="html")
            self.state.document.note_explicit_target(section, section)  # so that {ref}`table-name` finds it
            made.append(section)
        if used:
            section = nodes.section(ids=["sources-of-this-page"], names=["sources-of-this-page"])
            section += nodes.title("", "Sources of this page")
            section += nodes.raw("", _sources(used), format="html")
            made.append(section)
        made.append(
            nodes.raw(
                "", _json_ld([_dataset_ld(data.describe(n), book, self.env.docname) for n in names]), format="html"
            )
        )
        return made


def subjects() -> list[str]:
    """List the subjects that tables have, in the order of the catalogue.

    Raises:
        ExtensionError: a subject is not in :data:`SUBJECTS`.
    """
    there = {data.describe(name)["subject"] for name in data.tables()}
    if unknown := there - set(SUBJECTS):
        raise ExtensionError(f"subject {', '.join(sorted(unknown))} is not in SUBJECTS of rareearths/site/catalogue.py")
    return [subject for subject in SUBJECTS if subject in there]


def write_data(app: Sphinx, error: Exception | None) -> None:
    """Copy the data package to ``data/`` of the site: tables, description (YAML and JSON), an archive, rows to view."""
    if error is not None or app.builder.format != "html":
        return
    out = Path(app.outdir) / "data"
    shutil.rmtree(out, ignore_errors=True)
    (out / "view").mkdir(parents=True)
    content = {"datapackage.json": _package_json(), "datapackage.yaml": (data.root() / "datapackage.yaml").read_bytes()}
    for name in data.tables():
        resource = data.describe(name)
        content[resource["path"]] = (data.root() / resource["path"]).read_bytes()
        (out / "view" / f"{name}.js").write_text(_view(resource), encoding="utf-8")
    for path, part in content.items():
        (out / path).parent.mkdir(parents=True, exist_ok=True)
        (out / path).write_bytes(part)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for path, part in content.items():
            file.writestr(zipfile.ZipInfo(f"rare-earths-data/{path}", ZIP_DAY), part, zipfile.ZIP_DEFLATED)
    (out / "rare-earths-data.zip").write_bytes(archive.getvalue())


# One table


def _table(resource: dict, table: pd.DataFrame, up: str) -> str:
    name, path = resource["name"], resource["path"]
    covered = coverage.coverage(table)
    facts = {
        "Rows": f"{len(table):,}",
        "Covers": _covered(covered) + html.escape(resource["coverage"]),
        "Unit": html.escape(resource["unit"]),
        "Take care": html.escape(resource["limitations"]),
        "Updated": html.escape(resource["update_rhythm"]),
        "How to update": _code(resource["how_to_update"]),
        "Sources": _publishers(resource, table),
        "Licence": html.escape(resource["licence_note"]),
        "Attribution": html.escape(resource["attribution"]),
    }
    listed = "".join(f"<dt>{key}</dt><dd>{value}</dd>" for key, value in facts.items() if value)
    title = html.escape(resource["title"])
    return (
        f'<p>{_code(resource["description"])}</p><dl class="cat-facts">{listed}</dl>'
        f"{coverage.picture(table, resource['title'], _names())}"
        f'<p class="cat-get"><a href="{up}data/{path}" download>CSV, {_size(data.root() / path)}</a> '
        f'<span>in a notebook: <code>data.load("{name}")</code></span></p>'
        f'<details class="cat-fields"><summary>Fields<span class="sr"> of {title}</span></summary>'
        f"{_fields(resource)}</details>"
        f'<details class="cat-rows" data-table="{name}" data-view="{up}data/view/{name}.js">'
        f'<summary>Rows<span class="sr"> of {title}</span></summary>'
        f"{_preview(resource, table)}</details>"
    )


def _covered(covered: coverage.Coverage) -> str:
    said = []
    if covered.first is not None:
        said.append(str(covered.first) if covered.first == covered.last else f"{covered.first} to {covered.last}")
    if covered.countries:
        said.append(f"{covered.countries} countries, areas or groups" if covered.countries > 1 else "one country")
    if covered.elements:
        said.append(f"{covered.elements} elements" if covered.elements > 1 else "one element")
    return f"<strong>{', '.join(said)}.</strong> " if said else ""


def _fields(resource: dict) -> str:
    schema = resource["schema"]
    keys = schema.get("primaryKey", [])
    keys = [keys] if isinstance(keys, str) else keys
    referred = {key["fields"][0]: key["reference"]["resource"] for key in schema.get("foreignKeys", [])}
    rows = []
    for field in schema["fields"]:
        said = _code(field["description"])
        if values := field.get("constraints", {}).get("enum"):
            said += " <em>One of:</em> " + html.escape(", ".join(map(str, values))) + "."
        if target := referred.get(field["name"]) or field.get("listOf", {}).get("resource"):
            said += f" <em>Refers to</em> {html.escape(data.describe(target)['path'])}."
        key = " (key)" if field["name"] in keys else ""
        required = "always" if field.get("constraints", {}).get("required") else "may be blank"
        rows.append(
            f'<tr><th scope="row"><code>{field["name"]}</code>{key}</th><td>{field["type"]}</td>'
            f"<td>{required}</td><td>{said}</td></tr>"
        )
    return (
        '<div class="cat-scroll" tabindex="0" role="region" aria-label="Fields"><table class="cat-grid"><thead><tr>'
        '<th scope="col">Field</th><th scope="col">Type</th><th scope="col">Filled</th><th scope="col">Meaning</th>'
        f"</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def _preview(resource: dict, table: pd.DataFrame) -> str:
    """Give the first rows, which JavaScript replaces by all of them with search and sorting."""
    names = [field["name"] for field in resource["schema"]["fields"]]
    head = "".join(f'<th scope="col">{name}</th>' for name in names)
    cells = pd.read_csv(data.root() / resource["path"], dtype=str, keep_default_na=False, nrows=PREVIEW)
    body = "".join(
        "<tr>"
        + "".join(f"<td{' class=t' if len(cell) > LONG else ''}>{html.escape(_short(cell))}</td>" for cell in row)
        + "</tr>"
        for row in cells.itertuples(index=False)
    )
    shown = f"The first {PREVIEW} of {len(table):,} rows" if len(table) > PREVIEW else "All rows"
    return (
        f'<p class="cat-count" role="status">{shown}.</p>'
        f'<div class="cat-scroll" tabindex="0" role="region" aria-label="Rows of {html.escape(resource["title"])}">'
        f'<table class="cat-grid"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def _publishers(resource: dict, table: pd.DataFrame) -> str:
    """Name the publishers of a table's sources with their editions, those with most rows first."""
    counts: dict[str, int] = {}
    editions: dict[str, set[str]] = {}
    documents: set[str] = set()
    for column in _cites(resource):
        for source_id, count in table[column].value_counts().items():
            source = data.source(source_id)
            documents.add(source_id)
            counts[source.publisher] = counts.get(source.publisher, 0) + int(count)
            if source.edition:
                editions.setdefault(source.publisher, set()).add(source.edition)
    if not counts:
        return ""
    order = sorted(counts, key=lambda publisher: (-counts[publisher], publisher))
    named = [
        html.escape(publisher + (f" [{'; '.join(sorted(editions[publisher]))}]" if publisher in editions else ""))
        for publisher in order[:MOST_PUBLISHERS]
    ]
    more = f", {len(order) - len(named)} more" if len(order) > len(named) else ""
    many = f"{len(documents)} documents" if len(documents) > 1 else "one document"
    return f'{", ".join(named)}{more}: <a href="#sources-of-this-page">{many}</a>.'


MOST_PUBLISHERS = 5
"""Publishers that a table's entry names; all stand in the list at the end of the page."""


def _sources(used: dict[str, dict[str, int]]) -> str:
    rows = []
    for source_id in sorted(used):
        source = data.source(source_id)
        title = html.escape(source.title)
        if source.url:
            url = source.url if source.url.startswith("http") else f"https://doi.org/{source.url.removeprefix('doi:')}"
            title = f'<a href="{html.escape(url)}">{title}</a>'
        where = ", ".join(f"{html.escape(table)} ({count:,})" for table, count in used[source_id].items())
        cells = [
            title,
            *map(html.escape, (source.publisher, source.date, source.edition, source.strength, source.licence)),
        ]
        rows.append(
            f'<tr id="source-{source_id}"><th scope="row"><span class="ev-id">{source_id}</span></th>'
            + "".join(f"<td>{cell}</td>" for cell in cells)
            + f"<td>{where}</td></tr>"
        )
    heads = ("Id", "Title", "Publisher", "Date", "Edition", "Strength", "Licence", "Tables (rows)")
    head = "".join(f'<th scope="col">{name}</th>' for name in heads)
    return (
        '<div class="cat-scroll" tabindex="0" role="region" aria-label="Sources">'
        f'<table class="cat-grid cat-sort"><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'
    )


# All tables


def _overview(docname: str) -> str:
    rows = []
    total = 0
    for subject in subjects():
        for name in data.tables():
            resource = data.describe(name)
            if resource["subject"] != subject:
                continue
            table = _load(name)
            total += len(table)
            covered = coverage.coverage(table)
            years = "" if covered.first is None else f"{covered.first}–{covered.last}"
            page = docname.rsplit("/", 1)[0] + f"/{subject}"
            link = f"{page.rsplit('/', 1)[-1]}.html#table-{name}"
            rows.append(
                f'<tr><th scope="row"><a href="{link}">{html.escape(resource["title"])}</a></th>'
                f"<td>{html.escape(SUBJECTS[subject])}</td><td class='n'>{len(table):,}</td><td>{years}</td>"
                f"<td><code>{name}</code></td></tr>"
            )
    head = "".join(
        f'<th scope="col"{" class=n" if name == "Rows" else ""}>{name}</th>'
        for name in ("Table", "Subject", "Rows", "Years", "Name")
    )
    up = "../" * docname.count("/")
    package = data.root() / "datapackage.yaml"
    return (
        f"<p>{len(rows)} tables, {total:,} rows. All of it: "
        f'<a href="{up}data/rare-earths-data.zip" download>archive</a>, with its description as a '
        f'<a href="{up}data/datapackage.json">Frictionless Data Package</a> ({_size(package)}).</p>'
        '<div class="cat-scroll" tabindex="0" role="region" aria-label="All tables">'
        f'<table class="cat-grid cat-sort"><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'
    )


# For search engines


def _catalogue_ld(book: Book, docname: str) -> dict:
    package = yaml.load((data.root() / "datapackage.yaml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
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


def _dataset_ld(resource: dict, book: Book, docname: str) -> dict:
    table = _load(resource["name"])
    covered = coverage.coverage(table)
    sources = sorted({value for column in _cites(resource) for value in table[column].dropna()})
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
    if covered.first is not None:
        found["temporalCoverage"] = f"{covered.first}/{covered.last}"
    return found


MOST_BASED_ON = 20
"""Documents that a Dataset names as its basis; the page lists all."""


def _source_ld(source: data.Source) -> dict:
    found = {"@type": "CreativeWork", "name": source.title, "publisher": source.publisher}
    return found | ({"url": source.url} if source.url.startswith("http") else {})


def _download(book: Book, path: str, form: str) -> dict:
    return {"@type": "DataDownload", "encodingFormat": form, "contentUrl": book.address(path)}


def _json_ld(things: list[dict]) -> str:
    content = json.dumps({"@context": "https://schema.org/", "@graph": things}, ensure_ascii=False)
    safe = content.replace("</", "<\\/")  # no text of ours may end the script
    return f'<script type="application/ld+json">{safe}</script>'


# Files


def _package_json() -> bytes:
    """Give the description with anchors resolved, for readers that take JSON alone."""
    text = (data.root() / "datapackage.yaml").read_text(encoding="utf-8")
    package = yaml.load(text, Loader=yaml.CSafeLoader)
    package.pop("shared", None)
    return (json.dumps(package, ensure_ascii=False, indent=1) + "\n").encode()


def _view(resource: dict) -> str:
    """Give a table as a script that hands it to the page."""
    cells = pd.read_csv(data.root() / resource["path"], dtype=str, keep_default_na=False)
    numeric = [f["name"] for f in resource["schema"]["fields"] if f["type"] in ("integer", "number")]
    content = {
        "name": resource["name"],
        "numeric": [list(cells).index(name) for name in numeric],
        "long": [place for place, name in enumerate(cells) if cells[name].str.len().max() > LONG],
        "links": [list(cells).index(name) for name in _cites(resource)],
        "rows": cells.to_numpy().tolist(),
    }
    return f"rareearthsTable({json.dumps(content, ensure_ascii=False, separators=(',', ':'))});\n"


# Tables and words


@functools.cache
def _load(name: str) -> pd.DataFrame:
    """Load a table once in a build."""
    return data.load(name)


def _cites(resource: dict) -> list[str]:
    keys = resource["schema"].get("foreignKeys", [])
    return [key["fields"][0] for key in keys if key["reference"]["resource"] == "sources"]


@functools.cache
def _names() -> dict[str, str]:
    countries = _load("countries")
    return dict(zip(countries.country_iso3, countries.short_name, strict=True))


def _code(text: str) -> str:
    """Escape a text and set what stands between backticks as code."""
    parts = html.escape(" ".join(text.split())).split("`")
    return "".join(f"<code>{part}</code>" if place % 2 else part for place, part in enumerate(parts))


def _short(cell: str) -> str:
    return cell if len(cell) <= 90 else cell[:89] + "…"


def _size(path: Path) -> str:
    size = path.stat().st_size
    return f"{size / 1_000_000:.1f} MB" if size >= 1_000_000 else f"{max(size / 1000, 1):.0f} kB"
