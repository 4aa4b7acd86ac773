"""`groundhog keys` and `groundhog audit`, and what `groundhog serve` says where others could reach it."""

import pytest

from tests.support.problems import problem
from tests.support.totals import total


@pytest.fixture(autouse=True)
def database(groundhog, monkeypatch, database_url):
    """Let commands run on the tests' database."""
    monkeypatch.setenv("DATABASE_URL", database_url)


def test_a_key_is_made_used_listed_and_revoked(groundhog, make_client):
    client = make_client(key_cache_seconds=0)
    code, key, said = groundhog(
        "keys", "create", "shop backend", "--scope", "report", "--experiments", "shop-"
    )
    assert (code, key.count("\n"), "shown only once" in said) == (0, 1, True)
    headers, key_id = {"X-API-Key": key.strip()}, key.split("_")[1]
    assert client.post("/metrics/", json=total(experiment_id="shop-a"), headers=headers).status_code == 200
    _, listed, _ = groundhog("keys", "list")
    row = next(line for line in listed.splitlines() if key_id in line)
    assert all(part in row for part in ("shop backend", "report", "shop-...", "valid"))
    assert key.split("_", 2)[2].strip() not in listed
    assert f"Key {key_id} (shop backend) is revoked" in groundhog("keys", "revoke", key_id)[1]
    problem(client.post("/metrics/", json=total(experiment_id="shop-a"), headers=headers), 401)
    _, entries, _ = groundhog("audit", "--about", "shop-a")
    assert "shop backend" in entries
    assert "record_metrics" in entries


def test_a_key_for_a_page_has_its_origins(groundhog, make_client):
    client = make_client(key_cache_seconds=0)
    sites = ("--origin", "https://shop.example", "--origin", "http://localhost:3000")
    code, key, _ = groundhog("keys", "create", "shop page", "--scope", "evaluate", *sites)
    assert code == 0
    _, listed, _ = groundhog("keys", "list")
    row = next(line for line in listed.splitlines() if key.split("_")[1] in line)
    assert "https://shop.example,http://localhost:3000" in row
    asked = {"context": {"targetingKey": "u"}}
    for origin, status in (("https://shop.example", 200), ("https://evil.example", 403)):
        headers = {"X-API-Key": key.strip(), "Origin": origin}
        assert client.post("/ofrep/v1/evaluate/flags", json=asked, headers=headers).status_code == status


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["keys", "create", "x", "--scope", "everything"],
            "scopes: Input should be 'evaluate', 'report', 'read' or 'admin'",
        ),
        (["keys", "create", "x\n", "--scope", "read"], "name"),
        (["keys", "create", "x", "--scope", "read", "--experiments", "a b"], "experiment_prefix"),
        (["keys", "create", "x", "--scope", "evaluate", "--scope", "read"], "evaluate goes alone"),
        (["keys", "create", "x", "--scope", "evaluate", "--origin", "shop.example"], "a scheme and a host"),
        (["keys", "revoke", "nobody"], "there is no key 'nobody'"),
    ],
)
def test_what_is_no_key_gets_one_sentence(groundhog, arguments, said):
    sentence, _, _ = groundhog(*arguments)
    assert sentence.startswith("groundhog: ")
    assert said in sentence
    assert "\n" not in sentence


def test_a_service_that_others_could_reach_does_not_start_without_a_key(groundhog):
    sentence, _, _ = groundhog("serve", "--host", "0.0.0.0", "--port", "0")
    assert "can be reached from other machines, and there is no API key yet" in sentence
    assert "groundhog keys create NAME --scope admin" in sentence
    assert "GROUNDHOG_ADMIN_KEY" in sentence


def test_what_a_command_loads_is_in_the_audit(groundhog, tmp_path):
    file = tmp_path / "history.csv"
    file.write_text("experiment_id,variant_id,date,impressions,successes\nloaded,a,2026-03-01,10,1\n")
    assert groundhog("load", str(file))[0] == 0
    entries = groundhog("audit")[1]
    assert "command line" in entries
    assert "loaded" in entries
