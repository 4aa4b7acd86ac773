"""Load a file of daily metrics part by part: each part is one transaction that also notes how far it went.

After an interruption, a kill -9 included, the same file goes on behind the last part stored.
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
from app.schemas.metrics import LineError
from app.services.metrics import bulk_upload, line_parser
from app.settings import ServiceSettings
from app.storage.database import Database
from app.storage.tables import IdempotencyKey

LINES_PER_CHUNK = 50_000
BYTES_PER_CHUNK = 16 * 1024 * 1024
"""A part is in memory: fewer of very long lines."""
CHECKPOINT_SCOPE = "groundhog load"
"""Where the marks of unfinished loads are kept, among the Idempotency-Keys: ``groundhog prune`` ends them too."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How far a file was loaded: the bytes and lines behind, and what became of the lines."""

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
    """Some lines of a file, with a CSV's header before them; ``first_line`` is the number of the first."""

    content: bytes
    first_line: int
    count: int
    offset: int

    def number_in_file(self, number: int, form: line_parser.FileFormat) -> int:
        """Return the number in the file of a line of this part."""
        return self.first_line + number - (2 if form == "csv" else 1)


def load(
    database: Database,
    source: BinaryIO,
    form: line_parser.FileFormat,
    now: dt.datetime,
    settings: ServiceSettings,
    name: str | None = None,
    lines_per_part: int = LINES_PER_CHUNK,
) -> Iterator[tuple[Checkpoint, list[LineError]]]:
    """Store the good lines of a file, and yield after each part how far it is and which lines were refused.

    Parameters
    ----------
    name : under which the way is marked; None marks nothing, and every load starts at the beginning

    Raises
    ------
    Invalid: the CSV's header cannot be read
    Unavailable: PostgreSQL went away; all that was yielded is stored
    """
    mark = read_checkpoint(database, name)
    for part in _chunks(source, form, mark, settings.max_line_bytes, lines_per_part):
        with database.transaction() as session:
            stored = bulk_upload.load(session, io.BytesIO(part.content), form, "partial", now, settings)
            counts = stored.model_dump(exclude={"errors"})
            before = asdict(mark)
            summed = {what: before[what] + count for what, count in counts.items()}
            mark = Checkpoint(offset=part.offset, line=part.first_line + part.count - 1, **summed)
            _write_checkpoint(session, name, mark, now)
        refused = [
            error.model_copy(update={"line": part.number_in_file(error.line, form)})
            for error in stored.errors
        ]
        yield mark, refused
    delete_checkpoint(database, name)


def read_checkpoint(database: Database, name: str | None) -> Checkpoint:
    """Return how far a file was loaded before."""
    with database.transaction() as session:
        return _read_checkpoint_row(session, name)


def delete_checkpoint(database: Database, name: str | None) -> None:
    """Forget how far a file was loaded: it is done, or is to begin anew."""
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


def _write_checkpoint(session: Session, name: str | None, mark: Checkpoint, now: dt.datetime) -> None:
    if name is None:
        return
    values = {"answer": json.dumps(asdict(mark)), "created_at": now}
    session.execute(
        insert(IdempotencyKey)
        .values(scope=CHECKPOINT_SCOPE, key=name, **values)
        .on_conflict_do_update(index_elements=["scope", "key"], set_=values)
    )


def _chunks(
    source: BinaryIO, form: line_parser.FileFormat, mark: Checkpoint, max_line_bytes: int, lines_per_part: int
) -> Iterator[Chunk]:
    header, offset, line = _header(source, max_line_bytes) if form == "csv" else (b"", 0, 0)
    bare = bool(header)  # a header alone is checked as well
    if mark.line > line:
        source.seek(mark.offset)
        offset, line, bare = mark.offset, mark.line, False
    ended = False
    while not ended:
        content, first_line, room = [header], line + 1, BYTES_PER_CHUNK
        while len(content) <= lines_per_part and room > 0:
            text, size = _line(source, max_line_bytes)
            if not size:
                ended = True
                break
            content.append(text)
            room -= len(text)
            offset, line = offset + size, line + 1
        if len(content) > 1 or bare:
            yield Chunk(b"".join(content), first_line, len(content) - 1, offset)
        bare = False


def _header(source: BinaryIO, max_line_bytes: int) -> tuple[bytes, int, int]:
    """Return the line that names a CSV's columns, and how many bytes and lines are behind it.

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
    """Return a line and its size in the file; of one over the limit only so much that it is seen to be."""
    text = source.readline(max_line_bytes + 1)
    size = len(text)
    if size > max_line_bytes and not text.endswith(b"\n"):
        while rest := source.readline(max_line_bytes):
            size += len(rest)
            if rest.endswith(b"\n"):
                break
        return text + b"\n", size
    return text, size
