"""Whole campaigns over HTTP whose conversions come late: what is earned beyond an even split.

12, 15 and 13 %, 30 days of 10,000 impressions, 30 seeds: an oracle earns 12.5 % more, the standard error of a mean is
0.1 at most. Tracked campaigns are counted by the roll-up's own statement; ``test_counted_events`` has that their
events, sent through ``POST /events``, give the same answers.
"""

import numpy as np
import pytest

from tests.support.delay.campaigns import count, last_days, lifts, play, report, weekly
from tests.support.delay.worlds import AT_ONCE, DELAYS, World, exactly

LEAST = {"exactly 3": 10.6, "exactly 7": 8.9, "mean 3": 11.4, "mean 7": 11.3}
LEAST_OF_WEEKLY = {"exactly 3": 9.3, "exactly 7": 6.3, "mean 3": 11.4, "mean 7": 11.1}
LOW_RATES = np.array([0.01, 0.012, 0.011])


WAYS = ("tracked", "daily", "weekly")


@pytest.fixture
def played(client, clock, pooled_database):
    """Return a player of campaigns whose conversions become known in a way."""
    ways = {
        "tracked": (count(pooled_database, clock), {"source": "tracked"}),
        "daily": (report(client, last_days(14)), {}),
        "weekly": (report(client, weekly(28)), {}),
    }

    def run(world, way, **settings):
        send, more = ways[way]
        return play(client, clock, world, send, **more, **settings)

    return run


@pytest.mark.statistics
@pytest.mark.parametrize("delay", DELAYS)
@pytest.mark.parametrize("way", WAYS)
def test_a_campaign_learns_while_conversions_are_on_their_way(played, way, delay):
    least = LEAST_OF_WEEKLY if way == "weekly" else LEAST
    assert lifts(played(World(DELAYS[delay]), way)).mean() >= least[delay]
