"""A Jobcentre's referral: the minimum data of the department's provider guidance, in our own JSON.

The department's own channel to providers (PRaP) has no public format. Phone, e-mail and disability are among its
minimum data and are not read: the policy on who may see what names none of them.
"""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from pydantic import ValidationError

from adapters import claims, drift
from adapters.base import Accepted, Finding, Held, Ignored, Outcome, UnknownCode
from adapters.dwp import rules
from adapters.dwp.codes import SEXES, held_for
from adapters.dwp.rules import Faulty
from adapters.dwp.wire import Address, Referral, WithdrawnReferral, faults
from adapters.local_time import Told
from schemas.base import AddressClaim, AddressKind, Fact, Name, Person, Precision, Sensitivity
from schemas.benefits import JobcentreReferred
from schemas.identifiers import Identifier, Scheme, parse

SENT: Final = "dwp.referral.sent"
WITHDRAWN: Final = "dwp.referral.withdrawn"
KIND: Final = "benefits.referred"

_NAME = re.compile(r"dwp\.[a-z]{1,20}\.[a-z]{1,20}", re.ASCII)
"""The names there are of what PRaP carries (referrals, starts, outcomes, payments); nobody's own has this form."""

_VERSIONS: Final = frozenset({1, "1", "1.0"})
_OUTSIDE: Final = frozenset({"eventType", "version"})
"""What is read before the record's shape is known."""

_SLACK: Final = timedelta(days=1)
"""How far a Jobcentre's clock may run ahead before its referral is taken for a mistake."""


def read(told: Mapping[str, Any], received: datetime) -> Outcome:
    """Read a referral, or what takes one back; ignore what else the channel carries. Raises Faulty."""
    name = told["eventType"]
    if not isinstance(name, str) or _NAME.fullmatch(name) is None:
        raise Faulty([Finding(rules.KIND_UNKNOWN, "eventType")])
    if name not in (SENT, WITHDRAWN):
        return Ignored(name)
    version = told.get("version")
    if version is None:
        raise Faulty([Finding(rules.MISSING, "version")])
    if isinstance(version, bool | list | dict):
        raise Faulty([Finding(rules.MALFORMED, "version")])
    if version not in _VERSIONS:
        return Held("version_not_supported", (Finding(rules.VERSION_NOT_SUPPORTED, "version"),))
    return _sent(told, received) if name == SENT else _withdrawn(told)


def _sent(told: Mapping[str, Any], received: datetime) -> Outcome:
    if told.get("specialCustomerRecord") is True:  # whatever else is wrong with it, this is what has to be told
        raise Faulty([Finding(rules.SPECIAL_CUSTOMER, "specialCustomerRecord")])
    try:
        referral = Referral.model_validate(told)
    except ValidationError as error:
        raise Faulty(faults(error)) from None
    found = _impossible(referral, received)
    if found:
        raise Faulty(found)
    found = _clock_doubts(referral.referred_at)
    nino = claims.identifier(Scheme.NINO, referral.person.nino, "person.nino", found)
    try:
        event = JobcentreReferred(
            occurred=referral.referred_at.moment,
            person=_person(referral, nino, found),
            sensitivity=frozenset({Sensitivity.HEALTH, *((Sensitivity.MAPPA,) if referral.mappa else ())}),
            reference=referral.referral_id,
            provision=referral.provision_id,
            office=referral.office_code,
            mandated=referral.mandated,
            incident_marker=referral.incident_marker,
        )
    except UnknownCode as unknown:
        return held_for(unknown, tuple(found), _lane(referral, nino))
    fact = Fact(_key(referral), _lane(referral, nino), KIND, event, version=referral.record_version)
    return Accepted((fact,), (*found, *drift.besides(Referral, told, also=_OUTSIDE)))


def _withdrawn(told: Mapping[str, Any]) -> Accepted:
    try:
        referral = WithdrawnReferral.model_validate(told)
    except ValidationError as error:
        raise Faulty(faults(error)) from None
    lane = _lane(referral, parse(Scheme.NINO, referral.person.nino).identifier)
    fact = Fact(_key(referral), lane, KIND, None, version=referral.record_version, withdrawn=referral.reason)
    return Accepted((fact,), tuple(drift.besides(WithdrawnReferral, told, also=_OUTSIDE)))


def _key(referral: Referral | WithdrawnReferral) -> str:
    return f"dwp:referral:{referral.referral_id}"


def _lane(referral: Referral | WithdrawnReferral, nino: Identifier) -> str:
    """The lane of the person; of the referral alone, where the number may be shared by strangers."""
    return f"NINO:{nino.value}" if nino.value else f"DWP:REFERRAL:{referral.referral_id}"


def _impossible(referral: Referral, received: datetime) -> list[Finding]:
    """What is well formed and cannot be."""
    found = []
    if referral.referred_at.at > received + _SLACK:
        found.append(Finding(rules.MALFORMED, "referredAt", "more than a day from now"))
    if referral.person.date_of_birth is not None and referral.person.date_of_birth > received.date():
        found.append(Finding(rules.BORN_IN_THE_FUTURE, "person.dateOfBirth"))
    if referral.address is None and not referral.mappa:
        found.append(Finding(rules.ADDRESS_MISSING, "address"))
    return found


def _person(referral: Referral, nino: Identifier, found: list[Finding]) -> Person:
    """Whom it is about. Raises UnknownCode."""
    person = referral.person
    if referral.mappa and referral.address is not None:
        found.append(Finding(rules.PROTECTED_ADDRESS, "address"))
    return Person(
        identifiers=(nino,),
        name=claims.name(Name(forenames=person.forenames, surname=person.surname), "person.surname", found),
        date_of_birth=claims.birth(person.date_of_birth, "person.dateOfBirth", found),
        sex=SEXES[person.sex] if person.sex is not None else None,
        addresses=() if referral.address is None or referral.mappa else (_home(referral.address, found),),
    )


def _home(address: Address, found: list[Finding]) -> AddressClaim:
    place = claims.postcode(address.postcode, "address.postcode", found)
    homeless = claims.homeless(place, address.no_fixed_address, "address", found)
    return AddressClaim(
        kind=AddressKind.DECLARED,
        lines=() if homeless else address.lines,
        postcode=place.value,
        no_fixed_abode=homeless,
    )


def _clock_doubts(told: Told) -> list[Finding]:
    """What a local time left open."""
    doubts = []
    if told.zone_assumed and told.precision is not Precision.DAY:
        doubts.append(Finding(rules.ZONE_ASSUMED, "referredAt"))
    if told.doubt is not None:
        doubts.append(Finding(rules.CLOCK_CHANGE, "referredAt", told.doubt.value))
    return doubts
