"""Experiments and their variants: create, list, change, roll out."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Unpack

from groundhog_client._operations.experiments.settings import Changes, Settings, VariantChanges
from groundhog_client._protocol.decoding import LOCAL, REST
from groundhog_client._protocol.encoding import Day, encode, without_none
from groundhog_client._protocol.request import JSON, Answer, Request, get, nothing, path, reads, write


@dataclass(frozen=True, slots=True)
class NewVariant:
    """A variant to register; ``value`` is what feature-flag clients receive for it, by default its id."""

    variant_id: str
    name: str | None = None
    description: str | None = None
    is_control: bool = False
    value: str | float | bool | Mapping[str, Any] | None = None
    active_from: Day | None = None
    cost_per_impression: float | None = None


@dataclass(frozen=True, slots=True)
class Variant:
    """A variant's present state."""

    variant_id: str
    name: str | None
    description: str | None
    is_control: bool
    registered_on: dt.date
    active_from: dt.date
    retired_on: dt.date | None
    value: Any = None
    cost_per_impression: float | None = None


@dataclass(frozen=True, slots=True)
class Experiment:
    """An experiment's present state; ``settings`` are all of its settings, by name."""

    experiment_id: str
    name: str | None
    description: str | None
    state: str
    state_since: dt.date
    created_at: dt.datetime
    source: str | None
    rollout: str | None
    control: str | None
    variants: tuple[Variant, ...]
    settings: Mapping[str, Any] = field(metadata=REST)
    etag: str | None = field(default=None, metadata=LOCAL)
    """What `change_experiment` takes as ``if_match``; None in lists and from `create_experiment`."""


@dataclass(frozen=True, slots=True)
class ExperimentsPage:
    """A page of experiments, by id."""

    items: tuple[Experiment, ...]
    next_cursor: str | None


def create_experiment(
    experiment_id: str,
    variants: Sequence[NewVariant | Mapping[str, Any] | str] = (),
    *,
    idempotency_key: str | None = None,
    **settings: Unpack[Settings],
) -> Request[Experiment]:
    """Create an experiment with its settings and first variants; a variant may be given by its id alone."""
    listed = [{"variant_id": one} if isinstance(one, str) else one for one in variants]
    body = {"experiment_id": experiment_id, "variants": listed, **settings}
    return _with_etag(
        write(Experiment, "/experiments", {"experiment_id": experiment_id}, body, idempotency_key)
    )


def list_experiments(*, cursor: str | None = None, limit: int | None = None) -> Request[ExperimentsPage]:
    """Return a page of the experiments, in the order of their ids."""
    return get(ExperimentsPage, "/experiments", {}, cursor=cursor, limit=limit)


def read_experiment(experiment_id: str) -> Request[Experiment]:
    """Return an experiment: settings, state, variants."""
    where, about = path("experiments", experiment_id), {"experiment_id": experiment_id}
    return _with_etag(get(Experiment, where, about))


def change_experiment(
    experiment_id: str, *, if_match: str | None = None, **changes: Unpack[Changes]
) -> Request[Experiment]:
    """Change settings, texts or state from today on: what is not named stays, None resets to the default.

    Parameters
    ----------
    if_match : the ``etag`` of what you read: PreconditionFailed if it was changed since
    """
    headers = JSON | without_none({"If-Match": if_match})
    where, reader = path("experiments", experiment_id), reads(Experiment, experiment_id=experiment_id)
    return _with_etag(Request("PATCH", where, reader, {}, headers, encode(changes)))


@dataclass(frozen=True, slots=True)
class Deletion:
    """What was deleted with an experiment, in rows."""

    experiment_id: str
    variants: int
    daily_metrics: int
    allocations: int
    assignments: int
    events: int


def delete_experiment(experiment_id: str, *, confirm: str) -> Request[Deletion]:
    """Delete an experiment permanently, with all that is stored of it; `export_experiment` returns it first.

    Parameters
    ----------
    confirm : the experiment's id again; without it the error says what would be deleted
    """
    reader = reads(Deletion, experiment_id=experiment_id)
    return Request("DELETE", path("experiments", experiment_id), reader, {"confirm": confirm})


def roll_out_variant(
    experiment_id: str, variant_id: str, *, idempotency_key: str | None = None
) -> Request[Experiment]:
    """Give one variant all traffic from today on; `undo_rollout` undoes it."""
    where, about = path("experiments", experiment_id, "rollout"), {"experiment_id": experiment_id}
    return _with_etag(write(Experiment, where, about, {"variant_id": variant_id}, idempotency_key))


def undo_rollout(experiment_id: str) -> Request[Experiment]:
    """Undo a rollout: the policy decides again from today on."""
    where, reader = (
        path("experiments", experiment_id, "rollout"),
        reads(Experiment, experiment_id=experiment_id),
    )
    return _with_etag(Request("DELETE", where, reader))


def add_variant(
    experiment_id: str,
    variant: NewVariant | Mapping[str, Any] | str,
    *,
    idempotency_key: str | None = None,
) -> Request[Variant]:
    """Add a variant to a running experiment; it gets traffic from today on, in burn-in."""
    body = {"variant_id": variant} if isinstance(variant, str) else variant
    return write(Variant, path("experiments", experiment_id, "variants"), {}, body, idempotency_key)


def change_variant(
    experiment_id: str, variant_id: str, **changes: Unpack[VariantChanges]
) -> Request[Variant]:
    """Change a variant's texts, make it the control, or retire it; None resets."""
    where = path("experiments", experiment_id, "variants", variant_id)
    return Request("PATCH", where, reads(Variant, variant_id=variant_id), {}, JSON, encode(changes))


def delete_variant(experiment_id: str, variant_id: str) -> Request[None]:
    """Delete a variant that was never exposed; one that was can be retired."""
    return Request("DELETE", path("experiments", experiment_id, "variants", variant_id), nothing)


def _with_etag(request: Request[Experiment]) -> Request[Experiment]:
    return replace(request, read=partial(_experiment, request.read))


def _experiment(reader: Callable[[Answer], Experiment], answer: Answer) -> Experiment:
    return replace(reader(answer), etag=answer.headers.get("etag"))
