"""A need for drug treatment that a team found in prison or on probation: what our two contracts have in common.

No public feed carries it. The team's own reference names the referral; its record version orders corrections.
"""

from typing import Annotated, Final, Literal

from pydantic import Field

from adapters import claims, drift
from adapters.base import Accepted, Finding
from adapters.hmpps.envelope import Opened
from adapters.hmpps.wire import MessageVersion
from adapters.json_fields import InstantOrDay, MaybeText, RecordVersion, Text, Wire
from schemas.base import AddressClaim, AddressKind, Fact

OUTSIDE: Final = frozenset({"eventType"})
"""What is read before the record's shape is known."""


class NeedAddress(Wire):
    """Where the person lives, or lived, as they told the team."""

    lines: tuple[Text, ...] = ()
    postcode: MaybeText = None


class Need(Wire):
    """A need for drug treatment, without where it was found and in whom (need.schema.json)."""

    version: MessageVersion
    reference: Text
    record_version: RecordVersion
    identified_at: InstantOrDay
    substances: Annotated[tuple[Text, ...], Field(min_length=1)]
    team: MaybeText = None


class WithdrawnNeed(Wire):
    """A referral the team takes back. It repeats nothing of what it takes back."""

    version: MessageVersion
    reference: Text
    record_version: RecordVersion
    reason: Literal["entered_in_error", "person_declined", "need_not_confirmed"]


def home(address: NeedAddress, homeless: bool, kind: AddressKind, found: list[Finding]) -> AddressClaim:
    """The address as a claim of this kind. homeless: whether the team says that the person has none."""
    place = claims.postcode(address.postcode, "homeAddress.postcode", found)
    nowhere = claims.homeless(place, homeless, "homeAddress", found)
    return AddressClaim(
        kind=kind,
        lines=() if nowhere else address.lines,
        postcode=place.value,
        no_fixed_abode=nowhere,
    )


def taken_back(need: WithdrawnNeed, opened: Opened, key: str, lane: str, kind: str) -> Accepted:
    """The withdrawal of what was told under this key."""
    fact = Fact(key, lane, kind, None, version=need.record_version, withdrawn=need.reason)
    return Accepted((fact,), (*opened.findings, *drift.besides(type(need), opened.event, also=OUTSIDE)))
