"""The indicators, against values worked out by hand."""

import math

import pandas as pd
import pytest

from rareearths import indicators


def test_hhi_of_the_example_in_the_source():
    """Shares of 30, 30, 20 and 20 percent give 2,600 points (U.S. Department of Justice)."""
    assert indicators.hhi(pd.Series({"A": 30, "B": 30, "C": 20, "D": 20})) == pytest.approx(2600)


def test_hhi_of_a_single_producer_is_ten_thousand():
    assert indicators.hhi(pd.Series({"CHN": 7.0})) == pytest.approx(10_000)


def test_other_countries_widen_the_hhi_to_bounds():
    low, high = indicators.hhi_bounds(pd.Series({"CHN": 80, "USA": 10, "ROW": 10}))
    assert (low, high) == (pytest.approx(6500), pytest.approx(6600))


def test_top_share_counts_other_countries_in_the_total_only():
    tonnes = pd.Series({"CHN": 50, "USA": 10, "AUS": 5, "IND": 1, "ROW": 34})
    assert indicators.top_share_pct(tonnes, 3) == pytest.approx(65)


def test_missing_output_is_left_out_not_counted_as_nought():
    assert indicators.hhi(pd.Series({"CHN": 50, "USA": 50, "MMR": math.nan})) == pytest.approx(5000)


@pytest.mark.parametrize("quantities", [{"CHN": -1, "USA": 2}, {"CHN": 0}, {}])
def test_impossible_quantities_are_refused(quantities):
    with pytest.raises(ValueError):
        indicators.hhi(pd.Series(quantities, dtype=float))


def test_years_of_output_and_revisions():
    assert indicators.years_of_output(44_000_000, 270_000) == pytest.approx(162.96, abs=0.01)
    assert indicators.revision_pct(13_000, 1_500) == pytest.approx(-88.46, abs=0.01)
    assert math.isnan(indicators.revision_pct(0, 10))
    with pytest.raises(ValueError):
        indicators.years_of_output(1, 0)


def test_without_the_largest_the_others_are_left():
    assert indicators.without_largest(pd.Series({"CHN": 70, "USA": 20, "ROW": 10})) == ("CHN", pytest.approx(30))


def test_other_countries_are_never_the_largest():
    assert indicators.without_largest(pd.Series({"ROW": 90, "AUS": 4, "USA": 6})) == ("USA", pytest.approx(94))
    with pytest.raises(ValueError, match="no producer is named"):
        indicators.without_largest(pd.Series({"ROW": 90.0}))


def test_of_two_equal_producers_the_first_by_name_is_left_out():
    assert indicators.without_largest(pd.Series({"USA": 5.0, "AUS": 5.0}))[0] == "AUS"


@pytest.mark.parametrize(
    "figures, expected",
    [
        ((40, 80, 20, 0), 60),  # 60 of net imports over a use of 100
        ((0, 50, 0, 0), 100),
        ((100, 10, 60, 0), 0),  # a net exporter
        ((40, 50, 0, 10), 60),  # a release from stocks counts as not produced
        ((0, 10, 10, 0), None),  # nothing was used
        ((5, 0, 10, 0), None),
    ],
)
def test_net_import_reliance_by_hand(figures, expected):
    result = indicators.net_import_reliance_pct(*figures)
    assert result is None if expected is None else result == pytest.approx(expected)


@pytest.mark.parametrize("production", [0, 1, 40, 1e6])
@pytest.mark.parametrize("imports", [0, 3, 1e5])
@pytest.mark.parametrize("exports", [0, 2, 1e6])
def test_net_import_reliance_lies_between_nought_and_a_hundred(production, imports, exports):
    result = indicators.net_import_reliance_pct(production, imports, exports)
    assert result is None or 0 <= result <= 100


def test_a_stock_covers_so_many_months():
    assert indicators.coverage_months(50, 200) == pytest.approx(3)
    assert indicators.coverage_months(0, 200) == 0


def test_a_unit_value_is_value_over_quantity_and_nothing_where_nothing_was_shipped():
    assert indicators.unit_value(300, 20) == pytest.approx(15)
    assert math.isnan(indicators.unit_value(0, 0))
    assert math.isnan(indicators.unit_value(float("nan"), 20))


def test_growth_that_doubles_in_ten_years_is_seven_percent_a_year():
    assert indicators.cagr_pct(50, 100, 10) == pytest.approx(7.1773, abs=1e-4)
    assert indicators.cagr_pct(80, 80, 3) == pytest.approx(0)
    assert indicators.cagr_pct(100, 50, 1) == pytest.approx(-50)


def test_growth_rates_of_parts_of_a_span_lead_to_the_end_of_it():
    rate = indicators.cagr_pct(30, 90, 7)
    assert 30 * (1 + rate / 100) ** 7 == pytest.approx(90)


def test_a_price_in_money_of_another_year():
    assert indicators.real(100, 200, 300) == pytest.approx(150)
    assert indicators.real(indicators.real(100, 200, 300), 300, 200) == pytest.approx(100)


@pytest.mark.parametrize(
    "call",
    [
        lambda: indicators.without_largest(pd.Series({"CHN": -1.0, "USA": 2.0})),
        lambda: indicators.without_largest(pd.Series({"CHN": 0.0})),
        lambda: indicators.net_import_reliance_pct(1, -1, 0),
        lambda: indicators.coverage_months(-1, 10),
        lambda: indicators.coverage_months(1, 0),
        lambda: indicators.unit_value(-1, 10),
        lambda: indicators.cagr_pct(0, 10, 2),
        lambda: indicators.cagr_pct(10, 10, 0),
        lambda: indicators.real(1, 0, 10),
    ],
)
def test_what_makes_no_sense_is_refused(call):
    with pytest.raises(ValueError):
        call()
