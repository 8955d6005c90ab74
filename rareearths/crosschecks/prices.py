"""Prices and what the model rests on: quotes against yearly averages, months against days, assumptions named so."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pandas as pd

from rareearths.check import Problem
from rareearths.crosschecks.tools import Known, Tables, differences, half_unit, needs, problem
from rareearths.data import flagged
from rareearths.series import book_prices

CNY_PER_USD = 6.7
"""Rough rate at which prices in yuan are put beside prices in dollars; the rate lay between 6.1 and 7.3 in 2009-2026.
Tax is left in: China gives none of it back on exports of rare earths, so a price fob holds it too."""

QUOTES_FACTOR = 1.6
"""Largest factor between a quote and the average of its year that is let pass, by judgement: prices moved by as much
within 2009, 2020 and 2025, while a slip of a digit or a wrong unit makes a factor of ten."""

RATE_BAND = (6.0, 7.5)
"""Yuan per dollar that a yearly mean of monthly prices over the USGS average has to imply. Quotas and duties on exports
ended in 2015; since then the two prices differ by the exchange rate (6.1 to 7.3) and the rounding of USGS."""

RATE_MATERIALS = ("Pr", "Nd")
"""Oxides that are held against that band; for La and Ce of one or two dollars rounding and freight decide."""

COMPANY_BAND = (6.5, 7.5)
"""Yuan per dollar that Lynas's price of NdPr oxide has to imply. The high side is expected, because separate oxides
trade above the mixture."""

NDPR_SHARES = {"Nd": 0.75, "Pr": 0.25}
"""Shares of the two oxides in NdPr oxide."""

VAT = 1.13
"""One and the tax rate in prices inside China since April 2019; Lynas quotes without tax."""

SERIES_BAND = 0.08
"""Relative difference of the daily series and a dated quote that is let pass; the largest is 7.1 percent (Ce, 2013)."""

MONTH_ROUNDING = 1.0
"""Yuan per tonne between a monthly price and the mean of its days: monthly prices are whole yuan."""

CONTROL_DAYS = ("2023-12-20", "2023-12-21")
"""The day before China's catalogue of prohibited and restricted export technologies came out, and the day itself."""

CONTROL_BAND = 0.01
"""Relative change between these two days that is let pass; Nd fell 0.5 percent, Pr did not move."""

DEFLATOR_BASE = 1998
"""Year of the dollars in which Data Series 140 gives constant values."""

ARCS = {1: (2010, 2011), 2: (2009, 2011), 3: (2011, 2014)}
"""Years of the arcs of United States imports over unit value, by the number of the candidate in parameters."""

ARCS_ROUNDING = 0.005
"""Difference between an arc as printed, to two decimals, and as computed."""

QUOTES_KNOWN = (
    Known(
        (
            ("Dy", 2025, "Europe"),
            ("Tb", 2025, "Europe"),
            ("Y", 2025, "Europe"),
            ("Y", 2025, "export, terms not stated"),
        ),
        "crisis quotes outside China after the licences of April 2025, a thin market",
    ),
    Known((("La", 2014, "China ex-works"), ("Ce", 2014, "China ex-works")), "export quota and duty, ended in 2015"),
)
"""Quotes that differ from the average of their year by more than the factor."""

MONTHS_KNOWN = (
    Known((("Nd", 2014), ("Nd", 2015)), "export quota to 2014 and duty to 1 May 2015 raised prices fob"),
    Known((("Pr", 2015),), "the same duty, and a yearly price read in one text that quotes the Yearbook"),
)
"""Years in which the price inside China over the USGS average is outside the band of exchange rates."""

DEFLATOR_KNOWN = (Known(((2010,),), "the two values that Data Series 140 prints for 2010 do not fit each other"),)
"""Years in which Data Series 140 does not follow from consumer prices."""


# What each price is


@needs(us_prices="product basis", usgs_price_series="product basis")
def usgs_prices_are_classified(tables: Tables) -> Iterator[Problem]:
    """See that every product and basis of us_prices is classified, and nothing else is."""
    series, prices = tables["usgs_price_series"], tables["us_prices"]
    pairs = ["product", "basis"]
    known = set(series[pairs].itertuples(index=False, name=None))
    for row in prices[~prices[pairs].apply(tuple, axis=1).isin(known)].drop_duplicates(pairs).itertuples():
        yield problem(
            prices,
            "price without a class",
            f"{row.product}; {row.basis}",
            "a product and basis that usgs_price_series knows",
            "correct the words, or add the pair to usgs_price_series",
            row.Index,
            "product",
        )
    used = set(prices[pairs].itertuples(index=False, name=None))
    for row in series[~series[pairs].apply(tuple, axis=1).isin(used)].itertuples():
        yield problem(
            series,
            "class without a price",
            f"{row.product}; {row.basis}",
            "a product and basis of us_prices",
            "correct the words, or take the row away",
            row.Index,
            "product",
        )


@needs(
    elements="symbol",
    usgs_price_series="element material",
    annual_prices="element material",
    price_quotes="element material",
)
def materials_name_elements(tables: Tables) -> Iterator[Problem]:
    """See that material repeats the symbol of an element, and that a mixture has none."""
    symbols = set(tables["elements"].symbol)
    for name in ("usgs_price_series", "annual_prices", "price_quotes"):
        table = tables[name]
        expected = table.material.where(table.material.isin(symbols), "")
        for row in table[table.element.fillna("") != expected].itertuples():
            yield problem(
                table,
                "material and element differ",
                f"element {row.element}, material {row.material}",
                "one symbol in both, or a blank beside a mixture",
                "correct one of the two",
                row.Index,
                "element",
            )


@needs(
    us_prices="year product basis price price_low",
    usgs_price_series="product basis material form purity_pct statistic",
    annual_prices="year material form purity_pct statistic",
)
def annual_prices_are_new(tables: Tables) -> Iterator[Problem]:
    """See that annual_prices does not repeat a price that us_prices has."""
    keys = ["year", "material", "form", "purity_pct", "statistic"]
    usgs = tables["us_prices"].dropna(subset=["price", "price_low"], how="all")
    usgs = usgs.merge(tables["usgs_price_series"], on=["product", "basis"])
    annual = tables["annual_prices"].reset_index(names="row")
    for row in annual.merge(usgs[keys].drop_duplicates(), on=keys).itertuples():
        yield problem(
            tables["annual_prices"],
            "price in two tables",
            f"{row.material} {row.form}, {row.year}",
            "a price that us_prices does not have",
            "take the row away; the main table has it",
            row.row,
            "price_usd_kg",
        )


# One price against another


@needs(
    us_prices="year product basis price price_low price_high unit flag source_id edition",
    usgs_price_series="product basis material form purity_pct statistic book_rank",
    annual_prices="year material form price_usd_kg statistic edition",
    price_quotes="period_start material form price price_low price_high unit basis",
    sources="source_id date",
)
def quotes_fit_the_year(tables: Tables) -> Iterator[Problem]:
    """Hold quotes of oxides and metals against the average of their year, within a factor and its known exceptions."""
    quotes, averages = tables["price_quotes"], book_prices(tables).query("statistic == 'annual average'")
    printed = quotes[~flagged(quotes, "unconfirmed")]
    given = printed.assign(
        row=printed.index,
        year=printed.period_start.str[:4].astype(int),
        quoted=printed.price.fillna((printed.price_low + printed.price_high) / 2),
    )
    given["usd_kg"] = given.quoted.where(given.unit == "USD/kg", given.quoted / 1000 / CNY_PER_USD)
    pairs = given.merge(averages[["year", "material", "form", "price_usd_kg"]], on=["year", "material", "form"])
    factor = pairs.usd_kg / pairs.price_usd_kg
    pairs["differ"] = (factor > QUOTES_FACTOR) | (factor < 1 / QUOTES_FACTOR)
    pairs["said"] = [
        f"{p.quoted:,g} {p.unit}, about {p.usd_kg:,.4g} USD/kg; the average of the year is {p.price_usd_kg:,g}"
        for p in pairs.itertuples()
    ]
    expected = f"a factor of {QUOTES_FACTOR:g} at most between quote and average"
    keys, known = ["material", "year", "basis"], QUOTES_KNOWN
    yield from differences(quotes, "price", pairs, keys, known, "prices.QUOTES_KNOWN", expected)


@needs(
    us_prices="year product basis price price_low price_high unit flag source_id edition",
    usgs_price_series="product basis material form purity_pct statistic book_rank",
    annual_prices="year material form price_usd_kg statistic edition",
    monthly_prices="period element price_cny_t flag",
    sources="source_id date",
)
def months_fit_the_year(tables: Tables) -> Iterator[Problem]:
    """Hold yearly means of monthly prices against the USGS average: they have to imply a rate of exchange."""
    low, high = RATE_BAND
    months = tables["monthly_prices"]
    whole = months[~flagged(months, "partial") & months.element.isin(RATE_MATERIALS)]
    whole = whole.assign(year=whole.period.str[:4].astype(int), row=whole.index)
    means = whole.groupby(["element", "year"], as_index=False).agg(cny=("price_cny_t", "mean"), row=("row", "first"))
    averages = book_prices(tables).query("form == 'oxide' and statistic == 'annual average'")
    pairs = means.merge(averages, left_on=["element", "year"], right_on=["material", "year"])
    rate = pairs.cny / 1000 / pairs.price_usd_kg
    pairs["differ"] = (rate < low) | (rate > high)
    pairs["said"] = [
        f"{p.cny:,.0f} CNY/t here, {p.price_usd_kg:g} USD/kg in {p.edition}, a rate of {r:.2f}"
        for p, r in zip(pairs.itertuples(), rate, strict=True)
    ]
    expected = f"a rate from {low:g} to {high:g} yuan per dollar"
    yield from differences(
        months, "price_cny_t", pairs, ["element", "year"], MONTHS_KNOWN, "prices.MONTHS_KNOWN", expected
    )


@needs(
    monthly_series_checks="date element series_cny_t quote_source_id",
    price_quotes="period material form unit price price_low price_high source_id",
)
def series_fits_quotes(tables: Tables) -> Iterator[Problem]:
    """Hold the daily series behind the monthly prices against the dated quote that each row names."""
    checks, quotes = tables["monthly_series_checks"], tables["price_quotes"]
    quotes = quotes[(quotes.form == "oxide") & (quotes.unit == "CNY/t")]
    quotes = quotes.assign(quoted=quotes.price.fillna((quotes.price_low + quotes.price_high) / 2))
    left, right = ["date", "element", "quote_source_id"], ["period", "material", "source_id"]
    both = checks[[*left, "series_cny_t"]].merge(
        quotes[[*right, "quoted"]], left_on=left, right_on=right, how="left", validate="one_to_one"
    )
    for place, row in enumerate(both.itertuples()):
        if pd.isna(row.quoted):
            found = f"{row.element}, {row.date}: no quote of {row.quote_source_id} in price_quotes"
        elif abs(row.series_cny_t / row.quoted - 1) > SERIES_BAND:
            found = f"{row.element}, {row.date}: {row.series_cny_t:,.0f} here, {row.quoted:,.0f} CNY/t quoted"
        else:
            continue
        yield problem(
            checks,
            "series and quote differ",
            found,
            f"a quote in price_quotes within {SERIES_BAND:.0%}",
            "look both up in their sources",
            place,
            "series_cny_t",
        )


@needs(
    event_window_prices="date element price_cny_t",
    monthly_prices="period element price_cny_t days flag",
)
def event_window_fits(tables: Tables) -> Iterator[Problem]:
    """See that whole months of days give the monthly price, and that the control day brought no change."""
    days = tables["event_window_prices"]
    by_month = days.assign(period=days.date.str[:7], row=days.index).groupby(["element", "period"], as_index=False)
    means = by_month.agg(mean=("price_cny_t", "mean"), count=("price_cny_t", "size"), row=("row", "first"))
    both = means.merge(tables["monthly_prices"], on=["element", "period"])
    for row in both[both["count"] == both.days].itertuples():
        if abs(row.mean - row.price_cny_t) > MONTH_ROUNDING:
            yield problem(
                days,
                "days and month differ",
                f"{row.element}, {row.period}: mean of the days {row.mean:,.1f}, month {row.price_cny_t:,.0f} CNY/t",
                f"a difference of {MONTH_ROUNDING:g} CNY/t at most",
                "look for a wrong day, or a wrong month in monthly_prices",
                row.row,
                "price_cny_t",
            )
    before, after = (days[days.date == day].set_index("element").price_cny_t for day in CONTROL_DAYS)
    for element in sorted(set(days.element)):
        change = after.get(element, math.nan) / before.get(element, math.nan) - 1
        if not abs(change) <= CONTROL_BAND:
            yield problem(
                days,
                "control has moved",
                f"{element}: {change:+.1%} from {CONTROL_DAYS[0]} to {CONTROL_DAYS[1]}",
                f"both days, and a change of {CONTROL_BAND:.0%} at most",
                "look both days up; the chapters rest on this control",
                days[days.element == element].index[0],
                "price_cny_t",
            )


@needs(
    company_prices="period period_start period_end company kind price",
    monthly_prices="period element price_cny_t flag",
)
def company_quotes_fit_the_months(tables: Tables) -> Iterator[Problem]:
    """Hold Lynas's price of NdPr oxide against the months: without tax they have to imply a rate of exchange."""
    low, high = COMPANY_BAND
    months = tables["monthly_prices"]
    months = months[~flagged(months, "partial")].pivot(index="period", columns="element", values="price_cny_t")
    mixture = sum(share * months[element] for element, share in NDPR_SHARES.items()) / VAT / 1000
    company = tables["company_prices"]
    for row in company[company.kind == "market price in China without VAT"].itertuples():
        wanted = pd.period_range(row.period_start, row.period_end, freq="M").astype(str)
        if not set(wanted) <= set(mixture.index):
            continue
        rate = mixture[wanted].mean() / row.price
        if not low <= rate <= high:
            yield problem(
                company,
                "company and market differ",
                f"{row.period}: {row.price:g} USD/kg, a rate of {rate:.2f} yuan per dollar",
                f"a rate from {low:g} to {high:g}",
                "look for a wrong price, period or unit",
                row.Index,
                "price",
            )


@needs(deflator="year cpi_u", world_production_history="year measure value")
def deflator_fits_usgs(tables: Tables) -> Iterator[Problem]:
    """Hold the deflator against Data Series 140, whose constant dollars follow from the same index, within rounding."""
    index = tables["deflator"].set_index("year").cpi_u
    history = tables["world_production_history"].pivot_table(index="year", columns="measure", values="value")
    current, constant = history["us_unit_value_current"], history["us_unit_value_constant_1998"]
    rows = []
    for place, year in enumerate(tables["deflator"].year):
        if year not in history.index or DEFLATOR_BASE not in index.index:
            continue
        a, b = current[year], constant[year]
        there, here = a / b, index[year] / index[DEFLATOR_BASE]
        room = half_unit(a) / a + half_unit(b) / b + 0.05 / index[year] + 0.05 / index[DEFLATOR_BASE]
        said = f"{here:.4f} here, {there:.4f} in Data Series 140"
        rows.append({"year": year, "row": place, "differ": not abs(there / here - 1) <= room, "said": said})
    expected = "prices over those of 1998 that agree within the rounding of both"
    pairs, known = pd.DataFrame(rows, columns=["year", "row", "differ", "said"]), DEFLATOR_KNOWN
    yield from differences(tables["deflator"], "cpi_u", pairs, ["year"], known, "prices.DEFLATOR_KNOWN", expected)


# What the model rests on


@needs(parameters="parameter candidate role origin flag source_id value")
def parameters_say_where_from(tables: Tables) -> Iterator[Problem]:
    """See that assumptions, computations and mere signs are flagged, and that what is drawn from is an assumption."""
    table = tables["parameters"]
    words = {"assumption": "assumption", "computed": "computed", "sign_only": "qualitative"}
    for row in table.itertuples():
        flags = set(row.flag.split(";")) if isinstance(row.flag, str) else set()
        if row.origin in words and words[row.origin] not in flags:
            found, expected, column = f"origin {row.origin}, flag {row.flag}", f"the flag {words[row.origin]}", "flag"
        elif row.role != "evidence" and (row.origin != "assumption" or row.source_id != "this_report"):
            found, column = f"role {row.role}, origin {row.origin}, source {row.source_id}", "origin"
            expected = "an assumption of this_report wherever the model draws from it"
        elif row.origin != "assumption" and row.source_id == "this_report":
            found, expected, column = (
                f"origin {row.origin}, source this_report",
                "the document it rests on",
                "source_id",
            )
        else:
            continue
        yield problem(
            table,
            "origin not said",
            f"{row.parameter} {row.candidate}: {found}",
            expected,
            "correct origin, flag or source",
            row.Index,
            column,
        )


@needs(parameters="parameter candidate value", world_production_history="year measure value")
def arcs_are_as_computed(tables: Tables) -> Iterator[Problem]:
    """Compute the arcs of United States imports over unit value anew."""
    table = tables["parameters"]
    history = tables["world_production_history"].pivot_table(index="year", columns="measure", values="value")
    logs = history[["us_imports", "us_unit_value_current"]].map(
        lambda value: math.log(value) if value > 0 else math.nan
    )
    for row in table[table.parameter == "import_arc_elasticity"].itertuples():
        first, last = ARCS.get(row.candidate, (None, None))
        arc = math.nan
        if first in logs.index and last in logs.index:
            quantity, price = logs.loc[last] - logs.loc[first]
            arc = quantity / price
        if not abs(row.value - arc) <= ARCS_ROUNDING:
            yield problem(
                table,
                "computed otherwise",
                f"candidate {row.candidate}: {row.value:g}, computed {arc:.3f}",
                "the arc between the years of ARCS in rareearths/crosschecks/prices.py",
                "compute it anew from world_production_history",
                row.Index,
                "value",
            )


CHECKS = (
    usgs_prices_are_classified,
    materials_name_elements,
    annual_prices_are_new,
    quotes_fit_the_year,
    months_fit_the_year,
    series_fits_quotes,
    event_window_fits,
    company_quotes_fit_the_months,
    deflator_fits_usgs,
    parameters_say_where_from,
    arcs_are_as_computed,
)
