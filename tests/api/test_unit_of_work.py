"""A write: one transaction, one commit, and once per Idempotency-Key."""

import datetime as dt

import pytest
from sqlalchemy import func, select

from app.api.unit_of_work import UnitOfWork
from app.errors import Conflict, Invalid
from app.observability import metrics
from app.schemas.exports import Imported
from app.services.access.idempotency import IdempotentRequest
from app.storage.tables import Experiment, IdempotencyKey

REQUEST = IdempotentRequest("POST /experiments", "a-key", bytes(32))


NOW = dt.datetime(2026, 3, 10, tzinfo=dt.UTC)


@pytest.fixture
def write(client):
    return UnitOfWork(client.app.state.database, NOW, REQUEST)


def create(name, fails=False):
    """Return work that stores an experiment."""

    def work(session):
        session.add(Experiment(experiment_id=name, name=name, description="", created_at=NOW))
        session.flush()
        if fails:
            raise Conflict("no")
        return Imported(experiment_id=name, rows={})

    return work


def count(write, table):
    return write.commit(lambda session: session.scalar(select(func.count()).select_from(table)))


def test_the_outcome_has_the_message_and_the_response_with_its_address(write):
    outcome = write.commit_once(create("a"), 201, lambda created: f"/experiments/{created.experiment_id}")
    assert outcome.message == Imported(experiment_id="a", rows={})
    response = outcome.to_response()
    assert (response.status_code, response.headers["Location"]) == (201, "/experiments/a")
    assert response.body == b'{"experiment_id":"a","rows":{}}'


def test_a_repeated_write_returns_the_stored_response_and_no_message(write):
    first = write.commit_once(create("a"), 201)
    again = write.commit_once(create("b"), 201)
    assert (again.message, again.response.body) == (None, first.response.body)
    assert again.to_response().headers["Idempotency-Replayed"] == "true"
    assert count(write, Experiment) == 1


def test_a_write_without_a_key_is_done_again_and_stores_no_response(write):
    plain = UnitOfWork(write.database, write.now)
    assert plain.commit_once(create("a")).message is not None
    assert plain.commit_once(create("b")).message is not None
    assert (count(write, Experiment), count(write, IdempotencyKey)) == (2, 0)


@pytest.mark.parametrize("commit", ["commit", "commit_once"])
def test_work_that_fails_leaves_neither_rows_nor_its_key(write, commit):
    with pytest.raises(Conflict):
        getattr(write, commit)(create("a", fails=True))
    assert (count(write, Experiment), count(write, IdempotencyKey)) == (0, 0)
    assert write.find_response() is None
    assert write.commit_once(create("a")).message is not None


def test_another_body_under_the_key_is_rejected_before_the_work(write):
    write.commit_once(create("a"))
    other = UnitOfWork(write.database, write.now, IdempotentRequest(REQUEST.scope, REQUEST.key, bytes(31)))
    with pytest.raises(Invalid, match="another body"):
        other.commit_once(create("b"))
    with pytest.raises(Invalid, match="another body"):
        other.find_response()
    assert count(write, Experiment) == 1


def test_prometheus_counts_a_replayed_request_once(client):
    inserted = metrics.DAILY_METRICS_ROWS.labels("inserted")
    before = inserted._value.get()
    day = {"experiment_id": "a", "variant_id": "b", "date": "2026-03-01", "impressions": 10, "successes": 1}
    for _ in range(3):
        client.post("/metrics/", json=day, headers={"Idempotency-Key": "a-key"})
    assert inserted._value.get() == before + 1
