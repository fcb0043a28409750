"""A batch file at the door: `POST /v1/feeds/{agency}/files`.

The file is written to an unnamed temporary file as it comes, counted and hashed, then cut twice: once through to its
end, so that a wrong header, trailer or count refuses it whole before a row is taken, and once to journal its rows.
Each row is a record of its own with an id that follows from the file's and the row's number: a file that was cut off
by a crash is sent again, and goes on where it stood.
"""

import asyncio
import hashlib
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, cast

import orjson
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.requests import Request
from starlette.responses import Response

from adapters.base import Adapter, FileRefused, Finding, Message, Outcome, Refused, Row
from gateway import telemetry
from gateway.access.caller import Access, Caller
from gateway.clock import Clock
from gateway.failpoints import reach
from gateway.ids import new_id
from gateway.intake.door import Limits, chunks, feed, media_type, message_id, not_too_busy
from gateway.intake.entry import Entry
from gateway.intake.findings import stored
from gateway.intake.refusals import Refusal
from gateway.intake.reports import tallied
from gateway.intake.take import Commits, Keeps
from gateway.problems import FILE_REFUSED, ID_REUSED, Problem, faults, unavailable
from gateway.sealing import BlindIndex
from gateway.store import files as statements
from gateway.telemetry import log

_IN_MEMORY = 1 << 20
_ROWS_AT_ONCE = 250
_BYTES_AT_ONCE = 4 << 20

_Read = list[tuple[Row, Outcome]]


@dataclass(frozen=True, slots=True)
class _Spooled:
    """The file as it came. digest: SHA-256 of its bytes."""

    file: BinaryIO
    size: int
    digest: bytes


@dataclass(frozen=True, slots=True)
class _Batch:
    """What every row of one file has in common."""

    id: uuid.UUID
    caller: Caller
    adapter: Adapter
    media_type: str
    received: datetime
    trace: str


@dataclass(frozen=True, slots=True)
class FileDoor:
    """Takes one batch file. max_kept: bytes up to which a file refused whole is kept as a refusal."""

    access: Access
    adapters: Mapping[str, Adapter]
    journal: Commits
    refusals: Keeps
    engine: AsyncEngine
    index: BlindIndex
    namespace: uuid.UUID
    limits: Limits
    max_kept: int
    clock: Clock

    async def __call__(self, request: Request) -> Response:
        """Serve one request. Raises Problem for every answer that is not an acceptance."""
        caller = self.access.caller(request)
        adapter = feed(caller, request.path_params["agency"], self.adapters)
        told_id = message_id(request)
        media = media_type(request, adapter.files)
        not_too_busy(self.journal.waiting, self.limits)
        trace = telemetry.traceparent(request.headers.get("traceparent"))
        # SpooledTemporaryFile has every method of a binary file, which its stub does not say.
        with cast(BinaryIO, tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)) as file:
            spooled = await _spool(request, self.limits, file)
            transport = self.index.of("transport", f"{caller.party.id}|{told_id or spooled.digest.hex()}")
            body_hash = self.index.of("file", spooled.digest)
            claimed = await self._claim(caller, adapter, transport, body_hash)
            repeat = claimed.state == "taken"
            if not repeat:
                batch = _Batch(claimed.id, caller, adapter, media, claimed.received, trace)
                rows = await self._checked(batch, spooled, transport)
                await self._take(batch, file, transport)
                reach("F3")
                await self._finish(batch.id, "taken", rows=rows)
        return await self._answer(claimed.id, caller, repeat)

    async def _claim(self, caller: Caller, adapter: Adapter, transport: bytes, body_hash: bytes) -> statements.Claimed:
        now = self.clock()
        async with self.engine.begin() as connection:
            claimed = await statements.claim(
                connection,
                file_id=new_id(now),
                sender=caller.party.id,
                agency=adapter.name,
                transport=transport,
                body_hash=body_hash,
                received=now,
            )
        if claimed.body_hash != body_hash:
            report = f"/v1/files/{claimed.id}"
            raise Problem(
                ID_REUSED,
                "Another file came under this message id, and was taken.",
                more={"file": str(claimed.id), "links": {"report": report}},
            )
        return claimed

    async def _checked(self, batch: _Batch, spooled: _Spooled, transport: bytes) -> int:
        """Cut the file through to its end; how many rows it has. Raises Problem when it is refused whole."""
        try:
            return await asyncio.to_thread(_count, batch, spooled.file)
        except FileRefused as refused:
            finding = refused.finding
        await self._keep_whole(batch, spooled, transport, finding)
        await self._finish(batch.id, "refused", findings=stored([finding]))
        log.info("file.refused", file=str(batch.id), sender=batch.caller.party.id, rule=finding.rule.id)
        more = {"file": str(batch.id), "links": {"report": f"/v1/files/{batch.id}"}}
        raise Problem(FILE_REFUSED, "No row of it was taken.", errors=faults([finding]), more=more)

    async def _keep_whole(self, batch: _Batch, spooled: _Spooled, transport: bytes, finding: Finding) -> None:
        if spooled.size > self.max_kept:
            return  # its sender still has it; a gigabyte that nobody can use is not kept
        spooled.file.seek(0)
        refusal = Refusal(
            id=uuid.uuid5(self.namespace, f"refusal|{transport.hex()}|{spooled.digest.hex()}"),
            sender=batch.caller.party.id,
            agency=batch.adapter.name,
            transport=transport,
            message=Message(spooled.file.read(), batch.media_type, batch.received),
            findings=(finding,),
            file_id=batch.id,
        )
        await self.refusals.keep([refusal])

    async def _take(self, batch: _Batch, file: BinaryIO, transport: bytes) -> None:
        """Journal every row, in order: the next rows are read while the last ones are committed."""
        file.seek(0)
        rows = batch.adapter.files[batch.media_type](file)
        read = await asyncio.to_thread(_read, rows, batch)
        while read:
            reading = asyncio.create_task(asyncio.to_thread(_read, rows, batch))
            try:
                await self._commit(batch, read, transport)
            except BaseException:
                await asyncio.wait([reading])  # its thread reads the file, which is closed on the way out of here
                raise
            read = await reading

    async def _commit(self, batch: _Batch, read: _Read, transport: bytes) -> None:
        refused = [(row, outcome) for row, outcome in read if isinstance(outcome, Refused)]
        await self.refusals.keep([self._refusal(batch, row, outcome, transport) for row, outcome in refused])
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
            sender=batch.caller.party.id,
            agency=batch.adapter.name,
            transport=self.index.of("row", f"{batch.id}|{row.number}"),
            body_hash=self.index.of("body", row.body),
            body=row.body,
            media_type=row.media_type,
            received=batch.received,
            outcome=outcome,
            trace=batch.trace,
            file_id=batch.id,
            row=row.number,
        )

    def _refusal(self, batch: _Batch, row: Row, outcome: Refused, transport: bytes) -> Refusal:
        return Refusal(
            id=uuid.uuid5(self.namespace, f"refusal|{batch.id}|{row.number}"),
            sender=batch.caller.party.id,
            agency=batch.adapter.name,
            transport=transport,
            message=Message(row.body, row.media_type, batch.received),
            findings=outcome.findings,
            file_id=batch.id,
            row=row.number,
        )

    async def _finish(self, file_id: uuid.UUID, state: str, *, rows: int = 0, findings: str = "[]") -> None:
        async with self.engine.begin() as connection:
            await statements.finish(
                connection, file_id, state=state, rows=rows, findings=findings, finished=self.clock()
            )

    async def _answer(self, file_id: uuid.UUID, caller: Caller, repeat: bool) -> Response:
        async with self.engine.connect() as connection:
            counts = tallied(await statements.counts(connection, file_id))
        report = f"/v1/files/{file_id}"
        log.info("file.taken", file=str(file_id), sender=caller.party.id, **counts)
        document = {"file": str(file_id), "state": "taken", **counts, "links": {"report": report}}
        return Response(
            orjson.dumps(document), 200 if repeat else 202, {"location": report}, media_type="application/json"
        )


async def _spool(request: Request, limits: Limits, file: BinaryIO) -> _Spooled:
    """Write the body down as it comes, in bounded memory."""
    digest = hashlib.sha256()
    size = 0
    gathered: list[bytes] = []
    length = 0
    try:
        async for chunk in chunks(request, limits):
            digest.update(chunk)
            gathered.append(chunk)
            length += len(chunk)
            size += len(chunk)
            if length >= _IN_MEMORY:
                await asyncio.to_thread(file.writelines, gathered)
                gathered, length = [], 0
        await asyncio.to_thread(file.writelines, gathered)
    except OSError as error:
        log.error("file.not_written", error=type(error).__name__, where=telemetry.where(error))
        raise unavailable() from None
    return _Spooled(file, size, digest.digest())


def _count(batch: _Batch, file: BinaryIO) -> int:
    file.seek(0)
    return sum(1 for _ in batch.adapter.files[batch.media_type](file))


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
