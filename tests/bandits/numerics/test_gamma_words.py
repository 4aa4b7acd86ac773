"""What becomes of each word of random bits; and priors for which the rates themselves are drawn."""

from types import SimpleNamespace

import numpy as np
import pytest

from app.bandits.numerics.gamma_variates import LOTS, _doubtful, _normals, _random, gamma_variates
from app.bandits.policies.thompson import ThompsonSampling
from app.bandits.sequential.sequences import as_sequential
from app.bandits.totals import Totals


class Words:
    """A generator of chosen words and uniforms, which draws no variate anew."""

    def __init__(self, word, uniform=0.0):
        self.bit_generator = SimpleNamespace(random_raw=lambda n: np.full(n, word, dtype=np.uint64))
        self.random = lambda n: np.full(n, uniform)

    def standard_gamma(self, shapes):
        assert not shapes.size
        return shapes


def test_a_word_is_cut_into_two_uniforms_and_a_lot():
    first, second, lot = _random((1, 1), Words(0x80000005_40000000)).ravel().tolist()
    assert (first, second, lot) == (0.25, 0.5, 5)


def test_the_smallest_word_gives_the_largest_normal():
    first, second, lot = _random((1, 1), Words(0))
    assert (first.item(), lot.item()) == (2**-33, 0)
    assert _normals(first, second).ravel().tolist() == pytest.approx([np.sqrt(66 * np.log(2)), 0], abs=1e-6)


def test_the_uniform_of_a_pair_lies_within_its_lot():
    """Of lot 0 and in its middle it is 1/512; two normals of 1 at shape 100 are refused with 2e-4."""
    words = Words(0x20000000_5E000000, 0.5)
    radius, angle, lot = _random((1, 1), words)
    assert np.abs(_normals(radius, angle)).ravel().tolist() == pytest.approx([1, 1], abs=0.01)
    assert lot.item() == 0
    assert np.isfinite(gamma_variates(np.full((2, 1), 100.0), 1, words)).all()
    assert 1 - np.exp(-2 / (108 * 100)) < 0.5 / LOTS


def test_with_less_than_1_of_either_kind_in_the_prior_the_law_is_the_same():
    policy, rows, rounds = ThompsonSampling((0.3, 2.0)), 4_000, 4
    sequence = as_sequential(policy, 2, rows, np.random.default_rng(1))
    sequence.learn(np.arange(rows), np.ones(rows, dtype=bool))
    share = np.mean([sequence.choose() < rows for _ in range(rounds)])
    expected = policy.shares(Totals(np.array([1.0, 0.0]), np.array([1.0, 0.0])))[0]
    assert share == pytest.approx(expected, abs=4 * np.sqrt(expected * (1 - expected) / rows / rounds))


@pytest.mark.parametrize("d", [2 / 3, 1, 2.25, 10, 1e3, 1e6])
def test_every_candidate_that_may_be_rejected_is_looked_at(d):
    """Beside a normal of 0, which is never refused; of the lots that leave doubt the last."""
    e = np.linspace(-0.999, 2, 3001)
    x = 3 * np.sqrt(d) * e
    refused = -np.expm1(x**2 / 2 + d * (1 - (1 + e) ** 3 + 3 * np.log1p(e)))
    some = refused > 1e-6
    pairs = np.stack([x[some], np.zeros(some.sum())])[None].astype(np.float32)
    lots = np.ceil(LOTS * refused[some]) - 1
    looked_at = _doubtful(pairs, np.full(pairs.shape[1:], d, np.float32), lots[None].astype(np.float32))
    assert some.sum() > 20
    assert looked_at.tolist() == list(range(some.sum()))
