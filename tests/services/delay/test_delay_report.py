"""``GET /experiments/{id}/delay``, and the gate when the variants' delays differ."""

import pytest

from tests.support.totals import DAYS, history, send, total


def late(variant_id, age, rate=120):
    """Reports of nine days of which all conversions come at one age."""
    return [
        total(variant_id, date, successes=rate if known >= age else 0, as_of=f"2026-03-0{day + known}")
        for day, date in enumerate(DAYS, 1)
        for known in range(9 - day + 1)
    ]


def test_the_curve_in_use_is_reported_with_the_estimate_and_its_counts(client):
    send(client, *history())
    report = client.get("/experiments/homepage/delay").json()
    answer = client.get("/allocations/homepage").json()
    assert (report["kind"], report["curve"]) == ("auto", answer["delay"]["curve"])
    estimate = report["estimate"]
    assert estimate["came"] == pytest.approx([8 * 60, 8 * 30, 7 * 15, 6 * 15])
    assert estimate["seen_among"][1:] == pytest.approx([8 * 90, 7 * 105, 6 * 120])
    assert all(
        low <= fraction <= high
        for low, fraction, high in zip(estimate["low"], estimate["curve"], estimate["high"], strict=True)
    )


def test_each_variants_own_curve_stands_beside_the_common_one(client):
    send(client, *late("a", 0), *late("b", 2))
    report = client.get("/experiments/homepage/delay").json()
    assert report["variants"]["a"]["curve"][0] > report["curve"][0] > report["variants"]["b"]["curve"][0]


def test_without_evidence_all_conversions_come_at_once(client):
    send(client, total())
    report = client.get("/experiments/homepage/delay").json()
    assert (report["curve"], report["estimate"], report["e_value"]) == ([1.0], None, 1.0)


def test_a_given_curve_is_reported_beside_the_estimate(client):
    send(client, *history())
    client.patch("/experiments/homepage", json={"delay": {"kind": "curve", "fractions": [0.2, 1]}})
    report = client.get("/experiments/homepage/delay").json()
    assert (report["kind"], report["curve"]) == ("curve", [0.2, 1.0])
    assert len(report["estimate"]["curve"]) == 4


def test_an_unknown_experiment_has_no_delay(client):
    assert client.get("/experiments/nothing/delay").status_code == 404


def test_the_gate_names_delays_that_differ_and_uses_each_ones_own_curve(client):
    send(client, *late("a", 0), *late("b", 2))
    answer = client.get("/allocations/homepage").json()
    assert client.get("/experiments/homepage/delay").json()["differs"]
    gate = next(gate for gate in answer["gates"] if gate["gate"] == "delay_differs")
    assert gate["e_value"] >= 1_000
    assert gate["variants"]["b"] > 0 > gate["variants"]["a"]
    a, b = answer["variants"]
    assert a["matured"] > 0.95 > b["matured"] == pytest.approx(7 / 9, abs=0.02)
    assert set(answer["delay"]["own_curves"]) == {"a", "b"}
    assert "of b: each variant's own delay curve is used" in " ".join(answer["explain"])


def test_delays_that_are_alike_raise_no_gate(client):
    send(client, *late("a", 2), *late("b", 2))
    answer = client.get("/allocations/homepage").json()
    assert (answer["gates"], answer["delay"]["kind"]) == ([], "auto")
    assert not client.get("/experiments/homepage/delay").json()["differs"]
