"""The list of all tables."""

from __future__ import annotations

import html

from rareearths import data
from rareearths.site.catalogue import coverage
from rareearths.site.catalogue.words import load, names, size


def html_of(subjects: dict[str, str], up: str) -> str:
    """Give the list of the tables of these subjects, each a key with its name, which can be searched and sorted."""
    rows, total = [], 0
    for subject, called in subjects.items():
        for name in data.tables():
            resource = data.describe(name)
            if resource["subject"] != subject:
                continue
            table = load(name)
            total += len(table)
            covered = coverage.coverage(table)
            rows.append(
                f'<tr data-words="{html.escape(_words(resource, table))}">'
                f'<th scope="row"><a href="{subject}.html#table-{name}">{html.escape(resource["title"])}</a></th>'
                f'<td>{html.escape(called)}</td><td class="n">{len(table):,}</td><td>{covered.span}</td>'
                f"<td><code>{name}</code></td></tr>"
            )
    heads = ("Table", "Subject", "Rows", "Years", "Name")
    head = "".join(f'<th scope="col"{" class=n" if name == "Rows" else ""}>{name}</th>' for name in heads)
    package = data.root() / "datapackage.yaml"
    return (
        f"<p>{len(rows)} tables, {total:,} rows. All of it: "
        f'<a href="{up}data/rare-earths-data.zip" download>archive</a>, with its description as a '
        f'<a href="{up}data/datapackage.json">Frictionless Data Package</a> ({size(package)}).</p>'
        '<div class="cat-scroll" tabindex="0" role="region" aria-label="All tables">'
        '<table class="cat-grid cat-sort cat-list" data-noun="tables">'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def _words(resource: dict, table) -> str:
    """Give what a table can be found by besides its title: its description, fields, closed lists and elements."""
    fields = resource["schema"]["fields"]
    said = [resource["description"], resource["coverage"], resource["unit"]]
    said += [f"{field['name']} {field['title']}" for field in fields]
    said += [str(value) for field in fields for value in field.get("constraints", {}).get("enum", [])]
    symbols: set[str] = set(table["element"].dropna()) if "element" in table else set()
    if "elements" in table:
        symbols |= {symbol for cell in table["elements"].dropna() for symbol in cell.split(";")}
    for column in ("product", "material"):
        if column in table:
            said += list(table[column].dropna().unique())
    said += [f"{symbol} {names().get(symbol, '')}" for symbol in sorted(symbols)]
    unique = dict.fromkeys(" ".join(said).lower().replace("_", " ").split())
    return " ".join(unique)
