"""Registration transactions (FHSREG over EDIFACT) as care events.

An interchange is read whole: it is one record, and tells as many facts as it has transactions, or none. As a file it is
cut into a row for each transaction, which stands or falls alone.
"""

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import BinaryIO, Final

from adapters import claims
from adapters.base import (
    Accepted,
    CodeTable,
    FileRefused,
    Finding,
    Held,
    Ignored,
    Message,
    Outcome,
    Refused,
    Row,
    Rule,
    UnknownCode,
)
from adapters.gp import edifact_rules as rules
from adapters.gp.edifact import Broken, Segment
from adapters.gp.interchange import EdiMessage, Header, Interchange
from adapters.gp.registration_codes import DEDUCTION_REASONS, ERASED, MESSAGE, NOT_TAKEN, SEXES, VERSION, Kind
from adapters.gp.rules import Faulty
from adapters.local_time import day_moment, read_day, read_moment
from schemas.base import AddressClaim, AddressKind, Event, Fact, Moment, Name, Person, Sensitivity
from schemas.care import EndReason, Registration, RegistrationChanged, RegistrationEnded
from schemas.identifiers import Identifier, Scheme

MEDIA_TYPE: Final = "application/edifact"

_SENSITIVE = frozenset({Sensitivity.HEALTH})
_SLACK = timedelta(days=1)
_AHEAD = timedelta(days=366)
"""How far ahead a deduction may be dated. A death may not."""

_NO_ABODE = frozenset({"NFA", "NO FIXED ABODE", "NO FIXED ADDRESS"})

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


def build_read(reasons: Mapping[str, EndReason]) -> "Reading":
    """The reading of an installation. reasons: what deduction codes mean, beside the ones known."""
    return Reading(CodeTable("gp.FHSREG.GIS", {**DEDUCTION_REASONS, **reasons}))


@dataclass(frozen=True, slots=True)
class Reading:
    """How interchanges are read."""

    reasons: CodeTable[EndReason]

    def read(self, message: Message) -> Outcome:
        """Read one interchange: refused with the faults of all its transactions, or told whole."""
        try:
            told = [self._tell(one, message.received) for one in transactions_of(message.body)]
        except Broken as broken:
            return Refused((broken.finding,))
        findings = tuple(dict.fromkeys(finding for one in told for finding in _findings(one)))
        if any(isinstance(one, Refused) for one in told):
            # A code is told only where nothing else is wrong: where columns slipped, a code may be a name.
            return Refused(tuple(one for one in findings if one.rule is not rules.CODE_NOT_MAPPED))
        for one in told:
            if isinstance(one, Held):
                return Held(one.reason, findings, one.lane)
        facts = tuple(fact for one in told if isinstance(one, Accepted) for fact in one.facts)
        ignored = [one for one in told if isinstance(one, Ignored)]
        if not facts:
            return ignored[0] if ignored else Ignored("fhsreg.F4.names-nobody")
        beside = (Finding(rules.KIND_NOT_TAKEN, "message", one.name) for one in ignored)
        return Accepted(facts, (*findings, *dict.fromkeys(beside)))

    def _tell(self, transaction: Transaction | Ignored | Held, received: datetime) -> Outcome:
        if not isinstance(transaction, Transaction):
            return transaction
        known = _known(transaction)
        if not isinstance(known, Kind):
            return known
        found: list[Finding] = []
        try:
            return _Decoding(transaction, known, received, found).told(self.reasons)
        except Faulty as faulty:
            return Refused(faulty.findings)
        except UnknownCode as unknown:
            short = unknown.code if len(unknown.code) <= 4 and unknown.code.isalnum() else "not the form of a code"
            missing = Finding(rules.CODE_NOT_MAPPED, f"{transaction.field}/{unknown.table}", short)
            return Held("code_not_mapped", (*found, missing))


def _findings(outcome: Outcome) -> tuple[Finding, ...]:
    return () if isinstance(outcome, Ignored) else outcome.findings


def transactions_of(body: bytes) -> Iterator[Transaction | Ignored | Held]:
    """Every transaction of an interchange, and by its name every message that has none. Raises Broken."""
    interchange = Interchange(io.BytesIO(body))
    for message in interchange.messages():
        if interchange.header.test:
            yield Ignored("fhsreg.test")
        else:
            yield from _of_message(interchange.header, message)


def _of_message(header: Header, message: EdiMessage) -> Iterator[Transaction | Ignored | Held]:
    if message.kind != MESSAGE:
        yield Ignored(f"edifact.{message.kind}" if message.kind in ("RECEP", "MEDRPT", "MEDREQ") else "edifact.other")
        return
    if message.version != VERSION:
        yield Held("version_not_supported", (Finding(rules.VERSION_NOT_TAKEN, f"{message.field}/UNH"),))
        return
    head, parts = _divided(message)
    if not parts:
        yield Transaction(message.field, header, head, ())
    for number, part in enumerate(parts, 1):
        yield Transaction(f"{message.field}/S01[{number}]", header, head, part)


def _divided(message: EdiMessage) -> tuple[tuple[Segment, ...], tuple[tuple[Segment, ...], ...]]:
    """The head of a message, and the segments of each of its transactions (from one S01 to before the next)."""
    starts = [at for at, segment in enumerate(message.body) if segment.tag == "S01"]
    ends = [*starts[1:], len(message.body)]
    parts = tuple(message.body[start:end] for start, end in zip(starts, ends, strict=True))
    return message.body[: starts[0] if starts else len(message.body)], parts


def _known(transaction: Transaction) -> Kind | Ignored | Held | Refused:
    kind = transaction.kind
    if not kind:
        return Refused((Finding(rules.MISSING, f"{transaction.field}/RFF+950"),))
    if kind in NOT_TAKEN:
        return Ignored(f"fhsreg.{kind}")
    try:
        known = Kind(kind)
    except ValueError:
        short = kind if len(kind) <= 4 and kind.isalnum() else "not the form of a code"
        return Held("code_not_mapped", (Finding(rules.CODE_NOT_MAPPED, f"{transaction.field}/RFF+950", short),))
    if not transaction.body:
        return Refused((Finding(rules.MISSING, f"{transaction.field}/S01"),))
    return known


def rows(file: BinaryIO) -> Iterator[Row]:
    """Cut an interchange into its transactions, each an interchange of its own, in the memory of one message.

    Counted from 1 through all messages; a message without transactions counts as one. Raises FileRefused for whatever
    is wrong with the interchange itself, possibly after rows were yielded.
    """
    try:
        interchange = Interchange(file)
        number = 0
        for message in interchange.messages():
            head, parts = _divided(message)
            for part in parts or ((),):
                number += 1
                yield Row(number, _alone(interchange, message, (*head, *part)), MEDIA_TYPE)
    except Broken as broken:
        raise FileRefused(broken.finding) from None


def sequence_of(body: bytes) -> int:
    """The number of an interchange (UNB, 0020), which is contiguous from one partner to another. Raises Broken."""
    return int(Interchange(io.BytesIO(body)).header.reference)


def rows_by_message(body: bytes) -> dict[str, range]:
    """Which rows each message of an interchange makes, by the message's reference. Stops where it cannot be read."""
    of: dict[str, range] = {}
    number = 1
    try:
        for message in Interchange(io.BytesIO(body)).messages():
            count = max(1, sum(segment.tag == "S01" for segment in message.body))
            of[message.reference] = range(number, number + count)
            number += count
    except Broken:
        pass
    return of


def _alone(interchange: Interchange, message: EdiMessage, segments: tuple[Segment, ...]) -> bytes:
    marks = interchange.separators
    element, reference = marks.element, message.header.raw.split(marks.element)[1]
    trailer = element.join((b"UNT", str(len(segments) + 2).encode(), reference))
    header = interchange.header.segment.raw
    end = element.join((b"UNZ", b"1", interchange.header.reference.encode()))
    raw = (header, message.header.raw, *(segment.raw for segment in segments), trailer, end)
    return marks.advice + b"".join(one + marks.terminator for one in raw)


class _Decoding:
    """One transaction being read: what it says by qualifier, and the faults found on the way."""

    def __init__(self, transaction: Transaction, kind: Kind, received: datetime, found: list[Finding]) -> None:
        self._of = transaction
        self._kind = kind
        self._received = received
        self._odd = found
        self._faults: list[Finding] = []
        self._head = self._by_qualifier(transaction.head)
        self._own = self._by_qualifier(transaction.body)

    def told(self, reasons: CodeTable[EndReason]) -> Accepted:
        """The fact it tells. Raises Faulty with every fault, and UnknownCode."""
        number = self._number()
        prepared = self._prepared()
        ended = self._ended() if self._kind is Kind.DEDUCTION else None
        code = self._required("GIS", "reason for the deduction") if self._kind is Kind.DEDUCTION else None
        patient = self._own.get("PNA+PAT")
        if patient is None:
            self._fault(rules.MISSING, "PNA+PAT")
        elif self._kind is Kind.APPROVAL and not patient.value(1):
            self._raise_faults()
            return Accepted((), (Finding(rules.NOBODY_APPROVED, f"{self._of.field}/PNA+PAT"),))
        person = self._person(patient) if patient is not None else Person()
        if patient is not None and not _findable(person):
            self._fault(rules.NAMES_NOBODY, "PNA+PAT")
        self._raise_faults()
        sex = self._own.get("PDI")
        if sex is not None and sex.value(0) not in ("", ERASED):
            person = person.model_copy(update={"sex": SEXES[sex.value(0)]})
        event: Event
        if ended is not None and code is not None:
            reason = reasons[code]
            if ended > self._received + (_SLACK if reason is EndReason.DIED else _AHEAD):
                raise Faulty([Finding(rules.IN_THE_FUTURE, f"{self._of.field}/DTM+961")])
            event = RegistrationEnded(
                occurred=day_moment(ended.date()), person=person, sensitivity=_SENSITIVE, reason=reason
            )
        else:
            change = Registration.APPROVED if self._kind is Kind.APPROVAL else Registration.AMENDED
            event = RegistrationChanged(occurred=prepared, person=person, sensitivity=_SENSITIVE, registration=change)
        header = self._of.header
        fact = Fact(
            key=f"gp:registration:{header.sender}>{header.recipient}:{number}:{_named(person)}",
            lane=_lane(person, header),
            kind=event.kind,
            event=event,
            version=int(f"{prepared.at:%Y%m%d%H%M}"),
        )
        return Accepted((fact,), tuple(self._odd))

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
        self._faults.append(Finding(rule, f"{self._of.field}/{name}", detail))

    def _raise_faults(self) -> None:
        if self._faults:
            raise Faulty(dict.fromkeys(self._faults))

    def _required(self, name: str, what: str) -> str | None:
        segment = self._own.get(name)
        if segment is None or not segment.value(0):
            self._fault(rules.MISSING, name, what)
            return None
        return segment.value(0)

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
        if told.moment.at > self._received + _SLACK:
            self._fault(rules.IN_THE_FUTURE, "DTM+137")
        return told.moment

    def _ended(self) -> datetime | None:
        day = self._day("DTM+961", required=True)
        return day_moment(day).at if day is not None else None

    def _day(self, name: str, *, required: bool = False) -> date | None:
        segment = self._own.get(name)
        written = segment.value(0, 1) if segment is not None else ""
        if not written or written == ERASED:
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
        if number := patient.value(1):
            read.append(claims.identifier(Scheme.NHS, number, f"{self._of.field}/PNA+PAT", self._odd))
        if other is not None and other.value(1) and other.value(1, 1) == "API":
            field = f"{self._of.field}/PNA+PER"
            read.append(claims.identifier(Scheme.NHS, other.value(1), field, self._odd))
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
        postcode = segment.value(7)
        place = claims.postcode("" if postcode == ERASED else postcode, field, self._odd)
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
    """What tells the person of a transaction from others': transaction numbers start again after ten million."""
    if person.identifiers:
        return person.identifiers[0].value or person.identifiers[0].raw
    return f"{person.name.surname if person.name else ''}:{person.date_of_birth}"


def _lane(person: Person, header: Header) -> str:
    number = next((one.value for one in person.identifiers if one.value), None)
    return f"NHS:{number}" if number else f"GP:{header.sender}:{_named(person)}"
