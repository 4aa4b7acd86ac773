"""Who may ask: keys, their scopes, their end, their rate, and what is open without."""

import asyncio
import datetime as dt
import hashlib

import psycopg
import pytest

from app.errors import TooManyRequests, Unauthorized, Unavailable
from app.schemas.api_keys import ApiKeyIn
from app.services.access import api_keys
from app.services.access.authenticator import Authenticator
from app.storage import api_keys as stored_keys
from tests.support.problems import problem
from tests.support.totals import total


def change(client, act, *arguments):
    with client.app.state.database.transaction() as session:
        return act(session, *arguments)


def test_a_service_on_loopback_is_open_while_no_key_was_ever_made(client):
    assert client.post("/metrics/", json=total()).status_code == 200
    assert client.get("/experiments").status_code == 200


@pytest.mark.parametrize(
    "name", ["127.0.0.1:8000", "localhost", "LOCALHOST:80", "[::1]:8000", "[::1]", "a.localhost"]
)
def test_an_open_service_answers_to_the_names_of_its_machine(client, name):
    assert client.get("/experiments", headers={"Host": name}).status_code == 200


@pytest.mark.parametrize("name", ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", "a.local"])
def test_an_open_service_answers_to_no_name_that_others_can_give_it(client, make_key, name):
    answer = client.get("/experiments", headers={"Host": name})
    problem(answer, 403)
    assert "groundhog keys create" in answer.json()["detail"]
    assert client.get("/livez", headers={"Host": name}).status_code == 200


def test_with_a_key_a_service_is_asked_by_any_name(make_client, make_key):
    client = make_client(key_cache_seconds=0)
    sent = make_key(client, "read") | {"Host": "groundhog.example"}
    assert client.get("/experiments", headers=sent).status_code == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "groundhog.example"])
def test_a_service_that_others_can_reach_is_never_open(make_client, host):
    problem(make_client(host=host).get("/experiments"), 401)


def test_a_service_that_was_open_asks_for_a_key_once_one_was_made(make_client, make_key):
    client = make_client(key_cache_seconds=0)
    assert client.get("/experiments").status_code == 200
    make_key(client, "read")
    answer = client.get("/experiments")
    problem(answer, 401)
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert "groundhog keys create" in answer.json()["detail"]


def test_revoking_the_last_key_does_not_open_the_service_again(make_client, make_key, clock):
    client = make_client(key_cache_seconds=0)
    key = make_key(client, "admin")
    change(client, api_keys.revoke, key.key_id, clock.now)
    assert "was revoked" in client.get("/experiments", headers=key).json()["detail"]
    problem(client.get("/experiments"), 401)


def test_a_key_is_taken_as_bearer_and_as_x_api_key(keyed, make_key):
    key = make_key(keyed, "read")
    for headers in (key, {"authorization": f"bEARER  {key.key}"}, {"X-API-Key": key.key}):
        assert keyed.get("/experiments", headers=headers).status_code == 200


def test_authorization_of_another_kind_is_somebody_elses(keyed, make_key):
    key = make_key(keyed, "read")
    both = {"Authorization": "Basic Zm9vOmJhcg==", "X-API-Key": key.key}
    assert keyed.get("/experiments", headers=both).status_code == 200
    problem(keyed.get("/experiments", headers={"Authorization": "Basic Zm9vOmJhcg=="}), 401)


def test_two_different_keys_in_one_request_are_rejected(keyed, make_key):
    one, other = make_key(keyed, "read"), make_key(keyed, "admin")
    problem(keyed.get("/experiments", headers={**one, "X-API-Key": other.key}), 401)


@pytest.mark.parametrize(
    ("scopes", "reports", "reads", "administers"),
    [
        (["report"], 200, 403, 403),
        (["read"], 403, 200, 403),
        (["report", "read"], 200, 200, 403),
        (["admin"], 200, 200, 201),
    ],
)
def test_a_key_may_do_what_its_scopes_say(keyed, make_key, scopes, reports, reads, administers):
    key = make_key(keyed, *scopes)
    made = {"experiment_id": "checkout"}
    assert keyed.post("/metrics/", json=total(), headers=key).status_code == reports
    assert keyed.get("/experiments", headers=key).status_code == reads
    assert keyed.post("/experiments", json=made, headers=key).status_code == administers


def test_a_missing_scope_is_named(keyed, make_key):
    answer = keyed.post("/experiments", json={"experiment_id": "a"}, headers=make_key(keyed, "report"))
    problem(answer, 403)
    assert "needs the scope admin" in answer.json()["detail"]


def test_a_key_expires(keyed, make_key, clock):
    key = make_key(keyed, "read", expires_at=clock.now + dt.timedelta(days=1))
    assert keyed.get("/experiments", headers=key).status_code == 200
    clock.pass_days(1)
    answer = keyed.get("/experiments", headers=key)
    problem(answer, 401)
    assert "expired" in answer.json()["detail"]


def test_only_the_digest_of_a_secret_is_stored(keyed, make_key, database_url):
    key = make_key(keyed, "read")
    secret = key.key.split("_", 2)[2]
    assert len(secret) == 43  # 256 bits
    with psycopg.connect(database_url) as connection:
        rows = connection.execute("select k::text from api_keys k").fetchall()
        digests = connection.execute(
            "select secret_sha256 from api_keys where key_id = %s", [key.key_id]
        ).fetchall()
    assert not any(secret in row[0] for row in rows)
    assert digests == [(hashlib.sha256(secret.encode()).digest(),)]


ALWAYS_OPEN = ["/", "/livez", "/readyz", "/static/groundhog.svg"]
DOCS = ["/docs", "/redoc", "/openapi.json"]
TELEMETRY = ["/metrics", "/metrics/"]


@pytest.mark.parametrize(
    ("settings", "answered"),
    [
        ({}, ALWAYS_OPEN + DOCS),
        ({"public_docs": False}, ALWAYS_OPEN),
        ({"public_metrics": True}, ALWAYS_OPEN + DOCS + TELEMETRY),
    ],
)
def test_health_and_the_page_are_open_docs_and_prometheus_as_the_settings_say(
    make_client, make_key, settings, answered
):
    client = make_client(**settings)
    key = make_key(client, "read")
    for path in ALWAYS_OPEN + DOCS + TELEMETRY:
        assert client.get(path).status_code == (200 if path in answered else 401), path
        assert client.get(path, headers=key).status_code == 200, path


def test_the_last_use_of_a_key_is_stored(keyed, make_key, clock):
    key = make_key(keyed, "read")
    keyed.get("/experiments", headers=key)
    keyed.portal.call(keyed.app.state.authenticator.close)
    last = {made.key_id: made.last_used_at for made in change(keyed, api_keys.list_keys)}
    assert last[key.key_id] == clock.now


def test_the_same_idempotency_key_under_another_api_key_is_another_request(keyed, make_key):
    one, other = make_key(keyed, "report"), make_key(keyed, "report")
    same = {"Idempotency-Key": "import-1"}
    first = keyed.post("/metrics/", json=total(), headers=one | same)
    second = keyed.post("/metrics/", json=total(), headers=other | same)
    again = keyed.post("/metrics/", json=total(), headers=one | same)
    assert (first.json()["inserted"], second.json()["unchanged"]) == (1, 1)
    assert "Idempotency-Replayed" not in second.headers
    assert (again.json(), again.headers["Idempotency-Replayed"]) == (first.json(), "true")


class Ring:
    """A key ring whose time a test moves, with one key on it."""

    def __init__(self, client, clock, **more):
        self.now, self.ticks = clock.now, 100.0
        self.database = client.app.state.database
        new = ApiKeyIn(name="a key", scopes=["read"], **more)
        self.made, self.key = change(client, api_keys.create, new, clock.now)
        self.ring = Authenticator(self.database, 10, open_without_keys=False, tick=lambda: self.ticks)

    async def ask(self, key=None):
        return (await self.ring.authenticate(key or self.key, self.now)).key_id


def test_a_revoked_key_is_rejected_after_the_seconds_that_keys_are_cached(client, clock):
    async def story(ring):
        assert await ring.ask() == ring.made.key_id
        await asyncio.to_thread(change, client, api_keys.revoke, ring.made.key_id, clock.now)
        ring.ticks += 9.9
        assert await ring.ask() == ring.made.key_id
        ring.ticks += 0.1
        with pytest.raises(Unauthorized):
            await ring.ask()

    asyncio.run(story(Ring(client, clock)))


def test_a_new_key_is_found_a_second_later_and_unknown_ones_are_looked_for_no_more_often(
    client, clock, monkeypatch
):
    reads = []
    read = stored_keys.read

    async def counted(database):
        reads.append(1)
        return await read(database)

    async def story(ring):
        await ring.ask()
        new = ApiKeyIn(name="another", scopes=["read"])
        made, key = await asyncio.to_thread(change, client, api_keys.create, new, clock.now)
        for _ in range(5):
            with pytest.raises(Unauthorized):
                await ring.ask(key)
        assert len(reads) == 1
        ring.ticks += 1
        assert await ring.ask(key) == made.key_id
        assert len(reads) == 2

    monkeypatch.setattr(stored_keys, "read", counted)
    asyncio.run(story(Ring(client, clock)))


def test_the_keys_last_read_stay_valid_while_the_database_is_away(client, clock, monkeypatch):
    async def away(database):
        raise psycopg.OperationalError

    async def story(ring):
        monkeypatch.setattr(stored_keys, "read", away)
        with pytest.raises(Unavailable):
            await ring.ask()
        monkeypatch.undo()
        assert await ring.ask() == ring.made.key_id
        monkeypatch.setattr(stored_keys, "read", away)
        for _ in range(3):
            ring.ticks += 10
            assert await ring.ask() == ring.made.key_id

    asyncio.run(story(Ring(client, clock)))


def test_a_key_asks_as_often_as_its_rate_and_then_learns_when_to_come_again(client, clock):
    async def story(ring):
        for _ in range(4):
            await ring.ask()
        with pytest.raises(TooManyRequests) as refused:
            await ring.ask()
        assert refused.value.retry_after == 15
        ring.ticks += 14.9
        with pytest.raises(TooManyRequests):
            await ring.ask()
        ring.ticks += 0.1
        await ring.ask()

    asyncio.run(story(Ring(client, clock, requests_per_minute=4)))


def test_too_many_requests_are_429_with_whole_seconds_and_touch_no_other_key(keyed, make_key):
    key, other = (make_key(keyed, "read", requests_per_minute=rate) for rate in (1, None))
    assert keyed.get("/experiments", headers=key).status_code == 200
    answer = keyed.get("/experiments", headers=key)
    problem(answer, 429)
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    assert keyed.get("/experiments", headers=other).status_code == 200


ADMIN = "gh_admin_" + "0123456789abcdef" * 4


def test_the_key_of_the_setting_is_an_admin_key(make_client, clock):
    client = make_client(host="0.0.0.0")
    for _ in range(2):
        change(client, api_keys.upsert_admin_key, ADMIN, clock.now)
    headers = {"X-API-Key": ADMIN}
    assert client.post("/experiments", json={"experiment_id": "a"}, headers=headers).status_code == 201
    assert len(change(client, api_keys.list_keys)) == 1


def test_another_secret_in_the_setting_takes_the_place_of_the_first(make_client, clock):
    client = make_client(key_cache_seconds=0)
    other = ADMIN[:-1] + "0"
    for key in (ADMIN, other):
        change(client, api_keys.upsert_admin_key, key, clock.now)
    assert client.get("/experiments", headers={"X-API-Key": other}).status_code == 200
    problem(client.get("/experiments", headers={"X-API-Key": ADMIN}), 401)


def test_a_revoked_key_of_the_setting_stays_revoked_when_the_service_starts_again(make_client, clock):
    client = make_client(key_cache_seconds=0)
    change(client, api_keys.upsert_admin_key, ADMIN, clock.now)
    change(client, api_keys.revoke, "admin", clock.now)
    change(client, api_keys.upsert_admin_key, ADMIN, clock.now)
    problem(client.get("/experiments", headers={"X-API-Key": ADMIN}), 401)
