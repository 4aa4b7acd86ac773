"""kill -9 of the service and of its PostgreSQL under mixed load: nothing acknowledged is lost or counted twice."""

import random
import time

from tests.system.chaos.load import KILLS, load

chance = random.Random(20261121)


def test_the_service_is_killed_and_started_again(running, settle):
    with load(lambda: running.address) as writing:
        for _ in range(KILLS):
            writing.wait_for(50)
            time.sleep(chance.uniform(0, 0.2))
            running.kill()
            running.start()
            running.wait_until_ready()
        writing.wait_for(50)
    settle(running, writing, KILLS)


def test_postgresql_is_killed_and_comes_back_by_itself(running, settle):
    with load(lambda: running.address) as writing:
        for _ in range(KILLS):
            writing.wait_for(50)
            time.sleep(chance.uniform(0, 0.2))
            running.kill_postgres()
            writing.wait_for(50)
    settle(running, writing, KILLS)
