"""How long the conversions of an experiment take to arrive, as the API shows it."""

import datetime as dt
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.schemas.fields import Rounded

EXAMPLE: dict[str, Any] = {
    "experiment_id": "homepage_test",
    "date": "2023-07-16",
    "unit": "day",
    "kind": "auto",
    "curve": [0.62, 1.0],
    "estimate": {
        "curve": [0.62, 1.0],
        "low": [0.57, 1.0],
        "high": [0.66, 1.0],
        "came": [210.0, 130.0],
        "seen_among": [340.0, 340.0],
    },
    "variants": {},
    "e_value": 1.0,
    "differs": False,
}


class DelayCurveEstimate(BaseModel):
    """An estimated delay curve by age, in days or hours: element j is of the conversions that come j later."""

    curve: list[Rounded] = Field(description="Which fraction has come by then; 1 from the last element on")
    low: list[Rounded] = Field(description="Lower end of its 95 % interval")
    high: list[Rounded] = Field(description="Upper end of its 95 % interval")
    came: list[Rounded] = Field(description="How many conversions came at that age")
    seen_among: list[Rounded] = Field(
        description="Among how many: those by that age, of days that are known through it"
    )


class DelayReport(BaseModel):
    """The delay of an experiment's conversions, as it is counted with on a date."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    experiment_id: str
    date: dt.date
    unit: Literal["day", "hour"] = Field(description="Of the ages: days, or with cadence hour hours")
    kind: Literal["auto", "none", "curve"] = Field(description="As the setting has it")
    curve: list[Rounded] = Field(
        description="The curve that impressions are counted with; [1] where all conversions come at once"
    )
    estimate: DelayCurveEstimate | None = Field(
        description="What the data say, all variants together; null where they say nothing"
    )
    variants: dict[str, DelayCurveEstimate] = Field(
        description="Each variant's own curve, shrunk to the common one by 30 conversions"
    )
    e_value: float = Field(description="The evidence that the variants' delays differ; 1,000 is the alarm")
    differs: bool = Field(
        description="Whether they differ (gate delay_differs): each variant's own curve replaces `curve`"
    )
