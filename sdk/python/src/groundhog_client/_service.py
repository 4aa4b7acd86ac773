"""The service itself: is it there, what can it do."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from groundhog_client._wire import Request, get, text


@dataclass(frozen=True, slots=True)
class Alive:
    """The answer of a service that runs."""

    status: str


@dataclass(frozen=True, slots=True)
class Ready:
    """The answer of a service that can do its work."""

    status: str
    database: str
    migration: str
    replica: str | None = None


@dataclass(frozen=True, slots=True)
class PolicyKind:
    """A policy, what it does, and the JSON Schema of what can be set."""

    kind: str
    summary: str
    objective: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Policies:
    """Every policy an experiment can choose."""

    items: tuple[PolicyKind, ...]


def check_alive() -> Request[Alive]:
    """Return at once, as long as the service's process runs."""
    return get(Alive, "/livez")


def check_ready() -> Request[Ready]:
    """Return when the service can do its work."""
    return get(Ready, "/readyz")


def list_policies(*, scenario: Literal["email", "clv", "replay"] | None = None) -> Request[Policies]:
    """Return every policy that an experiment, or a scenario of the simulator, can choose, and its parameters."""
    return get(Policies, "/policies", scenario=scenario)


def read_prometheus_metrics() -> Request[str]:
    """Return the service's figures as Prometheus reads them."""
    return Request("GET", "/metrics", text, repeatable=True)
