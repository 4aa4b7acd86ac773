"""The simulator, per-round decisions of five arms: rounds per second on one core, and beside other libraries.

Run alone with ``python -m benchmarks.compute.simulator``. Rounds are per second of processor time, as the others'.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import gettempdir
from typing import Any
from urllib.request import Request, urlopen

from app.simulation.email import EmailPolicyChoice, EmailScenario, play
from app.simulation.email.campaign import play_block
from app.simulation.email.policies import build_policy_to_play
from benchmarks.measurement import Measurement, Target, timed
from benchmarks.service import Service

REPEATS = 3
REPLICATIONS = 1000
TARGETS = {"thompson": 4e6, "epsilon_greedy": 22e6}
PEERS = ("mabwiser", "river", "pybandits")
PEER_ROUNDS = 2000
TIMES_THE_FASTEST = 25
INSTALL_SECONDS = 300
THREE = ("thompson", "epsilon_greedy", "epsilon_greedy_original")


def measure(service: Service | None = None) -> Iterator[Measurement]:
    """Yield the rounds per second of both policies, alone and over the fastest peer, and a single run's time.

    Without a service the single run is played in this process.
    """
    rates = {kind: _rounds_per_second(kind) for kind in TARGETS}
    for kind, target in TARGETS.items():
        what = f"simulator, {kind}, 5 arms x 10,000 rounds x {REPLICATIONS:,}: rounds/s"
        yield Measurement(what, rates[kind], Target(">=", target))
    peers = _peers()
    for kind in TARGETS:
        known = {name: found[kind] for name, found in peers.items() if isinstance(found.get(kind), float)}
        if known:
            yield _beside(kind, rates[kind], known)
    yield from [_single()] if service is None else _single_over_http(service)


def _rounds_per_second(kind: str) -> list[float]:
    """A whole block with its bookkeeping; P(best) is computed once, at the end."""
    scenario = EmailScenario(replications=REPLICATIONS, days=1)
    contestant = build_policy_to_play(kind, {}, scenario.prior)
    rounds = scenario.emails * scenario.replications
    rates = []
    for _ in range(REPEATS):
        began = time.process_time()
        play_block(scenario, contestant, 0)
        rates.append(rounds / (time.process_time() - began))
    return rates


def _beside(kind: str, ours: list[float], known: dict[str, float]) -> Measurement:
    fastest = max(known.values())
    beside = ", ".join(f"{name} {rate:,.0f}/s" for name, rate in known.items())
    what = f"simulator, {kind}: rounds/s over the fastest peer's"
    return Measurement(what, [rate / fastest for rate in ours], Target(">=", TIMES_THE_FASTEST), beside)


def _single() -> Measurement:
    choices = tuple(EmailPolicyChoice(kind) for kind in THREE)
    seconds = []
    for _ in range(REPEATS):
        began = time.process_time()
        play(EmailScenario(policies=choices, replications=1))
        seconds.append(time.process_time() - began)
    return Measurement("simulator, one replication of three policies: seconds", seconds, Target("<", 1))


def _single_over_http(service: Service) -> Iterator[Measurement]:
    """The first run of all starts the process that plays; it has to be in time as well."""
    first, *others = (timed(lambda seed=seed: _asked(service, seed)) for seed in range(REPEATS + 1))
    what = "POST /simulations/email, one replication of three policies"
    yield Measurement(f"{what}, the service's first run: seconds", [first], Target("<", 1))
    yield Measurement(f"{what}: seconds", others, Target("<", 1))


def _asked(service: Service, seed: int) -> None:
    body = {"policies": [{"kind": kind} for kind in THREE], "replications": 1, "seed": seed}
    headers = {"Content-Type": "application/json"}
    with urlopen(Request(f"{service.url}/simulations/email", json.dumps(body).encode(), headers)) as answer:
        if answer.status != 201:
            raise RuntimeError(f"the service answered {answer.status}, not the finished run")


def _peers() -> dict[str, dict[str, Any]]:
    """What each peer that could be installed says of itself."""
    found = {}
    for name in PEERS:
        python = _installed(name)
        if python is None:
            print(f"  {name}: skipped, it could not be installed here")
            continue
        program = Path(__file__).with_name("simulator_peers.py")
        run = subprocess.run([python, program, name, str(PEER_ROUNDS)], capture_output=True, text=True)
        found[name] = json.loads(run.stdout) if run.returncode == 0 else {"thompson": run.stderr[-200:]}
        for kind, said in found[name].items():
            if isinstance(said, str):
                print(f"  {name}, {kind}: {said}")
    return found


@cache
def _installed(name: str) -> str | None:
    """The Python of a throw-away environment with this library, reused between runs, not in the locks."""
    home = Path(gettempdir()) / "groundhog-peers" / name
    python = home / "bin" / "python"
    if (home / "installed").exists():
        return str(python)
    try:
        subprocess.run([sys.executable, "-m", "venv", home], check=True, capture_output=True)
        install = [python, "-m", "pip", "install", "--quiet", name]
        subprocess.run(install, check=True, capture_output=True, timeout=INSTALL_SECONDS)
    except (subprocess.SubprocessError, OSError):
        return None
    (home / "installed").touch()
    return str(python)


if __name__ == "__main__":
    for measurement in measure():
        print(measurement.line(), flush=True)
