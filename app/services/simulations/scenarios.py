"""From a request to a scenario that can be played; the only module that knows all scenarios."""

import dataclasses
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import BaseModel, ValidationError
from pydantic_core import to_jsonable_python

from app.errors import Invalid, NotFound, invalid_field
from app.schemas.simulations.simulations import (
    ChangePoints,
    ClvRequest,
    EmailRequest,
    PolicyChoice,
    RandomWalk,
)
from app.schemas.validation import field_errors
from app.services.simulations import log_replay
from app.services.simulations.policy_choices import build, with_defaults
from app.services.simulations.world_delay import in_days_or_emails
from app.simulation import email
from app.simulation.clv.export import export
from app.simulation.clv.play import play as play_clv
from app.simulation.clv.policies.registry import RACE, race_policy
from app.simulation.clv.race.race import Race
from app.simulation.clv.world.products import CHANNELS, PRODUCTS, Channel, Product
from app.simulation.clv.world.scenario import Scenario as Telco
from app.simulation.email.policies import ORIGINAL, OriginalEpsilonGreedy

OnProgress = Callable[[int, int], None]
OnInterimResult = Callable[[Callable[[], dict[str, Any]]], None]
Row = Mapping[str, Any]


class RunnableScenario(Protocol):
    """A checked request, ready to be played."""

    @property
    def request(self) -> dict[str, Any]:
        """Every field of the request with its default, as JSON can express it; this is stored."""

    @property
    def payload(self) -> dict[str, Any]:
        """The arguments with which `prepare` returns the same scenario in another process."""

    @property
    def decisions(self) -> int:
        """Rounds x replications x policies, as a measure of the time."""

    @property
    def steps(self) -> int:
        """The number of steps that progress is reported in."""

    def play(
        self, on_progress: OnProgress | None = None, on_interim_result: OnInterimResult | None = None
    ) -> dict[str, Any]:
        """The result, as JSON can express it.

        Parameters
        ----------
        on_progress : called with the number of steps done and the number of all
        on_interim_result : called repeatedly with a function that returns the interim result, where there is one
        """

    def log(self, policy: int) -> Iterator[Row]:
        """The decisions of one policy in the exported replication.

        Raises
        ------
        NotFound: the scenario has no log, or the race no such policy
        """


@dataclass(frozen=True, slots=True)
class EmailRace:
    """The e-mail scenario."""

    request: dict[str, Any]
    scenario: email.EmailScenario

    @property
    def payload(self) -> dict[str, Any]:
        """The request."""
        return self.request

    @property
    def decisions(self) -> int:
        """E-mails x replications x policies, the even split among them."""
        return email.work(self.scenario)

    steps = decisions

    def play(
        self,
        on_progress: OnProgress | None = None,
        on_interim_result: OnInterimResult | None = None,  # noqa: ARG002 - it has none
    ) -> dict[str, Any]:
        """The metrics of every policy and of the even split."""
        return email.play(self.scenario, on_progress).to_dict()

    def log(self, policy: int) -> Iterator[Row]:  # noqa: ARG002 - of no policy
        """There is none."""
        raise NotFound("an e-mail simulation has no log of single decisions")


@dataclass(frozen=True, slots=True)
class ClvRace:
    """The CLV scenario."""

    request: dict[str, Any]
    race: Race

    @property
    def payload(self) -> dict[str, Any]:
        """The request."""
        return self.request

    @property
    def decisions(self) -> int:
        """Contacts or customers, whichever are more, x replications x policies."""
        world = self.race.scenario
        return (
            len(self.race.policies) * self.race.replications * max(world.days * world.daily, world.customers)
        )

    @property
    def steps(self) -> int:
        """Days of a policy in a block of replications."""
        return self.race.steps

    def play(
        self, on_progress: OnProgress | None = None, on_interim_result: OnInterimResult | None = None
    ) -> dict[str, Any]:
        """The metrics of every policy."""
        return play_clv(self.race, on_progress, on_interim_result).to_dict()

    def log(self, policy: int) -> Iterator[Row]:
        """The contacts of a policy."""
        if not 0 <= policy < len(self.race.policies):
            raise NotFound(f"the race has policies 0 to {len(self.race.policies) - 1}, not {policy}")
        return export(self.race, policy).rows()


def prepare_email(asked: EmailRequest) -> EmailRace:
    """Return the race of an e-mail request.

    Raises
    ------
    Invalid: naming the field
    """
    filled = with_defaults(asked.policies, EMAIL_ONLY)
    chosen = {name: getattr(asked, name) for name in EmailRequest.model_fields} | {
        "policies": tuple(email.EmailPolicyChoice(choice.kind, choice.parameters) for choice in filled),
        "drift": _drift(asked),
        "delay": in_days_or_emails(asked.delay),
        "prior": (asked.prior.a, asked.prior.b),
        "min_share": asked.min_share / 100,
        "burn_in": asked.burn_in.to_rule(),
    }
    scenario = _built(
        EmailRequest, email.EmailScenario, {name: _tuple(value) for name, value in chosen.items()}
    )
    return EmailRace(_request_with_defaults(asked, filled), scenario)


def prepare_clv(asked: ClvRequest) -> ClvRace:
    """Return the race of a CLV request.

    Raises
    ------
    Invalid: naming the field
    """
    filled = with_defaults(asked.policies, RACE)
    catalogue = {
        "products": PRODUCTS if asked.products is None else _each(Product, asked.products),
        "channels": CHANNELS if asked.channels is None else _each(Channel, asked.channels),
    }
    world = {name: _tuple(catalogue.get(name, getattr(asked, name))) for name in Telco.__slots__}
    scenario = _built(ClvRequest, Telco, world)
    actions = (
        sum(product.on_sale for product in scenario.products) * len(scenario.channels) * scenario.templates
    )
    if actions * scenario.daily > MAX_CHOICES:
        raise invalid_field(
            "quota", f"{actions} actions for {scenario.daily} contacts a day exceed {MAX_CHOICES:,} choices"
        )
    policies = tuple(build(i, race_policy, choice) for i, choice in enumerate(filled))
    of_race = ("replications", "seed", "exported", "delay_correction")
    rest = {name: getattr(asked, name) for name in of_race}
    played = _built(ClvRequest, Race, {"policies": policies, "scenario": scenario, **rest})
    described = [PolicyChoice(**policy.described()) for policy in policies]
    shown = {name: [dataclasses.asdict(one) for one in some] for name, some in catalogue.items()}
    return ClvRace(_request_with_defaults(asked, described) | to_jsonable_python(shown), played)


SCENARIOS: dict[str, tuple[type[BaseModel], Callable[[Any], RunnableScenario]]] = {
    "email": (EmailRequest, prepare_email),
    "clv": (ClvRequest, prepare_clv),
}


def prepare(scenario: str, asked: Mapping[str, Any]) -> RunnableScenario:
    """Return the race of a request in JSON.

    Raises
    ------
    Invalid: naming the fields
    """
    if scenario == "replay":
        return log_replay.prepare(**asked)
    kind, prepared = SCENARIOS[scenario]
    try:
        return prepared(kind.model_validate(asked))
    except ValidationError as error:
        found = field_errors(error, "body")
        raise Invalid(f"{found[0].field.removeprefix('body.')}: {found[0].message}", found) from error


MAX_CHOICES = 500_000
"""Actions times contacts of a day: each block of ten replications has a draw for each."""


EMAIL_ONLY: dict[str, type[Any]] = {ORIGINAL: OriginalEpsilonGreedy}


def _built(asked: type[BaseModel], kind: Callable[..., Any], chosen: Mapping[str, Any]) -> Any:
    """Return the scenario, or turn its ValueError, which begins with a field's name, into that field's error."""
    try:
        return kind(**chosen)
    except ValueError as error:
        parts = re.fullmatch(r"([a-z_]+)((?:\.\d+)?):?\s+(.*)", str(error), re.DOTALL)
        if parts is None or parts[1] not in asked.model_fields:
            raise Invalid(str(error)) from error
        raise invalid_field(parts[1] + parts[2], parts[3]) from error


def _each(kind: Callable[..., Any], given: Iterable[BaseModel]) -> list[Any]:
    return [kind(**one.model_dump()) for one in given]


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _drift(asked: EmailRequest) -> Any:
    match asked.drift:
        case RandomWalk(sd=sd):
            return email.RandomWalk(sd)
        case ChangePoints(points=points):
            return tuple(email.ChangePoint(point.at, tuple(point.rates)) for point in points)
    return None


def _request_with_defaults(asked: BaseModel, policies: list[PolicyChoice]) -> dict[str, Any]:
    return asked.model_copy(update={"policies": policies}).model_dump(mode="json")
