"""A need identified by a probation team: our own contract."""

from typing import Any

import pytest

from adapters.base import Held
from schemas.base import AddressKind, Sensitivity
from schemas.supervision import NeedIdentified
from tests.adapters.probation.records import CRN, facts, read, refused


def need(**fields: Any) -> dict[str, Any]:
    """A team's referral."""
    return {
        "eventType": "probation-team.need.identified",
        "version": 1,
        "reference": "N51-SM-000127",
        "recordVersion": 1,
        "region": "N51",
        "identifiedAt": "2025-02-10",
        "person": {
            "crn": CRN,
            "firstName": "Maren",
            "lastName": "Thistlewood",
            "dateOfBirth": "1990-11-23",
            "restricted": False,
        },
        "homeAddress": {"lines": ["14 Invented Row"], "postcode": "sk13xe"},
        "substances": ["opiates", "opiates", "crack"],
    } | fields


def test_a_need_is_a_referral_with_a_declared_home() -> None:
    """It opens a case; what the person says of where they live is an address they declared."""
    fact = facts(read(need()))["need-identified"]
    event = fact.event
    assert isinstance(event, NeedIdentified)
    assert event.opens_case
    assert (fact.key, fact.lane, fact.version) == ("probation:need:N51:N51-SM-000127", f"CRN:{CRN}", 1)
    assert [substance.value for substance in event.substances] == ["opiates", "crack"]
    (home,) = event.person.addresses
    assert (home.kind, home.postcode) == (AddressKind.DECLARED, "SK1 3XE")
    assert event.sensitivity == {Sensitivity.HEALTH, Sensitivity.OFFENCE}


def test_a_need_of_a_limited_access_case_says_so() -> None:
    """No case comes with a need, so the team says itself whether access is limited."""
    person = need()["person"] | {"restricted": True, "nomsNumber": "A4827KX"}
    event = facts(read(need(person=person)))["need-identified"].event
    assert event is not None
    assert Sensitivity.LAO in event.sensitivity
    assert [one.value for one in event.person.identifiers] == [CRN, "A4827KX"]


@pytest.mark.parametrize(("mark", "rule"), [(..., "PB-010"), (None, "PB-011"), ("no", "PB-011")])
def test_whether_access_is_limited_is_never_assumed(mark: object, rule: str) -> None:
    """A mark that is missing, empty or a word is no leave to tell where somebody lives."""
    person = {name: value for name, value in need()["person"].items() if name != "restricted"}
    if mark is not ...:
        person["restricted"] = mark
    assert refused(read(need(person=person))) == {(rule, "person.restricted")}


def test_a_withdrawal_is_a_later_version_of_the_same_fact() -> None:
    """It repeats nothing of what it takes back."""
    withdrawn = {name: value for name, value in need().items() if name in ("version", "reference", "region")} | {
        "eventType": "probation-team.need.withdrawn",
        "recordVersion": 2,
        "person": {"crn": CRN},
        "reason": "person_declined",
    }
    fact = facts(read(withdrawn))["need-identified"]
    assert (fact.key, fact.version, fact.event) == ("probation:need:N51:N51-SM-000127", 2, None)
    assert fact.withdrawn == "person_declined"
    assert refused(read(withdrawn | {"person": {"crn": "1"}})) == {("PB-012", "person.crn")}


def test_every_fault_is_told_at_once() -> None:
    """A need names somebody, born, at a time that has been."""
    person = need()["person"] | {"crn": "X1", "dateOfBirth": "2031-01-01"}
    assert refused(read(need(person=person, identifiedAt="2030-01-01"))) == {
        ("PB-015", "identifiedAt"),
        ("PB-012", "person.crn"),
        ("PB-017", "person.dateOfBirth"),
    }
    unborn = need()["person"] | {"dateOfBirth": ""}
    assert refused(read(need(person=unborn))) == {("PB-010", "person.dateOfBirth")}


def test_a_substance_nobody_has_mapped_is_held() -> None:
    """A substance on no list of ours is no reason to send the person away."""
    outcome = read(need(substances=["khat"]))
    assert isinstance(outcome, Held)
    assert (outcome.reason, outcome.lane) == ("code_not_mapped", f"CRN:{CRN}")
