"""Processes as the kernel sees them: memory, open files, processor time. Reads Linux's /proc."""

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
TICKS = os.sysconf("SC_CLK_TCK")
MEBIBYTE = 1 << 20


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process has at a moment.

    Parameters
    ----------
    name : its command line, or what it calls itself
    private : bytes of its resident memory but what it shares with others (PostgreSQL's buffers)
    shared : bytes of that
    files : open file descriptors
    """

    pid: int
    name: str
    private: int
    shared: int
    files: int


def parent_of(pid: int) -> int:
    """Return the process that a process was started by."""
    return int(_numbers(pid)[1])


def family(pid: int) -> list[int]:
    """Return a process and all that descend from it."""
    children: dict[int, list[int]] = {}
    for other in _all():
        with suppress(OSError):
            children.setdefault(parent_of(other), []).append(other)
    found = [pid]
    for one in found:  # grows while it is read
        found += children.get(one, [])
    return found


def usages(roots: Iterable[int]) -> list[Usage]:
    """Return what some processes and their descendants have; one that ends meanwhile is left out."""
    found = []
    for root in roots:
        for pid in family(root):
            with suppress(OSError):
                found.append(_usage(pid))
    return found


def private_mebibytes(roots: Iterable[int]) -> float:
    """Return the private memory of some processes and their descendants."""
    return sum(usage.private for usage in usages(roots)) / MEBIBYTE


def processor_seconds(roots: Iterable[int]) -> float:
    """Return the processor time of some processes and their descendants so far, those that have ended included."""
    ticks = 0
    for root in roots:
        for pid in family(root):
            with suppress(OSError):
                ticks += sum(map(int, _numbers(pid)[11:15]))  # own and of children waited for: user, system
    return ticks / TICKS


def precise_processor_seconds(roots: Iterable[int]) -> float:
    """Return the processor time of the threads that some processes and their descendants have, to the nanosecond.

    For what takes less than the kernel's tick of 10 ms, between two moments of the same threads.
    """
    spent = 0
    for root in roots:
        for pid in family(root):
            with suppress(OSError):
                tasks = (PROC / str(pid) / "task").iterdir()
                spent += sum(int((task / "schedstat").read_text().split()[0]) for task in tasks)
    return spent / 1e9


def _all() -> Iterator[int]:
    return (int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit())


def _numbers(pid: int) -> list[str]:
    """Return the fields of ``stat`` behind the name, which may contain anything."""
    return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()


def _usage(pid: int) -> Usage:
    place = PROC / str(pid)
    written = dict(line.split(":", 1) for line in (place / "status").read_text().splitlines())
    resident, shared = (1024 * int(written.get(name, "0").split()[0]) for name in ("VmRSS", "RssShmem"))
    name = (place / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    return Usage(pid, name, resident - shared, shared, len(list((place / "fd").iterdir())))
