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
