import asyncio

import pytest

from app.services.single_flight import SingleFlight


class Work:
    """Work that ends when it is told to, and counts how often it was begun."""

    def __init__(self) -> None:
        self.begun = 0
        self.end: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def __call__(self) -> str:
        self.begun += 1
        return await self.end


async def start(joined, work, key="key", callers=3):
    callers = [asyncio.create_task(joined.run(key, work)) for _ in range(callers)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return callers


def test_all_who_come_meanwhile_share_one_end():
    async def run():
        joined, work = SingleFlight(), Work()
        callers = await start(joined, work)
        assert "key" in joined
        work.end.set_result("found")
        assert await asyncio.gather(*callers) == ["found"] * 3
        assert work.begun == 1
        assert "key" not in joined

    asyncio.run(run())


def test_who_comes_afterwards_begins_anew_and_keys_do_not_wait_for_each_other():
    async def run():
        joined, work, other = SingleFlight(), Work(), Work()
        callers = await start(joined, work)
        other.end.set_result("other")
        assert await joined.run("another key", other) == "other"
        work.end.set_result("found")
        await asyncio.gather(*callers)
        assert await joined.run("key", work) == "found"
        assert work.begun == 2

    asyncio.run(run())


def test_an_error_reaches_all_and_is_forgotten():
    async def run():
        joined, work = SingleFlight(), Work()
        callers = await start(joined, work)
        work.end.set_exception(OSError("away"))
        assert [str(error) for error in await asyncio.gather(*callers, return_exceptions=True)] == [
            "away"
        ] * 3
        assert "key" not in joined

    asyncio.run(run())


def test_one_who_goes_takes_nothing_from_the_others():
    async def run():
        joined, work = SingleFlight(), Work()
        first, *others = await start(joined, work)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        work.end.set_result("found")
        assert await asyncio.gather(*others) == ["found"] * 2

    asyncio.run(run())
