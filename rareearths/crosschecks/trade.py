"""Trade: parts against totals, months against years, one reporter against the other, codes against the headline."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pandas as pd

from rareearths.check import Problem
from rareearths.crosschecks.tools import Known, Tables, differences, half_unit, needs, problem

UNIT_VALUE_LEAST_TONNES = 100
"""Below it a flow may be a few kilograms of the dearest oxides."""

UNIT_VALUE_BAND = (150, 200_000)
"""USD per tonne that large flows of these codes have had: 219 (concentrate, 2846) to 141,439 (magnets)."""

MONTHS_ROOM = 1.25
"""Tonnes. Texts print months to the tonne or tenth of a tonne; the largest difference between a printed sum since
January and its months is 1.2 t (magnets, January to June 2025), the years meet within 0.5 t."""

HEADLINE_BAND = 0.00025
"""Relative difference of the customs headline and HS 2846 + HS 280530 that is let pass. The headline comes out in
January and the codes later, revised; 2024 differs by 0.021 percent, the years before by 0.003 percent or less."""

AUTHOR_BAND = 0.01
"""Relative difference of twelve months summed by an author and the cell of the year: 0.2 to 0.7 percent below it."""

CELL_ROOM = 1.0
"""USD. Cells of UN Comtrade are printed to the dollar or finer, so parts meet totals but for rounding."""

COMPLETE_CODES = ("280530", "284610", "284690")
"""Codes for which all partners of the United States are in the table."""

TAIL = 0.03
"""Share of the total that partners below about 1 million USD may have in the code whose tail is left out (850511);
they have 1 to 2.1 percent."""

MIRROR_BAND = 0.25
"""Relative difference of the two reports of one flow that is let pass: freight and insurance, and goods at sea over
the turn of the year, make up to 10 percent where neither office has made a mistake."""

MIRROR_FLOOR = 1_000_000
"""USD. Below it no difference counts, when both reports are below: a few shipments make it."""

WORLD_BAND = 0.025
"""Relative difference of world exports and world imports in one year that is let pass: BACI has one figure for both
sides of a flow, but the file leaves some areas out; 0.1 to 2.0 percent."""

MIRROR_KNOWN = (
    Known(
        tuple((year, "2846", "USA", "CHN") for year in range(2020, 2025)),
        "the United States books concentrate as compounds, China as ore (25309020)",
    ),
    Known(
        tuple((year, "280530", "CHN", "USA") for year in range(2022, 2025)),
        "the United States reports two to three times what China does for metals; not settled",
    ),
    Known(((2024, "280530", "USA", "CHN"),), "20.8 t against 1 t; not settled"),
)
"""Flows whose two reports differ by more than the band; they are told in the description of bilateral_trade."""

UNIT_VALUE_KNOWN = (
    Known((("EU27", "export", "2022"),), "Eurostat prints 20.7 EUR/kg; 142 million EUR over 7.0 kt gives 20.3"),
)
"""Printed unit values that do not follow from the printed value and weight within their rounding."""

YEARBOOK_KNOWN = (
    Known(
        ((2022, "import", "Grand total, metals and alloys"),),
        "USGS prints 805,000 kg, the product totals add up to 852,000 kg",
    ),
)
"""Totals of the Yearbook that do not follow from their parts within rounding."""

YEARBOOK_GROUPS = {
    "Total, cerium compounds": ("2846.10",),
    "Total, other rare-earth compounds": ("2846.90",),
    "Total, rare-earth metals and alloys": ("2805.30",),
    "Grand total, compounds": ("2846.10", "2846.90"),
    "Grand total, metals and alloys": ("3606.90", "2805.30"),
}
"""Sums over products that the Yearbook prints, and the first six digits of the codes in them."""


# Months, years and codes


@needs(
    china_exports_monthly="product period_start period_end measure unit value",
    china_exports_annual="product year measure unit value source_id",
)
def months_add_up(tables: Tables) -> Iterator[Problem]:
    """Hold years and sums since January against their months, wherever the months are all there."""
    monthly, annual = tables["china_exports_monthly"], tables["china_exports_annual"]
    tonnes = monthly[(monthly.measure == "weight") & (monthly.unit == "t")]
    years = annual[(annual.measure == "weight") & (annual.unit == "t")]
    years = years.assign(period_start=years.year.astype(str) + "-01-01", period_end=years.year.astype(str) + "-12-31")
    for table, sums in ((monthly, tonnes), (annual, years)):
        for row in sums[sums.period_start.str[:7] != sums.period_end.str[:7]].itertuples():  # a month has no parts
            parts = tonnes[tonnes["product"] == row.product]
            summed = _months_between(parts, row.period_start, row.period_end)
            if summed is not None and abs(summed - row.value) > MONTHS_ROOM:
                yield problem(
                    table,
                    "months do not add up",
                    f"{row.product}, {row.period_start[:7]} to {row.period_end[:7]}: the months add up to "
                    f"{summed:,.1f} t, the sum is {row.value:,.1f} t",
                    f"a difference of {MONTHS_ROOM:g} t or less",
                    "look the sum and its months up; one of them is wrong or of another scope",
                    row.Index,
                    "value",
                )


@needs(
    china_exports_annual="product year measure unit value",
    bilateral_trade="year hs_code exporter_iso3 importer_iso3 reporter_iso3 value_usd tonnes",
)
def headline_is_two_codes(tables: Tables) -> Iterator[Problem]:
    """Hold the customs headline of a year against HS 2846 and HS 280530, which it is said to be."""
    annual, cells = tables["china_exports_annual"], _china_to_world(tables["bilateral_trade"])
    headline = annual[annual["product"] == "rare_earths_headline"]
    for measure, unit, column in (("weight", "t", "tonnes"), ("value", "USD", "value_usd")):
        wide = cells.pivot(index="year", columns="hs_code", values=column)
        wide = wide.reindex(columns=["2846", "280530"]).dropna()
        for row in headline[(headline.measure == measure) & (headline.unit == unit)].itertuples():
            if row.year not in wide.index:
                continue
            codes = wide.loc[row.year].sum()
            if abs(row.value - codes) > HEADLINE_BAND * codes:
                yield problem(
                    annual,
                    "headline and codes differ",
                    f"{row.year}, {measure}: headline {row.value:,.0f} {unit}, HS 2846 and 280530 {codes:,.0f} {unit}",
                    f"a difference of {HEADLINE_BAND:.3%} at most",
                    "look both up; if customs changed the scope of the headline, say so in the description",
                    row.Index,
                    "value",
                )


@needs(
    china_exports_monthly="product period measure unit value",
    bilateral_trade="year hs_code exporter_iso3 importer_iso3 reporter_iso3 value_usd",
)
def author_months_meet_the_year(tables: Tables) -> Iterator[Problem]:
    """Hold twelve months that an author summed by code against the cell of the year, which lies a little above."""
    monthly, cells = tables["china_exports_monthly"], _china_to_world(tables["bilateral_trade"])
    values = monthly[monthly["product"].str.match(r"hs\d{6}") & (monthly.measure == "value")]
    for (product, year), months in values.groupby(["product", values.period.str[:4].astype(int)]):
        cell = cells[(cells.hs_code == product.removeprefix("hs")) & (cells.year == year)]
        if len(months) != 12 or len(cell) != 1:
            continue
        whole, summed = cell.value_usd.iloc[0], months.value.sum()
        if not (1 - AUTHOR_BAND) * whole <= summed <= whole:
            yield problem(
                monthly,
                "months and year differ",
                f"{product}, {year}: twelve months {summed:,.0f} USD, the year {whole:,.0f} USD",
                f"months that lie below the year by {AUTHOR_BAND:.0%} at most",
                "look for a wrong month; if the year was revised, say so in the description",
                months.index[0],
                "value",
            )


# Parts and totals


@needs(bilateral_trade="year hs_code exporter_iso3 importer_iso3 reporter_iso3 value_usd")
def partners_add_up(tables: Tables) -> Iterator[Problem]:
    """Hold the imports of the United States by partner against the world row: equal, or but for a small tail."""
    trade = tables["bilateral_trade"]
    imports = trade[(trade.reporter_iso3 == "USA") & (trade.importer_iso3 == "USA")]
    for (year, code), group in imports.groupby(["year", "hs_code"]):
        world, parts = group[group.exporter_iso3 == "WLD"], group[group.exporter_iso3 != "WLD"]
        if len(world) != 1 or len(parts) < 2:
            continue
        total, summed = world.value_usd.iloc[0], parts.value_usd.sum()
        tail = CELL_ROOM if code in COMPLETE_CODES else TAIL * total
        if not -CELL_ROOM <= total - summed <= tail:
            yield problem(
                trade,
                "partners do not add up",
                f"United States, {code}, {year}: partners {summed:,.0f} USD, world {total:,.0f} USD",
                f"partners that fall short of the world by {tail:,.0f} USD at most",
                "look for a wrong, missing or doubled partner",
                world.index[0],
                "value_usd",
            )


@needs(bilateral_trade="year hs_code exporter_iso3 importer_iso3 reporter_iso3 value_usd")
def headings_add_up(tables: Tables) -> Iterator[Problem]:
    """Hold the heading 2846 against its two codes, wherever one reporter has all three for one flow."""
    trade = tables["bilateral_trade"]
    keys = ["year", "exporter_iso3", "importer_iso3", "reporter_iso3"]
    wide = trade.pivot(index=keys, columns="hs_code", values="value_usd")
    wide = wide.reindex(columns=["2846", "284610", "284690"]).dropna()
    rows = trade[trade.hs_code == "2846"].reset_index(names="row").set_index(keys).row
    for where, line in wide[(wide["284610"] + wide["284690"] - wide["2846"]).abs() > CELL_ROOM].iterrows():
        yield problem(
            trade,
            "codes do not add up",
            f"{', '.join(map(str, where))}: 284610 and 284690 are {line['284610'] + line['284690']:,.0f} USD, "
            f"2846 is {line['2846']:,.0f} USD",
            f"a difference of {CELL_ROOM:g} USD or less",
            "look the three cells up; one may be of a later revision",
            rows[where],
            "value_usd",
        )


@needs(
    china_exports_by_destination="product period destination_iso3 measure unit value",
    china_exports_monthly="product period measure unit value",
    china_exports_annual="product year measure unit value",
    countries="country_iso3 kind",
)
def destinations_within_total(tables: Tables) -> Iterator[Problem]:
    """See that the countries printed for a period do not add up to more than the world, nor a region alone."""
    table, known = tables["china_exports_by_destination"], tables["countries"].set_index("country_iso3").kind
    annual = tables["china_exports_annual"]
    totals = {
        (row.product, row.period, row.measure, row.unit): row.value
        for source in (
            annual.assign(period=annual.year.astype(str)),
            tables["china_exports_monthly"],
            table[table.destination_iso3 == "WLD"],
        )
        for row in source.itertuples()
    }
    rows = table[table.measure.isin(["weight", "value"]) & ~table.destination_iso3.isin(["WLD", "ROW"])]
    kinds = rows.destination_iso3.map(known).eq("country")
    groups = [*rows[kinds].groupby(["product", "period", "measure", "unit"])]
    groups += [*rows[~kinds].groupby(["product", "period", "measure", "unit", "destination_iso3"])]
    for key, group in groups:
        total = totals.get(tuple(key[:4]))
        room = sum(half_unit(value) for value in group.value)
        if total is not None and group.value.sum() > total + room:
            yield problem(
                table,
                "parts above the total",
                f"{', '.join(key)}: {', '.join(group.destination_iso3)} have {group.value.sum():,.0f}, "
                f"the world {total:,.0f}",
                "parts that do not exceed the world",
                "look the destinations and the world total up",
                group.index[0],
                "value",
            )


@needs(us_trade_myb="year flow product hs_code row_kind partner_iso3 basis quantity_kg")
def yearbook_adds_up(tables: Tables) -> Iterator[Problem]:
    """Hold the Yearbook's totals against their countries, and its sums over products against the totals."""
    table = tables["us_trade_myb"]
    gross = table[table.basis == "gross"]
    found = []
    for (year, flow), rows in gross.groupby(["year", "flow"]):
        for row in rows[rows.row_kind != "country"].itertuples():
            if row.row_kind == "total":
                parts = rows[(rows["product"] == row.product) & (rows.row_kind == "country")]
            else:
                codes = rows.hs_code.fillna("").str[:7].isin(YEARBOOK_GROUPS[row.product])
                parts = rows[codes & _product_totals(rows)]
            summed = parts.quantity_kg.sum()
            room = half_unit(row.quantity_kg) + parts.quantity_kg.map(half_unit).sum()
            found.append(
                (row.Index, year, flow, row.product, abs(summed - row.quantity_kg) > room, summed, row.quantity_kg)
            )
    pairs = pd.DataFrame(found, columns=["row", "year", "flow", "product", "differ", "summed", "total"])
    pairs["said"] = [f"parts {p.summed:,.0f} kg, printed total {p.total:,.0f} kg" for p in pairs.itertuples()]
    expected, keys = "parts that add up to the total within rounding to three digits", ["year", "flow", "product"]
    known, listed, rule = YEARBOOK_KNOWN, "trade.YEARBOOK_KNOWN", "parts do not add up"
    yield from differences(table, "quantity_kg", pairs, keys, known, listed, expected, rule)


@needs(bilateral_trade="year hs_code exporter_iso3 importer_iso3 value_usd tonnes")
def unit_values_are_possible(tables: Tables) -> Iterator[Problem]:
    """Hold the value of each flow over its weight against a band: a slip of a digit in a large flow leaves it."""
    table = tables["bilateral_trade"]
    large = table[table.tonnes >= UNIT_VALUE_LEAST_TONNES]
    unit_value = large.value_usd / large.tonnes
    low, high = UNIT_VALUE_BAND
    for index, value in unit_value[(unit_value < low) | (unit_value > high)].items():
        row = table.loc[index]
        yield problem(
            table,
            "unit value out of the band",
            f"{row.year}, {row.hs_code}, {row.exporter_iso3} to {row.importer_iso3}: {value:,.0f} USD/t",
            f"{low:,} to {high:,} USD/t for flows of {UNIT_VALUE_LEAST_TONNES} t or more",
            "look value and weight up at UN Comtrade",
            index,
            "value_usd",
        )


@needs(world_trade_hs2846="year country_iso3 flow value_usd")
def world_exports_are_imports(tables: Tables) -> Iterator[Problem]:
    """Hold world exports against world imports of HS 2846: what one country sells another buys."""
    table = tables["world_trade_hs2846"]
    for year, group in table[table.country_iso3 == "WLD"].groupby("year"):
        sums = group.set_index("flow").value_usd
        if abs(sums["export"] - sums["import"]) > WORLD_BAND * sums.max():
            yield problem(
                table,
                "exports are not imports",
                f"{year}: exports {sums['export']:,.0f} USD, imports {sums['import']:,.0f} USD",
                f"a difference of {WORLD_BAND:.1%} at most",
                "look both up; the world is the sum of all countries",
                group.index[0],
                "value_usd",
            )


# Two reports of one flow, and what a source computed itself


@needs(bilateral_trade="year hs_code exporter_iso3 importer_iso3 reporter_iso3 value_usd")
def mirrors_agree(tables: Tables) -> Iterator[Problem]:
    """Hold the two reports of one flow against each other; the gap of the United States and China is there still."""
    trade = tables["bilateral_trade"].reset_index(names="row")
    keys = ["year", "hs_code", "exporter_iso3", "importer_iso3"]
    exports = trade[trade.reporter_iso3 == trade.exporter_iso3]
    imports = trade[trade.reporter_iso3 == trade.importer_iso3]
    pairs = exports.merge(imports, on=keys, suffixes=("", "_import"))
    larger = pairs[["value_usd", "value_usd_import"]].max(axis=1)
    apart = (pairs.value_usd - pairs.value_usd_import).abs()
    pairs["differ"] = (larger > MIRROR_FLOOR) & (apart > MIRROR_BAND * larger)
    pairs["said"] = [
        f"{p.value_usd:,.0f} USD as exported, {p.value_usd_import:,.0f} USD as imported" for p in pairs.itertuples()
    ]
    table, expected = tables["bilateral_trade"], f"two reports that differ by {MIRROR_BAND:.0%} at most"
    known, listed, rule = MIRROR_KNOWN, "trade.MIRROR_KNOWN", "two reports differ"
    yield from differences(table, "value_usd", pairs, keys, known, listed, expected, rule)


@needs(trade_other_reporters="reporter_iso3 flow product period partner_iso3 measure unit value")
def unit_values_follow(tables: Tables) -> Iterator[Problem]:
    """Hold printed unit values against value over weight, within the rounding of the three, where all are printed."""
    table = tables["trade_other_reporters"]
    keys = ["reporter_iso3", "flow", "period", "product", "partner_iso3"]
    chosen = table[table.unit.isin(["EUR", "t", "EUR/kg"])].reset_index(names="row")
    wide = chosen.pivot(index=keys, columns="unit", values="value").reindex(columns=["EUR", "t", "EUR/kg"]).dropna()
    rows = chosen[chosen.unit == "EUR/kg"].set_index(keys).row
    pairs = wide.join(rows).reset_index()
    low = (pairs.EUR - pairs.EUR.map(half_unit)) / (pairs.t + pairs.t.map(half_unit)) / 1000
    high = (pairs.EUR + pairs.EUR.map(half_unit)) / (pairs.t - pairs.t.map(half_unit)) / 1000
    room = pairs["EUR/kg"].map(half_unit)
    pairs["differ"] = (pairs["EUR/kg"] < low - room) | (pairs["EUR/kg"] > high + room)
    pairs["said"] = [
        f"printed {p} EUR/kg, value over weight {v / t / 1000:.2f}"
        for p, v, t in zip(pairs["EUR/kg"], pairs.EUR, pairs.t)
    ]
    expected, known = "value over weight within the rounding of the three", UNIT_VALUE_KNOWN
    where = ["reporter_iso3", "flow", "period"]
    listed, rule = "trade.UNIT_VALUE_KNOWN", "unit value does not follow"
    yield from differences(table, "value", pairs, where, known, listed, expected, rule)


CHECKS = (
    months_add_up,
    headline_is_two_codes,
    author_months_meet_the_year,
    partners_add_up,
    headings_add_up,
    destinations_within_total,
    yearbook_adds_up,
    unit_values_are_possible,
    world_exports_are_imports,
    mirrors_agree,
    unit_values_follow,
)


# Tools


def _china_to_world(trade: pd.DataFrame) -> pd.DataFrame:
    """Give the cells in which China reports its exports to the world, the copy with weights before an author's sum."""
    cells = trade[(trade.reporter_iso3 == "CHN") & (trade.exporter_iso3 == "CHN") & (trade.importer_iso3 == "WLD")]
    return cells.drop_duplicates(["year", "hs_code"])


def _months_between(rows: pd.DataFrame, start: str, end: str) -> float | None:
    """Add up the shortest periods that follow each other from start to end; None where there is a gap."""
    summed, day = 0.0, start
    while day <= end:
        here = rows[(rows.period_start == day) & (rows.period_end <= end)]
        here = here[(here.period_start != start) | (here.period_end != end)].sort_values("period_end")
        if here.empty:
            return None
        summed += here.value.iloc[0]
        day = (date.fromisoformat(here.period_end.iloc[0]) + timedelta(days=1)).isoformat()
    return summed


def _product_totals(rows: pd.DataFrame) -> pd.Series:
    """Tell the rows that stand for a whole product: its total, or its only country where no total is printed."""
    totalled = rows[rows.row_kind == "total"]["product"]
    return (rows.row_kind == "total") | ((rows.row_kind == "country") & ~rows["product"].isin(totalled))
