"""What was held is read again as it was read at the door."""

import uuid
from collections.abc import AsyncIterator, Mapping

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.base import Adapter, Held, Message, Outcome
from gateway.intake.entry import Taken
from gateway.operations.redrive import Redrive, Result
from gateway.settings import Store
from gateway.store.ledger import open_engine
from tests.support.addressing import tools
from tests.support.facts import NOW, SEALER, entry, journal

pytestmark = pytest.mark.services

HELD = Held("version_not_supported", ())


@pytest.fixture
async def engine(postgres: str) -> AsyncIterator[AsyncEngine]:
    """An engine on an empty, migrated database."""
    engine = open_engine(Store(dsn=postgres))
    yield engine
    await engine.dispose()


@pytest.mark.parametrize(
    ("sender", "told"),
    [("lasars-enfield", {"area": "enfield"}), ("lincoln-prison", {}), ("a-party-that-is-gone", {})],
)
async def test_a_record_is_checked_against_who_sent_it(
    engine: AsyncEngine, sender: str, told: Mapping[str, str]
) -> None:
    """What the door said of its sender is said again, so that a fix lets nothing through that the door would refuse."""
    seen: list[Mapping[str, str]] = []

    def read(message: Message) -> Outcome:
        seen.append(message.attributes)
        return HELD

    (taken,) = await journal(engine).commit([entry(outcome=HELD, sender=sender)])
    assert isinstance(taken, Taken)
    adapter = Adapter("prison", read, {}, frozenset())
    again = Redrive(engine, {"prison": adapter}, journal(engine), SEALER, tools())
    assert await again.run([taken.record_id, uuid.UUID(int=0)], NOW) == {
        taken.record_id: Result.STILL_STOPPED,
        uuid.UUID(int=0): Result.UNKNOWN,
    }
    assert seen == [told]
