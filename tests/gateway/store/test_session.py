"""Sessions of the driver that stay out of the pool."""

from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.store.session import Kept, Session, session
from gateway.store.statement import Statement
from tests.support.deliveries import engine_of

pytestmark = pytest.mark.services

PROCESS = Statement("select pg_backend_pid()")
GOODBYE = Statement("select pg_terminate_backend(pg_backend_pid())")
FAILING = Statement("select 1 / cast(:zero as int)")


@pytest.fixture
async def engine(postgres: str) -> AsyncIterator[AsyncEngine]:
    async with engine_of(postgres, pool=3) as opened:
        yield opened


async def which(session: Session) -> int:
    """The server's process behind a session."""
    return int(await session.value(PROCESS))


async def test_a_kept_session_is_the_same_from_use_to_use_until_it_is_put_back(engine: AsyncEngine) -> None:
    """It is taken out of the pool once, and is the pool's again when it is closed."""
    async with aclosing(Kept(engine)) as kept:
        seen = set()
        for _ in range(3):
            async with kept.session() as session:
                seen.add(await which(session))
        assert len(seen) == 1
        assert engine.pool.status().count("Checked out connections: 1") == 1
    assert engine.pool.status().count("Checked out connections: 0") == 1


async def test_a_session_in_which_something_failed_holds_up_nobody(engine: AsyncEngine) -> None:
    """A statement that fails undoes its transaction, and the next use finds a session that works."""
    async with aclosing(Kept(engine)) as kept:
        with pytest.raises(DBAPIError):
            async with kept.session() as session, session.transaction():
                await session.rows(FAILING, {"zero": 0})
        async with kept.session() as session, session.transaction():
            assert await which(session)


async def test_a_session_whose_end_was_announced_is_not_handed_out_again(engine: AsyncEngine) -> None:
    """The server says that it ends a session and closes after that; between the two nobody may be given it."""
    with pytest.raises(DBAPIError) as error:
        async with session(engine) as opened:
            await opened.rows(GOODBYE)
    assert opened.ended
    assert error.value.connection_invalidated
    async with session(engine) as another:
        assert await which(another)


async def test_a_session_that_the_server_ended_is_replaced(engine: AsyncEngine) -> None:
    """However it ended: at the latest the use after the one that noticed it has another."""
    async with aclosing(Kept(engine)) as kept:
        async with kept.session() as session:
            first = await which(session)
        async with engine.connect() as connection:
            await connection.execute(text("select pg_terminate_backend(:pid)"), {"pid": first})
        for _ in range(2):
            try:
                async with kept.session() as session:
                    second = await which(session)
            except DBAPIError:
                continue
        assert second != first
