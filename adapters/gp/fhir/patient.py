"""Whom a referral is about, and the organisations around them, as the message claims them."""

import re
from datetime import date
from typing import Final

from adapters import claims
from adapters.base import Finding
from adapters.gp.fhir import codes, rules
from adapters.gp.fhir.bundle import Bundle
from adapters.gp.fhir.wire import Address, Coding, HumanName, Organization, Patient, PractitionerRole, Reference
from adapters.gp.fhir.wire import Identifier as WireIdentifier
from adapters.local_time import read_day
from schemas.base import AddressClaim, AddressKind, Name, Person, Sensitivity
from schemas.care import Organisation
from schemas.identifiers import Identifier, Scheme

_PARTIAL: Final = re.compile(r"\d{4}(-(0[1-9]|1[0-2]))?", re.ASCII)
_CONFIDENTIALITY: Final = "Confidentiality"
"""How the address of that vocabulary ends, of which there are an old and a new one."""
_ODS: Final = re.compile(r"[A-Z0-9]{3,12}", re.ASCII)


def person_of(patient: Patient, today: date, found: list[Finding]) -> Person:
    """The person; a fault where nobody could be found by what is claimed. Raises UnknownCode for a gender or a use."""
    numbers = tuple(nhs_numbers(patient, found))
    name, aliases = _names(patient, found)
    born = _birth(patient.birth_date, today, found)
    if not any(number.value for number in numbers) and (name is None or born is None):
        found.append(Finding(rules.NOBODY, "Patient"))
    addresses = (_claim(one, f"Patient.address.{number}", found) for number, one in enumerate(patient.address))
    return Person(
        identifiers=numbers,
        name=name,
        aliases=aliases,
        date_of_birth=born,
        sex=codes.GENDERS[patient.gender] if patient.gender is not None else None,
        addresses=tuple(claim for claim in addresses if claim is not None),
    )


def nhs_numbers(patient: Patient, found: list[Finding]) -> list[Identifier]:
    """Every NHS number a patient is given, valid or not."""
    numbers = []
    for number, given in enumerate(patient.identifier):
        if not given.is_of("nhs-number") or given.value is None:
            continue
        field = f"Patient.identifier.{number}"
        claimed = claims.identifier(Scheme.NHS, given.value, field, found)
        numbers.append(claimed)
        if claimed.value is not None and not _verified(given):
            found.append(Finding(rules.NHS_NUMBER_NOT_VERIFIED, field))
    return numbers


def sensitivity_of(patient: Patient) -> frozenset[Sensitivity]:
    """A referral is health data; a patient whose whereabouts are protected is told without them. Raises UnknownCode."""
    restricted = {Sensitivity.LAO} if any(_protects(one) for one in patient.meta.security) else set()
    return frozenset({Sensitivity.HEALTH} | restricted)


def _protects(label: Coding) -> bool:
    """Whether a security label says that nobody may find the person. Raises UnknownCode.

    Labels of other vocabularies say how to handle a record; one of them counts only where it is the same mark.
    """
    mark = label.code or ""
    if label.system is None or label.system.endswith(_CONFIDENTIALITY):
        return codes.CONFIDENTIALITY[mark]
    return codes.CONFIDENTIALITY.get(mark, False)


def organisation_of(
    bundle: Bundle, reference: Reference | None, field: str, found: list[Finding]
) -> Organisation | None:
    """The organisation a reference points at, or names by its ODS code alone; None where it tells neither."""
    resource = bundle.find(reference, Organization, field)
    given = resource.identifier if resource is not None else ()
    if resource is None and reference is not None and reference.identifier is not None:
        given = (reference.identifier,)
    ods = _ods(given, field, found)
    name = resource.name if resource is not None else None
    return Organisation(ods=ods, name=name) if ods or name else None


def requester_of(bundle: Bundle, reference: Reference | None, found: list[Finding]) -> Organisation | None:
    """The organisation that refers: the requester itself, or where the requesting practitioner works, else the sender.

    The practitioner's own name is not told: a LASARS asks the practice.
    """
    field = "ServiceRequest.requester"
    role = bundle.find(reference, PractitionerRole, field)
    if role is None and reference is not None and reference.reference is not None:
        roles = bundle.every(PractitionerRole)
        role = next((one for one in roles if one.practitioner.reference == reference.reference), None)
    asking = role.organization if role is not None else reference
    return organisation_of(bundle, asking, field, found) or organisation_of(
        bundle, bundle.header.sender, "MessageHeader.sender", found
    )


def _verified(given: WireIdentifier) -> bool:
    said = [
        extension.value_codeable_concept.code_of("UKCore-NHSNumberVerificationStatus")
        for extension in given.extension
        if extension.value_codeable_concept is not None
    ]
    return codes.VERIFIED in said


def _names(patient: Patient, found: list[Finding]) -> tuple[Name | None, tuple[Name, ...]]:
    """The name a person goes by, and those they are or were also known by."""
    current: list[Name] = []
    other: list[Name] = []
    for number, written in enumerate(sorted(patient.name, key=lambda one: one.use != "official")):
        if written.family is None:
            found.append(Finding(rules.NAME_NOT_IN_PARTS, "Patient.name"))
            continue
        name = claims.name(_name(written.family, written), f"Patient.name.{number}", found)
        former = written.use in codes.FORMER_NAMES | codes.NICKNAMES
        (other if former or current else current).append(name)
    return (current[0] if current else None), tuple(other)


def _name(family: str, written: HumanName) -> Name:
    return Name(forenames=" ".join(written.given) or None, surname=family)


def _birth(written: str | None, today: date, found: list[Finding]) -> date | None:
    if written is None:
        return None
    if _PARTIAL.fullmatch(written):
        found.append(Finding(rules.BIRTH_DATE_PARTIAL, "Patient.birthDate"))
        return None
    day = read_day(written)
    if day is None or day > today:
        found.append(Finding(rules.MALFORMED if day is None else rules.BORN_IN_THE_FUTURE, "Patient.birthDate"))
        return None
    return claims.birth(day, "Patient.birthDate", found)


def _claim(address: Address, field: str, found: list[Finding]) -> AddressClaim | None:
    """An address as claimed. One without a use is a home: FHIR has a use only for what is something else as well."""
    start = _limit(address.period.start, f"{field}.period.start", found)
    end = _limit(address.period.end, f"{field}.period.end", found)
    if start is not None and end is not None and end < start:
        found.append(Finding(rules.ADDRESS_ENDS_BEFORE_START, field))
        return None
    kind = codes.ADDRESS_USES[address.use] if address.use is not None else AddressKind.DECLARED
    if address.type == codes.POSTAL and kind is AddressKind.DECLARED:
        kind = AddressKind.OTHER
    place = claims.postcode(address.postal_code, f"{field}.postalCode", found)
    homeless = claims.homeless(place, False, field, found)
    lines = (*address.line, *(part for part in (address.city, address.district) if part is not None))
    return AddressClaim(
        kind=kind,
        lines=() if homeless else lines,
        postcode=place.value,
        no_fixed_abode=homeless,
        start=start,
        end=end,
    )


def _limit(written: str | None, field: str, found: list[Finding]) -> date | None:
    """The day a period begins or ends; one known to the month or year alone bounds nothing."""
    if written is None or _PARTIAL.fullmatch(written):
        return None
    day = read_day(written[:10])
    if day is None:
        found.append(Finding(rules.MALFORMED, field))
    return day


def _ods(given: tuple[WireIdentifier, ...], field: str, found: list[Finding]) -> str | None:
    for identifier in given:
        if not identifier.is_of("ods-organization-code") or identifier.value is None:
            continue
        code = identifier.value.upper()
        if _ODS.fullmatch(code):
            return code
        found.append(Finding(rules.ODS_CODE_UNREADABLE, field))
    return None
