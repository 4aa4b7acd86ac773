"""Experiments over HTTP: created, their allocations read."""

from typing import Any

from fastapi.testclient import TestClient

FLAGS = "/ofrep/v1/evaluate/flags"


def create(client: TestClient, *variants: str, **settings: Any) -> None:
    body = {"experiment_id": "homepage", "variants": [{"variant_id": v} for v in variants], **settings}
    answer = client.post("/experiments", json=body)
    assert answer.status_code == 201, answer.text


def allocation(client: TestClient, date: str | None = None, **query: Any) -> dict[str, Any]:
    answer = client.get("/allocations/homepage", params={"for_date": date, **query} if date else query)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def gate(body: dict[str, Any]) -> list[str]:
    """Return the names of the gates that hold in an allocation."""
    return [holding["gate"] for holding in body["gates"]]
