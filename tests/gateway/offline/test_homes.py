"""What a check counts as a known home is what a gateway would take for one."""

import uuid
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.base import Accepted
from gateway.addressing.evidence import Source, reduce
from gateway.addressing.placement import determine_home
from gateway.offline.homes import CONTRADICTORY, ENDED, INSTITUTION, NO_ADDRESS, NO_FIXED_ABODE, NOT_YET, Homes
from schemas.base import AddressClaim, AddressKind, Fact, Moment, Person
from schemas.care import Referred
from schemas.place_files import load_places

PLACES = load_places(Path(__file__).parents[3] / "deploy" / "areas")
TODAY = date(2026, 1, 15)
STOCKPORT, WIGAN, COURT = "SK4 1BS", "WN1 1XL", sorted(PLACES.institutions)[0]


def referred(*claims: AddressClaim) -> Referred:
    """Somebody with these addresses is referred."""
    day = Moment(at=datetime(2026, 1, 12, tzinfo=UTC))
    return Referred(occurred=day, person=Person(addresses=claims), reference="REF-1")


def homes(*claims: AddressClaim) -> Homes:
    """What is counted of one record with these addresses."""
    event = referred(*claims)
    counted = Homes()
    counted.add(Accepted((Fact(key="k", lane="OWN:k", kind=event.kind, event=event),)), PLACES, TODAY)
    return counted


def main(postcode: str = STOCKPORT, *, start: date | None = None, end: date | None = None) -> AddressClaim:
    """Where an agency knows somebody to live."""
    return AddressClaim(kind=AddressKind.MAIN, postcode=postcode, start=start, end=end)


def test_an_address_somebody_lives_at_is_a_home() -> None:
    """Until the day of its end, and from the day of its start."""
    for claim in (main(), main(end=date(2026, 1, 16)), main(start=TODAY)):
        assert homes(claim).areas == {"Stockport": 1}


@pytest.mark.parametrize(
    ("claims", "cause"),
    [
        ([main(end=date(2026, 1, 12))], ENDED),
        ([main(start=date(2026, 2, 1))], NOT_YET),
        ([main(STOCKPORT), main(WIGAN)], CONTRADICTORY),
        ([main(COURT)], INSTITUTION),
        ([AddressClaim(kind=AddressKind.DISCHARGE, postcode=STOCKPORT)], NOT_YET),
        ([AddressClaim(kind=AddressKind.OTHER, postcode=STOCKPORT)], NO_ADDRESS),
        ([AddressClaim(kind=AddressKind.INSTITUTION, postcode=STOCKPORT, start=TODAY)], NO_ADDRESS),
        ([AddressClaim(kind=AddressKind.DECLARED, postcode=STOCKPORT, no_fixed_abode=True)], NO_FIXED_ABODE),
    ],
)
def test_an_address_nobody_lives_at_is_none(claims: list[AddressClaim], cause: str) -> None:
    """One that has ended, is to come, is kept for the record or holds somebody: it is told why it is no home."""
    counted = homes(*claims)
    assert (counted.resolved, dict(counted.causes)) == (0, {cause: 1})


@given(
    st.lists(
        st.builds(
            AddressClaim,
            kind=st.sampled_from([AddressKind.DECLARED, AddressKind.MAIN, AddressKind.INSTITUTION]),
            postcode=st.sampled_from([STOCKPORT, WIGAN, COURT, "SK9 4HR", "ZZ99 3VZ", None]),
            no_fixed_abode=st.booleans(),
            start=st.none() | st.just(TODAY),
            end=st.none() | st.just(TODAY),
        ),
        max_size=3,
    )
)
def test_a_check_says_what_a_gateway_would(claims: list[AddressClaim]) -> None:
    """Whatever addresses a record gives: the area, or that it lies in none, or nothing, as the rules of home say."""
    event = referred(*claims)
    source = Source(uuid.UUID(int=1), "gp", b"fact", uuid.UUID(int=2), event.occurred.at)
    evidence = [one for one, _ in reduce(event, source, PLACES, uuid.UUID(int=3))]
    home = determine_home(evidence, TODAY, PLACES)
    counted = homes(*claims)
    assert counted.outside == home.out_of_scheme
    known = home.determined and home.area is not None
    assert dict(counted.areas) == ({PLACES.areas[str(home.area)].name: 1} if known else {})
    assert counted.records == 1
