"""Files that live as long as a request, for what is too long for memory; a full disk is a 503, not a defect."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from tempfile import SpooledTemporaryFile, TemporaryFile
from typing import Any, BinaryIO, cast

from app.errors import Unavailable

RETRY_SECONDS = 30


@contextmanager
def temporary_file(in_memory_bytes: int = 0) -> Iterator[BinaryIO]:
    """Yield a file that is gone afterwards; up to ``in_memory_bytes`` it takes no room on the disk.

    Raises
    ------
    Unavailable: there is no folder for it
    """
    with unavailable_when_disk_full():
        file = cast("BinaryIO", _opened(in_memory_bytes))
    try:
        yield file
    finally:
        with suppress(OSError):  # it would write what had no room
            file.close()


def _opened(in_memory_bytes: int) -> Any:
    return SpooledTemporaryFile(in_memory_bytes) if in_memory_bytes else TemporaryFile()


@contextmanager
def unavailable_when_disk_full() -> Iterator[None]:
    """Let the block write to such a file.

    Raises
    ------
    Unavailable: there is no room
    """
    try:
        yield
    except OSError as error:
        raise Unavailable(
            "the server has no room for a temporary file; nothing was stored, try again later", RETRY_SECONDS
        ) from error
