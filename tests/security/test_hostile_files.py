"""A file that was tampered with: what the service could not have stored itself is refused, and nothing breaks."""

import json

import pytest

from tests.support.fixtures.transfer import broken, lines, take


def take_as_another(client, content):
    """Import the experiment beside itself, under another id."""
    return take(client, content.replace(b"moved", b"tampered"))


@pytest.fixture
def tracked(client):
    """The file of an experiment whose units were drawn, merged, forced and rewarded with large amounts."""
    variants = [{"variant_id": name} for name in "ab"]
    client.post("/experiments", json={"experiment_id": "moved", "source": "tracked", "variants": variants})
    units = [{"experiment_id": "moved", "unit_id": f"u{number}"} for number in range(8)]
    client.post("/assignments", json=units)
    kinds = ({"type": "exposure"}, {"type": "value", "value": 1e24})
    events = [
        unit | kind | {"event_id": f"{unit['unit_id']} {kind['type']}"} for unit in units for kind in kinds
    ]
    assert client.post("/events", json=events).json()["counted"] == 16
    for forced in ("a", "b"):
        override = {"experiment_id": "moved", "unit_id": "u0", "variant_id": forced}
        client.post("/assignments/overrides", json=override).raise_for_status()
    client.post("/assignments/merge", json={"unit_id": "u1", "into_unit_id": "u2"}).raise_for_status()
    client.post("/assignments/merge", json={"unit_id": "u9", "into_unit_id": "u0"}).raise_for_status()
    client.post("/assignments/forget", json={"unit_id": "u3"}).raise_for_status()
    return client.get("/experiments/moved/export")


def test_units_with_a_past_and_large_amounts_are_moved_whole(tracked, elsewhere):
    assert take(elsewhere, tracked.content).status_code == 201
    assert elsewhere.get("/experiments/moved/export").content == tracked.content


CELLS = [
    ("experiments", {"name": "\ud800"}),
    ("experiments", {"name": "x" * 2_001}),
    ("experiment_settings", {"active_from": "9999-12-31"}),
    ("experiment_versions", {"version": 2**63 - 1}),
    ("experiment_versions", {"settings_version": -1}),
    ("variants", {"value": "'; drop table variants"}),
    ("variants", {"value": '"\\ud800"'}),
    ("variants", {"value": "[" * 10_000}),
    ("variants", {"variant_id": "a b/../c"}),
    ("experiment_metrics", {"date": "9999-12-31"}),
    ("experiment_metrics", {"impressions": -1}),
    ("experiment_metrics", {"revenue": 1e61}),
    ("experiment_metrics", {"created_at": "9999-12-31T23:59:59+00:00"}),
    ("allocations", {"answer": {}}),
    ("allocations", {"sequence": 2**63 - 1}),
    ("allocations", {"revision": "../x"}),
]
"""Each alone would break what the service reads back."""
ANSWERS = ("allocations", "settings", "gates", "variants", "explain", "date", "revision")
UNITS = [
    ("splits", {"shares": {}}),
    ("splits", {"shares": {"nobody": 100.0}}),
    ("splits", {"shares": {"a": "most", "b": 1}}),
    ("splits", {"frozen_at": "9999-12-31T23:59:59+00:00"}),
    ("assignments", {"merged_into": "nobody"}),
    ("assignments", {"merged_into": ""}),
    ("assignments", {"propensity": 1.5}),
    ("assignments", {"kind": "drawn", "split": 77, "propensity": 0.5, "revision": "r"}),
    ("assignment_counts", {"units": 2**63 - 1}),
    ("events", {"event_digest": "\\xzz"}),
]


def refused(client, original, part, **changes):
    """Import a file with one row changed, and return the line that is named, if one is."""
    content, number = broken(original, part, **changes)
    answer = take_as_another(client, content)
    assert answer.status_code == 422, (part, changes)
    named = [fault["line"] for fault in answer.json().get("errors", [])]
    assert named in ([], [number]), (part, changes)
    return bool(named)


def test_a_cell_that_the_service_cannot_have_stored_is_rejected_and_named(client, exported):
    assert all(refused(client, exported, part, **changes) for part, changes in CELLS)
    assert client.get("/experiments/tampered").status_code == 404
    assert take_as_another(client, exported.content).status_code == 201


def test_a_recorded_answer_that_is_none_is_rejected(client, exported):
    row = next(line for line in map(json.loads, lines(exported)) if line.get("part") == "allocations")["row"]
    for name in ANSWERS:
        refused(client, exported, "allocations", answer=row["answer"] | {name: "another"})


def test_units_that_no_split_drew_are_rejected(client, tracked):
    for part, changes in UNITS:
        refused(client, tracked, part, **changes)
    assert client.get("/experiments/tampered").status_code == 404
    assert take_as_another(client, tracked.content).status_code == 201


def test_an_experiment_without_what_each_has_is_rejected(client, exported):
    for part in ("experiments", "experiment_settings", "experiment_versions"):
        kept = [line for line in lines(exported)[:-1] if f'"part": "{part}"'.encode() not in line]
        answer = take_as_another(client, b"".join([*kept, json.dumps({"rows": len(kept) - 1}).encode()]))
        assert answer.status_code == 422, part
