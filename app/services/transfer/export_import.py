"""Export a whole experiment as NDJSON, and import it on another server.

The first line has the format, each further one a row of a table, the last one the number of rows, so that a
truncated file is detected. PostgreSQL writes and reads the rows: every number and every recorded allocation keeps
its bytes.
"""

import json
import math
from collections.abc import Iterator
from functools import partial
from typing import Any, BinaryIO

from psycopg.errors import UniqueViolation
from pydantic import ValidationError
from sqlalchemy import bindparam, text
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import Session

from app.errors import Conflict, FieldError, Invalid, NotFound
from app.schemas.exports import Imported
from app.schemas.validation import field_errors
from app.services.access import audit_log, principal
from app.services.experiments import version_lock
from app.services.metrics.report_upsert import repack_days_of
from app.services.transfer.row_schemas import PARTS, check_agreement, check_numbers, check_row
from app.storage import tables
from app.storage.database import lift_statement_timeout
from app.storage.pipeline import run_pipelined

FORMAT = 1
"""Incremented when files of earlier versions can no longer be read."""

MAX_LINE_BYTES = 16 * 1024 * 1024
"""A recorded allocation of 1,000 variants has half a megabyte."""

CREATE = text("create temporary table imported (line bigint, part text, sent json) on commit drop")
PACK_REPORTS = repack_days_of(
    "select experiment_id, variant_id, date from metric_snapshots where experiment_id = any(%(experiment_ids)s)"
)
COPY = "copy imported (line, part, sent) from stdin"


def export(session: Session, experiment_id: str) -> Iterator[bytes]:
    """Yield the lines of an experiment.

    Parameters
    ----------
    session : a snapshot, so that all lines are as of one moment

    Raises
    ------
    NotFound: there is no such experiment
    """
    if session.get(tables.Experiment, experiment_id) is None:
        raise NotFound(f"there is no experiment {experiment_id!r}")
    yield _line({"groundhog_export": FORMAT, "experiment_id": experiment_id})
    rows = 0
    for part, table in PARTS.items():
        found = session.execute(
            _rows_of(table), {"experiment_id": experiment_id}, execution_options={"yield_per": 1_000}
        )
        for (row,) in found:
            rows += 1
            yield f'{{"part": "{part}", "row": {row}}}\n'.encode()
    yield _line({"rows": rows})


def _rows_of(table: Any) -> Any:
    order = ", ".join(column.name for column in table.primary_key)
    return text(
        f"select cast(row_to_json(t) as text) from"  # noqa: S608  names of tables of this project
        f" (select * from {table.name} where experiment_id = :experiment_id order by {order}) t"
    )


def _line(message: dict[str, Any]) -> bytes:
    return json.dumps(message).encode() + b"\n"


def restore(session: Session, upload: BinaryIO) -> Imported:
    """Store an exported experiment completely or not at all; its allocations are the same to the byte.

    Raises
    ------
    Invalid: the file is no export, is truncated, or has a line that cannot be read
    Conflict: there is already an experiment with this id
    Forbidden: the principal may not access this experiment
    """
    lift_statement_timeout(session)  # a COPY is one statement, of millions of lines
    session.execute(CREATE)
    experiment_id, counts = _receive(session, upload)
    principal.require_access(experiment_id)
    audit_log.add_subject(experiment_id)
    if session.get(tables.Experiment, experiment_id) is not None:
        raise _already_exists(experiment_id)
    for part in PARTS:
        _insert(session, part, experiment_id)
    check_agreement(session, experiment_id)
    run_pipelined(session, (PACK_REPORTS, {"experiment_ids": [experiment_id]}))
    version_lock.raise_above_deleted(session, experiment_id)
    return Imported(experiment_id=experiment_id, rows=counts)


def _already_exists(experiment_id: str) -> Conflict:
    return Conflict(f"there is already an experiment {experiment_id!r}; nothing was imported")


def _insert(session: Session, part: str, experiment_id: str) -> None:
    try:
        session.execute(
            text(
                f"insert into {part} select row.* from imported,"  # noqa: S608  names of tables of this project
                f" json_populate_record(null::{part}, sent -> 'row') as row where part = :part order by line"
            ).bindparams(bindparam("part", part))
        )
    except (DataError, IntegrityError) as error:
        if part == "experiments" and isinstance(error.orig, UniqueViolation):
            raise _already_exists(experiment_id) from error  # created since the check above
        raise Invalid(f"the rows of {part} contradict each other or others; nothing was imported") from error


def _receive(session: Session, upload: BinaryIO) -> tuple[str, dict[str, int]]:
    """Check every line and copy it to PostgreSQL; return the experiment's id and the numbers of rows by table."""
    driver = session.connection().connection.driver_connection
    assert driver is not None
    counts: dict[str, int] = {}
    with driver.cursor() as cursor, cursor.copy(COPY) as copy:
        numbered = enumerate(iter(partial(upload.readline, MAX_LINE_BYTES), b""), start=1)
        experiment_id = _header(next(numbered, (1, b""))[1])
        ended = False
        for number, line in numbered:
            message = _parsed(number, line)
            if ended or "rows" in message:
                _check_end(number, message, ended, sum(counts.values()))
                ended = True
                continue
            part = _check_row(number, message, experiment_id)
            counts[part] = counts.get(part, 0) + 1
            copy.write_row((number, part, line.decode()))
    if not ended:
        raise Invalid("the file is truncated: its last line has no number of rows; nothing was imported")
    check_numbers(counts)
    return experiment_id, counts


def _parsed(number: int, line: bytes) -> dict[str, Any]:
    try:
        message = json.loads(line, parse_constant=_reject_constant, parse_float=_finite)
        if b"\\u" in line:  # an escape can be half of a surrogate pair
            json.dumps(message, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        message = None
    if not isinstance(message, dict):
        raise _unreadable(number, None, "not a JSON object")
    return message


def _reject_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _finite(written: str) -> float:
    number = float(written)
    if math.isinf(number):
        raise ValueError("too large for a double")
    return number


def _header(line: bytes) -> str:
    header = _parsed(1, line)
    experiment_id = header.get("experiment_id")
    if header.get("groundhog_export") != FORMAT or not isinstance(experiment_id, str):
        raise _unreadable(1, None, f"not the first line of an export of format {FORMAT}")
    return experiment_id


def _check_end(number: int, message: dict[str, Any], ended: bool, received: int) -> None:
    if ended or message != {"rows": received}:
        raise _unreadable(number, "rows", f"the file should end here, after {received} rows")


def _check_row(number: int, message: dict[str, Any], experiment_id: str) -> str:
    """Reject a row that PostgreSQL or the service could not read; return its table."""
    part, row = message.get("part"), message.get("row")
    if set(message) != {"part", "row"} or part not in PARTS:
        raise _unreadable(number, "part", f"should be one of {', '.join(PARTS)}, next to its row")
    try:
        check_row(part, row)
    except ValidationError as error:
        first = field_errors(error)[0]
        raise _unreadable(number, first.field, first.message) from error
    if row["experiment_id"] != experiment_id:  # type: ignore[index]
        raise _unreadable(number, "experiment_id", f"is not {experiment_id!r} as in the first line")
    return str(part)


def _unreadable(number: int, where: str | None, message: str) -> Invalid:
    return Invalid(
        f"line {number} cannot be read; nothing was imported", [FieldError(where or "line", message, number)]
    )
