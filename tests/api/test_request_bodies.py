"""Bodies that are rejected before anything reads them."""

import asyncio
import json

import pytest
from starlette.exceptions import HTTPException

from app.api.json_limit import MAX_JSON_MEMBERS, LimitedJsonRequest


def read(body):
    async def receive():
        return {"type": "http.request", "body": body, "more_body": False}

    return asyncio.run(LimitedJsonRequest({"type": "http", "headers": []}, receive).json())


def test_a_document_of_too_many_members_is_rejected():
    members = [{"a": 1, "b": 2}] * (MAX_JSON_MEMBERS // 2 + 1)
    with pytest.raises(HTTPException, match=f"{MAX_JSON_MEMBERS} members") as rejected:
        read(json.dumps(members).encode())
    assert rejected.value.status_code == 413


def test_colons_within_texts_are_no_members():
    sent = {"a": ":" * 2 * MAX_JSON_MEMBERS, "b": [{"c": 1}]}
    assert read(json.dumps(sent).encode()) == sent


def test_a_compressed_body_is_rejected(client):
    answer = client.post("/metrics", content=b"x", headers={"Content-Encoding": "gzip"})
    assert answer.status_code == 415
    assert answer.json()["type"] == "about:blank"
