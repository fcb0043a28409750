"""Filling a pointer: asking the case API for the case an event is about.

The paths are those of the community API (`/offenders/crn/{crn}/...`), below the configured address. Of its answers only
what the contract names is attached.
"""

from datetime import datetime
from typing import Any, Final

import httpx

from adapters.base import Fetched, Ignored, Message, Unfilled
from adapters.hmpps.api import Source, Unanswered
from adapters.hmpps.envelope import Faulty, attach
from adapters.hmpps.wire import named
from adapters.probation.envelope import open_envelope
from adapters.probation.record import read_record
from adapters.probation.wire import Conviction, Requirement, Snapshot

_REQUIREMENT: Final = "probation-case.requirement."
_WITH_CONVICTIONS: Final = ("probation-case.supervision.", "probation-case.sentence.", _REQUIREMENT)


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
        snapshot = named(Snapshot, case)
        if opened.type.startswith(_WITH_CONVICTIONS):
            convictions = _objects(await source.get(client, f"/offenders/crn/{record.crn}/convictions", now))
            snapshot["convictions"] = [named(Conviction, one) for one in convictions]
            if opened.type.startswith(_REQUIREMENT):
                about = _about(convictions, record.event.additional_information.event_number)
                snapshot["requirements"] = await _requirements(source, client, record.crn, about, now)
    except Unanswered as unanswered:
        return unanswered.unfilled
    body = attach(message, snapshot, now)
    return Fetched(body) if body is not None else Unfilled("source_answer_too_large", final=True)


def _about(convictions: list[dict[str, Any]], event_number: str | None) -> list[dict[str, Any]]:
    """The conviction the event names by its number; all of them where it names none that there is."""
    numbered = [one for one in convictions if event_number is not None and str(one.get("index")) == event_number]
    return numbered or convictions


async def _requirements(
    source: Source, client: httpx.AsyncClient, crn: str, convictions: list[dict[str, Any]], now: datetime
) -> list[dict[str, Any]]:
    """The requirements of these convictions: an event gives the requirement's number and not the conviction's."""
    found: list[dict[str, Any]] = []
    for conviction in convictions:
        number = conviction.get("convictionId")
        if isinstance(number, int) and number > 0:
            told = await source.get(client, f"/offenders/crn/{crn}/convictions/{number}/requirements", now)
            told = told.get("requirements") if isinstance(told, dict) else told
            found.extend(named(Requirement, one) for one in _objects(told))
    return found


def _objects(answer: Any) -> list[dict[str, Any]]:
    """A list of objects. Raises Unanswered for anything else."""
    if not isinstance(answer, list) or not all(isinstance(one, dict) for one in answer):
        raise Unanswered("source_answer_unreadable")
    return answer
