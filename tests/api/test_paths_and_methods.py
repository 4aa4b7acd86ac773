"""HEAD beside every GET, and errors of paths and forms that say what to do."""

import pytest

from app.schemas.fields import PATTERNS


@pytest.mark.parametrize(
    "path", ["/", "/livez", "/openapi.json", "/experiments", "/metrics", "/allocations/shop"]
)
def test_head_has_the_status_and_headers_of_get_without_a_body(client, path):
    client.post(
        "/metrics/",
        json={
            "experiment_id": "shop",
            "variant_id": "a",
            "date": "2026-03-01",
            "impressions": 9,
            "successes": 1,
        },
    )
    got, head = client.get(path), client.head(path)
    assert (head.status_code, head.content) == (got.status_code, b"")
    assert head.headers["Content-Type"] == got.headers["Content-Type"]
    assert head.headers.get("ETag") == got.headers.get("ETag")


def test_head_of_what_does_not_exist_is_404(client):
    assert client.head("/experiments/nobody").status_code == 404


def test_head_is_allowed_wherever_get_is(client):
    assert client.put("/experiments/shop").headers["Allow"] == "DELETE, GET, HEAD, PATCH"


def test_an_encoded_slash_in_an_id_gets_a_sentence(client):
    answer = client.get("/experiments/a%2Fb")
    assert answer.status_code == 404
    assert "encoded slash (%2F)" in answer.json()["detail"]


def test_no_error_shows_a_regular_expression(client):
    answer = client.post("/experiments", json={"experiment_id": "a b"})
    assert answer.json()["errors"] == [
        {
            "field": "body.experiment_id",
            "message": "Input should be 1 to 128 of A-Z a-z 0-9 . _ -, the first a letter or digit",
        }
    ]


def patterns(node):
    """Every pattern in a JSON document."""
    if isinstance(node, dict):
        yield from (value for name, value in node.items() if name == "pattern" and isinstance(value, str))
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    for child in children:
        yield from patterns(child)


def test_every_pattern_of_the_api_has_words(client):
    """A pattern without words would be reported as "text of the documented form"."""
    assert set(patterns(client.get("/openapi.json").json())) <= set(PATTERNS)
