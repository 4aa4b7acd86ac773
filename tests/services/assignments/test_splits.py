"""Splits: how long units are drawn with the same shares, and that all workers agree on them."""

import pytest

SPLITS = "select split, for_date::text, revision, shares from splits order by split"


@pytest.fixture
def learn(client):
    """Report data that change the shares; only an experiment without a source takes them."""

    def learn(successes):
        totals = [
            {
                "experiment_id": "e",
                "variant_id": name,
                "date": "2026-03-09",
                "impressions": 1000,
                "successes": figure,
            }
            for name, figure in successes.items()
        ]
        assert client.post("/metrics/", json=totals).status_code == 200

    return learn


TWO = [{"variant_id": "control"}, {"variant_id": "a"}]


def test_a_split_is_frozen_until_it_is_time_to_renew_it(create, assign, learn, clock, rows):
    create(source=None, variants=TWO, refresh_minutes=30)
    assign("u1")
    learn({"control": 100, "a": 110})
    clock.pass_days(29 / 1440)
    assert assign("u2")["propensity"] == 0.5
    clock.pass_days(1 / 1440)
    renewed = assign("u3")
    assert renewed["propensity"] != 0.5
    assert [row[0] for row in rows(SPLITS)] == [1, 2]
    assert rows(SPLITS)[1][2] == renewed["revision"]


def test_a_renewal_that_changes_nothing_stores_nothing(create, assign, clock, rows):
    create(refresh_minutes=30)
    for number in range(5):
        assign(f"u{number}")
        clock.pass_days(31 / 1440)
    assert [row[0] for row in rows(SPLITS)] == [1]


def test_a_new_day_brings_its_own_split_in_the_experiments_zone(create, assign, clock, rows):
    create(time_zone="Pacific/Auckland")  # 12:00 in UTC is 1:00 the next day there
    assign("u1")
    clock.pass_days(22 / 24)
    assign("u2")
    clock.pass_days(2 / 24)
    assign("u3")
    assert [row[1] for row in rows(SPLITS)] == ["2026-03-11", "2026-03-12"]
    assert rows("select assigned_on::text, sum(units) from assignment_counts group by 1 order by 1") == [
        ("2026-03-11", 2),
        ("2026-03-12", 1),
    ]


def test_a_change_of_settings_or_variants_brings_a_new_split_at_once(create, assign, client, rows):
    create()
    assign("u1")
    client.post("/experiments/e/variants", json={"variant_id": "new"})
    assign("u2")
    assert [len(row[3]) for row in rows(SPLITS)] == [5, 6]
    client.patch("/experiments/e", json={"policy": {"kind": "fixed", "shares": {"new": 100}}})
    assert assign("u3")["variant_id"] == "new"


def test_every_worker_follows_the_newest_split(create, assign, make_client, learn, clock):
    create(source=None, variants=TWO, refresh_minutes=30, assignment_mode="rendezvous")
    other = make_client()

    def from_other():
        return other.post("/assignments", json={"experiment_id": "e", "unit_id": "u"}).json()

    assert assign() == from_other()
    clock.pass_days(20 / 1440)
    learn({"control": 100, "a": 110})
    clock.pass_days(11 / 1440)
    assert assign()["propensity"] != 0.5
    assert assign() == from_other()


def test_one_of_many_racing_workers_freezes_the_split(create, make_client, rows):
    from concurrent.futures import ThreadPoolExecutor

    create()
    clients = [make_client() for _ in range(4)]
    for client in clients:
        client.post("/assignments", json=[])  # builds the route, which is not what races here
    with ThreadPoolExecutor(4) as threads:
        bodies = [{"experiment_id": "e", "unit_id": f"u{number}"} for number in range(4)]
        answers = list(threads.map(lambda c, body: c.post("/assignments", json=body), clients, bodies))
    assert {answer.status_code for answer in answers} == {201}
    assert [row[0] for row in rows(SPLITS)] == [1]
