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
    yield from not_needed(table, set(excused) - differing, excused, listed_in)


def after(first, second) -> bool:
    """Tell whether one cell lies after or above another; of dates of different precision a part is not after its whole.

    >>> after("2025", "2025-04"), after("2025-05", "2025-04-30"), after(2, 1), after(None, 1)
    (False, True, True, False)
    """
    if pd.isna(first) or pd.isna(second):
        return False
    if isinstance(first, str):
        width = min(len(first), len(second))
        return first[:width] > second[:width]
    return first > second


def not_needed(table: pd.DataFrame, places: set, why: Mapping | None, listed_in: str) -> Iterator[Problem]:
    """Report exceptions that the data no longer show; ``listed_in`` is module and name, such as "policy.STARTS_KNOWN"."""
    module, _, name = listed_in.partition(".")
    for place in sorted(places, key=str):
        called = ", ".join(map(str, place)) if isinstance(place, tuple) else place
        yield problem(
            table,
            "exception not needed",
            f"{called} no longer differs",
            f"the known fault: {why[place]}" if why else f"what {name} explains",
            f"take it out of {name} in rareearths/crosschecks/{module}.py, and out of the table's description",
        )


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
