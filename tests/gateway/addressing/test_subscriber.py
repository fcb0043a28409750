"""The consumer's subscriptions, on a real PostgreSQL and a real Kafka."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaConnectionError
from faststream import AckPolicy
from faststream.asgi import AsgiFastStream
from faststream.kafka import KafkaBroker
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.addressing.consumer import AddressingConsumer
from gateway.addressing.subscriber import new_broker, subscribe
from gateway.kafka.topics import canonical_topics, create_topics
from gateway.local import ports
from gateway.settings import Dispatch, Kafka, Store
from gateway.store import quarantine
from gateway.store.ledger import open_engine
from gateway.store.outbox import Unpublished
from schemas.base import topic_of
from tests.support.consuming import Record, deciding, published, record_of, states

pytestmark = pytest.mark.services


@pytest.fixture
async def engine(postgres: str) -> AsyncIterator[AsyncEngine]:
    """An engine on an empty, migrated database."""
    engine = open_engine(Store(dsn=postgres))
    yield engine
    await engine.dispose()


@asynccontextmanager
async def producing(kafka: Kafka) -> AsyncIterator[AIOKafkaProducer]:
    """A producer as the relay's."""
    producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, acks="all", enable_idempotence=True)
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


async def post(producer: AIOKafkaProducer, topic: str, record: Record) -> None:
    """Put a record on the first partition of a topic."""
    await producer.send_and_wait(topic, record.value, key=record.key, headers=list(record.headers), partition=0)


def topic_for(kafka: Kafka, event: Unpublished) -> str:
    """The topic of an event."""
    return kafka.prefix + topic_of(event.envelope.kind)


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
    async with producing(kafka_settings) as producer:
        for record in records:
            await post(producer, topic_for(kafka_settings, events[0]), record)
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
    topic = topic_for(kafka_settings, events[0])
    consumer = deciding(engine)
    broker = new_broker(kafka_settings, "test")
    subscriptions = subscribe(broker, consumer, kafka_settings, Dispatch(instance=f"dispatch-{uuid.uuid4().hex[:8]}"))
    app = AsgiFastStream(broker, logger=None, on_shutdown=[subscriptions.close])
    async with producing(kafka_settings) as producer, app.start_lifespan_context(), asyncio.timeout(30):
        for number, event in enumerate(events, 1):
            await post(producer, topic, record_of(event))
            while await states(engine) != {"no_recipient": number} or consumer.in_hand:
                pass
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
    async with producing(kafka_settings) as producer:
        for topic in (first, second):
            await post(producer, topic, Record(b"key", b"body", ()))
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
    monkeypatch.setattr(AIOKafkaConsumer, "getmany", failing)
    async with producing(kafka_settings) as producer:
        await post(producer, topic_for(kafka_settings, event), record_of(event))
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
