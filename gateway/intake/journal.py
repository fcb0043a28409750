"""The journal: what is accepted is committed here, and nowhere else first.

Requests that arrive while a commit is under way are committed together by the next one (group commit, no timer). A
caller of `take` has its answer only when its record is on disk, or JournalUnavailable.
"""

import asyncio
import uuid
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.base import Accepted, Held, Ignored
from gateway import telemetry
from gateway.clock import Clock
from gateway.errors import JournalUnavailable, Unwritable
from gateway.failpoints import reach
from gateway.ids import new_id
from gateway.intake.chain import Head, Minted, Repeat, Settling, chain, key_of, shard_of
from gateway.intake.entry import Clash, Entry, Taken, facts_of, filling_id, findings_told, record_row, state_of
from gateway.sealing import BlindIndex, DataKey, Sealer
from gateway.store import journal as statements
from gateway.store.journal import EventRow, Known, RecordRow
from gateway.store.session import Session, session, transaction
from gateway.telemetry import log
from schemas.base import Fact

_TRIES = 8
_AGAIN = 1.0
"""Seconds between two looks at who waits for a store that hangs."""


@dataclass(slots=True)
class _Batch:
    """What one transaction will write."""

    records: list[RecordRow] = field(default_factory=list)
    keys: list[tuple[uuid.UUID, bytes]] = field(default_factory=list)
    bodies: list[tuple[uuid.UUID, uuid.UUID, bytes]] = field(default_factory=list)
    events: list[EventRow] = field(default_factory=list)
    touched: set[bytes] = field(default_factory=set)
    minted: set[uuid.UUID] = field(default_factory=set)


class Moved(Exception):
    """Something was told between reading and writing: of the same fact, or under the same transport id."""


class Journal:
    """Commits entries in the order they come. One committer per process; several processes may run.

    patience: how long a commit may keep its callers. A store that hangs tells nobody that it does.
    published: told, after a commit, to which shards new events were added. sessions: where a commit's session comes
    from; out of the engine's pool, unless one is kept for it.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        *,
        index: BlindIndex,
        sealer: Sealer,
        namespace: uuid.UUID,
        clock: Clock,
        settle: timedelta,
        max_batch: int,
        published: Callable[[frozenset[int]], None],
        sessions: Callable[[], AbstractAsyncContextManager[Session]] | None = None,
        patience: timedelta = timedelta(seconds=10),
    ) -> None:
        self._engine = engine
        self._sessions = sessions or partial(session, engine)
        self._index = index
        self._sealer = sealer
        self._namespace = namespace
        self._clock = clock
        self._settle = settle
        self._max_batch = max_batch
        self._published = published
        self._queue: deque[tuple[Entry, asyncio.Future[Taken | Clash]]] = deque()
        self._arrived = asyncio.Event()
        self._patience = patience.total_seconds()
        self._watching: asyncio.TimerHandle

    @property
    def waiting(self) -> int:
        """Entries that are not yet committed."""
        return len(self._queue)

    async def take(self, entry: Entry) -> Taken | Clash:
        """Commit one record. Raises JournalUnavailable if no commit was seen, Unwritable if there was none."""
        future: asyncio.Future[Taken | Clash] = asyncio.get_running_loop().create_future()
        self._queue.append((entry, future))
        self._arrived.set()
        return await future

    async def run(self) -> None:
        """Commit what gathers, until cancelled."""
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            while self._queue:
                size = min(len(self._queue), self._max_batch)
                await self._settle_batch([self._queue.popleft() for _ in range(size)])

    async def _settle_batch(self, batch: Sequence[tuple[Entry, asyncio.Future[Taken | Clash]]]) -> None:
        try:
            results = await self._commit_watched(batch)
        except JournalUnavailable as error:
            _fail(batch, error)
            return
        except DataError:
            if len(batch) == 1:
                log.error("journal.cannot_write", agency=batch[0][0].agency, sender=batch[0][0].sender)
                _fail(batch, Unwritable("the journal cannot write this record"))
                return
            half = len(batch) // 2
            await self._settle_batch(batch[:half])
            await self._settle_batch(batch[half:])
            return
        except BaseException:
            # A fault of ours ends this process, but nobody at the door is left waiting for it.
            _fail([*batch, *self._queue], JournalUnavailable("the journal has stopped"))
            raise
        for (_, future), result in zip(batch, results, strict=True):
            if not future.done():
                future.set_result(result)

    async def _commit_watched(
        self, batch: Sequence[tuple[Entry, asyncio.Future[Taken | Clash]]]
    ) -> list[Taken | Clash]:
        """`commit`, whose callers are told to come again where it takes too long. It goes on all the same."""
        self._watch(self._patience, batch)
        try:
            return await self.commit([entry for entry, _ in batch])
        finally:
            self._watching.cancel()

    def _watch(self, seconds: float, batch: Sequence[tuple[Entry, asyncio.Future[Taken | Clash]]]) -> None:
        self._watching = asyncio.get_running_loop().call_later(seconds, self._give_up, batch)

    def _give_up(self, batch: Sequence[tuple[Entry, asyncio.Future[Taken | Clash]]]) -> None:
        """Leave nobody waiting for a store that hangs: neither who is under way nor who came since."""
        waiting = [one for one in (*batch, *self._queue) if not one[1].done()]
        if waiting:
            log.error("journal.hangs", count=len(waiting))
        _fail(waiting, JournalUnavailable("the journal does not answer just now"))
        self._queue.clear()
        self._watch(_AGAIN, batch)

    async def commit(self, entries: Sequence[Entry]) -> list[Taken | Clash]:
        """Commit these entries in one transaction. Raises JournalUnavailable, DataError for an entry at fault."""
        with telemetry.commit_seconds.time():
            for left in range(_TRIES, 0, -1):
                try:
                    results, wrote = await self._attempt(entries, alone=left < _TRIES)
                    break
                except DataError:
                    raise
                except (Moved, DBAPIError) as error:
                    if left == 1 or not _passing(error):
                        log.error("journal.failed", error=type(error).__name__, where=telemetry.where(error))
                        raise JournalUnavailable("the journal cannot commit just now") from None
                except (SQLAlchemyError, OSError, TimeoutError) as error:
                    log.error("journal.failed", error=type(error).__name__, where=telemetry.where(error))
                    raise JournalUnavailable("the journal cannot be reached just now") from None
        if wrote:
            reach("I6")
            self._published(wrote)
        return results

    async def _attempt(self, entries: Sequence[Entry], *, alone: bool) -> tuple[list[Taken | Clash], frozenset[int]]:
        """Read, and write in one statement that refuses itself if what was read holds no longer. Raises Moved.

        alone: nobody else writes about these facts meanwhile. What must hold what it read until it has written (a
        reversal, what still settles) is in a transaction too.
        """
        facts = [fact for entry in entries for fact in facts_of(entry.outcome)]
        if not alone and not any(_delicate(fact) for fact in facts):
            async with self._sessions() as opened:
                return await self._write(opened, entries)
        async with self._sessions() as opened, opened.transaction():
            await statements.lock_shards(
                opened, sorted({shard_of(self._index.of("lane", fact.lane)) for fact in facts})
            )
            return await self._write(opened, entries)

    async def _write(self, session: Session, entries: Sequence[Entry]) -> tuple[list[Taken | Clash], frozenset[int]]:
        now = self._clock()
        keys = {key_of(self._index, entry.sender, fact.key) for entry in entries for fact in facts_of(entry.outcome)}
        transports = [(entry.sender, entry.transport) for entry in entries]
        seen, heads = await statements.seen(session, transports, list(keys))
        results: list[Taken | Clash] = []
        fresh: list[tuple[Entry, uuid.UUID]] = []
        for entry in entries:
            place = (entry.sender, entry.transport)
            before = seen.get(place)
            if before is not None:
                same = before.body_hash == entry.body_hash
                results.append(Taken(before.id, before.state, repeat=True) if same else Clash(before.id))
                continue
            record_id = new_id(now)
            state = state_of(entry.outcome)
            seen[place] = Known(record_id, entry.body_hash, state)
            results.append(Taken(record_id, state, repeat=False))
            fresh.append((entry, record_id))
        if not fresh:
            return results, frozenset()
        facts = [fact for entry, _ in fresh for fact in facts_of(entry.outcome)]
        settling = await self._read_settling(session, facts, heads, now)
        expected = [head.event_id for head in heads.values()]
        batch = _Batch()
        for entry, record_id in fresh:
            self._add(batch, entry, record_id, heads, settling)
        await self._forget_late_repeats(session, batch)
        await self._insert(session, batch, heads, expected, now)
        for (agency, state), count in Counter((entry.agency, state_of(entry.outcome)) for entry, _ in fresh).items():
            telemetry.accepted.labels(agency, state).inc(count)
        log.info("records.committed", count=len(fresh), events=len(batch.events), repeats=len(entries) - len(fresh))
        return results, frozenset(event.minted.shard for event in batch.events)

    async def _read_settling(
        self, session: Session, facts: Sequence[Fact], heads: Mapping[bytes, Head], now: datetime
    ) -> dict[uuid.UUID, Settling]:
        if not any(_delicate(fact) for fact in facts):
            return {}
        lanes = {self._index.of("lane", fact.lane) for fact in facts if fact.reverses}
        lanes |= {head.lane for head in heads.values()} if lanes else set()
        return await statements.settling(session, [head.event_id for head in heads.values()], sorted(lanes), now)

    def _add(
        self,
        batch: _Batch,
        entry: Entry,
        record_id: uuid.UUID,
        heads: dict[bytes, Head],
        settling: dict[uuid.UUID, Settling],
    ) -> None:
        key, wrapped = self._sealer.new_key(record_id)
        minted, repeats = self._chain(batch, entry, heads, settling)
        self._add_events(batch, minted, key, entry, record_id)
        if not isinstance(entry.outcome, Ignored):
            batch.keys.append((record_id, wrapped))
            batch.bodies.append((record_id, record_id, key.seal(record_id, entry.body)))
        batch.records.append(record_row(entry, record_id, self._lane(entry.outcome, minted), len(minted), repeats))

    async def _forget_late_repeats(self, session: Session, batch: _Batch) -> None:
        """A late statement has no head to be compared with; told again, it is found by its id."""
        late = [event.minted.id for event in batch.events if event.minted.state == "superseded"]
        if not late:
            return
        stored = await statements.stored(session, late)
        again = [event for event in batch.events if event.minted.id in stored]
        batch.events = [event for event in batch.events if event.minted.id not in stored]
        batch.bodies = [body for body in batch.bodies if body[0] not in stored]
        rows = {row.id: row for row in batch.records}
        for event in again:
            row = rows[event.record_id]
            row.events, row.repeats = row.events - 1, row.repeats + 1

    def _chain(
        self,
        batch: _Batch,
        entry: Entry,
        heads: dict[bytes, Head],
        settling: dict[uuid.UUID, Settling],
    ) -> tuple[list[Minted], int]:
        minted: list[Minted] = []
        repeats = 0
        for fact in facts_of(entry.outcome):
            link = chain(
                fact, entry.sender, heads, settling, self._index, self._namespace, entry.received, self._settle
            )
            if isinstance(link, Repeat):
                batch.touched.add(link.fact)
                repeats += 1
                continue
            if link.id in batch.minted:
                repeats += 1
                continue
            batch.minted.add(link.id)
            if link.state != "superseded":
                batch.touched.add(link.fact)
            minted.append(link)
        return minted, repeats

    def _add_events(
        self, batch: _Batch, minted: Sequence[Minted], key: DataKey, entry: Entry, record_id: uuid.UUID
    ) -> None:
        for one in minted:
            batch.bodies.append((one.id, record_id, key.seal(one.id, one.body)))
            batch.events.append(
                EventRow(
                    minted=one,
                    record_id=record_id,
                    sender=entry.sender,
                    agency=entry.agency,
                    recorded=entry.received,
                    trace=entry.trace,
                )
            )

    def _lane(self, outcome: Accepted | Held | Ignored, minted: Sequence[Minted]) -> bytes | None:
        if minted:
            return minted[0].lane
        lane = outcome.lane if isinstance(outcome, Held) else None
        facts = facts_of(outcome)
        if facts:
            lane = facts[0].lane
        return self._index.of("lane", lane) if lane else None

    async def _insert(
        self,
        session: Session,
        batch: _Batch,
        heads: dict[bytes, Head],
        expected: Sequence[uuid.UUID],
        now: datetime,
    ) -> None:
        reach("I3")
        try:
            await statements.commit(
                session,
                records=batch.records,
                keys=batch.keys,
                bodies=batch.bodies,
                facts=[(key, heads[key]) for key in sorted(batch.touched)],
                expected=expected,
                events=batch.events,
                now=now,
            )
        except IntegrityError:
            raise Moved from None

    async def redrive(self, record_id: uuid.UUID, entry: Entry, key: DataKey, filled: bytes | None = None) -> bool:
        """Translate a stopped record after a fix, in its own transaction. False if it was not stopped any more.

        entry.outcome is what its adapter says now; key is the record's own. filled: the record with what its source
        answered, which is kept with it. Raises Moved where a fact was told meanwhile, SQLAlchemyError.
        """
        async with transaction(self._engine) as session:
            now = self._clock()
            facts = facts_of(entry.outcome)
            _, heads = await statements.seen(
                session, [], [key_of(self._index, entry.sender, fact.key) for fact in facts]
            )
            settling = await self._read_settling(session, facts, heads, now)
            expected = [head.event_id for head in heads.values()]
            batch = _Batch()
            minted, repeats = self._chain(batch, entry, heads, settling)
            self._add_events(batch, minted, key, entry, record_id)
            if filled is not None:
                body_id = filling_id(record_id)
                batch.bodies.append((body_id, record_id, key.seal(body_id, filled)))
            if not await statements.promote(
                session,
                record_id,
                events=len(minted),
                repeats=repeats,
                lane=self._lane(entry.outcome, minted),
                findings=findings_told(entry.outcome.findings if isinstance(entry.outcome, Accepted) else ()),
            ):
                return False
            await self._insert(session, batch, heads, expected, now)
        self._published(frozenset(event.minted.shard for event in batch.events))
        return True


def _fail(batch: Sequence[tuple[Entry, asyncio.Future[Taken | Clash]]], error: JournalUnavailable) -> None:
    """Tell everybody in it that no commit was seen."""
    for _, future in batch:
        if not future.done():
            future.set_exception(type(error)(str(error)))


def _delicate(fact: Fact) -> bool:
    """Whether what is told may end, or undo, what still settles."""
    return fact.settles or fact.reverses is not None or fact.withdrawn is not None


def _passing(error: Exception) -> bool:
    """Whether trying again can help: something moved, or a deadlock."""
    if isinstance(error, Moved):
        return True
    code = getattr(getattr(error, "orig", None), "sqlstate", None) or getattr(error, "sqlstate", None)
    return code in {"40001", "40P01"}
