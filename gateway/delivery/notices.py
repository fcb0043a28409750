"""Notices: ids, kind and times of a delivery, and nothing of its body, which is fetched from the mailbox.

They are what a push carries where a recipient has not asked for full bodies, and all that ever lies on a recipient's
own Kafka topic, so that erasing a body darkens every copy.
"""

import asyncio
import hashlib
from collections.abc import Sequence
from typing import Any, Protocol

import orjson
from aiokafka.errors import KafkaError
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.delivery.delivery import Delivery
from gateway.store import mailboxes
from gateway.store.mailboxes import Notice
from gateway.telemetry import log

_PAGE = 500


class Producer(Protocol):
    """What is asked of a Kafka producer; aiokafka's, idempotent and with acks=all."""

    async def send(
        self, topic: str, *, value: bytes, key: bytes, headers: Sequence[tuple[str, bytes]]
    ) -> asyncio.Future[Any]: ...


def notice(told: Delivery | Notice) -> bytes:
    """The notice of a delivery: made of what never changes, so that the same delivery gives the same bytes for ever."""
    return orjson.dumps(
        {
            "id": str(told.id),  # asyncpg gives a class of its own, which orjson does not know
            "position": told.position,
            "kind": told.kind,
            "change": told.change,
            "role": told.role,
            "created": told.created,
        },
        option=orjson.OPT_UTC_Z,
    )


def key(told: Notice, recipient: str) -> bytes:
    """The Kafka key: one person's notices share a partition, and nobody can join two recipients' topics on it."""
    return hashlib.blake2b(told.person_id.bytes, key=recipient.encode()[:64], digest_size=16).hexdigest().encode()


class TopicNotices:
    """Tells one recipient's Kafka topic of its deliveries, in order, at least once."""

    def __init__(self, engine: AsyncEngine, producer: Producer, recipient: str, topic: str) -> None:
        self._engine = engine
        self._producer = producer
        self._recipient = recipient
        self._topic = topic
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """There may be something to tell."""
        self._woken.set()

    async def run(self) -> None:
        """Tell until cancelled. While Kafka is away the untold stay untold; nobody's push or mailbox waits for it."""
        while True:
            self._woken.clear()
            try:
                while await self._tell():
                    pass
            except KafkaError as error:
                log.warning("notices.interrupted", recipient=self._recipient, error=type(error).__name__)
            await self._woken.wait()

    async def _tell(self) -> bool:
        """Tell the next page and remember how far it went. False when there is nothing to tell."""
        page = await mailboxes.untold(self._engine, self._recipient, _PAGE)
        if not page:
            return False
        sent = [
            await self._producer.send(
                self._topic, value=notice(told), key=key(told, self._recipient), headers=_headers(told)
            )
            for told in page
        ]
        await asyncio.gather(*sent)
        await mailboxes.told(self._engine, self._recipient, page[-1].position)
        return True


def _headers(told: Notice) -> list[tuple[str, bytes]]:
    return [
        ("ce_specversion", b"1.0"),
        ("ce_id", str(told.id).encode()),
        ("ce_source", b"/deliveries"),
        ("ce_type", told.kind.encode()),
        ("ce_time", told.created.isoformat().encode()),
        ("content-type", b"application/json"),
    ]
