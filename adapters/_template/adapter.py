"""A template agency refers somebody for drug treatment.

A referral is known by its number at the provider that gave it, and counts its own versions.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from adapters import claims
from adapters._template import rules
from adapters._template.codes import SEXES, URGENCIES
from adapters._template.wire import Referral
from adapters.base import Adapter, Finding
from adapters.flat import Feed, Kind
from schemas.base import AddressClaim, AddressKind, Fact, Name, Person, Sensitivity
from schemas.care import Referred
from schemas.identifiers import Identifier, Scheme

NAME: Final = "_template"


def build(options: Mapping[str, str]) -> Adapter:
    """The feed of a template agency. It has no options: raises ValueError for any."""
    for option in options:
        raise ValueError(f"the {NAME} adapter has no option {option!r}")
    kinds: dict[str, Kind[Any]] = {"referral": Kind(Referral, lane, translate, impossible)}
    return Feed(NAME, rules.COMMON, "record_type", kinds, frozenset({"enquiry"})).adapter([rules.BORN_IN_THE_FUTURE])


def translate(record: Referral, found: list[Finding]) -> Fact:
    """Tell a referral, or that it was taken back. Raises UnknownCode."""
    event = Referred(
        occurred=record.referred_on.moment,
        person=person(record, found),
        sensitivity=frozenset({Sensitivity.HEALTH}),
        reference=record.reference,
        urgency=URGENCIES[record.urgency],
    )
    key = f"{NAME}:{record.provider}:{record.reference}"
    return Fact(key, lane(record), event.kind, event, version=record.record_version, withdrawn=record.withdrawn)


def lane(record: Referral) -> str:
    """The NHS number, where it is a right one, else the referral."""
    number = next((one.value for one in identifiers(record, []) if one.value), None)
    return f"NHS:{number}" if number else f"XX:{record.provider}/{record.reference}"


def identifiers(record: Referral, found: list[Finding]) -> tuple[Identifier, ...]:
    """What the person may be found by."""
    number = record.nhs_number
    return (claims.identifier(Scheme.NHS, number, "nhs_number", found),) if number is not None else ()


def person(record: Referral, found: list[Finding]) -> Person:
    """Who is referred, and where they say they live. Raises UnknownCode."""
    place = claims.postcode(record.postcode, "postcode", found)
    homeless = claims.homeless(place, record.no_fixed_abode, "no_fixed_abode", found)
    lines = (record.address,) if record.address is not None else ()
    home = AddressClaim(kind=AddressKind.DECLARED, lines=lines, postcode=place.value, no_fixed_abode=homeless)
    return Person(
        identifiers=identifiers(record, found),
        name=claims.name(Name(forenames=record.forenames, surname=record.surname), "surname", found),
        date_of_birth=claims.birth(record.date_of_birth, "date_of_birth", found),
        sex=SEXES[record.sex] if record.sex is not None else None,
        addresses=(home,) if lines or place.value or homeless else (),
    )


def impossible(record: Referral, received: datetime) -> Iterator[Finding]:
    """What is well formed and cannot be."""
    if record.date_of_birth > received.date():
        yield Finding(rules.BORN_IN_THE_FUTURE, "date_of_birth")
