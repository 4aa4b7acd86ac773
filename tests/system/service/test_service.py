"""The service as a person meets it: started by a command, stopped by Ctrl-C, killed, started twice."""

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from app import __version__
from tests.support.fixtures.command import Command
from tests.support.processes import Spawn, alive, open_folder, postmaster, processes

POSTED = {
    "experiment_id": "homepage_test",
    "variant_id": "control",
    "date": "2023-07-15",
    "impressions": 1000,
    "successes": 120,
}
ALLOCATION = "/allocations/homepage_test?for_date=2023-07-16"


@dataclass
class Service:
    """A running service: its process, its address and what it said while starting."""

    process: "subprocess.Popen[str]"
    url: str
    home: Path
    banner: str

    def stop(self, number: signal.Signals) -> tuple[int, str]:
        self.process.send_signal(number)
        rest = self.process.communicate(timeout=120)[0]
        return self.process.returncode, rest


def start(spawn: Spawn, home: Path, *options: str) -> Service:
    process = spawn("-m", "app", "serve", "--home", home, "--port", "0", *options)
    lines = []
    while not lines or "Ctrl-C" not in lines[-1]:
        lines.append(process.stdout.readline())
        assert lines[-1], f"the service ended: {''.join(lines)}"
    return Service(
        process, next(line for line in lines if "on http" in line).split()[-1], home, "".join(lines)
    )


@pytest.fixture(scope="module")
def running(template: Path) -> Iterator[Service]:
    """One service for the tests that leave it as it was."""
    with open_folder() as folder, processes() as spawn:
        subprocess.run(["cp", "-a", template, folder / "home"], check=True)
        yield start(spawn, folder / "home")


def test_the_banner_names_the_pages_the_data_and_how_to_stop(running: Service) -> None:
    for part in ("/docs", "/metrics", str(running.home), "Ctrl-C", __version__):
        assert part in running.banner
    assert httpx2.get(f"{running.url}/docs", timeout=120).status_code == 200


@pytest.mark.parametrize(
    ("number", "workers"),
    [
        pytest.param(signal.SIGINT, "1", id="Ctrl-C, one worker"),
        pytest.param(signal.SIGTERM, "2", id="SIGTERM, two workers"),
    ],
)
def test_a_wish_to_stop_ends_the_service_and_then_its_database_without_complaint(
    used_home: Path, spawn: Spawn, number: signal.Signals, workers: str
) -> None:
    service = start(spawn, used_home, "--workers", workers)
    httpx2.get(f"{service.url}/livez", timeout=120)
    server = postmaster(used_home)
    code, said = service.stop(number)
    assert code == 0
    assert "Traceback" not in said
    assert not alive(server)


def test_an_acknowledged_write_outlives_kill_9_of_service_and_database(used_home: Path, spawn: Spawn) -> None:
    service = start(spawn, used_home)
    assert httpx2.post(f"{service.url}/metrics/", json=POSTED, timeout=120).status_code == 200
    before = httpx2.get(service.url + ALLOCATION, timeout=120).content
    os.kill(postmaster(used_home), signal.SIGKILL)
    service.process.kill()
    again = start(spawn, used_home)
    assert httpx2.get(again.url + ALLOCATION, timeout=120).content == before


def test_workers_end_when_the_launcher_is_killed(used_home: Path, spawn: Spawn) -> None:
    service = start(spawn, used_home, "--workers", "2")
    httpx2.get(f"{service.url}/livez", timeout=120)
    children = Path(f"/proc/{service.process.pid}/task/{service.process.pid}/children").read_text().split()
    service.process.kill()
    assert len(children) >= 3  # two workers and the database
    until(lambda: not any(alive(int(child)) for child in children))


def until(fact: Callable[[], bool]) -> None:
    give_up = time.monotonic() + 300
    while not fact():
        assert time.monotonic() < give_up, "waited for five minutes"
        time.sleep(0.02)


def test_the_service_recovers_by_itself_when_its_database_is_killed(running: Service) -> None:
    assert httpx2.post(f"{running.url}/metrics/", json=POSTED, timeout=120).status_code == 200
    os.kill(postmaster(running.home), signal.SIGKILL)
    changed = {**POSTED, "successes": 121}
    until(lambda: httpx2.post(f"{running.url}/metrics/", json=changed, timeout=120).status_code == 200)


def test_a_second_service_names_the_first_and_leaves_it_alone(running: Service, groundhog: Command) -> None:
    sentence, *_ = groundhog("serve", "--home", running.home, "--port", running.url.rsplit(":")[-1])
    assert f"already running on the data in {running.home}: process {running.process.pid}, at" in sentence
    assert f"at {running.url}. Stop it first" in sentence
    assert httpx2.get(f"{running.url}/livez", timeout=120).status_code == 200


def test_a_command_uses_the_running_database(running: Service, groundhog: Command) -> None:
    assert groundhog("migrate", "--home", running.home)[0] == 0
    assert httpx2.get(f"{running.url}/readyz", timeout=120).status_code == 200


def test_a_command_starts_the_database_for_as_long_as_it_takes(used_home: Path, groundhog: Command) -> None:
    assert groundhog("migrate", "--home", used_home)[0] == 0
    answer = groundhog("prune", "--home", used_home)
    assert answer[:2] == (0, "Deleted 0 Idempotency-Keys older than 24 hours.\n")
    assert not (used_home / "data18" / "postmaster.pid").exists()


def test_a_port_in_use_gets_one_sentence_before_anything_is_started(home: Path, groundhog: Command) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        sentence, *_ = groundhog("serve", "--home", home, "--port", port)
    assert f"Cannot listen on 127.0.0.1 port {port} (Address already in use): choose another" in sentence
    assert not home.exists()


def test_a_database_out_of_reach_gets_one_sentence_without_its_password(
    groundhog: Command,
) -> None:
    sentence, *_ = groundhog("serve", "--port", "0", DATABASE_URL="postgresql://me:secret@127.0.0.1:1/shop")
    assert sentence.startswith("groundhog: Cannot use the database shop on 127.0.0.1 port 1:")
    assert "secret" not in sentence
    assert "\n" not in sentence


@pytest.mark.parametrize(
    ("name", "value", "named"),
    [
        ("GROUNDHOG_PORT", "tcp://10.0.0.1:80", "port (GROUNDHOG_PORT): Input should be a valid integer"),
        ("DATABASE_URL", "mysql://me:secret@host/shop", "DATABASE_URL must name a PostgreSQL database"),
    ],
)
def test_a_wrong_setting_gets_one_sentence_that_names_it(
    groundhog: Command, name: str, value: str, named: str
) -> None:
    sentence, *_ = groundhog("serve", **{name: value})
    assert sentence.startswith("groundhog: A setting is not valid:")
    assert named in sentence
    assert "secret" not in sentence


def test_the_openapi_and_the_version_are_printed_without_a_database(
    groundhog: Command,
) -> None:
    assert groundhog("--version")[:2] == (0, f"groundhog {__version__}\n")
    assert json.loads(groundhog("openapi")[1])["info"]["title"] == "Groundhog"
