"""Every command of the README and of the guides runs in a clean copy of this tree, with the shown result."""

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
from tests.support.service_process import get

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```\n(?:\s*^```json\n(.*?)^```\n)?", re.DOTALL | re.MULTILINE)
BLOCKS = [(kind, text, answer) for kind, text, answer in BLOCK.findall(README) if text != "make run\n"]
ADDRESS = "http://localhost:8000"
INSTALLED = Path(sys.prefix)
FEW_TESTS = "--numprocesses 0 tests/bandits/allocation/test_rounding.py"

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(
        not (ROOT / ".git").exists() or not all(shutil.which(program) for program in ("git", "make", "curl")),
        reason="a checkout, git, make and curl are needed",
    ),
]


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """A clean copy of the tree, with the packages that are installed already."""
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
    return tree


@pytest.fixture(scope="module")
def surroundings(copy):
    """The environment of a new user, except that a test must not take port 8000."""
    own = ("GROUNDHOG_", "DATABASE_URL", "PROMETHEUS_", "PYTEST_", "MAKE")
    given = {name: value for name, value in os.environ.items() if not name.startswith(own)}
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
        running.wait(300)


def wait_until_ready(running, address, seconds=300):
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


def run_block(kind, text, copy, environment):
    command = [sys.executable, "-c", text] if kind == "python" else ["bash", "-euo", "pipefail", "-c", text]
    return subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, check=False)


def test_every_block_of_the_readme_runs_in_order_with_the_shown_result(copy, surroundings, service):
    shown = 0
    for kind, text, answer in BLOCKS:
        few = {"ARGS": FEW_TESTS} if text == "make test\n" else {}  # the whole of it is what runs this
        done = run_block(kind, text.replace(ADDRESS, service), copy, surroundings | few)
        assert done.returncode == 0, (text, done.stdout, done.stderr)
        if answer:
            assert json.loads(done.stdout) == json.loads(answer)  # to the last digit, on any processor
            shown += 1
    assert shown >= 2
    assert (copy / "race.png").read_bytes()[1:4] == b"PNG"


PAGE_BLOCK = re.compile(r"^ *```sh\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
GUIDES = ["how-to/run-an-experiment.md", "how-to/serve-variants.md"]
"""Guides whose commands all call a service, and run as they are written."""


def test_every_command_of_the_guides_that_call_a_service_succeeds(copy, surroundings, service):
    for page in GUIDES:
        blocks = PAGE_BLOCK.findall((ROOT / "docs" / page).read_text())
        assert blocks, page
        for text in blocks:
            done = run_block("sh", text.replace(ADDRESS, service), copy, surroundings)
            assert done.returncode == 0, (page, text, done.stdout, done.stderr)


def test_every_page_of_the_service_that_the_readme_names_exists(service):
    pages = set(re.findall(r"<http://localhost:8000(/[^>]*)>", README))
    assert pages >= {"/", "/docs"}
    for page in pages:
        done = subprocess.run(["curl", "-fsS", service + page], capture_output=True, check=False)
        assert done.returncode == 0, page


def test_the_readme_has_at_most_150_lines():
    assert len(README.splitlines()) <= 150
