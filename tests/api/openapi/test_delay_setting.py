"""The setting ``delay`` is described as it is accepted: by its kind, as a curve, or with ``max_days``."""

from typing import Any

import pytest
from jsonschema_rs import validator_for

from tests.support.openapi.description import OPERATIONS, SCHEMAS, resolved

CURVE = {"kind": "curve", "fractions": [0.4, 0.8, 1]}
SENT = [
    ("auto", True),
    ("none", True),
    ("soon", False),
    ("curve", False),
    (7, False),
    ([], False),
    ({}, True),
    ({"kind": "auto"}, True),
    ({"kind": "auto", "max_days": 14}, True),
    ({"max_days": 14}, True),
    ({"max_days": 0}, False),
    ({"max_days": 366}, False),
    ({"max_days": 1.5}, False),
    ({"kind": "none"}, True),
    ({"kind": "none", "max_days": 14}, False),
    ({"kind": "none", "fractions": None, "max_days": None}, True),
    (CURVE, True),
    (CURVE | {"max_days": None}, True),
    (CURVE | {"max_days": 14}, False),
    ({"kind": "curve"}, False),
    ({"kind": "curve", "fractions": None}, False),
    ({"kind": "curve", "fractions": []}, False),
    ({"kind": "curve", "fractions": [1.5]}, False),
    ({"kind": "curve", "fractions": ["1"]}, False),
    ({"kind": "curve", "fractions": [1] * 367}, False),
    ({"kind": "auto", "fractions": [1]}, False),
    ({"kind": "auto", "days": 14}, False),
]


def described(operation: str) -> dict[str, Any]:
    (media,) = OPERATIONS[operation]["requestBody"]["content"].values()
    delay: dict[str, Any] = resolved(media["schema"])["properties"]["delay"]
    return delay


def fits(schema: dict[str, Any], value: object) -> bool:
    return validator_for({**schema, "components": {"schemas": SCHEMAS}}).is_valid(value)


@pytest.mark.parametrize(("delay", "accepted"), SENT)
def test_a_new_experiment_accepts_what_the_description_says(client, delay, accepted):
    assert fits(described("create_experiment"), delay) == accepted
    answer = client.post("/experiments", json={"experiment_id": "e", "delay": delay})
    assert answer.status_code == (201 if accepted else 422), answer.text


@pytest.mark.parametrize(("delay", "accepted"), [*SENT, (None, True)])
def test_a_change_accepts_what_the_description_says(client, delay, accepted):
    client.post("/experiments", json={"experiment_id": "e"}).raise_for_status()
    assert fits(described("change_experiment"), delay) == accepted
    answer = client.patch("/experiments/e", json={"delay": delay})
    assert answer.status_code == (200 if accepted else 422), answer.text


@pytest.mark.parametrize("operation", ["create_experiment", "change_experiment"])
def test_its_examples_are_what_it_describes(operation):
    schema = described(operation)
    assert len(schema["examples"]) >= 3
    assert [example for example in schema["examples"] if not fits(schema, example)] == []


def test_fractions_of_a_curve_in_use_are_changed_without_its_kind(client):
    client.post("/experiments", json={"experiment_id": "e", "delay": CURVE}).raise_for_status()
    change = {"fractions": [0.5, 1]}
    assert fits(described("change_experiment"), change)
    assert client.patch("/experiments/e", json={"delay": change}).json()["delay"]["fractions"] == [0.5, 1]


def test_what_an_answer_has_can_be_sent_again(client):
    for number, delay in enumerate(["auto", "none", CURVE, {"max_days": 14}]):
        sent = {"experiment_id": f"e{number}", "delay": delay}
        answered = client.post("/experiments", json=sent).json()["delay"]
        assert fits(SCHEMAS["Delay"], answered)
        assert fits(described("create_experiment"), answered)
        assert client.patch(f"/experiments/e{number}", json={"delay": answered}).json()["delay"] == answered
