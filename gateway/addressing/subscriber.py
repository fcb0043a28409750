"""How FastStream hands canonical events to the consumer: raw, in batches, and acknowledged by nobody but us.

Every ready-made way loses something here. The library's own batch parser decodes headers as UTF-8 and drops the whole
batch if one is not; its other acknowledgement policies commit past what failed; typed arguments are validated before
the handler runs. So the records pass through untouched, the handler never raises, and it commits itself.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka.message import KafkaAckableMessage

from gateway.addressing.consumer import AddressingConsumer, settle_then_commit
from gateway.errors import Fenced
from gateway.kafka.topics import canonical_topics
from gateway.settings import Dispatch, Kafka

if TYPE_CHECKING:
    from aiokafka import ConsumerRecord

GROUP = "addressing"
POLL_MILLISECONDS = 1
"""How long one poll waits, and how long the loop sleeps after an empty one. Measured in contracts/decisions/0006."""

_LONGEST_WAIT = 24 * 3600 * 1000


def new_broker(kafka: Kafka, instance: str) -> KafkaBroker:
    """A broker without type casting, without a logger of its own (it quotes values), and making no topics."""
    return KafkaBroker(
        kafka.bootstrap,
        client_id=instance,
        apply_types=False,
        logger=None,
        allow_auto_create_topics=False,
        ack_policy=AckPolicy.MANUAL,
        graceful_timeout=15.0,
    )


def subscribe(broker: KafkaBroker, consumer: AddressingConsumer, kafka: Kafka, dispatch: Dispatch) -> None:
    """Subscribe the consumer to every canonical topic, as a static member of the one group."""

    async def as_it_came(records: tuple["ConsumerRecord[Any, Any]", ...]) -> KafkaAckableMessage:
        return KafkaAckableMessage(body=b"", raw_message=records, consumer=subscriber.consumer)

    async def undecoded(message: KafkaAckableMessage) -> Sequence["ConsumerRecord[Any, Any]"]:
        raw = message.raw_message
        return raw if isinstance(raw, tuple) else (raw,)

    async def commit() -> None:
        if subscriber.consumer is None:
            raise Fenced
        await subscriber.consumer.commit()

    async def decide(records: Sequence["ConsumerRecord[Any, Any]"]) -> None:
        await settle_then_commit(consumer, records, commit)

    subscriber = broker.subscriber(
        *canonical_topics(kafka),
        group_id=kafka.prefix + GROUP,
        group_instance_id=kafka.prefix + dispatch.instance,
        batch=True,
        max_records=dispatch.batch,
        batch_timeout_ms=POLL_MILLISECONDS,
        ack_policy=AckPolicy.MANUAL,
        auto_offset_reset="earliest",
        session_timeout_ms=int(dispatch.session_timeout.total_seconds() * 1000),
        heartbeat_interval_ms=max(int(dispatch.session_timeout.total_seconds() * 1000) // 3, 1),
        max_poll_interval_ms=_LONGEST_WAIT,
        parser=as_it_came,
        decoder=undecoded,
        no_reply=True,
        title="canonical events",
        description="Decides who is sent what. Each record ends decided, held or in quarantine, then its offset moves.",
    )
    subscriber(decide)
