"""A BaRS message as a referral: what it tells, what identifies it, and what is no business of ours."""

import pytest

from adapters.base import Ignored
from schemas.base import Precision
from schemas.care import Organisation, Urgency
from tests.adapters.gp.fhir.bars import (
    JSON,
    REFERRAL,
    SERVICE,
    XML,
    Change,
    Json,
    fact,
    of,
    part,
    read,
    reason,
    referral,
    revoked,
    told,
)
from tests.adapters.prison.outcomes import faults, held_for, ignored_as, rule_ids

SNOMED = "http://snomed.info/sct"


def category(code: str) -> Change:
    """What the request asks for."""
    return of("ServiceRequest", category=[{"coding": [{"system": "x/message-category-servicerequest", "code": code}]}])


@pytest.mark.parametrize("media", [JSON, XML])
def test_a_referral_tells_what_a_lasars_needs(media: str) -> None:
    """Who, how soon, why in codes, who asks, where registered; the same from JSON and XML."""
    event = told(read(referral(), media))
    assert event.reference == REFERRAL
    assert event.service == SERVICE
    assert event.urgency is Urgency.ROUTINE
    assert event.reasons == ("snomed:75544000",)
    assert event.requester == Organisation(ods="P88026", name="Heaton Moor Surgery")
    assert event.practice == Organisation(ods="P88026", name="Heaton Moor Surgery")
    assert event.occurred.at.isoformat() == "2026-01-12T10:20:00+00:00"
    assert event.sensitivity == {"health"}


def test_no_more_than_that_is_told() -> None:
    """No telephone, no clinician, no text of any kind reaches an event, whatever a bundle holds."""
    canary = "CANARY 07700 900123"

    def everywhere(bundle: Json) -> None:
        for entry in bundle["entry"]:
            entry["resource"] |= {"note": [{"text": canary}], "text": {"div": canary}, "patientInstruction": canary}
        part(bundle, "Patient").update(telecom=[{"value": canary}], contact=[{"name": {"family": canary}}])
        part(bundle, "ServiceRequest")["reasonCode"][0]["text"] = canary
        part(bundle, "Practitioner")["name"][0]["family"] = canary
        bundle["entry"].append({"fullUrl": "urn:uuid:1", "resource": {"resourceType": "CarePlan", "title": canary}})

    for media in (JSON, XML):
        assert "CANARY" not in told(read(referral(everywhere), media)).model_dump_json()


def test_the_key_is_the_senders_code_and_the_referrals_own_id() -> None:
    """Never Bundle.id, which two messages of the standard's own examples share; and the lane is the NHS number."""
    first, second = referral(), referral(lambda bundle: bundle.update(id="another"))
    assert fact(read(first)).key == fact(read(second)).key == f"gp:referral:P88026:{REFERRAL}"
    assert fact(read(first)).lane == "NHS:9990548609"


def test_a_referral_without_an_id_of_its_own_has_that_of_its_full_url() -> None:
    """The standard's examples give none; new and cancelled agree on the fullUrl."""
    assert fact(read(referral(of("ServiceRequest", id=None)))).key == f"gp:referral:P88026:{REFERRAL}"


def test_the_version_is_when_the_referral_was_last_changed() -> None:
    """In milliseconds; meta.versionId is the standard's. Where the referral does not say, the bundle does."""
    assert fact(read(referral())).version == 1768213200000
    later = referral(
        of("ServiceRequest", meta=None), lambda bundle: bundle["meta"].update(lastUpdated="2026-01-13T10:20:00Z")
    )
    assert fact(read(later)).version == 1768299600000
    without = referral(of("ServiceRequest", meta=None), lambda bundle: bundle.pop("meta"))
    assert fact(read(without)).version is None


@pytest.mark.parametrize(("status", "why"), [("revoked", "revoked"), ("entered-in-error", "entered_in_error")])
def test_a_cancellation_withdraws_and_tells_nothing(status: str, why: str) -> None:
    """A retraction holds its reason. It needs no Encounter, requester, category or practice."""
    cancelled = fact(read(referral(revoked, of("ServiceRequest", status=status, category=None, requester=None))))
    assert (cancelled.event, cancelled.withdrawn, cancelled.follows) == (None, why, True)
    assert cancelled.key == fact(read(referral())).key
    assert cancelled.lane == "NHS:9990548609"


def test_a_cancellation_without_its_patient_still_withdraws() -> None:
    """The key says which referral; the lane is that of the fact's first record."""
    bundle = referral(revoked)
    bundle["entry"] = [entry for entry in bundle["entry"] if entry["resource"]["resourceType"] != "Patient"]
    assert fact(read(bundle)).lane == f"REFERRAL:P88026/{REFERRAL}"


def test_a_message_says_whether_it_is_the_first() -> None:
    """New, or update: the door asks the journal whether that is so."""
    assert fact(read(referral())).follows is False
    assert fact(read(referral(reason("update")))).follows is True


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (of("MessageHeader", eventCoding={"code": "booking-request"}), "bars.booking-request"),
        (of("MessageHeader", eventCoding={"code": "Ellerby"}), "bars.event-not-subscribed"),
        (
            category("validation"),
            "bars.servicerequest-request.validation",
        ),
        (
            category("Ellerby"),
            "bars.servicerequest-request.category-not-subscribed",
        ),
    ],
)
def test_what_is_no_referral_is_ignored_by_name(change: Change, name: str) -> None:
    """A name that is counted by is one of ours: what a message writes there could be anybody's."""
    assert ignored_as(read(referral(change))) == name


@pytest.mark.parametrize("services", ["", "2000081235", ",", "200008123"])
def test_another_service_is_ignored_before_its_patient_is_read(services: str) -> None:
    """Only what goes to a LASARS is ours. Nobody's record is refused, and so kept, that was not sent to us."""
    bundle = referral(of("Patient", birthDate="not a date"))
    assert read(bundle, services=services) == Ignored("bars.servicerequest-request.another-service")


@pytest.mark.parametrize("services", [SERVICE, f"1, {SERVICE} ,2", "*"])
def test_a_service_of_ours_is_taken(services: str) -> None:
    """Named among others, or every service."""
    assert told(read(referral(), services=services)).service == SERVICE


def test_the_service_may_be_named_by_its_performer_alone() -> None:
    """Where the header routes by something else, the HealthcareService that is asked says which it is."""
    bundle = referral(of("MessageHeader", destination=[{"endpoint": "urn:uuid:d5ffd0cd"}]))
    assert told(read(bundle)).service == SERVICE


def test_a_transport_that_names_another_service_is_a_finding() -> None:
    """GP-038: the message is believed."""
    assert rule_ids(read(referral(), **{"nhsd-target-service": "2000049999"})) == ["GP-038"]
    assert rule_ids(read(referral(), **{"nhsd-target-service": SERVICE})) == []


@pytest.mark.parametrize(
    ("change", "table"),
    [
        (of("ServiceRequest", priority="soon"), "gp.ServiceRequest.priority"),
        (of("ServiceRequest", status="completed"), "gp.ServiceRequest.status"),
        (reason("replace"), "gp.MessageHeader.reason"),
        (of("Patient", gender="M"), "gp.Patient.gender"),
        (lambda bundle: part(bundle, "Patient")["address"][0].update(use="holiday"), "gp.Patient.address.use"),
    ],
)
def test_a_code_on_no_list_is_held_by_name(change: Change, table: str) -> None:
    """The sender cannot mend our table; a code that could be anything is not told."""
    outcome = read(referral(change))
    assert held_for(outcome) == "code_not_mapped"
    assert outcome.findings[-1].field == table  # type: ignore[union-attr]
    assert outcome.lane == "NHS:9990548609"  # type: ignore[union-attr]


def test_a_code_that_looks_like_none_is_not_quoted() -> None:
    """Whatever stands in place of a code could be anybody's name."""
    outcome = read(referral(of("ServiceRequest", priority="Tamsin Ellerby")))
    assert outcome.findings[-1].detail == "not the form of a code"  # type: ignore[union-attr]


def nowhere(bundle: Json) -> None:
    """Name no service in any place."""
    del part(bundle, "MessageHeader")["destination"]
    del part(bundle, "ServiceRequest")["performer"]


@pytest.mark.parametrize(
    ("change", "rule", "field"),
    [
        (reason(""), "GP-010", "MessageHeader.reason"),
        (of("MessageHeader", reason=None), "GP-010", "MessageHeader.reason"),
        (of("MessageHeader", focus=None), "GP-010", "MessageHeader.focus"),
        (lambda bundle: part(bundle, "MessageHeader")["focus"].append({}), "GP-011", "MessageHeader.focus"),
        (of("MessageHeader", focus=[{"reference": "Patient/1"}]), "GP-012", "MessageHeader.focus"),
        (of("MessageHeader", sender=None), "GP-017", "MessageHeader.sender"),
        (nowhere, "GP-010", "MessageHeader.destination.endpoint"),
        (of("MessageHeader", eventCoding=None), "GP-010", "MessageHeader.eventCoding"),
        (of("MessageHeader", eventCoding={}), "GP-010", "MessageHeader.eventCoding.code"),
        (of("ServiceRequest", status=None), "GP-010", "ServiceRequest.status"),
        (of("ServiceRequest", status=7), "GP-011", "ServiceRequest.status"),
        (of("ServiceRequest", id="../x"), "GP-011", "ServiceRequest.id"),
        (of("ServiceRequest", category=None), "GP-010", "ServiceRequest.category"),
        (of("ServiceRequest", authoredOn="12/01/2026"), "GP-011", "ServiceRequest.authoredOn"),
        (of("ServiceRequest", authoredOn="2026-01-17T12:00:00Z"), "GP-014", "ServiceRequest.authoredOn"),
        (
            of("ServiceRequest", meta={"lastUpdated": "2027-01-13T10:20:00Z"}),
            "GP-014",
            "ServiceRequest.meta.lastUpdated",
        ),
        (of("ServiceRequest", meta={"lastUpdated": "yesterday"}), "GP-011", "ServiceRequest.meta.lastUpdated"),
        (of("ServiceRequest", status="revoked"), "GP-016", "ServiceRequest.status"),
        (of("ServiceRequest", subject={"reference": "urn:uuid:none"}), "GP-012", "ServiceRequest.subject"),
    ],
)
def test_a_missing_or_impossible_field_is_refused_by_name(change: Change, rule: str, field: str) -> None:
    """Each fault names its rule and its field; the sender can mend it."""
    assert faults(read(referral(change))) == {(rule, field)}


def test_every_fault_is_told_at_once() -> None:
    """A sender that mends what it was told is not refused for something else next."""
    bundle = referral(of("ServiceRequest", status=None, authoredOn="x"), of("Patient", birthDate="1991-13-01"))
    assert faults(read(bundle)) == {
        ("GP-010", "ServiceRequest.status"),
        ("GP-011", "ServiceRequest.authoredOn"),
        ("GP-011", "Patient.birthDate"),
    }


def test_a_referral_may_be_dated_to_the_day_or_by_its_message() -> None:
    """A day is a day; without authoredOn the bundle's timestamp stands in; without either it is refused."""
    assert told(read(referral(of("ServiceRequest", authoredOn="2026-01-12")))).occurred.precision is Precision.DAY
    bundle = referral(of("ServiceRequest", authoredOn=None))
    assert told(read(bundle)).occurred.at.isoformat() == "2026-01-12T10:20:00+00:00"
    del bundle["timestamp"]
    assert faults(read(bundle)) == {("GP-010", "Bundle.timestamp")}


@pytest.mark.parametrize(
    ("written", "rules"),
    [("2025-07-12T10:20:00", ["GP-030"]), ("2025-10-26T01:30:00", ["GP-030", "GP-031"]), ("2025-07-12T10:20:00Z", [])],
)
def test_a_time_without_a_zone_is_londons_with_a_finding(written: str, rules: list[str]) -> None:
    """And in the hour in which the clocks change, with one more."""
    assert rule_ids(read(referral(of("ServiceRequest", authoredOn=written)))) == rules


def test_reasons_are_codes_of_known_terminologies() -> None:
    """Of several codings those we carry, each once; a reason in none of them is left out with a finding."""
    bundle = referral(
        of(
            "ServiceRequest",
            reasonCode=[
                {"coding": [{"system": "http://read.info/readv2", "code": "E24.."}, {"system": "local", "code": "9"}]},
                {"coding": [{"system": SNOMED, "code": "75544000"}, {"system": SNOMED, "code": "75544000"}]},
                {"coding": [{"system": SNOMED, "code": "drug misuse, see letter"}]},
                {"text": "see letter"},
            ],
        )
    )
    outcome = read(bundle)
    assert told(outcome).reasons == ("read-v2:E24..", "snomed:75544000")
    assert rule_ids(outcome) == ["GP-035", "GP-035"]


def test_a_requester_that_works_nowhere_we_know_is_the_sender() -> None:
    """The organisation of the practitioner's role; else, of the message."""

    def without_role(bundle: Json) -> None:
        bundle["entry"] = [e for e in bundle["entry"] if e["resource"]["resourceType"] != "PractitionerRole"]

    assert told(read(referral(without_role))).requester == Organisation(ods="P88026", name="Heaton Moor Surgery")
    code = {"system": "https://fhir.nhs.uk/Id/ods-organization-code", "value": "b86041"}
    named = of("ServiceRequest", requester={"identifier": code})
    assert told(read(referral(named))).requester == Organisation(ods="B86041")
