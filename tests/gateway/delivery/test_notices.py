"""Notices on a recipient's own Kafka topic."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest
from aiokafka.errors import KafkaTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.clock import system_clock
from gateway.delivery.loop import DeliveryLoop
from gateway.parties import Parties, Party
from gateway.settings import Delivery
from tests.support.deliveries import SEALER, SIGNER, Owed, engine_of, queue, run_sql, states

pytestmark = pytest.mark.services

PARTIES = Parties((Party(id="a", name="a", recipient=True, kafka=True), Party(id="b", name="b", recipient=True)))


@dataclass
class Topic:
    """A producer that keeps what it is given. fails: how often it fails first, after having sent."""

    fails: int = 0
    sent: list[tuple[str, bytes, bytes, dict[str, bytes]]] = field(default_factory=list)

    async def send(
        self, topic: str, *, value: bytes, key: bytes, headers: Sequence[tuple[str, bytes]]
    ) -> asyncio.Future[Any]:
        """As aiokafka does, whose further parameters stand in another order."""
        self.sent.append((topic, value, key, dict(headers)))
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        if self.fails:
            self.fails -= 1
            answer.set_exception(KafkaTimeoutError())
        else:
            answer.set_result(None)
        return answer


@pytest.fixture
async def engine(postgres: str) -> AsyncIterator[AsyncEngine]:
    """An engine on an empty, migrated database."""
    async with engine_of(postgres) as engine:
        yield engine


async def tell(engine: AsyncEngine, topic: Topic, upto: int) -> None:
    """Run the loop until so much is told."""
    loop = DeliveryLoop(engine, PARTIES, SEALER, SIGNER, Delivery(), system_clock, producer=topic)
    async with asyncio.TaskGroup() as group:
        group.create_task(loop.run())
        async with asyncio.timeout(20):
            while True:
                told = await run_sql(engine, "select told from mailboxes where recipient = 'a'")
                if told and told[0].told == upto:
                    break
                await asyncio.sleep(0.02)
        await loop.stop()


async def test_a_topic_carries_every_notice_in_order_and_no_body(engine: AsyncEngine) -> None:
    """Once each; the deliveries stay queued until they are read; another recipient's are on no topic."""
    queued = await queue(engine, [Owed("a", n % 3, n) for n in range(20)] + [Owed("b", 1)])
    topic = Topic()
    await tell(engine, topic, 20)
    documents = [orjson.loads(value) for _, value, _, _ in topic.sent]
    assert [document["id"] for document in documents] == [str(one.id) for one in queued[:20]]
    assert [document["position"] for document in documents] == list(range(1, 21))
    assert set(documents[0]) == {"id", "position", "kind", "change", "role", "created"}
    assert {name for name, _, _, _ in topic.sent} == {"deliver.a.v1"}
    assert set((await states(engine)).values()) == {"queued"}


async def test_one_persons_notices_share_a_key_that_names_nobody(engine: AsyncEngine) -> None:
    """Neither the person's id nor, for another recipient, the same key."""
    queued = await queue(engine, [Owed("a", n % 3, n) for n in range(9)])
    topic = Topic()
    await tell(engine, topic, 9)
    keys = [key for _, _, key, _ in topic.sent]
    assert len(set(keys)) == 3
    assert keys[:3] * 3 == keys
    for one in queued:
        assert one.person_id.hex.encode() not in keys


async def test_what_kafka_did_not_acknowledge_is_told_again(engine: AsyncEngine) -> None:
    """The whole page, with the same bytes; then on from there, also by the next process."""
    await queue(engine, [Owed("a", n) for n in range(5)])
    topic = Topic(fails=1)
    await tell(engine, topic, 5)
    values = [value for _, value, _, _ in topic.sent]
    assert values[:5] == values[5:]
    await queue(engine, [Owed("a", 9)])
    again = Topic()
    await tell(engine, again, 6)
    assert len(again.sent) == 1
