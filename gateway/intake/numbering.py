"""Which message or file has which number of a series that is numbered without a gap (`Series` in `adapters/base.py`).

A number belongs to one of them from the moment anything of it may be taken. What a crash cut off keeps its number until
it comes again.
"""

import io
import uuid
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.base import FileRefused, Finding, Numbered, Series
from gateway.errors import JournalUnavailable
from gateway.failpoints import reach
from gateway.intake.entry import Clash, Entry, Taken
from gateway.store import series as statements

Commit = Callable[[Entry], Awaitable[Taken | Clash]]
"""Commits one record. Raises JournalUnavailable."""


@dataclass(frozen=True, slots=True)
class Numbering:
    """Gives numbers to what comes: each to one, and none left out."""

    engine: AsyncEngine

    async def claim(self, by: uuid.UUID, sender: str, agency: str, series: Series, told: Numbered) -> None:
        """Give a message or file its number. by: its id, the same whenever it comes again.

        Raises FileRefused where it is not the next one of its series.
        """
        async with self.engine.begin() as connection:
            standing = await statements.number(
                connection, by, sender=sender, agency=agency, series=told.series, number=told.number
            )
        fault = series.fault(told.number, standing.last)
        if fault is None and standing.taking != by:
            fault = Finding(series.repeated, "sequence", f"{told.number} was begun by another; send that again")
        if fault is not None:
            raise FileRefused(fault)

    async def take(self, entry: Entry, series: Series, commit: Commit) -> Taken | Clash:
        """Commit a record that has a number of its own.

        Raises FileRefused where it is not the next one of its series, JournalUnavailable, or what the store raised.
        """
        told = series.number(io.BytesIO(entry.body))
        by = uuid.uuid5(uuid.UUID(bytes=entry.transport), entry.body_hash.hex())
        try:
            await self.claim(by, entry.sender, entry.agency, series, told)
        except FileRefused:
            if not await self._came_before(entry):
                raise
            return await commit(entry)
        reach("F1")
        try:
            taken = await commit(entry)
        except JournalUnavailable:
            with suppress(SQLAlchemyError, OSError):
                await self._settle(by, None)
            raise
        reach("F3")
        await self._settle(by, told.number if isinstance(taken, Taken) else None)
        return taken

    async def _came_before(self, entry: Entry) -> bool:
        """Whether a record was taken under this message id: whatever its number is, it is the journal's to answer."""
        async with self.engine.connect() as connection:
            return await statements.is_taken(connection, entry.sender, entry.transport)

    async def _settle(self, by: uuid.UUID, number: int | None) -> None:
        """Expect the next number from now on; None: nothing was taken, and another may have what was claimed."""
        async with self.engine.begin() as connection:
            if number is None:
                await statements.let_go(connection, by)
            else:
                await statements.numbered(connection, by, number)
