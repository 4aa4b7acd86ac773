"""The policies to choose from, for an experiment or a scenario of the simulator, with their parameters."""

from dataclasses import MISSING, Field, fields
from typing import Any

from app.bandits.parameters import Parameter, parameters_of
from app.bandits.policies.registry import POLICIES, needs_value
from app.schemas.experiments.policies import Policies, PolicyDescription, every_policy
from app.schemas.simulations.simulations import Scenario
from app.services.simulations.log_replay import ALWAYS, AlwaysPolicy
from app.services.simulations.scenarios import EMAIL_ONLY
from app.simulation.clv.policies.registry import RACE

Schema = dict[str, Any]

PRIOR_ENDS = ("prior successes", "prior trials without success")
PARAMETER_DESCRIPTIONS = {
    "prior": "belief about every arm's rate before any data, in pseudo-counts",
    "abstain": "do not contact a customer where every draw is a loss",
}
"""Descriptions of the parameters that are no bounded numbers."""

DESCRIPTIONS = {
    "random_crayfish": "Any action, all equally likely: learns nothing.",
    "epsilon_ringtail": "Epsilon-greedy on what a contact has earned; explores the other actions.",
    "bayesian_groundhog": "Thompson sampling on what a contact is worth, all customers alike.",
    "segment_junglefowl": "A marketing department: gold, silver and bronze customers, faster offers for each.",
    "contextual_groundhog": "Thompson sampling with a posterior per current product, shrunk to the pooled one.",
}
"""Summaries of the race's policies, without the formulas of their docstrings."""


def policies_of(scenario: Scenario | None) -> Policies:
    """Return the policies of a scenario, its own first; of experiments for None."""
    match scenario:
        case "email":
            return Policies(items=[*_of_the_service(), *_own(EMAIL_ONLY, "conversion")])
        case "clv":
            return Policies(items=[*_own(RACE, "value"), *_of_the_service()])
        case "replay":
            by_conversions = [one for one in _of_the_service() if not needs_value(one.kind)]
            return Policies(items=[*by_conversions, *_own({ALWAYS: AlwaysPolicy}, "any")])
    return every_policy()


def _of_the_service() -> list[PolicyDescription]:
    """As experiments choose them, except for parameters per arm: a scenario's arms have indices, no names."""
    return [
        one.model_copy(update={"parameters": _object(map(_number, parameters_of(POLICIES[one.kind])))})
        for one in every_policy().items
    ]


def _own(kinds: dict[str, type[Any]], objective: str) -> list[PolicyDescription]:
    return [
        PolicyDescription(
            kind=kind, summary=_summary(kind, policy), objective=objective, parameters=_all_of(policy)
        )
        for kind, policy in kinds.items()
    ]


def _summary(kind: str, policy: type[Any]) -> str:
    return DESCRIPTIONS.get(kind) or str(policy.__doc__).split("\n\n")[0].replace("\n", " ").strip()


def _all_of(policy: type[Any]) -> Schema:
    """Every field that can be chosen; the world sets those with `repr=False`."""
    numbers = {one.field: one for one in parameters_of(policy)}
    chosen = [field for field in fields(policy) if field.repr]
    return _object(
        _number(numbers[field.name]) if field.name in numbers else _choice(field) for field in chosen
    )


def _object(properties: Any) -> Schema:
    return {"type": "object", "properties": dict(properties), "additionalProperties": False}


def _number(described: Parameter) -> tuple[str, Schema]:
    bounds = {"minimum": described.minimum, "maximum": described.maximum}
    number = {"type": "number", **{name: bound for name, bound in bounds.items() if bound is not None}}
    if described.is_row:
        return described.name, {"type": "array", "items": number, "description": described.description}
    default = {} if described.default is None else {"default": described.default}
    return described.name, {**number, **default, "description": described.description}


def _choice(field: Field[Any]) -> tuple[str, Schema]:
    assert field.default is not MISSING
    shared = {"description": PARAMETER_DESCRIPTIONS.get(field.name, "")}
    if isinstance(field.default, bool):
        return field.name, {"type": "boolean", "default": field.default, **shared}
    ends = [{"type": "number", "title": word, "exclusiveMinimum": 0} for word in PRIOR_ENDS]
    return field.name, {"type": "array", "prefixItems": ends, "default": list(field.default), **shared}
