"""A trial: a gateway, sources and recipients, something done to the gateway, and the checker over what came of it.

At the end everything is healed; then it is waited until nothing is in flight, all stores are read into the history, the
checker looks at it and the ledgers are added up.
"""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.kafka.topics import all_topics, create_topics
from gateway.local import ports
from gateway.local.agency import Sender
from gateway.operations.reconcile import reconcile
from gateway.sealing import Sealer
from gateway.settings import Kafka, Store
from gateway.store.ledger import open_engine
from tests.checker.check import Report, check
from tests.checker.history import Effect, Fault, History, KeptDelivery, KeptRecord, Step
from tests.checker.workload import SENDER, Message, whom
from tests.journeys.recipients import Recipients
from tests.journeys.sources import Sources
from tests.support.canary import Canaries, Leak
from tests.support.system import System
from tests.support.zygote import Zygote

HEALED_WITHIN = 60.0
"""Seconds within which something must move while anything is in flight; without them it is stuck (PROMISES.md I10)."""

_OPEN = text(
    """
    select (select count(*) from outbox)
         + (select count(*) from events e where not exists (select from decisions d where d.event_id = e.id))
         + (select count(*) from deliveries
            where state in ('queued', 'offered') and recipient <> all(cast(:away as text[])))
    """
)

_RECORDS = text(
    """
    select coalesce(r.file_id || '#' || r.row, r.id::text) as receipt, case
        when r.state <> 'translated' then r.state
        when exists (select from events e where e.record_id = r.id
                     and not exists (select from decisions d where d.record_id = r.id and d.event_id = e.id))
            then 'undecided'
        when exists (select from quarantine q join events e on e.id = q.event_id
                     where e.record_id = r.id and q.released is null) then 'quarantined'
        when exists (select from holds h join events e on e.id = h.event_id
                     where e.record_id = r.id and h.released is null) then 'held'
        else 'decided' end as state
    from records r
    """
)

_DELIVERIES = text(
    """
    select d.id, d.record_id, coalesce(r.file_id || '#' || r.row, r.id::text) as receipt, d.recipient, d.state,
           b.sealed, k.wrapped
    from deliveries d
    join records r on r.id = d.record_id
    left join bodies b on b.id = d.id
    left join data_keys k on k.record_id = d.record_id
    """
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a trial came to. unaccounted: the differences between the ledgers."""

    report: Report
    unaccounted: int

    def __str__(self) -> str:
        return f"{self.report}\nUnaccounted for: {self.unaccounted}"


class Trial:
    """One trial. Made by `trial`."""

    def __init__(
        self, system: System, sources: Sources, recipients: Recipients, history: History, engine: AsyncEngine
    ) -> None:
        self.system = system
        self.sources = sources
        self.recipients = recipients
        self.history = history
        self.engine = engine
        self._people: set[int] = set()

    @property
    def effects(self) -> int:
        """How many effects there were so far."""
        return sum(isinstance(step, Effect) for step in self.history.steps)

    def note(self, what: str) -> None:
        """Write a fault, or its mending, into the history."""
        self.history.write(Fault(what))

    async def make_topics(self) -> None:
        """Make the topics, which the gateway's processes would do at their start."""
        kafka = self.system.settings.kafka
        await create_topics(kafka, all_topics(kafka, self.system.parties))

    async def send(self, people: Iterable[Sequence[Message]]) -> None:
        """Send all of it."""
        await self.sources.run(self.known(people))

    def known(self, people: Iterable[Sequence[Message]]) -> Iterator[Sequence[Message]]:
        """The same, noted as people whose values no log may hold."""
        for messages in people:
            self._people.update(message.person for message in messages)
            yield messages

    async def healed(self, away: Collection[str] = (), patience: float = HEALED_WITHIN) -> None:
        """Wait until nothing is in flight, or nothing has moved for that long; the checker then sees what is stuck."""
        left, moved = -1, time.monotonic()
        while before := await self.open(away):
            self.system.check()
            if before != left:
                left, moved = before, time.monotonic()
            elif time.monotonic() - moved > patience:
                self.note("in flight although everything healed")
                return
            await asyncio.sleep(0.05)

    async def open(self, away: Collection[str] = ()) -> int:
        """How many events and deliveries are in flight."""
        async with self.engine.connect() as connection:
            return int((await connection.execute(_OPEN, {"away": list(away)})).scalar_one())

    async def outcome(self, away: Collection[str] = ()) -> Outcome:
        """Read all stores, check the history, and add up the ledgers."""
        seen = list(self.history.steps)
        async with self.engine.connect() as connection:
            kept: list[Step] = [KeptRecord(row.receipt, row.state) for row in await connection.execute(_RECORDS)]
            kept += [_kept(row, self.system.sealer) for row in await connection.execute(_DELIVERIES)]
        for step in kept:
            self.history.write(step)
        async with self.engine.connect() as connection:
            ledgers = await reconcile(connection)
        return Outcome(check([*seen, *kept], away=away), ledgers.unaccounted)

    async def finish(self, away: Collection[str] = ()) -> Outcome:
        """Wait, look, and print.

        Raises AssertionError for any anomaly, where the ledgers differ, and for a personal value in a log.
        """
        await self.healed(away)
        outcome = await self.outcome(away)
        print(outcome)
        assert not self.leaks(), self.leaks()
        assert outcome.report.anomalies == 0, f"{outcome}\n{self.history.file}"
        assert outcome.unaccounted == 0, f"{outcome}\n{self.history.file}"
        return outcome

    def leaks(self) -> set[Leak]:
        """What the processes have logged of the people who were sent."""
        logs = [(file.name, file.read_bytes()) for file in sorted(self.system.own.logs.glob("*.log"))]
        return Canaries(map(whom, self._people)).find(logs)


def _kept(row: Any, sealer: Sealer) -> KeptDelivery:
    body = sealer.unwrap(row.record_id, row.wrapped).open(row.id, row.sealed)
    digest = hashlib.sha256(body).hexdigest()[:32]
    return KeptDelivery(str(row.id), row.receipt, row.recipient, row.state, digest)


@asynccontextmanager
async def trial(
    folder: Path,
    dsn: str,
    kafka: Kafka,
    *,
    zygote: Zygote | None = None,
    started: bool = True,
    connections: int = 8,
    **settings: Any,
) -> AsyncIterator[Trial]:
    """A trial on this database and these topics. started: start the gateway's processes as they are shipped."""
    history = History(folder / "history.jsonl")
    [port] = ports.free(1)
    recipients = Recipients(port, history)
    system = System(folder / "gateway", dsn, kafka, port, zygote=zygote, **settings)
    engine = open_engine(Store(dsn=dsn, pool=3))
    timeout = aiohttp.ClientTimeout(total=10)
    try:
        async with recipients.listening(), aiohttp.ClientSession(timeout=timeout) as session:
            sender = Sender(session, system.url, SENDER, system.own.key(SENDER))
            sources = Sources(sender, history, connections=connections)
            if started:
                await system.start()
            async with recipients.playing(system.url, system.own):
                yield Trial(system, sources, recipients, history, engine)
    finally:
        system.end()
        await engine.dispose()
        history.close()
