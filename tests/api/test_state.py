"""The application's state: typed resources that are closed once, the last one first."""

import asyncio
import gc

import pytest
from fastapi.testclient import TestClient

from app.api.state import ApplicationState
from app.main import create_app
from app.settings import ServiceSettings

RESOURCES = (
    "simulation_workers",
    "authenticator",
    "prometheus",
    "flags",
    "assigner",
    "allocation_server",
    "replica_reader",
    "database",
)


@pytest.fixture
def application():
    return create_app(ServiceSettings(database_url="postgresql://nobody@localhost/none"))


@pytest.fixture
def closed(monkeypatch):
    """The names of the resources closed so far; closing the flags fails."""
    names = []

    def note(state, name):
        kind = type(getattr(state, name))

        async def close_async(_):
            close(_)

        def close(_):
            names.append(name)
            if name == "flags":
                raise OSError("cannot be closed")

        monkeypatch.setattr(kind, "close", close_async if asyncio.iscoroutinefunction(kind.close) else close)

    state = create_app(ServiceSettings(database_url="postgresql://nobody@localhost/none")).state
    for name in RESOURCES:
        note(state, name)
    return names


def test_the_state_is_typed_and_has_no_other_attributes(application):
    assert isinstance(application.state, ApplicationState)
    with pytest.raises((AttributeError, TypeError)):
        application.state.cache = 1


def test_resources_are_closed_in_reverse_order_even_if_one_cannot_be(closed):
    application = create_app(ServiceSettings(database_url="postgresql://nobody@localhost/none"))
    with pytest.raises(OSError, match="cannot be closed"), TestClient(application) as client:
        assert client.get("/livez").status_code == 200
    assert tuple(closed) == RESOURCES


def test_an_application_freezes_no_garbage_collection_of_its_process(application):
    frozen = gc.get_freeze_count()
    with TestClient(application):
        assert gc.get_freeze_count() == frozen


def test_applications_of_a_process_share_one_description(application):
    other = create_app(ServiceSettings(database_url="postgresql://nobody@localhost/other"))
    assert application.openapi() is other.openapi()
