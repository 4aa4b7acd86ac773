"""Thompson sampling one unit after the other, in a fraction of the draws."""

from math import lgamma

import numpy as np

from app.bandits.beta import Prior, check_prior
from app.bandits.quadrature import Booleans, Floats, Integers

FEW_ROWS = 100
"""With fewer rows the calls cost more than the draws they save: every arm's rate is drawn."""


class ThompsonSequence:
    r"""Draw a rate for every arm of every row and take the largest, without drawing the hopeless ones.

    The rate x of one arm, the last one chosen, is drawn first. Another arm's rate matters only where it exceeds
    x. Its density f in y = logit(theta) is log-concave, so with s = -(log f)'(y_x) > 0 it lies below the tangent's
    f(y_x) exp(-s (y - y_x)), of mass G = f(y_x) / s beyond y_x. Where G < 1 a point is proposed under the tangent
    with probability G and kept with the probability f / tangent: what is kept has the density f on (y_x, inf),
    and nothing is kept with the probability that theta <= x. That is exactly the law of a drawn rate, as far as
    it can win. Where G >= 1 or s <= 0 the rate itself is drawn.

    A draw costs some 80 ns, the test G > u some 15 ns, and after a while few arms pass it.

    Parameters
    ----------
    prior : (a, b), both > 0, of every arm
    k, rows : number of arms and of rows
    rng : stream of the draws

    References
    ----------
    .. [1] L. Devroye, Non-Uniform Random Variate Generation, Springer, 1986, section VII.2 (log-concave
       densities).
    """

    def __init__(self, prior: Prior, k: int, rows: int, rng: np.random.Generator) -> None:
        check_prior(prior)
        self._rows, self._row, self._rng = rows, np.arange(rows), rng
        a, b = prior
        self._a, self._n = np.full((k, rows), float(a)), np.full((k, rows), float(a + b))
        self._log_beta = np.full((k, rows), lgamma(a) + lgamma(b) - lgamma(a + b))
        self._cells, self._row_of = self._row, np.tile(self._row, k)
        self._spare = np.empty((4, k, rows))

    def choose(self) -> Integers:
        """(r,), the cell with the largest rate."""
        with np.errstate(divide="ignore", invalid="ignore"):  # a vague prior draws rates of exactly 0 and 1
            return self._all_drawn() if self._rows < FEW_ROWS else self._screened()

    def learn(self, cells: Integers, won: Booleans) -> None:
        """Count the trials; B(a + 1, b) = B(a, b) a / (a + b)."""
        a, n, log_beta = (table.ravel() for table in (self._a, self._n, self._log_beta))
        successes, trials = a[cells], n[cells]
        log_beta[cells] += np.log(np.where(won, successes, trials - successes) / trials)
        a[cells] = successes + won
        n[cells] = trials + 1

    def succeed(self, cells: Integers) -> None:
        """Count late successes; B(a + 1, b - 1) = B(a, b) a / (b - 1)."""
        a, n, log_beta = (table.ravel() for table in (self._a, self._n, self._log_beta))
        successes = a[cells]
        log_beta[cells] += np.log(successes / (n[cells] - successes - 1))
        a[cells] = successes + 1

    def _all_drawn(self) -> Integers:
        self._cells = self._rng.beta(self._a, self._n - self._a).argmax(axis=0) * self._rows + self._row
        return self._cells

    def _screened(self) -> Integers:
        first = self._cells
        a, n = self._a.ravel()[first], self._n.ravel()[first]
        x = self._rng.beta(a, n - a)
        log_rest = np.log1p(-x)
        y = np.log(x) - log_rest
        density, slope, u = self._tangents(x, y, log_rest)
        passed = (u < density).ravel()
        passed[first] = False
        rivals = np.flatnonzero(passed)
        drawn = self._drawn(rivals, density, slope, u, y)
        over = np.flatnonzero(drawn > x[self._row_of[rivals]])
        over = over[np.argsort(drawn[over])]
        self._cells = first.copy()
        # of several rivals in one row the last, the largest, stays
        self._cells[self._row_of[rivals[over]]] = rivals[over]
        return self._cells

    def _tangents(self, x: Floats, y: Floats, log_rest: Floats) -> tuple[Floats, Floats, Floats]:
        """f(y_x), s and u s with u uniform, each (k, r)."""
        density, slope, u, spare = self._spare
        np.multiply(self._a, y, out=density)
        density += np.multiply(self._n, log_rest, out=spare)
        density -= self._log_beta
        np.exp(density, out=density)
        np.multiply(self._n, x, out=slope)
        slope -= self._a
        self._rng.random(out=u)
        u *= slope
        return density, slope, u

    def _drawn(self, rivals: Integers, density: Floats, slope: Floats, u: Floats, y_x: Floats) -> Floats:
        """The rivals' rates (n,), -1 where none above x was kept."""
        f, s, us = (table.ravel()[rivals] for table in (density, slope, u))
        a, n = self._a.ravel()[rivals], self._n.ravel()[rivals]
        rates = np.full(rivals.size, -1.0)
        plain, bounded = np.flatnonzero(s <= f), np.flatnonzero(s > f)
        rates[plain] = self._rng.beta(a[plain], (n - a)[plain])
        a, n, f, s, us = (figure[bounded] for figure in (a, n, f, s, us))
        cells = rivals[bounded]
        beyond = -np.log(us / f)
        y = y_x[self._row_of[cells]] + beyond / s
        rate, log_rest = 1 / (1 + np.exp(-y)), -np.logaddexp(0, y)
        log_kept = a * y + n * log_rest - self._log_beta.ravel()[cells] - np.log(f) + beyond
        rates[bounded] = np.where(-self._rng.standard_exponential(y.size) < log_kept, rate, -1)
        return rates
