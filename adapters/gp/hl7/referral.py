"""A referral as HL7 v2 tells it: REF^I12 makes it, I13 changes it, I14 takes it back.

There is no UK national profile of REF: the fields are those of the standard (chapter 11), and what they leave open is
decided in contracts/inbound/gp. A referral is told as codes; notes (NTE) and observations (OBX) are not read.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Final

from adapters.base import Accepted, Finding
from adapters.gp.faulty import Faulty
from adapters.gp.hl7 import codes, rules
from adapters.gp.hl7.er7 import Hl7Message, Segment
from adapters.gp.hl7.patient import lane_of, needed_sender, organisation, patient_of, practice_of
from adapters.gp.hl7.times import SLACK, first_of, read_stamp
from schemas.base import Fact
from schemas.care import Organisation, Referred

KIND: Final = "care.referred"

_REASON = re.compile(r"[A-Za-z0-9.]{1,18}", re.ASCII)


def referral(message: Hl7Message, service: str, received: datetime, found: list[Finding]) -> Accepted:
    """What a referral to this service of ours tells.

    Raises Faulty, and UnknownCode for a value of a table that is not known.
    """
    rf1 = message.first("RF1")
    if rf1 is None:
        raise Faulty([Finding(rules.SEGMENT_MISSING, "RF1")])
    reference = rf1.get(6) or rf1.get(11)
    if not reference:
        raise Faulty([Finding(rules.FIELD_MISSING, "RF1-6")])
    event = message.event[1]
    sender = needed_sender(message)
    key = f"gp:referral:{sender}:{reference}"
    version = _version(message, received, found)
    follows = event != codes.REFERRED
    status = rf1.get(1).upper()
    withdrawn = "cancelled" if event == codes.CANCELLED else codes.LIVE[status] if status else None
    if withdrawn is not None:
        lane = lane_of(message) or f"REFERRAL:{sender}/{reference}"
        return Accepted((Fact(key, lane, KIND, None, version, withdrawn, follows=follows),), tuple(found))
    made = [("RF1-7", rf1.get(7)), ("RF1-9", rf1.get(9)), ("MSH-7", message.header.get(7))]
    occurred = first_of(made, received, found)
    patient = patient_of(message, received, found)
    urgency = rf1.get(2).upper()
    told = Referred(
        occurred=occurred,
        person=patient.person,
        sensitivity=patient.sensitivity,
        reference=reference,
        service=service,
        urgency=codes.URGENCIES[urgency] if urgency else None,
        reasons=tuple(dict.fromkeys(_reasons(message, rf1, found))),
        requester=organisation("", message.header.get(4), "MSH-4", found),
        practice=practice_of(message, found) or _primary_care(message, found),
    )
    fact = Fact(key, patient.lane, KIND, told, version, follows=follows)
    return Accepted((fact,), tuple(dict.fromkeys(found)))


def services_of(message: Hl7Message) -> Iterator[str]:
    """The services a referral names: whom it is referred to (PRD of role RT), else whom the message is for (MSH-6)."""
    asked = [prd for prd in message.every("PRD") if any(role.get() == codes.REFERRED_TO for role in prd.values(1))]
    for prd in asked:
        for identifier in (*prd.values(7), *prd.values(10)):
            yield from filter(None, (identifier.get(1), identifier.get(3)))
    if not asked:
        yield from filter(None, (message.header.get(6), message.header.get(6, 2)))


def _version(message: Hl7Message, received: datetime, found: list[Finding]) -> int | None:
    """When the message was made, in milliseconds: of two about one referral the later one stands.

    Raises Faulty for a time to come, which would make every later message an older one.
    """
    written = message.header.get(7)
    told = read_stamp(written)
    if written and told is None:
        found.append(Finding(rules.TIME_UNREADABLE, "MSH-7"))
    if told is not None and told.at > received + SLACK:
        raise Faulty([Finding(rules.IN_THE_FUTURE, "MSH-7")])
    return round(told.at.timestamp() * 1000) if told is not None else None


def _reasons(message: Hl7Message, rf1: Segment, found: list[Finding]) -> Iterator[str]:
    """Why the person is referred, as codes: the referral's own reasons (RF1-10), and its diagnoses (DG1-3)."""
    given = [("RF1-10", reason) for reason in rf1.values(10)]
    given += [("DG1-3", reason) for dg1 in message.every("DG1") for reason in dg1.values(3)]
    for field, reason in given:
        told = [
            f"{codes.TERMINOLOGIES[system]}:{code}"
            for code, system in ((reason.get(1), reason.get(3).upper()), (reason.get(4), reason.get(6).upper()))
            if system in codes.TERMINOLOGIES and _REASON.fullmatch(code)
        ]
        if not told:
            found.append(Finding(rules.REASON_NOT_CODED, field))
        yield from told


def _primary_care(message: Hl7Message, found: list[Finding]) -> Organisation | None:
    """The practice of the provider in the role of primary care."""
    for prd in message.every("PRD"):
        if any(role.get() == codes.PRIMARY_CARE for role in prd.values(1)):
            return organisation(prd.get(10), prd.get(10, 3) or prd.get(7), "PRD-7", found)
    return None
