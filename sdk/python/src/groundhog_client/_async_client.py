"""The client that awaits."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from types import TracebackType
from typing import Self, TypeVar

import httpx2

from groundhog_client import (
    _allocations,
    _assignments,
    _effects,
    _estimates,
    _events,
    _experiments,
    _exports,
    _flags,
    _metrics,
    _plans,
    _service,
    _simulations,
    _splits,
    _units,
)
from groundhog_client._async_event_sender import AsyncEventSender
from groundhog_client._async_line import AsyncLine
from groundhog_client._deciding import Away, Decision, decided, hasty
from groundhog_client._errors import GroundhogError
from groundhog_client._event_sender import OnRefused, log_refusal
from groundhog_client._events import EventsTaken
from groundhog_client._exchange import Exchanges
from groundhog_client._following import Following
from groundhog_client._kept import KeptAnswers
from groundhog_client._methods import awaits, awaits_each
from groundhog_client._outbox import BATCHING, Batching, Outbox
from groundhog_client._patience import PATIENT, Patience
from groundhog_client._simulations import Simulation, SimulationEvent
from groundhog_client._splits import Split, Splits
from groundhog_client._wire import Request

T = TypeVar("T")


class AsyncClient:
    """A connection to a Groundhog service, with an awaitable method for each operation. It runs on asyncio.

    Parameters
    ----------
    url : where the service is, as in http://localhost:8000
    api_key : sent as ``Authorization: Bearer``
    patience : how long to wait and how often to try
    kept_answers : how many allocations are kept by their ETag
    http : an httpx2.AsyncClient of your own, for proxies, certificates or tests; it stays yours to close
    """

    def __init__(
        self,
        url: str,
        *,
        api_key: str | None = None,
        patience: Patience = PATIENT,
        kept_answers: int = 256,
        http: httpx2.AsyncClient | None = None,
    ) -> None:
        shared = Exchanges(patience, KeptAnswers(kept_answers))
        self._line = AsyncLine(url, api_key, shared, http)
        self._away = Away(shared.clock)
        self._splits = Splits(shared.clock)
        self._senders: list[AsyncEventSender] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Deliver the events that senders hold, then close the connections.

        Raises
        ------
        EventsNotSent: the service did not take all of them in time
        """
        async with AsyncExitStack() as all_of_it:
            all_of_it.push_async_callback(self._line.aclose)
            for sender in self._senders:
                all_of_it.push_async_callback(sender.aclose)

    # ---- one method per operation of the service; what it takes and gives stands where it is described

    record_metrics = awaits(_metrics.record_metrics)
    record_metrics_in_bulk = awaits(_metrics.record_metrics_in_bulk)
    read_metrics = awaits(_metrics.read_metrics)
    each_daily_total = awaits_each(_metrics.read_metrics)
    delete_metrics = awaits(_metrics.delete_metrics)

    read_allocation = awaits(_allocations.read_allocation)
    read_allocation_history = awaits(_allocations.read_allocation_history)
    each_revision = awaits_each(_allocations.read_allocation_history)

    create_experiment = awaits(_experiments.create_experiment)
    list_experiments = awaits(_experiments.list_experiments)
    each_experiment = awaits_each(_experiments.list_experiments)
    read_experiment = awaits(_experiments.read_experiment)
    change_experiment = awaits(_experiments.change_experiment)
    roll_out_variant = awaits(_experiments.roll_out_variant)
    undo_rollout = awaits(_experiments.undo_rollout)
    read_posterior = awaits(_experiments.read_posterior)
    add_variant = awaits(_experiments.add_variant)
    change_variant = awaits(_experiments.change_variant)
    delete_variant = awaits(_experiments.delete_variant)
    read_gain = awaits(_effects.read_gain)
    compare_with_control = awaits(_effects.compare_with_control)
    read_estimates = awaits(_estimates.read_estimates)
    export_experiment = awaits(_exports.export_experiment)
    import_experiment = awaits(_exports.import_experiment)

    plan_experiment = awaits(_plans.plan_experiment)
    simulate_email = awaits(_simulations.simulate_email)
    simulate_clv = awaits(_simulations.simulate_clv)
    simulate_replay = awaits(_simulations.simulate_replay)
    list_simulations = awaits(_simulations.list_simulations)
    each_simulation = awaits_each(_simulations.list_simulations)
    read_simulation = awaits(_simulations.read_simulation)
    cancel_simulation = awaits(_simulations.cancel_simulation)
    export_simulation = awaits(_simulations.export_simulation)

    assign = awaits(_assignments.assign)
    assign_many = awaits(_assignments.assign_many)
    read_split = awaits(_splits.read_split)
    read_assignment = awaits(_units.read_assignment)
    list_assignments = awaits(_units.list_assignments)
    each_assignment = awaits_each(_units.list_assignments)
    override_assignment = awaits(_units.override_assignment)
    merge_units = awaits(_units.merge_units)
    forget_unit = awaits(_units.forget_unit)

    evaluate_flag = awaits(_flags.evaluate_flag)
    evaluate_flags = awaits(_flags.evaluate_flags)

    record_events = awaits(_events.record_events)

    check_alive = awaits(_service.check_alive)
    check_ready = awaits(_service.check_ready)
    list_policies = awaits(_service.list_policies)
    read_prometheus_metrics = awaits(_service.read_prometheus_metrics)

    async def call(self, request: Request[T], /, patience: Patience | None = None) -> T:
        """Carry out a request of these modules, perhaps with another patience."""
        return await self._line.call(request, patience)

    # ---- what takes more than one request, or none

    async def decide(
        self, experiment_id: str, unit_id: str, *, default: str = "control", within: float = 1.0
    ) -> Decision:
        """Return the variant to show a unit, the service's or, while it is away, ``default``.

        Parameters
        ----------
        within : seconds until the default is shown; after a failure it is, for a second, at once

        Raises
        ------
        Problem: the service is there, and refuses: no such experiment, no such unit id, no valid API key
        """
        outcome = await self._hastily(_assignments.assign(experiment_id, unit_id), within)
        return decided(experiment_id, unit_id, default, outcome)

    async def decide_locally(
        self, experiment_id: str, unit_id: str, *, default: str = "control", within: float = 1.0
    ) -> Decision:
        """Return the variant the service would draw for a unit, asking it once a minute at most.

        For experiments of assignment_mode rendezvous. While the service is away units are drawn with the last
        shares known. Forced and merged units, and those exposed with other shares, only `decide` knows.

        Raises
        ------
        Problem: the service is there, and refuses: no such experiment, or one that keeps what it assigned (sticky)
        """
        split: Split | GroundhogError | None = self._splits.fresh(experiment_id)
        if split is None:
            asked = await self._hastily(_splits.read_split(experiment_id), within)
            split = self._splits.renewed(experiment_id, asked)
        outcome = split.draw(unit_id) if isinstance(split, Split) else split
        return decided(experiment_id, unit_id, default, outcome)

    async def _hastily(self, request: Request[T], within: float) -> T | GroundhogError:
        """Return what the answer says, or why the service is away; all else is raised."""
        resting = self._away.rest()
        if resting is not None:
            return resting
        try:
            found = await self.call(request, hasty(self._line.exchanges.patience, within))
        except GroundhogError as error:
            return self._away.noted(error)
        self._away.over()
        return found

    async def follow_simulation(
        self, simulation_id: str, *, within: float | None = None
    ) -> AsyncIterator[SimulationEvent]:
        """Return a simulation's changes as they happen, the last one when it is over.

        Raises
        ------
        TimeoutError: it is not over ``within`` so many seconds
        """
        shared = self._line.exchanges
        following = Following(simulation_id, shared.patience, shared.clock, shared.chance, within)
        while not following.over:
            try:
                async with self._line.listen(following) as said:
                    async for one in said:
                        event = following.heard(one)
                        if event is not None:
                            yield event
                following.ended()
            except GroundhogError as error:
                await asyncio.sleep(following.wait_after(error))

    async def wait_for_simulation(self, simulation_id: str, *, within: float | None = None) -> Simulation:
        """Return a simulation once it is over: done, failed or cancelled.

        Raises
        ------
        TimeoutError: it is not over ``within`` so many seconds
        """
        async for _ in self.follow_simulation(simulation_id, within=within):
            pass
        return await self.read_simulation(simulation_id)

    def event_sender(
        self, batching: Batching = BATCHING, *, on_refused: OnRefused = log_refusal
    ) -> AsyncEventSender:
        """Return what sends events in batches, and closes with this client if not before.

        Parameters
        ----------
        on_refused : is called with every event the service does not take, and why; an error in it is logged
        """
        shared = self._line.exchanges
        outbox = Outbox(batching, shared.patience, shared.clock, shared.chance)
        sender = AsyncEventSender(outbox, self._send_once, on_refused)
        self._senders.append(sender)
        return sender

    async def _send_once(self, events: Sequence[bytes]) -> EventsTaken:
        """Send a batch once: it is the sender that tries again."""
        once = replace(self._line.exchanges.patience, attempts=1)
        return await self.call(_events.record_written(events), once)
