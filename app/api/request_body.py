"""Receive long bodies: into a file first, so that a slow client occupies no database connection."""

import hashlib
from typing import BinaryIO

from fastapi import Request

from app.api.temporary_files import unavailable_when_disk_full
from app.errors import TooLarge


async def spool_body(request: Request, upload: BinaryIO, limit: int) -> bytes:
    """Write the body to a file and rewind it; return its SHA-256.

    Raises
    ------
    TooLarge: it has more than ``limit`` bytes
    Unavailable: the disk is full
    """
    digest, size = hashlib.sha256(), 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise TooLarge(
                f"the upload has more than {limit} bytes (GROUNDHOG_MAX_BULK_BYTES); send it in parts"
            )
        digest.update(chunk)
        with unavailable_when_disk_full():
            upload.write(chunk)
    with unavailable_when_disk_full():  # the file's last block is written only now
        upload.seek(0)
    return digest.digest()
