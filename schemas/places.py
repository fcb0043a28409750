"""Places: which local authority a postcode, a prison or a custody suite lies in, and which area that makes.

An **authority** is a lower-tier local authority district by its GSS code ("E08000007" is Stockport); an **area** is one
of the programme's, a dated set of authorities. Authorities are what a postcode tells; areas are what the programme
decided, and changed. "No area" is an answer: the place is known and outside the scheme.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date


class Tier(enum.StrEnum):
    """What kind of local government an area is. A county's postcodes carry its districts' codes, never its own."""

    UNITARY = "unitary"
    LONDON_BOROUGH = "london_borough"
    METROPOLITAN_DISTRICT = "metropolitan_district"
    COUNTY = "county"


@dataclass(frozen=True, slots=True)
class Area:
    """One area of the programme. id: as in settings, topics and reports ("stockport"). name: for people."""

    id: str
    name: str
    tier: Tier


@dataclass(frozen=True, slots=True)
class Membership:
    """An authority belongs to an area from `since` until the day before `until`; None is without limit."""

    area: Area
    since: date | None
    until: date | None

    def holds(self, on: date) -> bool:
        """Whether the authority belongs to the area on this day."""
        return (self.since is None or self.since <= on) and (self.until is None or on < self.until)


@dataclass(frozen=True, slots=True)
class Located:
    """A postcode lies in this authority from `since` until its next entry; None is since ever."""

    authority: str
    since: date | None


@dataclass(frozen=True, slots=True)
class Holding:
    """Where a prison or custody suite lies. `area` is None where that is outside the scheme."""

    authority: str
    area: Area | None


@dataclass(frozen=True, slots=True)
class Places:
    """The places we know, as one version of the files says. Every answer depends on the day asked for.

    version: changes whenever any of the files does; a determination carries it.
    areas: by id, in the order of their file.
    memberships: an authority's areas, one after the other; periods do not overlap.
    postcodes: canonical postcode to its authorities, oldest first.
    terminated: when a postcode went out of use; people go on giving it, and it goes on lying where it lay.
    prisons: NOMIS agency id to authority. suites: (force, station) to authority.
    institutions: postcodes of prisons, courts, approved premises and hospitals: never a home.
    """

    version: str
    areas: Mapping[str, Area]
    memberships: Mapping[str, tuple[Membership, ...]]
    postcodes: Mapping[str, tuple[Located, ...]]
    terminated: Mapping[str, date]
    prisons: Mapping[str, str]
    suites: Mapping[tuple[str, str], str]
    institutions: frozenset[str]

    def authority_of(self, postcode: str, on: date) -> str | None:
        """The authority a canonical postcode lies in on a day, or None: unknown, or not yet in use that day."""
        for located in reversed(self.postcodes.get(postcode, ())):
            if located.since is None or located.since <= on:
                return located.authority
        return None

    def is_terminated(self, postcode: str, on: date) -> bool:
        """Whether a postcode was out of use on a day: an address that carries it is an old one."""
        ended = self.terminated.get(postcode)
        return ended is not None and ended <= on

    def area_of(self, authority: str, on: date) -> Area | None:
        """The area an authority belongs to on a day, or None: outside the scheme."""
        for membership in self.memberships.get(authority, ()):
            if membership.holds(on):
                return membership.area
        return None

    def authority_within(self, area_id: str, on: date) -> str | None:
        """An authority to stand for an area where no place in it is told: its first on a day, or None for no area."""
        return next(
            (
                authority
                for authority, periods in self.memberships.items()
                if any(period.area.id == area_id and period.holds(on) for period in periods)
            ),
            None,
        )

    def holding_of_prison(self, agency_id: str, on: date) -> Holding | None:
        """Where a prison lies, by its NOMIS agency id, or None: no prison that we know."""
        return self._holding(self.prisons.get(agency_id), on)

    def holding_of_suite(self, force: str, station: str, on: date) -> Holding | None:
        """Where a custody suite lies, by force and station code, or None: no suite that we know."""
        return self._holding(self.suites.get((force, station)), on)

    def is_institution(self, postcode: str) -> bool:
        """Whether a canonical postcode is that of a place where people are put and do not live."""
        return postcode in self.institutions

    def _holding(self, authority: str | None, on: date) -> Holding | None:
        return None if authority is None else Holding(authority, self.area_of(authority, on))
