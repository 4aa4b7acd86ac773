"""Experiments with any past are the same on the server they were moved to: today, and with whatever comes next."""

import random

import pytest

from tests.support.fixtures.transfer import take

UNITS = [f"u{number} é" for number in range(10)]
READS = [
    "/experiments/{}",
    "/experiments/{}/posterior",
    "/experiments/{}/comparison",
    "/experiments/{}/estimates",
    "/experiments/{}/gain",
    "/experiments/{}/delay",
    "/experiments/{}/export",
    "/allocations/{}",
    "/allocations/{}?as_of=now",
    "/allocations/{}/history",
    "/metrics/{}",
]


class Life:
    """An experiment to which anything may happen; what the service refuses does not."""

    def __init__(self, client, clock, seed, **settings):
        self.client, self.clock, self.random = client, clock, random.Random(seed)
        self.name = f"e{seed}"
        variants = [{"variant_id": variant} for variant in "abc"]
        made = {"experiment_id": self.name, "source": "tracked", "variants": variants, **settings}
        client.post("/experiments", json=made).raise_for_status()

    def goes_on(self, steps):
        for step in range(steps):
            happens = self.random.choice([self.units, self.events, self.unit, self.variant, self.settings])
            answer = happens(step)
            assert answer.status_code < 500, answer.text
            if self.random.random() < 0.2:
                self.clock.pass_days(1)
                self.client.get(f"/allocations/{self.name}")

    def units(self, _):
        return assigned(self.client, self.name, self.random.sample(UNITS, 4))

    def events(self, step):
        worth = self.random.choice([1, -5.5, 1e20])
        sent = [
            {"experiment_id": self.name, "unit_id": unit, "event_id": f"{step} {unit} {kind['type']}", **kind}
            for unit in self.random.sample(UNITS, 4)
            for kind in ({"type": "exposure"}, {"type": "value", "value": worth})
        ]
        return self.client.post("/events", json=sent)

    def unit(self, _):
        unit, other = self.random.sample(UNITS, 2)
        sent = {"experiment_id": self.name, "unit_id": unit}
        path, more = self.random.choice(
            [
                ("overrides", {"variant_id": self.random.choice([None, *"abcd"])}),
                ("merge", {"into_unit_id": other}),
                ("forget", {}),
            ]
        )
        return self.client.post(f"/assignments/{path}", json=sent | more)

    def variant(self, _):
        variant, path = self.random.choice("abcde"), f"/experiments/{self.name}/variants"
        asked = self.random.choice(["add", "delete", "retire"])
        if asked == "add":
            return self.client.post(path, json={"variant_id": variant})
        if asked == "delete":
            return self.client.delete(f"{path}/{variant}")
        return self.client.patch(f"{path}/{variant}", json={"retired_on": str(self.clock().date())})

    def settings(self, _):
        path = f"/experiments/{self.name}"
        asked = self.random.choice(["state", "min_share", "time_zone", "rollout"])
        if asked == "rollout":
            return self.client.post(f"{path}/rollout", json={"variant_id": self.random.choice("abc")})
        choices = {
            "state": ["running", "paused", "archived"],
            "min_share": [0, 5, 9.5],
            "time_zone": ["UTC", "Asia/Kathmandu", "America/Lima"],
        }
        return self.client.patch(path, json={asked: self.random.choice(choices[asked])})


def assigned(client, name, units):
    return client.post("/assignments", json=[{"experiment_id": name, "unit_id": unit} for unit in units])


def seen(client, name):
    return {path: client.get(path.format(name)).content for path in READS}


def what_comes_next(client, name):
    """New units, events sent again, and overrides taken back, as far as they can be compared."""
    told = assigned(client, name, [*UNITS, "new", "newer"]).json()
    back = [{"experiment_id": name, "unit_id": unit, "variant_id": None} for unit in UNITS]
    taken = [client.post("/assignments/overrides", json=sent) for sent in back]
    return [one | {"assigned_at": None} for one in told], [answer.status_code for answer in taken]


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"assignment_mode": "rendezvous", "holdout_percent": 30.0, "policy": {"kind": "epsilon_greedy"}},
        {"objective": "value", "currency": "IDR", "policy": {"kind": "value_thompson"}},
    ],
    ids=["sticky", "rendezvous", "value"],
)
def test_an_experiment_with_any_past_is_the_same_elsewhere(client, clock, elsewhere, settings):
    for seed in range(2):
        life = Life(client, clock, seed, **settings)
        life.goes_on(25)
        answer = take(elsewhere, client.get(f"/experiments/{life.name}/export").content)
        assert answer.status_code == 201, answer.text
        assert seen(elsewhere, life.name) == seen(client, life.name)
        assert what_comes_next(elsewhere, life.name) == what_comes_next(client, life.name)
