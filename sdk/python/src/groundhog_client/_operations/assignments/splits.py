"""Splits: everything a draw depends on, so that units can be drawn without a request for each."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from groundhog_client._operations.assignments.assignments import Assignment
from groundhog_client._protocol.request import Request, get, path
from groundhog_client._rendezvous_hashing import draw, is_held_out


@dataclass(frozen=True, slots=True)
class Split:
    """The shares (percent) that units without an assignment are drawn with, and what else a draw depends on."""

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
        """Return what the service would serve a unit of which it has stored nothing."""
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


def read_split(experiment_id: str) -> Request[Split]:
    """Return what a client needs to draw units itself, in an experiment of assignment_mode rendezvous."""
    where = path("assignments", experiment_id, "split")
    return replace(get(Split, where, {"experiment_id": experiment_id}), cached=True)
