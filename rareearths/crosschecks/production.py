"""Mine production, reserves and United States statistics: parts against totals, one publication against another."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pandas as pd

from rareearths.check import Problem
from rareearths.crosschecks.tools import Known, Tables, differences, half_unit, needs, problem
from rareearths.data import flagged
from rareearths.series import newest_usgs

SHARES_TOTAL = 100
"""Percent. USGS prints whole percents and gives the rest as "other", so a set adds up without tolerance."""

RESERVES_BOUND_STEP = 5_000_000
"""Tonnes. USGS prints lower bounds of world reserves in steps of 5 million (>90, >85, >75 million), so the
parts may exceed a bound by less than one step."""

PUBLISHERS_BAND = 0.15
"""Relative difference of USGS and BGS that is let pass, by judgement: independent estimates of one output differ
by up to 13 percent (Myanmar 2020) where neither publisher has made a mistake."""

PUBLISHERS_FLOOR = 1_000
"""Tonnes of oxide. Below it no difference counts: figures of small producers are guesses of one or two digits."""

HISTORY_BAND = 0.03
"""Relative difference of Data Series 140 and the newest MCS world total that is let pass; USGS moves its own
world totals by as much between editions (280,000 t to 290,000 t for 2021)."""

PRICES_BAND = 0.15
"""Relative difference of one price in two editions that is let pass: the newest year of an edition is an estimate."""

PRICES_FLOOR = 1.0
"""USD per unit. Below it no difference counts: older editions print whole dollars."""

SALIENT_FACTOR = 4.0
"""Largest factor between two editions of one figure that is let pass; the largest today is 3.75."""


def _years(country: str, first: int, last: int) -> tuple[tuple, ...]:
    return tuple((country, year) for year in range(first, last + 1))


PUBLISHERS_KNOWN = (
    Known(_years("USA", 2018, 2023), "BGS takes USGS's tonnes of oxide for concentrate, counts 60 percent"),
    Known(_years("CHN", 2014, 2020), "USGS prints the official quota, BGS estimates output"),
    Known(_years("WLD", 2014, 2019), "the world totals carry the difference over China"),
    Known(_years("AUS", 2020, 2021), "BGS counts the year to 30 June"),
    Known(_years("IND", 2020, 2023), "BGS counts the year to 31 March and another set of minerals; not settled"),
    Known(_years("MMR", 2022, 2023), "both estimate from China's imports, in different ways"),
    Known((("MDG", 2021),), "USGS printed 6,800 t in MCS 2023 and 6,000 t in MYB 2022, BGS 2,000 t; not settled"),
)
"""Where USGS and BGS differ by more than the band; all conflicts are told in the description of mine_production."""

HISTORY_KNOWN = (
    Known(
        tuple((year,) for year in (2006, 2008, 2010, 2011, 2012, 2016, 2017)),
        "Data Series 140 is later and rests on the Minerals Yearbook; the MCS printings were not revised",
    ),
)
"""Years in which Data Series 140 and the newest MCS printing of the world total differ by more than the band."""

PRICES_KNOWN = (
    Known((("neodymium oxide 99.5% min", 2021),), "MCS 2022 and 2023 print 49, an error; later editions print 98"),
)
"""Prices that differ between editions by more than the band."""


# Parts and totals


@needs(mine_production="publisher year country_iso3 tonnes_reo flag edition source_id")
def production_adds_up(tables: Tables) -> Iterator[Problem]:
    """Hold the countries of one USGS edition and year against its printed world total, within the rounding of both."""
    usgs = tables["mine_production"].query("publisher == 'USGS'")
    for (edition, year, _), group in usgs.groupby(["edition", "year", "source_id"]):
        world = group[group.country_iso3 == "WLD"]
        parts = group[group.country_iso3 != "WLD"]
        if len(world) != 1 or not _is_full_table(parts):
            continue
        total, room = world.tonnes_reo.iloc[0], _room(world, parts, "tonnes_reo")
        summed = parts.tonnes_reo.sum()
        if abs(summed - total) > room:
            yield problem(
                tables["mine_production"],
                "parts do not add up",
                f"{edition}, {year}: the countries add up to {summed:,.0f} t, the world is {total:,.0f} t",
                f"a difference of {room:,.0f} t or less, the rounding of the printed figures",
                "look for a wrong, missing or doubled country in this edition and year",
                world.index[0],
                "tonnes_reo",
            )


@needs(reserves="country_iso3 reserves_tonnes_reo flag edition")
def reserves_add_up(tables: Tables) -> Iterator[Problem]:
    """Hold the countries of one edition against its printed world reserves; a bound has to lie just below the sum."""
    reserves = tables["reserves"]
    for edition, group in _corrected_editions(reserves):
        world = group[group.country_iso3 == "WLD"]
        parts = group[group.country_iso3 != "WLD"]
        if len(world) != 1 or not _is_full_table(parts):
            continue
        total, summed = world.reserves_tonnes_reo.iloc[0], parts.reserves_tonnes_reo.sum()
        if flagged(world, "lower_bound").iloc[0]:
            room = sum(half_unit(value) for value in parts.reserves_tonnes_reo.dropna())
            fits = total - room <= summed < total + RESERVES_BOUND_STEP + room
            expected = f"a sum above the bound by less than {RESERVES_BOUND_STEP + room:,.0f} t"
        else:
            room = _room(world, parts, "reserves_tonnes_reo")
            fits = abs(summed - total) <= room
            expected = f"a difference of {room:,.0f} t or less, the rounding of the printed figures"
        if not fits:
            yield problem(
                tables["reserves"],
                "parts do not add up",
                f"{edition}: the countries add up to {summed:,.0f} t, the world is {total:,.0f} t",
                expected,
                "look for a wrong, missing or doubled country in this edition",
                world.index[0],
                "reserves_tonnes_reo",
            )


@needs(us_import_sources="edition chapter product share_pct")
def import_shares_add_up(tables: Tables) -> Iterator[Problem]:
    """Hold the import shares of one edition and product against 100 percent."""
    return _shares_add_up(tables, "us_import_sources", ["edition", "chapter", "product"])


@needs(us_end_use="edition year country_iso3 scope share_pct")
def end_use_shares_add_up(tables: Tables) -> Iterator[Problem]:
    """Hold the shares of end uses of one edition and year against 100 percent."""
    return _shares_add_up(tables, "us_end_use", ["edition", "year", "country_iso3", "scope"])


def _shares_add_up(tables: Tables, name: str, keys: list[str]) -> Iterator[Problem]:
    for key, group in tables[name].dropna(subset="share_pct").groupby(keys):
        if not math.isclose(group.share_pct.sum(), SHARES_TOTAL):
            yield problem(
                tables[name],
                "shares do not add up",
                f"{', '.join(map(str, key))}: {group.share_pct.sum():g} percent",
                f"{SHARES_TOTAL} percent",
                "look for a wrong, missing or doubled share",
                group.index[0],
                "share_pct",
            )


@needs(yttrium_scandium_world="chapter year country_iso3 measure value edition flag")
def yttrium_adds_up(tables: Tables) -> Iterator[Problem]:
    """Hold the countries of one edition, year and measure against the printed world total, within its rounding."""
    table = tables["yttrium_scandium_world"].dropna(subset="value")
    for key, group in table.groupby(["chapter", "edition", "measure", "year"]):
        world, parts = group[group.country_iso3 == "WLD"], group[group.country_iso3 != "WLD"]
        if len(world) != 1 or not _is_full_table(parts):
            continue
        total, summed, room = world.value.iloc[0], parts.value.sum(), _room(world, parts, "value")
        if abs(summed - total) > room:
            yield problem(
                tables["yttrium_scandium_world"],
                "parts do not add up",
                f"{', '.join(map(str, key))}: the countries add up to {summed:,.0f} t, the world is {total:,.0f} t",
                f"a difference of {room:,.0f} t or less, the rounding of the printed figures",
                "look for a wrong, missing or doubled country in this edition and year",
                world.index[0],
                "value",
            )


# Two publications of one figure


@needs(mine_production="publisher year country_iso3 tonnes_reo flag edition")
def publishers_agree(tables: Tables) -> Iterator[Problem]:
    """Hold BGS against the newest USGS printing, by country and year, within a band and its known exceptions."""
    usgs, table = newest_usgs(tables["mine_production"]), tables["mine_production"]
    bgs = table[(table.publisher == "BGS") & table.tonnes_reo.notna()].reset_index(names="row")
    pairs = bgs.merge(usgs, on=["country_iso3", "year"], suffixes=("", "_usgs"))
    apart = (pairs.tonnes_reo - pairs.tonnes_reo_usgs).abs()
    pairs["differ"] = (apart > PUBLISHERS_FLOOR) & (apart > PUBLISHERS_BAND * pairs.tonnes_reo_usgs)
    pairs["said"] = [
        f"BGS {p.tonnes_reo:,.0f} t, USGS ({p.edition_usgs}) {p.tonnes_reo_usgs:,.0f} t" for p in pairs.itertuples()
    ]
    expected = f"a difference of {PUBLISHERS_BAND:.0%} or {PUBLISHERS_FLOOR:,} t at most"
    keys, known = ["country_iso3", "year"], PUBLISHERS_KNOWN
    yield from differences(table, "tonnes_reo", pairs, keys, known, "production.PUBLISHERS_KNOWN", expected)


@needs(
    mine_production="publisher year country_iso3 tonnes_reo flag edition",
    world_production_history="year measure value",
)
def history_agrees(tables: Tables) -> Iterator[Problem]:
    """Hold world totals of Data Series 140 against the newest MCS printing, within a band and its known exceptions."""
    usgs = newest_usgs(tables["mine_production"]).query("country_iso3 == 'WLD'")
    history = tables["world_production_history"].query("measure == 'world_production'").reset_index(names="row")
    pairs = history.merge(usgs, on="year", suffixes=("", "_usgs"))
    pairs["differ"] = (pairs.value - pairs.tonnes_reo).abs() > HISTORY_BAND * pairs.tonnes_reo
    pairs["said"] = [
        f"Data Series 140 {p.value:,.0f} t, {p.edition_usgs} {p.tonnes_reo:,.0f} t" for p in pairs.itertuples()
    ]
    expected = f"a difference of {HISTORY_BAND:.0%} at most"
    table, known = tables["world_production_history"], HISTORY_KNOWN
    yield from differences(table, "value", pairs, ["year"], known, "production.HISTORY_KNOWN", expected)


@needs(us_prices="year product price unit edition")
def prices_agree(tables: Tables) -> Iterator[Problem]:
    """Hold the editions of one price against each other; the wrong neodymium price of 2021 has to be there still."""
    prices = tables["us_prices"].dropna(subset="price").reset_index(names="row")
    grouped = prices.groupby(["product", "year", "unit"])
    pairs = grouped.agg(row=("row", "first"), low=("price", "min"), high=("price", "max")).reset_index()
    pairs["differ"] = (pairs.high - pairs.low > PRICES_FLOOR) & (pairs.high > (1 + PRICES_BAND) * pairs.low)
    pairs["said"] = [f"{p.low:g} in one edition, {p.high:g} {p.unit} in another" for p in pairs.itertuples()]
    expected = f"editions that differ by {PRICES_BAND:.0%} or {PRICES_FLOOR:g} USD at most"
    table, keys = tables["us_prices"], ["product", "year"]
    yield from differences(table, "price", pairs, keys, PRICES_KNOWN, "production.PRICES_KNOWN", expected)


@needs(us_salient="chapter year measure value unit edition")
def salient_editions_agree(tables: Tables) -> Iterator[Problem]:
    """Hold the editions of one salient figure against each other: revisions are wide, a slip of a digit is wider."""
    table = tables["us_salient"].dropna(subset="value")
    figures = table[(table.value > 0) & ~table.unit.str.startswith("%")]
    for key, group in figures.groupby(["chapter", "year", "measure", "unit"]):
        if group.value.max() > SALIENT_FACTOR * group.value.min():
            yield problem(
                tables["us_salient"],
                "two publications differ",
                f"{', '.join(map(str, key))}: {group.value.min():g} in one edition, {group.value.max():g} in another",
                f"editions within a factor of {SALIENT_FACTOR:g}",
                "look both up in their editions",
                group.value.idxmax(),
                "value",
            )


@needs(
    mine_production="publisher year country_iso3 tonnes_reo edition", us_salient="chapter year measure value edition"
)
def us_production_is_the_same(tables: Tables) -> Iterator[Problem]:
    """Hold the United States in the world table against the salient statistics of the same edition, exactly."""
    world = tables["mine_production"].query("publisher == 'USGS' and country_iso3 == 'USA'").reset_index(names="row")
    salient = tables["us_salient"].query("chapter == 'rare earths' and measure == 'production_mineral_concentrates'")
    pairs = world.merge(salient, on=["edition", "year"], suffixes=("", "_salient"))
    for pair in pairs[pairs.tonnes_reo != pairs.value].itertuples():
        yield problem(
            tables["mine_production"],
            "two figures for one",
            f"{pair.edition}, {pair.year}: {pair.tonnes_reo:,.0f} t here, {pair.value:,.0f} t in us_salient",
            "one figure, both tables being of one chapter",
            "look both up in the edition",
            pair.row,
            "tonnes_reo",
        )


# Flags and sources


@needs(reserves="country_iso3 flag edition edition_date", us_prices="product year flag edition")
def superseded_has_successor(tables: Tables) -> Iterator[Problem]:
    """See that each superseded reserve or price has a later edition that replaces it."""
    reserves = tables["reserves"].assign(order=tables["reserves"].edition_date)
    prices = tables["us_prices"].assign(order=tables["us_prices"].edition)
    for name, table, keys in (("reserves", reserves, ["country_iso3"]), ("us_prices", prices, ["product", "year"])):
        for row in table[flagged(table, "superseded")].itertuples():
            same = (table[keys] == [getattr(row, key) for key in keys]).all(axis=1)
            if not (same & ~flagged(table, "superseded") & (table.order > row.order)).any():
                yield problem(
                    tables[name],
                    "superseded by nothing",
                    f"{', '.join(str(getattr(row, key)) for key in keys)} in {row.edition}",
                    "a row of a later edition with the same " + ", ".join(keys),
                    "add the successor, or take the flag away",
                    row.Index,
                    "flag",
                )


CHECKS = (
    production_adds_up,
    reserves_add_up,
    import_shares_add_up,
    end_use_shares_add_up,
    yttrium_adds_up,
    publishers_agree,
    history_agrees,
    prices_agree,
    salient_editions_agree,
    us_production_is_the_same,
    superseded_has_successor,
)


# Tools


def _corrected_editions(reserves: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Give each edition whole; a corrected version such as "MCS 2026 v1.3" is its base with some rows replaced."""
    for edition, group in reserves[~flagged(reserves, "secondary")].groupby("edition"):
        base, _, version = edition.partition(" v")
        if version:
            rest = reserves[(reserves.edition == base) & ~reserves.country_iso3.isin(group.country_iso3)]
            group = pd.concat([rest, group])
        yield edition, group


def _is_full_table(parts: pd.DataFrame) -> bool:
    """Tell a table by country from single figures such as China alone."""
    return parts.country_iso3.nunique() > 3


def _room(world: pd.DataFrame, parts: pd.DataFrame, column: str) -> float:
    """Give the difference that rounding alone can make: half a unit of the total's last digit and of each part's."""
    rounded = parts[~flagged(parts, "quota")].dropna(subset=column)
    return half_unit(world[column].iloc[0]) + sum(half_unit(value) for value in rounded[column])
