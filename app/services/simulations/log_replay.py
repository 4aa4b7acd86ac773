"""The replay scenario: what policies would have earned, estimated from a log of other decisions."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from app.bandits.arrays import Floats
from app.bandits.parameters import parameter
from app.bandits.policies.fixed import Fixed
from app.bandits.policies.registry import Policy, build_policy, needs_value
from app.bandits.policies.uniform import Uniform
from app.errors import NotFound, invalid_field
from app.schemas.fields import TableFormat
from app.schemas.simulations.simulations import PolicyChoice
from app.services.simulations.policy_choices import build, with_defaults
from app.simulation.offline.decision_log import DecisionLog, read_csv, read_ndjson
from app.simulation.offline.off_policy import checked_target, evaluate
from app.simulation.offline.rejection_replay import replay

READERS: dict[TableFormat, Callable[..., DecisionLog]] = {"csv": read_csv, "ndjson": read_ndjson}
ALWAYS = "always"
MAX_ARMS = 1_000


@dataclass(frozen=True, slots=True)
class AlwaysPolicy:
    """Always play one arm; `arm` is its index in the log's list."""

    arm: float = parameter(0.0, "the arm's index in the log's list, from 0", 0)


@dataclass(frozen=True, slots=True)
class TargetPolicy:
    """A policy to be evaluated with the log.

    Parameters
    ----------
    choice : as it was requested
    shares : (k,), of a policy that never learns; else None
    policy : to be replayed by rejection
    """

    choice: PolicyChoice
    shares: Floats | None
    policy: Policy


@dataclass(frozen=True, slots=True)
class LogReplay:
    """A checked request."""

    request: dict[str, Any]
    payload: dict[str, Any]
    recorded: DecisionLog
    targets: tuple[TargetPolicy, ...]

    @property
    def decisions(self) -> int:
        """Logged decisions x passes x policies; policies that never learn need one pass."""
        passes = int(self.request["passes"])
        return len(self.recorded.arm) * sum(1 if one.shares is not None else passes for one in self.targets)

    @property
    def steps(self) -> int:
        """Policies."""
        return len(self.targets)

    def play(
        self,
        on_progress: Callable[[int, int], None] | None = None,
        on_interim_result: object = None,  # noqa: ARG002 - a replay has none
    ) -> dict[str, Any]:
        """The estimates of every policy."""
        log, policies = self.recorded, []
        for done, target in enumerate(self.targets, start=1):
            policies.append(self._evaluate(target))
            if on_progress is not None:
                on_progress(done, self.steps)
        summary = {
            "decisions": len(log.arm),
            "arms": list(log.arms),
            "uniform": log.is_uniform,
            "mean_reward": float(log.reward.mean()),
            "mean_value": None if log.value is None else float(log.value.mean()),
        }
        return {"log": summary, "policies": policies}

    def log(self, policy: int) -> Iterator[dict[str, Any]]:  # noqa: ARG002 - of no policy
        """There is no log but the one that was replayed."""
        raise NotFound("a replay has no log of its own")

    def _evaluate(self, target: TargetPolicy) -> dict[str, Any]:
        """Weighted estimates of a policy that never learns; a replay by rejection of one that learns."""
        by_value, log = bool(self.request["by_value"]), self.recorded
        result = {"policy": target.choice.model_dump(), "estimates": None, "rejection": None}
        if target.shares is not None:
            return result | {"estimates": evaluate(log, target.shares, by_value).to_dict()}
        name, passes = target.choice.model_dump_json(), int(self.request["passes"])
        found = replay(log, target.policy, name, passes, int(self.request["seed"]), by_value)
        return result | {"rejection": found.to_dict()}


def prepare(
    text: str,
    form: TableFormat,
    policies: Sequence[dict[str, Any]] = (),
    arms: Sequence[str] | None = None,
    by_value: bool = False,
    passes: int = 20,
    seed: int = 1,
) -> LogReplay:
    """Return the replay of a log.

    Parameters
    ----------
    text : the log itself
    policies : by default the even split and each arm alone

    Raises
    ------
    Invalid: naming the line of the log, or the policy
    """
    log = READERS[form](text.splitlines(), arms)
    k = len(log.arms)
    if not 2 <= k <= MAX_ARMS:
        raise invalid_field("log", f"needs 2 to {MAX_ARMS} arms, not {k}")
    if by_value and log.value is None:
        raise invalid_field("by_value", "the log has no column value")
    asked = [PolicyChoice(**policy) for policy in policies] or _default_policies(log)
    targets = tuple(
        _target(i, choice, log) for i, choice in enumerate(with_defaults(asked, {ALWAYS: AlwaysPolicy}))
    )
    rest = {"arms": list(log.arms), "by_value": by_value, "passes": passes, "seed": seed}
    chosen = [target.choice.model_dump() for target in targets]
    digest = {"sha256": hashlib.sha256(text.encode()).hexdigest(), "decisions": len(log.arm)}
    payload = {"text": text, "form": form, "policies": chosen, **rest}
    return LogReplay({"policies": chosen, **rest, "log": digest}, payload, log, targets)


def _default_policies(log: DecisionLog) -> list[PolicyChoice]:
    alone = [PolicyChoice(kind=ALWAYS, arm=i) for i in range(min(len(log.arms), 50))]
    return [PolicyChoice(kind="uniform"), *alone]


def _target(place: int, choice: PolicyChoice, log: DecisionLog) -> TargetPolicy:
    k = len(log.arms)
    if choice.kind == ALWAYS:
        arm = choice.parameters["arm"]
        if arm not in range(k):
            raise invalid_field(f"policies.{place}.arm", f"there are the arms 0 to {k - 1}")
        alone = np.eye(k)[int(arm)]
        return TargetPolicy(choice, alone, Fixed(tuple(alone.tolist())))
    policy = build(place, build_policy, choice)
    if needs_value(choice.kind):
        raise invalid_field(
            f"policies.{place}.kind", "a replay supports only policies that decide by conversions"
        )
    if isinstance(policy, Uniform):
        return TargetPolicy(choice, np.full(k, 1 / k), policy)
    if isinstance(policy, Fixed):
        try:
            return TargetPolicy(choice, checked_target(log, policy.chosen), policy)
        except ValueError as error:
            raise invalid_field(f"policies.{place}.shares", str(error)) from error
    if not np.isin(log.reward, (0, 1)).all():
        raise invalid_field(f"policies.{place}.kind", "a policy that learns needs rewards of 0 and 1")
    if not log.is_uniform:
        raise invalid_field(
            f"policies.{place}.kind", "a policy that learns can be replayed only on a uniform log"
        )
    return TargetPolicy(choice, None, policy)
