"""A service with keys is told who asks."""

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


def test_who_has_no_key_or_a_wrong_one_is_refused_and_not_shown_a_default(client_of, locked_url):
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


def test_events_beyond_the_keys_limit_do_not_keep_the_others_back(client_of, locked_url, limited_key):
    admin, told = client_of(locked_url, api_key=KEY), []
    for name in ("button", "shop_button"):
        admin.create_experiment(name, ["control", "bold"], source="tracked")
        admin.assign(name, "user-42")
    sender = client_of(locked_url, api_key=limited_key).event_sender(on_rejected=told.append)
    sender.exposure("button", "user-42")
    sender.exposure("shop_button", "user-42")
    sender.close()
    assert [(refusal.event["experiment_id"], refusal.reason) for refusal in told] == [("button", "forbidden")]
    assert [day.impressions for day in admin.each_daily_total("shop_button")] == [1]
