"""Answers are spelt as they were before allocations became typed objects."""

import json

import pytest

from tests.support.golden import allocations

GOLDEN = json.loads(allocations.FILE.read_text())


@pytest.mark.parametrize("name", allocations.STORIES)
def test_answers_are_spelt_as_before(client, clock, database_url, name):
    answers = allocations.read(client, clock, database_url, name)
    for path, before in GOLDEN[name].items():
        text, numbers = allocations.spelling(answers[path])
        expected_text, expected_numbers = allocations.spelling(before)
        assert text == expected_text, path
        assert numbers == pytest.approx(expected_numbers, rel=1e-8, abs=1e-9), path
