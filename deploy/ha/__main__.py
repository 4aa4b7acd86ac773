"""`make ha`: fail the primary repeatedly while clients write; every acknowledged write must be stored."""

import argparse
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import cycle, islice
from pathlib import Path

from deploy.ha.cluster import Cluster, Machine, cluster
from deploy.ha.programs import Missing
from tests.system.chaos.load import Load, load, missing
from tests.system.chaos.service import Running

WRITES_BETWEEN = 100
FROZEN_SECONDS = 5
"""How long the old primary stays frozen after there is a new one."""


def crash(machine: Machine, new_primary: Callable[[], None]) -> None:
    """Kill -9 PostgreSQL; its Patroni makes way for a standby and starts it again."""
    machine.kill_postgres()
    new_primary()


def power_off(machine: Machine, new_primary: Callable[[], None]) -> None:
    """Kill -9 PostgreSQL, Patroni and etcd; the machine comes back when there is a new primary."""
    machine.kill()
    new_primary()
    machine.start()


def freeze(machine: Machine, new_primary: Callable[[], None]) -> None:
    """Freeze a machine; it resumes later and considers itself the primary."""
    machine.freeze()
    new_primary()
    time.sleep(FROZEN_SECONDS)
    machine.thaw()


FAULTS = {"PostgreSQL killed": crash, "machine killed": power_off, "machine frozen": freeze}


def drill(strikes: int) -> bool:
    """Fail the primary, print a line each time, and return whether every acknowledged write is stored."""
    begin = time.monotonic()
    with cluster() as ha, service(ha.url) as running, load(lambda: running.address) as writing:
        print(f"three nodes and the service are up after {time.monotonic() - begin:.0f} s", flush=True)
        try:
            for name in islice(cycle(FAULTS), strikes):
                print(strike(ha, writing, name), flush=True)
            writing.wait_for(WRITES_BETWEEN)
        except (AssertionError, TimeoutError) as error:  # what is missing by now is counted all the same
            print(f"given up: {error}")
        writing.stop()
        return verdict(running, writing)


@contextmanager
def service(url: str) -> Iterator[Running]:
    """Run the service on a database."""
    running = Running(Path("unused"), log=subprocess.DEVNULL, DATABASE_URL=url)
    try:
        running.wait_until_ready()
        yield running
    finally:
        running.terminate()


def strike(ha: Cluster, writing: Load, name: str) -> str:
    """Fail the primary under load, wait until three nodes run again, and return what clients saw."""
    ha.wait_until(lambda: ha.whole)
    writing.wait_for(WRITES_BETWEEN)
    old = ha.primary
    assert old is not None, "the cluster is whole"
    refused, unanswered, begin = writing.refused, writing.unanswered, time.monotonic()

    def new_primary() -> None:
        ha.wait_until(lambda: ha.primary not in (None, old))
        writing.wait_for(WRITES_BETWEEN)

    FAULTS[name](old, new_primary)
    silence = writing.longest_silence(begin)
    ha.wait_until(lambda: ha.whole)
    return (
        f"{name:<18} {old.name}: no write for {silence:4.1f} s"
        f" ({writing.refused - refused} answers 503, {writing.unanswered - unanswered} none),"
        f" whole again after {time.monotonic() - begin:3.0f} s"
    )


def verdict(running: Running, writing: Load) -> bool:
    """Compare the acknowledged writes with the stored ones, and print the counts."""
    lost, surplus = missing(running.address, writing)
    print(
        f"{writing.acknowledged} writes acknowledged, {len(lost)} lost,"
        f" {len(surplus)} stored but not acknowledged, {len(writing.faults)} answers other than success or 503"
    )
    for fault in writing.faults:
        print(fault)
    return not (lost or surplus or writing.faults)


def main() -> None:
    """Run the drill; exit 1 where something acknowledged was lost, or a program is missing."""
    parser = argparse.ArgumentParser(prog="python -m deploy.ha", description=__doc__)
    parser.add_argument("--strikes", type=int, default=6, help="how often the primary fails (6)")
    try:
        good = drill(parser.parse_args().strikes)
    except Missing as missing_programs:
        sys.exit(str(missing_programs))
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
