"""Events sent one by one, and the counts that whole campaigns are played with: the same answers, byte for byte."""

import pytest

from tests.support.delay.campaigns import count
from tests.support.delay.events import send_events
from tests.support.delay.worlds import NAMES, Campaign, World, geometric
from tests.support.fixtures.events import create


@pytest.mark.parametrize(
    "world",
    [
        pytest.param(World(geometric(3), per_day=60, days=6), id="six days of 60 units"),
        pytest.param(World(geometric(7)), id="30 days of 10,000", marks=pytest.mark.statistics),
    ],
)
def test_a_campaign_of_events_is_answered_as_its_counts_are(world, client, elsewhere, clock, database_url):
    """The counts are stored on another server by the statement that the roll-up stores events by."""
    campaign = Campaign(world, 0, "seed_0", clock().date())
    for one in (client, elsewhere):
        create(one, campaign.name, NAMES, source="tracked")
    send, send_counts = send_events(client, clock, database_url), count(elsewhere, clock)
    for day in range(world.days):
        sent, counted = (one.get(f"/allocations/{campaign.name}") for one in (client, elsewhere))
        assert sent.content == counted.content
        campaign.show(day, sent.json()["allocations"])
        send([campaign], day)
        send_counts([campaign], day)
        clock.pass_days(1)
    assert "delay" in client.get(f"/allocations/{campaign.name}").json()
    for path in ("allocations/{}", "experiments/{}/delay", "metrics/{}"):
        sent, counted = (one.get("/" + path.format(campaign.name)) for one in (client, elsewhere))
        assert sent.json() == counted.json()
