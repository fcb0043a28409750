import json
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters import claims
from adapters.base import Finding, Level
from schemas.base import AddressClaim, AddressKind, Name
from schemas.identifiers import Fault, Scheme, parse
from schemas.postcodes import parse_postcode
from tests.support.samples import sample


def ids(found: list[Finding]) -> list[str]:
    """The rules that were broken, in order."""
    return [finding.rule.id for finding in found]


@pytest.mark.parametrize(
    ("scheme", "raw", "rule"),
    [
        (Scheme.PNC, "2004/0046583X", "ID-001"),
        (Scheme.CRO, "046583/04X", "ID-001"),
        (Scheme.NHS, "3478526985", "ID-001"),
        (Scheme.PNC, "not known", "ID-002"),
        (Scheme.NOMS, "A123", "ID-002"),
        (Scheme.ASN, "1512LN0000000000001N", "ID-010"),
        (Scheme.ASN, "0800NP0100000000001H", "ID-010"),
        (Scheme.PNC, "2000/0000000Z", "ID-011"),
        (Scheme.CRO, "000000/00Z", "ID-012"),
        *((Scheme.NHS, digit * 10, "ID-013") for digit in "0123456789"),
        (Scheme.NINO, "PP999999P", "ID-014"),
        *((Scheme.NINO, f"{prefix}123456C", "ID-015") for prefix in ("OO", "CR", "FY", "MW", "NC", "TN")),
        (Scheme.NINO, "BG123456C", "ID-016"),
        (Scheme.NINO, "DA123456C", "ID-016"),
    ],
)
def test_a_wrong_identifier_is_kept_and_finds_nobody(scheme: Scheme, raw: str, rule: str) -> None:
    """A wrong number and one that stands for an unknown one keep what was written, have no value, and say which it is.

    ID-001 ID-002 ID-010 ID-011 ID-012 ID-013 ID-014 ID-015 ID-016
    """
    found: list[Finding] = []
    read = claims.identifier(scheme, raw, "number", found)
    assert (read.raw, read.value) == (raw, None)
    assert ids(found) == [rule]


def test_a_right_identifier_says_nothing() -> None:
    """A number that is right, or of the range kept for tests, has a value and no finding."""
    found: list[Finding] = []
    assert claims.identifier(Scheme.PNC, "81/34U", "pnc", found).value == "1981/0000034U"
    assert claims.identifier(Scheme.NHS, "999 000 0018", "nhs", found).value == "9990000018"
    assert found == []


@pytest.mark.parametrize(("day", "rule"), [(date(1900, 1, 1), "ID-020"), (date(1970, 1, 1), "ID-021")])
def test_a_birth_date_that_stands_for_an_unknown_one_is_left_out(day: date, rule: str) -> None:
    """The first day of either calendar is nobody's birth date."""
    found: list[Finding] = []
    assert claims.birth(day, "born", found) is None
    assert ids(found) == [rule]


@pytest.mark.parametrize("day", [date(1970, 1, 2), date(1988, 2, 29), date(1900, 1, 2), None])
def test_any_other_birth_date_stands(day: date | None) -> None:
    """The day after is a birth date, the 29th of February is one, and none given is none."""
    found: list[Finding] = []
    assert claims.birth(day, "born", found) == day
    assert found == []


@pytest.mark.parametrize(
    ("raw", "value", "rules"),
    [
        ("sk13xe", "SK1 3XE", []),
        ("B5", None, ["ID-030"]),
        ("NF1 1NF", None, ["ID-031"]),
        ("nf11fa", None, ["ID-031"]),
        ("ZZ99 3WZ", None, ["ID-032"]),
        ("ZZ99 3CZ", None, ["ID-033"]),
        ("ZZ99 1WZ", None, ["ID-033"]),
        ("ZZ993VZ", None, ["ID-034"]),
        (None, None, []),
        ("  ", None, []),
    ],
)
def test_a_postcode_is_one_or_says_what_it_stands_for(raw: str | None, value: str | None, rules: list[str]) -> None:
    """A pseudo postcode is told by what it says, one that stands for an unknown one by that; none becomes a place."""
    found: list[Finding] = []
    assert claims.postcode(raw, "postcode", found).value == value
    assert ids(found) == rules


@pytest.mark.parametrize(
    ("raw", "said", "homeless", "rules"),
    [
        ("SK1 3XE", False, False, []),
        ("SK1 3XE", True, True, ["ID-035"]),
        (None, True, True, []),
        ("ZZ99 3VZ", False, True, ["ID-034"]),
        ("ZZ99 3WZ", False, False, ["ID-032"]),
    ],
)
def test_no_fixed_abode_wins_over_a_postcode(raw: str | None, said: bool, homeless: bool, rules: list[str]) -> None:
    """No fixed abode is said in words or by its pseudo postcode, and a postcode beside it does not undo it."""
    found: list[Finding] = []
    assert claims.homeless(claims.postcode(raw, "postcode", found), said, "address", found) is homeless
    assert ids(found) == rules


@pytest.mark.parametrize(
    ("surname", "rule"),
    [
        ("MIG_ERROR_ASHDALE", "ID-040"),
        ("NO_SHOW_ASHDALE", "ID-041"),
        ("DUPLICATE_ASHDALE", "ID-042"),
        ("NOT ENTERED", "ID-043"),
    ],
)
def test_a_marked_name_is_told_as_written(surname: str, rule: str) -> None:
    """A mark in a name is named, and the name goes on as it came."""
    found: list[Finding] = []
    written = Name(forenames="Corin", surname=surname)
    assert claims.name(written, "surname", found) == written
    assert ids(found) == [rule]


@given(surname=st.text(min_size=1), forenames=st.none() | st.text(min_size=1))
def test_names_in_any_script_are_kept_exactly(surname: str, forenames: str | None) -> None:
    """No letter, accent, order or case of a name is changed, whatever its script."""
    told = claims.name(Name(forenames=forenames, surname=surname), "name", [])
    assert (told.forenames, told.surname) == (forenames, surname)


def test_no_rule_refuses_a_record() -> None:
    """What is wrong with a claim never costs a record; each rule has an id of its own and is told without a value."""
    assert {rule.level for rule in claims.RULES.values()} == {Level.WARN}
    assert len({rule.sentence for rule in claims.RULES.values()}) == len(claims.RULES)


def test_every_published_number_that_fails_its_check_is_found() -> None:
    """Of the published NHS numbers exactly those that fail the check are told of, each by the rule of checks."""
    told = json.loads(sample("identifiers/nhs_numbers.json").read_text(encoding="utf-8"))["from_samples"]
    assert told
    for one in told:
        found: list[Finding] = []
        claims.identifier(Scheme.NHS, one["nhs_number"], "nhs", found)
        assert ids(found) == ([] if one["mod11_valid"] else ["ID-001"])


def test_every_invalid_published_nino_has_a_rule() -> None:
    """Of the published invalid National Insurance numbers each without a value has a rule that says why."""
    told = json.loads(sample("identifiers/nino_vectors.json").read_text(encoding="utf-8"))["invalid"]
    assert told
    for raw in told:
        found: list[Finding] = []
        read = claims.identifier(Scheme.NINO, raw, "nino", found)
        assert (read.value is None) is bool(found)
        assert read.value is not None or parse(Scheme.NINO, raw).fault in set(Fault)


def test_an_address_says_of_a_place_or_is_none() -> None:
    """A line, a postcode, or that there is none; a postcode that stands for no fixed abode says so too."""
    assert claims.address(AddressKind.MAIN, parse_postcode("nowhere"), None) is None
    assert claims.address(AddressKind.MAIN, None, None, start=date(2026, 1, 12)) is None
    lived = claims.address(AddressKind.MAIN, parse_postcode("sk42hd"), "9 Mill Row", None, end=date(2026, 1, 12))
    assert lived == AddressClaim(
        kind=AddressKind.MAIN, lines=("9 Mill Row",), postcode="SK4 2HD", end=date(2026, 1, 12)
    )
    for nowhere in (
        claims.address(AddressKind.DECLARED, parse_postcode("ZZ99 3VZ")),
        claims.address(AddressKind.DECLARED, None, no_fixed_abode=True),
    ):
        assert nowhere is not None
        assert nowhere.no_fixed_abode
