"""A deleted variant lives on in the splits that drew beside it; and a broken experiment breaks alone."""

import pytest

from app.services.assignments import splits

FLAGS = "/ofrep/v1/evaluate/flags"
UNITS = [f"u{number}" for number in range(12)]


def expose(client, unit_id):
    event = {"experiment_id": "e", "unit_id": unit_id, "event_id": unit_id, "type": "exposure"}
    return client.post("/events", json=event).json()["items"][0]["status"]


@pytest.fixture
def deleted(create, assign_many, client):
    """An experiment whose units were drawn beside c, which is gone: who had got it was forced to another."""
    create()
    for item in assign_many(UNITS):
        if item["variant_id"] == "c":
            forced = {"experiment_id": "e", "unit_id": item["unit_id"], "variant_id": "b"}
            client.post("/assignments/overrides", json=forced)
        else:
            assert expose(client, item["unit_id"]) == "counted"
    assert client.delete("/experiments/e/variants/c").status_code == 204


def test_allocations_and_new_units_go_on_without_it(deleted, assign, client, clock):
    for _ in range(3):
        answer = client.get("/allocations/e")
        assert answer.status_code == 200, answer.text
        assert answer.json()["allocations"].keys() == {"control", "a", "b", "d"}
        assert assign(f"new on {clock.now:%d}")["reason"] == "drawn"
        assert client.get("/allocations/e?as_of=now").status_code == 200
        clock.pass_days(1)


def test_estimates_are_of_those_that_are_there_with_the_propensities_of_all(deleted, client, clock):
    clock.pass_days(1)
    found = client.get("/experiments/e/estimates").json()
    assert [variant["variant_id"] for variant in found["variants"]] == ["control", "a", "b", "d"]
    assert {variant["support"] for variant in found["variants"]} == {1.0}
    assert 0 < found["sample_ratio_p"] <= 1


def test_many_units_and_all_flags_are_answered_beside_it(deleted, create, client, clock):
    create("other")
    clock.pass_days(1)
    units = [{"experiment_id": name, "unit_id": "late"} for name in ("e", "other")]
    assert [item["reason"] for item in client.post("/assignments", json=units).json()] == ["drawn", "drawn"]
    flags = client.post(FLAGS, json={"context": {"targetingKey": "later"}}).json()["flags"]
    assert [flag["reason"] for flag in flags] == ["SPLIT", "SPLIT"]


@pytest.fixture
def broken(create, client, clock, monkeypatch):
    """An experiment ``e`` whose split cannot be had because of a defect, beside one that is well."""
    create()
    create("well")
    as_it_is = splits.get_or_renew

    def current(session, terms, now):
        if terms.experiment_id == "e":
            raise RuntimeError("a defect")
        return as_it_is(session, terms, now)

    monkeypatch.setattr(splits, "get_or_renew", current)


def test_a_defect_of_one_experiment_takes_no_others_units_and_is_logged(broken, client, caplog):
    units = [{"experiment_id": name, "unit_id": "u"} for name in ("well", "e")]
    well, ill = client.post("/assignments", json=units).json()
    assert (well["reason"], ill["index"], ill["error"]["status"]) == ("drawn", 1, 500)
    assert "defect" not in ill["error"]["detail"]
    assert any(record.exc_info for record in caplog.records if record.name == "groundhog.assigner")
    flags = client.post(FLAGS, json={"context": {"targetingKey": "u"}}).json()["flags"]
    assert [flag.get("errorCode", flag.get("reason")) for flag in flags] == ["GENERAL", "SPLIT"]
    assert client.post("/assignments", json=units[1]).status_code == 500


def test_terms_that_cannot_be_read_take_no_others_units(create, client, rows):
    create()
    create("well")
    change = """update experiment_settings set settings = jsonb_set(settings, '{policy,kind}', '"of-a-package"')
                where experiment_id = 'e' returning 1"""
    assert rows(change)
    units = [{"experiment_id": name, "unit_id": "u"} for name in ("e", "well")]
    ill, well = client.post("/assignments", json=units).json()
    assert (ill["error"]["status"], well["reason"]) == (503, "drawn")
