"""Epsilon-greedy one unit after the other, by whole stretches in which the leader stays."""

import numpy as np
from numpy.typing import NDArray

from app.bandits.arrays import Booleans, Floats, Integers
from app.bandits.sequential.unit_loop import UnitCounts, counted, play_units

CHUNK = 64
"""Units per row whose explorations are drawn at once, and the most that are tried in one stretch."""
UNTIL = 512
"""Units that are played one by one: the leader changes too often yet."""
MAX_ATTEMPTS = 32
"""A stretch is at most a 32nd of the units seen: much longer, and the leader often changes within it."""
MIN_ROWS = 20
"""So few rows are played unit by unit in plain numbers; arrays pay for more."""
CLOSE = 1e-6
"""Successes; a leader who comes as near to the others' best is not taken for one: above all rounding errors."""
NOT_EXPLORING = -1

Arms = NDArray[np.int16]


class SequentialEpsilonGreedy:
    r"""The arm with the best mean so far but for epsilon of the units, which go to any arm.

    The mean is (a + successes) / (m + trials). The leader can only change when its own mean falls or another's
    rises, and another's rises only by exploration. So a stretch of units is played at once as if the leader
    stayed. With S explored successes another arm's mean is never above (a + s + S) / (m + n + S); let B be the
    largest of these. Then the leader stayed wherever its path

    .. math:: (a + s) - B (m + n) + \sum_t (x_t - B), \qquad x_t \text{ its outcomes},

    stayed above 0, and the stretch stands. The few rows where it did not, or where two led, are played again unit
    by unit with the same explorations and outcomes: the choices are exactly those of going one by one.

    Parameters
    ----------
    epsilon : in [0, 1], the part that explores, over all arms
    start : (a, m), m >= a >= 0 and m > 0
    split_ties : exactly equal means are equally likely; else the lowest index leads
    k, rows : number of arms and of rows
    rng : stream of the draws
    """

    def __init__(
        self,
        epsilon: float,
        start: tuple[float, float],
        split_ties: bool,
        k: int,
        rows: int,
        rng: np.random.Generator,
    ) -> None:
        self._epsilon, self._split_ties, self._k, self._rows, self._rng = epsilon, split_ties, k, rows, rng
        self._start, self._row, self._units = start, np.arange(rows), 0
        self._arm = np.arange(k, dtype=np.int16)[:, None]
        self._trials, self._successes = np.zeros((k, rows)), np.zeros((k, rows))
        self._means = np.full((k, rows), start[0] / start[1])
        self._explorations: Arms = np.empty((0, rows), dtype=np.int16)

    def choose(self) -> Integers:
        """(r,), the leaders, some of them replaced by any arm."""
        if not len(self._explorations):
            self._explorations, _ = self._drawn_explorations(CHUNK)
        explored, self._explorations = self._explorations[0], self._explorations[1:]
        arms = np.where(explored == NOT_EXPLORING, self._leaders()[0], explored)
        cells: Integers = arms * self._rows + self._row
        return cells

    def learn(self, cells: Integers, won: Booleans) -> None:
        """Count the trials and renew the means of their cells."""
        self._units += 1
        self._trials.ravel()[cells] += 1
        self._successes.ravel()[cells] += won
        self._renew(cells)

    def succeed(self, cells: Integers) -> None:
        """Count late successes."""
        self._successes.ravel()[cells] += 1
        self._renew(cells)

    def play(self, uniform: Floats, rates: Floats) -> UnitCounts:
        """Decide the next units, each shown before the next, and count them; see `SequentialPolicy`."""
        trials, successes, done = self._trials.copy(), self._successes.copy(), 0
        if self._rows < MIN_ROWS:
            explored, done = self._drawn_explorations(len(uniform))[0], len(uniform)
            self._unit_by_unit(self._row, uniform, explored, rates)
            self._settle(done)
        while done < len(uniform):
            if self._units < UNTIL:
                some = uniform[done : done + UNTIL - self._units]
                play_units(self.choose, self.learn, some, rates)
            else:
                some = uniform[done : done + min(self._units // MAX_ATTEMPTS, CHUNK)]
                self._stretch(some, rates)
            done += len(some)
        return UnitCounts(self._trials - trials, self._successes - successes)

    def _renew(self, cells: Integers) -> None:
        a, m = self._start
        of_cells = (a + self._successes.ravel()[cells]) / (m + self._trials.ravel()[cells])
        self._means.ravel()[cells] = of_cells

    def _leaders(self) -> tuple[Integers, Booleans]:
        """(r,), the arms with the best means, and which of them share the lead."""
        leads = self._means == self._means.max(axis=0)
        tied = np.add.reduce(leads, axis=0, dtype=np.int16) > 1
        # where one arm leads, the sum over arms of arm * leads is it: a third of argmax's time
        arms: Integers = np.add.reduce(leads * self._arm, axis=0, dtype=np.intp)
        if tied.any():
            lots = leads[:, tied].astype(np.float64)
            if self._split_ties:
                lots *= self._rng.random(lots.shape) + 1
            arms[tied] = lots.argmax(axis=0)
        return arms, tied

    def _stretch(self, uniform: Floats, rates: Floats) -> None:
        """Play some units at once, and those rows again in which the leader changed."""
        explored, place = self._drawn_explorations(len(uniform))
        leader, tied = self._leaders()
        led = leader * self._rows + self._row
        won = uniform < rates.ravel()[led]
        won.ravel()[place] = False
        # numpy's % takes four times as long
        row = place - place // self._rows * self._rows
        cell = explored.ravel()[place] * self._rows + row
        tried, gained = counted(cell, uniform.ravel()[place] < rates.ravel()[cell], rates.shape)
        rival = self._highest_rival(gained, led)
        tried.ravel()[led] += len(uniform) - tried.sum(axis=0)
        gained.ravel()[led] += np.add.reduce(won.view(np.uint8), axis=0, dtype=np.uint8)
        a, m = self._start
        ahead = a + self._successes.ravel()[led] - rival * (m + self._trials.ravel()[led])
        # if all its failures came first
        lowest = ahead - rival * (tried - gained).ravel()[led]
        near = np.flatnonzero(tied | (lowest <= CLOSE))
        plays = (explored[:, near] == NOT_EXPLORING) | (explored[:, near] == leader[near])
        path = np.cumsum(plays * ((uniform[:, near] < rates.ravel()[led[near]]) - rival[near]), axis=0)
        again = near[tied[near] | (ahead[near] + np.minimum(path.min(axis=0), 0) <= CLOSE)]
        tried[:, again] = gained[:, again] = 0
        self._trials += tried
        self._successes += gained
        self._unit_by_unit(again, uniform, explored, rates)
        self._settle(len(uniform))

    def _settle(self, units: int) -> None:
        """Renew every mean after so many units."""
        a, m = self._start
        self._units += units
        self._means = (a + self._successes) / (m + self._trials)

    def _highest_rival(self, gained: Floats, led: Integers) -> Floats:
        """(r,), what no other arm's mean can exceed while these successes (k, r) come in."""
        a, m = self._start
        highest = a + self._successes + gained
        highest /= m + self._trials + gained
        highest.ravel()[led] = 0
        rival: Floats = highest.max(axis=0)
        return rival

    def _unit_by_unit(self, rows: Integers, uniform: Floats, explored: Arms, rates: Floats) -> None:
        tables = (uniform, explored, rates, self._trials, self._successes, self._means)
        columns = zip(*(table[:, rows].T.tolist() for table in tables), strict=True)
        played = np.array([self._one_row(*column) for column in columns]).reshape(-1, 2, self._k)
        self._trials[:, rows], self._successes[:, rows] = played.transpose(1, 2, 0)

    def _one_row(
        self,
        uniform: list[float],
        explored: list[int],
        rates: list[float],
        trials: list[float],
        successes: list[float],
        means: list[float],
    ) -> tuple[list[float], list[float]]:
        """A row's trials and successes after these units; its leader is sought where another may be as good."""
        (a, m), leader, rival = self._start, 0, np.inf
        rate, sent, won = rates[0], trials[0], successes[0]
        for u, arm in zip(uniform, explored, strict=True):
            if arm == NOT_EXPLORING:
                if (a + won) / (m + sent) <= rival:
                    trials[leader], successes[leader], means[leader] = sent, won, (a + won) / (m + sent)
                    leader, rival = self._leader_of(means)
                    rate, sent, won = rates[leader], trials[leader], successes[leader]
                arm = leader
            if arm == leader:
                sent += 1
                won += u < rate
            else:
                trials[arm] += 1
                successes[arm] += u < rates[arm]
                means[arm] = mean = (a + successes[arm]) / (m + trials[arm])
                rival = max(rival, mean)
        trials[leader], successes[leader] = sent, won
        return trials, successes

    def _leader_of(self, means: list[float]) -> tuple[int, float]:
        """The arm with the best mean, and the best mean of the others."""
        second, best = sorted(means)[-2:]
        if self._split_ties and second == best:
            tied = [arm for arm, mean in enumerate(means) if mean == best]
            return tied[int(self._rng.random() * len(tied))], best
        return means.index(best), second

    def _drawn_explorations(self, n: int) -> tuple[Arms, Integers]:
        """(n, r), the arm that a unit explores or `NOT_EXPLORING`, and the places in it of those who do."""
        arms = np.full(n * self._rows, NOT_EXPLORING, dtype=np.int16)
        places = self._exploring(arms.size)
        arms[places] = self._rng.integers(self._k, size=places.size, dtype=np.int16)
        return arms.reshape(n, self._rows), places

    def _exploring(self, size: int) -> Integers:
        """Which of so many units explore, by the geometric gaps between them: no draws for the others."""
        if self._epsilon in (0, 1):
            return np.arange(size * int(self._epsilon))
        expected = size * self._epsilon
        enough = int(expected + 10 * np.sqrt(expected) + 50)
        with np.errstate(over="ignore"):
            gaps = np.ceil(self._rng.standard_exponential(enough) / -np.log1p(-self._epsilon))
            places = np.cumsum(gaps)
        return places[: np.searchsorted(places, size, side="right")].astype(np.intp) - 1
