import csv
import lzma
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.place_files import load_places
from schemas.places import Area, Holding, Tier
from tests.support.samples import sample

FOLDER = Path(__file__).parents[2] / "deploy" / "areas"
PLACES = load_places(FOLDER)

BEFORE, GO_LIVE = date(2012, 3, 31), date(2012, 4, 1)


def area(postcode: str, on: date = GO_LIVE) -> str | None:
    authority = PLACES.authority_of(postcode, on)
    assert authority is not None
    found = PLACES.area_of(authority, on)
    return found.id if found else None


@pytest.mark.parametrize(
    ("postcode", "expected"),
    [
        ("SK1 3XE", "stockport"),
        ("EN1 3XA", "enfield"),
        ("WN1 1XX", "wigan"),
        ("WF1 2HQ", "wakefield"),
        ("RG12 1JD", "bracknell-forest"),
        ("LN1 1YL", "lincolnshire"),
        ("OX1 1ND", "oxfordshire"),
        ("ME14 1XX", "kent"),
        ("M1 1AE", None),
    ],
)
def test_a_postcode_tells_the_area(postcode: str, expected: str | None) -> None:
    """Each of the eight areas is found from a postcode of its own, and a city next door is outside."""
    assert area(postcode) == expected


@pytest.mark.parametrize(
    ("inside", "outside"),
    [
        ("SL5 8RX", "SL5 7AA"),
        ("RG45 6DW", "RG45 6AA"),
        ("WA3 3AA", "WA3 5AA"),
        ("WF3 4AA", "WF3 1AA"),
        ("WF10 1AA", "WF10 2AA"),
        ("PE9 1AA", "PE3 7PD"),
        ("DN36 5AA", "DN37 7AA"),
        ("ME6 5AA", "ME3 8AA"),
    ],
)
def test_neighbours_in_one_postcode_district_are_told_apart(inside: str, outside: str) -> None:
    """A postcode district that straddles a boundary says nothing; the whole postcode does."""
    assert area(inside) is not None
    assert area(outside) is None


def test_kent_becomes_west_kent_at_go_live() -> None:
    """The day before, Canterbury is in Kent; on the day, only the six districts of the west are; Medway never is."""
    assert [area("CT1 2SG", day) for day in (BEFORE, GO_LIVE)] == ["kent", None]
    assert [area("TN1 1RS", day) for day in (BEFORE, GO_LIVE)] == ["kent", "kent"]
    assert [area("ME4 4TR", day) for day in (BEFORE, GO_LIVE)] == [None, None]
    west = {code for code, periods in PLACES.memberships.items() for one in periods if one.area.id == "kent"}
    assert {code for code in west if PLACES.area_of(code, GO_LIVE)} == {
        f"E07000{district}" for district in (107, 109, 110, 111, 115, 116)
    }


def test_a_postcode_keeps_its_district_of_the_day() -> None:
    """Aylesbury became part of a new authority in 2020; a question about 2012 gets the answer of 2012."""
    assert PLACES.authority_of("HP20 1EH", date(2020, 3, 31)) == "E07000004"
    assert PLACES.authority_of("HP20 1EH", date(2020, 4, 1)) == "E06000060"


def test_a_postcode_out_of_use_still_lies_where_it_lay() -> None:
    """People give old postcodes for years; before it came into use it lay nowhere."""
    assert PLACES.authority_of("WN1 1AB", date(1992, 12, 31)) is None
    assert PLACES.authority_of("WN1 1AB", date(2007, 12, 31)) == "E08000010"
    assert PLACES.authority_of("WN1 1AB", GO_LIVE) == "E08000010"
    assert [PLACES.is_terminated("WN1 1AB", date(year, 6, 1)) for year in (2007, 2008)] == [False, True]
    assert not PLACES.is_terminated("SK1 3XE", GO_LIVE)


def test_an_area_is_stood_for_by_an_authority_of_its_day() -> None:
    """Every area has one that belongs to it on that day, and what is no area has none."""
    for on in (BEFORE, GO_LIVE, date(2026, 3, 3)):
        for area_id in PLACES.areas:
            authority = PLACES.authority_within(area_id, on)
            assert authority is not None
            found = PLACES.area_of(authority, on)
            assert found is not None
            assert found.id == area_id
    assert PLACES.authority_within("leeds", GO_LIVE) is None


def test_a_postcode_we_do_not_know_is_nowhere() -> None:
    """No postcode is placed by its neighbours."""
    assert PLACES.authority_of("SK1 3XF", GO_LIVE) is None
    assert not PLACES.is_institution("SK1 3XF")


def test_a_prison_holds_for_the_area_it_lies_in() -> None:
    """Lincoln holds for Lincolnshire, Styal for nobody, Elmley for Kent until the area is West Kent."""
    lincolnshire = PLACES.areas["lincolnshire"]
    assert lincolnshire == Area("lincolnshire", "Lincolnshire", Tier.COUNTY)
    assert PLACES.holding_of_prison("LII", GO_LIVE) == Holding("E07000138", lincolnshire)
    assert PLACES.holding_of_prison("STI", GO_LIVE) == Holding("E06000049", None)
    assert PLACES.holding_of_prison("EYI", BEFORE) == Holding("E07000113", PLACES.areas["kent"])
    assert PLACES.holding_of_prison("EYI", GO_LIVE) == Holding("E07000113", None)
    assert PLACES.holding_of_prison("OUT", GO_LIVE) is None


def test_a_suite_holds_for_its_station_and_never_for_its_force() -> None:
    """Stockport and Wigan share a force, Bracknell Forest and Oxfordshire another."""
    stations = {
        (force, station): holding.area.id if holding and holding.area else None
        for force, station in PLACES.suites
        if (holding := PLACES.holding_of_suite(force, station, GO_LIVE))
    }
    assert stations[("06", "SP")] == "stockport"
    assert stations[("06", "WG")] == "wigan"
    assert stations[("06", "MC")] is None
    assert stations[("43", "BK")] == "bracknell-forest"
    assert stations[("43", "OX")] == "oxfordshire"
    assert set(PLACES.areas) <= set(stations.values())
    assert PLACES.holding_of_suite("99", "ZZ", GO_LIVE) is None


def test_an_institution_is_known_by_its_postcode() -> None:
    """A prison, a court, approved premises and a hospital are no homes; a town hall's postcode is not on the list."""
    assert all(map(PLACES.is_institution, ("LN2 4BD", "ME16 8EQ", "LN1 3NQ", "SK2 7JE")))
    assert not PLACES.is_institution("SK1 3XE")


@given(authority=st.sampled_from(sorted(PLACES.memberships)), on=st.dates())
def test_an_authority_is_in_one_area_at_most(authority: str, on: date) -> None:
    """On every day there is at most one area to answer for a district, and the answer is it."""
    holding = [membership.area for membership in PLACES.memberships[authority] if membership.holds(on)]
    assert holding == ([found] if (found := PLACES.area_of(authority, on)) else [])


def test_the_areas_are_those_of_the_programme() -> None:
    """All eight, with the same districts, tier and forces as the programme's own table."""
    with sample("places/pilot_areas.csv").open(encoding="utf-8") as rows:
        told = {row["pilot_area"].lower().replace("_", "-"): row for row in csv.DictReader(rows)}
    assert set(PLACES.areas) == set(told)
    for name, row in told.items():
        districts = {code for code in PLACES.memberships if (one := PLACES.area_of(code, BEFORE)) and one.id == name}
        assert districts == set(row["lads"].split())
        assert PLACES.areas[name].tier == row["tier"]
        forces = {
            force for (force, station), authority in PLACES.suites.items() if authority in districts and force != "02"
        }
        assert forces == {row["cjs_force_code"]}


def test_every_postcode_shipped_lies_where_the_national_file_says() -> None:
    """A table kept by hand is right to the last row, by the districts of 2020."""
    told = {}
    with lzma.open(sample("identifiers/postcode_lad20_full.csv.xz"), "rt", encoding="utf-8") as rows:
        for row in rows:
            postcode, _, authority = row.rstrip("\n").partition(",")
            if postcode in PLACES.postcodes:
                told[postcode] = authority
    assert told == {postcode: PLACES.authority_of(postcode, date(2020, 12, 31)) for postcode in PLACES.postcodes}
    assert len(told) > 150


def test_every_prison_shipped_lies_where_the_register_says() -> None:
    """Id, postcode and district of each prison agree with the register, where it knows the prison."""
    with sample("places/prisons.csv").open(encoding="utf-8") as rows:
        told = {row["agency_id"]: row for row in csv.DictReader(rows) if row["lad_2014"]}
    with (FOLDER / "prisons.csv").open(encoding="utf-8") as rows:
        ours = list(csv.DictReader(rows))
    unknown = {row["agency"] for row in ours if row["agency"] not in told}
    assert unknown == {"CYI", "BHI"}
    for row in ours:
        if row["agency"] in told:
            assert row["postcode"] == told[row["agency"]]["postcode"]
            assert row["authority"] == told[row["agency"]]["lad_2014"]


def test_every_institution_lies_somewhere() -> None:
    """The postcode of each institution is one of the table, so that a mistyped one is seen."""
    assert PLACES.institutions <= set(PLACES.postcodes)
