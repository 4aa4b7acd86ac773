"""Simulations on the wire: what can be asked of each scenario, every field with its default, and a run's state."""

import datetime as dt
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Discriminator, Field, StringConstraints, Tag

from app.schemas.experiments.settings import BurnIn, Prior, Strict
from app.schemas.fields import MAX_COUNT, Identifier, IsoDate, Percent
from app.schemas.simulations.delay import DELAY_CORRECTION, DelayCorrection, WorldDelay

Scenario = Literal["email", "clv", "replay"]
State = Literal["queued", "running", "done", "failed", "cancelled"]
SCENARIOS: tuple[str, ...] = get_args(Scenario)

Rate = Annotated[float, Field(strict=True, ge=0, le=1, allow_inf_nan=False)]
Amount = Annotated[float, Field(strict=True, ge=0, le=1e12, allow_inf_nan=False)]
Name = Annotated[
    str, StringConstraints(strict=True, min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")
]
Seed = Annotated[int, Field(strict=True, ge=0, le=MAX_COUNT)]
Days = Annotated[int, Field(strict=True, ge=1, le=3_650)]
Replications = Annotated[int, Field(strict=True, ge=1, le=10_000)]


EMAIL_DAYS, WINDOW_DAYS = 30, 21
"""Defaults, unless another field that was sent allows only fewer."""


class PolicyChoice(BaseModel):
    """A policy by its kind, with its parameters beside it: a number, a list of numbers, or true and false."""

    model_config = ConfigDict(
        extra="allow",
        frozen=True,
        json_schema_extra={"examples": [{"kind": "thompson"}, {"kind": "epsilon_greedy", "epsilon": 0.1}]},
    )

    kind: Annotated[str, StringConstraints(strict=True, max_length=100)] = Field(
        description="A kind of `GET /policies`, of the scenario's own, or a custom one"
    )

    @property
    def parameters(self) -> dict[str, Any]:
        """Return what was chosen beside the kind."""
        return dict(self.model_extra or {})


Policies = Annotated[list[PolicyChoice], Field(min_length=1, max_length=20)]


def _one_or_each(value: Any) -> str:
    return "(each)" if isinstance(value, list) else "(all)"


AmountForAllOrEach = Annotated[
    Annotated[Amount, Tag("(all)")] | Annotated[Annotated[list[Amount], Field(max_length=50)], Tag("(each)")],
    Discriminator(_one_or_each),
]


class RandomWalk(Strict):
    """Each morning the logit of every rate moves by a normal step."""

    kind: Literal["random_walk"]
    sd: Annotated[float, Field(strict=True, gt=0, le=100, allow_inf_nan=False)] = Field(
        description="Standard deviation of a day's step, in logits"
    )


class Change(Strict):
    """From an e-mail on, other rates."""

    at: Annotated[int, Field(strict=True, ge=1)] = Field(description="Number of e-mails before the change")
    rates: Annotated[list[Rate], Field(max_length=50)] = Field(
        description="The rates from there on, one per subject"
    )


class ChangePoints(Strict):
    """Rates that change at given e-mails."""

    kind: Literal["change_points"]
    points: Annotated[list[Change], Field(min_length=1, max_length=1_000)] = Field(
        description="In ascending order"
    )


Drift = Annotated[RandomWalk | ChangePoints, Discriminator("kind")]


class EmailRequest(Strict):
    """A campaign of e-mails over some subject lines, played by several policies on the same luck."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "policies": [{"kind": "thompson"}, {"kind": "epsilon_greedy", "epsilon": 0.1}],
                    "replications": 20,
                },
                {
                    "rates": [0.02, 0.03],
                    "emails": 5000,
                    "cadence": "daily",
                    "days": 14,
                    "delay": {"kind": "geometric", "mean": 3, "at_once": 0.2},
                },
            ]
        }
    )

    policies: Policies = Field(
        default=[PolicyChoice(kind="thompson"), PolicyChoice(kind="epsilon_greedy")],
        description="Who plays beside the even split: kinds of the service, or epsilon_greedy_original",
    )
    subjects: Annotated[list[Name], Field(min_length=2, max_length=50)] | None = Field(
        default=None,
        description="Subject lines; null is the five of the preset, or as many as there are rates",
    )
    rates: Annotated[list[Rate], Field(min_length=2, max_length=50)] | None = Field(
        default=None, description="True conversion rates; null draws them from [0.1, 0.6] with `world_seed`"
    )
    world_seed: Seed = Field(default=42, description="Of the rates, where none are given")
    emails: Annotated[int, Field(strict=True, ge=1, le=1_000_000_000)] = Field(
        default=10_000, description="E-mails per replication"
    )
    cadence: Literal["per_email", "daily"] = Field(
        default="per_email",
        description="Decide every e-mail, or once a day for all of its e-mails as the service does",
    )
    days: Annotated[int, Field(strict=True, ge=1, le=1_000)] = Field(
        default_factory=lambda sent: min(EMAIL_DAYS, sent.get("emails", EMAIL_DAYS)),
        description="Over which the e-mails are spread evenly; by default at most one day per e-mail",
        json_schema_extra={"default": EMAIL_DAYS},
    )
    drift: Drift | None = Field(default=None, description="How the rates move; null is not at all")
    delay: WorldDelay = Field(
        default=0,
        description="Until a conversion is known: a number of e-mails, or of days under the daily cadence, which"
        " takes a distribution of days, too",
    )
    delay_correction: DelayCorrection = Field(
        default="auto", description=f"{DELAY_CORRECTION} (daily cadence)"
    )
    cost_per_email: AmountForAllOrEach = Field(
        default=0.0, description="Currency units, for all or per subject"
    )
    value_per_conversion: AmountForAllOrEach = Field(
        default=1.0, description="Currency units, for all or per subject"
    )
    holdout_percent: Annotated[float, Field(strict=True, ge=0, lt=100, allow_inf_nan=False)] = Field(
        default=0.0, description="Percent of the e-mails that get the first subject and are held out"
    )
    prior: Prior = Field(default=Prior(), description="Belief about every subject's rate before any data")
    min_share: Percent = Field(default=0.0, description="Floor of every subject, percent (daily cadence)")
    burn_in: BurnIn = Field(default=BurnIn(), description="What a subject must show first (daily cadence)")
    replications: Replications = Field(default=20, description="How often the campaign is played")
    seed: Seed = Field(default=1, description="Of everything random but the rates")


class Product(Strict):
    """A contract that customers have or can be offered."""

    name: Name
    price: Annotated[float, Field(strict=True, gt=0, le=1e9, allow_inf_nan=False)] = Field(
        description="EUR per year"
    )
    margin: Annotated[float, Field(strict=True, ge=-1e9, le=1e9, allow_inf_nan=False)] = Field(
        description="EUR per year"
    )
    download: Amount = Field(description="Mbit/s")
    share: Rate = Field(description="Its part of the base; all sum to 1")
    sold_until: IsoDate | None = Field(
        default=None, description="Last day it was sold; null while it is on sale"
    )


class Channel(Strict):
    """A way to a customer."""

    name: Name
    cost: Amount = Field(description="EUR per contact, converted or not")
    q0: Rate = Field(description="Probability that an eligible customer converts on the day of the contact")


class ClvRequest(Strict):
    """A telco's year: which customers are contacted over which channel with which offer."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"replications": 10},
                {
                    "policies": [{"kind": "random_crayfish"}, {"kind": "bayesian_groundhog"}],
                    "days": 90,
                    "quota": 100,
                },
            ]
        }
    )

    policies: Policies = Field(
        default=[
            PolicyChoice(kind=kind)
            for kind in (
                "random_crayfish",
                "epsilon_ringtail",
                "bayesian_groundhog",
                "segment_junglefowl",
                "contextual_groundhog",
            )
        ],
        description="Who plays: the five of the preset, or any kind of the service",
    )
    start: IsoDate = Field(default=dt.date(2022, 11, 30), description="The first day; it changes the totals")
    days: Days = Field(default=365, description="Days played")
    customers: Annotated[int, Field(strict=True, ge=1, le=1_000_000)] = Field(
        default=100_000, description="The base"
    )
    products: Annotated[list[Product], Field(min_length=1, max_length=50)] | None = Field(
        default=None, description="What customers have and what is on sale; null is the preset's eleven"
    )
    channels: Annotated[list[Channel], Field(min_length=1, max_length=10)] | None = Field(
        default=None, description="How customers are reached; null is call and e-mail of the preset"
    )
    templates: Annotated[int, Field(strict=True, ge=1, le=20)] = Field(
        default=2, description="Templates per offer and channel; they change nothing"
    )
    quota: Annotated[int, Field(strict=True, ge=1, le=100_000)] = Field(
        default=200, description="Contacts a day over all channels"
    )
    channel_quotas: (
        Annotated[list[Annotated[int, Field(strict=True, ge=0, le=100_000)]], Field(max_length=10)] | None
    ) = Field(default=None, description="Contacts a day per channel instead; null is one quota for all")
    recontact_days: Days | None = Field(
        default=None, description="Days until a customer may be contacted again; null is once per run"
    )
    decay: Rate = Field(
        default=0.8, description="A day's conversion probability is this times the day's before"
    )
    window_days: Days = Field(
        default_factory=lambda sent: min(WINDOW_DAYS, sent.get("recontact_days") or WINDOW_DAYS),
        description="Days in which a contact may convert, its own included; by default at most `recontact_days`",
        json_schema_extra={"default": WINDOW_DAYS},
    )
    price_ratio: Annotated[float, Field(strict=True, ge=0, le=1_000, allow_inf_nan=False)] = Field(
        default=1.1, description="An offer is eligible below this multiple of the current price"
    )
    contract_days: Annotated[int, Field(strict=True, ge=1, le=36_500)] = Field(
        default=2190, description="Contract starts are uniform over so many last days of each product's sale"
    )
    horizon_days: Annotated[int, Field(strict=True, ge=1, le=36_500)] = Field(
        default=1820, description="A contract's margin counts up to this age"
    )
    least_years: Annotated[float, Field(strict=True, ge=0, le=100, allow_inf_nan=False)] = Field(
        default=0.5, description="and always for so many years"
    )
    discount: Annotated[float, Field(strict=True, ge=0, le=10, allow_inf_nan=False)] = Field(
        default=0.0, description="Per year"
    )
    churn: Annotated[float, Field(strict=True, ge=0, lt=1, allow_inf_nan=False)] = Field(
        default=0.0, description="Part of the customers lost per year"
    )
    delay_correction: DelayCorrection = Field(
        default="none", description=f"{DELAY_CORRECTION}. A contact's conversions come over `window_days`"
    )
    base_seed: Seed = Field(
        default=42, description="Of the base and the contact order, the same in every replication"
    )
    replications: Replications = Field(default=10, description="How often the year is played")
    seed: Seed = Field(default=1, description="Of outcomes and policies")
    exported: Annotated[int, Field(strict=True, ge=0)] = Field(
        default=0, description="The replication whose log can be exported, counted from 0"
    )


class Progress(BaseModel):
    """How far a run is, in steps."""

    done: int
    total: int


STATE: dict[str, Any] = {
    "id": "3f6c2a5e9b1d4c07",
    "scenario": "email",
    "state": "running",
    "created_at": "2026-03-10T12:00:00Z",
    "progress": {"done": 120000, "total": 600000},
    "fault": None,
    "request": {"policies": [{"kind": "thompson"}], "emails": 10000, "replications": 20, "seed": 1},
}


class SimulationSummary(BaseModel):
    """A run without its result."""

    model_config = ConfigDict(json_schema_extra={"examples": [STATE]})

    id: Identifier
    scenario: Scenario
    state: State = Field(description="queued, running, done, failed or cancelled")
    created_at: dt.datetime
    progress: Progress
    fault: str | None = Field(description="Why a run failed")
    request: dict[str, Any] = Field(description="What was asked, with every default filled in")


class Simulation(SimulationSummary):
    """A run; once it is done, with its result beside its state."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "examples": [
                STATE
                | {
                    "state": "done",
                    "progress": {"done": 600000, "total": 600000},
                    "policies": [
                        {
                            "policy": {"kind": "thompson", "parameters": {}},
                            "conversions": {
                                "mean": 5216.4,
                                "sd": 69.1,
                                "interval_95": [5184.1, 5248.7],
                                "range_95": [5081.2, 5329.9],
                            },
                        }
                    ],
                }
            ]
        },
    )

    policies: list[dict[str, Any]] | None = Field(
        default=None, description="Once done: the results of each policy"
    )


class SimulationsPage(BaseModel):
    """A page of runs, the newest first."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [STATE], "next_cursor": None}]})

    items: list[SimulationSummary]
    next_cursor: str | None = Field(description="Send as `cursor` for the next page; null on the last one")
