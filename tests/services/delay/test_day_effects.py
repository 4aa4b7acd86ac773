"""Good and bad days whose conversions are still coming: fitted on n F, by every reader."""

import datetime as dt

import numpy as np
import pytest
from scipy import optimize, stats

from app.services.events import event_queries
from app.services.events.rollup import RollUp, TotalsDelta
from tests.support.experiments import allocation, create
from tests.support.totals import post, total

DAYS = ["2026-03-06", "2026-03-07", "2026-03-08", "2026-03-09"]
N = np.array([[900.0, 100], [500, 500], [200, 800], [300, 900]])
S = np.array([[90.0, 14], [80, 93], [10, 55], [6, 25]])
COME = np.array([[1.0], [1.0], [0.5], [0.25]])
"""Of days known through yesterday, by the curve."""
CURVE = {"kind": "curve", "fractions": [0.25, 0.5, 1.0]}


def day_effects(exposure, successes):
    """Return d_t of the largest Poisson likelihood of rates r_i d_t, by Newton's method on their logarithms."""
    t, k = exposure.shape
    design = np.concatenate([np.repeat(np.eye(t), k, axis=0), np.tile(np.eye(k), (t, 1))], axis=1)[:, 1:]
    n, s = exposure.ravel(), successes.ravel()

    def gradient(log):
        return design.T @ (n * np.exp(design @ log) - s)

    def hessian(log):
        return design.T @ ((n * np.exp(design @ log))[:, None] * design)

    start = np.concatenate([np.zeros(t - 1), np.log(successes.sum(axis=0) / exposure.sum(axis=0))])
    found = optimize.root(gradient, start, jac=hessian, tol=1e-14).x
    days = np.exp(np.concatenate([[0.0], found[: t - 1]]))
    return days * exposure.sum() / (exposure.sum(axis=1) @ days)


def by_hand(weights=(1, 1, 1, 1)):
    """Return the effective impressions and successes (k,), and what has come of each variant's conversions."""
    weighed = np.array(weights, float)[:, None]
    n, s = (N * weighed)[weighed[:, 0] > 0], (S * weighed)[weighed[:, 0] > 0]
    come = np.broadcast_to(COME, N.shape)[weighed[:, 0] > 0]
    n = n * day_effects(n * come, s)[:, None]
    m, r = (n * come).sum(axis=0), s.sum(axis=0) / (n * come).sum(axis=0)
    scale = (n * come * (1 - r) / (1 - r * come)).sum(axis=0) / m
    return scale * m, scale * s.sum(axis=0), m / n.sum(axis=0)


def report(client, **settings):
    create(client, "a", "b", adjust="day", delay=CURVE, **settings)
    rows = [
        total(name, day, int(N[t, i]), int(S[t, i]))
        for t, day in enumerate(DAYS)
        for i, name in enumerate("ab")
    ]
    post(client, *rows)


def close(expected):
    """Compare with an iterative fit that stops where no day moves by more than 1e-10, and contracts by 0.9."""
    return pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize(
    ("settings", "weights"),
    [
        pytest.param({}, (1, 1, 1, 1), id="all days"),
        pytest.param({"window_days": 3}, (0, 1, 1, 1), id="window"),
        pytest.param({"half_life_days": 1}, (0.125, 0.25, 0.5, 1), id="half-life"),
        pytest.param({"maturity_days": 1}, (1, 1, 1, 0), id="maturity"),
    ],
)
def test_the_allocation_divides_out_days_of_which_a_part_has_come(client, settings, weights):
    report(client, **settings)
    impressions, successes, matured = by_hand(weights)
    shown = allocation(client)["variants"]
    assert [row["impressions"] for row in shown] == close(impressions)
    assert [row["successes"] for row in shown] == close(successes)
    assert [row["matured"] for row in shown] == close(matured)


def test_every_reader_has_the_same_totals(client):
    report(client)
    impressions, successes, _ = by_hand()
    posteriors = [stats.beta(1 + s, 1 + n - s) for n, s in zip(impressions, successes, strict=True)]
    used = client.get("/metrics/homepage").json()["totals"]["variants"]
    assert [row["effective"]["impressions"] for row in used] == close(impressions)
    assert [row["effective"]["successes"] for row in used] == close(successes)
    assert [row["raw"]["impressions"] for row in used] == [1900, 2300]
    for curve, posterior in zip(
        client.get("/experiments/homepage/posterior?points=9").json()["curves"], posteriors, strict=True
    ):
        assert curve["density"] == pytest.approx(posterior.pdf(curve["rate"]), rel=5e-6)
    (b,) = client.get("/experiments/homepage/comparison").json()["variants"]
    assert b["difference"] == pytest.approx(posteriors[1].mean() - posteriors[0].mean(), abs=1e-9)
    assert b["p_better"] == pytest.approx(allocation(client)["variants"][1]["p_best"], abs=1e-9)


def test_the_days_of_a_tracked_experiment_are_known_through_yesterday(client, clock):
    """The same counts as the roll-up of events stores them, all received on their first day."""
    create(client, "a", "b", adjust="day", delay=CURVE, source="tracked")
    found = RollUp(now=clock())
    for t, day in enumerate(map(dt.date.fromisoformat, DAYS)):
        for i, name in enumerate("ab"):
            found.totals[name, day, day] = TotalsDelta(int(N[t, i]), int(S[t, i]))
    with client.app.state.database.transaction() as session:
        event_queries.write(session, [("homepage", found)])
    impressions, successes, matured = by_hand()
    shown = allocation(client)["variants"]
    assert [row["impressions"] for row in shown] == close(impressions)
    assert [row["successes"] for row in shown] == close(successes)
    assert [row["matured"] for row in shown] == close(matured)
