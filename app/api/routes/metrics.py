"""Daily metrics over HTTP: record one total, an array or a stream; read them, delete a day."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Path, Query, Request, Response
from fastapi.concurrency import run_in_threadpool

from app.api import request_body
from app.api.dependencies import (
    AllocationDate,
    CurrentTime,
    DatabaseDep,
    ExperimentPath,
    SettingsDep,
    StateDep,
    VariantPath,
)
from app.api.pagination import Cursor, Limit, decode_cursor, identifier, iso_date, page
from app.api.problem_details import error_responses
from app.api.routing import StrictRoute
from app.api.temporary_files import temporary_file
from app.api.unit_of_work import (
    IdempotencyKeyHeader,
    IdempotentWriteDep,
    WriteDep,
    message_response,
    unit_of_work,
)
from app.observability import metrics
from app.schemas.fields import IsoDate
from app.schemas.metrics import (
    EXAMPLE,
    BulkStored,
    DailyTotals,
    Stored,
    StoredTotal,
    StoredTotalsPage,
)
from app.services.analysis import posterior
from app.services.metrics import bulk_upload, daily_metrics, recorder

router = APIRouter(prefix="/metrics", tags=["metrics"], route_class=StrictRoute)

DayPath = Annotated[IsoDate, Path(description="The day, YYYY-MM-DD")]
OUTCOMES = {"inserted", "updated", "unchanged", "superseded", "rejected"}
BULK_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/x-ndjson": {
                "schema": {"type": "string", "description": "One DailyTotal as JSON per line"},
                "example": '{"experiment_id": "homepage_test", "variant_id": "control", '
                '"date": "2023-07-15", "impressions": 1000, "successes": 120}\n',
            },
            "text/csv": {
                "schema": {"type": "string", "description": "A header line, then one total per line"},
                "example": "experiment_id,variant_id,date,impressions,successes\n"
                "homepage_test,control,2023-07-15,1000,120\n",
            },
            request_body.MULTIPART: {
                "schema": {
                    "type": "object",
                    "properties": {"file": {"type": "string", "contentMediaType": "text/csv"}},
                    "required": ["file"],
                },
                "example": {"file": "experiment_id,variant_id,date,impressions,successes\n"},
            },
        },
    }
}
TOTALS_EXAMPLES: dict[str, Any] = {
    "one": {"summary": "One total", "value": EXAMPLE},
    "array": {
        "summary": "An array of totals",
        "value": [EXAMPLE, EXAMPLE | {"variant_id": "bold", "successes": 150}],
    },
}


@router.post("", include_in_schema=False, response_model=Stored)
@router.post(
    "/",
    operation_id="record_metrics",
    response_model=Stored,
    responses=error_responses(404, 409, 413, 415, 422, 503),
)
async def record_metrics(
    totals: Annotated[DailyTotals, Body(openapi_examples=TOTALS_EXAMPLES)],
    state: StateDep,
    write: IdempotentWriteDep,
) -> Response:
    """Store one daily total or an array of up to 5,000; sending a day again replaces it.

    The whole array is stored or nothing. An unknown experiment or variant is registered implicitly.
    """
    daily = state.metrics_recorder
    if write.request is None and recorder.may_share(totals):
        stored = await daily.record(totals, write.now)
        _count(stored)
        return message_response(stored)
    outcome = await run_in_threadpool(
        write.commit_once, lambda session: daily.record_alone(session, totals, write.now)
    )
    _count(outcome.message)
    return outcome.to_response()


def _count(stored: Stored | None) -> None:
    """Count rows in Prometheus; a replayed request stored none."""
    if stored is not None:
        for result in OUTCOMES & stored.model_fields_set:
            metrics.DAILY_METRICS_ROWS.labels(result).inc(getattr(stored, result))


@router.post(
    "/bulk",
    operation_id="record_metrics_in_bulk",
    response_model=BulkStored,
    responses=error_responses(413, 415, 422, 503),
    openapi_extra=BULK_BODY,
)
async def record_metrics_in_bulk(
    request: Request,
    settings: SettingsDep,
    idempotency_key: IdempotencyKeyHeader = None,
    mode: Annotated[
        bulk_upload.Mode, Query(description="Store all lines or none, or the valid ones")
    ] = "atomic",
) -> Response:
    """Store a stream of daily totals of any length, NDJSON or CSV, and report which lines are rejected.

    With `mode=atomic` one invalid line, or two with the same key and other values, rejects the upload; with
    `mode=partial` the valid lines are stored, and of several with the same key the last.
    """
    with temporary_file() as upload:
        digest, form = await request_body.spool_table(request, upload, settings.max_bulk_bytes)
        write = unit_of_work(request, idempotency_key, digest)
        outcome = await run_in_threadpool(
            write.commit_once,
            lambda session: bulk_upload.load(session, upload, form, mode, write.now, settings),
        )
    _count(outcome.message)
    return outcome.to_response()


@router.get(
    "/{experiment_id}",
    operation_id="read_metrics",
    response_model=StoredTotalsPage,
    responses=error_responses(404, 422, 503),
)
def read_metrics(
    experiment_id: ExperimentPath,
    database: DatabaseDep,
    now: CurrentTime,
    since: Annotated[IsoDate | None, Query(description="First day, inclusive")] = None,
    until: Annotated[IsoDate | None, Query(description="Last day, inclusive")] = None,
    for_date: AllocationDate = None,
    as_of: Annotated[
        IsoDate | None, Query(description="The totals as they were known through this day (reported totals)")
    ] = None,
    cursor: Cursor = None,
    limit: Limit = 1_000,
) -> StoredTotalsPage:
    """Return the stored daily totals of an experiment by date and variant.

    The first page also has the totals that decide a date; they are the same for all pages. With `as_of` the rows
    are the latest reports known through that day, and there are no totals that decide.
    """
    after = decode_cursor(cursor, iso_date, identifier)
    with database.transaction() as session:
        rows = daily_metrics.read_totals(session, experiment_id, since, until, after, limit + 1, as_of)
        first = after is None and as_of is None
        used = posterior.totals_used(session, experiment_id, for_date, now) if first else None
    rows, next_cursor = page(rows, limit, lambda last: (last.date.isoformat(), last.variant_id))
    items = [StoredTotal.model_validate(row) for row in rows]
    return StoredTotalsPage(experiment_id=experiment_id, items=items, next_cursor=next_cursor, totals=used)


@router.delete(
    "/{experiment_id}/{variant_id}/{date}",
    operation_id="delete_metrics",
    status_code=204,
    responses=error_responses(404, 422, 503),
)
def delete_metrics(
    experiment_id: ExperimentPath, variant_id: VariantPath, date: DayPath, write: WriteDep
) -> None:
    """Delete the totals of one variant on one day."""
    write.commit(lambda session: daily_metrics.delete_total(session, experiment_id, variant_id, date))
