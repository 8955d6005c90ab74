"""Indicators of concentration, dependence and change; each formula with its source."""

from __future__ import annotations

import pandas as pd

REST = "ROW"
"""Code of "other countries": several producers in one row, so no producer of its own in a concentration."""


def share_pct(part: float, whole: float) -> float:
    r"""Give the share of ``part`` in ``whole`` in percent.

    Formula:
        s = 100 \cdot \frac{\text{part}}{\text{whole}}

    Raises:
        ValueError: the whole is not above zero.
    """
    if not whole > 0:
        raise ValueError(f"a share needs a whole above zero, not {whole}")
    return 100 * part / whole


def hhi(quantities: pd.Series) -> float:
    r"""Give the Herfindahl-Hirschman index of quantities by producer, 0 to 10,000 points.

    The sum of the squared shares in percent (U.S. Department of Justice, Herfindahl-Hirschman Index). An entry
    ``ROW`` counts in the total but not as a producer, which makes the result a lower bound; see :func:`hhi_bounds`.

    Formula:
        \mathrm{HHI} = \sum_i s_i^2, \qquad s_i = \text{share of producer } i \text{ in percent}

    Args:
        quantities: tonnes (or any one unit) indexed by producer; missing values are left out.

    Raises:
        ValueError: a negative quantity, or a total that is not above zero.
    """
    return hhi_bounds(quantities)[0]


def hhi_bounds(quantities: pd.Series) -> tuple[float, float]:
    r"""Give the least and the greatest index that the producers hidden in ``ROW`` allow.

    The least takes them as endlessly many, the greatest as a single one.

    Formula:
        \sum_i s_i^2 \;\le\; \mathrm{HHI} \;\le\; \sum_i s_i^2 + s_{\mathrm{ROW}}^2
    """
    known = quantities.dropna()
    _not_negative(known)
    shares = 100 * known / _total(known)
    named = shares[shares.index != REST]
    rest = shares[shares.index == REST].sum()
    least = float((named**2).sum())
    return least, least + float(rest**2)


def top_share_pct(quantities: pd.Series, count: int = 3) -> float:
    r"""Give the share of the ``count`` largest producers in percent: the concentration ratio CR_count.

    Formula:
        \mathrm{CR}_k = s_1 + s_2 + \dots + s_k, \qquad s_1 \ge s_2 \ge \dots

    Args:
        quantities: tonnes (or any one unit) indexed by producer; ``ROW`` counts in the total only.
    """
    known = quantities.dropna()
    return share_pct(known[known.index != REST].nlargest(count).sum(), _total(known))


def without_largest(quantities: pd.Series) -> tuple[str, float]:
    r"""Give the largest producer and what is left without it, in percent of the total: the N-1 view.

    The N-1 criterion is that of security of supply (European Union, Regulation 2017/1938, Annex II), there for the
    largest single infrastructure against demand; here for the largest producer against all output of the year. It
    says what the others made, not what they could make.

    Formula:
        100 - \max_i s_i

    Args:
        quantities: tonnes (or any one unit) indexed by producer; ``ROW`` counts as left, never as the largest.

    Returns:
        The index entry of the largest producer (the first by name where two are equal) and the remainder, 0 to 100.

    Raises:
        ValueError: a negative quantity, no producer by name, or a total that is not above zero.
    """
    known = quantities.dropna()
    _not_negative(known)
    named = known[known.index != REST].sort_index()
    total = _total(known)
    if named.empty:
        raise ValueError("no producer is named, so none can be left out")
    largest = named.idxmax()
    return largest, share_pct(total - named[largest], total)


def net_import_reliance_pct(
    production: float, imports: float, exports: float, stock_release: float = 0.0
) -> float | None:
    r"""Give net imports and stock releases in percent of apparent consumption, at most 100.

    Reliance is imports less exports, plus what stocks released where that is counted; apparent consumption is
    production plus that (U.S. Geological Survey, Mineral Commodity Summaries, notes to the two measures in the data
    releases of 2025 and 2026). All four in one unit, of one year and scope.

    Formula:
        100 \cdot \frac{\text{imports} - \text{exports} + \text{stock release}}{\text{production} + \text{imports} - \text{exports} + \text{stock release}}

    Returns:
        Percent; 0 for a net exporter (the USGS prints "E"); None where consumption is not above zero, so that
        nothing can be said.

    Raises:
        ValueError: a negative production, import or export.
    """
    for name, value in {"production": production, "imports": imports, "exports": exports}.items():
        if value < 0:
            raise ValueError(f"{name} of {value}: it cannot be negative")
    net = imports - exports + stock_release
    consumption = production + net
    if not consumption > 0:
        return None
    return max(0.0, 100 * net / consumption)


def coverage_months(stock: float, yearly_use: float) -> float:
    r"""Give for how many months of average use a stock lasts: twelve times the stock over a year's use.

    Formula:
        12 \cdot \frac{\text{stock}}{\text{use of a year}}

    Raises:
        ValueError: a negative stock, or a use that is not above zero.
    """
    if stock < 0:
        raise ValueError(f"a stock of {stock}: it cannot be negative")
    if not yearly_use > 0:
        raise ValueError(f"coverage needs a use above zero, not {yearly_use}")
    return 12 * stock / yearly_use


def unit_value(value: float, quantity: float) -> float:
    r"""Give value over quantity of a trade flow, e.g. USD over kg: an average over a mix, not a price.

    It moves with the mix as well as with prices (M. Silver, The Wrongs and Rights of Unit Value Indices, Review of
    Income and Wealth 56, 2010).

    Formula:
        \frac{\text{value}}{\text{quantity}}

    Returns:
        NaN where nothing was shipped, or where either figure is missing.

    Raises:
        ValueError: a negative value or quantity.
    """
    if value < 0 or quantity < 0:
        raise ValueError(f"value {value} over quantity {quantity}: neither can be negative")
    return value / quantity if quantity else float("nan")


def cagr_pct(first: float, last: float, years: float) -> float:
    r"""Give the compound annual growth rate in percent: the steady yearly rate that leads from first to last.

    Formula:
        100 \left( \sqrt[\text{years}]{\text{last} / \text{first}} - 1 \right)

    Raises:
        ValueError: a figure or a span of years that is not above zero.
    """
    if not (first > 0 and last > 0):
        raise ValueError(f"a growth rate needs figures above zero, not {first} and {last}")
    if not years > 0:
        raise ValueError(f"a growth rate needs a span above zero, not {years} years")
    return 100 * ((last / first) ** (1 / years) - 1)


def real(nominal: float, deflator_then: float, deflator_base: float) -> float:
    r"""Give a price of another year in money of the base year: nominal times the ratio of the deflators.

    Formula:
        \text{nominal} \cdot \frac{\text{deflator of the base year}}{\text{deflator of then}}
    """
    if not (deflator_then > 0 and deflator_base > 0):
        raise ValueError(f"deflators have to be above zero, not {deflator_then} and {deflator_base}")
    return nominal * deflator_base / deflator_then


def years_of_output(reserves: float, output: float) -> float:
    r"""Give reserves over one year's output, in years: a ratio of two estimates, not a forecast of exhaustion.

    Formula:
        \frac{\text{reserves}}{\text{output of a year}}
    """
    if not output > 0:
        raise ValueError(f"years of output need an output above zero, not {output}")
    return reserves / output


def revision_pct(first: float, latest: float) -> float:
    r"""Give the change from a first to a latest printing in percent of the first; NaN when the first was nought.

    Formula:
        100 \cdot \frac{\text{latest} - \text{first}}{\text{first}}
    """
    return float("nan") if first == 0 else 100 * (latest - first) / first


def _not_negative(known: pd.Series) -> None:
    if (known < 0).any():
        raise ValueError(f"negative quantities: {', '.join(map(str, known[known < 0].index))}")


def _total(quantities: pd.Series) -> float:
    total = float(quantities.sum())
    if not total > 0:
        raise ValueError(f"the quantities add up to {total}; a concentration needs a total above zero")
    return total
