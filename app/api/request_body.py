"""Receive uploads: detect their format, and spool them into a file, so that no connection waits for a client."""

import hashlib
import shutil
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from typing import BinaryIO

from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from app.api.temporary_files import unavailable_when_disk_full
from app.errors import Invalid, TooLarge, UnsupportedMediaType
from app.schemas.fields import TableFormat

MULTIPART = "multipart/form-data"
MEDIA_TYPES: dict[str, TableFormat] = {
    "application/x-ndjson": "ndjson",
    "application/jsonl": "ndjson",
    "application/ndjson": "ndjson",
    "text/csv": "csv",
    "application/csv": "csv",
    "application/vnd.ms-excel": "csv",  # as which Windows with Excel sends a .csv file
}
SUFFIXES: dict[str, TableFormat] = {".csv": "csv", ".ndjson": "ndjson", ".jsonl": "ndjson"}


def media_type_of(content_type: str | None) -> str:
    """Return a Content-Type without its parameters."""
    return (content_type or "").partition(";")[0].strip().lower()


def table_format(content_type: str | None, filename: str | None = None) -> TableFormat:
    """Return the format of a table by its Content-Type, or by the name of its file.

    Raises
    ------
    UnsupportedMediaType: neither names a format that is read here
    """
    form = MEDIA_TYPES.get(media_type_of(content_type))
    if form is None and filename is not None:
        form = next((one for suffix, one in SUFFIXES.items() if filename.lower().endswith(suffix)), None)
    if form is None:
        raise UnsupportedMediaType(
            f"the upload came as {(content_type or 'no Content-Type')[:100]!r}: send 'Content-Type: text/csv' or"
            " 'application/x-ndjson' (curl: -H with --data-binary @file), or a form with a .csv or .ndjson file"
        )
    return form


async def spool_table(request: Request, upload: BinaryIO, limit: int) -> tuple[bytes, TableFormat]:
    """Write a table, or the file of a form, to a file and rewind it; return the body's SHA-256 and the format.

    Raises
    ------
    UnsupportedMediaType: it has no format that is read here
    Invalid: the form has no file
    TooLarge: the body has more than ``limit`` bytes
    Unavailable: the disk is full
    """
    content_type = request.headers.get("content-type")
    if media_type_of(content_type) != MULTIPART:
        form = table_format(content_type)
        return await spool_body(request, upload, limit), form
    digest = hashlib.sha256()
    with unavailable_when_disk_full():
        try:
            fields = await MultiPartParser(
                request.headers, _chunks(request, limit, digest), max_files=1
            ).parse()
        except (MultiPartException, KeyError) as error:
            raise Invalid("the form cannot be read; send one file in it") from error
        async with AsyncExitStack() as opened:
            opened.push_async_callback(fields.close)
            file = next((field for field in fields.values() if isinstance(field, UploadFile)), None)
            if file is None:
                raise Invalid("the form has no file; add one: curl -F file=@daily.csv")
            form = table_format(file.content_type, file.filename)
            await run_in_threadpool(shutil.copyfileobj, file.file, upload)
        upload.seek(0)
    return digest.digest(), form


async def spool_body(request: Request, upload: BinaryIO, limit: int) -> bytes:
    """Write the body to a file and rewind it; return its SHA-256.

    Raises
    ------
    TooLarge: it has more than ``limit`` bytes
    Unavailable: the disk is full
    """
    digest = hashlib.sha256()
    async for chunk in _chunks(request, limit, digest):
        with unavailable_when_disk_full():
            upload.write(chunk)
    with unavailable_when_disk_full():  # the file's last block is written only now
        upload.seek(0)
    return digest.digest()


async def _chunks(request: Request, limit: int, digest: "hashlib._Hash") -> AsyncGenerator[bytes, None]:
    """Yield the body as it arrives, and update its digest."""
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise TooLarge(
                f"the upload has more than {limit} bytes (GROUNDHOG_MAX_BULK_BYTES); send it in parts"
            )
        digest.update(chunk)
        yield chunk
