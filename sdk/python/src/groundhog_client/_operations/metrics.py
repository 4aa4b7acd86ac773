"""Daily metrics: record, upload, read, delete."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from groundhog_client._protocol.encoding import Day, iso_day
from groundhog_client._protocol.request import Request, get, nothing, path, reads, write
from groundhog_client._protocol.uploads import Form, Source, upload


@dataclass(frozen=True, slots=True)
class DailyTotal:
    """The totals of one variant on one day, in the experiment's time zone."""

    experiment_id: str
    variant_id: str
    date: Day
    impressions: int
    successes: int
    revenue: Decimal | float | None = None
    revenue_sq: Decimal | float | None = None
    as_of: Day | None = None


@dataclass(frozen=True, slots=True)
class Registered:
    """An experiment that a write registered (``new``), or to which it added variants."""

    experiment_id: str
    new: bool
    variants: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What became of the totals that were sent; ``registered`` shows what did not exist before."""

    received: int
    inserted: int
    updated: int
    unchanged: int
    registered: tuple[Registered, ...] = ()


@dataclass(frozen=True, slots=True)
class LineError:
    """Why one line of an upload was rejected."""

    line: int
    field: str | None
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkStored(Stored):
    """What became of the lines of an upload; ``rejected`` counts the rejected ones, ``errors`` lists the first.

    ``conflicts`` are the first lines whose key came again further down with other values.
    """

    superseded: int
    rejected: int
    errors: tuple[LineError, ...]
    conflicts: tuple[LineError, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredTotal:
    """One stored daily total."""

    variant_id: str
    date: dt.date
    impressions: int
    successes: int
    revenue: float | None
    revenue_sq: float | None
    updated_at: dt.datetime | None
    as_of: dt.date | None = None


@dataclass(frozen=True, slots=True)
class VariantTotals:
    """Sums over days of one variant."""

    days: int
    impressions: float
    successes: float
    revenue: float | None = None
    revenue_sq: float | None = None


@dataclass(frozen=True, slots=True)
class VariantEvidence:
    """A variant's totals as plain sums, and as weighted by the settings."""

    variant_id: str
    raw: VariantTotals
    effective: VariantTotals


@dataclass(frozen=True, slots=True)
class TotalsUsed:
    """The totals that an allocation is computed from."""

    date: dt.date
    last_day: dt.date
    data_through: dt.date | dt.datetime | None
    left_out: tuple[dt.date, ...]
    variants: tuple[VariantEvidence, ...]


@dataclass(frozen=True, slots=True)
class TotalsPage:
    """A page of stored totals by date and variant, and the totals used for ``for_date``."""

    experiment_id: str
    items: tuple[StoredTotal, ...]
    next_cursor: str | None
    totals: TotalsUsed | None


Total = DailyTotal | Mapping[str, Any]


def record_metrics(totals: Total | Iterable[Total], *, idempotency_key: str | None = None) -> Request[Stored]:
    """Store one daily total or up to 5,000, all or none; sending a day again replaces it."""
    body = totals if isinstance(totals, DailyTotal | Mapping) else list(totals)
    return write(Stored, "/metrics/", {}, body, idempotency_key)


def record_metrics_in_bulk(
    source: Source,
    *,
    form: Form | None = None,
    mode: Literal["atomic", "partial"] = "atomic",
    idempotency_key: str | None = None,
) -> Request[BulkStored]:
    """Store any number of daily totals as one stream, in constant memory.

    Parameters
    ----------
    source : totals one by one, or NDJSON or CSV in a file (its path, or opened in binary mode) or in bytes
    form : of a file or bytes; by default CSV where the path ends in .csv, else NDJSON
    mode : atomic stores all lines or none, partial the valid ones
    """
    return upload("/metrics/bulk", reads(BulkStored), source, form, {"mode": mode}, idempotency_key)


def read_metrics(
    experiment_id: str,
    *,
    since: Day | None = None,
    until: Day | None = None,
    for_date: Day | None = None,
    as_of: Day | None = None,
    cursor: str | None = None,
    limit: int | None = None,
) -> Request[TotalsPage]:
    """Return a page of the stored daily totals, from ``since`` to ``until``, both included.

    Parameters
    ----------
    as_of : the totals as they were known through that day
    """
    where, about = path("metrics", experiment_id), {"experiment_id": experiment_id}
    page = {"cursor": cursor, "limit": limit}
    return get(TotalsPage, where, about, since=since, until=until, for_date=for_date, as_of=as_of, **page)


def delete_metrics(experiment_id: str, variant_id: str, date: Day) -> Request[None]:
    """Delete the totals of one variant on one day."""
    return Request("DELETE", path("metrics", experiment_id, variant_id, iso_day(date)), nothing)
