"""Who a custody record speaks of: claims as written, and what is wrong with them."""

from collections.abc import Iterable, Iterator
from datetime import date

from adapters.base import Finding
from adapters.police_custody.faults import found
from adapters.police_custody.wire import Detention, Form
from schemas.base import AddressClaim, AddressKind, Name, Person
from schemas.identifiers import Fault, Identifier, Scheme, parse
from schemas.postcodes import Pseudo, parse_postcode

PLACEHOLDER_BIRTHS = frozenset({date(1900, 1, 1), date(1970, 1, 1)})
"""Dates typed where the birth date is not known (hmpps-person-match drops both)."""

_NO_ABODE = frozenset({"NFA", "NO FIXED ABODE", "NO FIXED ADDRESS"})

_FAULTS = {Fault.CHECK_LETTER_WRONG: "CU-050", Fault.DUMMY: "CU-052"}
"""What else can be wrong with an identifier is its form (CU-051)."""


def claims(form: Form) -> tuple[Person, tuple[Finding, ...]]:
    """The person as the form has it, and a finding for whatever cannot be used."""
    findings: list[Finding] = []
    identifiers = [Identifier(scheme=Scheme.CUSTODY, raw=form.custody_number, value=custody_value(form))]
    for scheme, field, raw in (
        (Scheme.PNC, "pnc_id", form.pnc_id),
        (Scheme.CRO, "cro_number", form.cro_number),
        (Scheme.ASN, "asn", form.asn),
    ):
        if raw is not None:
            identifiers.append(identifier(scheme, field, raw, findings))
    birth: date | None = form.date_of_birth
    if birth in PLACEHOLDER_BIRTHS:
        findings.append(found("CU-056", "date_of_birth"))
        birth = None
    person = Person(
        identifiers=tuple(identifiers),
        name=Name(forenames=form.forenames, surname=form.surname),
        date_of_birth=birth,
        sex=form.sex,
        addresses=tuple(_addresses(form, findings)),
    )
    return person, tuple(findings)


def identifier(scheme: Scheme, field: str, raw: str, findings: list[Finding]) -> Identifier:
    """The identifier as claimed. One that is no good keeps what was written, without a value, and adds its finding."""
    parsed = parse(scheme, raw)
    if parsed.identifier.value is None and parsed.fault is not None:
        findings.append(found(_FAULTS.get(parsed.fault, "CU-051"), field, parsed.fault.value))
    return parsed.identifier


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
    postcode = None
    homeless = form.no_fixed_abode or bool(lines and lines[0].upper() in _NO_ABODE)
    if form.postcode is not None:
        read = parse_postcode(form.postcode)
        postcode = read.value
        homeless = homeless or read.pseudo is Pseudo.NO_FIXED_ABODE
        if read.fault is not None:
            findings.append(found("CU-054", "postcode", read.fault.value))
        if homeless and read.value is not None:
            findings.append(found("CU-055", "no_fixed_abode"))
    if lines or postcode or homeless:
        yield AddressClaim(kind=AddressKind.DECLARED, lines=lines, postcode=postcode, no_fixed_abode=homeless)
