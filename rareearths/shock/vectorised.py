"""The same equations a second time, in NumPy: all draws at once, one month after another.

Written from the equations, not from the compiled code, which it checks: the two agree to 1e-8 over 72 months. It is slower
and keeps no two months in memory but those asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace

import numpy as np

from rareearths.shock.engine import (
    BRIEF,
    FLOOR,
    LARGEST_RISE,
    PARAMETERS,
    ROUNDING,
    SUMMARY,
    VARIABLES,
    Market,
    Outcome,
    checked,
)

STAGES = 3  # of the building of a plant


def simulate(
    draws: np.ndarray, market: Market, months: Sequence[int] | None = None, variables: Sequence[str] = VARIABLES
) -> Outcome:
    """Run the model for each draw; arguments and result are those of :func:`rareearths.shock.engine.simulate`.

    The error of the mass balance is that of all months together, not the largest of a month.
    """
    draws, kept = checked(draws, market, months, variables)
    p = SimpleNamespace(**dict(zip(PARAMETERS, draws.T[:, :, None], strict=True)))  # each (draws, 1)
    given = _inputs(market)
    china = _Region(p, p.china_stock_cover, given.china_use, given.demand_scale)
    outside = _Region(p, p.stock_cover, np.ones(len(market.goods)), given.demand_scale)
    plants = _Plants(p, given, outside.stock.shape)
    premium = np.zeros((len(draws), 1))
    panic = np.zeros_like(outside.stock)
    base_trade = 1.0 - given.own_supply[0]
    reserve = np.zeros_like(outside.stock) + given.reserve
    opening, made_so_far, used_so_far = outside.stock + china.stock + reserve, 0.0, 0.0
    recorded = np.empty((len(draws), len(kept), len(market.goods), len(variables)))
    tally = _Tally(outside.stock.shape)

    for month in range(market.months):
        active, active_china = given.activity_outside[month], given.activity_china[month]
        contract = (1.0 - p.spot_volume_share) * china.price + p.spot_volume_share * outside.price
        use = outside.use(outside.price if given.spot_seen > 0.5 else contract, active)
        use_china = china.use(china.price, active_china)
        own = plants.output(month)

        # What is asked of China: what use leaves open, and part of the way to the stock that the price of imports is worth.
        trade = np.maximum(0.0, active - own)
        landed = china.price * given.duty[month] + premium / given.base_usd_kg
        aim = p.stock_cover * (1.0 + p.panic_cover_increase * panic) * outside.intensity * active
        aim = aim * landed ** (-1.0 / p.price_stock_exponent)
        need = np.maximum(0.0, use - own + p.restocking_speed * (aim - outside.stock))
        lure = np.clip(outside.price / china.price - 1.0 - p.leakage_cost, 0.0, 1.0)
        leaked = np.minimum(need, p.leakage_cap * trade * lure)
        wanted = need - leaked

        # What the quota, which counts tonnes of all goods, and the licences, which count each good, let out.
        asked = (given.weight * wanted / np.maximum(BRIEF, base_trade)).sum(axis=1, keepdims=True)
        limit = given.quota[month]
        within_quota = np.where(asked > limit * (1.0 + ROUNDING), limit / np.maximum(asked, np.finfo(float).tiny), 1.0)
        in_magnets = p.magnet_share * given.in_magnets
        passing = (1.0 - in_magnets) * given.pass_rate[month] + in_magnets * given.magnet_pass_rate[month]
        legal = np.minimum(within_quota * wanted, np.where(passing < 1.0, np.maximum(0.0, 1.0 - p.pass_rate_scale * (1.0 - passing)) * trade, np.inf))
        held_back = legal < wanted * (1.0 - ROUNDING)  # by a limit, before any rationing

        # What China has is shared out evenly where it does not suffice for all.
        made = (given.china_use + base_trade) * given.output_china[month]
        made = made * (1.0 - p.china_output_loss * given.output_loss[month])
        made = made * np.minimum(LARGEST_RISE, china.price ** (p.running_supply_elasticity * given.elastic_supply))
        there, demanded = china.stock + made, use_china + legal + leaked
        ration = np.where(demanded > there, there / np.maximum(demanded, BRIEF), 1.0)
        met_china, legal, leaked = use_china * ration, legal * ration, leaked * ration
        china.stock = np.maximum(0.0, there - met_china - legal - leaked)
        released = np.where(held_back, np.clip(use - own - legal - leaked, 0.0, reserve), 0.0)
        reserve = reserve - released
        at_hand = outside.stock + own + legal + leaked + released
        met = np.minimum(use, at_hand)
        outside.stock = at_hand - met
        made_so_far, used_so_far = made_so_far + made + own, used_so_far + met + met_china

        panic = np.where(held_back | (given.panic_dated[month] > 0.0), 1.0, panic * (1.0 - p.panic_speed))
        outside.quote(active, p.stock_cover * (1.0 + p.panic_cover_increase * panic))
        china.quote(active_china, p.china_stock_cover)
        plants.build(month, outside.price)
        tally.add(month, p, active, use, met, outside, china)
        if month in kept:
            now = {
                "price_outside": outside.price,
                "price_china": china.price,
                "stock_outside": outside.stock,
                "stock_china": china.stock,
                "legal_flow": legal,
                "leaked_flow": leaked,
                "use_outside": use,
                "use_met_outside": met,
                "own_supply": own,
                "premium": premium,
            }
            for column, name in enumerate(variables):
                recorded[:, np.searchsorted(kept, month), :, column] = now[name]
        if np.isfinite(limit):
            excess = np.minimum(2.0, asked / max(BRIEF, limit) - 1.0)
            moved = np.maximum(0.5 * premium, premium + p.premium_speed * excess)  # at most half of it is given up
            premium = np.where(np.abs(excess) > ROUNDING, moved, premium)
        else:
            premium = np.zeros_like(premium)

    balance = np.abs(outside.stock + china.stock + reserve + used_so_far - opening - made_so_far)
    return Outcome(market, kept, tuple(variables), recorded, tally.summary(balance))


def _inputs(market: Market) -> SimpleNamespace:
    """The fields of a market, filled in: (T, G), (T,) or (G,)."""
    names = (
        "base_usd_kg weight china_use output_loss activity_outside activity_china output_china elastic_supply own_supply "
        "planned planned_under_ban ban pass_rate magnet_pass_rate in_magnets quota duty panic_dated reserve demand_scale"
    ).split()
    *arrays, (floor_price, spot_seen) = market.arrays
    return SimpleNamespace(floor_price=floor_price, spot_seen=spot_seen, **dict(zip(names, arrays, strict=True)))


class _Region:
    """The users of a region: their stock, the price they pay, what they have learned to save."""

    def __init__(self, p, cover, base_use, demand_scale):
        self.p, self.base_use = p, base_use
        self.stock = cover * base_use
        self.price, self.mean_price = np.ones_like(self.stock), np.ones_like(self.stock)
        self.intensity, self.regained = np.ones_like(self.stock), np.zeros_like(self.stock)
        self.at_once = p.short_run_demand_elasticity * demand_scale
        self.later = (p.long_run_demand_elasticity - p.short_run_demand_elasticity) * demand_scale

    def use(self, seen, active):
        """Use wanted in a month (1)."""
        return self.base_use * self.intensity * active * seen**self.at_once * self.mean_price**self.later

    def quote(self, active, aim):
        """Set the price by the months that the stock covers (9), and save where it has long been high (2)."""
        p, theta = self.p, self.p.redesign_price_ratio
        cover = self.stock / np.maximum(BRIEF, self.base_use * self.intensity * active)
        self.price = (aim / np.maximum(FLOOR, cover)) ** p.price_stock_exponent
        share = 1.0 / p.demand_horizon
        self.mean_price = self.mean_price ** (1.0 - share) * self.price**share  # a geometric mean
        dear = self.mean_price > theta
        saved = p.intensity_cut_ceiling * self.intensity * np.minimum(1.0, self.mean_price / theta - 1.0)
        back = self.regained / p.demand_horizon
        self.intensity = self.intensity + np.where(dear, -saved, back)
        self.regained = self.regained + np.where(dear, (1.0 - p.saving_kept_share) * saved, -back)


class _Plants:
    """Supply outside China (4): the path given, plans as they come, and plants begun because the price was high."""

    def __init__(self, p, given, shape):
        self.p, self.given = p, given
        self.expected = np.ones(shape)
        self.stages = [np.zeros(shape) for _ in range(STAGES)]
        self.built, self.running = np.zeros(shape), np.zeros(shape)

    def output(self, month):
        """Supply of a month; plans under the prohibition come late, in part where the delay is no whole number of months."""
        p, given = self.p, self.given
        months = np.arange(-1, len(given.planned))
        when = month - p.ban_delay[:, 0]
        late = [np.interp(when, months, np.concatenate([[0.0], good])) for good in given.planned_under_ban.T]
        plans = p.plan_yield * given.planned[month] + p.ban_yield * np.stack(late, axis=1)
        return given.own_supply[month] + plans + self.running

    def build(self, month, price):
        """Begin plants where the price expected, or promised, is above the hurdle, and move those begun on."""
        p, banned = self.p, self.given.ban[month]
        self.expected = self.expected * (11.0 / 12.0) + price / 12.0
        worth = (
            np.maximum(self.expected, self.given.floor_price) / (p.investment_hurdle * (1.0 + p.ban_cost * banned))
            - 1.0
        )
        coming = p.outside_supply_growth * (1.0 + self.given.china_use) * np.clip(worth, 0.0, 1.0)
        for place, stage in enumerate(self.stages):
            leaving = stage * STAGES / (p.lead_time_new_mine + p.ban_delay * banned)
            self.stages[place] = stage + coming - leaving
            coming = leaving
        self.built = self.built + (p.ban_yield if banned > 0.0 else p.plan_yield) * coming
        self.running = self.running + (self.built - self.running) / (p.ramp_time / 3.0)


class _Tally:
    """What is added up over the months."""

    def __init__(self, shape):
        self.empty = np.full(shape, -1.0)
        self.lowest = np.full(shape, np.inf)
        self.peak = np.ones(shape)
        self.dear, self.lost, self.below, self.contract, self.spot = (np.zeros(shape) for _ in range(5))

    def add(self, month, p, active, use, met, outside, china):
        """Add a month."""
        short = (met < use * (1.0 - ROUNDING)) & (self.empty < 0.0)
        self.empty[short] = month
        self.peak = np.where(self.empty < 0.0, np.maximum(self.peak, outside.price), self.peak)
        self.dear += outside.price > 2.0
        self.lost += np.where(use > BRIEF, 1.0 - met / np.maximum(BRIEF, use), 0.0)
        self.below += np.where(active > BRIEF, 1.0 - met / np.maximum(BRIEF, active), 0.0)
        spot, contract = outside.price - 1.0, china.price - 1.0
        self.spot += met * spot
        self.contract += met * (p.spot_volume_share * spot + (1.0 - p.spot_volume_share) * contract)
        self.lowest = np.minimum(self.lowest, np.minimum(outside.stock, china.stock))

    def summary(self, balance):
        """All of it in the order of SUMMARY: (draws, goods, 9)."""
        named = {
            "peak": self.peak,
            "months_above_twice": self.dear,
            "lost_use": self.lost,
            "contract_bill": self.contract,
            "spot_bill": self.spot,
            "empty_month": self.empty,
            "balance_error": balance,
            "lowest_stock": self.lowest,
            "use_below_base": self.below,
        }
        return np.stack([named[name] for name in SUMMARY], axis=-1)
