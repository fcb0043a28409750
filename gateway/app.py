"""The wiring of the gateway's two processes. The only place that knows the adapter registry.

`intake`: HTTP, journal, relay. `dispatch`: consumers, addressing, courier. More of each may run.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from datetime import timedelta
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.partitioner import DefaultPartitioner
from faststream.asgi import AsgiFastStream
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.base import Adapter
from adapters.registry import adapters
from gateway import telemetry
from gateway.addressing.consumer import AddressingConsumer
from gateway.addressing.purge import purge
from gateway.addressing.subscriber import new_broker, subscribe
from gateway.clock import Clock
from gateway.delivery.answering import Answering
from gateway.delivery.bell import Bell
from gateway.delivery.loop import DeliveryLoop
from gateway.delivery.mailbox import router as mailbox
from gateway.errors import ConfigurationError
from gateway.health import Check, Health, Progress, store_answers
from gateway.installation import Installation, read_installation
from gateway.intake.batch import FileTaker
from gateway.intake.channel import keep_going
from gateway.intake.drop import DropWatch
from gateway.intake.filling import Filler, Watched, http_client
from gateway.intake.http import build_access, build_app
from gateway.intake.journal import Journal
from gateway.intake.mesh import MeshPoll
from gateway.intake.mesh_access import open_client, routes_of
from gateway.intake.mllp import Limits, MllpListener
from gateway.intake.numbering import Numbering
from gateway.intake.parcel import ParcelTaker, feed_of
from gateway.intake.record import Channel, Commits, RecordTaker
from gateway.intake.refusals import Refusals
from gateway.intake.universal_credit.documents import DocumentTaker
from gateway.intake.universal_credit.topics import AGENCY, checked_party, open_keys, topic_readers
from gateway.kafka.envelope import partition_of
from gateway.kafka.relay import Relay, notify
from gateway.kafka.topics import all_topics, create_topics, notice_topic
from gateway.operations.lag import measure
from gateway.operations.redrive import Redrive
from gateway.serving import serve
from gateway.settings import Kafka, Settings
from gateway.store import quarantine
from gateway.store.ledger import open_engine
from gateway.store.schema import migrate
from gateway.store.session import Kept
from gateway.store.turns import Turns, open_turns
from gateway.telemetry import log

_DAILY = timedelta(hours=1)


async def intake(settings: Settings) -> None:
    """Run the front door until told to stop."""
    own = read_installation(settings)
    async with _engine(settings) as engine, aclosing(Kept(engine)) as kept:
        relay = Relay(
            engine,
            lambda: _producer(settings.kafka, linger_ms=0, partitioner=partition_of),
            prefix=settings.kafka.prefix,
            clock=own.clock,
            make_topics=lambda: create_topics(settings.kafka, all_topics(settings.kafka, own.parties)),
        )
        async with _spawning() as spawn, open_turns(engine) as turns, http_client(settings.filling) as asking:

            def published(shards: frozenset[int]) -> None:
                relay.wake()
                if not relay.holds(shards):
                    spawn(notify(engine))

            journal = _journal(own, engine, published, kept)
            access = build_access(settings, own.parties, own.secrets, own.clock)
            health = Health(
                own.clock,
                {"relay": Progress(lambda: relay.backlog, lambda: relay.last_progress)},
                {"store": store_answers(engine)},
                lambda: measure(engine, own.clock()),
            )
            bell = Bell(engine)
            answering = Answering(engine, own.parties, own.clock)
            feeds = read_feeds(settings)
            filler = Filler(engine, feeds, journal, own.sealer, settings.filling, own.clock, asking)
            taking = Watched(journal, filler.wake)
            app = build_app(
                settings,
                own.parties,
                own.secrets,
                feeds,
                taking,
                engine,
                own.clock,
                access=access,
                routers=[mailbox(engine, own.sealer, own.signer, access, bell, answering, own.clock)],
                routes=health.routes(),
            )
            await serve(
                app,
                settings.intake.host,
                settings.intake.port,
                journal.run(),
                relay.run(),
                bell.run(),
                filler.run(),
                *_channels(own, feeds, taking, engine, turns),
                leaving=bell.close,
            )


def read_feeds(settings: Settings) -> dict[str, Adapter]:
    """The feeds as this installation has them. Raises ConfigurationError for an option that is none, saying which."""
    fix = "Mend GATEWAY_ADAPTERS; each agency's README lists its options."
    try:
        return adapters(settings.adapters)
    except ValueError as error:
        raise ConfigurationError(f"An option of an agency is wrong: {error}.", fix) from None
    except OSError as error:
        raise ConfigurationError(
            f"A file that an agency's options name cannot be read ({type(error).__name__}).", fix
        ) from None


def _channels(
    own: Installation, feeds: Mapping[str, Adapter], journal: Commits, engine: AsyncEngine, turns: Turns
) -> Iterator[Coroutine[Any, Any, None]]:
    """What brings records in beside HTTP. Raises ConfigurationError for a party whose feed there is no adapter for."""
    settings = own.settings
    refusals = Refusals(engine, own.sealer)
    limits = settings.intake

    def records(channel: Channel) -> RecordTaker:
        return RecordTaker(journal, refusals, own.index, own.secrets.namespace, channel, Numbering(engine))

    def parcels(channel: Channel) -> ParcelTaker:
        files = FileTaker(
            journal, refusals, engine, own.index, own.secrets.namespace, limits.max_record, own.clock, channel
        )
        return ParcelTaker(records(channel), files, limits.max_record, limits.max_file, own.clock)

    for party in own.parties.all:
        if party.drop is not None:
            watch = DropWatch(party, feed_of(party, feeds), parcels("drop"), engine, turns, settings.drop, own.clock)
            yield keep_going("drop", watch.run)
        if party.mllp is not None:
            bounds = Limits(limits.max_record, limits.max_waiting)
            listener = MllpListener(party, feed_of(party, feeds), records("mllp"), settings.mllp, bounds, own.clock)
            yield keep_going("mllp", listener.run)
    if settings.mesh.url is not None:
        routes = routes_of(own.parties, feeds)
        poll = MeshPoll(open_client(settings.mesh), routes, parcels("mesh"), turns, settings.mesh)
        yield keep_going("mesh", poll.run)
    theirs = settings.universal_credit
    if theirs.bootstrap is not None:
        sender, keys, taker = checked_party(theirs, own.parties), open_keys(theirs), records("universal_credit")
        documents = DocumentTaker(sender, feeds[AGENCY], keys, taker, engine, own.sealer, limits.max_record, own.clock)
        for reader in topic_readers(theirs, documents):
            yield keep_going("universal_credit", reader.run)


async def dispatch(settings: Settings) -> None:
    """Consume, address and deliver until told to stop."""
    own = read_installation(settings)
    async with (
        _engine(settings) as engine,
        aclosing(Kept(engine)) as kept,
        _running_producer(settings.kafka) as producer,
    ):
        await create_topics(settings.kafka, all_topics(settings.kafka, own.parties))
        async with engine.begin() as connection:
            clean = await quarantine.started(connection, settings.dispatch.instance, own.clock())
        courier = DeliveryLoop(
            engine,
            own.parties,
            own.sealer,
            own.signer,
            settings.delivery,
            own.clock,
            producer=producer,
            topic_of=lambda recipient: notice_topic(settings.kafka, recipient),
        )
        consumer = AddressingConsumer(
            engine,
            sealer=own.sealer,
            tools=own.tools(),
            clock=own.clock,
            careful=not clean,
            hand_over=courier.hand_over,
            sessions=kept.session,
        )
        broker = new_broker(settings.kafka, settings.dispatch.instance)
        subscriptions = subscribe(broker, consumer, settings.kafka, settings.dispatch)
        health = Health(
            own.clock,
            {
                "addressing": Progress(lambda: consumer.in_hand, lambda: consumer.last_progress),
                "courier": Progress(lambda: courier.held, lambda: courier.last_progress),
            },
            {"store": store_answers(engine), "kafka": _kafka_answers(producer)},
        )
        routes = [(route.path, route.app) for route in health.routes()]
        app = AsgiFastStream(broker, asgi_routes=routes, logger=None, on_shutdown=[subscriptions.close])
        await serve(
            app,
            settings.dispatch.host,
            settings.dispatch.port,
            courier.run(),
            _purging(engine, own.clock),
            courier.stop,
        )
        async with engine.begin() as connection:
            await quarantine.stopped(connection, settings.dispatch.instance)


@asynccontextmanager
async def open_redrive(settings: Settings) -> AsyncIterator[Redrive]:
    """What `lgw redrive` works with; new events it makes are told to the running relays."""
    own = read_installation(settings)
    async with _engine(settings) as engine:
        journal = _journal(own, engine, lambda _: None)
        yield Redrive(engine, read_feeds(settings), journal, own.sealer, own.tools())


PROCESSES: Mapping[str, Callable[[Settings], Coroutine[Any, Any, None]]] = {"intake": intake, "dispatch": dispatch}


def _journal(
    own: Installation, engine: AsyncEngine, published: Callable[[frozenset[int]], None], kept: Kept | None = None
) -> Journal:
    return Journal(
        engine,
        index=own.index,
        sealer=own.sealer,
        namespace=own.secrets.namespace,
        clock=own.clock,
        settle=own.settings.intake.settle,
        max_batch=own.settings.intake.max_batch,
        published=published,
        sessions=kept.session if kept is not None else None,
    )


@asynccontextmanager
async def _engine(settings: Settings) -> AsyncIterator[AsyncEngine]:
    engine = open_engine(settings.store, serving=True)
    try:
        await migrate(engine)
        yield engine
    finally:
        await engine.dispose()


def _producer(
    kafka: Kafka, *, linger_ms: int, partitioner: Callable[[bytes, Sequence[int], Sequence[int]], int] | None = None
) -> AIOKafkaProducer:
    return AIOKafkaProducer(
        bootstrap_servers=kafka.bootstrap,
        acks="all",
        enable_idempotence=True,
        linger_ms=linger_ms,
        max_batch_size=256 * 1024,
        max_request_size=4 << 20,
        partitioner=partitioner or DefaultPartitioner(),
    )


@asynccontextmanager
async def _running_producer(kafka: Kafka) -> AsyncIterator[AIOKafkaProducer]:
    producer = _producer(kafka, linger_ms=2)
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


def _kafka_answers(producer: AIOKafkaProducer) -> Check:
    async def check() -> bool:
        return bool(await producer.client.fetch_all_metadata())

    return check


@asynccontextmanager
async def _spawning() -> AsyncIterator[Callable[[Coroutine[Any, Any, None]], None]]:
    """Small tasks nobody waits for, kept alive until they end and cancelled with the process."""
    tasks: set[asyncio.Task[None]] = set()

    def spawn(work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    try:
        yield spawn
    finally:
        for task in tasks:
            task.cancel()


async def _purging(engine: AsyncEngine, clock: Clock) -> None:
    """Purge what has had its time, once an hour."""
    while True:
        try:
            async with engine.begin() as connection:
                count = await purge(connection, clock())
            if count:
                log.info("content.purged", count=count)
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            log.warning("purge.failed", error=type(error).__name__, where=telemetry.where(error))
        await asyncio.sleep(_DAILY.total_seconds())
