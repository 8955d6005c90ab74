"""The supply-shock model: one month after another, compiled, over many draws of the parameters.

Two regions, China and outside, and up to a handful of goods (oxides). Quantities are in months of base use outside
China (1 = what users outside China take in a month before the shock), prices are multiples of the base price, time is in
months. The equations stand in chapter 12, numbered; the numbers in the comments below are theirs.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
from numba import njit

PARAMETERS = (
    "price_stock_exponent",  # beta, none
    "china_output_loss",  # kappa, share of China's output
    "stock_cover",  # s*, months
    "leakage_cap",  # l, share of the normal flow
    "china_stock_cover",  # s*_C, months
    "short_run_demand_elasticity",  # eps_s, elasticity (negative)
    "long_run_demand_elasticity",  # eps_l, elasticity (negative)
    "demand_horizon",  # tau_D, months
    "redesign_price_ratio",  # theta, ratio
    "intensity_cut_ceiling",  # sigma_max, share a month
    "saving_kept_share",  # lambda, share
    "running_supply_elasticity",  # eta, elasticity
    "leakage_cost",  # c_l, share of the price
    "panic_cover_increase",  # phi, share of the cover
    "panic_speed",  # psi, share of the gap closed in a month
    "restocking_speed",  # alpha, share of the gap closed in a month
    "premium_speed",  # gamma, USD/kg a month for a demand of twice the quota
    "spot_volume_share",  # omega, share of the volume
    "magnet_share",  # mu, share of the need outside China that comes as magnets
    "plan_yield",  # rho, share of planned capacity that comes to run
    "ban_delay",  # d, months that the prohibition of technology exports adds
    "lead_time_new_mine",  # L, months
    "ramp_time",  # m, months from first product to steady output
    "outside_supply_growth",  # i, capacity started in a month at twice the hurdle, share of world use
    "investment_hurdle",  # h, price over base
    "ban_yield",  # rho_b, the same as rho under the prohibition
    "ban_cost",  # c_b, share of the hurdle that the prohibition adds
    "pass_rate_scale",  # x, share that is really held back over the stated one
)
AT = {name: position for position, name in enumerate(PARAMETERS)}

VARIABLES = (
    "price_outside",
    "price_china",
    "stock_outside",
    "stock_china",
    "legal_flow",
    "leaked_flow",
    "use_outside",
    "use_met_outside",
    "own_supply",
    "premium",
)
SUMMARY = (
    "peak",
    "months_above_twice",
    "lost_use",
    "contract_bill",
    "spot_bill",
    "empty_month",
    "balance_error",
    "lowest_stock",
    "use_below_base",
)
FLOOR = 0.05  # months of cover below which the price does not rise: parameters.csv, cover_floor
LARGEST_RISE = 1.3  # most that running plants make over their base output
BRIEF = 1e-12
ROUNDING = 1e-9  # a smaller share is no difference but one of rounding


@dataclass(frozen=True)
class Market:
    """The inputs of one episode or scenario: T months, G goods.

    Attributes:
        goods: Names of the goods, G.
        base_usd_kg: Base price outside China, USD/kg, (G,). Needed where there is a quota.
        weight: Share of each good in the tonnage of base exports, (G,), adding up to 1. Needed where there is a quota.
        china_use: Use in China over use outside, base month, (G,).
        output_loss: Weight of the loss of China's output in each month and good, (T, G); 0 none, 1 all of it.
        activity_outside, activity_china: Output of the using industries over the base month, (T, G).
        output_china: China's output over the base month before any loss, (T, G).
        elastic_supply: 1 where running plants answer to the price, 0 for by-products, (G,).
        own_supply: Supply outside China that the path of the market brings anyway, months of base use, (T, G).
        planned: Further capacity planned outside China, months of base use, (T, G), before yield.
        planned_under_ban: The same for what is planned while the prohibition of technology exports is in force, (T, G),
            before delay and yield.
        ban: 1 in months in which the prohibition is in force, (T,): new starts take longer, cost more and yield less.
        pass_rate: Share of the normal flow of oxides that licences let through, (T, G); 1 or more: free.
        magnet_pass_rate: The same for magnets, (T, G).
        in_magnets: 1 where part of the need outside China comes as magnets (parameter magnet_share), (G,).
        quota: Export quota over the base exports of a month, (T,); inf: none.
        duty: Price with export duty over the same in the base month, (T, G).
        panic_dated: Months in which panic is on whatever flows do, (T,); 0 in all runs but those of a test.
        reserve: Stock held apart outside China, months of base use, (G,): released to cover use while a limit binds.
        demand_scale: Multiplies both demand elasticities, (G,).
        floor_price: Price that new plants are promised, over the base price; 0 none.
        spot_seen: 1 where users see the spot price, 0 where they see the contract price.
    """

    goods: tuple[str, ...]
    months: int
    china_use: np.ndarray
    own_supply: np.ndarray
    base_usd_kg: np.ndarray | None = None
    weight: np.ndarray | None = None
    output_loss: np.ndarray | None = None
    activity_outside: np.ndarray | None = None
    activity_china: np.ndarray | None = None
    output_china: np.ndarray | None = None
    elastic_supply: np.ndarray | None = None
    planned: np.ndarray | None = None
    planned_under_ban: np.ndarray | None = None
    ban: np.ndarray | None = None
    pass_rate: np.ndarray | None = None
    magnet_pass_rate: np.ndarray | None = None
    in_magnets: np.ndarray | None = None
    quota: np.ndarray | None = None
    duty: np.ndarray | None = None
    panic_dated: np.ndarray | None = None
    reserve: np.ndarray | None = None
    demand_scale: np.ndarray | None = None
    floor_price: float = 0.0
    spot_seen: float = 1.0
    arrays: tuple = field(init=False, repr=False, compare=False)

    def __post_init__(self):
        t, g = self.months, len(self.goods)

        def full(value, default, shape):
            array = np.full(shape, default) if value is None else np.asarray(value, dtype=float)
            if array.shape != shape:
                array = np.broadcast_to(array[:, None] if array.shape == (t,) and shape == (t, g) else array, shape)
            return np.array(array, dtype=float, order="C")  # a copy: the code is compiled once, not again for views

        object.__setattr__(
            self,
            "arrays",
            (
                full(self.base_usd_kg, 1.0, (g,)),
                full(self.weight, 1.0 / g, (g,)),
                full(self.china_use, 1.0, (g,)),
                full(self.output_loss, 0.0, (t, g)),
                full(self.activity_outside, 1.0, (t, g)),
                full(self.activity_china, 1.0, (t, g)),
                full(self.output_china, 1.0, (t, g)),
                full(self.elastic_supply, 0.0, (g,)),
                full(self.own_supply, 0.0, (t, g)),
                full(self.planned, 0.0, (t, g)),
                full(self.planned_under_ban, 0.0, (t, g)),
                full(self.ban, 0.0, (t,)),
                full(self.pass_rate, 1.0, (t, g)),
                full(self.magnet_pass_rate, 1.0, (t, g)),
                full(self.in_magnets, 0.0, (g,)),
                full(self.quota, np.inf, (t,)),
                full(self.duty, 1.0, (t, g)),
                full(self.panic_dated, 0.0, (t,)),
                full(self.reserve, 0.0, (g,)),
                full(self.demand_scale, 1.0, (g,)),
                np.array([self.floor_price, self.spot_seen]),
            ),
        )


# Logarithm and exponential from their series, so that they are worked out for several draws at once and are the same to
# the bit on every machine; right to one or two units in the last place, and exact where a price is 1.

SHIFT = 1.5 * 2.0**52  # added to a number of moderate size, it leaves the number's whole part in the last bits
SHIFT_BITS = int(np.float64(SHIFT).view(np.int64))
ROOT_HALF_BITS = int(np.float64(np.sqrt(0.5)).view(np.int64))
LOG_2 = float(np.log(2.0))
LOG_2_HIGH = float(np.round(LOG_2 * 2.0**32) / 2.0**32)  # so short that a whole number of them is exact
LOG_2_LOW = -4.200915072681086e-11  # log(2) less the number above


@njit(error_model="numpy")
def _log(x):
    """Logarithm of a positive number: x = 2^twos rest, rest 0.71 to 1.41, log(rest) = 2 artanh((rest - 1) / (rest + 1))."""
    bits = np.float64(x).view(np.int64)
    twos = (bits - ROOT_HALF_BITS) >> 52
    rest = np.int64(bits - (twos << 52)).view(np.float64)
    part = (rest - 1.0) / (rest + 1.0)
    z = part * part
    q = z * z
    odd = z * (1 / 3 + q * (1 / 7 + q * (1 / 11 + q * (1 / 15 + q * (1 / 19)))))
    tail = odd + q * (1 / 5 + q * (1 / 9 + q * (1 / 13 + q * (1 / 17))))
    return (np.int64(twos + SHIFT_BITS).view(np.float64) - SHIFT) * LOG_2 + 2.0 * (part + part * tail)


@njit(error_model="numpy")
def _exp(x):
    """Exponential: x = whole log(2) + r, r -0.35 to 0.35."""
    x = min(700.0, max(-700.0, x))
    shifted = x * (1.0 / LOG_2) + SHIFT
    whole = shifted - SHIFT
    r = (x - whole * LOG_2_HIGH) - whole * LOG_2_LOW
    q = r * r
    cosh = 1 / 40320 + q * (1 / 3628800 + q * (1 / 479001600))
    cosh = 1.0 + q * (1 / 2 + q * (1 / 24 + q * (1 / 720 + q * cosh)))
    sinh = 1 / 362880 + q * (1 / 39916800 + q * (1 / 6227020800))
    sinh = r * (1.0 + q * (1 / 6 + q * (1 / 120 + q * (1 / 5040 + q * sinh))))
    near = cosh + sinh
    return np.int64(np.float64(near).view(np.int64) + (np.float64(shifted).view(np.int64) << 52)).view(np.float64)


# The working memory: rows of LANES numbers, one of each draw, in one array for the draws (d) and one for each good (s). So
# the compiler sees that rows do not overlap and works the equations out for several draws at once. It stops doing so, and
# the model is three times slower, where a loop over j holds an `if` that is more than a choice between two values.
LANES = 16
# fmt: off
(
    BETA, LOSS, COVER, LEAK_CAP, COVER_C, EPS_S, EPS_L, HORIZON, THETA, SIGMA, KEPT, ETA, LEAK_COST, PHI, PSI, ALPHA, GAMMA,
    OMEGA, MU, RHO, DELAY, LEAD, RAMP, INVEST, HURDLE, RHO_BAN, COST_BAN, REALLY, ASKED, RENT,
) = (LANES * row for row in range(len(PARAMETERS) + 2))
OF_A_DRAW = LANES * (len(PARAMETERS) + 2)
(
    PRICE_O, PRICE_C, STOCK_O, STOCK_C, FLOW, LEAKED, USE_O, MET_O, OWN, PREMIUM,  # as VARIABLES
    PEAK, ABOVE_TWICE, LOST, CONTRACT, SPOT, EMPTY, BALANCE, LOWEST, BELOW,  # as SUMMARY
    LOG_O, LOG_C, MEAN_O, MEAN_C, INTENSITY_O, INTENSITY_C, SAVED_O, SAVED_C, EXPECTED, FIRST, SECOND, THIRD, BUILT, RUNNING,
    PANIC, USE_C, WANTED, NORMAL, LATE, HELD,
) = (LANES * row for row in range(39))
# fmt: on
OF_A_GOOD = LANES * 39


@njit(cache=True, nogil=True, error_model="numpy")
def _run(
    draws,
    base_usd,
    weight,
    china_use,
    output_loss,
    activity_outside,
    activity_china,
    output_china,
    elastic,
    own_path,
    planned,
    planned_ban,
    ban,
    pass_rate,
    magnet_pass,
    in_magnets,
    quota,
    duty,
    panic_dated,
    reserve,
    demand_scale,
    scalars,
    slot,
    columns,
    recorded,
    summary,
):
    """LANES draws after LANES draws, all months and goods; fills recorded (n, R, G, V) and summary (n, G, S) in place."""
    months, goods = own_path.shape
    floor_price, spot_seen = scalars[0], scalars[1] > 0.5
    plans = np.any(planned_ban > 0.0)
    d = np.zeros(OF_A_DRAW)
    memory = np.zeros((goods, OF_A_GOOD))
    for begin in range(0, draws.shape[0], LANES):
        lanes = min(LANES, draws.shape[0] - begin)
        for j in range(lanes):
            for k in range(draws.shape[1]):
                d[LANES * k + j] = draws[begin + j, k]
            d[RENT + j] = 0.0
            for g in range(goods):
                s = memory[g]
                for row in range(0, OF_A_GOOD, LANES):
                    s[row + j] = 0.0
                s[STOCK_O + j] = d[COVER + j]
                s[HELD + j] = reserve[g]
                s[STOCK_C + j] = d[COVER_C + j] * china_use[g]
                s[PRICE_O + j] = s[PRICE_C + j] = 1.0
                s[INTENSITY_O + j] = s[INTENSITY_C + j] = s[EXPECTED + j] = s[PEAK + j] = 1.0
                s[EMPTY + j] = -1.0
                s[LOWEST + j] = np.inf
        for t in range(months):
            for j in range(lanes):
                d[ASKED + j] = 0.0
            for g in range(goods):
                s = memory[g]
                for j in range(lanes if plans else 0):
                    delay = d[DELAY + j]
                    whole = int(np.floor(delay))
                    late = 0.0
                    if t >= whole:
                        late = (1.0 - (delay - whole)) * planned_ban[t - whole, g]
                    if t >= whole + 1:
                        late += (delay - whole) * planned_ban[t - whole - 1, g]
                    s[LATE + j] = late
                active, active_c, tax, usd = activity_outside[t, g], activity_china[t, g], duty[t, g], base_usd[g]
                scale, tonnes, path = demand_scale[g], weight[g] / max(BRIEF, 1.0 - own_path[0, g]), own_path[t, g]
                base_c, plan = china_use[g], planned[t, g]
                for j in range(lanes):
                    price_o, price_c = s[PRICE_O + j], s[PRICE_C + j]
                    log_c, eps_s = s[LOG_C + j], d[EPS_S + j]
                    eps_more = d[EPS_L + j] - eps_s
                    log_seen = s[LOG_O + j]
                    if not spot_seen:
                        log_seen = _log((1.0 - d[OMEGA + j]) * price_c + d[OMEGA + j] * price_o)
                    ordinary = s[INTENSITY_O + j] * active
                    use_o = ordinary * _exp(scale * (eps_s * log_seen + eps_more * s[MEAN_O + j]))  # (1)
                    use_c = base_c * s[INTENSITY_C + j] * active_c
                    use_c *= _exp(scale * (eps_s * log_c + eps_more * s[MEAN_C + j]))
                    own = path + d[RHO + j] * plan + d[RHO_BAN + j] * s[LATE + j] + s[RUNNING + j]  # (4)
                    normal = max(0.0, active - own)
                    landed = price_c * tax + d[RENT + j] / usd  # (5)
                    aim = d[COVER + j] * (1.0 + d[PHI + j] * s[PANIC + j]) * ordinary
                    aim *= _exp(-_log(landed) / d[BETA + j])
                    need = max(0.0, use_o - own + d[ALPHA + j] * (aim - s[STOCK_O + j]))
                    gap = price_o / price_c - 1.0 - d[LEAK_COST + j]
                    leaked = min(need, d[LEAK_CAP + j] * normal * min(1.0, max(0.0, gap)))
                    s[USE_O + j] = use_o
                    s[USE_C + j] = use_c
                    s[OWN + j] = own
                    s[NORMAL + j] = normal
                    s[LEAKED + j] = leaked
                    s[WANTED + j] = need - leaked
                    s[PREMIUM + j] = d[RENT + j]
                    d[ASKED + j] += tonnes * (need - leaked)
            for g in range(goods):
                s = memory[g]
                active, active_c, base_c = activity_outside[t, g], activity_china[t, g], china_use[g]
                passing, passing_magnets, magnets = pass_rate[t, g], magnet_pass[t, g], in_magnets[g]
                output, lost, answers = (
                    (base_c + 1.0 - own_path[0, g]) * output_china[t, g],
                    output_loss[t, g],
                    elastic[g],
                )
                allowed, dated, banned = quota[t], panic_dated[t] > 0.0, ban[t]
                for j in range(lanes):
                    wanted, leaked, own = s[WANTED + j], s[LEAKED + j], s[OWN + j]
                    use_o, use_c = s[USE_O + j], s[USE_C + j]
                    asked, beta, omega, horizon = d[ASKED + j], d[BETA + j], d[OMEGA + j], d[HORIZON + j]
                    stock_o, stock_c = s[STOCK_O + j], s[STOCK_C + j]
                    share = allowed / asked if asked > allowed * (1.0 + ROUNDING) else 1.0
                    free = (1.0 - d[MU + j] * magnets) * passing + d[MU + j] * magnets * passing_magnets  # (6)
                    limit = max(0.0, 1.0 - d[REALLY + j] * (1.0 - free)) * s[NORMAL + j] if free < 1.0 else np.inf
                    flow = min(share * wanted, limit)
                    bound = flow < wanted * (1.0 - ROUNDING)
                    made = output * (1.0 - d[LOSS + j] * lost)  # (3)
                    made *= min(LARGEST_RISE, _exp(d[ETA + j] * answers * s[LOG_C + j]))
                    total = use_c + flow + leaked  # (7)
                    ration = (stock_c + made) / total if total > stock_c + made else 1.0
                    met_c, flow, leaked = use_c * ration, flow * ration, leaked * ration
                    held = s[HELD + j]
                    before = stock_o + stock_c + held
                    released = min(held, max(0.0, use_o - own - flow - leaked)) if bound else 0.0
                    held -= released
                    stock_c = max(0.0, stock_c + made - met_c - flow - leaked)
                    at_hand = stock_o + own + flow + leaked + released
                    met_o = min(use_o, at_hand)
                    stock_o = max(0.0, at_hand - met_o)
                    error = abs(stock_o + stock_c + held - before - made - own + met_c + met_o)
                    panic = s[PANIC + j]  # (8)
                    panic = 1.0 if bound or dated else panic - d[PSI + j] * panic
                    intensity_o, intensity_c = s[INTENSITY_O + j], s[INTENSITY_C + j]
                    cover_o = max(FLOOR, stock_o / max(BRIEF, intensity_o * active))  # (9)
                    cover_c = max(FLOOR, stock_c / max(BRIEF, base_c * intensity_c * active_c))
                    log_o = -beta * _log(cover_o / (d[COVER + j] * (1.0 + d[PHI + j] * panic)))
                    log_c = -beta * _log(cover_c / d[COVER_C + j])
                    price_o, price_c = _exp(log_o), _exp(log_c)
                    mean_o, mean_c = s[MEAN_O + j], s[MEAN_C + j]
                    mean_o += (log_o - mean_o) / horizon  # of logarithms
                    mean_c += (log_c - mean_c) / horizon
                    theta, sigma, back = d[THETA + j], d[SIGMA + j], 1.0 - d[KEPT + j]  # (2)
                    saved_o, saved_c = s[SAVED_O + j], s[SAVED_C + j]
                    worth = _exp(mean_o) / theta - 1.0
                    cut = sigma * intensity_o * min(1.0, worth)
                    dear, regained = worth > 0.0, saved_o / horizon
                    s[INTENSITY_O + j] = intensity_o - cut if dear else intensity_o + regained
                    s[SAVED_O + j] = saved_o + back * cut if dear else saved_o - regained
                    worth = _exp(mean_c) / theta - 1.0
                    cut = sigma * intensity_c * min(1.0, worth)
                    dear, regained = worth > 0.0, saved_c / horizon
                    s[INTENSITY_C + j] = intensity_c - cut if dear else intensity_c + regained
                    s[SAVED_C + j] = saved_c + back * cut if dear else saved_c - regained
                    expected = s[EXPECTED + j]  # (4)
                    expected += (price_o - expected) / 12.0
                    worth = max(expected, floor_price) / (d[HURDLE + j] * (1.0 + d[COST_BAN + j] * banned)) - 1.0
                    start = d[INVEST + j] * (1.0 + base_c) * min(1.0, max(0.0, worth))
                    pace = 3.0 / (d[LEAD + j] + d[DELAY + j] * banned)
                    share_kept = d[RHO_BAN + j] if banned > 0.0 else d[RHO + j]
                    first, second, third = s[FIRST + j], s[SECOND + j], s[THIRD + j]
                    built, running = s[BUILT + j] + share_kept * third * pace, s[RUNNING + j]
                    s[FIRST + j] = first + start - first * pace
                    s[SECOND + j] = second + (first - second) * pace
                    s[THIRD + j] = third + (second - third) * pace
                    s[BUILT + j] = built
                    s[RUNNING + j] = running + (built - running) / (d[RAMP + j] / 3.0)
                    s[EXPECTED + j] = expected
                    s[PANIC + j], s[HELD + j] = panic, held
                    s[MEAN_O + j], s[MEAN_C + j] = mean_o, mean_c
                    s[LOG_O + j], s[LOG_C + j] = log_o, log_c
                    s[PRICE_O + j], s[PRICE_C + j] = price_o, price_c
                    s[STOCK_O + j], s[STOCK_C + j] = stock_o, stock_c
                    s[FLOW + j], s[LEAKED + j], s[MET_O + j] = flow, leaked, met_o
                    empty = s[EMPTY + j]
                    empty = t if empty < 0.0 and met_o < use_o * (1.0 - ROUNDING) else empty
                    peak = s[PEAK + j]
                    s[EMPTY + j] = empty
                    s[PEAK + j] = max(peak, price_o) if empty < 0.0 else peak
                    s[ABOVE_TWICE + j] += 1.0 if price_o > 2.0 else 0.0
                    s[LOST + j] += 1.0 - met_o / use_o if use_o > BRIEF else 0.0
                    s[BELOW + j] += 1.0 - met_o / active if active > BRIEF else 0.0
                    s[CONTRACT + j] += met_o * ((1.0 - omega) * (price_c - 1.0) + omega * (price_o - 1.0))
                    s[SPOT + j] += met_o * (price_o - 1.0)
                    s[BALANCE + j] = max(s[BALANCE + j], error)
                    s[LOWEST + j] = min(s[LOWEST + j], min(stock_o, stock_c))
            if slot[t] >= 0:
                for j in range(lanes):
                    for g in range(goods):
                        for k in range(len(columns)):
                            recorded[begin + j, slot[t], g, k] = memory[g, LANES * columns[k] + j]
            for j in range(lanes):  # (10)
                over = min(2.0, d[ASKED + j] / max(BRIEF, quota[t]) - 1.0)
                moved = (
                    max(0.5 * d[RENT + j], d[RENT + j] + d[GAMMA + j] * over) if abs(over) > ROUNDING else d[RENT + j]
                )
                d[RENT + j] = moved if quota[t] < np.inf else 0.0
        for j in range(lanes):
            for g in range(goods):
                for k in range(summary.shape[2]):
                    summary[begin + j, g, k] = memory[g, PEAK + LANES * k + j]


@dataclass(frozen=True)
class Outcome:
    """What a run gives.

    Attributes:
        market: The inputs it was run with.
        months: Months that were kept, counted from 0, (R,).
        variables: Variables that were kept, (V,).
        recorded: (draws, R, G, V).
        summary: (draws, G, len(SUMMARY)).
    """

    market: Market
    months: np.ndarray
    variables: tuple[str, ...]
    recorded: np.ndarray
    summary: np.ndarray

    def __getitem__(self, name: str) -> np.ndarray:
        """A variable by name: (draws, R, G), or one of the summary: (draws, G)."""
        if name in self.variables:
            return self.recorded[..., self.variables.index(name)]
        if name in SUMMARY:
            return self.summary[..., SUMMARY.index(name)]
        raise KeyError(f"{name} was not recorded; there are {', '.join(self.variables + SUMMARY)}")


def processors() -> int:
    """Processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def checked(
    draws: np.ndarray, market: Market, months: Sequence[int] | None, variables: Sequence[str]
) -> tuple[np.ndarray, np.ndarray]:
    """The draws as numbers and the months to keep, in order; what cannot be run is refused."""
    draws = np.ascontiguousarray(draws, dtype=float)
    if draws.ndim != 2 or draws.shape[1] != len(PARAMETERS):
        raise ValueError(f"draws has the shape {draws.shape}: it needs one row a draw and {len(PARAMETERS)} columns")
    unknown = [name for name in variables if name not in VARIABLES]
    if unknown:
        raise ValueError(f"unknown variables {', '.join(unknown)}: there are {', '.join(VARIABLES)}")
    kept = np.arange(market.months) if months is None else np.unique(np.asarray(months, dtype=int))
    if kept.size and not (0 <= kept[0] and kept[-1] < market.months):
        raise ValueError(f"months must lie between 0 and {market.months - 1}")
    return draws, kept


def simulate(
    draws: np.ndarray,
    market: Market,
    months: Sequence[int] | None = None,
    variables: Sequence[str] = VARIABLES,
    workers: int | None = None,
    chunk: int = 2_000,
) -> Outcome:
    """Run the model for each draw; the result depends neither on workers nor on chunk.

    Args:
        draws: Parameters in the order of PARAMETERS, (draws, 28); months, shares as fractions, rates a month.
        market: The inputs, T months and G goods.
        months: Months to keep, counted from 0; all by default.
        variables: Variables to keep, of VARIABLES.
        workers: Threads; as many as there are processors by default.
        chunk: Draws that a thread takes at a time; bounds the memory beside what is kept.
    """
    draws, kept = checked(draws, market, months, variables)
    columns = np.array([VARIABLES.index(name) for name in variables], dtype=np.int64)
    slot = np.full(market.months, -1)
    slot[kept] = np.arange(kept.size)
    recorded = np.empty((len(draws), kept.size, len(market.goods), len(columns)))
    summary = np.empty((len(draws), len(market.goods), len(SUMMARY)))

    def run(first):
        part = slice(first, first + chunk)
        _run(draws[part], *market.arrays, slot, columns, recorded[part], summary[part])

    starts = range(0, len(draws), chunk)
    workers = min(workers or processors(), max(1, len(starts)))
    if workers == 1:
        for first in starts:
            run(first)
    else:
        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(run, starts))
    return Outcome(market, kept, tuple(variables), recorded, summary)
