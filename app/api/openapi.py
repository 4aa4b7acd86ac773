"""What the API's description says besides the routes: words, groups, the form of errors."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from pydantic import BaseModel
from pydantic_core import to_jsonable_python

from app.api.authorization import PUBLIC_OPERATIONS, permission_of
from app.api.problem_details import Problem, error_responses
from app.simulation.clv.world.products import CHANNELS, PRODUCTS

DESCRIPTION = """\
Send what each variant of an experiment did each day; get what share of traffic each variant should have.

`POST /metrics/` stores daily totals, `GET /allocations/{experiment_id}` answers with each variant's percent for a
date, from the data strictly before it: the probability of being the best variant (Thompson sampling), computed
exactly, so that the same data give the same bytes. Every error is `application/problem+json` (RFC 9457).

Once there is an API key, every operation but the health checks needs one, as `Authorization: Bearer gh_...` or as
`X-API-Key: gh_...`. A key has scopes: **report** sends what happened (metrics, assignments, events, flag
evaluations), **read** reads every figure, **admin** may do everything; each operation names the one it needs.
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
    {"name": "operations", "description": "Health and figures"},
]


def describe(schema: dict[str, Any]) -> dict[str, Any]:
    """Return FastAPI's description with our form of errors in place of its own, and whole examples."""
    components = schema.setdefault("components", {}).setdefault("schemas", {})
    _drop_framework_errors(schema)
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    components.update(problem.pop("$defs", {}))
    components["Problem"] = problem
    schema["components"]["securitySchemes"] = SCHEMES
    for path in schema["paths"].values():
        for operation in path.values():
            _describe_key(operation)
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
    for path in schema["paths"].values():
        for operation in path.values():
            responses = operation["responses"]
            operation["responses"] = {
                status: response
                for status, response in responses.items()
                if FRAMEWORK_ERROR not in response.get("content", {}).values()
            }


def _describe_preset(components: dict[str, Any]) -> None:
    """Show what stands for null in the telco's catalogue, to be changed by whoever wants another one."""
    telco = components["ClvRequest"]["properties"]
    preset = {"products": [asdict(one) for one in PRODUCTS], "channels": [asdict(one) for one in CHANNELS]}
    for name, rows in preset.items():
        telco[name]["examples"] = [to_jsonable_python(rows)]


def _describe_key(operation: dict[str, Any]) -> None:
    """Say which key an operation needs, and how it is refused: in the form of its other errors."""
    if operation["operationId"] in PUBLIC_OPERATIONS:
        return
    rule = permission_of(operation["operationId"])
    operation["security"] = [{name: []} for name in SCHEMES]
    operation["description"] += f"\n\nScope: `{rule.scope}`."
    said = operation["responses"]
    form = {"content": said["503"]["content"]} if "503" in said else {}
    refused = {str(status): answer | form for status, answer in error_responses(401, 403, 429).items()}
    operation["responses"] = dict(sorted((said | refused).items()))


def _models(base: type[BaseModel] = BaseModel) -> Iterator[type[BaseModel]]:
    """Yield every message of ours."""
    for model in base.__subclasses__():
        if model.__module__.startswith("app."):
            yield model
        yield from _models(model)
