"""The tables, as SQLAlchemy sees them; migrations/ makes them.

Every constraint is named by one convention, so that ``storage/database.py`` can translate a broken one into the
rule it stands for (``CONSTRAINT_MESSAGES``). Every key of a per-experiment table starts with ``experiment_id``:
the schema also runs on Citus, distributed by it. No extension, no trigger, no ``now()`` inside an upsert.
"""

import datetime as dt
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Common base: one naming convention, text for str, timestamps with a zone."""

    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map = {
        str: Text(),
        int: BigInteger(),
        dt.datetime: TIMESTAMP(timezone=True),
        Decimal: Numeric(),
        dict[str, Any]: JSONB(),
        float: Double(),
        bytes: LargeBinary(),
        list[str]: ARRAY(Text()),
    }


class Experiment(Base):
    """An experiment: what never changes by date.

    ``source`` says where its totals come from, ``reported`` or ``tracked``; NULL until the first of them came.
    ``flag`` says whether OpenFeature clients are offered it; NULL follows the source: true if it is tracked.
    """

    __tablename__ = "experiments"
    __table_args__ = (CheckConstraint("source in ('reported', 'tracked')", name="source"),)

    experiment_id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str | None]
    description: Mapped[str | None]
    source: Mapped[str | None]
    created_at: Mapped[dt.datetime]
    flag: Mapped[bool | None]


class ExperimentSettingsRow(Base):
    """The settings and the state of an experiment from ``active_from`` until the next row's."""

    __tablename__ = "experiment_settings"
    __table_args__ = (CheckConstraint("state in ('running', 'paused', 'archived')", name="state"),)

    experiment_id: Mapped[str] = mapped_column(ForeignKey(Experiment.experiment_id), primary_key=True)
    active_from: Mapped[dt.date] = mapped_column(primary_key=True)
    state: Mapped[str]
    settings: Mapped[dict[str, Any]]
    changed_at: Mapped[dt.datetime]


class ExperimentVersion(Base):
    """A counter that every change of an experiment's data or settings bumps.

    Its row is the experiment's lock: who writes takes it first, so that writers of one experiment wait in a line
    and a recorded allocation belongs to exactly one version. ``settings_version`` counts the changes of settings
    and variants alone: what units are assigned by.
    """

    __tablename__ = "experiment_versions"

    experiment_id: Mapped[str] = mapped_column(ForeignKey(Experiment.experiment_id), primary_key=True)
    version: Mapped[int]
    settings_version: Mapped[int] = mapped_column(server_default="1")


class DeletedExperiment(Base):
    """The last versions of a deleted experiment.

    Caches are verified by versions: an experiment created again under the same id starts above these.
    """

    __tablename__ = "deleted_experiments"

    experiment_id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    settings_version: Mapped[int]
    deleted_at: Mapped[dt.datetime]


class Variant(Base):
    """One variant (arm) of an experiment; ``position`` is the order of registration.

    ``value`` is what a client is given for it, a JSON text that keeps the very bytes (10.0 stays 10.0).
    """

    __tablename__ = "variants"
    __table_args__ = (
        Index("uq_variants_control", "experiment_id", unique=True, postgresql_where="is_control"),
        CheckConstraint("retired_on >= active_from", name="retired_after_active"),
    )

    experiment_id: Mapped[str] = mapped_column(ForeignKey(Experiment.experiment_id), primary_key=True)
    variant_id: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int]
    name: Mapped[str | None]
    description: Mapped[str | None]
    is_control: Mapped[bool]
    value: Mapped[str | None]
    registered_on: Mapped[dt.date]
    active_from: Mapped[dt.date | None]
    retired_on: Mapped[dt.date | None]


class DailyMetrics(Base):
    """The totals of one variant on one day; sending them again replaces them.

    ``times_written`` is 1 for a row as first inserted: an upsert tells with it what it did, where the usual
    ``xmax = 0`` is a system column that Citus does not return. ``as_of`` is the last day whose conversions
    reported totals hold; NULL in tracked ones, and where a version that did not know it stored them.
    """

    __tablename__ = "experiment_metrics"
    __table_args__ = (
        ForeignKeyConstraint(["experiment_id", "variant_id"], [Variant.experiment_id, Variant.variant_id]),
        CheckConstraint("impressions >= 0", name="impressions_not_negative"),
        CheckConstraint("successes >= 0", name="successes_not_negative"),
        CheckConstraint("revenue_sq >= 0", name="revenue_sq_not_negative"),
    )

    experiment_id: Mapped[str] = mapped_column(primary_key=True)
    variant_id: Mapped[str] = mapped_column(primary_key=True)
    date: Mapped[dt.date] = mapped_column(primary_key=True)
    impressions: Mapped[int]
    successes: Mapped[int]
    revenue: Mapped[Decimal | None]
    revenue_sq: Mapped[Decimal | None]
    times_written: Mapped[int]
    created_at: Mapped[dt.datetime]
    updated_at: Mapped[dt.datetime]
    as_of: Mapped[dt.date | None]


class MetricSnapshot(Base):
    """Reported totals of one variant and day as they were known through an earlier day than those in force.

    A newer report moves the totals it replaces here: together they are every report of a day.
    """

    __tablename__ = "metric_snapshots"
    __table_args__ = (CheckConstraint("as_of >= date", name="as_of_not_before_date"),)

    experiment_id: Mapped[str] = mapped_column(primary_key=True)
    variant_id: Mapped[str] = mapped_column(primary_key=True)
    date: Mapped[dt.date] = mapped_column(primary_key=True)
    as_of: Mapped[dt.date] = mapped_column(primary_key=True)
    impressions: Mapped[int]
    successes: Mapped[int]
    revenue: Mapped[Decimal | None]
    revenue_sq: Mapped[Decimal | None]


class ReportsByDay(Base):
    """The earlier reports of one variant and day in one row, packed: what a delay is estimated from.

    Each is its age in days, its impressions and its successes (2, 8 and 8 bytes, big-endian); those of the first
    90 days only. It follows from ``MetricSnapshot``, whose rows would be thirty times as many to read.
    """

    __tablename__ = "reports_by_day"

    experiment_id: Mapped[str] = mapped_column(primary_key=True)
    date: Mapped[dt.date] = mapped_column(primary_key=True)
    variant_id: Mapped[str] = mapped_column(primary_key=True)
    reports: Mapped[bytes]


class DelayEvidence(Base):
    """What the reports of one day say of the delay of conversions: computed from ``ReportsByDay`` when first used.

    Deleted with any change of the day's reports. ``variant_ids`` are separated by line feeds; the others are
    numbers of 8 bytes, but ``known``, a bit for each age. The sums are of variants reported at the same ages.
    """

    __tablename__ = "delay_evidence"

    experiment_id: Mapped[str] = mapped_column(primary_key=True)
    date: Mapped[dt.date] = mapped_column(primary_key=True)
    ages: Mapped[int] = mapped_column(Integer)
    variant_ids: Mapped[str]
    known: Mapped[bytes]
    conversions: Mapped[bytes]
    excess: Mapped[bytes]
    variance: Mapped[bytes]


class ReceivedMetrics(Base):
    """What was received on one day of the totals of one variant and day of first exposure (tracked experiments).

    The sums over ``received_on`` are the day's totals, less what came before the service stored them apart.
    """

    __tablename__ = "received_metrics"
    __table_args__ = (
        Index(
            "ix_received_metrics_later",
            "experiment_id",
            "received_on",
            postgresql_where=text("received_on > date"),
        ),
    )

    experiment_id: Mapped[str] = mapped_column(primary_key=True)
    variant_id: Mapped[str] = mapped_column(primary_key=True)
    date: Mapped[dt.date] = mapped_column(primary_key=True)
    received_on: Mapped[dt.date] = mapped_column(primary_key=True)
    impressions: Mapped[int]
    successes: Mapped[int]
    revenue: Mapped[Decimal]
    revenue_sq: Mapped[Decimal]


class ReceivedHours(Base):
    """What was received in one hour of the totals of one variant and hour of first exposure (cadence hour).

    Hours are numbered from 1970-01-01 00:00 UTC.
    """

    __tablename__ = "received_hours"
    __table_args__ = (CheckConstraint("received_hour >= hour", name="received_not_before_hour"),)

    experiment_id: Mapped[str] = mapped_column(primary_key=True)
    variant_id: Mapped[str] = mapped_column(primary_key=True)
    hour: Mapped[int] = mapped_column(Integer, primary_key=True)
    received_hour: Mapped[int] = mapped_column(Integer, primary_key=True)
    impressions: Mapped[int]
    successes: Mapped[int]
    revenue: Mapped[Decimal]
    revenue_sq: Mapped[Decimal]


class RecordedAllocation(Base):
    """One revision of a date's allocation, as it was served; never changed.

    ``sequence`` counts the revisions that were in force on the date, so that a correction taken back is seen as
    A, B, A. ``answer`` is JSON, not JSONB: it keeps the very bytes.
    """

    __tablename__ = "allocations"

    experiment_id: Mapped[str] = mapped_column(ForeignKey(Experiment.experiment_id), primary_key=True)
    for_date: Mapped[dt.date] = mapped_column(primary_key=True)
    sequence: Mapped[int] = mapped_column(primary_key=True)
    revision: Mapped[str]
    inputs_digest: Mapped[str]
    version: Mapped[int]
    answer: Mapped[dict[str, Any]] = mapped_column(JSON)
    recorded_at: Mapped[dt.datetime]


class Split(Base):
    """The shares that units are drawn with for a while: an allocation's revision, frozen at its first use.

    ``shares`` are the recorded percentages by variant, the drawn units' propensities.
    """

    __tablename__ = "splits"

    experiment_id: Mapped[str] = mapped_column(ForeignKey(Experiment.experiment_id), primary_key=True)
    split: Mapped[int] = mapped_column(primary_key=True)
    for_date: Mapped[dt.date]
    revision: Mapped[str]
    shares: Mapped[dict[str, Any]] = mapped_column(JSON)
    settings_version: Mapped[int]
    frozen_at: Mapped[dt.datetime]


class Assignment(Base):
    """The variant of one unit; the first write wins.

    ``kind`` says how it came: ``drawn`` with a split's shares (``split``, ``propensity`` and ``revision`` are
    those), ``holdout`` or ``forced``. The first exposure, the conversion and the unit's total value stand here,
    so that each is counted once. A unit that was merged into another points to it: that one decides and counts.
    What a forced unit was before, if it was anything, is beside (``former_kind``, ``former_variant_id``).
    """

    __tablename__ = "assignments"
    __table_args__ = (
        ForeignKeyConstraint(["experiment_id", "variant_id"], [Variant.experiment_id, Variant.variant_id]),
        CheckConstraint("kind in ('drawn', 'holdout', 'forced')", name="kind"),
        CheckConstraint(
            "(kind = 'drawn') = (split is not null and propensity is not null and revision is not null)",
            name="drawn_by_a_split",
        ),
        CheckConstraint("(exposed_at is null) = (exposed_on is null)", name="exposed_on_a_day"),
        CheckConstraint(
            "(former_kind is null) = (former_variant_id is null) and (former_kind is null or kind = 'forced')",
            name="former_if_forced",
        ),
        Index(
            "ix_assignments_experiment_id_merged_into",
            "experiment_id",
            "merged_into",
            postgresql_where="merged_into is not null",
        ),
    )

    experiment_id: Mapped[str] = mapped_column(primary_key=True)
    unit_id: Mapped[str] = mapped_column(primary_key=True)
    variant_id: Mapped[str]
    kind: Mapped[str]
    split: Mapped[int | None]
    propensity: Mapped[float | None]
    revision: Mapped[str | None]
    assigned_at: Mapped[dt.datetime]
    exposed_at: Mapped[dt.datetime | None]
    exposed_on: Mapped[dt.date | None]
    converted_at: Mapped[dt.datetime | None]
    value: Mapped[Decimal | None]
    merged_into: Mapped[str | None]
    former_kind: Mapped[str | None]
    former_variant_id: Mapped[str | None]


class AssignmentCount(Base):
    """How many units each split sent to each variant on each day: only new, random assignments.

    They are compared with the splits' shares (the sample ratio); merging and forgetting leave them alone.
    """

    __tablename__ = "assignment_counts"

    experiment_id: Mapped[str] = mapped_column(primary_key=True)
    assigned_on: Mapped[dt.date] = mapped_column(primary_key=True)
    split: Mapped[int] = mapped_column(primary_key=True)
    variant_id: Mapped[str] = mapped_column(primary_key=True)
    units: Mapped[int]


class Event(Base):
    """An event that was taken, known by the SHA-256 of its id: sent again, it counts no more.

    ``counted_on`` is the day whose totals it changed; NULL where it changed none.
    """

    __tablename__ = "events"
    __table_args__ = (
        CheckConstraint("kind in ('exposure', 'conversion', 'value')", name="kind"),
        Index("ix_events_experiment_id_unit_id", "experiment_id", "unit_id"),
    )

    experiment_id: Mapped[str] = mapped_column(ForeignKey(Experiment.experiment_id), primary_key=True)
    event_digest: Mapped[bytes] = mapped_column(primary_key=True)
    unit_id: Mapped[str]
    kind: Mapped[str]
    occurred_at: Mapped[dt.datetime]
    value: Mapped[Decimal | None]
    counted_on: Mapped[dt.date | None]
    received_at: Mapped[dt.datetime]


class HoldoutMetrics(Base):
    """The totals of the held-out units of one day of first exposure, apart from those that decide."""

    __tablename__ = "holdout_metrics"

    experiment_id: Mapped[str] = mapped_column(ForeignKey(Experiment.experiment_id), primary_key=True)
    date: Mapped[dt.date] = mapped_column(primary_key=True)
    impressions: Mapped[int]
    successes: Mapped[int]
    revenue: Mapped[Decimal | None]
    revenue_sq: Mapped[Decimal | None]


class IdempotencyKey(Base):
    """The answer once given to a request that carried an Idempotency-Key."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (Index("ix_idempotency_keys_created_at", "created_at"),)

    scope: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    created_at: Mapped[dt.datetime]
    body_sha256: Mapped[bytes | None]
    status: Mapped[int | None]
    answer: Mapped[str | None]
    location: Mapped[str | None]


class SimulationRun(Base):
    """A run of the simulator: what was asked, how far it is, what came out.

    ``seen_at`` is the database's time of the last sign of life from the process that runs it: an open run without
    one was left behind. ``request`` and ``result`` are texts: they keep the very bytes. ``experiment_prefix`` is
    the limit of the API key that asked for it: the keys of one team see each other's runs. ``standing`` tells how
    an open run stands, in JSON, and is gone at its end.
    """

    __tablename__ = "simulations"
    __table_args__ = (
        CheckConstraint("state in ('queued', 'running', 'done', 'failed', 'cancelled')", name="state"),
        Index("ix_simulations_created_at", "created_at", "simulation_id"),
    )

    simulation_id: Mapped[str] = mapped_column(primary_key=True)
    scenario: Mapped[str]
    state: Mapped[str]
    created_at: Mapped[dt.datetime]
    seen_at: Mapped[dt.datetime]
    done: Mapped[int]
    total: Mapped[int]
    request: Mapped[str]
    result: Mapped[str | None]
    fault: Mapped[str | None]
    experiment_prefix: Mapped[str | None]
    standing: Mapped[str | None]


class ApiKey(Base):
    """An API key: what it may do and since when, never its secret, of which only the digest is stored.

    ``origins`` are those of the pages from which it may be used; NULL is from anywhere.

    A key is revoked and never deleted: that there once was one keeps the service from being open again.
    """

    __tablename__ = "api_keys"
    __table_args__ = (
        CheckConstraint(
            "cardinality(scopes) > 0 and scopes <@ array['evaluate', 'report', 'read', 'admin']"
            " and (origins is null or scopes = array['evaluate'])",
            name="scopes",
        ),
        CheckConstraint("octet_length(secret_sha256) = 32", name="secret_sha256"),
        CheckConstraint("requests_per_minute > 0", name="requests_per_minute_positive"),
    )

    key_id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    secret_sha256: Mapped[bytes]
    scopes: Mapped[list[str]]
    experiment_prefix: Mapped[str | None]
    requests_per_minute: Mapped[int | None]
    created_at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime | None]
    revoked_at: Mapped[dt.datetime | None]
    last_used_at: Mapped[dt.datetime | None]
    origins: Mapped[list[str] | None]


class AuditEntry(Base):
    """One change: when, by whose key (NULL where none was needed), what operation, and on what.

    ``subjects`` are the ids of the experiments changed, or of the simulation or the key.
    """

    __tablename__ = "audit"
    __table_args__ = (Index("ix_audit_at", "at", "audit_id"),)

    audit_id: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[dt.datetime]
    key_id: Mapped[str | None]
    who: Mapped[str]
    operation: Mapped[str]
    subjects: Mapped[list[str]]


CONSTRAINT_MESSAGES = {
    "pk_experiments": "there is already an experiment with this id",
    "ck_experiments_source": "totals are reported or tracked",
    "ck_assignments_kind": "an assignment is drawn, of the hold-out, or forced",
    "ck_assignments_drawn_by_a_split": "a drawn assignment has its split, propensity and revision; no other has",
    "ck_assignments_exposed_on_a_day": "an exposure has its moment and its day",
    "ck_assignments_former_if_forced": "only a forced assignment was another before: its kind and its variant",
    "ck_events_kind": "an event is an exposure, a conversion or a value",
    "fk_splits_experiments": "the experiment was deleted in the meantime",
    "fk_assignments_variants": "units are assigned to registered variants; retire the variant instead",
    "pk_variants": "the experiment already has a variant with this id",
    "uq_variants_control": "an experiment has at most one control",
    "ck_variants_retired_after_active": "a variant cannot retire before it became active",
    "ck_experiment_settings_state": "a state is running, paused or archived",
    "ck_experiment_metrics_impressions_not_negative": "impressions are never negative",
    "ck_experiment_metrics_successes_not_negative": "successes are never negative",
    "ck_experiment_metrics_revenue_sq_not_negative": "a sum of squares is never negative",
    "ck_metric_snapshots_as_of_not_before_date": "no totals of a day are known before it",
    "ck_received_hours_received_not_before_hour": "nothing is received before the hour it belongs to",
    "ck_simulations_state": "a simulation is queued, running, done, failed or cancelled",
    "ck_api_keys_scopes": "a key has scopes, of evaluate, report, read and admin; origins go with evaluate alone",
    "ck_api_keys_secret_sha256": "of a key's secret the SHA-256 is stored",
    "ck_api_keys_requests_per_minute_positive": "a limit of requests per minute is at least one",
    "fk_experiment_metrics_variants": "daily metrics belong to a registered variant",
}
"""What each constraint means, in words; a test checks that every name here is a real constraint."""
