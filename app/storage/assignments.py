"""Read and store assignments, the units of many concurrent requests with one statement each.

This is the SQL of drawn units, of those drawn by a first exposure too. Forcing, merging and forgetting a unit is
in `app.services.assignments.stored_assignments`.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from sqlalchemy.orm import Session

from app.storage.batched_statement import Connection

UnitKey = tuple[str, str]
"""An experiment's id and a unit's."""

AssignmentKind = Literal["drawn", "holdout", "forced"]


class AssignmentRow(NamedTuple):
    """A stored assignment, or one to store."""

    experiment_id: str
    unit_id: str
    variant_id: str
    kind: AssignmentKind
    split: int | None
    propensity: float | None
    revision: str | None
    assigned_at: dt.datetime

    @property
    def pair(self) -> UnitKey:
        """Return whose it is."""
        return self.experiment_id, self.unit_id


@dataclass(frozen=True, slots=True)
class LookupResult:
    """What is stored of some units: their assignments, and how far their experiments are.

    Parameters
    ----------
    versions : each experiment's settings version and the number of its newest split (None: no split yet)
    flags : the experiments that are offered as feature flags
    rows : the assignment of each unit that has one; of a merged unit, that of the unit it points to
    """

    versions: Mapping[str, tuple[int, int | None]]
    flags: Set[str]
    rows: Mapping[UnitKey, AssignmentRow]


LOOK_UP_SQL = """
select experiment_id, null as unit_id, settings_version, coalesce(flag, source = 'tracked', false) as is_flag,
    null as kind,
    (select max(split) from splits where splits.experiment_id = experiment_versions.experiment_id) as split,
    null as propensity, null as revision, null as assigned_at, null as variant_id
from experiment_versions join experiments using (experiment_id)
where experiment_id = any(%(experiments)s)
union all
select wanted.experiment_id, wanted.unit_id, null, null, decides.kind, decides.split, decides.propensity,
    decides.revision, decides.assigned_at, decides.variant_id
from unnest(%(experiment_ids)s::text[], %(unit_ids)s::text[]) as wanted (experiment_id, unit_id)
join assignments own using (experiment_id, unit_id)
join assignments decides
    on decides.experiment_id = own.experiment_id and decides.unit_id = coalesce(own.merged_into, own.unit_id)
"""

STORE_SQL = """
with stored as (
    insert into assignments
        (experiment_id, unit_id, variant_id, kind, split, propensity, revision, assigned_at)
    select draw.experiment_id, unit.unit_id, variant_id, kind, split, propensity, revision, assigned_at
    from unnest(%s::text[], %s::int[]) as unit (unit_id, draw)
    join unnest(
        %s::text[], %s::text[], %s::text[], %s::bigint[], %s::double precision[], %s::text[], %s::timestamptz[]
    ) with ordinality
        as draw (experiment_id, variant_id, kind, split, propensity, revision, assigned_at, number)
        on draw.number = unit.draw
    order by draw.experiment_id, unit.unit_id
    on conflict do nothing
    returning experiment_id, unit_id, variant_id, split
), counted as (
    insert into assignment_counts (experiment_id, assigned_on, split, variant_id, units)
    select stored.experiment_id, splits.for_date, splits.split, stored.variant_id, count(*)
    from stored join splits using (experiment_id, split)
    group by 1, 2, 3, 4
    order by 1, 2, 3, 4
    on conflict (experiment_id, assigned_on, split, variant_id)
    do update set units = assignment_counts.units + excluded.units
)
select experiment_id, unit_id from stored
"""


async def look_up(connection: Connection, pairs: Sequence[UnitKey]) -> LookupResult:
    """Return what is stored of some units."""
    experiment_ids, unit_ids = _columns(pairs)
    cursor = await connection.execute(
        LOOK_UP_SQL,
        {
            "experiments": list(dict.fromkeys(experiment_ids)),
            "experiment_ids": experiment_ids,
            "unit_ids": unit_ids,
        },
    )
    versions: dict[str, tuple[int, int | None]] = {}
    flags: set[str] = set()
    rows: dict[UnitKey, AssignmentRow] = {}
    async for eid, unit_id, version, is_flag, kind, split, propensity, revision, at, variant_id in cursor:
        if unit_id is None:
            versions[eid] = version, split
            if is_flag:
                flags.add(eid)
        else:
            rows[eid, unit_id] = AssignmentRow(
                eid, unit_id, variant_id, kind, split, propensity, revision, at
            )
    return LookupResult(versions, flags, rows)


async def store(connection: Connection, rows: Sequence[AssignmentRow]) -> set[UnitKey]:
    """Store assignments of units that have none, count those that were drawn, and return whose were stored.

    The first write wins: where a unit got an assignment meanwhile, that one stays. The rows go in by key, so that
    two such statements never wait for each other; both tables change in one commit.
    """
    cursor = await connection.execute(STORE_SQL, _store_arguments(rows))
    return set(await cursor.fetchall())


def store_in_transaction(session: Session, rows: Sequence[AssignmentRow]) -> set[UnitKey]:
    """Do what `store` does, in a transaction that is open already."""
    driver = session.connection().connection.driver_connection
    assert driver is not None
    return set(driver.execute(STORE_SQL, _store_arguments(rows)).fetchall())


def _store_arguments(rows: Sequence[AssignmentRow]) -> list[list[Any]]:
    """Return the arguments of ``STORE_SQL``; what units have in common, mostly their split, travels once."""
    draws: dict[tuple[object, ...], int] = {}
    numbers = [draws.setdefault((row.experiment_id, *row[2:]), len(draws) + 1) for row in rows]
    return [[row.unit_id for row in rows], numbers, *_columns(draws)]


def _columns(rows: Iterable[tuple[object, ...]]) -> list[list[object]]:
    return [list(column) for column in zip(*rows, strict=True)]
