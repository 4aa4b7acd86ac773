"""How totals out of events decide: nobody is waited for, and units are compared with their shares."""

import pytest

from tests.support.fixtures.events import create, event, send


def assign(client, *units):
    answer = client.post("/assignments", json=[{"experiment_id": "e", "unit_id": unit} for unit in units])
    return {item["unit_id"]: item["variant_id"] for item in answer.json()}


def gates(client):
    return client.get("/allocations/e").json()["gates"]


@pytest.fixture
def drawn(client, clock, database_url):
    """Two variants, the first day's 1,000 units drawn at 50 % each; all exposed."""
    create(client, source="tracked", policy={"kind": "uniform"})
    units = assign(client, *[f"u{i}" for i in range(1_000)])
    send(client, *[event(unit, "exposure") for unit in units])
    clock.pass_days(1)
    return units


def test_a_variant_without_units_on_a_day_is_not_waited_for(client, clock, drawn):
    """On the second day only units of a come by: b's missing row means zero."""
    late = next(unit for unit in assign(client, *[f"late{i}" for i in range(20)]).items() if unit[1] == "a")
    send(client, event(late[0], "exposure"))
    clock.pass_days(1)
    answer = client.get("/allocations/e").json()
    assert (answer["gates"], answer["data_through"]) == ([], "2026-03-11")


def test_units_drawn_as_they_should_be_raise_no_alarm(client, drawn):
    assert gates(client) == []


def test_units_that_do_not_fit_their_shares_raise_the_alarm(client, drawn, change_rows):
    change_rows("update assignment_counts set units = case variant_id when 'a' then 600 else 400 end")
    (gate,) = gates(client)
    assert (gate["gate"], gate["splits"]) == ("srm", 1)
    assert gate["p_value"] < 0.001
    assert gate["variants"] == {"a": {"units": 600, "expected": 500}, "b": {"units": 400, "expected": 500}}
    assert "Units were not assigned with the shares" in " ".join(
        client.get("/allocations/e").json()["explain"]
    )


def test_units_of_the_day_itself_have_no_influence(client, clock, drawn):
    before = client.get("/allocations/e").text
    assign(client, *[f"new{i}" for i in range(50)])
    assert client.get("/allocations/e?as_of=now").json()["revision"] in before


def test_returning_units_are_counted_once(client, clock, drawn):
    assert assign(client, *drawn) == drawn
    clock.pass_days(1)
    assert gates(client) == []
