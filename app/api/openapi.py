"""The OpenAPI description: FastAPI's, with this API's texts, groups, errors and required scopes."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic_core import to_jsonable_python
from starlette.routing import BaseRoute

from app.api.authorization import PUBLIC_OPERATIONS, permission_of
from app.api.problem_details import Problem, error_responses
from app.simulation.clv.world.products import CHANNELS, PRODUCTS

TITLE = "Groundhog"
DESCRIPTION = """\
Send what each variant of an experiment did each day; get what share of traffic each variant should have.

`POST /metrics/` stores daily totals, `GET /allocations/{experiment_id}` answers with each variant's percent for a
date, from the data strictly before it (before the running hour, with `cadence: hour`): the probability of being
the best variant (Thompson sampling), computed exactly, so that the same data give the same bytes. Every error is
`application/problem+json` (RFC 9457).

Once there is an API key, every operation but the health checks needs one, as `Authorization: Bearer gh_...` or as
`X-API-Key: gh_...`. Of its scopes **evaluate** reads flags and records their events, **report** sends metrics,
assignments and events, **read** reads all data, **admin** may do everything; each operation names its scope.
"""

SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "gh_<id>_<secret>"},
    "api_key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}

FRAMEWORK_ERROR = {"schema": {"$ref": "#/components/schemas/HTTPValidationError"}}

TAGS = [
    {"name": "metrics", "description": "Daily totals of impressions, successes and value per variant"},
    {"name": "allocations", "description": "Each variant's share of traffic on a date, and why"},
    {"name": "events", "description": "What assigned units did: exposures, conversions, values"},
    {"name": "assignments", "description": "Which variant a unit gets, and keeps"},
    {"name": "openfeature", "description": "Variants as feature flags for any OpenFeature SDK (OFREP 0.3.0)"},
    {"name": "experiments", "description": "Experiments, their settings and their variants"},
    {"name": "simulations", "description": "Made-up worlds in which the service's own policies play"},
    {"name": "operations", "description": "Health and Prometheus metrics"},
]


def describe(version: str, routes: Sequence[BaseRoute]) -> dict[str, Any]:
    """Return the description of some routes, with problem+json as the form of errors, and complete examples."""
    schema = get_openapi(title=TITLE, version=version, description=DESCRIPTION, tags=TAGS, routes=routes)
    components = schema.setdefault("components", {}).setdefault("schemas", {})
    _drop_framework_errors(schema)
    _drop_item_schemas(schema)
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    components.update(problem.pop("$defs", {}))
    components["Problem"] = problem
    schema["components"]["securitySchemes"] = SCHEMES
    for operation in _operations(schema):
        _describe_permission(operation)
    for model in _models():  # the framework drops every null, in examples too
        extra = model.model_config.get("json_schema_extra")
        if model.__name__ in components and isinstance(extra, dict):
            components[model.__name__] |= extra
    _describe_preset(components)
    return schema


def _drop_framework_errors(schema: dict[str, Any]) -> None:
    """Remove FastAPI's own validation errors, and the responses that have them: OFREP's, which has no 422."""
    for name in ("HTTPValidationError", "ValidationError"):
        schema["components"]["schemas"].pop(name, None)
    for operation in _operations(schema):
        operation["responses"] = {
            status: response
            for status, response in operation["responses"].items()
            if FRAMEWORK_ERROR not in response.get("content", {}).values()
        }


def _drop_item_schemas(schema: dict[str, Any]) -> None:
    """Remove the item schemas of event streams, which FastAPI has from OpenAPI 3.2: this document is 3.1."""
    for operation in _operations(schema):
        for response in operation["responses"].values():
            for media in response.get("content", {}).values():
                media.pop("itemSchema", None)


def _operations(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for path in schema["paths"].values():
        yield from path.values()


def _describe_preset(components: dict[str, Any]) -> None:
    """Show the catalogue that the telco scenario uses for null, as an example to change."""
    telco = components["ClvRequest"]["properties"]
    preset = {"products": [asdict(one) for one in PRODUCTS], "channels": [asdict(one) for one in CHANNELS]}
    for name, rows in preset.items():
        telco[name]["examples"] = [to_jsonable_python(rows)]


def _describe_permission(operation: dict[str, Any]) -> None:
    """Add the scope that an operation needs, and the errors that a wrong API key gets."""
    if operation["operationId"] in PUBLIC_OPERATIONS:
        return
    permission = permission_of(operation["operationId"])
    operation["security"] = [{name: []} for name in SCHEMES]
    operation["description"] += f"\n\nScope: `{permission.scope}`."
    responses = operation["responses"]
    content = {"content": responses["503"]["content"]} if "503" in responses else {}
    rejected = {
        str(status): response | content for status, response in error_responses(401, 403, 429).items()
    }
    operation["responses"] = dict(sorted((responses | rejected).items()))


def _models(base: type[BaseModel] = BaseModel) -> Iterator[type[BaseModel]]:
    """Yield every message of this project."""
    for model in base.__subclasses__():
        if model.__module__.startswith("app."):
            yield model
        yield from _models(model)
