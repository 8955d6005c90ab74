"""The two episodes the model is fitted to and tested on, and the event it has to leave alone.

Episode A is 2010 to 2013 (export quotas and a loss of output in China), episode B April 2025 to March 2026 (licences, no
loss of output), event C the three months after 21 December 2023 (prohibition of technology, no goods held back). What goes
in, and which quotes are scored, is fixed here by rules on the tables, so that new rows change the scores by themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from rareearths.data import flagged
from rareearths.shock.engine import Market, Outcome

TABLES = (
    "parameters",
    "price_quotes",
    "us_prices",
    "export_duties",
    "export_quotas",
    "china_exports_annual",
    "china_exports_monthly",
    "mine_production",
    "ore_composition",
    "licensing_outcomes",
)
"""Tables that the episodes are made from."""

START = {"A": pd.Timestamp("2010-01-01"), "B": pd.Timestamp("2025-04-01"), "C": pd.Timestamp("2023-12-01")}
LENGTH = {"A": 48, "B": 12, "C": 6}
UNSURE = ("weak_source", "unconfirmed", "lower_bound", "upper_bound", "conflicting")
"""Quotes with one of these flags are not scored."""

SYMBOLS = {"neodymium": "Nd", "dysprosium": "Dy", "terbium": "Tb"}
GRANTED = ("L07", "LU02", "L12", "LU06", "LU12")
"""Readings of the share of requests granted, rows of licensing_outcomes; LU06 is a number, over that of LU05."""


@dataclass(frozen=True)
class Episode:
    """An episode: what goes in (market), the quotes it is scored on (points) and the rows the inputs are from (sources)."""

    name: str
    market: Market
    points: pd.DataFrame
    sources: pd.DataFrame

    def months(self) -> np.ndarray:
        """Months that the points need, counted from 0."""
        after = np.minimum(np.floor(self.points["month"]).astype(int), self.market.months - 1)
        return np.unique(np.concatenate([after, np.maximum(after - 1, 0)]))

    def predict(self, outcome: Outcome) -> np.ndarray:
        """Logarithms of the model's price multiples at the points: (draws, points).

        Prices of the model are those at the end of a month; between two ends the logarithm is taken on a straight line.
        """
        place = {int(month): position for position, month in enumerate(outcome.months)}
        out = np.empty((len(outcome.recorded), len(self.points)))
        for column, point in enumerate(self.points.itertuples()):
            good = self.market.goods.index(point.good)
            prices = outcome["price_outside" if point.market == "outside" else "price_china"][:, :, good]
            after = int(np.floor(point.month))
            share = point.month - after
            later = np.log(prices[:, place[min(after, self.market.months - 1)]])
            earlier = np.log(prices[:, place[after - 1]]) if after else 0.0
            out[:, column] = (1.0 - share) * earlier + share * later
        return out


def month_of(day: pd.Timestamp, start: pd.Timestamp) -> float:
    """Months from the start of an episode to a day, with fractions."""
    return (day.year - start.year) * 12 + day.month - start.month + (day.day - 1) / day.days_in_month


def _quotes(table: pd.DataFrame, start: pd.Timestamp) -> pd.DataFrame:
    rows = table[(table["form"] == "oxide") & ~flagged(table, *UNSURE)].copy()
    rows["mid"] = rows["price"].fillna((rows["price_low"] + rows["price_high"]) / 2)
    first, last = pd.to_datetime(rows["period_start"]), pd.to_datetime(rows["period_end"])
    rows["month"] = [month_of(day, start) for day in first + (last - first) / 2]
    return rows


def _point(episode, market, good, month, quote, base, when, rows) -> dict:
    row = rows.iloc[0]
    return {
        "episode": episode,
        "market": market,
        "good": good,
        "period": when,
        "month": month,
        "price": quote,
        "base": base,
        "multiple": quote / base,
        "quotes": len(rows),
        "flag": row["flag"],
        "source_id": row["source_id"],
        "locator": row["locator"],
    }


def _by_month(rows: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """Quotes of one calendar month are one point."""
    return list(rows.groupby(rows["period"].str[:7], sort=True))


def _parameter(tables: Mapping[str, pd.DataFrame], name: str, candidate: int = 1) -> pd.Series:
    table = tables["parameters"]
    return table[(table["parameter"] == name) & (table["candidate"] == candidate)].iloc[0]


def _one(table: pd.DataFrame, **values) -> pd.Series:
    rows = table
    for column, value in values.items():
        rows = rows[rows[column] == value]
    if len(rows) != 1:
        raise ValueError(f"{len(rows)} rows with {values} where the model needs one")
    return rows.iloc[0]


def episode_a(tables: Mapping[str, pd.DataFrame], **changes) -> Episode:
    """2010 to 2013: goods NdPr, Dy, Tb and all others under one quota of tonnes.

    Outside: prices fob China and year-end prices of the USGS, over the first quarter of 2010. Inside: prices in China, over
    the price fob less duty at 6.83 CNY/USD (parameters), since no price inside China of early 2010 is held.

    Args:
        tables: The tables of TABLES by name.
        changes: Fields of the market to set otherwise, to try another structure.
    """
    start, months = START["A"], LENGTH["A"]
    quotes = _quotes(tables["price_quotes"], start)
    fob = quotes[(quotes["basis"] == "FOB China") & (quotes["unit"] == "USD/kg")]
    base = {good: _one(fob, material=good, period="2010-Q1")["mid"] for good in ("La", "Ce", "Nd", "Dy", "Tb")}
    duties = tables["export_duties"]
    duty = {
        good: (
            _one(duties, date="2010", elements=elements)["rate_pct"] / 100,
            _one(duties, date="2011-01", elements=elements)["rate_pct"] / 100,
        )
        for good, elements in (("Nd", "Nd"), ("Dy", "Y;Eu;Dy;Tb;Sc"), ("Tb", "Y;Eu;Dy;Tb;Sc"))
    }
    rate = _parameter(tables, "cny_per_usd")["value"]
    us = tables["us_prices"]
    year_end = us[(us["basis"] == "yearend range") & (us["unit"] == "USD/kg") & us["year"].between(2011, 2013)]
    domestic = quotes[(quotes["basis"] == "China domestic") & (quotes["unit"] == "CNY/t")]
    points = []
    for word, good in SYMBOLS.items():
        rows = fob[(fob["material"] == good) & fob["month"].between(3, months)]
        for row in rows.itertuples():
            points.append(
                _point("A", "outside", good, row.month, row.mid, base[good], row.period, rows.loc[[row.Index]])
            )
        for year, rows in year_end[year_end["product"].str.startswith(word)].groupby("year"):
            row = rows.iloc[0]
            price = row["price"] if pd.notna(row["price"]) else (row["price_low"] + row["price_high"]) / 2
            points.append(_point("A", "outside", good, 12.0 * (year - 2009), price, base[good], f"{year} end", rows))
        inside = base[good] / (1 + duty[good][0]) * rate * 1000
        rows = domestic[(domestic["material"] == good) & domestic["month"].between(3, months)]
        rows = rows[~rows["note"].fillna("").str.contains("looks like")]  # a quote that its own text contradicts
        for when, part in _by_month(rows):
            points.append(_point("A", "inside", good, part["month"].mean(), part["mid"].mean(), inside, when, part))

    exports = _one(
        tables["china_exports_annual"][lambda t: t["unit"] == "t"], year=2009, product="rare_earths_headline"
    )
    month_exports = exports["value"] / 12
    mined = tables["mine_production"]
    usgs = mined[mined["edition"].str.startswith("MCS") & ~flagged(mined, "superseded")]
    output = _one(usgs[usgs["edition"] == "MCS 2011"], year=2009, country_iso3="CHN")
    world = {y: _one(usgs[usgs["edition"] == f"MCS {y + 2}"], year=y, country_iso3="WLD") for y in (2011, 2012, 2013)}
    china = {
        y: _one(usgs[usgs["edition"] == f"MCS {y + 2}"], year=y, country_iso3="CHN") for y in (2010, 2011, 2012, 2013)
    }
    first_other = (
        _one(usgs[usgs["edition"] == "MCS 2012"], year=2010, country_iso3="WLD")["tonnes_reo"]
        - china[2010]["tonnes_reo"]
    )

    quota, quota_rows = half_year_quotas(tables["export_quotas"], months)
    weight, weight_rows = export_weights(tables)
    goods = ("rest", "Nd", "Dy", "Tb")
    own = np.zeros((months, len(goods)))
    for year in (2011, 2012, 2013):  # mines outside China bring light rare earths
        other = world[year]["tonnes_reo"] - china[year]["tonnes_reo"] - first_other
        own[12 * (year - 2010) : 12 * (year - 2009), :2] = max(0.0, other) / exports["value"]
    loss = np.zeros((months, len(goods)))
    loss[12:] = 1.0
    change = {good: (1 + rates[1]) / (1 + rates[0]) for good, rates in duty.items()}
    duty_path = np.ones((months, len(goods)))
    duty_path[12:] = [change["Nd"], change["Nd"], change["Dy"], change["Tb"]]
    fields = {
        "goods": goods,
        "months": months,
        "china_use": np.full(len(goods), output["tonnes_reo"] / exports["value"] - 1),
        "own_supply": own,
        "base_usd_kg": np.array([(base["La"] + base["Ce"]) / 2, base["Nd"], base["Dy"], base["Tb"]]),
        "weight": weight,
        "output_loss": loss,
        "elastic_supply": np.array([1.0, 1.0, 0.0, 0.0]),
        "quota": quota / month_exports,
        "duty": duty_path,
        "demand_scale": np.array([_parameter(tables, "rest_demand_scale")["value"], 1.0, 1.0, 1.0]),
    }
    sources = pd.concat(
        [
            pd.DataFrame([exports, output, *world.values(), *china.values()]),
            quota_rows,
            weight_rows,
            duties[duties["date"].isin(["2010", "2011-01"]) & duties["elements"].isin(["Nd", "Y;Eu;Dy;Tb;Sc"])],
            fob[(fob["period"] == "2010-Q1") & fob["material"].isin(base)],
        ]
    )
    return Episode("A", Market(**{**fields, **changes}), pd.DataFrame(points), sources)


def half_year_quotas(table: pd.DataFrame, months: int) -> tuple[np.ndarray, pd.DataFrame]:
    """China's export quotas from 2010 on, tonnes a month: the batches spread over the half-years they were issued for."""
    quota = np.full(months, np.inf)
    rows = []

    def batch(year, name, **more):
        row = _one(table, year=year, batch=name, company_scope="all", product_scope="all", **more)
        rows.append(row)
        return row["quota_tonnes"]

    lists = {"account": "company lists"}
    for year, halves in (
        (2010, (batch(2010, "batch 1", **lists), batch(2010, "batch 2", **lists))),
        (2011, (batch(2011, "batch 1", **lists), batch(2011, "batch 2", **lists))),
        (2012, (batch(2012, "batch 1") + batch(2012, "supplement"), batch(2012, "batch 2"))),
    ):
        first = 12 * (year - 2010)
        quota[first : first + 6], quota[first + 6 : first + 12] = halves[0] / 6, halves[1] / 6
    year_2013 = table[(table["year"] == 2013) & (table["company_scope"] == "all") & (table["product_scope"] == "all")]
    year_2013 = year_2013[year_2013["batch"] == "year"].head(1)
    rows.append(year_2013.iloc[0])
    quota[36:48] = year_2013["quota_tonnes"].iloc[0] / 12
    return quota, pd.DataFrame(rows)


def export_weights(tables: Mapping[str, pd.DataFrame]) -> tuple[np.ndarray, pd.DataFrame]:
    """Shares of all others, NdPr, Dy and Tb in China's exports: ores weighted with the quotas of 2012 by group.

    No composition of the exports is held. The light part is taken as Bayan Obo, the medium and heavy part as the mean of
    the clays of Xunwu and Longnan (USGS, table 2 of the yearbook).
    """
    quotas = tables["export_quotas"]
    split = quotas[(quotas["year"] == 2012) & quotas["product_scope"].isin(["light", "medium and heavy"])]
    split = split[(split["company_scope"] == "all") & (split["account"] == "announced")]
    tonnes = split.groupby("product_scope")["quota_tonnes"].sum()
    light = tonnes["light"] / tonnes.sum()
    ores = tables["ore_composition"]
    ores = ores[ores["series"] == "usgs_table_2"]
    where = {"light": ["Bayan Obo"], "heavy": ["Xunwu, Jiangxi", "Longnan, Jiangxi"]}
    used = []

    def share(element, part):
        rows = ores[(ores["element"] == element) & ores["deposit"].isin(where[part])]
        rows = rows[rows["share_pct"].notna()].drop_duplicates("deposit")
        used.append(rows)
        return rows["share_pct"].mean() / 100

    shares = [
        light * sum(share(e, "light") for e in elements) + (1 - light) * sum(share(e, "heavy") for e in elements)
        for elements in (("Nd", "Pr"), ("Dy",), ("Tb",))
    ]
    return np.array([1 - sum(shares), *shares]), pd.concat([split, *used])


def licence_shares(table: pd.DataFrame) -> pd.DataFrame:
    """Share of licence requests granted at the days it was reported, means where two report on the same days.

    Returns:
        Columns month (from 1 April 2025), share, source_id, locator.
    """
    rows = table[table["obs_id"].isin(GRANTED)].copy()
    if set(rows["obs_id"]) != set(GRANTED):
        raise ValueError("data/policy/licensing_outcomes.csv: one of the rows " + ", ".join(GRANTED) + " is missing")
    asked = _one(table, obs_id="LU05")["value"]
    rows["share"] = np.where(rows["obs_id"] == "LU06", rows["value"] / asked, rows["value"] / 100)
    rows["month"] = [month_of(day, START["B"]) for day in pd.to_datetime(rows["period_end"])]
    return rows[["obs_id", "month", "share", "source_id", "locator"]].sort_values("month", ignore_index=True)


def licence_path(readings: pd.DataFrame, months: int) -> np.ndarray:
    """Pass rate of each month: the first reading until its day, straight lines between readings, the last one after."""
    means = readings.groupby(readings["month"].round(1))["share"].mean()
    return np.interp(np.arange(months) + 0.5, means.index, means.to_numpy())


def magnet_path(table: pd.DataFrame, annual: pd.DataFrame, months: int) -> tuple[np.ndarray, pd.DataFrame]:
    """China's exports of magnets in each month from April 2025 over the mean month of 2024, at most 1."""
    year = _one(annual[annual["unit"] == "t"], year=2024, product="magnets")
    rows = []
    for step in range(months):
        period = (START["B"] + pd.DateOffset(months=step)).strftime("%Y-%m")
        rows.append(_one(table, product="magnets", measure="weight", period=period))
    flows = pd.DataFrame(rows)
    return np.minimum(1.0, flows["value"].to_numpy() / (year["value"] / 12)), pd.concat([flows, pd.DataFrame([year])])


def episode_b(tables: Mapping[str, pd.DataFrame], **changes) -> Episode:
    """April 2025 to March 2026: Dy, Tb and Y under licence, NdPr free.

    Outside: prices in Europe over early April 2025 (Y: the price that Nikkei's text implies). Inside: prices in China over
    26 March 2025. The pass rate is the share of requests granted, the same for the three; magnets, which carry part of the
    Dy and Tb, pass as customs saw them. This choice was made after the outcome was known.
    """
    start, months = START["B"], LENGTH["B"]
    quotes = _quotes(tables["price_quotes"], start)
    europe = quotes[(quotes["basis"] == "Europe") & (quotes["unit"] == "USD/kg")]
    domestic = quotes[(quotes["basis"] == "China domestic") & (quotes["unit"] == "CNY/t")]
    base = {good: _one(europe, material=good, period="2025-04")["mid"] for good in ("Dy", "Tb")}
    base["Y"] = _parameter(tables, "yttrium_base_price")["value"]
    points = []
    for good, level in base.items():
        rows = europe[(europe["material"] == good) & europe["month"].between(1, months)]
        rows = rows[~rows["agency"].str.contains("midpoint")]  # the same week as the range of 6 May 2025
        for row in rows.itertuples():
            points.append(_point("B", "outside", good, row.month, row.mid, level, row.period, rows.loc[[row.Index]]))
    for good in ("NdPr", "Dy", "Tb"):
        level = _one(domestic, material=good, period="2025-03-26")["mid"]
        rows = domestic[(domestic["material"] == good) & domestic["month"].between(0.1, months)]
        for when, part in _by_month(rows):
            points.append(_point("B", "inside", good, part["month"].mean(), part["mid"].mean(), level, when, part))
    readings = licence_shares(tables["licensing_outcomes"])
    magnets, magnet_rows = magnet_path(tables["china_exports_monthly"], tables["china_exports_annual"], months)
    goods = ("NdPr", "Dy", "Tb", "Y")
    licensed = np.array([False, True, True, True])
    fields = {
        "goods": goods,
        "months": months,
        "china_use": np.full(len(goods), _parameter(tables, "china_use_ratio", 3)["value"]),
        "own_supply": np.full((months, len(goods)), 1 - _parameter(tables, "import_share")["value"] / 100),
        "pass_rate": np.where(licensed, licence_path(readings, months)[:, None], 1.0),
        "magnet_pass_rate": np.where([False, True, True, False], magnets[:, None], 1.0),
        "in_magnets": np.array([0.0, 1.0, 1.0, 0.0]),
        "elastic_supply": np.array([1.0, 0.0, 0.0, 0.0]),
    }
    used = ["china_use_ratio", "import_share", "yttrium_base_price"]
    sources = pd.concat([readings, magnet_rows, tables["parameters"][lambda t: t["parameter"].isin(used)]])
    return Episode("B", Market(**{**fields, **changes}), pd.DataFrame(points), sources)


def event_c(tables: Mapping[str, pd.DataFrame], **changes) -> Market:
    """The six months from December 2023: one good (NdPr), no flow of goods restricted."""
    fields = {
        "goods": ("NdPr",),
        "months": LENGTH["C"],
        "china_use": np.array([_parameter(tables, "china_use_ratio", 3)["value"]]),
        "own_supply": np.zeros((LENGTH["C"], 1)),
        "elastic_supply": np.array([1.0]),
    }
    return Market(**{**fields, **changes})
