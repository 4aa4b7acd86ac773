"""Answers are spelt as they were before allocations became typed objects."""

import json
import re

import pytest

from tests.support.golden import allocations

WRITTEN_TO = {"/experiments/{}/posterior?points=3": 5e-6}
"""The golden answers have all digits; today densities are written to 6 of them, values remaining to 8,
losses of value to the 6th digit of the largest mean."""
ADDED = re.compile(r',\s*"as_of":\s*("[-0-9]+"|null)')
"""A field of stored totals that answers did not have then."""
GOLDEN = json.loads(allocations.FILE.read_text())


@pytest.mark.parametrize("name", allocations.STORIES)
def test_answers_are_spelt_as_before(client, clock, database_url, name):
    answers = allocations.read(client, clock, database_url, name)
    for path, before in GOLDEN[name].items():
        text, numbers = allocations.spelling(ADDED.sub("", answers[path]))
        expected_text, expected_numbers = allocations.spelling(before)
        assert text == expected_text, path
        digits = pytest.approx(
            expected_numbers, rel=WRITTEN_TO.get(path, 5e-8), abs=5e-7 if name.startswith("value") else 1e-9
        )
        assert numbers == digits, path
