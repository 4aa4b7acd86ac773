"""The posterior density of every variant's conversion rate, for drawing."""

import datetime as dt
from dataclasses import dataclass

from groundhog_client._protocol.encoding import Day
from groundhog_client._protocol.request import Request, get, path


@dataclass(frozen=True, slots=True)
class Curve:
    """The posterior density of one variant's rate."""

    variant_id: str
    rate: tuple[float, ...]
    density: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Posterior:
    """The posterior of every active variant's rate on a date."""

    experiment_id: str
    date: dt.date
    curves: tuple[Curve, ...]


def read_posterior(
    experiment_id: str, *, for_date: Day | None = None, points: int | None = None
) -> Request[Posterior]:
    """Return the posterior density of every variant's rate, for drawing, as known on a date."""
    where = path("experiments", experiment_id, "posterior")
    return get(Posterior, where, {"experiment_id": experiment_id}, for_date=for_date, points=points)
