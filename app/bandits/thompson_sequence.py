"""Thompson sampling one unit after the other, in a fraction of the draws."""

from math import lgamma

import numpy as np

from app.bandits.beta import Prior, check_prior
from app.bandits.one_by_one import Counts, one_by_one
from app.bandits.quadrature import Booleans, Floats, Integers

FEW_ROWS = 100
"""With fewer rows the calls cost more than the draws they save: every arm's rate is drawn."""
FEW_ARMS = 16
"""For so few in all, drawing singly is faster than numpy's checks of whole arrays."""
FIRST_FOR = 8
"""Units for which the same arm is drawn first."""


class ThompsonSequence:
    r"""Draw a rate for every arm of every row and take the largest, without drawing the hopeless ones.

    The rate x of one arm, nearly always the one with the best mean, is drawn first. Another arm's rate matters
    only where it exceeds x. Its density f in y = logit(theta) is log-concave, so with s = -(log f)'(y_x) > 0 it
    lies below the tangent's f(y_x) exp(-s (y - y_x)), of mass G = f(y_x) / s beyond y_x. Where G < 1 a point is
    proposed under the tangent with probability G and kept with the probability f / tangent: what is kept has the
    density f on (y_x, inf), and nothing is kept with the probability that theta <= x. That is exactly the law of a
    drawn rate, as far as it can win. Where G >= 1 or s <= 0 the rate itself is drawn.

    A draw costs some 80 ns, the test u < G some 15 ns, and after a while few arms pass it: for five arms a tenth
    to a fifth faster than drawing all rates, more for more arms.

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
        self._rows, self._row, self._rng, self._few = rows, np.arange(rows), rng, rows < FEW_ROWS
        a, b = prior
        self._a, self._n = np.full((k, rows), float(a)), np.full((k, rows), float(a + b))
        self._log_beta = np.full((k, rows), lgamma(a) + lgamma(b) - lgamma(a + b))
        self._first, self._units = self._row.copy(), 0
        self._row_of = np.tile(self._row, k)
        self._spare = np.empty((4, k, rows))

    def choose(self) -> Integers:
        """(r,), the cell with the largest rate."""
        return self._all_drawn() if self._few else self._screened()

    def learn(self, cells: Integers, won: Booleans) -> None:
        """Count the trials; B(a + 1, b) = B(a, b) a / (a + b)."""
        a, n = self._a.ravel(), self._n.ravel()
        successes, trials = a[cells], n[cells]
        if self._few:
            a[cells], n[cells] = successes + won, trials + 1
            return
        part = trials - successes
        np.copyto(part, successes, where=won)
        self._log_beta.ravel()[cells] += np.log(part / trials)
        successes += won
        trials += 1
        a[cells], n[cells] = successes, trials

    def succeed(self, cells: Integers) -> None:
        """Count late successes; B(a + 1, b - 1) = B(a, b) a / (b - 1)."""
        a, n, log_beta = (table.ravel() for table in (self._a, self._n, self._log_beta))
        successes = a[cells]
        log_beta[cells] += np.log(successes / (n[cells] - successes - 1))
        a[cells] = successes + 1

    def play(self, uniform: Floats, rates: Floats) -> Counts:
        """Decide the next units, each shown before the next, and count them; see `Sequence`."""
        if self._a.size > FEW_ARMS:
            return one_by_one(self.choose, self.learn, uniform, rates)
        counts = [
            self._played_row(row, uniform[:, row].tolist(), rates[:, row].tolist())
            for row in self._row.tolist()
        ]
        trials, successes = np.array(counts, dtype=np.float64).transpose(1, 2, 0)
        self._a += successes
        self._n += trials
        return Counts(trials, successes)

    def _played_row(self, row: int, uniform: list[float], rates: list[float]) -> tuple[list[int], list[int]]:
        """The trials and successes of each arm in one row."""
        a, b = self._a[:, row].tolist(), (self._n - self._a)[:, row].tolist()
        trials, successes, beta = [0] * len(a), [0] * len(a), self._rng.beta
        for u in uniform:
            drawn = list(map(beta, a, b))
            arm = drawn.index(max(drawn))
            trials[arm] += 1
            if u < rates[arm]:
                successes[arm] += 1
                a[arm] += 1
            else:
                b[arm] += 1
        return trials, successes

    def _all_drawn(self) -> Integers:
        a, b = self._a, self._n - self._a
        if a.size <= FEW_ARMS:
            rates = np.array(list(map(self._rng.beta, a.ravel().tolist(), b.ravel().tolist()))).reshape(
                a.shape
            )
        else:
            rates = self._rng.beta(a, b)
        arms = rates.argmax(axis=0)
        cells: Integers = arms * self._rows + self._row
        return cells

    # a vague prior draws rates of exactly 0 and 1, and of rivals drawn plainly the tangent means nothing
    @np.errstate(divide="ignore", invalid="ignore", over="ignore")
    def _screened(self) -> Integers:
        if self._units % FIRST_FOR == 0:
            self._first = (self._a / self._n).argmax(axis=0) * self._rows + self._row
        self._units += 1
        first = self._first
        a, n = self._a.ravel()[first], self._n.ravel()[first]
        x = self._rng.beta(a, n - a)
        log_rest = np.log1p(-x)
        y = np.log(x) - log_rest
        density, slope, u = self._tangents(x, y, log_rest)
        passed = (u < density).ravel()
        passed[first] = False
        (rivals,) = passed.nonzero()
        drawn = self._drawn(rivals, density, slope, u, y)
        (over,) = (drawn > x[self._row_of[rivals]]).nonzero()
        over = over[np.argsort(drawn[over])]
        cells = first.copy()
        # of several rivals in one row the last, the largest, stays
        cells[self._row_of[rivals[over]]] = rivals[over]
        return cells

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
        f, s, us, a, n = (table.ravel()[rivals] for table in (density, slope, u, self._a, self._n))
        log_us = np.log(us)
        # u / G is uniform, so this lies exponentially beyond y_x; log(f(y) / tangent) is then as below
        y = y_x[self._row_of[rivals]] + (np.log(f) - log_us) / s
        rest = 1 / (1 + np.exp(y))
        log_kept = a * y + n * np.log(rest) - self._log_beta.ravel()[rivals] - log_us
        rates = np.where(log_kept > -self._rng.standard_exponential(rivals.size), 1 - rest, -1.0)
        (plain,) = (s <= f).nonzero()
        a_plain = a[plain]
        rates[plain] = self._rng.beta(a_plain, n[plain] - a_plain)
        return rates
