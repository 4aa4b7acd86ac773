"""A service with API keys gets the key with every request."""

import pytest

from client_testing.service import Keys
from groundhog_client import Unauthorized

KEY = Keys.ADMIN


@pytest.fixture
def locked_url(keys, service_url):
    keys.create_admin()
    return service_url


@pytest.fixture
def limited_key(keys):
    return keys.create(name="shop", scopes=["report"], experiment_prefix="shop_")


def test_a_client_without_a_valid_key_gets_an_error_and_no_default(client_of, locked_url):
    for key in (None, f"gh_admin_{'x' * 40}"):
        with pytest.raises(Unauthorized):
            client_of(locked_url, api_key=key).decide("button", "user-42", within=30)


def test_the_key_opens_every_request(client_of, locked_url):
    client = client_of(locked_url, api_key=KEY)
    client.create_experiment("button", ["control", "bold"], source="tracked")
    sender = client.event_sender()
    sender.record_exposure(client.decide("button", "user-42", within=30))
    sender.close()
    assert [day.impressions for day in client.each_daily_total("button")] == [1]


def test_events_outside_the_keys_prefix_do_not_keep_the_others_back(client_of, locked_url, limited_key):
    admin, rejected = client_of(locked_url, api_key=KEY), []
    for name in ("button", "shop_button"):
        admin.create_experiment(name, ["control", "bold"], source="tracked")
        admin.assign(name, "user-42")
    sender = client_of(locked_url, api_key=limited_key).event_sender(on_rejected=rejected.append)
    sender.exposure("button", "user-42")
    sender.exposure("shop_button", "user-42")
    sender.close()
    assert [(one.event["experiment_id"], one.reason) for one in rejected] == [("button", "forbidden")]
    assert [day.impressions for day in admin.each_daily_total("shop_button")] == [1]
