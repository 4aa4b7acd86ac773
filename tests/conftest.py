"""What tests stand on: a real PostgreSQL, migrated by the real migrations, and the service on it."""

import gc
from collections import Counter
from pathlib import Path

import pytest

from tests.support import ROOT, SHARED
from tests.support.fixtures.application import client, clock, make_client, pooled_database  # noqa: F401 - fixtures
from tests.support.fixtures.database import (  # noqa: F401 - fixtures
    administrator,
    database_url,
    empty_database_url,
    migrated_url,
    second_database_url,
    second_migrated_url,
    server_url,
    untouched_url,
)

SYSTEM = (ROOT / "tests" / "system", ROOT / "tests" / "browser")
"""Folders all of whose tests their conftest.py marks ``system``."""


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Import nothing of folders whose every test the marks of `make test` leave out."""
    return True if "not system" in config.option.markexpr and collection_path in SYSTEM else None


def pytest_collection_finish() -> None:
    """Spare the garbage collector what was collected: it stays until the end."""
    gc.collect()
    gc.freeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse ids that tests share, of which pytest-xdist may run only one."""
    shared = [name for name, times in Counter(item.nodeid for item in items).items() if times > 1]
    assert not shared, shared


@pytest.fixture
def shared_data() -> Path:
    """The folder of real experiment data, which is not part of this repository."""
    if not (SHARED / "data").is_dir():
        pytest.skip("the real data of ../shared/data are not on this machine")
    return SHARED / "data"
