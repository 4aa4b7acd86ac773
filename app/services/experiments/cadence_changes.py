"""Changes of an experiment's cadence: to hours only while there are no data, to days at any time."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from app.errors import Conflict, FieldError, Invalid
from app.schemas.experiments.experiments import HOURS_ARE_TRACKED
from app.schemas.experiments.settings import HOURLY_BURN_IN, NOT_BY_HOUR, StoredSettings, asked_in_days
from app.storage import tables


def check(session: Session, row: tables.Experiment, before: StoredSettings, sent: Mapping[str, Any]) -> None:
    """Reject a change after which an experiment of cadence hour would have no meaning.

    Raises
    ------
    Invalid: its totals are reported, or the change asks for days of burn-in or maturity
    Conflict: it has data already, whose hours are not known
    """
    if row.source == "reported":
        raise Invalid("the experiment reports its totals", [FieldError("body.cadence", HOURS_ARE_TRACKED)])
    days = (sent.get("burn_in") or {}).get("days") is not None
    for field in asked_in_days("hour", days, sent.get("maturity_days") is not None):
        raise Invalid("cadence hour knows no days", [FieldError(f"body.{field}", NOT_BY_HOUR[field])])
    if before.cadence == "day" and _has_data(session, row.experiment_id):
        raise Conflict(
            f"experiment {row.experiment_id!r} has data by day, whose hours are not known: cadence hour can be"
            " chosen before the first data only"
        )


def _has_data(session: Session, experiment_id: str) -> bool:
    daily = tables.DailyMetrics
    return bool(session.scalar(select(exists().where(daily.experiment_id == experiment_id))))


def follow_the_cadence(before: dict[str, Any]) -> None:
    """Take back the burn-in that was the default of the cadence before: the new one has its own."""
    default = HOURLY_BURN_IN if before["cadence"] == "hour" else 0
    if before["burn_in"]["impressions"] == default:
        del before["burn_in"]["impressions"]
