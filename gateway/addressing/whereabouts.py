"""Keeping a person's evidence and placement up to date while events are decided, in memory."""

import uuid
from datetime import date, datetime

from gateway.addressing.cases import follow
from gateway.addressing.changes import Changes, Placed
from gateway.addressing.determination import Determination
from gateway.addressing.evidence import IMPRISONMENT, RELEASE, Source, reduce
from gateway.addressing.holding import determine_holding
from gateway.addressing.placement import determine_home
from gateway.addressing.subject import Subject, Told
from schemas.base import Event
from schemas.places import Places


class Whereabouts:
    """Takes in what events tell of where their persons live or are held, and places them anew.

    today: the day of `now` where the agencies are.
    """

    def __init__(self, changes: Changes, *, now: datetime, today: date, places: Places, namespace: uuid.UUID) -> None:
        self._changes = changes
        self._now = now
        self._today = today
        self._places = places
        self._namespace = namespace

    def learn(self, subject: Subject, told: Told, event: Event) -> bool:
        """Take in an event's evidence. True if it says that the person was moved or let go."""
        overtakes = told.supersedes is not None and self._forget(subject, told)
        reduced = list(reduce(event, self._source(subject, told), self._places, self._namespace))
        self._changes.evidence.extend(reduced)
        subject.evidence.extend(one for one, _ in reduced)
        if reduced or overtakes:
            self._place(subject, told.id)
        return any(one.kind in (IMPRISONMENT, RELEASE) for one, _ in reduced)

    def learn_again(self, subject: Subject, told: Told, event: Event) -> None:
        """Read an event's evidence again, with the places as they are known now."""
        known = {one.id: one for one in subject.evidence}
        for one, _ in reduce(event, self._source(subject, told), self._places, self._namespace):
            before = known.get(one.id)
            if before is not None and (before.authority, before.flags) != (one.authority, one.flags):
                before.authority, before.flags = one.authority, one.flags
                self._changes.mended.append(before)
        self._place(subject, told.id)

    def withdraw(self, subject: Subject, told: Told) -> None:
        """What was said of this event's fact is evidence no longer."""
        if self._forget(subject, told):
            self._place(subject, told.id)

    def _source(self, subject: Subject, told: Told) -> Source:
        return Source(told.id, told.agency, told.fact, subject.id, self._now)

    def _forget(self, subject: Subject, told: Told) -> bool:
        """Drop the evidence of this fact; whether there was any."""
        said = [one for one in subject.evidence if one.fact == told.fact]
        for one in said:
            one.withdrawn = True
            subject.evidence.remove(one)
        if said:
            self._changes.withdrawn.add((subject.id, told.fact))
        return bool(said)

    def _place(self, subject: Subject, event_id: uuid.UUID) -> None:
        """Determine home and holding anew, and let the case's participants follow."""
        home = determine_home(subject.evidence, self._today, self._places)
        holding = determine_holding(subject.evidence, self._today, self._places)
        subject.home = self._in_force(subject, subject.home, home, event_id)
        subject.holding = self._in_force(subject, subject.holding, holding, event_id)
        self._changes.participants.extend(follow(subject, self._now))

    def _in_force(
        self, subject: Subject, before: Determination, after: Determination, event_id: uuid.UUID
    ) -> Determination:
        """The determination that stands: the one before, unless the answer changed."""
        if after.same_answer(before):
            return before
        number = subject.placed.get(after.role, 0) + 1
        subject.placed[after.role] = number
        self._changes.placements.append(Placed(subject.id, number, event_id, after))
        return after
