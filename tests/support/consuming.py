"""The consumer of canonical events, and the records it is given."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.addressing.consumer import AddressingConsumer
from gateway.kafka.envelope import message_key, write_headers
from gateway.operations.reconcile import reconcile
from gateway.store import outbox
from gateway.store.outbox import Unpublished
from gateway.store.session import transaction
from tests.support.addressing import tools
from tests.support.facts import INDEX, NAMESPACE, NOW, SEALER, entry, journal, reception


@dataclass
class Record:
    """A Kafka record, as aiokafka would give it."""

    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]
    topic: str = "imprisonment.v1"
    partition: int = 0
    offset: int = field(default_factory=iter(range(1_000_000)).__next__)
    timestamp: int = 1_772_443_800_000


def deciding(engine: AsyncEngine, *, careful: bool = False) -> AddressingConsumer:
    """A consumer of the facts that tests.support.facts makes."""
    return AddressingConsumer(
        engine,
        sealer=SEALER,
        tools=tools(index=INDEX, sealer=SEALER, namespace=NAMESPACE),
        clock=lambda: NOW,
        careful=careful,
    )


async def published(engine: AsyncEngine, count: int) -> list[Unpublished]:
    """So many receptions of as many persons, journalled and taken from the outbox as the relay would."""
    await journal(engine).commit([entry(reception(f"fact {n}", noms=f"A{n:04}BC")) for n in range(count)])
    return await relayed(engine)


async def relayed(engine: AsyncEngine) -> list[Unpublished]:
    """All that may go out, taken from the outbox as the relay would."""
    async with transaction(engine) as session:
        events, _ = await outbox.take_out_and_read(session, (), range(16), NOW, 100)
        await outbox.take_out_and_read(session, events, range(16), NOW, 0)
    return events


def record_of(event: Unpublished) -> Record:
    """The record the relay sends."""
    return Record(message_key(event.envelope.lane), event.sealed, write_headers(event.envelope))


async def states(engine: AsyncEngine) -> dict[str, int]:
    """Decisions by state."""
    async with engine.connect() as connection:
        rows = await connection.execute(text("select state, count(*) from decisions group by state"))
        return {row[0]: row[1] for row in rows}


async def unaccounted(engine: AsyncEngine) -> int:
    """What the ledgers miss."""
    async with engine.connect() as connection:
        return (await reconcile(connection)).unaccounted
