"""A template agency refers somebody for drug treatment."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from adapters import claims
from adapters._template import rules
from adapters._template.wire import Referral
from adapters.base import Finding
from adapters.flat import Feed, Kind
from schemas.base import AddressKind, Event, Sensitivity
from schemas.care import Referred


def tell(record: Referral) -> Event:
    """Tell a referral, and where the person says they live."""
    home = claims.address(AddressKind.DECLARED, record.postcode, record.address, no_fixed_abode=record.no_fixed_abode)
    return Referred(
        occurred=record.referred_on.moment,
        person=record.person(home),
        sensitivity=frozenset({Sensitivity.HEALTH}),
        reference=record.reference,
        urgency=record.urgency,
    )


def impossible(record: Referral, received: datetime) -> Iterator[Finding]:
    """What is well formed and cannot be."""
    if record.referred_on.moment.at > received:
        yield Finding(rules.REFERRED_LATER, "referred_on")


FEED: Final = Feed(
    "_template",
    names="record_type",
    kinds={"referral": Kind(Referral, tell, impossible=impossible)},
    ignored=frozenset({"enquiry"}),
    rules=(rules.REFERRED_LATER,),
)
build = FEED.build
