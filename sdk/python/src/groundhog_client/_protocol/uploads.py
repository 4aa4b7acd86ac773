"""Request bodies of any length, produced while they are sent."""

import io
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, BinaryIO, Literal, TypeVar, cast
from uuid import uuid4

from groundhog_client._protocol.encoding import encode
from groundhog_client._protocol.request import Answer, Request, Stream

T = TypeVar("T")
Form = Literal["ndjson", "csv"]
Source = Iterable[Any] | BinaryIO | bytes | os.PathLike[str]
"""Rows one by one, or text ready to be sent: a path, a file opened in binary mode, bytes."""

MEDIA_TYPES: dict[Form, str] = {"ndjson": "application/x-ndjson", "csv": "text/csv"}
CHUNK = 65_536


def upload(
    where: str,
    reader: Callable[[Answer], T],
    source: Source,
    form: Form | None,
    params: Mapping[str, Any],
    key: str | None,
) -> Request[T]:
    """Describe a POST whose body is a stream; it is sent again only where the source can be read again."""
    chosen: Form = form or ("csv" if _is_path_of_csv(source) else "ndjson")
    headers = {"Content-Type": MEDIA_TYPES[chosen], "Idempotency-Key": key or uuid4().hex}
    return Request(
        "POST", where, reader, params, headers, stream_of(source, chosen), repeatable=True, unhurried=True
    )


def stream_of(source: Source, form: Form) -> Stream:
    """Return a source as a stream of chunks.

    Raises
    ------
    TypeError: rows given one by one should be sent as CSV, or the source is a text
    """
    if isinstance(source, str):
        raise TypeError("a str is not a source: give a pathlib.Path, or bytes")
    if isinstance(source, bytes):
        return Stream(lambda: _chunks(io.BytesIO(source)), rereadable=True)
    if isinstance(source, os.PathLike):
        return Stream(partial(_file, source), rereadable=True)
    if isinstance(source, io.IOBase):
        return _opened(cast("BinaryIO", source))
    if form == "csv":
        raise TypeError("totals given one by one are sent as NDJSON")
    return Stream(lambda: _lines(source), rereadable=isinstance(source, Sequence))


def _is_path_of_csv(source: Source) -> bool:
    return isinstance(source, os.PathLike) and os.fspath(source).lower().endswith(".csv")


def _opened(file: BinaryIO) -> Stream:
    if not file.seekable():
        return Stream(lambda: _chunks(file), rereadable=False)
    start = file.tell()

    def from_the_start() -> Iterator[bytes]:
        file.seek(start)
        return _chunks(file)

    return Stream(from_the_start, rereadable=True)


def _file(place: os.PathLike[str]) -> Iterator[bytes]:
    with open(place, "rb") as file:
        yield from _chunks(file)


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    while chunk := file.read(CHUNK):
        yield chunk


def _lines(messages: Iterable[Any]) -> Iterator[bytes]:
    """Yield NDJSON in chunks, since one line at a time would be one packet each."""
    chunk = bytearray()
    for number, message in enumerate(messages, 1):
        chunk += _line(number, message)
        if len(chunk) >= CHUNK:
            yield bytes(chunk)
            chunk.clear()
    if chunk:
        yield bytes(chunk)


def _line(number: int, message: Any) -> bytes:
    try:
        return encode(message) + b"\n"
    except (TypeError, ValueError) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"line {number}: {error}") from error
