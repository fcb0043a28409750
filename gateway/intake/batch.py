"""A batch file is taken, whichever way it came.

The file is cut twice: once through to its end, so that a wrong header, trailer or count refuses it whole before a row
is taken, and once to journal its rows. Each row is a record of its own with an id that follows from the file's and the
row's number: a file that was cut off by a crash comes again, and goes on where it stood.
"""

import asyncio
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.base import Adapter, Fate, FileRefused, Finding, Message, Outcome, Refused, Row
from gateway import telemetry
from gateway.clock import Clock
from gateway.errors import JournalUnavailable
from gateway.failpoints import reach
from gateway.ids import new_id
from gateway.intake.entry import Entry, transport_of
from gateway.intake.findings import stored
from gateway.intake.numbering import Numbering
from gateway.intake.record import Channel, Commits, Keeps
from gateway.intake.refusals import Refusal
from gateway.intake.reports import tallied
from gateway.intake.spool import Spooled
from gateway.sealing import BlindIndex
from gateway.store import files as statements
from gateway.store import series as numbers
from gateway.telemetry import log

_ROWS_AT_ONCE = 250
_BYTES_AT_ONCE = 4 << 20

_Read = list[tuple[Row, Outcome]]


@dataclass(frozen=True, slots=True)
class Incoming:
    """A file on its way in.

    told_id: the sender's own id of it; None where it gives none, and its bytes speak for themselves.
    """

    sender: str
    adapter: Adapter
    media_type: str
    told_id: str | None
    trace: str


@dataclass(frozen=True, slots=True)
class FileTaken:
    """Every row is taken or refused by itself. repeat: it was taken before, and these are the counts of then.

    counts: rows, and how many of them were accepted, held, ignored and refused.
    """

    file_id: uuid.UUID
    counts: Mapping[str, int]
    repeat: bool

    @property
    def fate(self) -> Fate:
        """What became of it in a word."""
        return Fate.REPEATED if self.repeat else Fate.COMMITTED


@dataclass(frozen=True, slots=True)
class RefusedWhole:
    """No row of it was taken, because of this."""

    file_id: uuid.UUID
    finding: Finding

    @property
    def fate(self) -> Fate:
        """What became of it in a word."""
        return Fate.REFUSED


@dataclass(frozen=True, slots=True)
class FileClash:
    """Another file came under this id, and was taken; file_id is that one's."""

    file_id: uuid.UUID

    @property
    def fate(self) -> Fate:
        """What became of it in a word."""
        return Fate.CLASHED


Became = FileTaken | RefusedWhole | FileClash


@dataclass(frozen=True, slots=True)
class _Batch:
    """What every row of one file has in common."""

    id: uuid.UUID
    incoming: Incoming
    transport: bytes
    received: datetime

    @property
    def adapter(self) -> Adapter:
        return self.incoming.adapter

    def cut(self, file: BinaryIO) -> Iterator[Row]:
        file.seek(0)
        return self.adapter.files[self.incoming.media_type](file)


@dataclass(frozen=True, slots=True)
class FileTaker:
    """Takes batch files. max_kept: bytes up to which a file refused whole is kept as a refusal.

    channel: by which way they come.
    """

    journal: Commits
    refusals: Keeps
    engine: AsyncEngine
    index: BlindIndex
    namespace: uuid.UUID
    max_kept: int
    clock: Clock
    channel: Channel = "http"

    async def take(self, incoming: Incoming, spooled: Spooled) -> Became:
        """Take one file; when this returns, what it says is committed.

        Raises JournalUnavailable, or what the store raised: then the same file, sent again, goes on where it stood.
        """
        try:
            became = await self._take(incoming, spooled)
        except JournalUnavailable:
            telemetry.received.labels(self.channel, Fate.NOT_NOW).inc()
            raise
        telemetry.received.labels(self.channel, became.fate).inc()
        return became

    async def _take(self, incoming: Incoming, spooled: Spooled) -> Became:
        transport = transport_of(self.index, incoming.sender, incoming.told_id or spooled.digest.hex())
        body_hash = self.index.of("file", spooled.digest)
        claimed = await self._claim(incoming, transport, body_hash)
        reach("F1")
        if claimed.body_hash != body_hash:
            return FileClash(claimed.id)
        repeat = claimed.state == "taken"
        if not repeat:
            batch = _Batch(claimed.id, incoming, transport, claimed.received)
            try:
                rows = await asyncio.to_thread(_count, batch, spooled.file)
                number = await self._number(batch, spooled.file)
            except FileRefused as refused:
                repeat = await self._taken_meanwhile(batch.id)
                if not repeat:
                    return await self._refuse_whole(batch, spooled, refused.finding)
            else:
                await self._take_rows(batch, spooled.file)
                reach("F3")
                await self._finish(batch.id, "taken", rows=rows, number=number)
        async with self.engine.connect() as connection:
            counts = tallied(await statements.counts(connection, claimed.id))
        log.info("file.taken", file=str(claimed.id), sender=incoming.sender, **counts)
        return FileTaken(claimed.id, counts, repeat)

    async def refused_rows(self, file_id: uuid.UUID) -> frozenset[int]:
        """The rows of a file that were refused by themselves."""
        async with self.engine.connect() as connection:
            return await statements.refused_rows(connection, file_id)

    async def _claim(self, incoming: Incoming, transport: bytes, body_hash: bytes) -> statements.Claimed:
        now = self.clock()
        async with self.engine.begin() as connection:
            return await statements.claim(
                connection,
                file_id=new_id(now),
                sender=incoming.sender,
                agency=incoming.adapter.name,
                transport=transport,
                body_hash=body_hash,
                received=now,
            )

    async def _number(self, batch: _Batch, file: BinaryIO) -> int | None:
        """The file's number in its series, which no other file can have from now on; None where files have none.

        Raises FileRefused for a file that is not the next. One that was begun and not finished keeps its number until
        it comes again: some of its rows are taken, and another file in its place would be a second answer.
        """
        series = batch.adapter.series.get(batch.incoming.media_type)
        if series is None:
            return None
        file.seek(0)
        told = await asyncio.to_thread(series.number, file)
        await Numbering(self.engine).claim(batch.id, batch.incoming.sender, batch.adapter.name, series, told)
        return told.number

    async def _taken_meanwhile(self, file_id: uuid.UUID) -> bool:
        """Whether the same file, sent again before it was answered, was taken by then: its number is no longer next."""
        async with self.engine.connect() as connection:
            return await statements.is_taken(connection, file_id)

    async def _refuse_whole(self, batch: _Batch, spooled: Spooled, finding: Finding) -> RefusedWhole:
        sender = batch.incoming.sender
        if spooled.size <= self.max_kept:  # its sender has a larger one still; a gigabyte nobody can use is not kept
            spooled.file.seek(0)
            refusal = Refusal(
                id=uuid.uuid5(self.namespace, f"refusal|{batch.transport.hex()}|{spooled.digest.hex()}"),
                sender=sender,
                agency=batch.adapter.name,
                transport=batch.transport,
                message=Message(spooled.file.read(), batch.incoming.media_type, batch.received),
                findings=(finding,),
                file_id=batch.id,
            )
            await self.refusals.keep([refusal])
        await self._finish(batch.id, "refused", findings=stored([finding]))
        log.info("file.refused", file=str(batch.id), sender=sender, rule=finding.rule.id)
        return RefusedWhole(batch.id, finding)

    async def _take_rows(self, batch: _Batch, file: BinaryIO) -> None:
        """Journal every row, in order: the next rows are read while the last ones are committed."""
        rows = batch.cut(file)
        read = await asyncio.to_thread(_read, rows, batch)
        while read:
            reading = asyncio.create_task(asyncio.to_thread(_read, rows, batch))
            try:
                await self._commit(batch, read)
            except BaseException:
                await asyncio.wait([reading])  # its thread reads the file, which is closed on the way out of here
                raise
            read = await reading

    async def _commit(self, batch: _Batch, read: _Read) -> None:
        refused = [(row, outcome) for row, outcome in read if isinstance(outcome, Refused)]
        if refused:
            await self.refusals.keep([self._refusal(batch, row, outcome) for row, outcome in refused])
            reach("F2")
        entries = [self._entry(batch, row, outcome) for row, outcome in read]
        await asyncio.gather(*(self._take_row(entry) for entry in entries if entry is not None))

    async def _take_row(self, entry: Entry) -> None:
        # A clash is a row cut otherwise by an earlier release from the same file: the first is kept.
        await self.journal.take(entry)
        reach("F2")

    def _entry(self, batch: _Batch, row: Row, outcome: Outcome) -> Entry | None:
        if isinstance(outcome, Refused):
            return None
        return Entry(
            sender=batch.incoming.sender,
            agency=batch.adapter.name,
            transport=self.index.of("row", f"{batch.id}|{row.number}"),
            body_hash=self.index.of("body", row.body),
            body=row.body,
            media_type=row.media_type,
            received=batch.received,
            outcome=outcome,
            trace=batch.incoming.trace,
            file_id=batch.id,
            row=row.number,
        )

    def _refusal(self, batch: _Batch, row: Row, outcome: Refused) -> Refusal:
        return Refusal(
            id=uuid.uuid5(self.namespace, f"refusal|{batch.id}|{row.number}"),
            sender=batch.incoming.sender,
            agency=batch.adapter.name,
            transport=batch.transport,
            message=Message(row.body, row.media_type, batch.received),
            findings=outcome.findings,
            file_id=batch.id,
            row=row.number,
        )

    async def _finish(
        self, file_id: uuid.UUID, state: str, *, rows: int = 0, findings: str = "[]", number: int | None = None
    ) -> None:
        async with self.engine.begin() as connection:
            if number is not None:
                await numbers.numbered(connection, file_id, number)
            await statements.finish(
                connection, file_id, state=state, rows=rows, findings=findings, finished=self.clock()
            )


def _count(batch: _Batch, file: BinaryIO) -> int:
    return sum(1 for _ in batch.cut(file))


def _read(rows: Iterator[Row], batch: _Batch) -> _Read:
    """Cut and read the next rows, as many as memory allows; none at the end of the file."""
    read: _Read = []
    size = 0
    for row in rows:
        read.append((row, batch.adapter.read(Message(row.body, row.media_type, batch.received))))
        size += len(row.body)
        if len(read) == _ROWS_AT_ONCE or size >= _BYTES_AT_ONCE:
            break
    return read
