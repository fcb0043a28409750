"""How FastStream hands canonical events to the consumer: raw, and acknowledged by nobody but us.

Every ready-made way loses something here. The library's own batch parser decodes headers as UTF-8 and drops the whole
batch if one is not; its other acknowledgement policies commit past what failed; typed arguments are validated before
the handler runs. So the records pass through untouched, the handler never raises, and it commits itself. Its batches
wait by polling, too; so it hands over the first record that comes, and the handler takes the others that are there.
"""

import asyncio
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

from aiokafka import TopicPartition
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka.message import KafkaAckableMessage

from gateway.addressing.consumer import AddressingConsumer, settle_then_commit
from gateway.addressing.offsets import Offsets
from gateway.errors import Fenced
from gateway.kafka.topics import canonical_topics
from gateway.settings import Dispatch, Kafka

if TYPE_CHECKING:
    from aiokafka import ConsumerRecord

GROUP = "addressing"
_LONGEST_WAIT = 24 * 3600 * 1000


def new_broker(kafka: Kafka, instance: str) -> KafkaBroker:
    """A broker without type casting, without a logger of its own (it quotes values), and making no topics."""
    return KafkaBroker(
        kafka.bootstrap.split(","),  # one text is taken for one server here, and not elsewhere
        client_id=instance,
        apply_types=False,
        logger=None,
        allow_auto_create_topics=False,
        ack_policy=AckPolicy.MANUAL,
        graceful_timeout=15.0,
    )


def subscribe(broker: KafkaBroker, consumer: AddressingConsumer, kafka: Kafka, dispatch: Dispatch) -> Sequence[Offsets]:
    """Subscribe the consumer to every canonical topic, each as a static member of the topic's own group.

    Each topic is fetched by itself, and their batches are decided in turn: a fetch names every partition it is for, and
    its answer does too, so that one record would pay for all the partitions in which nothing came. What this gives back
    is to be closed (`close_all`) before the broker is stopped: no offset can be committed after that.
    """
    turn = asyncio.Lock()
    return [_subscribe(broker, topic, consumer, turn, kafka, dispatch) for topic in canonical_topics(kafka)]


def _subscribe(
    broker: KafkaBroker, topic: str, consumer: AddressingConsumer, turn: asyncio.Lock, kafka: Kafka, dispatch: Dispatch
) -> Offsets:
    async def as_it_came(record: "ConsumerRecord[Any, Any]") -> KafkaAckableMessage:
        return KafkaAckableMessage(body=b"", raw_message=record, consumer=subscriber.consumer)

    async def undecoded(message: KafkaAckableMessage) -> Any:
        return message.raw_message

    async def decide(first: "ConsumerRecord[Any, Any]") -> None:
        kafka_consumer = subscriber.consumer
        if kafka_consumer is None:
            raise Fenced
        async with turn:
            records = [first]
            if dispatch.batch > 1:
                more = await kafka_consumer.getmany(timeout_ms=0, max_records=dispatch.batch - 1)
                records.extend(chain.from_iterable(more.values()))
            await settle_then_commit(consumer, records, offsets)

    async def commit(decided: Mapping[TopicPartition, int]) -> None:
        kafka_consumer = subscriber.consumer
        if kafka_consumer is None:
            raise Fenced
        # Whoever a partition went to meanwhile decides the same again, to no effect, and commits it.
        ours = {place: decided[place] for place in decided.keys() & kafka_consumer.assignment()}
        if ours:
            await kafka_consumer.commit(ours)

    offsets = Offsets(commit)
    subscriber = broker.subscriber(
        topic,
        group_id=f"{kafka.prefix}{GROUP}.{topic.removeprefix(kafka.prefix)}",
        group_instance_id=kafka.prefix + dispatch.instance,
        ack_policy=AckPolicy.MANUAL,
        auto_offset_reset="earliest",
        session_timeout_ms=int(dispatch.session_timeout.total_seconds() * 1000),
        heartbeat_interval_ms=max(int(dispatch.session_timeout.total_seconds() * 1000) // 3, 1),
        max_poll_interval_ms=_LONGEST_WAIT,
        parser=as_it_came,
        decoder=undecoded,
        no_reply=True,
        title=f"canonical events of {topic}",
        description="Decides who is sent what. Each record ends decided, held or in quarantine, then its offset moves.",
    )
    subscriber(decide)
    return offsets
