"""Bring imported rows into a table without losing what is kept by hand: one row a primary key.

A row whose value is the same stays as it is, with its flags and notes. A changed value replaces its row.
Rows of other sources, editions and chapters are never touched.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from rareearths.upstream import UpstreamError

VALUE_FLAGS = {"lower_bound", "upper_bound", "withheld", "not_available", "not_applicable", "net_exporter"}
"""Flags that say what the value is; the others (estimated, quota, superseded ...) say how it came about."""

OWN_WORK = {"computed", "secondary"}
"""Flags of rows that no file of a publisher holds, so that their absence from one says nothing."""

MAIN_FIRST = ("publisher", "chapter")
"""Columns whose values our tables list by weight, not by alphabet; the order in the table is kept."""

TOTALS_LAST = {"ROW": 1, "WLD": 2}
"""The rest of the world and the world stand below the countries."""

Row = dict[str, str]


@dataclass
class Change:
    """What one import does to one table: rows by their key, as text."""

    table: str
    key_columns: list[str]
    value_columns: list[str]
    added: list[Row] = field(default_factory=list)
    changed: list[tuple[Row, Row]] = field(default_factory=list)
    removed: list[Row] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed)

    def key(self, row: Row) -> str:
        return " ".join(row[column] for column in self.key_columns)

    def value(self, row: Row) -> str:
        """Word a row's value: its numbers, or the flag that says why there is none."""
        numbers = [row[column] for column in self.value_columns if row[column]]
        flags = sorted(VALUE_FLAGS & set(row.get("flag", "").split(";")))
        return " ".join(["–".join(_shortened(number) for number in numbers)] * bool(numbers) + flags) or "missing"


def read(path: Path) -> tuple[list[str], list[Row]]:
    """Read a table of ours as text, header and rows."""
    reader = csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"), newline=""))
    rows = list(reader)
    return list(reader.fieldnames or []), rows


def as_text(columns: list[str], rows: list[Row]) -> str:
    """Write a table of ours as text: comma, quotes only where needed, a newline a row."""
    stream = io.StringIO(newline="")
    writer = csv.DictWriter(stream, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()


def merge(rows: list[Row], columns: list[str], imported: pd.DataFrame, resource: dict, *, value_columns: list[str],
          scope_columns: list[str], order_columns: list[str]) -> tuple[list[Row], Change]:  # fmt: skip
    """Merge an imported table into the rows of ours.

    Args:
        rows: the table's rows as text.
        columns: the table's columns.
        imported: the importer's table of the same name.
        resource: the table's description in ``datapackage.yaml``; its primary key is the rows' key.
        value_columns: the columns whose change is a change of the fact.
        scope_columns: with ``source_id``, what the file covers whole.
        order_columns: the columns by which the table is sorted.

    Returns:
        The new rows and what changed. New rows stand where the order of the table puts them, or, where the
        table is not in that order, after the others.

    Raises:
        UpstreamError: the table has no primary key, or the import has other columns or one key twice.
    """
    key_columns = _key_columns(resource)
    change = Change(resource["name"], key_columns, value_columns)
    unknown = [column for column in imported.columns if column not in columns]
    if unknown:
        raise UpstreamError(
            f"table {resource['name']}: the importer gives the columns {', '.join(unknown)}, which the table has not; "
            "make datapackage.yaml, the table and the importer agree"
        )
    new_rows = [_as_row(record, columns) for record in imported.to_dict("records")]
    by_key = _by_key(new_rows, key_columns, resource["name"])
    covered = {_scope(row, scope_columns) for row in new_rows}
    merged, kept_keys = [], set()
    order = _order(rows, order_columns)
    in_order = rows == sorted(rows, key=order)
    for row in rows:
        key = _key(row, key_columns)
        kept_keys.add(key)
        new = by_key.get(key)
        if new is None:
            if _scope(row, scope_columns) in covered and not OWN_WORK & set(row.get("flag", "").split(";")):
                change.removed.append(row)
            else:
                merged.append(row)
        elif _same_value(row, new, value_columns):
            merged.append(row)
        else:
            change.changed.append((row, new))
            merged.append(new)
    change.added = sorted((row for key, row in by_key.items() if key not in kept_keys), key=order)
    merged += change.added
    if in_order:
        merged.sort(key=order)
    return merged, change


def _key_columns(resource: dict) -> list[str]:
    key = resource.get("schema", {}).get("primaryKey") or []
    key = [key] if isinstance(key, str) else list(key)
    if not key:
        raise UpstreamError(
            f"table {resource['name']}: datapackage.yaml gives no primaryKey, so rows cannot be matched"
        )
    return key


def _by_key(rows: list[Row], key_columns: list[str], table: str) -> dict[tuple, Row]:
    by_key: dict[tuple, Row] = {}
    for row in rows:
        key = _key(row, key_columns)
        if key in by_key:
            raise UpstreamError(
                f"table {table}: the file gives {' '.join(key)} twice ({by_key[key].get('locator')} and "
                f"{row.get('locator')}); keep the right one"
            )
        by_key[key] = row
    return by_key


def _key(row: Row, key_columns: list[str]) -> tuple:
    return tuple(row[column] for column in key_columns)


def _order(rows: list[Row], order_columns: list[str]) -> Callable[[Row], list[tuple]]:
    """Make the sort key of a table: numbers as numbers, main publisher and chapter first, totals last."""
    places: dict[tuple[str, str], int] = {}
    for row in rows:
        for column in MAIN_FIRST:
            if column in row:
                places.setdefault((column, row[column]), len(places))

    def place(row: Row, column: str) -> tuple[float, str]:
        text = row[column]
        if column in MAIN_FIRST:
            return places.get((column, text), len(places)), text
        if column == "country_iso3":
            return TOTALS_LAST.get(text, 0), text
        return (float(text), "") if _is_number(text) else (float("inf"), text)

    return lambda row: [place(row, column) for column in order_columns]


def _scope(row: Row, scope_columns: list[str]) -> tuple:
    return tuple(row[column] for column in ["source_id", *scope_columns])


def _as_row(record: dict, columns: list[str]) -> Row:
    return {column: _as_cell(record.get(column)) for column in columns}


def _as_cell(value: object) -> str:
    """Write a value as our tables do: missing as blank, whole numbers without a point."""
    if value is None or value is pd.NA or (isinstance(value, float) and pd.isna(value)):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _same_value(old: Row, new: Row, value_columns: list[str]) -> bool:
    if any(not _equal(old[column], new[column]) for column in value_columns):
        return False
    return VALUE_FLAGS & set(old.get("flag", "").split(";")) == VALUE_FLAGS & set(new.get("flag", "").split(";"))


def _equal(old: str, new: str) -> bool:
    if old == new:
        return True
    return _is_number(old) and _is_number(new) and float(old) == float(new)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _shortened(text: str) -> str:
    return text if len(text) <= 40 else text[:37] + "..."
