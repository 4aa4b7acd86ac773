"""Which experiment's own log is meant, on the wire."""

from typing import Any

from pydantic import ConfigDict, Field

from app.schemas.experiments.settings import Strict
from app.schemas.fields import Identifier, IsoDate

OWN_LOG: dict[str, Any] = {"experiment_id": "homepage_test", "since": "2026-03-01", "until": "2026-03-31"}


class OwnLog(Strict):
    """The log of a tracked experiment: each unit that was drawn and exposed, with its propensity and outcome."""

    model_config = ConfigDict(json_schema_extra={"examples": [OWN_LOG]})

    experiment_id: Identifier
    since: IsoDate | None = Field(default=None, description="First day of first exposures, inclusive")
    until: IsoDate | None = Field(default=None, description="Last day of first exposures, inclusive")
