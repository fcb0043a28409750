"""What comes whole through a folder or a mailbox: a batch file, or one record. It is told as a request would be."""

import asyncio
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from adapters.base import Adapter, Message, Reply
from gateway import telemetry
from gateway.clock import Clock
from gateway.errors import ConfigurationError
from gateway.intake.answers import answered, replies, replies_to_file
from gateway.intake.batch import FileTaken, FileTaker, Incoming
from gateway.intake.door import attributes, turned_away
from gateway.intake.entry import Clash
from gateway.intake.record import RecordRefused, RecordTaker
from gateway.intake.spool import Spooled
from gateway.intake.told import file_problem, file_told, record_clash, record_problem, record_told
from gateway.parties import Party
from gateway.problems import MEDIA_TYPE_NOT_TAKEN, TOO_LARGE, Problem


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

    party: Party
    adapter: Adapter
    media_type: str | None
    told_id: str | None = None


@dataclass(frozen=True, slots=True)
class Statement:
    """What became of it: what an HTTP answer would say, and the answers of the agency's own protocol.

    file_id: of a batch file that was taken, on whose rows there is a report.
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
        return self._turned_away(parcel, Problem(TOO_LARGE, f"At most {self.most(parcel)} bytes are taken here."))

    async def take(self, parcel: Parcel, spooled: Spooled) -> Statement:
        """Take one; when this returns, what it says is committed.

        Raises JournalUnavailable, or what the store raised: then the same parcel may be taken again, with one effect.
        """
        adapter, media_type = parcel.adapter, parcel.media_type
        if spooled.size > self.most(parcel):
            return self.too_large(parcel)
        if media_type is not None and media_type in adapter.files:
            incoming = Incoming(parcel.party.id, adapter, media_type, parcel.told_id, telemetry.traceparent(None))
            return await self._file(incoming, spooled)
        if media_type is not None and media_type in adapter.records:
            return await self._record(parcel, media_type, spooled)
        taken = ", ".join(sorted({*adapter.files, *adapter.records}))
        return self._turned_away(parcel, Problem(MEDIA_TYPE_NOT_TAKEN, f"Taken from this sender: {taken}."))

    def _turned_away(self, parcel: Parcel, problem: Problem) -> Statement:
        turned_away(self.records.channel, parcel.adapter, problem.kind)
        return _refused(problem)

    async def _record(self, parcel: Parcel, media_type: str, spooled: Spooled) -> Statement:
        spooled.file.seek(0)
        body = await asyncio.to_thread(spooled.file.read)
        message = Message(body, media_type, self.clock(), attributes(parcel.party))
        told_id = parcel.told_id
        if told_id is None and media_type in parcel.adapter.ids:
            told_id = parcel.adapter.ids[media_type](body)
        became = await self.records.take(parcel.party.id, parcel.adapter, message, told_id, telemetry.traceparent(None))
        said = replies(parcel.adapter, message, answered(became, self.clock()))
        if isinstance(became, RecordRefused):
            return _refused(record_problem(became), said)
        if isinstance(became.taken, Clash):
            return _refused(record_clash(became.taken), said)
        return Statement(True, record_told(became.taken, became.outcome), replies=said)

    async def _file(self, incoming: Incoming, spooled: Spooled) -> Statement:
        became = await self.files.take(incoming, spooled)
        said = await replies_to_file(self.files, incoming, spooled, became, self.clock())
        if isinstance(became, FileTaken):
            return Statement(True, file_told(became), became.file_id, said)
        return _refused(file_problem(became), said)


def _refused(problem: Problem, replies: tuple[Reply, ...] = ()) -> Statement:
    return Statement(False, problem.document(), replies=replies)
