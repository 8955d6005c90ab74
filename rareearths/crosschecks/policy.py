"""Policy record and claims: days in order, controls against their documents, quotas against their parts."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pandas as pd

from rareearths.check import Problem
from rareearths.crosschecks.tools import Known, Tables, after, differences, half_unit, needs, not_needed, problem

EARLIER_THAN_ANNOUNCED = (
    Known((("M045",),), "MOFCOM made its reporting scheme of 31 October 2023 public on 7 November"),
    Known((("M075",),), "Order 71 of 28 July 2025 took effect when signed and was published on 22 August"),
)
"""Measures that took effect before they were announced."""

DATE_LENGTH = {"year": 4, "month": 7, "day": 10}
"""Characters of a date of each precision."""

STARTS_KNOWN = (
    Known((("M006",),), "the quota is older than the first year of the record; its first notice here is that of 2007"),
    Known((("M014",),), "the notice for 2011 gives the rates of 2010 too, and duties began before"),
    Known((("M056",),), "the end-user rule of December 2024 reaches an item from the day it becomes dual-use"),
)
"""Measures whose controls start on another day than the measure took effect."""

SUSPENDED_BEFORE_START = (
    Known((("M079",), ("M080",)), "Nos. 56 and 57 were to start on 8 November 2025, one day after their suspension"),
    Known((("M082",),), "the 0.1 percent rule of No. 61 was to start on 1 December 2025"),
)
"""Measures that were suspended before they took effect; they were in force for no day."""

OCTOBER_2025 = ("M077", "M079", "M080", "M082")
"""Measures of 9 October 2025 that control rare earths; the suspension M089 (No. 70) covers these and no others."""

ELEMENTS_NAMED = {
    ("M062", "metal"): 7,  # No. 18 of 2025: Sm, Gd, Tb, Dy, Lu, Sc, Y
    ("M062", "separation"): 7,
    ("M080", "metal"): 5,  # No. 57 of 2025: Ho, Er, Tm, Eu, Yb
    ("M080", "separation"): 5,
    ("M077", "separation"): 17,  # No. 62 of 2025: rare earths in general
    ("M079", "separation"): 17,  # No. 56 of 2025: rare earths in general
    ("M047", "separation"): 17,  # No. 57 of 2023, control point 1: rare earths in general
    ("M047", "magnet"): 3,  # No. 57 of 2023, control point 3: Sm, Nd and Ce magnets
}
"""Number of elements that an instrument names at a stage, by measure, as its document announced them."""

BATCHES_KNOWN = (
    Known(((2003, "all", "all", "announced"),), "two batches, rounded from gross weight, exceed the plan"),
)
"""Years in which the batches of one account do not add up to its printed total."""

ACCOUNTS_KNOWN = (
    Known(((2010, "year", "all", "all"),), "the trade press prints 30,259 t, 1 t above the sum of the allocations"),
    Known(
        ((2011, "batch 1", "all", "all"), (2011, "year", "all", "all")),
        "the allocations to companies add up to 62 t more than the ministry announced",
    ),
    Known(
        ((2013, "batch 1", "all", "all"), (2013, "batch 1", "all", "light"), (2013, "year", "all", "all")),
        "the allocations to companies add up to 2 t less than the ministry announced",
    ),
)
"""Quotas for which the accounts (announced, company lists, as reported) differ."""

USE_KNOWN = (Known(((2011, 18600.0),), "the People's Daily prints 60 percent; 18,600 t are 61.6 percent of 30,184 t"),)
"""Exports whose printed use of the quota is not what the quota gives."""

QUOTA_CHANGES = {
    "second-half quota against a year before": ("batch 2", "all"),
    "full-year quota against 2009": ("year", "all"),
    "quota of Chinese-owned firms against 2009": ("year", "Chinese-owned"),
}
"""Changes of the quota of 2010 against 2009 that japan_2010 prints: which batch and which firms they are of."""

CATALOGUE_SUMS = {
    "prohibited and restricted": (("2023", "items_prohibited"), None, ("2023", "items_restricted")),
    "2020 less deleted plus added": (("2020", "items_total"), ("2023", "items_deleted"), ("2023", "items_added")),
}
"""Ways to the total of the technology catalogue of 2023: a count, one taken away, one added."""

CHANGE_ROOM = 0.5
"""Percentage points. The press prints the cut of the quota of 2010 in whole percent, 40 for 39.7."""


# Days


@needs(measures="measure_id date_announced date_effective date_ended date_precision")
def measures_run_forward(tables: Tables) -> Iterator[Problem]:
    """See that a measure takes effect after it is announced and ends after it took effect, but for known ones."""
    table = tables["measures"]
    early = {where for known in EARLIER_THAN_ANNOUNCED for (where,) in known.where}
    found = set()
    for row in table.itertuples():
        if DATE_LENGTH[row.date_precision] != len(row.date_announced):
            yield problem(
                table,
                "precision of a date",
                f"{row.measure_id}: {row.date_announced} with the precision {row.date_precision}",
                f"a date of {len(row.date_announced)} characters to be a {_precision(row.date_announced)}",
                "correct one of the two",
                row.Index,
                "date_precision",
            )
        if after(row.date_announced, row.date_effective):
            found.add(row.measure_id)
            if row.measure_id not in early:
                yield _backward(table, row, "date_effective", row.date_announced, "announced")
        if after(row.date_effective, row.date_ended) or after(row.date_announced, row.date_ended):
            yield _backward(table, row, "date_ended", row.date_effective, "in force")
    yield from not_needed(table, early - found, None, "policy.EARLIER_THAN_ANNOUNCED")


def _backward(table: pd.DataFrame, row, column: str, before: str, what: str) -> Problem:
    return problem(
        table,
        "measure runs backward",
        f"{row.measure_id}: {what} {before}, {column} {getattr(row, column)}",
        f"{column} not before the day it was {what}",
        "look both up; if both are as printed, name the measure in EARLIER_THAN_ANNOUNCED of policy.py",
        row.Index,
        column,
    )


# Controls against the measures that brought, ended and suspended them


@needs(
    controls="measure_id element effective_from effective_to ended_by_measure_id",
    measures="measure_id elements date_effective date_ended",
)
def controls_follow_their_measures(tables: Tables) -> Iterator[Problem]:
    """Hold start, end and element of each control against the measures it names, elements where these name any."""
    table, measures = tables["controls"], tables["measures"].set_index("measure_id")
    known = {where for one in STARTS_KNOWN for (where,) in one.where}
    found = set()
    for row in table.itertuples():
        measure = measures.loc[row.measure_id]
        if row.effective_from != measure.date_effective:
            found.add(row.measure_id)
            if row.measure_id not in known:
                yield _unlike(table, row, "effective_from", f"{row.measure_id} took effect {measure.date_effective}")
        elif isinstance(measure.elements, str) and row.element not in measure.elements.split(";"):
            yield _unlike(table, row, "element", f"{row.measure_id} names {measure.elements}")
        ended = measures.loc[row.ended_by_measure_id] if isinstance(row.ended_by_measure_id, str) else None
        end = (
            None
            if ended is None
            else ended.date_ended
            if row.ended_by_measure_id == row.measure_id
            else ended.date_effective
        )
        if not _same(row.effective_to, end):
            yield _unlike(table, row, "effective_to", f"{row.ended_by_measure_id} ended it {end}")
    yield from not_needed(table, known - found, None, "policy.STARTS_KNOWN")


@needs(
    controls="measure_id effective_from suspended_from suspended_to suspended_by_measure_id suspended_to_reported "
    "extended_by_measure_id",
    measures="measure_id date_effective date_ended",
)
def suspensions_follow_their_notice(tables: Tables) -> Iterator[Problem]:
    """Hold the days of each suspension against its notice, and see that it lies within what it suspends."""
    table, measures = tables["controls"], tables["measures"].set_index("measure_id")
    early = {where for known in SUSPENDED_BEFORE_START for (where,) in known.where}
    found = set()
    for row in table.itertuples():
        suspended = isinstance(row.suspended_by_measure_id, str)
        notice = measures.loc[row.suspended_by_measure_id] if suspended else None
        said = measures.loc[row.extended_by_measure_id] if isinstance(row.extended_by_measure_id, str) else None
        for column, day, name in (
            ("suspended_from", notice.date_effective if suspended else None, row.suspended_by_measure_id),
            ("suspended_to", notice.date_ended if suspended else None, row.suspended_by_measure_id),
            ("suspended_to_reported", None if said is None else said.date_ended, row.extended_by_measure_id),
        ):
            if not _same(getattr(row, column), day):
                yield _unlike(table, row, column, f"{name} gives {day}")
        if suspended != (row.measure_id in OCTOBER_2025):
            yield _unlike(table, row, "suspended_by_measure_id", "No. 70 covers the measures of 9 October 2025 alone")
        elif suspended and after(row.effective_from, row.suspended_from):
            found.add(row.measure_id)
            if row.measure_id not in early:
                yield _unlike(table, row, "suspended_from", "a suspension starts when the control does, or later")
    yield from not_needed(table, early - found, None, "policy.SUSPENDED_BEFORE_START")


@needs(controls="measure_id element stage")
def documents_name_so_many_elements(tables: Tables) -> Iterator[Problem]:
    """Count the elements of an instrument at a stage against the number its document names."""
    table = tables["controls"]
    for (measure, stage), number in ELEMENTS_NAMED.items():
        rows = table[(table.measure_id == measure) & (table.stage == stage)]
        if rows.element.nunique() != number:
            yield problem(
                table,
                "elements of an instrument",
                f"{measure}, {stage}: {rows.element.nunique()} elements, {', '.join(sorted(set(rows.element)))}",
                f"{number} elements, as the document announced them",
                "look the document up; add or take away the rows, or correct ELEMENTS_NAMED of policy.py",
                rows.index.min() if len(rows) else None,
                "element",
            )


def _unlike(table: pd.DataFrame, row, column: str, expected: str) -> Problem:
    return problem(
        table,
        "control unlike its measure",
        f"{row.measure_id}: {column} {getattr(row, column)}",
        expected,
        "correct the row, or the measure it names",
        row.Index,
        column,
    )


# Export quotas and the catalogue: parts and wholes, one account and another


@needs(export_quotas="year batch company_scope product_scope account quota_tonnes")
def quota_parts_add_up(tables: Tables) -> Iterator[Problem]:
    """Hold batches against years, light and heavy against all, Chinese-owned and foreign-owned against all, exactly.

    Only within one account, and only where all parts are there.
    """
    table = tables["export_quotas"]
    keys = ["year", "batch", "company_scope", "product_scope", "account"]
    quotas = table.dropna(subset="quota_tonnes").reset_index(names="row").set_index(keys)
    wholes = []
    for (year, batch, firms, products, account), quota in quotas.iterrows():
        where = (year, batch, firms, products, account)
        batches = [(year, part, firms, products, account) for part in ("batch 1", "batch 2", "supplement")]
        given = [part for part in batches if part in quotas.index]
        if batch == "year" and len(given) >= 2:
            wholes.append(((year, firms, products, account), quota, given, "the batches"))
        if products == "all":
            wholes.append(
                (
                    where,
                    quota,
                    [(year, batch, firms, p, account) for p in ("light", "medium and heavy")],
                    "light and heavy",
                )
            )
        if firms == "all":
            wholes.append(
                (
                    where,
                    quota,
                    [(year, batch, f, products, account) for f in ("Chinese-owned", "foreign-owned")],
                    "the firms",
                )
            )
    known = {where for one in BATCHES_KNOWN for where in one.where}
    found = set()
    for where, whole, parts, name in wholes:
        if not all(part in quotas.index for part in parts):
            continue
        summed = sum(quotas.loc[part, "quota_tonnes"] for part in parts)
        if summed != whole.quota_tonnes:
            found.add(where)
            if where not in known:
                yield problem(
                    table,
                    "parts do not add up",
                    f"{', '.join(map(str, where))}: {name} add up to {summed:,} t, not to {whole.quota_tonnes:,} t",
                    "the sum of the parts, within one account",
                    "look for a wrong or missing part; if all are as printed, explain it in BATCHES_KNOWN of policy.py",
                    whole.row,
                    "quota_tonnes",
                )
    yield from not_needed(table, known - found, None, "policy.BATCHES_KNOWN")


@needs(export_quotas="year batch company_scope product_scope account quota_tonnes")
def quota_accounts_agree(tables: Tables) -> Iterator[Problem]:
    """Hold the accounts of one quota against each other; the differences of 2010, 2011 and 2013 have to be there."""
    table, keys = tables["export_quotas"], ["year", "batch", "company_scope", "product_scope"]
    grouped = table.dropna(subset="quota_tonnes").reset_index(names="row").groupby(keys)
    pairs = grouped.agg(
        row=("row", "first"), low=("quota_tonnes", "min"), high=("quota_tonnes", "max"), accounts=("account", "nunique")
    ).reset_index()
    pairs["differ"] = (pairs.low != pairs.high) & (pairs.accounts > 1)
    pairs["said"] = [f"{pair.low:,} t in one account, {pair.high:,} t in another" for pair in pairs.itertuples()]
    yield from differences(table, "quota_tonnes", pairs, keys, ACCOUNTS_KNOWN, "policy.ACCOUNTS_KNOWN", "one figure")


@needs(
    export_quota_use="flow year tonnes use_pct",
    export_quotas="year batch company_scope product_scope account quota_tonnes",
)
def quota_use_is_right(tables: Tables) -> Iterator[Problem]:
    """Hold the printed use of a quota against exports over the announced quota, within its rounding."""
    table, quotas = tables["export_quota_use"], tables["export_quotas"].dropna(subset="quota_tonnes")
    year = quotas.query(
        "batch == 'year' and company_scope == 'all' and product_scope == 'all' and account == 'announced'"
    )
    pairs = table.dropna(subset="use_pct").reset_index(names="row").merge(year[["year", "quota_tonnes"]], on="year")
    pairs["tonnes"] = pairs.tonnes.astype(float)
    percent = 100 * pairs.tonnes / pairs.quota_tonnes.astype(float)
    pairs["differ"] = (percent - pairs.use_pct).abs() > pairs.use_pct.map(half_unit)
    pairs["said"] = [
        f"{p.use_pct:g} percent printed, {q:.1f} percent of {p.quota_tonnes:,} t"
        for p, q in zip(pairs.itertuples(), percent, strict=True)
    ]
    yield from differences(
        table, "use_pct", pairs, ["year", "tonnes"], USE_KNOWN, "policy.USE_KNOWN", "exports over quota"
    )


@needs(
    japan_2010="topic fact value",
    export_quotas="year batch company_scope product_scope account quota_tonnes",
)
def quota_cut_is_right(tables: Tables) -> Iterator[Problem]:
    """Hold the printed cuts of the quota of 2010 against the quotas; texts mix all firms and Chinese-owned ones."""
    table = tables["japan_2010"]
    quotas = tables["export_quotas"].query("product_scope == 'all' and account == 'company lists'")
    for row in table[table.fact.isin(list(QUOTA_CHANGES))].itertuples():
        batch, firms = QUOTA_CHANGES[row.fact]
        parts = ["batch 1", "batch 2"] if batch == "year" else [batch]
        rows = quotas[(quotas.company_scope == firms) & quotas.batch.isin(parts)]
        tonnes = rows.groupby("year").quota_tonnes.sum().astype(float)
        change = 100 * (tonnes.get(2010, math.nan) / tonnes.get(2009, math.nan) - 1)
        if not abs(change - row.value) <= CHANGE_ROOM:
            yield problem(
                table,
                "two figures for one",
                f"{row.fact}: {row.value:g} percent here, {change:.1f} percent by export_quotas",
                f"a difference of {CHANGE_ROOM:g} percentage points or less",
                "look the scope of both up, all firms or Chinese-owned ones",
                row.Index,
                "value",
            )


@needs(catalogue_counts="edition metric items")
def catalogue_counts_add_up(tables: Tables) -> Iterator[Problem]:
    """Hold the total of 2023 against its two parts, and that of 2020 less the deleted plus the added entries."""
    table = tables["catalogue_counts"]
    counts = {(row.edition, row.metric): row.items for row in table.itertuples()}
    total = counts.get(("2023", "items_total"))
    for name, (first, minus, plus) in CATALOGUE_SUMS.items():
        parts = [counts.get(first), counts.get(minus) if minus else 0, counts.get(plus)]
        summed = None if None in parts else parts[0] - parts[1] + parts[2]
        if summed is None or summed != total:
            yield problem(
                table,
                "parts do not add up",
                f"{name}: {summed} entries, the total of 2023 is {total}",
                "one number",
                "look the counts up in the ministry's notice of 21 December 2023",
                None,
                "items",
            )


# Conflicts and claims


@needs(date_conflicts="conflict_id reading taken")
def conflicts_are_decided(tables: Tables) -> Iterator[Problem]:
    """See that each conflict has two readings or more and that at least one of them is taken."""
    table = tables["date_conflicts"]
    for conflict, group in table.groupby("conflict_id"):
        if len(group) < 2 or not group.taken.any():
            yield problem(
                table,
                "conflict without a decision",
                f"{conflict}: {len(group)} readings, {group.taken.sum()} taken",
                "two readings or more, at least one of them taken",
                "add the reading that is missing, or say which is taken",
                group.index[0],
                "taken",
            )


@needs(claims="claim_id source_id conflicts_with")
def conflicting_claims_name_each_other(tables: Tables) -> Iterator[Problem]:
    """See that a claim in conflict with another is named by that one, and that the two are of different documents."""
    table = tables["claims"]
    claims = table.set_index("claim_id")
    for row in table.dropna(subset="conflicts_with").itertuples():
        other = claims.loc[row.conflicts_with]
        if other.conflicts_with != row.claim_id or other.source_id == row.source_id:
            yield problem(
                table,
                "conflict of one side",
                f"{row.claim_id} names {row.conflicts_with}, which names {other.conflicts_with}",
                f"{row.claim_id}, a claim of another document",
                "name the conflict in both rows",
                row.Index,
                "conflicts_with",
            )


CHECKS = (
    measures_run_forward,
    controls_follow_their_measures,
    suspensions_follow_their_notice,
    documents_name_so_many_elements,
    quota_parts_add_up,
    quota_accounts_agree,
    quota_use_is_right,
    quota_cut_is_right,
    catalogue_counts_add_up,
    conflicts_are_decided,
    conflicting_claims_name_each_other,
)


# Tools


def _same(first, second) -> bool:
    """Tell whether two cells are the same text, or both blank."""
    return first == second if isinstance(first, str) or isinstance(second, str) else True


def _precision(date: str) -> str:
    return next(name for name, length in DATE_LENGTH.items() if length == len(date))
