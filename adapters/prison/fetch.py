"""Filling a pointer: asking prisoner search for the prisoner an event is about.

Of the answer only what the contract names is attached.
"""

from datetime import datetime

import httpx

from adapters.base import Fetched, Ignored, Message, Unfilled
from adapters.hmpps.api import Source, Unanswered
from adapters.hmpps.envelope import Faulty, attach
from adapters.hmpps.wire import named
from adapters.prison.envelope import open_envelope
from adapters.prison.record import read_record
from adapters.prison.wire import DomainEvent, Snapshot


async def fetch_prisoner(
    source: Source, message: Message, client: httpx.AsyncClient, now: datetime
) -> Fetched | Unfilled:
    """The record with its prisoner attached as prison has them now, or why there is none."""
    try:
        opened = open_envelope(message)
        if isinstance(opened, Ignored):
            return Unfilled("source_has_none", final=True)
        record = read_record(opened, DomainEvent, message.received)
    except Faulty:
        return Unfilled("pointer_unreadable", final=True)
    try:
        prisoner = await source.get(client, f"/prisoner/{record.number}", now)
    except Unanswered as unanswered:
        return unanswered.unfilled
    if not isinstance(prisoner, dict):
        return Unfilled("source_answer_unreadable")
    body = attach(message, named(Snapshot, prisoner), now)
    return Fetched(body) if body is not None else Unfilled("source_answer_too_large", final=True)
