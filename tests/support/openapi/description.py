"""The API's own description, and the examples in it."""

from typing import Any

from app.main import create_app
from app.settings import ServiceSettings

DESCRIBED = create_app(ServiceSettings(database_url="postgresql://nobody@localhost/none"))
"""An application that is never started."""
DESCRIPTION: dict[str, Any] = DESCRIBED.openapi()
SCHEMAS = DESCRIPTION["components"]["schemas"]
OPERATIONS = {
    operation["operationId"]: operation
    for path in DESCRIPTION["paths"].values()
    for operation in path.values()
}


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    return SCHEMAS[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema


def examples(media: dict[str, Any]) -> list[Any]:
    """Return the examples of a body: its own, or those of its schema."""
    if "example" in media:
        return [media["example"]]
    named = media.get("examples", {})
    return [example["value"] for example in named.values()] or resolved(media["schema"]).get("examples", [])
