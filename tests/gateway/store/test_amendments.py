"""What a batch changes of rows that stand already, on a real PostgreSQL."""

import uuid
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.addressing.changes import Changes, Release
from gateway.addressing.determination import Role
from gateway.settings import Store
from gateway.store.amendments import amend
from gateway.store.ledger import open_engine
from gateway.store.session import transaction
from tests.support.facts import NOW

pytestmark = pytest.mark.services

_EVENT = uuid.UUID(int=1)


@pytest.fixture
async def engine(postgres: str) -> AsyncIterator[AsyncEngine]:
    """An engine on a migrated database where an event waits for both its roles."""
    engine = open_engine(Store(dsn=postgres))
    async with engine.begin() as connection:
        await connection.execute(
            text(
                "insert into holds (event_id, decision, role, reason, owner, since, due)"
                " select :event, 1, role, 'no_agreement', 'operations', :now, :now"
                " from unnest(array['home', 'holding']) as role"
            ),
            {"event": _EVENT, "now": NOW},
        )
    yield engine
    await engine.dispose()


async def test_a_hold_ends_once_and_stays_as_it_ended(engine: AsyncEngine) -> None:
    """Ended again, for another reason and later, it keeps the first; the other role goes on waiting."""
    for minutes, outcome in enumerate(("redecided", "superseded")):
        async with transaction(engine) as session:
            changes = Changes(releases=[Release(_EVENT, 1, Role.HOME, outcome)])
            await amend(session, changes, NOW + timedelta(minutes=minutes))
    async with engine.connect() as connection:
        rows = await connection.execute(text("select role, released, outcome from holds order by role"))
        assert [tuple(row) for row in rows] == [("holding", None, None), ("home", NOW, "redecided")]
