from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.local.people import HOMES, OUTSIDE, person
from schemas.identifiers import Fault, Scheme, parse
from schemas.place_files import load_places

PLACES = load_places(Path(__file__).parents[3] / "deploy" / "areas")
TODAY = date(2026, 3, 3)

numbers = st.integers(min_value=0, max_value=999_999)


def test_nobody_shares_anything_that_identifies() -> None:
    """Numbers of neighbours, and of people far apart, are all different."""
    made = [person(number, "kent") for number in (*range(3000), *range(100_000, 1_000_000, 997))]
    for told in ("pnc", "cro", "noms", "crn", "nino"):
        assert len({getattr(one, told) for one in made}) == len(made), told
    assert len({(one.forenames, one.surname, one.born) for one in made}) == len(made)
    traced = [one.nhs for one in made if one.nhs is not None]
    assert len(set(traced)) == len(traced) > len(made) * 0.9


@given(numbers)
def test_every_number_somebody_carries_passes_its_own_check(number: int) -> None:
    """Each is read without a fault, but for the NHS number, which says that it is of the range never issued."""
    who = person(number, None)
    numbers = {Scheme.PNC: who.pnc, Scheme.CRO: who.cro, Scheme.NOMS: who.noms, Scheme.CRN: who.crn}
    for scheme, raw in (numbers | {Scheme.NINO: who.nino}).items():
        assert parse(scheme, raw).fault is None, scheme
    assert who.nhs is None or parse(Scheme.NHS, who.nhs).fault is Fault.TEST_RANGE


@given(numbers)
def test_the_same_number_is_the_same_adult(number: int) -> None:
    """A person follows from their number, and is an adult in any year there was a programme."""
    assert person(number, "wigan") == person(number, "wigan")
    assert person(number, "wigan").born.year <= 1993


def test_homes_lie_where_they_are_said_to() -> None:
    """Each area's home lies in that area, one elsewhere lies in none, and one that cannot be told has no postcode."""
    for area in HOMES:
        assert _area_of(person(1, area).postcode) == area
    assert person(1, "elsewhere").postcode == OUTSIDE[0]
    assert _area_of(OUTSIDE[0]) is None
    assert person(1, None).postcode is None


@given(st.sets(numbers, min_size=2, max_size=30))
def test_canaries_are_told_apart(several: set[int]) -> None:
    """With tokens in them, names and streets of two people are never alike, and none is part of another."""
    made = [person(number, "kent", canary=True) for number in several]
    values = [value for who in made for value in (who.forenames, who.surname, who.street)]
    assert len(set(values)) == 3 * len(several)
    tokens = [word for value in values for word in value.replace("-", " ").split() if word.startswith("Qxv")]
    assert len(set(tokens)) == len(tokens) == len(values)


def test_people_have_numbers_up_to_a_million() -> None:
    """Nobody is made up twice for want of numbers."""
    for number in (-1, 1_000_000):
        with pytest.raises(ValueError, match="numbered"):
            person(number, None)


def _area_of(postcode: str | None) -> str | None:
    authority = PLACES.authority_of(postcode or "", TODAY)
    area = PLACES.area_of(authority, TODAY) if authority else None
    return area.id if area else None
