"""What a schema cannot say: that parts add up, that two publishers agree, that a known fault is still there.

One module a subject, each with its ``CHECKS``. A check takes the tables by name and gives its problems; its tolerance
is a named constant with the reason. A difference that is known and explained stands in a list of exceptions; an
exception that the data no longer need is itself a problem, so the lists stay true.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pandas as pd

from rareearths.check import Problem
from rareearths.crosschecks import demand, elements, evidence, industry, policy, prices, production, trade
from rareearths.crosschecks.tools import EVERY_TABLE, Check

MODULES = (elements, production, industry, trade, prices, demand, policy, evidence)


def checks() -> list[Check]:
    """List all cross-checks."""
    return [check for module in MODULES for check in module.CHECKS]


def run(tables: Mapping[str, Callable[[], pd.DataFrame]], about: str | None = None) -> list[Problem]:
    """Run the cross-checks on tables that fit their schema; first see that what they need is there.

    Args:
        tables: by name, a function that reads the table; it is called once, and only if a check reads the table.
        about: the checks that read this table alone; those of all tables look at this one.
    """
    chosen = [check for check in checks() if about is None or about in check.needs or check.needs == EVERY_TABLE]
    read = _Tables(tables)
    missing = [
        Problem(
            "datapackage.yaml",
            "missing column",
            f"table {table} without {column}" if table in read else f"no table {table}",
            f"the column {column} of the table {table}, which cross-checks need",
            "describe the table as the shipped package does",
        )
        for table, column in dict.fromkeys(
            (table, column) for check in chosen for table, columns in check.needs.items() for column in columns
        )
        if table not in read or column not in read[table]
    ]
    if missing:
        return missing
    one = None if about is None else {about: read[about]}
    return [problem for check in chosen for problem in check(one if one and check.needs == EVERY_TABLE else read)]


class _Tables(Mapping):
    """Tables by name, each read when it is first asked for."""

    def __init__(self, readers: Mapping[str, Callable[[], pd.DataFrame]]) -> None:
        self._readers, self._read = readers, {}

    def __getitem__(self, name: str) -> pd.DataFrame:
        if name not in self._read:
            self._read[name] = self._readers[name]()
        return self._read[name]

    def __iter__(self):
        return iter(self._readers)

    def __len__(self) -> int:
        return len(self._readers)

    def __contains__(self, name) -> bool:
        return name in self._readers
