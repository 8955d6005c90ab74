"""Outlook of demand and supply, electric cars, wind power and exposure: parts against totals, texts against data."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from rareearths.check import Problem
from rareearths.crosschecks.tools import Known, Tables, differences, half_unit, needs, problem

IEA_ROUNDING = 0.001
"""Kilotonnes by which parts of the IEA may miss their total: its sheets are rounded apart and differ by 0.0001 at most,
and cited figures of July 2023 are rounded to a tonne here."""

SHARE_ROUNDING = 0.01
"""Percent by which a share of the IEA may miss the one its own tonnes give; both have six digits or more."""

SHARES_TOTAL = 100
"""Percent. Shares of one whole from one text cannot be more than this, but for half a percent of rounding each."""

SHARE_HALF_UNIT = 0.5
"""Percent of rounding in one share, which texts print as whole percents."""

SUMMARY_BAND = 0.5
"""Percent by which a growth that a text prints as a whole percent may miss the one in the dataset."""

EV_MARKET_BAND = 0.6
"""Relative distance from its median that the car market implied by sales and share may have, over all years of one
country: India grew by half in ten years, no other market moved by more than a third; a wrong power of ten or a
doubled figure is beyond it."""

WIND_PUBLISHERS_BAND = 0.01
"""Relative difference of the world capacity of IRENA and GWEC at one year end; they differ by 0.3 percent for 2024."""

WIND_NET_ROOM = 1.0
"""Gigawatts by which net additions may exceed gross installations: the figures of GWEC are rounded to whole gigawatts
and the two publishers count the end of the year a little differently."""

ELEMENTS = {"magnet REE": ("Nd", "Pr", "Dy", "Tb"), "rare earths": ("Nd", "Pr", "Dy", "Tb", "Y", "La")}
"""The elements that the IEA puts together under a name."""

USES = {"clean energy": ("wind", "electric vehicles"), "all uses": ("wind", "electric vehicles", "other uses")}
"""The uses that the IEA adds up to a total."""

SUMMARIES = {
    "IEA May 2025, as summarised": "IEA May 2025",
    "IEA 2025, as charted by Statista": "IEA May 2025",
}
"""Texts about a dataset, and the edition of it that they are about."""

PLAIN_BASELINE = "STEPS"
"""The scenario that a reader takes for the one a text calls its baseline."""

SUMMARIES_KNOWN = (
    Known(
        (("IEA May 2025, as summarised", 2040),), "the summary says 50 to 60 percent for STEPS, the dataset gives 64.5"
    ),
    Known(
        (("IEA 2025, as charted by Statista", 2030),),
        "the chart says baseline and 45 percent, which is APS; STEPS is 35",
    ),
)
"""Growth that a text gives and the dataset does not; told in the description of demand_outlook."""

WHOLES = {
    "WLD": ("CHN", "EUR", "USA", "JPN", "KOR", "IND"),
    "EUR": ("EU27", "GBR"),
    "EU27": ("DEU",),
}
"""Regions and the places in them that do not overlap."""

BENCHMARK_REGIONS = ("CHN", "EUR", "NAC", "ROW")
"""The four regions into which Benchmark cuts the world."""


# Outlook


@needs(demand_outlook="edition scenario supply_case year technology material measure value")
def outlook_uses_add_up(tables: Tables) -> Iterator[Problem]:
    """Hold wind and electric vehicles against clean energy, and with other uses against the total, in each scenario."""
    tonnes = tables["demand_outlook"].query("measure == 'demand'")
    for key, group in tonnes.groupby(["edition", "scenario", "supply_case", "year", "material"]):
        yield from _sums(tables["demand_outlook"], group, "technology", USES, key)


@needs(demand_outlook="edition scenario supply_case year technology material measure value")
def outlook_elements_add_up(tables: Tables) -> Iterator[Problem]:
    """Hold the single elements of one use against the four magnet elements, and against the six of the IEA."""
    tonnes = tables["demand_outlook"].query("measure == 'demand'")
    for key, group in tonnes.groupby(["edition", "scenario", "supply_case", "year", "technology"]):
        yield from _sums(tables["demand_outlook"], group, "material", ELEMENTS, key)


@needs(demand_outlook="edition scenario supply_case year technology material measure value")
def outlook_shares_fit(tables: Tables) -> Iterator[Problem]:
    """Hold each printed share of a use against its tonnes over those of all uses, where an edition has both."""
    outlook = tables["demand_outlook"]
    keys = ["edition", "scenario", "supply_case", "year", "material"]
    tonnes = outlook.query("measure == 'demand'").set_index([*keys, "technology"]).value
    for row in outlook.query("measure == 'share_of_demand'").itertuples():
        place = tuple(getattr(row, key) for key in keys)
        part, total = tonnes.get((*place, row.technology)), tonnes.get((*place, "all uses"))
        if part is None or total is None:
            continue
        share = SHARES_TOTAL * part / total
        if abs(share - row.value) > SHARE_ROUNDING:
            yield problem(
                outlook,
                "share and tonnes differ",
                f"{_words(place)}: {row.value:g} percent, the tonnes give {share:.4f}",
                f"a difference of {SHARE_ROUNDING:g} percent or less",
                "look up the share and both tonnages in the edition",
                row.Index,
                "value",
            )


@needs(demand_outlook="publisher edition scenario year source_id")
def editions_are_apart(tables: Tables) -> Iterator[Problem]:
    """See that no document stands under two editions, and that an edition has one base year, before its projections."""
    outlook = tables["demand_outlook"]
    for source, group in outlook.groupby("source_id"):
        if group.edition.nunique() > 1:
            yield problem(
                outlook,
                "editions mixed",
                f"{source} stands under {', '.join(sorted(group.edition.unique()))}",
                "one edition a document, so that no total is compared across editions",
                "look which edition the row is from",
                group.index[-1],
                "edition",
            )
    for edition, group in outlook[outlook.publisher == "IEA"].groupby("edition"):
        base, later = group[group.scenario == "base year"], group[group.scenario != "base year"]
        early = later[later.year <= base.year.max()] if len(base) else later.head(0)
        if base.year.nunique() > 1 or len(early):
            wrong = early if len(early) else base
            yield problem(
                outlook,
                "editions mixed",
                f"{edition}: base years {', '.join(map(str, sorted(base.year.unique())))}, "
                f"projections from {later.year.min()}",
                "one base year, and projections for later years only",
                "look which edition the row is from",
                wrong.index[-1],
                "year",
            )


@needs(
    demand_outlook="edition scenario supply_case year technology material measure base_year value_low value value_high"
)
def summaries_agree(tables: Tables) -> Iterator[Problem]:
    """Hold the growth that a text gives against the dataset it is about; what is known to differ has to."""
    outlook = tables["demand_outlook"]
    data = outlook.query("measure == 'demand' and material == 'magnet REE' and technology == 'all uses'")
    tonnes = data.set_index(["edition", "scenario", "year"]).value
    said = outlook[outlook.edition.isin(list(SUMMARIES)) & (outlook.measure == "growth_since_base_year")]
    pairs = said.reset_index(names="row")
    scenario = pairs.scenario.where(pairs.scenario.isin(data.scenario), PLAIN_BASELINE)
    growth = [
        SHARES_TOTAL
        * (
            tonnes.get((SUMMARIES[p.edition], s, p.year)) / tonnes.get((SUMMARIES[p.edition], "base year", p.base_year))
            - 1
        )
        for p, s in zip(pairs.itertuples(), scenario, strict=True)
    ]
    low, high = pairs.value_low.fillna(pairs.value), pairs.value_high.fillna(pairs.value)
    pairs["differ"] = (pd.Series(growth) < low - SUMMARY_BAND) | (pd.Series(growth) > high + SUMMARY_BAND)
    pairs["said"] = [
        f"{a:g} to {b:g} percent here, {g:.1f} in the dataset" for a, b, g in zip(low, high, growth, strict=True)
    ]
    expected, keys = f"a difference of {SUMMARY_BAND:g} percent or less", ["edition", "year"]
    yield from differences(outlook, "value", pairs, keys, SUMMARIES_KNOWN, "demand.SUMMARIES_KNOWN", expected)


@needs(supply_outlook="edition stage year country_iso3 material measure value")
def supply_adds_up(tables: Tables) -> Iterator[Problem]:
    """Hold countries against world supply, and the three largest of them against the printed share of the top three."""
    supply = tables["supply_outlook"]
    tonnes = supply.query("measure == 'supply' and material == 'magnet REE'")
    printed = supply.query("measure == 'share_of_top_three' and material == 'magnet REE'")
    printed = printed.set_index(["edition", "stage", "year"]).value
    for key, group in tonnes.groupby(["edition", "stage", "year"]):
        world, parts = group[group.country_iso3 == "WLD"], group[group.country_iso3 != "WLD"]
        if len(world) != 1 or parts.empty:
            continue
        total, row = world.value.iloc[0], world.index[0]
        if abs(parts.value.sum() - total) > IEA_ROUNDING:
            yield problem(
                supply,
                "parts do not add up",
                f"{_words(key)}: the countries add up to {parts.value.sum():.3f} kt, the world is {total:.3f} kt",
                f"a difference of {IEA_ROUNDING:g} kt or less",
                "look for a wrong, missing or doubled country",
                row,
                "value",
            )
        share = SHARES_TOTAL * parts[parts.country_iso3 != "ROW"].value.nlargest(3).sum() / total
        if key in printed.index and abs(share - printed[key]) > SHARE_ROUNDING:
            yield problem(
                supply,
                "share and tonnes differ",
                f"{_words(key)}: the top three have {printed[key]:g} percent, their tonnes give {share:.4f}",
                f"a difference of {SHARE_ROUNDING:g} percent or less",
                "look up the share and the three largest countries",
                row,
                "value",
            )


# Uses


@needs(demand_by_application="publisher year country_iso3 basis share_pct source_id")
def shares_stay_within_the_whole(tables: Tables) -> Iterator[Problem]:
    """See that the uses that one text names for one year are not more than all of it; no set of them is complete."""
    shares = tables["demand_by_application"]
    for key, group in shares.groupby(["publisher", "year", "country_iso3", "basis", "source_id"]):
        room = SHARE_HALF_UNIT * len(group)
        if group.share_pct.sum() > SHARES_TOTAL + room:
            yield problem(
                shares,
                "shares above the whole",
                f"{_words(key)}: {group.share_pct.sum():g} percent",
                f"{SHARES_TOTAL + room:g} percent or less",
                "look for a wrong or doubled share, or for one of another basis",
                group.index[0],
                "share_pct",
            )


@needs(ev_sales="edition year country_iso3 powertrain measure value")
def ev_sales_fit_their_share(tables: Tables) -> Iterator[Problem]:
    """Hold sales of battery and plug-in cars against their share: the car market they imply stays near its median."""
    table = tables["ev_sales"]
    sales = table[(table.measure == "sales") & table.powertrain.isin(["BEV", "PHEV"])]
    sold = sales.groupby(["edition", "country_iso3", "year"]).value.sum()
    shares = table[table.measure == "share_of_car_sales"].reset_index(names="row")
    shares["market"] = [
        SHARES_TOTAL * sold.get((s.edition, s.country_iso3, s.year), float("nan")) / s.value
        for s in shares.itertuples()
    ]
    for (edition, country), group in shares.groupby(["edition", "country_iso3"]):
        usual = group.market.median()
        for one in group[(group.market / usual - 1).abs() > EV_MARKET_BAND].itertuples():
            yield problem(
                table,
                "sales and share differ",
                f"{edition}, {country}, {one.year}: they imply {one.market:,.0f} cars sold, the median is {usual:,.0f}",
                f"a difference of {EV_MARKET_BAND:.0%} or less",
                "look up the share, and the sales of battery and plug-in cars",
                one.row,
                "value",
            )


@needs(ev_sales="edition publisher year country_iso3 powertrain measure value")
def ev_regions_fit(tables: Tables) -> Iterator[Problem]:
    """See that countries are not more than their region, and that the regions of Benchmark are the world."""
    table = tables["ev_sales"]
    sales = table[table.measure == "sales"]
    yield from _within_wholes(table, sales, ["edition", "powertrain", "year"], "value", rounded=True)
    for key, group in sales[sales.publisher == "Benchmark"].groupby(["edition", "powertrain", "year"]):
        values = group.set_index("country_iso3").value
        if not {"WLD", *BENCHMARK_REGIONS} <= set(values.index):
            continue
        total, parts = values["WLD"], values[list(BENCHMARK_REGIONS)]
        room = half_unit(total) + sum(half_unit(value) for value in parts)
        if abs(parts.sum() - total) > room:
            yield problem(
                table,
                "parts do not add up",
                f"{_words(key)}: the regions add up to {parts.sum():,.0f}, the world is {total:,.0f}",
                f"a difference of {room:,.0f} or less, the rounding of the printed figures",
                "look for a wrong region",
                group.index[group.country_iso3 == "WLD"][0],
                "value",
            )


# Wind


@needs(wind_capacity="publisher edition year country_iso3 measure gw")
def wind_capacity_fits(tables: Tables) -> Iterator[Problem]:
    """See that capacity does not fall, that countries are not more than their region, and that publishers agree."""
    table = tables["wind_capacity"]
    capacity = table[table.measure == "capacity_at_year_end"]
    irena = capacity[capacity.publisher == "IRENA"].sort_values("year")
    for country, group in irena.groupby("country_iso3"):
        for row in group[group.gw.diff() < 0].itertuples():
            yield problem(
                table,
                "capacity falls",
                f"{country}, {row.year}: {row.gw:g} GW, less than the year before",
                "capacity that grows, as it did everywhere since 2014",
                "look both years up",
                row.Index,
                "gw",
            )
    yield from _within_wholes(table, irena, ["edition", "year"], "gw", rounded=False)
    other = capacity[capacity.publisher == "GWEC"].reset_index(names="row")
    for pair in other.merge(irena, on=["year", "country_iso3"], suffixes=("", "_irena")).itertuples():
        if abs(pair.gw - pair.gw_irena) > WIND_PUBLISHERS_BAND * pair.gw_irena:
            yield problem(
                table,
                "two publications differ",
                f"{pair.country_iso3}, {pair.year}: GWEC {pair.gw:g} GW, IRENA {pair.gw_irena:g} GW",
                f"a difference of {WIND_PUBLISHERS_BAND:.0%} or less",
                "look both up",
                pair.row,
                "gw",
            )


@needs(wind_capacity="publisher edition year country_iso3 measure gw")
def wind_installations_fit(tables: Tables) -> Iterator[Problem]:
    """Hold on- and offshore against all installations, and net additions of IRENA against gross ones of GWEC."""
    table = tables["wind_capacity"]
    rows = table.reset_index(names="row").set_index(["measure", "country_iso3", "year"]).sort_index()
    irena = table[(table.measure == "capacity_at_year_end") & (table.publisher == "IRENA")]
    irena = irena.set_index(["country_iso3", "year"]).gw
    for row in table[table.measure == "gross_installations"].itertuples():
        place = (row.country_iso3, row.year)
        kinds = [("gross_installations_onshore", *place), ("gross_installations_offshore", *place)]
        if all(kind in rows.index for kind in kinds):
            parts = [rows.loc[[kind]].gw.iloc[0] for kind in kinds]
            room = SHARE_HALF_UNIT * (len(parts) + 1)  # whole gigawatts
            if abs(sum(parts) - row.gw) > room:
                yield problem(
                    table,
                    "parts do not add up",
                    f"{_words(place)}: on- and offshore are {sum(parts):g} GW, all installations {row.gw:g} GW",
                    f"a difference of {room:g} GW or less, the rounding of the printed figures",
                    "look up the three figures",
                    row.Index,
                    "gw",
                )
        now, before = irena.get(place), irena.get((row.country_iso3, row.year - 1))
        if now is not None and before is not None and now - before > row.gw + WIND_NET_ROOM:
            yield problem(
                table,
                "net above gross",
                f"{_words(place)}: capacity grew by {now - before:.1f} GW (IRENA), {row.gw:g} GW were installed (GWEC)",
                "net additions, which leave out what was taken down, below gross installations",
                "look up the installations and both capacities",
                row.Index,
                "gw",
            )


# Exposure


@needs(exposure_estimates="publisher country_iso3 scenario material element measure value")
def ranks_fit_the_list(tables: Tables) -> Iterator[Problem]:
    """See that no two minerals share a place on a list and that no place is beyond its length."""
    table = tables["exposure_estimates"]
    lengths = table[table.measure == "minerals_on_list"].groupby("country_iso3").value.max()
    ranks = table[table.measure == "rank_on_list"]
    for (country, _), group in ranks.groupby(["country_iso3", "scenario"]):
        length = lengths.get(country, float("inf"))
        for row in group[group.value.duplicated() | (group.value > length)].itertuples():
            name = row.element if isinstance(row.element, str) else row.material
            yield problem(
                table,
                "rank not possible",
                f"{country}: {name} is number {row.value:g}",
                f"a place of its own, from 1 to {length:g}",
                "look the order up",
                row.Index,
                "value",
            )


CHECKS = (
    outlook_uses_add_up,
    outlook_elements_add_up,
    outlook_shares_fit,
    editions_are_apart,
    summaries_agree,
    supply_adds_up,
    shares_stay_within_the_whole,
    ev_sales_fit_their_share,
    ev_regions_fit,
    wind_capacity_fits,
    wind_installations_fit,
    ranks_fit_the_list,
)


# Tools


def _words(key: tuple) -> str:
    return ", ".join(map(str, key))


def _sums(
    table: pd.DataFrame, group: pd.DataFrame, column: str, totals: dict[str, tuple[str, ...]], key: tuple
) -> Iterator[Problem]:
    """Hold parts, named in ``column`` of one group of rows, against each total of which all parts are there."""
    values = group.set_index(column).value
    for total, parts in totals.items():
        if total not in values.index or not set(parts) <= set(values.index):
            continue
        summed = values[list(parts)].sum()
        if abs(summed - values[total]) > IEA_ROUNDING:
            yield problem(
                table,
                "parts do not add up",
                f"{_words(key)}: {', '.join(parts)} add up to {summed:.4f} kt, {total} is {values[total]:.4f} kt",
                f"a difference of {IEA_ROUNDING:g} kt or less",
                "look up the parts and the total in the edition",
                group.index[group[column] == total][0],
                "value",
            )


def _within_wholes(
    table: pd.DataFrame, rows: pd.DataFrame, keys: list[str], column: str, *, rounded: bool
) -> Iterator[Problem]:
    """See that places are not more than the region they lie in; ``rounded`` leaves room for figures of two digits."""
    for key, group in rows.groupby(keys):
        values = group.set_index("country_iso3")[column]
        for whole, places in WHOLES.items():
            parts = values[values.index.isin(places)]
            if whole not in values.index or parts.empty:
                continue
            room = half_unit(values[whole]) + sum(half_unit(value) for value in parts) if rounded else 0
            if parts.sum() > values[whole] + room:
                yield problem(
                    table,
                    "parts above the whole",
                    f"{_words(key)}: {', '.join(parts.index)} are {parts.sum():,.6g}, {whole} is {values[whole]:,.6g}",
                    "places that are not more than the region they lie in",
                    "look up the region and the places",
                    group.index[group.country_iso3 == whole][0],
                    column,
                )
