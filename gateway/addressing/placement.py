"""Where home is: pure, replayable, one named function per rule, and the first that yields answers.

First contact makes holding and never home; an institution is never a home.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from adapters.local_time import LONDON
from gateway.addressing.determination import Answer, Confidence, Determination, Role, determination, nothing_known
from gateway.addressing.evidence import INSTITUTION, NO_FIXED_ABODE, RELEASE, Evidence
from gateway.addressing.holding import newest, placed, stay_of
from schemas.base import AddressKind
from schemas.places import Places

SETTLED_WITHIN = timedelta(days=365)
"""How long a settled residence before no fixed abode still counts as home (proposed: 12 months)."""


def determine_home(evidence: Iterable[Evidence], as_of: date, places: Places) -> Determination:
    """Where home is on a day, by the first rule that yields."""
    view = _View([one for one in evidence if not one.withdrawn], as_of)
    for rule in HOME_RULES:
        answer = rule(view)
        if answer is not None:
            return determination(Role.HOME, answer, as_of, places)
    return nothing_known(Role.HOME, places)


@dataclass(frozen=True, slots=True)
class _Statement:
    """An address somebody stood by, and from when it counts."""

    evidence: Evidence
    since: datetime

    @property
    def homeless(self) -> bool:
        return NO_FIXED_ABODE in self.evidence.flags

    @property
    def order(self) -> tuple[datetime, datetime, date]:
        return self.since, self.evidence.occurred, self.evidence.start or date.min


class _View:
    """The evidence as the rules look at it."""

    def __init__(self, evidence: Sequence[Evidence], as_of: date) -> None:
        self.evidence = evidence
        self.as_of = as_of
        self._kinds = frozenset(one.kind for one in evidence)
        self.releases = sorted(one.occurred for one in evidence if one.kind == RELEASE)

    def of(self, *kinds: str) -> list[Evidence]:
        """The evidence of these kinds, without institutions."""
        if self._kinds.isdisjoint(kinds):
            return []
        return [one for one in self.evidence if one.kind in kinds and INSTITUTION not in one.flags]

    def statements(self) -> list[_Statement]:
        """What counts as stated by the person, newest first.

        A discharge address is a plan until the release that it is for; from then on it is where the person said they
        live. A main address that is none says that the person has none, however long ago they named one.
        """
        stated = [_Statement(one, one.occurred) for one in self.of(AddressKind.DECLARED, AddressKind.RECEPTION)]
        stated += [_Statement(one, one.occurred) for one in self.of(AddressKind.MAIN) if NO_FIXED_ABODE in one.flags]
        for one in self.of(AddressKind.DISCHARGE):
            release = next((when for when in self.releases if when >= one.occurred), None)
            if release is not None:
                stated.append(_Statement(one, release))
        current = [one for one in stated if one.evidence.end is None or one.evidence.end > self.as_of]
        return sorted(current, key=lambda one: (one.order, one.evidence.known), reverse=True)


def main_residence(view: _View) -> Answer | None:
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
    last_said = [one for one in current if (one.start or date.min) == latest]
    return _agreed(last_said, "main_residence", Confidence.CONFIRMED)


def residence_before_reception(view: _View) -> Answer | None:
    """Rule 2: in prison, the main residence that ended when the person went in."""
    stay = stay_of(view.evidence)
    if not stay:
        return None
    went_in = stay[0].occurred.date()
    last = newest(
        one
        for one in view.of(AddressKind.MAIN, AddressKind.PREVIOUS)
        if one.authority is not None and NO_FIXED_ABODE not in one.flags and one.end is not None and one.end >= went_in
    )
    return Answer(last.authority, "residence_before_reception", Confidence.PROBABLE, (last,)) if last else None


def residence_before_placement(view: _View) -> Answer | None:
    """Rule 4: in approved premises or the like, the residence that ended before, unless one was stated since.

    Probation marks a main residence as previous when it ends.
    """
    place = placed(view.evidence, view.as_of)
    if place is None:
        return None
    ended = [
        (one.end, one)
        for one in view.of(AddressKind.MAIN, AddressKind.PREVIOUS)
        if one.authority is not None and NO_FIXED_ABODE not in one.flags and one.end is not None
    ]
    if not ended:
        return None
    latest = max(end for end, _ in ended)
    if any(one.since.date() > latest for one in view.statements()):
        return None
    return _agreed([one for end, one in ended if end == latest], "residence_before_placement", Confidence.PROBABLE)


def declared_residence(view: _View) -> Answer | None:
    """Rules 1 to 4: what the person declared, at a custody suite, on reception or for a release; the newest counts.

    A newest one whose postcode lies nowhere we know is no reason to go back to an older one.
    """
    stated = view.statements()
    if not stated or stated[0].homeless:
        return None
    last_said = [one.evidence for one in stated if one.order == stated[0].order]
    if any(NO_FIXED_ABODE in one.flags for one in last_said):
        return None
    if any(one.authority is None for one in last_said):
        return Answer(None, "postcode_unknown", Confidence.UNRESOLVED, tuple(last_said))
    basis = {
        AddressKind.RECEPTION.value: "declared_at_reception",
        AddressKind.DISCHARGE.value: "declared_for_release",
    }.get(last_said[0].kind, "declared")
    return _agreed(last_said, basis, Confidence.PROBABLE)


def no_fixed_abode(view: _View) -> Answer | None:
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
        return Answer(
            last.authority,
            "settled_before_no_fixed_abode",
            Confidence.PROBABLE,
            (last, homeless.evidence),
        )
    return Answer(homeless.evidence.authority, "no_fixed_abode", Confidence.PROVISIONAL, (homeless.evidence,))


HomeRule = Callable[[_View], Answer | None]

HOME_RULES: tuple[HomeRule, ...] = (
    main_residence,
    residence_before_reception,
    residence_before_placement,
    declared_residence,
    no_fixed_abode,
)
"""In this order; the first that yields is the answer."""


def _last_lived(one: Evidence) -> datetime:
    """The last time an address was said to be lived at. Its last day begins where the agencies are, as events do."""
    ended = datetime.combine(one.end, time(), LONDON) if one.end else None
    return ended if ended is not None and (one.kind != AddressKind.DECLARED or ended < one.occurred) else one.occurred


def _agreed(said: Sequence[Evidence], basis: str, confidence: Confidence) -> Answer:
    """One district if all say the same; a tie is unresolved."""
    authorities = {one.authority for one in said}
    if len(authorities) > 1:
        return Answer(None, f"{basis}_tie", Confidence.UNRESOLVED, tuple(said))
    return Answer(said[0].authority, basis, confidence, tuple(said))
