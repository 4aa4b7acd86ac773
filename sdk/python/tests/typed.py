"""What the type checker makes of the clients: `make check` reads this file, nothing runs it."""

from collections.abc import AsyncIterator, Iterator
from typing import assert_type

from groundhog_client import (
    Allocation,
    Assignment,
    AsyncClient,
    Client,
    Decision,
    Experiment,
    Simulation,
    Stored,
    StoredTotal,
    TotalsPage,
)


def blocking(client: Client) -> None:
    """Methods made of descriptions keep the types of their arguments and of what they return."""
    assert_type(client.read_allocation("e", for_date="2026-03-10"), Allocation)
    assert_type(client.read_metrics("e"), TotalsPage)
    assert_type(client.each_daily_total("e"), Iterator[StoredTotal])
    assert_type(client.create_experiment("e", ["a", "b"], min_share=5), Experiment)
    assert_type(client.ensure_experiment("e", ["a", "b"], min_share=5), Experiment)
    assert_type(client.change_experiment("e", state="paused", currency=None), Experiment)
    assert_type(client.record_metrics([]), Stored)
    assert_type(client.assign("e", "u"), Assignment)
    assert_type(client.decide("e", "u"), Decision)
    assert_type(client.delete_variant("e", "v"), None)
    assert_type(client.simulate_email(emails=10), Simulation)


async def awaiting(client: AsyncClient) -> None:
    """The same, awaited."""
    assert_type(await client.read_allocation("e", for_date="2026-03-10"), Allocation)
    assert_type(client.each_daily_total("e"), AsyncIterator[StoredTotal])
    assert_type(await client.decide("e", "u"), Decision)
    assert_type(await client.ensure_experiment("e", ["a", "b"]), Experiment)
    assert_type(await client.wait_for_simulation("s"), Simulation)


def mistaken(client: Client) -> None:
    """Mistakes are found before they are made: each of these lines must be an error, or the checker says so."""
    client.read_allocation(1)  # type: ignore[arg-type]
    client.read_allocation("e", fordate="2026-03-10")  # type: ignore[call-arg]
    client.change_experiment("e", min_share="5")  # type: ignore[arg-type]
    client.ensure_experiment("e", minshare=5)  # type: ignore[call-arg]
    client.change_experiment("e", minshare=5)  # type: ignore[call-arg]
    client.read_allocation("e").alocations  # type: ignore[attr-defined]  # noqa: B018
