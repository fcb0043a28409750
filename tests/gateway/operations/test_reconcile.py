"""What the ledgers say when a row is missing, or one too many, on a real PostgreSQL."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.operations.reconcile import reconcile
from gateway.settings import Store
from gateway.store.ledger import open_engine
from tests.support.facts import entry, journal, reception

pytestmark = pytest.mark.services

_DECIDE = (
    "insert into decisions (record_id, event_id, number, state, decided)"
    " select record_id, id, 1, 'no_recipient', now() from events"
)


@pytest.fixture
async def engine(postgres: str) -> AsyncIterator[AsyncEngine]:
    """An engine on a migrated database with one event that nobody has decided."""
    engine = open_engine(Store(dsn=postgres))
    await journal(engine).commit([entry(reception("one"))])
    yield engine
    await engine.dispose()


async def differences(engine: AsyncEngine, *done: str) -> dict[str, int]:
    """What the ledgers miss after these statements, by the name of the difference."""
    async with engine.begin() as connection:
        for statement in done:
            await connection.execute(text(statement))
    async with engine.connect() as connection:
        return {name: count for name, count in (await reconcile(connection)).differences.items() if count}


async def test_a_decided_event_is_undecided_no_longer_and_every_other_is(engine: AsyncEngine) -> None:
    """An event that nobody decides is seen, and one that would be decided twice."""
    assert await differences(engine) == {}
    assert await differences(engine, _DECIDE) == {"undecided_of_events": 1}
    assert await differences(engine, "delete from undecided") == {}
    assert await differences(engine, "delete from decisions") == {"undecided_of_events": 1}


async def test_a_decision_about_no_event_of_its_record_is_seen(engine: AsyncEngine) -> None:
    """Nobody would find it from the record it is told to be of."""
    moved = "update decisions set record_id = gen_random_uuid()"
    assert await differences(engine, _DECIDE, "delete from undecided", moved) == {
        "undecided_of_events": 1,
        "decisions_without_event": 1,
    }
