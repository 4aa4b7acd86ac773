"""Names and arguments of version 0.1.0 that were renamed; each still works and warns until the next version."""

import warnings
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def warn(old: str, new: str, level: int = 3) -> None:
    """Issue the warning that a name is deprecated."""
    warnings.warn(f"{old} is now {new}; the old name ends with the next version", DeprecationWarning, level)


def deprecated_arguments(**renamed: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Let a function take arguments under their old names too.

    Parameters
    ----------
    renamed : the new name of each old one

    Raises
    ------
    TypeError: an argument is given under both names
    """

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        @wraps(function)
        def wrapper(*args: P.args, **named: P.kwargs) -> T:
            for old in renamed.keys() & named.keys():
                if renamed[old] in named:
                    raise TypeError(f"{old} is the old name of {renamed[old]}: give one of them")
                warn(f"the argument {old}", renamed[old])
                named[renamed[old]] = named.pop(old)
            return function(*args, **named)

        return wrapper

    return decorate
