"""A Jobcentre's referral: the minimum data of the department's guidance, and no more."""

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from adapters.base import Accepted, Held, Ignored, Message, Outcome, Refused
from adapters.dwp import build
from schemas.base import Sensitivity
from schemas.benefits import JobcentreReferred
from tests.adapters.dwp.extract import RECEIVED
from tests.adapters.test_conformance import ROOT, examples

SCHEMA = Draft202012Validator(json.loads((ROOT / "contracts/inbound/dwp/referral.schema.json").read_text()))
REFERRAL: dict[str, Any] = {
    "eventType": "dwp.referral.sent",
    "version": 1,
    "referralId": "PR-0050011",
    "recordVersion": 1,
    "provisionId": "DRUG-REC-01",
    "referredAt": "2026-01-09",
    "officeCode": "210364",
    "mandated": True,
    "incidentMarker": True,
    "mappa": False,
    "person": {"nino": "JK904412A", "forenames": "Piers", "surname": "Grenfell-Rowe", "dateOfBirth": "1979-08-11"},
    "address": {"lines": ["9 Ferncliffe Court"], "postcode": "SK4 2HD"},
}


def read(**changed: Any) -> Outcome:
    """What becomes of a good referral, but for what is changed; None leaves a field out."""
    told = {name: value for name, value in (REFERRAL | changed).items() if value is not None}
    return build({}).read(Message(json.dumps(told).encode(), "application/json", RECEIVED))


def event(outcome: Outcome) -> JobcentreReferred:
    """The referral that is told."""
    assert isinstance(outcome, Accepted), outcome
    told = outcome.facts[0].event
    assert isinstance(told, JobcentreReferred)
    return told


def rules(outcome: Outcome) -> list[tuple[str, str]]:
    """Rule and field of whatever was found."""
    assert isinstance(outcome, Accepted | Held | Refused)
    return [(finding.rule.id, finding.field) for finding in outcome.findings]


def test_a_referral_tells_the_minimum_data() -> None:
    """Whom, to what, whether benefit hangs on it, and whether staff must take care."""
    told = event(read())
    assert (told.reference, told.provision, told.mandated, told.incident_marker) == (
        "PR-0050011",
        "DRUG-REC-01",
        True,
        True,
    )
    assert told.opens_case
    assert told.sensitivity == {Sensitivity.HEALTH}
    assert told.person.addresses[0].postcode == "SK4 2HD"


def test_what_the_policy_does_not_name_is_dropped_while_reading() -> None:
    """Phone, e-mail and disability stand in the record, and in no event."""
    person = REFERRAL["person"] | {"phone": "01632 960114", "email": "piers@example.org", "disability": "hearing"}
    assert event(read(person=person, workCoach="B. Ince")) == event(read())


def test_a_protected_person_is_referred_without_an_address() -> None:
    """MAPPA referrals are sent minus address, postcode and phone, and marked for everybody after."""
    outcome = read(mappa=True, address=None)
    assert event(outcome).sensitivity == {Sensitivity.HEALTH, Sensitivity.MAPPA}
    assert rules(outcome) == []


def test_the_address_of_a_protected_person_is_not_taken() -> None:
    """A mistake at the source goes no further, and is told."""
    outcome = read(mappa=True)
    assert event(outcome).person.addresses == ()
    assert rules(outcome) == [("DW-050", "address")]


def test_anybody_elses_referral_needs_an_address() -> None:
    """It is minimum data; no fixed address is one that can be said."""
    assert rules(read(address=None)) == [("DW-026", "address")]
    assert event(read(address={"noFixedAddress": True})).person.addresses[0].no_fixed_abode


def test_who_is_protected_is_never_assumed() -> None:
    """A mark that is missing or empty is no leave to tell where somebody lives."""
    assert rules(read(mappa=None)) == [("DW-022", "mappa")]
    assert rules(read(mappa="")) == [("DW-023", "mappa")]


def test_a_special_customers_record_is_refused_and_tells_nobody() -> None:
    """Such records never come this way; its refusal names the rule and nothing else of it."""
    outcome = read(specialCustomerRecord=True, person={"surname": "Grenfell-Rowe", "nino": "JK904412A"})
    assert isinstance(outcome, Refused)
    assert rules(outcome) == [("DW-027", "specialCustomerRecord")]
    assert rules(read(specialCustomerRecord=True, mandated=None, person={})) == rules(outcome)


def test_a_withdrawal_takes_its_referral_back() -> None:
    """It repeats the id and the number, and gives a reason from the list."""
    told = {
        "eventType": "dwp.referral.withdrawn",
        "version": "1.0",
        "referralId": "PR-0050011",
        "recordVersion": 2,
        "person": {"nino": "JK904412"},
        "reason": "person_declined",
    }
    outcome = build({}).read(Message(json.dumps(told).encode(), "application/json", RECEIVED))
    sent = read()
    assert isinstance(outcome, Accepted)
    assert isinstance(sent, Accepted)
    (taken_back,), (fact,) = outcome.facts, sent.facts
    assert (taken_back.key, taken_back.lane, taken_back.withdrawn) == (fact.key, fact.lane, "person_declined")
    assert taken_back.event is None


def test_another_version_is_held_and_another_message_ignored() -> None:
    """Neither is guessed at."""
    held = read(version=2)
    assert isinstance(held, Held)
    assert held.reason == "version_not_supported"
    assert read(eventType="dwp.outcome.claimed") == Ignored("dwp.outcome.claimed")


@pytest.mark.parametrize(
    ("changed", "faults"),
    [
        ({"eventType": "JK904412A"}, {("DW-031", "eventType")}),
        ({"version": None}, {("DW-022", "version")}),
        ({"version": True}, {("DW-023", "version")}),
        ({"referralId": None}, {("DW-022", "referralId")}),
        ({"mandated": "Y"}, {("DW-023", "mandated")}),
        ({"incidentMarker": None}, {("DW-022", "incidentMarker")}),
        ({"recordVersion": 0}, {("DW-023", "recordVersion")}),
        ({"recordVersion": 2**53}, {("DW-023", "recordVersion")}),
        ({"referredAt": "9 January"}, {("DW-023", "referredAt")}),
        ({"referredAt": "2026-01-17"}, {("DW-023", "referredAt")}),
        ({"person": {"surname": "Grenfell-Rowe"}}, {("DW-022", "person.nino")}),
        ({"person": {"nino": "JK904412A", "surname": " "}}, {("DW-023", "person.surname")}),
        (
            {"person": {"nino": "JK904412A", "surname": "Grenfell-Rowe", "dateOfBirth": "2026-01-16"}},
            {("DW-025", "person.dateOfBirth")},
        ),
    ],
)
def test_each_fault_has_its_rule_and_its_field(changed: dict[str, Any], faults: set[tuple[str, str]]) -> None:
    """Every fault is told at once, and none by its value."""
    outcome = read(**changed)
    assert isinstance(outcome, Refused)
    assert set(rules(outcome)) == faults


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("2026-01-09", []),
        ("2026-01-09T10:15:00Z", []),
        ("2026-01-09T10:15", ["DW-051"]),
        ("2025-10-26T01:30:00", ["DW-051", "DW-052"]),
        ("2025-03-30T01:30:00", ["DW-051", "DW-052"]),
    ],
)
def test_a_local_time_is_read_and_its_doubts_told(written: str, found: list[str]) -> None:
    """A day, a time with a zone, one without, and the hours in which the clocks change."""
    assert [rule for rule, _ in rules(read(referredAt=written))] == found


@pytest.mark.parametrize("folder", ["accepted", "refused"])
def test_the_schema_and_the_reader_agree_on_the_examples(folder: str) -> None:
    """What is accepted is valid; what is refused for its form is not."""
    tried = 0
    for path in examples("dwp", folder):
        if not path.name.startswith("referral") or path.name == "referral-from-the-future.json":
            continue  # no schema knows what day it is
        tried += 1
        assert SCHEMA.is_valid(json.loads(path.read_text())) == (folder == "accepted"), path.name
    assert tried
