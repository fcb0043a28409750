"""The delivery loop of one process: which recipients are its own, and who carries for them.

Several processes share the recipients by advisory locks held on one session. On that session everything is settled
too, so that a process whose session ends can neither send in the name of a lock it lost nor settle anything.
"""

import asyncio
import math
import random
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta

import aiohttp
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gateway import telemetry
from gateway.cancelling import heed_cancelling
from gateway.clock import Clock
from gateway.delivery.carrier import Carrier
from gateway.delivery.circuit import Circuit
from gateway.delivery.courier import Courier, open_session
from gateway.delivery.delivery import Delivery
from gateway.delivery.notices import Producer, TopicNotices
from gateway.delivery.patience import Chance, Patience
from gateway.delivery.settler import Settler
from gateway.parties import Body, Parties, Party
from gateway.sealing import Sealer, Signer
from gateway.settings import Delivery as Settings
from gateway.store import deliveries, mailboxes
from gateway.store.deliveries import Queue
from gateway.store.ledger import listen
from gateway.store.mailboxes import CHANNEL, announced
from gateway.store.session import Session, session_of
from gateway.telemetry import log

_LOOK = timedelta(seconds=2)
"""How often the loop looks for recipients to take or give up, and for what a lost announcement told."""

_PAUSE = timedelta(seconds=1)
"""Before beginning again after the store was lost."""


class DeliveryLoop:
    """Delivers what is queued. One per process.

    producer and topic_of: for recipients with a Kafka topic of their own.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        parties: Parties,
        sealer: Sealer,
        signer: Signer,
        settings: Settings,
        clock: Clock,
        *,
        producer: Producer | None = None,
        topic_of: Callable[[str], str] = "deliver.{}.v1".format,
        chance: Chance = random.random,
        look: timedelta = _LOOK,
    ) -> None:
        self._engine = engine
        self._sealer = sealer
        self._signer = signer
        self._settings = settings
        self._clock = clock
        self._producer = producer
        self._topic_of = topic_of
        self._chance = chance
        self._look = look
        self._served = {
            party.id: party for party in parties.recipients() if party.push or (party.kafka and producer is not None)
        }
        self._own: dict[str, _Service] = {}
        self._stopping = asyncio.Event()
        self.last_progress = clock()
        """When it last looked after its recipients; far back means that it is stuck."""

    @property
    def recipients(self) -> frozenset[str]:
        """The recipients this process carries for at present."""
        return frozenset(self._own)

    @property
    def held(self) -> int:
        """Deliveries in memory, of all recipients."""
        return sum(service.held for service in self._own.values())

    def wake(self, recipients: Iterable[str]) -> None:
        """Deliveries to these recipients were committed."""
        for recipient in recipients:
            service = self._own.get(recipient)
            if service is not None:
                service.wake()

    def hand_over(self, queued: Iterable[Delivery]) -> None:
        """Deliveries that this process has just committed, in the order of each mailbox."""
        by_recipient: dict[str, list[Delivery]] = {}
        for delivery in queued:
            by_recipient.setdefault(delivery.recipient, []).append(delivery)
        for recipient, theirs in by_recipient.items():
            service = self._own.get(recipient)
            if service is not None:
                service.hand_over(theirs)

    def _announced(self, told: str) -> None:
        recipient, upto = announced(told)
        service = self._own.get(recipient)
        if service is None:
            return
        if upto is None:
            service.wake()
        else:
            service.announced(upto)

    async def run(self) -> None:
        """Deliver until stopped, through every loss of PostgreSQL."""
        while not self._stopping.is_set():
            try:
                await self._serve()
            except* (SQLAlchemyError, OSError, TimeoutError) as lost:
                first = telemetry.first(lost)
                log.warning("delivery.interrupted", error=type(first).__name__, where=telemetry.where(first))
                heed_cancelling()
                await self._pause(_PAUSE)

    async def stop(self) -> None:
        """Begin nothing new. `run` returns when what is under way is settled."""
        self._stopping.set()

    async def _serve(self) -> None:
        async with self._engine.connect() as connection:
            try:
                lost = await self._listen(connection)
                session = await session_of(connection)
                await deliveries.appear(session)
                async with asyncio.TaskGroup() as group:
                    turn = asyncio.Lock()
                    settler = Settler(session, turn)
                    helpers = [group.create_task(settler.run()), group.create_task(_watch(lost))]
                    await self._share(session, turn, settler, group)
                    for helper in helpers:
                        helper.cancel()
            finally:
                own, self._own = self._own, {}
                for service in own.values():
                    await service.close()
                # The locks belong to the session, which a pool would keep.
                await connection.invalidate()

    async def _listen(self, connection: AsyncConnection) -> asyncio.Event:
        """Listen for announcements; the event is set when the session ends."""
        lost = asyncio.Event()
        await listen(
            connection,
            CHANNEL,
            lambda _, __, ___, told: self._announced(told),
            lambda _: lost.set(),
        )
        return lost

    async def _share(self, session: Session, turn: asyncio.Lock, settler: Settler, group: asyncio.TaskGroup) -> None:
        """Take and give up recipients until stopped, so that each process has its share of them."""
        while not self._stopping.is_set():
            async with turn:
                share = math.ceil(len(self._served) / max(await deliveries.present(session), 1))
                missing = [recipient for recipient in self._served if recipient not in self._own]
                taken = await deliveries.try_recipients(session, missing, max(share - len(self._own), 0))
            for recipient in taken:
                self._own[recipient] = self._service(self._served[recipient], settler, group)
            if taken:
                log.info("recipients.taken", count=len(self._own))
            for recipient in sorted(self._own)[share:]:
                await self._own.pop(recipient).stop()
                async with turn:
                    await deliveries.give_up(session, recipient)
                log.info("recipient.given_up", recipient=recipient)
            await self._look_up()
            self.last_progress = self._clock()
            await self._pause(self._look)
        await asyncio.gather(*(service.stop() for service in self._own.values()))

    async def _look_up(self) -> None:
        """Look how far the mailboxes go: an announcement can be lost."""
        last = await mailboxes.last(self._engine, list(self._own))
        for recipient, service in self._own.items():
            service.look(last.get(recipient, 0))

    def _service(self, party: Party, settler: Settler, group: asyncio.TaskGroup) -> "_Service":
        """Begin to serve a recipient."""
        service = _Service(group)
        if party.push is not None:
            session = open_session(party.push, self._settings.deadline)
            carrier = Carrier(
                party.id,
                queue=Queue(self._engine, party.id, self._clock, bodies=party.push.body is Body.FULL),
                courier=Courier(session, party.push, self._sealer, self._signer, self._clock),
                settler=settler,
                patience=Patience.of(self._settings),
                circuit=Circuit(self._settings.circuit),
                clock=self._clock,
                chance=self._chance,
                in_flight=party.push.in_flight,
            )
            service.carry(carrier, session)
        if party.kafka and self._producer is not None:
            service.tell(TopicNotices(self._engine, self._producer, party.id, self._topic_of(party.id)))
        return service

    async def _pause(self, time: timedelta) -> None:
        try:
            async with asyncio.timeout(time.total_seconds()):
                await self._stopping.wait()
        except TimeoutError:
            return


class _Service:
    """What runs for one recipient: a carrier for its push, and what tells its Kafka topic."""

    def __init__(self, group: asyncio.TaskGroup) -> None:
        self._group = group
        self._carrier: tuple[Carrier, asyncio.Task[None], aiohttp.ClientSession] | None = None
        self._topic: tuple[TopicNotices, asyncio.Task[None]] | None = None

    @property
    def held(self) -> int:
        return self._carrier[0].held if self._carrier else 0

    def carry(self, carrier: Carrier, session: aiohttp.ClientSession) -> None:
        self._carrier = carrier, self._group.create_task(carrier.run()), session

    def tell(self, notices: TopicNotices) -> None:
        self._topic = notices, self._group.create_task(notices.run())

    def wake(self) -> None:
        if self._carrier:
            self._carrier[0].wake()
        if self._topic:
            self._topic[0].wake()

    def look(self, last: int) -> None:
        if self._carrier:
            self._carrier[0].look(last)
        if self._topic:
            self._topic[0].wake()

    def announced(self, last: int) -> None:
        if self._carrier:
            self._carrier[0].announced(last)
        if self._topic:
            self._topic[0].wake()

    def hand_over(self, queued: Sequence[Delivery]) -> None:
        if self._carrier:
            self._carrier[0].hand_over(queued)

    async def stop(self) -> None:
        """Finish what is under way."""
        if self._topic:
            self._topic[1].cancel()
        if self._carrier:
            carrier, task, _ = self._carrier
            carrier.stop()
            await task
        await self.close()

    async def close(self) -> None:
        """Leave no connection open."""
        if self._carrier:
            await self._carrier[2].close()


async def _watch(lost: asyncio.Event) -> None:
    await lost.wait()
    raise ConnectionError("the session that holds the locks has ended")
