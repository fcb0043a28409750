"""The one contract between the gateway and its adapters.

An adapter is a value. `read` takes one record's bytes and returns what became of it; it is pure, so it needs no
broker, no clock and no mock. `rows` cuts a batch file into records that can each be read alone.
"""

import enum
import uuid
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, BinaryIO, Final, Generic, TypeVar
from weakref import WeakValueDictionary

import httpx

from schemas.base import Fact


class Level(enum.StrEnum):
    """What a finding does to its record."""

    REFUSE = "refuse"
    HOLD = "hold"
    WARN = "warn"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule an adapter checks.

    id: stable for ever, never reused ("CU-014"). sentence: what is wrong, without the value. fix: what to do about it.
    """

    id: str
    level: Level
    sentence: str
    fix: str


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that a record broke, and where. It names a field, never a value.

    detail: a shape ("99/99/9999"), a code that is on no list, a size: something that identifies nobody.
    """

    rule: Rule
    field: str
    detail: str = ""

    @property
    def text(self) -> str:
        """The sentence a person reads."""
        told = f"{self.rule.sentence} ({self.detail})" if self.detail else self.rule.sentence
        return f"{told}. {self.rule.fix}"


@dataclass(frozen=True, slots=True)
class Accepted:
    """The record is translated: its facts, in the order they happened, and whatever was odd about it."""

    facts: tuple[Fact, ...]
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Held:
    """The form is right, but a decision is needed before it can be translated; the sender cannot mend it.

    reason: from the closed list (`code_not_mapped`, `pointer_not_filled`, ...). The owner is operations.
    lane: as `Fact.lane`, where the record gives one, so that later records of the person keep their place.
    """

    reason: str
    findings: tuple[Finding, ...]
    lane: str | None = None


@dataclass(frozen=True, slots=True)
class Ignored:
    """A kind of message we do not subscribe to: counted by its name, content not kept."""

    name: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The sender must mend it: every fault by its rule."""

    findings: tuple[Finding, ...]


Outcome = Accepted | Held | Ignored | Refused

HIGHEST_VERSION: Final = 2**53 - 1
"""The highest version of a record in a contract of ours: the last whole number every JSON reader keeps (RFC 7493)."""


@dataclass(frozen=True, slots=True)
class Message:
    """One record as it came.

    media_type: without parameters, lower case. received: when it reached the gateway (aware, UTC); the only clock an
    adapter may look at. attributes: transport attributes that carry meaning (an SNS eventType), lower-case names.
    """

    body: bytes
    media_type: str
    received: datetime
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Row:
    """One record cut from a batch file: its number as the sender counts (from 1), and bytes that can be read alone."""

    number: int
    body: bytes
    media_type: str


class FileRefused(Exception):
    """The file is refused whole: its header, trailer, count or sequence is wrong."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.rule.id)
        self.finding = finding


Read = Callable[[Message], Outcome]
Rows = Callable[[BinaryIO], Iterator[Row]]
"""Cuts a file in bounded memory. Raises FileRefused, possibly after rows were already yielded (a wrong trailer)."""


@dataclass(frozen=True, slots=True)
class Numbered:
    """Which of a series this is: the series as the sender names it, and its number in it."""

    series: str
    number: int


@dataclass(frozen=True, slots=True)
class Series:
    """How an agency numbers what it sends, without a gap.

    number: reads it from the beginning; raises FileRefused where there is none. gap, repeated: the rules by which a
    file, or a record that comes alone, is refused whole that is not the next one.
    """

    number: Callable[[BinaryIO], Numbered]
    gap: Rule
    repeated: Rule

    def fault(self, came: int, last: int | None) -> Finding | None:
        """Why the one that came cannot follow the last one taken, or None. The first of a series may be any."""
        if last is None or came == last + 1:
            return None
        if came <= last:
            return Finding(self.repeated, "sequence", f"{came} came, {last + 1} is expected next")
        return Finding(self.gap, "sequence", f"{came} came, {last + 1} was expected")


class Fate(enum.StrEnum):
    """What became of a message, as far as its sender is answered."""

    COMMITTED = "committed"
    REPEATED = "repeated"
    """It had been committed before, under the same message id and with the same body."""
    REFUSED = "refused"
    CLASHED = "clashed"
    """Its message id was used before, for another body, and that one was taken."""
    NOT_NOW = "not_now"
    """Nothing was accepted, and nothing is wrong with it: it is to be sent again."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What an answer in the agency's own protocol must tell.

    at: when it is given (aware, UTC). number: the receipt's, or the refusal's; None where there is none. findings: what
    refused it, or what was odd about it. refused_rows: of a file that was taken, the rows that were not.
    """

    fate: Fate
    at: datetime
    number: uuid.UUID | None = None
    findings: tuple[Finding, ...] = ()
    refused_rows: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Reply:
    """One message back to a sender, in the agency's own protocol."""

    body: bytes
    media_type: str


Answer = Callable[[Message, Answered], tuple[Reply, ...]]
"""Answers a message, or the whole of a file, as its protocol does; pure.

In the order they are sent: a protocol may have two answers to one message, and a sender may want none. A channel that
can carry one only carries the last; where there is none, it answers as it does without a protocol.
"""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A pointer filled: the record again, with what its source answered attached, to be read in its place."""

    body: bytes


@dataclass(frozen=True, slots=True)
class Unfilled:
    """A pointer that was not filled.

    reason: from the closed list (`source_has_none`, `source_withholds`, `source_unavailable`, `source_not_signed_in`,
    `source_answer_unreadable`, `source_answer_too_large`, `pointer_unreadable`). final: asking again cannot help.
    """

    reason: str
    final: bool = False


Fetch = Callable[[Message, httpx.AsyncClient, datetime], Awaitable[Fetched | Unfilled]]
"""Asks a pointer's source, now; the same again asks again. Raises nothing of its own."""


@dataclass(frozen=True, slots=True)
class Adapter:
    """An agency's feed.

    name: the agency, and the word in `/v1/feeds/{agency}`. rules: every rule it can find, by id. records and files:
    the media types it takes over each door. trailer: a file of this agency counts its own rows, so none is published
    before the file was read to its end. answers: by media type, where the agency's protocol defines the answer. ids:
    by media type, where a message has its sender's id of it within; it counts where none came beside it.
    series: by media type, where senders number what they send without a gap. fetch: fills a record held as
    `pointer_not_filled`; None where the agency sends no pointers, or the installation names no source to ask.
    code_options: by the name of a code table, the option under which an installation adds a code to it
    ("release_reason").
    """

    name: str
    read: Read
    rules: Mapping[str, Rule]
    records: frozenset[str]
    files: Mapping[str, Rows] = field(default_factory=dict)
    trailer: bool = False
    answers: Mapping[str, Answer] = field(default_factory=dict)
    ids: Mapping[str, Callable[[bytes], str | None]] = field(default_factory=dict)
    series: Mapping[str, Series] = field(default_factory=dict)
    fetch: Fetch | None = None
    code_options: Mapping[str, str] = field(default_factory=dict)


class UnknownCode(Exception):
    """A code that is on no list of ours. The record is held by name until operations map it, never defaulted."""

    def __init__(self, table: str, code: str) -> None:
        super().__init__(table)
        self.table = table
        self.code = code


Meaning = TypeVar("Meaning")

_TABLES: "Final[WeakValueDictionary[str, CodeTable[Any]]]" = WeakValueDictionary()


class CodeTable(dict[str, Meaning], Generic[Meaning]):
    """An agency's codes and our meanings. Looking up a code that is not there raises UnknownCode."""

    def __init__(self, name: str, codes: Mapping[str, Meaning]) -> None:
        super().__init__(codes)
        self.name = name
        _TABLES[name] = self

    def __missing__(self, code: str) -> Meaning:
        raise UnknownCode(self.name, code)


def code_tables() -> dict[str, CodeTable[Any]]:
    """The tables by name, each as the adapter that was built last uses it: what findings of held records speak of."""
    return dict(_TABLES)
