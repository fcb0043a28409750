"""What an event tells about where a person lives or is held, reduced to districts, dates and flags.

Evidence outlives the record it came from, so it holds no postcode, no address and no number. What may be told later
of a stay (prison, expected release) is kept beside it, sealed with a key of its own, so that it stays when the
record's content is purged, and goes when the person is erased.
"""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from gateway.ids import derived_id
from schemas.base import AddressClaim, AddressKind, Event, Standing
from schemas.care import EndReason, RegistrationEnded, SelfReferred
from schemas.custody import CustodyEvent
from schemas.imprisonment import (
    AtLarge,
    DatesChanged,
    Died,
    ImprisonmentEvent,
    Merged,
    Released,
    StatusChanged,
)
from schemas.places import Places

CUSTODY = "custody"
"""Seen in a custody suite."""
IMPRISONMENT = "imprisonment"
"""A prison holds the person."""
CONTACT = "contact"
"""Asked for help themselves, at a LASARS."""
SIGHTING = "sighting"
"""A prison changed something about the person, and so seemed to hold them; weaker than a movement."""
RELEASE = "release"
"""Nobody holds the person any longer: released, at large, or dead."""

NO_FIXED_ABODE = "no_fixed_abode"
CONFIRMED = "confirmed"
INSTITUTION = "institution"
DETAILED = "detailed"
"""A sealed detail of the stay is kept under this evidence's id."""
DATED = "dated"
"""That detail tells release dates."""


@dataclass(slots=True)
class Evidence:
    """One thing one source said, reduced.

    kind: an AddressKind, or one of the five above. authority: the local authority district, None where it is not known.
    fact: keyed hash of the fact it comes from. start, end: of the address, as the source dates it. occurred: when the
    source says it was so. known: when it reached us.
    """

    id: uuid.UUID
    person_id: uuid.UUID
    event_id: uuid.UUID
    fact: bytes
    kind: str
    authority: str | None
    flags: frozenset[str]
    start: date | None
    end: date | None
    occurred: datetime
    known: datetime
    withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """Which event of which fact of which agency says it, of whom, and when we came to know."""

    event_id: uuid.UUID
    agency: str
    fact: bytes
    person_id: uuid.UUID
    known: datetime


Reduced = tuple[Evidence, dict[str, Any] | None]
"""Evidence, and the detail of the stay that is kept sealed beside it, if it tells one."""


def reduce(event: Event, source: Source, places: Places, namespace: uuid.UUID) -> Iterator[Reduced]:
    """Everything this event tells about where its person lives or is held.

    The ids follow the event, so that reading it again (with better places) finds the same evidence.
    """
    at = event.occurred.at
    on = at.date()

    def evidence(kind: str, authority: str | None, flags: set[str], claim: AddressClaim | None = None) -> Evidence:
        return Evidence(
            id=derived_id(namespace, f"evidence|{source.event_id}|{number}"),
            person_id=source.person_id,
            event_id=source.event_id,
            fact=source.fact,
            kind=kind,
            authority=authority,
            flags=frozenset(flags),
            start=claim.start if claim else None,
            end=claim.end if claim else None,
            occurred=at,
            known=source.known,
        )

    number = 0
    for claim in event.person.addresses:
        if claim.postcode is None and not claim.no_fixed_abode:
            continue  # an address without a postcode that can be read says nothing we can use
        number += 1
        authority = places.authority_of(claim.postcode, on) if claim.postcode else None
        yield evidence(claim.kind, authority, _flags(claim, places), claim), None
    number = 0
    where = _whereabouts(event, on, places)
    if where is not None:
        kind, authority = where
        detail = _detail(event)
        flags = {DETAILED} if detail else set()
        if detail and not detail.keys().isdisjoint({"expected_release", "confirmed_release"}):
            flags.add(DATED)
        yield evidence(kind, authority, flags), {"agency": source.agency, **detail} if detail else None


def _flags(claim: AddressClaim, places: Places) -> set[str]:
    flags = set()
    if claim.no_fixed_abode:
        flags.add(NO_FIXED_ABODE)
    if claim.confirmed:
        flags.add(CONFIRMED)
    if claim.kind is AddressKind.INSTITUTION or (claim.postcode and places.is_institution(claim.postcode)):
        flags.add(INSTITUTION)
    return flags


def _whereabouts(event: Event, on: date, places: Places) -> tuple[str, str | None] | None:
    """Custody forms are filled where the person is; what became of an appointment is not."""
    match event:
        case CustodyEvent():
            if event.standing is not Standing.REFERRAL:
                return None
            holding = places.holding_of_suite(event.suite.force, event.suite.station, on)
            return CUSTODY, holding.authority if holding else None
        case SelfReferred():
            return CONTACT, places.authority_within(event.taken_at, on)
        case Merged():
            return None
        case Released() | AtLarge() | Died():
            return RELEASE, None
        case RegistrationEnded(reason=EndReason.DIED):
            return RELEASE, None  # the dead are held nowhere, whoever tells of it
        case ImprisonmentEvent():
            holding = places.holding_of_prison(event.prison, on) if event.prison else None
            kind = SIGHTING if isinstance(event, DatesChanged | StatusChanged) else IMPRISONMENT
            return kind, holding.authority if holding else None
    return None


def _detail(event: Event) -> dict[str, Any] | None:
    if not isinstance(event, ImprisonmentEvent) or isinstance(event, Released | AtLarge | Died):
        return None
    dates = getattr(event, "dates", None)
    told = {
        "prison": event.prison,
        "legal_status": getattr(event, "legal_status", None),
        "expected_release": dates.expected if dates else None,
        "confirmed_release": dates.confirmed if dates else None,
    }
    return {name: value for name, value in told.items() if value is not None} or None
