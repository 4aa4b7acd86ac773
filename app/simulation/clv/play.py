"""Play a race, whole or a block at a time."""

from collections.abc import Callable, Iterator, Sequence

from app.simulation.clv.campaign import Booked, Campaign
from app.simulation.clv.outcomes import Outcomes
from app.simulation.clv.policies.contract import RacePolicy
from app.simulation.clv.race import Race
from app.simulation.clv.result import RaceResult
from app.simulation.clv.world import World
from app.simulation.streams import stream

Progress = Callable[[int, int], None]


def play(race: Race, progress: Progress | None = None) -> RaceResult:
    """Play all blocks one after another.

    Parameters
    ----------
    race : what to play
    progress : called with (steps done, steps in all) after each day of each policy; what it raises ends the race
    """
    blocks = []
    for block in range(race.blocks):
        done = block * race.steps_of_block
        blocks.append(play_block(race, block, _shifted(progress, done, race.steps)))
    return combined(race, blocks)


def play_block(race: Race, block: int, progress: Progress | None = None) -> tuple[Booked, ...]:
    """Play one block of replications, which no other block can change: what each policy came to.

    Progress counts the steps of this block.
    """
    world = World.of(race.scenario)
    outcomes = outcomes_of(race, block)
    booked = []
    for place, policy in enumerate(race.policies):
        campaign = campaign_of(race, world, outcomes, block, policy)
        for day, _ in enumerate(campaign.days(), start=1):
            if progress is not None:
                progress(place * race.scenario.days + day, race.steps_of_block)
        booked.append(campaign.booked)
    return tuple(booked)


def combined(race: Race, blocks: Sequence[tuple[Booked, ...]]) -> RaceResult:
    """The result of a race from its blocks, in their order, whoever played them."""
    by_policy: Iterator[tuple[Booked, ...]] = zip(*blocks, strict=True)
    return RaceResult(race, World.of(race.scenario), tuple(Booked.joined(parts) for parts in by_policy))


def outcomes_of(race: Race, block: int) -> Outcomes:
    """The uniforms that all policies of a block meet."""
    return Outcomes(race.seed, block, race.size_of(block), race.scenario.customers)


def campaign_of(race: Race, world: World, outcomes: Outcomes, block: int, policy: RacePolicy) -> Campaign:
    """A policy's campaign in a block; its stream is named by the block and the policy, not by its place."""
    rng = stream(race.seed, "clv policy", block, policy.label)
    return Campaign(world, policy.enter(world), outcomes, rng, race.size_of(block))


def _shifted(progress: Progress | None, done: int, total: int) -> Progress | None:
    return None if progress is None else lambda step, _: progress(done + step, total)
