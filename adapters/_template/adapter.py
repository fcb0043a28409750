"""A template agency refers somebody for drug treatment."""

from typing import Final

from adapters._template import wire
from adapters.flat import Feed, Kind, claims
from schemas.base import AddressKind, Event, Sensitivity
from schemas.care import Referred


def tell(record: wire.Referral) -> Event:
    """The referral, and where the person says they live."""
    home = claims.address(AddressKind.DECLARED, record.postcode, record.address, no_fixed_abode=record.no_fixed_abode)
    return Referred(
        occurred=record.referred_on.moment,
        person=record.person(home),
        sensitivity=frozenset({Sensitivity.HEALTH}),
        reference=record.reference,
        urgency=record.urgency,
    )


FEED: Final = Feed(
    "_template",
    names="record_type",
    kinds={"referral": Kind(wire.Referral, tell)},
    ignored=frozenset({"enquiry"}),
)
build = FEED.build
