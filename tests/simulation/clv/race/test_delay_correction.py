"""What the policies of the telco race make of sales that are on their way."""

from dataclasses import replace

import numpy as np
import pytest

from app.bandits.delay.chain_ladder import AgeCounts, chain_ladder
from app.bandits.delay.curve import fractions_at
from app.bandits.delay.effective import matured_totals
from app.simulation.clv.play import campaign_of, outcomes_of, play
from app.simulation.clv.policies.contextual_groundhog import ContextualGroundhog
from app.simulation.clv.policies.observations import Observations
from app.simulation.clv.policies.random_crayfish import RandomCrayfish
from app.simulation.clv.policies.registry import race_policy
from app.simulation.clv.race.race import Race
from app.simulation.clv.world.products import Channel
from app.simulation.clv.world.world import World
from tests.support.simulation.clv_policies import Witness

KEEN = (Channel("call", 3.0, 0.3), Channel("e-mail", 0.0, 0.2))
WINDOW = 21


def final(policy, scenario, correction):
    race = Race(policies=(policy,), scenario=scenario, replications=3, delay_correction=correction)
    return play(race).final(0).tolist()


@pytest.fixture
def watched(small):
    """What a policy was shown on each morning under the correction, and the contacts behind it."""
    witness, scenario = Witness(), replace(small, channels=KEEN)
    race = Race(policies=(witness,), scenario=scenario, replications=1, delay_correction="auto")
    campaign = campaign_of(race, World.of(scenario), outcomes_of(race, 0), 0, witness)
    return witness.seen, list(campaign.days())


@pytest.mark.parametrize("kind", ["random_crayfish", "segment_junglefowl"])
def test_a_policy_that_learns_nothing_is_not_changed(small, kind):
    policy = race_policy(kind, {})
    assert final(policy, small, "auto") == final(policy, small, "none")


@pytest.mark.parametrize(
    "kind", ["epsilon_ringtail", "bayesian_groundhog", "contextual_groundhog", "thompson"]
)
def test_a_policy_that_learns_decides_by_it(small, kind):
    policy, scenario = race_policy(kind, {}), replace(small, channels=KEEN)
    assert final(policy, scenario, "auto") != final(policy, scenario, "none")


@pytest.mark.parametrize("kind", ["epsilon_ringtail", "bayesian_groundhog", "contextual_groundhog"])
def test_where_every_sale_is_made_on_the_day_nothing_changes(small, kind):
    policy, scenario = race_policy(kind, {}), replace(small, channels=KEEN, decay=0.0)
    assert final(policy, scenario, "auto") == final(policy, scenario, "none")


def test_the_default_shows_what_has_come():
    assert Race().delay_correction == "none"


@pytest.mark.parametrize("correction", ["curve", "", None])
def test_another_correction_is_rejected(correction):
    with pytest.raises(ValueError, match=r"^delay_correction must be one of auto, none"):
        Race(policies=(RandomCrayfish(),), delay_correction=correction)


@pytest.mark.parametrize("morning", [1, 10, 21, 59])
def test_trials_count_as_far_as_the_services_curve_says(watched, morning):
    """The curve and the totals computed anew from the log, all arms with their own contacts and sales."""
    seen, days = watched
    k = seen[0].trials.shape[-1]
    made = np.array([np.bincount(one.arm, minlength=k) for one in days[:morning]], float)
    came = np.zeros((morning, WINDOW, k))
    for day, one in enumerate(days[:morning]):
        for age in range(min(WINDOW, morning - day)):
            came[day, age] = np.bincount(one.arm[one.delay == age], minlength=k)
    ages = np.minimum(np.arange(morning)[::-1], WINDOW - 1)
    fractions = fractions_at(chain_ladder(AgeCounts.of_cohorts(came.sum(axis=2), ages)), ages)
    expected = matured_totals(made, came.sum(axis=1), fractions[:, None])
    totals = seen[morning].pooled()
    np.testing.assert_allclose(totals.trials[0], expected.trials, rtol=1e-12)
    np.testing.assert_allclose(totals.successes[0], expected.successes, rtol=1e-12)


def test_the_value_of_a_sale_stays_what_it_is(watched, small):
    """Successes and values are scaled alike, so their quotient is that of the sales that have come."""
    seen, days = watched
    sold = [one.where((one.delay < WINDOW) & (day + one.delay < 40)) for day, one in enumerate(days[:40])]
    delta, arm = (np.concatenate([getattr(one, name) for one in sold]) for name in ("delta", "arm"))
    totals = seen[40].pooled()
    assert totals.value.sum() > 0
    for i in np.unique(arm):
        assert totals.value[0, i] / totals.successes[0, i] == pytest.approx(delta[arm == i].mean())


def test_a_segment_with_more_sales_than_trials_can_be_decided_about():
    """300 sales where only 0.2 trials count so far: far more than any prior makes up for."""
    contestant = replace(ContextualGroundhog(), segments=1)
    one = np.ones((1, 1, 1))
    shown = Observations(0.2 * one, 300 * one, 0 * one, 400 * one, 400 * one, np.zeros(1))
    believed = contestant.worth(shown)
    assert believed.b.item() >= 1
    assert shown.pooled().trials.item() == 300
