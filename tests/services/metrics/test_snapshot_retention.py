"""Deleting old reports and receptions: answers of the present day stay as they are."""

import datetime as dt

import psycopg
import pytest

from app.services.metrics import snapshot_retention
from app.settings import ServiceSettings
from app.storage.database import Database
from tests.support.fixtures.command import groundhog  # noqa: F401 - a fixture
from tests.support.fixtures.events import event
from tests.support.fixtures.hours import convert, hourly, show
from tests.support.totals import history, post, total

DAYS = 120
HOUR = dt.timedelta(hours=1)
READS = ["/allocations/{}?as_of=now", "/experiments/{}/delay", "/experiments/{}/gain", "/metrics/{}"]


@pytest.fixture
def prune(database_url, clock):
    """Return a way to delete what is older than ``DAYS``, at the clock's time."""

    def run():
        database = Database(ServiceSettings(database_url=database_url))
        try:
            with database.transaction() as session:
                return snapshot_retention.delete_older_than(session, clock.now, DAYS)
        finally:
            database.close()

    return run


def answers(client, experiment_id="homepage"):
    return [client.get(path.format(experiment_id)).content for path in READS]


def recent(clock):
    """A day reported twice, yesterday and the day before."""
    yesterday = clock.now.date() - dt.timedelta(days=1)
    date = yesterday - dt.timedelta(days=1)
    return [
        total(date=str(date), successes=40, as_of=str(date)),
        total(date=str(date), as_of=str(yesterday)),
    ]


def test_old_reports_are_deleted_and_today_is_decided_alike(client, clock, prune):
    post(client, *history())
    clock.pass_days(DAYS - 4)
    post(client, *recent(clock))
    before = answers(client)
    deleted = prune()
    old = [one for one in history() if one["date"] < "2026-03-06"]  # the newest of each day is in force
    assert (deleted.snapshots, deleted.received_counts) == (len(old) - 5, 0)
    assert answers(client) == before
    assert prune().snapshots == 0


def test_a_paused_experiment_keeps_what_its_shares_were_decided_by(client, clock, prune):
    post(client, *history())
    client.patch("/experiments/homepage", json={"state": "paused"}).raise_for_status()
    clock.pass_days(3 * DAYS)
    before = answers(client)
    assert b'"delay"' in before[0]
    assert prune().snapshots == 0
    assert answers(client) == before


def test_old_receptions_are_deleted_unless_the_conversions_came_lately(client, clock, prune, database_url):
    variants = [{"variant_id": "a"}, {"variant_id": "b"}]
    made = {"experiment_id": "e", "source": "tracked", "variants": variants, "reward_window_days": 300}
    client.post("/experiments", json=made).raise_for_status()
    units = [{"experiment_id": "e", "unit_id": f"u{i}"} for i in range(20)]
    client.post("/assignments", json=units).raise_for_status()
    sent = [event(unit["unit_id"], kind) for unit in units for kind in ("exposure", "conversion")]
    client.post("/events", json=sent[:20]).raise_for_status()
    clock.pass_days(1)
    client.post("/events", json=sent[20:30]).raise_for_status()
    clock.pass_days(DAYS + 5)
    client.post("/events", json=sent[30:]).raise_for_status()
    before = answers(client, "e")
    assert prune().received_counts > 0
    assert answers(client, "e") == before
    with psycopg.connect(database_url) as connection:
        received = connection.execute(
            "select distinct cast(received_on as text) from received_metrics"
        ).fetchall()
    assert received == [(str(clock.now.date()),)]


def test_old_hours_are_added_up_and_the_present_hour_is_decided_alike(client, clock, prune, database_url):
    """Of units shown at once long ago some converted within hours, some lately; others were shown lately."""
    hourly(client, reward_window_days=300)
    old = show(client, 80, "old")["a"]
    for unit in old[:3]:
        clock.now += HOUR
        convert(client, [unit])
    clock.pass_days(DAYS + 5)
    convert(client, old[3:5])
    new = show(client, 40, "new")
    clock.now += HOUR
    convert(client, new["b"][:5])
    show(client, 40, "newest")
    clock.now += HOUR
    before = answers(client, "e")
    assert b'"unit":"hour"' in before[0].replace(b" ", b"")
    assert prune().received_counts == 3 + 2  # by hour, and of two variants by day
    assert answers(client, "e") == before
    assert prune().received_counts == 0
    with psycopg.connect(database_url) as connection:
        rows = connection.execute(
            "select received_hour - hour, successes from received_hours where successes > 0 order by 1"
        ).fetchall()
    assert rows == [(0, 3), (1, 5), ((DAYS + 5) * 24 + 3, 2)]


def test_the_command_deletes_no_report_unless_a_setting_says_so(client, groundhog, database_url):  # noqa: F811
    post(client, *history())
    assert "reports" not in groundhog("prune", DATABASE_URL=database_url).out
    printed = groundhog("prune", DATABASE_URL=database_url, GROUNDHOG_SNAPSHOT_DAYS="120").out
    assert "replaced reports and 0 counts of received conversions of days more than 120 days ago." in printed


def test_fewer_days_than_the_delay_is_learnt_from_are_rejected(groundhog):  # noqa: F811 - the fixture
    sentence, *_ = groundhog("prune", GROUNDHOG_SNAPSHOT_DAYS="90")
    assert "GROUNDHOG_SNAPSHOT_DAYS" in sentence
    assert "120" in sentence
