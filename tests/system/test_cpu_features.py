"""No tolerance of the mathematics rests on the last digits of one kind of processor."""

import subprocess
import sys

import pytest

from tests.support import ROOT
from tests.support.processors import SWITCHED_OFF, environment

pytestmark = pytest.mark.system


PLAYED = ("tests/bandits", "-m", "not statistics and not sampling")
"""What rests on digits; a standard error is millions of times wider than what they differ by."""
UNUSED = ("cacheprovider", "schemathesis", "playwright", "xdist", "cov")
"""Plugins that take longer to start than most of these tests."""


@pytest.mark.parametrize("without", [name for name in SWITCHED_OFF if name != "nothing"])
def test_the_mathematics_pass_on_a_processor_without(without):
    """With everything that this one has, they pass where they stand."""
    played = subprocess.run(
        [sys.executable, "-m", "pytest", *PLAYED, *(f"-pno:{plugin}" for plugin in UNUSED)],
        cwd=ROOT,
        env=environment(without),
        capture_output=True,
        text=True,
    )
    assert played.returncode == 0, played.stdout[-5_000:] + played.stderr[-1_000:]


def test_the_processors_that_are_played_have_other_digits():
    """Otherwise the tests above would prove nothing."""
    digits = "import numpy as np; print(np.log(np.linspace(1, 9, 9_999)).tobytes().hex())"
    seen = {
        subprocess.run(
            [sys.executable, "-c", digits], env=environment(without), capture_output=True, check=True
        ).stdout
        for without in SWITCHED_OFF
    }
    assert len(seen) > 1
