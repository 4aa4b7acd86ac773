"""The telco world: who gets which offer, and what customer lifetime value that adds; nothing of the e-mail world.

A `Race` names a `Scenario` (the world), policies and replications; `play` gives a `RaceResult` whose `to_dict` is
plain JSON. `play_block` and `combined` do the same a block at a time, in any process; `export` gives the log of
one replication with its propensities.
"""

from app.simulation.clv.export import Export, export
from app.simulation.clv.play import combined, play, play_block
from app.simulation.clv.policies.registry import RACE, preset, race_parameters, race_policy
from app.simulation.clv.policies.service_policy import ServicePolicy
from app.simulation.clv.race.race import BLOCK, Race
from app.simulation.clv.results.result import RaceResult
from app.simulation.clv.world.products import CHANNELS, PRODUCTS, Channel, Product
from app.simulation.clv.world.scenario import Scenario

__all__ = [
    "BLOCK",
    "CHANNELS",
    "PRODUCTS",
    "RACE",
    "Channel",
    "Export",
    "Product",
    "Race",
    "RaceResult",
    "Scenario",
    "ServicePolicy",
    "combined",
    "export",
    "play",
    "play_block",
    "preset",
    "race_parameters",
    "race_policy",
]
