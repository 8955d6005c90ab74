"""What holds for every table: blanks, noughts, ranges, periods, and sources that somebody cites."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from rareearths.check import Problem
from rareearths.crosschecks.tools import Tables, after, needs, problem
from rareearths.data import flagged

REASONS_FOR_A_BLANK = {"not_available", "withheld", "net_exporter", "not_applicable", "rank_only", "qualitative"}
"""Flags that explain a missing value."""

ALONE = {"single_source", "unconfirmed", "weak_source"}
"""Flags of a figure that no second source confirms."""

UNNAMED = {"yiyawu_daily"}
"""Sources that give a series without naming where it is from."""

CHAPTERS = Path(__file__).resolve().parent.parent.parent / "book"
"""The chapters, which may cite a source that no table uses."""


@needs()
def blanks_are_explained(tables: Tables) -> Iterator[Problem]:
    """See that a missing value has a flag that says why, so that blank is never read as 0.

    The columns are those that the key ``values`` of the table's description names.
    """
    for table in tables.values():
        columns = table.attrs["values"]
        if not columns:
            continue
        blank = table[table[columns].isna().all(axis=1)]
        for row in blank[~flagged(blank, *REASONS_FOR_A_BLANK)].itertuples():
            yield problem(
                table,
                "unexplained blank",
                "a blank cell" + (f" with the flag {row.flag}" if isinstance(row.flag, str) else ""),
                "a value, or one of the flags " + ", ".join(sorted(REASONS_FOR_A_BLANK)),
                "fill the cell or say why it is blank",
                row.Index,
                columns[0],
            )


@needs()
def zeros_are_flagged(tables: Tables) -> Iterator[Problem]:
    """See that a value of 0 has the flag zero and no other value has it, where ``zeros: flagged`` asks for it."""
    for table in tables.values():
        if table.attrs["zeros"] != "flagged":
            continue
        column = table.attrs["values"][0]
        for row in table[(table[column] == 0) != flagged(table, "zero")].itertuples():
            value = getattr(row, column)
            yield problem(
                table,
                "zero and flag differ",
                ("a blank cell" if pd.isna(value) else f"{value:g}")
                + (f" with the flag {row.flag}" if isinstance(row.flag, str) else " with no flag"),
                "the flag zero at 0, and at 0 only",
                "correct the value or the flag; leave the cell blank if the value is missing",
                row.Index,
                column,
            )


@needs()
def ranges_are_in_order(tables: Tables) -> Iterator[Problem]:
    """See that ``x_low`` is at most ``x``, and ``x`` at most ``x_high``, for every such trio or pair of columns."""
    for table in tables.values():
        for low in (column for column in table if column.endswith("_low")):
            stem = low.removesuffix("_low")
            trio = [column for column in (low, stem, f"{stem}_mid", f"{stem}_high") if column in table]
            yield from _in_order(table, trio, "range out of order")


@needs()
def periods_are_in_order(tables: Tables) -> Iterator[Problem]:
    """See that ``x_start`` is not after ``x_end`` and ``x_from`` not after ``x_to``; a part of a date starts with it."""
    for table in tables.values():
        for first, last in (("_start", "_end"), ("_from", "_to")):
            for column in (column for column in table if column.endswith(first)):
                other = column.removesuffix(first) + last
                if other in table:
                    yield from _in_order(table, [column, other], "end before start")


@needs(sources="source_id")
def sources_are_used(tables: Tables) -> Iterator[Problem]:
    """See that some table or some chapter cites each source."""
    used: set[str] = set()
    for name, table in tables.items():
        if name != "sources":
            used |= {value for column in table.attrs["cites"] for value in table[column].dropna()}
    sources = tables["sources"]
    unused = sources[~sources.source_id.isin(used)]
    cited = _words_of_chapters() if len(unused) else set()
    for row in unused[~unused.source_id.isin(cited)].itertuples():
        yield problem(
            sources,
            "unused source",
            row.source_id,
            "a table or a chapter that cites it",
            "take the row away, or cite it",
            row.Index,
            "source_id",
        )


@needs()
def second_source_is_another(tables: Tables) -> Iterator[Problem]:
    """See that a second source is not the first one again: one document is no confirmation of itself."""
    for table in tables.values():
        if "second_source_id" not in table or "source_id" not in table:
            continue
        for row in table[table.second_source_id == table.source_id].itertuples():
            yield problem(
                table,
                "one source named twice",
                row.source_id,
                "another document, or a blank",
                "name the text that confirms the figure, or leave the cell blank",
                row.Index,
                "second_source_id",
            )


@needs(headline_facts="fact_id table row column value verdict source_id second_source_id", sources="source_id strength")
def headlines_are_confirmed(tables: Tables) -> Iterator[Problem]:
    """See that each headline fact is what its table says, and has two sources, a primary one, or a flag that it has not."""
    facts = tables["headline_facts"]
    strength = tables["sources"].set_index("source_id").strength
    for fact in facts.itertuples():
        wrong = _fact_fault(fact, tables, strength)
        if wrong:
            column, found, expected = wrong
            todo = f"look up {fact.table}, {fact.row}, and correct whichever is wrong"
            yield problem(facts, "headline fact not confirmed", found, expected, todo, fact.Index, column)


def _fact_fault(fact, tables: Tables, strength: pd.Series) -> tuple[str, str, str] | None:
    """Give the column, what was found and what is expected, or None where the fact is in order."""
    if fact.table not in tables or fact.column not in tables[fact.table]:
        return "table", f"no column {fact.column} in a table {fact.table}", "a table of this package and its column"
    table = tables[fact.table]
    chosen = pd.Series(True, index=table.index)
    for pair in fact.row.split(";"):
        column, _, value = pair.partition("=")
        if column not in table:
            return "row", f"no column {column} in {fact.table}", "columns of the table"
        chosen &= (
            table[column].map(lambda cell: "" if pd.isna(cell) else f"{cell:g}" if _is_float(cell) else str(cell))
            == value
        )
    if chosen.sum() != 1:
        return "row", f"{chosen.sum()} rows of {fact.table} with {fact.row}", "one row"
    row = table[chosen].iloc[0]
    if row[fact.column] != fact.value:
        return "value", f"{fact.value:g} here, {row[fact.column]:g} in {fact.table}", "the figure of the table"
    if row.source_id != fact.source_id:
        return "source_id", f"{fact.source_id} here, {row.source_id} in {fact.table}", "the source of the table's row"
    flags = set(str(row.get("flag")).split(";"))
    if fact.verdict == "two_sources" and pd.isna(fact.second_source_id):
        return "second_source_id", "a blank", "the source that confirms it"
    if fact.verdict == "primary_document" and strength[fact.source_id] not in ("primary", "official copy"):
        return "verdict", f"{fact.source_id} is {strength[fact.source_id]}", "a primary source or an official copy"
    if fact.verdict == "single_source" and not flags & ALONE:
        return "verdict", f"no such flag on the row of {fact.table}", "one of the flags " + ", ".join(sorted(ALONE))
    if fact.verdict == "conflicting" and "conflicting" not in flags:
        return "verdict", f"no such flag on the row of {fact.table}", "the flag conflicting"
    return None


def _is_float(cell) -> bool:
    return isinstance(cell, float)


@needs()
def unnamed_series_are_marked(tables: Tables) -> Iterator[Problem]:
    """See that each row of a series without a named source says so."""
    for table in tables.values():
        for column in table.attrs["cites"]:
            if "flag" not in table:
                continue
            unnamed = table[table[column].isin(UNNAMED)]
            for row in unnamed[~flagged(unnamed, "unnamed_source")].itertuples():
                yield problem(
                    table,
                    "series without a named source",
                    f"{getattr(row, column)} without the flag",
                    "the flag unnamed_source",
                    "add the flag, and say it wherever the figure is shown",
                    row.Index,
                    "flag",
                )


CHECKS = (
    headlines_are_confirmed,
    unnamed_series_are_marked,
    blanks_are_explained,
    zeros_are_flagged,
    ranges_are_in_order,
    periods_are_in_order,
    second_source_is_another,
    sources_are_used,
)


def _in_order(table: pd.DataFrame, columns: list[str], rule: str) -> Iterator[Problem]:
    for left, right in itertools.combinations(columns, 2):
        for index, (a, b) in enumerate(zip(table[left], table[right], strict=True)):
            if after(a, b):
                found, expected = f"{left} {a}, {right} {b}", f"{left} not above {right}"
                yield problem(table, rule, found, expected, "look both up in the source", index, left)


def _words_of_chapters() -> set[str]:
    files = (path for path in CHAPTERS.rglob("*") if path.suffix in (".ipynb", ".md"))
    return {word for path in files for word in re.findall(r"[a-z0-9_]+", path.read_text(encoding="utf-8"))}
