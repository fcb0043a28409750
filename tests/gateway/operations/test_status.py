"""`lgw status`: what a person reads first, on a real PostgreSQL."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.intake.entry import Entry
from gateway.operations.status import read_status
from gateway.settings import Store
from gateway.store.ledger import open_engine
from tests.support.facts import NOW, SETTLE, entry, journal, reception

pytestmark = pytest.mark.services


@pytest.fixture
async def engine(postgres: str) -> AsyncIterator[AsyncEngine]:
    """An engine on an empty, migrated database."""
    engine = open_engine(Store(dsn=postgres))
    yield engine
    await engine.dispose()


async def test_what_settles_is_shown_as_waiting_until_its_time(engine: AsyncEngine) -> None:
    """What may yet be reversed is neither late nor stopped, and not out of sight; past its time it is like the rest."""

    def told(fact: str, noms: str) -> Entry:
        return entry(reception(fact, noms=noms, settles=True))

    await journal(engine).commit([told("one", "A1234BC"), told("two", "B1234CD")])
    async with engine.connect() as connection:
        early = await read_status(connection, NOW)
        late = await read_status(connection, NOW + SETTLE)
    assert (early.settling, early.settles) == (2, NOW + SETTLE)
    assert dict(early.lines())["Settling"] == f"2, the next in 0{SETTLE}"
    assert early.as_json()["settling"] == {"count": 2, "next": (NOW + SETTLE).isoformat()}
    assert (late.settling, late.settles, dict(late.lines())["Settling"]) == (0, None, "none")
