"""What every agency claims of a person, read by one set of rules: the same fault has the same id at every door.

An adapter hands over what was written, the field it stood in, and the list its findings are gathered in:

    found: list[Finding] = []
    nhs = claims.identifier(Scheme.NHS, patient.nhs_number, "Patient.identifier", found)
    birth = claims.birth(patient.birth_date, "Patient.birthDate", found)
    name = claims.name(Name(forenames="Corin", surname="Ashdale"), "Patient.name", found)
    place = claims.postcode(address.postal_code, "Patient.address.postalCode", found)
    homeless = claims.homeless(place, address.said_no_fixed_abode, "Patient.address", found)
    claim = AddressClaim(kind=AddressKind.DECLARED, postcode=place.value, no_fixed_abode=homeless)

and names the rules beside its own: `Adapter(rules={**rules.RULES, **claims.RULES}, ...)`.

None of it refuses a record. An identifier that is wrong or stands for an unknown one keeps what was written and has no
value, so nobody is found by it; a birth date or a postcode that stands for an unknown one is left out; a name is told
exactly as it was written, whatever its script, and one that carries a mark is not matched on.
"""

from collections.abc import Mapping
from datetime import date
from typing import Final

from adapters.base import Finding, Level, Rule
from schemas import placeholders
from schemas.base import AddressClaim, AddressKind, Name
from schemas.identifiers import Fault, Identifier, Scheme, parse
from schemas.placeholders import Mark
from schemas.postcodes import Postcode, Pseudo, parse_postcode

_CORRECT = "Correct it at its source and send the record again."
_LEAVE_EMPTY = "Leave the field empty where it is not known."
_FILL_IN = "Leave the field empty, and send the record again once it is known: with a higher version, if it has one."
_NOTHING_TO_DO = "Nothing to do for this record."


def _warn(rule: str, sentence: str, fix: str) -> Rule:
    return Rule(rule, Level.WARN, sentence, fix)


CHECK_WRONG: Final = _warn(
    "ID-001", "The check letter or digit is wrong, so the identifier is kept and nobody is found by it", _CORRECT
)
FORM_WRONG: Final = _warn(
    "ID-002",
    "The identifier is not written as its kind of number is, so it is kept and nobody is found by it",
    _CORRECT,
)

DUMMY_ASN: Final = _warn(
    "ID-010", "The arrest summons number is one that stands for an unknown arrest; nobody is found by it", _LEAVE_EMPTY
)
DUMMY_PNC: Final = _warn(
    "ID-011",
    "The PNC number has the serial 0000000, which stands for an unknown one; nobody is found by it",
    _LEAVE_EMPTY,
)
DUMMY_CRO: Final = _warn(
    "ID-012",
    "The CRO number has the serial 000000, which stands for an unknown one; nobody is found by it",
    _LEAVE_EMPTY,
)
REPEATED_NHS: Final = _warn(
    "ID-013",
    "The NHS number is one digit repeated, which stands for an unknown one; nobody is found by it",
    _LEAVE_EMPTY,
)
DUMMY_NINO: Final = _warn(
    "ID-014",
    "The National Insurance number is PP999999P, which stands for an unknown one; nobody is found by it",
    _LEAVE_EMPTY,
)
ADMINISTRATIVE_NINO: Final = _warn(
    "ID-015",
    "The National Insurance number has a prefix offices use for themselves (OO, CR, FY, MW, NC, TN); nobody is found "
    "by it",
    _FILL_IN,
)
NINO_NEVER_ISSUED: Final = _warn(
    "ID-016", "The National Insurance number has a prefix that was never issued; nobody is found by it", _CORRECT
)

BORN_1900: Final = _warn("ID-020", "The birth date 1900-01-01 stands for an unknown one and was left out", _FILL_IN)
BORN_1970: Final = _warn("ID-021", "The birth date 1970-01-01 stands for an unknown one and was left out", _FILL_IN)

POSTCODE_NOT_ONE: Final = _warn("ID-030", "The postcode is not one and was left out", _CORRECT)
POSTCODE_UNKNOWN: Final = _warn(
    "ID-031", "The postcode NF1 1NF or NF1 1FA stands for an unknown one and was left out", _LEAVE_EMPTY
)
POSTCODE_NOT_KNOWN: Final = _warn(
    "ID-032", "The pseudo postcode ZZ99 3WZ says that no postcode is known; none was taken", _FILL_IN
)
POSTCODE_COUNTRY: Final = _warn(
    "ID-033", "The pseudo postcode (ZZ99) names a country and no place in it; none was taken", _FILL_IN
)
POSTCODE_NO_ABODE: Final = _warn("ID-034", "The pseudo postcode ZZ99 3VZ was read as no fixed abode", _NOTHING_TO_DO)
ABODE_CONTRADICTED: Final = _warn(
    "ID-035", "No fixed abode is said beside a postcode; no fixed abode was taken", "Send one or the other."
)

MARKED_MIG_ERROR: Final = _warn(
    "ID-040", "The name begins with MIG_ERROR_; it is told as written and nobody is found by it", _CORRECT
)
MARKED_NO_SHOW: Final = _warn(
    "ID-041", "The name begins with NO_SHOW_; it is told as written and nobody is found by it", _CORRECT
)
MARKED_DUPLICATE: Final = _warn(
    "ID-042",
    "The name begins with DUPLICATE_; it is told as written and nobody is found by it",
    "Send the record of the person that is not the duplicate.",
)
NAME_NOT_ENTERED: Final = _warn(
    "ID-043", "NOT ENTERED stands where a name should; it is told as written and nobody is found by it", _FILL_IN
)

FIRST_BIRTH: Final = date(1900, 1, 1)
"""Nobody alive was born before it, and nothing happened to anybody alive."""

_IDENTIFIER_FAULTS: Final[Mapping[tuple[Scheme, Fault], Rule]] = {
    (Scheme.ASN, Fault.DUMMY): DUMMY_ASN,
    (Scheme.PNC, Fault.DUMMY): DUMMY_PNC,
    (Scheme.CRO, Fault.DUMMY): DUMMY_CRO,
    (Scheme.NHS, Fault.REPEATED_DIGITS): REPEATED_NHS,
    (Scheme.NINO, Fault.DUMMY): DUMMY_NINO,
    (Scheme.NINO, Fault.ADMINISTRATIVE_PREFIX): ADMINISTRATIVE_NINO,
    (Scheme.NINO, Fault.PREFIX_NEVER_ISSUED): NINO_NEVER_ISSUED,
}
_CHECKS: Final = frozenset({Fault.CHECK_LETTER_WRONG, Fault.CHECK_DIGIT_WRONG})

_BIRTHS: Final[Mapping[date, Rule]] = {FIRST_BIRTH: BORN_1900, date(1970, 1, 1): BORN_1970}

_PSEUDO: Final[Mapping[Pseudo, Rule]] = {
    Pseudo.NO_FIXED_ABODE: POSTCODE_NO_ABODE,
    Pseudo.NOT_KNOWN: POSTCODE_NOT_KNOWN,
}
"""Every other pseudo code names a country."""

_MARKS: Final[Mapping[Mark, Rule]] = {
    Mark.MIG_ERROR: MARKED_MIG_ERROR,
    Mark.NO_SHOW: MARKED_NO_SHOW,
    Mark.DUPLICATE: MARKED_DUPLICATE,
    Mark.NOT_ENTERED: NAME_NOT_ENTERED,
}

RULES: Final[Mapping[str, Rule]] = {
    rule.id: rule
    for rule in (
        CHECK_WRONG,
        FORM_WRONG,
        DUMMY_ASN,
        DUMMY_PNC,
        DUMMY_CRO,
        REPEATED_NHS,
        DUMMY_NINO,
        ADMINISTRATIVE_NINO,
        NINO_NEVER_ISSUED,
        BORN_1900,
        BORN_1970,
        POSTCODE_NOT_ONE,
        POSTCODE_UNKNOWN,
        POSTCODE_NOT_KNOWN,
        POSTCODE_COUNTRY,
        POSTCODE_NO_ABODE,
        ABODE_CONTRADICTED,
        MARKED_MIG_ERROR,
        MARKED_NO_SHOW,
        MARKED_DUPLICATE,
        NAME_NOT_ENTERED,
    )
}
"""Every rule of this module by id. An id is never reused."""


def identifier(scheme: Scheme, raw: str, field: str, found: list[Finding]) -> Identifier:
    """The identifier as claimed: what was written, and its canonical value if it has one somebody may be found by.

    A number of the test range (NHS 999...) is a number like any other.
    """
    parsed = parse(scheme, raw)
    if parsed.identifier.value is None and parsed.fault is not None:
        rule = CHECK_WRONG if parsed.fault in _CHECKS else _IDENTIFIER_FAULTS.get((scheme, parsed.fault), FORM_WRONG)
        found.append(Finding(rule, field, scheme.value))
    return parsed.identifier


def birth(day: date | None, field: str, found: list[Finding]) -> date | None:
    """The birth date, or None where it is not given or stands for an unknown one."""
    if day is None or day not in placeholders.BIRTHS:
        return day
    found.append(Finding(_BIRTHS[day], field))
    return None


def name(written: Name, field: str, found: list[Finding]) -> Name:
    """The name exactly as written, with a finding if it carries a mark."""
    mark = placeholders.mark_of(written)
    if mark is not None:
        found.append(Finding(_MARKS[mark], field))
    return written


def postcode(raw: str | None, field: str, found: list[Finding]) -> Postcode:
    """The postcode: its canonical value, or what its pseudo code says. One that is absent or empty has neither."""
    read = parse_postcode(raw or "")
    place(read, field, found)
    return read


def place(read: Postcode, field: str, found: list[Finding]) -> None:
    """What is odd about a postcode that was read."""
    if read.fault is not None and read.fault is not Fault.EMPTY:
        found.append(Finding(POSTCODE_UNKNOWN if read.fault is Fault.DUMMY else POSTCODE_NOT_ONE, field))
    if read.pseudo is not None:
        found.append(Finding(_PSEUDO.get(read.pseudo, POSTCODE_COUNTRY), field))


def homeless(place: Postcode, said: bool, field: str, found: list[Finding]) -> bool:
    """Whether the address is no fixed abode: said so, or by its pseudo postcode. It wins over a postcode beside it."""
    if said and place.value is not None:
        found.append(Finding(ABODE_CONTRADICTED, field))
    return said or place.pseudo is Pseudo.NO_FIXED_ABODE


def address(
    kind: AddressKind,
    read: Postcode | None,
    *lines: str | None,
    no_fixed_abode: bool = False,
    start: date | None = None,
    end: date | None = None,
) -> AddressClaim | None:
    """An address as claimed, or None where it says of no place: neither a line nor a postcode, nor that there is none.

    Lines that are None are left out.
    """
    written = tuple(line for line in lines if line is not None)
    postcode = read.value if read is not None else None
    homeless = no_fixed_abode or (read is not None and read.pseudo is Pseudo.NO_FIXED_ABODE)
    if not (written or postcode or homeless):
        return None
    return AddressClaim(kind=kind, lines=written, postcode=postcode, no_fixed_abode=homeless, start=start, end=end)
