"""Every policy by its kind: the one place that knows their names."""

import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Protocol

import numpy as np

from app.bandits.arrays import Floats, Integers
from app.bandits.parameters import Parameter, parameters_of
from app.bandits.policies.epsilon_greedy import EpsilonGreedy
from app.bandits.policies.fixed import Fixed
from app.bandits.policies.thompson import ThompsonSampling
from app.bandits.policies.top_two_thompson import TopTwoThompson
from app.bandits.policies.ucb1 import UCB1
from app.bandits.policies.uniform import Uniform
from app.bandits.policies.value_epsilon_greedy import ValueEpsilonGreedy
from app.bandits.policies.value_thompson import ValueThompson
from app.bandits.posteriors.beta import Prior
from app.bandits.totals import Totals


class Policy(Protocol):
    """A pure function from totals to shares, and the same decision for single units."""

    def shares(self, totals: Totals) -> Floats:
        """The share of traffic of each arm, (..., k), >= 0, each row's sum 1; no draws."""

    def draw(self, totals: Totals, rng: np.random.Generator, units: int | None = None) -> Integers:
        """An arm per bandit, (...), or for `units` of each, (..., units), with the probabilities `shares`."""


POLICIES: dict[str, type[Any]] = {
    "thompson": ThompsonSampling,
    "top_two_thompson": TopTwoThompson,
    "epsilon_greedy": EpsilonGreedy,
    "ucb1": UCB1,
    "uniform": Uniform,
    "fixed": Fixed,
    "value_thompson": ValueThompson,
    "value_epsilon_greedy": ValueEpsilonGreedy,
}


def register(kind: str, policy: type[Any]) -> None:
    """Add a policy of another package under a name; again the same one changes nothing.

    Parameters
    ----------
    kind : lower-case words joined by underscores
    policy : a dataclass with `shares` and `draw`, buildable without parameters; with `by_value = True` it decides
        by what a trial earns

    Raises
    ------
    ValueError
        It is no such class, or another policy has the name.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,63}", kind):
        raise ValueError(f"{kind!r} is no name in lower case")
    if POLICIES.get(kind, policy) is not policy:
        raise ValueError(f"there is another policy {kind!r}")
    if not (isinstance(policy, type) and is_dataclass(policy)):
        raise ValueError("a policy is a dataclass")
    for name in ("shares", "draw"):
        if not callable(getattr(policy, name, None)):
            raise ValueError(f"it has no method {name}")  # noqa: TRY004 - as everything else that is wrong with it
    POLICIES[kind] = policy


def policy_parameters(kind: str) -> list[Parameter]:
    """What can be set of a policy beside the experiment's prior.

    Raises
    ------
    ValueError
        There is no policy of that kind; the choices are named.
    """
    return parameters_of(_named(kind))


def summary(kind: str) -> str:
    """The first sentence of a policy's description."""
    return str(_named(kind).__doc__).split("\n\n")[0].replace("\n", " ").strip()


def needs_value(kind: str) -> bool:
    """Whether a policy decides by what a trial earns, and so needs the value of the successes."""
    policy = _named(kind)
    return policy in (ValueThompson, ValueEpsilonGreedy) or bool(getattr(policy, "by_value", False))


def build_policy(kind: str, parameters: Mapping[str, Any] | None = None, prior: Prior = (1.0, 1.0)) -> Policy:
    """The policy of that kind with these parameters; the prior goes to those that have one.

    Parameters
    ----------
    kind : a key of `POLICIES`
    parameters : by the names of `policy_parameters`; those left out take their defaults
    prior : (a, b), both > 0

    Raises
    ------
    ValueError
        An unknown kind or parameter (the choices are named), or a value out of bounds.
    """
    policy = _named(kind)
    known = {described.name: described.field for described in parameters_of(policy)}
    for name in parameters or {}:
        if name not in known:
            choices = ", ".join(known) or "none"
            raise ValueError(f"{kind} has no parameter {name!r}; its parameters: {choices}")
    chosen = {known[name]: value for name, value in (parameters or {}).items()}
    if "prior" in {field.name for field in fields(policy)}:
        chosen["prior"] = prior
    built: Policy = policy(**chosen)
    return built


def _named(kind: str) -> type[Any]:
    if kind not in POLICIES:
        raise ValueError(f"there is no policy {kind!r}; choose one of {', '.join(POLICIES)}")
    return POLICIES[kind]
