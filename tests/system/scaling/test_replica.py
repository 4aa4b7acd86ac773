"""A real standby on loopback: what it answers, what it must not, and what is answered without it."""

import datetime as dt
import logging
import os
import random
import signal
import time
from contextlib import contextmanager

import pytest

from app.observability import metrics
from app.storage import replica
from tests.support import LIMIT
from tests.support.databases import connect
from tests.support.fixtures.hours import convert, hourly, show
from tests.support.problems import problem
from tests.support.totals import history as reports_of_days
from tests.support.totals import small_total as total

HOUR = dt.timedelta(hours=1)
TODAY, YESTERDAY = "2026-03-10", "2026-03-09"
FULL = [total(), total(variant_id="bold", successes=15)]


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    """Tests do not wait for a replica as long as people do."""
    monkeypatch.setattr(replica, "RETRY_SECONDS", 0.2)
    monkeypatch.setattr(
        replica, "MAX_READ_SECONDS", LIMIT
    )  # one that works is not given up, however slow it is


@pytest.fixture
def make_service(pair, make_client):
    """Return a maker of services that know both servers; each is another process's, as far as memory goes."""
    return lambda **settings: make_client(**{**pair.urls, **settings})


@contextmanager
def asked(**wanted):
    """Check who answers what is asked in the block: replica, primary (though the replica was asked), away."""
    before = {who: metrics.REPLICA_READS.labels(who)._value.get() for who in ("replica", "primary", "away")}
    yield
    found = {who: metrics.REPLICA_READS.labels(who)._value.get() - n for who, n in before.items()}
    assert {who: int(n) for who, n in found.items() if n} == wanted


def allocation(service, date=TODAY):
    answer = service.get(f"/allocations/homepage?for_date={date}")
    assert answer.status_code == 200, answer.text
    return answer


def recorded(pair):
    with connect(pair.primary.url_for("groundhog")) as connection:
        return connection.execute("select count(*) from allocations").fetchone()[0]


def test_what_is_recorded_is_answered_by_the_replica_to_the_byte(pair, make_service):
    first = make_service()
    first.post("/metrics/", json=FULL)
    answer = allocation(first)
    pair.catch_up()
    with asked(replica=1):
        assert allocation(make_service()).content == answer.content
    assert "Groundhog-Stale" not in answer.headers


def test_a_new_revision_is_recorded_by_the_primary(pair, make_service):
    service = make_service()
    service.post("/metrics/", json=FULL)
    pair.catch_up()
    with asked(primary=1):
        assert allocation(service).json()["recorded"] is True
    assert recorded(pair) == 1


def test_a_replica_that_is_old_answers_nothing_old(pair, make_service):
    service = make_service()
    service.post("/metrics/", json=FULL)
    before = allocation(service).json()
    pair.catch_up()
    pair.stop_replaying()
    service.post("/metrics/", json=total(successes=90))
    with asked(primary=2):
        answers = [allocation(one) for one in (service, make_service())]
    assert answers[0].content == answers[1].content
    assert answers[0].json()["allocations"] != before["allocations"]
    assert "Groundhog-Stale" not in answers[1].headers
    assert recorded(pair) == 2


def test_an_experiment_that_the_replica_does_not_know_yet_is_the_primarys(pair, make_service):
    pair.stop_replaying()
    service = make_service()
    service.post("/metrics/", json=FULL)
    with asked(primary=1):
        assert allocation(service).json()["recorded"] is True


def test_an_experiment_that_was_deleted_is_not_read_from_a_replica_that_still_has_it(pair, make_service):
    service = make_service()
    service.post("/metrics/", json=FULL)
    old = allocation(service).json()
    pair.catch_up()
    pair.stop_replaying()
    assert service.delete("/experiments/homepage?confirm=homepage").status_code == 200
    for one in (service, make_service()):
        assert one.get("/allocations/homepage").status_code == 404
        assert one.get("/allocations/homepage/history").status_code == 404
    service.post("/metrics/", json=[total(successes=90), total(variant_id="bold")])
    new = [allocation(one).json() for one in (service, make_service())]
    assert new[0] == new[1]
    assert new[0]["revision"] != old["revision"]


def test_a_past_date_is_computed_on_the_replica(pair, make_service, make_client):
    service = make_service()
    service.post("/metrics/", json=FULL)
    pair.catch_up()
    with asked(replica=1):
        answer = allocation(service, YESTERDAY)
    alone = make_client(database_url=pair.urls["database_url"])
    assert allocation(alone, YESTERDAY).content == answer.content
    assert answer.json()["recorded"] is False


def test_a_past_date_whose_revision_has_not_come_yet_is_the_primarys(pair, make_service, clock):
    service = make_service()
    service.post("/metrics/", json=FULL)
    pair.catch_up()
    pair.stop_replaying()
    in_force = allocation(service)  # recorded at the version that the replica is at
    clock.pass_days(1)
    with asked(primary=1):
        assert allocation(make_service()).content == in_force.content
    pair.catch_up()
    with asked(replica=1):
        assert allocation(make_service()).content == in_force.content


def test_what_units_did_before_a_past_date_is_the_primarys(pair, make_service, clock):
    service = make_service()
    variants = [{"variant_id": name} for name in ("control", "bold")]
    service.post(
        "/experiments", json={"experiment_id": "homepage", "source": "tracked", "variants": variants}
    )
    clock.pass_days(2)
    pair.catch_up()
    with asked(primary=1):
        allocation(service, "2026-03-11")


def test_the_history_has_every_revision(pair, make_service):
    service = make_service()
    service.post("/metrics/", json=FULL)
    pair.catch_up()
    pair.stop_replaying()
    allocation(service)
    path = "/allocations/homepage/history"
    with asked(primary=1):
        behind = service.get(path).json()
    pair.catch_up()
    with asked(replica=1):
        assert service.get(path).json() == behind
    assert len(behind["items"]) == 1


def test_whatever_happens_the_answer_is_the_primarys(pair, make_service, make_client, clock):
    """Forty steps by chance: totals, settings, days, and a replica that stops replaying and catches up."""
    chance, forgetful = random.Random(20261122), {"allocation_cache_bytes": 0}
    service = make_service(**forgetful)
    alone = make_client(database_url=pair.urls["database_url"], **forgetful)
    service.post("/metrics/", json=FULL)
    steps = [
        lambda: service.post("/metrics/", json=total(successes=chance.randint(5, 25))),
        lambda: service.patch("/experiments/homepage", json={"min_share": chance.randint(0, 20)}),
        lambda: clock.pass_days(1),
        pair.stop_replaying,
        pair.catch_up,
    ]
    before = metrics.REPLICA_READS.labels("replica")._value.get()
    for _ in range(40):
        chance.choice(steps)()
        date = (clock.now + dt.timedelta(days=chance.randint(-3, 1))).date()
        both = [service, alone]
        chance.shuffle(both)
        assert len({allocation(one, date).content for one in both}) == 1
    assert metrics.REPLICA_READS.labels("replica")._value.get() > before + 5


def test_while_the_replica_is_away_the_primary_answers_and_it_is_said(pair, make_service, caplog):
    service = make_service()
    service.post("/metrics/", json=FULL)
    pair.catch_up()
    allocation(service, YESTERDAY)
    assert service.get("/readyz").json()["replica"] == "answers"
    with (
        pair.without(pair.standby),
        caplog.at_level(logging.WARNING, "groundhog.replica"),
        asked(away=2),
    ):
        allocation(service, "2026-03-08")
        allocation(service, "2026-03-07")
        ready = service.get("/readyz")
    assert [record.message.split(":")[0] for record in caplog.records] == [
        "the read replica is away and the primary answers for it"
    ]
    assert (ready.status_code, ready.json()["replica"]) == (200, "away")
    up = [
        line for line in service.get("/metrics").text.splitlines() if line.startswith("groundhog_replica_up{")
    ]
    assert [line.split()[-1] for line in up] == ["0.0"]
    time.sleep(replica.RETRY_SECONDS)
    with asked(replica=1):
        allocation(service, "2026-03-06")
    assert service.get("/readyz").json()["replica"] == "answers"


def test_a_replica_that_hangs_keeps_nobody(pair, make_service, monkeypatch):
    monkeypatch.setattr(replica, "MAX_READ_SECONDS", 0.5)
    service = make_service()
    service.post("/metrics/", json=FULL)
    pair.catch_up()
    allocation(service, YESTERDAY)
    with connect(pair.standby.url_for("groundhog")) as connection:
        find = "select pid from pg_stat_activity where application_name = 'groundhog'"
        stopped = [pid for (pid,) in connection.execute(find)]
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        with asked(away=1):
            allocation(service, "2026-03-08")
        assert time.monotonic() - began < LIMIT  # the replica itself would never have answered
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)


def test_while_the_primary_is_away_the_replica_answers_and_it_is_marked(pair, make_service):
    first, second = make_service(), make_service()
    first.post("/metrics/", json=FULL)
    answer = allocation(first)
    pair.catch_up()
    allocation(second, YESTERDAY)
    with pair.without(pair.primary):
        found, tomorrow = allocation(second), allocation(second, "2026-03-11")
        problem(second.get("/allocations/nowhere"), 503)
    assert (found.content, found.headers["Groundhog-Stale"]) == (answer.content, "true")
    assert (tomorrow.json()["recorded"], tomorrow.headers["Groundhog-Stale"]) == (False, "true")


def test_conversions_on_their_way_are_counted_on_the_replica_as_on_the_primary(pair, make_service):
    """Today's answer and one of a past date, by the primary, by the replica, and without the primary."""
    first = make_service()
    first.post("/metrics/", json=reports_of_days())
    dates = (TODAY, YESTERDAY)
    before = [allocation(first, date).content for date in dates]
    assert all(b'"delay"' in body for body in before)
    pair.catch_up()
    service = make_service()
    with asked(replica=2):
        assert [allocation(service, date).content for date in dates] == before
    with pair.without(pair.primary):
        answers = [allocation(service, date) for date in dates]
    assert [answer.content for answer in answers] == before
    assert {answer.headers["Groundhog-Stale"] for answer in answers} == {"true"}


def by_the_hour(service):
    answer = service.get("/allocations/e")
    assert answer.status_code == 200, answer.text
    return answer


def test_what_is_recorded_of_an_hour_is_answered_by_the_replica_to_the_byte(pair, make_service, clock):
    service = make_service()
    hourly(service)
    convert(service, show(service, 400)["b"][:30])
    clock.now += HOUR
    recorded = by_the_hour(service)
    pair.catch_up()
    with asked(replica=1):
        assert by_the_hour(make_service()).content == recorded.content
    assert recorded.json()["data_through"] == "2026-03-10T13:00:00Z"


def test_the_first_answer_of_an_hour_is_the_primarys(pair, make_service, clock):
    """No event raised the version since: only the hour tells that the replica's revision is no longer in force."""
    service = make_service()
    hourly(service)
    before = by_the_hour(service)
    show(service, 400)
    by_the_hour(service)
    clock.now += HOUR
    pair.catch_up()
    with asked(primary=1):
        assert by_the_hour(make_service()).json()["revision"] != before.json()["revision"]


def test_an_hour_that_began_without_the_primary_is_computed_on_the_replica(pair, make_service, clock):
    service = make_service(allocation_cache_bytes=0)
    hourly(service)
    convert(service, show(service, 400)["b"][:30])
    pair.catch_up()
    before = by_the_hour(service).json()
    clock.now += HOUR
    with pair.without(pair.primary):
        stale = by_the_hour(service)
    assert stale.headers["Groundhog-Stale"] == "true"
    assert stale.json()["allocations"] != before["allocations"]
    assert {**stale.json(), "recorded": True} == by_the_hour(service).json()


def test_a_past_date_that_only_the_replica_can_answer_is_marked_too(pair, make_service):
    service = make_service()
    service.post("/metrics/", json=FULL)
    pair.catch_up()
    allocation(service, YESTERDAY)
    with pair.without(pair.primary):
        found = allocation(service, "2026-03-08")
    assert (found.json()["recorded"], found.headers["Groundhog-Stale"]) == (False, "true")


def test_a_server_that_is_no_replica_is_not_read(pair, make_service):
    service = make_service(read_database_url=pair.urls["database_url"])
    service.post("/metrics/", json=FULL)
    with asked(away=1):
        allocation(service, YESTERDAY)
    assert service.get("/readyz").json()["replica"] == "away"
