"""A self-referral typed in at any LASARS: what is told, and what is wrong with it."""

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from adapters.base import Accepted, Held, Ignored, Message, Outcome, Refused
from adapters.self_referral import build
from schemas.base import AddressKind, Sensitivity
from schemas.care import Contact, SelfReferred
from schemas.imprisonment import Substance
from tests.adapters.test_conformance import RECEIVED, ROOT, examples

SCHEMA = Draft202012Validator(
    json.loads((ROOT / "contracts/inbound/self_referral/self-referral.schema.json").read_text())
)
ASKED: dict[str, Any] = {
    "eventType": "self-referral.taken",
    "version": 1,
    "reference": "EN-SR-000501",
    "recordVersion": 1,
    "takenAt": "enfield",
    "takenOn": "2026-01-12T10:40:00Z",
    "person": {"forenames": "Delyth", "surname": "Arkenstall", "dateOfBirth": "1990-07-19", "sex": "female"},
    "address": {"lines": ["27 Larkhill Terrace"], "postcode": "SK1 3XE"},
    "contact": {"phone": "01632 960142"},
    "statedArea": "stockport",
    "substances": ["opiates", "crack", "opiates"],
}


def read(area: str | None = None, **changed: Any) -> Outcome:
    """What becomes of a good self-referral, but for what is changed; None leaves a field out."""
    told = {name: value for name, value in (ASKED | changed).items() if value is not None}
    attributes = {"area": area} if area else {}
    return build({}).read(Message(json.dumps(told).encode(), "application/json", RECEIVED, attributes))


def withdrawal(area: str | None = None, **changed: Any) -> Outcome:
    """What becomes of taking it back."""
    told = {name: ASKED[name] for name in ("version", "reference", "takenAt")} | {
        "eventType": "self-referral.withdrawn",
        "recordVersion": 2,
        "reason": "person_withdrew",
        **changed,
    }
    attributes = {"area": area} if area else {}
    return build({}).read(Message(json.dumps(told).encode(), "application/json", RECEIVED, attributes))


def event(outcome: Outcome) -> SelfReferred:
    """What is told."""
    assert isinstance(outcome, Accepted), outcome
    told = outcome.facts[0].event
    assert isinstance(told, SelfReferred)
    return told


def rules(outcome: Outcome) -> list[tuple[str, str]]:
    """Rule and field of whatever was found."""
    assert isinstance(outcome, Accepted | Held | Refused)
    return [(finding.rule.id, finding.field) for finding in outcome.findings]


def test_what_the_person_gave_is_told() -> None:
    """Who, where they live, how to answer them, what it is about, and who took it."""
    told = event(read())
    assert told.opens_case
    assert told.sensitivity == {Sensitivity.HEALTH}
    assert (told.reference, told.taken_at, told.stated_area) == ("EN-SR-000501", "enfield", "stockport")
    assert told.substances == (Substance.OPIATES, Substance.CRACK)
    assert told.contact == Contact(phone="01632 960142")
    (address,) = told.person.addresses
    assert (address.kind, address.postcode) == (AddressKind.DECLARED, "SK1 3XE")


def test_the_stated_area_is_no_address() -> None:
    """It is told, and decides nothing."""
    assert event(read(address=None)).person.addresses == ()


def test_a_lasars_speaks_for_itself_alone() -> None:
    """Whoever took it holds the person until home is known, so nobody may say that another took it."""
    assert isinstance(read("enfield"), Accepted)
    assert rules(read("wigan")) == [("SR-014", "takenAt")]
    assert rules(withdrawal("wigan")) == [("SR-014", "takenAt")]


def test_a_person_must_be_reachable() -> None:
    """By an address, a phone or an e-mail; without all three nobody could answer."""
    assert isinstance(read(address=None), Accepted)
    assert isinstance(read(contact=None), Accepted)
    assert rules(read(address=None, contact={"phone": "", "email": None})) == [("SR-015", "contact")]


def test_a_reference_is_the_lasarss_own() -> None:
    """Two LASARS may give the same number to two people."""
    here, there = read(), read(takenAt="wigan")
    assert isinstance(here, Accepted)
    assert isinstance(there, Accepted)
    assert here.facts[0].key != there.facts[0].key
    assert here.facts[0].lane != there.facts[0].lane


def test_an_nhs_number_joins_what_is_said_of_one_person() -> None:
    """A wrong one is kept, and joins nothing."""
    good = read(person=ASKED["person"] | {"nhsNumber": "999 054 8609"})
    wrong = read(person=ASKED["person"] | {"nhsNumber": "999 054 8600"})
    assert isinstance(good, Accepted)
    assert isinstance(wrong, Accepted)
    assert good.facts[0].lane == "NHS:9990548609"
    assert wrong.facts[0].lane == "SELF:enfield/EN-SR-000501"
    assert rules(wrong) == [("ID-001", "person.nhsNumber")]


def test_a_withdrawal_takes_it_back() -> None:
    """It repeats nothing but the reference."""
    asked, outcome = read(), withdrawal()
    assert isinstance(asked, Accepted)
    assert isinstance(outcome, Accepted)
    (fact,) = outcome.facts
    assert (fact.key, fact.withdrawn, fact.event, fact.version) == (asked.facts[0].key, "person_withdrew", None, 2)


def test_codes_and_versions_nobody_knows_are_held() -> None:
    """By their names, and never defaulted."""
    for outcome, rule in (
        (read(substances=["nitrous_oxide"]), "SR-020"),
        (read(person=ASKED["person"] | {"sex": "f"}), "SR-020"),
        (read(version=2), "SR-003"),
    ):
        assert isinstance(outcome, Held)
        assert outcome.findings[-1].rule.id == rule


def test_a_code_that_may_be_a_name_is_not_repeated() -> None:
    """A field that slipped may hold anything."""
    outcome = read(substances=["Delyth Arkenstall"])
    assert isinstance(outcome, Held)
    assert outcome.findings[-1].detail == "not the form of a code"


def test_an_enquiry_is_ignored_by_its_name() -> None:
    """It is counted, and its content not kept."""
    assert read(eventType="self-referral.enquired") == Ignored("self-referral.enquired")


@pytest.mark.parametrize(
    ("changed", "faults"),
    [
        ({"eventType": "Delyth"}, {("SR-002", "eventType")}),
        ({"version": None}, {("SR-010", "version")}),
        ({"version": []}, {("SR-011", "version")}),
        ({"reference": None, "recordVersion": True}, {("SR-010", "reference"), ("SR-011", "recordVersion")}),
        ({"takenAt": "Enfield"}, {("SR-011", "takenAt")}),
        ({"takenOn": "today"}, {("SR-011", "takenOn")}),
        ({"takenOn": "2026-01-17"}, {("SR-012", "takenOn")}),
        ({"person": {"surname": "Arkenstall"}}, {("SR-010", "person.dateOfBirth")}),
        ({"person": {"surname": "Arkenstall", "dateOfBirth": "2026-01-16"}}, {("SR-013", "person.dateOfBirth")}),
    ],
)
def test_each_fault_has_its_rule_and_its_field(changed: dict[str, Any], faults: set[tuple[str, str]]) -> None:
    """All of them are told at once, and none by its value."""
    outcome = read(**changed)
    assert isinstance(outcome, Refused)
    assert set(rules(outcome)) == faults


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b'{"a": "' + b"x" * 70_000 + b'"}'])
def test_what_is_no_object_is_refused(body: bytes) -> None:
    """One object, of a length somebody could have typed."""
    outcome = build({}).read(Message(body, "application/json", RECEIVED))
    assert rules(outcome) == [("SR-001", "")]


@pytest.mark.parametrize(
    ("written", "found"),
    [("2026-01-12", []), ("2026-01-12T10:40", ["SR-030"]), ("2025-10-26T01:30", ["SR-030", "SR-031"])],
)
def test_a_local_time_is_read_and_its_doubts_told(written: str, found: list[str]) -> None:
    """A day, a time without a zone, and an hour that was lived twice."""
    assert [rule for rule, _ in rules(read(takenOn=written))] == found


def test_it_has_no_options() -> None:
    """An option stops the start."""
    with pytest.raises(ValueError, match="no option"):
        build({"area": "enfield"})


@pytest.mark.parametrize("folder", ["accepted", "refused"])
def test_the_schema_and_the_reader_agree_on_the_examples(folder: str) -> None:
    """What is accepted is valid; what is refused for its form is not."""
    tried = [
        path
        for path in examples("self_referral", folder)
        if path.name not in ("from-the-future.json", "not-json.json")  # no schema knows what day it is
    ]
    assert tried
    for path in tried:
        assert SCHEMA.is_valid(json.loads(path.read_text())) == (folder == "accepted"), path.name
