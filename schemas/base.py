"""What every canonical event has in common.

An adapter states **facts**: a fact key, a version where the source gives one, and the event as the source tells it.
The journal chains each fact to the newest event of its key and mints the event's id; see `event_id`.
"""

import enum
import hashlib
import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Any, ClassVar

import orjson
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, PlainSerializer

from schemas.identifiers import Identifier


class Model(BaseModel):
    """The base of everything we publish: frozen, closed, and never quoting a value in an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, ser_json_bytes="base64")


def _in_utc(value: datetime) -> datetime:
    return value if value.tzinfo is UTC else value.astimezone(UTC)


Utc = Annotated[AwareDatetime, AfterValidator(_in_utc)]
"""An instant: aware, kept and written in UTC."""


class Change(enum.StrEnum):
    """What an event does to the fact it speaks of."""

    FACT = "fact"
    CORRECTION = "correction"
    RETRACTION = "retraction"


class Standing(enum.StrEnum):
    """Whether a kind of event opens a case or only informs one (DESIGN.md, "Cases")."""

    REFERRAL = "referral"
    INFORMING = "informing"


class Precision(enum.StrEnum):
    """How exactly the source knows when something happened."""

    SECOND = "second"
    MINUTE = "minute"
    DAY = "day"


class Moment(Model):
    """When something happened, in UTC, how exactly that is known, and whether the zone was ours to assume.

    A source that writes local time without a zone is read as Europe/London; `zone_assumed` says so.
    A precision of DAY is kept as that day's midnight in Europe/London.
    """

    at: Utc
    precision: Precision = Precision.SECOND
    zone_assumed: bool = False


class Sensitivity(enum.StrEnum):
    """Why a record needs particular care: special category, criminal offence, or restricted at its source."""

    HEALTH = "health"
    OFFENCE = "offence"
    LAO = "lao"
    MAPPA = "mappa"


Sensitivities = Annotated[
    frozenset[Sensitivity], PlainSerializer(sorted, return_type=list[Sensitivity], when_used="json")
]
"""Why a record needs care. Written sorted: a set has another order in every process, and ids follow what is written."""


class Sex(enum.StrEnum):
    """Sex as the source recorded it."""

    MALE = "male"
    FEMALE = "female"
    OTHER = "other"
    NOT_KNOWN = "not_known"


class AddressKind(enum.StrEnum):
    """What the source says an address is to the person."""

    DECLARED = "declared"
    """Stated by the person in a custody record, referral, benefit or registration record."""
    MAIN = "main"
    """Main and current, as probation records it (status M)."""
    RECEPTION = "reception"
    """Given at reception into prison."""
    DISCHARGE = "discharge"
    """Where the person is going on release; `confirmed` says whether it has been confirmed."""
    PREVIOUS = "previous"
    INSTITUTION = "institution"
    """Approved premises, hostel, hospital, prison: never a home."""
    OTHER = "other"


class AddressClaim(Model):
    """An address as one source stated it, with its dates.

    `postcode` is canonical ("SK1 3XE") or None when absent or unreadable. `no_fixed_abode` wins over a postcode that
    stands beside it.
    """

    kind: AddressKind
    lines: tuple[str, ...] = ()
    postcode: str | None = None
    no_fixed_abode: bool = False
    confirmed: bool = False
    start: date | None = None
    end: date | None = None


class Name(Model):
    """A name exactly as the source wrote it."""

    forenames: str | None = None
    surname: str


class Person(Model):
    """What one source says of the person: claims, never a verdict on who it is."""

    identifiers: tuple[Identifier, ...] = ()
    name: Name | None = None
    aliases: tuple[Name, ...] = ()
    date_of_birth: date | None = None
    sex: Sex | None = None
    addresses: tuple[AddressClaim, ...] = ()


class Event(Model):
    """One thing that happened to one person, as its source tells it.

    A subclass names its `kind` with a Literal whose first part is its topic ("custody.drug-test.recorded" travels on
    `custody.v1`) and says by its `standing` whether it opens a case.
    """

    standing: ClassVar[Standing]

    kind: str
    occurred: Moment
    person: Person
    sensitivity: Sensitivities = frozenset()

    @property
    def opens_case(self) -> bool:
        """Whether this event opens a case: its kind's standing, unless what it tells says otherwise."""
        return self.standing is Standing.REFERRAL

    @property
    def topic(self) -> str:
        """The Kafka topic this kind travels on."""
        return topic_of(self.kind)


def topic_of(kind: str) -> str:
    """The Kafka topic a kind travels on: its subject and the version of that subject's schema."""
    return f"{kind.partition('.')[0]}.v1"


class Retraction(Model):
    """The body of an event that takes a fact back: the reason only, never the content it takes back."""

    kind: str
    reason: str


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing a source states, before the journal has chained it.

    key: what the statement is about, per adapter ("police_custody:06:NP/123/12:test:1"). Personal; never stored plain.
    lane: the strongest identifier the source gives for the person ("NOMS:A1234BC"). Personal; never stored plain.
    event: the fact as told. A withdrawn fact may carry it or not.
    version: the source's own version of this fact, comparable within one key; None where the source gives none.
    withdrawn: the reason code, when the source takes the fact back (`withdrawn`, `deleted`, `reversed`,
        `not_confirmed_by_laboratory`, ...).
    kind: the kind of the event, also for a withdrawal.
    settles: the source publishes at once what it may reverse within minutes; the journal waits before publishing.
    reverses: the kind whose still-settling event of the same lane this one undoes; both then publish nothing.
    follows: what the source says of its place, where its protocol has it say so: False, that nothing was told of this
        fact before; True, that something was. None where it does not say. The journal chains by what it knows.
    lasting: it tells how something stands, and not what happened: the same told of another time is the same fact.
    """

    key: str
    lane: str
    kind: str
    event: Event | None
    version: int | None = None
    withdrawn: str | None = None
    settles: bool = False
    reverses: str | None = None
    follows: bool | None = None
    lasting: bool = False

    def __post_init__(self) -> None:
        if self.event is None and self.withdrawn is None:
            raise ValueError("a fact either tells an event or withdraws one")


def canonical_bytes(value: dict[str, Any]) -> bytes:
    """One spelling for one set of facts: sorted keys, no spaces, UTF-8."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def body_of(event: Event) -> bytes:
    """An event as it is written down."""
    return canonical_bytes(event.model_dump(mode="json"))


def facts_of(fact: Fact) -> bytes:
    """The facts an id follows: what was told, or that it was withdrawn, and nothing of how or when it reached us."""
    if fact.withdrawn is not None:
        return canonical_bytes({"kind": fact.kind, "withdrawn": fact.withdrawn})
    assert fact.event is not None  # noqa: S101 - Fact.__post_init__ holds it
    if fact.lasting:
        return canonical_bytes(fact.event.model_dump(mode="json", exclude={"occurred"}))
    return body_of(fact.event)


def event_id(namespace: uuid.UUID, fact_key: bytes, predecessor: uuid.UUID | None, facts: bytes) -> uuid.UUID:
    """UUIDv5(namespace, fact key, predecessor, facts).

    A, B, A are three events because their predecessors differ; the same statement read again is none. The namespace is
    secret per installation, so that an id cannot be guessed from facts.
    """
    name = hashlib.sha256(
        b"\x00".join((fact_key, predecessor.bytes if predecessor else b"-", hashlib.sha256(facts).digest()))
    ).hexdigest()
    return uuid.uuid5(namespace, name)
