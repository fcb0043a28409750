"""A person asked for help themselves, at whichever LASARS they came to: it goes to the one of their home.

The LASARS that took it is the first contact. It acts for the person until home is known, and hears on its receipt what
the home LASARS answered; it never becomes home by having been asked.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

import orjson
from pydantic import ValidationError

from adapters import claims, drift
from adapters.base import Accepted, Adapter, Finding, Held, Ignored, Message, Outcome, Refused, UnknownCode
from adapters.local_time import Told
from adapters.self_referral import rules
from adapters.self_referral.codes import SEXES, SUBSTANCES
from adapters.self_referral.wire import Address, SelfReferral, WithdrawnSelfReferral, faults
from schemas.base import AddressClaim, AddressKind, Fact, Name, Person, Precision, Sensitivity
from schemas.care import Contact, SelfReferred
from schemas.identifiers import Identifier, Scheme

NAME: Final = "self_referral"
TAKEN: Final = "self-referral.taken"
WITHDRAWN: Final = "self-referral.withdrawn"
KIND: Final = "care.self-referred"

SENDERS_AREA: Final = "area"
"""The message's attribute that says whose LASARS sends it, where the door knows."""

_NAME = re.compile(r"self-referral\.[a-z]{1,20}", re.ASCII)
_VERSIONS: Final = frozenset({1, "1", "1.0"})
_OUTSIDE: Final = frozenset({"eventType", "version"})
"""What is read before the record's shape is known."""

_SLACK: Final = timedelta(days=1)
_LONGEST: Final = 64 * 1024
_PRINTABLE = re.compile(r"[a-z_]{1,24}", re.ASCII)


def build(options: Mapping[str, str]) -> Adapter:
    """The feed of self-referrals. It has no options: raises ValueError for any."""
    for option in options:
        raise ValueError(f"the self_referral adapter has no option {option!r}")
    return Adapter(name=NAME, read=read, rules=rules.RULES, records=frozenset({"application/json"}))


def read(message: Message) -> Outcome:
    """Read one self-referral, or what takes one back; ignore what else is said of them."""
    told = _object(message.body)
    if isinstance(told, Finding):
        return Refused((told,))
    name, version = told.get("eventType"), told.get("version")
    if not isinstance(name, str) or _NAME.fullmatch(name) is None:
        return Refused((Finding(rules.KIND_UNKNOWN, "eventType"),))
    if name not in (TAKEN, WITHDRAWN):
        return Ignored(name)
    if version is None or isinstance(version, bool | list | dict):
        return Refused((Finding(rules.MISSING if version is None else rules.MALFORMED, "version"),))
    if version not in _VERSIONS:
        return Held("version_not_supported", (Finding(rules.VERSION_NOT_SUPPORTED, "version"),))
    try:
        if name == WITHDRAWN:
            outcome = _withdrawn(WithdrawnSelfReferral.model_validate(told), message)
        else:
            outcome = _taken(SelfReferral.model_validate(told), message)
    except ValidationError as error:
        return Refused(tuple(faults(error)))
    if isinstance(outcome, Accepted):
        shape = WithdrawnSelfReferral if name == WITHDRAWN else SelfReferral
        outcome = replace(outcome, findings=(*outcome.findings, *drift.besides(shape, told, also=_OUTSIDE)))
    return outcome


def _object(body: bytes) -> dict[str, Any] | Finding:
    if len(body) > _LONGEST:
        return Finding(rules.NOT_JSON, "", "longer than 64 KiB")
    try:
        told = orjson.loads(body.removeprefix(b"\xef\xbb\xbf"))
    except ValueError:  # orjson's JSONDecodeError quotes nothing of the text; it is dropped all the same
        return Finding(rules.NOT_JSON, "")
    return told if isinstance(told, dict) else Finding(rules.NOT_JSON, "")


def _taken(asked: SelfReferral, message: Message) -> Outcome:
    wrong = [*_elsewhere(asked, message), *_impossible(asked, message.received)]
    if wrong:
        return Refused(tuple(wrong))
    found = _clock_doubts(asked.taken_on)
    identifiers: tuple[Identifier, ...] = ()
    if asked.person.nhs_number is not None:
        identifiers = (claims.identifier(Scheme.NHS, asked.person.nhs_number, "person.nhsNumber", found),)
    lane = _lane(asked, identifiers)
    try:
        event = SelfReferred(
            occurred=asked.taken_on.moment,
            person=_person(asked, identifiers, found),
            sensitivity=frozenset({Sensitivity.HEALTH}),
            reference=asked.reference,
            taken_at=asked.taken_at,
            substances=tuple(dict.fromkeys(SUBSTANCES[substance] for substance in asked.substances)),
            stated_area=asked.stated_area,
            contact=_contact(asked),
        )
    except UnknownCode as unknown:
        detail = unknown.code if _PRINTABLE.fullmatch(unknown.code) else "not the form of a code"
        return Held("code_not_mapped", (*found, Finding(rules.CODE_NOT_MAPPED, unknown.table, detail)), lane)
    fact = Fact(_key(asked), lane, KIND, event, version=asked.record_version)
    return Accepted((fact,), tuple(found))


def _withdrawn(taken_back: WithdrawnSelfReferral, message: Message) -> Outcome:
    wrong = _elsewhere(taken_back, message)
    if wrong:
        return Refused(tuple(wrong))
    fact = Fact(
        key=_key(taken_back),
        lane=_lane(taken_back, ()),
        kind=KIND,
        event=None,
        version=taken_back.record_version,
        withdrawn=taken_back.reason,
    )
    return Accepted((fact,))


def _key(asked: SelfReferral | WithdrawnSelfReferral) -> str:
    """A reference is unique at the LASARS that gave it, and nowhere else."""
    return f"{NAME}:{asked.taken_at}:{asked.reference}"


def _lane(asked: SelfReferral | WithdrawnSelfReferral, identifiers: tuple[Identifier, ...]) -> str:
    number = next((one.value for one in identifiers if one.value), None)
    return f"NHS:{number}" if number else f"SELF:{asked.taken_at}/{asked.reference}"


def _elsewhere(asked: SelfReferral | WithdrawnSelfReferral, message: Message) -> list[Finding]:
    """A fault where one LASARS says that another took it: whoever took it holds the person until home is known."""
    senders = message.attributes.get(SENDERS_AREA, asked.taken_at)
    return [] if senders == asked.taken_at else [Finding(rules.TAKEN_ELSEWHERE, "takenAt")]


def _impossible(asked: SelfReferral, received: datetime) -> list[Finding]:
    """What is well formed and cannot be."""
    found = []
    if asked.taken_on.at > received + _SLACK:
        found.append(Finding(rules.IN_THE_FUTURE, "takenOn"))
    if asked.person.date_of_birth > received.date():
        found.append(Finding(rules.BORN_IN_THE_FUTURE, "person.dateOfBirth"))
    if asked.address is None and asked.contact.phone is None and asked.contact.email is None:
        found.append(Finding(rules.NO_WAY_BACK, "contact"))
    return found


def _person(asked: SelfReferral, identifiers: tuple[Identifier, ...], found: list[Finding]) -> Person:
    """Who asks. Raises UnknownCode."""
    person = asked.person
    return Person(
        identifiers=identifiers,
        name=claims.name(Name(forenames=person.forenames, surname=person.surname), "person.surname", found),
        date_of_birth=claims.birth(person.date_of_birth, "person.dateOfBirth", found),
        sex=SEXES[person.sex] if person.sex is not None else None,
        addresses=(_home(asked.address, found),) if asked.address is not None else (),
    )


def _home(address: Address, found: list[Finding]) -> AddressClaim:
    place = claims.postcode(address.postcode, "address.postcode", found)
    homeless = claims.homeless(place, address.no_fixed_address, "address", found)
    return AddressClaim(kind=AddressKind.DECLARED, lines=address.lines, postcode=place.value, no_fixed_abode=homeless)


def _contact(asked: SelfReferral) -> Contact | None:
    if asked.contact.phone is None and asked.contact.email is None:
        return None
    return Contact(phone=asked.contact.phone, email=asked.contact.email)


def _clock_doubts(told: Told) -> list[Finding]:
    """What a local time left open."""
    doubts = []
    if told.zone_assumed and told.precision is not Precision.DAY:
        doubts.append(Finding(rules.ZONE_ASSUMED, "takenOn"))
    if told.doubt is not None:
        doubts.append(Finding(rules.CLOCK_CHANGE, "takenOn", told.doubt.value))
    return doubts
