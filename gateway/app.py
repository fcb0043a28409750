"""The wiring of the gateway's two processes. The only place that knows the adapter registry.

`intake`: HTTP, journal, relay. `dispatch`: consumers, addressing, courier. More of each may run.
"""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import uvicorn
from aiokafka import AIOKafkaProducer
from faststream.asgi import AsgiFastStream
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.applications import Starlette
from starlette.types import ASGIApp

from adapters.base import Adapter
from adapters.registry import adapters as registered
from gateway import telemetry
from gateway.addressing.address import Tools
from gateway.addressing.agreements import load_agreements
from gateway.addressing.consumer import AddressingConsumer
from gateway.addressing.purge import purge
from gateway.addressing.subscriber import new_broker, subscribe
from gateway.clock import Clock, system_clock
from gateway.connection import Connection
from gateway.delivery.answering import Answering
from gateway.delivery.bell import Bell
from gateway.delivery.loop import DeliveryLoop
from gateway.delivery.mailbox import router as mailbox
from gateway.errors import ConfigurationError
from gateway.health import Check, Health, Progress, store_answers
from gateway.intake.http import build_access, build_app
from gateway.intake.journal import Journal
from gateway.kafka.relay import Relay, notify
from gateway.kafka.topics import all_topics, create_topics, notice_topic
from gateway.lingering import Lingering
from gateway.operations.lag import measure
from gateway.operations.redrive import Redrive
from gateway.parties import Parties, load_parties
from gateway.sealing import BlindIndex, Sealer, Secrets, Signer
from gateway.settings import Kafka, Settings
from gateway.store import quarantine
from gateway.store.ledger import migrate, open_engine
from gateway.telemetry import log
from schemas.place_files import load_places

_DAILY = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Installation:
    """What both processes share: read once from files at start."""

    settings: Settings
    secrets: Secrets
    parties: Parties
    clock: Clock

    @property
    def index(self) -> BlindIndex:
        """The installation's blind index."""
        return BlindIndex(self.secrets.pepper)

    @property
    def sealer(self) -> Sealer:
        """The installation's sealer."""
        return Sealer(self.secrets.kek)

    @property
    def signer(self) -> Signer:
        """Who signs what is pushed."""
        return Signer(self.secrets.signing)

    def adapters(self) -> Mapping[str, Adapter]:
        """Every agency's adapter, with its options."""
        return registered(self.settings.adapters)

    def tools(self) -> Tools:
        """What addressing works with."""
        return Tools(
            index=self.index,
            sealer=self.sealer,
            namespace=self.secrets.namespace,
            places=load_places(self.settings.places),
            parties=self.parties,
            agreements=load_agreements(self.settings.agreements),
        )


def read_installation(settings: Settings, clock: Clock = system_clock) -> Installation:
    """Read the key file and the parties file. Raises ConfigurationError saying which is wrong, and what to do."""
    try:
        secrets = Secrets.read(settings.keys)
    except FileNotFoundError:
        raise ConfigurationError(
            f"There is no key file at {settings.keys}.", "Set GATEWAY_KEYS; lgw up makes a local system's own."
        ) from None
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"The key file {settings.keys} cannot be used ({type(error).__name__}).", "Restore it from its backup."
        ) from None
    return Installation(settings, secrets, load_parties(settings.parties), clock)


async def intake(settings: Settings) -> None:
    """Run the front door until told to stop."""
    own = read_installation(settings)
    async with _engine(settings) as engine:
        await create_topics(settings.kafka, all_topics(settings.kafka, own.parties))
        relay = Relay(
            engine,
            lambda: _producer(settings.kafka, linger_ms=0),
            prefix=settings.kafka.prefix,
            clock=own.clock,
        )
        async with _spawning() as spawn:

            def published(shards: frozenset[int]) -> None:
                relay.wake()
                if not relay.holds(shards):
                    spawn(notify(engine))

            journal = Journal(
                engine,
                index=own.index,
                sealer=own.sealer,
                namespace=own.secrets.namespace,
                clock=own.clock,
                settle=settings.intake.settle,
                max_batch=settings.intake.max_batch,
                published=published,
            )
            access = build_access(settings, own.parties, own.secrets, own.clock)
            health = Health(
                own.clock,
                {"relay": Progress(lambda: relay.backlog, lambda: relay.last_progress)},
                {"store": store_answers(engine)},
                lambda: measure(engine, own.clock()),
            )
            bell = Bell(engine)
            answering = Answering(engine, own.parties, own.clock)
            app = build_app(
                settings,
                own.parties,
                own.secrets,
                own.adapters(),
                journal,
                engine,
                own.clock,
                access=access,
                routers=[mailbox(engine, own.sealer, own.signer, access, bell, answering, own.clock)],
                routes=health.routes(),
            )
            await _serve(
                app,
                settings.intake.host,
                settings.intake.port,
                journal.run(),
                relay.run(),
                bell.run(),
                leaving=bell.close,
            )


async def dispatch(settings: Settings) -> None:
    """Consume, address and deliver until told to stop."""
    own = read_installation(settings)
    async with _engine(settings) as engine, _running_producer(settings.kafka) as producer:
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
            engine, sealer=own.sealer, tools=own.tools(), clock=own.clock, woken=courier.wake, careful=not clean
        )
        broker = new_broker(settings.kafka, settings.dispatch.instance)
        subscribe(broker, consumer, settings.kafka, settings.dispatch)
        health = Health(
            own.clock,
            {"courier": Progress(lambda: courier.held, lambda: courier.last_progress)},
            {"store": store_answers(engine), "kafka": _kafka_answers(producer)},
        )
        routes = [(route.path, route.app) for route in health.routes()]
        app = AsgiFastStream(broker, asgi_routes=routes, logger=None)
        await _serve(
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
        journal = Journal(
            engine,
            index=own.index,
            sealer=own.sealer,
            namespace=own.secrets.namespace,
            clock=own.clock,
            settle=settings.intake.settle,
            max_batch=settings.intake.max_batch,
            published=lambda _: None,
        )
        yield Redrive(engine, own.adapters(), journal, own.sealer, own.tools())


PROCESSES: Mapping[str, Callable[[Settings], Coroutine[Any, Any, None]]] = {"intake": intake, "dispatch": dispatch}


@asynccontextmanager
async def _engine(settings: Settings) -> AsyncIterator[AsyncEngine]:
    engine = open_engine(settings.store)
    try:
        await migrate(engine)
        yield engine
    finally:
        await engine.dispose()


def _producer(kafka: Kafka, *, linger_ms: int) -> AIOKafkaProducer:
    return AIOKafkaProducer(
        bootstrap_servers=kafka.bootstrap,
        acks="all",
        enable_idempotence=True,
        linger_ms=linger_ms,
        max_batch_size=256 * 1024,
        max_request_size=4 << 20,
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


async def _serve(
    app: ASGIApp | Starlette,
    host: str,
    port: int,
    *work: Coroutine[Any, Any, None] | Callable[[], Awaitable[None]],
    leaving: Callable[[], None] = lambda: None,
) -> None:
    """Serve HTTP and do the work beside it until SIGTERM or SIGINT; a piece of work that ends is a fault.

    A callable among the work is called at the end, to let what is under way finish. leaving: called when told to stop,
    so that no request that waits for something new keeps the process.
    """
    config = uvicorn.Config(
        Lingering(app),
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=10,
        http=Connection,
        ws="none",
        lifespan="on",
    )
    server = uvicorn.Server(config)
    loop = asyncio.get_running_loop()
    tasks = [asyncio.create_task(one) for one in work if not callable(one)]
    serving = asyncio.create_task(server.serve())

    def leave() -> None:
        server.should_exit = True
        leaving()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, leave)
    try:
        await asyncio.wait([serving, *tasks], return_when=asyncio.FIRST_COMPLETED)
        server.should_exit = True
        await serving
        for finish in (one for one in work if callable(one)):
            await finish()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(10):
                    await tasks[0]
    finally:
        for task in tasks:
            task.cancel()
        done = await asyncio.gather(*tasks, return_exceptions=True)
    for answer in done:
        if isinstance(answer, Exception):
            raise answer
