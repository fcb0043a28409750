"""What custody forms tell, what they are told as, and what is refused."""

import pytest

from adapters.base import Accepted, Held, Ignored, Message, Refused
from adapters.police_custody.adapter import read
from schemas.base import AddressKind, facts_of
from schemas.custody import AssessmentAttended, AssessmentVaried, DrugTestRecorded
from schemas.identifiers import Identifier, Scheme
from tests.adapters.police_custody.forms import FORMS, RECEIVED, as_row, as_xml, fact, form, read_form, rules


@pytest.mark.parametrize("form_type", FORMS)
def test_xml_and_csv_tell_the_same(form_type: str) -> None:
    """A form means the same in either format: a force may go from files to messages and tell nothing twice."""
    row = read(Message(as_row(form(form_type)), "text/csv", RECEIVED))
    document = read(Message(as_xml(form(form_type)), "application/xml", RECEIVED))
    assert isinstance(row, Accepted)
    assert row == document


def test_a_changed_appointment_is_a_correction_of_the_requirement() -> None:
    """RA2 speaks of the fact that its RA1 or RA4 told, whichever assessment it is about."""
    assert fact("RA2").key == fact("RA1").key
    assert fact("RA2", assessment="FOLLOW_UP").key == fact("RA4").key
    assert fact("RA1").key != fact("RA4").key
    assert isinstance(fact("RA2").event, AssessmentVaried)


def test_a_follow_up_that_lapsed_is_a_correction_of_its_requirement() -> None:
    """RA5 speaks of the fact that its RA4 told."""
    assert fact("RA5").key == fact("RA4").key


def test_each_appointment_is_kept_or_missed_by_itself() -> None:
    """A missed appointment stays missed when a later one is kept, and can itself be put right."""
    missed = fact("RA3")
    assert fact("RA3", attendance="ATTENDED").key == missed.key
    assert fact("RA3", attendance="ATTENDED", due_at="2012-05-20T10:30").key != missed.key


def test_leaving_early_is_not_staying() -> None:
    """Who came and left is told as such: in law it is failing to attend."""
    left = fact("RA3", attendance="LEFT_EARLY").event
    assert isinstance(left, AssessmentAttended)
    assert not left.remained


def test_a_test_the_laboratory_does_not_confirm_is_taken_back() -> None:
    """A positive is provisional: the laboratory's no withdraws it, by reason and under the same key."""
    overturned = fact("DT1", disputed="Y", laboratory="NOT_CONFIRMED")
    assert overturned.key == fact("DT1").key
    assert overturned.withdrawn == "not_confirmed_by_laboratory"
    assert b"Thistlewood" not in facts_of(overturned)


def test_a_test_the_laboratory_confirms_stands() -> None:
    """The laboratory's yes changes nothing but that it was said."""
    confirmed = fact("DT1", disputed="Y", laboratory="CONFIRMED")
    assert confirmed.withdrawn is None
    assert isinstance(confirmed.event, DrugTestRecorded)
    assert confirmed.event.confirmed_by_laboratory


@pytest.mark.parametrize("form_type", FORMS)
def test_any_form_can_be_withdrawn(form_type: str) -> None:
    """A force takes a form back by its status."""
    assert fact(form_type, status="WITHDRAWN").withdrawn == "withdrawn"


@pytest.mark.parametrize(("result", "opens"), [("POS", True), ("NEG", False), ("INVALID", False), ("REFUSED", False)])
def test_only_a_positive_test_opens_a_case(result: str, opens: bool) -> None:
    """A person whose test was negative, invalid or refused is not referred by it."""
    event = fact("DT1", result_cocaine=result).event
    assert event is not None
    assert event.opens_case is opens


def test_the_lane_is_the_pnc_number_where_it_is_one() -> None:
    """The strongest identifier orders a person's records: a PNC number whose letter is right, else the detention."""
    assert fact("DT1", pnc_id="88/417733W").lane == "PNC:1988/0417733W"
    assert fact("DT1", pnc_id="88/417733X").lane == "CUSTODY:06/SK/0312/12"
    assert fact("DT1").lane == "CUSTODY:06/SK/0312/12"


def test_a_wrong_check_letter_keeps_what_was_written() -> None:
    """An identifier that fails its check is told raw, without a value, and the record is taken."""
    outcome = read_form("DT1", pnc_id="88/417733X")
    assert isinstance(outcome, Accepted)
    assert rules(outcome) == [("ID-001", "pnc_id")]
    event = outcome.facts[0].event
    assert event is not None
    assert Identifier(scheme=Scheme.PNC, raw="88/417733X", value=None) in event.person.identifiers
    assert Identifier(scheme=Scheme.CUSTODY, raw="SK/0312/12", value="06/SK/0312/12") in event.person.identifiers


def test_the_metropolitan_police_is_one_force() -> None:
    """Force code 02 is still sent for 01; both speak of the same detention."""
    assert fact("DT1", force_code="02").key == fact("DT1", force_code="01").key


@pytest.mark.parametrize(
    ("written", "postcode", "homeless"),
    [
        ({"address_1": "9 Pretend Road", "postcode": "sk41aa"}, "SK4 1AA", False),
        ({"no_fixed_abode": "Y"}, None, True),
        ({"no_fixed_abode": "Y", "postcode": "SK4 1AA"}, "SK4 1AA", True),
        ({"postcode": "ZZ99 3VZ"}, None, True),
        ({"address_1": "nfa"}, None, True),
        ({"address_1": "9 Pretend Road", "postcode": "somewhere"}, None, False),
    ],
)
def test_the_address_is_as_declared(written: dict[str, str], postcode: str | None, homeless: bool) -> None:
    """An address in a custody record is a claim of the person's, no fixed abode in whatever words it is said."""
    event = fact("DT1", **written).event
    assert event is not None
    (address,) = event.person.addresses
    assert (address.kind, address.postcode, address.no_fixed_abode) == (AddressKind.DECLARED, postcode, homeless)


def test_no_address_is_no_claim() -> None:
    """Where nothing is said of an address, nothing is claimed, not even that there is none."""
    event = fact("DT1").event
    assert event is not None
    assert event.person.addresses == ()


def test_every_fault_is_named_at_once() -> None:
    """A sender mends a record in one go, whatever is wrong with it."""
    outcome = read_form("DT1", surname="", date_of_birth="30.11.88", tested_at="yesterday", trigger_offence="perhaps")
    assert isinstance(outcome, Refused)
    assert sorted(rules(outcome)) == [
        ("CU-010", "surname"),
        ("CU-012", "trigger_offence"),
        ("CU-014", "date_of_birth"),
        ("CU-016", "tested_at"),
    ]


@pytest.mark.parametrize(
    ("form_type", "changed", "rule"),
    [
        ("DT1", {"tested_at": "2012-05-31T13:11"}, "CU-019"),
        ("DT1", {"arrested_at": "2012-05-12T00:00"}, "CU-032"),
        ("DT1", {"due_at": "2012-05-11T23:00"}, "CU-031"),
        ("DT1", {"result_cocaine": ""}, "CU-030"),
        ("DT1", {"date_of_birth": "2013-01-01"}, "CU-015"),
        ("RA1", {"due_at": "2012-05-11T10:30"}, "CU-031"),
        ("RA3", {"due_at": "2012-06-16T10:30"}, "CU-019"),
        ("RA5", {"version": "two"}, "CU-012"),
        ("RA1", {"place": "Stock\x07port"}, "CU-011"),
    ],
)
def test_what_cannot_be_is_refused(form_type: str, changed: dict[str, str], rule: str) -> None:
    """A time that has not come, an appointment before its notice, a test before its arrest: the sender must mend it."""
    outcome = read_form(form_type, **changed)
    assert isinstance(outcome, Refused)
    assert [found for found, _ in rules(outcome)] == [rule]


def test_a_clock_a_little_ahead_is_forgiven() -> None:
    """Ten minutes ahead of ours is a clock; more is a mistake."""
    assert isinstance(read_form("DT1", tested_at="2012-05-31T13:10"), Accepted)


@pytest.mark.parametrize(
    ("reason", "born", "young"),
    [
        ("ARREST", "1994-05-12", True),
        ("ARREST", "1994-05-11", False),
        ("INSPECTOR", "1994-05-12", True),
        ("CHARGE", "1994-05-12", False),
        ("CHARGE", "1998-05-12", True),
    ],
)
def test_a_test_below_the_age_of_the_law_is_remarked(reason: str, born: str, young: bool) -> None:
    """Eighteen on arrest, fourteen on charge, counted on the London day of the test."""
    assert (("CU-033", "date_of_birth") in rules(read_form("DT1", test_reason=reason, date_of_birth=born))) is young


def test_an_unknown_code_is_held_in_its_lane() -> None:
    """A code we have not mapped is ours to mend: the record waits under its person, and the code can be read."""
    outcome = read_form("DT1", result_cocaine="TRC", pnc_id="88/417733W")
    assert isinstance(outcome, Held)
    assert (outcome.reason, outcome.lane) == ("code_not_mapped", "PNC:1988/0417733W")
    assert "'TRC'" in outcome.findings[0].text


@pytest.mark.parametrize("changed", [{"result_cocaine": "Oakenfold-Rees"}, {"sex": "Lee", "surname": ""}])
def test_a_name_in_the_place_of_a_code_is_not_told(changed: dict[str, str]) -> None:
    """Where columns have slipped a code may be a name: a long one is told by its shape, none beside other faults."""
    texts = " ".join(finding.text for finding in getattr(read_form("DT1", **changed), "findings", ()))
    assert texts
    assert not any(value in texts for value in changed.values() if value)


def test_one_form_that_is_held_holds_its_record() -> None:
    """A record is told whole or not at all, and what is wrong on a form is told with the form's number."""
    outcome = read(Message(as_xml(form("DT1"), form("RA2", assessment="THIRD")), "application/xml", RECEIVED))
    assert isinstance(outcome, Held)
    assert rules(outcome) == [("CU-020", "form[2]/assessment")]


def test_a_form_for_others_is_ignored_by_name() -> None:
    """DT2 goes to the prosecutor: alone it is ignored, beside others it is left out with a remark."""
    other = form("RA5") | {"form_type": "DT2"}
    assert read(Message(as_xml(other), "application/xml", RECEIVED)) == Ignored("form.dt2")
    both = read(Message(as_xml(form("RA5"), other), "application/xml", RECEIVED))
    assert isinstance(both, Accepted)
    assert len(both.facts) == 1
    assert rules(both) == [("CU-092", "form_type")]


def test_what_belongs_to_another_form_is_remarked() -> None:
    """A result on a notice is not read, and the sender hears of it."""
    assert rules(read_form("RA1", result_cocaine="POS")) == [("CU-013", "result_cocaine")]


@pytest.mark.parametrize("form_type", FORMS)
def test_nothing_needed_can_be_missing(form_type: str) -> None:
    """Each field that a form requires is missed by name when it is not there."""
    needed = [name for name in form(form_type) if name not in ("forenames", "result_cocaine", "form_type")]
    for name in needed:
        assert ("CU-010", name) in rules(read_form(form_type, **{name: " "}))


def test_a_record_sent_whole_again_changes_nothing_to_and_fro() -> None:
    """Of a notice and the one that varies it in the same record, the later stands, whatever their order of versions."""
    for forms in (
        [form("RA1"), form("RA2")],
        [form("RA1", version="1"), form("RA2", version="2")],
        [form("RA2", version="2"), form("RA1", version="1")],
    ):
        outcome = read(Message(as_xml(*forms), "application/xml", RECEIVED))
        assert isinstance(outcome, Accepted)
        assert [fact.kind for fact in outcome.facts] == ["custody.assessment.varied"]
        assert rules(outcome) == [("CU-093", "form")]


def test_a_code_beside_another_forms_fault_is_not_told() -> None:
    """A record with a faulty form is refused, and no code of its other forms is quoted."""
    outcome = read(Message(as_xml(form("RA3", attendance="LEE"), form("RA1", due_at="")), "application/xml", RECEIVED))
    assert isinstance(outcome, Refused)
    assert rules(outcome) == [("CU-020", "form[1]/attendance"), ("CU-010", "form[2]/due_at")]
    assert "LEE" not in " ".join(finding.text for finding in outcome.findings)
