"""Writing deliveries out: their data is picked, the document sealed, each with its record's key.

Most of what is needed is in the batch. What is not (the body of an event that waited, the details of a stay told
long ago) is read in one statement.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import orjson

from gateway.addressing.agreements import Agreements
from gateway.addressing.disclosure import AreaOf, dump
from gateway.addressing.document import Letter, written
from gateway.addressing.evidence import Reduced
from gateway.addressing.holding import Stay
from gateway.addressing.stays import PLACEMENT, tell
from gateway.sealing import DataKey, Sealer, Unreadable
from gateway.store.letters import read_bodies
from gateway.store.session import Session
from schemas.base import Event
from schemas.catalogue import decode
from schemas.places import Places

Body = tuple[uuid.UUID, uuid.UUID, bytes]
"""A sealed body: its id, whose key seals it, and the bytes."""


class Post:
    """What a batch's letters are written from: events, keys of their records, and details of stays."""

    def __init__(
        self,
        events: Mapping[uuid.UUID, Event],
        keys: Mapping[uuid.UUID, DataKey],
        evidence: Iterable[Reduced],
    ) -> None:
        self._events = dict(events)
        self._keys = dict(keys)
        self._details = {one.id: detail for one, detail in evidence if detail is not None}

    async def fetch(self, session: Session, letters: Sequence[Letter], sealer: Sealer) -> None:
        """Read what these letters need and the batch does not hold. Raises Unreadable for an event's body only."""
        waited = {
            letter.event.id: letter.event
            for letter in letters
            if letter.disclosure is not None and letter.event.id not in self._events
        }
        stays = {one for letter in letters if letter.stay for one in _parts(letter.stay)} - self._details.keys()
        if not waited and not stays:
            return
        wanted = {event.id: event.record_id for event in waited.values()} | {stay: stay for stay in stays}
        for body_id, record_id, sealed, wrapped in await read_bodies(session, wanted):
            key = sealer.unwrap(record_id, wrapped)
            if body_id in waited:
                self._keys[record_id] = key
                self._events[body_id] = decode(waited[body_id].kind, key.open(body_id, sealed))
            else:
                self._details[body_id] = orjson.loads(key.open(body_id, sealed))
        if missing := waited.keys() - self._events.keys():
            raise Unreadable(f"{len(missing)} events that waited have no body")

    def write(self, letters: Sequence[Letter], agreements: Agreements, places: Places, on: date) -> list[Body]:
        """The sealed documents, in the order of the letters."""
        dumps: dict[uuid.UUID, dict[str, Any]] = {}
        bodies = []
        for letter in letters:
            told = letter.event
            data: dict[str, Any] = {}
            if letter.disclosure is not None:
                event = self._events[told.id]
                if told.id not in dumps:
                    dumps[told.id] = dump(event)
                data = letter.disclosure.of(event, dumps[told.id], _areas(places, told.occurred.date(), on))
            stay = self._stay(letter, agreements, on) if letter.stay is not None else None
            document = written(letter, data, stay)
            bodies.append((letter.id, told.record_id, self.key_of(letter).seal(letter.id, document)))
        return bodies

    def key_of(self, letter: Letter) -> DataKey:
        """The key that a letter is sealed with: its record's."""
        return self._keys[letter.event.record_id]

    def _stay(self, letter: Letter, agreements: Agreements, on: date) -> dict[str, Any] | None:
        """What the agency that told of a stay has agreed may be told of it, or None."""
        stay = letter.stay
        place = self._details.get(stay.place) if stay is not None else None
        if stay is None or place is None:
            return None
        agreed = agreements.find(sender=place["agency"], recipient="lasars", kind=PLACEMENT, role=letter.role, on=on)
        if agreed is None:
            return None
        dates = self._details.get(stay.dates, {}) if stay.dates is not None else {}
        return {**agreed.of_stay(dump(tell(stay.since, place, dates))), "agreement": agreed.agreement}


def seal_details(evidence: Iterable[Reduced], sealer: Sealer) -> tuple[list[tuple[uuid.UUID, bytes]], list[Body]]:
    """The details of stays, each sealed with a new key under its evidence's id; and those keys, wrapped."""
    keys, bodies = [], []
    for one, detail in evidence:
        if detail is not None:
            key, wrapped = sealer.new_key(one.id)
            keys.append((one.id, wrapped))
            bodies.append((one.id, one.id, key.seal(one.id, orjson.dumps(detail))))
    return keys, bodies


def _parts(stay: Stay) -> Iterable[uuid.UUID]:
    return (stay.place,) if stay.dates is None else (stay.place, stay.dates)


def _areas(places: Places, told: date, on: date) -> AreaOf:
    """Where a postcode lay when it was told, and which area that is now."""

    def area_of(postcode: str) -> str | None:
        authority = places.authority_of(postcode, told)
        area = places.area_of(authority, on) if authority is not None else None
        return area.id if area is not None else None

    return area_of
