"""The policies there are, on the wire."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from app.bandits.policies.registry import POLICIES, needs_value, policy_parameters, summary

EXAMPLE: dict[str, Any] = {
    "kind": "epsilon_greedy",
    "summary": "Give the arm with the largest posterior mean all but epsilon, ...",
    "objective": "conversion",
    "parameters": {
        "type": "object",
        "properties": {"epsilon": {"type": "number", "minimum": 0, "maximum": 1, "default": 0.1}},
    },
}


class PolicyDescription(BaseModel):
    """A policy, what it does and what can be set."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    kind: str
    summary: str
    objective: str = Field(description="conversion, value or any")
    parameters: dict[str, Any] = Field(description="JSON Schema of what stands beside `kind`")


class Policies(BaseModel):
    """Every policy an experiment can choose."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [EXAMPLE]}]})

    items: list[PolicyDescription]


def every_policy() -> Policies:
    """Return all policies in the order of their registry."""
    return Policies(
        items=[
            PolicyDescription(
                kind=kind, summary=summary(kind), objective=_objective(kind), parameters=_schema(kind)
            )
            for kind in POLICIES
        ]
    )


def _objective(kind: str) -> str:
    if kind in {"uniform", "fixed"}:
        return "any"
    return "value" if needs_value(kind) else "conversion"


def _schema(kind: str) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    for described in policy_parameters(kind):
        bounds = {"minimum": described.minimum, "maximum": described.maximum, "default": described.default}
        number = {name: bound for name, bound in bounds.items() if bound is not None}
        properties[described.name] = {"type": "number", "description": described.description, **number}
    if kind == "fixed":
        percent = {"type": "number", "minimum": 0, "maximum": 100}
        properties["shares"] = {
            "type": "object",
            "description": "percent of each variant; they sum to 100",
            "additionalProperties": percent,
        }
        return {
            "type": "object",
            "properties": properties,
            "required": ["shares"],
            "additionalProperties": False,
        }
    return {"type": "object", "properties": properties, "additionalProperties": False}
