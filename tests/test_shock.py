"""The supply-shock model: what its equations have to give whatever the numbers, and the measures it is judged by."""

import dataclasses
import math

import numpy as np
import pandas as pd
import pytest

from rareearths import data
from rareearths.shock import backtest, engine, episodes, parameters, score, vectorised
from rareearths.shock.engine import AT, Market

MONTHS = 72
CUTS = (1.0, 0.9, 0.75, 0.6, 0.5, 0.4, 0.25, 0.1, 0.0)  # pass rates
BY_MONTH = (
    "output_loss activity_outside activity_china output_china own_supply planned pass_rate magnet_pass_rate quota duty"
).split()


@pytest.fixture(scope="module")
def tables():
    return {name: data.load(name) for name in episodes.TABLES}


@pytest.fixture(scope="module")
def draws(tables):
    return parameters.draw(parameters.ranges(tables["parameters"], "episodes"), 2_000, seed=1)


@pytest.fixture(scope="module")
def tested(tables):
    """A back-test, smaller than that of the report."""
    return backtest.run(tables, draws=20_000)


@pytest.fixture(scope="module")
def limits():
    """The acceptance criteria that are arithmetic: least and greatest by name."""
    return data.load("acceptance").set_index("criterion")[["minimum", "maximum"]]


def one_good(months=36, **changes):
    """Dysprosium in a quiet market: China uses three times as much as others, who make a part of it themselves."""
    fields = {
        "goods": ("Dy",),
        "months": months,
        "china_use": np.array([3.0]),
        "own_supply": np.full((months, 1), 0.03),
        "in_magnets": np.ones(1),
    }
    return Market(**{**fields, **changes})


def licensed(rate, stop=12, months=36, **changes):
    """Licences let a share through in months 1 to stop."""
    path = np.ones(months)
    path[1 : stop + 1] = rate
    return one_good(months, **{"pass_rate": path, "magnet_pass_rate": path, **changes})


def longer(market, months=MONTHS):
    """The same market, its last month repeated."""
    paths = {name: getattr(market, name) for name in BY_MONTH if getattr(market, name) is not None}
    more = {n: np.concatenate([p, np.repeat(p[-1:], months - len(p), axis=0)]) for n, p in paths.items()}
    return dataclasses.replace(market, months=months, **more)


def any_market(seed, months=60):
    """A market with all shocks at once, some of them strong."""
    random = np.random.default_rng(seed)
    goods = int(random.integers(1, 5))

    def path(low, high, share):
        """1, and in a share of the months something between low and high."""
        shape = (months, goods)
        return np.where(random.random(shape) < share, random.uniform(low, high, shape), 1.0)

    return Market(
        goods=tuple(f"good {number}" for number in range(goods)),
        months=months,
        china_use=random.uniform(0.2, 5.0, goods),
        own_supply=random.uniform(0.0, 0.9, goods) + np.zeros((months, goods)),
        base_usd_kg=random.uniform(3.0, 600.0, goods),
        weight=random.dirichlet(np.ones(goods)),
        output_loss=path(0.0, 1.0, 0.9),
        activity_outside=path(0.3, 1.5, 0.5),
        activity_china=path(0.3, 1.5, 0.5),
        output_china=path(0.2, 1.2, 0.5),
        elastic_supply=random.integers(0, 2, goods).astype(float),
        planned=random.uniform(0.0, 0.3, goods) * np.arange(months)[:, None] / months,
        planned_under_ban=random.uniform(0.0, 0.3, goods) * np.arange(months)[:, None] / months,
        ban=(random.random(months) < 0.5).astype(float),
        pass_rate=path(0.0, 1.0, 0.5),
        magnet_pass_rate=path(0.0, 1.0, 0.5),
        in_magnets=random.integers(0, 2, goods).astype(float),
        quota=np.where(random.random(months) < 0.5, random.uniform(0.0, 1.5, months), np.inf),
        duty=path(0.8, 1.3, 0.5),
        reserve=random.uniform(0.0, 3.0, goods),
        floor_price=float(random.integers(0, 3)),
        spot_seen=float(random.integers(0, 2)),
    )


def apart(one, other):
    """Largest difference of two outcomes by draw, over the value or, where that is smaller, a thousandth of base use."""
    difference = np.abs(one.recorded - other.recorded)
    scale = np.maximum(1e-3, np.maximum(np.abs(one.recorded), np.abs(other.recorded)))
    return (difference / scale).reshape(len(difference), -1).max(axis=1)


# Two codes


@pytest.mark.parametrize(
    "name", ["episode A", "episode B", "event C", "licences", "licences, contract price seen", "output lost"]
)
def test_two_codes_agree(tables, draws, limits, name):
    market = {
        "episode A": lambda: episodes.episode_a(tables).market,
        "episode B": lambda: longer(episodes.episode_b(tables).market),
        "event C": lambda: longer(episodes.event_c(tables)),
        "licences": lambda: licensed(0.25, months=MONTHS),
        "licences, contract price seen": lambda: licensed(0.25, months=MONTHS, spot_seen=0.0, floor_price=2.5),
        "output lost": lambda: one_good(
            MONTHS, output_loss=np.ones(MONTHS), planned_under_ban=np.full((MONTHS, 1), 0.2), ban=np.ones(MONTHS)
        ),
    }[name]()
    compiled, plain = engine.simulate(draws[:500], market), vectorised.simulate(draws[:500], market)
    assert apart(compiled, plain).max() <= limits.loc["two_codes_agree", "maximum"]
    same = [name for name in engine.SUMMARY if name != "balance_error"]
    for name in same:
        np.testing.assert_allclose(compiled[name], plain[name], rtol=1e-8, atol=1e-9, err_msg=name)


def test_two_codes_agree_on_random_markets(draws):
    """Strong shocks of all kinds, 12 months: long enough to use every equation, too short to enlarge rounding errors."""
    for seed in range(20):
        market = any_market(seed, months=12)
        assert apart(engine.simulate(draws[:50], market), vectorised.simulate(draws[:50], market)).max() <= 1e-8, seed


# What holds whatever the numbers


def test_nothing_is_lost_or_made_from_nothing(draws, limits):
    for seed in range(100):
        outcome = engine.simulate(draws[:100], any_market(seed))
        assert outcome["balance_error"].max() <= limits.loc["mass_balance", "maximum"], seed
        assert outcome["lowest_stock"].min() >= limits.loc["stocks_not_negative", "minimum"], seed
        assert np.isfinite(outcome.recorded).all(), seed


@pytest.mark.parametrize("simulate", [engine.simulate, vectorised.simulate])
def test_without_a_shock_nothing_moves(draws, limits, simulate):
    outcome = simulate(draws[:200], one_good(264))
    allowed = max(limits.loc["no_shock_no_change", "maximum"], 1e-12)
    for region in ("outside", "china"):
        assert np.abs(outcome[f"price_{region}"] - 1.0).max() <= allowed
        stock = outcome[f"stock_{region}"]
        assert np.abs(stock - stock[:, :1]).max() <= 1e-11
    assert outcome["lost_use"].max() == 0.0


def test_licences_that_let_all_through_change_nothing(draws):
    free, passed = engine.simulate(draws, one_good()), engine.simulate(draws, licensed(1.0))
    np.testing.assert_array_equal(free.recorded, passed.recorded)


@pytest.mark.parametrize("base_usd_kg", [4.0, 300.0])
def test_a_quota_of_base_exports_changes_nothing(draws, base_usd_kg):
    """Of a cheap good too, whose premium would swing from month to month once it had moved at all."""
    quota = one_good(quota=np.ones(36), base_usd_kg=np.array([base_usd_kg]))
    free, full = engine.simulate(draws, one_good()), engine.simulate(draws, quota)
    np.testing.assert_allclose(free.recorded, full.recorded, rtol=0, atol=1e-12)


def test_a_larger_cut_never_lowers_the_price(draws):
    """The highest price of the whole path; the summary's peak ends where stocks run out, so it is no measure for this."""
    outcomes = [engine.simulate(draws, licensed(rate)) for rate in CUTS]
    for less, more in zip(outcomes, outcomes[1:], strict=False):
        assert (more["price_outside"].max(axis=1) >= less["price_outside"].max(axis=1) * (1 - 1e-12)).all()
        holds = more["empty_month"] < 0
        assert (more["peak"] >= less["peak"] * (1 - 1e-12))[holds].all()


def test_a_larger_cut_never_lowers_lost_use_but_where_the_price_rations_first(draws):
    """In 1 to 2 of 20,000 draws a full stop brings the price to its bound a month before a stop of 90 percent does, use
    falls with it and the stock lasts. What is used in all, lost or forgone, never rises with the cut."""
    outcomes = [engine.simulate(draws, licensed(rate)) for rate in CUTS]
    for less, more in zip(outcomes, outcomes[1:], strict=False):
        change = (more["lost_use"] - less["lost_use"])[:, 0]
        assert np.mean(change < -1e-12) <= 0.001
        assert change.min() > -0.1
        used = [outcome["use_met_outside"][:, :13].sum(axis=1) for outcome in (less, more)]
        assert (used[1] <= used[0] + 1e-12).all()


def test_without_stocks_own_supply_and_leaks_a_full_stop_stops_magnets(draws):
    bare = draws.copy()
    bare[:, AT["stock_cover"]], bare[:, AT["leakage_cap"]] = 1e-9, 0.0
    outcome = engine.simulate(bare, licensed(0.0, own_supply=np.zeros((36, 1))))
    assert outcome["use_met_outside"][:, 1:13].max() <= 1e-8
    assert outcome["use_outside"][:, 1:13].min() > 0.01


def test_more_stock_lets_more_be_used_and_lowers_the_loss_on_average(draws):
    """Not the loss of each draw: with less stock the price reaches its bound sooner and use falls before stocks are out, and
    what users forgo is not counted as lost. So the loss rises by up to 0.4 months in up to a fifth of the draws."""
    for rate in (0.25, 0.1, 0.0):
        outcomes = [
            engine.simulate(draws, licensed(rate, reserve=np.array([extra])))
            for extra in (0.0, 0.5, 1.0, 2.0, 3.0, 6.0)
        ]
        for less, more in zip(outcomes, outcomes[1:], strict=False):
            assert more["lost_use"].mean() < less["lost_use"].mean()
            rise = more["lost_use"] - less["lost_use"]
            assert rise.max() < 0.5 and np.mean(rise > 1e-12) < 0.2
            used = [outcome["use_met_outside"][:, :13].sum(axis=1) for outcome in (less, more)]
            assert np.mean(used[1] < used[0] - 1e-12) <= 0.001


def test_an_announcement_starts_no_panic(tables, draws):
    calm, nervous = draws.copy(), draws.copy()
    calm[:, AT["panic_cover_increase"]], nervous[:, AT["panic_cover_increase"]] = 0.0, 1.3
    announced = episodes.event_c(tables)
    np.testing.assert_array_equal(
        engine.simulate(calm, announced).recorded, engine.simulate(nervous, announced).recorded
    )
    dated = episodes.event_c(tables, panic_dated=np.array([0, 1, 1, 1, 0, 0]))
    assert np.median(engine.simulate(nervous, dated)["price_outside"][:, 1]) > 1.5


# Draws, chunks and workers


def test_the_result_does_not_depend_on_chunks_and_workers(draws):
    market = licensed(0.25)
    whole = engine.simulate(draws, market, workers=1, chunk=len(draws))
    for workers, chunk in ((1, 7), (2, 333), (3, 1)):
        parts = engine.simulate(draws[:500], market, workers=workers, chunk=chunk)
        np.testing.assert_array_equal(whole.recorded[:500], parts.recorded)
        np.testing.assert_array_equal(whole.summary[:500], parts.summary)


def test_months_and_variables_kept_are_those_of_the_whole_path(draws):
    market = licensed(0.25)
    whole, kept = engine.simulate(draws, market), engine.simulate(draws, market, [30, 3], ("premium", "price_outside"))
    np.testing.assert_array_equal(kept.months, [3, 30])
    np.testing.assert_array_equal(kept["price_outside"], whole["price_outside"][:, [3, 30]])


def test_a_draw_is_the_same_however_they_are_split(tables):
    ranges = parameters.ranges(tables["parameters"], "scenarios")
    whole = parameters.draw(ranges, 100, seed=3)
    for size in (1, 7, 40):
        parts = [parameters.draw(ranges, min(size, 100 - first), 3, first) for first in range(0, 100, size)]
        np.testing.assert_array_equal(whole, np.concatenate(parts))
    assert not np.array_equal(whole, parameters.draw(ranges, 100, seed=4))


@pytest.mark.parametrize("use", ["episodes", "scenarios"])
def test_draws_lie_in_their_ranges(tables, use):
    ranges = parameters.ranges(tables["parameters"], use)
    drawn = parameters.draw(ranges, 5_000, seed=3)
    assert (drawn >= ranges["low"].to_numpy() - 1e-12).all() and (drawn <= ranges["high"].to_numpy() + 1e-12).all()
    assert (drawn[:, AT["long_run_demand_elasticity"]] <= drawn[:, AT["short_run_demand_elasticity"]]).all()


def test_a_range_with_a_mode_is_triangular():
    """From 0 to 4 with the mode 1 a quarter lies below 1; the upper half of the rest begins at 4 - sqrt(6)."""
    ranges = pd.DataFrame([{"low": 0.0, "mode": 1.0, "high": 4.0}] * len(engine.PARAMETERS), index=engine.PARAMETERS)
    numbers = np.array([[0.0], [0.25], [0.5], [1.0]]) * np.ones(len(engine.PARAMETERS))
    np.testing.assert_allclose(parameters.scaled(numbers, ranges)[:, 0], [0.0, 1.0, 4.0 - math.sqrt(6.0), 4.0])


# What is refused


def test_a_run_that_makes_no_sense_is_refused(draws):
    for simulate in (engine.simulate, vectorised.simulate):
        with pytest.raises(ValueError, match="one row a draw and 28 columns"):
            simulate(draws[:, :24], one_good())
        with pytest.raises(ValueError, match="unknown variables price:"):
            simulate(draws, one_good(), variables=("price",))
        with pytest.raises(ValueError, match="months must lie between 0 and 35"):
            simulate(draws, one_good(), months=[36])
    with pytest.raises(KeyError, match="premium was not recorded"):
        engine.simulate(draws[:1], one_good(), variables=("price_china",))["premium"]


@pytest.mark.parametrize(
    "column, value, message",
    [
        ("drawn", "", "column drawn: 0 rows of stock_cover"),
        ("value_high", math.nan, "row stock_cover candidate {}, columns value_low and value_high: a range is missing"),
        ("value", 99.0, "row stock_cover candidate {}, column value: 99.0 is not between"),
        ("value_low", 98.0, "row stock_cover candidate {}, column value: .* is not between"),
    ],
)
def test_a_wrong_range_is_named_with_file_row_and_column(tables, column, value, message):
    table = tables["parameters"].copy()
    row = parameters.ranges(table, "episodes").loc["stock_cover"]
    here = (table["parameter"] == "stock_cover") & (table["candidate"] == row["candidate"])
    table.loc[here, column] = value
    with pytest.raises(ValueError, match="data/model/parameters.csv, " + message.format(row["candidate"])):
        parameters.ranges(table, "episodes")


def test_two_rows_to_draw_one_parameter_from_are_refused(tables):
    table = tables["parameters"]
    twice = pd.concat([table, table[table["parameter"] == "stock_cover"]])
    with pytest.raises(ValueError, match="parameters.csv, column drawn: [2-9] rows of stock_cover are drawn from"):
        parameters.ranges(twice, "scenarios")
    with pytest.raises(ValueError, match="unknown use 'chapter'"):
        parameters.ranges(table, "chapter")


# Measures


def points(**columns):
    count = len(columns["multiple"])
    return pd.DataFrame({"market": ["outside"] * count, "good": ["Dy"] * count, **columns})


def test_interval_score_by_hand():
    """Width 2; outside, 20 times the distance is added at a level of 90 percent."""
    found = score.interval_score(np.full(3, -1.0), np.full(3, 1.0), np.array([0.0, 1.5, -3.0]))
    np.testing.assert_allclose(found, [2.0, 12.0, 42.0])


def test_a_perfect_forecast_scores_nothing():
    quotes = points(multiple=[1.0, 3.0, 8.0])
    truth = score.observed(quotes)
    found = score.score(truth, truth, truth, quotes).loc["outside"]
    assert found.to_dict() == {"error": 0, "bias": 0, "coverage": 1, "width": 0, "interval": 0, "points": 3}


def test_a_forecast_twice_too_high_has_the_bias_of_a_factor_of_two():
    quotes = points(multiple=[1.0, 3.0])
    middle = score.observed(quotes) + math.log(2)
    found = score.score(middle - 1, middle, middle + 1, quotes).loc["outside"]
    assert (found["bias"], found["width"], found["coverage"]) == (pytest.approx(math.log(2)), pytest.approx(2.0), 1.0)


def test_weights_by_hand():
    """One point, missed by no and by one deviation: weights as 1 to exp(-1/2)."""
    found = score.weights(np.array([[0.0], [0.5]]), points(multiple=[1.0]), sd=0.5, worth=7)
    np.testing.assert_allclose(found, np.array([1.0, math.exp(-0.5)]) / (1.0 + math.exp(-0.5)))
    assert score.effective(np.full(8, 1 / 8)) == pytest.approx(8.0)
    assert score.effective(np.array([0.0, 1.0])) == pytest.approx(1.0)


def test_points_are_worth_no_more_than_they_are_said_to_be():
    """Ten points that miss by one deviation, worth two: exp(-1) for the draw that misses."""
    found = score.weights(np.array([[0.0] * 10, [0.5] * 10]), points(multiple=[1.0] * 10), sd=0.5, worth=2)
    assert found[1] / found[0] == pytest.approx(math.exp(-1.0))


def test_weighted_quantiles_are_those_of_repeated_values():
    random = np.random.default_rng(1)
    values, times = random.normal(size=(40, 3)), random.integers(1, 9, 40)
    shares = (0.05, 0.33, 0.5, 0.95)
    plain = np.quantile(np.repeat(values, times, axis=0), shares, axis=0, method="inverted_cdf")
    np.testing.assert_array_equal(score.quantiles(values, times.astype(float), shares), plain)


def test_draws_taken_again_follow_their_weights():
    weight = np.random.default_rng(2).dirichlet(np.ones(30))
    counts = np.array([np.bincount(score.again(weight, 200, seed), minlength=30) for seed in range(2_000)])
    assert (np.abs(counts - 200 * weight) < 1.0).all()  # never a whole draw away from the share
    np.testing.assert_allclose(counts.mean(axis=0), 200 * weight, atol=0.06)


def test_only_the_named_parameters_carry_what_was_learned(draws):
    weight = np.zeros(len(draws))
    weight[17] = 1.0
    out = score.cut(draws, weight, draws[:100], ("price_stock_exponent", "stock_cover"))
    assert (out[:, AT["stock_cover"]] == draws[17, AT["stock_cover"]]).all()
    others = [place for name, place in AT.items() if name not in ("price_stock_exponent", "stock_cover")]
    np.testing.assert_array_equal(out[:, others], draws[:100, others])


def test_rivals_by_hand():
    """Exports at a quarter, output at a half, quotes after one and after two months."""
    market = one_good(2, pass_rate=np.full(2, 0.25), output_loss=np.ones(2), in_magnets=np.zeros(1))
    quotes = points(multiple=[2.0, 4.0], month=[1.0, 2.0]).assign(market=["outside", "inside"])
    episode = episodes.Episode("tiny", market, quotes, quotes)
    np.testing.assert_array_equal(score.rival_last(episode), [0.0, 0.0])
    np.testing.assert_allclose(score.rival_static(episode, -1.0, 0.3, 0.5), np.log([4.0, 2.0]))
    np.testing.assert_allclose(score.rival_reverting(episode, pd.Series({"Dy": 0.8}), 0.5), [0.4, 0.6])
    assert score.fitted_exponent(episode, 0.3, 0.5) == pytest.approx(-0.5)
    low, middle, high = score.rival_flat(episode, episode)
    np.testing.assert_allclose([low, middle, high], np.log([[2.0, 4.0]] * 3))


def test_prices_between_two_month_ends_lie_on_a_straight_line(draws):
    """A quote in the middle of the third month stands between the ends of the second and the third."""
    market = licensed(0.25)
    quotes = points(multiple=[1.0] * 3, month=[0.5, 2.5, 36.0])
    episode = episodes.Episode("tiny", market, quotes, quotes)
    found = episode.predict(engine.simulate(draws, market, episode.months(), backtest.PRICES))
    price = np.log(engine.simulate(draws, market)["price_outside"][:, :, 0])
    np.testing.assert_allclose(found[:, 0], price[:, 0] / 2)
    np.testing.assert_allclose(found[:, 1], (price[:, 1] + price[:, 2]) / 2)
    np.testing.assert_allclose(found[:, 2], price[:, 35])


# The back-test


def test_the_back_test_keeps_the_arithmetic(tested, limits):
    for episode in tested.episodes.values():
        outcome = engine.simulate(tested.draws[:5_000], episode.market, [0], ("premium",))
        assert outcome["balance_error"].max() <= limits.loc["mass_balance", "maximum"]
        assert outcome["lowest_stock"].min() >= limits.loc["stocks_not_negative", "minimum"]


def test_the_control_event_moves_nothing(tables, tested, limits):
    """December 2023: no price change beyond 2 percent within three months in 95 percent of draws."""
    outcome = engine.simulate(tested.learned("A and B"), episodes.event_c(tables), variables=backtest.PRICES)
    for name in backtest.PRICES:
        change = 100 * (outcome[name][:, 1:4, 0] - 1.0)
        low, high = np.quantile(change, [0.025, 0.975], axis=0)
        assert (low >= limits.loc["control_event", "minimum"]).all()
        assert (high <= limits.loc["control_event", "maximum"]).all()


def test_the_quota_of_2011_is_not_overrun(tested, limits):
    market = tested.episodes["A"].market
    flow = engine.simulate(tested.learned("A"), market, range(12, 24), ("legal_flow",))["legal_flow"]
    use = 100 * (flow @ market.weight).sum(axis=1) / market.quota[12:24].sum()
    assert use.max() <= limits.loc["quota_use_2011", "maximum"] * (1 + 1e-9)


def test_a_fit_says_better_what_it_was_fitted_on(tested):
    errors = tested.scores(names=None)["error"]
    for name in ("A", "B"):
        assert errors[name, name, "outside"] < errors["nothing", name, "outside"]
    for on in ("A", "B", "A and B"):
        assert tested.weights[on].sum() == pytest.approx(1.0)
        assert 1.0 < score.effective(tested.weights[on]) < len(tested.draws)
