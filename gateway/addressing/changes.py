"""Everything a batch will write, gathered in memory; written afterwards, whatever the batch's size at one go."""

import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from gateway.addressing.cases import Joined, Left
from gateway.addressing.determination import Determination, Role
from gateway.addressing.document import Letter
from gateway.addressing.evidence import Evidence, Reduced
from gateway.addressing.subject import Case


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of an event.

    lane: where it stood undecided. number: 1, and one more each time it is decided again.
    """

    record_id: uuid.UUID
    lane: bytes
    event_id: uuid.UUID
    number: int
    state: str
    reason: str | None
    owner: str | None
    due: datetime | None
    person_id: uuid.UUID | None
    case_id: uuid.UUID | None
    deliveries: int
    holds: int
    why: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Hold:
    """A role's delivery that waits from now on."""

    event_id: uuid.UUID
    decision: int
    role: Role
    person_id: uuid.UUID | None
    reason: str
    due: datetime


@dataclass(frozen=True, slots=True)
class Release:
    """A hold that ends. outcome: redecided, or superseded by a correction or a retraction."""

    event_id: uuid.UUID
    decision: int
    role: Role
    outcome: str


@dataclass(frozen=True, slots=True)
class Placed:
    """A determination that changed the answer."""

    person_id: uuid.UUID
    number: int
    event_id: uuid.UUID
    determination: Determination


@dataclass(slots=True)
class Changes:
    """By table, in the order they came about.

    persons: new ones, and whether each only stands in until a match is decided. keys: newly known, each with its
    person, its rule and the event that told it. mended: evidence kept before, of which better places say more.
    withdrawn: persons and facts whose evidence stands no longer. responsible: case, area and the event it opened with.
    """

    persons: list[tuple[uuid.UUID, bool]] = field(default_factory=list)
    keys: list[tuple[bytes, uuid.UUID, str, uuid.UUID]] = field(default_factory=list)
    evidence: list[Reduced] = field(default_factory=list)
    mended: list[Evidence] = field(default_factory=list)
    withdrawn: set[tuple[uuid.UUID, bytes]] = field(default_factory=set)
    placements: list[Placed] = field(default_factory=list)
    cases: list[Case] = field(default_factory=list)
    responsible: list[tuple[uuid.UUID, str | None, uuid.UUID]] = field(default_factory=list)
    participants: list[Joined | Left] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    holds: list[Hold] = field(default_factory=list)
    releases: list[Release] = field(default_factory=list)
    letters: list[Letter] = field(default_factory=list)
