"""China's quotas, shares by stage, plants and lead times: parts against totals, quotas against USGS, years in order."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pandas as pd

from rareearths.check import Problem
from rareearths.crosschecks.tools import Known, Tables, differences, needs, problem
from rareearths.data import flagged

QUOTA_ROUNDING = 50
"""Tonnes. Some texts print quotas in units of 100 t (8.14 ten-thousand tonnes), so each row flagged rounded may be
off by half of that; all other quotas are exact and have to add up without tolerance."""

SHARES_ROOM = 0.5
"""Percent. A set of shares is printed or computed to one decimal, so ten shares may miss 100 percent by as much."""

SHARES_TOTAL = 100
"""Percent."""

COUNTRIES_OF_A_FULL_SET = 3
"""A set that names the rest of the world and at least this many countries besides is complete and adds up to 100."""

MONTHS_ROOM = 1
"""Years. Where the months of two milestones are known the printed years are not whole and differ from the difference
of the calendar years by less than one."""

NOT_STARTED = ("under_construction", "approved", "permitting", "planned", "announced", "exploration")
"""Status of a plant that cannot have started."""

ORE_TYPES_KNOWN = (
    Known(
        ((2022, "batch2", "mining"),),
        "rock_light was printed as 10.15 ten-thousand tonnes, 40 t less than the remainder",
    ),
)
"""Quotas by ore type that do not add up to the total."""

USGS_KNOWN = (
    Known(
        ((2023, "MCS 2024"),),
        "MCS 2024 was written before the third batch of 15,000 t and has the first two, 240,000 t",
    ),
)
"""Where USGS printed a quota as China's output that is not the quota of the year."""


# Quotas


@needs(china_production_quotas="year batch kind level holder ore_type quota_tonnes_reo")
def ore_types_add_up(tables: Tables) -> Iterator[Problem]:
    """Hold rock and ion-adsorption ore together against the total of their batch, exactly but for known differences."""
    table = tables["china_production_quotas"]
    keys, excused, found = ["year", "batch", "kind"], {w for one in ORE_TYPES_KNOWN for w in one.where}, set()
    for key, group in table[table.level == "national"].groupby(keys):
        tonnes = group.set_index("ore_type").quota_tonnes_reo.dropna()
        if not {"all", "rock_light", "ionic_medium_heavy"} <= set(tonnes.index):
            continue
        summed = tonnes.rock_light + tonnes.ionic_medium_heavy
        if math.isclose(summed, tonnes["all"]):
            continue
        found.add(key)
        if key not in excused:
            row = group.index[group.ore_type == "all"][0]
            yield _not_a_sum(table, row, key, "the ore types", summed, tonnes["all"], 0)
    for key in sorted(excused - found, key=str):
        yield problem(
            table,
            "exception not needed",
            f"{_said(key)} now adds up",
            "the known difference",
            "take it out of ORE_TYPES_KNOWN in rareearths/crosschecks/industry.py",
        )


@needs(china_production_quotas="year batch kind level holder ore_type quota_tonnes_reo")
def provinces_add_up(tables: Tables) -> Iterator[Problem]:
    """Hold the provinces of one year and ore type against the national quota of that ore type, exactly."""
    table = tables["china_production_quotas"]
    keys = ["year", "batch", "kind", "ore_type"]
    national = table[table.level == "national"].set_index(keys)
    for key, group in table[table.level == "province"].groupby(keys):
        if key in national.index:
            total, summed = national.loc[key].quota_tonnes_reo, group.quota_tonnes_reo.sum()
            if not math.isclose(summed, total):
                yield _not_a_sum(table, group.index[0], key, "the provinces", summed, total, 0)


@needs(china_production_quotas="year batch kind level holder ore_type quota_tonnes_reo flag")
def groups_add_up(tables: Tables) -> Iterator[Problem]:
    """Hold the groups of one batch against its total where more than one line of groups is known, within rounding."""
    table = tables["china_production_quotas"]
    national = table[(table.level == "national") & (table.ore_type == "all")].set_index(["year", "batch", "kind"])
    for key, group in table[table.level == "group"].groupby(["year", "batch", "kind"]):
        if group.holder.nunique() < 2 or key not in national.index:
            continue
        total, summed, room = national.loc[key].quota_tonnes_reo, group.quota_tonnes_reo.sum(), _room(group)
        if abs(summed - total) > room:
            yield _not_a_sum(table, group.index[0], key, "the groups", summed, total, room)


@needs(china_production_quotas="year batch kind level holder ore_type quota_tonnes_reo flag")
def batches_add_up(tables: Tables) -> Iterator[Problem]:
    """Hold the batches of a year against its annual quota, for the nation, ore types and groups, within rounding."""
    table = tables["china_production_quotas"]
    groups = table[table.level == "group"].assign(ore_type="all")  # some batches split a group's quota by ore type
    rows = pd.concat([table[table.level == "national"], groups]).dropna(subset="quota_tonnes_reo")
    for key, line in rows.groupby(["year", "kind", "level", "holder", "ore_type"]):
        parts = line[line.batch.isin(["batch1", "batch2", "batch3"])]
        for batch, wanted in (("annual", parts), ("batches1_2", parts[parts.batch != "batch3"])):
            whole = line[line.batch == batch]
            if whole.empty or not {"batch1", "batch2"} <= set(parts.batch):
                continue
            total, summed = whole.quota_tonnes_reo.sum(), wanted.quota_tonnes_reo.sum()
            room = _room(pd.concat([whole, wanted]))
            if abs(summed - total) > room:
                yield _not_a_sum(table, whole.index[0], key, "the batches", summed, total, room)


@needs(
    china_production_quotas="year batch kind level ore_type quota_tonnes_reo",
    mine_production="publisher year country_iso3 tonnes_reo flag edition",
)
def usgs_prints_the_quota(tables: Tables) -> Iterator[Problem]:
    """Hold what USGS prints for China with the flag quota against the annual mining quota, exactly."""
    quotas, table = tables["china_production_quotas"], tables["mine_production"]
    annual = quotas.query("batch == 'annual' and kind == 'mining' and level == 'national' and ore_type == 'all'")
    usgs = table[(table.publisher == "USGS") & (table.country_iso3 == "CHN") & flagged(table, "quota")]
    pairs = (
        usgs.dropna(subset="tonnes_reo")
        .reset_index(names="row")
        .merge(annual.dropna(subset="quota_tonnes_reo"), on="year", suffixes=("", "_q"))
    )
    pairs["differ"] = pairs.tonnes_reo != pairs.quota_tonnes_reo
    pairs["said"] = [f"USGS {p.tonnes_reo:,.0f} t, quota {p.quota_tonnes_reo:,.0f} t" for p in pairs.itertuples()]
    expected, keys = "the annual mining quota, which the flag quota says it is", ["year", "edition"]
    yield from differences(table, "tonnes_reo", pairs, keys, USGS_KNOWN, "industry.USGS_KNOWN", expected)


# Shares by stage


@needs(stage_shares="year stage basis series scenario country_iso3 share_pct source_id")
def stage_shares_fit(tables: Tables) -> Iterator[Problem]:
    """Hold each set of shares against 100 percent: no set above it, and a complete set at it."""
    table = tables["stage_shares"]
    keys = ["year", "stage", "basis", "source_id", "scenario"]
    for key, group in table.dropna(subset="share_pct").groupby(keys):
        summed = group.share_pct.sum()
        named = set(group.country_iso3)
        complete = "ROW" in named and len(named) > COUNTRIES_OF_A_FULL_SET
        if summed > SHARES_TOTAL + SHARES_ROOM or (complete and summed < SHARES_TOTAL - SHARES_ROOM):
            yield problem(
                table,
                "shares do not fit",
                f"{_said(key)}: {summed:g} percent",
                f"{'' if complete else 'at most '}{SHARES_TOTAL} percent, within {SHARES_ROOM:g}",
                "look for a wrong or doubled share, or a row of another set",
                group.index[0],
                "share_pct",
            )


@needs(stage_shares="year stage basis series scenario source_id headline")
def stage_sets_are_pure(tables: Tables) -> Iterator[Problem]:
    """See that a set of shares counts one thing and has one source, and that a stage has one headline set a year."""
    table = tables["stage_shares"]
    sets = [
        (group, key, "set") for keys in (["series", "year", "stage", "scenario"],) for key, group in table.groupby(keys)
    ]
    sets += [(group, key, "headline set") for key, group in table[table.headline].groupby(["year", "stage"])]
    for group, key, word in sets:
        for column in ("basis", "source_id") if word == "set" else ("series",):
            if group[column].nunique() > 1:
                odd = group[column].value_counts(ascending=True).index[0]
                yield problem(
                    table,
                    f"mixed {word}",
                    f"{_said(key)}: {', '.join(sorted(group[column].unique()))}",
                    f"one {column} in one {word}",
                    "correct the row, or give it a series of its own",
                    group.index[group[column] == odd][0],
                    column,
                )


# Plants and lead times


@needs(facilities="facility_id status status_as_of announced_year announced_start_year actual_start_year")
def plants_start_after_their_announcement(tables: Tables) -> Iterator[Problem]:
    """See that no plant starts, or is to start, before it was announced, and that its status fits its start."""
    table = tables["facilities"]
    for row in table.itertuples():
        for column in ("announced_start_year", "actual_start_year"):
            start = getattr(row, column)
            if pd.notna(start) and pd.notna(row.announced_year) and start < row.announced_year:
                yield _wrong_year(table, row, column, f"{start}, announced {row.announced_year}", "a later year")
        actual = row.actual_start_year
        if pd.notna(actual) and row.status in NOT_STARTED:
            yield _wrong_year(
                table, row, "actual_start_year", f"{actual}, status {row.status}", "a blank, or another status"
            )
        elif pd.notna(actual) and actual > int(row.status_as_of[:4]):
            said = f"{actual}, status of {row.status_as_of}"
            yield _wrong_year(table, row, "actual_start_year", said, "a year not after that of the status")


@needs(facilities="facility_id latitude longitude coordinate_basis coordinate_source_id")
def coordinates_are_whole(tables: Tables) -> Iterator[Problem]:
    """See that latitude, longitude, their basis and their source are all there, or none."""
    table, columns = tables["facilities"], ["latitude", "longitude", "coordinate_basis", "coordinate_source_id"]
    filled = table[columns].notna()
    for index in table.index[filled.any(axis=1) & ~filled.all(axis=1)]:
        missing = [column for column in columns if not filled.loc[index, column]]
        yield problem(
            table,
            "half a place",
            f"{table.facility_id[index]} without {', '.join(missing)}",
            "latitude, longitude, basis and source, or none of them",
            "fill the cell, or empty the others",
            index,
            missing[0],
        )


@needs(lead_times="project from_year to_year years")
def lead_times_are_differences(tables: Tables) -> Iterator[Problem]:
    """Hold the years between two milestones against their calendar years: whole years exactly, others within months."""
    table = tables["lead_times"]
    for row in table.dropna(subset=["from_year", "to_year", "years"]).itertuples():
        apart = abs(row.to_year - row.from_year - row.years)
        if apart >= MONTHS_ROOM or (apart and float(row.years).is_integer()):
            yield problem(
                table,
                "not the difference",
                f"{row.project}: {row.years:g} years from {row.from_year} to {row.to_year}",
                f"{row.to_year - row.from_year} years, or less than one more or less where the months are known",
                "look the years up",
                row.Index,
                "years",
            )


CHECKS = (
    ore_types_add_up,
    provinces_add_up,
    groups_add_up,
    batches_add_up,
    usgs_prints_the_quota,
    stage_shares_fit,
    stage_sets_are_pure,
    plants_start_after_their_announcement,
    coordinates_are_whole,
    lead_times_are_differences,
)


# Tools


def _room(rows: pd.DataFrame) -> float:
    """Give the difference that the rounding of these quotas alone can make."""
    return QUOTA_ROUNDING * int(flagged(rows, "rounded").sum())


def _said(key: tuple) -> str:
    return ", ".join(map(str, key))


def _not_a_sum(table: pd.DataFrame, row, key: tuple, parts: str, summed: float, total: float, room: float) -> Problem:
    return problem(
        table,
        "parts do not add up",
        f"{_said(key)}: {parts} add up to {summed:,.0f} t, the total is {total:,.0f} t",
        f"a difference of {room:,.0f} t or less, the rounding of the printed figures" if room else "the same figure",
        "look for a wrong, missing or doubled quota",
        row,
        "quota_tonnes_reo",
    )


def _wrong_year(table: pd.DataFrame, row, column: str, found: str, expected: str) -> Problem:
    todo = "look the years up; where the announcement is of a new line, give the start of that line"
    return problem(table, "years out of order", f"{row.facility_id}: {found}", expected, todo, row.Index, column)
