"""Whole campaigns over HTTP whose conversions come late: what is earned beyond an even split.

12, 15 and 13 %, 30 days of 10,000 impressions, 30 seeds; an oracle earns 12.5 % more. Totals of tracked campaigns
are written by the roll-up's own statement: ``test_counted_events`` has that their events, sent one by one, are
answered alike.
"""

import numpy as np
import pytest

from tests.support.delay.campaigns import ask, lifts
from tests.support.delay.worlds import AT_ONCE, DELAYS, World, exactly, geometric

LEAST = {"exactly 3": 10.6, "exactly 7": 8.9, "mean 3": 11.4, "mean 7": 11.3}
LEAST_OF_WEEKLY = {"exactly 3": 9.3, "exactly 7": 6.3, "mean 3": 11.4, "mean 7": 11.1}
LOW_RATES = np.array([0.01, 0.012, 0.011])
WAYS = ("tracked", "daily", "weekly")


@pytest.mark.statistics
@pytest.mark.parametrize("delay", DELAYS)
@pytest.mark.parametrize("way", WAYS)
def test_a_campaign_learns_while_conversions_are_on_their_way(client, played, way, delay):
    """Nor are delays that the variants have in common found to differ."""
    least = LEAST_OF_WEEKLY if way == "weekly" else LEAST
    campaigns = played(World(DELAYS[delay]), way)
    assert lifts(campaigns).mean() >= least[delay]
    assert [answer.json()["gates"] for answer in ask(client, campaigns)] == [[]] * len(campaigns)


@pytest.mark.parametrize("way", WAYS)
def test_two_weeks_of_a_campaign_teach_more_than_as_booked(played, way):
    """As booked, a variant that is given traffic looks worse for three days: the campaign falls behind."""
    world = World(exactly(3), days=14)
    assert (lifts(played(world, way, runs=1)) > lifts(played(world, way, runs=1, delay="none"))).all()


@pytest.mark.statistics
def test_without_delay_nothing_is_lost(played):
    """Paired by seed: the very same traffic on every day, in whichever way the totals become known."""
    as_booked = traffic(played(World(AT_ONCE), "tracked", delay="none"))
    for way in WAYS:
        estimated = played(World(AT_ONCE), way)
        assert traffic(estimated) == as_booked
        assert lifts(estimated).mean() >= 11.9


def traffic(campaigns):
    return [one.shown.tolist() for one in campaigns]


@pytest.mark.statistics
@pytest.mark.parametrize("way", WAYS)
def test_at_low_rates_campaigns_do_not_fall_behind_as_booked(played, way):
    """A hundred conversions a day, a week on their way: the mean gain by seed is above 4 standard errors."""
    world = World(geometric(7), LOW_RATES)
    gained = lifts(played(world, way)) - lifts(played(world, way, delay="none"))
    assert gained.mean() > 4 * gained.std(ddof=1) / len(gained) ** 0.5
