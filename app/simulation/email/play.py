"""The race in the e-mail world."""

from collections.abc import Callable
from functools import reduce

from app.simulation.email.campaign import blocks, play_block
from app.simulation.email.ledger import Ledger
from app.simulation.email.policies import EVEN_SPLIT, EmailPolicy, build_policy_to_play
from app.simulation.email.result import EmailResult, PolicyResult
from app.simulation.email.scenario import EmailScenario

Progress = Callable[[int, int], None]


def play(scenario: EmailScenario, progress: Progress | None = None) -> EmailResult:
    """Play every policy and the even split on common random numbers.

    Parameters
    ----------
    progress : called with the decisions done and all there are; raising in it stops the run
    """
    report = None if progress is None else _Counted(progress, work(scenario))
    even, *ledgers = (_played(scenario, contestant, report) for contestant in contestants(scenario))
    policies = tuple(
        PolicyResult(contestant, ledger, even)
        for contestant, ledger in zip(contestants(scenario)[1:], ledgers, strict=True)
    )
    return EmailResult(scenario, PolicyResult(EVEN_SPLIT, even, even), policies)


def contestants(scenario: EmailScenario) -> list[EmailPolicy]:
    """The even split and then the policies, in their order."""
    chosen = scenario.policies
    return [EVEN_SPLIT, *(build_policy_to_play(one.kind, one.parameters, scenario.prior) for one in chosen)]


def work(scenario: EmailScenario) -> int:
    """How many decisions a run makes: e-mails x replications x (policies and the even split)."""
    return scenario.emails * scenario.replications * (len(scenario.policies) + 1)


def _played(scenario: EmailScenario, contestant: EmailPolicy, report: "_Counted | None") -> Ledger:
    parts = (play_block(scenario, contestant, block, report) for block in range(blocks(scenario)))
    return reduce(Ledger.joined, parts)


class _Counted:
    """Adds up the decisions that are reported to it."""

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress, self._done, self._total = progress, 0, total

    def __call__(self, decisions: int) -> None:
        self._done += decisions
        self._progress(self._done, self._total)
