"""Every operation, called on the service itself: what it really answers is what the clients read."""

import datetime as dt

import pytest

from groundhog_client import DailyTotal, Event, NewVariant, PreconditionFailed

LOG = b"arm,propensity,reward\n" + b"red,0.5,0\nblue,0.5,1\n" * 20
DAYS = [f"2023-07-{day:02}" for day in range(1, 8)]


@pytest.fixture
def client(client_of, service_url):
    return client_of(service_url)


def totals(experiment_id="page"):
    figures = {"control": 120, "bold": 150}
    return [DailyTotal(experiment_id, name, day, 1000, n) for day in DAYS for name, n in figures.items()]


def test_totals_allocations_and_metrics(client):
    assert client.record_metrics(totals()).inserted == 14
    assert client.record_metrics_in_bulk(iter(totals())).unchanged == 14
    assert len(list(client.each_daily_total("page", limit=3))) == 14
    assert client.read_metrics("page", for_date="2023-07-08").totals.variants[0].raw.days == 7
    allocation = client.read_allocation("page", for_date="2023-07-08")
    assert sum(allocation.allocations.values()) == pytest.approx(100)
    assert client.read_allocation("page", for_date="2023-07-08") == allocation
    client.read_allocation("page")
    assert [one.sequence for one in client.each_revision("page")] == [1]
    assert client.read_allocation_history("page").experiment_id == "page"
    assert len(client.read_posterior("page", for_date="2023-07-08", points=5).curves[0].rate) == 5
    assert client.read_gain("page", for_date="2023-07-08").days == 7
    assert client.compare_with_control("page", for_date="2023-07-08").variants[0].variant_id == "bold"
    client.delete_metrics("page", "bold", "2023-07-07")
    copy = client.export_experiment("page")
    assert copy.startswith(b"{")


def test_experiments_and_variants(client):
    made = client.create_experiment("page", [NewVariant("control", is_control=True), "bold"], min_share=5)
    assert (made.control, made.settings["min_share"]) == ("control", 5.0)
    read = client.read_experiment("page")
    changed = client.change_experiment("page", name="Headline", if_match=read.etag)
    assert (changed.name, changed.etag == read.etag) == ("Headline", False)
    with pytest.raises(PreconditionFailed):
        client.change_experiment("page", name="Other", if_match=read.etag)
    assert client.add_variant("page", {"variant_id": "loud", "value": {"size": 3}}).value == {"size": 3}
    assert client.change_variant("page", "loud", name="LOUD").name == "LOUD"
    client.delete_variant("page", "loud")
    assert client.roll_out_variant("page", "bold").rollout == "bold"
    assert client.undo_rollout("page").rollout is None
    assert [one.experiment_id for one in client.each_experiment()] == ["page"]
    assert client.list_experiments(limit=1).items[0].variants[1].variant_id == "bold"


def test_units_events_and_flags(client):
    client.create_experiment("button", ["control", "bold"], source="tracked")
    assert client.assign("button", "a").new
    assert not client.assign("button", "a").new
    assert client.decide("button", "b", within=30).assignment.reason == "drawn"
    sent = [
        Event("button", "a", "exposure"),
        Event("button", "a", "value", 9.5),
        Event("button", "?", "exposure"),
    ]
    taken = client.record_events(sent)
    assert [one.reason for one in taken.items] == [None, None, "unknown_unit"]
    assert client.read_assignment("button", "a").exposed_at is not None
    assert {one.unit_id for one in client.each_assignment("button")} == {"a", "b"}
    assert client.list_assignments("button", limit=1).next_cursor
    assert client.evaluate_flag("button", "a").key == "button"
    assert [one.key for one in client.evaluate_flags("a")] == ["button"]
    assert client.read_estimates("button").control == "control"
    assert client.override_assignment("button", "c", "bold").variant_id == "bold"
    assert client.merge_units("b", "a", experiment_id="button").variants.keys() == {"button"}
    assert client.forget_unit("a").assignments == 1


def reports_of(day):
    """Two reports of a day: 10 of 100 had converted by its end, 20 by the end of the next."""
    known = {day: 10, day + dt.timedelta(days=1): 20}
    return [
        DailyTotal("late", name, day, 100, successes, as_of=as_of)
        for as_of, successes in known.items()
        for name in ("control", "bold")
    ]


def test_conversions_that_come_later(client):
    day = dt.datetime.now(dt.UTC).date() - dt.timedelta(days=2)
    later = day + dt.timedelta(days=1)
    client.create_experiment("late", ["control", "bold"], delay={"kind": "curve", "fractions": [0.5, 1.0]})
    client.record_metrics(reports_of(day)[:2])
    allocation = client.read_allocation("late", for_date=later)
    assert (allocation.delay.kind, allocation.delay.curve) == ("curve", (0.5, 1.0))
    assert [variant.matured for variant in allocation.variants] == [0.5, 0.5]
    assert client.record_metrics(reports_of(day)).updated == 2
    known = [
        [(total.successes, total.as_of) for total in client.each_daily_total("late", as_of=as_of)]
        for as_of in (day, later)
    ]
    assert known == [[(10, day)] * 2, [(20, later)] * 2]
    assert client.change_experiment("late", delay="auto").settings["delay"]["kind"] == "auto"
    report = client.read_delay("late", for_date=later)
    assert (report.kind, len(report.estimate.curve)) == ("auto", 2)
    assert report.variants.keys() == {"control", "bold"}


def test_events_that_are_loaded_afterwards(client):
    client.create_experiment("loaded", ["control", "bold"], source="tracked")
    client.assign("loaded", "a")
    client.record_events(Event("loaded", "a", "exposure"))
    assert client.record_events([Event("loaded", "a", "conversion")], history=True).counted == 1
    assert client.read_estimates("loaded").immature is None


def test_simulations_and_plans(client):
    run = client.simulate_email(emails=200, replications=2)
    assert client.wait_for_simulation(run.id, within=60).state == "done"
    assert client.export_simulation(run.id).startswith("policy")
    replayed = client.simulate_replay(LOG, form="csv", policies=["uniform"])
    assert client.wait_for_simulation(replayed.id, within=60).state == "done"
    begun = client.simulate_clv(replications=50, respond_async=True)
    assert client.cancel_simulation(begun.id).over
    assert client.read_simulation(begun.id).state == "cancelled"
    assert {one.id for one in client.each_simulation()} == {run.id, replayed.id, begun.id}
    assert client.plan_experiment([0.1, 0.3], 1000, replications=5, days=20).replications == 5


def test_the_service_itself(client):
    assert client.check_alive().status == "alive"
    assert client.check_ready().status == "ready"
    assert "thompson" in {one.kind for one in client.list_policies().items}
    assert client.list_policies(scenario="clv").items
    assert "groundhog_" in client.read_prometheus_metrics()


def test_an_experiment_moves(client):
    client.record_metrics(totals("moved"))
    kept = client.export_experiment("moved")
    imported = kept.replace(b'"moved"', b'"elsewhere"')
    assert client.import_experiment(imported).experiment_id == "elsewhere"
    assert len(list(client.each_daily_total("elsewhere"))) == 14
