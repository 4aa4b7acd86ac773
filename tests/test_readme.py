"""Every command of the README does, in a clean copy of this tree, what the README says.

So do those of the pages that tell how to do something with a service.
"""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.processes import open_folder
from tests.support.service_process import get, post

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text()
BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```\n(?:\s*^```json\n(.*?)^```\n)?", re.DOTALL | re.MULTILINE)
BLOCKS = [(kind, text, answer) for kind, text, answer in BLOCK.findall(README) if text != "make run\n"]
SAID = "http://localhost:8000"
INSTALLED = Path(sys.prefix)
MADE = "tests/openfeature/web/node_modules/.package-lock.json"
FEW_TESTS = "--numprocesses 0 tests/bandits/test_rounding.py"

pytestmark = pytest.mark.skipif(
    not (ROOT / ".git").exists() or not all(shutil.which(program) for program in ("git", "make", "curl")),
    reason="a checkout, git, make and curl are needed",
)


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """A clean copy of the tree, beside the packages that are installed already."""
    tree = tmp_path_factory.mktemp("copy") / "groundhog"
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.run(listed, cwd=ROOT, capture_output=True, check=True).stdout.split(b"\0"):
        source = ROOT / os.fsdecode(name)
        if source.is_file():
            target = tree / os.fsdecode(name)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
            os.utime(target, (0, 0))  # older than what was installed: make installs nothing
    environment = tree / ".venv"
    environment.mkdir()
    for name in ("bin", "lib", "pyvenv.cfg"):
        (environment / name).symlink_to(INSTALLED / name)
    for name in ("run.stamp", "dev.stamp"):
        (environment / name).touch()
    (tree / MADE).parent.mkdir()
    (tree / MADE).touch()  # a test of another language, which is not run here
    return tree


@pytest.fixture(scope="module")
def surroundings(copy):
    """The variables of somebody who has done nothing yet, but that a test must not take port 8000."""
    ours = ("GROUNDHOG_", "DATABASE_URL", "PROMETHEUS_", "PYTEST_", "MAKE")
    given = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with open_folder() as home:
        (copy.parent / ".curlrc").write_text("silent\nshow-error\nfail-with-body\n")
        yield given | {
            "GROUNDHOG_HOME": str(home / "data"),
            "GROUNDHOG_PORT": str(port),
            "CURL_HOME": str(copy.parent),
            "ARGS": "",
        }


@pytest.fixture(scope="module")
def service(copy, surroundings):
    """The address of the service that `make run` has started."""
    assert "```sh\nmake run\n```" in README
    running = subprocess.Popen(["make", "run"], cwd=copy, env=surroundings, start_new_session=True)
    address = f"http://127.0.0.1:{surroundings['GROUNDHOG_PORT']}"
    try:
        wait_until_ready(running, address)
        yield address
    finally:
        if running.poll() is None:
            os.killpg(running.pid, signal.SIGINT)  # Ctrl-C
        running.wait(30)


def wait_until_ready(running, address, seconds=90):
    """Wait for a database to be made, too: that takes seconds, many where others work as well."""
    give_up = time.monotonic() + seconds
    while time.monotonic() < give_up:
        assert running.poll() is None, "make run has ended"
        try:
            get(f"{address}/readyz")
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError("make run has started nothing")


def rounded(text):
    """JSON with figures to 9 decimals: the last bits may differ by processor."""
    return json.loads(text, parse_float=lambda figure: round(float(figure), 9))


def carried_out(kind, text, copy, environment):
    command = [sys.executable, "-c", text] if kind == "python" else ["bash", "-euo", "pipefail", "-c", text]
    return subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, check=False)


def test_every_block_of_the_readme_in_its_order_does_what_it_says(copy, surroundings, service):
    shown = 0
    for kind, text, answer in BLOCKS:
        few = {"ARGS": FEW_TESTS} if text == "make test\n" else {}  # the whole of it is what runs this
        done = carried_out(kind, text.replace(SAID, service), copy, surroundings | few)
        assert done.returncode == 0, (text, done.stdout, done.stderr)
        if answer:
            assert rounded(done.stdout) == rounded(answer)
            shown += 1
    assert shown >= 2
    assert (copy / "race.png").read_bytes()[1:4] == b"PNG"


PAGE_BLOCK = re.compile(r"^ *```sh\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
ASKING = ["how-to/run-an-experiment.md", "assignments.md", "events.md"]
"""Pages of which every command asks a service, and can be sent as it is written."""


def test_every_command_of_the_pages_that_ask_a_service_is_answered_with_success(copy, surroundings, service):
    variants = [{"variant_id": "control"}, {"variant_id": "bold"}]
    post(f"{service}/experiments", {"experiment_id": "signup", "variants": variants})
    post(f"{service}/assignments", {"experiment_id": "signup", "unit_id": "user-42"})
    for page in ASKING:
        blocks = PAGE_BLOCK.findall((ROOT / "docs" / page).read_text())
        assert blocks, page
        for text in blocks:
            done = carried_out("sh", text.replace(SAID, service), copy, surroundings)
            assert done.returncode == 0, (page, text, done.stdout, done.stderr)


def test_every_page_that_the_readme_names_is_there(service):
    pages = set(re.findall(r"<http://localhost:8000(/[^>]*)>", README))
    assert pages >= {"/", "/docs"}
    for page in pages:
        done = subprocess.run(["curl", "-fsS", service + page], capture_output=True, check=False)
        assert done.returncode == 0, page


def test_every_goal_of_make_that_the_readme_names_is_there():
    goals = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z-]+)", README)) <= goals
