"""A log of decisions and what came of them: read, checked, and rejected by the line."""

import csv
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from app.bandits.arrays import Floats, Integers
from app.errors import FieldError, Invalid

MAX_ERRORS = 20
UNIFORM_WITHIN = 1e-6


@dataclass(frozen=True, slots=True)
class DecisionLog:
    """n decisions in the order in which they were made.

    Parameters
    ----------
    arms : (k,) names
    arm : (n,), which arm was chosen, 0..k-1
    propensity : (n,), with which probability, in (0, 1]
    reward : (n,), what came of it, finite
    value : (n,), in currency units, or None where it is not logged
    """

    arms: tuple[str, ...]
    arm: Integers
    propensity: Floats
    reward: Floats
    value: Floats | None = None

    @property
    def is_uniform(self) -> bool:
        """Whether every arm was always equally likely, as far as ten digits tell."""
        return bool((np.abs(self.propensity * len(self.arms) - 1) <= UNIFORM_WITHIN).all())


def read_csv(lines: Iterable[str], arms: Sequence[str] | None = None) -> DecisionLog:
    """The log in CSV with the columns arm, propensity, reward and perhaps value; others are ignored.

    Parameters
    ----------
    lines : the first names the columns
    arms : the arms there are; None takes those that occur, in alphabetical order

    Raises
    ------
    Invalid
        Naming the lines at error.
    """
    reader = csv.DictReader(lines)
    try:
        missing = {"arm", "propensity", "reward"} - set(reader.fieldnames or ())
        if not missing:
            return log_of(((reader.line_num, row) for row in reader), arms)
    except csv.Error:
        line = reader.line_num
        raise Invalid(f"line {line}: not CSV", [FieldError("log", "not CSV", line=line)]) from None
    raise Invalid(f"line 1: the column {min(missing)} is missing", [FieldError("log", "columns", line=1)])


def read_ndjson(lines: Iterable[str], arms: Sequence[str] | None = None) -> DecisionLog:
    """The log in NDJSON, an object with arm, propensity, reward and perhaps value per line; see `read_csv`."""
    return log_of(_objects(lines), arms)


def log_of(rows: Iterable[tuple[int, Mapping[str, Any]]], arms: Sequence[str] | None = None) -> DecisionLog:
    """The log of rows with their line numbers; see `read_csv`.

    Raises
    ------
    Invalid
        There are no rows, an arm is unknown, a propensity is not in (0, 1], or a value is not finite.
    """
    known = None if arms is None else set(arms)
    names: list[str] = []
    values: list[tuple[float, float, float]] = []
    errors: list[FieldError] = []
    for line, row in rows:
        error = _read(line, row, known, names, values)
        if error is not None:
            errors.append(error)
        if len(errors) == MAX_ERRORS:
            break
    if errors:
        raise Invalid(f"line {errors[0].line}: {errors[0].message}", errors)
    if not names:
        raise Invalid("the log has no rows", [FieldError("log", "has no rows")])
    return _built(names, values, tuple(sorted(set(names)) if arms is None else arms))


def _read(
    line: int,
    row: Mapping[str, Any],
    known: set[str] | None,
    names: list[str],
    values: list[tuple[float, float, float]],
) -> FieldError | None:
    """Add a row, or say what is wrong with it."""
    name, value = row.get("arm"), row.get("value")
    if not isinstance(name, str) or not name:
        return FieldError("log.arm", "the arm is missing", line=line)
    if not _is_text(name):
        return FieldError("log.arm", "the arm is no text: half a surrogate pair", line=line)
    if known is not None and name not in known:
        return FieldError("log.arm", f"there is no arm {name!r:.60}", line=line)
    propensity, reward = _number(row.get("propensity")), _number(row.get("reward"))
    worth = math.nan if value is None or value == "" else _number(value)
    if propensity is None or not 0 < propensity <= 1:
        shown = row.get("propensity")
        return FieldError("log.propensity", f"the propensity must be in (0, 1], not {shown!r:.40}", line=line)
    if reward is None or worth is None:
        return FieldError("log.reward", "reward and value must be finite numbers", line=line)
    names.append(name)
    values.append((propensity, reward, worth))
    return None


def _built(names: list[str], values: list[tuple[float, float, float]], arms: tuple[str, ...]) -> DecisionLog:
    place = {name: i for i, name in enumerate(arms)}
    propensity, reward, value = np.array(values, dtype=np.float64).T
    absent = np.isnan(value)
    if absent.any() and not absent.all():
        first = int(np.argmax(absent)) + 1
        raise Invalid(
            f"the value is missing in row {first}", [FieldError("log.value", f"missing in row {first}")]
        )
    arm = np.array([place[name] for name in names], dtype=np.intp)
    return DecisionLog(arms, arm, propensity, reward, None if absent.any() else value)


def _objects(lines: Iterable[str]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            row = None
        if not isinstance(row, dict):
            raise Invalid(
                f"line {number}: not a JSON object", [FieldError("log", "not a JSON object", line=number)]
            )
        yield number, row


def _is_text(name: str) -> bool:
    """Whether it can be written down: JSON's escapes can name half a character."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _number(given: Any) -> float | None:
    """A finite number, or None."""
    if isinstance(given, bool) or not isinstance(given, int | float | str):
        return None
    try:
        number = float(given)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None
