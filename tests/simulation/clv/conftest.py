"""The preset's world, made once, and a small one that is quick to play."""

import pytest

from app.simulation.clv.world.enumeration import enumerated
from app.simulation.clv.world.scenario import Scenario
from app.simulation.clv.world.world import World

SMALL = {"customers": 3_000, "days": 60, "quota": 40}


@pytest.fixture(scope="package")
def world():
    return World.of(Scenario())


@pytest.fixture(scope="package")
def known(world):
    return enumerated(world)


@pytest.fixture
def small():
    return Scenario(**SMALL)
