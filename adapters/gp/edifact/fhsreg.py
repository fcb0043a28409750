"""Registration transactions (FHSREG over EDIFACT) as care events.

An interchange is read whole: it is one record, and tells as many facts as it has transactions, or none. As a file it is
cut into a row for each transaction, which stands or falls alone.
"""

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import BinaryIO, Final

from adapters.base import (
    Accepted,
    CodeTable,
    FileRefused,
    Finding,
    Held,
    Ignored,
    Message,
    Numbered,
    Outcome,
    Refused,
    Row,
    Series,
)
from adapters.gp.edifact import rules
from adapters.gp.edifact.codes import DEDUCTION_REASONS, MESSAGE, NOT_TAKEN, VERSION, Kind
from adapters.gp.edifact.interchange import EdiMessage, Header, Interchange
from adapters.gp.edifact.segments import Broken, Segment
from adapters.gp.edifact.transaction import Transaction
from adapters.gp.faulty import Faulty
from schemas.care import EndReason

MEDIA_TYPE: Final = "application/edifact"


def reading(reasons: Mapping[str, EndReason]) -> "Reading":
    """How an installation reads interchanges. reasons: what deduction codes mean, beside and before the ones known."""
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
        try:
            return transaction.tell(known, self.reasons, received)
        except Faulty as faulty:
            return Refused(faulty.findings)


def _findings(outcome: Outcome) -> tuple[Finding, ...]:
    return () if isinstance(outcome, Ignored) else outcome.findings


def transactions_of(body: bytes) -> Iterator[Transaction | Ignored | Held]:
    """Every transaction of an interchange, and by its name every message that has none. Raises Broken.

    A message that does not say of what type it is could be any, so it is not passed over as another's.
    """
    interchange = Interchange(io.BytesIO(body))
    for message in interchange.messages():
        if interchange.header.test:
            yield Ignored("fhsreg.test")
        else:
            yield from _of_message(interchange.header, message)


def _of_message(header: Header, message: EdiMessage) -> Iterator[Transaction | Ignored | Held]:
    if not message.kind:
        raise Broken(rules.MISSING, f"{message.field}/UNH")
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
    parts = tuple(message.body[start:end] for start, end in pairwise([*starts, len(message.body)]))
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


def numbered(file: BinaryIO) -> Numbered:
    """Which interchange this is of those from one partner to another (UNB, 0020). Raises FileRefused.

    Tests count for themselves: one that was tried must not use up the number of one that is meant.
    """
    try:
        header = Interchange(file).header
    except Broken as broken:
        raise FileRefused(broken.finding) from None
    partners = f"{header.sender}>{header.recipient}"
    return Numbered(f"{partners} test" if header.test else partners, int(header.reference))


SERIES: Final = Series(numbered, rules.INTERCHANGE_MISSING, rules.INTERCHANGE_REPEATED)
"""Interchanges are numbered without a gap, from one partner to another, by whichever door they come."""


def _alone(interchange: Interchange, message: EdiMessage, segments: tuple[Segment, ...]) -> bytes:
    marks = interchange.separators
    element, reference = marks.element, message.header.raw.split(marks.element)[1]
    trailer = element.join((b"UNT", str(len(segments) + 2).encode(), reference))
    header = interchange.header.segment.raw
    end = element.join((b"UNZ", b"1", interchange.header.reference.encode()))
    raw = (header, message.header.raw, *(segment.raw for segment in segments), trailer, end)
    return marks.advice + b"".join(one + marks.terminator for one in raw)
