"""Publish an explorer: draws of the model's parameters and a market, for the page to run the model on."""

from __future__ import annotations

import pandas as pd

from rareearths.publish import bundle

DIGITS = 5
"""Significant digits of a parameter that the page runs the model on."""

PARAMETERS = (
    "price_stock_exponent",
    "stock_cover",
    "leakage_cap",
    "china_stock_cover",
    "short_run_demand_elasticity",
    "long_run_demand_elasticity",
    "demand_horizon",
    "redesign_price_ratio",
    "intensity_cut_ceiling",
    "saving_kept_share",
    "leakage_cost",
    "panic_cover_increase",
    "panic_speed",
    "restocking_speed",
    "plan_yield",
    "lead_time_new_mine",
    "ramp_time",
    "outside_supply_growth",
    "investment_hurdle",
    "pass_rate_scale",
)
"""Parameters that matter where there is one good, one pass rate and no quota, plan, prohibition or loss of output."""

BASE = ("months", "shock", "china_use")
"""What is fixed: months in all, month in which the cut begins (from 0), use in China over use outside."""

SETTINGS = {"pass": (0, 100, 1), "months": (1, 24, 1), "reserve": (0, 6, 0.5), "own": (3, 75, 1)}
"""What readers set on a slider: least, most, step. Percent, months, months, percent."""


def explorer(
    draws: pd.DataFrame,
    *,
    id: str,
    title: str,
    caption: str,
    base: dict[str, float],
    start: dict[str, float],
    data_to: str | int,
    sources,
) -> None:
    """Store what the page needs to run the supply-shock model while a reader moves its settings.

    Args:
        draws: parameters of the model, one row a draw, columns by name; :data:`PARAMETERS` are kept, rounded.
        id: permanent name; addresses of settings begin with it (``#explore?pass=25``).
        title: what can be explored, in a few words.
        caption: which good and market it is, and what to be careful about.
        base: the values of :data:`BASE`.
        start: the settings that stand there at first, by the names of :data:`SETTINGS`.
        data_to: the last period that the data behind the draws reach.
        sources: rows or ids of sources that draws and market rest on.

    Raises:
        PublishError: a parameter is missing, a setting or the market is out of range, words or sources are missing.
    """
    bundle.check_id(id)
    for name, text in {"title": title, "caption": caption}.items():
        if not text.strip():
            raise bundle.PublishError(f"{id}: {name} is empty")
    missing = [name for name in PARAMETERS if name not in draws]
    if missing:
        raise bundle.PublishError(f"{id}: the draws have no {', '.join(missing)}")
    kept = draws[list(PARAMETERS)]
    if not len(kept) or kept.isna().any(axis=None):
        raise bundle.PublishError(f"{id}: there are no draws, or some of their values are missing")
    if set(base) != set(BASE) or not 0 <= base["shock"] < base["months"] or base["china_use"] <= 0:
        raise bundle.PublishError(
            f"{id}: base is {base}; it needs {', '.join(BASE)}, with the cut inside the months and some use in China"
        )
    if set(start) != set(SETTINGS):
        raise bundle.PublishError(f"{id}: start is {start}; it needs {', '.join(SETTINGS)}")
    for name, (least, most, step) in SETTINGS.items():
        if not least <= start[name] <= most or (start[name] - least) % step:
            raise bundle.PublishError(f"{id}: {name} is {start[name]}; it runs from {least} to {most} by {step}")
    if base["shock"] + SETTINGS["months"][1] > base["months"]:
        raise bundle.PublishError(f"{id}: {base['months']} months do not hold the longest cut")
    rounded = kept.map(lambda value: float(f"{value:.{DIGITS}g}"))
    content = bundle.columns_and_rows(rounded)
    payload = {
        "id": id,
        "title": bundle.keep_units(title),
        "caption": bundle.keep_units(caption),
        "data_to": str(data_to),
        "base": {name: bundle.plain(base[name]) for name in BASE},
        "start": {name: bundle.plain(start[name]) for name in SETTINGS},
        "data": content,
        "data_digest": bundle.digest([content, base]),
        "sources": bundle.provenance(sources, of=id),
    }
    bundle.show("explorer", payload, f"{title}: {len(kept)} draws")
