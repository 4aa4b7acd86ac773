"""A forked child has connections, locks and events of its own, and gets the answers to its own questions."""

import pytest

from client_testing.processes import reported
from groundhog_client import Client

pytestmark = pytest.mark.system

UNITS = 30

SYNC = f"""
client = Client(URL, retries=STUBBORN)
client.assign("button", "parent-0")  # a connection that is kept open

def ask(who):
    found = [client.assign("button", f"{{who}}-{{i}}").unit_id for i in range({UNITS})]
    report(found == [f"{{who}}-{{i}}" for i in range({UNITS})])

children = [forked(ask, f"child{{number}}") for number in range(3)]
ask("parent")
report([joined(child) for child in children])
client.close()
"""

ASYNC = f"""
client = AsyncClient(URL, retries=STUBBORN)

async def ask(who):
    found = [(await client.assign("button", f"{{who}}-{{i}}")).unit_id for i in range({UNITS})]
    report(found == [f"{{who}}-{{i}}" for i in range({UNITS})])

def in_child(who):
    asyncio.run(ask(who))

async def main():
    await client.assign("button", "parent-0")  # a connection that is kept open
    children = [forked(in_child, f"child{{number}}") for number in range(3)]
    await ask("parent")
    report([joined(child) for child in children])
    await client.aclose()

asyncio.run(main())
"""


@pytest.fixture
def url(service_url):
    with Client(service_url) as client:
        client.create_experiment("button", ["blue", "green"], source="tracked")
    return service_url


def exposed(url):
    with Client(url) as client:
        return sum(day.impressions for day in client.each_daily_total("button"))


def assign(url, *units):
    with Client(url) as client:
        client.assign_many(("button", unit) for unit in units)


@pytest.mark.parametrize("text", [SYNC, ASYNC], ids=["sync", "async"])
def test_parent_and_children_get_the_answers_to_their_own_questions(url, text):
    *right, exit_codes = reported(text, url)
    assert (right, exit_codes) == ([True] * 4, [0, 0, 0])


SENDER = """
client = Client(URL, retries=STUBBORN)
sender = client.event_sender(LATER)
sender.exposure("button", "parent")

def in_child():
    report(len(sender))
    sender.exposure("button", "child")
    sender.flush()
    report(len(sender))

report(joined(forked(in_child)))
report(len(sender))
client.close()
"""

ASYNC_SENDER = """
client = AsyncClient(URL, retries=STUBBORN)
sender = client.event_sender(LATER)

def in_child():
    asyncio.run(send())

async def send():
    report(len(sender))
    await sender.exposure("button", "child")
    await sender.flush()
    report(len(sender))

async def main():
    await sender.exposure("button", "parent")
    report(joined(forked(in_child)))
    report(len(sender))
    await client.aclose()

asyncio.run(main())
"""


@pytest.mark.parametrize("text", [SENDER, ASYNC_SENDER], ids=["sync", "async"])
def test_a_child_sends_its_own_events_and_leaves_the_parents_to_the_parent(url, text):
    assign(url, "parent", "child")
    assert reported(text, url) == [0, 0, 0, 1]
    assert exposed(url) == 2


LOCKED = """
client = Client(URL, retries=STUBBORN)
sender = client.event_sender(LATER)
client.read_allocation("button")
locks = [client._transport.calls.cache._lock, client._transport._connections._lock, sender._changed]
held, done = threading.Event(), threading.Event()

def hold():
    for lock in locks:
        lock.acquire()
    held.set()
    done.wait()
    for lock in locks:
        lock.release()

holding = threading.Thread(target=hold)
holding.start()
held.wait()

def in_child():
    client.read_allocation("button")
    sender.exposure("button", "child")
    sender.flush()

child = forked(in_child)
report(joined(child))
done.set()
holding.join()
client.close()
"""


def test_a_lock_that_was_held_at_the_fork_does_not_stop_the_child(url):
    assign(url, "child")
    assert reported(LOCKED, url) == [0]
    assert exposed(url) == 1


GIVEN = """
import httpx2
with httpx2.Client() as http:
    client = Client(URL, retries=STUBBORN, http=http)
    if sys.argv[2] == "used":
        client.check_alive()

    def in_child():
        try:
            report(client.check_alive().status)
        except GroundhogError as error:
            report(str(error))

    report(joined(forked(in_child)))
"""


def test_connections_that_the_program_made_and_used_before_the_fork_are_an_error_with_the_remedy(url):
    output, _ = reported(GIVEN, url, "used")
    assert "create it, and the groundhog_client.Client, after the fork" in output


def test_connections_that_the_program_made_and_did_not_use_can_be_used_after_the_fork(url):
    assert reported(GIVEN, url, "not yet") == ["alive", 0]
