"""What is counted of many records: outcomes, causes, codes, identifiers, homes, fields; it can be added up from parts.

Memory does not grow with the records, but for sixteen bytes each by which repeats are found.
"""

from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from itertools import groupby
from typing import Final

from adapters.base import Accepted, Adapter, Finding, Held, Ignored, Level, Message
from adapters.local_time import LONDON
from gateway.offline.homes import Homes
from gateway.offline.mapping import key_of
from gateway.offline.profile import Profile
from gateway.offline.records import Examined, Piece
from gateway.offline.values import values_of
from schemas.places import Places

PLACES_SHOWN: Final = 5
_DETAILS: Final = 5
_CODES: Final = 1000
_CODE_NOT_MAPPED: Final = "code_not_mapped"
_PARTS: Final = 16


@dataclass
class Cause:
    """One rule broken in one field: how often, seen how, and where first."""

    finding: Finding
    times: int = 0
    places: dict[str, list[int]] = field(default_factory=dict)
    shown: int = 0
    details: Counter[str] = field(default_factory=Counter)

    def add(self, finding: Finding, record: Examined) -> None:
        """Count one more, keeping no more than what is shown."""
        self.times += 1
        self._show(record.file, [] if record.row is None else [record.row])
        if finding.detail:
            self._detail(finding.detail, 1)

    def merge(self, other: "Cause") -> None:
        """Take in what another has counted of the same cause, in records that stand after these."""
        self.times += other.times
        for file, rows in other.places.items():
            for row in rows:
                self._show(file, [row])
            if not rows:
                self._show(file, [])
        for detail, times in other.details.items():
            self._detail(detail, times)

    def _show(self, file: str, rows: Sequence[int]) -> None:
        if self.shown < PLACES_SHOWN:
            self.places.setdefault(file, []).extend(rows)
            self.shown += 1

    def _detail(self, detail: str, times: int) -> None:
        if detail in self.details or len(self.details) < _DETAILS:
            self.details[detail] += times


class Repeats:
    """Records that tell the same thing, in the same version, as one before them."""

    def __init__(self) -> None:
        self._keys = array("Q")
        self._rows = array("Q")

    def add(self, key: bytes, row: int) -> None:
        """Note a record's key, and its row or number."""
        self._keys.append(int.from_bytes(blake2b(key, digest_size=8).digest(), "big"))
        self._rows.append(row)

    def merge(self, other: "Repeats") -> None:
        """Take in the records that follow."""
        self._keys.extend(other._keys)
        self._rows.extend(other._rows)

    def found(self) -> tuple[int, list[int]]:
        """How many there are, and the rows of the first. Looked for in parts, so that memory stays small."""
        times, rows = 0, []
        for part in range(_PARTS):
            seen: set[int] = set()
            for key, row in zip(self._keys, self._rows, strict=True):
                if key % _PARTS != part:
                    continue
                if key in seen:
                    times += 1
                    rows.append(row)
                    if len(rows) > 2 * PLACES_SHOWN:
                        rows = sorted(rows)[:PLACES_SHOWN]
                seen.add(key)
        return times, sorted(rows)[:PLACES_SHOWN]


class Tally:
    """Counts of outcomes, and everything a report says."""

    def __init__(self) -> None:
        self.outcomes: Counter[str] = Counter()
        self.names: Counter[str] = Counter()
        self.kinds: Counter[str] = Counter()
        self.causes: dict[tuple[str, str], Cause] = {}
        self.attention = 0
        self.codes: Counter[tuple[str, str]] = Counter()
        self.identifiers: Counter[tuple[str, bool]] = Counter()
        self.homes = Homes()
        self.profile = Profile()
        self.repeats = Repeats()

    @property
    def records(self) -> int:
        """How many were read."""
        return self.outcomes.total()

    def ranked(self) -> list[Cause]:
        """The causes, those that stop most records first."""
        gravity = list(Level)
        return sorted(self.causes.values(), key=lambda c: (gravity.index(c.finding.rule.level), -c.times))

    def add(self, record: Examined) -> None:
        """Count a record and its findings."""
        self.outcomes[record.word] += 1
        self.attention += record.needs_attention
        for finding in record.findings:
            cause = self.causes.setdefault((finding.rule.id, finding.field), Cause(finding))
            cause.add(finding, record)
        match record.outcome:
            case Held(reason=reason):
                self.names[reason] += 1
                if reason == _CODE_NOT_MAPPED:
                    self._note_codes(Counter(key_of(f) for f in record.findings if f.rule.level is Level.HOLD))
            case Ignored(name=name):
                self.names[name] += 1
            case Accepted(facts=facts):
                self.kinds.update(fact.kind for fact in facts)
                persons = {id(fact.event.person): fact.event.person for fact in facts if fact.event is not None}
                self.identifiers.update(
                    (one.scheme.value, one.value is not None)
                    for person in persons.values()
                    for one in person.identifiers
                )
            case _:
                pass

    def merge(self, other: "Tally") -> None:
        """Take in what another has counted of the records that follow."""
        for mine, theirs in (
            (self.outcomes, other.outcomes),
            (self.names, other.names),
            (self.kinds, other.kinds),
        ):
            mine.update(theirs)
        self.identifiers.update(other.identifiers)
        self.attention += other.attention
        for key, cause in other.causes.items():
            if key in self.causes:
                self.causes[key].merge(cause)
            else:
                self.causes[key] = cause
        self._note_codes(other.codes)
        self.homes.merge(other.homes)
        self.profile.merge(other.profile)
        self.repeats.merge(other.repeats)

    def _note_codes(self, codes: Mapping[tuple[str, str], int]) -> None:
        for key, times in codes.items():
            if key in self.codes or len(self.codes) < _CODES:
                self.codes[key] += times


def tally(adapter: Adapter, pieces: Sequence[Piece], received: datetime, places: Places) -> Tally:
    """Read records and count what becomes of them."""
    counted = Tally()
    today = received.astimezone(LONDON).date()
    for piece in pieces:
        record = Examined(piece.file, piece.row, adapter.read(Message(piece.body, piece.media_type, received)))
        counted.add(record)
        if isinstance(record.outcome, Accepted):
            counted.homes.add(record.outcome, places, today)
            counted.repeats.add(_told(record.outcome, piece.body), piece.row or counted.records)
    for _, alike in groupby(pieces, key=lambda piece: piece.media_type):
        counted.profile.add((values_of(piece.body, piece.media_type) for piece in alike), today)
    return counted


def _told(outcome: Accepted, body: bytes) -> bytes:
    """What a record tells: its facts and their versions, or its bytes where its source counts no versions."""
    return b"\x00".join(_versions(outcome)) if all(f.version is not None for f in outcome.facts) else body


def _versions(outcome: Accepted) -> Iterator[bytes]:
    for fact in outcome.facts:
        yield f"{fact.key}\x00{fact.version}\x00{fact.withdrawn}".encode()
