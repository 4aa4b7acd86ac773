"""The first allocation after a change of data, against one sum over the rows and the quadrature itself.

The bare side is what no answer can do without: the totals of the same rows by one indexed sum through psycopg, and
P(best) by the very call that decides in the service. It runs right after the GET it is compared with, on rows as
warm. The GET adds HTTP, the experiment's state, its lock, the search for missing days, intervals, what may be
gained yet, the explanation against the answer before, and the record, committed to disk.
"""

from collections.abc import Iterator

import numpy as np
import psycopg

from app.bandits.best_arm.best_arm import best_arm
from app.bandits.posteriors.beta import BetaArms
from app.bandits.totals import Totals
from benchmarks.measurement import Measurement, Target, milliseconds, timed
from benchmarks.sample_data import today, totals
from benchmarks.service import Service

REPEATS = 51
NAME = "changes"
SUM = """
    select variant_id, sum(impressions), sum(successes) from experiment_metrics
    where experiment_id = %s and date < %s group by variant_id
"""


def measure(service: Service) -> Iterator[Measurement]:
    """Yield the time of a GET after one row changed: 20 variants, 1,000 days."""
    service.record(totals(NAME, variants=20, days=1_000))
    firsts, sums = [], []
    with service.connect() as connection:
        connection.autocommit = True
        connection.execute("vacuum analyze experiment_metrics")  # as autovacuum leaves it a minute later
        for _ in range(REPEATS):
            service.record(totals(NAME, variants=20, days=1)[:1])
            firsts.append(timed(lambda: service.get(f"/allocations/{NAME}")))
            sums.append(timed(lambda: _sum_and_integrate(connection)))
    yield Measurement(
        "GET /allocations/{id} after a change, 20 variants, 1,000 days: time / sum and quadrature",
        [first / bare for first, bare in zip(firsts, sums, strict=True)],
        Target("<=", 3),
        f"{milliseconds(firsts)} against {milliseconds(sums)}",
    )


def _sum_and_integrate(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    rows = connection.execute(SUM, (NAME, today())).fetchall()
    impressions, successes = (np.array([row[i] for row in rows], dtype=float) for i in (1, 2))
    best_arm(BetaArms.from_totals(Totals(impressions, successes)))
