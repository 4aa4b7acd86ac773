"""Google's content experiment: measured beside reported and replicated."""

from typing import Any

import numpy as np

from benchmarks.results import google
from benchmarks.results.measured import Measured
from benchmarks.results.text import mean_of, part, table, with_interval

REPLICATED_RUNS = 5_000


def google_table(measured: Measured) -> str:
    """Measured beside reported and replicated."""
    ended, content = measured.ended, measured.content
    saved_days = google.CLASSICAL_DAYS - ended.days
    half = 1.959964
    return table(
        (
            "",
            f"Measured, {content.runs:,} runs",
            "Reported, 500 runs",
            f"Replicated, {REPLICATED_RUNS:,} runs",
        ),
        [
            (
                "Days saved",
                mean_of(saved_days, "{:.1f}"),
                "175",
                with_interval(174.0, (174.0 - half * 0.7, 174.0 + half * 0.7), "{:.1f}"),
            ),
            (
                "Conversions saved",
                mean_of(ended.saved_conversions(content), "{:.2f}"),
                "97.5",
                with_interval(97.59, (97.59 - half * 0.22, 97.59 + half * 0.22), "{:.2f}"),
            ),
            ("Right arm chosen", part(ended.right), "96.4 %", part(_so_many(0.959, REPLICATED_RUNS))),
            (
                "Longer than the classical 223 days",
                part(ended.days > google.CLASSICAL_DAYS),
                "-",
                part(_so_many(0.014, REPLICATED_RUNS)),
            ),
        ],
    )


def _so_many(share: float, runs: int) -> Any:
    return np.arange(runs) < round(share * runs)
