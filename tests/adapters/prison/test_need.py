from typing import Any

import pytest

from schemas.base import AddressKind, Precision, Sensitivity, Standing
from schemas.imprisonment import NeedIdentified, Substance
from tests.adapters.prison.outcomes import fact, faults, held_for, rule_ids, told
from tests.adapters.prison.records import NUMBER, need, notification, read


def withdrawn(**fields: Any) -> dict[str, Any]:
    return {
        "eventType": "prison-drug-team.need.withdrawn",
        "version": 1,
        "reference": "LII-DT-000381",
        "recordVersion": 2,
        "prisonId": "LII",
        "person": {"prisonNumber": NUMBER},
        "reason": "entered_in_error",
    } | fields


def person(**fields: Any) -> dict[str, Any]:
    return {"person": need()["person"] | fields}


def test_a_need_is_a_referral() -> None:
    """A need identified in prison opens a case: who, where held, where home is, and what for."""
    event = told(read(need(substances=["crack", "opiates", "crack"])))
    assert isinstance(event, NeedIdentified)
    assert event.standing is Standing.REFERRAL
    assert (event.prison, event.reference) == ("LII", "LII-DT-000381")
    assert event.substances == (Substance.CRACK, Substance.OPIATES)
    assert event.sensitivity == {Sensitivity.HEALTH, Sensitivity.OFFENCE}
    assert event.occurred.precision is Precision.DAY
    (home,) = event.person.addresses
    assert (home.kind, home.postcode) == (AddressKind.RECEPTION, "WN1 1XX")


def test_a_need_keeps_to_its_day() -> None:
    """A day in summer is that day's midnight in London, with no finding about a zone nobody needs."""
    outcome = read(need())
    assert told(outcome).occurred.at.isoformat() == "2025-07-05T23:00:00+00:00"
    assert rule_ids(outcome) == []


def test_a_need_and_its_withdrawal_are_one_fact() -> None:
    """A withdrawal takes back what was told under the same reference, and repeats nothing of it."""
    told_first, taken_back = fact(read(need())), fact(read(withdrawn()))
    assert told_first.key == taken_back.key
    assert told_first.lane == taken_back.lane
    assert told_first.kind == taken_back.kind
    assert (told_first.version, taken_back.version) == (1, 2)
    assert (taken_back.withdrawn, taken_back.event) == ("entered_in_error", None)


def test_a_substance_on_no_list_is_held() -> None:
    """A substance we have no word for is not called other."""
    assert held_for(read(need(substances=["opiates", "khat"]))) == "code_not_mapped"


@pytest.mark.parametrize(
    ("record", "fault"),
    [
        (need(reference=" "), ("PR-011", "reference")),
        (need(recordVersion="1"), ("PR-011", "recordVersion")),
        (need(recordVersion=0), ("PR-011", "recordVersion")),
        (need(recordVersion=2**53), ("PR-011", "recordVersion")),
        (need(prisonId="OUT"), ("PR-017", "prisonId")),
        (need(identifiedAt="6 July"), ("PR-011", "identifiedAt")),
        (need(identifiedAt="2026-02-01"), ("PR-015", "identifiedAt")),
        (need(substances=[]), ("PR-011", "substances")),
        (need(**person(prisonNumber="A48")), ("PR-012", "person.prisonNumber")),
        (need(**person(dateOfBirth="2030-01-01")), ("PR-018", "person.dateOfBirth")),
        (need(**person(dateOfBirth=None)), ("PR-010", "person.dateOfBirth")),
        (withdrawn(reason="bored"), ("PR-011", "reason")),
        (withdrawn(person={"prisonNumber": "A48"}), ("PR-012", "person.prisonNumber")),
        (withdrawn(recordVersion=None), ("PR-011", "recordVersion")),
    ],
)
def test_a_need_that_breaks_the_contract_is_refused_by_field(record: dict[str, Any], fault: tuple[str, str]) -> None:
    """Our own contract is strict: each fault by its rule and field."""
    assert faults(read(record)) == {fault}


def test_a_need_of_someone_without_a_home_says_so() -> None:
    """No fixed address wins over the postcode beside it."""
    outcome = read(need(homeAddress={"lines": ["hostel"], "postcode": "WN1 1XX", "noFixedAddress": True}))
    (home,) = told(outcome).person.addresses
    assert (home.no_fixed_abode, home.lines) == (True, ())
    assert rule_ids(outcome) == ["ID-035"]


def test_a_need_may_come_as_a_notification() -> None:
    """The envelope does not matter to what is told."""
    assert fact(read(notification(need()))) == fact(read(need()))


def test_what_is_odd_about_a_need_is_a_finding() -> None:
    """An invalid PNC number is kept and not matched on; a gender on no list is left out."""
    outcome = read(need(**person(pncNumber="2006/0319482A", gender="x9")))
    assert rule_ids(outcome) == ["ID-001", "PR-039"]
