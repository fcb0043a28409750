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
from aiokafka.errors import KafkaError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka.message import KafkaAckableMessage

from gateway import telemetry
from gateway.addressing.consumer import AddressingConsumer, settle_then_commit
from gateway.addressing.offsets import Offsets
from gateway.errors import Fenced
from gateway.kafka.topics import canonical_topics
from gateway.settings import Dispatch, Kafka
from gateway.telemetry import log

if TYPE_CHECKING:
    from aiokafka import AIOKafkaConsumer, ConsumerRecord

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


class Subscriptions:
    """The consumer's, one for each topic."""

    def __init__(self, offsets: Sequence[Offsets]) -> None:
        self._offsets = offsets

    async def close(self) -> None:
        """Commit what is decided by now, if that does not take too long, and nothing after it.

        To be called before the broker is stopped: no offset can be committed after that.
        """
        await asyncio.gather(*(one.close() for one in self._offsets))


def subscribe(broker: KafkaBroker, consumer: AddressingConsumer, kafka: Kafka, dispatch: Dispatch) -> Subscriptions:
    """Subscribe the consumer to every canonical topic, each as a static member of the topic's own group.

    Each topic is fetched by itself: a fetch names every partition it is for, and its answer does too, so that one
    record would pay for all the partitions in which nothing came. Batches are decided one at a time all the same, since
    the consumer decides them in one session.
    """
    turn = asyncio.Lock()
    return Subscriptions(
        [_subscribe(broker, topic, consumer, turn, kafka, dispatch) for topic in canonical_topics(kafka)]
    )


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
        # Before its turn, because a group that is just sharing out its partitions keeps whoever asks it waiting.
        records = [first, *(await _others(kafka_consumer, dispatch.batch - 1))]
        async with turn:
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


async def _others(kafka_consumer: "AIOKafkaConsumer", most: int) -> "list[ConsumerRecord[Any, Any]]":
    """What else is there. Where that cannot be had just now, nothing: it comes with the next."""
    if most < 1:
        return []
    try:
        found = await kafka_consumer.getmany(timeout_ms=0, max_records=most)
    except KafkaError as error:
        log.warning("records.not_fetched", error=type(error).__name__, where=telemetry.where(error))
        return []
    return list(chain.from_iterable(found.values()))
