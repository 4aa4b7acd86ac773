"""No primary, or no database at all: who is known is served, nobody is lost, nobody waits for ever."""

import psycopg
from fastapi.testclient import TestClient

from app.main import create_app
from app.settings import ServiceSettings
from tests.support.experiments import FLAGS
from tests.support.problems import problem, unavailable

EXPERIMENT = {
    "experiment_id": "e",
    "source": "tracked",
    "variants": [{"variant_id": "control"}, {"variant_id": "a"}],
}


def unit(unit_id="u"):
    return {"experiment_id": "e", "unit_id": unit_id}


def test_a_replica_serves_known_units_and_rejects_new_ones(create, assign, make_client):
    create()
    known = assign("u")
    replica = make_client(read_only=True)
    assert replica.post("/assignments", json=unit()).json() == known | {"new": False}
    unavailable(replica.post("/assignments", json=unit("new")))
    served, refused = replica.post("/assignments", json=[unit(), unit("new")]).json()
    assert served == known | {"new": False}
    assert (refused["index"], refused["error"]["status"]) == (1, 503)
    flags = replica.post(FLAGS, json={"context": {"targetingKey": "u"}})
    assert flags.json()["flags"][0]["variant"] == known["variant_id"]
    answer = replica.post(f"{FLAGS}/e", json={"context": {"targetingKey": "new"}})
    assert (answer.status_code, answer.json()["errorCode"]) == (503, "GENERAL")


def test_a_replica_draws_without_storing_in_mode_rendezvous(create, assign, make_client):
    create(assignment_mode="rendezvous")
    drawn = assign("u")
    assert make_client(read_only=True).post("/assignments", json=unit()).json() == drawn


def test_without_postgresql_all_is_503_and_recovers_by_itself(server, url, clock):
    with TestClient(
        create_app(ServiceSettings(database_url=url), clock), raise_server_exceptions=False
    ) as client:
        client.post("/experiments", json=EXPERIMENT)
        known = client.post("/assignments", json=unit()).json()
        server.stop()
        for body in (unit(), unit("new"), [unit(), unit("new")]):
            unavailable(client.post("/assignments", json=body))
        for path, body in (
            ("overrides", unit() | {"variant_id": "a"}),
            ("merge", {"unit_id": "u", "into_unit_id": "v"}),
            ("forget", {"unit_id": "u"}),
        ):
            unavailable(client.post(f"/assignments/{path}", json=body))
        for path in ("", "/e"):
            answer = client.post(FLAGS + path, json={"context": {"targetingKey": "u"}})
            assert (answer.status_code, answer.json()["errorCode"]) == (503, "GENERAL")
            assert answer.json()["errorDetails"]
            assert answer.headers["Retry-After"].isdigit()
        problem(client.get("/assignments/e?unit_id=u"), 503)
        server.start()
        assert client.post("/assignments", json=unit()).json() == known | {"new": False}
        assert client.post("/assignments", json=unit("new")).status_code == 201


def test_connections_cut_behind_its_back_cost_no_request(server, url, clock):
    with TestClient(
        create_app(ServiceSettings(database_url=url), clock), raise_server_exceptions=False
    ) as client:
        client.post("/experiments", json=EXPERIMENT)
        client.post("/assignments", json=unit())
        with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'groundhog'"
            )
        assert client.post("/assignments", json=unit()).status_code == 200
        assert client.post("/assignments", json=unit("new")).status_code == 201


def test_unit_ids_are_not_in_the_log(create, client, caplog):
    create()
    caplog.set_level("DEBUG")
    for body in (unit("secret"), [unit("secret")], unit("secret\n")):
        client.post("/assignments", json=body)
    client.get("/assignments/e?unit_id=secret")
    client.post(f"{FLAGS}/e", json={"context": {"targetingKey": "secret"}})
    client.post("/assignments/merge", json={"unit_id": "secret", "into_unit_id": "secret2"})
    client.post("/assignments/forget", json={"unit_id": "secret"})
    ours = [record for record in caplog.records if record.name.startswith("groundhog")]
    assert ours
    assert not any("secret" in repr(record.__dict__) for record in ours)
