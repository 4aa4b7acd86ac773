"""The world in numbers: the catalogue, the base and its lifetime values."""

from typing import Any

import numpy as np

from app.simulation.clv.world.world import World

BINS = 40
PERCENTILES = (20, 80)


def world_summary(world: World) -> dict[str, Any]:
    """The actions and the product table with the base by product, and the histogram of lifetime value."""
    return {"actions": _actions(world), "products": _products(world), "lifetime_value": _histogram(world)}


def _actions(world: World) -> list[dict[str, Any]]:
    """What the arms are made of, in their order."""
    arms, scenario = world.arms, world.scenario
    return [
        {
            "name": name,
            "product": scenario.products[arms.product[i]].name,
            "channel": scenario.channels[arms.channel[i]].name,
            "template": int(arms.template[i]) + 1,
            "cost": float(arms.cost[i]),
        }
        for i, name in enumerate(arms.names)
    ]


def _products(world: World) -> list[dict[str, Any]]:
    catalogue = world.scenario.products
    customers = np.bincount(world.base.product, minlength=len(catalogue))
    able = world.response.eligible
    return [
        {
            "name": product.name,
            "price": product.price,
            "margin": product.margin,
            "download": product.download,
            "share": product.share,
            "sold_until": None if product.sold_until is None else product.sold_until.isoformat(),
            "customers": int(customers[i]),
            "eligible_for": sorted({catalogue[p].name for p in world.arms.product[able[i]]}),
        }
        for i, product in enumerate(catalogue)
    ]


def _histogram(world: World) -> dict[str, Any]:
    """Customers by lifetime value on day 0, EUR; bronze lies below the first threshold, gold above the second."""
    at_start = world.hlv_of_base()
    counts, edges = np.histogram(at_start, bins=BINS)
    bronze, gold = np.percentile(at_start, PERCENTILES)
    return {
        "edges": edges.tolist(),
        "customers": counts.tolist(),
        "bronze_below": float(bronze),
        "gold_above": float(gold),
    }
