"""What is played in the e-mail world, with every default and every bound."""

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Literal

import numpy as np

from app.bandits.allocation.decide import BurnInRule
from app.bandits.arrays import Floats
from app.bandits.posteriors.beta import Prior, check_prior
from app.simulation.delay.cohorts import Correction, check_correction
from app.simulation.delay.distribution import AT_ONCE, ConversionDelay
from app.simulation.email.drift import ChangePoint, RandomWalk
from app.simulation.email.policies import build_policy_to_play

SUBJECTS = (
    "Limited Time Offer!",
    "You Won't Believe This...",
    "Exclusive Deal Inside",
    "Last Chance to Save",
    "Free Gift Waiting",
)
LOWEST_RATE, HIGHEST_RATE = 0.1, 0.6
Cadence = Literal["per_email", "daily"]


@dataclass(frozen=True, slots=True)
class EmailPolicyChoice:
    """A policy by its kind, with those parameters that differ from its defaults."""

    kind: str
    parameters: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EmailScenario:
    """A campaign of n e-mails over k subject lines, played by several policies, r times.

    Parameters
    ----------
    subjects : (k,) names, k >= 2; None takes the five of the original, or numbers them where `rates` asks
    rates : (k,), true conversion rates in [0, 1]; None draws them from [0.1, 0.6] with `world_seed`
    world_seed : of the rates, >= 0
    emails : n >= 1
    policies : at least one; kinds of the service, or `epsilon_greedy_original`
    cadence : per_email decides every e-mail, daily once a day for all its e-mails, as the live service works
    days : over which the e-mails are spread evenly, 1 <= days <= n
    drift : None, a random walk of the rates, or rates that change at given e-mails
    delay : until a conversion is known, the trial counting at once: a number of e-mails (per_email) or days
        (daily), or a distribution of days (daily only)
    delay_correction : auto allows for outstanding conversions by a curve estimated from the campaign's own, as
        the service does by default; none counts what has come (daily only)
    cost_per_email : currency units, one value or (k,)
    value_per_conversion : currency units, one value or (k,)
    holdout_percent : of the e-mails, spread evenly, get the first subject and are held out
    replications : r >= 1
    seed : of everything random but the rates, >= 0
    prior : (a, b) of Beta, both > 0, for the policies and P(best)
    min_share : floor of every subject (daily only)
    burn_in : what a subject must show before it is judged (daily only)

    Raises
    ------
    ValueError
        The message begins with the name of the invalid field.
    """

    subjects: tuple[str, ...] | None = None
    rates: tuple[float, ...] | None = None
    world_seed: int = 42
    emails: int = 10_000
    policies: tuple[EmailPolicyChoice, ...] = (
        EmailPolicyChoice("thompson"),
        EmailPolicyChoice("epsilon_greedy"),
    )
    cadence: Cadence = "per_email"
    days: int = 30
    drift: RandomWalk | tuple[ChangePoint, ...] | None = None
    delay: int | ConversionDelay = 0
    delay_correction: Correction = "auto"
    cost_per_email: float | tuple[float, ...] = 0.0
    value_per_conversion: float | tuple[float, ...] = 1.0
    holdout_percent: float = 0.0
    replications: int = 20
    seed: int = 1
    prior: Prior = (1.0, 1.0)
    min_share: float = 0.0
    burn_in: BurnInRule = field(default_factory=BurnInRule)

    def __post_init__(self) -> None:
        self._check_numbers()
        self._check_world()
        self._check_policies()

    @property
    def k(self) -> int:
        """The number of subjects."""
        return len(self.names)

    @property
    def names(self) -> tuple[str, ...]:
        """The subjects' names, (k,)."""
        if self.subjects is not None:
            return self.subjects
        if self.rates is None or len(self.rates) == len(SUBJECTS):
            return SUBJECTS
        return tuple(f"subject {i + 1}" for i in range(len(self.rates)))

    @property
    def true_rates(self) -> Floats:
        """(k,), the rates at the start."""
        if self.rates is not None:
            return np.array(self.rates, dtype=np.float64)
        return np.random.default_rng(self.world_seed).uniform(LOWEST_RATE, HIGHEST_RATE, self.k)

    @property
    def value(self) -> Floats:
        """(k,), currency units per conversion."""
        return np.broadcast_to(np.asarray(self.value_per_conversion, dtype=np.float64), self.k)

    @property
    def cost(self) -> Floats:
        """(k,), currency units per e-mail."""
        return np.broadcast_to(np.asarray(self.cost_per_email, dtype=np.float64), self.k)

    @property
    def delay_in_emails(self) -> int:
        """Until a conversion is known, under the cadence per_email."""
        return self.delay if isinstance(self.delay, int) else 0

    @property
    def delay_in_days(self) -> ConversionDelay:
        """Until a conversion is known, under the cadence daily."""
        if not isinstance(self.delay, int):
            return self.delay
        return ConversionDelay("fixed", self.delay) if self.delay else AT_ONCE

    def _check_numbers(self) -> None:
        _at_least(1, emails=self.emails, replications=self.replications, days=self.days)
        _at_least(0, seed=self.seed, world_seed=self.world_seed)
        if self.days > self.emails:
            raise ValueError(f"days: {self.days} days for {self.emails} e-mails; at most one day per e-mail")
        if self.cadence not in ("per_email", "daily"):
            raise ValueError(f"cadence: must be per_email or daily, not {self.cadence!r}")
        if not 0 <= self.holdout_percent < 100:
            raise ValueError(f"holdout_percent: must be in [0, 100), not {self.holdout_percent}")
        self._check_delay()
        _named("prior", check_prior, self.prior)

    def _check_delay(self) -> None:
        _named("delay_correction", check_correction, self.delay_correction)
        if isinstance(self.delay, int):
            _at_least(0, delay=self.delay)
        elif self.cadence == "per_email" and not self.delay.is_none:
            raise ValueError(
                "delay: a distribution of days needs the cadence daily; per_email takes a number of e-mails"
            )

    def _check_world(self) -> None:
        if self.k < 2:
            raise ValueError(f"subjects: at least 2 are needed, not {self.k}")
        if len(set(self.names)) < self.k:
            raise ValueError("subjects: two have the same name")
        check_rates("rates", self.true_rates, self.k)
        for name in ("cost_per_email", "value_per_conversion"):
            _check_money(name, getattr(self, name), self.k)
        if not 0 <= self.min_share <= 1 / self.k:
            raise ValueError(f"min_share: must be in [0, 1/{self.k}], not {self.min_share}")
        least = self.burn_in
        if min(least.days, least.impressions, least.successes, least.share or 0) < 0:
            raise ValueError("burn_in: its values must be >= 0")
        self._check_change_points()

    def _check_change_points(self) -> None:
        points = self.drift if isinstance(self.drift, tuple) else ()
        for point in points:
            check_rates("drift", np.array(point.rates, dtype=np.float64), self.k)
            if not 0 < point.at < self.emails:
                raise ValueError(f"drift: a change at e-mail {point.at} lies outside 1..{self.emails - 1}")
        if any(one.at >= other.at for one, other in pairwise(points)):
            raise ValueError("drift: change points must be in ascending order")

    def _check_policies(self) -> None:
        if not self.policies:
            raise ValueError("policies: at least one is needed")
        for i, choice in enumerate(self.policies):
            contestant = _named(
                f"policies.{i}", build_policy_to_play, choice.kind, choice.parameters, self.prior
            )
            chosen = getattr(contestant.policy, "chosen", None)
            if chosen is not None and len(chosen) != self.k:
                raise ValueError(f"policies.{i}: {len(chosen)} fixed shares for {self.k} subjects")


def check_rates(name: str, rates: Floats, k: int) -> None:
    """Reject rates that are not k values in [0, 1]; the message begins with the name."""
    if rates.shape != (k,):
        raise ValueError(f"{name}: {rates.size} rates for {k} subjects")
    if not ((rates >= 0) & (rates <= 1)).all():
        raise ValueError(f"{name}: rates must lie in [0, 1]")


def _check_money(name: str, given: float | tuple[float, ...], k: int) -> None:
    money = np.asarray(given, dtype=np.float64)
    if money.shape not in ((), (k,)):
        raise ValueError(f"{name}: {money.size} values for {k} subjects")
    if not (np.isfinite(money) & (money >= 0)).all():
        raise ValueError(f"{name}: must be finite and >= 0")


def _at_least(least: int, **values: int) -> None:
    for name, number in values.items():
        if number < least:
            raise ValueError(f"{name}: must be at least {least}, not {number}")


def _named(name: str, check: Any, *arguments: Any) -> Any:
    """What the check returns; its complaint with the field's name before it."""
    try:
        return check(*arguments)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{name}: {error}") from error
