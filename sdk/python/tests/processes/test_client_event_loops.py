"""One asynchronous client in one event loop after another, and in several at once."""

import asyncio
import threading

import httpx2
import pytest

from client_testing.answers import EAGER
from client_testing.processes import reported
from groundhog_client import AsyncClient, Batching, Client, GroundhogError

pytestmark = pytest.mark.system

LATER = Batching(interval=600)


@pytest.fixture
def url(service_url):
    with Client(service_url) as client:
        client.create_experiment("button", ["blue", "green"], source="tracked")
        client.assign_many(("button", f"user-{i}") for i in range(3))
    return service_url


def exposed(url):
    with Client(url) as client:
        return sum(day.impressions for day in client.each_daily_total("button"))


ENDED_LOOPS = """
import warnings
warnings.simplefilter("ignore", ResourceWarning)  # connections of loops that ended
"""

ONE_AFTER_ANOTHER = (
    ENDED_LOOPS
    + """
client = AsyncClient(URL, retries=STUBBORN)
for _ in range(3):
    report(asyncio.run(client.check_alive()).status)
    report(asyncio.run(client.decide("button", "user-1", within=30)).is_fallback)
report(len(client._transport._connections._pools))
asyncio.run(client.aclose())
"""
)


def test_it_works_in_one_loop_after_another_and_forgets_those_that_ended(url):
    assert reported(ONE_AFTER_ANOTHER, url) == ["alive", False] * 3 + [1]


def test_it_works_in_several_loops_at_once(url):
    client, found = AsyncClient(url, retries=EAGER), []
    here = threading.Barrier(4)

    async def ask(number):
        for i in range(20):
            assignment = await client.assign("button", f"unit-{number}-{i}")
            found.append(assignment.unit_id == f"unit-{number}-{i}")
        await asyncio.to_thread(here.wait, 60)
        if number == 0:
            await client.aclose()  # the pools of all loops, each in its own
        await asyncio.to_thread(here.wait, 60)

    threads = [threading.Thread(target=asyncio.run, args=(ask(number),)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 80


def test_the_programs_own_connections_in_a_second_loop_are_an_error_with_the_remedy(url):
    http = httpx2.AsyncClient()
    client = AsyncClient(url, http=http, retries=EAGER)

    async def first():
        await client.check_alive()
        await http.aclose()

    asyncio.run(first())
    with pytest.raises(
        GroundhogError, match="leave http= out, or create it, and the AsyncClient, in each loop"
    ):
        asyncio.run(client.check_alive())


SENDER = (
    ENDED_LOOPS
    + """
client = AsyncClient(URL, retries=STUBBORN)
sender = client.event_sender(LATER)
asyncio.run(sender.exposure("button", "user-0"))
asyncio.run(sender.flush())
asyncio.run(sender.exposure("button", "user-1"))
report(len(sender))
asyncio.run(client.aclose())
"""
)


def test_a_sender_works_in_one_loop_after_another_with_what_it_holds(url):
    assert reported(SENDER, url) == [1]
    assert exposed(url) == 2


def test_a_sender_in_two_loops_at_once_is_an_error_with_the_remedy(url):
    client = AsyncClient(url, retries=EAGER)
    sender = client.event_sender(LATER)

    async def use():
        await sender.exposure("button", "user-0")
        with pytest.raises(GroundhogError, match="make one for each loop"):
            await asyncio.to_thread(asyncio.run, sender.exposure("button", "user-1"))
        await client.aclose()

    asyncio.run(use())
    assert exposed(url) == 1


def test_a_sender_that_a_stopped_loop_had_begun_to_use_is_taken_over(url):
    client = AsyncClient(url, retries=EAGER)
    sender, stopped = client.event_sender(Batching(interval=0.01)), asyncio.new_event_loop()
    stopped.run_until_complete(sender.exposure("button", "user-0"))

    async def take_over():
        await sender.flush()
        await client._transport._connections._pools[asyncio.get_running_loop()].aclose()

    asyncio.run(take_over())
    stopped.run_until_complete(asyncio.sleep(0.05))  # its task ends quietly
    assert not asyncio.all_tasks(stopped)
    stopped.run_until_complete(client.aclose())
    stopped.close()
    assert exposed(url) == 1
