"""Whom and where a custody record speaks of: claims as written, and what is wrong with them."""

from typing import Any, Final, NamedTuple

from adapters import claims
from adapters.base import Finding
from adapters.police_custody.wire import Detention
from schemas.base import AddressKind, Name, Person
from schemas.custody import Suite
from schemas.identifiers import Scheme, parse

_NO_ABODE: Final = frozenset({"NFA", "NO FIXED ABODE", "NO FIXED ADDRESS"})


class Subject(NamedTuple):
    """Whom and where every form of a record speaks of.

    trigger_offence: whether the arrest or charge was for one, where that is told. custody: a custody number that is
    unique in the country, the force's code before it. lane: as `Fact.lane`.
    findings: what in the claims cannot be used.
    """

    person: Person
    suite: Suite
    trigger_offence: bool | None
    custody: str
    lane: str
    findings: tuple[Finding, ...]


def subject_of(detention: Detention) -> Subject:
    """The person and the custody suite as the detention has them."""
    findings: list[Finding] = []
    custody = f"{detention.force_code}/{detention.custody_number}"
    identifiers: list[Any] = [{"scheme": Scheme.CUSTODY, "raw": detention.custody_number, "value": custody}]
    pnc: str | None = None
    if detention.pnc_id is not None:
        identifiers.append(one := claims.identifier(Scheme.PNC, detention.pnc_id, "pnc_id", findings))
        pnc = one.value
    if detention.cro_number is not None:
        identifiers.append(claims.identifier(Scheme.CRO, detention.cro_number, "cro_number", findings))
    if detention.asn is not None:
        identifiers.append(claims.identifier(Scheme.ASN, detention.asn, "asn", findings))
    person = Person.model_validate(  # with its parts in one go: entering the library costs more than the parts do
        {
            "identifiers": identifiers,
            "name": claims.name(Name(forenames=detention.forenames, surname=detention.surname), "surname", findings),
            "date_of_birth": claims.birth(detention.date_of_birth, "date_of_birth", findings),
            "sex": detention.sex,
            "addresses": _addresses(detention, findings),
        }
    )
    suite = Suite(force=detention.force_code, station=detention.station_code)
    return Subject(person, suite, detention.trigger_offence, custody, _lane(pnc, custody), tuple(findings))


def lane_of(force_code: str, custody_number: str, pnc_id: str | None) -> str:
    """The strongest identifier of a custody record: a PNC number that is one, else the custody number."""
    pnc = parse(Scheme.PNC, pnc_id).identifier.value if pnc_id else None
    return _lane(pnc, f"{force_code}/{custody_number}")


def _lane(pnc: str | None, custody: str) -> str:
    return f"PNC:{pnc}" if pnc else f"CUSTODY:{custody}"


def _addresses(detention: Detention, findings: list[Finding]) -> list[dict[str, object]]:
    written = (detention.address_1, detention.address_2, detention.address_3, detention.address_4)
    lines = tuple(line for line in written if line)
    place = claims.postcode(detention.postcode, "postcode", findings)
    said = detention.no_fixed_abode or bool(lines and " ".join(lines[0].upper().split()) in _NO_ABODE)
    homeless = claims.homeless(place, said, "no_fixed_abode", findings)
    if not (lines or place.value or homeless):
        return []
    return [{"kind": AddressKind.DECLARED, "lines": lines, "postcode": place.value, "no_fixed_abode": homeless}]
