"""What a schema cannot say: that parts add up, that two publishers agree, that a known fault is still there.

One module a subject, each with its ``CHECKS``. A check takes the tables by name and gives its problems; its tolerance
is a named constant with the reason. A difference that is known and explained stands in a list of exceptions; an
exception that the data no longer need is itself a problem, so the lists stay true.
"""

from __future__ import annotations

from rareearths.check import Problem
from rareearths.crosschecks import evidence, production
from rareearths.crosschecks.tools import Check, Tables

MODULES = (production, evidence)


def checks() -> list[Check]:
    """List all cross-checks."""
    return [check for module in MODULES for check in module.CHECKS]


def run(tables: Tables) -> list[Problem]:
    """Run all cross-checks on tables that fit their schema, keyed by name; first see that what they need is there."""
    needed = {
        (table, column): None for check in checks() for table, columns in check.needs.items() for column in columns
    }
    missing = [
        Problem(
            "datapackage.yaml",
            "missing column",
            f"table {table} without {column}" if table in tables else f"no table {table}",
            f"the column {column} of the table {table}, which cross-checks need",
            "describe the table as the shipped package does",
        )
        for table, column in needed
        if table not in tables or column not in tables[table]
    ]
    return missing or [problem for check in checks() for problem in check(tables)]
