"""PostgreSQL stands still, has no room, or cuts its connections, under mixed load."""

import itertools
import os
import signal
import subprocess
import time
from contextlib import contextmanager, suppress

import httpx2
import psycopg
import pytest

from app.storage import migrate
from app.storage.embedded.server import running_url
from tests.support.processes import open_folder, postmaster
from tests.system.chaos.load import GIVE_UP_SECONDS, KILLS, load
from tests.system.chaos.service import Running

STANDSTILL_SECONDS = 10 if KILLS > 2 else 2


def query(running, statement):
    url = running_url(running.home).replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement)


def children_of(pid):
    found = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False
    )
    return [int(child) for child in found.stdout.split()]


def test_postgresql_stands_still_for_a_while(running, settle):
    with load(lambda: running.address) as writing:
        writing.wait_for(50)
        server = postmaster(running.home)
        stopped = [server, *children_of(server)]
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        try:
            time.sleep(STANDSTILL_SECONDS)
            assert httpx2.get(f"{running.address}/livez", timeout=60).status_code == 200
        finally:
            for pid in stopped:
                os.kill(pid, signal.SIGCONT)
        writing.wait_for(50)
    settle(running, writing)


def test_every_connection_is_cut_again_and_again(running, settle):
    with load(lambda: running.address) as writing:
        for _ in range(3 * KILLS):
            writing.wait_for(50)
            query(
                running,
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where application_name = 'groundhog' and pid <> pg_backend_pid()",
            )
        writing.wait_for(50)
    settle(running, writing, 3 * KILLS)


@pytest.fixture
def on_a_small_disk():
    """A service whose data lie on a tmpfs of their own."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small tmpfs needs root; the injected fault below runs everywhere")
    with open_folder() as folder:
        disk = folder / "disk"
        disk.mkdir(mode=0o711)
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=320m,mode=0711", "tmpfs", disk],
            capture_output=True,
            check=False,
        )
        if mounted.returncode != 0:
            pytest.skip("no tmpfs can be mounted here; the injected fault below runs everywhere")
        try:
            service = Running(disk / "home")
            try:
                service.wait_until_ready()
                yield service, disk
            finally:
                service.terminate()
        finally:
            subprocess.run(["umount", "-l", disk], check=True)


def test_the_disk_is_full_for_a_while(on_a_small_disk, settle):
    running, disk = on_a_small_disk
    with load(lambda: running.address) as writing:
        writing.wait_for(50)
        ballast = disk / "ballast"
        _fill(ballast)
        _wait_for_refusals(running)
        ballast.unlink()
        writing.wait_for(50)
    settle(running, writing)


def _fill(ballast):
    """Take all the room there is; PostgreSQL may be taking some at the same time."""
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(64 * 1024))


def _wait_for_refusals(running):
    """Write long totals until there is no room for them."""
    give_up = time.monotonic() + GIVE_UP_SECONDS
    for number in itertools.count():
        rows = [
            {"experiment_id": f"filler-{number}", "variant_id": f"v{i}", "date": "2020-01-01",
             "impressions": 1, "successes": 1}
            for i in range(500)
        ]  # fmt: skip
        answer = httpx2.post(f"{running.address}/metrics", json=rows, timeout=GIVE_UP_SECONDS)
        if answer.status_code == 503:
            assert "Retry-After" in answer.headers
            return
        assert answer.status_code == 200, answer.text
        assert time.monotonic() < give_up, "the disk was never full"


@pytest.fixture
def full_disk(running):
    """A way to let PostgreSQL say that the disk is full, and to stop it."""
    query(
        running,
        "create function full_disk() returns trigger language plpgsql as"
        " $$ begin raise exception 'no space left on device' using errcode = '53100'; end $$",
    )

    @contextmanager
    def full():
        query(
            running,
            "create trigger full_disk before insert on experiment_metrics execute function full_disk()",
        )
        yield
        query(running, "drop trigger full_disk on experiment_metrics")

    yield full
    query(running, "drop function full_disk cascade")


def test_an_injected_disk_full_is_a_503_and_loses_nothing(running, settle, full_disk):
    total = {"experiment_id": "e", "variant_id": "a", "date": "2020-01-01", "impressions": 1, "successes": 1}
    with load(lambda: running.address) as writing:
        writing.wait_for(50)
        with full_disk():
            answer = httpx2.post(f"{running.address}/metrics", json=total, timeout=120)
            assert (answer.status_code, answer.headers["Retry-After"].isdigit()) == (503, True)
            assert "no space" not in answer.text
        writing.wait_for(50)
    settle(running, writing)


@pytest.fixture
def newer_schema(running):
    """A way to bring the schema of a later version, which is taken back in the end."""

    def arrive():
        query(running, "alter table experiment_metrics add column of_a_later_version text")
        query(running, "create table of_a_later_version (experiment_id text primary key)")
        query(running, "update groundhog_version set version_num = '9999'")

    yield arrive
    running.wait_until_ready()
    query(running, f"update groundhog_version set version_num = '{migrate.head()}'")
    query(running, "drop table if exists of_a_later_version")
    query(running, "alter table experiment_metrics drop column if exists of_a_later_version")


def test_a_newer_schema_arrives_under_load_and_the_older_version_stays(running, settle, newer_schema):
    with load(lambda: running.address) as writing:
        writing.wait_for(50)
        newer_schema()
        running.wait_until_ready()
        writing.wait_for(50)
        running.kill()
        running.start()  # a replica of the older version that starts during the rollout
        running.wait_until_ready()
        writing.wait_for(50)
    settle(running, writing)
