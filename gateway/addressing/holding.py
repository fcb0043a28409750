"""Who holds the person, and the stay in prison that goes on. Pure.

First contact makes holding and never home.
"""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from gateway.addressing.determination import Answer, Confidence, Determination, Role, determination, nothing_known
from gateway.addressing.evidence import CONTACT, CUSTODY, DATED, IMPRISONMENT, INSTITUTION, RELEASE, SIGHTING, Evidence
from schemas.base import AddressKind
from schemas.places import Places

_AT_ONCE = {RELEASE: 0, CUSTODY: 1, SIGHTING: 1, IMPRISONMENT: 2}
"""Of what is said for the same instant, being held somewhere says more than having left elsewhere."""

_MOVES = frozenset({IMPRISONMENT, RELEASE})
_LIVED_AT = frozenset({AddressKind.MAIN.value, AddressKind.INSTITUTION.value})
"""The kinds of address under which approved premises and the like are told."""


def determine_holding(evidence: Iterable[Evidence], as_of: date, places: Places) -> Determination:
    """Who holds the person on a day: the newest of what custody suites, prisons and approved premises said."""
    answer = held([one for one in evidence if not one.withdrawn], as_of)
    return determination(Role.HOLDING, answer, as_of, places) if answer else nothing_known(Role.HOLDING, places)


def held(evidence: Sequence[Evidence], as_of: date) -> Answer | None:
    """The newest of first contact, prison and release; out of prison, the institution the person is put in.

    A custody contact goes on holding, though the person has long gone home, until a prison says something later: the
    appointments it made must be kept somewhere. A changed date or status shows that a prison holds the person only
    where no movement is known; prisons change dates of people they have released. Whom a person asked for help acts as
    a custody suite would, but nobody stops being held by asking.
    """
    moved = any(one.kind in _MOVES for one in evidence)
    telling = {CUSTODY, IMPRISONMENT, RELEASE} if moved else {CUSTODY, SIGHTING}
    if not stay_of(evidence):
        telling.add(CONTACT)
    last = newest(one for one in evidence if one.kind in telling)
    place = placed(evidence, as_of)
    if place is not None and (last is None or last.kind in (RELEASE, CONTACT) or _later(place, last)):
        return Answer(place.authority, "institution", Confidence.CONFIRMED, (place,))
    if last is None:
        return None
    if last.kind == RELEASE:
        return Answer(None, "released", Confidence.CONFIRMED, (last,))
    basis = {CUSTODY: "custody_suite", CONTACT: "self_referral"}.get(last.kind, "prison")
    confidence = Confidence.CONFIRMED if last.authority else Confidence.UNRESOLVED
    return Answer(last.authority, basis, confidence, (last,))


def placed(evidence: Iterable[Evidence], as_of: date) -> Evidence | None:
    """The institution (approved premises, a hostel) a person is put in on a day, by the addresses told of them.

    Only one with a beginning counts: without it, it may be a plan.
    """
    lived_at = [
        one
        for one in evidence
        if one.kind in _LIVED_AT
        and INSTITUTION in one.flags
        and one.authority is not None
        and one.start is not None
        and one.start <= as_of
        and (one.end is None or one.end > as_of)
    ]
    return max(lived_at, key=lambda one: (one.start or date.min, one.occurred, one.known), default=None)


def _later(place: Evidence, contact: Evidence) -> bool:
    """Whether the person was put there after a custody contact; while a prison holds them, nobody is put elsewhere."""
    return contact.kind == CUSTODY and place.start is not None and place.start > contact.occurred.date()


@dataclass(frozen=True, slots=True)
class Stay:
    """A stay in prison that goes on: since when, and the evidence whose sealed details tell where and until when."""

    since: datetime
    place: uuid.UUID
    dates: uuid.UUID | None


def current_stay(evidence: Iterable[Evidence]) -> Stay | None:
    """The stay in prison as it stands, or None: not in prison, as far as anybody said."""
    live = tuple(one for one in evidence if not one.withdrawn)
    last = newest(one for one in live if one.kind in (CUSTODY, IMPRISONMENT, RELEASE))
    stay = stay_of(live)
    if last is None or last.kind != IMPRISONMENT or not stay:
        return None
    since = stay[0].occurred
    dated = newest(one for one in live if DATED in one.flags and one.occurred >= since)
    return Stay(since=since, place=last.id, dates=dated.id if dated else None)


def stay_of(evidence: Sequence[Evidence]) -> list[Evidence]:
    """The movements of the stay in prison that nothing has ended, oldest first."""
    movements = sorted(
        (one for one in evidence if one.kind in _MOVES),
        key=lambda one: (one.occurred, _AT_ONCE[one.kind], one.known),
    )
    stay: list[Evidence] = []
    for one in movements:
        stay = [] if one.kind == RELEASE else [*stay, one]
    return stay


def newest(evidence: Iterable[Evidence]) -> Evidence | None:
    """The last of what is said to have been, and of that what became known last."""
    return max(evidence, key=lambda one: (one.occurred, _AT_ONCE.get(one.kind, 0), one.known), default=None)
