"""Whose turn it is at what one process at a time may work on, while another stands by and goes on if it dies.

A turn is an advisory lock. All turns of a process are held on one session, and end with it.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.sql.elements import TextClause

_LOCKS = 7130006
"""The first half of the advisory lock of a turn; the second is a hash of its name."""

_TRY = text("select pg_try_advisory_lock(:locks, hashtext(:name))")
_END = text("select pg_advisory_unlock(:locks, hashtext(:name))")


@asynccontextmanager
async def open_turns(engine: AsyncEngine) -> AsyncIterator["Turns"]:
    """The turns of this process, which end with the block."""
    turns = Turns(engine)
    try:
        yield turns
    finally:
        await turns.close()


class Turns:
    """The turns of this process. Each name is asked for by one piece of work only."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._session: AsyncConnection | None = None
        self._speaking = asyncio.Lock()

    @asynccontextmanager
    async def turn(self, name: str) -> AsyncIterator[bool]:
        """Whether it is ours until the block ends. Raises what the store raises."""
        mine = await self._say(_TRY, name)
        try:
            yield mine
        finally:
            if mine:
                with suppress(SQLAlchemyError, OSError, TimeoutError):  # then the session has ended, and all turns
                    await self._say(_END, name)

    async def close(self) -> None:
        """End all turns."""
        async with self._speaking:
            await self._leave()

    async def _say(self, statement: TextClause, name: str) -> bool:
        async with self._speaking:
            try:
                if self._session is None:
                    session = await self._engine.connect()
                    self._session = await session.execution_options(isolation_level="AUTOCOMMIT")
                told = await self._session.execute(statement, {"locks": _LOCKS, "name": name})
                return bool(told.scalar_one())
            except BaseException:
                await self._leave()
                raise

    async def _leave(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.invalidate()  # a pool would keep it, and the locks with it
            await session.close()
