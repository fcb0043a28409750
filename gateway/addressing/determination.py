"""A determination: where home is or who holds a person, and why; never a bare code.

"Outside the scheme" is an answer (an authority without an area); "unresolved" is one too, and never a guess.
"""

import enum
import uuid
from dataclasses import dataclass
from datetime import date
from functools import cache

from gateway.addressing.evidence import Evidence
from schemas.places import Places

RULES = "1"
"""The version of the rules of `placement` and `holding`; a determination carries it."""


class Role(enum.StrEnum):
    """What an area is to a person."""

    HOME = "home"
    HOLDING = "holding"


class Confidence(enum.StrEnum):
    """How sure a determination is. Home deliveries go from PROBABLE up."""

    CONFIRMED = "confirmed"
    PROBABLE = "probable"
    PROVISIONAL = "provisional"
    UNRESOLVED = "unresolved"


@dataclass(frozen=True, slots=True)
class Determination:
    """Where, on what basis, how sure, from which events, and under which versions of rules and places.

    area: None where unresolved, or where `authority` lies outside the scheme.
    """

    role: Role
    area: str | None
    authority: str | None
    basis: str
    confidence: Confidence
    evidence: tuple[uuid.UUID, ...]
    rules: str
    places: str

    @property
    def determined(self) -> bool:
        """Sure enough to send by."""
        return self.confidence in (Confidence.CONFIRMED, Confidence.PROBABLE)

    @property
    def out_of_scheme(self) -> bool:
        """Sure, and in none of the areas."""
        return self.determined and self.authority is not None and self.area is None

    def same_answer(self, other: "Determination") -> bool:
        """Whether nothing changed that anybody would act upon."""
        return (self.area, self.authority, self.basis, self.confidence) == (
            other.area,
            other.authority,
            other.basis,
            other.confidence,
        )


NOTHING_KNOWN = "nothing_known"


def nothing_known(role: Role, places: Places) -> Determination:
    """What stands before anything was said."""
    return _nothing_known(role, places.version)


@cache
def _nothing_known(role: Role, places: str) -> Determination:
    return Determination(role, None, None, NOTHING_KNOWN, Confidence.UNRESOLVED, (), RULES, places)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a rule yields: a district or none, why, how sure, and from what."""

    authority: str | None
    basis: str
    confidence: Confidence
    evidence: tuple[Evidence, ...]


def determination(role: Role, answer: Answer, as_of: date, places: Places) -> Determination:
    """An answer, with the area its district belongs to on a day."""
    area = places.area_of(answer.authority, as_of) if answer.authority else None
    return Determination(
        role=role,
        area=area.id if area else None,
        authority=answer.authority,
        basis=answer.basis,
        confidence=answer.confidence,
        evidence=tuple(dict.fromkeys(one.event_id for one in answer.evidence)),
        rules=RULES,
        places=places.version,
    )
