"""A policy's parameters: their bounds and meaning, declared with the field and checked on construction."""

from dataclasses import Field, dataclass, field, fields
from typing import Any

import numpy as np


@dataclass(frozen=True, slots=True)
class Parameter:
    """What a person may set: a number within bounds, or a row of them (``is_row``), stored in `field`."""

    name: str
    description: str
    minimum: float
    maximum: float | None
    default: float | None
    is_row: bool
    field: str


def parameter(
    default: Any, description: str, minimum: float, maximum: float | None = None, name: str | None = None
) -> Any:
    """A dataclass field that carries its description, its inclusive bounds and, where it differs, its name."""
    about = {"description": description, "minimum": minimum, "maximum": maximum}
    return field(default=default, metadata={"about": about, "name": name})


def parameters_of(policy: Any) -> list[Parameter]:
    """The settable parameters of a policy (its class or an instance), in the order of declaration."""
    return [_described(f) for f in fields(policy) if "about" in f.metadata]


def _described(field: Field[Any]) -> Parameter:
    is_row = isinstance(field.default, tuple)
    default: Any = None if is_row else field.default
    name = field.metadata["name"] or field.name
    return Parameter(name, **field.metadata["about"], default=default, is_row=is_row, field=field.name)


def check_parameters(policy: Any) -> None:
    """Reject values out of bounds.

    Raises
    ------
    ValueError
        Naming the parameter, its value and its bounds.
    """
    for bound in parameters_of(policy):
        given = np.asarray(getattr(policy, bound.field), dtype=np.float64)
        top = np.inf if bound.maximum is None else bound.maximum
        if not (np.isfinite(given) & (given >= bound.minimum) & (given <= top)).all():
            limit = f">= {bound.minimum:g}" if bound.maximum is None else f"in [{bound.minimum:g}, {top:g}]"
            raise ValueError(f"{bound.name} must be {limit}, not {getattr(policy, bound.field)}")
