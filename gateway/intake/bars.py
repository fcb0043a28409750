"""The doors of the NHS Booking and Referral Standard: `POST /$process-message` and the read before a cancellation.

What is taken and committed is what the feed's own door takes; only how it is asked and answered is the standard's. It
asks one thing more: a referral is new once, and is changed or cancelled only while it is current.
"""

import base64
import binascii
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import orjson
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from adapters.base import Accepted, Adapter, Ignored, Message
from adapters.gp.fhir.bundle import JSON, XML
from adapters.gp.fhir.referral import TARGET, fact_key
from gateway import telemetry
from gateway.access.caller import Access
from gateway.clock import Clock
from gateway.failpoints import reach
from gateway.intake.chain import key_of
from gateway.intake.door import Limits, chunks, feed, media_type, not_too_busy, turned_away
from gateway.intake.entry import Clash
from gateway.intake.operation_outcome import MEDIA_TYPE, echoed
from gateway.intake.record import RecordRefused, RecordTaken, RecordTaker
from gateway.intake.told import record_clash, record_problem
from gateway.problems import (
    ALREADY_SENT,
    CONFLICT,
    MALFORMED,
    NOT_TAKEN_HERE,
    Fault,
    Problem,
    not_found,
)
from gateway.sealing import BlindIndex
from gateway.store import facts
from gateway.store.facts import Head, Standing
from schemas.base import Fact, facts_of

AGENCY: Final = "gp"
PROCESS_MESSAGE: Final = "/$process-message"
SERVICE_REQUEST: Final = "/ServiceRequest/{id}"

_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)
_TOKEN: Final = re.compile(r"[A-Za-z0-9.-]{1,64}", re.ASCII)
_ODS: Final = re.compile(r"[A-Z0-9]{3,12}", re.ASCII)
_LONGEST: Final = 4096
"""The longest header that is decoded, in characters."""

_MASKED: Final = {
    "extension": [
        {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "masked"},
    ]
}
"""In place of the patient, whom the reader knows and no answer need repeat."""


@dataclass(frozen=True, slots=True)
class Target:
    """The service a message was sent to: the system its id is of, and the id."""

    system: str
    value: str


@dataclass(frozen=True, slots=True)
class MessageDoor:
    """Takes one BaRS message: authenticated, bounded, translated, still current, committed, and only then answered."""

    access: Access
    adapters: Mapping[str, Adapter]
    taker: RecordTaker
    engine: AsyncEngine
    index: BlindIndex
    limits: Limits
    clock: Clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request. Raises Problem for every answer that is not an acceptance."""
        request = Request(scope, receive)
        try:
            caller = self.access.caller(request)
            adapter = feed(caller, AGENCY, self.adapters)
            request_id = _id(request, "x-request-id")
            _id(request, "x-correlation-id")
            target = _target(request)
            media = media_type(request, adapter.records & (JSON | XML))
            not_too_busy(self.taker.journal.waiting, self.limits)
            reach("I1")
            body = b"".join([chunk async for chunk in chunks(request, self.limits)])
        except Problem as problem:
            turned_away(self.taker.channel, self.adapters.get(AGENCY), problem.kind)
            raise
        reach("I2")
        message = Message(body, media, self.clock(), {TARGET: target.value})
        sender = caller.party.id

        async def objects(transport: bytes, outcome: Accepted) -> None:
            await self._still_current(sender, transport, outcome)

        trace = telemetry.traceparent(request.headers.get("traceparent"))
        became = await self.taker.take(sender, adapter, message, request_id, trace, objects)
        reach("I4")
        if isinstance(became, RecordRefused):
            raise record_problem(became)
        record_id = _taken(became)
        answer = _responded(record_id, request_id, target, message.received)
        headers = {"location": f"/v1/receipts/{record_id}", **echoed(request)}
        await Response(orjson.dumps(answer), 200, headers, MEDIA_TYPE)(scope, receive, send)

    async def _still_current(self, sender: str, transport: bytes, outcome: Accepted) -> None:
        for fact in outcome.facts:
            async with self.engine.connect() as connection:
                stands = await facts.standing(
                    connection,
                    sender=sender,
                    transport=transport,
                    fact=key_of(self.index, sender, fact.key),
                    lane=self.index.of("lane", fact.lane),
                )
            problem = objection(fact, stands, self.index.of("digest", facts_of(fact)))
            if problem is not None:
                raise problem


@dataclass(frozen=True, slots=True)
class ReferralDoor:
    """Answers how a referral stands that the caller sent: what the standard has a sender read before it cancels."""

    access: Access
    adapters: Mapping[str, Adapter]
    engine: AsyncEngine
    index: BlindIndex

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request. Raises Problem (404) for a referral of somebody else and one that there is not."""
        request = Request(scope, receive)
        caller = self.access.caller(request)
        feed(caller, AGENCY, self.adapters)
        reference: str = scope["path_params"]["id"]
        ods = _organisation(request)
        async with self.engine.connect() as connection:
            head = await facts.head(connection, key_of(self.index, caller.party.id, fact_key(ods, reference)))
        if head is None or _TOKEN.fullmatch(reference) is None:
            raise not_found()
        answer = Response(orjson.dumps(_read(reference, head)), 200, echoed(request), MEDIA_TYPE)
        await answer(scope, receive, send)


def objection(fact: Fact, stands: Standing, digest: bytes) -> Problem | None:
    """Why a referral must not be taken as things stand, or None.

    digest: keyed hash of what is told. A message that was sent before is the journal's to answer.
    """
    if stands.sent or fact.follows is None:
        return None
    head = stands.head
    if not fact.follows:
        if head is None:
            return None
        if head.digest == digest:
            return Problem(ALREADY_SENT, "This referral was sent as new before, with the same content.")
        return Problem(CONFLICT, "A referral with this id was sent before. Change it by a message of reason update.")
    if head is None:
        # What is held may be this very referral: it is told once it is translated, and its newer version wins.
        return None if stands.may_yet_be_told else not_found()
    if head.withdrawn:
        return Problem(CONFLICT, "The referral is not current any more: it was cancelled.")
    if fact.version is not None and head.version is not None and fact.version < head.version:
        return Problem(CONFLICT, "A newer version of the referral was sent before.")
    return None


def _taken(became: RecordTaken) -> uuid.UUID:
    """The receipt of a message that somebody acts on. Raises Problem for one that nobody does, or that came before."""
    taken = became.taken
    if isinstance(taken, Clash):
        raise record_clash(taken)
    headers = {"location": f"/v1/receipts/{taken.record_id}"}
    if isinstance(became.outcome, Ignored):
        raise Problem(NOT_TAKEN_HERE, f"It is of a kind that is not taken: {became.outcome.name}.", headers=headers)
    if taken.repeat:
        raise Problem(ALREADY_SENT, "The same message came before under this X-Request-Id.", headers=headers)
    return taken.record_id


def _responded(record_id: uuid.UUID, request_id: str, target: Target, received: datetime) -> dict[str, Any]:
    """The message that answers one: all is well. It repeats nothing of what it answers but the request's id.

    The standard's messages give their headers no id of their own, so the request's stands for it.
    """
    at = received.isoformat(timespec="milliseconds")
    header = {
        "resourceType": "MessageHeader",
        "id": str(record_id),
        "eventCoding": {
            "system": "https://fhir.nhs.uk/CodeSystem/message-events-bars",
            "code": "servicerequest-request",
        },
        "source": {"endpoint": f"{target.system}|{target.value}"},
        "response": {"identifier": request_id, "code": "ok"},
    }
    return {
        "resourceType": "Bundle",
        "id": str(record_id),
        "meta": {"lastUpdated": at, "profile": ["https://fhir.nhs.uk/StructureDefinition/BARSBundleMessage"]},
        "type": "message",
        "timestamp": at,
        "entry": [{"fullUrl": f"urn:uuid:{record_id}", "resource": header}],
    }


def _read(reference: str, head: Head) -> dict[str, Any]:
    """The referral as far as a cancellation needs it: its id, its version, and whether it is current."""
    resource: dict[str, Any] = {
        "resourceType": "ServiceRequest",
        "id": reference,
        "status": "revoked" if head.withdrawn else "active",
        "intent": "plan",
        "subject": _MASKED,
    }
    if head.version is not None:
        updated = datetime.fromtimestamp(head.version / 1000, UTC).isoformat(timespec="milliseconds")
        resource["meta"] = {"lastUpdated": updated}
    return resource


def _malformed(header: str, text: str) -> Problem:
    return Problem(MALFORMED, "A header cannot be used.", errors=[Fault("HTTP-003", header, text)])


def _id(request: Request, name: str) -> str:
    """A header that every message carries: a UUID, once."""
    values = request.headers.getlist(name)
    if len(values) != 1 or _UUID.fullmatch(values[0]) is None:
        raise _malformed(name, "Send it once, as a UUID.")
    return values[0].lower()


def _target(request: Request) -> Target:
    text = "Send the service as base64 of a JSON object with system and value."
    match _decoded(request, "nhsd-target-identifier", text):
        case {"system": str(system), "value": str(value)} if _short(system) and _short(value):
            return Target(system, value)
    raise _malformed("nhsd-target-identifier", text)


def _organisation(request: Request) -> str:
    """The ODS code of the organisation that asks."""
    text = "Send the organisation as base64 of a FHIR Organization with its ODS code."
    told = _decoded(request, "nhsd-end-user-organisation", text)
    identifiers = told.get("identifier") if isinstance(told, dict) else None
    for identifier in identifiers if isinstance(identifiers, list) else [identifiers]:
        match identifier:
            case {"system": str(system), "value": str(value)}:
                if system.casefold().endswith("/id/ods-organization-code") and _ODS.fullmatch(value.upper()):
                    return value.upper()
    raise _malformed("nhsd-end-user-organisation", text)


def _decoded(request: Request, name: str, text: str) -> Any:
    values = request.headers.getlist(name)
    if len(values) != 1 or len(values[0]) > _LONGEST:
        raise _malformed(name, text)
    try:
        return orjson.loads(base64.b64decode(values[0], validate=True))
    except (binascii.Error, ValueError):  # ValueError: not ASCII, or no JSON
        raise _malformed(name, text) from None


def _short(text: str) -> bool:
    return 1 <= len(text) <= 200 and text.isascii() and text.isprintable()
