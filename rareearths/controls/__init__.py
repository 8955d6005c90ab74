"""China's controls by element and stage at any day of the record, from the table ``controls``.

``status("Dy", "magnet", "2025-04-04")`` gives what applies to one element at one stage on a day, ``diff(day, other)``
what changed between two, ``at(day)`` every control with its status, ``matrix(day)`` the strongest of each kind of
object in one table. ``python -m rareearths controls --at DATE`` says the same in a terminal.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from rareearths import data

RECORD_FROM = datetime.date(2005, 1, 1)
"""The first day that the record of controls covers; quotas and duties are older."""
RECORD_TO = datetime.date(2026, 10, 9)
"""The last day that the record of policy covers; the description of ``controls`` names the same."""

IN_FORCE, SUSPENDED, TO_COME, ENDED, UNKNOWN = (
    "in force",
    "suspended",
    "to come",
    "ended",
    "not known to this record",
)
STATUSES = {
    IN_FORCE: "it applies on that day",
    SUSPENDED: "it was made and is put off on that day; by the legal text, not by reports of a longer suspension",
    TO_COME: "it starts later",
    ENDED: "it no longer applies",
    UNKNOWN: "the day lies after the record, and the control had not ended by its last day",
}
"""The words of a status, with what each says."""

BEARING = (IN_FORCE, SUSPENDED, UNKNOWN)
"""Statuses that :func:`status` gives unless asked for all."""

SEVERITIES = ("prohibition", "licence", "quota", "duty", "reporting")
"""From the strongest to the weakest."""
OBJECTS = ("goods", "technology", "equipment", "output")
"""What is controlled; output is that of domestic firms."""


class NotInRecord(ValueError):
    """What was asked for is not in the record; the message names what is possible."""


@dataclass(frozen=True)
class Mark:
    """The strongest control on one kind of object of an element at a stage: what a cell of the matrix shows.

    ``named_users`` says that some control that counts is aimed at named users only (military users of a country),
    ``weak`` that the strongest rests on weak sources alone.
    """

    object: str
    severity: str
    status: str
    named_users: bool
    weak: bool = False

    def __str__(self) -> str:
        text = f"{self.object}: {self.severity}"
        if self.status != IN_FORCE:
            text += f" {self.status}"
        text += ", by a weak source" if self.weak else ""
        return text + (", and a prohibition for named users" if self.named_users else "")


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
        NotInRecord: no date, or a day before :data:`RECORD_FROM`.
    """
    day = as_date(day)
    rows = data.load("controls") if controls is None else controls
    return rows.assign(status=[_status(row, day) for row in rows.itertuples()])


def status(element: str | None, stage: str | None, day: datetime.date | str, every: bool = False) -> pd.DataFrame:
    """Give the controls on one element at one stage that bear on a day, the strongest first.

    Args:
        element: symbol of one of the seventeen, e.g. ``Dy``; None for all.
        stage: a stage of ``data/codes/stages.csv``, e.g. ``magnet``; None for all.
        day: a date, or its text as year-month-day.
        every: also those that ended before or start later.

    Returns:
        Rows of ``controls`` with ``status``; no row means that the record has no control on it that day.

    Raises:
        NotInRecord: an element, stage or day that the record does not have; the message names what is possible.
    """
    rows = _only(at(day), element, stage)
    return _strongest_first(rows if every else rows[rows["status"].isin(BEARING)])


def diff(
    day: datetime.date | str, other: datetime.date | str, element: str | None = None, stage: str | None = None
) -> pd.DataFrame:
    """Give the controls whose status differs between two days, with ``status_before`` and ``status_after``.

    The days may come in any order; the earlier one is *before*.

    Raises:
        NotInRecord: as for :func:`status`.
    """
    before, after = sorted((as_date(day), as_date(other)))
    rows = at(before).rename(columns={"status": "status_before"})
    rows["status_after"] = at(after)["status"]
    rows = _only(rows, element, stage)
    return _strongest_first(rows[rows["status_before"] != rows["status_after"]])


def marks(rows: pd.DataFrame) -> list[Mark]:
    """Give one mark for each kind of object in rows of one element and stage that carry a ``status``.

    What is in force counts before what is suspended, and a control for all before one for named users, whatever its
    severity; the table of details has the others.
    """
    return _marks(zip(*(rows[name] for name in _TOLD), strict=True))


def matrix(day: datetime.date | str) -> pd.DataFrame:
    """Give the marks of every element at every stage on a day.

    Returns:
        Indexed by element in the order of ``data/codes/elements.csv``, a column a stage in its order; each cell is a
        list of :class:`Mark`, empty where the record has no control.
    """
    rows = at(day)
    cells: dict[tuple[str, str], list[tuple]] = {}
    for element, stage, *told in zip(*(rows[name] for name in ("element", "stage", *_TOLD)), strict=True):
        cells.setdefault((element, stage), []).append(tuple(told))
    return pd.DataFrame(
        {name: pd.Series({symbol: _marks(cells.get((symbol, name), [])) for symbol in elements()}) for name in stages()}
    )


def change_days() -> list[datetime.date]:
    """List the days within the record on which the status of some control changes."""
    rows = data.load("controls")
    one = datetime.timedelta(days=1)
    days = {
        _first_day(value)
        for name in ("effective_from", "effective_to", "suspended_from")
        for value in rows[name].dropna()
    }
    days |= {_first_day(value) + one for value in rows["suspended_to"].dropna()}
    return sorted(day for day in days if RECORD_FROM <= day <= RECORD_TO)


def elements() -> list[str]:
    """List the symbols of the seventeen, in the order of the code list."""
    return list(data.load("elements")["symbol"])


def stages() -> list[str]:
    """List the stages, in their order."""
    return list(data.load("stages").sort_values("order")["stage"])


def as_date(day: datetime.date | str) -> datetime.date:
    """Read a day, and see that the record reaches back to it.

    Raises:
        NotInRecord: a text that is no date, or a day before :data:`RECORD_FROM`.
    """
    if isinstance(day, datetime.datetime):
        day = day.date()
    if not isinstance(day, datetime.date):
        try:
            day = datetime.date.fromisoformat(day)
        except (TypeError, ValueError):
            raise NotInRecord(f"{day!r} is no date: write year-month-day, for example 2025-04-04") from None
    if day < RECORD_FROM:
        raise NotInRecord(
            f"{day} lies before the record of controls, which begins on {RECORD_FROM}; quotas and duties are older, "
            "and their first dates are not in it"
        )
    return day


_TOLD = ("object", "severity", "status", "targets", "flag")


def _marks(told: Iterable[tuple]) -> list[Mark]:
    """Give the marks of one cell from its controls, each as :data:`_TOLD`."""
    told = list(told)
    found = []
    for kind in OBJECTS:
        for word in BEARING:
            here = [row for row in told if row[0] == kind and row[2] == word]
            if here:
                named = ["military" in targets for _, _, _, targets, _ in here]
                general = [row for row, users in zip(here, named, strict=True) if not users] or here
                strongest = min((row[1] for row in general), key=SEVERITIES.index)
                weak = all("weak_source" in str(row[4]) for row in general if row[1] == strongest)
                found.append(Mark(kind, strongest, word, any(named), weak))
                break
    return found


def _only(rows: pd.DataFrame, element: str | None, stage: str | None) -> pd.DataFrame:
    """Keep one element and one stage, as far as they are given."""
    for column, wanted, known in (("element", element, elements()), ("stage", stage, stages())):
        if wanted is None:
            continue
        if wanted not in known:
            raise NotInRecord(f"no {column} {wanted!r} in this record; there are {', '.join(known)}")
        rows = rows[rows[column] == wanted]
    return rows


def _strongest_first(rows: pd.DataFrame) -> pd.DataFrame:
    order = rows.assign(_order=rows["severity"].map(SEVERITIES.index))
    return order.sort_values(["_order", "measure_id"], kind="stable").drop(columns="_order").reset_index(drop=True)


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


def main(arguments: list[str]) -> int:
    """Answer from the command line; see :mod:`rareearths.controls.command`."""
    from rareearths.controls import command

    return command.main(arguments)
