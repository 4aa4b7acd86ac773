"""Play a race, whole or a block at a time."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from app.simulation.clv.policies.protocol import RacePolicy
from app.simulation.clv.race.campaign import Booked, Campaign
from app.simulation.clv.race.leaderboard import OnInterimResult, Part, leaderboard
from app.simulation.clv.race.race import Race
from app.simulation.clv.results.result import RaceResult
from app.simulation.clv.world.outcomes import Outcomes
from app.simulation.clv.world.world import World
from app.simulation.random_streams import stream

Progress = Callable[[int, int], None]


def play(
    race: Race, progress: Progress | None = None, on_interim_result: OnInterimResult | None = None
) -> RaceResult:
    """Play all blocks one after another.

    Parameters
    ----------
    race : what to play
    progress : called with (steps done, steps in all) after each day of each policy; what it raises ends the race
    on_interim_result : called after each day with a function that computes the interim result
    """
    blocks: list[tuple[Booked, ...]] = []
    for block in range(race.blocks):
        done = block * race.steps_of_block
        blocks.append(
            play_block(race, block, _shifted(progress, done, race.steps), on_interim_result, blocks)
        )
    return combined(race, blocks)


def play_block(
    race: Race,
    block: int,
    progress: Progress | None = None,
    on_interim_result: OnInterimResult | None = None,
    before: Sequence[tuple[Booked, ...]] = (),
) -> tuple[Booked, ...]:
    """Play one block of replications, which no other block can change: what each policy came to.

    Progress counts the steps of this block; an interim result includes the blocks `before`.
    """
    world = World.of(race.scenario)
    outcomes = outcomes_of(race, block)
    booked: list[Booked] = []
    for heat in _heats(race):
        campaigns = [campaign_of(race, world, outcomes, block, policy) for policy in heat]
        mornings = [campaign.days() for campaign in campaigns]
        for day in range(race.scenario.days):
            for place, morning in enumerate(mornings, start=1):
                next(morning)
                if progress is not None:
                    done = len(booked) * race.scenario.days + day * len(heat) + place
                    progress(done, race.steps_of_block)
            if on_interim_result is not None:
                running = [(campaign.booked, day + 1) for campaign in campaigns]
                on_interim_result(partial(_interim_result, race, before, booked, running))
        booked += [campaign.booked for campaign in campaigns]
    return tuple(booked)


def _heats(race: Race) -> list[tuple[RacePolicy, ...]]:
    """Who runs side by side: all, or one after another where each needs its own copy of the base."""
    if race.scenario.recontact_days is None:
        return [race.policies]
    return [(policy,) for policy in race.policies]


def _interim_result(
    race: Race, before: Sequence[tuple[Booked, ...]], booked: Sequence[Booked], running: Sequence[Part]
) -> dict[str, Any]:
    """The interim result from the blocks before, and from this one's policies that are through or run."""
    days = race.scenario.days
    now: list[list[Part]] = [[(one, days)] for one in booked] + [[part] for part in running]
    now += [[] for _ in race.policies[len(now) :]]
    past: list[list[Part]] = [[(block[i], days) for block in before] for i in range(len(race.policies))]
    return leaderboard(race, [[*old, *new] for old, new in zip(past, now, strict=True)])


def combined(race: Race, blocks: Sequence[tuple[Booked, ...]]) -> RaceResult:
    """The result of a race from its blocks, in their order, whichever process played them."""
    by_policy: Iterator[tuple[Booked, ...]] = zip(*blocks, strict=True)
    return RaceResult(race, World.of(race.scenario), tuple(Booked.joined(parts) for parts in by_policy))


def outcomes_of(race: Race, block: int) -> Outcomes:
    """The uniforms that all policies of a block meet."""
    return Outcomes(race.seed, block, race.size_of(block), race.scenario.customers)


def campaign_of(race: Race, world: World, outcomes: Outcomes, block: int, policy: RacePolicy) -> Campaign:
    """A policy's campaign in a block; its stream is named by the block and the policy, not by its place."""
    rng = stream(race.seed, "clv policy", block, policy.label)
    return Campaign(world, policy.enter(world), outcomes, rng, race.size_of(block), race.delay_correction)


def _shifted(progress: Progress | None, done: int, total: int) -> Progress | None:
    return None if progress is None else lambda step, _: progress(done + step, total)
