"""A tracked experiment's own decision log: each unit's variant, its propensity, and its reward."""

from pydantic import ValidationError
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.errors import Conflict, FieldError, Invalid
from app.schemas.analysis.decision_log import OwnLog
from app.schemas.validation import field_errors
from app.services.access import principal
from app.services.experiments import lifecycle

MAX_UNITS = 1_000_000
MAX_BYTES = 4_096  # of a request, which names an experiment and two days

UNITS_SQL = text("""
    select variant_id, propensity, case when converted_at is null then 0 else 1 end as reward,
           coalesce(value, 0) as value
    from assignments
    where experiment_id = :experiment_id and kind = 'drawn' and merged_into is null
      and exposed_on between coalesce(cast(:since as date), '-infinity')
                         and coalesce(cast(:until as date), 'infinity')
    order by assigned_at, unit_id
    limit :max_units
""")


def read_request(body: bytes) -> OwnLog:
    """Return which log a request asks for.

    Raises
    ------
    Invalid: naming each field that is not valid
    """
    if len(body) > MAX_BYTES:
        raise Invalid(f"the request is over {MAX_BYTES} bytes: it names an experiment, since and until")
    try:
        return OwnLog.model_validate_json(body)
    except ValidationError as error:
        raise Invalid("the message does not name an experiment's log", field_errors(error, "body")) from error


def as_csv(session: Session, request: OwnLog) -> tuple[str, list[str]]:
    """Return the log in CSV, in the order in which units were drawn, and the experiment's variants.

    Units that were forced, merged away, held out or never exposed are not in it.

    Raises
    ------
    NotFound: there is no such experiment
    Forbidden: the API key is limited to other experiments
    Conflict: its totals are reported, so it has no log
    Invalid: no unit was exposed on these days, or too many were
    """
    principal.require_access(request.experiment_id)
    experiment = lifecycle.read(session, request.experiment_id)
    if experiment.source == "reported":
        raise Conflict(
            f"the totals of experiment {request.experiment_id!r} are reported: it has no log of units"
        )
    days = {"since": request.since, "until": request.until, "max_units": MAX_UNITS + 1}
    rows = session.execute(UNITS_SQL, {"experiment_id": request.experiment_id, **days}).all()
    if not 0 < len(rows) <= MAX_UNITS:
        message = (
            f"{'more than ' if rows else ''}{min(len(rows), MAX_UNITS):,} units were exposed on these days"
        )
        raise Invalid(message, [FieldError("body.since", f"Input should leave 1 to {MAX_UNITS:,} units")])
    lines = [f"{row.variant_id},{row.propensity!r},{row.reward},{row.value}" for row in rows]
    return "\n".join(["arm,propensity,reward,value", *lines]), [v.variant_id for v in experiment.variants]
