"""The client that blocks."""

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
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
from groundhog_client._deciding import Away, Decision, decided, hasty
from groundhog_client._errors import GroundhogError
from groundhog_client._event_sender import EventSender, OnRefused, log_refusal
from groundhog_client._events import EventsTaken
from groundhog_client._exchange import Exchanges
from groundhog_client._following import Following
from groundhog_client._kept import KeptAnswers
from groundhog_client._line import Line
from groundhog_client._methods import calls, each
from groundhog_client._outbox import BATCHING, Batching, Outbox
from groundhog_client._patience import PATIENT, Patience
from groundhog_client._simulations import Simulation, SimulationEvent
from groundhog_client._splits import Split, Splits
from groundhog_client._wire import Request

T = TypeVar("T")


class Client:
    """A connection to a Groundhog service, with a method for each of its operations. Threads may share it.

    Parameters
    ----------
    url : where the service is, as in http://localhost:8000
    api_key : sent as ``Authorization: Bearer``
    patience : how long to wait and how often to try
    kept_answers : how many allocations are kept by their ETag
    http : an httpx2.Client of your own, for proxies, certificates or tests; it stays yours to close
    """

    def __init__(
        self,
        url: str,
        *,
        api_key: str | None = None,
        patience: Patience = PATIENT,
        kept_answers: int = 256,
        http: httpx2.Client | None = None,
    ) -> None:
        shared = Exchanges(patience, KeptAnswers(kept_answers))
        self._line = Line(url, api_key, shared, http)
        self._away = Away(shared.clock)
        self._splits = Splits(shared.clock)
        self._senders: list[EventSender] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Deliver the events that senders hold, then close the connections.

        Raises
        ------
        EventsNotSent: the service did not take all of them in time
        """
        with ExitStack() as all_of_it:
            all_of_it.callback(self._line.close)
            for sender in self._senders:
                all_of_it.callback(sender.close)

    # ---- one method per operation of the service; what it takes and gives stands where it is described

    record_metrics = calls(_metrics.record_metrics)
    record_metrics_in_bulk = calls(_metrics.record_metrics_in_bulk)
    read_metrics = calls(_metrics.read_metrics)
    each_daily_total = each(_metrics.read_metrics)
    delete_metrics = calls(_metrics.delete_metrics)

    read_allocation = calls(_allocations.read_allocation)
    read_allocation_history = calls(_allocations.read_allocation_history)
    each_revision = each(_allocations.read_allocation_history)

    create_experiment = calls(_experiments.create_experiment)
    list_experiments = calls(_experiments.list_experiments)
    each_experiment = each(_experiments.list_experiments)
    read_experiment = calls(_experiments.read_experiment)
    change_experiment = calls(_experiments.change_experiment)
    roll_out_variant = calls(_experiments.roll_out_variant)
    undo_rollout = calls(_experiments.undo_rollout)
    read_posterior = calls(_experiments.read_posterior)
    add_variant = calls(_experiments.add_variant)
    change_variant = calls(_experiments.change_variant)
    delete_variant = calls(_experiments.delete_variant)
    read_gain = calls(_effects.read_gain)
    compare_with_control = calls(_effects.compare_with_control)
    read_estimates = calls(_estimates.read_estimates)
    export_experiment = calls(_exports.export_experiment)
    import_experiment = calls(_exports.import_experiment)

    plan_experiment = calls(_plans.plan_experiment)
    simulate_email = calls(_simulations.simulate_email)
    simulate_clv = calls(_simulations.simulate_clv)
    simulate_replay = calls(_simulations.simulate_replay)
    list_simulations = calls(_simulations.list_simulations)
    each_simulation = each(_simulations.list_simulations)
    read_simulation = calls(_simulations.read_simulation)
    cancel_simulation = calls(_simulations.cancel_simulation)
    export_simulation = calls(_simulations.export_simulation)

    assign = calls(_assignments.assign)
    assign_many = calls(_assignments.assign_many)
    read_split = calls(_splits.read_split)
    read_assignment = calls(_units.read_assignment)
    list_assignments = calls(_units.list_assignments)
    each_assignment = each(_units.list_assignments)
    override_assignment = calls(_units.override_assignment)
    merge_units = calls(_units.merge_units)
    forget_unit = calls(_units.forget_unit)

    evaluate_flag = calls(_flags.evaluate_flag)
    evaluate_flags = calls(_flags.evaluate_flags)

    record_events = calls(_events.record_events)

    check_alive = calls(_service.check_alive)
    check_ready = calls(_service.check_ready)
    list_policies = calls(_service.list_policies)
    read_prometheus_metrics = calls(_service.read_prometheus_metrics)

    def call(self, request: Request[T], /, patience: Patience | None = None) -> T:
        """Carry out a request of these modules, perhaps with another patience."""
        return self._line.call(request, patience)

    # ---- what takes more than one request, or none

    def decide(
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
        outcome = self._hastily(_assignments.assign(experiment_id, unit_id), within)
        return decided(experiment_id, unit_id, default, outcome)

    def decide_locally(
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
            asked = self._hastily(_splits.read_split(experiment_id), within)
            split = self._splits.renewed(experiment_id, asked)
        outcome = split.draw(unit_id) if isinstance(split, Split) else split
        return decided(experiment_id, unit_id, default, outcome)

    def _hastily(self, request: Request[T], within: float) -> T | GroundhogError:
        """Return what the answer says, or why the service is away; all else is raised."""
        resting = self._away.rest()
        if resting is not None:
            return resting
        try:
            found = self.call(request, hasty(self._line.exchanges.patience, within))
        except GroundhogError as error:
            return self._away.noted(error)
        self._away.over()
        return found

    def follow_simulation(
        self, simulation_id: str, *, within: float | None = None
    ) -> Iterator[SimulationEvent]:
        """Return a simulation's changes as they happen, the last one when it is over.

        Raises
        ------
        TimeoutError: it is not over ``within`` so many seconds
        """
        shared = self._line.exchanges
        following = Following(simulation_id, shared.patience, shared.clock, shared.chance, within)
        while not following.over:
            try:
                with self._line.listen(following) as said:
                    for one in said:
                        event = following.heard(one)
                        if event is not None:
                            yield event
                following.ended()
            except GroundhogError as error:
                time.sleep(following.wait_after(error))

    def wait_for_simulation(self, simulation_id: str, *, within: float | None = None) -> Simulation:
        """Return a simulation once it is over: done, failed or cancelled.

        Raises
        ------
        TimeoutError: it is not over ``within`` so many seconds
        """
        for _ in self.follow_simulation(simulation_id, within=within):
            pass
        return self.read_simulation(simulation_id)

    def event_sender(
        self, batching: Batching = BATCHING, *, on_refused: OnRefused = log_refusal
    ) -> EventSender:
        """Return what sends events in batches, and closes with this client if not before.

        Parameters
        ----------
        on_refused : is called with every event the service does not take, and why; an error in it is logged
        """
        shared = self._line.exchanges
        outbox = Outbox(batching, shared.patience, shared.clock, shared.chance)
        sender = EventSender(outbox, self._send_once, on_refused)
        self._senders.append(sender)
        return sender

    def _send_once(self, events: Sequence[bytes]) -> EventsTaken:
        """Send a batch once: it is the sender that tries again."""
        once = replace(self._line.exchanges.patience, attempts=1)
        return self.call(_events.record_written(events), once)
