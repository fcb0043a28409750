"""HL7 v2 messages as care events: referrals (REF^I12 to I14), and who lives where (ADT^A04, A08, A28, A31)."""

import re
from datetime import datetime
from typing import Final

from adapters.base import Accepted, Finding, Held, Ignored, Message, Outcome, Refused, UnknownCode
from adapters.gp.faulty import Faulty
from adapters.gp.hl7 import codes, rules
from adapters.gp.hl7.er7 import Hl7Message, Unreadable, open_message
from adapters.gp.hl7.patient import identification, is_dead, lane_of, patient_of, practice_of, sender_of, tells_address
from adapters.gp.hl7.referral import referral, services_of
from adapters.gp.hl7.times import first_of
from adapters.gp.services import Services
from schemas.base import Event, Fact
from schemas.care import EndReason, Registration, RegistrationChanged, RegistrationEnded

_VERSION = re.compile(r"2(\.[1-9](\.[1-9])?)?", re.ASCII)
_CODE = re.compile(r"[A-Z]{3}", re.ASCII)
_EVENT = re.compile(r"[A-Z][0-9]{2}", re.ASCII)
_PRINTABLE: Final = re.compile(r"[A-Za-z0-9]{1,4}", re.ASCII)


def read_hl7(services: Services, message: Message) -> Outcome:
    """Read one message. What is not ours is ignored before anything of its patient is read."""
    try:
        opened = open_message(message.body)
    except Unreadable as unreadable:
        return Refused((unreadable.finding,))
    code, event = opened.event
    if not code:
        return Refused((Finding(rules.FIELD_MISSING, "MSH-9"),))
    purpose = opened.header.get(11).upper()
    if (unmeant := codes.PURPOSES.get(purpose)) is not None:
        return Ignored(f"hl7.{unmeant}")
    ours = event in {"ADT": codes.DEMOGRAPHICS, "REF": codes.REFERRALS}.get(code, ())
    if not ours:
        return Ignored(_name(code, event))
    found: list[Finding] = []
    try:
        if code == "REF":
            named = tuple(services_of(opened))
            if not named:  # it could be to one of ours, as a cancellation that repeats nothing
                return Refused((Finding(rules.SERVICE_MISSING, "PRD-7"),))
            if (service := services.ours(named)) is None:
                return Ignored(f"hl7.REF.{event}.another-service")
            return _unfamiliar(opened) or referral(opened, service, message.received, found)
        return _unfamiliar(opened) or _demographics(opened, message.received, found)
    except Faulty as faulty:
        return Refused(faulty.findings)
    except UnknownCode as unknown:
        value = unknown.code if _PRINTABLE.fullmatch(unknown.code) else "not the form of a code"
        unmapped = Finding(rules.VALUE_NOT_MAPPED, unknown.table.removeprefix("gp."), value)
        return Held("code_not_mapped", (*found, unmapped), lane_of(opened))


def _name(code: str, event: str) -> str:
    """What a kind of message that is not ours is counted under. Whatever is no code of the standard has one name."""
    if _CODE.fullmatch(code) is None or (event and _EVENT.fullmatch(event) is None):
        return "hl7.other"
    named = ".".join(("hl7", code, *((event,) if event else ())))
    return f"{named}.merge" if code == "ADT" and event in codes.MERGES else named


def _unfamiliar(message: Hl7Message) -> Held | None:
    """Held where the message is of a version that nobody has looked at. Raises UnknownCode for such a purpose."""
    codes.PURPOSES[message.header.get(11).upper()]
    version = message.header.get(12)
    if not version or _VERSION.fullmatch(version):
        return None
    return Held("version_not_supported", (Finding(rules.VERSION_NOT_TAKEN, "MSH-12"),), lane_of(message))


def _demographics(message: Hl7Message, received: datetime, found: list[Finding]) -> Outcome:
    """Where a person lives, or that they died; a message that tells neither is ignored by name."""
    pid = identification(message)
    died = is_dead(pid)
    if not died and not tells_address(pid):
        return Ignored(f"hl7.ADT.{message.event[1]}.no-address")
    evn = message.first("EVN")
    stamps = [("EVN-6", evn.get(6)), ("EVN-2", evn.get(2))] if evn is not None else []
    happened = first_of([*stamps, ("MSH-7", message.header.get(7))], received, found)
    patient = patient_of(message, received, found)
    event: Event
    if died:
        occurred = first_of([("PID-29", pid.get(29))], received, found) if pid.get(29) else happened
        event = RegistrationEnded(
            occurred=occurred,
            person=patient.person.model_copy(update={"addresses": ()}),
            sensitivity=patient.sensitivity,
            reason=EndReason.DIED,
            practice=practice_of(message, found),
        )
        about = "died"
    else:
        event = RegistrationChanged(
            occurred=happened,
            person=patient.person,
            sensitivity=patient.sensitivity,
            registration=Registration.AMENDED,
            practice=practice_of(message, found),
        )
        about = happened.at.isoformat()
    key = f"gp:registration:{sender_of(message)}:{patient.own}:{about}"
    # A death goes on being told with every later message: it is the same one, whatever time that message has.
    fact = Fact(key=key, lane=patient.lane, kind=event.kind, event=event, lasting=died)
    return Accepted((fact,), tuple(dict.fromkeys(found)))
