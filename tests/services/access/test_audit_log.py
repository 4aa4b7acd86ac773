"""Every change is written down: by whose key, what, on what, and in the transaction of the change."""

import datetime as dt

import pytest

from app.services.access import api_keys, audit_log
from tests.support.totals import total


def entries(client, about=None):
    """The audit, the oldest first, without the keys made by the test."""
    with client.app.state.database.transaction() as session:
        found = audit_log.read(session, about, 100)
    shown = [(entry.who, entry.operation, tuple(entry.subjects)) for entry in reversed(found)]
    return [entry for entry in shown if entry[1] != "create_key"]


@pytest.mark.parametrize(
    ("method", "path", "body", "operation"),
    [
        ("POST", "/metrics/", total(), "record_metrics"),
        ("PATCH", "/experiments/homepage", {"min_share": 5}, "change_experiment"),
        ("POST", "/experiments/homepage/variants", {"variant_id": "bold"}, "add_variant"),
        ("POST", "/experiments/homepage/rollout", {"variant_id": "control"}, "roll_out_variant"),
        ("DELETE", "/metrics/homepage/control/2026-03-01", None, "delete_metrics"),
    ],
)
def test_a_change_is_written_down_once_with_its_key_and_experiment(
    keyed, make_key, clock, method, path, body, operation
):
    key = make_key(keyed, "admin")
    keyed.post("/metrics/", json=total(successes=1), headers=key)
    clock.pass_days(1)
    assert keyed.request(method, path, json=body, headers=key).status_code < 300
    assert entries(keyed)[1:] == [("a key of a test", operation, ("homepage",))]


def test_an_array_and_an_upload_name_every_experiment_they_wrote(client, clock):
    client.post("/metrics/", json=[total(experiment_id=name) for name in "ba"])
    csv = "experiment_id,variant_id,date,impressions,successes\nd,x,2026-03-01,1,1\nc,x,2026-03-01,1,1\n"
    clock.pass_days(1)
    client.post("/metrics/bulk", content=csv, headers={"Content-Type": "text/csv"})
    assert entries(client) == [
        ("anybody", "record_metrics", ("a", "b")),
        ("anybody", "record_metrics_in_bulk", ("c", "d")),
    ]


def test_what_is_rejected_replayed_or_only_read_is_no_change(client):
    key = {"Idempotency-Key": "once"}
    client.post("/metrics/", json=total(), headers=key)
    client.post("/metrics/", json=total(), headers=key)
    client.post("/metrics/", json=total(successes=2000))
    client.patch("/experiments/nowhere", json={"min_share": 5})
    client.get("/allocations/homepage")
    client.post("/metrics/", json=[])
    assert [operation for _, operation, _ in entries(client)] == ["record_metrics"]


def test_a_simulation_is_written_down_with_its_id(client):
    run = client.post("/simulations/email", json={"emails": 20, "days": 2, "replications": 1}).json()["id"]
    assert entries(client) == [("anybody", "simulate_email", (run,))]


def test_keys_made_and_revoked_are_written_down_and_revoking_twice_once(client, make_key, clock):
    key = make_key(client, "read")
    for _ in range(2):
        with client.app.state.database.transaction() as session:
            api_keys.revoke(session, key.key_id, clock.now)
    with client.app.state.database.transaction() as session:
        found = [entry.operation for entry in audit_log.read(session, key.key_id, 10)]
    assert sorted(found) == ["create_key", "revoke_key"]


def test_the_audit_is_asked_about_one_experiment_and_forgotten_after_its_time(client, clock):
    client.post("/metrics/", json=total(experiment_id="a"))
    clock.pass_days(3)
    client.post("/metrics/", json=total(experiment_id="b"))
    assert [subjects for _, _, subjects in entries(client, "a")] == [("a",)]
    with client.app.state.database.transaction() as session:
        assert audit_log.delete_older_than(session, clock.now + dt.timedelta(days=1), 2) == 1
    assert [subjects for _, _, subjects in entries(client)] == [("b",)]
