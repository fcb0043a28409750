"""Who a custody record speaks of: claims as written, and what is wrong with them."""

from collections.abc import Iterable, Iterator

from adapters import claims
from adapters.base import Finding
from adapters.police_custody.wire import Detention, Form
from schemas.base import AddressClaim, AddressKind, Name, Person
from schemas.identifiers import Identifier, Scheme, parse

_NO_ABODE = frozenset({"NFA", "NO FIXED ABODE", "NO FIXED ADDRESS"})


def claimed(form: Form) -> tuple[Person, tuple[Finding, ...]]:
    """The person as the form has it, and a finding for whatever cannot be used."""
    findings: list[Finding] = []
    identifiers = [Identifier(scheme=Scheme.CUSTODY, raw=form.custody_number, value=custody_value(form))]
    for scheme, field, raw in (
        (Scheme.PNC, "pnc_id", form.pnc_id),
        (Scheme.CRO, "cro_number", form.cro_number),
        (Scheme.ASN, "asn", form.asn),
    ):
        if raw is not None:
            identifiers.append(claims.identifier(scheme, raw, field, findings))
    person = Person(
        identifiers=tuple(identifiers),
        name=claims.name(Name(forenames=form.forenames, surname=form.surname), "surname", findings),
        date_of_birth=claims.birth(form.date_of_birth, "date_of_birth", findings),
        sex=form.sex,
        addresses=tuple(_addresses(form, findings)),
    )
    return person, tuple(findings)


def custody_value(detention: Detention) -> str:
    """A custody number that is unique in the country: the force's code before it."""
    return f"{detention.force_code}/{detention.custody_number}"


def lane_of(detention: Detention) -> str:
    """The strongest identifier of a custody record: a PNC number that is one, else the custody number."""
    claimed = (parse(Scheme.PNC, detention.pnc_id).identifier,) if detention.pnc_id else ()
    return lane_by(claimed, custody_value(detention))


def lane_by(claimed: Iterable[Identifier], custody: str) -> str:
    """The same, of identifiers that are parsed already and the custody number that `custody_value` gives."""
    pnc = next((one.value for one in claimed if one.scheme is Scheme.PNC and one.value), None)
    return f"PNC:{pnc}" if pnc else f"CUSTODY:{custody}"


def _addresses(form: Form, findings: list[Finding]) -> Iterator[AddressClaim]:
    lines = tuple(line for line in (form.address_1, form.address_2, form.address_3, form.address_4) if line)
    place = claims.postcode(form.postcode, "postcode", findings)
    said = form.no_fixed_abode or bool(lines and lines[0].upper() in _NO_ABODE)
    homeless = claims.homeless(place, said, "no_fixed_abode", findings)
    if lines or place.value or homeless:
        yield AddressClaim(kind=AddressKind.DECLARED, lines=lines, postcode=place.value, no_fixed_abode=homeless)
