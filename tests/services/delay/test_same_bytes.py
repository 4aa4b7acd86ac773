"""Experiments without evidence of a delay are answered byte for byte as before there was a setting for it."""

import json

import pytest

from tests.support.golden import before_delay

GOLDEN = json.loads(before_delay.FILE.read_text())


def test_every_story_has_its_golden_answers():
    assert list(GOLDEN) == list(before_delay.STORIES)


@pytest.mark.parametrize("name", before_delay.STORIES)
def test_status_tag_and_bytes_are_as_before(client, clock, database_url, name):
    answers = before_delay.read(client, clock, database_url, name)
    for path, before in GOLDEN[name].items():
        assert answers[path] == before, path
