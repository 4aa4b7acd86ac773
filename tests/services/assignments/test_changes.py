"""Override, merge, forget: what a unit is served afterwards, and that no total changes."""

import pytest

from tests.support.problems import problem

UNIT = {"experiment_id": "e", "unit_id": "u"}


@pytest.fixture
def post(client):
    def post(path, status=200, **body):
        answer = client.post(f"/assignments/{path}", json=body)
        assert answer.status_code == status, answer.text
        return answer.json()

    return post


@pytest.fixture
def totals(rows):
    """Everything that is counted."""

    def totals():
        tables = ("experiment_metrics", "holdout_metrics", "assignment_counts", "experiment_versions")
        return [sorted(map(repr, rows(f"select * from {table}"))) for table in tables]

    return totals


def other_than(variant_id):
    return "a" if variant_id != "a" else "b"


def stored(rows, unit_id="u"):
    columns = "variant_id, kind, split, propensity, merged_into"
    return rows(f"select {columns} from assignments where unit_id = %s", unit_id)


# ---- overrides


def test_a_forced_unit_gets_its_variant_and_leaves_the_counts_alone(create, assign, post, totals):
    create()
    drawn, before = assign(), totals()
    wanted = other_than(drawn["variant_id"])
    assert post("overrides", **UNIT, variant_id=wanted) == UNIT | {"variant_id": wanted}
    found = assign()
    assert (found["variant_id"], found["reason"], found["propensity"]) == (wanted, "forced", None)
    assert totals() == before


def test_a_unit_can_be_forced_before_it_was_ever_seen_and_let_go_again(create, assign, post, rows, totals):
    create()
    before = totals()
    post("overrides", **UNIT, variant_id="c")
    assert assign() | {"new": True} == assign() | {"new": True}
    assert (assign()["variant_id"], assign()["reason"]) == ("c", "forced")
    post("overrides", **UNIT, variant_id=None)
    assert stored(rows) == []
    assert totals() == before
    assert assign()["reason"] == "drawn"


def test_an_override_taken_back_gives_the_very_assignment_again(create, assign, post, client, clock):
    create()
    drawn = assign()
    post("overrides", **UNIT, variant_id=other_than(drawn["variant_id"]))
    client.patch("/experiments/e", json={"policy": {"kind": "fixed", "shares": {"d": 100}}})
    clock.pass_days(1)
    post("overrides", **UNIT, variant_id=None)
    assert assign() == drawn | {"new": False}
    post("overrides", **UNIT, variant_id=None)
    assert assign() == drawn | {"new": False}


def test_a_held_out_unit_that_was_exposed_goes_back_to_the_hold_out(create, assign, post, client):
    create(holdout_percent=100)
    assert assign()["reason"] == "holdout"
    client.post("/events", json=UNIT | {"event_id": "1", "type": "exposure"})
    post("overrides", **UNIT, variant_id="a")
    post("overrides", **UNIT, variant_id=None)
    assert (assign()["variant_id"], assign()["reason"]) == ("control", "holdout")


def test_only_active_variants_can_be_forced(create, post, client):
    create()
    client.patch("/experiments/e/variants/a", json={"retired_on": "2026-03-10"})
    post("overrides", 409, **UNIT, variant_id="a")
    post("overrides", 404, **UNIT, variant_id="nobody")
    post("overrides", 404, experiment_id="nowhere", unit_id="u", variant_id="a")
    problem(client.post("/assignments/overrides", json=UNIT), 422)


def test_forcing_a_merged_unit_forces_both(create, assign, post):
    create()
    assign("cookie")
    post("merge", unit_id="cookie", into_unit_id="u")
    post("overrides", **UNIT, variant_id="d")
    assert {assign(unit)["variant_id"] for unit in ("cookie", "u")} == {"d"}


def test_a_unit_that_others_were_merged_into_is_not_let_go(create, assign, post):
    create()
    post("overrides", **UNIT, variant_id="d")
    post("merge", unit_id="cookie", into_unit_id="u")
    post("overrides", 409, **UNIT, variant_id=None)
    assert assign("cookie")["variant_id"] == "d"


def test_a_held_out_unit_is_held_out_again_whatever_the_hold_out_is_by_then(
    create, assign, post, rows, client, clock
):
    create(holdout_percent=100)
    assert assign()["reason"] == "holdout"
    before = rows("select * from assignments")
    post("overrides", **UNIT, variant_id="a")
    post("overrides", **UNIT, variant_id="b")
    client.patch("/experiments/e", json={"holdout_percent": 0})
    client.patch("/experiments/e/variants/d", json={"is_control": True})
    clock.pass_days(1)
    post("overrides", **UNIT, variant_id=None)
    assert rows("select * from assignments") == before
    assert (assign()["reason"], assign()["variant_id"]) == ("holdout", "control")


def test_a_unit_stays_what_it_was_drawn_under_another_salt(create, assign, post, make_client):
    create()
    drawn = assign()
    salted = make_client(assignment_salt="pepper")
    for variant_id in (other_than(drawn["variant_id"]), None):
        forced = salted.post("/assignments/overrides", json=UNIT | {"variant_id": variant_id})
        assert forced.status_code == 200
    assert assign() == drawn | {"new": False}


def test_a_unit_whose_variant_was_deleted_meanwhile_stays_forced(create, assign, post, client):
    create()
    drawn = assign()["variant_id"]
    post("overrides", **UNIT, variant_id=other_than(drawn))
    assert client.delete(f"/experiments/e/variants/{drawn}").status_code == 204
    assert "was deleted" in post("overrides", 409, **UNIT, variant_id=None)["detail"]
    assert assign()["reason"] == "forced"


# ---- merge


def test_the_earliest_assignment_decides_for_both(create, assign_many, post, clock, totals):
    create()
    units = [f"cookie-{n}" for n in range(20)]
    early = {item["unit_id"]: item["variant_id"] for item in assign_many(units)}
    clock.pass_days(0.1)
    assign_many([f"account-{n}" for n in range(20)])
    before = totals()
    for n in range(20):
        merged = post("merge", unit_id=f"cookie-{n}", into_unit_id=f"account-{n}")
        assert merged["variants"] == {"e": early[f"cookie-{n}"]}
    for n, item in enumerate(assign_many([f"account-{n}" for n in range(20)])):
        assert item["variant_id"] == early[f"cookie-{n}"]
    assert totals() == before


def test_the_account_decides_where_it_was_first(create, assign, post, clock, rows):
    create()
    account = assign("account")
    clock.pass_days(0.1)
    assign("cookie")
    post("merge", unit_id="cookie", into_unit_id="account")
    assert assign("cookie")["variant_id"] == account["variant_id"]
    assert [row[-1] for row in stored(rows, "cookie")] == ["account"]
    assert [row[-1] for row in stored(rows, "account")] == [None]


@pytest.mark.parametrize("known", ["cookie", "account"])
def test_the_one_that_was_never_seen_follows_the_other_and_is_not_counted(
    create, assign, post, totals, known
):
    create()
    first, before = assign(known), totals()
    post("merge", unit_id="cookie", into_unit_id="account")
    assert {assign(unit)["variant_id"] for unit in ("cookie", "account")} == {first["variant_id"]}
    assert totals() == before


def test_merging_again_or_the_other_way_round_changes_nothing(create, assign, post, rows, clock):
    create()
    assign("cookie")
    clock.pass_days(0.1)
    assign("account")
    first = post("merge", unit_id="cookie", into_unit_id="account")
    before = rows("select * from assignments order by unit_id")
    assert post("merge", unit_id="cookie", into_unit_id="account") == first
    assert post("merge", unit_id="account", into_unit_id="cookie")["variants"] == first["variants"]
    assert post("merge", unit_id="cookie", into_unit_id="cookie")["variants"] == first["variants"]
    assert rows("select * from assignments order by unit_id") == before


def test_chains_are_shortened_so_that_everyone_points_to_the_one_that_decides(
    create, assign, post, clock, rows
):
    create()
    oldest = assign("first")
    for unit in ("second", "third", "fourth"):
        clock.pass_days(0.1)
        assign(unit)
    post("merge", unit_id="fourth", into_unit_id="third")
    post("merge", unit_id="third", into_unit_id="second")
    post("merge", unit_id="second", into_unit_id="first")
    pointers = dict(rows("select unit_id, merged_into from assignments"))
    assert pointers == {"first": None, "second": "first", "third": "first", "fourth": "first"}
    assert assign("fourth")["variant_id"] == oldest["variant_id"]


def test_units_are_merged_in_every_experiment_or_in_one(create, assign, post):
    create()
    create("f")
    create("g")
    for experiment in ("e", "f"):
        assign("cookie", experiment)
    assert post("merge", unit_id="cookie", into_unit_id="x", experiment_id="f")["variants"].keys() == {"f"}
    assert post("merge", unit_id="cookie", into_unit_id="x")["variants"].keys() == {"e", "f"}
    assert post("merge", unit_id="nobody", into_unit_id="nothing")["variants"] == {}
    post("merge", 404, unit_id="a", into_unit_id="b", experiment_id="nowhere")


def test_a_merge_before_anyone_was_seen_keeps_nothing(create, assign, post, rows):
    create()
    assert post("merge", unit_id="a", into_unit_id="b", experiment_id="e")["variants"] == {}
    assert rows("select * from assignments") == []


# ---- forget


def test_a_forgotten_unit_is_nowhere_and_its_totals_stay(create, assign, post, client, rows, totals):
    create()
    assign("secret")
    event = {"experiment_id": "e", "unit_id": "secret", "event_id": "1", "type": "exposure"}
    assert client.post("/events", json=event).status_code == 200
    before = totals()
    assert post("forget", unit_id="secret") == {"assignments": 1, "events": 1}
    assert totals() == before
    tables = ("assignments", "events", "assignment_counts", "idempotency_keys", "audit")
    assert not any("secret" in repr(rows(f"select t::text from {table} t")) for table in tables)
    assert post("forget", unit_id="secret") == {"assignments": 0, "events": 0}


def test_an_event_of_a_forgotten_unit_sent_again_still_does_not_count(create, assign, post, client, totals):
    create()
    assign()
    event = UNIT | {"event_id": "1", "type": "exposure"}
    client.post("/events", json=event)
    post("forget", unit_id="u")
    assign()
    before = totals()
    client.post("/events", json=event)
    assert totals()[0] == before[0]


def test_who_comes_back_is_a_new_unit(create, assign, post):
    create()
    assign()
    post("forget", unit_id="u")
    assert assign()["new"]


def test_a_unit_is_forgotten_in_one_experiment_under_a_name_of_its_own_in_each(create, assign, post, rows):
    create()
    create("f")
    for experiment in ("e", "f"):
        assign("u", experiment)
    assert post("forget", unit_id="u", experiment_id="f")["assignments"] == 1
    assert not assign("u", "e")["new"]
    post("forget", unit_id="u")
    names = [name for (name,) in rows("select unit_id from assignments")]
    assert len(set(names)) == 2
    assert all(name.startswith("forgotten:") for name in names)
    post("forget", 404, unit_id="u", experiment_id="nowhere")


def test_units_that_were_merged_into_a_forgotten_one_keep_their_variant(create, assign, post, clock):
    create()
    first = assign("account")
    clock.pass_days(0.1)
    assign("cookie")
    post("merge", unit_id="cookie", into_unit_id="account")
    post("forget", unit_id="account")
    assert assign("cookie")["variant_id"] == first["variant_id"]
