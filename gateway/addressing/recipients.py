"""Who is owed an event. Pure: what a person's placement and case are, in; roles and areas, or why nobody, out."""

import enum
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gateway.addressing.determination import Role
from gateway.addressing.subject import Subject, Told


class Nobody(enum.StrEnum):
    """Why an event ends with no recipient. The list is closed."""

    NO_CASE = "no_case"
    OUT_OF_SCHEME = "out_of_scheme"
    UNDER_18 = "under_18"
    NOBODY_TOLD = "nobody_told"
    """It takes back what nobody was sent."""


class Waits(enum.StrEnum):
    """Why a role's delivery is held. The list is closed; each is for operations to settle."""

    NO_HOME_AREA = "no_home_area"
    PERSON_MATCH_AMBIGUOUS = "person_match_ambiguous"
    NO_AGREEMENT = "no_agreement"
    NO_LASARS = "no_lasars"
    """The area has no LASARS among the parties."""


NO_LONGER_ENTITLED = "no_longer_entitled"
"""The reason of a retraction to whoever got an event that was corrected since, and is not owed the correction."""


@dataclass(frozen=True, slots=True)
class Entitled:
    """The roles an event is owed to, by area and in order, and those that must wait. opens: a case opens with it."""

    owed: tuple[tuple[Role, str], ...]
    waits: tuple[tuple[Role, Waits], ...]
    opens: bool

    def only(self, roles: frozenset[Role]) -> "Entitled":
        """The same for these roles alone."""
        return Entitled(
            tuple(one for one in self.owed if one[0] in roles),
            tuple(one for one in self.waits if one[0] in roles),
            self.opens,
        )


def entitlement(event: Told, subject: Subject, *, left: str | None = None) -> Entitled | Nobody:
    """Who is owed this event as things stand.

    left: the area that held the person until this very event took them away; its LASARS is told that they went.
    One LASARS that is home and holding is owed it once, as home.
    """
    if not event.adult:
        return Nobody.UNDER_18
    if subject.case is None and not event.referral:
        return Nobody.NO_CASE
    if subject.home.out_of_scheme:
        return Nobody.OUT_OF_SCHEME
    owed: list[tuple[Role, str]] = []
    waits: list[tuple[Role, Waits]] = []
    if subject.provisional:
        waits.append((Role.HOME, Waits.PERSON_MATCH_AMBIGUOUS))
    elif subject.home.determined and subject.home.area is not None:
        owed.append((Role.HOME, subject.home.area))
    else:
        waits.append((Role.HOME, Waits.NO_HOME_AREA))
    for area in (left, subject.holding.area):
        if area is not None and area not in {told for _, told in owed}:
            owed.append((Role.HOLDING, area))
    return Entitled(tuple(owed), tuple(waits), opens=subject.case is None and bool(owed))


@dataclass(frozen=True, slots=True)
class Holder:
    """A recipient that has a version of a fact: in which role it got it, and under which agreement."""

    role: str
    agreement: str


Holders = Mapping[str, Holder]
"""By recipient."""


def disentitled(holders: Holders, entitled: Iterable[str]) -> dict[str, Holder]:
    """Those who have an earlier version and are not owed the next, in the order they got it.

    While nobody knows where home is, whoever was home is not owed it either: it is sent again once they are.
    """
    owed = set(entitled)
    return {recipient: holder for recipient, holder in holders.items() if recipient not in owed}


Chains = dict[uuid.UUID, dict[str, Holder]]
"""By event: who has its fact in its version or an earlier one, and was not told to forget it."""
