"""A message is found by what its sender calls it, with the journal on a real PostgreSQL."""

import uuid
from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.operations.trace import Journey
from gateway.operations.trace_file import FileTraced
from gateway.operations.trace_message import RefusalTraced, Traced, read_any, read_sent
from gateway.sealing import BlindIndex
from gateway.settings import Store
from gateway.store.ledger import open_engine
from tests.gateway.intake.test_files import FILES, batch
from tests.gateway.intake.test_take import BAD, GOOD, RECORDS
from tests.support.doors import SECRETS, application, bearer, knocking, real_journal

pytestmark = pytest.mark.services

INDEX = BlindIndex(SECRETS.pepper)


@pytest.fixture
async def engine(postgres: str) -> AsyncIterator[AsyncEngine]:
    """An engine on an empty, migrated database."""
    engine = open_engine(Store(dsn=postgres))
    yield engine
    await engine.dispose()


async def sent(engine: AsyncEngine, door: str, media_type: str, message_id: str, body: bytes) -> uuid.UUID | None:
    """Send something as the force, under an id of its own; the receipt it was given, if any."""
    headers = bearer() | {"content-type": media_type, "idempotency-key": message_id}
    async with real_journal(engine) as journal, knocking(application(engine, journal)) as client:
        told = (await client.post(door, content=body, headers=headers)).json()
    receipt = told.get("receipt") or told.get("file")
    return None if receipt is None else uuid.UUID(receipt)


async def found(engine: AsyncEngine, sender: str, message_id: str) -> Traced | None:
    """What is told of a message by what its sender calls it."""
    async with engine.connect() as connection:
        return await read_sent(connection, INDEX, sender, message_id)


async def test_a_message_is_found_by_what_its_sender_calls_it(engine: AsyncEngine) -> None:
    """A record by its journey, a file by its rows: as by their receipts."""
    receipt = await sent(engine, RECORDS, "application/xml", "m-1", GOOD)
    record = await found(engine, "met-police", "m-1")
    assert isinstance(record, Journey)
    assert record.receipt == receipt
    receipt = await sent(engine, FILES, "text/csv", "f-1", batch(2))
    file = await found(engine, "met-police", "f-1")
    assert isinstance(file, FileTraced)
    assert file.id == receipt


async def test_what_was_refused_is_found_too(engine: AsyncEngine) -> None:
    """By its rules and without its content; sent again and taken under the same id, it is what was taken."""
    assert await sent(engine, RECORDS, "application/xml", "m-1", BAD) is None
    refusal = await found(engine, "met-police", "m-1")
    assert isinstance(refusal, RefusalTraced)
    assert refusal.rules
    assert refusal.lines()[1].endswith(f"{', '.join(refusal.rules)}; nothing of it was taken")
    async with engine.connect() as connection:
        assert await read_any(connection, refusal.id) == refusal
    receipt = await sent(engine, RECORDS, "application/xml", "m-1", GOOD)
    record = await found(engine, "met-police", "m-1")
    assert isinstance(record, Journey)
    assert record.receipt == receipt


async def test_an_id_is_its_senders_own(engine: AsyncEngine) -> None:
    """Another party may have used the same one, or none at all."""
    await sent(engine, RECORDS, "application/xml", "m-1", GOOD)
    assert await found(engine, "gmp", "m-1") is None
    assert await found(engine, "met-police", "m-2") is None
