"""Publish a table, as lines or as cards: what the page shows, its CSV, its sources."""

from __future__ import annotations

import html
import re

import pandas as pd

from rareearths.publish import bundle

_ANCHOR = re.compile(r"[a-z][a-z0-9-]*")


def table(
    rows: pd.DataFrame,
    *,
    id: str,
    title: str,
    caption: str,
    data_to: str | int,
    columns: dict[str, str],
    formats: dict[str, str] | None = None,
    links: dict[str, str] | None = None,
    anchor: str | None = None,
    filters: dict[str, str] | None = None,
    words: str | None = None,
    sources=None,
) -> None:
    """Store a table with its data and sources; numbers are set flush right, missing values as a dash.

    Args:
        rows: one row a line; all its columns go into the CSV that readers download.
        id: permanent name, starting with ``tab-``.
        title, caption: the finding, and what to be careful about.
        data_to: the last period that the data reach.
        columns: the columns that the page shows, in order, with their headings (units in the heading).
        formats: format specifications by column, e.g. ``{"tonnes_reo": ",.0f"}``.
        links: by column, the column that holds the address its text leads to; where that is missing, no link.
        anchor: template of each line's own address, filled from its columns, e.g. ``"plant-{facility_id}"``.
        filters: columns by which readers can choose lines, with their labels; several values in a cell are joined by
            a semicolon. They need not be shown. The page adds a search; without scripts all lines stand there.
        words: a column of further words by which the search finds a line; not shown.
        sources: rows or ids of sources, where ``rows`` has no ``source_id`` column.

    Raises:
        PublishError: an id of another form, no rows, an unknown column, two lines with one anchor, or no sources.
    """
    _check(rows, id, [*columns, *(links or {}).values(), *(filters or {}), *([words] if words else [])])
    anchors = _anchors(rows, anchor, of=id)
    choices = "" if filters is None else f' class="ev-filtered"{_attribute("facets", filters.values())}'
    lines = [
        f"<table{choices}><thead><tr>",
        *(_cell("th", html.escape(text), _numeric(rows, column), ' scope="col"') for column, text in columns.items()),
        "</tr></thead><tbody>",
    ]
    for (_, row), name in zip(rows.iterrows(), anchors):
        cells = [
            _cell(
                "th" if position == 0 else "td",
                _shown(row, column, formats, links),
                _numeric(rows, column),
                ' scope="row"' if position == 0 else "",
            )
            for position, column in enumerate(columns)
        ]
        values = "" if filters is None else _attribute("facets", (_text(row[column], None) for column in filters))
        if words:
            values += f' data-words="{html.escape(_text(row[words], None))}"'
        lines.append(f"<tr{_id(name)}{values}>" + "".join(cells) + "</tr>")
    lines.append("</tbody></table>")
    _store(rows, id, title, caption, data_to, sources, "\n".join(lines))


def cards(
    rows: pd.DataFrame,
    *,
    id: str,
    title: str,
    caption: str,
    data_to: str | int,
    heading: str,
    anchor: str,
    columns: dict[str, str],
    formats: dict[str, str] | None = None,
    links: dict[str, str] | None = None,
    sources=None,
) -> None:
    """Store a table whose rows the page shows as cards, each with a heading and an address of its own.

    Args:
        heading: template of a card's heading, filled from the row's columns, e.g. ``"{symbol} · {name}"``.
        columns: the columns that a card lists, in order, with their names. A missing value is shown as a dash; a
            line break in a text is kept.
        rows, id, title, caption, data_to, formats, links, anchor, sources: as for :func:`table`.

    Raises:
        PublishError: as for :func:`table`.
    """
    _check(rows, id, [*columns, *(links or {}).values()])
    parts = ['<div class="ev-cards">']
    for (_, row), name in zip(rows.iterrows(), _anchors(rows, anchor, of=id)):
        listed = "".join(
            f"<div><dt>{html.escape(text)}</dt><dd>{_shown(row, column, formats, links)}</dd></div>"
            for column, text in columns.items()
        )
        top = html.escape(heading.format(**row))
        parts.append(
            f'<section class="ev-card" id="{name}" aria-label="{top}">'
            f'<p class="ev-card-name"><a href="#{name}">{top}</a></p><dl>{listed}</dl></section>'
        )
    parts.append("</div>")
    _store(rows, id, title, caption, data_to, sources, "\n".join(parts))


def _check(rows: pd.DataFrame, id: str, columns: list[str]) -> None:
    bundle.check_id(id)
    if not id.startswith("tab-"):
        raise bundle.PublishError(f"id {id!r}: a table's id starts with tab-")
    if not len(rows):
        raise bundle.PublishError(f"{id}: no rows")
    missing = [column for column in columns if column not in rows]
    if missing:
        raise bundle.PublishError(
            f"{id}: no column {', '.join(missing)}; there are {', '.join(map(str, rows.columns))}"
        )


def _anchors(rows: pd.DataFrame, template: str | None, of: str) -> list[str]:
    """Give each row's own address, in lower case with hyphens; empty ones where there is no template."""
    if template is None:
        return [""] * len(rows)
    anchors = [template.format(**row).lower().replace("_", "-") for _, row in rows.iterrows()]
    twice = sorted({anchor for anchor in anchors if anchors.count(anchor) > 1})
    if twice:
        raise bundle.PublishError(f"{of}: two rows with the anchor {', '.join(twice)}")
    odd = [anchor for anchor in anchors if not _ANCHOR.fullmatch(anchor)]
    if odd:
        raise bundle.PublishError(f"{of}: {odd[0]!r} cannot be an anchor: letters, figures and hyphens are needed")
    return anchors


def _store(rows, id, title, caption, data_to, sources, shown: str) -> None:
    data = bundle.columns_and_rows(rows)
    payload = {
        "id": id,
        "title": bundle.keep_units(title),
        "caption": bundle.keep_units(caption),
        "data_to": str(data_to),
        "data": data,
        "data_digest": bundle.digest(data),
        "sources": bundle.provenance(rows if sources is None else sources, of=id),
    }
    bundle.show("table", payload, title, **{"text/html": shown})


def _numeric(rows: pd.DataFrame, column: str) -> bool:
    return pd.api.types.is_numeric_dtype(rows[column])


def _shown(row, column: str, formats: dict[str, str] | None, links: dict[str, str] | None) -> str:
    """Give a cell as HTML: formatted, escaped, and a link where it has an address."""
    text = html.escape(_text(row[column], (formats or {}).get(column))).replace("\n", "<br>")
    address = row[links[column]] if links and column in links else None
    return text if address is None or pd.isna(address) else f'<a href="{html.escape(address)}">{text}</a>'


def _text(value, specification: str | None) -> str:
    if pd.isna(value):
        return "–"
    return (format(value, specification) if specification else str(bundle.plain(value))).replace(
        "-", "−" if specification else "-"
    )


def _attribute(name: str, values) -> str:
    """Give a data attribute of several texts, joined by bars."""
    return f' data-{name}="{html.escape("|".join(str(value).replace("|", "/") for value in values))}"'


def _id(name: str) -> str:
    return f' id="{name}"' if name else ""


def _cell(tag: str, shown: str, number: bool, attributes: str) -> str:
    kind = ' class="n"' if number else ""
    return f"<{tag}{kind}{attributes}>{shown}</{tag}>"
