"""The cells of a table: types, limits and keys of its schema, and words that other tables have to hold.

Whether a table fits its schema is seen here at once (:func:`fits`), a value that stands in many rows once. Where it does
not, frictionless goes through it row by row and says what is wrong; cells that it lets pass and this package does not,
because pandas would read them otherwise, are added.
"""

from __future__ import annotations

import csv
import datetime
import json
import re
from collections.abc import Mapping
from pathlib import Path

from rareearths.check.description import FIXED_KEYS, references
from rareearths.check.problem import Problem, short

MOST_ERRORS = 1000
"""Errors that frictionless lists for one table before it stops, far more than anyone reads."""

Columns = dict[str, list[str]]
"""The cells of a table as they stand in its file, by column."""

_KNOWN_CONSTRAINTS = {"required", "unique", "minimum", "maximum", "enum", "pattern"}
_PLAIN = {
    "integer": re.compile(r"-?[0-9]{1,15}"),
    "number": re.compile(r"-?[0-9]+(\.[0-9]+)?"),
    "boolean": re.compile("true|false"),
    "date": re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}"),
}
"""How a cell of each type is written; frictionless and spreadsheets know more ways."""

_PLAINLY = {
    "integer": "digits alone, such as 2024",
    "number": "digits and a point, such as 44000000 or 0.5",
    "boolean": "true or false in small letters",
    "date": "2025-04-30",
}


class Sheets(Mapping):
    """The cells of each table of a package, read when they are first asked for; only for files that are sound."""

    def __init__(self, folder: Path, resources: list[dict]) -> None:
        self.folder = folder
        self._paths = {resource["name"]: folder / resource["path"] for resource in resources}
        self._read: dict[str, Columns] = {}

    def __getitem__(self, name: str) -> Columns:
        if name not in self._read:
            with self._paths[name].open(encoding="utf-8", newline="") as file:
                header, *rows = csv.reader(file)
            self._read[name] = dict(zip(header, map(list, zip(*rows, strict=True)), strict=True))
        return self._read[name]

    def __iter__(self):
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)


def fits(columns: Columns, schema: dict) -> bool:
    """Tell whether all cells fit the schema; False also where it says something that is not looked at here."""
    if schema.get("missingValues", [""]) != [""]:
        return False
    if not all(_column_fits(columns[field["name"]], field) for field in schema["fields"]):
        return False
    keys = schema.get("primaryKey", [])
    cells = [columns[key] for key in ([keys] if isinstance(keys, str) else keys)]
    if not cells:
        return True
    return all(map(all, cells)) and len(set(zip(*cells, strict=True))) == len(cells[0])


def _column_fits(cells: list[str], field: dict) -> bool:
    limits = field.get("constraints", {})
    if set(limits) - _KNOWN_CONSTRAINTS or field.get("format", "default") != "default":
        return False
    values = set(cells)
    if any(value != value.strip() for value in values):
        return False
    if limits.get("unique") and len(values) < len(cells):
        return False
    if "" in values:
        if limits.get("required"):
            return False
        values.remove("")
    plain = _PLAIN.get(field["type"])
    if plain and not all(map(plain.fullmatch, values)):
        return False
    if "enum" in limits and not values <= set(map(str, limits["enum"])):
        return False
    if "pattern" in limits and not all(map(re.compile(limits["pattern"]).fullmatch, values)):
        return False
    if field["type"] == "date":
        return all(map(_is_day, values))
    low, high = limits.get("minimum", -float("inf")), limits.get("maximum", float("inf"))
    return field["type"] not in ("integer", "number") or all(low <= float(value) <= high for value in values)


def _is_day(text: str) -> bool:
    try:
        datetime.date.fromisoformat(text)
    except ValueError:
        return False
    return True


def schema_problems(sheets: Sheets, resource: dict) -> list[Problem]:
    """Hold one table, the file of which is sound, against types, constraints and its primary key."""
    if fits(sheets[resource["name"]], resource["schema"]):
        return []
    from frictionless import Checklist, Resource  # slow to import, and seldom needed

    schema = {key: value for key, value in resource["schema"].items() if key != "foreignKeys"}
    table = {"name": resource["name"], "path": resource["path"], "type": "table", **FIXED_KEYS}
    table |= {"schema": schema, "dialect": {"csv": {"delimiter": ","}}}
    report = Resource.from_descriptor(json.loads(json.dumps(table)), basepath=str(sheets.folder)).validate(
        Checklist(), limit_errors=MOST_ERRORS
    )
    errors = list(report.errors) + [error for task in report.tasks for error in task.errors]
    doubled = {error.row_number for error in errors if error.type == "primary-key"}
    found = [
        _schema_problem(error, resource)
        for error in errors
        if not (error.type == "unique-error" and error.row_number in doubled)  # one fault, one message
    ]
    return found + _unclean(sheets[resource["name"]], resource, {(one.row, one.column) for one in found})


def _unclean(columns: Columns, resource: dict, told: set[tuple]) -> list[Problem]:
    """List cells that frictionless lets pass and this package does not, such as 4.4E+07, FALSE, or a blank at an end."""
    found = []
    for field in resource["schema"]["fields"]:
        column, plain = field["name"], _PLAIN.get(field["type"])
        for row, cell in enumerate(columns[column], start=2):
            if not cell or (row, column) in told:
                continue
            if cell != cell.strip():
                rule, expected = "blanks", f"{_expectation(field)}, without blanks before or after"
            elif plain and not plain.fullmatch(cell):
                rule, expected = "wrong type", f"{_expectation(field)}, written plainly: {_PLAINLY[field['type']]}"
            else:
                continue
            todo = "write it so; a spreadsheet may have changed it, so compare with the source"
            found.append(Problem(resource["path"], rule, short(cell), expected, todo, row, column))
    return found


def reference_problems(sheets: Sheets, resource: dict, sound: list[dict], faults: list[Problem]) -> list[Problem]:
    """List values that the table they refer to does not have, one problem a value; cells in ``faults`` are left out.

    Done here and not by frictionless, which reads the other table anew for every key and has a message a row, and
    which knows no list in a cell (our key ``listOf``: words joined by semicolons, each of them of a code list).
    """
    problems, told = [], {(fault.row, fault.column) for fault in faults}
    for column, target, target_column, is_list in references(resource):
        other = next((one for one in sound if one["name"] == target), None)
        if other is None:  # its own file is at fault, which is said already
            continue
        cells, known = sheets[resource["name"]][column], set(sheets[target][target_column])
        strange = {
            cell for cell in set(cells) if cell and not _all_known(cell.split(";") if is_list else [cell], known)
        }
        rows: dict[str, list[int]] = {}
        for number, cell in enumerate(cells, start=2) if strange else ():
            if cell in strange and (number, column) not in told:
                rows.setdefault(cell, []).append(number)
        for value, (first, *more) in rows.items():
            also = f", also in row{'s' if len(more) > 1 else ''} {', '.join(map(str, more))}" if more else ""
            expected = f"a {target_column} of {other['path']}"
            if is_list:
                expected = f"words of {other['path']}, column {target_column}, each once, joined by a semicolon alone"
            problems.append(
                Problem(
                    resource["path"],
                    f"unknown {column}",
                    repr(value) + also,
                    expected,
                    f"correct it, or add the row to {other['path']}",
                    first,
                    column,
                )
            )
    return problems


def _all_known(words: list[str], known: set[str]) -> bool:
    return known.issuperset(words) and len(set(words)) == len(words)


def _schema_problem(error, resource: dict) -> Problem:
    """Turn one error of frictionless into plain words."""
    file = resource["path"]
    row, column = getattr(error, "row_number", None), getattr(error, "field_name", None)
    if error.type == "primary-key":
        keys = resource["schema"]["primaryKey"]
        positions = [[f["name"] for f in resource["schema"]["fields"]].index(key) for key in keys]
        values = ", ".join(error.cells[position] for position in positions)
        twin = re.search(r"\d+", error.note)
        column = ", ".join(keys)
        expected = f"no second row with the same {column}; row {twin[0] if twin else '?'} has them"
        return Problem(file, "duplicate key", values, expected, "remove or correct one of the two rows", row, column)
    field = next((f for f in resource["schema"]["fields"] if f["name"] == column), None)
    if field is None:
        expected = "a row that fits the schema"
        return Problem(file, error.title.lower(), error.note, expected, "correct the row", row, column)
    if '"required"' in error.note:
        evidence = column in ("source_id", "locator")
        todo = "name the source of the fact and the place in it" if evidence else "fill the cell"
        return Problem(file, "missing value", "a blank cell", _expectation(field), todo, row, column)
    rule = {"type-error": "wrong type", "unique-error": "doubled value"}.get(error.type, "not allowed")
    todo = "correct the cell; leave it blank only where a value is missing"
    return Problem(file, rule, short(error.cell), _expectation(field), todo, row, column)


def _expectation(field: dict) -> str:
    """Say in words what a field asks of a cell."""
    if "expects" in field:
        return " ".join(field["expects"].split())
    limits = field.get("constraints", {})
    words = {
        "integer": "a whole number",
        "date": "a date such as 2025-04-30",
        "number": "a number",
        "boolean": "true or false",
        "string": "a text",
    }
    said = [words.get(field["type"], field["type"])]
    if "enum" in limits:
        said = ["one of " + ", ".join(map(str, limits["enum"]))]
    if "minimum" in limits and "maximum" in limits:
        said.append(f"from {limits['minimum']} to {limits['maximum']}")
    elif "minimum" in limits:
        said.append(f"of {limits['minimum']} or more")
    if limits.get("unique"):
        said.append("that no other row has")
    return " ".join(said)
