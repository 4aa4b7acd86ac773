"""A service with an embedded PostgreSQL to hit; `make chaos` asks for many faults, CI for few.

What each test did and what came of it stands in a table at the end of the run.
"""

import subprocess
import time

import pytest

from app.storage.embedded import EmbeddedPostgres
from tests.support.processes import open_folder
from tests.system.chaos.load import check
from tests.system.chaos.service import Running

COLUMNS = ("faults", "acknowledged", "lost", "503s", "unanswered", "seconds")


@pytest.fixture(scope="session")
def template():
    """A home with a database in it, made once."""
    with open_folder() as path:
        with EmbeddedPostgres(path):
            pass
        yield path


@pytest.fixture(scope="session")
def _service(template):
    with open_folder() as folder:
        subprocess.run(["cp", "-a", template, folder / "home"], check=True)
        service = Running(folder / "home")
        try:
            yield service
        finally:
            service.terminate()


@pytest.fixture
def running(_service):
    """The service that all tests hit, up again whatever the last one left behind."""
    if _service.process.poll() is not None:
        _service.start()
    _service.wait_until_ready()
    return _service


@pytest.fixture
def settle(record_property):
    """Check after the load that nothing acknowledged is lost, and note what was done for the table."""
    begin = time.monotonic()

    def settle(service, writing, faults=1):
        service.wait_until_ready()
        check(service.address, writing)
        figures = faults, writing.acknowledged, 0, writing.refused, writing.unanswered
        record_property("chaos", (*figures, round(time.monotonic() - begin)))

    return settle


def pytest_terminal_summary(terminalreporter):
    rows = [
        (report.nodeid.rpartition("::")[2], dict(report.user_properties)["chaos"])
        for report in terminalreporter.getreports("passed")
        if "chaos" in dict(report.user_properties)
    ]
    if rows:
        terminalreporter.section("faults under load")
        terminalreporter.write_line(" ".join(f"{name:>12}" for name in COLUMNS))
    for name, figures in rows:
        terminalreporter.write_line(" ".join(f"{figure:>12,}" for figure in figures) + f"  {name}")
