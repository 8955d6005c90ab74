"""Read what stands in one cell of a statistical table: a number, a bound, a range, or a word for none."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

NO_NUMBER = {"NA": "not_available", "W": "withheld", "E": "net_exporter", "XX": "not_applicable"}
"""USGS's own abbreviations (Mineral Commodity Summaries, appendix): the value is missing, and why."""

ZERO = {"—", "–", "--", "-----"}
"""A printed dash: USGS writes it for zero."""

BOUNDS = {">": "lower_bound", "<": "upper_bound"}

_NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_ONE = re.compile(rf"([<>]?)\s*({_NUMBER})")
_RANGE = re.compile(rf"({_NUMBER})\s*[–-]\s*({_NUMBER})")


@dataclass(frozen=True)
class Cell:
    """What a cell says: ``value`` or ``low`` and ``high`` (None where there is none), and its flags."""

    value: float | None = None
    low: float | None = None
    high: float | None = None
    flags: tuple[str, ...] = field(default=())


def read(text: str) -> Cell:
    """Read "42,400", ">95", "820–880", "—", "NA", "W", "E" or "XX".

    Raises:
        ValueError: the text is none of these.
    """
    text = text.replace("\N{NO-BREAK SPACE}", " ").strip()
    if text in NO_NUMBER:
        return Cell(flags=(NO_NUMBER[text],))
    if text in ZERO:
        return Cell(value=0.0, flags=("zero",))
    if found := _RANGE.fullmatch(text):
        return Cell(low=_number(found[1]), high=_number(found[2]))
    if found := _ONE.fullmatch(text):
        value = _number(found[2])
        return Cell(value=value, flags=((BOUNDS[found[1]],) if found[1] else ()) + (("zero",) if value == 0 else ()))
    raise ValueError(text)


def _number(text: str) -> float:
    return float(text.replace(",", ""))
