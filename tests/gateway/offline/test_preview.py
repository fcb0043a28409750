"""What a LASARS would be told is shown before anything is sent: the fields, and nothing of anybody."""

import enum
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from adapters.base import Accepted
from adapters.registry import adapters
from gateway.addressing.agreements import Agreements, load_agreements
from gateway.addressing.disclosure import dump
from gateway.offline.preview import Previewed, preview
from gateway.offline.records import Examined, examine

ROOT = Path(__file__).parents[3]
CONTRACTS = ROOT / "contracts" / "inbound"
AGREEMENTS = load_agreements(ROOT / "contracts" / "agreements")
RECEIVED = datetime(2026, 11, 22, tzinfo=UTC)
ADAPTERS = adapters({"gp": {"lasars_services": "*"}})
ACCEPTED = [
    (name, record)
    for name, adapter in ADAPTERS.items()
    for record in examine(adapter, [CONTRACTS / name / "examples" / "accepted"], RECEIVED)
    if record.kinds
]


def shown(agency: str, record: Examined, agreements: Agreements = AGREEMENTS) -> tuple[Previewed, ...]:
    """The preview of a record on the day it came."""
    return preview(record, agency, agreements, RECEIVED.date())


def drug_test() -> Examined:
    """A positive drug test, with the notice that follows it."""
    file = CONTRACTS / "police_custody/examples/accepted/enfield-test-and-required-assessment.xml"
    (record,) = examine(ADAPTERS["police_custody"], [file], RECEIVED)
    return record


def leaves(told: Any) -> Iterator[str]:
    """Every text in it."""
    match told:
        case dict():
            for inner in told.values():
                yield from leaves(inner)
        case list():
            for inner in told:
                yield from leaves(inner)
        case str():
            yield told


def test_it_has_the_fields_a_delivery_has_and_no_others() -> None:
    """By the names of the agreement: what the person's own record holds besides is not told."""
    test, notice = shown("police_custody", drug_test())
    assert (test.kind, test.roles) == ("custody.drug-test.recorded", ("home", "holding"))
    assert test.headline().endswith("to home and holding, by police-custody-to-lasars@1")
    told = dict(test.told)
    assert told["cocaine"] == "positive, negative, invalid, refused"
    assert told["person.identifiers[pnc].value"] == "9999/9999999A"
    assert told["trigger_offence"] == "yes or no"
    assert not any(name.startswith("person.addresses") for name in told)
    assert dict(notice.told)["due.at"] == "9999-99-99 99:99"


@pytest.mark.parametrize("agency", sorted(ADAPTERS))
def test_nothing_of_anybody_is_in_it(agency: str) -> None:
    """Of every example: no value that a delivery would hold but numbers and words that stand in no list."""
    words = {member.value for list_of_ours in enum.StrEnum.__subclasses__() for member in list_of_ours}
    looked_at = 0
    for name, record in ACCEPTED:
        if name != agency:
            continue
        assert isinstance(record.outcome, Accepted)
        values = {
            value
            for fact in record.outcome.facts
            if fact.event is not None
            for value in leaves(dump(fact.event.person))
            if len(value) > 3 and value not in words
        }
        for one in shown(agency, record):
            looked_at += 1
            drawn = " ".join(drawn for _, drawn in one.told)
            assert not [value for value in values if value in drawn]
    assert looked_at


def test_who_informs_is_told_so() -> None:
    """What opens no case reaches a LASARS only where there is one."""
    by_kind = {one.kind: one for name, record in ACCEPTED for one in shown(name, record)}
    assert by_kind["imprisonment.released"].headline().endswith(", where there is a case")
    assert not by_kind["custody.drug-test.recorded"].headline().endswith(", where there is a case")
    assert by_kind["imprisonment.released"].as_json()["only_with_a_case"]


def test_what_nobody_agreed_to_is_shown_as_held() -> None:
    """An agency without an agreement learns it before it sends."""
    (one, *_) = shown("police_custody", drug_test(), Agreements({}))
    assert one.headline().endswith("to home and holding: held, no agreement says what may be told")
    assert one.told == ()


def test_it_is_of_the_day() -> None:
    """Before an agreement is in force nothing is told."""
    (one, *_) = preview(drug_test(), "police_custody", AGREEMENTS, date(2012, 3, 31))
    assert one.agreement is None


def test_what_is_not_ready_is_not_shown() -> None:
    """A record that is refused or held reaches nobody."""
    for outcome in ("refused", "held"):
        folder = CONTRACTS / "police_custody" / "examples" / outcome
        for record in examine(ADAPTERS["police_custody"], [folder], RECEIVED):
            if not record.kinds:
                assert shown("police_custody", record) == ()
