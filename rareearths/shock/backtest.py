"""Fit on one episode, test on the other, then the reverse, and both together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from rareearths.shock import engine, episodes, parameters, score

FITTED = (*parameters.CORE, "short_run_demand_elasticity")
"""What the report takes from the fit: the core, and the one further parameter that gains 0.05 or more out of sample."""

PRICES = ("price_outside", "price_china")
ON = ("nothing", "A", "B", "A and B")


@dataclass(frozen=True)
class Backtest:
    """Draws, what the model says with each at the points of both episodes, and the weight of each draw by fit.

    Attributes:
        ranges: What was drawn from.
        draws: (draws, 28).
        episodes: Episodes A and B by name.
        predicted: Logarithms of multiples by episode, (draws, points).
        weights: By what was fitted on: "nothing" (the ranges as they are), "A", "B", "A and B".
        noise: Deviation of a quote about the model, by what was fitted on.
    """

    ranges: pd.DataFrame
    draws: np.ndarray
    episodes: Mapping[str, episodes.Episode]
    predicted: Mapping[str, np.ndarray]
    weights: Mapping[str, np.ndarray]
    noise: Mapping[str, float]

    def fan(self, on: str, test: str, names: tuple[str, ...] | None = FITTED) -> np.ndarray:
        """Lower end, middle, upper end at the points of test: (3, points).

        names are the parameters that carry what was learned, all others being drawn anew; None: all of them.
        """
        if on == "nothing":
            return score.fan(self.predicted[test][: score.FAN], self.noise[on])
        if names is None:
            return score.fan(self.predicted[test][score.again(self.weights[on])], self.noise[on])
        episode = self.episodes[test]
        outcome = engine.simulate(self.learned(on, names), episode.market, episode.months(), PRICES)
        return score.fan(episode.predict(outcome), self.noise[on])

    def learned(self, on: str, names: tuple[str, ...] = FITTED, size: int = score.FAN) -> np.ndarray:
        """Draws in which the named parameters carry what was learned and all others are drawn anew: (size, 28)."""
        fresh = parameters.draw(self.ranges, size, score.SEED + 7)
        return fresh if on == "nothing" else score.cut(self.draws, self.weights[on], fresh, names)

    def core(self, on: str = "A and B", size: int = score.FAN) -> np.ndarray:
        """Values of FITTED after the fit, (size, 5): what scenarios.draws takes as learned."""
        return self.learned(on, FITTED, size)[:, [engine.PARAMETERS.index(name) for name in FITTED]]

    def scores(self, names: tuple[str, ...] | None = FITTED) -> pd.DataFrame:
        """Scores of every fit on every episode: index fitted on, tested on, market."""
        tables = {
            (on, test): score.score(*self.fan(on, test, names), self.episodes[test].points)
            for on in ON
            for test in ("A", "B")
        }
        return pd.concat(tables, names=["fitted_on", "tested_on", "market"])


def run(
    tables: Mapping[str, pd.DataFrame], draws: int = 100_000, changes: Mapping[str, dict] | None = None
) -> Backtest:
    """Draw, run both episodes and weigh.

    Args:
        tables: The tables of episodes.TABLES by name.
        draws: Number of draws.
        changes: Fields of the markets of A and B to set otherwise, to try another structure.
    """
    changes = changes or {}
    ranges = parameters.ranges(tables["parameters"], "episodes")
    drawn = parameters.draw(ranges, draws, score.SEED)
    both = {
        "A": episodes.episode_a(tables, **changes.get("A", {})),
        "B": episodes.episode_b(tables, **changes.get("B", {})),
    }
    predicted = {
        name: episode.predict(engine.simulate(drawn, episode.market, episode.months(), PRICES))
        for name, episode in both.items()
    }
    sd, worth = (
        tables["parameters"].set_index(["parameter", "candidate"]).loc[(name, 1), "value"]
        for name in ("noise_sd", "independent_points")
    )
    weights = {"nothing": np.full(draws, 1.0 / draws)}
    noise = {"nothing": float(sd)}
    for name, episode in both.items():
        weights[name] = score.weights(predicted[name], episode.points, sd, worth)
        noise[name] = score.residual_sd(predicted[name], episode.points, sd, worth)
    together = weights["A"] * weights["B"]
    weights["A and B"] = together / together.sum()
    noise["A and B"] = float(np.sqrt((noise["A"] ** 2 + noise["B"] ** 2) / 2))
    return Backtest(ranges, drawn, both, predicted, weights, noise)
