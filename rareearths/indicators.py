"""Indicators of concentration, dependence and change; each formula with its source."""

from __future__ import annotations

import pandas as pd

REST = "ROW"
"""Code of "other countries": several producers in one row, so no producer of its own in a concentration."""


def share_pct(part: float, whole: float) -> float:
    """Give ``part`` over ``whole`` in percent.

    Raises:
        ValueError: the whole is not above zero.
    """
    if not whole > 0:
        raise ValueError(f"a share needs a whole above zero, not {whole}")
    return 100 * part / whole


def hhi(quantities: pd.Series) -> float:
    """Give the Herfindahl-Hirschman index of quantities by producer, 0 to 10,000 points.

    The sum of the squared shares in percent (U.S. Department of Justice, Herfindahl-Hirschman Index). An entry
    ``ROW`` counts in the total but not as a producer, which makes the result a lower bound; see :func:`hhi_bounds`.

    Args:
        quantities: tonnes (or any one unit) indexed by producer; missing values are left out.

    Raises:
        ValueError: a negative quantity, or a total that is not above zero.
    """
    return hhi_bounds(quantities)[0]


def hhi_bounds(quantities: pd.Series) -> tuple[float, float]:
    """Give the least and the greatest index that the producers hidden in ``ROW`` allow.

    The least takes them as endlessly many, the greatest as a single one.
    """
    known = quantities.dropna()
    if (known < 0).any():
        raise ValueError(f"negative quantities: {', '.join(map(str, known[known < 0].index))}")
    shares = 100 * known / _total(known)
    named = shares[shares.index != REST]
    rest = shares[shares.index == REST].sum()
    least = float((named**2).sum())
    return least, least + float(rest**2)


def top_share_pct(quantities: pd.Series, count: int = 3) -> float:
    """Give the share of the ``count`` largest producers in percent: the concentration ratio CR_count.

    Args:
        quantities: tonnes (or any one unit) indexed by producer; ``ROW`` counts in the total only.
    """
    known = quantities.dropna()
    return share_pct(known[known.index != REST].nlargest(count).sum(), _total(known))


def years_of_output(reserves: float, output: float) -> float:
    """Give reserves over one year's output, in years: a ratio of two estimates, not a forecast of exhaustion."""
    if not output > 0:
        raise ValueError(f"years of output need an output above zero, not {output}")
    return reserves / output


def revision_pct(first: float, latest: float) -> float:
    """Give the change from a first to a latest printing in percent of the first; NaN when the first was nought."""
    return float("nan") if first == 0 else 100 * (latest - first) / first


def _total(quantities: pd.Series) -> float:
    total = float(quantities.sum())
    if not total > 0:
        raise ValueError(f"the quantities add up to {total}; a concentration needs a total above zero")
    return total
