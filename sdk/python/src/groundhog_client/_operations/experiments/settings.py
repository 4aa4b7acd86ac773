"""The settings of experiments and variants, by name and type; the service checks every value."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypedDict

from groundhog_client._protocol.encoding import Day


class Delay(TypedDict, total=False):
    """How conversions that have not arrived yet are counted on; the kind alone may be sent in its place.

    ``fractions`` go with kind ``curve``: which fraction of a day's conversions has come by 0, 1, ... days later.
    The last of them is 1. ``max_days`` goes with kind ``auto``.
    """

    kind: Literal["auto", "none", "curve"]
    fractions: Sequence[float] | None
    max_days: int | None


class Settings(TypedDict, total=False):
    """The settings of a new experiment; the service has a default for each."""

    name: str | None
    description: str | None
    source: Literal["reported", "tracked"] | None
    flag: bool | None
    policy: Mapping[str, Any]
    objective: Literal["conversion", "value"]
    currency: str | None
    cadence: Literal["day", "hour"]
    prior: Mapping[str, float]
    window_days: int | None
    half_life_days: float | None
    adjust: Literal["none", "day"]
    min_share: float | Mapping[str, float]
    fixed_share: Mapping[str, float]
    burn_in: Mapping[str, float | None]
    maturity_days: int
    delay: Literal["auto", "none"] | Delay
    late_conversions: bool
    stale_after_days: int
    traffic: Literal["sticky", "per_request"]
    time_zone: str
    stop: Mapping[str, Any]
    assignment_mode: Literal["sticky", "rendezvous"]
    holdout_percent: float
    refresh_minutes: int
    reward_window_days: int


class Changes(TypedDict, total=False):
    """What can be changed of an experiment; None resets to the default."""

    name: str | None
    description: str | None
    state: Literal["running", "paused", "archived"] | None
    flag: bool | None
    policy: Mapping[str, Any] | None
    objective: Literal["conversion", "value"] | None
    currency: str | None
    cadence: Literal["day", "hour"] | None
    prior: Mapping[str, Any] | None
    window_days: int | None
    half_life_days: float | None
    adjust: Literal["none", "day"] | None
    min_share: float | Mapping[str, float] | None
    fixed_share: Mapping[str, float | None] | None
    burn_in: Mapping[str, Any] | None
    maturity_days: int | None
    delay: Literal["auto", "none"] | Delay | None
    late_conversions: bool | None
    stale_after_days: int | None
    traffic: Literal["sticky", "per_request"] | None
    time_zone: str | None
    stop: Mapping[str, Any] | None
    assignment_mode: Literal["sticky", "rendezvous"] | None
    holdout_percent: float | None
    refresh_minutes: int | None
    reward_window_days: int | None


class VariantChanges(TypedDict, total=False):
    """What can be changed of a variant; None resets, and undoes a retirement."""

    name: str | None
    description: str | None
    is_control: bool
    value: str | float | bool | Mapping[str, Any] | None
    retired_on: Day | None
    cost_per_impression: float | None
