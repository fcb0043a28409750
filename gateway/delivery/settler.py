"""The settler writes what came of attempts, all that has gathered in one statement, and only then says so.

It writes on the session that holds the recipients' locks: a process that lost them can settle nothing.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence

from gateway import telemetry
from gateway.delivery.settlement import Settlement
from gateway.failpoints import reach
from gateway.store import deliveries
from gateway.store.session import Session
from gateway.telemetry import log

_MOST = 500
_WAITING = 2000
_GATHER = 0.02
"""Seconds to let outcomes gather that nobody waits for: the recipients have theirs already.

A statement costs as much as twenty rows of it. What a process that dies had not written is sent again.
"""

Told = Callable[[Sequence[Settlement]], None]
"""Is told which settlements are committed."""


class Settler:
    """One for all recipients of a process. turn: serialises the use of the session."""

    def __init__(self, session: Session, turn: asyncio.Lock) -> None:
        self._session = session
        self._turn = turn
        self._waiting: list[Settlement] = []
        self._tell: dict[str, Told] = {}
        self._gathered = asyncio.Event()
        self._awaited = asyncio.Event()
        self._settled = asyncio.Event()

    def listen(self, recipient: str, told: Told) -> None:
        """Who is told of a recipient's settlements."""
        self._tell[recipient] = told

    async def put(self, settlement: Settlement, *, awaited: bool = False) -> None:
        """Hand in a settlement; waits only while too many are waiting to be written.

        awaited: the person's next delivery waits for it, so it is written at once, with what has gathered by then.
        """
        while len(self._waiting) >= _WAITING:
            self._settled.clear()
            await self._settled.wait()
        self._waiting.append(settlement)
        self._gathered.set()
        if awaited:
            self._awaited.set()

    async def run(self) -> None:
        """Settle until cancelled. Raises SQLAlchemyError when the session is lost; nothing unsettled is lost with it,
        because it is still queued."""
        while True:
            await self._gathered.wait()
            await self._gather()
            self._gathered.clear()
            self._awaited.clear()
            while self._waiting:
                batch, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
                await self._settle(batch)
                self._settled.set()

    async def _gather(self) -> None:
        try:
            async with asyncio.timeout(_GATHER):
                await self._awaited.wait()
        except TimeoutError:
            return

    async def _settle(self, batch: Sequence[Settlement]) -> None:
        reach("D7")
        async with self._turn:
            await deliveries.settle(self._session, batch)
        reach("D8")
        by_recipient: dict[str, list[Settlement]] = {}
        for one in batch:
            by_recipient.setdefault(one.delivery.recipient, []).append(one)
        for recipient, told in by_recipient.items():
            self._tell[recipient](told)
            _count(recipient, told)
        log.info("deliveries.settled", count=len(batch))


def _count(recipient: str, settled: Sequence[Settlement]) -> None:
    for outcome, count in Counter(one.outcome for one in settled).items():
        telemetry.attempted.labels(recipient, outcome).inc(count)
        if outcome == "offered":
            telemetry.delivered.labels(recipient).inc(count)
        else:
            log.warning("deliveries.not_offered", recipient=recipient, outcome=outcome, count=count)
