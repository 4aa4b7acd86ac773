"""Streams of random numbers that depend on what they are for, never on the order in which they are opened."""

import hashlib

import numpy as np


def stream(seed: int, *labels: str | int) -> np.random.Generator:
    """The stream of random numbers named by `labels` in the run that `seed` starts.

    The same seed and labels give the same numbers in every process; streams that differ in either are
    independent for all practical purposes (SHA-256 of both is the entropy). So a policy's stream can be named by
    (block of replications, policy with its parameters), which does not change with its place in a list, and the
    outcomes' by the block alone, which gives all policies the same world.

    Parameters
    ----------
    seed : any whole number
    labels : words and whole numbers; 1 and "1" differ, and so do ("a", "b") and ("ab",)

    Notes
    -----
    SFC64 is numpy's fastest generator: 35 against 38 ns per gamma variate, 3.1 against 4.0 ns per uniform of the
    default PCG64.
    """
    digest = hashlib.sha256("".join(map(_marked, (seed, *labels))).encode()).digest()
    words = np.frombuffer(digest, dtype="<u4").tolist()
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence(words)))


def _marked(label: str | int) -> str:
    """A label with its type and length before it, so that no two rows of labels read alike."""
    text = str(int(label)) if isinstance(label, int | np.integer) else label
    return f"{'text' if isinstance(label, str) else 'int'}:{len(text)}:{text};"
