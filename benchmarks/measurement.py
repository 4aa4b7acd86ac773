"""A measured ratio, with its spread and its target."""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal


@dataclass(frozen=True, slots=True)
class Target:
    """What a measurement should reach: at least or at most a value."""

    bound: Literal[">=", "<=", "<"]
    value: float

    def met_by(self, measured: float) -> bool:
        """Return whether a measured value reaches it."""
        if self.bound == ">=":
            return measured >= self.value
        return measured < self.value if self.bound == "<" else measured <= self.value

    def __str__(self) -> str:
        return f"{self.bound} {short(self.value)}"


@dataclass(frozen=True, slots=True)
class Measurement:
    """One measured thing.

    Parameters
    ----------
    what : the ratio in words, numerator first
    values : one per repetition; their median counts
    target : what the median should reach; None where there is none
    beside : the absolute measurements behind the ratio
    """

    what: str
    values: Sequence[float]
    target: Target | None
    beside: str = ""

    @property
    def verdict(self) -> str:
        """Say whether the median reaches the target."""
        if self.target is None:
            return ""
        return "met" if self.target.met_by(median(self.values)) else "MISSED"

    def line(self) -> str:
        """Return it for a terminal."""
        middle, least, most = (short(value) for value in (median(self.values), *self.span))
        target = "" if self.target is None else f", target {self.target}: {self.verdict}"
        return f"  {self.what}: {middle} ({least} to {most}{target}; {cores()} cores)  {self.beside}".rstrip()

    def row(self) -> str:
        """Return it as a row of the table of ``HEADER``."""
        middle, least, most = (short(value) for value in (median(self.values), *self.span))
        target = "" if self.target is None else str(self.target)
        return f"| {self.what} | {middle} | {least} - {most} | {target} | {self.verdict} | {self.beside} |"

    @property
    def span(self) -> tuple[float, float]:
        """Return the least and the largest value."""
        return min(self.values), max(self.values)


HEADER = "| Measured | Median | Min - max | Target | | Beside |\n|---|---|---|---|---|---|"


def short(value: float) -> str:
    """Return a number to three digits, the way people write it."""
    if value == 0 or 1e-3 <= abs(value) < 1000:
        return f"{value:.3g}"
    return f"{value:.1e}" if abs(value) < 1 else f"{value:,.0f}"


def milliseconds(seconds: Sequence[float]) -> str:
    """Return the median of some times."""
    return f"{short(1e3 * median(seconds))} ms"


def timed(run: Callable[[], object]) -> float:
    """Return how many seconds a call takes."""
    began = time.perf_counter()
    run()
    return time.perf_counter() - began


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
