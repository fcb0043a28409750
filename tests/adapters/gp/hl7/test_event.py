"""HL7 v2 as care events: referrals, where people live, and what is nobody's business here."""

from datetime import UTC, date, datetime

import pytest

from adapters.base import Accepted, Held, Ignored, Message, Outcome, Refused
from adapters.gp import build
from schemas.base import AddressKind, Fact, Name, Precision, Sensitivity, Sex
from schemas.care import (
    EndReason,
    Organisation,
    Referred,
    Registration,
    RegistrationChanged,
    RegistrationEnded,
    Urgency,
)
from tests.adapters.gp.hl7.messages import (
    ASKED,
    DIAGNOSIS,
    EVN,
    MOVED,
    NUMBER,
    PD1,
    PID,
    RECEIVED,
    REFERRAL,
    REFERRED,
    RF1,
    changed,
    message,
)

SERVICE = "2000081234"
ADAPTER = build({"lasars_services": SERVICE})


def read(body: bytes) -> Outcome:
    return ADAPTER.read(Message(body, "application/hl7-v2", RECEIVED))


def accepted(body: bytes) -> Accepted:
    outcome = read(body)
    assert isinstance(outcome, Accepted), outcome
    return outcome


def told(body: bytes) -> Fact:
    (fact,) = accepted(body).facts
    return fact


def moved(old: str = "", new: str = "") -> RegistrationChanged:
    """What a change of address tells, with one place of it written otherwise."""
    event = told(changed(MOVED, old, new)).event
    assert isinstance(event, RegistrationChanged)
    return event


def referred(old: str = "", new: str = "") -> Referred:
    """What a referral tells, with one place of it written otherwise."""
    event = told(changed(REFERRED, old, new)).event
    assert isinstance(event, Referred)
    return event


def rules(outcome: Outcome) -> list[tuple[str, str]]:
    """The rules that were broken, and where."""
    assert not isinstance(outcome, Ignored)
    return [(finding.rule.id, finding.field) for finding in outcome.findings]


# Who lives where


@pytest.mark.parametrize("event", ["A04", "A08", "A28", "A31"])
def test_a_change_of_demographics_tells_who_lives_where(event: str) -> None:
    """Every message that registers a person or changes what is known of them tells the address in it."""
    fact = told(message(EVN, PID, PD1, event=f"ADT^{event}"))
    assert fact.lane == f"NHS:{NUMBER}"
    assert isinstance(fact.event, RegistrationChanged)
    assert fact.event.registration is Registration.AMENDED
    assert fact.event.practice == Organisation(ods="P88026", name="Heaton Moor Surgery")
    assert fact.event.sensitivity == {Sensitivity.HEALTH}
    person = fact.event.person
    assert [(one.raw, one.value) for one in person.identifiers] == [(NUMBER, NUMBER)]
    assert person.name == Name(forenames="Tamsin Jane", surname="Ellerby")
    assert (person.date_of_birth, person.sex) == (date(1991, 6, 23), Sex.FEMALE)
    (address,) = person.addresses
    assert address.kind is AddressKind.DECLARED
    assert (address.lines, address.postcode) == (("12 Long Lane", "Heaton Moor", "Stockport", "Cheshire"), "SK4 2HD")


def test_an_old_message_names_its_event_in_evn() -> None:
    """The first versions had the message's code alone in MSH-9; what is subscribed is not passed over for that."""
    fact = told(message(EVN, PID, event="ADT", msh_12="2.1"))
    assert isinstance(fact.event, RegistrationChanged)
    assert read(message("EVN|A01|20260302", PID, event="ADT", msh_12="2.1")) == Ignored("hl7.ADT.A01")


def test_the_same_person_without_an_address_is_ignored_by_name() -> None:
    """A message that tells no address is counted, and nothing of it is kept."""
    without = changed(MOVED, "12 Long Lane^Heaton Moor^Stockport^Cheshire^SK4 2HD^GBR^H", '""')
    assert read(without) == Ignored("hl7.ADT.A31.no-address")


@pytest.mark.parametrize(
    ("event", "name"),
    [
        ("ADT^A01", "hl7.ADT.A01"),
        ("ADT^A03", "hl7.ADT.A03"),
        ("ADT^A34", "hl7.ADT.A34.merge"),
        ("ADT^A40", "hl7.ADT.A40.merge"),
        ("ORU^R01", "hl7.ORU.R01"),
        ("REF^I15", "hl7.REF.I15"),
        ("ACK", "hl7.ACK"),
        ("Ellerby^Tamsin", "hl7.other"),
        ("ADT^Ellerby", "hl7.other"),
    ],
)
def test_what_is_not_ours_is_ignored_by_name(event: str, name: str) -> None:
    """Other events, merges and other messages are counted under the standard's codes; no other word becomes a name."""
    assert read(message(EVN, PID, event=event)) == Ignored(name)


@pytest.mark.parametrize(("purpose", "name"), [("T", "hl7.training"), ("D", "hl7.debugging")])
def test_messages_that_speak_of_nobody_are_ignored(purpose: str, name: str) -> None:
    """A training or debugging message makes no event, whatever is in it."""
    assert read(message(EVN, PID, msh_11=purpose)) == Ignored(name)


@pytest.mark.parametrize("purpose", ["X", "DEMO"])
def test_a_message_for_a_purpose_nobody_knows_is_held(purpose: str) -> None:
    """What may be a test by another name is no referral of a real person until somebody says so."""
    held = read(message(*REFERRAL, event="REF^I12", msh_11=purpose))
    assert isinstance(held, Held)
    assert [(one.field, one.detail) for one in held.findings] == [("MSH-11", purpose)]


def test_an_old_message_says_nothing_of_its_purpose() -> None:
    """MSH-11 left empty, as before version 2.2, means what it says."""
    assert isinstance(read(message(EVN, PID, msh_11="")), Accepted)


@pytest.mark.parametrize(
    ("written", "at", "precision"),
    [
        ("20260302101200+0000", datetime(2026, 3, 2, 10, 12, tzinfo=UTC), Precision.SECOND),
        ("202603021012-0500", datetime(2026, 3, 2, 15, 12, tzinfo=UTC), Precision.MINUTE),
        ("20250702101200.1234", datetime(2025, 7, 2, 9, 12, 0, 123400, tzinfo=UTC), Precision.SECOND),
        ("2026030210", datetime(2026, 3, 2, 10, tzinfo=UTC), Precision.MINUTE),
        ("20260302", datetime(2026, 3, 2, tzinfo=UTC), Precision.DAY),
        ("20240229", datetime(2024, 2, 29, tzinfo=UTC), Precision.DAY),
    ],
)
def test_a_time_stamp_is_read_as_exactly_as_it_is_written(written: str, at: datetime, precision: Precision) -> None:
    """With an offset or in London's time, to the second, the minute or the day."""
    occurred = moved("20260302101200+0000", written).occurred
    assert (occurred.at, occurred.precision) == (at, precision)


@pytest.mark.parametrize(
    ("stamp", "expected"),
    [
        ("20260302101200", [("GP-230", "EVN-2")]),
        ("20251026013000", [("GP-230", "EVN-2"), ("GP-231", "EVN-2")]),
        ("20250330013000", [("GP-230", "EVN-2"), ("GP-231", "EVN-2")]),
        ("no-time", [("GP-233", "EVN-2"), ("GP-230", "MSH-7")]),
        ("202603", [("GP-233", "EVN-2"), ("GP-230", "MSH-7")]),
        ("", [("GP-230", "MSH-7")]),
    ],
)
def test_what_a_clock_left_open_is_a_finding(stamp: str, expected: list[tuple[str, str]]) -> None:
    """A zone that was assumed, an hour that happened twice or never, and a stamp that cannot be read."""
    assert rules(accepted(changed(MOVED, "20260302101200+0000", stamp))) == expected


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("", AddressKind.DECLARED),
        ("P", AddressKind.DECLARED),
        ("C", AddressKind.OTHER),
        ("B", AddressKind.OTHER),
        ("BA", None),
        ("BDL", None),
    ],
)
def test_the_type_of_an_address_says_what_kind_of_claim_it_is(kind: str, expected: AddressKind | None) -> None:
    """Home and permanent are where a person lives; a mailing or office address is something else; a bad one is none."""
    event = moved("^GBR^H", f"^GBR^{kind}")
    assert [address.kind for address in event.person.addresses] == ([expected] if expected else [])


def test_an_address_has_its_dates() -> None:
    """The validity of an address is told (XAD.13 and 14, or XAD.12); one that ends before it starts is left out."""
    (dated,) = moved("^GBR^H", "^GBR^H^^^^^^20250401^20260301").person.addresses
    assert (dated.start, dated.end) == (date(2025, 4, 1), date(2026, 3, 1))
    (ranged,) = moved("^GBR^H", "^GBR^H^^^^^20250401&20260301").person.addresses
    assert (ranged.start, ranged.end) == (date(2025, 4, 1), date(2026, 3, 1))
    backwards = accepted(changed(MOVED, "^GBR^H", "^GBR^H^^^^^^20260401^20250301"))
    assert ("GP-236", "PID-11") in rules(backwards)


@pytest.mark.parametrize("place", ["NFA^^^^^GBR^H", "^^^^ZZ99 3VZ^GBR^H"])
def test_no_fixed_abode_is_told(place: str) -> None:
    """NFA and the pseudo postcode both say that somebody lives nowhere."""
    (address,) = moved("12 Long Lane^Heaton Moor^Stockport^Cheshire^SK4 2HD^GBR^H", place).person.addresses
    assert address.no_fixed_abode


def test_other_names_are_aliases() -> None:
    """A maiden name and an alias (PID-9) stay findable; a masked name is nobody's."""
    person = moved("^^Ms^^L", "^^Ms^^L~Andrews^Tamsin^^^^^M~X^X^^^^^S").person
    assert person.aliases == (Name(forenames="Tamsin", surname="Andrews"),)
    assert ("GP-234", "PID-5") in rules(accepted(changed(MOVED, "^^Ms^^L", "^^Ms^^L~^Tam^^^^^N")))


@pytest.mark.parametrize("qualified", ["^^^NHS^NH", "^^^NHS", "^^^^NH", "^^^&2.16.840.1.113883.2.1.4.1&ISO"])
def test_an_nhs_number_is_told_by_its_authority_or_type(qualified: str) -> None:
    """However systems qualify it, it is the NHS number; a hospital's number is not, ten digits or not."""
    assert told(changed(MOVED, "^^^NHS^NH", qualified)).lane == f"NHS:{NUMBER}"
    assert told(changed(MOVED, "^^^NHS^NH", "^^^RSTH^MR")).lane == f"GP:P88026:RSTH/{NUMBER}"


def test_a_wrong_check_digit_is_a_finding_and_no_refusal() -> None:
    """A number that fails its check is kept as written and matched on by nobody."""
    outcome = accepted(changed(MOVED, NUMBER, "9990548608"))
    assert ("ID-001", "PID-3") in rules(outcome)
    assert outcome.facts[0].lane == "GP:P88026:RSTH/7781"


@pytest.mark.parametrize("dummy", ["9999999999", "0000000000", "9990548608"])
def test_a_number_that_is_none_joins_no_strangers(dummy: str) -> None:
    """What is typed where a number is not known is typed for many: name and birth date tell them apart."""
    body = changed(changed(MOVED, "~7781^^^RSTH^MR", ""), NUMBER, dummy)
    one, other = told(body), told(changed(body, "Ellerby^Tamsin", "Marrack^Jory"))
    assert one.lane == "GP:P88026:Ellerby:Tamsin Jane:1991-06-23"
    assert one.lane != other.lane
    assert one.key != other.key


def test_a_protected_person_is_told_as_one() -> None:
    """PD1-12 says that whereabouts are protected; no recipient is told an area then."""
    assert Sensitivity.LAO in moved("^^P88026", "^^P88026|||||||||Y").sensitivity


@pytest.mark.parametrize(
    ("code", "sex"), [("M", Sex.MALE), ("1", Sex.MALE), ("2", Sex.FEMALE), ("U", Sex.NOT_KNOWN), ("9", Sex.OTHER)]
)
def test_sex_is_read_in_both_lists(code: str, sex: Sex) -> None:
    """The standard's letters and the Data Dictionary's digits stand in the same field."""
    assert moved("19910623|F", f"19910623|{code}").person.sex is sex
    assert moved("19910623|F", "19910623|").person.sex is None


def test_a_death_ends_the_registration_and_is_one_fact() -> None:
    """PID-30 tells a death, with or without an address; told again later, it is the same death."""
    dead = PID + "|" * 16 + "20260301|Y"
    first, again = told(message(EVN, dead, PD1)), told(message(dead, msh_7="202603030800"))
    assert isinstance(first.event, RegistrationEnded)
    assert first.event.reason is EndReason.DIED
    assert first.event.occurred.at == datetime(2026, 3, 1, tzinfo=UTC)
    assert first.lasting
    assert first.key == again.key
    by_time = told(message(EVN, PID + "|" * 16 + "20260301", PD1))
    assert by_time.event == first.event
    assert isinstance(told(message(EVN, PID + "|" * 16 + "20260301|N", PD1)).event, RegistrationChanged)
    assert first.event.person.addresses == ()


def test_a_later_change_is_another_fact_and_the_same_change_is_not() -> None:
    """A move is no correction of the move before it; the same event sent again under another id is the same fact."""
    first = told(MOVED)
    assert told(message(EVN, PID, PD1, msh_10="M-0002")).key == first.key
    assert told(changed(MOVED, "20260302101200+0000", "20260302101300+0000")).key != first.key


# Referrals


def test_a_referral_tells_who_why_and_whence() -> None:
    """Reference, service, urgency, reasons, requester and practice; no note and no clinician's name."""
    fact = told(REFERRED)
    assert (fact.key, fact.lane, fact.follows) == ("gp:referral:P88026:R-2026-0042", f"NHS:{NUMBER}", False)
    event = fact.event
    assert isinstance(event, Referred)
    assert event.occurred.at == datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
    assert (event.reference, event.service, event.urgency) == ("R-2026-0042", SERVICE, Urgency.STAT)
    assert event.reasons == ("snomed:75544000", "icd-10:F11.2")
    assert event.requester == Organisation(ods="P88026")
    assert event.practice == Organisation(ods="P88026", name="Heaton Moor Surgery")
    written = event.model_dump_json()
    assert "Penhale" not in written
    assert "note" not in written


def test_a_referral_to_another_service_is_ignored_by_name() -> None:
    """Only referrals to a LASARS are read; without the option there is none."""
    assert read(changed(REFERRED, SERVICE, "2000089999")) == Ignored("hl7.REF.I12.another-service")
    unset = build({}).read(Message(REFERRED, "application/hl7-v2", RECEIVED))
    assert unset == Ignored("hl7.REF.I12.another-service")
    every = build({"lasars_services": "*"}).read(Message(REFERRED, "application/hl7-v2", RECEIVED))
    assert isinstance(every, Accepted)


def test_a_referral_without_a_provider_is_for_whom_the_message_is() -> None:
    """Where nobody stands in the role of referred-to, the receiving facility is the service."""
    segments = [one for one in REFERRAL if one != ASKED]
    assert isinstance(read(message(*segments, event="REF^I12", msh_6=SERVICE)), Accepted)
    assert read(message(*segments, event="REF^I12")) == Ignored("hl7.REF.I12.another-service")


@pytest.mark.parametrize("event", ["I12", "I13", "I14"])
def test_a_referral_that_names_no_service_is_refused(event: str) -> None:
    """GP-219: it could be to a LASARS, and a cancellation that is passed over leaves a referral standing."""
    segments = [one for one in REFERRAL if one != ASKED]
    assert rules(read(message(*segments, event=f"REF^{event}", msh_6=""))) == [("GP-219", "PRD-7")]


def test_a_change_is_a_newer_version_of_the_same_referral() -> None:
    """I13 speaks of the referral I12 made, and the later message stands."""
    later = told(message(*REFERRAL, event="REF^I13^REF_I12", msh_7="202603021200"))
    first = told(REFERRED)
    assert (later.key, later.follows) == (first.key, True)
    assert first.version is not None
    assert later.version is not None
    assert later.version > first.version


@pytest.mark.parametrize(
    ("event", "status", "reason"), [("I14", "A", "cancelled"), ("I13", "R", "rejected"), ("I13", "E", "expired")]
)
def test_a_referral_is_taken_back(event: str, status: str, reason: str) -> None:
    """A cancellation, or a change to rejected or expired, withdraws it; it need not repeat the patient."""
    fact = told(message(f"RF1|{status}|S||||R-2026-0042", ASKED, event=f"REF^{event}"))
    assert (fact.key, fact.withdrawn, fact.event) == ("gp:referral:P88026:R-2026-0042", reason, None)


def test_a_referral_from_no_facility_is_refused() -> None:
    """GP-218: two surgeries with one product count their referrals alike; the product is not who sends."""
    for event in ("REF^I12", "REF^I14"):
        assert rules(read(message(*REFERRAL, event=event, msh_4=""))) == [("GP-218", "MSH-4")]


def test_a_person_without_an_nhs_number_needs_a_facility() -> None:
    """A hospital's own number tells nobody apart without the hospital; an NHS number does."""
    assert isinstance(read(message(EVN, PID, msh_4="")), Accepted)
    unnumbered = PID.replace(f"{NUMBER}^^^NHS^NH~", "")
    assert rules(read(message(EVN, unnumbered, msh_4=""))) == [("GP-218", "MSH-4")]


def test_two_facilities_of_one_name_are_told_apart_by_their_universal_ids() -> None:
    """A namespace is local (MSH-4.1); where a universal id stands beside it, it is part of who sends."""
    keys = {told(message(*REFERRAL, event="REF^I12", msh_4=f"MAIN^{oid}^ISO")).key for oid in ("1.2.3", "1.2.4")}
    assert len(keys) == 2


def test_a_reason_in_no_terminology_is_left_out_with_a_finding() -> None:
    """GP-235: a local code or a text is no reason a LASARS can read."""
    outcome = accepted(changed(REFERRED, DIAGNOSIS, "DG1|1||H34^Depends on heroin^LOCAL"))
    assert rules(outcome)[-1] == ("GP-235", "DG1-3")


def test_a_facility_that_is_no_ods_code_is_left_out_with_a_finding() -> None:
    """GP-237: what a system calls itself is not told as an organisation's code."""
    outcome = accepted(changed(REFERRED, "|PAS|P88026|", "|PAS|Heaton Moor|"))
    assert ("GP-237", "MSH-4") in rules(outcome)


# What cannot be told


@pytest.mark.parametrize(
    ("rule", "field", "body"),
    [
        ("GP-210", "MSH-9", message(EVN, PID, event="")),
        ("GP-210", "RF1-6", changed(REFERRED, "R-2026-0042", "")),
        ("GP-211", "PID-7", changed(MOVED, "19910623", "23/06/1991")),
        ("GP-211", "PID-7", changed(MOVED, "19910623", "19910230")),
        ("GP-212", "PID", message(EVN)),
        ("GP-212", "RF1", changed(REFERRED, RF1 + "\r", "")),
        ("GP-213", "PID", message(EVN, PID, PID)),
        ("GP-214", "PID-3", changed(changed(MOVED, NUMBER, ""), "19910623", "")),
        ("GP-214", "PID-3", changed(changed(MOVED, NUMBER, "1111111111"), "19910623", "")),
        ("GP-215", "EVN-2", changed(MOVED, "20260302101200+0000", "20260305101200+0000")),
        ("GP-215", "MSH-7", changed(REFERRED, "|202603021015|", "|202704021015|")),
        ("GP-215", "RF1-7", changed(REFERRED, "202603020930", "202604020930")),
        ("GP-216", "PID-7", changed(MOVED, "19910623", "20270101")),
        ("GP-217", "MSH-7", message(PID, msh_7="")),
    ],
)
def test_what_cannot_be_told_is_refused_by_name(rule: str, field: str, body: bytes) -> None:
    """Every fault has its rule and its field, and no value."""
    outcome = read(body)
    assert isinstance(outcome, Refused)
    assert rules(outcome)[0] == (rule, field)


@pytest.mark.parametrize(
    ("rule", "reason", "detail", "body"),
    [
        ("GP-220", "code_not_mapped", "Z", changed(MOVED, "19910623|F", "19910623|Z")),
        ("GP-220", "code_not_mapped", "HOME", changed(MOVED, "^GBR^H", "^GBR^HOME")),
        ("GP-220", "code_not_mapped", "X", changed(REFERRED, "RF1|A|S", "RF1|A|X")),
        ("GP-220", "code_not_mapped", "not the form of a code", changed(REFERRED, "RF1|A|S", "RF1|Tamsin|S")),
        ("GP-220", "code_not_mapped", "T", changed(MOVED, "0161 496 0000", "0161 496 0000" + "|" * 17 + "T")),
        ("GP-220", "code_not_mapped", "Z", changed(MOVED, "^^P88026", "^^P88026|||||||||Z")),
        ("GP-221", "version_not_supported", "", changed(MOVED, "|2.5", "|3.0")),
    ],
)
def test_what_nobody_mapped_is_held_by_name(rule: str, reason: str, detail: str, body: bytes) -> None:
    """A value on no list is never defaulted; later records of the person keep their place behind it."""
    outcome = read(body)
    assert isinstance(outcome, Held)
    assert (outcome.reason, outcome.lane) == (reason, f"NHS:{NUMBER}")
    assert [(one.rule.id, one.detail) for one in outcome.findings][-1] == (rule, detail)


def test_a_birth_date_known_to_the_year_is_left_out() -> None:
    """GP-232: a year is no birth date."""
    outcome = accepted(changed(MOVED, "19910623", "1991"))
    assert ("GP-232", "PID-7") in rules(outcome)
