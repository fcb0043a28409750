"""The delivered document: what a recipient gets, sealed, and never changed afterwards.

Everything around `data` is ids, times, parties and areas; `data` is what the agreement lets through.
"""

import base64
import uuid
from dataclasses import dataclass
from typing import Any

import orjson

from gateway.addressing.determination import Determination, Role
from gateway.addressing.disclosure import Disclosure
from gateway.addressing.holding import Stay, current_stay
from gateway.addressing.recipients import Holder
from gateway.addressing.subject import Subject, Told
from schemas.base import Change


@dataclass(slots=True)
class Letter:
    """A delivery that was decided, before it is written out.

    change: of the delivery; a correction of an event reaches those who are not owed it as a retraction.
    disclosure: what its data may be; None for a retraction, which has none. reason: of a retraction.
    frame: the document but for its data, as things stood when it was decided. stay: the stay in prison to be told with
    it, where it opens a case.
    """

    id: uuid.UUID
    event: Told
    person_id: uuid.UUID
    case_id: uuid.UUID | None
    decision: int
    recipient: str
    role: str
    change: Change
    agreement: str
    disclosure: Disclosure | None
    reason: str | None
    frame: dict[str, Any]
    stay: Stay | None = None


def person_ref(person_id: uuid.UUID) -> str:
    """The pseudonym recipients know a person by: the same for all events of the person, and for all recipients."""
    return f"P-{base64.b32encode(person_id.bytes[:10]).decode()[:12]}"


def letter(
    letter_id: uuid.UUID,
    event: Told,
    subject: Subject,
    recipient: str,
    role: Role,
    decision: int,
    disclosure: Disclosure,
) -> Letter:
    """A delivery of the event itself, with case and placement as they stand; what opened the case tells the stay."""
    case = subject.case
    frame = _frame(letter_id, event, event.change, role, subject)
    frame["why"] = {"home": placed(subject.home), "holding": placed(subject.holding)}
    if case is not None:
        frame["case"] = {"id": str(case.id), "opened": case.opened.isoformat(), "responsible": case.responsible}
    return Letter(
        id=letter_id,
        event=event,
        person_id=subject.id,
        case_id=case.id if case else None,
        decision=decision,
        recipient=recipient,
        role=role,
        change=event.change,
        agreement=disclosure.agreement,
        disclosure=disclosure,
        reason=None,
        frame=frame,
        stay=current_stay(subject.evidence) if case is not None and case.opened_by == event.id else None,
    )


def retraction(
    letter_id: uuid.UUID, event: Told, subject: Subject, recipient: str, holder: Holder, decision: int, reason: str
) -> Letter:
    """A notice to forget what was told of the event's fact: ids and reason, under the agreement it was told under."""
    return Letter(
        id=letter_id,
        event=event,
        person_id=subject.id,
        case_id=None,
        decision=decision,
        recipient=recipient,
        role=holder.role,
        change=Change.RETRACTION,
        agreement=holder.agreement,
        disclosure=None,
        reason=reason,
        frame=_frame(letter_id, event, Change.RETRACTION, holder.role, subject),
    )


def _frame(letter_id: uuid.UUID, event: Told, change: Change, role: str, subject: Subject) -> dict[str, Any]:
    return {
        "id": str(letter_id),
        "event": str(event.id),
        "kind": event.kind,
        "change": change.value,
        "supersedes": str(event.supersedes) if event.supersedes else None,
        "role": role,
        "occurred": event.occurred.isoformat(),
        "recorded": event.recorded.isoformat(),
        "sender": event.sender,
        "agency": event.agency,
        "person": person_ref(subject.id),
        "case": None,
        "why": {},
    }


def placed(determination: Determination) -> dict[str, str | None]:
    """A determination as recipients and decisions tell it."""
    return {
        "area": determination.area,
        "basis": determination.basis,
        "confidence": determination.confidence.value,
    }


def written(letter: Letter, data: dict[str, Any], stay: dict[str, Any] | None) -> bytes:
    """The document's bytes."""
    document = {**letter.frame}
    if stay is not None:
        document["placement"] = stay
    document["data"] = data
    if letter.reason is not None:
        document["reason"] = letter.reason
    document["agreement"] = letter.agreement
    return orjson.dumps(document)
