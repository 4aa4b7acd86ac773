import threading

from app.services.access import idempotency
from tests.support.totals import stored, total

KEY = {"Idempotency-Key": "import-2026-03-01"}


def test_a_repeated_request_gets_the_first_answer_again(client):
    first = client.post("/metrics/", json=total(), headers=KEY)
    again = client.post("/metrics/", json=total(), headers=KEY)
    assert again.json() == first.json()
    assert first.json()["inserted"] == 1
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"


def test_a_late_retry_does_not_overwrite_a_newer_correction(client):
    client.post("/metrics/", json=total(successes=120), headers=KEY)
    client.post("/metrics/", json=total(successes=150))
    client.post("/metrics/", json=total(successes=120), headers=KEY)
    assert stored(client) == [("control", "2026-03-01", 1000, 150)]


def test_another_body_under_the_same_key_is_rejected(client):
    client.post("/metrics/", json=total(), headers=KEY)
    answer = client.post("/metrics/", json=total(successes=1), headers=KEY)
    assert answer.status_code == 422
    assert stored(client) == [("control", "2026-03-01", 1000, 120)]


def test_a_rejected_request_leaves_its_key_free(client):
    assert client.post("/metrics/", json=total(successes=2000), headers=KEY).status_code == 422
    assert client.post("/metrics/", json=total(), headers=KEY).json()["inserted"] == 1


def test_the_same_key_on_another_route_is_another_key(client):
    client.post("/metrics/", json=total(), headers=KEY)
    made = client.post("/experiments", json={"experiment_id": "checkout"}, headers=KEY)
    again = client.post("/experiments", json={"experiment_id": "checkout"}, headers=KEY)
    assert (made.status_code, again.status_code) == (201, 201)
    assert again.headers["Location"] == made.headers["Location"] == "/experiments/checkout"


def test_concurrent_duplicates_wait_for_the_first_and_replay_it(client):
    answers = []

    def post():
        answers.append(client.post("/metrics/", json=total(), headers=KEY))

    threads = [threading.Thread(target=post) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.json()["inserted"] for answer in answers} == {1}
    assert sum("Idempotency-Replayed" not in answer.headers for answer in answers) == 1


def test_an_upload_in_bulk_is_replayed_too(client):
    header = {"Content-Type": "text/csv", **KEY}
    body = "experiment_id,variant_id,date,impressions,successes\nhomepage,control,2026-03-01,10,1\n"
    first = client.post("/metrics/bulk", content=body, headers=header)
    again = client.post("/metrics/bulk", content=body, headers=header)
    assert (first.json()["inserted"], again.json()) == (1, first.json())
    assert client.post("/metrics/bulk", content=body + "\n", headers=header).status_code == 422


def test_keys_are_forgotten_after_their_time(client, clock):
    client.post("/metrics/", json=total(), headers=KEY)
    with client.app.state.database.transaction() as session:
        assert idempotency.delete_older_than(session, clock.now, 24) == 0
    clock.pass_days(2)
    with client.app.state.database.transaction() as session:
        assert idempotency.delete_older_than(session, clock.now, 24) == 1
