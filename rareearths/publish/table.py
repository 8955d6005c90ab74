"""Publish a table: what the page shows, its CSV, its sources."""

from __future__ import annotations

import html

import pandas as pd

from rareearths.publish import bundle


def table(
    rows: pd.DataFrame,
    *,
    id: str,
    title: str,
    caption: str,
    data_to: str | int,
    columns: dict[str, str],
    formats: dict[str, str] | None = None,
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
        sources: rows or ids of sources, where ``rows`` has no ``source_id`` column.

    Raises:
        PublishError: an id of another form, no rows, an unknown column, or no sources.
    """
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
    bundle.show("table", payload, title, **{"text/html": _html(rows, columns, formats or {})})


def _html(rows: pd.DataFrame, columns: dict[str, str], formats: dict[str, str]) -> str:
    numeric = {column: pd.api.types.is_numeric_dtype(rows[column]) for column in columns}
    lines = ["<table><thead><tr>"]
    lines += [_cell("th", heading, numeric[column], ' scope="col"') for column, heading in columns.items()]
    lines.append("</tr></thead><tbody>")
    for _, row in rows.iterrows():
        cells = [
            _cell(
                "th" if position == 0 else "td",
                _text(row[column], formats.get(column)),
                numeric[column],
                ' scope="row"' if position == 0 else "",
            )
            for position, column in enumerate(columns)
        ]
        lines.append("<tr>" + "".join(cells) + "</tr>")
    lines.append("</tbody></table>")
    return "\n".join(lines)


def _text(value, specification: str | None) -> str:
    if pd.isna(value):
        return "–"
    return (format(value, specification) if specification else str(bundle.plain(value))).replace(
        "-", "−" if specification else "-"
    )


def _cell(tag: str, text: str, number: bool, attributes: str) -> str:
    kind = ' class="n"' if number else ""
    return f"<{tag}{kind}{attributes}>{html.escape(text)}</{tag}>"
