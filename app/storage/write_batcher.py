"""Many concurrent writers, one transaction: who comes while a batch is written shares the next one.

An answer is given after the commit. What an item is answered, and whether it fails, does not depend on the others
that it is written with.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Generic, Protocol, TypeVar

from sqlalchemy.orm import Session

from app.errors import GroundhogError, Unavailable
from app.storage.database import Database, is_contention

Item = TypeVar("Item")
Answer = TypeVar("Answer")
Written = TypeVar("Written", contravariant=True)
Given = TypeVar("Given", covariant=True)
Result = TypeVar("Result")

MAX_ITEMS = 200
"""Of one transaction."""
MAX_THREADS = 40
"""That write at the same time; others wait for one of them."""

SHARED = None
"""The lane of the items whose locks nobody is known to hold."""

logger = logging.getLogger("groundhog.writes")


class Write(Protocol[Written, Given]):
    """How items are written, several in one transaction or one by itself."""

    def lock_of(self, item: Written) -> str:
        """Return the name of the lock that an item is written under."""
        ...

    def together(
        self, session: Session, items: Sequence[Written], wait: bool
    ) -> Sequence[Given | GroundhogError | None]:
        """Write items, as if one by one in their order, and return what each is answered.

        None says that nothing was written for an item: it needs a transaction of its own, or, unless ``wait``, its
        lock is taken.
        """
        ...

    def alone(self, session: Session, item: Written) -> Given:
        """Write one item, or raise its error."""
        ...


@dataclass(slots=True)
class _PendingItem(Generic[Item, Answer]):
    item: Item
    answer: asyncio.Future[Answer]
    begun: bool = False


@dataclass(slots=True)
class _Lane(Generic[Item, Answer]):
    """Items that wait for the batch before theirs, and for ``lock``; in the SHARED one for no lock."""

    lock: str | None
    waiting: deque[_PendingItem[Item, Answer]] = field(default_factory=deque)

    def next_batch(self) -> list[_PendingItem[Item, Answer]]:
        """Remove and return the next items whose callers still wait."""
        open_ones = (one for one in iter(self._pop, None) if not one.answer.done())
        batch = list(islice(open_ones, MAX_ITEMS))
        for one in batch:
            one.begun = True
        return batch

    def _pop(self) -> _PendingItem[Item, Answer] | None:
        return self.waiting.popleft() if self.waiting else None


class WriteBatcher(Generic[Item, Answer]):
    """Writes the items of an event loop's callers, together where nobody has to wait for another's lock.

    Items of any locks share a transaction that waits for none. An item whose lock is taken moves to a lane of that
    lock, where the next ones for it follow: there the lock is waited for, apart from all others. Where a
    batch fails, its items are written by lock, and those of one lock one by one, so that an error is only its own
    item's. All get it where the database is away, or where the lock of all of them is not to be had in time.
    """

    def __init__(self, database: Database, write: Write[Item, Answer]) -> None:
        self._database = database
        self._write = write
        self._lanes: dict[str | None, _Lane[Item, Answer]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._threads = ThreadPoolExecutor(MAX_THREADS, "writes")
        self._patience = database.pool_timeout_seconds

    async def run(self, item: Item) -> Answer:
        """Return what an item is answered, once it is committed.

        Raises
        ------
        Unavailable: the database cannot be reached, or its turn did not come in time
        GroundhogError: as of ``Write.alone``
        """
        loop = asyncio.get_running_loop()
        waiting: _PendingItem[Item, Answer] = _PendingItem(item, loop.create_future())
        lock = self._write.lock_of(item)
        self._enqueue(lock if lock in self._lanes else SHARED, waiting)
        patience = loop.call_later(self._patience, _give_up, waiting)
        try:
            return await waiting.answer
        finally:
            patience.cancel()

    def _enqueue(self, lock: str | None, *waiting: _PendingItem[Item, Answer]) -> None:
        lane = self._lanes.get(lock)
        if lane is None:
            lane = self._lanes[lock] = _Lane(lock)
            # A context of its own: principal and audit entry are those of one request, not of the batch
            task = asyncio.get_running_loop().create_task(self._drain(lane), context=Context())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        lane.waiting.extend(waiting)

    async def _drain(self, lane: _Lane[Item, Answer]) -> None:
        try:
            while batch := lane.next_batch():
                if here := self._in_order(lane, batch):
                    await self._write_batch(lane, here)
        finally:
            del self._lanes[lane.lock]

    def _in_order(
        self, lane: _Lane[Item, Answer], batch: Sequence[_PendingItem[Item, Answer]]
    ) -> Sequence[_PendingItem[Item, Answer]]:
        """Let items follow those before them into the lanes of their locks, and return the others."""
        if lane.lock is not SHARED or len(self._lanes) == 1:
            return batch
        here = []
        for one in batch:
            lock = self._write.lock_of(one.item)
            if lock in self._lanes:
                one.begun = False
                self._enqueue(lock, one)
            else:
                here.append(one)
        return here

    async def _write_batch(
        self, lane: _Lane[Item, Answer], batch: Sequence[_PendingItem[Item, Answer]]
    ) -> None:
        try:
            answers = await self._in_transaction(
                partial(self._write.together, items=[one.item for one in batch], wait=lane.lock is not SHARED)
            )
        except Exception as error:
            if isinstance(error, Unavailable) and not (lane.lock is SHARED and is_contention(error)):
                for one in batch:
                    _fail(one, error)
                return
            logger.warning(
                "%d writes fail together and are tried apart (%s)", len(batch), type(error).__name__
            )
            answers = [None] * len(batch)
        for one, answer in zip(batch, answers, strict=True):
            if answer is not None:
                _answer(one, answer)
        await self._try_apart(
            lane, [one for one, answer in zip(batch, answers, strict=True) if answer is None]
        )

    async def _try_apart(self, lane: _Lane[Item, Answer], left: Sequence[_PendingItem[Item, Answer]]) -> None:
        """Let items wait for their locks, or where they did already, write them one by one."""
        for one in left:
            if lane.lock is SHARED:
                one.begun = False
                self._enqueue(self._write.lock_of(one.item), one)
                continue
            try:
                _answer(one, await self._in_transaction(partial(self._write.alone, item=one.item)))
            except Exception as error:
                _fail(one, error)

    async def _in_transaction(self, work: Callable[[Session], Result]) -> Result:
        def write() -> Result:
            with self._database.transaction() as session:
                return work(session)

        return await asyncio.get_running_loop().run_in_executor(self._threads, write)


def _give_up(waiting: _PendingItem[Item, Answer]) -> None:
    """Answer a caller whose turn did not come; what has begun is waited for, since it may be committed."""
    if not waiting.begun:
        _fail(
            waiting, Unavailable("other writes are still waited for; nothing was stored, try again shortly")
        )


def _answer(waiting: _PendingItem[Item, Answer], answer: Answer | GroundhogError) -> None:
    if isinstance(answer, GroundhogError):
        _fail(waiting, answer)
    elif not waiting.answer.done():
        waiting.answer.set_result(answer)


def _fail(waiting: _PendingItem[Item, Answer], error: Exception) -> None:
    if not waiting.answer.done():
        waiting.answer.set_exception(error)
        waiting.answer.exception()  # a caller may have gone; its error is then nobody's
