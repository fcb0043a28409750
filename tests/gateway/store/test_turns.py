"""Turns, on a real PostgreSQL."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.settings import Store
from gateway.store.ledger import open_engine
from gateway.store.turns import open_turns

pytestmark = pytest.mark.services


@pytest.fixture
async def engine(postgres: str) -> AsyncIterator[AsyncEngine]:
    """An engine, as each process has one."""
    engine = open_engine(Store(dsn=postgres, pool=4))
    yield engine
    await engine.dispose()


async def test_one_has_the_turn_and_gives_it_back(engine: AsyncEngine) -> None:
    """Another process is told no, at once; another name is another turn; when the block ends anybody may have it."""
    async with open_turns(engine) as one, open_turns(engine) as other:
        async with one.turn("a") as mine:
            assert mine
            async with other.turn("a") as theirs, other.turn("b") as another:
                assert (theirs, another) == (False, True)
        async with other.turn("a") as theirs:
            assert theirs


async def test_a_turn_ends_with_its_session(engine: AsyncEngine) -> None:
    """A process whose session was ended is no longer in the way, and goes on with a session of its own."""
    async with open_turns(engine) as one, open_turns(engine) as other:
        async with one.turn("a"):
            async with engine.begin() as connection:
                await connection.execute(
                    text(
                        "select pg_terminate_backend(pid) from pg_locks "
                        "where locktype = 'advisory' and granted and pid <> pg_backend_pid()"
                    )
                )
            async with other.turn("a") as theirs:
                assert theirs
        async with one.turn("a") as mine:
            assert mine


async def test_nothing_is_left_when_it_ends(engine: AsyncEngine) -> None:
    """No lock stays on a session that the pool would keep."""
    async with open_turns(engine) as one, one.turn("a"):
        pass
    async with open_turns(engine) as other, other.turn("a") as theirs:
        assert theirs
