import json
from typing import Any

import pytest

from adapters.prison.wire import Snapshot
from schemas.base import AddressKind, Sex, facts_of
from schemas.identifiers import Scheme
from schemas.imprisonment import DatesChanged, StatusChanged
from tests.adapters.prison.outcomes import fact, faults, held_for, rule_ids, told
from tests.adapters.prison.records import DELAYED, dates_changed, event, filled, read, received, snapshot

CANARY = "canary"
UNREAD: dict[str, Any] = {
    name: [{CANARY: f"{CANARY}-{name}", "comment": f"{CANARY}-{name}"}]
    for name in (
        *("alerts", "personalCareNeeds", "languages", "tattoos", "scars", "marks", "otherMarks", "identifiers"),
        *("emailAddresses", "phoneNumbers", "allConvictedOffences"),
    )
} | {
    name: f"{CANARY}-{name}"
    for name in (
        *(
            "_class",
            "title",
            "pncNumberCanonicalShort",
            "pncNumberCanonicalLong",
            "bookNumber",
            "ethnicity",
            "raceCode",
        ),
        *("maritalStatus", "religion", "nationality", "smoker", "status", "inOutStatus", "lastPrisonId", "prisonName"),
        *("cellLocation", "csra", "category", "complexityOfNeedLevel", "imprisonmentStatus", "convictedStatus"),
        *("imprisonmentStatusDescription", "mostSeriousOffence", "sentenceStartDate", "homeDetentionCurfewEndDate"),
        *("topupSupervisionStartDate", "topupSupervisionExpiryDate", "nonDtoReleaseDate", "nonDtoReleaseDateType"),
        *("receptionDate", "lastAdmissionDate", "paroleEligibilityDate", "actualParoleDate", "tariffDate"),
        *("releaseOnTemporaryLicenceDate", "locationDescription", "supportingPrisonId", "dischargedHospitalId"),
        *("dischargedHospitalDescription", "dischargeDate", "dischargeDetails", "currentIncentive", "hairColour"),
        *("rightEyeColour", "leftEyeColour", "facialHair", "shapeOfFace", "build", "currentFacialImageId"),
        *("youthOffender", "restrictedPatient", "indeterminateSentence", "heightCentimetres", "weightKilograms"),
        *("shoeSize", "additionalDaysAwarded"),
    )
}
"""Every field of a prisoner search answer that we do not read, with a value that would be recognised anywhere."""


@pytest.mark.parametrize(
    "body", [received(code="I"), dates_changed(), event(f"{DELAYED}imprisonment-status-changed", bookingId=1)]
)
def test_nothing_else_of_a_snapshot_gets_through(body: dict[str, Any]) -> None:
    """Of a snapshot only what the canonical events carry is ever read; the rest never becomes a value of ours."""
    assert not set(UNREAD) & {field.alias for field in Snapshot.model_fields.values()}
    address = {"postalCode": "WN1 1XX", "primaryAddress": True, "phoneNumbers": [{"number": f"{CANARY}-phone"}]}
    alias = {
        "firstName": "COREY",
        "lastName": "ASHDALE",
        "ethnicity": f"{CANARY}-alias",
        "dateOfBirth": f"{CANARY}-dob",
    }
    outcome = read(filled(body, addresses=[address], aliases=[alias], **UNREAD))
    written = repr(outcome) + json.dumps(told(outcome).model_dump(mode="json"))
    assert CANARY not in written
    assert CANARY not in repr(Snapshot.model_validate(snapshot(**UNREAD)))  # dropped while reading, not later
    assert "ASHDALE" in written


def test_an_identifier_with_a_wrong_letter_is_kept_and_not_matched_on() -> None:
    """A wrong check letter nulls the value, keeps what was written, and is a finding."""
    outcome = read(filled(received(), pncNumber="2006/0319482A", croNumber="", recall=None))
    claims = {claim.scheme: claim for claim in told(outcome).person.identifiers}
    assert (claims[Scheme.PNC].raw, claims[Scheme.PNC].value) == ("2006/0319482A", None)
    assert Scheme.CRO not in claims
    assert claims[Scheme.BOOKING].value == "1730021"
    assert rule_ids(outcome) == ["ID-001"]


def address(**fields: Any) -> tuple[Any, list[str]]:
    outcome = read(filled(received(), addresses=[{"postalCode": "wn1 1xx"} | fields]))
    (claim,) = told(outcome).person.addresses
    return claim, rule_ids(outcome)


def use(code: str, *, active: bool = True) -> list[dict[str, Any]]:
    return [{"addressUsage": code, "activeFlag": active}]


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"primaryAddress": True}, AddressKind.RECEPTION),
        ({"primaryAddress": False}, AddressKind.OTHER),
        ({"addressUsages": use("RECEP")}, AddressKind.RECEPTION),
        ({"addressUsages": use("RELEASE")}, AddressKind.DISCHARGE),
        ({"addressUsages": use("DAP")}, AddressKind.INSTITUTION),
        ({"addressUsages": use("DBH")}, AddressKind.INSTITUTION),
        ({"addressUsages": use("RELEASE", active=False)}, AddressKind.PREVIOUS),
    ],
)
def test_an_address_is_what_it_is_used_for(fields: dict[str, Any], kind: AddressKind) -> None:
    """Home before prison, destination, approved premises: never one for the other."""
    claim, rules = address(**fields)
    assert (claim.kind, claim.postcode, claim.confirmed, rules) == (kind, "WN1 1XX", False, [])


def test_only_a_discharge_address_can_be_confirmed() -> None:
    """A confirmed destination is evidence; a mark on the home before prison is not one."""
    assert address(addressUsages=use("RELEASE"), confirmed=True)[0].confirmed
    assert not address(primaryAddress=True, confirmed=True)[0].confirmed


def test_no_fixed_address_wins_over_a_postcode() -> None:
    """noFixedAddress beside a postcode is no fixed abode, with a finding."""
    claim, rules = address(noFixedAddress=True, fullAddress="c/o the day centre")
    assert (claim.no_fixed_abode, claim.lines, rules) == (True, (), ["ID-035"])


@pytest.mark.parametrize(
    ("fields", "rules"),
    [({"postalCode": "ZZ99 3VZ"}, ["ID-034"]), ({"postalCode": "", "addressUsages": use("DNF")}, [])],
)
def test_no_fixed_abode_has_more_than_one_spelling(fields: dict[str, Any], rules: list[str]) -> None:
    """The pseudo postcode and the usage DNF say no fixed abode too."""
    claim, found = address(**fields)
    assert (claim.no_fixed_abode, claim.postcode, found) == (True, None, rules)


def test_a_postcode_that_is_none_is_left_out() -> None:
    """A postcode like B5 is a finding, not a place."""
    claim, rules = address(postalCode="B5", primaryAddress=True)
    assert (claim.postcode, rules) == (None, ["ID-030"])


def test_an_address_that_ends_before_it_starts_is_no_evidence() -> None:
    """An impossible span is left out with a finding, and the record goes on."""
    outcome = read(filled(received(), addresses=[{"startDate": "2024-06-02", "endDate": "2024-06-01"}]))
    assert told(outcome).person.addresses == ()
    assert rule_ids(outcome) == ["PR-035"]


@pytest.mark.parametrize(
    ("gender", "sex", "rules"),
    [("Female", Sex.FEMALE, []), ("Not Known / Not Recorded", Sex.NOT_KNOWN, []), ("X9", None, ["PR-039"])],
)
def test_a_gender_on_no_list_is_left_out(gender: str, sex: Sex | None, rules: list[str]) -> None:
    """What only helps to match is never guessed, and never stops a record."""
    outcome = read(filled(received(), gender=gender))
    assert (told(outcome).person.sex, rule_ids(outcome)) == (sex, rules)


@pytest.mark.parametrize(
    "body",
    [
        dates_changed(),
        event(f"{DELAYED}sentence-dates-changed"),
        event(f"{DELAYED}imprisonment-status-changed"),
    ],
)
def test_a_pointer_that_says_only_that_something_changed_waits(body: dict[str, Any]) -> None:
    """Dates and status without a snapshot are held until somebody attaches it."""
    assert held_for(read(body)) == "pointer_not_filled"


def test_a_status_event_whose_snapshot_has_none_waits() -> None:
    """A snapshot that does not answer the question does not fill the pointer."""
    assert (
        held_for(read(filled(event(f"{DELAYED}imprisonment-status-changed"), legalStatus=None))) == "pointer_not_filled"
    )


def test_dates_are_told_as_a_whole() -> None:
    """Every date the prison stands by now, so that one that is gone is gone."""
    record = filled(
        dates_changed(bookingId=1730021),
        confirmedReleaseDate="2025-08-19",
        homeDetentionCurfewActualDate="2025-07-01",
        conditionalReleaseDate=None,
    )
    changed = told(read(record))
    assert isinstance(changed, DatesChanged)
    assert changed.prison == "LII"
    assert changed.dates.model_dump(mode="json", exclude_none=True) == {
        "expected": "2025-09-02",
        "confirmed": "2025-08-19",
        "hdc_actual": "2025-07-01",
    }


def test_dates_that_move_are_newer_versions_of_one_fact() -> None:
    """Two snapshots of one stay are one fact in two versions, ordered by when they were fetched."""
    early = fact(read(filled(dates_changed(bookingId=1730021), fetched="2025-06-03T10:00:05+01:00")))
    late = fact(read(filled(dates_changed(), fetched="2025-06-03T10:00:06+01:00", releaseDate="2025-08-20")))
    assert early.key == late.key == "prison:A4827KX:dates:1730021"
    assert early.version is not None
    assert late.version is not None
    assert late.version - early.version == 1_000_000


@pytest.mark.parametrize(
    "told_of",
    [
        (dates_changed(bookingId=1730021), event(f"{DELAYED}sentence-dates-changed")),
        (
            event(f"{DELAYED}imprisonment-status-changed"),
            event(f"{DELAYED}imprisonment-status-changed", "2025-06-04T08:00:00Z"),
        ),
    ],
)
def test_one_change_told_by_two_services_is_one_fact(told_of: tuple[dict[str, Any], dict[str, Any]]) -> None:
    """What stands the same at another time is the same fact; what stands otherwise is not."""
    first, second = (fact(read(filled(body, fetched="2025-06-03T10:00:05+01:00"))) for body in told_of)
    other = fact(read(filled(told_of[1], legalStatus="RECALL")))
    assert first.key == second.key == other.key
    assert facts_of(first) == facts_of(second) != facts_of(other)


def test_without_a_fetch_time_the_event_orders_the_dates() -> None:
    """An older record without fetchedAt is ordered by when its event occurred."""
    assert fact(read(filled(dates_changed()))).version == 1_748_941_200_000_000


def test_the_two_dates_events_speak_of_one_fact() -> None:
    """NOMIS and the release dates service report the same dates; neither makes a second set."""
    nomis = event(f"{DELAYED}sentence-dates-changed", bookingId="0001730021", sentenceCalculationId=1)
    assert fact(read(filled(nomis))).key == fact(read(filled(dates_changed(bookingId=1730021)))).key


def test_a_changed_status_is_told_with_the_prison() -> None:
    """Remand to sentenced: the right in which a person is held, and where."""
    changed = told(read(filled(event(f"{DELAYED}imprisonment-status-changed"), legalStatus="RECALL")))
    assert isinstance(changed, StatusChanged)
    assert (changed.legal_status, changed.prison) == ("recall", "LII")


@pytest.mark.parametrize("agency", ["Leeds", "LE", "LEEDSXX", "L\u00c9I", 25])
def test_a_prison_that_is_no_agency_is_refused_by_its_field(agency: object) -> None:
    """An id that is none is a fault of its record, as it is in an event, and never one of ours."""
    body = filled(event(f"{DELAYED}imprisonment-status-changed", bookingId=1), prisonId=agency)
    assert {field for _, field in faults(read(body))} == {"snapshot.prisonId"}


def test_a_person_outside_is_held_by_no_prison() -> None:
    """The pseudo agency of a released person is no prison."""
    assert told(read(filled(dates_changed(), prisonId="OUT"))).prison is None
