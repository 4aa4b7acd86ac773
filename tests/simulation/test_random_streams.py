"""Streams are named, and the name is all that counts."""

import subprocess
import sys

import numpy as np
import pytest

from app.simulation.random_streams import stream


def test_the_same_name_gives_the_same_numbers_in_another_process():
    code = (
        "from app.simulation.random_streams import stream;"
        "print(stream(7, 'outcomes', 3).random(4).tobytes().hex())"
    )
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert other.stdout.strip() == stream(7, "outcomes", 3).random(4).tobytes().hex()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param((1, "a"), (2, "a"), id="seeds"),
        pytest.param((1, "a", 0), (1, "a", 1), id="blocks"),
        pytest.param((1, "1"), (1, 1), id="text and number"),
        pytest.param((1, "a", "b"), (1, "ab"), id="labels run together"),
        pytest.param((1, "a"), (1, "a", ""), id="an empty label"),
        pytest.param((1, 23), (12, 3), id="digits of the seed"),
    ],
)
def test_different_names_give_different_numbers(one, other):
    assert stream(*one).random() != stream(*other).random()


def test_a_stream_does_not_depend_on_which_were_opened_before():
    alone = stream(5, "b").random(3)
    stream(5, "a").random(100)
    np.testing.assert_array_equal(stream(5, "b").random(3), alone)


def test_streams_of_neighbouring_names_are_uncorrelated():
    rows = np.stack([stream(1, "block", i).random(10_000) for i in range(6)])
    correlations = np.corrcoef(rows)[np.triu_indices(6, 1)]
    assert np.abs(correlations).max() < 4 / np.sqrt(10_000)
