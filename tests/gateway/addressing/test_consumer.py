"""The consumer and its subscription, on a real PostgreSQL and a real Kafka."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
import stamina
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaConnectionError
from faststream import AckPolicy
from faststream.asgi import AsgiFastStream
from faststream.kafka import KafkaBroker
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.addressing import address as address_module
from gateway.addressing import consumer as consumer_module
from gateway.addressing.address import Addressed, Arrived
from gateway.addressing.consumer import PATIENCE, AddressingConsumer
from gateway.addressing.subscriber import new_broker, subscribe
from gateway.addressing.turn import in_turn
from gateway.health import STALLED_AFTER, Progress
from gateway.kafka.envelope import message_key, write_headers
from gateway.kafka.topics import canonical_topics, create_topics
from gateway.local import ports
from gateway.operations.reconcile import reconcile
from gateway.settings import Dispatch, Kafka, Store
from gateway.store import outbox, quarantine
from gateway.store.ledger import open_engine
from gateway.store.lookup import LookedUp
from gateway.store.outbox import Unpublished
from gateway.store.session import Session, transaction
from gateway.store.statement import Statement
from schemas.base import topic_of
from tests.support.addressing import tools
from tests.support.facts import INDEX, NAMESPACE, NOW, SEALER, SETTLE, entry, journal, reception

pytestmark = pytest.mark.services


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


@pytest.fixture
async def engine(postgres: str) -> AsyncIterator[AsyncEngine]:
    """An engine on an empty, migrated database."""
    engine = open_engine(Store(dsn=postgres))
    yield engine
    await engine.dispose()


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


async def test_records_that_cannot_be_read_are_kept_and_their_neighbours_decided(engine: AsyncEngine) -> None:
    """A header that is no UTF-8, a key that is none, a body that does not open: each kept, every other decided."""
    good = [record_of(event) for event in await published(engine, 5)]
    good[1].headers = [(name, b"\xff\xfe" if name == "ce_id" else value) for name, value in good[1].headers]
    good[2].value = b"garbage that no key of ours sealed"
    good[3].key = b"not a lane"
    await deciding(engine).handle(good)
    assert await states(engine) == {"no_recipient": 2, "held": 1}
    async with engine.connect() as connection:
        kept = await quarantine.waiting(connection, 10)
    assert sorted(one.reason for one in kept) == ["ce_id_malformed", "key_malformed", "unreadable"]
    assert await unaccounted(engine) == 0


async def test_the_same_batch_again_has_no_second_effect(engine: AsyncEngine) -> None:
    """Offsets may be lost; ids are claimed once."""
    records = [record_of(event) for event in await published(engine, 20)]
    await deciding(engine).handle(records)
    before = await states(engine)
    await deciding(engine).handle(records)
    assert await states(engine) == before == {"no_recipient": 20}


async def test_a_poison_event_is_kept_after_three_tries_and_its_neighbours_flow(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An event whose addressing raises stops nobody, is tried three times, and goes on when driven again."""
    events = await published(engine, 16)
    poison = events[7].envelope.id
    tried = []
    real = consumer_module.address

    async def failing(connection: Any, batch: Sequence[Arrived], now: Any, with_tools: Any) -> Addressed:
        if any(one.envelope.id == poison for one in batch):
            tried.append(len(batch))
            raise ZeroDivisionError
        return await real(connection, batch, now, with_tools)

    monkeypatch.setattr(consumer_module, "address", failing)
    await deciding(engine).handle([record_of(event) for event in events])
    assert await states(engine) == {"no_recipient": 15, "held": 1}
    assert tried.count(1) == PATIENCE + 1  # once as the last half, then each counted try
    monkeypatch.undo()
    async with engine.begin() as connection:
        (kept,) = await quarantine.waiting(connection, 10)
        assert (kept.event_id, kept.reason) == (poison, "poison")
        assert await quarantine.release(connection, [kept.id], NOW) == 1
    assert await unaccounted(engine) == 0
    (again,) = await relayed(engine)
    await deciding(engine).handle([record_of(again)])
    assert await states(engine) == {"no_recipient": 16}
    assert await unaccounted(engine) == 0


async def test_what_is_kept_again_while_it_is_driven_again_is_kept_and_accounted_for(engine: AsyncEngine) -> None:
    """Kafka gave a poison event twice: its second copy waits until the first is in line again, and is seen there."""
    (event,) = await published(engine, 1)

    async def keep(source: str) -> None:
        async with engine.begin() as connection:
            key, wrapped = SEALER.new_key(kept := uuid.uuid4())
            told = {"id": kept, "source": source, "event_id": event.envelope.id, "reason": "poison", "attempts": 3}
            await quarantine.put(connection, **told, wrapped=wrapped, sealed=key.seal(kept, b"bytes"), now=NOW)

    await keep("one")
    async with engine.begin() as connection:
        (first,) = await quarantine.waiting(connection, 10)
        await quarantine.release(connection, [first.id], NOW)
        second = asyncio.create_task(keep("two"))
        async with asyncio.timeout(20):
            while not await waits_for_a_lock(engine):
                assert not second.done()
    await second
    assert await states(engine) == {"held": 1}
    assert await unaccounted(engine) == 0


async def waits_for_a_lock(engine: AsyncEngine) -> bool:
    """Whether a session waits for another."""
    async with engine.connect() as connection:
        waiting = "select count(*) from pg_locks where not granted and locktype = 'advisory'"
        return bool((await connection.execute(text(waiting))).scalar_one())


async def test_after_a_run_that_died_each_record_is_counted_before_the_work(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An event that killed the process three times is put aside by the fourth run without being touched."""
    (event,) = await published(engine, 1)
    async with engine.begin() as connection:
        for _ in range(PATIENCE):
            await quarantine.count_try(connection, event.envelope.id)
        assert await quarantine.started(connection, "one", NOW)
        assert not await quarantine.started(connection, "one", NOW)
        await quarantine.stopped(connection, "one")
        assert await quarantine.started(connection, "one", NOW)

    async def touched(*_: object) -> Addressed:
        raise AssertionError("the event was worked on")

    monkeypatch.setattr(consumer_module, "address", touched)
    await deciding(engine, careful=True).handle([record_of(event)])
    assert await states(engine) == {"held": 1}


async def test_an_offset_that_kafka_gives_again_after_a_wipe_is_another_record(engine: AsyncEngine) -> None:
    """The same record twice is kept once; another one at its place, written later, is kept too."""
    headers = [("ce_id", b"\xff")]
    first, second = (Record(b"x", b"y", headers, offset=7, timestamp=time) for time in (1, 2))
    await deciding(engine).handle([first, first, second])
    async with engine.connect() as connection:
        assert len(await quarantine.waiting(connection, 10)) == 2


async def test_after_a_run_that_died_only_the_suspected_go_alone(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a batch the one that was under way in two deaths goes alone, its neighbours together, and all in order."""
    events = await published(engine, 5)
    async with engine.begin() as connection:
        await quarantine.count_tries(connection, [events[2].envelope.id])
        await quarantine.count_tries(connection, [events[2].envelope.id])
    real = consumer_module.address
    worked: list[list[Any]] = []

    async def noted(connection: Any, batch: Sequence[Arrived], now: Any, with_tools: Any) -> Addressed:
        worked.append([one.envelope.id for one in batch])
        return await real(connection, batch, now, with_tools)

    monkeypatch.setattr(consumer_module, "address", noted)
    await deciding(engine, careful=True).handle([record_of(event) for event in events])
    ids = [event.envelope.id for event in events]
    assert worked == [ids[:2], ids[2:3], ids[3:]]
    async with engine.connect() as connection:
        assert await quarantine.tried(connection, ids) == {}


async def test_a_store_that_comes_back_finds_the_batch_still_waiting(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lost connection is nobody's poison: the batch waits and is then decided whole."""
    events = await published(engine, 4)
    failures = iter([ConnectionResetError(), TimeoutError()])
    real = consumer_module.address

    async def flaky(connection: Any, batch: Sequence[Arrived], now: Any, with_tools: Any) -> Addressed:
        if (failure := next(failures, None)) is not None:
            raise failure
        return await real(connection, batch, now, with_tools)

    monkeypatch.setattr(consumer_module, "address", flaky)
    await deciding(engine).handle([record_of(event) for event in events])
    assert await states(engine) == {"no_recipient": 4}
    async with engine.connect() as connection:
        assert await quarantine.waiting(connection, 10) == []


async def test_a_store_that_goes_away_again_and_again_makes_nobody_poison(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a run that died every try is counted, but a try the store interrupts goes on as the same one."""
    events = await published(engine, 3)
    failures = iter([ConnectionResetError() for _ in range(2 * PATIENCE)])
    real = consumer_module.address

    async def flaky(connection: Any, batch: Sequence[Arrived], now: Any, with_tools: Any) -> Addressed:
        if (failure := next(failures, None)) is not None:
            raise failure
        return await real(connection, batch, now, with_tools)

    monkeypatch.setattr(consumer_module, "address", flaky)
    with stamina.set_testing(True, attempts=10 * PATIENCE):  # no waiting between attempts
        await deciding(engine, careful=True).handle([record_of(event) for event in events])
    assert await states(engine) == {"no_recipient": 3}
    async with engine.connect() as connection:
        assert await quarantine.waiting(connection, 10) == []
        assert await quarantine.tried(connection, [event.envelope.id for event in events]) == {}


_READ = Statement(
    "select cast(sum(coalesce(idx_tup_fetch, 0) + seq_tup_read) as bigint) from pg_stat_xact_user_tables"
    " where relname in ('events', 'decisions', 'undecided')"
)
"""How many rows of what grows with a history this transaction has read so far."""


async def versions(engine: AsyncEngine, *prisons: str) -> list[Unpublished]:
    """One fact told so many times, each time otherwise, and all of it taken from the outbox."""
    for prison in prisons:
        await journal(engine).commit([entry(reception("a fact", prison=prison))])
    return await relayed(engine)


async def test_a_correction_that_comes_before_what_it_corrects_waits_its_turn(engine: AsyncEngine) -> None:
    """Kafka lost the first two versions: the third goes back in line behind them, and all are decided in order."""
    told = await versions(engine, "LII", "NSI", "WDI")
    await deciding(engine).handle([record_of(told[2])])
    assert await states(engine) == {}
    arrived = [told[2]]
    for _ in range(3):
        arrived = await relayed(engine)
        await deciding(engine).handle([record_of(event) for event in arrived])
    assert await states(engine) == {"no_recipient": 3}
    async with engine.connect() as connection:
        order = await connection.execute(
            text("select e.seq from decisions d join events e on e.id = d.event_id order by d.decided, e.seq")
        )
        assert list(order.scalars()) == [event.seq for event in told]
    assert await unaccounted(engine) == 0


async def test_what_still_settles_by_this_clock_keeps_its_place_among_what_arrived(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A relay whose clock is ahead has sent it, and not taken it out: it is decided after what was told before it."""
    order: list[Sequence[uuid.UUID]] = []

    async def noted(*asked: Any) -> list[Arrived]:
        found = await in_turn(*asked)
        order.append([one.envelope.id for one in found])
        return found

    monkeypatch.setattr(address_module, "in_turn", noted)
    await journal(engine).commit([entry(reception("one"))])
    await journal(engine).commit([entry(reception("two", settles=True))])
    async with transaction(engine) as session:
        sent, _ = await outbox.take_out_and_read(session, (), range(16), NOW + SETTLE, 100)
    await deciding(engine).handle([record_of(event) for event in sent])
    assert order == [[event.envelope.id for event in sent]]
    assert await states(engine) == {"no_recipient": 2}


async def test_a_rebuild_puts_back_what_nobody_decided_or_all_that_was_ever_published(engine: AsyncEngine) -> None:
    """What was suppressed or overtaken before it went out never goes out."""
    decided, lost = await published(engine, 2)
    await deciding(engine).handle([record_of(decided)])
    await journal(engine).commit([entry(reception("one", settles=True))])
    await journal(engine).commit([entry(reception("two", settles=True, reverses="imprisonment.received"))])
    for everything, expected in ((False, [lost]), (True, [decided, lost])):
        async with engine.begin() as connection:
            assert await outbox.publish_again(connection, NOW, everything=everything) == len(expected)
        assert [event.seq for event in await relayed(engine)] == [event.seq for event in expected]


async def test_a_long_history_is_not_looked_at_again(engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whose turn it is costs the same, however much was decided in the lane before."""
    read: list[int] = []
    real = address_module.look_up

    async def counted(session: Session, **asked: Any) -> LookedUp:
        before = await session.value(_READ)
        found = await real(session, **asked)
        read.append(await session.value(_READ) - before)
        return found

    monkeypatch.setattr(address_module, "look_up", counted)
    for number in range(40):
        await journal(engine).commit([entry(reception(f"fact {number}"))])
        await deciding(engine).handle([record_of(event) for event in await relayed(engine)])
    assert await states(engine) == {"no_recipient": 40}
    assert read[-1] == read[1]


async def test_what_was_overtaken_in_quarantine_is_not_told_after_its_correction(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A poison event driven again after its correction was decided ends superseded: order is kept, nothing is lost."""
    first, second = await versions(engine, "LII", "NSI")
    real = consumer_module.address

    async def failing(connection: Any, batch: Sequence[Arrived], now: Any, with_tools: Any) -> Addressed:
        if any(one.envelope.id == first.envelope.id for one in batch):
            raise ZeroDivisionError
        return await real(connection, batch, now, with_tools)

    monkeypatch.setattr(consumer_module, "address", failing)
    await deciding(engine).handle([record_of(first), record_of(second)])
    assert await states(engine) == {"held": 1, "no_recipient": 1}
    async with engine.begin() as connection:
        (kept,) = await quarantine.waiting(connection, 10)
        assert await quarantine.release(connection, [kept.id], NOW) == 1
    assert await relayed(engine) == []
    assert await states(engine) == {"superseded": 1, "no_recipient": 1}
    assert await unaccounted(engine) == 0


async def test_a_batch_that_nobody_finishes_is_no_progress(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is asked whether it lives says no once a batch is in hand for too long, and yes again when it is done."""
    begun, goes_on = asyncio.Event(), asyncio.Event()
    address = consumer_module.address

    async def hanging(*given: Any) -> Addressed:
        begun.set()
        await goes_on.wait()
        return await address(*given)

    monkeypatch.setattr(consumer_module, "address", hanging)
    [event] = await published(engine, 1)
    consumer = deciding(engine)
    progress = Progress(lambda: consumer.in_hand, lambda: consumer.last_progress)
    late = NOW + STALLED_AFTER + timedelta(seconds=1)
    assert not progress.stalled(late)
    handling = asyncio.create_task(consumer.handle([record_of(event)]))
    await begun.wait()
    assert progress.stalled(late)
    assert not progress.stalled(NOW)
    goes_on.set()
    await handling
    assert not progress.stalled(late)


@asynccontextmanager
async def subscribed(kafka: Kafka, consumer: AddressingConsumer) -> AsyncIterator[KafkaBroker]:
    """The consumer, subscribed as in production."""
    broker = new_broker(kafka, "test")
    subscriptions = subscribe(broker, consumer, kafka, Dispatch(instance=f"dispatch-{uuid.uuid4().hex[:8]}"))
    await broker.start()
    try:
        yield broker
    finally:
        await subscriptions.close()
        await broker.stop()


async def test_through_kafka_good_bad_good(engine: AsyncEngine, kafka_settings: Kafka) -> None:
    """Between two good records, one whose header is not UTF-8 is kept; all three are accounted for and committed."""
    await create_topics(kafka_settings, canonical_topics(kafka_settings))
    events = await published(engine, 3)
    records = [record_of(event) for event in events]
    records[1].headers = [*records[1].headers[:-1], ("ce_source", b"\xff")]
    producer = AIOKafkaProducer(bootstrap_servers=kafka_settings.bootstrap, acks="all", enable_idempotence=True)
    await producer.start()
    try:
        for event, record in zip(events, records, strict=True):
            topic = kafka_settings.prefix + topic_of(event.envelope.kind)
            await producer.send_and_wait(topic, record.value, key=record.key, headers=list(record.headers), partition=0)
    finally:
        await producer.stop()
    async with subscribed(kafka_settings, deciding(engine)), asyncio.timeout(30):
        while await states(engine) != {"no_recipient": 2}:
            pass
        async with engine.connect() as connection:
            (kept,) = await quarantine.waiting(connection, 10)
    assert kept.reason == "ce_source_malformed"


async def test_a_process_that_is_told_to_stop_commits_what_it_has_decided(
    engine: AsyncEngine, kafka_settings: Kafka
) -> None:
    """Within a pause between two commits too: the application closes its subscriptions before the broker stops."""
    await create_topics(kafka_settings, canonical_topics(kafka_settings))
    events = await published(engine, 2)
    topic = kafka_settings.prefix + topic_of(events[0].envelope.kind)
    consumer = deciding(engine)
    broker = new_broker(kafka_settings, "test")
    subscriptions = subscribe(broker, consumer, kafka_settings, Dispatch(instance=f"dispatch-{uuid.uuid4().hex[:8]}"))
    app = AsgiFastStream(broker, logger=None, on_shutdown=[subscriptions.close])
    producer = AIOKafkaProducer(bootstrap_servers=kafka_settings.bootstrap, acks="all", enable_idempotence=True)
    await producer.start()
    try:
        async with app.start_lifespan_context(), asyncio.timeout(30):
            for number, event in enumerate(events, 1):
                record = record_of(event)
                await producer.send_and_wait(
                    topic, record.value, key=record.key, headers=list(record.headers), partition=0
                )
                while await states(engine) != {"no_recipient": number} or consumer.in_hand:
                    pass
    finally:
        await producer.stop()
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_settings.bootstrap)
    await admin.start()
    try:
        group = f"{kafka_settings.prefix}addressing.{topic.removeprefix(kafka_settings.prefix)}"
        committed = await admin.list_consumer_group_offsets(group)
    finally:
        await admin.close()
    assert committed[TopicPartition(topic, 0)].offset == 2


async def test_any_server_that_is_named_leads_to_the_cluster(engine: AsyncEngine, kafka_settings: Kafka) -> None:
    """Of several servers one may be down when the consumer starts, even the first."""
    await create_topics(kafka_settings, canonical_topics(kafka_settings))
    (nobody,) = ports.free(1)
    named = kafka_settings.model_copy(update={"bootstrap": f"127.0.0.1:{nobody},{kafka_settings.bootstrap}"})
    async with subscribed(named, deciding(engine)) as broker:
        assert await broker.ping(timeout=10)


class OneAtATime:
    """A consumer that holds its first batch until another's has been fetched, and notes how many it had in hand."""

    def __init__(self) -> None:
        self.topics: list[str] = []
        self.in_hand = 0
        self.most = 0
        self.fetched = 0
        self.both_fetched, self.both_decided = asyncio.Event(), asyncio.Event()

    def note_fetches(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Note whenever the rest of a batch was asked for: nothing but its turn is waited for then."""
        getmany = AIOKafkaConsumer.getmany

        async def noted(*given: Any, **named: Any) -> Any:
            found = await getmany(*given, **named)
            self.fetched += 1
            if self.fetched == 2:
                self.both_fetched.set()
            return found

        monkeypatch.setattr(AIOKafkaConsumer, "getmany", noted)

    async def handle(self, records: Sequence[Record]) -> None:
        """As the real one is called."""
        self.in_hand += 1
        self.most = max(self.most, self.in_hand)
        self.topics += [record.topic for record in records]
        await self.both_fetched.wait()
        self.in_hand -= 1
        if len(self.topics) == 2:
            self.both_decided.set()


async def test_the_batches_of_two_topics_are_decided_one_at_a_time(
    kafka_settings: Kafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each topic is fetched by itself, and one session decides: two batches at once would share its transaction."""
    await create_topics(kafka_settings, canonical_topics(kafka_settings))
    first, second, *_ = canonical_topics(kafka_settings)
    producer = AIOKafkaProducer(bootstrap_servers=kafka_settings.bootstrap, acks="all", enable_idempotence=True)
    await producer.start()
    try:
        for topic in (first, second):
            await producer.send_and_wait(topic, b"body", key=b"key", partition=0)
    finally:
        await producer.stop()
    consumer = OneAtATime()
    consumer.note_fetches(monkeypatch)
    # Nothing but `handle` is asked of it.
    async with subscribed(kafka_settings, consumer), asyncio.timeout(30):  # type: ignore[arg-type]
        await consumer.both_decided.wait()
    assert (sorted(consumer.topics), consumer.most) == ([first, second], 1)


async def test_a_record_is_decided_though_the_rest_of_its_batch_cannot_be_had(
    engine: AsyncEngine, kafka_settings: Kafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was handed over must not be passed by: the next batch's offset would stand behind it."""

    async def failing(*_: Any, **__: Any) -> Any:
        raise KafkaConnectionError

    await create_topics(kafka_settings, canonical_topics(kafka_settings))
    [event] = await published(engine, 1)
    record = record_of(event)
    monkeypatch.setattr(AIOKafkaConsumer, "getmany", failing)
    producer = AIOKafkaProducer(bootstrap_servers=kafka_settings.bootstrap, acks="all", enable_idempotence=True)
    await producer.start()
    try:
        topic = kafka_settings.prefix + topic_of(event.envelope.kind)
        await producer.send_and_wait(topic, record.value, key=record.key, headers=list(record.headers), partition=0)
    finally:
        await producer.stop()
    async with subscribed(kafka_settings, deciding(engine)), asyncio.timeout(30):
        while await states(engine) != {"no_recipient": 1}:
            pass


def test_no_subscriber_is_typed_or_leaves_its_acknowledgement_to_the_library(kafka_settings: Kafka) -> None:
    """Every subscriber of ours is manual, raw, and declares no type: anything else loses records."""
    broker = new_broker(kafka_settings, "test")

    class Nobody:
        """A consumer that is never called."""

    subscribe(broker, Nobody(), kafka_settings, Dispatch())  # type: ignore[arg-type]
    assert len(broker.subscribers) == len(canonical_topics(kafka_settings))
    for subscriber in broker.subscribers:
        assert subscriber.ack_policy is AckPolicy.MANUAL
        (call,) = subscriber.calls
        assert call.dependant is None or not call.dependant.params
