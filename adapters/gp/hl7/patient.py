"""Whom an HL7 v2 message is about (PID), as it claims them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from adapters import claims
from adapters.base import Finding
from adapters.gp.faulty import Faulty
from adapters.gp.hl7 import codes, rules
from adapters.gp.hl7.er7 import Hl7Message, Segment, Value
from adapters.gp.hl7.times import read_birth, read_stamp
from adapters.local_time import LONDON
from schemas.base import AddressClaim, Name, Person, Sensitivity
from schemas.care import Organisation
from schemas.identifiers import Identifier, Scheme

_ODS: Final = re.compile(r"[A-Z0-9]{3,12}", re.ASCII)
_NO_ABODE = frozenset({"NFA", "NO FIXED ABODE", "NO FIXED ADDRESS"})


@dataclass(frozen=True, slots=True)
class Patient:
    """The person of a message. own: what tells them from others at their sender. lane: of everything about them."""

    person: Person
    own: str
    lane: str
    sensitivity: frozenset[Sensitivity]


def identification(message: Hl7Message) -> Segment:
    """The one PID of a message. Raises Faulty where there is none, or more than one."""
    given = message.every("PID")
    if len(given) != 1:
        raise Faulty([Finding(rules.SEGMENT_STANDS_TWICE if given else rules.SEGMENT_MISSING, "PID")])
    return given[0]


def tells_address(pid: Segment) -> bool:
    """Whether PID-11 has anything of an address."""
    return any(address.get(part) for address in pid.values(11) for part in (1, 2, 3, 4, 5))


def is_dead(pid: Segment) -> bool:
    """Whether the message says that the person is dead: by its mark, else by a time of death. Raises UnknownCode."""
    mark = pid.get(30).upper()
    return codes.DEAD[mark] if mark else bool(pid.get(29))


def patient_of(message: Hl7Message, received: datetime, found: list[Finding]) -> Patient:
    """The person. Raises Faulty for one nobody can be found by, UnknownCode for a sex or address type not known."""
    pid = identification(message)
    numbers = tuple(_nhs_numbers(pid, found))
    name, aliases = _names(pid, found)
    born = _birth(pid.get(7), received, found)
    number = next((one.value for one in numbers if one.value), None)
    if number is None and (name is None or born is None):
        raise Faulty([Finding(rules.NOBODY, "PID-3"), *found])  # what was wrong with the number says why
    sex = pid.get(8).upper()
    person = Person(
        identifiers=numbers,
        name=name,
        aliases=aliases,
        date_of_birth=born,
        sex=codes.SEXES[sex] if sex else None,
        addresses=tuple(_addresses(pid, found)),
    )
    own = number or _local_number(pid) or _called(name, born)
    sender = needed_sender(message) if number is None else ""
    pd1 = message.first("PD1")
    protection = pd1.get(12).upper() if pd1 is not None else ""
    protected = bool(protection) and codes.PROTECTED[protection]
    return Patient(
        person=person,
        own=own,
        lane=f"NHS:{number}" if number else f"GP:{sender}:{own}",
        sensitivity=frozenset({Sensitivity.HEALTH} | ({Sensitivity.LAO} if protected else set())),
    )


def lane_of(message: Hl7Message) -> str | None:
    """The lane of the person a message is about, where it gives a valid NHS number."""
    pid = message.first("PID")
    number = next((one.value for one in _nhs_numbers(pid, []) if one.value), None) if pid is not None else None
    return f"NHS:{number}" if number else None


def sender_of(message: Hl7Message) -> str:
    """The facility a message comes from (MSH-4), with its universal id where it gives one; empty where it names none.

    Never the application (MSH-3): every customer of a product has the same.
    """
    return "^".join(filter(None, (message.header.get(4), message.header.get(4, 2))))


def needed_sender(message: Hl7Message) -> str:
    """The facility a message comes from, whose own numbers mean nothing without it. Raises Faulty where it names none.

    What brought the message does not stand in for it: a practice's messages come by several ways, and one referral
    must have one key by all of them.
    """
    sender = sender_of(message)
    if not sender:
        raise Faulty([Finding(rules.SENDER_MISSING, "MSH-4")])
    return sender


def organisation(name: str, code: str, field: str, found: list[Finding]) -> Organisation | None:
    """An organisation by the name and the code a message gives; a code that is no ODS code is left out."""
    ods: str | None = code.upper()
    if ods is not None and _ODS.fullmatch(ods) is None:
        if ods:
            found.append(Finding(rules.ORGANISATION_CODE_UNREADABLE, field))
        ods = None
    return Organisation(ods=ods, name=name or None) if ods or name else None


def practice_of(message: Hl7Message, found: list[Finding]) -> Organisation | None:
    """Where the person is registered: their primary facility (PD1-3)."""
    pd1 = message.first("PD1")
    if pd1 is None:
        return None
    return organisation(pd1.get(3), pd1.get(3, 10) or pd1.get(3, 3), "PD1-3", found)


def _nhs_numbers(pid: Segment, found: list[Finding]) -> Iterator[Identifier]:
    for given in pid.values(3):
        if given.get() and _is_nhs(given):
            yield claims.identifier(Scheme.NHS, given.get(), "PID-3", found)


def _is_nhs(given: Value) -> bool:
    authorities = {given.get(4).upper(), given.get(4, 2)}
    return bool(authorities & codes.NHS_AUTHORITIES) or given.get(5).upper() in codes.NHS_TYPES


def _local_number(pid: Segment) -> str:
    """The sender's own number of the person, with whose it is; empty where it gives none.

    An NHS number that is none is nobody's own: one that stands for an unknown number is shared by strangers.
    """
    given = next((one for one in pid.values(3) if one.get() and not _is_nhs(one)), None)
    return f"{given.get(4) or given.get(4, 2)}/{given.get()}" if given is not None else ""


def _called(name: Name | None, born: date | None) -> str:
    return f"{name.surname}:{name.forenames or ''}:{born}" if name is not None else f"{born}"


def _names(pid: Segment, found: list[Finding]) -> tuple[Name | None, tuple[Name, ...]]:
    """The name a person goes by, and those they are or were also known by (PID-5, and PID-9 of old versions)."""
    current: list[Name] = []
    other: list[Name] = []
    for field in (5, 9):
        for written in pid.values(field):
            kind = written.get(7).upper()
            if kind in codes.NO_NAMES or not any(written.get(part) for part in (1, 2, 3)):
                continue
            if not written.get(1):
                found.append(Finding(rules.FAMILY_NAME_MISSING, f"PID-{field}"))
                continue
            name = claims.name(_name(written), f"PID-{field}", found)
            former = field == 9 or kind in codes.ALIASES
            (other if former or current else current).append(name)
    return (current[0] if current else None), tuple(other)


def _name(written: Value) -> Name:
    return Name(forenames=" ".join(filter(None, (written.get(2), written.get(3)))) or None, surname=written.get(1))


def _birth(written: str, received: datetime, found: list[Finding]) -> date | None:
    if not written:
        return None
    try:
        day, partial = read_birth(written)
    except ValueError:
        raise Faulty([Finding(rules.FIELD_UNREADABLE, "PID-7")]) from None
    if partial:
        found.append(Finding(rules.BIRTH_DATE_PARTIAL, "PID-7"))
    if day is not None and day > received.date():
        raise Faulty([Finding(rules.BORN_IN_THE_FUTURE, "PID-7")])
    return claims.birth(day, "PID-7", found)


def _addresses(pid: Segment, found: list[Finding]) -> Iterator[AddressClaim]:
    for address in pid.values(11):
        kind = codes.ADDRESS_KINDS[address.get(7).upper()]
        start, end = _day(address.get(13) or address.get(12)), _day(address.get(14) or address.get(12, 2))
        if kind is None:
            continue
        if start is not None and end is not None and end < start:
            found.append(Finding(rules.ADDRESS_ENDS_BEFORE_START, "PID-11"))
            continue
        lines = tuple(filter(None, (address.get(part) for part in (1, 2, 3, 4))))
        place = claims.postcode(address.get(5), "PID-11", found)
        said = bool(lines) and lines[0].upper() in _NO_ABODE
        homeless = claims.homeless(place, said, "PID-11", found)
        if lines or place.value or homeless:
            yield AddressClaim(
                kind=kind,
                lines=() if homeless else lines,
                postcode=place.value,
                no_fixed_abode=homeless,
                start=start,
                end=end,
            )


def _day(written: str) -> date | None:
    """The day an address begins or ends; one that is not known to the day bounds nothing."""
    told = read_stamp(written)
    return told.at.astimezone(LONDON).date() if told is not None else None
