"""Load a file of daily metrics in chunks: each is one transaction that also stores a checkpoint.

After an interruption, a kill -9 included, loading the same file continues after the last stored chunk.
"""

import codecs
import datetime as dt
import io
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import BinaryIO

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.errors import Invalid
from app.schemas.fields import TableFormat
from app.schemas.metrics import LineError
from app.services.metrics import bulk_upload
from app.settings import ServiceSettings
from app.storage.database import Database
from app.storage.tables import IdempotencyKey

LINES_PER_CHUNK = 50_000
BYTES_PER_CHUNK = 16 * 1024 * 1024
"""A chunk is in memory, so it has fewer lines where they are very long."""
CHECKPOINT_SCOPE = "groundhog load"
"""The scope of checkpoints among the Idempotency-Keys: ``groundhog prune`` deletes old ones, too."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How far a file was loaded: in bytes and lines, and the outcomes of the lines."""

    offset: int = 0
    line: int = 0
    received: int = 0
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    superseded: int = 0
    rejected: int = 0


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some lines of a file, after a CSV's header; ``first_line`` is the number of the first."""

    content: bytes
    first_line: int
    count: int
    offset: int

    def number_in_file(self, number: int, form: TableFormat) -> int:
        """Return the number in the file of a line of this chunk."""
        return self.first_line + number - (2 if form == "csv" else 1)


def load(
    database: Database,
    source: BinaryIO,
    form: TableFormat,
    now: dt.datetime,
    settings: ServiceSettings,
    name: str | None = None,
    lines_per_chunk: int = LINES_PER_CHUNK,
) -> Iterator[tuple[Checkpoint, list[LineError]]]:
    """Store the valid lines of a file, and yield after each chunk the checkpoint and the rejected lines.

    Parameters
    ----------
    name : of the checkpoint; without one nothing is stored, and every load starts at the beginning

    Raises
    ------
    Invalid: the CSV's header cannot be read
    Unavailable: PostgreSQL does not answer; all that was yielded is stored
    """
    checkpoint = read_checkpoint(database, name)
    for chunk in _chunks(source, form, checkpoint, settings.max_line_bytes, lines_per_chunk):
        with database.transaction() as session:
            stored = bulk_upload.load(session, io.BytesIO(chunk.content), form, "partial", now, settings)
            counts = stored.model_dump(exclude={"errors", "conflicts", "registered"})
            before = asdict(checkpoint)
            summed = {field: before[field] + count for field, count in counts.items()}
            checkpoint = Checkpoint(offset=chunk.offset, line=chunk.first_line + chunk.count - 1, **summed)
            _write_checkpoint(session, name, checkpoint, now)
        rejected = [
            error.model_copy(update={"line": chunk.number_in_file(error.line, form)})
            for error in [*stored.errors, *stored.conflicts]
        ]
        yield checkpoint, rejected
    delete_checkpoint(database, name)


def read_checkpoint(database: Database, name: str | None) -> Checkpoint:
    """Return how far a file was loaded before."""
    with database.transaction() as session:
        return _read_checkpoint_row(session, name)


def delete_checkpoint(database: Database, name: str | None) -> None:
    """Delete the checkpoint of a file that is complete, or that is to be loaded from the beginning."""
    with database.transaction() as session:
        session.execute(
            delete(IdempotencyKey).where(IdempotencyKey.scope == CHECKPOINT_SCOPE, IdempotencyKey.key == name)
        )


def _read_checkpoint_row(session: Session, name: str | None) -> Checkpoint:
    found = session.scalar(
        select(IdempotencyKey.answer).where(
            IdempotencyKey.scope == CHECKPOINT_SCOPE, IdempotencyKey.key == name
        )
    )
    return Checkpoint() if found is None else Checkpoint(**json.loads(found))


def _write_checkpoint(session: Session, name: str | None, checkpoint: Checkpoint, now: dt.datetime) -> None:
    if name is None:
        return
    values = {"answer": json.dumps(asdict(checkpoint)), "created_at": now}
    session.execute(
        insert(IdempotencyKey)
        .values(scope=CHECKPOINT_SCOPE, key=name, **values)
        .on_conflict_do_update(index_elements=["scope", "key"], set_=values)
    )


def _chunks(
    source: BinaryIO,
    form: TableFormat,
    checkpoint: Checkpoint,
    max_line_bytes: int,
    lines_per_chunk: int,
) -> Iterator[Chunk]:
    header, offset, line = _header(source, max_line_bytes) if form == "csv" else (b"", 0, 0)
    header_only = bool(header)  # validated, too
    if checkpoint.line > line:
        source.seek(checkpoint.offset)
        offset, line, header_only = checkpoint.offset, checkpoint.line, False
    ended = False
    while not ended:
        content, first_line, room = [header], line + 1, BYTES_PER_CHUNK
        while len(content) <= lines_per_chunk and room > 0:
            text, size = _line(source, max_line_bytes)
            if not size:
                ended = True
                break
            content.append(text)
            room -= len(text)
            offset, line = offset + size, line + 1
        if len(content) > 1 or header_only:
            yield Chunk(b"".join(content), first_line, len(content) - 1, offset)
        header_only = False


def _header(source: BinaryIO, max_line_bytes: int) -> tuple[bytes, int, int]:
    """Return the line that names a CSV's columns, and how many bytes and lines end with it.

    Raises
    ------
    Invalid: there is none
    """
    offset, line = 0, 0
    while True:
        text, size = _line(source, max_line_bytes)
        if not size:
            raise Invalid("the file is empty: a CSV begins with a line that names its columns")
        offset, line = offset + size, line + 1
        if text.removeprefix(codecs.BOM_UTF8).strip(b", \t\r\n"):
            return text, offset, line


def _line(source: BinaryIO, max_line_bytes: int) -> tuple[bytes, int]:
    """Return a line and its size in the file; of a line over the limit only enough to detect that."""
    text = source.readline(max_line_bytes + 1)
    size = len(text)
    if size > max_line_bytes and not text.endswith(b"\n"):
        while rest := source.readline(max_line_bytes):
            size += len(rest)
            if rest.endswith(b"\n"):
                break
        return text + b"\n", size
    return text, size
