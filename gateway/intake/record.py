"""One record is taken, whichever way it came: read by its adapter, and committed or kept as a refusal."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal, Protocol

from adapters.base import Accepted, Adapter, Fate, FileRefused, Finding, Held, Ignored, Message, Outcome, Refused
from gateway import telemetry
from gateway.errors import JournalUnavailable
from gateway.intake.entry import Clash, Entry, Taken, transport_of
from gateway.intake.numbering import Numbering
from gateway.intake.refusals import Refusal
from gateway.problems import Problem
from gateway.sealing import BlindIndex

Channel = Literal["http", "bars", "mllp", "drop", "mesh", "universal_credit"]
"""The ways in, as they are counted."""

_LONG = 64 * 1024
"""Bytes from which a record is read in a thread, so that it does not hold up everybody else's."""


class Commits(Protocol):
    """The journal, as what takes records sees it."""

    @property
    def waiting(self) -> int:
        """Entries that are not yet committed."""
        ...

    async def take(self, entry: Entry) -> Taken | Clash:
        """Commit one record. Raises JournalUnavailable."""
        ...


class Keeps(Protocol):
    """Where refused bytes are kept, as what takes records sees it."""

    async def keep(self, refused: list[Refusal]) -> None:
        """Keep these, sealed. Raises JournalUnavailable."""
        ...


@dataclass(frozen=True, slots=True)
class RecordTaken:
    """The record is committed, or clashes with the one that holds its id. outcome: what its adapter made of it."""

    taken: Taken | Clash
    outcome: Accepted | Held | Ignored

    @property
    def fate(self) -> Fate:
        """What became of it in a word."""
        if isinstance(self.taken, Clash):
            return Fate.CLASHED
        return Fate.REPEATED if self.taken.repeat else Fate.COMMITTED


@dataclass(frozen=True, slots=True)
class RecordRefused:
    """The sender must mend it; its bytes are kept under this id."""

    refusal_id: uuid.UUID
    findings: tuple[Finding, ...]

    @property
    def fate(self) -> Fate:
        """What became of it in a word."""
        return Fate.REFUSED


Objects = Callable[[bytes, Accepted], Awaitable[None]]
"""Raises a Problem for a record that must not be taken as things stand. It is given the record's transport hash."""


@dataclass(frozen=True, slots=True)
class RecordTaker:
    """Takes single records. namespace: what ids of refusals follow from, beside the bytes and their message id.

    channel: by which way they come. numbering: counts the records of senders that number them; None: of nobody.
    """

    journal: Commits
    refusals: Keeps
    index: BlindIndex
    namespace: uuid.UUID
    channel: Channel = "http"
    numbering: Numbering | None = None

    async def take(
        self,
        sender: str,
        adapter: Adapter,
        message: Message,
        told_id: str | None,
        trace: str,
        objects: Objects | None = None,
    ) -> RecordTaken | RecordRefused:
        """Take one record; when this returns, what it says is committed. Raises JournalUnavailable.

        sender: the party's id. told_id: the sender's own id of the message; None where it gives none, and its bytes
        speak for themselves. objects: asked before an accepted record is committed, where the sender's protocol wants
        more of it than that it can be read; what it raises is raised here, and nothing is committed then.
        """
        try:
            became = await self._take(sender, adapter, message, told_id, trace, objects)
        except Problem:
            telemetry.received.labels(self.channel, Fate.REFUSED).inc()
            raise
        except JournalUnavailable:
            telemetry.received.labels(self.channel, Fate.NOT_NOW).inc()
            raise
        telemetry.received.labels(self.channel, became.fate).inc()
        return became

    async def _take(
        self, sender: str, adapter: Adapter, message: Message, told_id: str | None, trace: str, objects: Objects | None
    ) -> RecordTaken | RecordRefused:
        body_hash = self.index.of("body", message.body)
        transport = transport_of(self.index, sender, told_id or body_hash.hex())
        outcome = await _read(adapter, message)
        if isinstance(outcome, Refused):
            return await self._refuse(sender, adapter, message, transport, body_hash, outcome.findings)
        if objects is not None and isinstance(outcome, Accepted):
            await objects(transport, outcome)
        entry = Entry(
            sender=sender,
            agency=adapter.name,
            transport=transport,
            body_hash=body_hash,
            body=message.body,
            media_type=message.media_type,
            received=message.received,
            outcome=outcome,
            trace=trace,
        )
        series = adapter.series.get(message.media_type) if self.numbering is not None else None
        if self.numbering is None or series is None:
            return RecordTaken(await self.journal.take(entry), outcome)
        try:
            return RecordTaken(await self.numbering.take(entry, series, self.journal.take), outcome)
        except FileRefused as refused:
            return await self._refuse(sender, adapter, message, transport, body_hash, (refused.finding,))

    async def _refuse(
        self,
        sender: str,
        adapter: Adapter,
        message: Message,
        transport: bytes,
        body_hash: bytes,
        findings: tuple[Finding, ...],
    ) -> RecordRefused:
        refusal = Refusal(
            # The same bytes refused again under the same id are the same refusal.
            id=uuid.uuid5(self.namespace, f"refusal|{transport.hex()}|{body_hash.hex()}"),
            sender=sender,
            agency=adapter.name,
            transport=transport,
            message=message,
            findings=findings,
        )
        await self.refusals.keep([refusal])
        return RecordRefused(refusal.id, findings)


async def _read(adapter: Adapter, message: Message) -> Outcome:
    if len(message.body) > _LONG:
        return await asyncio.to_thread(adapter.read, message)
    return adapter.read(message)
