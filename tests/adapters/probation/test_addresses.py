"""Where a person lives, as a case tells it."""

from datetime import date

import pytest

from schemas.base import AddressClaim, AddressKind
from tests.adapters.probation.records import DELIUS, address, case, event, facts, filled, held, read, warned

UPDATED = event(f"{DELIUS}address.updated", "2025-06-02T11:00:00+01:00")


def claims(*addresses: dict[str, object]) -> tuple[AddressClaim, ...]:
    """What is claimed of these addresses."""
    told = facts(read(filled(UPDATED, case(*addresses))))["address-changed"].event
    assert told is not None
    return told.person.addresses


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("M", AddressKind.MAIN),
        ("PM", AddressKind.MAIN),
        ("P", AddressKind.PREVIOUS),
        ("PR1", AddressKind.DISCHARGE),
        *((code, AddressKind.OTHER) for code in ("PR", "B", "S", "MA", "RJ", "RT")),
    ],
)
def test_what_a_status_says(status: str, kind: AddressKind) -> None:
    """Only the main address is evidence of a home."""
    (claim,) = claims(address(status={"code": status}))
    assert claim.kind is kind
    assert not claim.confirmed


@pytest.mark.parametrize("code", ["A02", "A10", "A11", "A17", "CS05"])
def test_an_institution_is_never_a_home(code: str) -> None:
    """Approved premises and the like are told as institutions, though they are the main address."""
    (claim,) = claims(address(type={"code": code}))
    assert claim.kind is AddressKind.INSTITUTION


@pytest.mark.parametrize("code", ["A05", "A08", "A08A", "A08C"])
def test_no_fixed_abode_by_its_type(code: str) -> None:
    """Who is homeless has no lines, whatever stands beside."""
    (claim,) = claims(address(type={"code": code}, streetName="Invented Row", postcode=None))
    assert (claim.no_fixed_abode, claim.lines) == (True, ())


def test_a_residence_is_a_home_with_its_lines() -> None:
    """Lines are told as Delius orders them; null says what absence says."""
    (claim,) = claims(
        address(
            type={"code": "A01C"}, buildingName=None, addressNumber="14", streetName="Invented Row", town="Stockport"
        )
    )
    assert (claim.kind, claim.lines, claim.postcode) == (AddressKind.MAIN, ("14 Invented Row", "Stockport"), "SK1 3XE")


@pytest.mark.parametrize(("start", "end"), [("from", "to"), ("startDate", "endDate"), ("startDateTime", "endDateTime")])
def test_dates_in_each_spelling(start: str, end: str) -> None:
    """The case API gives days, the core person record local times; a day is what counts."""
    moment = "T10:30:00" if start.endswith("Time") else ""
    (claim,) = claims(
        {"postcode": "SK1 3XE", "status": {"code": "P"}, start: f"2024-02-01{moment}", end: f"2025-02-28{moment}"}
    )
    assert (claim.start, claim.end) == (date(2024, 2, 1), date(2025, 2, 28))


def test_an_address_that_cannot_have_been_is_left_out() -> None:
    """An address that ends before it starts is no evidence, and says so."""
    outcome = read(filled(UPDATED, case(address(to="2023-01-01"), address(postcode="WN1 1XX"))))
    assert warned(outcome) == {("PB-032", "snapshot.contactDetails.addresses.0")}
    told = facts(outcome)["address-changed"].event
    assert told is not None
    assert [claim.postcode for claim in told.person.addresses] == ["WN1 1XX"]


@pytest.mark.parametrize("address_", [address(status={"code": "Q7"}), address(type={"code": "Q7"})])
def test_a_code_nobody_has_mapped_is_held(address_: dict[str, object]) -> None:
    """A status or a sort of place that is new is not guessed: it could be an institution."""
    record = filled(UPDATED, case(address_))
    assert held(read(record)) == ("code_not_mapped", {"PB-020"})
    assert facts(read(record, address_status__Q7="other", address_type__Q7="residence"))


def test_the_sort_of_place_matters_only_where_the_person_is() -> None:
    """A former address of an unknown sort holds nothing up."""
    assert claims(address(status={"code": "P"}, type={"code": "Q7"}))[0].kind is AddressKind.PREVIOUS


@pytest.mark.parametrize("status", ["P", "PR1"])
def test_an_institution_is_no_home_before_or_after_either(status: str) -> None:
    """Approved premises somebody left, or is to go to on release, are neither where they lived nor where they will."""
    (claim,) = claims(address(status={"code": status}, type={"code": "A02"}))
    assert claim.kind is AddressKind.OTHER
    (homeless,) = claims(address(status={"code": status}, type={"code": "A05"}))
    assert homeless.no_fixed_abode


def test_addresses_are_one_fact_whatever_brought_them() -> None:
    """The same set with another event, later, is the same statement: only its version grows."""
    breach = event("enforcement.breach.raised", "2025-08-01T09:00:00+01:00")
    first = facts(read(filled(UPDATED, case(), "2025-06-02T11:00:05+01:00")))["address-changed"]
    again = facts(read(filled(breach, case(), "2025-08-01T09:00:05+01:00")))["address-changed"]
    assert (first.key, first.event) == (again.key, again.event)
    assert (first.version or 0) < (again.version or 0)


@pytest.mark.parametrize(
    ("snapshot", "rule"),
    [
        (case(surname="MIG_ERROR_Thistlewood"), "ID-040"),
        (case(surname="NO_SHOW_Thistlewood"), "ID-041"),
        (case(surname="DUPLICATE_Thistlewood"), "ID-042"),
        (case(firstName="NOT ENTERED"), "ID-043"),
        (case(dateOfBirth="1900-01-01"), "ID-020"),
        (case(dateOfBirth="1970-01-01"), "ID-021"),
        (case(address(postcode="NF1 1NF")), "ID-031"),
        (case(address(postcode="NF1 1FA")), "ID-031"),
    ],
)
def test_placeholders_are_told_by_name(snapshot: dict[str, object], rule: str) -> None:
    """Marks of migration, birth dates and postcodes that stand for unknown ones: each has its rule and finds nobody."""
    outcome = read(filled(UPDATED, snapshot))
    assert {found for found, _ in warned(outcome)} == {rule}
    told = facts(outcome)["address-changed"].event
    assert told is not None
    assert told.person.name is not None
    assert told.person.name.surname == snapshot["surname"]  # told as written
    assert (told.person.date_of_birth is None) is (rule in {"ID-020", "ID-021"})
    assert (told.person.addresses[0].postcode is None) is (rule == "ID-031")
