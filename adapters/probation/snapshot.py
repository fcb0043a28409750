"""What a case adds to an event: who it is, where they live, who supervises them."""

import re
from collections.abc import Iterator

from adapters import claims
from adapters.base import Finding
from adapters.local_time import LONDON, day_moment
from adapters.probation import codes, rules
from adapters.probation.codes import Codes, Lodging
from adapters.probation.record import Record, merged_into
from adapters.probation.wire import Address, Manager, Snapshot
from schemas.base import AddressClaim, AddressKind, Fact, Moment, Name, Person, Sex
from schemas.identifiers import Identifier, Scheme, parse
from schemas.supervision import AddressChanged

_REGION = re.compile(r"[A-Z0-9]{1,6}", re.ASCII)


def person_of(record: Record, found: list[Finding]) -> Person:
    """The person as probation knows them, without where they live."""
    snapshot = record.snapshot
    if snapshot is None:
        return Person(identifiers=(parse(Scheme.CRN, record.crn).identifier, *_noms_of_the_event(record, found)))
    own = snapshot.other_ids
    numbers = [claims.identifier(Scheme.CRN, own.crn, "snapshot.otherIds.crn", found)]
    for scheme, raw, field in (
        (Scheme.NOMS, own.noms_number, "nomsNumber"),
        (Scheme.PNC, own.pnc_number, "pncNumber"),
        (Scheme.CRO, own.cro_number, "croNumber"),
        (Scheme.NINO, own.ni_number, "niNumber"),
    ):
        if raw is not None:
            numbers.append(claims.identifier(scheme, raw, f"snapshot.otherIds.{field}", found))
    if own.noms_number is None:
        numbers.extend(_noms_of_the_event(record, found))
    numbers.extend(parse(Scheme.FORMER_CRN, crn).identifier for crn in merged_into(snapshot))
    return Person(
        identifiers=tuple(numbers),
        name=name(snapshot.first_name, snapshot.middle_names, snapshot.surname, "snapshot.surname", found),
        aliases=tuple(
            written
            for number, alias in enumerate(snapshot.offender_aliases)
            if (
                written := name(
                    alias.first_name,
                    alias.middle_names,
                    alias.surname,
                    f"snapshot.offenderAliases.{number}.surname",
                    found,
                )
            )
        ),
        date_of_birth=claims.birth(snapshot.date_of_birth, "snapshot.dateOfBirth", found),
        sex=sex(snapshot.gender, "snapshot.gender", found),
    )


def _noms_of_the_event(record: Record, found: list[Finding]) -> Iterator[Identifier]:
    for number in record.event.identifiers("NOMS"):
        yield claims.identifier(Scheme.NOMS, number, "personReference.identifiers", found)


def name(
    first: str | None, middle: tuple[str, ...], surname: str | None, field: str, found: list[Finding]
) -> Name | None:
    """A name in one piece per half, as the source spells it; None without a surname."""
    if surname is None:
        return None
    forenames = " ".join(part for part in (first, *middle) if part) or None
    return claims.name(Name(forenames=forenames, surname=surname), field, found)


def sex(gender: str | None, field: str, found: list[Finding]) -> Sex | None:
    """The sex Delius describes, or None where it says nothing we know."""
    if gender is None:
        return None
    meaning = codes.GENDERS.get(gender.casefold())
    if meaning is None:
        found.append(Finding(rules.GENDER_NOT_MAPPED, field))
    return meaning


def addresses_fact(record: Record, known: Codes, person: Person, found: list[Finding]) -> Fact | None:
    """Where the person lives as the case has it now: one fact, whatever event the case came with.

    None where the case says nothing of addresses. It happened on the last day on which an address began or ended, so
    that the same set told with another event is the same fact. Raises UnknownCode.
    """
    snapshot = record.snapshot
    if snapshot is None or "contact_details" not in snapshot.model_fields_set:
        return None
    addresses = tuple(
        claim
        for number, address in enumerate(snapshot.contact_details.addresses)
        if (claim := _claim(address, known, f"snapshot.contactDetails.addresses.{number}", found)) is not None
    )
    event = AddressChanged(
        occurred=_changed(record, addresses),
        person=person.model_copy(update={"addresses": addresses}),
        sensitivity=record.sensitivity,
    )
    key = f"probation:{record.crn}:addresses"
    return Fact(key, record.lane, event.kind, event, version=record.version, lasting=True)


def _changed(record: Record, addresses: tuple[AddressClaim, ...]) -> Moment:
    told = record.event.occurred_at.moment
    today = told.at.astimezone(LONDON).date()
    days = [day for one in addresses for day in (one.start, one.end) if day is not None and day <= today]
    return day_moment(max(days)) if days else told


def _claim(address: Address, known: Codes, field: str, found: list[Finding]) -> AddressClaim | None:
    """One address as a claim, or None for one that cannot have been. Raises UnknownCode."""
    if address.start and address.end and address.end < address.start:
        found.append(Finding(rules.ADDRESS_ENDS_BEFORE_START, field))
        return None
    place = claims.postcode(address.postcode, f"{field}.postcode", found)
    status = address.status.code
    kind = known.statuses[status] if status is not None else AddressKind.OTHER
    lives_there = status in codes.LIVED_AT
    lodging = _lodging(address.type.code, known, needed=lives_there)
    if lodging is Lodging.INSTITUTION:
        # Who left one, or is to go to one, is not held there; and it was no home, and will be none.
        kind = AddressKind.INSTITUTION if lives_there else AddressKind.OTHER
    said = address.no_fixed_abode or lodging is Lodging.NO_FIXED_ABODE
    no_fixed_abode = claims.homeless(place, said, field, found)
    return AddressClaim(
        kind=kind,
        lines=() if no_fixed_abode else _lines(address),
        postcode=place.value,
        no_fixed_abode=no_fixed_abode,
        start=address.start,
        end=address.end,
    )


def _lodging(code: str | None, known: Codes, *, needed: bool) -> Lodging:
    """What sort of place it is; a residence where nothing is told. Raises UnknownCode where it is needed to know."""
    if code is None or not (needed or code in known.types):
        return Lodging.RESIDENCE
    return known.types[code]


def _lines(address: Address) -> tuple[str, ...]:
    street = " ".join(part for part in (address.address_number, address.street_name) if part)
    lines = (address.building_name, street, address.district, address.town, address.county)
    return tuple(line for line in lines if line)


def manager_of(snapshot: Snapshot) -> Manager | None:
    """Who supervises the person now, or None where nobody does."""
    return next((one for one in snapshot.offender_managers if one.active and not one.soft_deleted), None)


def region_of(record: Record) -> str | None:
    """The region that supervises the person, as far as the record tells it in a form that is one."""
    manager = manager_of(record.snapshot) if record.snapshot is not None else None
    code = manager.probation_area.code if manager is not None else None
    return code if code is not None and _REGION.fullmatch(code) else None
