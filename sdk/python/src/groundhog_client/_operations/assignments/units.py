"""Units: read what is stored of them, force one, merge two ids, forget one. None of these changes a total."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from groundhog_client._protocol.encoding import without_none
from groundhog_client._protocol.request import Request, get, path, write


@dataclass(frozen=True, slots=True)
class Override:
    """A forced unit; without a variant, one that is forced no longer."""

    experiment_id: str
    unit_id: str
    variant_id: str | None


@dataclass(frozen=True, slots=True)
class Merged:
    """The variant that two ids of one unit share, by experiment."""

    unit_id: str
    into_unit_id: str
    variants: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How many assignments and events were made anonymous."""

    assignments: int
    events: int


@dataclass(frozen=True, slots=True)
class StoredAssignment:
    """An assignment as it is stored; ``kind`` is drawn, holdout or forced."""

    unit_id: str
    variant_id: str
    kind: str
    propensity: float | None
    revision: str | None
    assigned_at: dt.datetime
    exposed_at: dt.datetime | None
    merged_into: str | None


@dataclass(frozen=True, slots=True)
class AssignmentsPage:
    """A page of stored assignments, by unit id."""

    experiment_id: str
    items: tuple[StoredAssignment, ...]
    next_cursor: str | None


def override_assignment(
    experiment_id: str, unit_id: str, variant_id: str | None, *, idempotency_key: str | None = None
) -> Request[Override]:
    """Force a unit to a variant; None undoes it. A forced unit counts nowhere."""
    body = {"experiment_id": experiment_id, "unit_id": unit_id, "variant_id": variant_id}
    about = {"experiment_id": experiment_id, "unit_id": unit_id}
    return write(Override, "/assignments/overrides", about, body, idempotency_key)


def merge_units(
    unit_id: str,
    into_unit_id: str,
    *,
    experiment_id: str | None = None,
    idempotency_key: str | None = None,
) -> Request[Merged]:
    """Let two ids of one unit share its earliest assignment, in one experiment or in all.

    Parameters
    ----------
    unit_id : the id that was used before, such as a cookie's
    into_unit_id : the id used from now on, such as an account's
    """
    body = {"unit_id": unit_id, "into_unit_id": into_unit_id, "experiment_id": experiment_id}
    about = {"unit_id": unit_id, "into_unit_id": into_unit_id}
    return write(Merged, "/assignments/merge", about, without_none(body), idempotency_key)


def forget_unit(
    unit_id: str, *, experiment_id: str | None = None, idempotency_key: str | None = None
) -> Request[Forgotten]:
    """Replace a unit's id by a tombstone wherever it is stored; its events do not count when sent again."""
    body = {"unit_id": unit_id, "experiment_id": experiment_id}
    return write(Forgotten, "/assignments/forget", {}, without_none(body), idempotency_key)


def read_assignment(experiment_id: str, unit_id: str) -> Request[StoredAssignment]:
    """Return the stored assignment of a unit; reading stores nothing."""
    return get(StoredAssignment, path("assignments", experiment_id), {"unit_id": unit_id}, unit_id=unit_id)


def list_assignments(
    experiment_id: str, *, cursor: str | None = None, limit: int | None = None
) -> Request[AssignmentsPage]:
    """Return a page of the stored assignments of an experiment, by unit id."""
    where, about = path("assignments", experiment_id, "units"), {"experiment_id": experiment_id}
    return get(AssignmentsPage, where, about, cursor=cursor, limit=limit)
