"""Which person a record speaks of. Pure: known keys in, a verdict out.

`by_identifiers` is deterministic and knows only equal keys. A person index that weighs names, birth dates and
postcodes is another `Match` with the same claim and the same verdicts.

Two persons are never joined here, not even by a prison's merge of two numbers when each is already somebody: joining
moves cases and takes deliveries back, and must be reversible. Such a record is ambiguous, and waits for a decision.
"""

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from gateway.identity.keys import Key, Rule


@dataclass(frozen=True, slots=True)
class Claim:
    """What one record says about whom it speaks of.

    lane: the keyed hash of the source's line of records. predecessor: the person of the fact that it corrects.
    """

    keys: tuple[Key, ...]
    lane: bytes
    predecessor: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class New:
    """Nobody we know."""


@dataclass(frozen=True, slots=True)
class Linked:
    """This person, by this rule."""

    person: uuid.UUID
    rule: Rule


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """Several persons. `standing_in` is the provisional person that this lane already has, if any."""

    persons: frozenset[uuid.UUID]
    standing_in: uuid.UUID | None = None


Verdict = New | Linked | Ambiguous


@dataclass(slots=True)
class Known:
    """The persons that keys lead to. It learns while a batch is worked through, so that its events see each other.

    rules: by person, the rules under which anything is known of them; needed for persons a lane leads to.
    """

    persons: dict[bytes, set[uuid.UUID]] = field(default_factory=dict)
    provisional: set[uuid.UUID] = field(default_factory=set)
    rules: dict[uuid.UUID, set[Rule]] = field(default_factory=dict)

    def learn(self, key: Key, person: uuid.UUID) -> None:
        """A key leads to a person."""
        self.persons.setdefault(key.value, set()).add(person)
        self.rules.setdefault(person, set()).add(key.rule)

    def by(self, value: bytes) -> Iterable[uuid.UUID]:
        """The persons a key leads to."""
        return self.persons.get(value, ())


Match = Callable[[Claim, Known], Verdict]


def by_identifiers(claim: Claim, known: Known) -> Verdict:
    """The same fact is about the same person; else whoever the keys lead to; else whoever the lane leads to."""
    if claim.predecessor is not None:
        return Linked(claim.predecessor, Rule.SAME_FACT)
    found: dict[uuid.UUID, Rule] = {}
    for key in claim.keys:
        for person in known.by(key.value):
            if person not in known.provisional:
                found.setdefault(person, key.rule)
    if len(found) == 1:
        return Linked(*found.popitem())
    in_lane = sorted(known.by(claim.lane))
    standing_in = next((person for person in in_lane if person in known.provisional), None)
    if found:
        return Ambiguous(frozenset(found), standing_in)
    return _by_lane(claim, known, in_lane, standing_in)


def _by_lane(claim: Claim, known: Known, in_lane: list[uuid.UUID], standing_in: uuid.UUID | None) -> Verdict:
    """A lane speaks where nothing stronger does, and never against it.

    A lane may be a PNC number typed into a stranger's record: where the record gives a combination of a kind that the
    lane's person is known by, it has just been found not to agree.
    """
    told = {key.rule for key in claim.keys if key.rule.combined}
    agreeing = [
        person
        for person in in_lane
        if person not in known.provisional and told.isdisjoint(known.rules.get(person, frozenset()))
    ]
    if len(agreeing) == 1:
        return Linked(agreeing[0], Rule.LANE)
    if agreeing:
        return Ambiguous(frozenset(agreeing), standing_in)
    if standing_in is not None and not told:
        return Linked(standing_in, Rule.LANE)
    return New()
