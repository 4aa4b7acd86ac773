"""The schemas of exported rows: the valid values of every column of every table, and their consistency.

The file is not trusted. Only rows that the service could have stored itself are imported: one value that it cannot
read back would break the lists and metrics of all experiments.
"""

import datetime as dt
import json
from decimal import Decimal
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    create_model,
)
from sqlalchemy import Column, Table, text
from sqlalchemy.orm import Session

from app.errors import Invalid
from app.schemas.allocations import Allocation
from app.schemas.experiments.experiments import MAX_VARIANTS
from app.schemas.experiments.settings import StoredSettings
from app.schemas.fields import Count, Identifier, IsoDate, Percent, Text, UnitId, VariantValue
from app.schemas.validation import field_errors
from app.storage import tables

PARTS = {
    table.__tablename__: table.__table__
    for table in (
        tables.Experiment,
        tables.ExperimentSettingsRow,
        tables.ExperimentVersion,
        tables.Variant,
        tables.DailyMetrics,
        tables.MetricSnapshot,
        tables.ReceivedMetrics,
        tables.ReceivedHours,
        tables.RecordedAllocation,
        tables.Split,
        tables.Assignment,
        tables.AssignmentCount,
        tables.Event,
        tables.HoldoutMetrics,
    )
}
"""The tables of an experiment, in an order in which their rows can be inserted."""

NUMBERS = {"experiments": (1, 1), "experiment_versions": (1, 1), "variants": (0, MAX_VARIANTS)}
"""The least and largest number of rows of a table; there is at least one of the settings."""

YEARS = range(1900, 9000)
"""Years with which date arithmetic cannot overflow."""
LARGEST_SUM = Decimal("1e60")
"""Of squares of amounts up to 1e24."""

_variant_value = TypeAdapter(VariantValue).validate_python


def _near(day: dt.date) -> dt.date:
    if day.year not in YEARS:
        raise ValueError("Input should be a year from 1900 to 8999")
    return day


def _sum(value: object) -> Decimal:
    number = Decimal(value) if isinstance(value, int | float) else Decimal("nan")
    if isinstance(value, bool) or not number.is_finite() or abs(number) > LARGEST_SUM:
        raise ValueError(f"Input should be a finite number of at most {LARGEST_SUM}")
    return number


def _digest(value: object) -> bytes:
    r"""Return the bytes that PostgreSQL writes as \x and hexadecimal digits."""
    if not isinstance(value, str) or not value.startswith("\\x"):
        raise ValueError("Input should be \\x and hexadecimal digits")
    return bytes.fromhex(value[2:])


def _value_of_variant(written: str) -> str:
    try:
        value = json.loads(written)
    except (ValueError, RecursionError):
        raise ValueError("Input should be JSON") from None
    _checked(_variant_value, value)
    return written


def _answer(answer: dict[str, Any]) -> dict[str, Any]:
    _checked(lambda written: Allocation.model_validate_json(written, strict=True), json.dumps(answer))
    return answer


def _checked(read: Any, value: object) -> None:
    try:
        read(value)
    except ValidationError as error:
        first = field_errors(error)[0]
        raise ValueError(f"{first.field}: {first.message}") from None


Number = Annotated[int, Field(strict=True, ge=0, le=2**53)]
"""A counter that can still be incremented."""
Sum = Annotated[Decimal, BeforeValidator(_sum)]
Day = Annotated[IsoDate, AfterValidator(_near)]
Hour = Annotated[int, Field(strict=True, ge=0, le=10_000_000)]
"""An hour's number since 1970, up to the year 3110: an array over all hours in between still fits into memory."""

KINDS: dict[type, Any] = {
    str: Annotated[str, Field(strict=True, max_length=256, pattern=r"^[^\x00]*$")],
    int: Number,
    bool: Annotated[bool, Field(strict=True)],
    float: Annotated[float, Field(strict=True, ge=0, le=1)],
    object: dict[str, Any],
    dt.date: Day,
    dt.datetime: Annotated[AwareDatetime, AfterValidator(_near)],
    Decimal: Sum,
    bytes: Annotated[bytes, BeforeValidator(_digest)],
}
"""The valid values of a column by its type, ..."""
COLUMNS: dict[str, Any] = {
    "experiment_id": Identifier,
    "variant_id": Identifier,
    "former_variant_id": Identifier,
    "revision": Identifier,
    "unit_id": UnitId,
    "merged_into": UnitId,
    "name": Text,
    "description": Text,
    "hour": Hour,
    "received_hour": Hour,
    "impressions": Count,
    "successes": Count,
    "shares": Annotated[dict[Identifier, Percent], Field(min_length=1)],
    "answer": Annotated[dict[str, Any], AfterValidator(_answer)],
    "variants.value": Annotated[str, Field(strict=True), AfterValidator(_value_of_variant)],
    "variants.active_from": IsoDate,
    "variants.retired_on": IsoDate,
}
"""... and by its name where they are narrower, with the table's name where only that table has them."""


# Created at run time from SQLAlchemy's tables, so the type checker does not know the fields of either
def _row_model(table: Table) -> type[BaseModel]:
    columns = {column.name: _as_field(table, column) for column in table.columns}
    return create_model(table.name, __config__=ConfigDict(extra="forbid"), **columns)  # type: ignore[call-overload,no-any-return]


def _as_field(table: Table, column: Column[Any]) -> tuple[Any, Any]:
    name = column.name
    kind = COLUMNS.get(f"{table.name}.{name}") or COLUMNS.get(name) or KINDS[column.type.python_type]
    return (kind | None, None) if column.nullable else (kind, ...)  # a file of an earlier version has fewer


ROWS = {part: _row_model(table) for part, table in PARTS.items()}  # type: ignore[arg-type]


def check_row(part: str, row: object) -> None:
    """Reject a row that PostgreSQL or the service could not read.

    Raises
    ------
    ValidationError: naming the column
    """
    read = ROWS[part].model_validate(row)
    if part == "experiment_settings":
        StoredSettings.model_validate(read.settings)  # type: ignore[attr-defined]


def check_numbers(counts: dict[str, int]) -> None:
    """Reject a file without the number of rows that an experiment has.

    Raises
    ------
    Invalid: it has no experiment, or more than one
    """
    for part, (least, most) in NUMBERS.items():
        if not least <= counts.get(part, 0) <= most:
            raise Invalid(f"the file has {counts.get(part, 0)} rows of {part}, not {least} to {most}")
    if not counts.get("experiment_settings"):
        raise Invalid("the file has no settings; nothing was imported")


AGREEMENTS = {
    "experiment_metrics": text("""
        select from experiment_metrics where experiment_id = :experiment_id and as_of < date
    """),
    "metric_snapshots": text("""
        select from metric_snapshots s
        left join experiment_metrics m
            on m.experiment_id = :experiment_id and m.variant_id = s.variant_id and m.date = s.date
        where s.experiment_id = :experiment_id
        and (m.date is null or s.as_of >= coalesce(m.as_of, date 'infinity'))
    """),
    "received_metrics": text("""
        select from (
            select variant_id, date, min(received_on) as first, cast(sum(impressions) as numeric) as impressions,
                   cast(sum(successes) as numeric) as successes
            from received_metrics where experiment_id = :experiment_id group by variant_id, date
        ) r
        left join experiment_metrics m
            on m.experiment_id = :experiment_id and m.variant_id = r.variant_id and m.date = r.date
        where m.date is null or r.first < r.date or r.impressions > m.impressions or r.successes > m.successes
    """),
    "allocations": text("""
        select from allocations where experiment_id = :experiment_id
        and (answer ->> 'experiment_id', answer ->> 'date', answer ->> 'revision')
            is distinct from (experiment_id, cast(for_date as text), revision)
    """),
    "splits": text("""
        select from splits s join experiment_versions e using (experiment_id), json_object_keys(s.shares) shared
        where s.experiment_id = :experiment_id and s.settings_version >= e.settings_version
        and not exists (select from variants v where v.experiment_id = s.experiment_id and v.variant_id = shared)
    """),
    "assignments": text("""
        select from assignments a where a.experiment_id = :experiment_id and a.merged_into is not null
        and not exists (select from assignments b where b.experiment_id = a.experiment_id
                        and b.unit_id = a.merged_into and b.merged_into is null)
    """),
    "assignments of splits": text("""
        select from assignments a where a.experiment_id = :experiment_id and 'drawn' in (a.kind, a.former_kind)
        and not exists (select from splits s where s.experiment_id = a.experiment_id and s.split = a.split
                        and (s.shares -> coalesce(a.former_variant_id, a.variant_id)) is not null)
    """),
}
"""Queries that find inconsistent rows, by their table."""


def check_agreement(session: Session, experiment_id: str) -> None:
    """Reject inserted rows that refer to rows which do not exist.

    Raises
    ------
    Invalid: naming their table
    """
    for part, contradicting in AGREEMENTS.items():
        if session.execute(contradicting, {"experiment_id": experiment_id}).first() is not None:
            raise Invalid(f"the rows of {part} contradict each other or others; nothing was imported")
