"""What stand-in agencies write is what the contracts ask for."""

import io
from datetime import UTC, date, datetime, timedelta

import orjson
import pytest

from adapters.base import Accepted, FileRefused, Held, Message, Outcome
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
from gateway.local.dwp_papers import TEXT, Decision, cut_short, extract, referral
from gateway.local.gp_papers import EDIFACT, FHIR, SERVICE, Referral, registration_amended
from gateway.local.people import person
from gateway.local.prison_papers import JSON, Prisoner, dates_changed, need_identified, received, released
from gateway.local.probation_papers import BREACH, LICENCE, RECALL, REQUIREMENT, Case
from gateway.local.self_referral_papers import self_referral

NOW = datetime(2026, 3, 3, 12, 0, tzinfo=UTC)
ARRESTED = datetime(2026, 3, 1, 22, 10)  # noqa: DTZ001 - London's, as forces write it
DETENTION = Detention(person(1, "stockport"), "01", "YE", "YE/0001/26", ARRESTED)
DUE = ARRESTED + timedelta(days=4)
AGENCIES = adapters({"prison": {"family": "immediate"}, "gp": {"lasars_services": SERVICE}})
PATIENT = person(3, "oxfordshire")
LETTER = Referral("5f0c1f52-7d5e-4d0e-9a2b-2f1f6d2b8a90", PATIENT, "Y90417", NOW - timedelta(days=1))
ORDER = Case(person(4, "kent"), date(2026, 2, 1), order=2_500_412, in_prison=True)
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


def test_a_letter_and_its_cancellation_follow_the_standard() -> None:
    """A referral as BaRS has it is accepted without a finding, and so is what takes it back, which is the same fact."""
    letter, cancellation = (_one(_gp(body, FHIR)) for body in (LETTER.sent(NOW), LETTER.cancelled(NOW)))
    assert (letter.facts[0].kind, letter.facts[0].withdrawn) == ("care.referred", None)
    assert (cancellation.facts[0].key, cancellation.facts[0].withdrawn) == (letter.facts[0].key, "revoked")
    assert letter.findings == cancellation.findings == ()


def test_an_amended_registration_follows_its_contract() -> None:
    """It tells where the patient lives now, of whom the letter tells too."""
    told = _one(_gp(registration_amended(PATIENT, 41, NOW), EDIFACT)).facts[0]
    assert told.kind == "care.registration-changed"
    assert told.event is not None
    assert [one.postcode for one in told.event.person.addresses] == [PATIENT.postcode]
    assert told.lane == _one(_gp(LETTER.sent(NOW), FHIR)).facts[0].lane


def test_somebody_without_an_nhs_number_is_in_no_register() -> None:
    """One in eleven people has none; a letter about them is a letter, a registration is not to be had."""
    nobody = next(one for one in (person(number, "kent") for number in range(100)) if one.nhs is None)
    with pytest.raises(ValueError, match="NHS number"):
        registration_amended(nobody, 41, NOW)
    assert _one(_gp(Referral(LETTER.id, nobody, "Y90417", NOW).sent(NOW), FHIR)).findings == ()


def test_a_self_referral_follows_its_contract() -> None:
    """It is accepted of the area that took it, without a finding."""
    body = self_referral(PATIENT, "EN-1", "enfield", NOW, ["crack"])
    told = _one(AGENCIES["self_referral"].read(Message(body, JSON, NOW, {"area": "enfield"})))
    assert ([fact.kind for fact in told.facts], told.findings) == (["care.self-referred"], ())


@pytest.mark.parametrize(
    ("kind", "tells"),
    [
        (REQUIREMENT, "supervision.requirement-started"),
        (BREACH, "supervision.breached"),
        (LICENCE, "supervision.licence-activated"),
        (RECALL, "supervision.recalled"),
    ],
)
def test_probation_points_and_the_case_fills(kind: str, tells: str) -> None:
    """An event alone waits for its case; with what the case API answers it tells the address and what happened."""
    probation = AGENCIES["probation"]
    pointer = ORDER.event(kind, NOW)
    waits = probation.read(Message(pointer, JSON, NOW))
    assert isinstance(waits, Held)
    assert waits.reason == "pointer_not_filled"
    case, convictions, requirements = ORDER.answers().values()
    snapshot = {**case, "convictions": convictions, **requirements}
    filled = {"event": orjson.loads(pointer), "snapshot": snapshot, "fetchedAt": NOW.isoformat()}
    told = _one(probation.read(Message(orjson.dumps(filled), JSON, NOW)))
    assert [fact.kind for fact in told.facts] == ["supervision.address-changed", tells]
    assert told.findings == ()


def test_a_jobcentres_referral_follows_its_contract() -> None:
    """It is accepted without a finding."""
    told = _one(AGENCIES["dwp"].read(Message(referral(PATIENT, "PR-1", NOW.date()), JSON, NOW)))
    assert ([fact.kind for fact in told.facts], told.findings) == (["benefits.referred"], ())


def test_an_extract_follows_its_contract() -> None:
    """Every record of it is accepted without a finding; one that was cut short is refused whole, because it is."""
    dwp = AGENCIES["dwp"]
    made = NOW.replace(tzinfo=None)
    decisions = [Decision(person(number, "kent"), "SE"[number % 2], date(2026, 3, 1)) for number in range(10)]
    file = extract(7, made, decisions)
    rows = [dwp.read(Message(row.body, row.media_type, NOW)) for row in dwp.files[TEXT](io.BytesIO(file))]
    told = [(one.facts[0].kind, one.findings) for one in map(_one, rows)]
    assert told == [("benefits.started", ()), ("benefits.ended", ())] * 5
    with pytest.raises(FileRefused) as refused:
        list(dwp.files[TEXT](io.BytesIO(cut_short(file, 4))))
    assert refused.value.finding.rule.id == "DW-003"


def _gp(body: bytes, media_type: str) -> Outcome:
    return AGENCIES["gp"].read(Message(body, media_type, NOW))


def _one(outcome: Outcome) -> Accepted:
    """An outcome that is an acceptance."""
    assert isinstance(outcome, Accepted)
    return outcome
