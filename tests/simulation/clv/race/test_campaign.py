"""The order of things: what is booked when, what is shown when, who is contacted how often."""

from dataclasses import replace

import numpy as np
import pytest

from app.simulation.clv.export import export
from app.simulation.clv.play import campaign_of, outcomes_of, play
from app.simulation.clv.policies.random_crayfish import RandomCrayfish
from app.simulation.clv.race.race import Race
from app.simulation.clv.world.products import Channel, Product
from app.simulation.clv.world.scenario import Scenario
from app.simulation.clv.world.world import World
from tests.support.simulation.clv_policies import Witness, always, nobody

SURE = (Channel("call", 3.0, 1.0), Channel("e-mail", 0.0, 1.0))
KEEN = (Channel("call", 3.0, 0.3), Channel("e-mail", 0.0, 0.2))
SLOW = Product("Slow", 100, 50, 10, 0.5)
FAST = Product("Fast", 105, 60, 100, 0.5)


def raced(policy, scenario, **changes):
    return play(Race(policies=(policy,), scenario=scenario, replications=2, **changes))


def contacts_of(policy, scenario):
    return export(Race(policies=(policy,), scenario=scenario, replications=1), 0)


def test_every_contact_is_booked_with_its_own_cost_up_to_the_last_day(small):
    booked = raced(RandomCrayfish(), small).booked[0]
    costs = World.of(small).arms.cost
    assert booked.cost.sum() == pytest.approx((booked.actions * costs).sum())
    assert (booked.actions.sum(axis=1) == 2 * small.quota).all()


def test_an_email_costs_nothing_and_a_call_three_euro(small):
    world = World.of(small)
    call, email = (int(np.flatnonzero(world.arms.channel == c)[0]) for c in (0, 1))
    assert (raced(always(call), small).booked[0].cost == 3 * 40 * 60).all()
    assert (raced(always(email), small).booked[0].cost == 0).all()


def test_what_is_booked_is_what_the_log_says(small):
    scenario = replace(small, channels=KEEN)
    log = contacts_of(RandomCrayfish(), scenario)
    result = play(Race(policies=(RandomCrayfish(),), scenario=scenario, replications=1))
    assert log.reward.sum() == pytest.approx(result.final(0)[0])
    assert log.observed.sum() == result.booked[0].conversions[0] > 0


def test_a_sale_after_the_last_day_is_not_booked(small):
    log = contacts_of(RandomCrayfish(), replace(small, channels=KEEN))
    late = (log.contacts.delay < 21) & (log.contacts.day + log.contacts.delay >= small.days)
    assert late.any()
    assert not log.observed[late].any()
    assert (log.reward[late] <= 0).all()


def test_sales_are_shown_the_morning_after_and_misses_after_three_weeks(small):
    witness, scenario = Witness(), replace(small, channels=KEEN)
    race = Race(policies=(witness,), scenario=scenario, replications=1)
    campaign = campaign_of(race, World.of(scenario), outcomes_of(race, 0), 0, witness)
    days = list(campaign.days())
    day, delay = (np.concatenate([getattr(made, name) for made in days]) for name in ("day", "delay"))
    for morning, shown in enumerate(witness.seen):
        assert shown.trials.sum() == (day < morning).sum()
        assert shown.successes.sum() == ((delay < 21) & (day + delay < morning)).sum()
        assert shown.failures.sum() == ((delay == 21) & (day + 21 <= morning)).sum()


def test_a_conversion_counts_one_trial_and_one_success(small):
    witness = Witness()
    raced(witness, replace(small, channels=SURE))
    last = witness.seen[-1]
    assert (last.successes <= last.trials).all()
    assert last.trials.sum() == 2 * 40 * 59


@pytest.mark.parametrize("kind", ["bayesian_groundhog", "contextual_groundhog", "epsilon_ringtail"])
def test_no_decision_depends_on_how_long_the_run_still_lasts(small, kind):
    policy = Race().policies[[p.described()["kind"] for p in Race().policies].index(kind)]
    short, long = (contacts_of(policy, replace(small, days=days)).contacts for days in (30, 60))
    assert (short.arm == long.arm[: short.arm.size]).all()
    assert (short.customer == long.customer[: short.customer.size]).all()


def test_nobody_is_contacted_twice_in_a_run(small):
    customers = contacts_of(RandomCrayfish(), replace(small, customers=1_000)).contacts.customer
    assert np.unique(customers).size == customers.size == 1_000


def test_a_customer_waits_three_weeks_and_the_longest_waiting_comes_first():
    scenario = Scenario(customers=500, days=100, quota=40, recontact_days=21)
    made = contacts_of(RandomCrayfish(), scenario).contacts
    order = World.of(scenario).base.order
    assert (made.customer == np.resize(order, made.customer.size)).all()
    for customer in range(0, 500, 50):
        assert (np.diff(made.day[made.customer == customer]) >= 21).all()


def test_a_sale_changes_the_product_so_that_nobody_buys_it_twice():
    scenario = Scenario(
        products=(SLOW, FAST), channels=SURE, templates=1, customers=200, days=90, quota=50, recontact_days=21
    )
    slow = (World.of(scenario).base.product == 0).sum()
    assert (raced(always(2, 200), scenario).booked[0].conversions == slow).all()


def test_full_channels_are_closed_and_both_are_filled():
    scenario = Scenario(customers=5_000, days=20, channel_quotas=(30, 70))
    log = contacts_of(RandomCrayfish(), scenario)
    channel = World.of(scenario).arms.channel[log.contacts.arm]
    for day in range(20):
        assert np.bincount(channel[log.contacts.day == day]).tolist() == [30, 70]
    assert log.contacts.open_arms[np.arange(channel.size), log.contacts.arm].all()


def test_who_is_left_in_peace_uses_no_quota_and_is_not_asked_again(small):
    choice = always(0, 3_000).choice.copy()
    choice[::2] = -1
    half = replace(always(0, 3_000), choice=choice, label="every second")
    customers = contacts_of(half, small).contacts.customer
    assert customers.size == 1_500
    assert (customers % 2 == 1).all()
    assert raced(nobody(3_000), small).booked[0].contacts.tolist() == [0, 0]


def test_expired_products_are_no_arms(world):
    assert {int(p) for p in world.arms.product} == {6, 7, 8, 9, 10}


@pytest.mark.parametrize(
    "change",
    [
        {"quota": 80}, {"decay": 0.5}, {"price_ratio": 1.5}, {"channels": KEEN}, {"window_days": 5},
        {"horizon_days": 2000}, {"least_years": 1.0}, {"discount": 0.2}, {"churn": 0.3}, {"days": 50},
        {"contract_days": 1000}, {"base_seed": 7}, {"customers": 2_500},
        {"recontact_days": 21}, {"channel_quotas": (20, 20)},
    ],
    ids=lambda change: next(iter(change)),
)  # fmt: skip
def test_every_slider_has_an_effect(small, change):
    scenario = replace(
        small, customers=2_000, channels=(Channel("call", 3.0, 0.2), Channel("e-mail", 0.0, 0.1))
    )
    before, after = (raced(RandomCrayfish(), s).final(0) for s in (scenario, replace(scenario, **change)))
    assert (before != after).any()
