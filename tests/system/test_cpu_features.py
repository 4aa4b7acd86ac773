"""No tolerance of the mathematics and no golden bytes rest on the last digits of one kind of processor."""

import subprocess
import sys

import pytest

from tests.support import ROOT
from tests.support.processors import SWITCHED_OFF, environment

pytestmark = pytest.mark.system


RESTS_ON_DIGITS = "not statistics and not sampling"
"""A standard error is millions of times wider than what digits differ by."""
UNUSED = [f"no:{plugin}" for plugin in ("cacheprovider", "schemathesis", "playwright", "xdist", "cov")]
"""Plugins that take longer to start than most of these tests."""


@pytest.mark.parametrize("without", [name for name in SWITCHED_OFF if name != "nothing"])
@pytest.mark.parametrize("tests", ["bandits", "services/delay/test_same_bytes.py"])
def test_numbers_pass_on_a_processor_without(tests, without):
    """With everything this one has, the mathematics pass where they stand, and the bytes were written."""
    plugins = [option for plugin in UNUSED for option in ("-p", plugin)]
    played = subprocess.run(
        [sys.executable, "-m", "pytest", f"tests/{tests}", "-m", RESTS_ON_DIGITS, *plugins],
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
