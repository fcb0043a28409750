"""How many records say where home is, as far as the postcode table at hand can tell, and why the others do not.

What counts is what counts in a gateway: an address that has ended, or one to be kept only, is nobody's home. One record
at a time: what a gateway knows of the person from elsewhere is not known here.
"""

import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Final

from adapters.base import Accepted
from gateway.addressing.determination import Answer, Confidence, Determination, Role, determination
from gateway.addressing.evidence import Source, reduce
from gateway.addressing.placement import determine_home
from schemas.base import AddressClaim, AddressKind, Event
from schemas.places import Places

NO_ADDRESS: Final = "no address"
NO_FIXED_ABODE: Final = "no fixed abode"
NO_POSTCODE: Final = "no postcode"
INSTITUTION: Final = "the postcode of a prison, court, hospital or approved premises"
NOT_IN_TABLE: Final = "a postcode that is not in the table"
ENDED: Final = "an address that has ended"
NOT_YET: Final = "an address to come"
CONTRADICTORY: Final = "addresses in different districts"
_ELSEWHERE: Final = {"W": "Wales", "S": "Scotland", "N": "Northern Ireland", "M": "the Isle of Man"}

_NO_HOME: Final = frozenset({AddressKind.INSTITUTION, AddressKind.PREVIOUS, AddressKind.OTHER})
_LIVED_AT: Final = frozenset({AddressKind.DECLARED, AddressKind.MAIN})
_NOBODY: Final = uuid.UUID(int=0)
"""In place of the ids that evidence has in a gateway: here it is looked at once and kept nowhere."""


@dataclass
class Homes:
    """areas: records by home area. outside: whose home lies in no area. causes: why home could not be told."""

    areas: Counter[str] = field(default_factory=Counter)
    outside: int = 0
    causes: Counter[str] = field(default_factory=Counter)

    def add(self, told: Accepted, places: Places, on: date) -> None:
        """Take in a record that speaks of a person; one that only takes something back says nothing of home."""
        events = [fact.event for fact in told.facts if fact.event is not None and fact.withdrawn is None]
        if not events:
            return
        if not any(event.person.addresses for event in events):
            self.causes[NO_ADDRESS] += 1
            return
        home = _home(events, places, on)
        if home.out_of_scheme:
            self.outside += 1
        elif home.determined and home.area is not None:
            self.areas[places.areas[home.area].name] += 1
        else:
            self.causes[_cause(events, home, places, on)] += 1

    def merge(self, other: "Homes") -> None:
        """Take in what another has counted."""
        self.areas.update(other.areas)
        self.outside += other.outside
        self.causes.update(other.causes)

    @property
    def resolved(self) -> int:
        """Records whose home is known, in an area or in none."""
        return self.areas.total() + self.outside

    @property
    def records(self) -> int:
        """Records that were asked."""
        return self.resolved + self.causes.total()


def _home(events: Sequence[Event], places: Places, on: date) -> Determination:
    """Where a gateway that knew nothing else would say on this day that home is."""
    if (authority := _authority_of_one(events, places, on)) is not None:
        return determination(Role.HOME, Answer(authority, "one_address", Confidence.PROBABLE, ()), on, places)
    source = Source(_NOBODY, "", b"", _NOBODY, datetime.combine(on, time.min, UTC))
    evidence = [one for event in events for one, _ in reduce(event, source, places, _NOBODY)]
    return determine_home(evidence, on, places)


def _authority_of_one(events: Sequence[Event], places: Places, on: date) -> str | None:
    """The district of the one address that a record gives as lived at; None where the rules must be asked.

    They would say the same. Nearly every record gives one address; to ask about each makes a check half as dear again.
    """
    claims = [claim for event in events for claim in event.person.addresses]
    first = claims[0]
    if any((one.kind, one.postcode) != (first.kind, first.postcode) or not _lived_at(one, on) for one in claims):
        return None
    if first.postcode is None or places.is_institution(first.postcode):
        return None
    return places.authority_of(first.postcode, max(event.occurred.at for event in events).date())


def _lived_at(claim: AddressClaim, on: date) -> bool:
    """Whether an address is given without any condition."""
    return (
        claim.kind in _LIVED_AT
        and not claim.no_fixed_abode
        and claim.end is None
        and (claim.start is None or claim.start <= on)
    )


def _cause(events: Sequence[Event], home: Determination, places: Places, on: date) -> str:
    """Why home cannot be told: what is wrong with the first address that could have told it."""
    if home.basis.endswith("_tie"):
        return CONTRADICTORY
    claims = (claim for event in events for claim in event.person.addresses if claim.kind not in _NO_HOME)
    return next((_fault(claim, places, on) for claim in claims), NO_ADDRESS)


def _fault(claim: AddressClaim, places: Places, on: date) -> str:
    """Why an address told of nobody's home."""
    if claim.end is not None and claim.end <= on:
        return ENDED
    if claim.no_fixed_abode:
        return NO_FIXED_ABODE
    if claim.postcode is None:
        return NO_POSTCODE
    if places.is_institution(claim.postcode):
        return INSTITUTION
    return NOT_IN_TABLE if places.authority_of(claim.postcode, on) is None else NOT_YET


def coverage(places: Places) -> str:
    """Which table was asked, and how much of the country it holds."""
    districts = {located.authority for periods in places.postcodes.values() for located in periods}
    *others, last = sorted({_ELSEWHERE.get(code[:1], "England") for code in districts}) or ["no country"]
    lands = f"{', '.join(others)} and {last}" if others else last
    held = f"{len(places.postcodes):,} postcodes in {len(districts):,} districts of {lands}"
    return f"postcode table {places.version}: {held}"
