"""In mode rendezvous the first exposure stores the draw that the unit was shown."""

from collections import Counter

import psycopg
import pytest

from app.services.events import first_exposures
from tests.support.fixtures.events import create, event, send, totals

UNITS = [f"u{i}" for i in range(200)]


@pytest.fixture
def rows(database_url):
    def read(columns="unit_id, variant_id, kind, propensity, revision", table="assignments"):
        with psycopg.connect(database_url) as connection:
            return connection.execute(f"select {columns} from {table} order by 1, 2").fetchall()

    return read


def shown(client, *unit_ids):
    """What the units are served, by unit."""
    answer = client.post("/assignments", json=[{"experiment_id": "e", "unit_id": u} for u in unit_ids])
    return {item["unit_id"]: item for item in answer.json()}


def test_an_exposure_stores_the_very_draw_that_was_served(client, rows):
    create(client, "e", "abc", assignment_mode="rendezvous")
    served = shown(client, *UNITS)
    assert rows() == []
    assert set(send(client, *[event(u, "exposure") for u in UNITS])) == {("counted", None)}
    fields = ("unit_id", "variant_id", "reason", "propensity", "revision")
    assert sorted(rows()) == sorted(tuple(served[u][name] for name in fields) for u in UNITS)
    by_variant = Counter(item["variant_id"] for item in served.values())
    assert {variant: figures[0] for (variant, _), figures in totals(client).items()} == by_variant
    assert dict(rows("variant_id, units", "assignment_counts")) == by_variant


def test_an_exposure_stays_with_the_revision_it_was_shown_after_the_shares_moved(client, clock):
    create(client, "e", "ab", assignment_mode="rendezvous")
    before = shown(client, *UNITS)
    client.patch("/experiments/e", json={"policy": {"kind": "fixed", "shares": {"a": 1, "b": 99}}})
    clock.pass_days(1)
    after = shown(client, *UNITS)
    moved = [u for u in UNITS if (before[u]["variant_id"], after[u]["variant_id"]) == ("a", "b")][:20]
    old, new = moved[:10], moved[10:]
    send(client, *[event(u, "exposure", revision=before[u]["revision"]) for u in old])
    send(client, *[event(u, "exposure") for u in new])
    day = "2026-03-11"
    assert totals(client) == {("a", day): (10, 0, 0, 0), ("b", day): (10, 0, 0, 0)}


def test_an_exposure_older_than_todays_shares_must_name_its_revision(client, clock):
    create(client, "e", "ab", assignment_mode="rendezvous")
    revision = shown(client, "u")["u"]["revision"]
    clock.pass_days(2)
    old = event("u", "exposure", occurred_at="2026-03-10T12:00:00Z")
    assert send(client, old) == [("refused", "older_than_split")]
    assert send(client, old | {"revision": revision}) == [("counted", None)]
    assert [day for _, day in totals(client)] == ["2026-03-10"]


def test_what_cannot_have_been_shown_is_rejected_and_stores_nothing(client, rows):
    create(client, "e", "ab", assignment_mode="rendezvous")
    sent = [event("u", "exposure", revision="made-up"), event("v", "conversion")]
    sent += [event("w", "exposure", occurred_at="2026-03-11T12:00:00Z")]
    assert [reason for _, reason in send(client, *sent)] == ["unknown_revision", "no_exposure", "in_future"]
    assert rows() == []


def test_a_unit_exposed_and_converted_in_one_batch_counts(client):
    create(client, "e", "ab", assignment_mode="rendezvous")
    sent = [event("u", "conversion"), event("u", "exposure"), event("u", "value")]
    assert send(client, *sent) == [("counted", None)] * 3
    assert list(totals(client).values()) == [(1, 1, 10, 100)]


def test_a_hold_out_is_drawn_too_and_counted_apart(client, rows, held_out):
    create(client, "e", "ab", assignment_mode="rendezvous", holdout_percent=20)
    served = shown(client, *UNITS)
    send(client, *[event(u, "exposure") for u in UNITS])
    kept_out = sum(item["reason"] == "holdout" for item in served.values())
    assert 20 < kept_out < 60
    assert held_out()[0][2] == kept_out
    assert sum(figures[0] for figures in totals(client).values()) == 200 - kept_out


def test_a_halted_experiment_takes_no_new_units(client, rows):
    create(client, "e", "ab", assignment_mode="rendezvous")
    send(client, event("known", "exposure"))
    client.patch("/experiments/e", json={"state": "paused"})
    assert send(client, event("new", "exposure"), event("known", "conversion")) == [
        ("refused", "halted"), ("counted", None),
    ]  # fmt: skip
    assert len(rows()) == 1


def test_an_assignment_stored_before_stays_whatever_would_be_drawn(client, assign):
    assign("a", *UNITS[:20])
    client.patch("/experiments/e", json={"assignment_mode": "rendezvous"})
    send(client, *[event(u, "exposure") for u in UNITS[:20]])
    assert totals(client) == {("a", "2026-03-10"): (20, 0, 0, 0)}


def test_an_assignment_stored_while_events_are_judged_stays(client, rows, assign, monkeypatch):
    """Not all writers of assignments hold the experiment's lock: the mode may have changed just now."""
    client.patch("/experiments/e", json={"assignment_mode": "rendezvous"})
    served = shown(client, "u")["u"]["variant_id"]
    other, store = "b" if served == "a" else "a", first_exposures.store

    def store_late(*args):
        if not rows():
            assign(other, "u")
        return store(*args)

    monkeypatch.setattr(first_exposures, "store", store_late)
    assert send(client, event("u", "exposure"), event("v", "exposure")) == [("counted", None)] * 2
    assert dict(rows("unit_id, variant_id"))["u"] == other
    assert sum(figures[0] for figures in totals(client).values()) == 2
    assert totals(client)[other, "2026-03-10"][0] >= 1


def test_a_unit_shown_a_variant_that_was_deleted_is_rejected_and_the_others_count(client, rows):
    create(client, "e", "abc", assignment_mode="rendezvous")
    served = shown(client, *UNITS[:30])
    gone = [u for u, item in served.items() if item["variant_id"] == "c"]
    assert client.delete("/experiments/e/variants/c").status_code == 204
    answers = send(client, *[event(u, "exposure", revision=served[u]["revision"]) for u in served])
    refused = {
        u for u, answer in zip(served, answers, strict=True) if answer == ("refused", "retired_variant")
    }
    assert refused == set(gone)
    assert {row[0] for row in rows()} == set(served) - refused


def test_what_is_rejected_or_was_taken_before_stores_no_assignment(client, clock, rows):
    create(client, "e", "abc", assignment_mode="rendezvous")
    served = shown(client, *UNITS[:30])
    client.patch("/experiments/e/variants/c", json={"retired_on": "2026-03-10"})
    clock.pass_days(1)
    retired = next(item for item in served.values() if item["variant_id"] == "c")
    late = event(retired["unit_id"], "exposure", revision=retired["revision"])
    assert send(client, late) == [("refused", "retired_variant")]
    sent = [event("v1", "exposure", "same"), event("v2", "exposure", "same")]
    assert [status for status, _ in send(client, *sent)] == ["counted", "duplicate"]
    assert [row[0] for row in rows()] == ["v1"]
    assert sum(row[1] for row in rows("variant_id, units", "assignment_counts")) == 1


def test_of_two_exposures_the_one_that_is_taken_says_what_was_shown(client, clock, rows):
    create(client, "e", "ab", assignment_mode="rendezvous")
    before = shown(client, *UNITS)
    client.patch("/experiments/e", json={"policy": {"kind": "fixed", "shares": {"a": 1, "b": 99}}})
    clock.pass_days(1)
    unit = next(u for u, now in shown(client, *UNITS).items() if before[u]["variant_id"] != now["variant_id"])
    send(client, event("other", "exposure", "taken"))
    old = event(
        unit, "exposure", "taken", occurred_at="2026-03-10T12:00:00Z", revision=before[unit]["revision"]
    )
    sent = [old, event(unit, "exposure", "new"), event(unit, "conversion")]
    assert [status for status, _ in send(client, *sent)] == ["duplicate", "counted", "counted"]
    assert {row[0]: row[1] for row in rows()}[unit] == "b"


def test_the_hold_out_is_counted_as_late_as_those_who_were_drawn(client, clock, held_out):
    create(client, "e", "ab", assignment_mode="rendezvous", holdout_percent=50)
    served = shown(client, *UNITS[:20])
    clock.pass_days(1)
    sent = [
        event(u, "exposure", revision=item["revision"], occurred_at="2026-03-10T12:00:00Z")
        for u, item in served.items()
    ]
    assert set(send(client, *sent)) == {("counted", None)}
    assert held_out()[0][2] == sum(item["reason"] == "holdout" for item in served.values())


def test_who_was_shown_a_revision_is_not_held_out_by_a_hold_out_that_grew(client, rows):
    create(client, "e", "ab", assignment_mode="rendezvous")
    served = shown(client, *UNITS[:20])
    client.patch("/experiments/e", json={"holdout_percent": 60})
    held = [u for u, item in shown(client, *UNITS[:20]).items() if item["reason"] == "holdout"]
    send(client, *[event(u, "exposure", revision=served[u]["revision"]) for u in held])
    assert {row[0]: row[1:3] for row in rows()} == {u: (served[u]["variant_id"], "drawn") for u in held}


def test_nobody_was_held_out_before_the_experiment_began(client, rows):
    create(client, "e", "ab", assignment_mode="rendezvous", holdout_percent=100)
    early = event("u", "exposure", occurred_at="2026-03-09T12:00:00Z")
    assert send(client, early) == [("refused", "older_than_split")]
    assert rows() == []


@pytest.mark.parametrize("state", ["paused", "archived"])
def test_what_was_shown_before_a_halt_counts_however_late_it_is_sent(client, clock, held_out, state):
    """The halt is known by its day: up to that day counts what names its revision, and the hold-out."""
    create(client, "e", "ab", assignment_mode="rendezvous", holdout_percent=50)
    served = shown(client, *UNITS[:20])
    drawn = next(item for item in served.values() if item["reason"] == "drawn")
    held = next(u for u, item in served.items() if item["reason"] == "holdout")
    client.patch("/experiments/e", json={"state": state})
    clock.pass_days(1)
    named = event(drawn["unit_id"], "exposure", revision=drawn["revision"])
    then = {"occurred_at": "2026-03-10T11:59:00Z"}
    assert send(client, named, event(held, "exposure")) == [("refused", "halted")] * 2
    assert send(client, event(drawn["unit_id"], "exposure", **then)) == [("refused", "halted")]
    assert send(client, named | then, event(held, "exposure", **then)) == [("counted", None)] * 2
    assert list(totals(client)) == [(drawn["variant_id"], "2026-03-10")]
    assert held_out()[0][2] == 1
