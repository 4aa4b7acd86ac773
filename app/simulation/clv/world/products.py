"""What is sold, over which channels, and the arms that these make."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from app.bandits.arrays import Floats, Integers


@dataclass(frozen=True, slots=True)
class Product:
    """A contract.

    Parameters
    ----------
    name : what it is called
    price, margin : EUR per year
    download : Mbit/s
    share : its part of the base, in [0, 1]
    sold_until : the last day it was sold; None while it is on sale
    """

    name: str
    price: float
    margin: float
    download: float
    share: float
    sold_until: date | None = None

    @property
    def on_sale(self) -> bool:
        """Whether it can be offered."""
        return self.sold_until is None


@dataclass(frozen=True, slots=True)
class Channel:
    """A way to a customer.

    Parameters
    ----------
    name : what it is called
    cost : EUR per contact, converted or not
    q0 : probability that an eligible customer converts on the day of the contact
    """

    name: str
    cost: float
    q0: float


ENDED = date(2018, 12, 31)

PRODUCTS = (
    Product("Internet Z1", 446, 176, 80, 0.14, ENDED),
    Product("Alles-in-1 Basis", 513, 203, 100, 0.051, ENDED),
    Product("Internet Z2", 566, 221, 300, 0.48, ENDED),
    Product("Alles-in-1 Plus", 624, 247, 500, 0.17, ENDED),
    Product("Internet Z3", 782, 309, 600, 0.005, ENDED),
    Product("Alles-in-1 Extra", 804, 320, 1000, 0.003, ENDED),
    Product("Internet Start & TV Start", 523, 206, 70, 0.02),
    Product("Internet Complete & TV Start", 560, 219, 300, 0.06),
    Product("Internet Complete", 533, 210, 300, 0.05),
    Product("Internet Max & Kabel TV", 798, 317, 600, 0.02),
    Product("Internet Giga & Kabel TV", 858, 341, 1000, 0.001),
)
"""The catalogue of SCENARIOS.md: six products that are no longer sold and five on sale."""

CHANNELS = (Channel("call", 3.0, 0.035), Channel("e-mail", 0.0, 0.005))


@dataclass(frozen=True, slots=True)
class Arms:
    """The actions: every product on sale over every channel with every template, in that order.

    Parameters
    ----------
    product, channel, template : (k,), indices into the catalogue, the channels and the templates
    cost : (k,), EUR per contact
    names : k words for people
    """

    product: Integers
    channel: Integers
    template: Integers
    cost: Floats
    names: tuple[str, ...]

    @classmethod
    def of(cls, products: Sequence[Product], channels: Sequence[Channel], templates: int) -> "Arms":
        """All of them; templates change nothing but the number of identical arms."""
        on_sale = np.flatnonzero([product.on_sale for product in products])
        shape = (len(on_sale), len(channels), templates)
        product, channel, template = (index.ravel() for index in np.indices(shape))
        names = tuple(
            f"{products[on_sale[p]].name}, {channels[c].name}"
            + (f", template {t + 1}" if templates > 1 else "")
            for p, c, t in zip(product, channel, template, strict=True)
        )
        cost = np.array([channel.cost for channel in channels])[channel]
        return cls(on_sale[product], channel, template, cost, names)

    @property
    def k(self) -> int:
        """The number of arms."""
        return len(self.names)
