"""How many records say where home is, as far as the postcode table at hand can tell, and why the others do not.

One record at a time: what a gateway knows of the person from elsewhere is not known here.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from adapters.base import Accepted
from schemas.base import AddressClaim, AddressKind
from schemas.places import Places

NO_ADDRESS: Final = "no address"
NO_FIXED_ABODE: Final = "no fixed abode"
NO_POSTCODE: Final = "no postcode"
INSTITUTION: Final = "the postcode of a prison, court, hospital or approved premises"
NOT_IN_TABLE: Final = "a postcode that is not in the table"
_ELSEWHERE: Final = {"W": "Wales", "S": "Scotland", "N": "Northern Ireland", "M": "the Isle of Man"}

_NO_HOME: Final = frozenset({AddressKind.INSTITUTION, AddressKind.PREVIOUS})


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
        claims = [claim for event in events for claim in event.person.addresses if claim.kind not in _NO_HOME]
        found = [_home(claim, places, on) for claim in claims]
        area = next((each.area for each in found if each.area is not None), None)
        if area is not None:
            self.areas[area] += 1
        elif any(each.cause is None for each in found):
            self.outside += 1
        else:
            self.causes[next((each.cause for each in found if each.cause), NO_ADDRESS)] += 1

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


@dataclass(frozen=True, slots=True)
class _Home:
    """An area, or none for a home outside all of them, or why it cannot be told."""

    area: str | None = None
    cause: str | None = None


def _home(claim: AddressClaim, places: Places, on: date) -> _Home:
    if claim.no_fixed_abode:
        return _Home(cause=NO_FIXED_ABODE)
    if claim.postcode is None:
        return _Home(cause=NO_POSTCODE)
    if places.is_institution(claim.postcode):
        return _Home(cause=INSTITUTION)
    authority = places.authority_of(claim.postcode, on)
    if authority is None:
        return _Home(cause=NOT_IN_TABLE)
    area = places.area_of(authority, on)
    return _Home(area.name if area is not None else None)


def coverage(places: Places) -> str:
    """Which table was asked, and how much of the country it holds."""
    districts = {located.authority for periods in places.postcodes.values() for located in periods}
    *others, last = sorted({_ELSEWHERE.get(code[:1], "England") for code in districts}) or ["no country"]
    lands = f"{', '.join(others)} and {last}" if others else last
    held = f"{len(places.postcodes):,} postcodes in {len(districts):,} districts of {lands}"
    return f"postcode table {places.version}: {held}"
