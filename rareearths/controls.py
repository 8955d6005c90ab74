"""The status of China's controls on a day, from the rows of the table ``controls``."""

from __future__ import annotations

import datetime

import pandas as pd

from rareearths import data

RECORD_TO = datetime.date(2026, 10, 9)
"""The last day that the record of policy covers; the description of ``controls`` names the same."""

IN_FORCE, SUSPENDED, TO_COME, ENDED, UNKNOWN = (
    "in force",
    "suspended",
    "to come",
    "ended",
    "not known to this record",
)


def at(day: datetime.date | str, controls: pd.DataFrame | None = None) -> pd.DataFrame:
    """Give every row of ``controls`` with its status on a day, in a column ``status``.

    A control that is suspended on that day is ``suspended``, also when it was parked before its first day. The legal
    last day of a suspension counts (``suspended_to``), not the later one that is only reported. After
    :data:`RECORD_TO` a control that had not ended is ``not known to this record``: it is not said to be lifted. A start
    of which only the year or month is known counts from its first day.

    Args:
        day: a date, or its text as year-month-day.
        controls: the table as :func:`rareearths.data.load` gives it; loaded if left out.

    Raises:
        ValueError: a text that is no date.
    """
    day = _as_date(day)
    rows = data.load("controls") if controls is None else controls
    return rows.assign(status=[_status(row, day) for row in rows.itertuples()])


def _status(row, day: datetime.date) -> str:
    if pd.notna(row.effective_to) and day >= _first_day(row.effective_to):
        return ENDED
    if day > RECORD_TO:
        return UNKNOWN
    if pd.notna(row.suspended_from) and _first_day(row.suspended_from) <= day <= _first_day(row.suspended_to):
        return SUSPENDED
    return IN_FORCE if day >= _first_day(row.effective_from) else TO_COME


def _first_day(value) -> datetime.date:
    """Give the first day of a day, a month or a year, as a date or a text."""
    text = str(value)[:10]
    return datetime.date.fromisoformat(text + "-01-01"[len(text) - 4 :] if len(text) < 10 else text)


def _as_date(day: datetime.date | str) -> datetime.date:
    if isinstance(day, datetime.datetime):
        return day.date()
    if isinstance(day, datetime.date):
        return day
    try:
        return datetime.date.fromisoformat(day)
    except (TypeError, ValueError):
        raise ValueError(f"{day!r} is no date: write year-month-day, for example 2025-04-04") from None
