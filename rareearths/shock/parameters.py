"""The ranges that the model draws its parameters from, and the draws.

A draw is a function of the seed and its number alone: draw 1,000 is the same whether it is made in one go with the others,
in a chunk or on another machine.
"""

import numpy as np
import pandas as pd

from rareearths.shock.engine import PARAMETERS

CORE = PARAMETERS[:4]
"""The four parameters that are fitted; all others are drawn from their ranges and called assumptions."""

FACTOR = {
    "%": 0.01,
    "% per year": 0.01 / 12,
    "% per month": 0.01,
    "years": 12.0,
    "quarters": 3.0,
    "months": 1.0,
}
"""Units of data/model/parameters.csv in those of the model: fractions and months. Others are taken as they are."""

USES = ("episodes", "scenarios")
PAIRED = {"ban_yield": "plan_yield"}
"""A parameter that takes the random number of another, so that runs with and without the prohibition can be compared."""

WIDTH = 4 * -(-len(PARAMETERS) // 4)  # random numbers a draw takes: the generator makes four at a time


def ranges(table: pd.DataFrame, use: str) -> pd.DataFrame:
    """The range of each parameter, in the order and the units of the model.

    Args:
        table: The table parameters.
        use: "episodes" or "scenarios".

    Returns:
        One row a parameter (index): low, mode (missing where every value is as likely), high, and the row of the table
        it is from (symbol, meaning, unit, value, value_low, value_high, candidate, flag, source_id, locator ...).
    """
    if use not in USES:
        raise ValueError(f"unknown use {use!r}: it is one of {', '.join(USES)}")
    drawn = table["drawn"].fillna("").str.split(";")
    chosen = table[[use in uses for uses in drawn]]
    for name in PARAMETERS:
        count = int((chosen["parameter"] == name).sum())
        if count != 1:
            raise ValueError(
                f"data/model/parameters.csv, column drawn: {count} rows of {name} are drawn from in {use}; mark one of them"
            )
    chosen = chosen.set_index("parameter", drop=False).loc[list(PARAMETERS)]
    factor = chosen["unit"].map(FACTOR).fillna(1.0)
    chosen = chosen.assign(
        low=chosen["value_low"] * factor, mode=chosen["value"] * factor, high=chosen["value_high"] * factor
    )
    for row in chosen.itertuples():
        at = f"data/model/parameters.csv, row {row.parameter} candidate {row.candidate}"
        if not (np.isfinite(row.low) and np.isfinite(row.high)):
            raise ValueError(f"{at}, columns value_low and value_high: a range is missing; give both ends")
        if row.low > row.high or (np.isfinite(row.mode) and not row.low <= row.mode <= row.high):
            raise ValueError(
                f"{at}, column value: {row.value} is not between value_low {row.value_low} and value_high {row.value_high}; "
                "correct the row"
            )
    chosen.index.name = "name"
    return chosen


def uniform(draws: int, seed: int, first: int = 0) -> np.ndarray:
    """Random numbers between 0 and 1 for the draws first, first + 1 ...: (draws, 28)."""
    generator = np.random.Philox(key=seed)
    generator.advance(first * WIDTH // 4)
    return np.random.Generator(generator).random((draws, WIDTH))[:, : len(PARAMETERS)]


def scaled(numbers: np.ndarray, ranges: pd.DataFrame) -> np.ndarray:
    """Numbers between 0 and 1 as parameters: triangular where the range has a mode, even where it has none.

    The long response of demand is at least as strong as the short one: where a draw has it the other way round, the long
    one is set to the short one.
    """
    out = np.empty(numbers.shape)
    for position, row in enumerate(ranges.itertuples()):
        share, width = numbers[:, PARAMETERS.index(PAIRED.get(row.Index, row.Index))], row.high - row.low
        if width == 0.0:
            out[:, position] = row.low
        elif np.isfinite(row.mode):
            left = row.low + np.sqrt(share * width * (row.mode - row.low))
            right = row.high - np.sqrt((1.0 - share) * width * (row.high - row.mode))
            out[:, position] = np.where(share * width < row.mode - row.low, left, right)
        else:
            out[:, position] = row.low + share * width
    return ordered(out)


def ordered(draws: np.ndarray) -> np.ndarray:
    """The draws, with the long response of demand at least as strong as the short one (changed in place)."""
    short, long = PARAMETERS.index("short_run_demand_elasticity"), PARAMETERS.index("long_run_demand_elasticity")
    draws[:, long] = np.minimum(draws[:, long], draws[:, short])
    return draws


def draw(ranges: pd.DataFrame, draws: int, seed: int, first: int = 0) -> np.ndarray:
    """Parameters for the draws first, first + 1 ... of a seed: (draws, 28), in the order of PARAMETERS."""
    return scaled(uniform(draws, seed, first), ranges)
