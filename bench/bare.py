"""The bare loop: what the gateway does, without the gateway.

    POST --receive--> journal --relay--> Kafka --consume--> deliveries --courier--> recipients
           one transaction    marked           one transaction,       marked
           per gathered batch per batch        one offset commit,     per gathered batch
                                               per consumed batch

Two processes, as the gateway has by default. Nothing is checked, sealed, signed or looked up, and a person's deliveries
keep no order but the partition's. Nothing is lost between the steps either: the 202 comes after the commit, the mark
after Kafka's answer, the offset after the transaction, and the second mark after the recipient's answer.

It is tuned for its own sake; contracts/decisions/0006-the-bare-loop.md says what was tried and what it gave.
"""

import argparse
import asyncio
import os
import time
import uuid
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import aiohttp
import asyncpg
import uvicorn
import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

SCHEMA = """
create table journal (id uuid primary key, person text not null, recipients smallint not null,
                      body bytea not null, received timestamptz not null default now());
create table unpublished (id uuid primary key);
create table deliveries (id uuid primary key, record_id uuid not null, recipient smallint not null,
                         body bytea not null, decided timestamptz not null default now());
create table undelivered (id uuid primary key);
"""

TAKE = """
with told as (
    select * from unnest($1::uuid[], $2::text[], $3::smallint[], $4::bytea[]) as t(id, person, recipients, body)),
     kept as (insert into journal (id, person, recipients, body) select id, person, recipients, body from told)
insert into unpublished (id) select id from told
"""

PUBLISHED = "delete from unpublished where id = any($1::uuid[])"

DECIDE = """
with told as (
    select * from unnest($1::uuid[], $2::uuid[], $3::smallint[], $4::bytea[]) as t(id, record_id, recipient, body)),
     kept as (insert into deliveries (id, record_id, recipient, body) select id, record_id, recipient, body from told)
insert into undelivered (id) select id from told
"""

DELIVERED = "delete from undelivered where id = any($1::uuid[])"

RECIPIENTS = 8
"""So many there are. A person's home is one of them, and so is who holds the person."""

Item = TypeVar("Item")
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Tuning:
    """The knobs, at their best values for two cores.

    journal, consume, mark: the most taken in one statement. committers: transactions under way at once. pool:
    connections to PostgreSQL per process. linger: milliseconds Kafka's producer waits for more. couriers: deliveries
    under way at once. ahead: deliveries decided and not yet taken by a courier, before no more are consumed.
    """

    journal: int = 500
    committers: int = 1
    consume: int = 500
    mark: int = 500
    linger: int = 0
    couriers: int = 32
    ahead: int = 2000


@dataclass(frozen=True, slots=True)
class Record:
    """One message as received."""

    id: uuid.UUID
    person: str
    recipients: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message for one recipient."""

    id: uuid.UUID
    record_id: uuid.UUID
    recipient: int
    body: bytes


class Gathering(Generic[Item]):
    """What has come and waits for the next batch. No timer: a batch is whatever gathered while the last was done."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._items: list[Item] = []
        self._some = asyncio.Event()

    def put(self, item: Item) -> None:
        """Add one."""
        self._items.append(item)
        self._some.set()

    def extend(self, items: Sequence[Item]) -> None:
        """Add several."""
        self._items.extend(items)
        self._some.set()

    async def batch(self) -> list[Item]:
        """All there is, but at least one and at most `most`."""
        while not self._items:
            self._some.clear()
            await self._some.wait()
        taken, self._items = self._items[: self._most], self._items[self._most :]
        return taken


class Receiver:
    """HTTP to journal to Kafka; an ASGI application."""

    def __init__(self, producer: AIOKafkaProducer, topic: str, tuning: Tuning) -> None:
        self._producer = producer
        self._topic = topic
        self._arrived: Gathering[tuple[Record, asyncio.Future[None]]] = Gathering(tuning.journal)
        self._committed: Gathering[Record] = Gathering(tuning.journal)
        self._published: Gathering[uuid.UUID] = Gathering(tuning.mark)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 202 with the receipt, once it is on disk. The path is /{person}/{recipients}."""
        if scope["type"] != "http":
            return
        body = b""
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        _, person, recipients = scope["path"].split("/")
        record = Record(time_ordered(), person, int(recipients), body)
        committed = asyncio.get_running_loop().create_future()
        self._arrived.put((record, committed))
        await committed
        receipt = (b"location", b"/receipts/" + str(record.id).encode())
        await send({"type": "http.response.start", "status": 202, "headers": [receipt, (b"content-length", b"0")]})
        await send({"type": "http.response.body"})

    async def commit(self, connection: asyncpg.Connection) -> None:
        """Write what has gathered, in one transaction, and let its senders go."""
        while True:
            gathered = await self._arrived.batch()
            records = [record for record, _ in gathered]
            await connection.execute(
                TAKE,
                [record.id for record in records],
                [record.person for record in records],
                [record.recipients for record in records],
                [record.body for record in records],
            )
            for _, committed in gathered:
                if not committed.done():  # the sender has hung up
                    committed.set_result(None)
            self._committed.extend(records)

    async def relay(self) -> None:
        """Publish what is committed."""
        while True:
            records = await self._committed.batch()
            acknowledged = [
                await self._producer.send(
                    self._topic,
                    record.body,
                    key=record.person.encode(),
                    headers=[("record", record.id.bytes), ("recipients", b"%d" % record.recipients)],
                )
                for record in records
            ]
            await asyncio.gather(*acknowledged)
            self._published.extend([record.id for record in records])

    async def mark(self, connection: asyncpg.Connection) -> None:
        """Note what Kafka has acknowledged."""
        while True:
            await connection.execute(PUBLISHED, await self._published.batch())


class Deliverer:
    """Kafka to deliveries to recipients."""

    def __init__(
        self,
        consumer: AIOKafkaConsumer,
        session: aiohttp.ClientSession,
        recipients: str,
        tuning: Tuning,
    ) -> None:
        self._consumer = consumer
        self._session = session
        self._urls = [f"{recipients}/{number}" for number in range(RECIPIENTS)]
        self._tuning = tuning
        self._due: asyncio.Queue[Delivery] = asyncio.Queue(tuning.ahead)
        self._delivered: Gathering[uuid.UUID] = Gathering(tuning.mark)

    async def decide(self, connection: asyncpg.Connection) -> None:
        """Record who is owed what, in one transaction per consumed batch, and move on."""
        while True:
            batches = await self._consumer.getmany(timeout_ms=1000, max_records=self._tuning.consume)
            if not batches:
                continue
            deliveries = [
                delivery for messages in batches.values() for message in messages for delivery in owed(message)
            ]
            await connection.execute(
                DECIDE,
                [delivery.id for delivery in deliveries],
                [delivery.record_id for delivery in deliveries],
                [delivery.recipient for delivery in deliveries],
                [delivery.body for delivery in deliveries],
            )
            ends: dict[TopicPartition, int] = {
                partition: messages[-1].offset + 1 for partition, messages in batches.items()
            }
            await self._consumer.commit(ends)
            for delivery in deliveries:
                await self._due.put(delivery)

    async def carry(self) -> None:
        """One courier: post a delivery, until it is taken."""
        while True:
            delivery = await self._due.get()
            url = self._urls[delivery.recipient]
            headers = {"webhook-id": str(delivery.id)}
            while True:
                async with self._session.post(url, data=delivery.body, headers=headers) as answer:
                    if answer.status < 300:
                        break
                await asyncio.sleep(1)
            self._delivered.put(delivery.id)

    async def mark(self, connection: asyncpg.Connection) -> None:
        """Note what recipients have taken."""
        while True:
            await connection.execute(DELIVERED, await self._delivered.batch())


def owed(message: Any) -> list[Delivery]:
    """One delivery for home, and one for who holds the person where that is another."""
    (_, record), (_, recipients) = message.headers
    record_id = uuid.UUID(bytes=record)
    home = int(message.key) % RECIPIENTS
    return [
        Delivery(uuid.UUID(int=record_id.int ^ other), record_id, (home + other) % RECIPIENTS, message.value)
        for other in range(int(recipients))
    ]


def time_ordered() -> uuid.UUID:
    """A UUID of version 7: they grow with time, so that an index grows at its end."""
    milliseconds = time.time_ns() // 1_000_000
    return uuid.UUID(bytes=milliseconds.to_bytes(6, "big") + b"\x70" + os.urandom(9))


async def receive(told: argparse.Namespace, tuning: Tuning) -> None:
    """The first process."""
    async with AsyncExitStack() as stack:
        producer = AIOKafkaProducer(
            bootstrap_servers=told.kafka, acks="all", enable_idempotence=True, linger_ms=tuning.linger
        )
        await producer.start()
        stack.push_async_callback(producer.stop)
        receiver = Receiver(producer, told.topic, tuning)
        server = uvicorn.Server(
            uvicorn.Config(
                receiver, port=told.port, http="httptools", lifespan="off", access_log=False, log_level="warning",
                server_header=False, date_header=False, proxy_headers=False,
            )
        )  # fmt: skip
        await _until_one_ends(
            server.serve(),
            *[receiver.commit(await _connect(told, stack)) for _ in range(tuning.committers)],
            receiver.relay(),
            receiver.mark(await _connect(told, stack)),
        )


async def deliver(told: argparse.Namespace, tuning: Tuning) -> None:
    """The second process."""
    async with AsyncExitStack() as stack:
        consumer = AIOKafkaConsumer(
            told.topic,
            bootstrap_servers=told.kafka,
            group_id=told.topic,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
        )
        await consumer.start()
        stack.push_async_callback(consumer.stop)
        session = await stack.enter_async_context(
            aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=tuning.couriers),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None),
            )
        )
        deliverer = Deliverer(consumer, session, told.recipients, tuning)
        await _until_one_ends(
            deliverer.decide(await _connect(told, stack)),
            *(deliverer.carry() for _ in range(tuning.couriers)),
            deliverer.mark(await _connect(told, stack)),
        )


async def _connect(told: argparse.Namespace, stack: AsyncExitStack) -> asyncpg.Connection:
    connection = await asyncpg.connect(told.store)
    stack.push_async_callback(connection.close)
    return connection


async def _until_one_ends(*works: Awaitable[None]) -> None:
    tasks = [asyncio.ensure_future(work) for work in works]
    done, rest = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in rest:
        task.cancel()
    for task in done:
        task.result()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="One process of the bare loop.")
    parser.add_argument("part", choices=("receive", "deliver"))
    parser.add_argument("--store", required=True, help="where PostgreSQL is, as asyncpg takes it")
    parser.add_argument("--kafka", required=True)
    parser.add_argument("--topic", required=True)
    parser.add_argument("--port", type=int, help="receive: where to listen")
    parser.add_argument("--recipients", help="deliver: URL under which recipients are 0, 1, ...")
    for name in Tuning.__dataclass_fields__:
        parser.add_argument(f"--{name}", type=int, default=getattr(Tuning(), name))
    arguments = parser.parse_args()
    knobs = Tuning(**{name: getattr(arguments, name) for name in Tuning.__dataclass_fields__})
    uvloop.run(receive(arguments, knobs) if arguments.part == "receive" else deliver(arguments, knobs))
