"""From a request to a race that can be played: the one place that knows all scenarios."""

import dataclasses
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import BaseModel, ValidationError
from pydantic_core import to_jsonable_python

from app.bandits.decision import BurnIn
from app.bandits.policies import policy_parameters
from app.errors import FieldError, Invalid, NotFound, field_path
from app.schemas.simulations import ChangePoints, ClvRequest, EmailRequest, PolicyChoice, RandomWalk
from app.simulation import email
from app.simulation.clv.export import export
from app.simulation.clv.play import play as play_clv
from app.simulation.clv.policies.registry import RACE, race_policy
from app.simulation.clv.products import CHANNELS, PRODUCTS, Channel, Product
from app.simulation.clv.race import Race
from app.simulation.clv.scenario import Scenario as Telco
from app.simulation.email.contestants import ORIGINAL, OriginalEpsilonGreedy

Progress = Callable[[int, int], None]
Row = Mapping[str, Any]


class Prepared(Protocol):
    """A checked request, ready to be played."""

    @property
    def request(self) -> dict[str, Any]:
        """Every field of the request, defaults filled in, JSON-able."""

    @property
    def decisions(self) -> int:
        """Rounds x replications x policies, as far as they cost time."""

    @property
    def steps(self) -> int:
        """What progress counts up to."""

    def play(self, progress: Progress | None = None) -> dict[str, Any]:
        """The result, JSON-able."""

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
    def decisions(self) -> int:
        """E-mails x replications x policies, the even split among them."""
        return email.work(self.scenario)

    steps = decisions

    def play(self, progress: Progress | None = None) -> dict[str, Any]:
        """The figures of every policy and of the even split."""
        return email.play(self.scenario, progress).to_dict()

    def log(self, policy: int) -> Iterator[Row]:  # noqa: ARG002 - nobody has one
        """There is none."""
        raise NotFound("an e-mail simulation keeps no log of single decisions")


@dataclass(frozen=True, slots=True)
class TelcoRace:
    """The CLV scenario."""

    request: dict[str, Any]
    race: Race

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

    def play(self, progress: Progress | None = None) -> dict[str, Any]:
        """The figures of every policy."""
        return play_clv(self.race, progress).to_dict()

    def log(self, policy: int) -> Iterator[Row]:
        """The contacts of a policy."""
        if not 0 <= policy < len(self.race.policies):
            raise NotFound(f"the race has policies 0 to {len(self.race.policies) - 1}, not {policy}")
        return export(self.race, policy).rows()


def prepare_email(asked: EmailRequest) -> EmailRace:
    """Return the race that an e-mail request asks for.

    Raises
    ------
    Invalid: naming the field at fault
    """
    with_defaults = [
        filled(i, choice, _defaults(i, choice.kind, EMAIL_ONLY)) for i, choice in enumerate(asked.policies)
    ]
    burn_in = asked.burn_in
    chosen = {name: getattr(asked, name) for name in EmailRequest.model_fields} | {
        "policies": tuple(email.PolicyChoice(choice.kind, choice.parameters) for choice in with_defaults),
        "drift": _drift(asked),
        "prior": (asked.prior.a, asked.prior.b),
        "min_share": asked.min_share / 100,
        "burn_in": BurnIn(
            burn_in.days,
            burn_in.impressions,
            burn_in.successes,
            None if burn_in.share is None else burn_in.share / 100,
        ),
    }
    scenario = _built(
        EmailRequest, email.EmailScenario, {name: _tuple(value) for name, value in chosen.items()}
    )
    return EmailRace(_echo(asked, with_defaults), scenario)


def prepare_clv(asked: ClvRequest) -> TelcoRace:
    """Return the race that a CLV request asks for.

    Raises
    ------
    Invalid: naming the field at fault
    """
    with_defaults = [
        filled(i, choice, _defaults(i, choice.kind, RACE)) for i, choice in enumerate(asked.policies)
    ]
    catalogue = {
        "products": PRODUCTS
        if asked.products is None
        else [Product(**one.model_dump()) for one in asked.products],
        "channels": CHANNELS
        if asked.channels is None
        else [Channel(**one.model_dump()) for one in asked.channels],
    }
    world = {name: _tuple(catalogue.get(name, getattr(asked, name))) for name in Telco.__slots__}
    scenario = _built(ClvRequest, Telco, world)
    actions = (
        sum(product.on_sale for product in scenario.products) * len(scenario.channels) * scenario.templates
    )
    if actions * scenario.daily > MOST_CHOICES:
        raise invalid(
            "quota", f"{actions} actions for {scenario.daily} contacts a day exceed {MOST_CHOICES:,} choices"
        )
    policies = tuple(_policy(i, race_policy, choice) for i, choice in enumerate(with_defaults))
    rest = {"replications": asked.replications, "seed": asked.seed, "exported": asked.exported}
    played = _built(ClvRequest, Race, {"policies": policies, "scenario": scenario, **rest})
    described = [PolicyChoice(**policy.described()) for policy in policies]
    shown = {name: [dataclasses.asdict(one) for one in some] for name, some in catalogue.items()}
    return TelcoRace(_echo(asked, described) | to_jsonable_python(shown), played)


REQUESTS: dict[str, tuple[type[BaseModel], Callable[[Any], Prepared]]] = {
    "email": (EmailRequest, prepare_email),
    "clv": (ClvRequest, prepare_clv),
}


def prepare(scenario: str, asked: Mapping[str, Any]) -> Prepared:
    """Return the race that a request in JSON asks for.

    Raises
    ------
    Invalid: naming the fields at fault
    """
    kind, prepared = REQUESTS[scenario]
    try:
        return prepared(kind.model_validate(asked))
    except ValidationError as error:
        faults = [FieldError(f"body.{field_path(fault['loc'])}", fault["msg"]) for fault in error.errors()]
        raise Invalid(f"{faults[0].field.removeprefix('body.')}: {faults[0].message}", faults) from error


def filled(place: int, choice: PolicyChoice, defaults: Mapping[str, Any]) -> PolicyChoice:
    """Return the choice with every parameter that has a default, numbers as floats.

    Raises
    ------
    Invalid: a parameter is of no fitting type
    """
    given = {
        name: _fitting(f"policies.{place}.{name[:100]}", value, defaults.get(name, 0.0))
        for name, value in choice.parameters.items()
    }
    known = {name: _plain(default) for name, default in defaults.items() if default != ()}
    return PolicyChoice(kind=choice.kind, **{**known, **given})


def invalid(where: str, message: str) -> Invalid:
    """Return the error of one field of the body."""
    return Invalid(f"{where}: {message}", [FieldError(f"body.{where}", message)])


def _fitting(where: str, value: Any, default: Any) -> Any:
    """Return a parameter of the type of its default: true or false, numbers, or a number."""
    if isinstance(default, bool):
        if isinstance(value, bool):
            return value
        raise invalid(where, "should be true or false")
    if isinstance(default, tuple):
        count = len(default) or MOST_FIGURES
        if isinstance(value, list) and 0 < len(value) <= count and all(map(_is_number, value)):
            return [float(one) for one in value]
        raise invalid(where, f"should be a list of {len(default) or 'some'} numbers")
    if _is_number(value):
        return float(value)
    raise invalid(where, "should be a number")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= MOST


MOST, MOST_FIGURES = 1e300, 1_000
MOST_CHOICES = 500_000
"""Actions times contacts of a day: each block of ten replications holds a draw for each."""


def _plain(default: Any) -> Any:
    return list(default) if isinstance(default, tuple) else default


def _defaults(place: int, kind: str, own: Mapping[str, type[Any]]) -> dict[str, Any]:
    """Return the parameters of a scenario's own policy, or of one of the service, with their defaults."""
    if kind in own:
        return {one.name: one.default for one in dataclasses.fields(own[kind]) if one.repr}
    try:
        return {one.name: () if one.is_row else one.default for one in policy_parameters(kind)}
    except ValueError as fault:
        raise invalid(f"policies.{place}.kind", f"{fault}, {', '.join(own)}") from fault


EMAIL_ONLY: dict[str, type[Any]] = {ORIGINAL: OriginalEpsilonGreedy}


def _policy(place: int, build: Callable[..., Any], choice: PolicyChoice) -> Any:
    try:
        return build(choice.kind, choice.parameters)
    except (ValueError, TypeError) as fault:
        raise invalid(f"policies.{place}", str(fault)) from fault


def _built(asked: type[BaseModel], kind: Callable[..., Any], chosen: Mapping[str, Any]) -> Any:
    """Return the scenario; its complaint, which begins with a field's name, as that field's error."""
    try:
        return kind(**chosen)
    except ValueError as fault:
        field_name, message = re.fullmatch(r"([a-z_]+(?:\.\d+)?):?\s+(.*)", str(fault), re.DOTALL).groups()  # type: ignore[union-attr]
        if field_name.partition(".")[0] not in asked.model_fields:
            raise
        raise invalid(field_name, message) from fault


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


def _echo(asked: BaseModel, policies: list[PolicyChoice]) -> dict[str, Any]:
    return asked.model_copy(update={"policies": policies}).model_dump(mode="json")
