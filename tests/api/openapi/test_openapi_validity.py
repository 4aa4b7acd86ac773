"""The API's description is a valid OpenAPI document, every reference of which resolves."""

from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema_rs import meta
from openapi_spec_validator import OpenAPIV31SpecValidator

from app.main import create_app
from app.settings import ServiceSettings

DESCRIPTION = create_app(ServiceSettings(database_url="postgresql://nobody@localhost/none")).openapi()


def references(node: Any) -> Iterator[str]:
    """Yield the target of every reference below a node of a document."""
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        children = [*node.values()]
    else:
        children = node if isinstance(node, list) else []
    for child in children:
        yield from references(child)


def resolves(document: dict[str, Any], reference: str) -> bool:
    """Return whether a JSON pointer (RFC 6901) into the document itself leads to something."""
    root, *parts = reference.split("/")
    node: Any = document
    for part in parts:
        key = part.replace("~1", "/").replace("~0", "~")
        if not isinstance(node, dict) or key not in node:
            return False
        node = node[key]
    return root == "#"


def dangling(document: dict[str, Any]) -> set[str]:
    return {reference for reference in references(document) if not resolves(document, reference)}


def test_every_reference_resolves():
    assert dangling(DESCRIPTION) == set()


def test_a_reference_to_nothing_is_found():
    document = {"a/b": {"$ref": "#/c"}, "c": [{"$ref": "#/a~1b"}, {"$ref": "#/d"}, {"$ref": "x#/c"}]}
    assert dangling(document) == {"#/d", "x#/c"}


def test_the_description_is_valid_openapi():
    errors = OpenAPIV31SpecValidator(DESCRIPTION).iter_errors()
    assert [error.message for error in errors] == []


@pytest.mark.parametrize("name", DESCRIPTION["components"]["schemas"])
def test_every_schema_is_a_valid_json_schema(name):
    assert meta.is_valid(DESCRIPTION["components"]["schemas"][name])


def test_openfeature_has_no_422():
    evaluations = [path for path in DESCRIPTION["paths"] if path.startswith("/ofrep/")]
    assert len(evaluations) == 2
    assert all("422" not in DESCRIPTION["paths"][path]["post"]["responses"] for path in evaluations)
