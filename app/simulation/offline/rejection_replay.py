"""Rejection replay: a policy, learning or not, against a log of uniformly random decisions."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from app.bandits.arrays import Floats
from app.bandits.policies.registry import Policy
from app.bandits.sequential.sequences import as_sequential
from app.errors import FieldError, Invalid
from app.simulation.offline.decision_log import DecisionLog
from app.simulation.offline.off_policy import OutcomeEstimate, outcomes
from app.simulation.random_streams import stream
from app.simulation.replication_statistics import Summary, summary


@dataclass(frozen=True, slots=True)
class RejectionReplay:
    """What a policy earned on the decisions in which it agreed with the log.

    Parameters
    ----------
    estimate : mean outcome per accepted decision; its standard error is a single pass's
    accepted : decisions per pass in which the policy chose the logged arm
    means : of the passes, which differ by the policy's own draws alone
    shares : (k,), of the arms among all accepted decisions
    """

    estimate: OutcomeEstimate
    accepted: Summary
    means: Summary | None
    shares: Floats

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            **self.estimate.to_dict(),
            "kept": self.accepted.to_dict(),
            "passes": None if self.means is None else self.means.to_dict(),
            "shares": self.shares.tolist(),
        }


def replay(
    log: DecisionLog, policy: Policy, name: str = "", passes: int = 20, seed: int = 1, by_value: bool = False
) -> RejectionReplay:
    """Go through the log; where the policy chooses the logged arm, it is shown the reward and the decision counts.

    On a log of uniformly random decisions this is unbiased for policies that learn, too: what is accepted is a
    history that the policy itself might have had.

    Parameters
    ----------
    log : with uniform propensities and rewards of 0 and 1
    policy : that decides by conversions
    name : of the policy, keys its stream
    passes : independent passes over the same log, >= 1
    by_value : the outcome counted is the value; what the policy is shown stays the reward

    Raises
    ------
    Invalid
        The log is not uniform, or a reward is neither 0 nor 1.

    References
    ----------
    .. [1] L. Li, W. Chu, J. Langford, X. Wang, WSDM 2011, 297-306, algorithm 2. doi:10.1145/1935826.1935878
    """
    if passes < 1:
        raise ValueError(f"passes: must be at least 1, not {passes}")
    _check(log)
    k, outcome = len(log.arms), outcomes(log, by_value)
    sequence = as_sequential(policy, k, passes, stream(seed, "replay", name))
    accepted, sums, squares = np.zeros((3, k, passes))
    for arm, won, earned in zip(log.arm.tolist(), log.reward > 0, outcome.tolist(), strict=True):
        cells = sequence.choose()
        agreed = cells[(cells >= arm * passes) & (cells < (arm + 1) * passes)]
        sequence.learn(agreed, np.full(agreed.size, won))
        for table, value in ((accepted, 1.0), (sums, earned), (squares, earned**2)):
            table.ravel()[agreed] += value
    return _rejection(accepted, sums, squares)


def _check(log: DecisionLog) -> None:
    if not log.is_uniform:
        far = int(np.abs(log.propensity * len(log.arms) - 1).argmax())
        raise Invalid(
            f"only a uniform log can be replayed by rejection; decision {far + 1} had the propensity "
            f"{log.propensity[far]:g} among {len(log.arms)} arms",
            [FieldError("log.propensity", "is not uniform")],
        )
    if not np.isin(log.reward, (0, 1)).all():
        raise Invalid("rewards must be 0 or 1 to be learnt from", [FieldError("log.reward", "is not 0 or 1")])


def _rejection(accepted: Floats, sums: Floats, squares: Floats) -> RejectionReplay:
    """The values of tables (k, passes)."""
    n, total = accepted.sum(axis=0), sums.sum(axis=0)
    some = n > 0
    if not some.any():
        return RejectionReplay(OutcomeEstimate(None, None), summary(n), None, np.zeros(len(accepted)))
    means = total[some] / n[some]
    variance = np.maximum(squares.sum(axis=0)[some] / n[some] - means**2, 0)
    error = float(np.sqrt((variance / n[some]).mean()))
    shares: Floats = accepted.sum(axis=1) / accepted.sum()
    return RejectionReplay(OutcomeEstimate(float(means.mean()), error), summary(n), summary(means), shares)
