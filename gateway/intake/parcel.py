"""What comes whole through a folder or a mailbox: a batch file, or one record. It is told as a request would be."""

import asyncio
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, assert_never

from adapters.base import Adapter, Answered, Fate, Ignored, Message, Reply
from gateway import telemetry
from gateway.clock import Clock
from gateway.errors import ConfigurationError
from gateway.intake.batch import Became, FileClash, FileTaken, FileTaker, Incoming, RefusedWhole, Spooled
from gateway.intake.entry import Clash
from gateway.intake.record import RecordRefused, RecordTaken, RecordTaker
from gateway.intake.told import file_problem, file_told, record_clash, record_problem, record_told
from gateway.parties import Party
from gateway.problems import MEDIA_TYPE_NOT_TAKEN, TOO_LARGE, Problem

_ANSWERED = 1 << 20
"""Bytes up to which what came is read again for the answer of its agency's protocol."""


def feed_of(party: Party, adapters: Mapping[str, Adapter]) -> Adapter:
    """The adapter of what a party sends. Raises ConfigurationError where there is none."""
    adapter = adapters.get(party.agency or "")
    if adapter is None:
        raise ConfigurationError(
            f"The party {party.id} sends {party.agency or 'nothing'}, which no adapter reads.",
            f"Give it one of these as its agency: {', '.join(sorted(adapters))}.",
        )
    return adapter


@dataclass(frozen=True, slots=True)
class Parcel:
    """From whom it comes and as what. told_id: its sender's or carrier's own id of it, where there is one."""

    sender: str
    adapter: Adapter
    media_type: str | None
    told_id: str | None = None


@dataclass(frozen=True, slots=True)
class Statement:
    """What became of it: what an HTTP answer would say, and the answers of the agency's own protocol.

    file_id: of a batch file, on whose rows there is a report.
    """

    taken: bool
    receipt: dict[str, Any]
    file_id: uuid.UUID | None = None
    replies: tuple[Reply, ...] = ()


@dataclass(frozen=True, slots=True)
class ParcelTaker:
    """Takes parcels. max_record, max_file: bytes."""

    records: RecordTaker
    files: FileTaker
    max_record: int
    max_file: int
    clock: Clock

    def most(self, parcel: Parcel) -> int:
        """The largest this parcel may be (bytes)."""
        return self.max_file if parcel.media_type in parcel.adapter.files else self.max_record

    def too_large(self, parcel: Parcel) -> Statement:
        """What is said of one that is larger than that."""
        return _refused(Problem(TOO_LARGE, f"At most {self.most(parcel)} bytes are taken here."))

    async def take(self, parcel: Parcel, spooled: Spooled) -> Statement:
        """Take one; when this returns, what it says is committed.

        Raises JournalUnavailable, or what the store raised: then the same parcel may be taken again, with one effect.
        """
        adapter, media_type = parcel.adapter, parcel.media_type
        if spooled.size > self.most(parcel):
            return self.too_large(parcel)
        if media_type is not None and media_type in adapter.files:
            incoming = Incoming(parcel.sender, adapter, media_type, parcel.told_id, telemetry.traceparent(None))
            return await self._of_file(parcel, media_type, spooled, await self.files.take(incoming, spooled))
        if media_type is not None and media_type in adapter.records:
            return await self._record(parcel, media_type, spooled)
        taken = ", ".join(sorted({*adapter.files, *adapter.records}))
        return _refused(Problem(MEDIA_TYPE_NOT_TAKEN, f"Taken from this sender: {taken}."))

    async def _record(self, parcel: Parcel, media_type: str, spooled: Spooled) -> Statement:
        spooled.file.seek(0)
        body = await asyncio.to_thread(spooled.file.read)
        message = Message(body, media_type, self.clock())
        trace = telemetry.traceparent(None)
        became = await self.records.take(parcel.sender, parcel.adapter, message, parcel.told_id, trace)
        if isinstance(became, RecordRefused):
            problem = record_problem(became)
            answered = Answered(Fate.REFUSED, self.clock(), became.refusal_id, became.findings)
            return _refused(problem, self._replies(parcel.adapter, message, answered))
        return self._of_record(parcel, message, became)

    def _of_record(self, parcel: Parcel, message: Message, became: RecordTaken) -> Statement:
        taken, now = became.taken, self.clock()
        if isinstance(taken, Clash):
            answered = Answered(Fate.CLASHED, now, taken.record_id)
            return _refused(record_clash(taken), self._replies(parcel.adapter, message, answered))
        findings = () if isinstance(became.outcome, Ignored) else became.outcome.findings
        answered = Answered(Fate.REPEATED if taken.repeat else Fate.COMMITTED, now, taken.record_id, findings)
        return Statement(
            True, record_told(taken, became.outcome), replies=self._replies(parcel.adapter, message, answered)
        )

    async def _of_file(self, parcel: Parcel, media_type: str, spooled: Spooled, became: Became) -> Statement:
        now = self.clock()
        replies: tuple[Reply, ...] = ()
        if media_type in parcel.adapter.answers and spooled.size <= _ANSWERED:
            spooled.file.seek(0)
            message = Message(await asyncio.to_thread(spooled.file.read), media_type, now)
            replies = self._replies(parcel.adapter, message, await self._answered(became, now))
        if isinstance(became, FileTaken):
            return Statement(True, file_told(became), became.file_id, replies)
        # What another file's report says is not this one's: of a clash there is none.
        file_id = became.file_id if isinstance(became, RefusedWhole) else None
        return Statement(False, file_problem(became).document(), file_id, replies)

    async def _answered(self, became: Became, now: datetime) -> Answered:
        match became:
            case FileTaken(file_id, _, repeat):
                refused = await self.files.refused_rows(file_id)
                return Answered(Fate.REPEATED if repeat else Fate.COMMITTED, now, file_id, (), refused)
            case RefusedWhole(file_id, finding):
                return Answered(Fate.REFUSED, now, file_id, (finding,))
            case FileClash(file_id):
                return Answered(Fate.CLASHED, now, file_id)
            case _:
                assert_never(became)

    def _replies(self, adapter: Adapter, message: Message, answered: Answered) -> tuple[Reply, ...]:
        answer = adapter.answers.get(message.media_type)
        return answer(message, answered) if answer else ()


def _refused(problem: Problem, replies: tuple[Reply, ...] = ()) -> Statement:
    return Statement(False, problem.document(), replies=replies)
