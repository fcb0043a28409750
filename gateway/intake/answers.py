"""Answers in an agency's own protocol, where it defines them: what became of a record or file, told to its adapter."""

import asyncio
from datetime import datetime
from typing import assert_never

from adapters.base import Adapter, Answered, Ignored, Message, Reply
from gateway.intake.batch import Became, FileClash, FileTaken, FileTaker, Incoming, RefusedWhole
from gateway.intake.entry import Clash
from gateway.intake.record import RecordRefused, RecordTaken
from gateway.intake.spool import Spooled


def answered(became: RecordTaken | RecordRefused, at: datetime) -> Answered:
    """What an answer to a record tells."""
    if isinstance(became, RecordRefused):
        return Answered(became.fate, at, became.refusal_id, became.findings)
    taken = became.taken
    findings = () if isinstance(taken, Clash) or isinstance(became.outcome, Ignored) else became.outcome.findings
    return Answered(became.fate, at, taken.record_id, findings)


def replies(adapter: Adapter, message: Message, told: Answered) -> tuple[Reply, ...]:
    """The answers of the message's protocol; none where it has none, or wants none."""
    answer = adapter.answers.get(message.media_type)
    return answer(message, told) if answer is not None else ()


_LARGEST = 32 << 20
"""Bytes up to which a file is read again, whole, to be answered; a larger one is told of by its report."""


async def replies_to_file(
    taker: FileTaker, incoming: Incoming, spooled: Spooled, became: Became, at: datetime
) -> tuple[Reply, ...]:
    """The answers of a file's protocol; none where it has none, or wants none, or the file is very large."""
    if incoming.media_type not in incoming.adapter.answers or spooled.size > _LARGEST:
        return ()
    told = await _answered_file(taker, became, at)
    return await asyncio.to_thread(_read_and_answered, incoming, spooled, told)


def _read_and_answered(incoming: Incoming, spooled: Spooled, told: Answered) -> tuple[Reply, ...]:
    spooled.file.seek(0)
    return replies(incoming.adapter, Message(spooled.file.read(), incoming.media_type, told.at), told)


async def _answered_file(taker: FileTaker, became: Became, at: datetime) -> Answered:
    match became:
        case FileTaken(file_id):
            return Answered(became.fate, at, file_id, (), await taker.refused_rows(file_id))
        case RefusedWhole(file_id, finding):
            return Answered(became.fate, at, file_id, (finding,))
        case FileClash(file_id):
            return Answered(became.fate, at, file_id)
        case _:
            assert_never(became)
