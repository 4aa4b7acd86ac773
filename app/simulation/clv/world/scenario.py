"""Everything that can be chosen about the telco world, checked."""

from dataclasses import dataclass, fields
from datetime import date
from math import isfinite

from app.simulation.clv.world.products import CHANNELS, PRODUCTS, Channel, Product

AT_LEAST = {
    "days": 1, "customers": 1, "quota": 1, "templates": 1, "window_days": 1,
    "contract_days": 1, "horizon_days": 1, "least_years": 0, "price_ratio": 0, "discount": 0,
}  # fmt: skip
UNIT = ("decay", "churn")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """The base, the response and the rules of contact; the defaults are the preset of SCENARIOS.md.

    Parameters
    ----------
    base_seed : starts the random numbers of the base and the contact order, which all replications share
    start, days : the first day and how many are played
    customers : size of the base
    products, channels, templates : what makes the arms; templates are identical arms
    quota : contacts per day over all channels
    channel_quotas : contacts per day and channel instead, in the order of the channels; None is one common quota
    recontact_days : days after which a customer may be contacted again, >= window_days; None is once per run
    decay : the hazard on day d after a contact is q0 decay^d, in [0, 1]
    window_days : days in which a contact may convert, the day of the contact included
    price_ratio : an offer is eligible below this multiple of the current price
    contract_days : contract starts are uniform over so many last days of each product's sale
    horizon_days, least_years : a contract's margin counts to this age, and always for so many years
    discount, churn : per year, discount >= 0, churn in [0, 1); both shrink what future margin is worth

    Raises
    ------
    ValueError
        Its first word is the invalid field.
    """

    base_seed: int = 42
    start: date = date(2022, 11, 30)
    days: int = 365
    customers: int = 100_000
    products: tuple[Product, ...] = PRODUCTS
    channels: tuple[Channel, ...] = CHANNELS
    templates: int = 2
    quota: int = 200
    channel_quotas: tuple[int, ...] | None = None
    recontact_days: int | None = None
    decay: float = 0.8
    window_days: int = 21
    price_ratio: float = 1.1
    contract_days: int = 2190
    horizon_days: int = 1820
    least_years: float = 0.5
    discount: float = 0.0
    churn: float = 0.0

    def __post_init__(self) -> None:
        for name, least in AT_LEAST.items():
            _require(getattr(self, name) >= least, name, f"must be at least {least}")
        for name in UNIT:
            _require(0 <= getattr(self, name) <= 1, name, "must lie between 0 and 1")
        for field in fields(self):
            value = getattr(self, field.name)
            _require(not isinstance(value, float) or isfinite(value), field.name, "must be finite")
        _require(self.churn < 1, "churn", "must be below 1")
        self._check_contacts()
        self._check_catalogue()

    @property
    def daily(self) -> int:
        """Contacts a day at most, over all channels."""
        return self.quota if self.channel_quotas is None else sum(self.channel_quotas)

    def _check_contacts(self) -> None:
        wait, quotas = self.recontact_days, self.channel_quotas
        _require(
            wait is None or wait >= self.window_days,
            "recontact_days",
            f"must be at least window_days, {self.window_days}: a contact is over before the next",
        )
        if quotas is not None:
            _require(len(quotas) == len(self.channels), "channel_quotas", "needs one number per channel")
            _require(min(quotas) >= 0 and max(quotas) > 0, "channel_quotas", "must be >= 0, and one > 0")

    def _check_catalogue(self) -> None:
        products, channels = self.products, self.channels
        _require(any(p.on_sale for p in products), "products", "need one that is on sale")
        _require(all(p.price > 0 and p.download >= 0 for p in products), "products", "need a price > 0")
        _require(all(isfinite(p.margin) for p in products), "products", "need finite margins")
        shares = [p.share for p in products]
        sums = abs(sum(shares) - 1) <= 1e-9 and min(shares) >= 0
        _require(sums, "products", "need shares >= 0 that sum to 1")
        ended = [p.sold_until for p in products if p.sold_until is not None]
        _require(all(day < self.start for day in ended), "start", "must come after every product's last sale")
        _require(len(channels) > 0, "channels", "must not be empty")
        _require(all(0 <= c.q0 <= 1 for c in channels), "channels", "need q0 between 0 and 1")
        _require(all(0 <= c.cost < float("inf") for c in channels), "channels", "need costs >= 0")


def _require(holds: bool, field: str, message: str) -> None:
    if not holds:
        raise ValueError(f"{field} {message}")
