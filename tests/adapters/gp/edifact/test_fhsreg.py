"""Registration transactions: what each tells, and what becomes of one that cannot be told."""

import io
from datetime import UTC, date, datetime

import pytest

from adapters.base import Accepted, FileRefused, Held, Ignored, Message, Outcome, Refused
from adapters.gp import build
from adapters.gp.edifact.fhsreg import MEDIA_TYPE, numbered, rows
from schemas.base import AddressKind, Name, Sensitivity, Sex
from schemas.care import EndReason, Registration, RegistrationChanged, RegistrationEnded
from tests.adapters.gp.edifact.interchanges import (
    AMENDED,
    APPROVED,
    DEDUCTED,
    GOOD,
    NUMBER,
    OTHER_NUMBER,
    RECEIVED,
    changed,
    interchange,
    message,
)

ADAPTER = build({})


def read(body: bytes, **options: str) -> Outcome:
    adapter = build({name.replace("__", "."): value for name, value in options.items()}) if options else ADAPTER
    return adapter.read(Message(body, MEDIA_TYPE, RECEIVED))


def accepted(body: bytes) -> Accepted:
    outcome = read(body)
    assert isinstance(outcome, Accepted)
    return outcome


def rules(outcome: Outcome) -> list[tuple[str, str]]:
    """The rules that were broken, and where."""
    assert not isinstance(outcome, Ignored)
    return [(finding.rule.id, finding.field) for finding in outcome.findings]


def amended(old: str = "", new: str = "") -> RegistrationChanged:
    """What an amendment tells, with one place of it written otherwise."""
    (fact,) = accepted(changed(interchange(message(AMENDED)), old, new)).facts
    assert isinstance(fact.event, RegistrationChanged)
    return fact.event


def test_an_interchange_tells_a_fact_for_each_transaction() -> None:
    """Amendment, deduction and approval of one interchange are three facts, in their order."""
    facts = accepted(GOOD).facts
    assert [fact.kind for fact in facts] == [
        "care.registration-changed",
        "care.registration-ended",
        "care.registration-changed",
    ]
    assert {fact.lane for fact in facts} == {f"NHS:{NUMBER}"}
    assert len({fact.key for fact in facts}) == 3


def test_an_amendment_tells_who_and_where() -> None:
    """Name, birth date, sex and address of an amendment are claims, and the address is declared."""
    event = amended()
    assert event.registration is Registration.AMENDED
    assert event.occurred.at == datetime(2026, 1, 12, 12, 35, tzinfo=UTC)
    assert event.sensitivity == {Sensitivity.HEALTH}
    person = event.person
    assert [one.value for one in person.identifiers] == [NUMBER]
    assert person.name == Name(forenames="TAMSIN JANE", surname="ELLERBY")
    assert (person.date_of_birth, person.sex) == (date(1991, 6, 23), Sex.FEMALE)
    (address,) = person.addresses
    assert address.kind is AddressKind.DECLARED
    assert address.lines == ("HOLLY COTTAGE", "12 LONG LANE", "STOCKPORT", "CHESHIRE")
    assert address.postcode == "SK4 2HD"


def test_summer_time_is_read_as_london() -> None:
    """The time of a message is local: in July it is an hour ahead of Greenwich."""
    body = interchange(message(AMENDED, prepared="202507121235"))
    (fact,) = accepted(body).facts
    assert fact.event is not None
    assert fact.event.occurred.at == datetime(2025, 7, 12, 11, 35, tzinfo=UTC)


def test_an_amendment_of_the_name_alone_tells_no_address() -> None:
    """An amendment carries what changed; what it does not carry is not told, and nothing is taken for erased."""
    without = tuple(one for one in AMENDED if not one.startswith("NAD+PAT"))
    (fact,) = accepted(interchange(message(without))).facts
    assert fact.event is not None
    assert fact.event.person.addresses == ()


def test_erased_values_are_absent() -> None:
    """A percent sign takes a value back: it is neither text nor a postcode."""
    event = amended(
        "++HOLLY COTTAGE:12 LONG LANE::STOCKPORT:CHESHIRE+++++SK4 2HD", "++%:12 LONG LANE::STOCKPORT:%+++++%"
    )
    (address,) = event.person.addresses
    assert (address.lines, address.postcode) == (("12 LONG LANE", "STOCKPORT"), None)
    assert amended("PDI+2", "PDI+%").person.sex is None
    assert amended("DTM+329:19910623:102", "DTM+329:%:102").person.date_of_birth is None
    assert amended(f"PNA+PAT+{NUMBER}", "PNA+PAT+%").person.identifiers == ()


def test_an_address_erased_whole_is_no_address() -> None:
    """Where every part is taken back, nothing is claimed."""
    event = amended("HOLLY COTTAGE:12 LONG LANE::STOCKPORT:CHESHIRE+++++SK4 2HD", "%:%:%:%:%+++++%")
    assert event.person.addresses == ()


@pytest.mark.parametrize("place", ["NFA::::+++++", ":::: +++++ZZ99 3VZ", "NO FIXED ABODE::::+++++SK4 2HD"])
def test_no_fixed_abode_is_told(place: str) -> None:
    """NFA in the first line and the pseudo postcode both say that somebody lives nowhere; it wins over a postcode."""
    event = amended("HOLLY COTTAGE:12 LONG LANE::STOCKPORT:CHESHIRE+++++SK4 2HD", place)
    (address,) = event.person.addresses
    assert address.no_fixed_abode
    assert address.lines == ()


def test_a_former_surname_is_an_alias_and_a_new_number_is_told() -> None:
    """What a person was called stays findable; an amended NHS number is told beside the old one, with a finding."""
    body = interchange(message((*AMENDED, "S02+2", f"PNA+PER+{OTHER_NUMBER}:API+++SU:ANDREWS")))
    outcome = accepted(body)
    person = outcome.facts[0].event.person if outcome.facts[0].event else None
    assert person is not None
    assert person.aliases == (Name(surname="ANDREWS"),)
    assert [one.value for one in person.identifiers] == [NUMBER, OTHER_NUMBER]
    assert outcome.facts[0].lane == f"NHS:{NUMBER}"
    assert rules(outcome) == [("GP-132", "message[1]/S01[1]/PNA+PER")]


def test_forenames_without_a_surname_are_no_name() -> None:
    """GP-133: half a name is left out with a finding."""
    outcome = accepted(changed(interchange(message(AMENDED)), "+SU:ELLERBY", ""))
    assert ("GP-133", "message[1]/S01[1]/PNA+PAT") in rules(outcome)


@pytest.mark.parametrize(
    ("code", "reason"),
    [("1", EndReason.DIED), ("5", EndReason.LEFT_COUNTRY), ("14", EndReason.CANNOT_BE_FOUND), ("2", EndReason.MOVED)],
)
def test_a_deduction_tells_why_and_since_when(code: str, reason: EndReason) -> None:
    """The day and the reason of a deduction are told; death is one of the reasons."""
    (fact,) = accepted(changed(interchange(message(DEDUCTED, kind="F2")), "GIS+2", f"GIS+{code}")).facts
    assert isinstance(fact.event, RegistrationEnded)
    assert fact.event.reason is reason
    assert fact.event.occurred.at == datetime(2026, 1, 5, tzinfo=UTC)


def test_an_installation_may_say_what_a_reason_means() -> None:
    """The list of reasons is not public: an option maps a code, and overrules ours."""
    body = changed(interchange(message(DEDUCTED, kind="F2")), "GIS+2", "GIS+77")
    outcome = read(body, deduction_reason__77="at_persons_request")
    assert isinstance(outcome, Accepted)
    assert isinstance(outcome.facts[0].event, RegistrationEnded)
    assert outcome.facts[0].event.reason is EndReason.AT_PERSONS_REQUEST
    with pytest.raises(ValueError, match="not_a_reason"):
        build({"deduction_reason.77": "not_a_reason"})


def test_an_approval_says_that_a_person_belongs_to_a_practice() -> None:
    """F4 with a number is an approved registration; the same transaction sent again is the same fact."""
    body = interchange(message(APPROVED, kind="F4"))
    (fact,) = accepted(body).facts
    assert isinstance(fact.event, RegistrationChanged)
    assert fact.event.registration is Registration.APPROVED
    assert accepted(body).facts == (fact,)


def test_an_approval_that_names_nobody_tells_nothing() -> None:
    """GP-131: an approval may name its transaction only; beside others it is a finding, alone it is ignored by name."""
    nobody = (*APPROVED[:-1], "PNA+PAT")
    assert read(interchange(message(nobody, kind="F4"))) == Ignored("fhsreg.F4.names-nobody")
    beside = accepted(interchange(message(AMENDED), message(nobody, kind="F4", reference=7)))
    assert rules(beside) == [("GP-131", "message[2]/S01[1]/PNA+PAT")]


@pytest.mark.parametrize("kind", ["F3", "F8", "F9", "F10", "F11", "G1", "G2", "G3", "G5"])
def test_kinds_that_are_not_ours_are_ignored_by_name(kind: str) -> None:
    """A known transaction that tells no place and no end is counted by its name."""
    assert read(interchange(message(AMENDED, kind=kind))) == Ignored(f"fhsreg.{kind}")


def test_what_is_ignored_beside_what_is_taken_is_a_finding() -> None:
    """GP-130: nothing of an interchange is dropped in silence."""
    body = interchange(message(AMENDED), message(AMENDED, kind="F9", reference=7))
    outcome = accepted(body)
    assert [(one.rule.id, one.detail) for one in outcome.findings] == [("GP-130", "fhsreg.F9")]


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (interchange(message(AMENDED, version="RECEP:0:2:FH")), "edifact.RECEP"),
        (interchange(message(AMENDED, version="ORDERS:D:96A:UN")), "edifact.other"),
        (changed(GOOD, "+00000003'", "+00000003++FHSREG++++1'"), "fhsreg.test"),
    ],
)
def test_what_is_no_registration_is_ignored(body: bytes, name: str) -> None:
    """Receipt reports, other messages, and an interchange marked as a test."""
    assert read(body) == Ignored(name)


@pytest.mark.parametrize(
    ("rule", "field", "old", "new"),
    [
        ("GP-120", "S01[1]/RFF+950", "RFF+950:F2", "RFF+951:F2"),
        ("GP-120", "S01[1]/RFF+TN", "RFF+TN:102", "RFF+TX:102"),
        ("GP-120", "S01[1]/GIS", "GIS+2:ZZZ", "GIS+:ZZZ"),
        ("GP-120", "S01[1]/GIS", "GIS+2:ZZZ", "GIS+%:ZZZ"),
        ("GP-120", "S01[1]/DTM+961", "DTM+961:20260105:102", "DTM+962:20260105:102"),
        ("GP-120", "S01[1]/DTM+137", "DTM+137", "DTM+138"),
        ("GP-120", "S01[1]/PNA+PAT", "PNA+PAT", "PNA+XXX"),
        ("GP-121", "S01[1]/GIS", "NAD+NFH+XX2:954", "GIS+1:ZZZ"),
        ("GP-121", "S01[1]/NAD+GP", "NAD+NFH+XX2:954", "NAD+GP+4826940,281:900"),
        ("GP-122", "S01[1]/DTM+961", "20260105:102", "05012026:102"),
        ("GP-122", "S01[1]/DTM+961", "20260105:102", "20260230:102"),
        ("GP-122", "S01[1]/DTM+137", "202601121235:203", "20260112:203"),
        ("GP-123", "S01[1]/DTM+137", "202601121235:203", "202602121235:203"),
        ("GP-123", "S01[1]/DTM+961", "20260105:102", "20270305:102"),
        ("GP-124", "S01[1]/PNA+PAT", NUMBER, "RAT56"),
        ("GP-124", "S01[1]/PNA+PAT", NUMBER, "1111111111"),
        ("GP-125", "S01[1]/DTM+329", "S02+2", "DTM+329:20270101:102"),
        ("GP-126", "S01[1]/RFF+TN", "RFF+TN:102", "RFF+TN:12345678"),
        ("GP-126", "S01[1]/RFF+TN", "RFF+TN:102", "RFF+TN:1O2"),
    ],
)
def test_a_transaction_that_cannot_be_told_is_refused_by_name(rule: str, field: str, old: str, new: str) -> None:
    """Every fault of a transaction has its rule and its place, and no value."""
    outcome = read(changed(interchange(message(DEDUCTED, kind="F2")), old, new))
    assert isinstance(outcome, Refused)
    assert (rule, f"message[1]/{field}") in rules(outcome)


def test_a_death_is_not_told_ahead() -> None:
    """GP-123: a deduction may be dated ahead, a death may not."""
    ahead = changed(interchange(message(DEDUCTED, kind="F2")), "20260105:102", "20260201:102")
    assert isinstance(read(ahead), Accepted)
    assert isinstance(read(changed(ahead, "GIS+2", "GIS+1")), Refused)


def test_every_fault_is_told_at_once() -> None:
    """A sender mends an interchange once: the faults of all its transactions are named."""
    body = changed(changed(changed(GOOD, "RFF+TN:101", "RFF+TN:x"), "GIS+2", "GIS+"), "19910623", "19912306")
    outcome = read(body)
    assert isinstance(outcome, Refused)
    assert rules(outcome) == [
        ("GP-126", "message[1]/S01[1]/RFF+TN"),
        ("GP-122", "message[1]/S01[1]/DTM+329"),
        ("GP-120", "message[2]/S01[1]/GIS"),
    ]


@pytest.mark.parametrize(
    ("rule", "reason", "old", "new", "detail"),
    [
        ("GP-128", "code_not_mapped", "GIS+2:ZZZ", "GIS+77:ZZZ", "77"),
        ("GP-128", "code_not_mapped", "GIS+2:ZZZ", "GIS+TAMSIN:ZZZ", "not the form of a code"),
        ("GP-128", "code_not_mapped", "RFF+950:F2", "RFF+950:F22", "F22"),
        ("GP-128", "code_not_mapped", "S02+2", "PDI+7", "7"),
        ("GP-127", "version_not_supported", "FHSREG:0:1:FH:FHS001", "FHSREG:0:2:FH:FHS002", ""),
    ],
)
def test_what_nobody_mapped_is_held_by_name(rule: str, reason: str, old: str, new: str, detail: str) -> None:
    """A code on no list is never defaulted; it is quoted where it looks like one."""
    outcome = read(changed(interchange(message(DEDUCTED, kind="F2")), old, new))
    assert isinstance(outcome, Held)
    assert outcome.reason == reason
    assert [(one.rule.id, one.detail) for one in outcome.findings] == [(rule, detail)]


def test_an_old_number_with_name_and_birth_date_names_somebody() -> None:
    """Old-style numbers are kept as written; the person is found by name and birth date."""
    outcome = accepted(changed(interchange(message(AMENDED)), NUMBER, "RAT56"))
    (fact,) = outcome.facts
    assert fact.lane == "GP:XX11:ELLERBY:TAMSIN JANE:1991-06-23"
    assert fact.event is not None
    assert [(one.raw, one.value) for one in fact.event.person.identifiers] == [("RAT56", None)]
    assert ("ID-002", "message[1]/S01[1]/PNA+PAT") in rules(outcome)


def test_where_somebody_lived_who_left_is_no_address_of_theirs() -> None:
    """A deduction is told of the day they leave, and its address would be newer than the one they went to."""
    left = (*DEDUCTED, "NAD+PAT++HOLLY COTTAGE:12 LONG LANE::STOCKPORT:CHESHIRE+++++SK4 2HD")
    (fact,) = accepted(interchange(message(left, kind="F2"))).facts
    assert fact.event is not None
    assert fact.event.person.addresses == ()


@pytest.mark.parametrize("identity", ["", ":0:1:FH:FHS001"])
def test_a_message_of_no_type_is_refused(identity: str) -> None:
    """GP-120: what does not say what it is could be a registration, and is not passed over as something else."""
    outcome = read(interchange(message(AMENDED), message(AMENDED, reference=7, version=identity)))
    assert isinstance(outcome, Refused)
    assert rules(outcome) == [("GP-120", "message[2]/UNH")]


def test_a_transaction_put_right_is_a_newer_version_of_the_same_fact() -> None:
    """The number of a transaction is its fact; what was prepared later stands."""
    (first,) = accepted(interchange(message(AMENDED))).facts
    (second,) = accepted(interchange(message(AMENDED, prepared="202601131000"), reference=4)).facts
    assert first.key == second.key
    assert first.version is not None
    assert second.version is not None
    assert first.version < second.version


def test_a_file_has_a_row_for_each_transaction_that_reads_like_the_whole() -> None:
    """Cut into rows, an interchange tells the same facts; rows are counted through all messages."""
    body = interchange(message(AMENDED, APPROVED[:1] + AMENDED[1:]), message(DEDUCTED, kind="F2", reference=7))
    cut = list(rows(io.BytesIO(body)))
    assert [row.number for row in cut] == [1, 2, 3]
    alone = [fact for row in cut for fact in accepted(row.body).facts]
    assert alone == list(accepted(body).facts)


def test_a_row_keeps_the_separators_of_its_file() -> None:
    """What is cut out of an interchange under other separators still reads."""
    body = GOOD.replace(b"+", b"*").replace(b":", b";")
    cut = list(rows(io.BytesIO(b"UNA;*.? '" + body)))
    assert [fact for row in cut for fact in accepted(row.body).facts] == list(accepted(GOOD).facts)


def test_one_bad_transaction_does_not_sink_its_file() -> None:
    """As a file, what can be told is told, and what cannot is refused alone."""
    body = changed(GOOD, "RFF+TN:102", "RFF+TN:x")
    assert [type(read(row.body)) for row in rows(io.BytesIO(body))] == [Accepted, Refused, Accepted]


def test_a_message_without_transactions_is_a_row() -> None:
    """Close of quarter has no transaction of its own, and is counted all the same."""
    body = interchange(message(kind="F8"))
    (row,) = rows(io.BytesIO(body))
    assert read(row.body) == Ignored("fhsreg.F8")


@pytest.mark.parametrize(("trailer", "rule"), [("UNZ+2+00000003", "GP-108"), ("UNZ+3+00000004", "GP-109")])
def test_a_broken_interchange_refuses_its_file_whole(trailer: str, rule: str) -> None:
    """A wrong trailer shows after rows were cut, and refuses them all."""
    body = changed(GOOD, "UNZ+3+00000003", trailer)
    with pytest.raises(FileRefused) as refused:
        list(rows(io.BytesIO(body)))
    assert refused.value.finding.rule.id == rule


def test_interchanges_are_numbered_for_each_pair_of_partners() -> None:
    """GP-117 and GP-118: the number of an interchange counts from one partner to another."""
    series = ADAPTER.series[MEDIA_TYPE]
    told = numbered(io.BytesIO(GOOD))
    assert (told.series, told.number) == ("XX11>TES5", 3)
    assert series.fault(told.number, 2) is None
    gap, again = series.fault(told.number, 1), series.fault(told.number, 3)
    assert gap is not None
    assert again is not None
    assert (gap.rule.id, again.rule.id) == ("GP-117", "GP-118")
    with pytest.raises(FileRefused):
        numbered(io.BytesIO(b"no interchange"))


def test_interchanges_marked_as_tests_count_for_themselves() -> None:
    """A test uses up no number of those that are meant."""
    tried = interchange(message(AMENDED), header="UNOA:2+XX11+TES5+260112:1235", reference=3)
    marked = changed(tried, "+00000003'", "+00000003++FHSREG++++1'")
    assert read(marked) == Ignored("fhsreg.test")
    assert numbered(io.BytesIO(tried)).series == "XX11>TES5"
    assert numbered(io.BytesIO(marked)).series == "XX11>TES5 test"
