"""The relay on a real PostgreSQL and a real Kafka."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.intake.chain import SHARDS
from gateway.kafka import relay as relay_module
from gateway.kafka.envelope import Envelope, read_headers
from gateway.kafka.relay import Relay, notify
from gateway.kafka.topics import canonical_topics, create_topics
from gateway.settings import Kafka, Store
from gateway.store import outbox
from gateway.store.ledger import open_engine
from gateway.store.session import session, transaction
from gateway.store.statement import Statement
from tests.support.facts import NOW, entry, journal, reception

pytestmark = pytest.mark.services


@pytest.fixture
async def engine(postgres: str) -> AsyncIterator[AsyncEngine]:
    """An engine with room for several relays."""
    engine = open_engine(Store(dsn=postgres, pool=30))
    yield engine
    await engine.dispose()


@pytest.fixture
async def topics(kafka_settings: Kafka) -> Kafka:
    """A Kafka with the canonical topics."""
    await create_topics(kafka_settings, canonical_topics(kafka_settings))
    return kafka_settings


def relay_on(engine: AsyncEngine, kafka: Kafka, **options: int) -> Relay:
    """A relay with a real, idempotent producer."""
    return Relay(
        engine,
        lambda: AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, acks="all", enable_idempotence=True),
        prefix=kafka.prefix,
        clock=lambda: NOW,
        **options,
    )


@asynccontextmanager
async def running(*relays: Relay) -> AsyncIterator[list[asyncio.Task[None]]]:
    """These relays, each in a task of its own."""
    tasks = [asyncio.create_task(relay.run()) for relay in relays]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def reading(kafka: Kafka) -> AsyncIterator[AIOKafkaConsumer]:
    """A consumer of everything on the topics, from the beginning."""
    consumer = AIOKafkaConsumer(
        *canonical_topics(kafka), bootstrap_servers=kafka.bootstrap, auto_offset_reset="earliest", group_id=None
    )
    await consumer.start()
    try:
        yield consumer
    finally:
        await consumer.stop()


async def read_until(consumer: AIOKafkaConsumer, distinct: int) -> list[Envelope]:
    """Envelopes in the order of their partitions until that many distinct events came."""
    envelopes: list[Envelope] = []
    async with asyncio.timeout(60):
        while len({envelope.id for envelope in envelopes}) < distinct:
            record = await consumer.getone()
            envelopes.append(read_headers(record.headers, record.key))
    return envelopes


def first_arrivals_follow_the_chains(envelopes: list[Envelope]) -> bool:
    """Whether, repeats aside, every event came after the one it supersedes."""
    seen = set()
    for envelope in envelopes:
        if envelope.supersedes is not None and envelope.supersedes not in seen:
            return False
        seen.add(envelope.id)
    return True


async def test_what_is_committed_is_published_in_order_and_taken_out(engine: AsyncEngine, topics: Kafka) -> None:
    """Every committed event reaches its topic after the one it supersedes, and the outbox ends empty."""
    own = journal(engine)
    for prison in ("LII", "NSI", "LII", "WDI"):
        await own.commit([entry(reception(f"fact {n}", prison=prison, noms=f"A{n:04}BC")) for n in range(40)])
    relay = relay_on(engine, topics)
    async with running(relay), reading(topics) as consumer:
        envelopes = await read_until(consumer, 160)
        assert first_arrivals_follow_the_chains(envelopes)
        await empty(engine)


async def test_a_commit_wakes_the_relay_of_another_process(engine: AsyncEngine, topics: Kafka) -> None:
    """A notification is enough; nobody polls."""
    async with running(relay_on(engine, topics)) as _, reading(topics) as consumer:
        await journal(engine).commit([entry(reception())])
        await notify(engine)
        assert len(await read_until(consumer, 1)) == 1


async def test_the_last_event_is_taken_out_though_nothing_follows_it(engine: AsyncEngine, topics: Kafka) -> None:
    """Taking out waits for the next reading, and not for the next event."""
    async with running(relay_on(engine, topics)), reading(topics) as consumer:
        await journal(engine).commit([entry(reception())])
        await notify(engine)
        assert len(await read_until(consumer, 1)) == 1
        async with asyncio.timeout(20):
            while await count(engine, "outbox"):
                pass


async def test_a_busy_relay_takes_over_what_another_leaves(
    engine: AsyncEngine, topics: Kafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It looks for free shards between two batches too: those of a process that died do not wait for its rest."""
    monkeypatch.setattr(relay_module, "_STANDBY", timedelta(0))
    leaving, busy = relay_on(engine, topics, at_most=SHARDS // 2), relay_on(engine, topics, batch=1)
    async with running(leaving) as (first,), asyncio.timeout(60):
        while not leaving.holds(range(SHARDS // 2)):
            await count(engine, "outbox")
        async with running(busy):
            while not busy.holds(range(SHARDS // 2, SHARDS)):
                await count(engine, "outbox")
            await journal(engine).commit([entry(reception(f"fact {n}", noms=f"A{n:04}BC")) for n in range(1000)])
            busy.wake()
            first.cancel()
            while not busy.holds(range(SHARDS)):
                await count(engine, "outbox")
            assert await count(engine, f"outbox where shard >= {SHARDS // 2}") > 0


async def test_what_settles_is_not_published_before_its_time(engine: AsyncEngine, topics: Kafka) -> None:
    """A settling event stays in line while one behind it goes out."""
    await journal(engine).commit([entry(reception("one", settles=True)), entry(reception("two", noms="B1234CD"))])
    async with running(relay_on(engine, topics)), reading(topics) as consumer:
        (envelope,) = await read_until(consumer, 1)
        assert envelope.due is None
        await empty(engine, left=1)


async def test_what_is_taken_out_is_not_read_again(engine: AsyncEngine) -> None:
    """One question takes out what was sent and reads what follows it; the last one tells when the next may go out."""
    await journal(engine).commit([entry(reception(f"fact {n}", noms=f"A{n:04}BC")) for n in range(5)])
    await journal(engine).commit([entry(reception("later", settles=True, noms="B1234CD"))])
    async with session(engine) as opened:
        first, none_yet = await outbox.take_out_and_read(opened, (), range(SHARDS), NOW, 3)
        more, _ = await outbox.take_out_and_read(opened, first, range(SHARDS), NOW, 3)
        left, due = await outbox.take_out_and_read(opened, more, range(SHARDS), NOW, 3)
        nobodys = await outbox.take_out_and_read(opened, (), [], NOW, 3)
    seqs = [event.seq for event in (*first, *more)]
    assert (len(first), len(more), len(left)) == (3, 2, 0)
    assert seqs == sorted(set(seqs))
    assert none_yet is None
    assert due is not None
    assert due > NOW
    assert nobodys == ([], None)
    await empty(engine, left=1)


async def test_what_is_put_back_in_line_after_it_was_sent_goes_out_again(engine: AsyncEngine) -> None:
    """Addressing sends back an event that came too early, while the relay still has to take it out."""
    await journal(engine).commit([entry(reception(f"fact {n}", noms=f"A{n:04}BC")) for n in range(3)])
    async with session(engine) as opened:
        sent, _ = await outbox.take_out_and_read(opened, (), range(SHARDS), NOW, 3)
        early = sent[1]
        assert await outbox.publish_these_again(opened, [early.envelope.id]) == 1
        again, _ = await outbox.take_out_and_read(opened, sent, range(SHARDS), NOW, 3)
        assert [event.envelope.id for event in again] == [early.envelope.id]
        assert await outbox.take_out_and_read(opened, again, range(SHARDS), NOW, 3) == ([], None)
    await empty(engine)


async def test_what_is_put_back_in_line_while_it_is_taken_out_stays(engine: AsyncEngine) -> None:
    """Taking out waits for whoever puts it back, and then finds another row than the one that was sent."""
    await journal(engine).commit([entry(reception())])
    async with session(engine) as relays, session(engine) as watching:
        sent, _ = await outbox.take_out_and_read(relays, (), range(SHARDS), NOW, 3)
        async with transaction(engine) as addressing:
            await outbox.publish_these_again(addressing, [sent[0].envelope.id])
            taking_out = asyncio.create_task(outbox.take_out_and_read(relays, sent, range(SHARDS), NOW, 3))
            async with asyncio.timeout(20):
                while not await watching.value(_WAITS_FOR_A_LOCK):
                    pass
        await taking_out
        again, _ = await outbox.take_out_and_read(relays, (), range(SHARDS), NOW, 3)
    assert [event.envelope.id for event in again] == [sent[0].envelope.id]


_WAITS_FOR_A_LOCK = Statement("select count(*) from pg_locks where not granted and locktype = 'transactionid'")


async def test_eight_relays_with_kills_and_long_transactions_keep_every_chain(
    engine: AsyncEngine, topics: Kafka
) -> None:
    """Relays come and go while writers commit, one of them slowly; nothing is lost and every chain arrives in order."""
    prisons = ("LII", "NSI", "WDI", "NHI")
    own = journal(engine)

    async def write(writer: int) -> None:
        for turn in range(12):
            prison = prisons[turn % 4]
            await own.commit([entry(reception(f"{writer}-{n}", prison=prison, noms=f"A{n:04}BC")) for n in range(5)])
            await notify(engine)

    async def hold_a_transaction_open(until: asyncio.Event) -> None:
        async with engine.begin() as connection:
            await connection.execute(text("select pg_advisory_xact_lock(7130002, 0)"))
            await until.wait()

    async def kill_some(tasks: list[asyncio.Task[None]], until: asyncio.Event) -> None:
        for place in (0, 1, 2):
            tasks[place].cancel()
            await asyncio.gather(tasks[place], return_exceptions=True)
            await write(place + 10)
        until.set()

    released = asyncio.Event()
    relays = [relay_on(engine, topics, at_most=SHARDS // 2) for _ in range(8)]
    async with running(*relays) as tasks, reading(topics) as consumer:
        slow = asyncio.create_task(hold_a_transaction_open(released))
        writers = asyncio.gather(*(write(writer) for writer in range(6)))
        killer = asyncio.create_task(kill_some(tasks, released))
        released.set()
        await asyncio.gather(writers, killer, slow)
        expected = await count(engine, "events")
        envelopes = await read_until(consumer, expected)
    by_lane = defaultdict(list)
    for envelope in envelopes:
        by_lane[envelope.lane].append(envelope)
    assert all(first_arrivals_follow_the_chains(lane) for lane in by_lane.values())


async def count(engine: AsyncEngine, table: str) -> int:
    """The rows of a table."""
    async with engine.connect() as connection:
        return int((await connection.execute(text(f"select count(*) from {table}"))).scalar_one())  # noqa: S608


async def empty(engine: AsyncEngine, left: int = 0) -> None:
    """Return when the outbox holds no more than that; the mark follows the acknowledgement within moments."""
    async with asyncio.timeout(20):
        while await count(engine, "outbox") > left:
            await notify(engine)
