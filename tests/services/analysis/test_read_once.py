"""Each request reads the settings, the variants and the history of its experiment once."""

import pytest

from tests.support.statements import reading, recorded_statements


@pytest.fixture
def experiment(client):
    """Two variants with nine days of daily metrics; its path."""
    rows = [
        {
            "experiment_id": "e",
            "variant_id": variant,
            "date": f"2026-03-{day:02d}",
            "impressions": 100,
            "successes": s,
        }
        for variant, s in (("control", 10), ("bold", 14))
        for day in range(1, 10)
    ]
    client.post("/metrics/", json=rows).raise_for_status()
    return "/experiments/e"


def test_a_comparison_reads_settings_and_variants_once(client, experiment):
    with recorded_statements() as statements:
        assert client.get(f"{experiment}/comparison").json()["control"] == "control"
    assert len(reading(statements, "experiment_settings")) == 1
    assert len(reading(statements, "variants")) == 1
    assert len(statements) == 2


@pytest.mark.parametrize("read", ["posterior", "gain"])
def test_an_analysis_reads_settings_and_variants_once(client, experiment, read):
    with recorded_statements() as statements:
        client.get(f"{experiment}/{read}").raise_for_status()
    assert len(reading(statements, "experiment_settings")) == 1
    assert len(reading(statements, "variants")) == 1


def test_only_the_first_page_of_daily_metrics_has_the_totals(client, experiment):
    first = client.get("/metrics/e?limit=10").json()
    with recorded_statements() as statements:
        second = client.get("/metrics/e", params={"limit": 10, "cursor": first["next_cursor"]}).json()
    assert [variant["raw"]["days"] for variant in first["totals"]["variants"]] == [9, 9]
    assert (second["totals"], len(second["items"])) == (None, 8)
    assert reading(statements, "variants") == []


def test_the_first_page_lets_postgresql_sum_the_history(client, experiment):
    with recorded_statements() as statements:
        client.get("/metrics/e?limit=1").raise_for_status()
    (totals,) = reading(statements, "variants")
    assert "sum(impressions)" in totals


def test_a_change_with_if_match_reads_the_experiment_once(client, experiment):
    etag = client.get(experiment).headers["ETag"]
    with recorded_statements() as statements:
        changed = client.patch(experiment, json={"min_share": 5}, headers={"If-Match": etag})
    assert changed.json()["min_share"] == 5
    assert [len(reading(statements, table)) for table in ("experiment_settings", "variants")] == [1, 1]
    assert len(reading(statements, "experiments")) == 2  # beside its settings, and by itself
    assert len(reading(statements, "experiment_versions")) == 2  # the lock, and beside the settings


def test_the_tag_of_a_change_is_the_tag_of_the_next_read(client, experiment):
    """PostgreSQL keeps the keys of JSON in an order of its own."""
    client.post(f"{experiment}/variants", json={"variant_id": "a"}).raise_for_status()
    changed = client.patch(experiment, json={"fixed_share": {"control": 20, "a": 30, "bold": 50}})
    read = client.get(experiment)
    assert (changed.headers["ETag"], changed.content) == (read.headers["ETag"], read.content)


def test_a_weak_tag_is_no_match_for_a_change(client, experiment):
    etag = client.get(experiment).headers["ETag"]
    refused = client.patch(experiment, json={"min_share": 5}, headers={"If-Match": f"W/{etag}"})
    assert refused.status_code == 412
