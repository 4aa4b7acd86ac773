"""Parse an upload line by line: NDJSON or CSV into daily totals, or the error of a line."""

import codecs
import csv
from collections.abc import Iterator
from typing import Any, BinaryIO

from pydantic import TypeAdapter, ValidationError

from app.errors import FieldError, Invalid
from app.schemas.fields import TableFormat
from app.schemas.metrics import DailyTotal, DailyTotalFromText, LineError
from app.schemas.validation import field_errors

COLUMNS = tuple(DailyTotal.model_fields)
REQUIRED = tuple(name for name, info in DailyTotal.model_fields.items() if info.is_required())

_from_json = TypeAdapter(DailyTotal).validate_json
_from_text = TypeAdapter(DailyTotalFromText).validate_python


def read(
    upload: BinaryIO, form: TableFormat, max_line_bytes: int
) -> Iterator[tuple[int, DailyTotal | LineError]]:
    """Yield every line's number, from 1, with its total or its error; blank lines are skipped.

    Raises
    ------
    Invalid: the CSV has no readable header
    """
    numbered = _bounded(upload, max_line_bytes)
    yield from _read_ndjson(numbered) if form == "ndjson" else _read_csv(numbered)


def _bounded(upload: BinaryIO, max_line_bytes: int) -> Iterator[tuple[int, bytes | None]]:
    """Yield numbered lines; None for a line over the limit, whose rest is skipped."""
    number = 0
    while line := upload.readline(max_line_bytes + 1):
        number += 1
        if number == 1:
            line = line.removeprefix(codecs.BOM_UTF8)
        if len(line) <= max_line_bytes:
            yield number, line
            continue
        while line and not line.endswith(b"\n"):
            line = upload.readline(max_line_bytes)
        yield number, None


def _read_ndjson(
    numbered: Iterator[tuple[int, bytes | None]],
) -> Iterator[tuple[int, DailyTotal | LineError]]:
    for number, line in numbered:
        if line is None:
            yield number, _too_long(number)
        elif line.strip():
            try:
                yield number, _from_json(line)
            except ValidationError as error:
                yield number, _to_line_error(number, error)


def _read_csv(
    numbered: Iterator[tuple[int, bytes | None]],
) -> Iterator[tuple[int, DailyTotal | LineError]]:
    header: list[str] | None = None
    for number, line in numbered:
        if line is None:
            yield number, _too_long(number)
            continue
        try:
            cells = _cells(line)
        except (UnicodeDecodeError, csv.Error):
            yield number, LineError(line=number, field=None, message="not a line of UTF-8 CSV")
            continue
        if not any(cells) or line.isspace():
            continue
        if header is None:
            header = _checked_header(cells)
        else:
            yield number, _csv_total(number, header, cells)
    if header is None:
        _checked_header([])


def _cells(line: bytes) -> list[str]:
    """Return a line's cells; few lines need a CSV reader."""
    text = line.decode().removesuffix("\n").removesuffix("\r")
    if '"' in text or "\r" in text or "\n" in text:
        return next(csv.reader([text]), [])
    return text.split(",") if text else []


def _checked_header(cells: list[str]) -> list[str]:
    header = [cell.strip() for cell in cells]
    missing = [name for name in REQUIRED if name not in header]
    unknown = [name for name in header if name not in COLUMNS]
    if missing or unknown or len(set(header)) < len(header):
        optional = ", ".join(name for name in COLUMNS if name not in REQUIRED)
        message = f"the first line should name the columns {', '.join(REQUIRED)} and may name {optional}"
        raise Invalid("the CSV's header cannot be read", [FieldError("header", message, line=1)])
    return header


def _csv_total(number: int, header: list[str], cells: list[str]) -> DailyTotal | LineError:
    if len(cells) != len(header):
        message = f"{len(cells)} cells where the header has {len(header)}"
        return LineError(line=number, field=None, message=message)
    named: dict[str, Any] = {
        name: cell for name, cell in zip(header, map(str.strip, cells), strict=True) if cell
    }
    try:
        return _from_text(named)
    except ValidationError as error:
        return _to_line_error(number, error)


def _too_long(number: int) -> LineError:
    return LineError(line=number, field=None, message="the line is over the limit (GROUNDHOG_MAX_LINE_BYTES)")


def _to_line_error(number: int, error: ValidationError) -> LineError:
    first = field_errors(error)[0]
    return LineError(line=number, field=first.field or None, message=first.message)
