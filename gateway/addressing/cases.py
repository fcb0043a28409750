"""Opening a case, and the areas that take part in it. Pure.

A person has one open case. It opens with a referral, and its first responsible LASARS is home's where home is known,
else the one that holds the person. From then on responsibility only moves by transfer; who takes part follows the
placement.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime

from gateway.addressing.determination import Role
from gateway.addressing.subject import Case, Participant, Subject

FIRST_RESPONSIBLE = "case_opened"
"""The reason of the first entry of who is responsible."""


@dataclass(frozen=True, slots=True)
class Joined:
    """An area takes part in a case from now on."""

    case_id: uuid.UUID
    participant: Participant


@dataclass(frozen=True, slots=True)
class Left:
    """A participant of a case does so no longer."""

    case_id: uuid.UUID
    number: int
    at: datetime


def open_case(case_id: uuid.UUID, subject: Subject, opened_by: uuid.UUID, now: datetime) -> Case:
    """The case, without participants yet. Whoever opens it has checked that home or holding is an area."""
    home = subject.home.area if subject.home.determined and not subject.provisional else None
    case = Case(
        id=case_id,
        person_id=subject.id,
        opened_by=opened_by,
        opened=now,
        responsible=home or subject.holding.area,
    )
    subject.case = case
    return case


def follow(subject: Subject, now: datetime) -> list[Joined | Left]:
    """Bring the participants of the open case to what the placement says now."""
    case = subject.case
    if case is None:
        return []
    home = subject.home.area if subject.home.determined and not subject.provisional else None
    changes: list[Joined | Left] = []
    for role, area in ((Role.HOME, home), (Role.HOLDING, subject.holding.area)):
        present = case.participants.get(role)
        if present is not None and present.area != area:
            del case.participants[role]
            changes.append(Left(case.id, present.number, now))
            present = None
        if present is None and area is not None:
            case.numbered += 1
            joined = Participant(case.numbered, role, area, now)
            case.participants[role] = joined
            changes.append(Joined(case.id, joined))
    return changes
