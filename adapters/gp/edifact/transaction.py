"""One registration transaction, and the fact it tells.

Source of the segments and their order: NHS Digital's NHAIS adaptor (amendment, deduction and approval as a health
authority sends them to a practice). What is not named here is not read: drugs dispensed, mileage, walking units,
residential institute, notes.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from adapters import claims
from adapters.base import Accepted, CodeTable, Finding, Held, Rule, UnknownCode
from adapters.gp.edifact import rules
from adapters.gp.edifact.codes import ERASED, SEXES, Kind
from adapters.gp.edifact.interchange import Header
from adapters.gp.edifact.segments import Segment
from adapters.gp.faulty import Faulty
from adapters.local_time import day_moment, read_day, read_moment
from schemas.base import AddressClaim, AddressKind, Event, Fact, Moment, Name, Person, Sensitivity
from schemas.care import EndReason, Registration, RegistrationChanged, RegistrationEnded
from schemas.identifiers import Identifier, Scheme

_SENSITIVE = frozenset({Sensitivity.HEALTH})
_SLACK: Final = timedelta(days=1)
"""How far a sender's clock may run ahead before its message is taken for a mistake."""
_AHEAD: Final = timedelta(days=366)
"""How far ahead a deduction may be dated. A death may not."""

_NO_ABODE = frozenset({"NFA", "NO FIXED ABODE", "NO FIXED ADDRESS"})

_CODE = re.compile(r"[A-Za-z0-9]{1,4}", re.ASCII)

_QUALIFIED = frozenset({"NAD", "DTM", "RFF", "PNA", "HEA", "FTX", "QTY", "LOC"})
"""Segments that stand more than once in a transaction, told apart by their first value."""


@dataclass(frozen=True, slots=True)
class Transaction:
    """One transaction: where it stands, the segments before it in its message, and its own."""

    field: str
    header: Header
    head: tuple[Segment, ...]
    body: tuple[Segment, ...]

    @property
    def kind(self) -> str:
        """The transaction type (RFF+950); empty where there is none."""
        return next((one.value(0, 1) for one in self.head if one.tag == "RFF" and one.value(0) == "950"), "")

    def tell(self, kind: Kind, reasons: CodeTable[EndReason], received: datetime) -> Accepted | Held:
        """The fact it tells, or held by a code's name. Raises Faulty with every fault that was found."""
        return _Decoding(self, kind, received).outcome(reasons)


class _Decoding:
    """One transaction being read: what it says by qualifier, and the faults found on the way."""

    def __init__(self, transaction: Transaction, kind: Kind, received: datetime) -> None:
        self._of = transaction
        self._kind = kind
        self._received = received
        self._odd: list[Finding] = []
        self._faults: list[Finding] = []
        self._head = self._by_qualifier(transaction.head)
        self._own = self._by_qualifier(transaction.body)

    def outcome(self, reasons: CodeTable[EndReason]) -> Accepted | Held:
        number = self._number()
        prepared = self._prepared()
        reason = self._reason() if self._kind is Kind.DEDUCTION else None
        ended = self._day("DTM+961", required=True) if self._kind is Kind.DEDUCTION else None
        patient = self._own.get("PNA+PAT")
        if patient is None:
            raise Faulty([*self._faults, self._finding(rules.MISSING, "PNA+PAT")])
        if self._kind is Kind.APPROVAL and not _given(patient, 1):
            self._raise_faults()
            return Accepted((), (self._finding(rules.NOBODY_APPROVED, "PNA+PAT"),))
        person = self._person(patient)
        if not _findable(person):
            self._fault(rules.NAMES_NOBODY, "PNA+PAT")
            self._faults.extend(self._odd)  # what was wrong with the number says why
        self._raise_faults()
        lane = _lane(person, self._of.header)
        try:
            event = self._event(prepared, person, ended, None if reason is None else reasons[reason])
        except UnknownCode as unknown:
            code = unknown.code if _CODE.fullmatch(unknown.code) else "not the form of a code"
            unmapped = self._finding(rules.CODE_NOT_MAPPED, unknown.table.rpartition(".")[2], code)
            return Held("code_not_mapped", (*self._odd, unmapped), lane)
        header = self._of.header
        fact = Fact(
            key=f"gp:registration:{header.sender}>{header.recipient}:{number}:{_named(person)}",
            lane=lane,
            kind=event.kind,
            event=event,
            version=int(f"{prepared.at:%Y%m%d%H%M}"),
        )
        return Accepted((fact,), tuple(self._odd))

    def _event(self, prepared: Moment, person: Person, ended: date | None, reason: EndReason | None) -> Event:
        """What happened. Raises UnknownCode, and Faulty for an end too far ahead."""
        sex = self._own.get("PDI")
        if sex is not None and (code := _given(sex, 0)):
            person = person.model_copy(update={"sex": SEXES[code]})
        if ended is None or reason is None:
            change = Registration.APPROVED if self._kind is Kind.APPROVAL else Registration.AMENDED
            return RegistrationChanged(occurred=prepared, person=person, sensitivity=_SENSITIVE, registration=change)
        occurred = day_moment(ended)
        if occurred.at > self._received + (_SLACK if reason is EndReason.DIED else _AHEAD):
            raise Faulty([self._finding(rules.IN_THE_FUTURE, "DTM+961")])
        # Where somebody lived who has left is no claim of where they live, least of all on the day they leave.
        person = person.model_copy(update={"addresses": ()})
        return RegistrationEnded(occurred=occurred, person=person, sensitivity=_SENSITIVE, reason=reason)

    def _by_qualifier(self, segments: tuple[Segment, ...]) -> dict[str, Segment]:
        by: dict[str, Segment] = {}
        for segment in segments:
            name = f"{segment.tag}+{segment.value(0)}" if segment.tag in _QUALIFIED else segment.tag
            if segment.tag == "S02":
                continue
            if name in by:
                shown = name if name in _READ else segment.tag
                self._fault(rules.STANDS_TWICE, shown)
            by[name] = segment
        return by

    def _fault(self, rule: Rule, name: str, detail: str = "") -> None:
        self._faults.append(self._finding(rule, name, detail))

    def _raise_faults(self) -> None:
        if self._faults:
            raise Faulty(dict.fromkeys(self._faults))

    def _finding(self, rule: Rule, name: str, detail: str = "") -> Finding:
        return Finding(rule, f"{self._of.field}/{name}", detail)

    def _reason(self) -> str:
        segment = self._own.get("GIS")
        written = _given(segment, 0) if segment is not None else ""
        if not written:
            self._fault(rules.MISSING, "GIS")
        return written

    def _number(self) -> int | None:
        segment = self._own.get("RFF+TN")
        written = segment.value(0, 1) if segment is not None else ""
        if not written:
            self._fault(rules.MISSING, "RFF+TN")
        elif not (len(written) <= 7 and written.isascii() and written.isdecimal()):
            self._fault(rules.TRANSACTION_NUMBER_UNREADABLE, "RFF+TN")
        else:
            return int(written)
        return None

    def _prepared(self) -> Moment:
        """When the message was prepared (DTM+137, CCYYMMDDHHMM in local time)."""
        segment = self._head.get("DTM+137")
        written = segment.value(0, 1) if segment is not None else ""
        told = None
        if len(written) == 12 and written.isascii() and written.isdecimal():
            told = read_moment(f"{written[:4]}-{written[4:6]}-{written[6:8]}T{written[8:10]}:{written[10:]}")
        if told is None:
            self._fault(rules.DATE_UNREADABLE if written else rules.MISSING, "DTM+137")
            return Moment(at=self._received)
        if told.at > self._received + _SLACK:
            self._fault(rules.IN_THE_FUTURE, "DTM+137")
        return told.moment

    def _day(self, name: str, *, required: bool = False) -> date | None:
        segment = self._own.get(name)
        written = _given(segment, 0, 1) if segment is not None else ""
        if not written:
            if required:
                self._fault(rules.MISSING, name)
            return None
        day = None
        if len(written) == 8 and written.isascii() and written.isdecimal():
            day = read_day(f"{written[:4]}-{written[4:6]}-{written[6:]}")
        if day is None:
            self._fault(rules.DATE_UNREADABLE, name)
        return day

    def _person(self, patient: Segment) -> Person:
        other = self._own.get("PNA+PER")
        born = self._day("DTM+329")
        if born is not None and born > self._received.date():
            self._fault(rules.BORN_IN_THE_FUTURE, "DTM+329")
        aliases: list[Name] = []
        identifiers = self._identifiers(patient, other)
        if other is not None and (former := _names(other).get("SU")):
            aliases.append(claims.name(Name(surname=former), f"{self._of.field}/PNA+PER", self._odd))
        return Person(
            identifiers=identifiers,
            name=self._name(patient),
            aliases=tuple(aliases),
            date_of_birth=claims.birth(born, f"{self._of.field}/DTM+329", self._odd),
            addresses=tuple(self._addresses()),
        )

    def _identifiers(self, patient: Segment, other: Segment | None) -> tuple[Identifier, ...]:
        read = []
        if number := _given(patient, 1):
            read.append(claims.identifier(Scheme.NHS, number, f"{self._of.field}/PNA+PAT", self._odd))
        if other is not None and (amended := _given(other, 1)) and other.value(1, 1) == "API":
            field = f"{self._of.field}/PNA+PER"
            read.append(claims.identifier(Scheme.NHS, amended, field, self._odd))
            self._odd.append(Finding(rules.NUMBER_AMENDED, field))
        return tuple(read)

    def _name(self, patient: Segment) -> Name | None:
        names = _names(patient)
        forenames = " ".join(names[part] for part in ("FO", "MI", "FS") if part in names) or None
        if "SU" in names:
            written = Name(forenames=forenames, surname=names["SU"])
            return claims.name(written, f"{self._of.field}/PNA+PAT", self._odd)
        if forenames is not None:
            self._odd.append(Finding(rules.FORENAMES_ALONE, f"{self._of.field}/PNA+PAT"))
        return None

    def _addresses(self) -> Iterator[AddressClaim]:
        segment = self._own.get("NAD+PAT")
        if segment is None:
            return
        field = f"{self._of.field}/NAD+PAT"
        written = [
            segment.value(2, part) for part in range(len(segment.elements[2]) if len(segment.elements) > 2 else 0)
        ]
        lines = tuple(line for line in written if line not in ("", ERASED))
        place = claims.postcode(_given(segment, 7), field, self._odd)
        said = bool(lines) and lines[0].upper() in _NO_ABODE
        homeless = claims.homeless(place, said, field, self._odd)
        if lines or place.value or homeless:
            yield AddressClaim(
                kind=AddressKind.DECLARED,
                lines=() if homeless else lines,
                postcode=place.value,
                no_fixed_abode=homeless,
            )


_READ = frozenset(
    {*("RFF+950", "RFF+TN", "DTM+137", "DTM+329", "DTM+961", "GIS", "PDI", "PNA+PAT", "PNA+PER", "NAD+PAT", "NAD+GP")}
)
"""The names of what is read; a finding prints no other."""


def _given(segment: Segment, element: int, part: int = 0) -> str:
    """What stands there; nothing where a percent sign takes back what stood there before."""
    written = segment.value(element, part)
    return "" if written == ERASED else written


def _names(segment: Segment) -> dict[str, str]:
    """The parts of a name by their qualifier: SU surname, FO, MI and FS forenames, TI title. Erased ones are absent."""
    parts: dict[str, str] = {}
    for element in range(2, len(segment.elements)):
        qualifier, text = segment.value(element), segment.value(element, 1)
        if qualifier and text and text != ERASED:
            parts[qualifier] = text
    return parts


def _findable(person: Person) -> bool:
    return any(one.value for one in person.identifiers) or (
        person.name is not None and person.date_of_birth is not None
    )


def _named(person: Person) -> str:
    """What tells the person of a transaction from others': the NHS number, else name and birth date.

    A number that is none may stand for an unknown one, and is then shared by strangers. Transaction numbers do not tell
    people apart for ever: they start again after ten million.
    """
    number = _number_of(person)
    if number is not None or person.name is None:
        return number or f"{person.date_of_birth}"
    return f"{person.name.surname}:{person.name.forenames or ''}:{person.date_of_birth}"


def _lane(person: Person, header: Header) -> str:
    number = _number_of(person)
    return f"NHS:{number}" if number else f"GP:{header.sender}:{_named(person)}"


def _number_of(person: Person) -> str | None:
    return next((one.value for one in person.identifiers if one.value), None)
