"""Deciding again what was held, after whatever held it was mended: an agreement, a party, a table of places."""

import uuid
from collections.abc import Iterable
from datetime import datetime

from gateway.addressing.address import Addressed, Tools, new_desk, write
from gateway.addressing.desk import Desk
from gateway.addressing.subject import Subject, Waiting
from gateway.sealing import DataKey, Unreadable
from gateway.store import persons
from gateway.store.letters import read_bodies
from gateway.store.session import Session
from schemas.base import Event
from schemas.catalogue import decode


async def redrive(session: Session, event_ids: Iterable[uuid.UUID], now: datetime, tools: Tools) -> Addressed:
    """Decide these events again, those of them that wait, inside the caller's transaction.

    What they said of places is read again first, since a postcode that lay nowhere may be known by now. An event that
    would wait for the same thing goes on waiting, as if nobody had asked. Nobody is sent anything twice.
    """
    asked = frozenset(event_ids)
    locked = await persons.lock(session, await persons.of_waiting(session, asked))
    subjects, _ = await persons.read(session, locked, (), tools.places)
    desk = new_desk(subjects, {}, now, tools)
    work = [
        (subject, waiting)
        for subject in subjects.values()
        for waiting in list(subject.waiting)
        if waiting.event.id in asked
    ]
    events, keys = await _read(session, [waiting for _, waiting in work], tools)
    for subject, waiting in work:
        if waiting.event.id in events:
            desk.learn_again(waiting.event, events[waiting.event.id], subject.id)
    for subject, waiting in work:
        if waiting.event.id in events:
            _again(desk, subject, waiting)
    return await write(session, desk.changes, events, keys, now, tools)


def _again(desk: Desk, subject: Subject, waiting: Waiting) -> None:
    """Unless reading its evidence again has decided it already."""
    if waiting in subject.waiting:
        desk.again(subject, waiting)


async def _read(
    session: Session, waiting: Iterable[Waiting], tools: Tools
) -> tuple[dict[uuid.UUID, Event], dict[uuid.UUID, DataKey]]:
    """The events that wait, opened, and their records' keys. One that does not open is left as it is."""
    told = {one.event.id: one.event for one in waiting}
    events: dict[uuid.UUID, Event] = {}
    keys: dict[uuid.UUID, DataKey] = {}
    wanted = {event.id: event.record_id for event in told.values()}
    for event_id, record_id, sealed, wrapped in await read_bodies(session, wanted):
        try:
            key = tools.sealer.unwrap(record_id, wrapped)
            events[event_id] = decode(told[event_id].kind, key.open(event_id, sealed))
        except Unreadable:
            continue
        keys[record_id] = key
    return events, keys
