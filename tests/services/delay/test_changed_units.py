"""Units that are merged or forgotten while their conversions are on the way: what was received, and the delay."""

import psycopg
import pytest

from tests.support.delay.units import Converted, chain_ladder_by_hand, send_all
from tests.support.fixtures.events import NOW, create, event, send, totals

USERS = [f"user{i}" for i in range(40)]
COOKIES = [f"cookie{i}" for i in range(40)]

SPLIT = """insert into splits (experiment_id, split, for_date, revision, shares, settings_version, frozen_at)
           values (%s, 1, '2026-03-09', 'r1', '{"a": 50, "b": 50}', 1, '2026-03-09')"""


@pytest.fixture
def received(query):
    """A reader of what was received: variant, day of first exposure, age, impressions and successes."""

    def read(experiment_id="e"):
        return query(
            "select variant_id, date, received_on - date, impressions, successes from received_metrics"
            f" where experiment_id = '{experiment_id}' order by 1, 2, 3"
        )

    return read


@pytest.fixture
def freeze(database_url):
    """Put the split there that the units of an experiment were drawn with."""

    def put(experiment_id):
        with psycopg.connect(database_url) as connection:
            connection.execute(SPLIT, [experiment_id])

    return put


@pytest.fixture
def exposed(client, clock, assign, freeze):
    """Two variants; 40 users exposed the day before yesterday, 12 converted then, and 40 cookies yesterday."""
    assign("a", *USERS)
    assign("b", *COOKIES, assigned_at=NOW)
    freeze("e")
    send_all(client, "exposure", USERS)
    send_all(client, "conversion", USERS[:12])
    clock.pass_days(1)
    send_all(client, "exposure", COOKIES)
    clock.pass_days(1)
    return client


def merge(client, cookie, user, experiment_id="e"):
    body = {"unit_id": cookie, "into_unit_id": user, "experiment_id": experiment_id}
    client.post("/assignments/merge", json=body).raise_for_status()


def forget(client, *unit_ids):
    for unit_id in unit_ids:
        client.post("/assignments/forget", json={"unit_id": unit_id}).raise_for_status()


def answers(client, experiment_id="e"):
    """Everything that is said of a delay, without the experiment's name."""
    paths = "allocations/{}", "experiments/{}/delay", "experiments/{}/estimates", "experiments/{}/posterior"
    read = [client.get("/" + path.format(experiment_id)).raise_for_status().json() for path in paths]
    return [{name: value for name, value in body.items() if name != "experiment_id"} for body in read]


def play(client, clock, experiment_id, second_ids):
    """Expose the users, and let 25 convert within three days under their second ids."""
    send_all(client, "exposure", USERS, experiment_id)
    send_all(client, "conversion", USERS[:10], experiment_id)
    yield
    for cookie, user in zip(second_ids, USERS, strict=True):
        merge(client, cookie, user, experiment_id)
    send(
        client,
        *[event(unit, "exposure", f"{unit} again", experiment_id=experiment_id) for unit in second_ids],
    )
    send_all(client, "conversion", second_ids[10:18], experiment_id)
    yield
    send_all(client, "conversion", second_ids[18:25], experiment_id)
    yield


def test_merged_ids_count_as_if_they_had_been_one_from_the_beginning(
    client,
    clock,
    assign,
    freeze,
    received,
):
    for name in ("two", "one"):
        create(client, name)
        freeze(name)
        assign("a", *USERS, experiment_id=name)
    assign("b", *COOKIES, experiment_id="two", assigned_at=NOW)
    for _ in zip(play(client, clock, "two", COOKIES), play(client, clock, "one", USERS), strict=True):
        clock.pass_days(1)
        assert received("two") == received("one")
        assert answers(client, "two") == answers(client, "one")
    assert [row[2:] for row in received("two")] == [(0, 40, 10), (1, 0, 8), (2, 0, 7)]


def test_the_curve_of_merged_units_is_that_of_the_cohort_they_were_merged_into(exposed, clock):
    for cookie, user in zip(COOKIES, USERS, strict=True):
        merge(exposed, cookie, user)
    send_all(exposed, "conversion", COOKIES[12:20])
    clock.pass_days(1)
    cells = [Converted(0, 0, 12), Converted(0, 2, 8)]
    assert exposed.get("/experiments/e/delay").json()["curve"] == pytest.approx(
        chain_ladder_by_hand(cells, 3)
    )


def test_what_was_received_before_a_merge_stays_where_it_was_counted(exposed, clock, received):
    send_all(exposed, "conversion", COOKIES[:5])
    clock.pass_days(1)
    before, was = received(), answers(exposed)
    for cookie, user in zip(COOKIES, USERS, strict=True):
        merge(exposed, cookie, user)
    allocation, delay, estimates, _ = answers(exposed)
    assert (received(), allocation, delay) == (before, was[0], was[1])
    assert [variant["units"] for variant in estimates["variants"]] == [40, 0]


def test_merged_units_are_not_among_those_whose_conversions_are_still_coming(exposed, clock):
    """Of a delay of up to two days the cookies' cohort, known through its second, is still to come."""
    exposed.patch("/experiments/e", json={"delay": {"kind": "curve", "fractions": [0.2, 0.6, 0.9, 1]}})
    for cookie, user in zip(COOKIES[:30], USERS, strict=False):
        merge(exposed, cookie, user)
    found = exposed.get("/experiments/e/estimates").json()
    assert found["immature"] == {"since": "2026-03-10", "units": 50, "matured": pytest.approx(26 / 50)}
    assert [variant["matured"] for variant in found["variants"]] == pytest.approx([0.6, 0.2])


@pytest.mark.parametrize("change", ["merged", "forgotten"])
def test_receptions_add_up_to_the_totals_whatever_becomes_of_the_units(exposed, clock, query, change):
    for cookie, user in zip(COOKIES[:20], USERS, strict=False):
        merge(exposed, cookie, user) if change == "merged" else forget(exposed, cookie)
    send_all(exposed, "conversion", USERS[20:30])
    clock.pass_days(1)
    sums = "sum(impressions), sum(successes)"
    (of_receptions,) = query(f"select {sums} from received_metrics")
    assert [of_receptions] == query(f"select {sums} from experiment_metrics") == [(80, 22)]


def test_forgetting_units_changes_neither_what_was_received_nor_any_answer(exposed, clock, received):
    send_all(exposed, "conversion", USERS[12:20])
    clock.pass_days(1)
    before, counted, was = received(), totals(exposed), answers(exposed)
    forget(exposed, *USERS[:30], *COOKIES[:10])
    assert (received(), totals(exposed), answers(exposed)) == (before, counted, was)


def test_a_late_conversion_of_a_forgotten_unit_counts_no_more(exposed, clock, received):
    before = received()
    forget(exposed, USERS[20])
    again = [event(USERS[20], "conversion"), event(USERS[20], "exposure")]
    assert send(exposed, *again) == [("refused", "unknown_unit"), ("duplicate", None)]
    assert received() == before
