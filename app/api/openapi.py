"""What the API's description says besides the routes: words, groups, the form of errors."""

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from app.api.problems import Problem

DESCRIPTION = """\
Send what each variant of an experiment did each day; get what share of traffic each variant should have.

`POST /metrics/` stores daily totals, `GET /allocations/{experiment_id}` answers with each variant's percent for a
date, from the data strictly before it: the probability of being the best variant (Thompson sampling), computed
exactly, so that the same data give the same bytes. Every error is `application/problem+json` (RFC 9457).
"""

TAGS = [
    {"name": "metrics", "description": "Daily totals of impressions, successes and value per variant"},
    {"name": "allocations", "description": "Each variant's share of traffic on a date, and why"},
    {"name": "events", "description": "What assigned units did: exposures, conversions, values"},
    {"name": "assignments", "description": "Which variant a unit gets, and keeps"},
    {"name": "experiments", "description": "Experiments, their settings and their variants"},
    {"name": "simulations", "description": "Made-up worlds in which the service's own policies play"},
    {"name": "operations", "description": "Health and figures"},
]


def describe(schema: dict[str, Any]) -> dict[str, Any]:
    """Return FastAPI's description with our form of errors in place of its own, and whole examples."""
    components = schema.setdefault("components", {}).setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        components.pop(name, None)
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    components.update(problem.pop("$defs", {}))
    components["Problem"] = problem
    for model in _models():  # the framework drops every null, in examples too
        extra = model.model_config.get("json_schema_extra")
        if model.__name__ in components and isinstance(extra, dict):
            components[model.__name__] |= extra
    return schema


def _models(base: type[BaseModel] = BaseModel) -> Iterator[type[BaseModel]]:
    """Yield every message of ours."""
    for model in base.__subclasses__():
        if model.__module__.startswith("app."):
            yield model
        yield from _models(model)
