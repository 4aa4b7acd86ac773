"""Values with their 95 % intervals, as text."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from app.simulation.replication_statistics import Interval, summary


def with_interval(mean: float, interval: Interval | Sequence[float] | None, form: str = "{:,.0f}") -> str:
    """A value and its 95 % interval: "31.2 % (31.0 to 31.4)"."""
    ends = "one run: no interval" if interval is None else " to ".join(form.format(end) for end in interval)
    return f"{form.format(mean)} ({ends})"


def percent(values: ArrayLike, form: str = "{:+.1f} %") -> str:
    """The mean of some fractions in percent."""
    found = summary(100 * np.asarray(values, dtype=np.float64))
    return with_interval(found.mean, found.interval_95, form)


def mean_of(values: ArrayLike, form: str = "{:,.0f}") -> str:
    """The mean of some values."""
    found = summary(values)
    return with_interval(found.mean, found.interval_95, form)


def part(of: ArrayLike) -> str:
    """How often something was true, with Wilson's interval."""
    true = np.asarray(of, dtype=np.bool_)
    n, p, z = true.size, float(true.mean()), 1.959964
    middle, reach = p + z * z / (2 * n), z * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    ends = [100 * max(middle + side * reach, 0.0) / (1 + z * z / n) for side in (-1, 1)]
    return with_interval(100 * p, ends, "{:.1f} %")


def singles(values: ArrayLike, form: str) -> str:
    """Where 95 % of single runs lie."""
    return " to ".join(form.format(end) for end in summary(values).range_95)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
