"""The description of the tables, ``datapackage.yaml``: that it is whole, and that it says what this package asks for."""

from __future__ import annotations

import functools
import json
import re
from pathlib import Path

import yaml

from rareearths.check.problem import Problem
from rareearths.data import PANDAS_TYPES, YAML_LOADER

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


def read(folder: Path) -> tuple[dict, list[Problem]]:
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
    description = yaml.load(text, Loader=YAML_LOADER)
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
    except Exception as error:  # frictionless trips over what it does not expect, and says little
        return [(f"{type(error).__name__}: {error}", "a Frictionless Data Package", "look at the table described last")]
    if errors:
        notes = dict.fromkeys(error.note for error in errors)
        return [(note, "a Frictionless Data Package", "mend the key that the message names") for note in notes]
    described = {resource["name"]: resource for resource in description["resources"]}
    return [fault for resource in described.values() for fault in _table_faults(resource, described)]


def references(resource: dict) -> list[tuple[str, str, str, bool]]:
    """List what the columns of a table refer to: column, table, its column, and whether a cell is a list (``listOf``)."""
    keys = [(key["fields"], key["reference"]) for key in resource["schema"].get("foreignKeys", [])]
    found = [(columns[0], there["resource"], there["fields"][0], False) for columns, there in keys]
    lists = [field for field in resource["schema"]["fields"] if "listOf" in field]
    return found + [(field["name"], field["listOf"]["resource"], field["listOf"]["field"], True) for field in lists]


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
    columns = [field["name"] for field in fields]
    folder = resource["path"].rpartition("/")[0] or "evidence"
    if resource.get("subject") != folder:
        faults.append((f"table {name} of subject {resource.get('subject')!r}", folder, "name the folder of its file"))
    if resource.get("zeros", "flagged") != "flagged":
        faults.append(
            (f"table {name} has zeros: {resource['zeros']!r}", "zeros: flagged, or no such key", "write it so")
        )
    if not isinstance(resource.get("values", []), list):
        faults.append(
            (f"table {name} has values: {resource['values']!r}", "a list such as [share_pct]", "write a list")
        )
        return faults
    for field in fields:
        faults += _field_faults(name, field)
    for key in schema.get("foreignKeys", []):
        if len(key["fields"]) != 1 or len(key.get("reference", {}).get("fields", [])) != 1:
            faults.append(
                (f"table {name} has the foreign key {key!r}", "one column that refers to one", "write one each")
            )
    if faults:
        return faults
    for column in [*resource.get("values", []), *(["flag"] if resource.get("values") else [])]:
        if column not in columns:
            found = f"table {name} names values and has no column {column}"
            faults.append((found, "columns of the table, and a column flag", "correct the name, or add the column"))
    for _, target, column, _ in references(resource):
        known = [field["name"] for field in described.get(target, {}).get("schema", {}).get("fields", [])]
        if column not in known:
            expected = "one column of another table of this package"
            faults.append((f"table {name} refers to {column!r} of {target!r}", expected, "correct the name"))
    return faults


def _field_faults(name: str, field: dict) -> list[tuple[str, str, str]]:
    """List what is wrong with the limits of one field."""
    faults, called = [], f"{name}.{field['name']}"
    limits = field.get("constraints", {})
    for key in ("minimum", "maximum"):
        if key in limits and (isinstance(limits[key], bool) or not isinstance(limits[key], int | float)):
            faults.append((f"{called} has {key} {limits[key]!r}", "a number", "write a number"))
    try:
        re.compile(str(limits.get("pattern", "")))
    except re.error as error:
        faults.append((f"{called} has the pattern {limits['pattern']!r}: {error}", "a regular expression", "mend it"))
    if any(isinstance(value, bool) for value in limits.get("enum", [])) and field.get("type") == "string":
        faults.append((f"{called} lists {limits['enum']}", "words", "put yes, no, on and off in quotation marks"))
    listed = field.get("listOf")
    if listed is not None and not (isinstance(listed, dict) and {"resource", "field"} <= set(listed)):
        faults.append((f"{called} has listOf: {listed!r}", "{resource: table, field: column}", "name both"))
    return faults


def undescribed(folder: Path, resources: list[dict]) -> list[Problem]:
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
