"""Check the data package: bytes, schema and keys of every table, then what a schema cannot say.

One fault gives one message: a table whose file is not sound is not held against its schema, and the cross-checks
(:mod:`rareearths.crosschecks`) run only when every table fits. The schema itself is checked by frictionless.
"""

from __future__ import annotations

import argparse
import functools
from pathlib import Path

import pandas as pd

from rareearths import data
from rareearths.check import cells, description, files
from rareearths.check.problem import Problem
from rareearths.data import DATA_VARIABLE, root

__all__ = ["Problem", "UnknownTable", "check", "main"]


class UnknownTable(LookupError):
    """The package has no table of that name; the message lists those it has."""


def check(folder: Path | str | None = None, table: str | None = None) -> list[Problem]:
    """List all faults of the data package in ``folder``, by default the one :func:`rareearths.data.root` names.

    Args:
        table: check this table alone, and run the cross-checks that read it.

    Returns:
        One Problem a fault, in the order of the tables in ``datapackage.yaml``; empty when all is well.
        Row numbers are those an editor shows, the header being row 1.

    Raises:
        UnknownTable: there is no such table.
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
    except UnknownTable as error:
        print(error)
        return 1
    for problem in problems:
        print(problem, end="\n\n")
    tables = f"{len(sizes)} tables" if len(sizes) != 1 else "1 table"
    print(f"{tables}, {sum(sizes.values())} rows: " if sizes else "", end="")
    print("no problems" if not problems else "1 problem" if len(problems) == 1 else f"{len(problems)} problems")
    return 1 if problems else 0


def _check(folder: Path, only: str | None = None) -> tuple[list[Problem], dict[str, int]]:
    package, problems = description.read(folder)
    if problems:
        return problems, {}
    resources = package["resources"]
    chosen = [resource for resource in resources if only in (None, resource["name"])]
    if not chosen:
        raise UnknownTable(f"no table {only!r}; there are: {', '.join(sorted(r['name'] for r in resources))}")
    if only is None:
        problems += description.undescribed(folder, resources)
    faults_of = {resource["name"]: files.problems(folder, resource) for resource in chosen}
    sound = [resource for resource in resources if not faults_of.get(resource["name"])]
    for resource in chosen:
        problems += faults_of[resource["name"]]
    sheets = cells.Sheets(folder, sound)
    for resource in chosen:
        if not faults_of[resource["name"]]:
            faults = cells.schema_problems(sheets, resource)
            problems += faults + cells.reference_problems(sheets, resource, sound, faults)
    sizes = {resource["name"]: _rows(folder / resource["path"]) for resource in chosen}
    if not problems:
        from rareearths import crosschecks  # it needs Problem of this module

        problems = crosschecks.run({r["name"]: functools.partial(_typed, folder, r) for r in resources}, only)
    return problems, sizes


def _typed(folder: Path, resource: dict) -> pd.DataFrame:
    """Read a table; ``.attrs`` holds what cross-checks ask of its description."""
    table = data.typed((folder / resource["path"]).read_bytes(), resource)
    table.attrs = {
        "path": resource["path"],
        "values": resource.get("values", []),
        "zeros": resource.get("zeros"),
        "cites": data.cites(resource),
    }
    return table


def _rows(path: Path) -> int:
    return max(path.read_bytes().count(b"\n") - 1, 0) if path.is_file() else 0
