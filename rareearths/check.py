"""Check the data package: bytes, schema and keys of every table, then what a schema cannot say.

One fault gives one message: a table whose file is not sound is not held against its schema, and the cross-checks
(:mod:`rareearths.crosschecks`) run only when every table fits. The schema itself is checked by frictionless.
"""

from __future__ import annotations

import argparse
import csv
import functools
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import yaml

from rareearths.data import DATA_VARIABLE, PANDAS_TYPES, root

DESCRIPTION = "datapackage.yaml"
OWN_KEYS = (
    "subject",
    "unit",
    "coverage",
    "update_rhythm",
    "how_to_update",
    "limitations",
    "licence_note",
    "attribution",
)
"""Keys that each table's description has to have besides those of Frictionless: the data catalogue prints them."""

FIXED_KEYS = {"format": "csv", "encoding": "utf-8"}
"""Keys of a table that have one value in this package, because the loader knows no other."""

MOST_ERRORS = 1000
"""Errors that frictionless lists for one table before it stops, far more than anyone reads."""

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The safe loader of YAML, the fast one where PyYAML has it."""

LONGEST_VALUE = 80
"""Characters of a found value that a message repeats; outlines of countries run to thousands."""


@dataclass(frozen=True)
class Problem:
    """One fault: where it is, which rule it breaks, what was found and expected, and what to do about it."""

    file: str
    rule: str
    found: str
    expected: str
    todo: str
    row: int | None = None
    column: str | None = None

    def __str__(self) -> str:
        row = f", row {self.row}" if self.row else ""
        column = f", column {self.column}" if self.column else ""
        return "\n".join(
            [
                f"{self.file}{row}{column}: {self.rule}",
                f"  found     {self.found}",
                f"  expected  {self.expected}",
                f"  to do     {self.todo}",
            ]
        )


def check(folder: Path | str | None = None, table: str | None = None) -> list[Problem]:
    """List all faults of the data package in ``folder``, by default the one :func:`rareearths.data.root` names.

    Args:
        table: check this table alone, and run the cross-checks that read it.

    Returns:
        One Problem a fault, in the order of the tables in ``datapackage.yaml``; empty when all is well.
        Row numbers are those an editor shows, the header being row 1.

    Raises:
        KeyError: there is no such table.
    """
    problems, _ = _check(Path(folder) if folder else root(), table)
    return problems


def main(argv: list[str]) -> int:
    """Run ``python -m rareearths check [--data FOLDER] [--table NAME]``: print every problem, then one line that sums up.

    Returns:
        The exit code: 0 without problems, 1 with.
    """
    parser = argparse.ArgumentParser(prog="python -m rareearths check", description="Check the tables in data/.")
    parser.add_argument("--data", metavar="FOLDER", help=f"a folder of your own in place of data/ (as {DATA_VARIABLE})")
    parser.add_argument("--table", metavar="NAME", help="this table alone, with the cross-checks that read it")
    options = parser.parse_args(argv)
    try:
        problems, sizes = _check(Path(options.data) if options.data else root(), options.table)
    except KeyError as error:
        print(error.args[0])
        return 1
    for problem in problems:
        print(problem, end="\n\n")
    tables = f"{len(sizes)} tables" if len(sizes) != 1 else "1 table"
    print(f"{tables}, {sum(sizes.values())} rows: " if sizes else "", end="")
    print("no problems" if not problems else "1 problem" if len(problems) == 1 else f"{len(problems)} problems")
    return 1 if problems else 0


def _check(folder: Path, only: str | None = None) -> tuple[list[Problem], dict[str, int]]:
    description, problems = _read_description(folder)
    if problems:
        return problems, {}
    resources = description["resources"]
    chosen = [resource for resource in resources if only in (None, resource["name"])]
    if not chosen:
        raise KeyError(f"no table {only!r}; there are: {', '.join(sorted(r['name'] for r in resources))}")
    if only is None:
        problems += _undescribed(folder, resources)
    faults_of = {resource["name"]: _file_problems(folder, resource) for resource in chosen}
    sound = [resource for resource in resources if not faults_of.get(resource["name"])]
    for resource in chosen:
        problems += faults_of[resource["name"]]
    for resource in chosen:
        if not faults_of[resource["name"]]:
            faults = _schema_problems(folder, resource)
            problems += faults + _reference_problems(folder, resource, sound, faults)
    sizes = {resource["name"]: _rows(folder / resource["path"]) for resource in chosen}
    if not problems:
        from rareearths import crosschecks  # it needs Problem of this module

        problems = crosschecks.run({r["name"]: functools.partial(_typed, folder, r) for r in resources}, only)
    return problems, sizes


# The description of the tables


def _read_description(folder: Path) -> tuple[dict, list[Problem]]:
    path = folder / DESCRIPTION

    def problem(rule: str, found: str, expected: str, todo: str, row: int | None = None) -> tuple[dict, list[Problem]]:
        return {}, [Problem(DESCRIPTION, rule, found, expected, todo, row)]

    if not path.is_file():
        return problem(
            "missing file",
            f"no file {path}" if folder.is_dir() else f"no folder {folder}",
            f"a folder laid out as data/, with its {DESCRIPTION}",
            "name such a folder: make book DATA=folder, or --data folder",
        )
    try:
        description, faults = _parsed(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        return problem("not UTF-8", str(error.reason), "UTF-8 text", "save the file as UTF-8")
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        found = getattr(error, "problem", None) or str(error)
        return problem("not YAML", found, "valid YAML", "mend the line, or the one before", mark and mark.line + 1)
    except (TypeError, RecursionError) as error:
        return problem("not a description", str(error), "texts, numbers, lists and mappings", "put dates in quotes")
    return description, [Problem(DESCRIPTION, "invalid description", *fault) for fault in faults]


@functools.lru_cache(maxsize=4)
def _parsed(text: str) -> tuple[dict, list[tuple[str, str, str]]]:
    """Read the description and list what is wrong with it; kept, as a description is read again for every table."""
    description = yaml.load(text, Loader=LOADER)
    description = json.loads(json.dumps(description))  # aliases become objects of their own; dates show up
    return description, _description_faults(description)


def _description_faults(description: object) -> list[tuple[str, str, str]]:
    """List what is wrong with the description itself, each as found, expected and what to do."""
    from frictionless import FrictionlessException, Package

    if not isinstance(description, dict) or not isinstance(description.get("resources"), list):
        return [("no list called resources", "a mapping with a list of resources", "restore the list of tables")]
    try:
        errors = list(Package.metadata_validate(description))
    except FrictionlessException as error:
        errors = [error.error]
    if errors:
        notes = dict.fromkeys(error.note for error in errors)
        return [(note, "a Frictionless Data Package", "mend the key that the message names") for note in notes]
    described = {resource["name"]: resource for resource in description["resources"]}
    return [fault for resource in described.values() for fault in _table_faults(resource, described)]


def _table_faults(resource: dict, described: dict[str, dict]) -> list[tuple[str, str, str]]:
    """List what this package asks of a table's description and Frictionless does not."""
    name, schema = resource["name"], resource.get("schema", {})
    fields = schema.get("fields", []) if isinstance(schema, dict) else []
    if not fields or not isinstance(resource.get("path"), str):
        return [(f"table {name} has no path or no fields", "path and schema.fields", "describe the table")]
    faults = [
        (f"table {name} has no {key}", f"a text under {key}", "say it in a sentence")
        for key in OWN_KEYS
        if not resource.get(key)
    ]
    for key, value in FIXED_KEYS.items():
        if resource.get(key) != value:
            faults.append((f"table {name} has {key} {resource.get(key)!r}", f"{key}: {value}", "write it so"))
    for field in fields:
        if field.get("type") not in PANDAS_TYPES:
            found = f"{name}.{field['name']} is of type {field.get('type')!r}"
            faults.append((found, ", ".join(PANDAS_TYPES), "take one of these types"))
    references = [key["reference"] for key in schema.get("foreignKeys", [])]
    references += [
        {"resource": field["listOf"]["resource"], "fields": [field["listOf"]["field"]]}
        for field in fields
        if "listOf" in field
    ]
    for reference in references:
        target, columns = reference["resource"], reference["fields"]
        known = [field["name"] for field in described.get(target, {}).get("schema", {}).get("fields", [])]
        if len(columns) != 1 or columns[0] not in known:
            expected = "one column of another table of this package"
            faults.append((f"table {name} refers to {columns} of {target!r}", expected, "correct the name"))
    return faults


def _undescribed(folder: Path, resources: list[dict]) -> list[Problem]:
    described = {resource["path"] for resource in resources}
    files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.csv"))
    return [
        Problem(
            file,
            "undescribed table",
            "a table that no description knows",
            f"an entry in {DESCRIPTION}",
            "describe the table, or take the file away",
        )
        for file in files
        if file not in described
    ]


# The bytes of a file


def _file_problems(folder: Path, resource: dict) -> list[Problem]:
    """List what is wrong with the file as such, before its cells are looked at; empty when it can be read."""
    file, path = resource["path"], folder / resource["path"]
    names = [field["name"] for field in resource["schema"]["fields"]]

    def problem(rule: str, found: str, expected: str, todo: str, row: int | None = None, column: str | None = None):
        return Problem(file, rule, found, expected, todo, row, column)

    if not path.is_file():
        return [problem("missing file", "no such file", "the table that the description names", "restore it")]
    content = path.read_bytes()
    if not content.strip():
        return [problem("empty file", "no content", "a header and rows", "restore the file")]
    faults = []
    if content.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\x00" in content:
        return [problem("not UTF-8", "bytes of UTF-16 or of no text", "UTF-8 text", "save the file as CSV UTF-8", 1)]
    if content.startswith(b"\xef\xbb\xbf"):
        content = content[3:]
        faults.append(
            problem(
                "byte order mark",
                "EF BB BF before the first column",
                f"the file to begin with {names[0]}",
                "save as UTF-8 without BOM",
                1,
                names[0],
            )
        )
    if b"\r" in content:
        row = content[: content.index(b"\r")].count(b"\n") + 1
        content = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        faults.append(problem("line ends", "CR or CRLF", "LF alone", "save with Unix line ends", row))
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        return faults + [_not_utf8(problem, content, error.start, names)]
    return faults + _shape_problems(problem, text, names)


def _not_utf8(problem, content: bytes, start: int, names: list[str]) -> Problem:
    row = content[:start].count(b"\n") + 1
    line_start = content.rfind(b"\n", 0, start) + 1
    before = next(csv.reader([content[line_start:start].decode("utf-8") + "x"]))
    line = content[line_start:].split(b"\n", 1)[0].decode("cp1252", errors="replace")
    cell = next(csv.reader([line]))[len(before) - 1 : len(before)]
    column = names[len(before) - 1] if len(before) <= len(names) else None
    found = f"byte {content[start]:02X}, which in cp1252 reads {_short(cell[0]) if cell else '?'}"
    return problem("not UTF-8", found, "UTF-8 text", "save the file as CSV UTF-8", row, column)


def _shape_problems(problem, text: str, names: list[str]) -> list[Problem]:
    """Look at separators, header, line breaks and the number of cells; what comes first hides what follows from it."""
    header = text.split("\n", 1)[0]
    for separator, word in ((";", "semicolons"), ("\t", "tabs")):
        if separator in header and header.count(separator) >= header.count(","):
            return [problem("separator", f"{word} between the cells", "commas", "save as comma-separated CSV", 1)]
    lines: list[tuple[int, int, list[str]]] = []
    try:
        for line in _numbered(text):
            lines.append(line)
    except csv.Error as error:
        first = lines[-1][1] + 1 if lines else 1
        if not text.endswith("\n") and first > text.count("\n"):
            return [_truncated(problem, text, names)]
        return [problem("not CSV", str(error), "quotation marks in pairs", "look for a lone quotation mark", first)]
    faults = _header_problems(problem, lines[0][2], names)
    if faults:
        return faults
    if not text.endswith("\n"):
        lines.pop()
        faults.append(_truncated(problem, text, names))
    if len(lines) == 1 and not faults:
        return [problem("empty table", "a header without rows", "at least one row", "restore the rows")]
    for first, last, cells in lines[1:]:
        if len(cells) != len(names):
            todo = "add or remove commas; a text with a comma needs quotation marks"
            faults.append(problem("number of cells", f"{len(cells)} cells", f"{len(names)} cells", todo, first))
        elif first != last:
            faults.append(problem("line break", "a line break in a cell", "a row a line", "take it out", first))
    return faults


def _truncated(problem, text: str, names: list[str]) -> Problem:
    row = text.count("\n") + 1
    cells = next(csv.reader([text.rsplit("\n", 1)[-1]]))
    column = names[len(cells) - 1] if len(cells) <= len(names) else None
    found = f"the file ends at {_short(cells[-1])}, without a line end"
    return problem(
        "truncated", found, f"{len(names)} cells and a line end", "the file was cut off: restore its end", row, column
    )


def _numbered(text: str) -> Iterator[tuple[int, int, list[str]]]:
    """Give each row of a CSV text with the numbers of its first and last line."""
    reader, first = csv.reader(io.StringIO(text, newline=""), strict=True), 1
    for cells in reader:
        yield first, reader.line_num, cells
        first = reader.line_num + 1


def _header_problems(problem, found: list[str], names: list[str]) -> list[Problem]:
    if found == names:
        return []
    missing = [name for name in names if name not in found]
    extra = [name for name in found if name not in names]
    said = [f"missing {', '.join(missing)}"] if missing else []
    said += [f"not known {', '.join(extra)}"] if extra else []
    if len(set(found)) < len(found):
        said.append("a name twice")
    first = next((b or a for a, b in zip(found, names, strict=False) if a != b), (missing + extra + names)[0])
    return [
        problem(
            "header",
            _short(",".join(found)) + f" ({'; '.join(said) or 'another order'})",
            ",".join(names),
            f"name and order the columns as {DESCRIPTION} does",
            1,
            first,
        )
    ]


# The cells


def _schema_problems(folder: Path, resource: dict) -> list[Problem]:
    """Hold one table, the file of which is sound, against types, constraints and its primary key."""
    from frictionless import Checklist, Resource

    schema = {key: value for key, value in resource["schema"].items() if key != "foreignKeys"}
    table = {"name": resource["name"], "path": resource["path"], "type": "table", **FIXED_KEYS}
    table |= {"schema": schema, "dialect": {"csv": {"delimiter": ","}}}
    report = Resource.from_descriptor(json.loads(json.dumps(table)), basepath=str(folder)).validate(
        Checklist(), limit_errors=MOST_ERRORS
    )
    errors = list(report.errors) + [error for task in report.tasks for error in task.errors]
    doubled = {error.row_number for error in errors if error.type == "primary-key"}
    return [
        _schema_problem(error, resource)
        for error in errors
        if not (error.type == "unique-error" and error.row_number in doubled)  # one fault, one message
    ]


def _reference_problems(folder: Path, resource: dict, sound: list[dict], faults: list[Problem]) -> list[Problem]:
    """List values that the table they refer to does not have, one problem a value; cells in ``faults`` are left out.

    Done here and not by frictionless, which reads the other table anew for every key and has a message a row, and
    which knows no list in a cell (our key ``listOf``: words joined by semicolons, each of them of a code list).
    """
    keys = [
        (key["fields"][0], key["reference"]["resource"], key["reference"]["fields"][0], False)
        for key in resource["schema"].get("foreignKeys", [])
    ]
    keys += [
        (field["name"], field["listOf"]["resource"], field["listOf"]["field"], True)
        for field in resource["schema"]["fields"]
        if "listOf" in field
    ]
    problems, told = [], {(fault.row, fault.column) for fault in faults}
    cells = _cells(folder, resource) if keys else []
    for column, target, target_column, is_list in keys:
        other = next((one for one in sound if one["name"] == target), None)
        if other is None:  # its own file is at fault, which is said already
            continue
        known = {row[target_column] for row in _cells(folder, other)}
        rows: dict[str, list[int]] = {}
        for number, row in enumerate(cells, start=2):
            if not row[column] or (number, column) in told:
                continue
            words = row[column].split(";") if is_list else [row[column]]
            if not known.issuperset(words) or len(set(words)) < len(words):
                rows.setdefault(row[column], []).append(number)
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


def _cells(folder: Path, resource: dict) -> list[dict[str, str]]:
    with (folder / resource["path"]).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


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
    return Problem(file, rule, _short(error.cell), _expectation(field), todo, row, column)


def _expectation(field: dict) -> str:
    """Say in words what a field asks of a cell."""
    if "expects" in field:
        return " ".join(field["expects"].split())
    limits = field.get("constraints", {})
    words = {"integer": "a whole number", "date": "a date such as 2025-04-30", "number": "a number", "boolean": "true or false", "string": "a text"}
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


def _short(value: object) -> str:
    text = repr(str(value))
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 3] + "..."


# The tables, for the cross-checks


def _typed(folder: Path, resource: dict) -> pd.DataFrame:
    """Read a table; ``.attrs`` holds what cross-checks ask of its description."""
    schema = resource["schema"]
    types = {field["name"]: PANDAS_TYPES[field["type"]] for field in schema["fields"]}
    table = pd.read_csv(folder / resource["path"], dtype=types, keep_default_na=False, na_values=[""], encoding="utf-8")
    cites = [key["fields"][0] for key in schema.get("foreignKeys", []) if key["reference"]["resource"] == "sources"]
    table.attrs = {"path": resource["path"], "values": resource.get("values", []), "zeros": resource.get("zeros")}
    table.attrs["cites"] = cites
    return table


def _rows(path: Path) -> int:
    return max(path.read_bytes().count(b"\n") - 1, 0) if path.is_file() else 0
