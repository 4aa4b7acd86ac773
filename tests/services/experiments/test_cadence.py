"""The setting cadence: what goes with it, and when it can change."""

import pytest

from tests.support.fixtures.events import create
from tests.support.fixtures.hours import hourly, show


def faults(answer):
    assert answer.status_code == 422, answer.text
    return [fault["field"] for fault in answer.json()["errors"]]


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"source": "reported"}, "body.cadence"),
        ({"burn_in": {"days": 1}}, "body.burn_in.days"),
        ({"maturity_days": 2}, "body.maturity_days"),
        ({"cadence": "minute"}, "body.cadence"),
    ],
)
def test_what_has_no_meaning_by_hour_is_named(client, settings, field):
    body = {"experiment_id": "e", "cadence": "hour", **settings}
    assert faults(client.post("/experiments", json=body)) == [field]


@pytest.mark.parametrize(
    ("patch", "field"),
    [({"burn_in": {"days": 3}}, "body.burn_in.days"), ({"maturity_days": 2}, "body.maturity_days")],
)
def test_a_change_to_days_is_named(client, patch, field):
    hourly(client)
    assert faults(client.patch("/experiments/e", json=patch)) == [field]


def test_hours_make_the_experiment_tracked(client):
    hourly(client)
    assert client.get("/experiments/e").json()["source"] == "tracked"
    row = {"experiment_id": "e", "variant_id": "a", "date": "2026-03-10", "impressions": 1, "successes": 0}
    assert client.post("/metrics/", json=row).status_code == 409


def test_reported_totals_know_no_hours(client):
    create(client, source="reported")
    assert faults(client.patch("/experiments/e", json={"cadence": "hour"})) == ["body.cadence"]


def test_before_the_first_data_the_cadence_changes_with_its_burn_in(client):
    create(client)
    to_hours = client.patch("/experiments/e", json={"cadence": "hour"}).json()
    to_days = client.patch("/experiments/e", json={"cadence": None}).json()
    assert (to_hours["source"], to_hours["burn_in"]["impressions"]) == ("tracked", 100)
    assert (to_days["cadence"], to_days["burn_in"]["impressions"]) == ("day", 0)


def test_a_chosen_burn_in_stays_when_the_cadence_changes(client):
    create(client, burn_in={"impressions": 500})
    assert client.patch("/experiments/e", json={"cadence": "hour"}).json()["burn_in"]["impressions"] == 500


def test_data_by_day_have_no_hours(client):
    create(client, source="tracked")
    show(client, 10)
    answer = client.patch("/experiments/e", json={"cadence": "hour"})
    assert answer.status_code == 409
    assert "before the first data" in answer.json()["detail"]


def test_hours_can_become_days_at_any_time_and_their_totals_stay(client, clock):
    hourly(client)
    show(client, 10)
    client.patch("/experiments/e", json={"cadence": "day"}).raise_for_status()
    clock.pass_days(1)
    body = client.get("/allocations/e").json()
    assert (body["data_through"], sum(v["impressions"] for v in body["variants"])) == ("2026-03-10", 10)


def test_the_delay_report_says_that_its_ages_are_hours(client):
    hourly(client)
    create(client, "d", source="tracked")
    units = [client.get(f"/experiments/{name}/delay").json()["unit"] for name in "ed"]
    assert units == ["hour", "day"]
