"""The elements and their ores: readings against each other, factors against weights, shares against their sums."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

import pandas as pd

from rareearths.check import Problem
from rareearths.crosschecks.tools import Known, Tables, differences, needs, problem
from rareearths.data import flagged

OXYGEN = 15.999
"""Atomic weight of oxygen, as mendeleev 1.3.0 and periodictable 2.1.0 give it."""

FACTOR_STEP = 1.1e-5
"""Factors are printed to five decimals: one step for the last digit, and a tenth of it for numbers kept in binary."""

READING_TOLERANCE = {
    "atomic_weight": 0.02,
    "ionic_radius_3plus_cn6": 0.01,
    "ionic_radius_3plus_cn8": 0.01,
    "density": 1.0,
    "melting_point": 1.0,
    "boiling_point": 2.0,
    "effective_moment_3plus_hund": 0.5,
}
"""Percent of the second reading. Weights and radii are copies of one list and differ by revisions alone; moments are
one formula rounded to two decimals; densities and melting points are measurements of impure metals that agree to a
percent, boiling points, above 1,000 degrees, to two."""

SHARES_ROOM = 0.3
"""Percentage points: shares are printed to 0.1 (2023) or to 1 (2020); the largest excess that rounding makes is 0.2."""

FULL_SPLIT = 3
"""A set of more countries than this, or one with a share of 100, is a full split; others list the largest suppliers."""

RESCALED_ROOM = 0.12
"""Percentage points: half a step of 0.1 in the share, and half a step of the share it was made from over 0.809."""

RISK_ROOM = 0.1
"""Points of the score: half a step of 0.1 in the result and half a step in the mean of two printed scores."""

RISK_ONE_SIDED = ("Sc",)
"""Elements for which the study of 2017 takes world supply alone, so that the score is no mean."""

BASKET_ROOM = 4.0
"""Percentage points. USGS says that its rows need not add up to 100; the widest are 97.9 and 103.5."""

GRADE_ROOM = 0.012
"""Relative: tonnage and grade are printed to two or three digits, 0.63 percent being the coarsest."""

PUBLISHED_KNOWN = (
    Known(
        (("Pm2O3",),), "the published table takes the mass number 145 for promethium, this one the mass of one isotope"
    ),
)
"""Oxides for which the published factor differs from the computed one."""

LANTHANIDES = ("La", "Ce", "Pr", "Nd", "Pm", "Sm", "Eu", "Gd", "Tb", "Dy", "Ho", "Er", "Tm", "Yb", "Lu")


# Properties


@needs(
    oxide_factors="element oxide usual_trade_form oxide_molar_mass_g_mol metal_to_oxide_factor oxide_to_metal_factor",
    properties="element property value",
    elements="symbol oxide",
)
def factors_follow_weights(tables: Tables) -> Iterator[Problem]:
    """Compute each oxide factor anew from formula and atomic weight, and hold the trade form against the code list."""
    factors, weights = tables["oxide_factors"], _weights(tables)
    trade = tables["elements"].set_index("symbol").oxide
    for row in factors.itertuples():
        metal, oxygen = (int(count or 1) for count in re.fullmatch(r"[A-Z][a-z]?(\d*)O(\d*)", row.oxide).groups())
        mass = metal * weights[row.element] + oxygen * OXYGEN
        factor = mass / (metal * weights[row.element])
        for column, found, expected in (
            ("metal_to_oxide_factor", row.metal_to_oxide_factor, factor),
            ("oxide_to_metal_factor", row.oxide_to_metal_factor, 1 / factor),
            ("oxide_molar_mass_g_mol", row.oxide_molar_mass_g_mol / mass, 1.0),
        ):
            if abs(found - expected) > FACTOR_STEP:
                yield problem(
                    factors,
                    "factor and weight differ",
                    f"{row.oxide}: {getattr(row, column):g}, the atomic weights give {_shown(column, mass, factor)}",
                    "the factor that follows from the formula and the atomic weight in properties",
                    "compute it anew, or correct the atomic weight",
                    row.Index,
                    column,
                )
        if row.usual_trade_form != (trade[row.element] == row.oxide):
            yield problem(
                factors,
                "two trade forms",
                f"{row.oxide} is {str(row.usual_trade_form).lower()}; codes/elements.csv has {trade[row.element]}",
                "the oxide of codes/elements.csv marked as the trade form, and no other",
                "correct one of the two",
                row.Index,
                "usual_trade_form",
            )


@needs(oxide_factors="oxide metal_to_oxide_factor published_factor")
def published_factors_agree(tables: Tables) -> Iterator[Problem]:
    """Hold the computed factors against the published table, with promethium as the known exception."""
    table = tables["oxide_factors"]
    pairs = table.dropna(subset="published_factor").reset_index(names="row")
    pairs["differ"] = (pairs.metal_to_oxide_factor - pairs.published_factor).abs() > FACTOR_STEP
    pairs["said"] = [
        f"{p.metal_to_oxide_factor:g} computed, {p.published_factor:g} published" for p in pairs.itertuples()
    ]
    expected = "factors that are equal to the fifth decimal"
    yield from differences(
        table, "published_factor", pairs, ["oxide"], PUBLISHED_KNOWN, "elements.PUBLISHED_KNOWN", expected
    )


@needs(properties="element property value", property_second_readings="element property value flag source_id")
def second_readings_agree(tables: Tables) -> Iterator[Problem]:
    """Hold every second reading of a property against the first: conflicting where they differ, and only there."""
    second = tables["property_second_readings"]
    first = tables["properties"].dropna(subset="value").set_index(["element", "property"]).value
    marked = flagged(second, "conflicting")
    for row in second.itertuples():
        ours = first.get((row.element, row.property))
        percent = READING_TOLERANCE[row.property]
        differs = ours is None or abs(ours - row.value) > percent / 100 * abs(row.value)
        if differs != marked[row.Index]:
            yield problem(
                second,
                "reading and flag differ",
                f"{row.element}, {row.property}: {row.value:g} in {row.source_id}, "
                f"{'nothing' if ours is None else f'{ours:g}'} in properties, "
                f"{'with' if marked[row.Index] else 'without'} the flag conflicting",
                f"the flag where the two differ by more than {percent:g} percent, and only there",
                "look both up; correct the value or the flag",
                row.Index,
                "value",
            )


@needs(properties="element property value")
def radii_fall(tables: Tables) -> Iterator[Problem]:
    """See that the ionic radius falls with every step from lanthanum to lutetium (the lanthanide contraction)."""
    table = tables["properties"]
    for name in ("ionic_radius_3plus_cn6", "ionic_radius_3plus_cn8"):
        rows = table[table.property == name].reset_index(names="row").set_index("element").loc[list(LANTHANIDES)]
        for before, after in pairwise(LANTHANIDES):
            if not rows.value[after] < rows.value[before]:
                yield problem(
                    table,
                    "radius does not fall",
                    f"{name}: {rows.value[before]:g} pm for {before}, {rows.value[after]:g} pm for {after}",
                    "a radius that falls with each lanthanide",
                    "look both up",
                    rows.row[after],
                    "value",
                )


@needs(classification="scheme element rare_earth_class note", elements="symbol")
def schemes_are_complete(tables: Tables) -> Iterator[Problem]:
    """See that each scheme has all seventeen elements, and says why where it gives an element no class."""
    table = tables["classification"]
    every = set(tables["elements"].symbol)
    for scheme, group in table.groupby("scheme", sort=False):
        missing = sorted(every - set(group.element))
        if missing:
            yield problem(
                table,
                "scheme with gaps",
                f"{scheme} without {', '.join(missing)}",
                "a row for each of the seventeen elements",
                "add the row; leave the class blank and say why in the note where the text gives none",
                group.index[0],
                "element",
            )
    for row in table[table.rare_earth_class.isna() & table.note.isna()].itertuples():
        yield problem(
            table,
            "class without a reason",
            f"{row.scheme}, {row.element}: neither class nor note",
            "a class, or a note that says why there is none",
            "fill one of the two",
            row.Index,
            "note",
        )


# Shares


@needs(eu_supply_shares="assessment_year scope group_or_element stage share_pct")
def eu_shares_add_up(tables: Tables) -> Iterator[Problem]:
    """Hold the full splits of world supply against 100 percent, by assessment, element and stage."""
    table = tables["eu_supply_shares"]
    world = table[table.scope == "world_supply"]
    for key, group in world.groupby(["assessment_year", "group_or_element", "stage"]):
        if len(group) <= FULL_SPLIT and group.share_pct.max() < 100:
            continue
        if abs(group.share_pct.sum() - 100) > SHARES_ROOM:
            yield problem(
                table,
                "shares do not add up",
                f"{', '.join(map(str, key))}: {group.share_pct.sum():.1f} percent",
                f"100 percent, give or take {SHARES_ROOM:g}",
                "look for a wrong, missing or doubled country",
                group.index[0],
                "share_pct",
            )


@needs(eu_supply_shares="assessment_year scope group_or_element stage country_iso3 share_pct basis flag")
def group_splits_are_no_measurement(tables: Tables) -> Iterator[Problem]:
    """See that what is flagged group_value is one split for the group, and that of Dy and Tb the same rescaled."""
    table = tables["eu_supply_shares"]
    repeated = table[flagged(table, "group_value") & (table.basis != "all_rare_earths_rescaled")]
    for key, group in repeated.groupby(["assessment_year", "scope", "stage", "basis", "country_iso3"]):
        usual = group.share_pct.mode().iloc[0]
        for row in group[group.share_pct != usual].itertuples():
            yield problem(
                table,
                "group value that is not the group's",
                f"{', '.join(map(str, key))}: {row.share_pct:g} for {row.group_or_element}, {usual:g} for the others",
                "one share for all members, as the basis says",
                "look it up; if the element has a figure of its own, correct basis and flag",
                row.Index,
                "share_pct",
            )
    total = (
        repeated[repeated.basis == "all_rare_earths"]
        .groupby(["assessment_year", "stage", "country_iso3"])
        .share_pct.first()
    )
    for row in table[table.basis == "all_rare_earths_rescaled"].itertuples():
        split = total[row.assessment_year][row.stage]
        expected = 100 * split.get(row.country_iso3, 0) / (100 - split["AUS"] - split["USA"])
        if abs(row.share_pct - expected) > RESCALED_ROOM:
            yield problem(
                table,
                "not the rescaled split",
                f"{row.group_or_element}, {row.country_iso3}: {row.share_pct:g}, the total rescaled is {expected:.1f}",
                "the share of all rare earths over what is left without Australia and the United States",
                "look it up; if it is a figure of its own, correct basis and flag",
                row.Index,
                "share_pct",
            )


@needs(uses="edition group_or_element share_pct flag")
def use_shares_add_up(tables: Tables) -> Iterator[Problem]:
    """Hold use shares of one edition and element against 100 percent; another sum needs the flag conflicting."""
    table = tables["uses"]
    for key, group in table.dropna(subset="share_pct").groupby(["edition", "group_or_element"]):
        whole, marked = group.share_pct.sum() == 100, flagged(group, "conflicting").any()
        if whole == marked:
            yield problem(
                table,
                "flag not needed" if marked else "shares do not add up",
                f"{', '.join(key)}: {group.share_pct.sum():g} percent",
                "100 percent, or the flag conflicting at the rows that do not fit",
                "look for a wrong, missing or doubled share; correct the flag",
                group.index[0],
                "share_pct",
            )


@needs(criticality="assessment year group_or_element measure value")
def supply_risk_is_the_mean(tables: Tables) -> Iterator[Problem]:
    """Hold the supply risk of the EU study of 2017 against the mean of its parts, world supply and EU sourcing."""
    table = tables["criticality"]
    rows = table[(table.assessment == "EU critical raw materials") & (table.year == 2017) & table.element.notna()]
    by = {measure: group.set_index("element").value for measure, group in rows.groupby("measure")}
    risk = rows[rows.measure == "supply_risk"]
    for row in risk[~risk.element.isin(RISK_ONE_SIDED)].itertuples():
        parts = [by["supply_risk_global_supply_only"][row.element], by["supply_risk_eu_sourcing_only"][row.element]]
        if abs(row.value - sum(parts) / 2) > RISK_ROOM + 1e-9:
            yield problem(
                table,
                "score is not the mean",
                f"{row.element}: {row.value:g}, its parts are {parts[0]:g} and {parts[1]:g}",
                f"the mean of the two parts, give or take {RISK_ROOM:g}",
                "look the three up in Tables 19 and 21 of the study",
                row.Index,
                "value",
            )


# Ores


@needs(ore_composition="series deposit component share_pct")
def baskets_add_up(tables: Tables) -> Iterator[Problem]:
    """Hold the full baskets of elements, those of USGS and of a company, against 100 percent of the oxide."""
    table = tables["ore_composition"]
    full = table[table.series.isin(["usgs_table_2", "company_distribution"])]
    for (series, deposit), group in full.groupby(["series", "deposit"], sort=False):
        if abs(group.share_pct.sum() - 100) > BASKET_ROOM:
            yield problem(
                table,
                "basket does not add up",
                f"{deposit} ({series}): {group.share_pct.sum():.1f} percent",
                f"100 percent, give or take {BASKET_ROOM:g}",
                "look for a wrong, missing or doubled element",
                group.index[0],
                "share_pct",
            )


@needs(deposit_resources="deposit category ore_mt grade_pct contained_mt")
def tonnage_times_grade(tables: Tables) -> Iterator[Problem]:
    """Hold contained oxide against ore times grade, where a row has all three."""
    table = tables["deposit_resources"]
    for row in table.dropna(subset=["ore_mt", "grade_pct", "contained_mt"]).itertuples():
        product = row.ore_mt * row.grade_pct / 100
        if abs(product - row.contained_mt) > GRADE_ROOM * row.contained_mt:
            yield problem(
                table,
                "tonnage and grade do not fit",
                f"{row.deposit}, {row.category}: {row.contained_mt:g} Mt, ore times grade is {product:.4g} Mt",
                f"a difference of {GRADE_ROOM:.1%} at most",
                "look the three up; a unit may be wrong",
                row.Index,
                "contained_mt",
            )


# The map


@needs(
    disputed_areas="place longitude latitude map_name country_iso3",
    country_outlines="country_iso3 ring hole coordinates",
)
def places_lie_as_told(tables: Tables) -> Iterator[Problem]:
    """See in which outline of the map of this package each disputed place lies, and hold the table against it."""
    table = tables["disputed_areas"]
    outlines = [
        (row.country_iso3, row.hole, _points(row.coordinates)) for row in tables["country_outlines"].itertuples()
    ]
    for row in table[table.map_name == "natural_earth_110m"].itertuples():
        hits = [(code, hole) for code, hole, ring in outlines if _inside(row.longitude, row.latitude, ring)]
        holes = {code for code, hole in hits if hole}
        found = sorted({code for code, hole in hits if not hole} - holes)
        told = [] if pd.isna(row.country_iso3) else [row.country_iso3]
        if found != told:
            yield problem(
                table,
                "drawn otherwise",
                f"{row.place}: {', '.join(told) or 'none'} here, {', '.join(found) or 'none'} in country_outlines",
                "the outline in which the point lies",
                "correct the row, and see whether the map was replaced",
                row.Index,
                "country_iso3",
            )


CHECKS = (
    factors_follow_weights,
    published_factors_agree,
    second_readings_agree,
    radii_fall,
    schemes_are_complete,
    eu_shares_add_up,
    group_splits_are_no_measurement,
    use_shares_add_up,
    supply_risk_is_the_mean,
    baskets_add_up,
    tonnage_times_grade,
    places_lie_as_told,
)


# Tools


def _weights(tables: Tables) -> pd.Series:
    properties = tables["properties"]
    return properties[properties.property == "atomic_weight"].set_index("element").value


def _shown(column: str, mass: float, factor: float) -> str:
    """Give the expected figure of one column in the digits of the table."""
    values = {"metal_to_oxide_factor": factor, "oxide_to_metal_factor": 1 / factor}
    return f"{mass:.7g}" if column == "oxide_molar_mass_g_mol" else f"{values[column]:.5f}"


def _points(coordinates: str) -> list[tuple[float, float]]:
    return [tuple(map(float, pair.split())) for pair in coordinates.split(",")]  # type: ignore[misc]


def _inside(x: float, y: float, ring: list[tuple[float, float]]) -> bool:
    """Tell whether a point lies in a ring, by counting the sides that a line to the east crosses."""
    inside = False
    for (x1, y1), (x2, y2) in zip(ring, ring[1:] + ring[:1]):
        if (y1 > y) != (y2 > y) and x < x1 + (y - y1) / (y2 - y1) * (x2 - x1):
            inside = not inside
    return inside
