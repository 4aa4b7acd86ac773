"""A forked child's own locks, threads and connections: it must use none of its parent's.

A connection shared by two processes gives each the other's answers, and a lock that a thread of the parent held
at the fork is never released in the child.
"""

import os
import warnings
from typing import Protocol
from weakref import WeakSet


class Forkable(Protocol):
    """An object that a forked child inherits in a state it cannot use."""

    def _after_fork(self) -> None:
        """Replace what belongs to the parent; called in the child, while it has one thread."""


_forkable: WeakSet[Forkable] = WeakSet()


def renew_after_fork(one: Forkable) -> None:
    """Have an object's ``_after_fork`` called in every forked child, before its code runs."""
    _forkable.add(one)


def _renew_all() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", ResourceWarning
        )  # the parent's sockets, of which the child drops its copy
        for one in list(_forkable):
            one._after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_all)
