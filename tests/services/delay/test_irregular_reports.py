"""Reports that come as they do: days left out, several at once, conversions taken back."""

import datetime as dt

import numpy as np
import pytest

from tests.support.totals import send, total

FIRST = dt.date(2026, 2, 1)


def irregular(seed):
    """Reports of 30 days at ages drawn at random; in one of four, up to 20 conversions were taken back."""
    rng = np.random.default_rng(seed)
    rows = []
    for day in range(30):
        for variant_id in "ab":
            ages = np.flatnonzero(rng.random(min(37 - day, 20)) < 0.3)
            came = np.cumsum(rng.multinomial(120, rng.dirichlet(np.ones(20))))
            for age in ages.tolist():
                refunds = int(rng.integers(0, 21)) if rng.random() < 0.25 else 0
                rows.append(
                    total(
                        variant_id,
                        str(FIRST + dt.timedelta(days=day)),
                        successes=max(int(came[age]) - refunds, 0),
                        as_of=str(FIRST + dt.timedelta(days=day + age)),
                    )
                )
    rng.shuffle(rows)
    return rows


@pytest.mark.parametrize("seed", range(8))
def test_whatever_is_reported_a_curve_and_its_interval_lie_between_0_and_1(client, seed):
    send(client, *irregular(seed))
    report = client.get("/experiments/homepage/delay").json()
    for found in (report["estimate"], *report["variants"].values()):
        low, curve, high = (np.array(found[name]) for name in ("low", "curve", "high"))
        assert (np.diff(curve) >= 0).all()
        assert curve[-1] == 1
        assert ((low >= 0) & (low <= curve) & (curve <= high) & (high <= 1)).all()


@pytest.mark.parametrize("seed", range(8))
def test_the_counts_behind_a_curve_are_those_it_follows_from(client, seed):
    """At each age (seen among - came + 1) / (seen among + 1), imputed conversions included."""
    send(client, *irregular(seed))
    found = client.get("/experiments/homepage/delay").json()["estimate"]
    curve, came, seen = (np.array(found[name]) for name in ("curve", "came", "seen_among"))
    assert ((came >= 0) & (came <= seen + 1e-9)).all()
    steps = (seen - came + 1)[1:] / (seen + 1)[1:]
    assert curve[:-1] / curve[1:] == pytest.approx(steps, rel=1e-9)
