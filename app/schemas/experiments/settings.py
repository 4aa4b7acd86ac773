"""What decides an experiment's shares: the settings, each with a default, and which of them go together."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    TypeAdapter,
    ValidationError,
    model_validator,
)
from pydantic_core import PydanticCustomError

from app.bandits.allocation import decide
from app.bandits.policies.registry import POLICIES, build_policy, needs_value, policy_parameters
from app.schemas.experiments.currencies import Currency
from app.schemas.experiments.delay import Delay
from app.schemas.fields import Count, Identifier, Percent, Positive, TimeZone
from app.schemas.validation import combination_error

Days = Annotated[int, Field(strict=True, ge=0, le=3650)]
PositiveDays = Annotated[int, Field(strict=True, ge=1, le=3650)]
PercentOf = dict[Identifier, Percent]
POSITIVE: TypeAdapter[float] = TypeAdapter(Annotated[float, Field(strict=True, allow_inf_nan=False)])
SHARES: TypeAdapter[PercentOf] = TypeAdapter(PercentOf)
SCALE = 1e-6  # percent: how far chosen shares may be off 100


def _fits(kind: TypeAdapter[Any], value: object) -> bool:
    try:
        kind.validate_python(value)
    except ValidationError:
        return False
    return True


class Strict(BaseModel):
    """A message whose unknown fields are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _name_all_kinds(schema: dict[str, Any]) -> None:
    schema["enum"] = list(POLICIES)  # asked late: other packages' policies are registered at the start


class Policy(BaseModel):
    """A policy by its kind, with its parameters beside it (``GET /policies`` lists them)."""

    model_config = ConfigDict(
        extra="allow",
        frozen=True,
        json_schema_extra={"examples": [{"kind": "thompson"}, {"kind": "epsilon_greedy", "epsilon": 0.1}]},
    )

    kind: str = Field(default="thompson", strict=True, json_schema_extra=_name_all_kinds)

    @property
    def parameters(self) -> dict[str, Any]:
        """Return what was chosen beside the kind."""
        return dict(self.model_extra or {})

    @model_validator(mode="before")
    @classmethod
    def _beside_the_kind(cls, sent: Any) -> Any:
        """Take ``{"kind": ..., "parameters": {...}}`` as well; they are stored and returned beside the kind."""
        if isinstance(sent, dict) and isinstance(sent.get("parameters"), dict):
            return {
                **{name: value for name, value in sent.items() if name != "parameters"},
                **sent["parameters"],
            }
        return sent

    @model_validator(mode="after")
    def _known(self) -> Self:
        if self.kind not in POLICIES:
            raise PydanticCustomError(
                "policy",
                "kind should be one of {choices}, not {kind}",
                {"choices": ", ".join(POLICIES), "kind": repr(self.kind[:50])},
            )
        if self.kind == "fixed":
            check_chosen_shares(self.parameters)
            return self
        for name, number in self.parameters.items():
            if not _fits(POSITIVE, number):
                raise PydanticCustomError("policy", "{name} should be a number", {"name": name[:50]})
        try:
            build_policy(self.kind, self.parameters)
        except ValueError as error:
            raise PydanticCustomError("policy", "{message}", {"message": str(error)[:250]}) from error
        return self

    @model_validator(mode="after")
    def _with_defaults(self) -> Self:
        extra = self.model_extra
        if extra is not None and self.kind != "fixed":
            for described in policy_parameters(self.kind):
                extra.setdefault(described.name, described.default)
        return self


def check_chosen_shares(parameters: Mapping[str, Any]) -> None:
    """Reject what is not a percentage for each of some variants, summing to 100."""
    shares = parameters.get("shares")
    if set(parameters) != {"shares"} or not shares or not _fits(SHARES, shares):
        message = "fixed takes shares, an object of variant: percent, each between 0 and 100"
        raise PydanticCustomError("policy", "{message}", {"message": message})
    if abs(sum(shares.values()) - 100) > SCALE:
        total = f"{sum(shares.values()):g}"
        raise PydanticCustomError("policy", "shares should sum to 100, not {total}", {"total": total})


def _not_too_vague(parameter: float) -> float:
    if parameter < MIN_PRIOR_WEIGHT:
        raise PydanticCustomError("prior", "Input should be at least {least}", {"least": MIN_PRIOR_WEIGHT})
    return parameter


MIN_PRIOR_WEIGHT = 0.1
"""Vaguer than that says nothing more, and takes the quadrature from milliseconds to minutes."""

Pseudo = Annotated[
    Positive, AfterValidator(_not_too_vague), Field(json_schema_extra={"minimum": MIN_PRIOR_WEIGHT})
]


class Prior(Strict):
    """The Beta(a, b) belief about a variant's rate before any data; (1, 1) is uniform."""

    a: Pseudo = Field(default=1.0, description="Pseudo-conversions")
    b: Pseudo = Field(default=1.0, description="Pseudo-failures")


class BurnIn(Strict):
    """How much data a variant needs before it takes part in P(best), and what it gets until then."""

    days: Days = Field(default=1, description="Days with data")
    impressions: Count = Field(default=0, description="Effective impressions")
    successes: Count = Field(default=0, description="Effective successes")
    share: Percent | None = Field(
        default=None,
        description="Percent of traffic until then; null is an equal share, which is also its cap",
    )

    def to_rule(self) -> decide.BurnInRule:
        """Return it as the mathematics takes it, with the share as a fraction."""
        share = None if self.share is None else self.share / 100
        return decide.BurnInRule(self.days, self.impressions, self.successes, share)


class Stop(Strict):
    """When the answer advises to stop; it never stops by itself."""

    rule: Literal["p_best", "expected_loss", "value_remaining"] | None = Field(
        default=None,
        description="The statistic compared; null is value_remaining, or p_best under the value objective",
    )
    threshold: Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)] | None = Field(
        default=None,
        description="Its threshold; null is 0.95 for p_best, 0.001 for a loss, 0.01 for value remaining",
    )
    minimum_days: PositiveDays = Field(
        default=14,
        description="No advice to stop before so many days on which any variant past burn-in had impressions,"
        " since each of them has had some",
    )


def _number_or_object(value: Any) -> str:
    return "(variants)" if isinstance(value, dict) else "(all)"


PercentForAllOrSome = Annotated[
    Annotated[Percent, Tag("(all)")] | Annotated[PercentOf, Tag("(variants)")],
    Discriminator(_number_or_object),
]


class ExperimentSettings(Strict):
    """What a person may set of an experiment; every field has a default."""

    policy: Policy = Field(
        default=Policy(),
        description="How shares follow from the data; by default thompson, or value_thompson for objective value",
    )
    objective: Literal["conversion", "value"] = Field(
        default="conversion", description="What is best: the highest rate, or the most earned per impression"
    )
    currency: Currency | None = Field(default=None, description="Of revenue and costs, with objective value")
    cadence: Literal["day", "hour"] = Field(
        default="day",
        description="How often shares follow the data: each day, or each full hour (tracked only)",
    )
    prior: Prior = Field(default=Prior(), description="Belief about every variant's rate before any data")
    window_days: PositiveDays | None = Field(default=None, description="Use only the last so many days")
    half_life_days: Annotated[float, Field(strict=True, ge=0.01, le=36_500, allow_inf_nan=False)] | None = (
        Field(default=None, description="A day's weight halves every so many days")
    )
    adjust: Literal["none", "day"] = Field(default="none", description="Divide out good and bad days")
    min_share: PercentForAllOrSome = Field(
        default=0.0, description="Percent of traffic a variant keeps (a floor): one for all, or per variant"
    )
    fixed_share: PercentOf = Field(default={}, description="Variants whose percent is fixed")
    burn_in: BurnIn = Field(default=BurnIn(), description="What a new variant must show first")
    maturity_days: Days = Field(
        default=0, description="Leave out so many of the last days: their conversions are still to come"
    )
    delay: Delay = Field(
        default=Delay(), description="Count a day's impressions as far as their conversions have come"
    )
    late_conversions: bool = Field(
        default=False, strict=True, description="Accept days with more successes than impressions"
    )
    stale_after_days: Days = Field(
        default=7, description="Name the gate stale_data after so many days without data; 0 never does"
    )
    traffic: Literal["sticky", "per_request"] = Field(
        default="sticky",
        description="per_request: every impression is drawn anew by the day's shares, so that they can be tested",
    )
    time_zone: TimeZone = Field(default="UTC", description="Whose calendar days the totals are")
    stop: Stop = Field(default=Stop(), description="When the answer advises to stop")
    assignment_mode: Literal["sticky", "rendezvous"] = Field(
        default="sticky",
        description="sticky stores a unit's variant when it is assigned, rendezvous at its first exposure",
    )
    holdout_percent: Percent = Field(
        default=0.0,
        description="Percent of units held out: they get the control, and their totals are counted separately",
    )
    refresh_minutes: Annotated[int, Field(strict=True, ge=1, le=1_440)] = Field(
        default=1_440,
        description="How long units are assigned with the same shares; a new day always brings its own",
    )
    reward_window_days: PositiveDays = Field(
        default=30, description="How long after a unit's first exposure its rewards still count"
    )

    @model_validator(mode="before")
    @classmethod
    def _policy_follows_the_objective(cls, sent: Any) -> Any:
        """Where no policy is chosen, the default is Thompson sampling for the chosen objective."""
        if isinstance(sent, dict) and sent.get("objective") == "value" and "policy" not in sent:
            return {**sent, "policy": {"kind": BY_VALUE["thompson"]}}
        return sent

    @model_validator(mode="before")
    @classmethod
    def _burn_in_follows_the_cadence(cls, sent: Any) -> Any:
        """With cadence hour a variant is in burn-in for a number of impressions, by default 100."""
        if not isinstance(sent, dict) or sent.get("cadence") != "hour":
            return sent
        burn_in = sent.get("burn_in", {})
        if not isinstance(burn_in, dict) or "impressions" in burn_in:
            return sent
        return {**sent, "burn_in": {**burn_in, "impressions": HOURLY_BURN_IN}}

    @model_validator(mode="after")
    def _cadence_goes_with_the_others(self) -> Self:
        for field in asked_in_days(self.cadence, self.burn_in.days != BurnIn().days, self.maturity_days != 0):
            raise combination_error(field, NOT_BY_HOUR[field])
        return self

    @model_validator(mode="after")
    def _go_together(self) -> Self:
        by_value, kind, rule = self.objective == "value", self.policy.kind, self.stop.rule
        fitting = fitting_policies(by_value)
        _require(
            kind in fitting,
            "policy.kind",
            f"objective {self.objective} goes with {', '.join(fitting)}, not {kind}",
        )
        _require(
            not by_value or self.currency is not None,
            "currency",
            "objective value needs the currency of revenue and costs, such as EUR",
        )
        _require(
            by_value or self.currency is None, "currency", "a currency goes with objective value, and only it"
        )
        _require(
            self.window_days is None or self.half_life_days is None,
            "half_life_days",
            "window_days is set too, and only one of them can decide how days count",
        )
        _require(self.adjust == "none" or not by_value, "adjust", "day has no meaning for objective value")
        _require(
            self.adjust == "none" or not self.late_conversions,
            "adjust",
            "day has no meaning with late_conversions",
        )
        _require(
            not self.late_conversions or not self.delay.is_explicit,
            "delay",
            "late_conversions credits conversions to the day they came: there is no delay to count on",
        )
        _require(
            rule == "expected_loss" or self.stop.threshold is None or self.stop.threshold < 1,
            "stop.threshold",
            f"of {rule or 'the default rule'} it should lie strictly between 0 and 1",
        )
        _require(
            not by_value or rule != "value_remaining",
            "stop.rule",
            "objective value goes with p_best or expected_loss",
        )
        return self


HOURLY_BURN_IN = 100
"""Impressions that a variant needs by default with cadence hour, where one hour of data may be a handful."""

NOT_BY_HOUR = {
    "burn_in.days": "with cadence hour burn-in asks for impressions, not for days",
    "maturity_days": "with cadence hour no days are left out: setting delay counts on conversions to come",
}
"""The settings in days that cadence hour does not take, and why."""


def asked_in_days(cadence: str | None, burn_in_days: bool, maturity_days: bool) -> list[str]:
    """Return which settings were asked for that the cadence does not take."""
    asked = {"burn_in.days": burn_in_days, "maturity_days": maturity_days}
    return [field for field, is_asked in asked.items() if is_asked and cadence == "hour"]


BY_VALUE = {"thompson": "value_thompson", "epsilon_greedy": "value_epsilon_greedy"}
"""The policies that exist for both objectives, by their kind for conversions."""


def fitting_policies(by_value: bool) -> list[str]:
    """Return the kinds of policy that go with an objective, those that use no value or rate last."""
    neutral = [name for name in POLICIES if name in {"uniform", "fixed"}]
    return [name for name in POLICIES if needs_value(name) == by_value and name not in neutral] + neutral


def _require(fine: bool, field: str, message: str) -> None:
    if not fine:
        raise combination_error(field, message)


ASSIGNING = frozenset({"assignment_mode", "holdout_percent", "refresh_minutes", "reward_window_days"})
"""The settings by which units are assigned and rewarded; no share of a day depends on them."""


class StoredSettings(ExperimentSettings):
    """The settings with what other operations set by date: costs of variants, and a rollout."""

    cost_per_impression: dict[Identifier, Annotated[float, Field(ge=0, allow_inf_nan=False)]] = Field(
        default={}, description="Currency units per impression of a variant"
    )
    rollout: Identifier | None = Field(default=None, description="The variant that was given everything")
