"""Gamma variates for whole tables of shapes at once."""

from math import prod

import numpy as np
from numpy.typing import NDArray

from app.bandits.arrays import Booleans, Floats, Integers

Singles = NDArray[np.float32]

MAX_SHAPE = 1e9
"""Up to here single precision does not show: a variate's last bit is at most 2e-3 of its standard deviation."""
WORD = 2**32
LOTS = 256
"""A pair is first decided by one of so many equally likely lots, by its exact uniform only in doubt."""


def gamma_variates(shapes: Floats, n: int, rng: np.random.Generator) -> Singles:
    r"""Draw n tables of independent gamma variates G ~ Gamma(a), of scale 1.

    With x normal, d = a - 1/3, e = x / (3 sqrt(d)) and v = (1 + e)^3, d v has the law of G when accepted with the
    probability exp(h), h = x^2/2 + d (1 - v + log v) <= 0 [1]_. The normals come in pairs, of a radius and
    an angle [2]_, for which the shapes are paired along their first axis; the variates of a pair are accepted, or
    drawn anew, together.

    Few have to be judged by h. As h / d = 3 (log(1 + e) - e + e^2/2 - e^3/3), for \|e\| <= 2/3

    .. math:: 1 - \exp(h) \le -h \le (3/4) d e^4 / (1 - |e|) \le x^4 / (36 d),

    and beyond \|e\| = 2/3, x^4 / (16 d^2) exceeds 1. So a variate is rejected with a probability of at most
    q = x^4 max(1 / (36 d), 1 / (16 d^2)), and a pair whose uniform lies above the sum of both q is accepted.

    Parameters
    ----------
    shapes : (2, ...), from 1 to `MAX_SHAPE`
    n : number of tables
    rng : stream of the draws

    Returns
    -------
    (n, 2, ...), in single precision, from 32 random bits each for radius and angle: a normal beyond 6.7, of
    probability 2e-11, does not occur

    References
    ----------
    .. [1] G. Marsaglia and W. W. Tsang, A simple method for generating gamma variables, ACM Trans. Math. Softw.
       26 (2000) 363-372. doi:10.1145/358407.358414
    .. [2] G. E. P. Box and M. E. Muller, A note on the generation of random normal deviates, Ann. Math. Stat. 29
       (1958) 610-611. doi:10.1214/aoms/1177706645
    """
    d = (shapes - 1 / 3).reshape(2, -1)
    single = d.astype(np.float32)
    radius, angle, lot = _random((n, d.shape[1]), rng)
    x = _normals(radius, angle)
    doubtful = _doubtful(x, single, lot)
    tables, pairs = np.divmod(doubtful, d.shape[1])
    d_of_pairs = d.take(pairs, axis=1)
    uniform = (lot.ravel()[doubtful] + rng.random(doubtful.size)) / LOTS
    rejected = np.flatnonzero(_rejected(x[tables, :, pairs].T, d_of_pairs, uniform))
    variates = _accepted(x, single)
    anew = rng.standard_gamma(d_of_pairs.take(rejected, axis=1) + 1 / 3)
    variates[tables[rejected], :, pairs[rejected]] = anew.T
    return variates.reshape(n, *shapes.shape)


def _random(shape: tuple[int, ...], rng: np.random.Generator) -> Singles:
    """Uniforms, uniforms and lots, of one word of 64 bits for all three: a third of the time of `rng.random`.

    A uniform in single precision has its upper 24 bits; the lower 8 of the second one are the lot.
    """
    words = rng.bit_generator.random_raw(prod(shape)).view(np.uint32).reshape(2, *shape)
    table = np.empty((3, *shape), dtype=np.float32)
    uniforms, lots = table[:2], table[2]
    np.copyto(uniforms, words, casting="unsafe")
    uniforms += 0.5
    uniforms /= WORD
    np.copyto(lots, np.bitwise_and(words[1], LOTS - 1, out=words[1]), casting="unsafe")
    return table


def _normals(uniform: Singles, angle: Singles) -> Singles:
    """(n, 2, m), two of every two uniforms (n, m), which are overwritten."""
    x = np.empty((len(uniform), 2, uniform.shape[1]), dtype=np.float32)
    angle *= 2 * np.pi
    np.cos(angle, out=x[:, 0])
    np.sin(angle, out=x[:, 1])
    radius = np.log(uniform, out=uniform)
    radius *= -2
    x *= np.sqrt(radius, out=radius)[:, None]
    return x


def _doubtful(x: Singles, d: Singles, lot: Singles) -> Integers:
    """Which of the pairs (n, m), as places of the flat table, may have to be rejected."""
    bound = np.multiply(x, x)
    bound *= bound
    bound *= LOTS * np.maximum(1 / 36, 1 / (16 * d)) / d
    doubtful: Integers = np.flatnonzero(lot < np.add(bound[:, 0], bound[:, 1]))
    return doubtful


def _rejected(x: Singles, d: Floats, uniform: Floats) -> Booleans:
    """Whether pairs x, d (2, m) with these uniforms (m,) are drawn anew."""
    e = x / (3 * np.sqrt(d))
    negative = (e <= -1).any(axis=0)
    e[:, negative] = 0
    h = np.log1p(e)
    h *= 3
    h += 1
    h -= (1 + e) ** 3
    h *= d
    h += x.astype(np.float64) ** 2 / 2
    rejected: Booleans = negative | (uniform <= -np.expm1(h.sum(axis=0)))
    return rejected


def _accepted(x: Singles, d: Singles) -> Singles:
    """(n, 2, m), the variates d v of these normals, which are overwritten: the cube of d^(1/3) (1 + e)."""
    root = np.cbrt(d)
    x *= root / (3 * np.sqrt(d))
    x += root
    cube = np.multiply(x, x)
    cube *= x
    return cube
