"""Where home is, and who holds the person: pure, replayable, one named function per rule.

A determination says which area, on what basis, how sure, and from which evidence; never a bare code. "Outside the
scheme" is an answer (an authority without an area); "unresolved" is one too, and never a guess. First contact makes
holding and never home; an institution is never a home.
"""

import enum
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from gateway.addressing.evidence import (
    CUSTODY,
    DATED,
    IMPRISONMENT,
    INSTITUTION,
    NO_FIXED_ABODE,
    RELEASE,
    SIGHTING,
    Evidence,
)
from schemas.base import AddressKind
from schemas.places import Places

RULES = "1"
"""The version of the rules below; a determination carries it."""

SETTLED_WITHIN = timedelta(days=365)
"""How long a settled residence before no fixed abode still counts as home (proposed: 12 months)."""


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
    return Determination(role, None, None, NOTHING_KNOWN, Confidence.UNRESOLVED, (), RULES, places.version)


def determine_home(evidence: Iterable[Evidence], as_of: date, places: Places) -> Determination:
    """Where home is on a day, by the first rule that yields."""
    view = _View(tuple(one for one in evidence if not one.withdrawn), as_of)
    for rule in HOME_RULES:
        answer = rule(view)
        if answer is not None:
            break
    else:
        return nothing_known(Role.HOME, places)
    return _determination(Role.HOME, answer, as_of, places)


def determine_holding(evidence: Iterable[Evidence], as_of: date, places: Places) -> Determination:
    """Who holds the person on a day: the newest of what custody suites and prisons said."""
    answer = held(_View(tuple(one for one in evidence if not one.withdrawn), as_of))
    return _determination(Role.HOLDING, answer, as_of, places) if answer else nothing_known(Role.HOLDING, places)


@dataclass(frozen=True, slots=True)
class _Answer:
    """What a rule yields: a district or none, why, how sure, and from what."""

    authority: str | None
    basis: str
    confidence: Confidence
    evidence: tuple[Evidence, ...]


def _determination(role: Role, answer: _Answer, as_of: date, places: Places) -> Determination:
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


# --- Home ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Statement:
    """An address somebody stood by, and from when it counts."""

    evidence: Evidence
    since: datetime

    @property
    def homeless(self) -> bool:
        return NO_FIXED_ABODE in self.evidence.flags

    @property
    def order(self) -> tuple[datetime, date, datetime]:
        return self.since, self.evidence.start or date.min, self.evidence.known


class _View:
    """The evidence as the rules look at it."""

    def __init__(self, evidence: Sequence[Evidence], as_of: date) -> None:
        self.evidence = evidence
        self.as_of = as_of
        self.releases = sorted(one.occurred for one in evidence if one.kind == RELEASE)

    def of(self, *kinds: str) -> list[Evidence]:
        """The evidence of these kinds, without institutions."""
        return [one for one in self.evidence if one.kind in kinds and INSTITUTION not in one.flags]

    def statements(self) -> list[_Statement]:
        """What counts as stated by the person, newest first.

        A discharge address is a plan until the release that it is for; from then on it is where the person said they
        live.
        """
        stated = [_Statement(one, one.occurred) for one in self.of(AddressKind.DECLARED, AddressKind.RECEPTION)]
        for one in self.of(AddressKind.DISCHARGE):
            release = next((when for when in self.releases if when >= one.occurred), None)
            if release is not None:
                stated.append(_Statement(one, release))
        current = [one for one in stated if one.evidence.end is None or one.evidence.end > self.as_of]
        return sorted(current, key=lambda one: one.order, reverse=True)


def main_residence(view: _View) -> _Answer | None:
    """Rule 1: the main residence, current, not an institution, not no fixed abode. Two open ones: the later start."""
    current = [
        one
        for one in view.of(AddressKind.MAIN)
        if one.authority is not None
        and NO_FIXED_ABODE not in one.flags
        and (one.start is None or one.start <= view.as_of)
        and (one.end is None or one.end > view.as_of)
    ]
    if not current:
        return None
    latest = max(one.start or date.min for one in current)
    newest = [one for one in current if (one.start or date.min) == latest]
    return _agreed(newest, "main_residence", Confidence.CONFIRMED)


def residence_before_reception(view: _View) -> _Answer | None:
    """Rule 2: in prison, the main residence that ended when the person went in."""
    movement = _newest(view.of(IMPRISONMENT, RELEASE))
    if movement is None or movement.kind == RELEASE:
        return None
    since = _stay(view.evidence)[0].occurred.date()
    ended = [
        one
        for one in view.of(AddressKind.MAIN)
        if one.authority is not None and NO_FIXED_ABODE not in one.flags and one.end is not None and one.end >= since
    ]
    last = _newest(ended)
    return _Answer(last.authority, "residence_before_reception", Confidence.PROBABLE, (last,)) if last else None


def declared_residence(view: _View) -> _Answer | None:
    """Rules 1 to 4: what the person declared, at a custody suite, on reception or for a release; the newest counts.

    A newest one whose postcode lies nowhere we know is no reason to go back to an older one.
    """
    stated = view.statements()
    if not stated or stated[0].homeless:
        return None
    newest = [one.evidence for one in stated if one.order[:2] == stated[0].order[:2]]
    if any(NO_FIXED_ABODE in one.flags for one in newest):
        return None
    if any(one.authority is None for one in newest):
        return _Answer(None, "postcode_unknown", Confidence.UNRESOLVED, tuple(newest))
    basis = {
        AddressKind.RECEPTION.value: "declared_at_reception",
        AddressKind.DISCHARGE.value: "declared_for_release",
    }.get(newest[0].kind, "declared")
    return _agreed(newest, basis, Confidence.PROBABLE)


def no_fixed_abode(view: _View) -> _Answer | None:
    """Rule 5: the last settled residence of the 12 months before; else where the person sleeps, provisionally."""
    stated = view.statements()
    homeless = next((one for one in stated if one.homeless), None)
    if homeless is None:
        return None
    earliest = homeless.since - SETTLED_WITHIN
    settled = [
        one
        for one in view.of(
            AddressKind.DECLARED, AddressKind.MAIN, AddressKind.RECEPTION, AddressKind.DISCHARGE, AddressKind.PREVIOUS
        )
        if one.authority is not None
        and NO_FIXED_ABODE not in one.flags
        and earliest <= _last_lived(one) <= homeless.since
        and (one.kind != AddressKind.DISCHARGE or any(one.occurred <= when < homeless.since for when in view.releases))
    ]
    if settled:
        last = max(settled, key=lambda one: (_last_lived(one), one.known))
        return _Answer(
            last.authority,
            "settled_before_no_fixed_abode",
            Confidence.PROBABLE,
            (last, homeless.evidence),
        )
    return _Answer(homeless.evidence.authority, "no_fixed_abode", Confidence.PROVISIONAL, (homeless.evidence,))


HomeRule = Callable[[_View], _Answer | None]

HOME_RULES: tuple[HomeRule, ...] = (main_residence, residence_before_reception, declared_residence, no_fixed_abode)
"""In this order; the first that yields is the answer."""


def _last_lived(one: Evidence) -> datetime:
    """The last time an address was said to be lived at."""
    ended = datetime(one.end.year, one.end.month, one.end.day, tzinfo=UTC) if one.end else None
    return ended if ended is not None and (one.kind != AddressKind.DECLARED or ended < one.occurred) else one.occurred


def _agreed(newest: Sequence[Evidence], basis: str, confidence: Confidence) -> _Answer:
    """One district if all say the same; a tie is unresolved."""
    authorities = {one.authority for one in newest}
    if len(authorities) > 1:
        return _Answer(None, f"{basis}_tie", Confidence.UNRESOLVED, tuple(newest))
    return _Answer(newest[0].authority, basis, confidence, tuple(newest))


# --- Holding ---------------------------------------------------------------------------------------------------------

_AT_ONCE = {RELEASE: 0, CUSTODY: 1, SIGHTING: 1, IMPRISONMENT: 2}
"""Of what is said for the same instant, being held somewhere says more than having left elsewhere."""


def _newest(evidence: Sequence[Evidence]) -> Evidence | None:
    return max(evidence, key=lambda one: (one.occurred, _AT_ONCE.get(one.kind, 0), one.known), default=None)


def held(view: _View) -> _Answer | None:
    """The newest of custody contact, prison and release.

    A custody contact goes on holding, though the person has long gone home, until a prison says something later: the
    appointments it made must be kept somewhere. A changed date or status shows that a prison holds the person only
    where no movement is known; prisons change dates of people they have released.
    """
    last = _newest(view.of(CUSTODY, IMPRISONMENT, RELEASE))
    if not view.of(IMPRISONMENT, RELEASE):
        last = _newest(view.of(CUSTODY, SIGHTING))
    if last is None:
        return None
    if last.kind == RELEASE:
        return _Answer(None, "released", Confidence.CONFIRMED, (last,))
    basis = "custody_suite" if last.kind == CUSTODY else "prison"
    confidence = Confidence.CONFIRMED if last.authority else Confidence.UNRESOLVED
    return _Answer(last.authority, basis, confidence, (last,))


@dataclass(frozen=True, slots=True)
class Stay:
    """A stay in prison that goes on: since when, and the evidence whose sealed details tell where and until when."""

    since: datetime
    place: uuid.UUID
    dates: uuid.UUID | None


def current_stay(evidence: Iterable[Evidence]) -> Stay | None:
    """The stay in prison as it stands, or None: not in prison, as far as anybody said."""
    live = tuple(one for one in evidence if not one.withdrawn)
    last = _newest([one for one in live if one.kind in (CUSTODY, IMPRISONMENT, RELEASE)])
    stay = _stay(live)
    if last is None or last.kind != IMPRISONMENT or not stay:
        return None
    since = stay[0].occurred
    dated = _newest([one for one in live if DATED in one.flags and one.occurred >= since])
    return Stay(since=since, place=last.id, dates=dated.id if dated else None)


def _stay(evidence: Sequence[Evidence]) -> list[Evidence]:
    """The movements of the stay in prison that nothing has ended, oldest first."""
    movements = sorted(
        (one for one in evidence if one.kind in (IMPRISONMENT, RELEASE)),
        key=lambda one: (one.occurred, _AT_ONCE[one.kind], one.known),
    )
    stay: list[Evidence] = []
    for one in movements:
        stay = [] if one.kind == RELEASE else [*stay, one]
    return stay
