"""Every policy of the race by its kind."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from app.bandits.parameters import Parameter, parameters_of
from app.bandits.policies.registry import build_policy
from app.simulation.clv.policies.bayesian_groundhog import BayesianGroundhog
from app.simulation.clv.policies.contextual_groundhog import ContextualGroundhog
from app.simulation.clv.policies.epsilon_ringtail import EpsilonRingtail
from app.simulation.clv.policies.protocol import RacePolicy
from app.simulation.clv.policies.random_crayfish import RandomCrayfish
from app.simulation.clv.policies.segment_junglefowl import SegmentJunglefowl
from app.simulation.clv.policies.service_policy import ServicePolicy

RACE: dict[str, type[Any]] = {
    policy.kind: policy
    for policy in (
        RandomCrayfish,
        EpsilonRingtail,
        BayesianGroundhog,
        SegmentJunglefowl,
        ContextualGroundhog,
    )
}


def preset() -> tuple[RacePolicy, ...]:
    """The five of SCENARIOS.md with their defaults."""
    return tuple(policy() for policy in RACE.values())


def race_parameters(kind: str) -> list[Parameter]:
    """What can be set of a policy of the race beside `prior` and `abstain`, with bounds and meaning."""
    return parameters_of(RACE[kind])


def race_policy(kind: str, parameters: Mapping[str, Any] | None = None) -> RacePolicy:
    """The policy of the race, or of the service, of that kind.

    Parameters
    ----------
    kind : a key of `RACE`, or of `app.bandits.policies.registry.POLICIES`
    parameters : by name; those left out take their defaults

    Raises
    ------
    ValueError
        An unknown kind or parameter, or a value out of bounds.
    """
    given = dict(parameters or {})
    if kind not in RACE:
        return ServicePolicy(kind, given, build_policy(kind, given))
    known = [field.name for field in fields(RACE[kind]) if field.repr]
    for name in given:
        if name not in known:
            raise ValueError(
                f"{kind} has no parameter {name!r}; its parameters: {', '.join(known) or 'none'}"
            )
    if "prior" in given:
        a, b = given["prior"]
        given["prior"] = (float(a), float(b))
    built: RacePolicy = RACE[kind](**given)
    return built
