"""The requests of docs/how-to/report-late-conversions.md do what the page says."""

import json
import re
from pathlib import Path

import pytest

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "how-to" / "report-late-conversions.md").read_text()
BODIES = [json.loads(body) for body in re.findall(r"-d '(.*?)'", PAGE, re.DOTALL)]


@pytest.fixture
def reported(client):
    """The service after the page's reports, of which there are three."""
    assert client.post("/metrics/", json=BODIES[0]).json()["inserted"] == 3
    return client


def test_the_delay_is_learnt_from_the_reports(reported):
    answer = reported.get("/allocations/late?for_date=2023-07-16").json()
    assert answer["delay"]["curve"] == pytest.approx([41 / 81, 1])
    assert reported.get("/metrics/late?as_of=2023-07-14").json()["items"][0]["successes"] == 40


@pytest.mark.parametrize("delay", [BODIES[1], *map(json.loads, re.findall(r"`(\{\"delay\": .*?\})`", PAGE))])
def test_every_setting_of_the_page_is_accepted(reported, delay):
    assert reported.patch("/experiments/late", json=delay).status_code == 200
