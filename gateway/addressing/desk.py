"""Deciding, one event after the other, in memory. No statement is made here, so that a batch costs what it must.

Everything the desk knows it was given; everything it decides is in `changes`. Events of one batch see what the ones
before them changed, so that a batch decides exactly as its events would one by one.
"""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from gateway.addressing.agreements import Agreements
from gateway.addressing.cases import follow, open_case
from gateway.addressing.changes import Changes, Decision, Hold, Release
from gateway.addressing.determination import RULES, Role
from gateway.addressing.disclosure import Disclosure
from gateway.addressing.document import letter, placed, retraction
from gateway.addressing.recipients import (
    NO_LONGER_ENTITLED,
    Chains,
    Entitled,
    Holder,
    Nobody,
    Waits,
    disentitled,
    entitlement,
)
from gateway.addressing.subject import HeldRole, Subject, Told, Waiting
from gateway.addressing.whereabouts import Whereabouts
from gateway.addressing.working_time import one_working_day_after
from gateway.ids import delivery_id, derived_id
from gateway.parties import Parties
from schemas.base import Event, Standing
from schemas.places import Places

OPERATIONS = "operations"
LASARS = "lasars"
_AFTER_PLACEMENT = frozenset({Waits.NO_HOME_AREA.value})
"""What is decided again by itself when home becomes known; all else waits to be driven again."""


@dataclass(slots=True)
class _Resolved:
    """Who is owed an event: recipients, by role and terms those who can be sent it, and the roles that must wait."""

    owed: set[str] = field(default_factory=set)
    letters: dict[str, tuple[Role, Disclosure]] = field(default_factory=dict)
    waits: dict[Role, Waits] = field(default_factory=dict)


class Desk:
    """Decides for the persons it was given.

    chains: who has which version of the facts that the batch corrects or takes back. now: one instant for the whole
    batch; today is its day where the agencies are.
    """

    def __init__(
        self,
        *,
        subjects: Mapping[uuid.UUID, Subject],
        chains: Chains,
        now: datetime,
        today: date,
        namespace: uuid.UUID,
        places: Places,
        parties: Parties,
        agreements: Agreements,
    ) -> None:
        self._subjects = subjects
        self._chains = chains
        self._now = now
        self._today = today
        self._due = one_working_day_after(now)
        self._namespace = namespace
        self._places = places
        self._parties = parties
        self._agreements = agreements
        self.changes = Changes()
        self._whereabouts = Whereabouts(self.changes, now=now, today=today, places=places, namespace=namespace)

    # --- Events ------------------------------------------------------------------------------------------------------

    def receive(self, told: Told, event: Event, person_id: uuid.UUID, rule: str) -> None:
        """Decide a fact or a correction about a person."""
        subject = self._subjects[person_id]
        held_before = subject.holding.area
        moved = self._whereabouts.learn(subject, told, event)
        self._overtake(subject, told)
        self._again_after_placement(subject)
        outcome = entitlement(told, subject, left=held_before if moved else None)
        self._settle(told, subject, outcome, rule)

    def take_back(self, told: Told, person_id: uuid.UUID | None, reason: str) -> None:
        """Decide a retraction: everybody who has any version of its fact is told to forget it, and nothing else.

        What is still queued of the fact stays queued: it is delivered first and taken back after, in that order, so
        that what every recipient was told can be read off its mailbox.
        """
        holders = self._chains.get(told.supersedes, {}) if told.supersedes else {}
        self._chains[told.id] = {}
        subject = self._subjects.get(person_id) if person_id is not None else None
        if subject is None:
            self._decide(told, 1, None, "no_recipient", Nobody.NOBODY_TOLD, {})
            return
        self._whereabouts.withdraw(subject, told)
        self._overtake(subject, told)
        self._again_after_placement(subject)
        for recipient, holder in holders.items():
            self._retract(told, subject, recipient, holder, 1, reason)
        state, why = ("decided", None) if holders else ("no_recipient", Nobody.NOBODY_TOLD)
        self._decide(told, 1, subject, state, why, {"retracts": len(holders)}, deliveries=len(holders))

    def wait_for_match(self, told: Told, event: Event, person_id: uuid.UUID | None, candidates: int) -> None:
        """Keep an event that speaks of one of several persons until somebody says of whom.

        person_id: the provisional person it is kept under; None for a prison's merge of two persons, of which there is
        nothing to learn before they are one.
        """
        if told.supersedes is not None:
            self._chains[told.id] = dict(self._chains.get(told.supersedes, {}))
        subject = self._subjects.get(person_id) if person_id is not None else None
        if subject is not None:
            self._whereabouts.learn(subject, told, event)
        self._hold(told, 1, subject, {Role.HOME: Waits.PERSON_MATCH_AMBIGUOUS}, frozenset())
        why: dict[str, object] = {
            "match": {"rule": "ambiguous", "persons": candidates},
            "standing": _standing(told),
        }
        self._decide(told, 1, subject, "held", Waits.PERSON_MATCH_AMBIGUOUS, why, holds=1)

    def learn_again(self, told: Told, event: Event, person_id: uuid.UUID) -> None:
        """Read the evidence of an event again, with the places as they are known now, and act on what follows."""
        subject = self._subjects[person_id]
        self._whereabouts.learn_again(subject, told, event)
        self._again_after_placement(subject)

    def again(self, subject: Subject, waiting: Waiting, reasons: frozenset[str] | None = None) -> bool:
        """Decide a waiting event once more; False if it would go on waiting for just what it waits for.

        reasons: only what is held for these; None is whatever is held. A provisional person's match is not decided
        here.
        """
        asked = [one for one in waiting.holds if reasons is None or one.reason in reasons]
        if subject.provisional:
            asked = [one for one in asked if one.reason != Waits.PERSON_MATCH_AMBIGUOUS]
        if not asked:
            return False
        outcome = entitlement(waiting.event, subject)
        if isinstance(outcome, Entitled):
            if waiting.sent or len(asked) < len(waiting.holds):
                outcome = outcome.only(frozenset(one.role for one in asked))
            resolved = self._resolve(waiting.event, outcome)
            if not resolved.letters and {(one.role, one.reason) for one in asked} == set(resolved.waits.items()):
                return False
        subject.waiting.remove(waiting)
        self._release(waiting, asked, "redecided")
        kept = tuple(one for one in waiting.holds if one not in asked)
        self._settle(waiting.event, subject, outcome, "redecided", waiting=replace(waiting, holds=kept))
        return True

    # --- What waited -------------------------------------------------------------------------------------------------

    def _overtake(self, subject: Subject, told: Told) -> None:
        """What still waits of the version before is not worth deciding any more."""
        for waiting in [one for one in subject.waiting if one.event.id == told.supersedes]:
            subject.waiting.remove(waiting)
            self._release(waiting, waiting.holds, "superseded")
            if not waiting.sent:
                why: dict[str, object] = {"by": told.change.value}
                self._decide(waiting.event, waiting.last + 1, subject, "superseded", None, why)

    def _again_after_placement(self, subject: Subject) -> None:
        if subject.home.determined:
            for waiting in list(subject.waiting):
                self.again(subject, waiting, _AFTER_PLACEMENT)

    # --- What follows ------------------------------------------------------------------------------------------------

    def _settle(
        self, told: Told, subject: Subject, outcome: Entitled | Nobody, rule: str, *, waiting: Waiting | None = None
    ) -> None:
        """Write down what an outcome makes: the case, deliveries, notices, holds, and the decision.

        waiting: what it waited as, where it was decided before; nobody is sent it twice.
        """
        number = waiting.last + 1 if waiting else 1
        sent = waiting.sent if waiting else frozenset()
        if isinstance(outcome, Entitled) and outcome.opens:
            self._open(told, subject)
        resolved = self._resolve(told, outcome)
        fresh = {to: (role, terms) for to, (role, terms) in resolved.letters.items() if to not in sent}
        for recipient, (role, disclosure) in fresh.items():
            letter_id = delivery_id(self._namespace, told.id, recipient, role, number)
            self.changes.letters.append(letter(letter_id, told, subject, recipient, role, number, disclosure))
        holders = dict(self._holders(told))
        gone = disentitled(holders, resolved.owed) if waiting is None else {}
        for recipient, holder in gone.items():
            self._retract(told, subject, recipient, holder, number, NO_LONGER_ENTITLED)
            del holders[recipient]
        holders |= {to: Holder(role, terms.agreement) for to, (role, terms) in fresh.items()}
        self._chains[told.id] = holders
        self._hold(told, number, subject, resolved.waits, sent | fresh.keys(), waiting)
        deliveries = len(fresh) + len(gone)
        why: dict[str, object] = {
            "match": {"rule": rule},
            "standing": _standing(told),
            "home": placed(subject.home),
            "holding": placed(subject.holding),
        }
        state: str
        reason: Nobody | Waits | None
        if isinstance(outcome, Nobody):
            state, reason = ("decided", None) if deliveries or sent else ("no_recipient", outcome)
            why["nobody"] = outcome.value
        elif deliveries or not resolved.waits:
            state, reason = "decided", None
        else:
            state, reason = "held", next(iter(resolved.waits.values()))
        self._decide(told, number, subject, state, reason, why, deliveries=deliveries, holds=len(resolved.waits))

    def _holders(self, told: Told) -> Mapping[str, Holder]:
        """Who has this event, if it was decided before, or else the version before it."""
        if told.id in self._chains:
            return self._chains[told.id]
        return self._chains.get(told.supersedes, {}) if told.supersedes is not None else {}

    def _resolve(self, told: Told, outcome: Entitled | Nobody) -> "_Resolved":
        """From areas to parties, and to what is agreed with them."""
        resolved = _Resolved()
        if isinstance(outcome, Nobody):
            return resolved
        resolved.waits.update(outcome.waits)
        for role, area in outcome.owed:
            party = self._parties.lasars_of(area)
            if party is None:
                resolved.waits[role] = Waits.NO_LASARS
                continue
            disclosure = self._agreements.find(
                sender=told.agency, recipient=LASARS, kind=told.kind, role=role, on=self._today
            )
            if disclosure is not None and disclosure.silent:
                continue
            resolved.owed.add(party.id)
            if disclosure is None:
                resolved.waits[role] = Waits.NO_AGREEMENT
            else:
                resolved.letters[party.id] = (role, disclosure)
        return resolved

    def _open(self, told: Told, subject: Subject) -> None:
        case = open_case(derived_id(self._namespace, f"case|{told.id}"), subject, told.id, self._now)
        self.changes.cases.append(case)
        self.changes.responsible.append((case.id, case.responsible, told.id))
        self.changes.participants.extend(follow(subject, self._now))

    def _retract(self, told: Told, subject: Subject, recipient: str, holder: Holder, number: int, reason: str) -> None:
        letter_id = delivery_id(self._namespace, told.id, recipient, holder.role, number)
        self.changes.letters.append(retraction(letter_id, told, subject, recipient, holder, number, reason))

    def _hold(
        self,
        told: Told,
        number: int,
        subject: Subject | None,
        waits: Mapping[Role, Waits],
        sent: frozenset[str],
        waiting: Waiting | None = None,
    ) -> None:
        """Roles wait from now on, beside those that went on waiting."""
        for role, reason in waits.items():
            person_id = subject.id if subject else None
            self.changes.holds.append(Hold(told.id, number, role, person_id, reason.value, self._due))
        held = tuple(HeldRole(number, role, reason.value) for role, reason in waits.items())
        if waiting is not None:
            held = (*waiting.holds, *held)
        if subject is not None and held:
            subject.waiting.append(Waiting(told, held, number, sent))

    def _release(self, waiting: Waiting, holds: Iterable[HeldRole], outcome: str) -> None:
        self.changes.releases.extend(Release(waiting.event.id, one.decision, one.role, outcome) for one in holds)

    def _decide(
        self,
        told: Told,
        number: int,
        subject: Subject | None,
        state: str,
        reason: Nobody | Waits | None,
        why: dict[str, object],
        *,
        deliveries: int = 0,
        holds: int = 0,
    ) -> None:
        held = state == "held"
        self.changes.decisions.append(
            Decision(
                record_id=told.record_id,
                lane=told.lane,
                event_id=told.id,
                number=number,
                state=state,
                reason=reason.value if reason is not None else None,
                owner=OPERATIONS if held else None,
                due=self._due if held else None,
                person_id=subject.id if subject else None,
                case_id=subject.case.id if subject and subject.case and state != "no_recipient" else None,
                deliveries=deliveries,
                holds=holds,
                why={**why, "rules": RULES, "places": self._places.version},
            )
        )


def _standing(told: Told) -> str:
    return (Standing.REFERRAL if told.referral else Standing.INFORMING).value
