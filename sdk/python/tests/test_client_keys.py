"""A service with keys is told who asks."""

import datetime as dt

import pytest

from app.services import api_keys
from app.settings import Settings
from app.storage.database import Database
from groundhog_client import Unauthorized

KEY = f"gh_admin_{'s' * 40}"


@pytest.fixture
def locked_url(database_url, service_url):
    database = Database(Settings(database_url=database_url))
    with database.transaction() as session:
        api_keys.keep_admin_key(session, KEY, dt.datetime.now(dt.UTC))
    database.close()
    return service_url


def test_who_has_no_key_or_a_wrong_one_is_refused_and_not_shown_a_default(client_of, locked_url):
    for key in (None, f"gh_admin_{'x' * 40}"):
        with pytest.raises(Unauthorized):
            client_of(locked_url, api_key=key).decide("button", "user-42", within=30)


def test_the_key_opens_every_request(client_of, locked_url):
    client = client_of(locked_url, api_key=KEY)
    client.create_experiment("button", ["control", "bold"], source="tracked")
    sender = client.event_sender()
    sender.shown(client.decide("button", "user-42", within=30))
    sender.close()
    assert [day.impressions for day in client.each_daily_total("button")] == [1]
