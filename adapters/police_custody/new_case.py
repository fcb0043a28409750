"""The police NewCaseMessage (LIBRA Standard Prosecutor Police) as charges.

It is what a force sends a court when it has charged somebody. It carries no PNC number, custody number, message id or
postcode, and days where one would like times. The prosecutor's reference of a defendant is an arrest summons number.
No schema for it is public; what it holds was learnt from messages, so only what is used here is looked at.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Final, TypeVar

from lxml import etree

from adapters import claims
from adapters.base import Accepted, CodeTable, Finding, Held, Ignored, Level, Outcome, Refused, UnknownCode
from adapters.local_time import LONDON, Told, read_day, read_moment, told_day
from adapters.police_custody.codes import LIBRA_CUSTODY_STATUSES, LIBRA_GENDERS, LIBRA_INITIATIONS, Initiation
from adapters.police_custody.decode import CODE_NOT_MAPPED
from adapters.police_custody.faults import code_detail, found, shape, without_codes
from adapters.police_custody.lines import one_line
from schemas.base import AddressKind, Fact, Name, Sensitivity
from schemas.custody import Charged
from schemas.identifiers import Identifier, Scheme

_LIBRA: Final = "{http://www.dca.gov.uk/xmlschemas/libra}"
_BS7666: Final = "{http://www.govtalk.gov.uk/people/bs7666}"
ROOT: Final = f"{_LIBRA}NewCaseMessage"

_PERSON: Final = "PoliceIndividualDefendant"
_DETAILS: Final = f"{_PERSON}/PersonDefendant/BasePersonDetails"
_GIVEN_NAMES: Final = ("PersonGivenName1", "PersonGivenName2", "PersonGivenName3")
_NAMES: Final = ("PersonFamilyName", *_GIVEN_NAMES)
_ADDRESS: Final = f"{_PERSON}/Address"
_ADDRESS_LINES: Final = ("SAON", "PAON", "StreetDescription", "Locality", "Town", "AdministrativeArea")
_COMPANY: Final = "PoliceCorporateDefendant"
_LONGEST: Final = 100
_SENSITIVE: Final = frozenset({Sensitivity.OFFENCE})

Meaning = TypeVar("Meaning")


def read(root: etree._Element, received: datetime) -> Outcome:
    """Every person charged in the message, each a fact of their own.

    A case that did not begin with a charge is ignored by how it began; one of companies only, likewise.
    """
    findings: list[Finding] = []
    case = next(root.iterchildren(f"{_LIBRA}Case"), None)
    if case is None:
        return Refused((found("CU-010", "Case"),))
    told = _Part(case, _CASE, "", findings)
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


Steps = dict[str, "Steps | str"]
"""By an element's name: the steps below it, or the name under which its text is read."""


class _Paths:
    """The fields that are read below an element, found in one walk: each by the last name of its path."""

    def __init__(self, *paths: Sequence[str]) -> None:
        self._steps: Steps = {}
        for *above, field in paths:
            steps = self._steps
            for step in above:
                below = steps.setdefault(step, {})
                if isinstance(below, str):
                    raise ValueError(f"{step} is read, and so has nothing below it")
                steps = below
            steps[field] = field.rpartition("}")[2]

    def texts(self, element: etree._Element) -> dict[str, str]:
        """The text of each field that is there. Of several elements of one name the first counts."""
        texts: dict[str, str] = {}
        _walk(element, self._steps, texts)
        return texts


def _walk(element: etree._Element, steps: Steps, texts: dict[str, str]) -> None:
    walked = set()
    for child in element:
        name = child.tag
        step = steps.get(name)
        if step is None:
            continue
        if isinstance(step, str):
            if step not in texts:
                texts[step] = child.text or ""
        elif name not in walked:
            walked.add(name)
            _walk(child, step, texts)


def _libra(path: str) -> tuple[str, ...]:
    """A path whose steps are all of LIBRA's namespace."""
    return tuple(f"{_LIBRA}{step}" for step in path.split("/"))


_CASE: Final = _Paths(
    *map(
        _libra,
        (
            "PTIURN",
            "CaseInitiation",
            "InitialHearing/CourtHearingLocation",
            "InitialHearing/DateOfHearing",
            "InitialHearing/TimeOfHearing",
        ),
    )
)
_DEFENDANT: Final = _Paths(
    *map(
        _libra,
        (
            "ProsecutorReference",
            _COMPANY,
            f"{_PERSON}/CustodyStatus",
            f"{_DETAILS}/Birthdate",
            f"{_DETAILS}/Gender",
            *(f"{_DETAILS}/PersonName/{name}" for name in _NAMES),
        ),
    ),
    *((*_libra(_ADDRESS), f"{_BS7666}{name}") for name in _ADDRESS_LINES),
)
_OFFENCE: Final = _Paths(_libra("BaseOffenceDetails/ChargeDate"), _libra("BaseOffenceDetails/ArrestDate"))


class _Part:
    """A part of the message. Reads what is asked for, and notes what is wrong with it."""

    def __init__(self, element: etree._Element, paths: _Paths, path: str, findings: list[Finding]) -> None:
        self.element = element
        self.path = path
        self.findings = findings
        self._texts = paths.texts(element)

    def parts(self, name: str, paths: _Paths) -> Iterator["_Part"]:
        """Each child of a name, numbered in its path where there are several."""
        children = list(self.element.iterchildren(f"{_LIBRA}{name}"))
        for number, child in enumerate(children, 1):
            step = name if len(children) == 1 else f"{name}[{number}]"
            yield _Part(child, paths, f"{self.path}{step}/", self.findings)

    def note(self, rule: str, name: str, detail: str = "", within: str = "") -> None:
        """Add a finding about one of the part's fields, told by its own name: the elements around it say no more."""
        self.findings.append(found(rule, f"{self.path}{within}{name}", detail))

    def has(self, name: str) -> bool:
        """Whether a field stands there, whatever it holds."""
        return name in self._texts

    def text(self, name: str, within: str = "") -> str | None:
        """A field's text on one line, or None where it is absent, empty, or no text (CU-011)."""
        written = self._texts.get(name)
        if not written:
            return None
        line = one_line(written)
        if line is None or len(line) > _LONGEST:
            self.note("CU-011", name, within=within)
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


def _charges(case: _Part, received: datetime) -> Iterator[Fact]:
    """The facts of every defendant who is a person and whose fields are right."""
    urn = case.required("PTIURN")
    court = case.required("CourtHearingLocation")
    hearing = _hearing(case)
    today = received.astimezone(LONDON).date()
    defendants = list(case.parts("Defendant", _DEFENDANT))
    if not defendants:
        case.note("CU-010", "Defendant")
    for defendant in defendants:
        if defendant.has(_COMPANY):
            defendant.note("CU-090", _COMPANY)
            continue
        reference = defendant.required("ProsecutorReference")
        status = defendant.code("CustodyStatus", LIBRA_CUSTODY_STATUSES)
        unread: list[Finding] = []
        summons = claims.identifier(Scheme.ASN, reference, f"{defendant.path}ProsecutorReference", unread)
        case.findings.extend(unread if reference else ())
        person = _person(defendant, summons, today)
        offences = list(defendant.parts("Offence", _OFFENCE))
        if not offences:
            defendant.note("CU-010", "Offence")
        charged = _earliest(offence.day("ChargeDate") for offence in offences)
        arrested = _earliest(offence.day("ArrestDate", optional=True) for offence in offences)
        if charged is not None and charged > today:
            defendant.note("CU-019", "ChargeDate")
        if charged is None or hearing is None or person is None or status is None:
            continue
        occurred = told_day(charged)
        if hearing.at < occurred.at:
            case.note("CU-091", "DateOfHearing")
        yield Fact(
            key=f"police_custody:charge:{urn}:{reference}",
            lane=f"ASN:{summons.value}" if summons.value else f"CHARGE:{urn}/{reference}",
            kind="custody.charged",
            event=Charged.model_validate(  # with its parts in one go: entering the library costs more than they do
                {
                    "occurred": occurred.parts(),
                    "person": person,
                    "sensitivity": _SENSITIVE,
                    "case_urn": urn,
                    "arrested": told_day(arrested).parts() if arrested else None,
                    "custody_status": status,
                    "court": court,
                    "hearing": hearing.parts(),
                }
            ),
        )


def _hearing(case: _Part) -> Told | None:
    day = case.day("DateOfHearing")
    clock = case.text("TimeOfHearing")
    if day is None or clock is None:
        return told_day(day) if day else None
    told = read_moment(f"{day.isoformat()}T{clock}")
    if told is None:
        case.note("CU-016", "TimeOfHearing", shape(clock))
    return told


def _earliest(days: Iterable[date | None]) -> date | None:
    """The first of a defendant's offences' days: one message may charge what came to light over weeks."""
    return min((day for day in days if day is not None), default=None)


def _person(defendant: _Part, summons: Identifier, today: date) -> dict[str, object] | None:
    """What a Person is made of."""
    surname = defendant.required("PersonFamilyName")
    given = [defendant.text(name) for name in _GIVEN_NAMES]
    birth = defendant.day("Birthdate", optional=True)
    if birth is not None and not claims.FIRST_BIRTH <= birth <= today:
        defendant.note("CU-015", "Birthdate")
    birth = claims.birth(birth, f"{defendant.path}Birthdate", defendant.findings)
    if not surname:
        return None
    name = Name(forenames=" ".join(name for name in given if name) or None, surname=surname)
    return {
        "identifiers": (summons,),
        "name": claims.name(name, f"{defendant.path}PersonFamilyName", defendant.findings),
        "date_of_birth": birth,
        "sex": defendant.code("Gender", LIBRA_GENDERS, optional=True),
        "addresses": _addresses(defendant),
    }


def _addresses(defendant: _Part) -> list[dict[str, object]]:
    lines = tuple(line for name in _ADDRESS_LINES if (line := defendant.text(name, within=f"{_ADDRESS}/")))
    return [{"kind": AddressKind.DECLARED, "lines": lines}] if lines else []
