"""Fit the model to an episode, score it on another, and put simple rivals beside it.

Errors are those of logarithms of price multiples: 0.41 is wrong by a factor of 1.5, 0.69 by a factor of 2. The fit weighs
draws from the ranges; nothing is searched. The interval score is that of Gneiting and Raftery (2007): the width of the
interval and, for each point outside, 2 / (1 - level) times the distance; lower is better.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from rareearths.shock.engine import PARAMETERS
from rareearths.shock.episodes import Episode
from rareearths.shock.parameters import CORE, ordered

LEVEL = 0.9
SEED = 20231221
FAN = 4_000  # draws taken again, by weight, for a fan
MARKETS = ("outside", "inside")


def observed(points: pd.DataFrame) -> np.ndarray:
    """Logarithms of the observed multiples, (points,)."""
    return np.log(points["multiple"].to_numpy(dtype=float))


def weights(predicted: np.ndarray, points: pd.DataFrame, sd: float, worth: float) -> np.ndarray:
    """Weight of each draw: normal errors with the deviation sd, all points together worth so many independent ones.

    Args:
        predicted: Logarithms of multiples, (draws, points).
        points: The points of an episode.
        sd: Deviation of the logarithm of a quote about the model (parameters, noise_sd).
        worth: Independent facts that the points are worth (parameters, independent_points).

    Returns:
        Weights that add up to 1, (draws,).
    """
    misfit = (((predicted - observed(points)) / sd) ** 2).mean(axis=1) * min(worth, len(points))
    weight = np.exp(-0.5 * (misfit - misfit.min()))
    return weight / weight.sum()


def effective(weight: np.ndarray) -> float:
    """Draws that the weighted ones are worth: 1 over the sum of squares (Kish)."""
    return float(1.0 / np.sum((weight / weight.sum()) ** 2))


def quantiles(values: np.ndarray, weight: np.ndarray, shares: tuple[float, ...]) -> np.ndarray:
    """Weighted quantiles over the first axis: (shares, ...)."""
    flat = values.reshape(len(values), -1)
    order = np.argsort(flat, axis=0, kind="stable")
    reached = np.cumsum(weight[order], axis=0)
    out = np.empty((len(shares), flat.shape[1]))
    for column in range(flat.shape[1]):
        place = np.searchsorted(reached[:, column], np.asarray(shares) * reached[-1, column])
        out[:, column] = flat[order[np.minimum(place, len(values) - 1), column], column]
    return out.reshape(len(shares), *values.shape[1:])


def again(weight: np.ndarray, size: int = FAN, seed: int = SEED) -> np.ndarray:
    """Numbers of draws taken again by weight, evenly spaced (systematic resampling), (size,)."""
    start = np.random.Generator(np.random.Philox(key=seed)).random()
    return np.minimum(np.searchsorted(np.cumsum(weight), (np.arange(size) + start) / size), len(weight) - 1)


def residual_sd(predicted: np.ndarray, points: pd.DataFrame, sd: float, worth: float) -> float:
    """Deviation of quotes outside China about a fit that has not seen their good: one good left out after another."""
    outside = (points["market"] == "outside").to_numpy()
    truth = observed(points)
    errors = []
    for good in points.loc[outside, "good"].unique():
        seen = (points["good"] != good).to_numpy()
        weight = weights(predicted[:, seen], points[seen], sd, worth)
        middle = quantiles(predicted, weight, (0.5,))[0]
        errors.append((middle - truth)[outside & ~seen])
    return float(np.sqrt(np.mean(np.concatenate(errors) ** 2)))


def fan(predicted: np.ndarray, noise: float, seed: int = SEED) -> np.ndarray:
    """Lower end, middle and upper end of the fan of LEVEL, the noise of quotes included: (3, points)."""
    normal = np.random.Generator(np.random.Philox(key=seed + 1)).standard_normal(predicted.shape)
    ends = (1 - LEVEL) / 2
    return np.quantile(predicted + noise * normal, (ends, 0.5, 1 - ends), axis=0)


def interval_score(low: np.ndarray, high: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Interval score of each point at LEVEL (Gneiting and Raftery 2007, equation 43)."""
    outside = np.maximum(0.0, low - truth) + np.maximum(0.0, truth - high)
    return (high - low) + 2.0 / (1.0 - LEVEL) * outside


def score(low: np.ndarray, middle: np.ndarray, high: np.ndarray, points: pd.DataFrame) -> pd.DataFrame:
    """Scores of a fan by market (index): error, bias, coverage, width, interval, points."""
    truth = observed(points)
    table = pd.DataFrame(
        {
            "market": points["market"].to_numpy(),
            "error": np.abs(middle - truth),
            "bias": middle - truth,
            "coverage": (low <= truth) & (truth <= high),
            "width": high - low,
            "interval": interval_score(low, high, truth),
        }
    )
    out = table.groupby("market").mean()
    return out.assign(points=table.groupby("market").size()).loc[[m for m in MARKETS if m in out.index]]


def cut(draws: np.ndarray, weight: np.ndarray, fresh: np.ndarray, names: tuple[str, ...] = CORE) -> np.ndarray:
    """Draws in which only the named parameters carry what was learned; all others are as in fresh: (len(fresh), 28)."""
    chosen = again(weight, len(fresh))
    mixed = np.random.Generator(np.random.Philox(key=SEED + 2)).permutation(chosen)
    out = fresh.copy()
    columns = [PARAMETERS.index(name) for name in names]
    out[:, columns] = draws[mixed][:, columns]
    return ordered(out)


def narrowed(draws: np.ndarray, weight: np.ndarray) -> pd.Series:
    """Width of the LEVEL interval of each parameter after the fit over the width before (index PARAMETERS)."""
    ends = ((1 - LEVEL) / 2, (1 + LEVEL) / 2)
    even = np.full(len(draws), 1.0 / len(draws))
    after, before = (np.diff(quantiles(draws, w, ends), axis=0)[0] for w in (weight, even))
    return pd.Series(np.where(before > 0, after / np.where(before > 0, before, 1.0), np.nan), index=list(PARAMETERS))


def rival_last(episode: Episode) -> np.ndarray:
    """Nothing changes: 0 at every point."""
    return np.zeros(len(episode.points))


def rival_reverting(episode: Episode, earlier: pd.Series, persistence: float) -> np.ndarray:
    """AR(1) on the logarithm of the price: the distance to the mean of earlier years shrinks by a fixed share a month.

    Args:
        episode: The episode.
        earlier: Mean of the logarithm of the price in the years before, over the last of them, by good (index).
        persistence: Share of the distance that is left after a month (parameters, price_persistence).
    """
    mean = episode.points["good"].map(earlier).fillna(0.0).to_numpy()
    return mean * (1.0 - persistence ** episode.points["month"].to_numpy())


def rival_static(episode: Episode, exponent: float, share_in_magnets: float, output_loss: float) -> np.ndarray:
    """The price that clears a smaller flow at once: the share that is left to the power of exponent (negative).

    Outside the share is that of exports, inside that of China's output.
    """
    market, out = episode.market, np.empty(len(episode.points))
    (_, _, _, loss, *_), quota = market.arrays, market.arrays[15]
    pass_rate, magnet_pass, in_magnets = market.arrays[12], market.arrays[13], market.arrays[14]
    for column, point in enumerate(episode.points.itertuples()):
        month = min(int(point.month), market.months - 1)
        good = market.goods.index(point.good)
        part = share_in_magnets * in_magnets[good]
        flow = min(1.0, quota[month], (1 - part) * pass_rate[month, good] + part * magnet_pass[month, good])
        left = flow if point.market == "outside" else 1.0 - output_loss * loss[month, good]
        out[column] = exponent * np.log(left)
    return out


def fitted_exponent(episode: Episode, share_in_magnets: float, output_loss: float) -> float:
    """Exponent of rival_static that fits an episode best by the mean absolute error outside China."""
    slope = rival_static(episode, 1.0, share_in_magnets, output_loss)
    outside = (episode.points["market"] == "outside").to_numpy()
    truth = observed(episode.points)
    tried = np.linspace(-12.0, 0.0, 2401)
    errors = [np.abs(e * slope - truth)[outside].mean() for e in tried]
    return float(tried[int(np.argmin(errors))])


def rival_flat(episode: Episode, other: Episode) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The other episode's multiples held flat: the LEVEL interval and the median, by market."""
    ends = ((1 - LEVEL) / 2, 0.5, (1 + LEVEL) / 2)
    out = np.empty((3, len(episode.points)))
    for market in MARKETS:
        here = (episode.points["market"] == market).to_numpy()
        there = observed(other.points[other.points["market"] == market])
        out[:, here] = np.quantile(there, ends)[:, None]
    return out[0], out[1], out[2]
