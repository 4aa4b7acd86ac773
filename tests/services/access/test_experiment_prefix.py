"""A key that is limited to the experiments of one team neither writes nor learns anything of another's."""

import json

import pytest

from app.api.authorization import PERMISSIONS
from tests.support.openapi.description import DESCRIPTION
from tests.support.problems import fields, problem
from tests.support.totals import total

NDJSON = {"Content-Type": "application/x-ndjson"}
SMALL = {"emails": 20, "days": 2, "replications": 1}
THEIRS, OURS = "theirs-1", "ours-1"


@pytest.fixture
def teams(keyed, make_key):
    """A service with an experiment of each of two teams, and an admin key of one of them."""
    everything = make_key(keyed, "admin")
    for name in (THEIRS, OURS):
        keyed.post("/metrics/", json=total(experiment_id=name, variant_id=f"{name}-a"), headers=everything)
    keyed.headers.update(make_key(keyed, "admin", experiment_prefix="ours-"))
    keyed.everything = everything
    return keyed


@pytest.fixture
def stored(database_url, teams):
    """Return a reader of what is stored of the other team's, and of experiments that nobody made."""

    def read():
        page = teams.get("/experiments", headers=teams.everything).json()["items"]
        totals = teams.get(f"/metrics/{THEIRS}", headers=teams.everything).json()["items"]
        return page, totals

    return read


def paths(*methods):
    """Every operation of some methods, its path filled with what belongs to the other team."""
    values = {"experiment_id": THEIRS, "key": THEIRS, "variant_id": f"{THEIRS}-a", "date": "2026-03-01"}
    for path, operations in DESCRIPTION["paths"].items():
        for method in operations.keys() & set(methods):
            yield (
                method,
                path.format_map(values | {"simulation_id": "{run}"}),
                operations[method]["operationId"],
            )


def test_no_get_shows_anything_of_another_team(teams):
    run = teams.post("/simulations/email", json=SMALL, headers=teams.everything).json()["id"]
    seen = []
    for _, path, operation in paths("get"):
        answer = teams.get(path.format(run=run))
        named = THEIRS in path or "{run}" in path or operation == "read_prometheus_metrics"
        assert answer.status_code in ({403, 404} if named else {200}), path
        assert f"{THEIRS}-a" not in answer.text, path
        assert named or THEIRS not in answer.text, path
        seen.append(operation)
    assert {"read_allocation", "read_metrics", "export_experiment", "list_simulations"} <= set(seen)


def test_no_path_of_another_team_can_be_written(teams, stored):
    before = stored()
    for method, path, operation in paths("post", "patch", "delete"):
        if THEIRS in path:
            answer = teams.request(method, path, json={"context": {"targetingKey": "u"}})
            assert answer.status_code == 403, operation
    assert stored() == before


def test_what_does_not_exist_and_what_is_anothers_look_alike(teams):
    there, nowhere = (teams.get(f"/experiments/{name}") for name in (THEIRS, "nowhere"))
    assert there.status_code == nowhere.status_code == 403
    assert there.json()["detail"] == nowhere.json()["detail"]


def test_an_array_with_one_total_of_another_team_is_rejected_whole_naming_it(teams, stored):
    before = stored()
    sent = [total(experiment_id=OURS, successes=1), total(experiment_id=THEIRS, successes=1)]
    assert fields(teams.post("/metrics/", json=sent), 403) == ["body.1.experiment_id"]
    assert fields(teams.post("/metrics/", json=sent[1]), 403) == ["body.experiment_id"]
    assert stored() == before


def test_lines_of_another_team_are_rejected_and_the_others_stored(teams, stored):
    before = stored()[1]
    names = ("ours-2", THEIRS, "new")
    body = "\n".join(json.dumps(total(experiment_id=name)) for name in names)
    problem(teams.post("/metrics/bulk", content=body, headers=NDJSON), 422)
    answer = teams.post("/metrics/bulk?mode=partial", content=body, headers=NDJSON).json()
    assert (answer["inserted"], answer["rejected"]) == (1, 2)
    assert [error["line"] for error in answer["errors"]] == [2, 3]
    assert all("begins with 'ours-'" in error["message"] for error in answer["errors"])
    assert stored()[1] == before


def test_an_experiment_outside_the_limit_is_neither_created_nor_imported(teams, stored):
    before = stored()
    exported = teams.get(f"/experiments/{THEIRS}/export", headers=teams.everything).content
    for name in (THEIRS, "nowhere"):
        assert teams.post("/experiments", json={"experiment_id": name}).status_code == 403
        moved = exported.replace(THEIRS.encode(), name.encode())
        assert teams.post("/experiments/import", content=moved, headers=NDJSON).status_code == 403
    assert stored() == before
    assert teams.post("/experiments", json={"experiment_id": "ours-3"}).status_code == 201


def test_units_are_assigned_in_the_own_experiments_only(teams):
    units = [{"experiment_id": name, "unit_id": "u"} for name in (OURS, THEIRS)]
    assert teams.post("/assignments", json=units[1]).status_code == 403
    ours, theirs = teams.post("/assignments", json=units).json()
    assert ours["variant_id"] == f"{OURS}-a"
    assert theirs["error"]["status"] == 403
    assert f"{THEIRS}-a" not in json.dumps(theirs)


def test_units_are_merged_and_forgotten_in_the_own_experiments_only(teams):
    for name in (OURS, THEIRS):
        unit = {"experiment_id": name, "unit_id": "u"}
        assert teams.post("/assignments", json=unit, headers=teams.everything).status_code == 201
    forced = {"experiment_id": THEIRS, "unit_id": "u", "variant_id": f"{THEIRS}-a"}
    assert teams.post("/assignments/overrides", json=forced).status_code == 403
    merged = teams.post("/assignments/merge", json={"unit_id": "cookie", "into_unit_id": "u"}).json()
    assert merged["variants"] == {OURS: f"{OURS}-a"}
    assert teams.post("/assignments/forget", json={"unit_id": "u"}).json()["assignments"] == 1
    named = {"unit_id": "u", "experiment_id": THEIRS}
    assert teams.post("/assignments/forget", json=named).status_code == 403
    kept = teams.get(f"/assignments/{THEIRS}?unit_id=u", headers=teams.everything)
    assert kept.json()["variant_id"] == f"{THEIRS}-a"


def test_events_of_another_teams_units_are_rejected(teams):
    event = {"experiment_id": THEIRS, "unit_id": "u", "event_id": "e", "type": "exposure"}
    assert teams.post("/events", json=event).status_code == 403
    assert teams.post("/events", json=[event | {"experiment_id": OURS}, event]).status_code == 403


def test_flags_of_another_team_are_neither_evaluated_nor_named(teams):
    asked = {"context": {"targetingKey": "u"}}
    for name in (THEIRS, OURS):
        teams.patch(f"/experiments/{name}", json={"flag": True}, headers=teams.everything)
    assert teams.post(f"/ofrep/v1/evaluate/flags/{THEIRS}", json=asked).status_code == 403
    found = teams.post("/ofrep/v1/evaluate/flags", json=asked).json()["flags"]
    assert [flag["key"] for flag in found] == [OURS]


def test_a_team_sees_its_own_simulations_and_those_who_see_all_see_them_too(teams, make_key):
    mine = teams.post("/simulations/email", json=SMALL).json()["id"]
    theirs = make_key(teams, "admin", experiment_prefix="theirs-")
    part = make_key(teams, "admin", experiment_prefix="ours-shop-")
    for headers, status in ((None, 200), (teams.everything, 200), (theirs, 404), (part, 404)):
        answer = teams.get(f"/simulations/{mine}", headers=headers)
        assert answer.status_code == status
        listed = teams.get("/simulations", headers=headers).json()["items"]
        assert (mine in [run["id"] for run in listed]) == (status == 200)
    assert teams.delete(f"/simulations/{mine}", headers=theirs).status_code == 404


def test_a_limit_is_a_beginning_and_no_pattern(keyed, make_key):
    everything, limited = make_key(keyed, "admin"), make_key(keyed, "read", experiment_prefix="a_")
    for name in ("a_b", "axb"):
        keyed.post("/metrics/", json=total(experiment_id=name), headers=everything)
    found = keyed.get("/experiments", headers=limited).json()["items"]
    assert [item["experiment_id"] for item in found] == ["a_b"]


def test_an_operation_on_all_experiments_needs_a_key_without_a_limit():
    assert not PERMISSIONS["read_prometheus_metrics"].allows_prefix_keys
