"""One person as addressing knows them while it works: evidence, placement, open case, and what waits."""

import uuid
from dataclasses import dataclass, field
from datetime import datetime

from gateway.addressing.determination import Determination, Role
from gateway.addressing.evidence import Evidence
from schemas.base import Change


@dataclass(frozen=True, slots=True)
class Told:
    """An event without its content: all that deciding about it needs.

    referral: it opens a case. adult: the person was 18 or older when it happened, as far as it tells.
    """

    id: uuid.UUID
    record_id: uuid.UUID
    lane: bytes
    sender: str
    agency: str
    kind: str
    change: Change
    supersedes: uuid.UUID | None
    fact: bytes
    occurred: datetime
    recorded: datetime
    trace: str | None
    referral: bool
    adult: bool = True


@dataclass(slots=True)
class Participant:
    """An area that takes part in a case, in one role, since a time. number: within its case."""

    number: int
    role: Role
    area: str
    since: datetime


@dataclass(slots=True)
class Case:
    """A person's open case. responsible: the area of the responsible LASARS; numbered: participants so far."""

    id: uuid.UUID
    person_id: uuid.UUID
    opened_by: uuid.UUID
    opened: datetime
    responsible: str | None
    participants: dict[Role, Participant] = field(default_factory=dict)
    numbered: int = 0


@dataclass(frozen=True, slots=True)
class HeldRole:
    """A role's delivery that waits, by the decision that made it wait, and why."""

    decision: int
    role: Role
    reason: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """An event of which some or all deliveries wait.

    last: the number of its latest decision. sent: the recipients that were sent it by an earlier decision.
    """

    event: Told
    holds: tuple[HeldRole, ...]
    last: int
    sent: frozenset[str]


@dataclass(slots=True)
class Subject:
    """One person. placed: how many determinations each role has had. waiting: in the order they came."""

    id: uuid.UUID
    provisional: bool
    home: Determination
    holding: Determination
    evidence: list[Evidence] = field(default_factory=list)
    placed: dict[Role, int] = field(default_factory=dict)
    case: Case | None = None
    waiting: list[Waiting] = field(default_factory=list)
