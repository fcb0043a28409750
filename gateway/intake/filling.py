"""Filling pointers: the source of a record that only points at something is asked, and the record is taken again.

The record is committed first; the sender's 202 says so. What its source answers is kept with it, sealed with its key,
in the transaction that tells it: killed before, the process asks again and tells once; after, nobody asks any more.
Of one lane only the first that waits is asked for, so that what happened to a person is told in its order.
"""

import asyncio
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol, assert_never

import httpx
from sqlalchemy.exc import DataError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.base import Accepted, Adapter, Fetched, Held, Ignored, Message, Outcome, Refused, Unfilled
from gateway import telemetry
from gateway.clock import Clock
from gateway.intake.entry import Clash, Entry, Taken, filling_id, findings_told
from gateway.intake.journal import Moved
from gateway.intake.record import Commits
from gateway.sealing import DataKey, Sealer
from gateway.settings import Filling
from gateway.store import fillings
from gateway.store.data_keys import open_body
from gateway.store.fillings import Leased
from gateway.telemetry import log

POINTER = "pointer_not_filled"
TELLS_NOTHING = "source_does_not_tell"
"""The source answered, and its answer does not say what happened; it may in a while."""
REFUSED = "filled_and_refused"
"""With what the source answered, the record is one we would have refused."""
SLOW = "source_unavailable"
FAILED = "filling_failed"
"""A fault of ours."""

_IDLE = timedelta(seconds=30)
"""How long the worker looks away when nothing is due: a process that died may have left something behind."""


def wait_after(tries: int, waits: tuple[timedelta, ...]) -> timedelta | None:
    """How long to wait after so many tries, or None when it is somebody else's turn."""
    return waits[tries - 1] if tries <= len(waits) else None


def http_client(settings: Filling) -> httpx.AsyncClient:
    """A client for asking sources: bounded, with deadlines, and following nothing."""
    return httpx.AsyncClient(
        timeout=httpx.Timeout(settings.deadline.total_seconds(), connect=5.0),
        limits=httpx.Limits(max_connections=settings.at_once, max_keepalive_connections=settings.at_once),
        follow_redirects=False,
        trust_env=False,
    )


@dataclass(frozen=True, slots=True)
class Watched:
    """The journal, with an ear for pointers: `came` is called for each that was committed to wait."""

    journal: Commits
    came: Callable[[], None]

    @property
    def waiting(self) -> int:
        """Entries that are not yet committed."""
        return self.journal.waiting

    async def take(self, entry: Entry) -> Taken | Clash:
        """Commit one record. Raises JournalUnavailable."""
        taken = await self.journal.take(entry)
        if isinstance(taken, Taken) and taken.state == "waiting":
            self.came()
        return taken


class Tells(Protocol):
    """The journal, as what fills records sees it."""

    async def redrive(self, record_id: uuid.UUID, entry: Entry, key: DataKey, filled: bytes | None = None) -> bool:
        """Translate a stopped record. False if it was not stopped any more. Raises Moved, SQLAlchemyError."""
        ...


class Filler:
    """Asks for what pointers point at. One per intake process; what one has leased no other asks for."""

    def __init__(
        self,
        engine: AsyncEngine,
        adapters: Mapping[str, Adapter],
        journal: Tells,
        sealer: Sealer,
        settings: Filling,
        clock: Clock,
        client: httpx.AsyncClient,
    ) -> None:
        self._engine = engine
        self._adapters = {name: adapter for name, adapter in adapters.items() if adapter.fetch is not None}
        self._journal = journal
        self._sealer = sealer
        self._settings = settings
        self._clock = clock
        self._client = client
        self._came = asyncio.Event()

    def wake(self) -> None:
        """A pointer was committed."""
        self._came.set()

    async def run(self) -> None:
        """Fill what is due, until cancelled. Does nothing where no adapter can ask."""
        while self._adapters:
            try:
                while await self.fill():
                    pass
                pause = await self._pause()
            except (SQLAlchemyError, OSError, TimeoutError) as error:
                log.warning("filling.failed", error=type(error).__name__, where=telemetry.where(error))
                pause = _IDLE
            try:
                async with asyncio.timeout(pause.total_seconds()):
                    await self._came.wait()
            except TimeoutError:
                pass
            self._came.clear()
        await asyncio.Event().wait()

    async def fill(self) -> int:
        """Ask for everything that is due now, once; returns how many that were. Raises SQLAlchemyError, OSError."""
        now = self._clock()
        async with self._engine.begin() as connection:
            leased = await fillings.lease(
                connection, self._adapters, now, now + self._settings.lease, self._settings.at_once
            )
        async with asyncio.TaskGroup() as group:
            for one in leased:
                group.create_task(self._guarded(one))
        return len(leased)

    async def _pause(self) -> timedelta:
        async with self._engine.connect() as connection:
            due = await fillings.next_due(connection, self._adapters)
        return _IDLE if due is None else max(timedelta(), min(_IDLE, due - self._clock()))

    async def _guarded(self, one: Leased) -> None:
        """One pointer's failure is no other's. What the store fails at is asked for again when its lease ends."""
        try:
            await self._attempt(one)
        except (Moved, SQLAlchemyError, OSError, TimeoutError) as error:
            log.warning("filling.failed", record=str(one.id), error=type(error).__name__, where=telemetry.where(error))

    async def _attempt(self, one: Leased) -> None:
        """Fill it, or settle that this record is at fault: its adapter fails over it, or the process died each time."""
        if one.tries > len(self._settings.waits) + 1:
            await self._settle_unfilled(one, Unfilled(FAILED, final=True))
            return
        try:
            await self._one(one)
        except (Moved, OSError, TimeoutError):
            raise
        except Exception as error:  # its adapter failed over it: settled as that, or it would come for ever
            if isinstance(error, SQLAlchemyError) and not isinstance(error, DataError):
                raise
            log.error("filling.failed", record=str(one.id), error=type(error).__name__, where=telemetry.where(error))
            await self._settle_unfilled(one, Unfilled(FAILED))

    async def _one(self, one: Leased) -> None:
        async with self._engine.connect() as connection:
            opened = await open_body(connection, self._sealer, one.id)
        if opened is None:
            return  # erased; the ledger has it already
        body, key = opened
        adapter = self._adapters[one.agency]
        message = Message(body, one.media_type, one.received)
        outcome, filled = await self._read(adapter, message)
        match outcome:
            case Unfilled():
                await self._settle_unfilled(one, outcome)
            case Held(reason) if reason == POINTER:
                await self._settle_unfilled(one, Unfilled(TELLS_NOTHING))
            case Accepted():
                if await self._journal.redrive(one.id, _entry(one, body, outcome), key, filled):
                    async with self._engine.begin() as connection:
                        await fillings.filled(connection, one.id)
                    telemetry.asked.labels(one.agency, "filled").inc()
                    log.info("pointer.filled", record=str(one.id), agency=one.agency, attempt=one.tries)
            case Ignored(name):
                async with self._engine.begin() as connection:
                    await fillings.ignore(connection, one.id, name)
                telemetry.asked.labels(one.agency, "ignored").inc()
            case Held() | Refused():
                await self._keep(one, outcome, key, filled if filled is not None else body)
            case _:
                assert_never(outcome)

    async def _read(self, adapter: Adapter, message: Message) -> tuple[Outcome | Unfilled, bytes | None]:
        """What the record tells, by itself if its adapter has learnt to, else with what its source answers."""
        outcome = await asyncio.to_thread(adapter.read, message)
        if not isinstance(outcome, Held) or outcome.reason != POINTER or adapter.fetch is None:
            return outcome, None
        try:
            # Long before the lease ends, so that no two processes ask for the same record.
            async with asyncio.timeout(self._settings.lease.total_seconds() / 2):
                told = await adapter.fetch(message, self._client, self._clock())
        except TimeoutError:
            return Unfilled(SLOW), None
        match told:
            case Unfilled():
                return told, None
            case Fetched(body):
                again = Message(body, message.media_type, message.received)
                return await asyncio.to_thread(adapter.read, again), body
            case _:
                assert_never(told)

    async def _settle_unfilled(self, one: Leased, unfilled: Unfilled) -> None:
        now = self._clock()
        wait = None if unfilled.final else wait_after(one.tries, self._settings.waits)
        async with self._engine.begin() as connection:
            if wait is None:
                await fillings.give_up(connection, one.id, unfilled.reason, now)
            else:
                await fillings.put_off(connection, one.id, unfilled.reason, now + wait)
        telemetry.asked.labels(one.agency, unfilled.reason).inc()
        log.info(
            "pointer.not_filled",
            record=str(one.id),
            agency=one.agency,
            reason=unfilled.reason,
            attempt=one.tries,
            wait=None if wait is None else wait.total_seconds(),
        )

    async def _keep(self, one: Leased, outcome: Held | Refused, key: DataKey, filled: bytes) -> None:
        reason = outcome.reason if isinstance(outcome, Held) else REFUSED
        body_id = filling_id(one.id)
        findings = findings_told(outcome.findings)
        async with self._engine.begin() as connection:
            await fillings.keep(connection, one.id, body_id, key.seal(body_id, filled), reason, findings, self._clock())
        telemetry.asked.labels(one.agency, "held").inc()
        log.info("pointer.held", record=str(one.id), agency=one.agency, reason=reason, attempt=one.tries)


def _entry(one: Leased, body: bytes, outcome: Accepted) -> Entry:
    return Entry(
        sender=one.sender,
        agency=one.agency,
        transport=one.transport,
        body_hash=one.body_hash,
        body=body,
        media_type=one.media_type,
        received=one.received,
        outcome=outcome,
        trace=one.trace,
        file_id=one.file_id,
        row=one.row,
    )
