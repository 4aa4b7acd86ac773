"""Events that are held when a process ends are delivered, in every way of ending that lets a program act."""

import signal

import pytest

from client_testing.processes import program, reported
from groundhog_client import Client

pytestmark = pytest.mark.system

ADD = """
client = Client(URL, retries=STUBBORN)
sender = client.event_sender(LATER)

def add(unit):
    sender.exposure("button", unit)
"""

ADD_ASYNC = """
client = AsyncClient(URL, retries=STUBBORN)
sender = client.event_sender(LATER)

def add(unit):
    asyncio.run(sender.exposure("button", unit))
"""

ENDS = {
    "interpreter": """
add("user-1")
""",
    "sys.exit": """
add("user-1")
sys.exit(0)
""",
    "multiprocessing": """
report(joined(forked(add, "user-1")))
""",
    "os.fork": """
child = os.fork()
if child == 0:
    add("user-1")
    sys.exit(0)
report(os.waitpid(child, 0)[1])
""",
    "grandchild": """
def in_child():
    report(joined(forked(add, "user-1")))

report(joined(forked(in_child)))
""",
    "ProcessPoolExecutor": """
from concurrent.futures import ProcessPoolExecutor
with ProcessPoolExecutor(1, multiprocessing.get_context("fork")) as pool:
    pool.submit(add, "user-1").result(60)
""",
    "Pool.join": """
pool = multiprocessing.get_context("fork").Pool(1)
pool.map(add, ["user-1"])
pool.close()
pool.join()
""",
    "Pool.terminate": """
with multiprocessing.get_context("fork").Pool(1) as pool:
    pool.map(add, ["user-1"])
""",
}

TERMINATED = """
add("user-1")
report("added")
while True:
    time.sleep(60)
"""

TERMINATED_IN_LOOP = """
async def main():
    await sender.exposure("button", "user-1")
    report("added")
    await asyncio.sleep(3_600)

asyncio.run(main())
"""

CREATED_IN_CHILD = """
def work(url):
    sender = Client(url, retries=STUBBORN).event_sender(LATER)
    sender.exposure("button", "user-1")

def main():
    context = multiprocessing.get_context(sys.argv[2])
    child = context.Process(target=work, args=(URL,))
    child.start()
    report(joined(child))
"""


@pytest.fixture
def url(service_url):
    with Client(service_url) as client:
        client.create_experiment("button", ["blue", "green"], source="tracked")
        client.assign("button", "user-1")
    return service_url


def exposed(url):
    with Client(url) as client:
        return sum(day.impressions for day in client.each_daily_total("button"))


@pytest.mark.parametrize("add", [ADD, ADD_ASYNC], ids=["sync", "async"])
@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_events_held_at_the_end_are_delivered(url, add, end):
    assert set(reported(add + end, url)) <= {0}
    assert exposed(url) == 1


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_a_sender_that_a_child_made_itself_delivers_at_its_end(url, method, tmp_path, monkeypatch):
    (tmp_path / "child_work.py").write_text(
        "from groundhog_client import Batching, Client\n"
        "def work(url):\n"
        "    Client(url).event_sender(Batching(interval=600)).exposure('button', 'user-1')\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=":")
    start = """
from child_work import work
child = multiprocessing.get_context(sys.argv[2]).Process(target=work, args=(URL,))
child.start()
report(joined(child))
"""
    assert reported(start, url, method) == [0]
    assert exposed(url) == 1


@pytest.mark.parametrize(
    "text",
    [ADD + TERMINATED, ADD_ASYNC + TERMINATED, ADD_ASYNC + TERMINATED_IN_LOOP],
    ids=["sync", "async", "async in its loop"],
)
def test_a_process_without_a_handler_delivers_at_sigterm_and_ends_by_it(url, text):
    running = program(text, url)
    assert running.stdout.readline() == '"added"\n'
    running.terminate()
    _, complaints = running.communicate(timeout=60)
    assert (running.returncode, complaints) == (-signal.SIGTERM, "")
    assert exposed(url) == 1


HANDLED = """
signal.signal(signal.SIGTERM, lambda *_: report("handled") or os._exit(7))
"""


@pytest.mark.parametrize(
    "text", [HANDLED + ADD + TERMINATED, ADD + HANDLED + TERMINATED], ids=["before", "after"]
)
def test_a_programs_own_handler_of_sigterm_stays(url, text):
    running = program(text, url)
    assert running.stdout.readline() == '"added"\n'
    running.terminate()
    output, _ = running.communicate(timeout=60)
    assert (running.returncode, output) == (7, '"handled"\n')


AWAY = """
client = Client("http://127.0.0.1:1", retries=RetryPolicy(first_wait=0.01))
sender = client.event_sender(Batching(interval=600, deliver_within=0.2))
sender.exposure("button", "user-1")
"""


def test_a_process_that_cannot_deliver_ends_and_says_so():
    running = program(AWAY, "nowhere")
    _, complaints = running.communicate(timeout=60)
    assert running.returncode == 0
    assert "the program ends: 1 events were not taken" in complaints


WHILE_ADDING = """
client = Client(URL, retries=STUBBORN)
sender = client.event_sender(Batching(size=7, interval=0.001, capacity=20))
report("adding")
while True:
    sender.exposure("button", "user-1")
"""


def test_sigterm_in_the_midst_of_adding_ends_the_process(url):
    running = program(WHILE_ADDING, url)
    assert running.stdout.readline() == '"adding"\n'
    running.terminate()
    running.communicate(timeout=60)
    assert running.returncode == -signal.SIGTERM
