"""Sessions of the driver, for the statements that every message passes through.

They come out of the engine's pool, and fail as its connections fail: with SQLAlchemy's errors, whose `orig` is the
driver's. Why these statements go past SQLAlchemy stands in contracts/decisions/0039.
"""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import asyncpg
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, InterfaceError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gateway.store.statement import Statement

_NOTHING: Mapping[str, Any] = {}
_FAILURES = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""What the driver raises: the server's faults, our misuse, and a session that was lost in the middle of something."""


class Session:
    """One session of PostgreSQL: one statement at a time, each by itself unless it is inside `transaction`."""

    def __init__(self, driver: "asyncpg.Connection[asyncpg.Record]") -> None:
        self._driver = driver
        self._lost = False

    @property
    def ended(self) -> bool:
        """Whether the server is gone, as far as the driver knows or a statement was told."""
        return self._lost or self._driver.is_closed()

    async def rows(self, statement: Statement, told: Mapping[str, Any] = _NOTHING) -> list[Any]:
        """What a statement gives. Raises DBAPIError."""
        try:
            return await self._driver.fetch(statement.sql, *statement.values(told))
        except _FAILURES as error:
            raise self._failed(error) from None

    async def row(self, statement: Statement, told: Mapping[str, Any] = _NOTHING) -> Any:
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
        except _FAILURES as error:
            raise self._failed(error) from None
        count = done.rpartition(" ")[2]
        return int(count) if count.isdigit() else 0

    @asynccontextmanager
    async def transaction(self, locks: Iterable[int] = ()) -> AsyncIterator[None]:
        """All that is done inside is committed at the end, or nothing of it. Raises DBAPIError.

        locks: advisory locks (64 bits each), taken in their order with the beginning and held until the end.
        """
        try:
            await self._control(_begin(locks))
            yield
            await self._control("commit")
        except BaseException:
            if not self.ended:
                await self._control("rollback")
            raise

    async def _control(self, text: str) -> None:
        try:
            await self._driver.execute(text)
        except _FAILURES as error:
            raise self._failed(error) from None

    def _failed(self, error: Exception) -> DBAPIError:
        """The driver's error as SQLAlchemy would have told it."""
        kind = DBAPIError
        if isinstance(error, asyncpg.DataError):
            kind = DataError
        elif isinstance(error, asyncpg.IntegrityConstraintViolationError):
            kind = IntegrityError
        elif isinstance(error, asyncpg.InterfaceError):
            kind = InterfaceError
        self._lost = self._lost or _says_goodbye(error)
        return kind(None, None, error, hide_parameters=True, connection_invalidated=self.ended)


def _says_goodbye(error: Exception) -> bool:
    """Whether a session has ended by this error, though its connection may seem open for a moment longer.

    The server tells a session why it ends it, and closes after that. The driver, which has read the reason and not yet
    the closing, takes no statement any more and calls that a fault of its own.
    """
    return isinstance(error, asyncpg.OperatorInterventionError | asyncpg.InternalClientError) and not isinstance(
        error, asyncpg.QueryCanceledError
    )


def _begin(locks: Iterable[int]) -> str:
    """One text for the beginning and the locks: a question less to wait for."""
    numbers = ",".join(map(str, sorted(locks)))
    if not numbers:
        return "begin"
    return f"begin; select count(pg_advisory_xact_lock(number)) from unnest('{{{numbers}}}'::bigint[]) as number"  # noqa: S608


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
        opened = Session(driver)
        try:
            yield opened
        finally:
            if opened.ended or driver.is_in_transaction():
                # The pool did not see it end, or be left in the middle, and would hand it out again.
                await connection.invalidate()


class Kept:
    """A session of the pool that stays out of it from one use to the next, for whoever uses one again and again.

    Taking it out and putting it back costs more than a statement. One use at a time. After a use that failed, and when
    the session has ended, it is given up, and the next use takes another. Close it before the engine.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._out = AsyncExitStack()
        self._session: Session | None = None

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Session]:
        """The session. Raises SQLAlchemyError, OSError, TimeoutError."""
        if self._session is None or self._session.ended:
            await self.aclose()
            self._session = await self._out.enter_async_context(session(self._engine))
        try:
            yield self._session
        except BaseException:
            await self.aclose()
            raise

    async def aclose(self) -> None:
        """Put it back."""
        self._session = None
        await self._out.aclose()


@asynccontextmanager
async def transaction(engine: AsyncEngine) -> AsyncIterator[Session]:
    """A session in a transaction that is committed at the end. Raises SQLAlchemyError, OSError, TimeoutError."""
    async with session(engine) as opened, opened.transaction():
        yield opened
