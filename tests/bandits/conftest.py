"""Known answers for the mathematics."""

import json

import numpy as np
import pytest

from tests.support import SHARED

REFERENCES = SHARED / "reference" / "best_arm_cases.json"


@pytest.fixture(scope="session")
def references():
    """The 28-digit answers: name -> (a, b, p_best, expected_loss), each (k,)."""
    if not REFERENCES.exists():
        pytest.skip(f"the 28-digit references are not beside this clone ({REFERENCES.name})")
    cases = json.loads(REFERENCES.read_text())["cases"]
    return {case["name"]: _expanded(case) for case in cases}


def _expanded(case):
    counts = [arm["count"] for arm in case["arms"]]
    columns = ([arm["a"] for arm in case["arms"]], [arm["b"] for arm in case["arms"]])
    columns += (case["p_best"], case["expected_loss"])
    return tuple(np.repeat(np.array(column, dtype=float), counts) for column in columns)
