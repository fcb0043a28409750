import json
import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.base import Accepted, Held, Ignored, Refused
from adapters.hmpps.envelope import LONGEST
from adapters.prison import build
from tests.adapters.prison.outcomes import fact, faults, held_for, ignored_as, rule_ids, told
from tests.adapters.prison.records import (
    DELAYED,
    dates_changed,
    event,
    filled,
    message,
    need,
    notification,
    read,
    received,
    released,
    snapshot,
)


def without_type(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name != "eventType"}


def test_an_event_is_the_same_in_any_envelope() -> None:
    """Bare, as SNS delivers it, or beside its snapshot: the same movement becomes the same fact."""
    body = received(code="I")
    ways = [body, notification(body), {"event": body}, {"event": notification(body)}]
    assert {repr(fact(read(way))) for way in ways} == {repr(fact(read(body)))}


def test_the_type_is_taken_from_the_attribute_where_the_body_has_none() -> None:
    """Old notifications have no eventType in the message; the attribute says what they are."""
    body = without_type(received("RETURN_FROM_COURT")) | {"version": "1.0"}
    assert told(read(notification(body, f"{DELAYED}received"))).kind == "imprisonment.returned"
    assert told(read(body, eventtype=f"{DELAYED}received")).kind == "imprisonment.returned"


def test_the_body_is_believed_against_the_attribute() -> None:
    """Where body and attribute name different types the body wins, with a finding."""
    outcome = read(notification(received(code="I"), f"{DELAYED}released"))
    assert told(outcome).kind == "imprisonment.received"
    assert rule_ids(outcome) == ["PR-005"]


@pytest.mark.parametrize("version", [1, 1.0, "1", "1.0"])
def test_version_one_in_any_spelling(version: object) -> None:
    """The version is 1, as a number or as text."""
    assert isinstance(read(received(code="I") | {"version": version}), Accepted)


@pytest.mark.parametrize("version", [2, "2.0", 1.5, "one"])
def test_another_version_is_held(version: object) -> None:
    """A version we have not read the specification of is not guessed at."""
    assert held_for(read(received(code="I") | {"version": version})) == "version_not_supported"


@pytest.mark.parametrize("version", [True, None, [1]])
def test_a_version_that_is_none_is_refused(version: object) -> None:
    """What is not a version is a fault of the record."""
    assert faults(read(received(code="I") | {"version": version})) == {("PR-011", "version")}


@pytest.mark.parametrize(
    "name",
    [
        "prison-offender-events.prisoner.cell.move",
        "person.alert.created",
        "prison-visit.booked",
        "prison-visit.cancelled",
        "OFFENDER_BOOKING-CHANGED",
        "OFFENDER_BOOKING-REASSIGNED",
        "OFFENDER_MOVEMENT-DISCHARGE",
        "PERSON_RESTRICTION-UPSERTED",
        "PRISONER_ACTIVITY-UPDATE",
        "IEP_UPSERTED",
    ],
)
def test_a_kind_we_do_not_read_is_ignored_by_name(name: str) -> None:
    """Whatever else it holds, a kind nobody subscribed to is counted by its name only."""
    assert ignored_as(read({"eventType": name, "anything": [1, 2]})) == name
    assert ignored_as(read(notification({"eventType": name}))) == name


@pytest.mark.parametrize("kind", ["SubscriptionConfirmation", "UnsubscribeConfirmation"])
def test_what_sns_says_about_itself_is_ignored(kind: str) -> None:
    """A subscription is confirmed by people, not by this door."""
    assert ignored_as(read({"Type": kind, "Token": "x", "SubscribeURL": "https://example.invalid"})) == f"sns.{kind}"


@pytest.mark.parametrize(
    ("record", "fault"),
    [
        (b"", ("PR-001", "")),
        (b"not json", ("PR-001", "")),
        (b"[]", ("PR-001", "")),
        (b'{"eventType": "x\xff"}', ("PR-001", "")),
        (b"[" * 5000, ("PR-001", "")),
        ({"Type": "Notification"}, ("PR-010", "Message")),
        ({"Type": "Notification", "Message": {"eventType": "x"}}, ("PR-002", "Message")),
        ({"Type": "Notification", "Message": "not json"}, ("PR-002", "Message")),
        ({"Type": "Notification", "Message": "[]"}, ("PR-002", "Message")),
        ({"Type": ["Notification"]}, ("PR-004", "Type")),
        ({}, ("PR-003", "eventType")),
        ({"event": []}, ("PR-011", "event")),
        ({"eventType": 7}, ("PR-004", "eventType")),
        ({"eventType": "Corin Ashdale was released"}, ("PR-004", "eventType")),
        ({"eventType": "Ashdale-Merrow"}, ("PR-004", "eventType")),
        ({"eventType": "ASHDALE-MERROW"}, ("PR-004", "eventType")),
        ({"eventType": "corin.ashdale"}, ("PR-004", "eventType")),
        ({"eventType": "CORIN_ASHDALE"}, ("PR-004", "eventType")),
        ({"eventType": "a.b." + "x" * 97}, ("PR-004", "eventType")),
        ({"Type": "Ashdale", "Message": "{}"}, ("PR-004", "Type")),
        ({"event": received(), "snapshot": "none"}, ("PR-011", "snapshot")),
        (filled(received(), fetched="2025-03-04T14:00:00"), ("PR-011", "fetchedAt")),
        (filled(received()) | {"fetchedAt": 7}, ("PR-011", "fetchedAt")),
        (b" " * (LONGEST + 1), ("PR-007", "")),
    ],
)
def test_what_cannot_be_opened_is_refused_by_rule(record: Any, fault: tuple[str, str]) -> None:
    """Every way of not being a record has a rule of its own."""
    assert faults(read(record)) == {fault}


def test_every_fault_is_named_at_once() -> None:
    """A sender mends all of a record in one go: event and snapshot, missing and retyped."""
    body = released() | {"occurredAt": "30 February"}
    body["additionalInformation"] = {"nomsNumber": "A4827KX", "prisonId": 17}
    record = {"event": body, "snapshot": snapshot(dateOfBirth="17/02/1988", recall="maybe")}
    assert faults(read(record)) == {
        ("PR-011", "occurredAt"),
        ("PR-010", "additionalInformation.reason"),
        ("PR-011", "additionalInformation.prisonId"),
        ("PR-011", "snapshot.dateOfBirth"),
        ("PR-011", "snapshot.recall"),
    }


@pytest.mark.parametrize(
    ("field", "value", "rule"),
    [("nomsNumber", None, "PR-010"), ("nomsNumber", "A48X", "PR-012"), ("prisonerId", "A6103LC", "PR-013")],
)
def test_a_record_names_one_person(field: str, value: str | None, rule: str) -> None:
    """No prison number, one that cannot be read, or two that differ: the record names nobody."""
    record = received()
    record["additionalInformation"][field] = value
    if field == "nomsNumber":
        record["personReference"] = {"identifiers": []}
    outcome = read(record)
    assert isinstance(outcome, Refused)
    assert rule_ids(outcome) == [rule]


def test_the_prison_number_is_found_wherever_it_stands() -> None:
    """nomsNumber, prisonerId and the NOMS reference are one thing, in any case and spacing."""
    by_reference = received() | {"personReference": {"identifiers": [{"type": "NOMS", "value": " a4827kx "}]}}
    del by_reference["additionalInformation"]["nomsNumber"]
    by_id = received(prisonerId="A4827KX")
    assert {fact(read(record)).lane for record in (by_reference, by_id)} == {"NOMS:A4827KX"}


def test_a_snapshot_of_somebody_else_is_refused() -> None:
    """One person's name never reaches another person's record."""
    assert faults(read(filled(received(), prisonerNumber="A6103LC"))) == {("PR-014", "snapshot.prisonerNumber")}


def test_nobody_is_born_tomorrow() -> None:
    """A date of birth in the future is impossible."""
    assert faults(read(filled(received(), dateOfBirth="2031-02-17"))) == {("PR-018", "snapshot.dateOfBirth")}


@pytest.mark.parametrize(
    ("written", "at", "rules"),
    [
        ("2024-06-11T15:13:21+01:00", "2024-06-11T14:13:21+00:00", []),
        ("2020-02-12T15:15:09.902048716Z", "2020-02-12T15:15:09.902048+00:00", []),
        ("2020-02-25T11:24:32.935401", "2020-02-25T11:24:32.935401+00:00", ["PR-030"]),
        ("2024-07-01T11:00:00", "2024-07-01T10:00:00+00:00", ["PR-030"]),
        ("2024-10-27T01:30:00", "2024-10-27T00:30:00+00:00", ["PR-030", "PR-031"]),
        ("2024-02-29T12:00:00Z", "2024-02-29T12:00:00+00:00", []),
    ],
)
def test_times_are_read_as_they_are_written(written: str, at: str, rules: list[str]) -> None:
    """Offsets, nanoseconds, local time over the clock change and 29 February become one instant in UTC."""
    outcome = read(received(code="I") | {"occurredAt": written})
    assert told(outcome).occurred.at.isoformat() == at
    assert rule_ids(outcome) == rules


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
subscribed = st.sampled_from(
    [received(code="I"), released(code="CR"), filled(received()), filled(dates_changed()), need(), notification(need())]
)


@given(st.binary(max_size=300))
def test_no_bytes_raise(body: bytes) -> None:
    """Whatever comes through the door, the answer is an outcome."""
    assert isinstance(read(body), Accepted | Held | Ignored | Refused)


@given(subscribed, st.data())
def test_no_retyped_field_raises_and_every_refusal_is_by_a_known_rule(
    record: dict[str, Any], data: st.DataObject
) -> None:
    """Any field of any record replaced by any JSON value ends in one outcome, its findings by rules we publish."""
    broken = json.loads(json.dumps(record))
    at = broken
    while True:
        name = data.draw(st.sampled_from(sorted(at)))
        if isinstance(at[name], dict) and at[name] and data.draw(st.booleans()):
            at = at[name]
            continue
        at[name] = data.draw(json_values)
        break
    outcome = read(json.dumps(broken).encode("utf-8", "surrogatepass"))
    rules = build({}).rules
    if not isinstance(outcome, Ignored):
        assert all(finding.rule.id in rules for finding in outcome.findings)


@given(st.text(alphabet=string.ascii_letters + string.digits + "._-", min_size=1, max_size=60))
def test_reading_is_a_function_of_its_message(name: str) -> None:
    """The same message read twice is the same outcome."""
    record = event(name)
    assert read(record) == read(record)
    assert message(record) == message(record)
