"""Sessions of the driver, for the statements that every message passes through.

They come out of the engine's pool, and fail as its connections fail: with SQLAlchemy's errors, whose `orig` is the
driver's. Why these statements go past SQLAlchemy stands in contracts/decisions/0039.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, InterfaceError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gateway.store.statement import Statement

_NOTHING: Mapping[str, Any] = {}


class Session:
    """One session of PostgreSQL: one statement at a time, each by itself unless it is inside `transaction`."""

    def __init__(self, driver: "asyncpg.Connection[asyncpg.Record]") -> None:
        self._driver = driver

    async def rows(self, statement: Statement, told: Mapping[str, Any] = _NOTHING) -> list[asyncpg.Record]:
        """What a statement gives. Raises DBAPIError."""
        try:
            return await self._driver.fetch(statement.sql, *statement.values(told))
        except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise self._failed(error) from None

    async def row(self, statement: Statement, told: Mapping[str, Any] = _NOTHING) -> asyncpg.Record:
        """The one row of a statement that always gives one. Raises DBAPIError."""
        [row] = await self.rows(statement, told)
        return row

    async def value(self, statement: Statement, told: Mapping[str, Any] = _NOTHING) -> Any:
        """The first column of its first row; None where it gives no row. Raises DBAPIError."""
        rows = await self.rows(statement, told)
        return rows[0][0] if rows else None

    async def run(self, statement: Statement, told: Mapping[str, Any] = _NOTHING) -> int:
        """How many rows a statement wrote. Raises DBAPIError."""
        try:
            done = await self._driver.execute(statement.sql, *statement.values(told))
        except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise self._failed(error) from None
        count = done.rpartition(" ")[2]
        return int(count) if count.isdigit() else 0

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        """All that is done inside is committed at the end, or nothing of it. Raises DBAPIError."""
        try:
            async with self._driver.transaction():
                yield
        except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise self._failed(error) from None

    def _failed(self, error: asyncpg.PostgresError | asyncpg.InterfaceError) -> DBAPIError:
        """The driver's error as SQLAlchemy would have told it."""
        kind = DBAPIError
        if isinstance(error, asyncpg.DataError):
            kind = DataError
        elif isinstance(error, asyncpg.IntegrityConstraintViolationError):
            kind = IntegrityError
        elif isinstance(error, asyncpg.InterfaceError):
            kind = InterfaceError
        lost = self._driver.is_closed()
        return kind(None, None, error, hide_parameters=True, connection_invalidated=lost)


async def session_of(connection: AsyncConnection) -> Session:
    """The session under a connection that keeps it, and with which nothing is begun.

    Raises SQLAlchemyError, or ConnectionError where the session has ended already.
    """
    driver = (await connection.get_raw_connection()).driver_connection
    if driver is None:
        raise ConnectionError("there is no session")
    return Session(driver)


@asynccontextmanager
async def session(engine: AsyncEngine) -> AsyncIterator[Session]:
    """A session out of the pool. Raises SQLAlchemyError, OSError, TimeoutError."""
    async with engine.connect() as connection:
        driver = (await connection.get_raw_connection()).driver_connection
        if driver is None:
            raise ConnectionError("there is no session")
        try:
            yield Session(driver)
        finally:
            if driver.is_closed():
                # The pool did not see it end, and would hand it out again.
                await connection.invalidate()


@asynccontextmanager
async def transaction(engine: AsyncEngine) -> AsyncIterator[Session]:
    """A session in a transaction that is committed at the end. Raises SQLAlchemyError, OSError, TimeoutError."""
    async with session(engine) as opened, opened.transaction():
        yield opened
