"""How many rounds per second another bandit library plays; run by its own Python, prints JSON.

Five arms, Bernoulli rewards, one decision and one update per round: ``python simulator_peers.py river 2000``.
"""

import json
import random
import sys
import time
from collections.abc import Callable

RATES = (0.486978, 0.319439, 0.529299, 0.448684, 0.147089)
ARMS = [f"arm {i}" for i in range(len(RATES))]
Play = Callable[[], str]
Learn = Callable[[str, int], None]


def river(kind: str) -> tuple[Play, Learn]:
    """River's policies."""
    from river import bandit, proba

    policy = (
        bandit.ThompsonSampling(reward_obj=proba.Beta(), seed=1)
        if kind == "thompson"
        else bandit.EpsilonGreedy(epsilon=0.1, seed=1)
    )
    return lambda: policy.pull(ARMS), policy.update


def mabwiser(kind: str) -> tuple[Play, Learn]:
    """MABWiser's policies."""
    from mabwiser.mab import MAB, LearningPolicy

    learning = (
        LearningPolicy.ThompsonSampling() if kind == "thompson" else LearningPolicy.EpsilonGreedy(epsilon=0.1)
    )
    policy = MAB(list(ARMS), learning, seed=1)
    policy.fit(decisions=ARMS, rewards=[0] * len(ARMS))
    return policy.predict, lambda arm, reward: policy.partial_fit([arm], [reward])


def pybandits(kind: str) -> tuple[Play, Learn]:
    """PyBandits' policies; its epsilon-greedy is Thompson with epsilon."""
    from pybandits.smab import SmabBernoulli

    epsilon = {} if kind == "thompson" else {"epsilon": 0.1}
    policy = SmabBernoulli.cold_start(action_ids=set(ARMS), **epsilon)

    def play() -> str:
        return str(policy.predict(n_samples=1)[0][0])

    return play, lambda arm, reward: policy.update(actions=[arm], rewards=[reward])


def rounds_per_second(play: Play, learn: Learn, rounds: int) -> float:
    """Play them, after some to warm up."""
    world = random.Random(1)
    for round_ in range(-50, rounds):
        if round_ == 0:
            began = time.process_time()
        arm = play()
        learn(arm, int(world.random() < RATES[ARMS.index(arm)]))
    return rounds / (time.process_time() - began)


def main() -> None:
    """Print the rounds per second of both policies, or why there are none."""
    name, rounds = sys.argv[1], int(sys.argv[2])
    library = {"river": river, "mabwiser": mabwiser, "pybandits": pybandits}[name]
    found: dict[str, float | str] = {}
    for kind in ("thompson", "epsilon_greedy"):
        try:
            found[kind] = rounds_per_second(*library(kind), rounds)
        except Exception as error:  # a peer that changed its interface is reported, not fatal
            found[kind] = f"{type(error).__name__}: {error}"
    print(json.dumps(found))


if __name__ == "__main__":
    main()
