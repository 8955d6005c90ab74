"""Measure the supply-shock model: a plain loop, NumPy, compiled code and agents on one market, and the memory of a large run.

Part of ``make bench``; ``python bench/shock.py`` measures this alone and prints it.
"""

from __future__ import annotations

import importlib.metadata
import math
import resource
import statistics
import subprocess
import sys
import time
import types
from pathlib import Path

import numpy as np

from rareearths import data
from rareearths.shock import engine, parameters, vectorised
from rareearths.shock.engine import AT, SUMMARY, VARIABLES, Market

MONTHS = 264
KEPT = ("price_outside", "use_met_outside")
ROUNDS = 5
TARGET = 2_500
MEMORY_DRAWS = 100_000
CHUNKS = (100, 500, 2_000, 10_000)
SIZES = (10_000, 50_000, 100_000)


def market() -> Market:
    """One good under licences for a year of 22."""
    rate = np.ones(MONTHS)
    rate[24:36] = 0.25
    return Market(
        goods=("Dy",),
        months=MONTHS,
        china_use=np.array([3.0]),
        own_supply=np.full((MONTHS, 1), 0.03),
        pass_rate=rate,
        magnet_pass_rate=rate,
        in_magnets=np.ones(1),
    )


def draws(count: int) -> np.ndarray:
    """Parameters drawn as for the scenarios."""
    return parameters.draw(parameters.ranges(data.load("parameters"), "scenarios"), count, seed=1)


def plain(given: np.ndarray, inputs: Market) -> np.ndarray:
    """The code of the engine as Python runs it, one draw after another: (draws, months) prices outside China."""
    code = engine._run.py_func.__code__
    loop = types.FunctionType(code, {**vars(engine), "_log": math.log, "_exp": math.exp})
    columns = np.array([VARIABLES.index(name) for name in KEPT])
    recorded = np.empty((len(given), MONTHS, 1, len(KEPT)))
    summary = np.empty((len(given), 1, len(SUMMARY)))
    for row in range(len(given)):
        one = slice(row, row + 1)
        loop(given[one], *inputs.arrays, np.arange(MONTHS), columns, recorded[one], summary[one])
    return recorded[:, :, 0, 0]


def agents(given: np.ndarray, inputs: Market) -> np.ndarray:
    """The same equations as agents of Mesa, one draw after another: (draws, months) prices outside China."""
    import mesa

    quiet = inputs.arrays
    use_in_china, rates = quiet[2][0], quiet[12][:, 0]
    supply, activity = quiet[8][:, 0], 1.0

    class Users(mesa.Agent):
        """Users of a region, who wish, hold a stock, pay a price for it and learn to save."""

        def __init__(self, model, cover, base):
            super().__init__(model)
            self.base, self.stock, self.cover = base, cover * base, cover
            self.price = self.mean = self.intensity = 1.0
            self.saved = self.panic = 0.0

        def wish(self):
            p = self.model.p
            short, long = p["short_run_demand_elasticity"], p["long_run_demand_elasticity"]
            self.wanted = self.base * self.intensity * activity * self.price**short * self.mean ** (long - short)

        def quote(self):
            p = self.model.p
            aim = self.cover * (1.0 + p["panic_cover_increase"] * self.panic)
            cover = max(engine.FLOOR, self.stock / (self.base * self.intensity * activity))
            self.price = (cover / aim) ** -p["price_stock_exponent"]
            self.mean **= 1.0 - 1.0 / p["demand_horizon"]
            self.mean *= self.price ** (1.0 / p["demand_horizon"])
            if self.mean > p["redesign_price_ratio"]:
                pace = min(1.0, self.mean / p["redesign_price_ratio"] - 1.0)
                cut = p["intensity_cut_ceiling"] * self.intensity * pace
                self.intensity -= cut
                self.saved += (1.0 - p["saving_kept_share"]) * cut
            else:
                back = self.saved / p["demand_horizon"]
                self.intensity += back
                self.saved -= back

    class Plants(mesa.Agent):
        """Producers outside China, who begin plants when the price was high."""

        def __init__(self, model):
            super().__init__(model)
            self.stages, self.expected, self.built, self.running = [0.0] * 3, 1.0, 0.0, 0.0

        def make(self):
            self.made = supply[self.model.month] + self.running

        def invest(self):
            p = self.model.p
            self.expected += (self.model.outside.price - self.expected) / 12.0
            pace = min(1.0, max(0.0, self.expected / p["investment_hurdle"] - 1.0))
            coming = p["outside_supply_growth"] * (1.0 + use_in_china) * pace
            for place, stage in enumerate(self.stages):
                leaving = stage * 3.0 / p["lead_time_new_mine"]
                self.stages[place], coming = stage + coming - leaving, leaving
            self.built += p["plan_yield"] * coming
            self.running += (self.built - self.running) / (p["ramp_time"] / 3.0)

    class Mines(mesa.Agent):
        """Producers in China, by-products all: they make what they made."""

        def make(self):
            self.made = use_in_china + 1.0 - supply[0]

    class Trader(mesa.Agent):
        """Who orders for users outside China, with licences and without, and shares out what China has."""

        def trade(self):
            model, p = self.model, self.model.p
            outside, china, own, made = model.outside, model.china, model.plants.made, model.mines.made
            normal = max(0.0, activity - own)
            aim = outside.cover * (1.0 + p["panic_cover_increase"] * outside.panic) * outside.intensity * activity
            aim *= china.price ** (-1.0 / p["price_stock_exponent"])
            need = max(0.0, outside.wanted - own + p["restocking_speed"] * (aim - outside.stock))
            lure = min(1.0, max(0.0, outside.price / china.price - 1.0 - p["leakage_cost"]))
            leaked = min(need, p["leakage_cap"] * normal * lure)
            wanted, rate = need - leaked, rates[model.month]
            passing = max(0.0, 1.0 - p["pass_rate_scale"] * (1.0 - rate))
            legal = min(wanted, passing * normal) if rate < 1.0 else wanted
            bound = legal < wanted * (1.0 - engine.ROUNDING)
            ration = min(1.0, (china.stock + made) / (china.wanted + legal + leaked))
            arriving = (legal + leaked) * ration
            china.stock = max(0.0, china.stock + made - china.wanted * ration - arriving)
            at_hand = outside.stock + own + arriving
            outside.stock = at_hand - min(outside.wanted, at_hand)
            outside.panic = 1.0 if bound else outside.panic * (1.0 - p["panic_speed"])

    class World(mesa.Model):
        """Two regions with users and producers, and a trader between them."""

        def __init__(self, row):
            super().__init__(seed=1)
            self.p = {name: float(row[place]) for name, place in AT.items()}
            self.month = 0
            self.outside = Users(self, self.p["stock_cover"], 1.0)
            self.china = Users(self, self.p["china_stock_cover"], use_in_china)
            self.plants, self.mines, self.trader = Plants(self), Mines(self), Trader(self)

        def step(self):
            for kind, act in (
                (Users, "wish"),
                (Plants, "make"),
                (Mines, "make"),
                (Trader, "trade"),
                (Users, "quote"),
                (Plants, "invest"),
            ):
                self.agents_by_type[kind].do(act)
            self.month += 1

    prices = np.empty((len(given), MONTHS))
    for place, row in enumerate(given):
        world = World(row)
        for month in range(MONTHS):
            world.step()
            prices[place, month] = world.outside.price
    return prices


def seconds(job, *arguments, **more) -> float:
    """Wall-clock seconds of a job."""
    begun = time.perf_counter()
    job(*arguments, **more)
    return time.perf_counter() - begun


def measure() -> dict[str, list[float]]:
    """Seconds a draw of each code, round after round, so that a slow spell of the machine meets all of them."""
    inputs, many = market(), draws(20_000)
    jobs = {
        "plain loop": lambda: seconds(plain, many[:3], inputs) / 3,
        "NumPy, draw after draw": lambda: seconds(vectorised.simulate, many[:1], inputs, variables=KEPT),
        "NumPy": lambda: seconds(vectorised.simulate, many[:2_000], inputs, variables=KEPT) / 2_000,
        "compiled, one worker": lambda: seconds(engine.simulate, many, inputs, variables=KEPT, workers=1) / 20_000,
        "compiled, two workers": lambda: seconds(engine.simulate, many, inputs, variables=KEPT, workers=2) / 20_000,
    }
    if mesa_version():
        jobs["Mesa"] = lambda: seconds(agents, many[:3], inputs) / 3
    for chunk in CHUNKS:
        jobs[f"chunk {chunk}"] = lambda chunk=chunk: (
            seconds(engine.simulate, many, inputs, variables=KEPT, workers=2, chunk=chunk) / 20_000
        )
    engine.simulate(many[:10], inputs)  # compiled now, or loaded
    if mesa_version():
        agents(many[:1], inputs)  # imported now
    times: dict[str, list[float]] = {name: [] for name in jobs}
    for round_ in range(1, ROUNDS + 1):
        print(f"supply-shock model, round {round_} of {ROUNDS} ...", file=sys.stderr, flush=True)
        for name, job in jobs.items():
            times[name].append(job())
    return times


def measure_sizes() -> dict[int, list[float]]:
    """Seconds a draw of runs of several sizes."""
    inputs, many = market(), draws(max(SIZES))
    times: dict[int, list[float]] = {size: [] for size in SIZES}
    for _ in range(ROUNDS):
        for size in SIZES:
            times[size].append(seconds(engine.simulate, many[:size], inputs, variables=KEPT) / size)
    return times


def furthest() -> dict[str, float]:
    """Largest difference in price between the compiled code and each other one, relative; Mesa and the loop on 5 draws."""
    inputs, few, more = market(), draws(5), draws(500)
    compiled = engine.simulate(more, inputs)["price_outside"][:, :, 0]
    others = {"plain loop": plain(few, inputs), "NumPy": vectorised.simulate(more, inputs)["price_outside"][:, :, 0]}
    if mesa_version():
        others["Mesa"] = agents(few, inputs)
    return {name: float(np.abs(found / compiled[: len(found)] - 1.0).max()) for name, found in others.items()}


def mesa_version() -> str:
    """Version of Mesa; empty where it is not installed."""
    try:
        return importlib.metadata.version("mesa")
    except importlib.metadata.PackageNotFoundError:
        return ""


def peak_memory() -> float:
    """Largest memory of a process of its own that keeps two variables of the large run, GB."""
    command = [sys.executable, str(Path(__file__).resolve()), "--memory"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(done.stdout)


def large_run() -> None:
    """Print the peak memory of this process after the large run, GB."""
    outcome = engine.simulate(draws(MEMORY_DRAWS), market(), variables=KEPT)
    if not np.isfinite(outcome.recorded).all():
        sys.exit("the large run gave something that is no number")
    unit = 1 if sys.platform == "darwin" else 1024
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9)


def section() -> list[str]:
    """The section of bench/results.md, line by line."""
    times, sizes, parted, memory = measure(), measure_sizes(), furthest(), peak_memory()

    def against(slow: str, quick: str) -> tuple[float, str]:
        each = [a / b for a, b in zip(times[slow], times[quick], strict=True)]
        return statistics.median(each), f"{statistics.median(each):,.3g} ({min(each):,.3g} to {max(each):,.3g})"

    def plainly(text: str) -> str:
        return text.replace("e+03", " thousand")

    two, shown = against("plain loop", "compiled, two workers")
    rows = [
        ("plain loop, against NumPy over all draws", against("plain loop", "NumPy")[1], ""),
        ("plain loop, against compiled, one worker", against("plain loop", "compiled, one worker")[1], ""),
        ("plain loop, against compiled, two workers", shown, f"{TARGET:,}"),
        (
            "NumPy draw after draw, against compiled, two workers",
            against("NumPy, draw after draw", "compiled, two workers")[1],
            "",
        ),
        ("NumPy, against compiled, one worker", against("NumPy", "compiled, one worker")[1], ""),
        ("NumPy, against compiled, two workers", against("NumPy", "compiled, two workers")[1], ""),
        ("compiled, one worker against two", against("compiled, one worker", "compiled, two workers")[1], ""),
    ]
    if mesa_version():
        name = f"agents of Mesa {mesa_version()}"
        rows.append((f"{name}, against the plain loop", against("Mesa", "plain loop")[1], ""))
        rows.append((f"{name}, against compiled, two workers", against("Mesa", "compiled, two workers")[1], ""))
    else:
        rows.append(("agents of Mesa", "not installed: `make extra` installs it", ""))
    for chunk in CHUNKS:
        shown = against(f"chunk {chunk}", "compiled, two workers")[1]
        rows.append((f"two workers, chunks of {chunk:,} draws, against chunks of 2,000", shown, ""))
    base = statistics.median(sizes[SIZES[0]])
    linear = ", ".join(f"{size:,}: {statistics.median(sizes[size]) / base:.2f}" for size in SIZES)
    differences = ", ".join(f"{name} {value:.0e}" for name, value in parted.items())
    return [
        "## The supply-shock model",
        "",
        f"One market of {MONTHS} months and one good; seconds a draw as ratios within a round, {ROUNDS} rounds: median (least to "
        "greatest). The plain loop is the engine's own code as Python runs it, draw after draw, with logarithm and "
        "exponential of the standard library.",
        "",
        "| codes | ratio | to reach |",
        "| --- | --- | --- |",
        *(f"| {name} | {plainly(value)} | {target} |" for name, value, target in rows),
        "",
        f"The target is {'reached' if two >= TARGET else 'not reached'}. Time a draw over that of {SIZES[0]:,} draws: {linear}.",
        "",
        f"Peak memory of one process that runs {MEMORY_DRAWS:,} draws and keeps two variables of {MONTHS} months: {memory:.2f} GB "
        "(to reach: below 1).",
        "",
        f"Largest difference of a price from the compiled code, relative: {differences}.",
    ]


if __name__ == "__main__":
    if "--memory" in sys.argv:
        large_run()
    else:
        print("\n".join(section()))
