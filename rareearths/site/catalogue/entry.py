"""The entry of one table: what it is and what not to do with it, its fields, its rows, where it is from."""

from __future__ import annotations

import html

import pandas as pd

from rareearths import data
from rareearths.site.catalogue import coverage
from rareearths.site.catalogue.words import LONG, cells, load, names, short, size, text

PREVIEW = 5
"""Rows that a page shows before a reader asks for all of them."""

MOST_PUBLISHERS = 5
"""Publishers that a table's entry names; all stand in the list at the end of the page."""


def html_of(name: str, up: str) -> str:
    """Give the entry of a table; ``up`` leads from the page to the root of the site."""
    resource, table = data.describe(name), load(name)
    path, title = resource["path"], html.escape(resource["title"])
    covered = coverage.coverage(table)
    first = {
        "Covers": _covered(covered) + text(_begun(resource["coverage"])),
        "Unit": text(_begun(resource["unit"])),
        "Take care": text(resource["limitations"]),
    }
    behind = {
        "Sources": _publishers(name, table),
        "Licence": text(resource["licence_note"]),
        "Attribution": text(resource["attribution"]),
        "Updated": text(_begun(resource["update_rhythm"])),
        "How to update": text(resource["how_to_update"]),
    }
    return (
        f"<p>{text(resource['description'])}</p>{_listed(first)}"
        f"{coverage.picture(table, resource, names())}"
        f'<p class="cat-get"><a href="{up}data/{path}" download>CSV<span class="sr"> of {title}</span>, {len(table):,} rows, '
        f'{size(data.root() / path)}</a> <span>in a notebook: <code>data.load("{name}")</code></span></p>'
        f'<details class="cat-rows" data-table="{name}" data-view="{up}data/view/{name}.js">'
        f'<summary>Rows<span class="sr"> of {title}</span></summary>{_preview(name)}</details>'
        f'<details class="cat-fields"><summary>Fields<span class="sr"> of {title}</span></summary>'
        f"{_fields(resource)}</details>"
        f'<details class="cat-behind"><summary>Sources, licence, update<span class="sr"> of {title}</span></summary>'
        f"{_listed(behind)}</details>"
    )


def sources(used: dict[str, dict[str, int]]) -> str:
    """Give the list of the sources of a page, with the tables that use them and the rows they stand behind."""
    rows = []
    for source_id in sorted(used):
        source = data.source(source_id)
        title = html.escape(source.title)
        if source.url:
            url = source.url if source.url.startswith("http") else f"https://doi.org/{source.url.removeprefix('doi:')}"
            title = f'<a href="{html.escape(url)}">{title}</a>'
        where = ", ".join(f"{html.escape(table)} ({count:,})" for table, count in used[source_id].items())
        others = (source.publisher, source.date, source.edition, source.strength, source.licence)
        rows.append(
            f'<tr id="source-{source_id}"><td class="t">{title}</td>'
            + "".join(f"<td>{html.escape(cell)}</td>" for cell in others)
            + f'<td>{where}</td><th scope="row"><span class="ev-id">{source_id}</span></th></tr>'
        )
    heads = ("Title", "Publisher", "Date", "Edition", "Strength", "Licence", "Tables (rows)", "Id")
    head = "".join(f'<th scope="col">{name}</th>' for name in heads)
    return (
        '<div class="cat-scroll cat-tall" tabindex="0" role="region" aria-label="Sources">'
        '<table class="cat-grid cat-sort cat-sources" data-noun="sources">'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def _begun(words: str) -> str:
    return words[:1].upper() + words[1:]


def _listed(facts: dict[str, str]) -> str:
    entries = "".join(f"<dt>{key}</dt><dd>{value}</dd>" for key, value in facts.items() if value)
    return f'<dl class="cat-facts">{entries}</dl>'


def _covered(covered: coverage.Coverage) -> str:
    said = []
    if covered.years:
        said.append(covered.years)
    if covered.countries:
        areas = f"{covered.countries} countries, areas or groups" if covered.countries > 1 else "one country or area"
        said.append(f"the world and {areas}" if covered.world else areas)
    elif covered.world:
        said.append("the world")
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
        said = text(field["description"])
        if values := field.get("constraints", {}).get("enum"):
            said += (
                " <em>One of:</em> " + "; ".join(f"<code>{html.escape(str(value))}</code>" for value in values) + "."
            )
        if target := referred.get(field["name"]) or field.get("listOf", {}).get("resource"):
            said += f" <em>Refers to</em> {html.escape(data.describe(target)['path'])}."
        key = " (key)" if field["name"] in keys else ""
        required = "always" if field.get("constraints", {}).get("required") else "may be blank"
        rows.append(
            f'<tr><th scope="row"><code>{field["name"]}</code>{key}</th><td>{field["type"]}</td>'
            f"<td>{required}</td><td>{said}</td></tr>"
        )
    return (
        '<table class="cat-grid cat-stack"><thead><tr>'
        '<th scope="col">Field</th><th scope="col">Type</th><th scope="col">Filled</th><th scope="col">Meaning</th>'
        f"</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    )


def _preview(name: str) -> str:
    """Give the first rows, which JavaScript replaces by all of them with search and sorting."""
    found, title = cells(name), html.escape(data.describe(name)["title"])
    head = "".join(f'<th scope="col">{column}</th>' for column in found)
    body = "".join(
        "<tr>"
        + "".join(f"<td{' class=t' if len(cell) > LONG else ''}>{html.escape(short(cell))}</td>" for cell in row)
        + "</tr>"
        for row in found.head(PREVIEW).itertuples(index=False)
    )
    shown = f"The first {PREVIEW} of {len(found):,} rows" if len(found) > PREVIEW else "All rows"
    return (
        f'<p class="cat-count" role="status">{shown}.</p>'
        f'<div class="cat-scroll cat-tall" tabindex="0" role="region" aria-label="Rows of {title}">'
        f'<table class="cat-grid"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def _publishers(name: str, table: pd.DataFrame) -> str:
    """Name the publishers of a table's sources with their editions, those with most rows first."""
    counts: dict[str, int] = {}
    editions: dict[str, set[str]] = {}
    documents: set[str] = set()
    for column in data.cites(data.describe(name)):
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
