"""Finding the persons a batch speaks of, in what the store knows of its keys and lanes. Pure."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from gateway.identity.keys import Key, Rule
from gateway.identity.match import Ambiguous, Claim, Known, Linked, Match
from gateway.ids import derived_id


@dataclass(frozen=True, slots=True)
class Asked:
    """One event's question. predecessor: the event it corrects or takes back.

    mints: False for what only speaks of persons already known (a retraction), or must never make a third of two (a
    merge).
    """

    event_id: uuid.UUID
    keys: tuple[Key, ...]
    lane: bytes
    predecessor: uuid.UUID | None
    mints: bool = True


@dataclass(frozen=True, slots=True)
class Identified:
    """Whom an event speaks of, by which rule; None if that cannot be said. candidates: if they were several."""

    person: uuid.UUID | None
    rule: str
    candidates: frozenset[uuid.UUID] = frozenset()


@dataclass(slots=True)
class Identities:
    """The answers by event, and what must be written down for them."""

    of: dict[uuid.UUID, Identified] = field(default_factory=dict)
    persons: list[tuple[uuid.UUID, bool]] = field(default_factory=list)
    keys: list[tuple[bytes, uuid.UUID, str, uuid.UUID]] = field(default_factory=list)

    def known(self) -> set[uuid.UUID]:
        """Every person that an answer names and that existed before."""
        named = {one.person for one in self.of.values() if one.person is not None}
        candidates = {person for one in self.of.values() for person in one.candidates}
        return (named | candidates) - {person for person, _ in self.persons}


def identify(
    asked: Iterable[Asked],
    known: Known,
    predecessors: Mapping[uuid.UUID, uuid.UUID],
    match: Match,
    namespace: uuid.UUID,
) -> Identities:
    """Answer each in order; the later ones know what the earlier ones told. Pure.

    predecessors: by event of an earlier batch, the person it was decided to be about. A new person's id follows the
    event that made it, so that deciding again makes the same one.
    """
    found = Identities()
    for one in asked:
        found.of[one.event_id] = _answer(one, known, predecessors, match, namespace, found)
    return found


def _answer(
    one: Asked,
    known: Known,
    predecessors: Mapping[uuid.UUID, uuid.UUID],
    match: Match,
    namespace: uuid.UUID,
    found: Identities,
) -> Identified:
    before = None
    if one.predecessor is not None:
        in_batch = found.of.get(one.predecessor)
        before = in_batch.person if in_batch is not None else predecessors.get(one.predecessor)
    lane = Key(Rule.LANE, one.lane)
    match match(Claim(one.keys, one.lane, before), known):
        case Linked(person, rule):
            own = (lane,) if person in known.provisional else (*one.keys, lane)
            _remember(own, person, one, known, found)
            return Identified(person, rule.value)
        case Ambiguous(candidates, standing_in):
            if not one.mints:
                return Identified(None, "ambiguous", candidates)
            if standing_in is None:
                standing_in = _new_person(one, namespace, found, provisional=True)
                known.provisional.add(standing_in)
                _remember((lane,), standing_in, one, known, found)
            return Identified(standing_in, "ambiguous", candidates)
        case _:
            if not one.mints and not one.keys:
                return Identified(None, "unknown")
            person = _new_person(one, namespace, found, provisional=False)
            _remember((*one.keys, lane), person, one, known, found)
            return Identified(person, "new")


def _new_person(one: Asked, namespace: uuid.UUID, found: Identities, *, provisional: bool) -> uuid.UUID:
    person = derived_id(namespace, f"person|{one.event_id}")
    found.persons.append((person, provisional))
    return person


def _remember(keys: Iterable[Key], person: uuid.UUID, one: Asked, known: Known, found: Identities) -> None:
    """Keys that lead nowhere yet lead to this person from now on. A key that leads to somebody else stays theirs."""
    for key in keys:
        present = known.persons.get(key.value, ())
        if person in present or (present and key.rule is not Rule.LANE):
            continue
        known.learn(key, person)
        found.keys.append((key.value, person, key.rule.value, one.event_id))
