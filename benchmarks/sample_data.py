"""Daily totals to measure with: plausible, and different every time they are asked for."""

import datetime as dt
from collections.abc import Iterator
from itertools import count

from app.services.delay.delay_in_force import REPORTED_MAX_DAYS
from benchmarks.service import Row

_turn = count()


def today() -> dt.date:
    """Return the present day, as experiments in UTC have it."""
    return dt.datetime.now(dt.UTC).date()


def totals(experiment_id: str, variants: int, days: int, until: dt.date | None = None) -> list[Row]:
    """Return the totals of some variants on the days before a date, by default before today."""
    end, turn = until or today(), next(_turn)
    return [
        {
            "experiment_id": experiment_id,
            "variant_id": f"variant-{variant:02d}",
            "date": str(end - dt.timedelta(days=day)),
            "impressions": 900 + (day * 37 + variant * 11 + turn) % 199,
            "successes": 90 + (day * 13 + variant * 5 + turn) % 41 + variant,
        }
        for day in range(1, days + 1)
        for variant in range(variants)
    ]


def stretches(days: int) -> Iterator[dt.date]:
    """Yield the days on which ever earlier stretches of so many days end."""
    end = today()
    while True:
        yield end
        end -= dt.timedelta(days=days)


def report_values(experiment_id: str) -> dict[str, object]:
    """Return the parameters of the service's upsert beside the rows, for default settings."""
    now = dt.datetime.now(dt.UTC)
    yesterday = now.date() - dt.timedelta(days=1)
    return {
        "experiment_ids": [experiment_id],
        "times": [now],
        "yesterdays": [yesterday],
        "zones": ["UTC"],
        "max_days": [REPORTED_MAX_DAYS],
    }
