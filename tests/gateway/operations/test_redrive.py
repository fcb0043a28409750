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
from tests.support.deliveries import Owed, queue, run_sql
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


async def test_what_its_recipient_rejected_is_still_stopped(engine: AsyncEngine) -> None:
    """It stands in the queue, so it is not said to be going on; and the same is not sent to them again."""
    parked, rejected, gone = await queue(engine, [Owed("lasars-wigan", person) for person in range(3)])
    await run_sql(engine, "delete from queued")
    stop = "update deliveries set state = :state, reason = 'for a test', owner = :owner where id = :id"
    for one, state, owner in (
        (parked, "parked", "operations"),
        (rejected, "rejected", "operations"),
        (gone, "acknowledged", None),
    ):
        await run_sql(engine, stop, state=state, owner=owner, id=one.id)
    again = Redrive(engine, {}, journal(engine), SEALER, tools())
    assert await again.run([parked.id, rejected.id, gone.id], NOW) == {
        parked.id: Result.DONE,
        rejected.id: Result.STILL_STOPPED,
        gone.id: Result.NOT_STOPPED,
    }
    assert await run_sql(engine, "select person_id from queued") == [(parked.person_id,)]
