"""A client that reads the split draws every unit as the service does, and is told when it cannot."""

import pytest

from app.services.assignments.rendezvous_hashing import is_held_out, pick_variant

PAIR = [{"variant_id": "control"}, {"variant_id": "bold", "value": {"colour": "red"}}]
UNITS = [f"user-{number}" for number in range(300)]


def create(client, **settings):
    body = {"experiment_id": "button", "assignment_mode": "rendezvous", "variants": PAIR, **settings}
    assert client.post("/experiments", json=body).status_code == 201


def split(client, **headers):
    return client.get("/assignments/button/split", headers=headers)


def test_a_unit_drawn_with_it_gets_what_the_service_assigns(make_client):
    client = make_client(assignment_salt="pepper")
    create(client, holdout_percent=20, min_share={"bold": 60})
    known = split(client).json()
    sent = [{"experiment_id": "button", "unit_id": unit} for unit in UNITS]
    for assigned in client.post("/assignments", json=sent).json():
        place = known["salt"], "button", assigned["unit_id"]
        held = is_held_out(*place, known["holdout_percent"])
        variant_id = known["control"] if held else pick_variant(*place, known["shares"])
        found = assigned["variant_id"], assigned["revision"], assigned["value"]
        assert found == (variant_id, None if held else known["revision"], known["values"][variant_id])


def test_it_says_until_when_it_serves(client):
    create(client, refresh_minutes=30)
    assert split(client).json()["until"] == "2026-03-10T12:30:00Z"


def test_it_is_the_same_until_then_and_another_after_a_change(client, clock):
    create(client)
    tag = split(client).headers["ETag"]
    clock.pass_days(0.1)
    assert split(client, **{"If-None-Match": tag}).status_code == 304
    client.patch("/experiments/button", json={"fixed_share": {"bold": 80}})
    changed = split(client, **{"If-None-Match": tag})
    assert (changed.status_code, changed.json()["shares"]["bold"]) == (200, 80.0)


@pytest.mark.parametrize("state", ["paused", "archived"])
def test_while_it_is_halted_nobody_is_drawn(client, state):
    create(client)
    client.patch("/experiments/button", json={"state": state})
    found = split(client).json()
    assert (found["state"], found["shares"], found["revision"]) == (state, {}, None)
    assert found["control"] == "control"


def test_what_is_stored_no_client_can_know(client):
    create(client, assignment_mode="sticky")
    answer = split(client)
    assert (answer.status_code, "POST /assignments" in answer.json()["detail"]) == (409, True)


def test_an_unknown_experiment_has_none(client):
    assert split(client).status_code == 404
