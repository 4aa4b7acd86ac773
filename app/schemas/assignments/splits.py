"""Splits on the wire: what a client must know that draws units by itself."""

import datetime as dt
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from app.schemas.experiments.experiments import State
from app.schemas.fields import VariantValue

SPLIT: dict[str, Any] = {
    "experiment_id": "homepage_test",
    "state": "running",
    "salt": "",
    "holdout_percent": 0.0,
    "control": "control",
    "values": {"control": None, "bold": "Sleep better"},
    "revision": "5f0c5f8b6a2f9d3e",
    "shares": {"control": 38.0953, "bold": 61.9047},
    "until": "2023-07-17T00:00:00Z",
}


class Split(BaseModel):
    """The shares that units without an assignment are drawn with now, and all else that a draw depends on."""

    model_config = ConfigDict(json_schema_extra={"examples": [SPLIT]})

    experiment_id: str
    state: State = Field(description="Unless it is running nobody is drawn: every unit gets the control")
    salt: str = Field(description="Mixed into every draw (GROUNDHOG_ASSIGNMENT_SALT)")
    holdout_percent: float = Field(description="Percent of units that are held out and get the control")
    control: str
    values: dict[str, VariantValue | None] = Field(
        description="What a client is given for each active variant; null where nothing was chosen"
    )
    revision: str | None = Field(
        description="The allocation's revision the shares are: send it with every exposure; null unless running"
    )
    shares: dict[str, float] = Field(description="Percent of each variant; empty unless running")
    until: dt.datetime = Field(
        description="They are renewed no later; a change of settings or variants renews them at once, so ask often"
    )
