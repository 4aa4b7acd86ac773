"""The tables about delays, as the page has them."""

from collections.abc import Mapping

import numpy as np

from app.bandits.arrays import Floats
from app.simulation.clv import RaceResult
from benchmarks.results.delay.lifts import AT_ONCE, BOOKED, DAILY, TRACKED, WEEKLY, DelayLifts, Lifts
from benchmarks.results.telco import RACERS
from benchmarks.results.text import mean_of, table

FORM = "{:+.1f} %"
FINE = "{:+.2f} %"


def delay_tables(found: DelayLifts) -> dict[str, str]:
    """Return the tables by their names in the page."""
    return {
        "delay_lifts": _by_delay(found),
        "delay_low_rates": _low_rates(found.low_rates),
        "delay_paired": _paired(found),
        "delay_differing": _differing(found.differing),
    }


def telco_delay_table(booked: RaceResult, corrected: RaceResult) -> str:
    """Return what the correction does to every policy of the telco race, on the same outcomes."""
    rows = []
    kinds = [policy.described()["kind"] for policy in booked.race.policies]
    for kind, name in RACERS.items():
        without, by_curve = (race.final(kinds.index(kind)) for race in (booked, corrected))
        rows.append((name, mean_of(without), mean_of(by_curve), mean_of(by_curve - without, "{:+,.0f}")))
    head = (
        "Policy",
        "What has come (`none`), EUR",
        "Outstanding sales allowed for (`auto`), EUR",
        "Difference, EUR",
    )
    return table(head, rows)


def _by_delay(found: DelayLifts) -> str:
    """Return the lifts at the higher rates; a fixed maturity has no sense where nothing comes late."""
    rows = []
    for name, by_reading in found.by_delay.items():
        booked, *by_curve = (mean_of(lifts, FORM) for lifts in by_reading.values())
        days, lifts = found.fixed[name]
        fixed = "-" if name == AT_ONCE else f"{mean_of(lifts, FORM)}, {days} days"
        rows.append((name, booked, fixed, *by_curve))
    heads = list(next(iter(found.by_delay.values())))
    return table(("World: conversion comes", heads[0], "best fixed `maturity_days`", *heads[1:]), rows)


def _low_rates(low: Lifts) -> str:
    rows = [(name, *(mean_of(lifts, FORM) for lifts in by.values())) for name, by in low.items()]
    return table(("World: conversion comes", *next(iter(low.values()))), rows)


def _paired(found: DelayLifts) -> str:
    """Return how much more than booked the estimated curve lifts, campaign by campaign."""
    rows = []
    for rates, lifts in (("12, 15, 13 %", found.by_delay), ("1, 1.2, 1.1 %", found.low_rates)):
        for name, by_reading in lifts.items():
            rows.append(
                (f"{rates}, {name}", *(_gained(by_reading, head) for head in (TRACKED, DAILY, WEEKLY)))
            )
    return table(("World: rates, conversion comes", TRACKED, DAILY, WEEKLY), rows)


def _gained(by_reading: Mapping[str, Floats], head: str) -> str:
    gained = by_reading[head] - by_reading[BOOKED]
    return "0 (exact: the same traffic)" if np.all(gained == 0) else mean_of(gained, FINE)


def _differing(differing: Lifts) -> str:
    rows = [(name, *(mean_of(lifts, FORM) for lifts in by.values())) for name, by in differing.items()]
    return table(("World: conversion comes (geometric, mean)", *next(iter(differing.values()))), rows)
