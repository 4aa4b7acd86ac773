"""Files for what is too long for memory, deleted with their request; a full disk is a 503, not a bug."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from tempfile import SpooledTemporaryFile, TemporaryFile
from typing import Any, BinaryIO, cast

from app.errors import Unavailable

RETRY_SECONDS = 30


@contextmanager
def temporary_file(in_memory_bytes: int = 0) -> Iterator[BinaryIO]:
    """Yield a file that is deleted afterwards; up to ``in_memory_bytes`` it stays in memory.

    Raises
    ------
    Unavailable: the file cannot be created
    """
    with unavailable_when_disk_full():
        file = cast("BinaryIO", _opened(in_memory_bytes))
    try:
        yield file
    finally:
        with suppress(OSError):  # closing writes again what the full disk rejected
            file.close()


def _opened(in_memory_bytes: int) -> Any:
    return SpooledTemporaryFile(in_memory_bytes) if in_memory_bytes else TemporaryFile()


@contextmanager
def unavailable_when_disk_full() -> Iterator[None]:
    """Turn a failed write to such a file within the block into an error of the domain.

    Raises
    ------
    Unavailable: the disk is full
    """
    try:
        yield
    except OSError as error:
        raise Unavailable(
            "the server has no disk space for a temporary file; nothing was stored, try again later",
            RETRY_SECONDS,
        ) from error
