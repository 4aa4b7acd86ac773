"""Events become daily totals: what counts, on which day, and what is kept out."""

import datetime as dt

import pytest

from tests.support.fixtures.events import NOW, create, event, send, totals

COUNTED, KNOWN, DUPLICATE = ("counted", None), ("known", None), ("duplicate", None)


def refused(reason):
    return ("refused", reason)


def at(**delta):
    return (NOW + dt.timedelta(**delta)).isoformat()


def test_exposures_and_conversions_become_impressions_and_successes(client, assign):
    assign("a", "u1", "u2")
    assign("b", "u3")
    sent = [event(unit, "exposure") for unit in ("u1", "u2", "u3")] + [event("u1", "conversion")]
    assert send(client, *sent) == [COUNTED] * 4
    assert totals(client) == {("a", "2026-03-10"): (2, 1, 0, 0), ("b", "2026-03-10"): (1, 0, 0, 0)}


def test_a_unit_is_one_impression_and_one_success_however_often_it_comes(client, assign):
    assign("a", "u")
    first = [event("u", "exposure", "1"), event("u", "conversion", "2")]
    again = [event("u", "exposure", "3"), event("u", "conversion", "4")]
    assert send(client, *first, *again) == [COUNTED, COUNTED, KNOWN, KNOWN]
    assert send(client, event("u", "exposure", "5"), event("u", "conversion", "6")) == [KNOWN, KNOWN]
    assert totals(client) == {("a", "2026-03-10"): (1, 1, 0, 0)}


def test_an_event_sent_again_is_a_duplicate_and_counts_no_more(client, assign):
    assign("a", "u")
    sent = [event("u", "exposure"), event("u", "value")]
    assert send(client, *sent) == [COUNTED, COUNTED]
    assert send(client, *sent, *sent) == [DUPLICATE] * 4
    assert totals(client) == {("a", "2026-03-10"): (1, 1, 10, 100)}


def test_an_event_twice_in_one_batch_counts_once(client, assign):
    assign("a", "u")
    assert send(client, event("u", "exposure"), event("u", "exposure")) == [COUNTED, DUPLICATE]
    assert totals(client) == {("a", "2026-03-10"): (1, 0, 0, 0)}


def test_values_add_up_by_unit_and_are_squared_by_unit(client, assign):
    """Two values of one unit are one success worth their sum: (3 + 4)^2 + 5^2 = 74."""
    assign("a", "u1", "u2")
    send(client, event("u1", "exposure"), event("u2", "exposure"))
    send(client, event("u1", "value", "1", value=3), event("u1", "value", "2", value=4))
    send(client, event("u2", "value", "3", value=5))
    assert totals(client) == {("a", "2026-03-10"): (2, 2, 12, 74)}


def test_a_refund_is_a_negative_value(client, assign):
    assign("a", "u")
    send(client, event("u", "exposure"), event("u", "value", "order", value=49.9))
    assert send(client, event("u", "value", "refund", value=-49.9)) == [COUNTED]
    assert totals(client) == {("a", "2026-03-10"): (1, 1, 0, 0)}


def test_a_value_is_a_conversion_too(client, assign):
    assign("a", "u")
    send(client, event("u", "exposure"))
    assert send(client, event("u", "value", value=0)) == [COUNTED]
    assert send(client, event("u", "conversion")) == [KNOWN]
    assert totals(client) == {("a", "2026-03-10"): (1, 1, 0, 0)}


def test_the_largest_values_are_summed_exactly(client, assign):
    """Of 1e24 and 1e-12 the square has the cross term 2e12: 28 digits would lose it."""
    assign("a", "u")
    send(client, event("u", "exposure"), event("u", "value", "1", value=1e24))
    send(client, event("u", "value", "2", value=1e-12), event("u", "value", "3", value=-1e24))
    assert totals(client)["a", "2026-03-10"] == (1, 1, 1e-12, 1e-24)


def test_exposures_of_a_batch_come_first_whatever_its_order(client, assign):
    assign("a", "u")
    assert send(client, event("u", "value"), event("u", "conversion"), event("u", "exposure")) == [
        COUNTED, KNOWN, COUNTED,
    ]  # fmt: skip
    assert totals(client) == {("a", "2026-03-10"): (1, 1, 10, 100)}


def test_of_two_exposures_in_a_batch_the_earlier_is_the_first(client, assign):
    assign("a", "u", assigned_at=NOW - dt.timedelta(days=3))
    late, early = (event("u", "exposure", f"{days}", occurred_at=at(days=-days)) for days in (1, 2))
    assert send(client, late, early) == [KNOWN, COUNTED]
    assert list(totals(client)) == [("a", "2026-03-08")]


def test_a_reward_is_credited_to_the_day_of_the_exposure_whenever_it_comes(client, assign, clock):
    assign("a", "u")
    send(client, event("u", "exposure"))
    clock.pass_days(9)
    answer = client.post("/events", json=event("u", "value")).json()
    assert answer["items"][0]["counted_on"] == "2026-03-10"
    assert totals(client) == {("a", "2026-03-10"): (1, 1, 10, 100)}


def test_a_reward_without_an_exposure_is_rejected_until_the_exposure_came(client, assign):
    assign("a", "u")
    assert send(client, event("u", "conversion")) == [refused("no_exposure")]
    assert totals(client) == {}
    assert send(client, event("u", "exposure"), event("u", "conversion")) == [COUNTED, COUNTED]


def test_a_unit_without_an_assignment_is_unknown_until_it_has_one(client, assign):
    assert send(client, event("u", "exposure"), event("u", "conversion")) == [refused("unknown_unit")] * 2
    assign("a", "u")
    assert send(client, event("u", "exposure")) == [COUNTED]


@pytest.mark.parametrize(("hours", "became"), [(-1, COUNTED), (0, COUNTED), (1, refused("too_late"))])
def test_a_reward_counts_up_to_the_end_of_the_reward_window(client, assign, clock, hours, became):
    client.patch("/experiments/e", json={"reward_window_days": 7})
    assign("a", "u")
    send(client, event("u", "exposure"))
    clock.pass_days(20)
    assert send(client, event("u", "conversion", occurred_at=at(days=7, hours=hours))) == [became]


@pytest.mark.parametrize(("minutes", "became"), [(-6, refused("before_exposure")), (-4, COUNTED)])
def test_a_reward_before_the_exposure_is_rejected_but_for_a_clock_a_little_off(
    client, assign, minutes, became
):
    assign("a", "u")
    send(client, event("u", "exposure"))
    assert send(client, event("u", "conversion", occurred_at=at(minutes=minutes))) == [became]


def test_a_reward_stamped_by_its_sender_counts_beside_an_exposure_stamped_on_arrival(client, assign):
    assign("a", "u")
    sent = [event("u", "exposure"), event("u", "conversion", occurred_at=at(milliseconds=-20))]
    assert send(client, *sent) == [COUNTED, COUNTED]
    assert totals(client) == {("a", "2026-03-10"): (1, 1, 0, 0)}


@pytest.mark.parametrize(("minutes", "became"), [(-6, refused("before_assignment")), (-4, COUNTED)])
def test_an_exposure_before_the_assignment_is_rejected_but_for_a_clock_a_little_off(
    client, assign, minutes, became
):
    assign("a", "u", assigned_at=NOW)
    assert send(client, event("u", "exposure", occurred_at=at(minutes=minutes))) == [became]


@pytest.mark.parametrize(("minutes", "became"), [(4, COUNTED), (6, refused("in_future"))])
def test_what_has_not_happened_yet_is_rejected_but_for_a_clock_a_little_off(client, assign, minutes, became):
    assign("a", "u")
    assert send(client, event("u", "exposure", occurred_at=at(minutes=minutes))) == [became]


def test_a_reward_counts_although_the_clock_of_the_exposures_sender_is_a_little_ahead(client, assign):
    assign("a", "u")
    send(client, event("u", "exposure", occurred_at=at(minutes=4)))
    assert send(client, event("u", "conversion")) == [COUNTED]


def test_a_forced_unit_counts_nowhere(client, assign):
    assign("a", "u", kind="forced")
    assert send(client, event("u", "exposure"), event("u", "conversion")) == [refused("forced")] * 2
    assert totals(client) == {}


def test_a_retired_variants_units_count_up_to_the_day_it_retired_on(client, assign, clock):
    assign("a", "u1", "u2")
    send(client, event("u1", "exposure"))
    assert client.patch("/experiments/e/variants/a", json={"retired_on": "2026-03-10"}).status_code == 200
    clock.pass_days(1)
    assert (
        send(client, event("u1", "conversion"), event("u2", "exposure")) == [refused("retired_variant")] * 2
    )
    before = event("u1", "conversion", occurred_at="2026-03-10T23:59:59Z")
    assert send(client, before) == [COUNTED]
    assert totals(client) == {("a", "2026-03-10"): (1, 1, 0, 0)}


def test_the_hold_out_counts_on_whichever_variant_retires(client, assign, clock, held_out):
    assign("a", "h1", "h2", kind="holdout")
    send(client, event("h1", "exposure"))
    client.patch("/experiments/e/variants/a", json={"retired_on": "2026-03-10"})
    clock.pass_days(1)
    assert send(client, event("h1", "conversion"), event("h2", "exposure")) == [COUNTED, COUNTED]
    assert [row[1:4] for row in held_out()] == [(dt.date(2026, 3, 10), 1, 1), (dt.date(2026, 3, 11), 1, 0)]


@pytest.mark.parametrize("state", ["paused", "archived"])
def test_events_of_assigned_units_count_while_the_experiment_is_halted(client, assign, state):
    assign("a", "u")
    client.patch("/experiments/e", json={"state": state})
    assert send(client, event("u", "exposure"), event("u", "conversion")) == [COUNTED, COUNTED]


def test_a_merged_units_events_are_those_of_the_unit_it_was_merged_into(client, assign):
    assign("a", "account")
    assign("b", "cookie", merged_into="account")
    sent = [event("cookie", "exposure"), event("account", "exposure"), event("cookie", "value")]
    assert send(client, *sent) == [COUNTED, KNOWN, COUNTED]
    assert totals(client) == {("a", "2026-03-10"): (1, 1, 10, 100)}


def test_the_hold_out_is_counted_apart(client, assign, held_out):
    assign("a", "h1", "h2", kind="holdout")
    sent = [event("h1", "exposure"), event("h2", "exposure"), event("h1", "value")]
    assert send(client, *sent) == [COUNTED] * 3
    assert send(client, event("h1", "value", "2", value=-4)) == [COUNTED]
    assert totals(client) == {}
    assert held_out() == [("e", dt.date(2026, 3, 10), 2, 1, 6, 36)]


def test_two_experiments_never_share_an_event(client, assign):
    create(client, "f")
    assign("a", "u")
    assign("b", "u", experiment_id="f")
    sent = event("u", "exposure")
    assert send(client, sent, sent | {"experiment_id": "f"}) == [COUNTED, COUNTED]
    assert totals(client, "f") == {("b", "2026-03-10"): (1, 0, 0, 0)}


def test_an_event_id_is_one_units_and_the_answer_names_it(client, assign):
    assign("a", "u1", "u2")
    sent = [event("u1", "exposure", "same"), event("u2", "exposure", "same")]
    answer = client.post("/events", json=sent).json()["items"]
    assert [item["status"] for item in answer] == ["counted", "duplicate"]
    assert answer[1]["detail"] == "this event_id was taken for another unit, 'u1'"
    assert client.post("/events", json=sent[1]).json()["items"] == [answer[1]]


@pytest.mark.parametrize(
    ("zone", "moment", "day"),
    [
        ("Europe/Vienna", "2026-03-09T22:59:59Z", "2026-03-09"),
        ("Europe/Vienna", "2026-03-09T23:00:00Z", "2026-03-10"),
        ("America/New_York", "2026-03-08T04:59:59Z", "2026-03-07"),
        (
            "America/New_York",
            "2026-03-08T06:59:59Z",
            "2026-03-08",
        ),  # 01:59:59, a second before the clocks go on
        ("America/New_York", "2026-03-09T03:59:59Z", "2026-03-08"),  # the day had 23 hours
        ("America/New_York", "2026-03-09T04:00:00Z", "2026-03-09"),
    ],
)
def test_a_day_is_one_of_the_experiments_time_zone(client, assign, zone, moment, day):
    client.patch("/experiments/e", json={"time_zone": zone})
    assign("a", "u", assigned_at=NOW - dt.timedelta(days=5))
    assert send(client, event("u", "exposure", occurred_at=moment)) == [COUNTED]
    assert list(totals(client)) == [("a", day)]


def test_the_allocation_learns_from_events_of_days_before_it(client, assign, clock):
    assign("a", *[f"a{i}" for i in range(50)])
    assign("b", *[f"b{i}" for i in range(50)])
    before = client.get("/allocations/e").json()
    send(client, *[event(f"{v}{i}", "exposure") for v in "ab" for i in range(50)])
    send(client, *[event(f"b{i}", "conversion") for i in range(25)])
    assert client.get("/allocations/e").json() == before
    clock.pass_days(1)
    after = client.get("/allocations/e").json()
    assert after["allocations"]["b"] > 99
    assert [v["impressions"] for v in after["variants"]] == [50, 50]


def test_the_first_event_that_counts_settles_where_totals_come_from(client, assign):
    assign("a", "u")
    send(client, event("nobody", "exposure"))
    assert client.get("/experiments/e").json()["source"] is None
    send(client, event("u", "exposure"))
    assert client.get("/experiments/e").json()["source"] == "tracked"
    reported = {
        "experiment_id": "e",
        "variant_id": "a",
        "date": "2026-03-09",
        "impressions": 1,
        "successes": 0,
    }
    assert client.post("/metrics/", json=reported).status_code == 409


def test_an_experiment_with_reported_totals_takes_no_events(client, assign):
    assign("a", "u")
    reported = {
        "experiment_id": "e",
        "variant_id": "a",
        "date": "2026-03-09",
        "impressions": 1,
        "successes": 0,
    }
    client.post("/metrics/", json=reported)
    assert send(client, event("u", "exposure")) == [refused("reported_totals")]
    assert client.post("/events", json=event("u", "exposure")).status_code == 409


def test_the_answer_counts_what_became_of_the_events(client, assign):
    assign("a", "u")
    exposure = event("u", "exposure")
    sent = [exposure, exposure, event("u", "exposure", "2"), event("nobody", "exposure")]
    answer = client.post("/events", json=sent).json()
    del answer["items"]
    assert answer == {"received": 4, "counted": 1, "known": 1, "duplicate": 1, "refused": 1}


def test_operators_see_what_became_of_events(client, assign):
    assign("a", "u")
    before = counter(client, "counted")
    send(client, event("u", "exposure"), event("u", "exposure"), event("nobody", "exposure"))
    assert counter(client, "counted") - before == 1


def counter(client, status):
    lines = client.get("/metrics").text.splitlines()
    name = f'groundhog_events_total{{status="{status}"}} '
    return next((float(line.removeprefix(name)) for line in lines if line.startswith(name)), 0)
