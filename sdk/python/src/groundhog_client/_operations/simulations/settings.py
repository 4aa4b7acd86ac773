"""The parameters of simulations, by name and type; the service checks every value."""

from collections.abc import Mapping
from typing import Any, Literal, TypedDict

from groundhog_client._protocol.encoding import Day


class EmailSimulation(TypedDict, total=False):
    """The parameters of the e-mail scenario; the service has a default for each."""

    policies: list[Mapping[str, Any]]
    subjects: list[str] | None
    rates: list[float] | None
    world_seed: int
    emails: int
    cadence: Literal["per_email", "daily"]
    days: int
    drift: Mapping[str, Any] | None
    delay: int | Mapping[str, Any]
    delay_correction: Literal["auto", "none"]
    cost_per_email: float | list[float]
    value_per_conversion: float | list[float]
    holdout_percent: float
    prior: Mapping[str, float]
    min_share: float
    burn_in: Mapping[str, float | None]
    replications: int
    seed: int


class ClvSimulation(TypedDict, total=False):
    """The parameters of the customer-lifetime-value scenario; the service has a default for each."""

    policies: list[Mapping[str, Any]]
    start: Day
    days: int
    customers: int
    products: list[Mapping[str, Any]] | None
    channels: list[Mapping[str, Any]] | None
    templates: int
    quota: int
    channel_quotas: list[int] | None
    recontact_days: int | None
    decay: float
    window_days: int
    price_ratio: float
    contract_days: int
    horizon_days: int
    least_years: float
    discount: float
    churn: float
    delay_correction: Literal["auto", "none"]
    base_seed: int
    replications: int
    seed: int
    exported: int


class PlanSettings(TypedDict, total=False):
    """The parameters of a plan besides rates and traffic; the service has a default for each."""

    policy: Mapping[str, Any]
    days: int
    minimum_days: int
    min_share: float
    prior: Mapping[str, float]
    burn_in: Mapping[str, float | None]
    delay: int | Mapping[str, Any]
    delay_correction: Literal["auto", "none"]
    replications: int
    seed: int
