"""A sender's receipt: `GET /v1/receipts/{id}` tells how far a record got, in words and never in content.

Whether a person has a case is nobody's business. So a sender follows its referrals to each recipient's answer, while a
record that only informs answers `routed`, the same whether anybody got it or not.
"""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime

from fastapi import APIRouter, Request
from pydantic import BaseModel, ValidationError
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.base import Adapter
from gateway.access.caller import Access
from gateway.delivery.receipts import FIRST, Result
from gateway.intake.findings import restored
from gateway.intake.reports import FindingTold
from gateway.intake.words import most_urgent, word
from gateway.parties import Parties
from gateway.problems import not_found
from gateway.sealing import Sealer, Unreadable
from gateway.store import receipts as statements
from gateway.store.receipts import EventRow, RecordRow
from schemas.catalogue import UnknownKind, decode

SHOWN: Mapping[str, frozenset[Result]] = {
    # Police learn whether a Required Assessment was attended, and nothing more of it (Drugs Act 2005, sections 9-14).
    "custody": FIRST | {Result.ASSESSMENT_ATTENDED, Result.ASSESSMENT_MISSED},
    "imprisonment": FIRST | {Result.ASSESSMENT_STARTED, Result.CLOSED},
}
"""The results a sender of each subject is told. A subject that is not named here is told the first answer alone."""


class ResultTold(BaseModel):
    """What a recipient answered. code: why it rejected."""

    result: Result
    code: str | None
    at: datetime


class DeliveryTold(BaseModel):
    """How far one delivery got. role: the capacity in which the recipient gets it, home or holding."""

    role: str
    recipient: str
    area: str | None
    state: str
    reason: str | None
    owner: str | None
    due: datetime | None
    queued: datetime
    offered: datetime | None
    acknowledged: datetime | None
    results: list[ResultTold]


class HoldTold(BaseModel):
    """A delivery that waits for a decision: why, whose it is, and until when."""

    role: str
    reason: str
    owner: str
    since: datetime
    due: datetime


class EventTold(BaseModel):
    """One thing the record told. deliveries and held are there for a referral alone."""

    event: uuid.UUID
    kind: str
    change: str
    supersedes: uuid.UUID | None
    occurred: datetime
    due: datetime | None
    state: str
    reason: str | None
    owner: str | None
    deliveries: list[DeliveryTold]
    held: list[HoldTold]


class Receipt(BaseModel):
    """How far a record got. state: of its events, the one that most needs somebody.

    repeats: how many of its statements we knew already; those tell nothing new and make no event.
    """

    receipt: uuid.UUID
    agency: str
    received: datetime
    state: str
    reason: str | None
    owner: str | None
    due: datetime | None
    repeats: int
    findings: list[FindingTold]
    events: list[EventTold]
    links: dict[str, str]


def router(
    access: Access, engine: AsyncEngine, adapters: Mapping[str, Adapter], parties: Parties, sealer: Sealer
) -> APIRouter:
    """The receipt's route."""
    routes = APIRouter(tags=["Feeds"])

    @routes.get("/v1/receipts/{receipt}", response_model=Receipt, summary="How far a record got")
    async def read(request: Request, receipt: str) -> Receipt:
        """The receipt of one of your records: its state, and for a referral what each recipient did with it."""
        caller = access.caller(request)
        try:
            record_id = uuid.UUID(receipt)
        except ValueError:
            raise not_found() from None
        async with engine.connect() as connection:
            record = await statements.record(connection, record_id, caller.party.id)
            if record is None:
                raise not_found()
            events = await statements.events(connection, record_id)
        shown = [tell(event, refers(event, sealer), parties) for event in events]
        agency = adapters.get(record.agency)
        return _receipt(record, shown, restored(record.findings, agency.rules if agency else {}))

    return routes


def refers(event: EventRow, sealer: Sealer) -> bool:
    """Whether this event, or the one it takes back, opens a case. What cannot be read any more does not."""
    if event.wrapped is None or event.sealed is None or event.teller is None or event.teller_record is None:
        return False
    try:
        body = sealer.unwrap(event.teller_record, event.wrapped).open(event.teller, event.sealed)
        return decode(event.kind, body).opens_case
    except (Unreadable, UnknownKind, ValidationError):
        return False


def tell(event: EventRow, refers: bool, parties: Parties) -> EventTold:
    """What the sender of an event is told of it."""
    deliveries = [_delivery(one, event.kind, parties) for one in event.deliveries or ()] if refers else []
    held = [HoldTold(**one) for one in event.holds or ()] if refers else []
    decided = event.decision is not None
    # A settled or late event is decided by what its sender told, so its sender may know how.
    open_to_sender = refers or event.decision in ("suppressed", "superseded")
    return EventTold(
        event=event.id,
        kind=event.kind,
        change=event.change,
        supersedes=event.supersedes,
        occurred=event.occurred,
        due=(event.decision_due if decided else event.due) if open_to_sender or not decided else None,
        state=_state(event, open_to_sender, [*(one.state for one in deliveries), *("held" for _ in held)]),
        reason=event.reason if open_to_sender else None,
        owner=event.owner if open_to_sender else None,
        deliveries=deliveries,
        held=held,
    )


def _state(event: EventRow, open_to_sender: bool, states: Sequence[str]) -> str:
    if event.decision is None:
        return "validated"
    if not open_to_sender:
        return "routed"
    if event.decision != "decided":
        return event.decision
    return most_urgent(states) if states else "routed"


def _delivery(told: Mapping[str, object], kind: str, parties: Parties) -> DeliveryTold:
    one = DeliveryTold.model_validate({"area": None, **told})
    party = parties.party(one.recipient)
    shown = SHOWN.get(kind.partition(".")[0], FIRST)
    results = [
        # The area a recipient suggests is about where the person lives, which is not for every sender.
        result.model_copy(update={"code": result.code if result.result is Result.REJECTED else None})
        for result in one.results
        if result.result in shown
    ]
    return one.model_copy(update={"area": party.area if party else None, "results": results})


def _receipt(record: RecordRow, events: list[EventTold], findings: list[dict[str, str]]) -> Receipt:
    links = {"self": f"/v1/receipts/{record.id}"}
    if record.file_id is not None:
        links["file"] = f"/v1/files/{record.file_id}"
    return Receipt(
        receipt=record.id,
        agency=record.agency,
        received=record.received,
        state=most_urgent(event.state for event in events) if events else word(record.state),
        reason=record.reason,
        owner=record.owner,
        due=record.due,
        repeats=record.repeats,
        findings=[FindingTold(**one) for one in findings],
        events=events,
        links=links,
    )
