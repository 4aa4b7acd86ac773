"""Splits: what the service draws units with, so that they can be drawn without it."""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from groundhog_client._assignments import Assignment
from groundhog_client._errors import GroundhogError
from groundhog_client._rendezvous import draw, is_held_out
from groundhog_client._wire import Request, get, path

REFRESH_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Split:
    """The shares (percent) that units without an assignment are drawn with, and all else a draw depends on."""

    experiment_id: str
    state: str
    salt: str
    holdout_percent: float
    control: str
    values: Mapping[str, Any]
    revision: str | None
    shares: Mapping[str, float]
    until: dt.datetime

    def draw(self, unit_id: str) -> Assignment:
        """Return what the service would serve a unit it has nothing stored of."""
        if self.state != "running":
            return self._served(unit_id, self.control, self.state)
        if is_held_out(self.salt, self.experiment_id, unit_id, self.holdout_percent):
            return self._served(unit_id, self.control, "holdout")
        variant_id = draw(self.salt, self.experiment_id, unit_id, self.shares)
        drawn = self._served(unit_id, variant_id, "drawn")
        return replace(drawn, propensity=self.shares[variant_id] / 100, revision=self.revision)

    def _served(self, unit_id: str, variant_id: str, reason: str) -> Assignment:
        return Assignment(
            self.experiment_id,
            unit_id,
            variant_id,
            self.values.get(variant_id),
            reason,
            propensity=None,
            revision=None,
            assigned_at=None,
            new=False,
        )


class Splits:
    """The last split of each experiment, asked for anew once a minute and when it ends.

    Parameters
    ----------
    clock : seconds of a clock that nobody sets; when a split ends is told by the computer's own
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._last: dict[str, tuple[float, Split]] = {}

    def fresh(self, experiment_id: str) -> Split | None:
        """Return the split of an experiment, unless it should be asked for."""
        until, split = self._last.get(experiment_id, (0.0, None))
        return split if self._clock() < until else None

    def renewed(self, experiment_id: str, outcome: Split | GroundhogError) -> Split | GroundhogError:
        """Return the split that was asked for; where none came, the last one, if there is any."""
        if isinstance(outcome, GroundhogError):
            return self._last[experiment_id][1] if experiment_id in self._last else outcome
        left = (outcome.until - dt.datetime.now(dt.UTC)).total_seconds()
        self._last[experiment_id] = (self._clock() + min(REFRESH_SECONDS, max(left, 1.0)), outcome)
        return outcome


def read_split(experiment_id: str) -> Request[Split]:
    """Return what a client needs to draw units by itself, in an experiment of assignment_mode rendezvous."""
    return replace(get(Split, path("assignments", experiment_id, "split")), kept=True)
