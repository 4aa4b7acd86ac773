"""Keys limited to one team's experiments, in every operation and every place where an experiment can be named."""

import copy
import json

import pytest

from app.api.authorization import PERMISSIONS as RULES
from tests.support.openapi.description import DESCRIPTION, examples
from tests.support.totals import total

OURS, THEIRS = "ours-1", "theirs-1"
SECRET = "theirs-secret-variant"
TAKING = {
    operation["operationId"]: (method, path, kind, examples(media)[0])
    for path, operations in DESCRIPTION["paths"].items()
    for method, operation in operations.items()
    for kind, media in operation.get("requestBody", {}).get("content", {}).items()
}
TAKING["simulate_email"] = (*TAKING["simulate_email"][:3], {"emails": 20, "days": 2, "replications": 1})
REPEATABLE = sorted(
    operation["operationId"]
    for operations in DESCRIPTION["paths"].values()
    for operation in operations.values()
    if any(parameter["name"] == "Idempotency-Key" for parameter in operation.get("parameters", []))
)


@pytest.fixture
def teams(make_client, make_key):
    """A client of a service with a key for all, a key of one team, and two experiments of each of two teams."""
    keyed = make_client(key_cache_seconds=0, simulation_max_decisions=20_000)  # plays no large ones
    keyed.everything = make_key(keyed, "admin")
    for name, variant in ((THEIRS, SECRET), (OURS, "a")):
        pair = [{"variant_id": variant}, {"variant_id": "b"}]
        for made, source in ((name, "reported"), (f"{name}-tracked", "tracked")):
            keyed.post("/experiments", json={"experiment_id": made, "source": source, "variants": pair},
                       headers=keyed.everything)  # fmt: skip
        keyed.post("/metrics/", json=total(variant, experiment_id=name), headers=keyed.everything)
        unit = {"experiment_id": f"{name}-tracked", "unit_id": f"{name}-unit"}
        keyed.post("/assignments", json=unit, headers=keyed.everything)
        event = unit | {"event_id": "e", "type": "exposure"}
        keyed.post("/events", json=event, headers=keyed.everything)
    keyed.ours = make_key(keyed, "admin", experiment_prefix="ours-")
    return keyed


def state(client):
    """Everything of the other team, byte for byte."""
    names = (THEIRS, f"{THEIRS}-tracked")
    return [client.get(f"/experiments/{name}/export", headers=client.everything).content for name in names]


def naming(message, experiment_id):
    """Return every form of a message in which one more of its fields named so names the experiment."""
    found = []

    def walk(value, way):
        if isinstance(value, dict):
            for name, part in value.items():
                if name in {"experiment_id", "experiment"}:
                    found.append((*way, name))
                walk(part, (*way, name))
        elif isinstance(value, list):
            for number, part in enumerate(value):
                walk(part, (*way, number))

    walk(message, ())
    for *way, last in found:
        changed = copy.deepcopy(message)
        inner = changed
        for step in way:
            inner = inner[step]
        inner[last] = experiment_id
        yield changed


def told_nothing(answer):
    text = answer.text
    return SECRET not in text and f"{THEIRS}-unit" not in text


def test_no_message_of_any_operation_reaches_another_teams_experiment(teams):
    before = state(teams)
    for name in sorted(TAKING):
        trespass(teams, *TAKING[name])
        assert state(teams) == before, name


def trespass(teams, method, path, kind, example):
    """Name the other team's experiments in every field and in the path of an operation."""
    messages = [json.loads(example.splitlines()[0])] if kind == "application/x-ndjson" else [example]
    for url in {path.format_map({"experiment_id": made, "variant_id": "b", "key": made})
                for made in (OURS, THEIRS, f"{THEIRS}-tracked")}:  # fmt: skip
        for message in messages if isinstance(messages[0], dict | list) else []:
            for sent in [message, *naming(message, THEIRS), *naming(message, f"{THEIRS}-tracked")]:
                body = json.dumps(sent) + "\n"
                answer = teams.request(
                    method, url, content=body, headers={**teams.ours, "Content-Type": kind}
                )
                assert answer.status_code < 500, sent
                assert told_nothing(answer), sent
                if THEIRS in url:
                    assert answer.status_code == 403


def test_no_line_of_csv_reaches_another_teams_experiment(teams):
    before = state(teams)
    head = "experiment_id,variant_id,date,impressions,successes\n"
    for given in (THEIRS, f'"{THEIRS}"', f" {THEIRS} ", f"{THEIRS}\r", THEIRS.upper(), f"{OURS}/../{THEIRS}"):
        body = f"{head}{given},{SECRET},2026-03-01,1,1\n{OURS},a,2026-03-01,10,1\n"
        answer = teams.post(
            "/metrics/bulk?mode=partial", content=body, headers={**teams.ours, "Content-Type": "text/csv"}
        )
        assert answer.json()["rejected"] == 1, given
    assert state(teams) == before


def test_a_file_of_the_own_experiment_cannot_carry_rows_of_anothers(teams):
    before = state(teams)
    ours = teams.get(f"/experiments/{OURS}/export", headers=teams.ours).text.replace(OURS, "ours-2")
    sent = {**teams.ours, "Content-Type": "application/x-ndjson"}
    for line in ours.splitlines()[1:-1]:
        moved = ours.replace(line, line.replace("ours-2", THEIRS))
        assert teams.post("/experiments/import", content=moved, headers=sent).status_code in {403, 422}
    nested = ours.replace(
        '"experiment_id": "ours-2"', f'"experiment_id": "ours-2", "experiment_id": "{THEIRS}"'
    )
    assert teams.post("/experiments/import", content=nested, headers=sent).status_code in {403, 422}
    assert state(teams) == before


def test_no_page_list_file_or_stream_shows_anything_of_another_team(teams):
    for path, operations in DESCRIPTION["paths"].items():
        if "get" not in operations:
            continue
        limited = RULES.get(operations["get"]["operationId"])
        values = {"experiment_id": OURS, "variant_id": "a", "simulation_id": "0" * 32, "key": OURS}
        for query in (
            "",
            f"?cursor={THEIRS}",
            f"?experiment_id={THEIRS}",
            f"?unit_id={THEIRS}-unit",
            "?limit=1000",
        ):
            answer = teams.get(path.format_map(values) + query, headers=teams.ours)
            assert answer.status_code < 500
            assert told_nothing(answer), path
            assert THEIRS not in answer.text or answer.status_code >= 400 or limited is None, path


@pytest.mark.parametrize(
    "their",
    [
        "theirs-1/../ours-1",
        "ours-1/../theirs-1",
        "ours-1%2f..%2ftheirs-1",
        "ours-1%00",
        "ours-%2e%2e/theirs-1",
    ],
)
def test_no_spelling_of_a_path_gets_around_the_limit(teams, their):
    for path in (
        "/experiments/{}",
        "/metrics/{}",
        "/allocations/{}",
        "/experiments/{}/export",
        "/assignments/{}/units",
    ):
        answer = teams.get(path.format(their), headers=teams.ours)
        assert answer.status_code in {
            403,
            404,
            405,
            422,
        } or f'"experiment_id":"{OURS}"' in answer.text.replace(" ", "")
        assert told_nothing(answer)


def test_an_answer_of_any_operation_is_never_replayed_to_another_key(teams, make_key):
    others = [
        teams.ours,
        make_key(teams, "report"),
        make_key(teams, "read"),
        {},
        {"X-API-Key": teams.ours.key[:-1]},
    ]
    kept = [name for name in REPEATABLE if is_replayed_to_its_own_key_only(teams, others, *TAKING[name])]
    assert len(kept) >= 6  # the others' examples are refused in this state


def is_replayed_to_its_own_key_only(teams, others, method, path, kind, example):
    url = path.format_map({"experiment_id": THEIRS, "variant_id": SECRET})
    body = example if isinstance(example, str) else json.dumps(example)
    for one in ("homepage_test", "signup_button"):
        body = body.replace(one, THEIRS)
    same = {"Idempotency-Key": "import-1", "Content-Type": kind}
    first = teams.request(method, url, content=body, headers={**teams.everything, **same})
    for other in others:
        answer = teams.request(method, url, content=body, headers={**other, **same})
        assert "Idempotency-Replayed" not in answer.headers
        assert answer.status_code < 500
        assert other is not teams.ours or answer.status_code >= 400 or told_nothing(answer)
    again = teams.request(method, url, content=body, headers={**teams.everything, **same})
    if first.is_success:
        assert again.headers["Idempotency-Replayed"] == "true"
        assert again.content == first.content or again.json()["id"] == first.json()["id"]  # a run goes on
    return first.is_success
