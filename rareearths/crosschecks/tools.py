"""What all cross-checks share: the form of a check, known exceptions, rounding, flags, and the words of a problem."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

import pandas as pd

from rareearths.check import Problem

Tables = Mapping[str, pd.DataFrame]
"""Tables by name, typed as their schema says; ``.attrs["path"]`` of each is its file in the package."""

Check = Callable[[Tables], Iterable[Problem]]

FIRST_ROW = 2
"""Row number in an editor of the first row of a table: the header is row 1."""

TOTAL_DIGITS = 2
"""USGS rounds world totals, and most country figures, to at least two significant digits."""


EVERY_TABLE: dict[str, list[str]] = {}
"""What a check needs that looks at each table by itself."""


def needs(**columns: str) -> Callable[[Check], Check]:
    """Say which tables and which of their columns a check reads, as ``table="column column"``."""

    def mark(check: Check) -> Check:
        check.needs = {table: names.split() for table, names in columns.items()}  # type: ignore[attr-defined]
        return check

    return mark


@dataclass(frozen=True)
class Known:
    """A difference that is known: the things (such as a country and a year) that show it, and why it is there."""

    where: tuple[tuple, ...]
    why: str


def problem(table: pd.DataFrame, rule: str, found: str, expected: str, todo: str, index=None, column=None) -> Problem:
    """Make a problem of one table; ``index`` is the row's place in the table, or None where it is of no one row."""
    return Problem(
        table.attrs["path"], rule, found, expected, todo, None if index is None else int(index) + FIRST_ROW, column
    )


def differences(
    table: pd.DataFrame,
    column: str,
    pairs: pd.DataFrame,
    keys: list[str],
    known: tuple[Known, ...],
    listed_in: str,
    expected: str,
    rule: str = "two publications differ",
) -> Iterator[Problem]:
    """Report pairs that differ and are not known, and known ones that no longer do.

    Args:
        table: the table at which a message points, in ``column``.
        pairs: one comparison a row, with the columns ``keys``, ``row`` (its place in ``table``), ``differ`` and ``said``.
        known: differences that are explained, each place being a tuple in the order of ``keys``.
        listed_in: module and name of ``known``, for the message, such as "production.HISTORY_KNOWN".
        expected: what two figures should be to each other, in words.
        rule: the rule that a pair breaks, in the words of the message.
    """
    excused = {where: one.why for one in known for where in one.where}
    differing = set()
    module, _, name = listed_in.partition(".")
    file = f"rareearths/crosschecks/{module}.py"
    for pair in pairs[pairs.differ].itertuples():
        key = tuple(getattr(pair, one) for one in keys)
        differing.add(key)
        if key not in excused:
            yield problem(
                table,
                rule,
                f"{', '.join(map(str, key))}: {pair.said}",
                expected,
                f"look both up; if both are as printed, explain it in {name} of {file}",
                pair.row,
                column,
            )
    for key in sorted(set(excused) - differing, key=str):
        yield problem(
            table,
            "exception not needed",
            f"{', '.join(map(str, key))} no longer differs",
            f"the known fault: {excused[key]}",
            f"take it out of {name} in {file}, and out of the table's description",
        )


def has(table: pd.DataFrame, *flags: str) -> pd.Series:
    """Tell which rows carry one of the flags."""
    return table.flag.fillna("").map(lambda words: bool(set(flags) & set(words.split(";"))))


def half_unit(value: float) -> float:
    """Give half a unit of the last digit a figure is printed to: its last digit that is not 0, the second at the least; 0 for 0
    and for a missing figure.

    >>> half_unit(380_000), half_unit(300_000), half_unit(376_000)
    (5000.0, 5000.0, 500.0)
    """
    if not value or math.isnan(value):
        return 0.0
    last_digit = Decimal(repr(float(value))).normalize().as_tuple().exponent
    return 10.0 ** min(last_digit, math.floor(math.log10(abs(value))) - TOTAL_DIGITS + 1) / 2
