"""The bell rings when a mailbox has something new, so that a waiting recipient is answered at once and nobody polls.

One session per process listens to PostgreSQL's announcements, from when somebody waits until nobody does: each
announcement costs whoever listens as much as a question. One can be lost with the session, or be made before it; so
whoever waits also looks by itself once, when the session is made.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway import telemetry
from gateway.store.ledger import listen
from gateway.store.mailboxes import CHANNEL, announced
from gateway.telemetry import log

_PAUSE = 1.0
"""Seconds before listening again after the session was lost."""

_LINGER = 60.0
"""Seconds between two looks: who asks again and again should find it listening."""


class Bell:
    """One per process. `run` must run for it to ring. linger: seconds between two looks whether anybody still waits."""

    def __init__(self, engine: AsyncEngine, linger: float = _LINGER) -> None:
        self._engine = engine
        self._linger = linger
        self._waiting: dict[str, set[asyncio.Event]] = {}
        self._wanted = asyncio.Event()
        self.closing = False
        """Nobody should wait any longer: the process is about to end."""

    def close(self) -> None:
        """Let everybody who waits go on, with what there is."""
        self.closing = True
        for recipient in tuple(self._waiting):
            self._ring(recipient)

    @asynccontextmanager
    async def listening(self, recipient: str) -> AsyncIterator[asyncio.Event]:
        """An event that is set by whatever is announced for a recipient from now on."""
        rung = asyncio.Event()
        self._waiting.setdefault(recipient, set()).add(rung)
        self._wanted.set()
        try:
            yield rung
        finally:
            waiting = self._waiting[recipient]
            waiting.discard(rung)
            if not waiting:
                del self._waiting[recipient]

    async def run(self) -> None:
        """Listen for those who wait until cancelled, through every loss of PostgreSQL."""
        while True:
            if not self._waiting:
                await self._wanted.wait()
            try:
                await self._listen()
            except (SQLAlchemyError, OSError, TimeoutError) as error:
                log.warning("bell.interrupted", error=type(error).__name__, where=telemetry.where(error))
                await asyncio.sleep(_PAUSE)

    async def _listen(self) -> None:
        async with self._engine.connect() as connection:
            try:
                ended = asyncio.Event()
                await listen(
                    connection,
                    CHANNEL,
                    lambda _, __, ___, told: self._ring(announced(told)[0]),
                    lambda _: ended.set(),
                )
                for recipient in tuple(self._waiting):
                    self._ring(recipient)
                await self._until_nobody_waits(ended)
            finally:
                # A pool would keep it listening.
                await connection.invalidate()

    async def _until_nobody_waits(self, ended: asyncio.Event) -> None:
        """Until nobody waits or has begun to since the last look. Raises ConnectionError when the session ends."""
        while self._waiting or self._wanted.is_set():
            self._wanted.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._linger):
                    await ended.wait()
                    raise ConnectionError("the session has ended")

    def _ring(self, recipient: str) -> None:
        for rung in self._waiting.get(recipient, ()):
            rung.set()
