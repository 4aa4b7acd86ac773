"""Simulations: start one, read its state, progress and result."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Unpack

from groundhog_client._operations.simulations.settings import ClvSimulation, EmailSimulation
from groundhog_client._protocol.decoding import REST
from groundhog_client._protocol.encoding import without_none
from groundhog_client._protocol.request import Request, get, path, reads, text, write
from groundhog_client._protocol.uploads import Form, Source, upload

OVER = frozenset({"done", "failed", "cancelled"})
"""States that a simulation does not leave."""


@dataclass(frozen=True, slots=True)
class Progress:
    """A simulation's progress, in steps."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class SimulationHead:
    """A simulation without its result."""

    id: str
    scenario: str
    state: str
    created_at: dt.datetime
    progress: Progress
    fault: str | None
    request: Mapping[str, Any]

    @property
    def over(self) -> bool:
        """Whether it is done, failed or cancelled."""
        return self.state in OVER


@dataclass(frozen=True, slots=True)
class Simulation(SimulationHead):
    """A simulation; ``result`` is there once it is done."""

    result: Mapping[str, Any] = field(metadata=REST)


@dataclass(frozen=True, slots=True)
class SimulationsPage:
    """A page of simulations, the newest first."""

    items: tuple[SimulationHead, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class SimulationEvent:
    """A change of a simulation that is followed."""

    state: str
    done: int
    total: int
    fault: str | None = None

    @property
    def over(self) -> bool:
        """Whether it is done, failed or cancelled."""
        return self.state in OVER


def simulate_email(
    *,
    respond_async: bool = False,
    idempotency_key: str | None = None,
    **parameters: Unpack[EmailSimulation],
) -> Request[Simulation]:
    """Simulate an e-mail campaign: every policy against the even split, on common random numbers.

    A small one is over when this returns; a larger one, or one with ``respond_async``, runs on: see
    `wait_for_simulation`.
    """
    return write(Simulation, "/simulations/email", {}, parameters, idempotency_key, **_prefer(respond_async))


def simulate_clv(
    *,
    respond_async: bool = False,
    idempotency_key: str | None = None,
    **parameters: Unpack[ClvSimulation],
) -> Request[Simulation]:
    """Simulate a telco's year of calls and e-mails, scored by the gain in customer lifetime value."""
    return write(Simulation, "/simulations/clv", {}, parameters, idempotency_key, **_prefer(respond_async))


def simulate_replay(
    source: Source,
    *,
    form: Form | None = None,
    policies: Sequence[str] = (),
    arms: Sequence[str] = (),
    by_value: bool | None = None,
    passes: int | None = None,
    seed: int | None = None,
    respond_async: bool = False,
    idempotency_key: str | None = None,
) -> Request[Simulation]:
    """Evaluate policies on a log of real decisions with arm, propensity, reward and optionally value.

    Parameters
    ----------
    source : decisions one by one, or NDJSON or CSV in a file (its path, or opened in binary mode) or in bytes
    policies : each as ``kind`` or ``kind:name=value``
    """
    asked = {"policy": policies or None, "arm": arms or None, "by_value": by_value}
    params = without_none(asked | {"passes": passes, "seed": seed})
    sent = upload("/simulations/replay", reads(Simulation), source, form, params, idempotency_key)
    return replace(sent, headers={**sent.headers, **_prefer(respond_async)})


def list_simulations(*, cursor: str | None = None, limit: int | None = None) -> Request[SimulationsPage]:
    """Return a page of the simulations without their results, the newest first."""
    return get(SimulationsPage, "/simulations", {}, cursor=cursor, limit=limit)


def read_simulation(simulation_id: str) -> Request[Simulation]:
    """Return a simulation: its state, its progress, and once it is done its result."""
    return get(Simulation, path("simulations", simulation_id), {"id": simulation_id})


def cancel_simulation(simulation_id: str) -> Request[SimulationHead]:
    """Cancel a simulation that is queued or running."""
    return Request("DELETE", path("simulations", simulation_id), reads(SimulationHead, id=simulation_id))


def export_simulation(
    simulation_id: str, *, table: Literal["summary", "curve", "log"] = "summary", policy: int = 0
) -> Request[str]:
    """Return a finished simulation as CSV: the summary, the curves, or the log of single decisions."""
    where = path("simulations", simulation_id, "export")
    params = {"table": table, "policy": policy}
    return Request("GET", where, text, params, repeatable=True, unhurried=True)


def _prefer(respond_async: bool) -> dict[str, str]:
    return {"Prefer": "respond-async"} if respond_async else {}
