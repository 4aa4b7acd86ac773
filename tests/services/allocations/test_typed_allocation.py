"""An allocation is one typed object: built once, serialised once, read back from what any version recorded."""

import json
from unittest.mock import patch

import psycopg
import pytest

from app.schemas.allocations import Allocation, StoredAllocation
from app.schemas.gates import BurnInGate, IncompleteDayGate, OtherGate, SampleRatioGate

FIRST_VERSION = """{"experiment_id": "e",  "date": "2026-03-09", "allocations": {"a": 60.0, "b": 40},
 "revision": "0123456789abcdef", "policy": {"kind": "thompson"}, "objective": "conversion",
 "data_through": null, "gates": [{"gate": "no_data"}, {"gate": "delay_differs", "curves": [1, 2]}],
 "variants": [
  {"variant_id": "a", "impressions": 0, "successes": 0, "mean": 0.5, "interval_95": [0.025, 0.975],
   "p_best": 0.5, "expected_loss": 0.1, "share": 60.0},
  {"variant_id": "b", "impressions": 0, "successes": 0, "mean": 0.5, "interval_95": [0.025, 0.975],
   "p_best": null, "expected_loss": null, "share": 40}],
 "value_remaining": 2.5, "recorded": true}"""
"""Fewer fields than today, spelt in another way, and a gate that this version does not know."""
ANSWER = StoredAllocation.model_validate_json(FIRST_VERSION)


@pytest.fixture
def recorded_by_first_version(client, clock, database_url):
    """An experiment whose allocation of yesterday another version recorded."""
    clock.pass_days(-1)
    variants = [{"variant_id": "a"}, {"variant_id": "b"}]
    client.post("/experiments", json={"experiment_id": "e", "variants": variants}).raise_for_status()
    with psycopg.connect(database_url.replace("+psycopg", "", 1)) as connection:
        connection.execute(
            "insert into allocations values ('e', '2026-03-09', 1, '0123456789abcdef', 'd', 1, %s, now())",
            [FIRST_VERSION],
        )
    clock.pass_days(1)


def report(client, *days):
    """Report the same for both variants on some days of March 2026."""
    rows = [
        {"experiment_id": "e", "variant_id": v, "date": f"2026-03-{day}", "impressions": 100, "successes": 9}
        for v in "ab"
        for day in days
    ]
    client.post("/metrics/", json=rows).raise_for_status()


def test_what_another_version_recorded_is_served_as_stored(client, recorded_by_first_version):
    assert client.get("/allocations/e?for_date=2026-03-09").text == FIRST_VERSION


def test_the_history_shows_what_another_version_recorded(client, recorded_by_first_version):
    (revision,) = client.get("/allocations/e/history").json()["items"]
    assert revision["allocations"] == {"a": 60.0, "b": 40.0}
    assert revision["p_best"] == {"a": 0.5, "b": None}
    assert revision["gates"] == ["no_data", "delay_differs"]


def test_prometheus_shows_what_another_version_recorded(client, recorded_by_first_version):
    exposition = client.get("/metrics").text
    assert 'groundhog_variant_share_ratio{experiment="e",variant="a"} 0.6' in exposition
    assert 'groundhog_gate_active{experiment="e",gate="delay_differs"} 1.0' in exposition


def test_what_moved_is_explained_against_what_another_version_recorded(client, recorded_by_first_version):
    explanation = client.get("/allocations/e").json()["explain"]
    assert "a went from 60 to 50 % (its own data are unchanged)." in explanation
    assert "The gate delay_differs is no longer active." in explanation


def test_fields_that_the_first_versions_did_not_write_have_a_default():
    assert (ANSWER.settings, ANSWER.stop_advice, ANSWER.explain) == ({}, None, [])
    assert [type(gate) for gate in ANSWER.gates][1:] == [OtherGate]


def test_a_known_gate_with_other_numbers_is_read_by_its_name():
    other = json.loads(FIRST_VERSION) | {"gates": [{"gate": "burn_in", "who": "a"}]}
    assert StoredAllocation.model_validate(other).gate_names == ["burn_in"]


@pytest.mark.parametrize(
    ("gate", "kind"),
    [
        (
            '{"gate": "burn_in", "asked": {"days": 1, "impressions": 0, "successes": 0},'
            ' "variants": {"a": {"days": 0, "impressions": 0.0, "successes": 0.0}}}',
            BurnInGate,
        ),
        ('{"gate": "incomplete_day", "days": 1, "missing": {"2026-03-09": ["b"]}}', IncompleteDayGate),
        (
            '{"gate": "srm", "p_value": 1e-07, "splits": 2, "variants": {"a": {"units": 6.0, "expected": 5.0}}}',
            SampleRatioGate,
        ),
    ],
    ids=["burn_in", "incomplete_day", "srm"],
)
def test_a_gate_is_spelt_as_it_was_read(gate, kind):
    text = json.dumps(json.loads(FIRST_VERSION) | {"gates": [json.loads(gate)]})
    allocation = StoredAllocation.model_validate_json(text)
    assert isinstance(allocation.gates[0], kind)
    assert f'"gates": [{gate}]' in allocation.to_json()


def test_whole_numbers_keep_their_spelling():
    """Impressions are written without a fraction, shares with one, as they were given."""
    assert '"impressions": 0,' in ANSWER.to_json()
    assert '"allocations": {"a": 60.0, "b": 40.0}' in ANSWER.to_json()


@pytest.fixture
def counted():
    """What was parsed and what was serialised of allocations."""
    counts = {"parsed": 0, "serialised": 0}
    parse, serialise = StoredAllocation.model_validate_json, Allocation.to_json

    def counted_parse(body):
        counts["parsed"] += 1
        return parse(body)

    def counted_serialise(allocation):
        counts["serialised"] += 1
        return serialise(allocation)

    with (
        patch.object(StoredAllocation, "model_validate_json", counted_parse),
        patch.object(Allocation, "to_json", counted_serialise),
    ):
        yield counts


def test_a_new_answer_is_serialised_once_and_only_the_one_before_is_parsed(client, clock, counted):
    report(client, "08", "09")
    client.get("/allocations/e").raise_for_status()
    assert counted == {"parsed": 0, "serialised": 1}  # there was none before
    clock.pass_days(1)
    report(client, "10")
    client.get("/allocations/e").raise_for_status()
    assert counted == {"parsed": 1, "serialised": 2}


def test_a_split_reads_the_fields_of_the_answer_it_computes(client, counted):
    variants = [{"variant_id": "a"}, {"variant_id": "b"}]
    client.post("/experiments", json={"experiment_id": "e", "variants": variants}).raise_for_status()
    client.post("/assignments", json={"experiment_id": "e", "unit_id": "u"}).raise_for_status()
    assert counted == {"parsed": 0, "serialised": 1}


def test_a_cached_answer_is_neither_parsed_nor_serialised(client, counted):
    report(client, "09")
    first = client.get("/allocations/e")
    before = dict(counted)
    assert client.get("/allocations/e").content == first.content
    assert counted == before
