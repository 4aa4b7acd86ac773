"""POST /assignments: what a unit is served, and why."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from app.errors import Unavailable
from app.services.assignments import splits
from app.services.assignments.rendezvous_hashing import is_held_out, pick_variant
from tests.support.problems import problem

COUNTS = "select variant_id, split, units from assignment_counts order by 1, 2"


def test_a_new_unit_is_assigned_with_its_propensity_revision_and_time(create, assign, client):
    create()
    found = assign("u")
    allocation = client.get("/allocations/e").json()
    assert found == {
        "experiment_id": "e",
        "unit_id": "u",
        "variant_id": pick_variant("", "e", "u", allocation["allocations"]),
        "value": None,
        "reason": "drawn",
        "propensity": 0.2,
        "revision": allocation["revision"],
        "assigned_at": "2026-03-10T12:00:00Z",
        "new": True,
    }


def test_a_known_unit_keeps_its_variant_whatever_the_shares_do(create, assign_many, client, clock):
    create()
    units = [f"u{number}" for number in range(100)]
    before = assign_many(units)
    client.patch("/experiments/e", json={"policy": {"kind": "fixed", "shares": {"d": 100}}})
    clock.pass_days(3)
    after = assign_many(units)
    assert [item | {"new": True} for item in after] == before
    assert not any(item["new"] for item in after)
    assert assign_many(["later"])[0]["variant_id"] == "d"


def test_it_keeps_its_variant_through_a_restart_and_on_every_worker(create, assign_many, make_client):
    create()
    units = [{"experiment_id": "e", "unit_id": f"u{number}"} for number in range(50)]
    before = assign_many([unit["unit_id"] for unit in units])
    other = make_client().post("/assignments", json=units).json()
    assert [item["variant_id"] for item in other] == [item["variant_id"] for item in before]


def test_new_units_are_counted_once_by_split_and_variant(create, assign_many, rows):
    create()
    found = assign_many([f"u{number}" for number in range(200)])
    assign_many([f"u{number}" for number in range(200)])
    variants = [item["variant_id"] for item in found]
    assert rows(COUNTS) == [(name, 1, variants.count(name)) for name in sorted(set(variants))]


def test_a_thousand_evaluations_change_no_impression_count(create, assign_many, client, rows):
    create()
    before = client.get("/allocations/e").json()
    for unit in range(20):
        context = {"context": {"targetingKey": f"u{unit}"}}
        for path in ("", "/e"):
            assert client.post(f"/ofrep/v1/evaluate/flags{path}", json=context).status_code == 200
    assign_many([f"u{unit}" for unit in range(960)])
    assert rows("select * from experiment_metrics") == rows("select * from events") == []
    after = client.get("/allocations/e?as_of=now").json()
    assert [v["impressions"] for v in after["variants"]] == [v["impressions"] for v in before["variants"]]
    assert after["revision"] == before["revision"]


def test_a_batch_says_per_item_what_happened_and_keeps_the_order(create, client):
    create()
    create("empty", variants=[])
    pairs = [("e", "u1"), ("nowhere", "u1"), ("empty", "u1"), ("e", "u2"), ("e", "u1")]
    units = [{"experiment_id": experiment_id, "unit_id": unit_id} for experiment_id, unit_id in pairs]
    items = client.post("/assignments", json=units).json()
    assert [(item["experiment_id"], item["unit_id"]) for item in items] == pairs
    assert [item.get("error", {}).get("status") for item in items] == [None, 404, 409, None, None]
    assert [item.get("index") for item in items] == [None, 1, 2, None, None]
    assert items[0] == items[4]


def test_units_of_different_experiments_are_different_units(create, assign_many):
    create("one")
    create("two")
    units = [f"u{number}" for number in range(100)]
    one, two = ([item["variant_id"] for item in assign_many(units, name)] for name in ("one", "two"))
    assert one != two


@pytest.mark.parametrize(
    "unit_id",
    [
        pytest.param("x" * 256, id="256 letters"),
        pytest.param("\U0001f43f" * 64, id="256 bytes of emoji"),
        pytest.param("a/b?c=d&e#f %00 '; drop table", id="what breaks paths and statements"),
        pytest.param('"\\{}[],', id="what breaks JSON and arrays"),
        pytest.param("NULL", id="the word NULL"),
        pytest.param("\u202e\u2066", id="invisible but no control characters"),
    ],
)
def test_any_text_without_control_characters_is_a_unit(create, assign, client, unit_id):
    create()
    found = assign(unit_id)
    assert found["unit_id"] == unit_id
    assert not assign(unit_id)["new"]
    stored = client.get("/assignments/e", params={"unit_id": unit_id}).json()
    assert (stored["unit_id"], stored["variant_id"]) == (unit_id, found["variant_id"])


def test_ids_that_look_alike_but_have_other_bytes_are_different_units(create, assign):
    create()
    assert assign("caf\u00e9")["new"]
    assert assign("cafe\u0301")["new"]
    assert assign("CAF\u00c9")["new"]


@pytest.mark.parametrize(
    "unit_id",
    ['""', '"' + "x" * 257 + '"', '"\\u0000"', '"a\\n"', '"\\u007f"', '"\\u0085"', '"\\ud800"', "7", "null"],
)
def test_other_unit_ids_are_rejected_with_their_place(create, client, rows, unit_id):
    create()
    header = {"Content-Type": "application/json"}
    good = '{"experiment_id": "e", "unit_id": "good"}'
    bad = f'{{"experiment_id": "e", "unit_id": {unit_id}}}'
    problem(client.post("/assignments", content=bad, headers=header), 422)
    fault = problem(client.post("/assignments", content=f"[{good}, {bad}]", headers=header), 422)
    assert fault[0]["field"] == "body.1.unit_id"
    assert rows("select * from assignments") == []


def test_two_hundred_and_fifty_seven_bytes_are_too_many(create, client):
    create()
    unit = {"experiment_id": "e", "unit_id": "\U0001f43f" * 64 + "x"}
    assert "256 bytes" in client.post("/assignments", json=unit).text


def test_more_than_a_thousand_units_are_rejected_and_none_is_fine(create, client):
    create()
    units = [{"experiment_id": "e", "unit_id": f"u{number}"} for number in range(1_001)]
    problem(client.post("/assignments", json=units), 422)
    assert client.post("/assignments", json=[]).json() == []


def test_an_unknown_experiment_is_404_and_is_not_registered(client, rows):
    problem(client.post("/assignments", json={"experiment_id": "x", "unit_id": "u"}), 404)
    assert rows("select * from experiments") == []


def test_an_experiment_without_an_active_variant_is_409(create, client, clock):
    create("empty", variants=[])
    create("over", variants=[{"variant_id": "a"}, {"variant_id": "b"}])
    clock.pass_days(2)
    client.patch("/experiments/over/variants/a", json={"retired_on": "2026-03-12"})
    problem(client.post("/assignments", json={"experiment_id": "empty", "unit_id": "u"}), 409)
    assert client.post("/assignments", json={"experiment_id": "over", "unit_id": "u"}).status_code == 201


def test_a_variant_gets_everyone_when_it_has_every_share(create, assign_many):
    create(policy={"kind": "fixed", "shares": {"c": 100}})
    found = assign_many([f"u{number}" for number in range(300)])
    assert {(item["variant_id"], item["propensity"]) for item in found} == {("c", 1.0)}


@pytest.mark.parametrize("state", ["paused", "archived"])
def test_a_halted_experiment_gives_new_units_the_control_and_stores_nothing(
    create, assign, client, rows, state
):
    create()
    client.patch("/experiments/e", json={"state": state})
    found = assign("u")
    assert (found["variant_id"], found["reason"], found["assigned_at"]) == ("control", state, None)
    assert (found["propensity"], found["revision"]) == (None, None)
    assert rows("select * from assignments") == rows("select * from splits") == []


def test_a_known_unit_keeps_its_variant_through_a_halt(create, assign_many, client):
    create()
    before = assign_many([f"u{number}" for number in range(20)])
    client.patch("/experiments/e", json={"state": "paused"})
    after = assign_many([f"u{number}" for number in range(20)])
    assert [item | {"new": True} for item in after] == before
    client.patch("/experiments/e", json={"state": "running"})
    assert assign_many(["new"])[0]["reason"] == "drawn"


def test_units_of_a_retired_variant_get_the_control_and_keep_their_row(create, assign_many, client, rows):
    create()
    units = [f"u{number}" for number in range(50)]
    before = assign_many(units)
    client.patch("/experiments/e/variants/a", json={"retired_on": "2026-03-10"})
    after = assign_many(units)
    for was, now in zip(before, after, strict=True):
        gone = was["variant_id"] == "a"
        assert now["variant_id"] == ("control" if gone else was["variant_id"])
        assert (now["reason"], now["propensity"]) == (("retired", None) if gone else ("drawn", 0.2))
    stored = dict(rows("select unit_id, variant_id from assignments"))
    assert stored == {item["unit_id"]: item["variant_id"] for item in before}


def test_a_retirement_taken_back_gives_them_their_variant_again(create, assign_many, client):
    create()
    units = [f"u{number}" for number in range(20)]
    before = assign_many(units)
    client.patch("/experiments/e/variants/a", json={"retired_on": "2026-03-10"})
    client.patch("/experiments/e/variants/a", json={"retired_on": None})
    assert [item | {"new": True} for item in assign_many(units)] == before


def test_the_next_control_stands_in_for_a_retired_one(create, assign, client):
    create(
        variants=[{"variant_id": "old", "is_control": True}, {"variant_id": "control"}, {"variant_id": "x"}]
    )
    client.patch("/experiments/e/variants/old", json={"retired_on": "2026-03-10"})
    client.patch("/experiments/e", json={"state": "paused"})
    assert assign()["variant_id"] == "control"


def test_held_out_units_get_the_control_and_are_not_counted(create, assign_many, rows):
    create(holdout_percent=20)
    units = [f"u{number}" for number in range(500)]
    for item in assign_many(units):
        out = is_held_out("", "e", item["unit_id"], 20)
        assert (item["reason"] == "holdout") == out
        if out:
            assert (item["variant_id"], item["propensity"], item["revision"]) == ("control", None, None)
    drawn = sum(not is_held_out("", "e", unit, 20) for unit in units)
    assert rows("select sum(units) from assignment_counts") == [(drawn,)]
    assert rows("select count(*) from assignments where kind = 'holdout'") == [(500 - drawn,)]


def test_in_mode_rendezvous_nothing_is_stored_and_the_draw_is_the_same(
    create, assign_many, rows, make_client
):
    create(assignment_mode="rendezvous")
    units = [f"u{number}" for number in range(100)]
    found = assign_many(units)
    assert {(item["assigned_at"], item["new"], item["reason"]) for item in found} == {(None, False, "drawn")}
    assert {item["propensity"] for item in found} == {0.2}
    assert rows("select * from assignments") == rows("select * from assignment_counts") == []
    again = make_client().post("/assignments", json=[{"experiment_id": "e", "unit_id": u} for u in units])
    assert again.json() == found


def test_the_salt_decides_the_draw(create, make_client):
    create()
    units = [{"experiment_id": "e", "unit_id": f"u{number}"} for number in range(20)]
    found = make_client(assignment_salt="pepper").post("/assignments", json=units).json()
    shares = dict.fromkeys(("control", "a", "b", "c", "d"), 20.0)
    assert [item["variant_id"] for item in found] == [
        pick_variant("pepper", "e", unit["unit_id"], shares) for unit in units
    ]


def test_values_come_as_they_were_set(create, assign):
    value = {"colour": "red", "size": 10.0, "on": True}
    create(variants=[{"variant_id": "control", "value": value}])
    assert repr(assign()["value"]) == repr(value)


def test_a_request_with_a_key_is_answered_again_with_the_same_words(create, client):
    create()
    unit, key = {"experiment_id": "e", "unit_id": "u"}, {"Idempotency-Key": "k"}
    first, again = (client.post("/assignments", json=unit, headers=key) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    assert again.headers["Idempotency-Replayed"] == "true"
    problem(client.post("/assignments", json=unit | {"unit_id": "v"}, headers=key), 422)


def test_thirty_keyed_requests_at_once_share_a_pool_of_one(create, make_client):
    create()
    client = make_client(pool_size=1)

    def first(number):
        unit, key = {"experiment_id": "e", "unit_id": f"u{number}"}, {"Idempotency-Key": f"k{number}"}
        return client.post("/assignments", json=unit, headers=key).status_code

    with ThreadPoolExecutor(30) as threads:
        assert set(threads.map(first, range(30))) == {201}


def test_requests_with_one_key_at_once_are_answered_with_the_same_words(create, client):
    create()
    unit, key = {"experiment_id": "e", "unit_id": "u"}, {"Idempotency-Key": "k"}
    with ThreadPoolExecutor(10) as threads:
        found = list(threads.map(lambda _: client.post("/assignments", json=unit, headers=key), range(10)))
    assert len({(answer.status_code, answer.content) for answer in found}) == 1
    assert sum("Idempotency-Replayed" not in answer.headers for answer in found) == 1


def test_an_answer_with_a_unit_that_could_not_be_served_now_is_not_stored(create, client, monkeypatch):
    create()
    create("away")
    as_it_is = splits.get_or_renew

    def current(session, terms, now):
        if terms.experiment_id == "away":
            raise Unavailable("not now")
        return as_it_is(session, terms, now)

    units = [{"experiment_id": name, "unit_id": "u"} for name in ("e", "away")]
    with monkeypatch.context() as patch:
        patch.setattr(splits, "get_or_renew", current)
        first = client.post("/assignments", json=units, headers={"Idempotency-Key": "k"}).json()
    again = client.post("/assignments", json=units, headers={"Idempotency-Key": "k"}).json()
    assert first[1]["error"]["status"] == 503
    assert (again[0], again[1]["reason"]) == (first[0] | {"new": False}, "drawn")


def test_a_time_zone_moved_west_on_the_first_day_leaves_known_units_alone(create, assign, client):
    create(time_zone="Pacific/Kiritimati")  # 12:00 in UTC is 2:00 the next day there
    before = assign("u")
    client.patch("/experiments/e", json={"time_zone": "Pacific/Honolulu"})
    assert assign("u") == before | {"new": False}
    assert assign("v")["reason"] == "drawn"
    for _ in range(2):  # computed, then from memory
        assert client.get("/allocations/e").json()["date"] == "2026-03-11"
        assert client.get("/allocations/e?for_date=2026-03-10").status_code in {200, 409}


def test_every_stored_assignment_can_be_listed(create, assign_many, client):
    create()
    units = sorted(["\U0001f43f" * 64, '"' * 256, *(f"u{number}" for number in range(23))])
    assign_many(units)
    listed, cursor = [], {}
    while True:
        page = client.get("/assignments/e/units", params={"limit": 1, **cursor}).json()
        listed += [item["unit_id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert sorted(listed) == units
    problem(client.get("/assignments/nowhere/units"), 404)


def test_a_unit_that_is_not_stored_is_404_and_asking_stores_nothing(create, client, rows):
    create()
    problem(client.get("/assignments/e?unit_id=u"), 404)
    problem(client.get("/assignments/e"), 422)
    problem(client.get("/assignments/nowhere?unit_id=u"), 404)
    assert rows("select * from assignments") == []
