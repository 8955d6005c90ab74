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
    "pass_rate_scale",  # x, what really passes over the stated pass rate
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
)
FLOOR = 0.05  # months of cover below which the price does not rise: parameters.csv, cover_floor
LARGEST_RISE = 1.3  # most that running plants make over their base output
BRIEF = 1e-12


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
            return np.ascontiguousarray(array, dtype=float)

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
    recorded,
    summary,
):
    """One draw after another, all months and goods; fills recorded (n, R, G, V) and summary (n, G, S) in place."""
    months, goods = own_path.shape
    floor_price, spot_seen = scalars[0], scalars[1]
    stock_o, stock_c = np.empty(goods), np.empty(goods)
    price_o, price_c = np.empty(goods), np.empty(goods)
    mean_o, mean_c = np.empty(goods), np.empty(goods)
    intensity_o, intensity_c = np.empty(goods), np.empty(goods)
    saved_o, saved_c = np.empty(goods), np.empty(goods)
    expected = np.empty(goods)
    first, second, third = np.empty(goods), np.empty(goods), np.empty(goods)
    built, running = np.empty(goods), np.empty(goods)
    use_o, use_c = np.empty(goods), np.empty(goods)
    own, wanted, leaked, normal = np.empty(goods), np.empty(goods), np.empty(goods), np.empty(goods)
    balance = np.empty(goods)
    panic = np.empty(goods)
    held = np.empty(goods)
    for n in range(draws.shape[0]):
        beta, loss, cover, leak_cap, cover_c = draws[n, 0], draws[n, 1], draws[n, 2], draws[n, 3], draws[n, 4]
        eps_s, eps_l, horizon, theta, sigma = draws[n, 5], draws[n, 6], draws[n, 7], draws[n, 8], draws[n, 9]
        kept, eta, leak_cost, phi, psi = draws[n, 10], draws[n, 11], draws[n, 12], draws[n, 13], draws[n, 14]
        alpha, gamma, omega = draws[n, 15], draws[n, 16], draws[n, 17]
        mu, rho, delay, lead = draws[n, 18], draws[n, 19], draws[n, 20], draws[n, 21]
        ramp, invest, hurdle = draws[n, 22] / 3.0, draws[n, 23], draws[n, 24]
        rho_ban, cost_ban, really = draws[n, 25], draws[n, 26], draws[n, 27]
        whole = int(np.floor(delay))
        part = delay - whole
        premium = 0.0
        for g in range(goods):
            stock_o[g], stock_c[g], held[g] = cover, cover_c * china_use[g], reserve[g]
            price_o[g] = price_c[g] = mean_o[g] = mean_c[g] = 1.0
            intensity_o[g] = intensity_c[g] = 1.0
            saved_o[g] = saved_c[g] = 0.0
            expected[g] = 1.0
            first[g] = second[g] = third[g] = built[g] = running[g] = 0.0
            panic[g] = 0.0
            balance[g] = 0.0
            for k in range(summary.shape[2]):
                summary[n, g, k] = 0.0
            summary[n, g, 5] = -1.0
            summary[n, g, 7] = np.inf
        for t in range(months):
            asked = 0.0
            for g in range(goods):
                seen = price_o[g] if spot_seen > 0.5 else (1.0 - omega) * price_c[g] + omega * price_o[g]
                scale = demand_scale[g]
                use_o[g] = (  # (1)
                    intensity_o[g]
                    * activity_outside[t, g]
                    * seen ** (eps_s * scale)
                    * mean_o[g] ** ((eps_l - eps_s) * scale)
                )
                use_c[g] = (
                    china_use[g]
                    * intensity_c[g]
                    * activity_china[t, g]
                    * price_c[g] ** (eps_s * scale)
                    * mean_c[g] ** ((eps_l - eps_s) * scale)
                )
                early = t - whole
                late = 0.0  # (4)
                if early >= 0:
                    late = (1.0 - part) * planned_ban[early, g]
                    if early >= 1:
                        late += part * planned_ban[early - 1, g]
                own[g] = own_path[t, g] + rho * planned[t, g] + rho_ban * late + running[g]
                normal[g] = max(0.0, activity_outside[t, g] - own[g])
                landed = price_c[g] * duty[t, g] + premium / base_usd[g]  # (5)
                aim = cover * (1.0 + phi * panic[g]) * intensity_o[g] * activity_outside[t, g] * landed ** (-1.0 / beta)
                need = max(0.0, use_o[g] - own[g] + alpha * (aim - stock_o[g]))
                gap = price_o[g] / price_c[g] - 1.0 - leak_cost
                leaked[g] = min(need, leak_cap * normal[g] * min(1.0, max(0.0, gap)))
                wanted[g] = need - leaked[g]
                asked += weight[g] * wanted[g] / max(BRIEF, 1.0 - own_path[0, g])
            share = 1.0
            if asked > quota[t]:
                share = quota[t] / asked
            for g in range(goods):
                limit = np.inf  # (6)
                free = (1.0 - mu * in_magnets[g]) * pass_rate[t, g] + mu * in_magnets[g] * magnet_pass[t, g]
                if free < 1.0:
                    limit = really * free * normal[g]
                flow = min(share * wanted[g], limit)
                bound = flow < wanted[g] * (1.0 - 1e-9)
                made = (  # (3)
                    (china_use[g] + 1.0 - own_path[0, g])
                    * output_china[t, g]
                    * (1.0 - loss * output_loss[t, g])
                    * min(LARGEST_RISE, price_c[g] ** (eta * elastic[g]))
                )
                total = use_c[g] + flow + leaked[g]  # (7)
                met_c = use_c[g]
                if total > stock_c[g] + made:
                    ration = (stock_c[g] + made) / total
                    met_c, flow = met_c * ration, flow * ration
                    leaked[g] = leaked[g] * ration
                before = stock_o[g] + stock_c[g] + held[g]
                stock_c[g] = max(0.0, stock_c[g] + made - met_c - flow - leaked[g])
                released = 0.0
                if bound:
                    released = min(held[g], max(0.0, use_o[g] - own[g] - flow - leaked[g]))
                held[g] -= released
                at_hand = stock_o[g] + own[g] + flow + leaked[g] + released
                met_o = min(use_o[g], at_hand)
                stock_o[g] = max(0.0, at_hand - met_o)
                balance[g] = max(
                    balance[g],
                    abs(stock_o[g] + stock_c[g] + held[g] - before - made - own[g] + met_c + met_o),
                )
                if bound or panic_dated[t] > 0.0:  # (8)
                    panic[g] = 1.0
                else:
                    panic[g] -= psi * panic[g]
                aim_cover = cover * (1.0 + phi * panic[g])
                ordinary_o = max(BRIEF, intensity_o[g] * activity_outside[t, g])
                ordinary_c = max(BRIEF, china_use[g] * intensity_c[g] * activity_china[t, g])
                price_o[g] = (max(FLOOR, stock_o[g] / ordinary_o) / aim_cover) ** -beta  # (9)
                price_c[g] = (max(FLOOR, stock_c[g] / ordinary_c) / cover_c) ** -beta
                mean_o[g] += (price_o[g] - mean_o[g]) / horizon
                mean_c[g] += (price_c[g] - mean_c[g]) / horizon
                if mean_o[g] > theta:  # (2)
                    cut = sigma * intensity_o[g] * min(1.0, mean_o[g] / theta - 1.0)
                    intensity_o[g] -= cut
                    saved_o[g] += (1.0 - kept) * cut
                else:
                    back = saved_o[g] / horizon
                    intensity_o[g] += back
                    saved_o[g] -= back
                if mean_c[g] > theta:
                    cut = sigma * intensity_c[g] * min(1.0, mean_c[g] / theta - 1.0)
                    intensity_c[g] -= cut
                    saved_c[g] += (1.0 - kept) * cut
                else:
                    back = saved_c[g] / horizon
                    intensity_c[g] += back
                    saved_c[g] -= back
                expected[g] += (price_o[g] - expected[g]) / 12.0  # (4)
                barrier = hurdle * (1.0 + cost_ban * ban[t])
                start = (
                    invest * (1.0 + china_use[g]) * min(1.0, max(0.0, max(expected[g], floor_price) / barrier - 1.0))
                )
                pace = 3.0 / (lead + delay * ban[t])
                done = third[g] * pace
                third[g] += second[g] * pace - done
                second[g] += (first[g] - second[g]) * pace
                first[g] += start - first[g] * pace
                built[g] += (rho_ban if ban[t] > 0.0 else rho) * done
                running[g] += (built[g] - running[g]) / ramp
                empty = met_o < use_o[g] * (1.0 - 1e-9)
                if empty and summary[n, g, 5] < 0.0:
                    summary[n, g, 5] = t
                if summary[n, g, 5] < 0.0:
                    summary[n, g, 0] = max(summary[n, g, 0], price_o[g])
                if price_o[g] > 2.0:
                    summary[n, g, 1] += 1.0
                summary[n, g, 2] += 1.0 - met_o / max(BRIEF, use_o[g])
                summary[n, g, 3] += met_o * ((1.0 - omega) * (price_c[g] - 1.0) + omega * (price_o[g] - 1.0))
                summary[n, g, 4] += met_o * (price_o[g] - 1.0)
                summary[n, g, 7] = min(summary[n, g, 7], min(stock_o[g], stock_c[g]))
                if slot[t] >= 0:
                    at = slot[t]
                    recorded[n, at, g, 0] = price_o[g]
                    recorded[n, at, g, 1] = price_c[g]
                    recorded[n, at, g, 2] = stock_o[g]
                    recorded[n, at, g, 3] = stock_c[g]
                    recorded[n, at, g, 4] = flow
                    recorded[n, at, g, 5] = leaked[g]
                    recorded[n, at, g, 6] = use_o[g]
                    recorded[n, at, g, 7] = met_o
                    recorded[n, at, g, 8] = own[g]
                    recorded[n, at, g, 9] = premium
            if quota[t] < np.inf:  # (10)
                premium = max(0.0, premium + gamma * min(2.0, asked / max(BRIEF, quota[t]) - 1.0))
            else:
                premium = 0.0
        for g in range(goods):
            summary[n, g, 6] = balance[g]


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
    draws = np.ascontiguousarray(draws, dtype=float)
    if draws.ndim != 2 or draws.shape[1] != len(PARAMETERS):
        raise ValueError(f"draws has the shape {draws.shape}: it needs one row a draw and {len(PARAMETERS)} columns")
    unknown = [name for name in variables if name not in VARIABLES]
    if unknown:
        raise ValueError(f"unknown variables {', '.join(unknown)}: there are {', '.join(VARIABLES)}")
    kept = np.arange(market.months) if months is None else np.unique(np.asarray(months, dtype=int))
    if kept.size and not (0 <= kept[0] and kept[-1] < market.months):
        raise ValueError(f"months must lie between 0 and {market.months - 1}")
    columns = [VARIABLES.index(name) for name in variables]
    slot = np.full(market.months, -1)
    slot[kept] = np.arange(kept.size)
    recorded = np.empty((len(draws), kept.size, len(market.goods), len(columns)))
    summary = np.empty((len(draws), len(market.goods), len(SUMMARY)))

    def run(first):
        part = draws[first : first + chunk]
        scratch = np.empty((len(part), kept.size, len(market.goods), len(VARIABLES)))
        _run(part, *market.arrays, slot, scratch, summary[first : first + chunk])
        recorded[first : first + chunk] = scratch[..., columns]

    starts = range(0, len(draws), chunk)
    workers = min(workers or processors(), max(1, len(starts)))
    if workers == 1:
        for first in starts:
            run(first)
    else:
        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(run, starts))
    return Outcome(market, kept, tuple(variables), recorded, summary)
