"""The base, the lifetime values and the response against what is known of them."""

import numpy as np
import pytest
from scipy import stats

from app.simulation.clv.world.lifetime import Lifetime
from app.simulation.clv.world.scenario import Scenario
from app.simulation.clv.world.world import World


def test_customers_have_the_products_in_the_shares_of_the_catalogue(world):
    shares = np.array([product.share for product in world.scenario.products])
    counts = np.bincount(world.base.product, minlength=shares.size)
    assert stats.chisquare(counts, shares * 100_000).pvalue > 1e-4


def test_contracts_began_in_the_last_six_years_of_each_products_sale(world):
    sold = np.array([product.on_sale for product in world.scenario.products])[world.base.product]
    ended = -1430  # 2018-12-31, counted from 2022-11-30
    assert (world.base.start[sold].min(), world.base.start[sold].max()) == (-2190, -1)
    assert (world.base.start[~sold].min(), world.base.start[~sold].max()) == (ended - 2189, ended)


def test_everybody_stands_in_line_once(world):
    assert (np.sort(world.base.order) == np.arange(100_000)).all()


def test_the_same_scenario_makes_the_same_base_and_another_seed_another():
    first, again, other = (World.of(Scenario(base_seed=seed)).base for seed in (1, 1, 2))
    assert (first.product == again.product).all()
    assert (first.start == again.start).all()
    assert (first.order != other.order).any()


def test_a_new_contract_is_worth_its_margin_for_the_whole_horizon(world):
    complete = 8
    assert world.hlv(np.array(complete), np.array(3), 3) == pytest.approx(210 * 1820 / 365.25)


def test_an_old_contract_is_still_worth_half_a_year(world):
    assert world.hlv(np.array(0), np.array(-3000), 0) == pytest.approx(176 / 2)


def test_lifetime_value_counts_exact_days_across_new_year(world):
    value = world.hlv(np.array(6), np.array(0), np.arange(30, 35))
    assert np.diff(value) == pytest.approx([-206 / 365.25] * 4)


def test_discount_and_churn_shrink_future_margin_as_an_integral_does():
    lifetime = Lifetime.of(Scenario(discount=0.08, churn=0.1))
    years = np.linspace(0, 1000 / 365.25, 20_001)
    middle = (years[1:] + years[:-1]) / 2
    integral = ((0.9 / 1.08) ** middle * np.diff(years)).sum()
    assert lifetime.annuity(np.array(820)) == pytest.approx(integral, rel=1e-8)


def test_only_faster_offers_at_less_than_a_tenth_more_are_eligible(world):
    able = world.response.eligible
    pairs = {(p, int(world.arms.product[arm])) for p, arm in zip(*np.nonzero(able), strict=True)}
    basis, z3, start, maxi, giga, complete_tv, complete = 1, 4, 6, 9, 10, 7, 8
    assert pairs == {
        *((p, offer) for p in (basis, start) for offer in (complete_tv, complete)),
        *((p, giga) for p in (z3, maxi)),
    }


def test_two_of_the_five_products_can_never_convert(world):
    sellable = {int(p) for p in world.arms.product[world.response.eligible.any(axis=0)]}
    assert sellable == {7, 8, 10}


def test_a_call_converts_16_percent_and_an_email_two_and_a_half(world):
    call, email = world.response.chance.sum(axis=1)
    assert call == pytest.approx(0.161, abs=5e-4)
    assert email == pytest.approx(0.0245, abs=5e-5)
    assert world.response.chance[0, 1] == pytest.approx((1 - 0.035) * 0.035 * 0.8)


def test_delays_follow_their_chances(world):
    uniform = (np.arange(1_000_000) + 0.5) / 1_000_000
    delay = world.response.delay(uniform, np.zeros(uniform.size, dtype=int))
    observed = np.bincount(delay, minlength=22)[:21] / uniform.size
    assert observed == pytest.approx(world.response.chance[0], abs=2e-6)


def test_templates_only_multiply_identical_arms():
    single = World.of(Scenario(templates=1))
    assert single.arms.k == 10
    assert (World.of(Scenario()).response.eligible[:, ::2] == single.response.eligible).all()
