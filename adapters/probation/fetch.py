"""Filling a pointer: asking the case API for the case an event is about.

The paths are those of the community API (`/offenders/crn/{crn}/...`), below the configured address. Of its answers only
what the contract names is attached.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

import httpx

from adapters.base import Fetched, Ignored, Message, Unfilled
from adapters.hmpps.api import Source, Unanswered
from adapters.hmpps.envelope import Faulty, attach
from adapters.probation.envelope import open_envelope
from adapters.probation.record import read_record
from adapters.probation.wire import Snapshot

_NAMED: Final = frozenset(field.alias for field in Snapshot.model_fields.values() if field.alias)
_WITH_CONVICTIONS: Final = ("probation-case.supervision.", "probation-case.sentence.", "probation-case.requirement.")


async def fetch_case(source: Source, message: Message, client: httpx.AsyncClient, now: datetime) -> Fetched | Unfilled:
    """The record with its case attached as it stands now, or why there is none."""
    try:
        opened = open_envelope(message)
        if isinstance(opened, Ignored):
            return Unfilled("source_has_none", final=True)
        record = read_record(opened, message.received)
    except Faulty:
        return Unfilled("pointer_unreadable", final=True)
    try:
        case = await source.get(client, f"/offenders/crn/{record.crn}/all", now)
        if not isinstance(case, dict):
            raise Unanswered("source_answer_unreadable")
        snapshot = {name: value for name, value in case.items() if name in _NAMED}
        if opened.type.startswith(_WITH_CONVICTIONS):
            convictions = await source.get(client, f"/offenders/crn/{record.crn}/convictions", now)
            snapshot["convictions"] = list(_objects(convictions))
        if record.event.additional_information.requirement_id is not None:
            snapshot["requirements"] = await _requirements(source, client, record.crn, snapshot["convictions"], now)
    except Unanswered as unanswered:
        return unanswered.unfilled
    body = attach(message, snapshot, now)
    return Fetched(body) if body is not None else Unfilled("source_answer_too_large", final=True)


async def _requirements(
    source: Source, client: httpx.AsyncClient, crn: str, convictions: list[dict[str, Any]], now: datetime
) -> list[dict[str, Any]]:
    """The requirements of every conviction: an event gives the requirement's number and not the conviction's."""
    found: list[dict[str, Any]] = []
    for conviction in convictions:
        number = conviction.get("convictionId")
        if isinstance(number, int) and number > 0:
            told = await source.get(client, f"/offenders/crn/{crn}/convictions/{number}/requirements", now)
            found.extend(_objects(told.get("requirements") if isinstance(told, dict) else told))
    return found


def _objects(answer: Any) -> Iterator[dict[str, Any]]:
    """The objects of a list. Raises Unanswered for anything else."""
    if not isinstance(answer, list) or not all(isinstance(one, dict) for one in answer):
        raise Unanswered("source_answer_unreadable")
    yield from answer
