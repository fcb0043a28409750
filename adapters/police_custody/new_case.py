"""The police NewCaseMessage (LIBRA Standard Prosecutor Police) as charges.

It is what a force sends a court when it has charged somebody. It carries no PNC number, custody number, message id or
postcode, and days where one would like times. The prosecutor's reference of a defendant is an arrest summons number.
No schema for it is public; what it holds was learnt from messages, so only what is used here is looked at.
"""

from collections.abc import Callable, Iterator
from datetime import date, datetime
from functools import cache
from typing import Final, TypeVar, cast

from lxml import etree

from adapters import claims
from adapters.base import Accepted, CodeTable, Finding, Held, Ignored, Level, Outcome, Refused, UnknownCode
from adapters.local_time import LONDON, day_moment, read_day, read_moment
from adapters.police_custody.codes import LIBRA_CUSTODY_STATUSES, LIBRA_GENDERS, LIBRA_INITIATIONS, Initiation
from adapters.police_custody.decode import CODE_NOT_MAPPED
from adapters.police_custody.faults import code_detail, found, is_text, shape, spaced, without_codes
from schemas.base import AddressClaim, AddressKind, Fact, Moment, Name, Person, Sensitivity
from schemas.custody import Charged
from schemas.identifiers import Identifier, Scheme

_LIBRA: Final = "{http://www.dca.gov.uk/xmlschemas/libra}"
_BS7666: Final = "{http://www.govtalk.gov.uk/people/bs7666}"
ROOT: Final = f"{_LIBRA}NewCaseMessage"

_PERSON: Final = "PoliceIndividualDefendant"
_DETAILS: Final = f"{_PERSON}/PersonDefendant/BasePersonDetails"
_NAME: Final = f"{_DETAILS}/PersonName"
_ADDRESS_PARTS: Final = ("SAON", "PAON", "StreetDescription", "Locality", "Town", "AdministrativeArea")
_COMPANY: Final = "PoliceCorporateDefendant"
_LONGEST: Final = 100

Meaning = TypeVar("Meaning")


def read(root: etree._Element, received: datetime) -> Outcome:
    """Every person charged in the message, each a fact of their own.

    A case that did not begin with a charge is ignored by how it began; one of companies only, likewise.
    """
    findings: list[Finding] = []
    case = root.find(f"{_LIBRA}Case")
    if case is None:
        return Refused((found("CU-010", "Case"),))
    told = _Part(case, "", findings)
    initiation = told.code("CaseInitiation", LIBRA_INITIATIONS)
    if initiation is not None and initiation is not Initiation.CHARGE:
        return Ignored(f"libra.new-case.{initiation.value}")
    facts = list(_charges(told, received))
    levels = {finding.rule.level for finding in findings}
    if Level.REFUSE in levels:
        return Refused(without_codes(findings))
    if Level.HOLD in levels:
        return Held(CODE_NOT_MAPPED, tuple(findings), facts[0].lane if facts else None)
    if not facts:
        return Ignored("libra.new-case.company")
    return Accepted(tuple(facts), tuple(findings))


class _Part:
    """A part of the message. Reads what is asked for, and notes what is wrong with it."""

    def __init__(self, element: etree._Element, path: str, findings: list[Finding]) -> None:
        self.element = element
        self.path = path
        self.findings = findings

    def parts(self, name: str) -> Iterator["_Part"]:
        """Each child of a name, numbered in its path where there are several."""
        children = self.element.findall(f"{_LIBRA}{name}")
        for number, child in enumerate(children, 1):
            step = name if len(children) == 1 else f"{name}[{number}]"
            yield _Part(child, f"{self.path}{step}/", self.findings)

    def note(self, rule: str, name: str, detail: str = "") -> None:
        """Add a finding about one of the part's fields, told by its own name: the elements around it say no more."""
        self.findings.append(found(rule, f"{self.path}{name.rpartition('/')[2]}", detail))

    def text(self, name: str, namespace: str = _LIBRA) -> str | None:
        """A field's text on one line, or None where it is absent, empty, or no text (CU-011)."""
        leaves = _find(name, namespace)(self.element)
        line = spaced(leaves[0].text or "") if leaves else ""
        if len(line) > _LONGEST or not is_text(line):
            self.note("CU-011", name)
            return None
        return line or None

    def required(self, name: str) -> str:
        """A field's text; where there is none, CU-010 and an empty stand-in."""
        before = len(self.findings)
        text = self.text(name)
        if text is None and len(self.findings) == before:
            self.note("CU-010", name)
        return text or ""

    def code(self, name: str, table: CodeTable[Meaning], *, optional: bool = False) -> Meaning | None:
        """A field's meaning, or None where it is absent or on no list of ours (CU-020)."""
        code = self.text(name) if optional else self.required(name)
        if not code:
            return None
        try:
            return table[code.upper()]
        except UnknownCode as unknown:
            self.note("CU-020", name, code_detail(unknown))
            return None

    def day(self, name: str, *, optional: bool = False) -> date | None:
        """A field's day, or None where it is absent or no day (CU-014)."""
        text = self.text(name) if optional else self.required(name)
        day = read_day(text) if text else None
        if text and day is None:
            self.note("CU-014", name, shape(text))
        return day


@cache
def _find(name: str, namespace: str) -> Callable[[etree._Element], list[etree._Element]]:
    """What finds a field below a part, compiled once: the names are the few of this module."""
    path = etree.ETXPath("/".join(f"{namespace}{step}" for step in name.split("/")))
    return cast("Callable[[etree._Element], list[etree._Element]]", path)


def _charges(case: _Part, received: datetime) -> Iterator[Fact]:
    """The facts of every defendant who is a person and whose fields are right."""
    urn = case.required("PTIURN")
    court = case.required("InitialHearing/CourtHearingLocation")
    hearing = _hearing(case)
    today = received.astimezone(LONDON).date()
    defendants = list(case.parts("Defendant"))
    if not defendants:
        case.note("CU-010", "Defendant")
    for defendant in defendants:
        if defendant.element.find(f"{_LIBRA}{_COMPANY}") is not None:
            defendant.note("CU-090", _COMPANY)
            continue
        reference = defendant.required("ProsecutorReference")
        status = defendant.code(f"{_PERSON}/CustodyStatus", LIBRA_CUSTODY_STATUSES)
        unread: list[Finding] = []
        summons = claims.identifier(Scheme.ASN, reference, f"{defendant.path}ProsecutorReference", unread)
        case.findings.extend(unread if reference else ())
        person = _person(defendant, summons, today)
        charged = _earliest(defendant, "ChargeDate")
        arrested = _earliest(defendant, "ArrestDate", optional=True)
        if charged is not None and charged > today:
            defendant.note("CU-019", "Offence/BaseOffenceDetails/ChargeDate")
        if charged is None or hearing is None or person is None or status is None:
            continue
        occurred = day_moment(charged)
        if hearing.at < occurred.at:
            case.note("CU-091", "InitialHearing/DateOfHearing")
        yield Fact(
            key=f"police_custody:charge:{urn}:{reference}",
            lane=f"ASN:{summons.value}" if summons.value else f"CHARGE:{urn}/{reference}",
            kind="custody.charged",
            event=Charged(
                occurred=occurred,
                person=person,
                sensitivity=frozenset({Sensitivity.OFFENCE}),
                case_urn=urn,
                arrested=day_moment(arrested) if arrested else None,
                custody_status=status,
                court=court,
                hearing=hearing,
            ),
        )


def _hearing(case: _Part) -> Moment | None:
    day = case.day("InitialHearing/DateOfHearing")
    clock = case.text("InitialHearing/TimeOfHearing")
    if day is None or clock is None:
        return day_moment(day) if day else None
    told = read_moment(f"{day.isoformat()}T{clock}")
    if told is None:
        case.note("CU-016", "InitialHearing/TimeOfHearing", shape(clock))
        return None
    return told.moment


def _earliest(defendant: _Part, name: str, *, optional: bool = False) -> date | None:
    """The first of a defendant's offences' days of a name: one message may charge what came to light over weeks."""
    offences = list(defendant.parts("Offence"))
    if not offences and not optional:
        defendant.note("CU-010", "Offence")
    days = [offence.day(f"BaseOffenceDetails/{name}", optional=optional) for offence in offences]
    return min((day for day in days if day is not None), default=None)


def _person(defendant: _Part, summons: Identifier, today: date) -> Person | None:
    surname = defendant.required(f"{_NAME}/PersonFamilyName")
    given = [defendant.text(f"{_NAME}/PersonGivenName{number}") for number in (1, 2, 3)]
    birth = defendant.day(f"{_DETAILS}/Birthdate", optional=True)
    if birth is not None and not date(1900, 1, 1) <= birth <= today:
        defendant.note("CU-015", f"{_DETAILS}/Birthdate")
    birth = claims.birth(birth, f"{defendant.path}Birthdate", defendant.findings)
    if not surname:
        return None
    name = Name(forenames=" ".join(name for name in given if name) or None, surname=surname)
    return Person(
        identifiers=(summons,),
        name=claims.name(name, f"{defendant.path}PersonFamilyName", defendant.findings),
        date_of_birth=birth,
        sex=defendant.code(f"{_DETAILS}/Gender", LIBRA_GENDERS, optional=True),
        addresses=tuple(_addresses(defendant)),
    )


def _addresses(defendant: _Part) -> Iterator[AddressClaim]:
    address = defendant.element.find(f"{_LIBRA}{_PERSON}/{_LIBRA}Address")
    if address is None:
        return
    part = _Part(address, f"{defendant.path}{_PERSON}/Address/", defendant.findings)
    lines = tuple(line for name in _ADDRESS_PARTS if (line := part.text(name, _BS7666)))
    if lines:
        yield AddressClaim(kind=AddressKind.DECLARED, lines=lines)
