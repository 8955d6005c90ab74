"""What may come: the scenarios of data/model/scenarios.csv as inputs of the model, and what comes out, draw by draw.

None is a forecast. Two kinds: a shock alone (36 months of a good like dysprosium, 97 % imported, no growth) and a path to
2035 (NdPr, with the demand and the refining outside China that the IEA expects; China's output follows use and the stocks that
grow with it so that, at the mean yield of the plans and without the prohibition, the price stays where it is).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from rareearths.shock import engine, parameters
from rareearths.shock.backtest import FITTED
from rareearths.shock.engine import PARAMETERS, Market, Outcome

TABLES = ("parameters", "scenarios", "demand_outlook", "supply_outlook", "us_prices")
"""Tables that the scenarios are made from."""

BEFORE, ALONE = 3, 36  # months before the shock, and in all, of a shock alone
START, LENGTH = 2024, 144  # first year and months of a path to 2035
IEA = "IEA May 2025"
SEED = 20231221
RESULTS = (
    "peak",
    "months_above_twice",
    "lost_months",
    "months_below_base",
    "contract_bill",
    "spot_bill",
    "runs_out",
    "month_out",
)


@dataclass(frozen=True)
class Scenario:
    """A scenario with its inputs; shock is the month in which it begins, or None; sources are the rows it rests on."""

    name: str
    title: str
    row: pd.Series
    market: Market
    shock: int | None
    sources: pd.DataFrame


def names(tables: Mapping[str, pd.DataFrame]) -> list[str]:
    """Names of the scenarios, in the order of the table."""
    return tables["scenarios"]["scenario"].tolist()


def _value(tables, name, candidate=1) -> float:
    table = tables["parameters"]
    return float(table[(table["parameter"] == name) & (table["candidate"] == candidate)]["value"].iloc[0])


def scenario(name: str, tables: Mapping[str, pd.DataFrame], **changes) -> Scenario:
    """A scenario by name.

    Args:
        name: A name of the table scenarios, such as S3.
        tables: The tables of TABLES by name.
        changes: Columns of the scenario to set otherwise (oxide_pass_pct, duration_months ...), or pass_path, the share
            that passes in each month from the start of the shock.

    Raises:
        ValueError: There is no such scenario, column, or the value is out of range.
    """
    table = tables["scenarios"].set_index("scenario", drop=False)
    if name not in table.index:
        raise ValueError(f"unknown scenario {name!r}: there are {', '.join(table.index)}")
    row = table.loc[name].copy()
    path = changes.pop("pass_path", None)
    for column, value in changes.items():
        if column not in row.index:
            raise ValueError(f"a scenario has no {column!r}: there are {', '.join(row.index)}")
        row[column] = value
    for column, most in (("oxide_pass_pct", 100), ("magnet_pass_pct", 100), ("own_supply_pct", 100)):
        if pd.notna(row[column]) and not 0 <= row[column] <= most:
            raise ValueError(f"{column} is {row[column]}: it lies between 0 and {most} percent")
    for column in ("duration_months", "extra_stock_months", "build_out_pct"):
        if not 0 <= row[column] <= 400:
            raise ValueError(f"{column} is {row[column]}: it lies between 0 and 400")
    made = _to_2035(row, tables) if row["path"] == "to 2035" else _alone(row, tables)
    fields, shock, sources = made
    months = fields["months"]
    if shock is not None:
        oxide, magnet = np.ones(months), np.ones(months)
        last = shock + int(row["duration_months"])
        oxide[shock:last], magnet[shock:last] = row["oxide_pass_pct"] / 100, row["magnet_pass_pct"] / 100
        if path is not None:
            length = min(len(path), months - shock)
            oxide[shock : shock + length] = magnet[shock : shock + length] = np.asarray(path, dtype=float)[:length]
        fields |= {"pass_rate": oxide, "magnet_pass_rate": magnet}
    use_then = fields["activity_outside"][shock, 0] if shock is not None and "activity_outside" in fields else 1.0
    fields |= {"in_magnets": np.array([1.0]), "reserve": np.array([float(row["extra_stock_months"]) * use_then])}
    own = tables["scenarios"][tables["scenarios"]["scenario"] == name]
    used = tables["parameters"]["parameter"].isin(["china_use_ratio", "import_share"])
    sources = pd.concat([own, sources, tables["parameters"][used & tables["parameters"]["drawn"].isna()]])
    return Scenario(name, row["title"], row, Market(**fields), shock, sources)


def _mean(row: pd.Series) -> float:
    """Mean of a range: of a triangle where it has a mode."""
    ends = [row["low"], row["high"]] + ([row["mode"]] if np.isfinite(row["mode"]) else [])
    return float(np.mean(ends))


def _alone(row: pd.Series, tables) -> tuple[dict, int | None, pd.DataFrame]:
    """A good like dysprosium: no growth, no plans, own supply as the scenario says."""
    shock = BEFORE if row["duration_months"] > 0 else None
    fields = {
        "goods": ("Dy-like",),
        "months": ALONE,
        "china_use": np.array([_value(tables, "china_use_ratio", 3)]),
        "own_supply": np.full((ALONE, 1), row["own_supply_pct"] / 100),
        "ban": np.full(ALONE, float(row["technology_ban"])),
    }
    return fields, shock, tables["parameters"].head(0)


def _to_2035(row: pd.Series, tables) -> tuple[dict, int | None, pd.DataFrame]:
    """NdPr from January 2024: demand as the IEA's stated policies, refining outside China as its base case."""
    demand = tables["demand_outlook"]
    demand = demand[(demand["edition"] == IEA) & (demand["technology"] == "all uses") & (demand["measure"] == "demand")]
    demand = demand[demand["material"].eq("magnet REE") & demand["supply_case"].eq("base")]
    demand = demand[demand["scenario"].isin(["base year", "STEPS"]) & demand["year"].le(2035)].set_index("year")
    supply = tables["supply_outlook"]
    supply = supply[(supply["edition"] == IEA) & (supply["stage"] == "refining") & (supply["measure"] == "supply")]
    supply = supply[supply["year"].le(2035)].set_index(["year", "country_iso3"])
    years = demand.index.to_numpy(dtype=float) + 0.5  # a year's figure stands in its middle
    outside = np.array([supply["value"][y, "WLD"] - supply["value"][y, "CHN"] for y in demand.index])
    ratio = _value(tables, "china_use_ratio", 3)
    use = demand["value"].iloc[0] / (1 + ratio)  # kt a year outside China in the base year
    at = START + (np.arange(LENGTH) + 0.5) / 12
    activity = np.interp(at, years, demand["value"] / demand["value"].iloc[0])
    plan = np.interp(at, years, outside) / use
    own = plan[0]
    more = (plan - own) * row["build_out_pct"] / 100
    lifted = LENGTH if not row["technology_ban"] else None
    until = row["ban_lifted_year"]
    ban_months = 0 if lifted else LENGTH if pd.isna(until) else 12 * (int(until) - START)
    ban = (np.arange(LENGTH) < ban_months).astype(float)
    under = more if ban_months == LENGTH else np.minimum(more, more[ban_months])
    under = under if ban_months else np.zeros(LENGTH)
    ranges = parameters.ranges(tables["parameters"], "scenarios")
    usual = (plan - own) * _mean(ranges.loc["plan_yield"])
    stocks = _mean(ranges.loc["stock_cover"]) + ratio * _mean(ranges.loc["china_stock_cover"])  # months of use
    made = (ratio + 1) * activity - own - usual + stocks * np.gradient(activity)
    fields = {
        "goods": ("NdPr",),
        "months": LENGTH,
        "china_use": np.array([ratio]),
        "own_supply": np.full((LENGTH, 1), own),
        "planned": (more - under)[:, None],
        "planned_under_ban": under[:, None],
        "ban": ban,
        "activity_outside": activity[:, None],
        "activity_china": activity[:, None],
        "output_china": (made / (ratio + 1 - own))[:, None],
        "elastic_supply": np.array([1.0]),
    }
    prices = tables["us_prices"]
    price = prices[(prices["product"] == "NdPr oxide 99% min") & (prices["year"] == START)]
    sources = pd.concat([demand, supply.query("country_iso3 in ('WLD', 'CHN')")])
    if row["price_floor"]:
        level = price["price"].fillna((price["price_low"] + price["price_high"]) / 2).iloc[0]
        fields["floor_price"] = _value(tables, "ndpr_price_floor") / level
        floor = tables["parameters"][tables["parameters"]["parameter"] == "ndpr_price_floor"]
        sources = pd.concat([sources, price, floor])
    shock = None if row["duration_months"] == 0 else 12 * (int(row["shock_year"]) - START)
    return fields, shock, sources


def draws(
    ranges: pd.DataFrame, count: int, first: int = 0, learned: np.ndarray | None = None, seed: int = SEED
) -> np.ndarray:
    """Parameters for the draws first, first + 1 ...: from the ranges, with what the back-test taught where it is given.

    Args:
        ranges: parameters.ranges(table, "scenarios").
        count: Number of draws.
        first: Number of the first one; a draw is the same in whatever piece it is made.
        learned: Values of backtest.FITTED as (any number, 5), one row taken at random for each draw; None: ranges alone.
        seed: Seed.
    """
    out = parameters.draw(ranges, count, seed, first)
    if learned is not None:
        generator = np.random.Philox(key=seed + 1)
        generator.advance(first)  # four numbers each, of which one is used
        numbers = np.random.Generator(generator).random((count, 4))[:, 0]
        columns = [PARAMETERS.index(name) for name in FITTED]
        out[:, columns] = learned[(numbers * len(learned)).astype(int)]
    return parameters.ordered(out)


def results(outcome: Outcome, shock: int | None) -> pd.DataFrame:
    """What each draw comes to, one row a draw.

    Returns:
        peak (multiple of the base price outside China, before stocks run out), months_above_twice, lost_months (months of
        use that users wanted at the price and did not get), months_below_base (months of use below that at base prices: what was
        not to be had, what was saved because of the price, and what was designed out), contract_bill and spot_bill (further cost of the oxide, in months of the base bill, at
        contract and at spot prices), runs_out (whether a line stood still for want of oxide), month_out (months from the
        start of the shock to that, missing where none did).
    """
    out_at = outcome["empty_month"][:, 0]
    runs_out = out_at >= 0
    return pd.DataFrame(
        {
            "peak": outcome["peak"][:, 0],
            "months_above_twice": outcome["months_above_twice"][:, 0],
            "lost_months": outcome["lost_use"][:, 0],
            "months_below_base": outcome["use_below_base"][:, 0],
            "contract_bill": outcome["contract_bill"][:, 0],
            "spot_bill": outcome["spot_bill"][:, 0],
            "runs_out": runs_out,
            "month_out": np.where(runs_out, out_at - (shock or 0) + 1, np.nan),
        }
    )


def run(
    scenario: Scenario, draws: np.ndarray, months: Sequence[int] | None = (), variables: Sequence[str] = ()
) -> tuple[pd.DataFrame, Outcome]:
    """Run a scenario; keep the named variables at the months (None: all of them) for fans, none by default."""
    outcome = engine.simulate(draws, scenario.market, months, variables)
    return results(outcome, scenario.shock), outcome
