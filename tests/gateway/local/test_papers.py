"""What stand-in agencies write is what the contracts ask for."""

import io
from datetime import UTC, date, datetime, timedelta

import pytest

from adapters.base import Accepted, Message
from adapters.registry import adapters
from gateway.local.custody_papers import (
    CSV,
    XML,
    Detention,
    Form,
    assessment_required,
    assessment_varied,
    drug_test,
    table,
    xml,
)
from gateway.local.people import person
from gateway.local.prison_papers import JSON, Prisoner, dates_changed, need_identified, received, released

NOW = datetime(2026, 3, 3, 12, 0, tzinfo=UTC)
ARRESTED = datetime(2026, 3, 1, 22, 10)  # noqa: DTZ001 - London's, as forces write it
DETENTION = Detention(person(1, "stockport"), "01", "YE", "YE/0001/26", ARRESTED)
DUE = ARRESTED + timedelta(days=4)
AGENCIES = adapters({"prison": {"family": "immediate"}})
PRISONER = Prisoner(person(2, "wigan"), "LII", 1_730_021, date(2026, 9, 1))


@pytest.mark.parametrize(
    ("form", "kind"),
    [
        (drug_test("DT-1", ARRESTED + timedelta(hours=1)), "custody.drug-test.recorded"),
        (assessment_required("RA-1", ARRESTED, DUE, "Somewhere"), "custody.assessment.required"),
        (assessment_varied("RA-1", ARRESTED, DUE, "Elsewhere"), "custody.assessment.varied"),
    ],
)
def test_custody_forms_follow_their_contract(form: Form, kind: str) -> None:
    """Each form is accepted without a finding, as XML and as a row, and tells the same."""
    police = AGENCIES["police_custody"]
    told = police.read(Message(xml(DETENTION, form), XML, NOW))
    assert isinstance(told, Accepted)
    assert [fact.kind for fact in told.facts] == [kind]
    assert told.findings == ()
    (row,) = police.files[CSV](io.BytesIO(table([{**DETENTION.fields, **form}])))
    assert police.read(Message(row.body, row.media_type, NOW)) == told


def test_a_laboratory_that_does_not_confirm_takes_the_test_back() -> None:
    """NOT_CONFIRMED is read as a withdrawal."""
    overturned = drug_test("DT-1", ARRESTED, version=2, laboratory="NOT_CONFIRMED")
    told = AGENCIES["police_custody"].read(Message(xml(DETENTION, overturned), XML, NOW))
    assert isinstance(told, Accepted)
    assert told.facts[0].withdrawn == "not_confirmed_by_laboratory"


@pytest.mark.parametrize(
    ("body", "kind", "settles"),
    [
        (received(PRISONER, NOW), "imprisonment.received", True),
        (released(PRISONER, NOW), "imprisonment.released", True),
        (dates_changed(PRISONER, NOW, date(2026, 8, 1)), "imprisonment.dates-changed", False),
        (need_identified(PRISONER, "LII-DT-1", NOW), "imprisonment.need-identified", False),
    ],
)
def test_prison_messages_follow_their_contract(body: bytes, kind: str, settles: bool) -> None:
    """Each message is accepted without a finding; movements are of the family that settles."""
    told = AGENCIES["prison"].read(Message(body, JSON, NOW))
    assert isinstance(told, Accepted)
    assert [(fact.kind, fact.settles) for fact in told.facts] == [(kind, settles)]
    assert told.findings == ()


def test_a_readmission_undoes_a_release() -> None:
    """What the journey of a release by mistake relies on."""
    told = AGENCIES["prison"].read(Message(received(PRISONER, NOW, reason="READMISSION"), JSON, NOW))
    assert isinstance(told, Accepted)
    assert told.facts[0].reverses == "imprisonment.released"
