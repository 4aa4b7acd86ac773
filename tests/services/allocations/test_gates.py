"""What keeps the policy from deciding alone, and how the answer says so."""

import pytest

from tests.support.experiments import allocation, create, gate
from tests.support.totals import post, total


def test_an_incomplete_day_is_left_out_and_named(client):
    post(client, *[total(v, f"2026-03-0{day}") for v in ("a", "b") for day in (7, 8)])
    before = allocation(client, "2026-03-09")
    post(client, total("a", "2026-03-09", successes=900))
    body = allocation(client, "2026-03-10")
    assert body["allocations"] == before["allocations"]
    assert body["gates"] == [{"gate": "incomplete_day", "days": 1, "missing": {"2026-03-09": ["b"]}}]


def test_a_day_is_complete_once_the_late_variant_reports_it(client):
    post(client, *[total(v, f"2026-03-0{day}") for v in ("a", "b") for day in (7, 8)])
    post(client, total("a", "2026-03-09", successes=900))
    post(client, total("b", "2026-03-09"))
    assert allocation(client, "2026-03-10")["gates"] == []


def test_a_variant_without_a_share_is_not_waited_for(client, clock):
    """b is hopeless: its recorded share is 0.0, nobody is shown it, nobody reports it."""
    post(client, total("a", "2026-03-09", 10_000, 5_000), total("b", "2026-03-09", 10_000, 10))
    assert allocation(client)["allocations"] == {"a": 100.0, "b": 0.0}
    clock.pass_days(1)
    post(client, total("a", "2026-03-10", 10_000, 5_000))
    body = allocation(client)
    assert (body["gates"], body["data_through"]) == ([], "2026-03-10")


def test_a_variant_that_never_reported_is_not_waited_for(client):
    create(client, "a", "misspelt")
    post(client, total("a", "2026-03-08"), total("a", "2026-03-09"))
    assert gate(allocation(client)) == ["burn_in"]


def test_late_conversions_are_stored_and_totals_that_cannot_be_decide_nothing(client):
    create(client, "a", "b", late_conversions=True)
    post(client, *[total(v, "2026-03-07", 100, s) for v, s in (("a", 10), ("b", 30))])
    possible = allocation(client, "2026-03-08")["allocations"]
    post(client, total("a", "2026-03-08", 10, 150), total("b", "2026-03-08", 10, 5))
    body = allocation(client, "2026-03-09")
    assert body["allocations"] == possible
    assert body["gates"] == [
        {
            "gate": "invalid_totals",
            "possible_through": "2026-03-07",
            "variants": {"a": {"impressions": 110.0, "successes": 160.0}},
        }
    ]


def test_totals_that_never_were_possible_share_equally(client):
    create(client, "a", "b", late_conversions=True)
    post(client, total("a", "2026-03-09", 0, 5), total("b", "2026-03-09", 10, 5))
    body = allocation(client)
    assert (body["allocations"], gate(body)) == ({"a": 50.0, "b": 50.0}, ["invalid_totals"])


def test_stale_data_are_named_and_change_nothing(client):
    post(client, total("a", "2026-02-20"), total("b", "2026-02-20", successes=150))
    fresh, stale = allocation(client, "2026-02-21"), allocation(client, "2026-03-01")
    assert stale["allocations"] == fresh["allocations"]
    assert stale["gates"] == [{"gate": "stale_data", "days_without_data": 8}]
    assert gate(allocation(client, "2026-02-27")) == []


def test_gates_stand_in_the_order_of_their_precedence(client, clock):
    create(client, "a", "b", "new")
    post(client, *[total(v, f"2026-02-0{day}") for v in ("a", "b") for day in (1, 2)])
    post(client, total("a", "2026-02-03"))
    client.patch("/experiments/homepage", json={"state": "paused"})
    assert gate(allocation(client)) == ["paused", "burn_in", "incomplete_day", "stale_data"]


def test_an_added_variant_never_gets_more_than_its_burn_in_share_on_its_first_day(client):
    post(client, total("a", "2026-03-09", 1000, 30))
    client.patch("/experiments/homepage", json={"burn_in": {"days": 1, "share": 10}})
    client.post("/experiments/homepage/variants", json={"variant_id": "new"})
    assert allocation(client)["allocations"] == {"a": 90.0, "new": 10.0}
    assert allocation(client, "2026-03-11")["allocations"]["new"] == 10.0


def test_the_answer_says_in_words_what_was_used_and_what_moved(client, clock):
    post(client, total("a", "2026-03-09"), total("b", "2026-03-09"))
    allocation(client)
    clock.pass_days(1)
    post(client, total("a", "2026-03-10"), total("b", "2026-03-10", successes=180))
    said = " ".join(allocation(client)["explain"])
    assert (
        "Used 4,000 impressions and 540 successes up to 2026-03-10; nothing dated 2026-03-11 or later."
        in said
    )
    assert "b went from 50 to" in said
    assert "(+1,000 impressions, +180 successes)" in said


def test_every_gate_is_explained_in_words(client):
    create(client, "a", "b", "new", late_conversions=True)
    post(client, *[total(v, f"2026-02-0{day}") for v in ("a", "b") for day in (1, 2)])
    post(client, total("a", "2026-02-03", 20_000), total("b", "2026-02-02", 1, 5_000))
    assert "In burn-in, with less data than required: new" in " ".join(allocation(client)["explain"])
    client.post("/experiments/homepage/rollout", json={"variant_id": "a"})
    body = allocation(client)
    assert len(body["gates"]) == 4
    for name in (
        "Rolled out: a",
        "More successes than impressions of b",
        "left out",
        "No data for",
    ):
        assert name in " ".join(body["explain"])


def test_the_stop_advice_waits_for_its_days_and_then_follows_its_rule(client):
    create(client, "a", "b", stop={"rule": "p_best", "threshold": 0.99, "minimum_days": 2})
    post(client, total("a", "2026-03-08", 1000, 100), total("b", "2026-03-08", 1000, 200))
    early = allocation(client, "2026-03-09")["stop_advice"]
    assert (early["stop"], early["days"], early["variant_id"]) == (False, 1, "b")
    post(client, total("a", "2026-03-09", 1000, 100), total("b", "2026-03-09", 1000, 200))
    late = allocation(client, "2026-03-10")["stop_advice"]
    assert (late["stop"], late["figure"] > 0.99, late["threshold"]) == (True, True, 0.99)


def test_the_totals_as_used_can_be_checked_by_hand(client):
    create(client, "a", "b", half_life_days=1)
    post(client, *[total(v, f"2026-03-0{day}", 100, 10) for v in ("a", "b") for day in (7, 8)])
    post(client, total("a", "2026-03-09", 100, 50))
    totals = client.get("/metrics/homepage?for_date=2026-03-10&limit=1").json()["totals"]
    a = totals["variants"][0]
    assert (a["raw"]["impressions"], a["raw"]["days"]) == (300, 3)
    assert a["effective"]["impressions"] == 100 / 2 + 100 / 4  # days 8 and 7, day 9 left out
    assert (totals["left_out"], totals["last_day"]) == (["2026-03-09"], "2026-03-09")


def test_posterior_curves_have_the_area_one(client):
    post(client, total("a", "2026-03-09"), total("b", "2026-03-09", 0, 0))
    body = client.get("/experiments/homepage/posterior?for_date=2026-03-10&points=501").json()
    for curve in body["curves"]:
        rate, density = curve["rate"], curve["density"]
        steps = zip(rate[1:], rate[:-1], density[1:], density[:-1], strict=True)
        area = sum((x1 - x0) * (y1 + y0) / 2 for x1, x0, y1, y0 in steps)
        assert area == pytest.approx(0.9998, abs=1e-4)


def test_a_pause_holds_what_was_served_whatever_is_corrected_or_changed_later(client, clock):
    post(client, total("a", "2026-03-09"), total("b", "2026-03-09", successes=130))
    served = allocation(client)["allocations"]
    client.patch("/experiments/homepage", json={"state": "paused"})
    client.patch("/experiments/homepage", json={"min_share": 30})
    assert allocation(client)["allocations"] == served
    clock.pass_days(1)
    post(client, total("a", "2026-03-09", successes=400))
    assert allocation(client)["allocations"] == served


@pytest.mark.parametrize("window", [1, 2, 3])
def test_an_incomplete_day_is_left_out_wherever_the_window_begins(client, window):
    create(client, "a", "b", window_days=window)
    post(client, *[total(v, f"2026-03-0{day}") for v in ("a", "b") for day in (6, 7)])
    post(client, total("a", "2026-03-08", successes=900))
    body = allocation(client, "2026-03-09")
    assert body["gates"][-1]["missing"] == {"2026-03-08": ["b"]}
    assert body["allocations"] == {"a": 50.0, "b": 50.0}


def test_day_effects_never_make_possible_totals_impossible(client):
    create(client, "a", "b", adjust="day")
    days = {"a": [(500, 450), (50, 49), (50, 49)], "b": [(500, 240), (950, 900), (950, 900)]}
    rows = [total(v, f"2026-03-0{7 + i}", n, s) for v, day in days.items() for i, (n, s) in enumerate(day)]
    post(client, *rows)
    body = allocation(client)
    assert (body["gates"], body["data_through"]) == ([], "2026-03-09")


def test_nobody_is_advised_to_keep_what_is_not_served(client, clock):
    post(
        client, *[total(v, f"2026-03-0{d}", successes=s) for v, s in (("a", 100), ("b", 200)) for d in (8, 9)]
    )
    client.patch("/experiments/homepage", json={"state": "paused"})
    assert allocation(client)["stop_advice"] is None


def test_what_moved_names_the_setting_and_the_gate_that_moved_it(client):
    post(client, total("a", "2026-03-09", successes=10), total("b", "2026-03-09", successes=150))
    allocation(client)
    client.patch("/experiments/homepage", json={"min_share": 10})
    client.post("/experiments/homepage/variants", json={"variant_id": "c"})
    said = allocation(client)["explain"]
    assert "min_share was changed from default to 10.0." in said
    assert "The gate burn_in is now active." in said


def test_sticky_traffic_is_not_tested_against_the_days_shares(client, clock):
    create(client, "a", "b", policy={"kind": "uniform"})
    allocation(client)
    clock.pass_days(1)
    post(client, total("a", "2026-03-10", 9_000, 100), total("b", "2026-03-10", 1_000, 100))
    assert gate(allocation(client)) == []


def test_a_day_whose_split_changed_during_it_is_not_tested(client, clock):
    create(client, "a", "b", traffic="per_request", policy={"kind": "uniform"})
    allocation(client)
    client.patch("/experiments/homepage", json={"min_share": {"a": 60}})
    allocation(client)
    clock.pass_days(1)
    post(client, total("a", "2026-03-10", 9_000, 100), total("b", "2026-03-10", 1_000, 100))
    assert gate(allocation(client)) == []
