"""Whole campaigns over HTTP in which the best variant's conversions take twice as long as the others'."""

import numpy as np
import pytest

from tests.support.delay.campaigns import lifts
from tests.support.delay.worlds import World, geometric

BEST_IS_SLOW = np.stack([geometric(3), geometric(6), geometric(3)])


@pytest.mark.statistics
@pytest.mark.parametrize("way", ["tracked", "28 days"])
def test_six_days_against_three_are_found_and_survived(client, played, way):
    """A curve in common counts the best variant's impressions too early: its lift is below 0.

    With 14 days reported again it is 4.9: an eighth of the best variant's conversions is never reported then.
    """
    campaigns = played(World(BEST_IS_SLOW), way)
    for campaign in campaigns:
        answer = client.get(
            f"/allocations/{campaign.name}", params={"for_date": str(campaign.date(20))}
        ).json()
        assert "delay_differs" in [gate["gate"] for gate in answer["gates"]]
    assert lifts(campaigns).mean() >= 5


@pytest.mark.parametrize("way", ["tracked", "daily"])
def test_a_slow_best_variant_is_found_within_twenty_days(client, played, way):
    (campaign,) = played(World(BEST_IS_SLOW, days=20), way, runs=1)
    gates = client.get(f"/allocations/{campaign.name}").json()["gates"]
    assert [gate["gate"] for gate in gates] == ["delay_differs"]
    assert client.get(f"/experiments/{campaign.name}/delay").json()["e_value"] >= 1000
