"""Mixed writers that send everything again until it is acknowledged, and know what must be there in the end."""

import datetime as dt
import threading
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx2

FIRST_DAY = dt.date(1990, 1, 1)
VARIANTS = ("a", "b", "c")
GIVE_UP_SECONDS = 90
TRACKED = "tracked"


@dataclass
class Acknowledged:
    """What a writer was told is stored."""

    totals: dict[tuple[str, str], int] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    converted: set[str] = field(default_factory=set)

    def __len__(self):
        return len(self.totals) + len(self.units)


class Writer(threading.Thread):
    """One client: daily totals of an experiment of its own, and units of the tracked one, in turns."""

    def __init__(self, number, address_of, stopping):
        super().__init__(name=f"writer {number}")
        self.number, self.address_of, self.stopping = number, address_of, stopping
        self.acknowledged = Acknowledged()
        self.unanswered = 0
        self.faults = []

    @property
    def experiment_id(self):
        return f"reported-{self.number}"

    def run(self):
        turn = 0
        while not self.stopping.is_set() and not self.faults:
            self._report(turn)
            self._serve_a_unit(turn)
            turn += 1

    def _report(self, turn):
        variant_id, date = VARIANTS[turn % 3], str(FIRST_DAY + dt.timedelta(days=turn // 3))
        total = {"experiment_id": self.experiment_id, "variant_id": variant_id, "date": date}
        if self._send("/metrics", total | {"impressions": 100 + turn, "successes": turn % 50}) is not None:
            self.acknowledged.totals[variant_id, date] = 100 + turn

    def _serve_a_unit(self, turn):
        unit = {"experiment_id": TRACKED, "unit_id": f"{self.number}-{turn}"}
        assigned = self._send("/assignments", unit)
        if assigned is None:
            return
        kinds = ["exposure", "conversion"] if turn % 3 == 0 else ["exposure"]
        events = [unit | {"event_id": f"{unit['unit_id']} {kind}", "type": kind} for kind in kinds]
        answer = self._send("/events", events)
        if answer is None:
            return
        refused = [item for item in answer["items"] if item["status"] not in ("counted", "duplicate")]
        if refused:
            self.faults.append(refused)
        self.acknowledged.units[unit["unit_id"]] = assigned["variant_id"]
        if turn % 3 == 0:
            self.acknowledged.converted.add(unit["unit_id"])

    def _send(self, path, body):
        """Send until it is acknowledged; anything but that, a 503 and a broken connection is a fault."""
        give_up = time.monotonic() + GIVE_UP_SECONDS
        while time.monotonic() < give_up:
            try:
                answer = httpx2.post(f"{self.address_of()}{path}", json=body, timeout=30)
            except httpx2.TransportError:
                self.unanswered += 1
                time.sleep(0.02)
                continue
            if answer.is_success:
                return answer.json()
            if answer.status_code != 503:
                self.faults.append((path, answer.status_code, answer.text))
                return None
            time.sleep(0.05)
        self.faults.append((path, f"no acknowledgement within {GIVE_UP_SECONDS} s"))
        return None


class Load:
    """Some writers at once."""

    def __init__(self, address_of, writers=4):
        self.stopping = threading.Event()
        self.writers = [Writer(number, address_of, self.stopping) for number in range(writers)]

    @property
    def acknowledged(self):
        return sum(len(writer.acknowledged) for writer in self.writers)

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


@contextmanager
def load(address_of, writers=4):
    """Write until the block ends; what was begun then is finished."""
    running = Load(address_of, writers)
    httpx2.post(f"{address_of()}/experiments", json={
        "experiment_id": TRACKED, "source": "tracked", "variants": [{"variant_id": name} for name in VARIANTS]
    }).raise_for_status()  # fmt: skip
    for writer in running.writers:
        writer.start()
    try:
        yield running
    finally:
        running.stopping.set()
        for writer in running.writers:
            writer.join(GIVE_UP_SECONDS + 30)


def check(address, running):
    """Everything acknowledged is there, exactly once, and nothing else is."""
    assert running.faults == []
    assert running.acknowledged > 0
    for writer in running.writers:
        assert _stored(address, writer.experiment_id) == writer.acknowledged.totals
    units = {unit: name for writer in running.writers for unit, name in writer.acknowledged.units.items()}
    converted = {unit for writer in running.writers for unit in writer.acknowledged.converted}
    assert _totals(address) == {
        name: (count, sum(units[unit] == name for unit in converted))
        for name, count in Counter(units.values()).items()
    }
    assert _assigned_again(address, list(units)) == units


def _stored(address, experiment_id):
    stored, cursor = {}, None
    while True:
        query = {"limit": 1000} | ({"cursor": cursor} if cursor else {})
        page = httpx2.get(f"{address}/metrics/{experiment_id}", params=query, timeout=30)
        page.raise_for_status()
        stored |= {(row["variant_id"], row["date"]): row["impressions"] for row in page.json()["items"]}
        cursor = page.json()["next_cursor"]
        if cursor is None:
            return stored


def _totals(address):
    totals = Counter(), Counter()
    for row in httpx2.get(f"{address}/metrics/{TRACKED}", timeout=30).raise_for_status().json()["items"]:
        totals[0][row["variant_id"]] += row["impressions"]
        totals[1][row["variant_id"]] += row["successes"]
    return {name: (count, totals[1][name]) for name, count in totals[0].items()}


def _assigned_again(address, units):
    found = {}
    for start in range(0, len(units), 1000):
        asked = [{"experiment_id": TRACKED, "unit_id": unit} for unit in units[start : start + 1000]]
        answer = httpx2.post(f"{address}/assignments", json=asked, timeout=60).raise_for_status()
        found |= {item["unit_id"]: item["variant_id"] for item in answer.json()}
    return found
