"""Mixed writers that send everything again until it is acknowledged, and know what must be there in the end."""

import datetime as dt
import os
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import uuid4

import httpx2

from tests.system.chaos.stored import Stored

FIRST_DAY = dt.date(1990, 1, 1)
VARIANTS = ("a", "b", "c")
GIVE_UP_SECONDS = 300
KILLS = int(os.environ.get("GROUNDHOG_CHAOS_KILLS", "2"))
"""How often each thing is killed."""


@dataclass
class Acknowledged:
    """What a writer was told is stored: totals by variant and date, units with their variants."""

    totals: dict[tuple[str, str], int] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    converted: set[str] = field(default_factory=set)


class Writer(threading.Thread):
    """One client: daily totals of an experiment of its own, and units of the tracked one, in turns."""

    def __init__(self, name, tracked, address_of, stopping):
        super().__init__(name=name)
        self.tracked = tracked
        self._address_of, self._stopping = address_of, stopping
        self.acknowledged = Acknowledged()
        self.moments = []
        self.refused = self.unanswered = 0
        self.faults = []

    def run(self):
        turn = 0
        with httpx2.Client(timeout=120) as self._client:
            while not self._stopping.is_set() and not self.faults:
                self._report(turn)
                self._serve_a_unit(turn)
                turn += 1

    def _report(self, turn):
        variant_id, date = VARIANTS[turn % 3], str(FIRST_DAY + dt.timedelta(days=turn // 3))
        total = {"experiment_id": self.name, "variant_id": variant_id, "date": date}
        if self._send("/metrics", total | {"impressions": 100 + turn, "successes": turn % 50}) is not None:
            self.acknowledged.totals[variant_id, date] = 100 + turn

    def _serve_a_unit(self, turn):
        unit = {"experiment_id": self.tracked, "unit_id": f"{self.name}-{turn}"}
        assigned = self._send("/assignments", unit)
        if assigned is None:
            return
        self.acknowledged.units[unit["unit_id"]] = assigned["variant_id"]
        kinds = ["exposure", "conversion"] if turn % 3 == 0 else ["exposure"]
        events = [unit | {"event_id": f"{unit['unit_id']} {kind}", "type": kind} for kind in kinds]
        answer = self._send("/events", events)
        if answer is None:
            return
        refused = [item for item in answer["items"] if item["status"] not in ("counted", "duplicate")]
        if refused:
            self.faults.append(refused)
        if turn % 3 == 0:
            self.acknowledged.converted.add(unit["unit_id"])

    def _send(self, path, body):
        """Send until it is acknowledged; anything else but the designed 503 and a broken connection is a fault."""
        give_up = time.monotonic() + GIVE_UP_SECONDS
        while time.monotonic() < give_up:
            try:
                answer = self._client.post(f"{self._address_of()}{path}", json=body)
            except httpx2.TransportError:
                self.unanswered += 1
                time.sleep(0.1)
                continue
            if answer.is_success:
                self.moments.append(time.monotonic())
                return answer.json()
            if answer.status_code != 503 or not answer.headers.get("Retry-After", "").isdigit():
                self.faults.append((path, answer.status_code, answer.text))
                return None
            self.refused += 1
            time.sleep(0.05)
        self.faults.append((path, f"no acknowledgement within {GIVE_UP_SECONDS} s"))
        return None


class Load:
    """Some writers at once, on experiments of their own."""

    def __init__(self, address_of, writers):
        self.name = f"load-{uuid4().hex[:8]}"
        self.tracked = f"{self.name}-tracked"
        self._address_of, self._stopping = address_of, threading.Event()
        self.writers = [
            Writer(f"{self.name}-{number}", self.tracked, address_of, self._stopping)
            for number in range(writers)
        ]

    def start(self):
        httpx2.post(
            f"{self._address_of()}/experiments",
            json={
                "experiment_id": self.tracked,
                "source": "tracked",
                "variants": [{"variant_id": name} for name in VARIANTS],
            },
            timeout=120,
        ).raise_for_status()
        for writer in self.writers:
            writer.start()

    def stop(self):
        self._stopping.set()
        for writer in self.writers:
            writer.join(GIVE_UP_SECONDS + 30)

    @property
    def acknowledged(self):
        return sum(len(writer.moments) for writer in self.writers)

    @property
    def refused(self):
        return sum(writer.refused for writer in self.writers)

    @property
    def unanswered(self):
        return sum(writer.unanswered for writer in self.writers)

    @property
    def faults(self):
        return [fault for writer in self.writers for fault in writer.faults]

    def wait_for(self, more):
        """Wait until so many more writes were acknowledged."""
        wanted, give_up = self.acknowledged + more, time.monotonic() + GIVE_UP_SECONDS
        while self.acknowledged < wanted:
            assert not self.faults, self.faults
            assert time.monotonic() < give_up, f"only {self.acknowledged} of {wanted} acknowledged"
            time.sleep(0.01)

    def longest_silence(self, since):
        """Return the longest time without any acknowledgement since a moment."""
        moments = sorted(
            moment for writer in self.writers for moment in list(writer.moments) if moment > since
        )
        return max(after - before for before, after in zip([since, *moments], moments, strict=False))


@contextmanager
def load(address_of, writers=4):
    """Write until the block ends; what was begun then is finished."""
    running = Load(address_of, writers)
    running.start()
    try:
        yield running
    finally:
        running.stop()


def missing(address, running):
    """Return what was acknowledged and is not there as it was acknowledged, and what should not be there."""
    with Stored(address) as stored:
        lost, surplus = [], []
        for writer in running.writers:
            totals, acknowledged = stored.totals(writer.name), writer.acknowledged.totals
            lost += [key for key, number in acknowledged.items() if totals.get(key) != number]
            surplus += [key for key in totals if key not in acknowledged]
        units = {unit: name for writer in running.writers for unit, name in writer.acknowledged.units.items()}
        converted = {unit for writer in running.writers for unit in writer.acknowledged.converted}
        there = stored.units(running.tracked)
        lost += [unit for unit, variant_id in units.items() if there.get(unit) != variant_id]
        surplus += [unit for unit in there if unit not in units]
        rolled_up = stored.rolled_up(running.tracked)
    for variant_id in VARIANTS:
        exposed = [unit for unit, name in units.items() if name == variant_id]
        wanted = len(exposed), len(converted.intersection(exposed))
        for should, is_there in zip(wanted, rolled_up.get(variant_id, (0, 0)), strict=True):
            lost += [f"event of {variant_id}"] * max(0, should - is_there)
            surplus += [f"event of {variant_id}"] * max(0, is_there - should)
    return lost, surplus


def check(address, running):
    """Everything acknowledged is there, exactly once, and nothing else is."""
    assert running.faults == []
    assert running.acknowledged > 0
    assert missing(address, running) == ([], [])
