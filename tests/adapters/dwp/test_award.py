"""A detail of the extract: whose award, what became of it, and what is wrong with it."""

from datetime import UTC, date, datetime

import pytest

from adapters.base import Accepted, Held, Message, Outcome, Refused
from adapters.dwp import build
from schemas.base import AddressKind, Fact, Sensitivity, facts_of
from schemas.benefits import AwardAmended, AwardEnded, AwardStarted, Benefit
from tests.adapters.dwp.extract import RECEIVED, detail, header, read, written


def fact(outcome: Outcome) -> Fact:
    """The one fact of an accepted record."""
    assert isinstance(outcome, Accepted), outcome
    (only,) = outcome.facts
    return only


def rules(outcome: Outcome) -> list[tuple[str, str]]:
    """Rule and field of whatever was found."""
    assert isinstance(outcome, Accepted | Held | Refused)
    return [(finding.rule.id, finding.field) for finding in outcome.findings]


def test_a_start_tells_who_and_from_which_day() -> None:
    """The day is London's, and the postcode counts as declared."""
    told = fact(read()).event
    assert isinstance(told, AwardStarted)
    assert (told.benefit, told.effective, told.office) == (
        Benefit.EMPLOYMENT_AND_SUPPORT_ALLOWANCE,
        date(2026, 1, 12),
        "210364",
    )
    assert told.occurred.at == datetime(2026, 1, 12, tzinfo=UTC)
    assert told.person.name is not None
    assert (told.person.name.forenames, told.person.name.surname) == ("PIERS", "GRENFELL-ROWE")
    assert told.person.date_of_birth == date(1979, 8, 11)
    (address,) = told.person.addresses
    assert (address.kind, address.postcode) == (AddressKind.DECLARED, "SK4 2HD")


def test_start_end_and_amendment_of_one_award_are_three_facts() -> None:
    """None of them undoes another."""
    keys = {fact(read(action=action)).key for action in "SEA"}
    assert keys == {f"dwp:JK904412:ESA:{about}:20260112" for about in ("START", "END", "AMEND")}


def test_an_amendment_may_be_older_than_anything_told_before() -> None:
    """Awards are decided anew months later; that is no fault."""
    told = fact(read(action="A", effective="20230301")).event
    assert isinstance(told, AwardAmended)
    assert told.effective == date(2023, 3, 1)


def test_an_end_may_be_still_to_come() -> None:
    """An award is ended beforehand as often as afterwards."""
    assert isinstance(fact(read(action="E", effective="20260301")).event, AwardEnded)


@pytest.mark.parametrize("action", ["E", "A"])
def test_an_open_date_says_that_the_award_has_no_end(action: str) -> None:
    """00000000 takes back the end told before, on the day the file was made."""
    open_ended = fact(read(action=action, effective="00000000"))
    assert isinstance(open_ended.event, AwardAmended)
    assert open_ended.event.effective is None
    assert open_ended.key == "dwp:JK904412:ESA:OPEN:20260112"


def test_the_same_decision_in_a_later_file_is_the_same_fact() -> None:
    """A later file only has a later version; what it repeats tells nothing new."""
    first, again = fact(read()), fact(read(made="20260115193000"))
    assert (first.key, first.event) == (again.key, again.event)
    assert first.version is not None
    assert again.version is not None
    assert first.version < again.version


def test_a_blank_suffix_is_the_same_number() -> None:
    """With or without its letter, a National Insurance number finds one person."""
    bare, full = fact(read(nino="JK904412 ")), fact(read(nino="JK904412A"))
    assert (bare.lane, bare.key) == (full.lane, full.key)
    assert bare.event is not None
    assert bare.event.person.identifiers[0].raw == "JK904412"


@pytest.mark.parametrize("prefix", ["OO", "CR", "FY", "MW", "NC", "TN"])
def test_an_offices_own_number_finds_nobody(prefix: str) -> None:
    """It looks like a National Insurance number; it is kept as written, and the record is accepted."""
    outcome = read(nino=f"{prefix}440718")
    told = fact(outcome)
    assert rules(outcome) == [("ID-015", "nino")]
    assert told.event is not None
    (number,) = told.event.person.identifiers
    assert (number.raw, number.value) == (f"{prefix}440718", None)
    assert told.lane == f"DWP:{prefix}440718:GRENFELL-ROWE:PIERS:19790811"


@pytest.mark.parametrize("nino", ["PP999999P", "OO440718"])
def test_a_number_that_is_none_joins_no_strangers(nino: str) -> None:
    """What is typed where a number is not known is typed for many: name and birth date tell them apart."""
    one, other = fact(read(nino=nino)), fact(read(nino=nino, forename="JORY", date_of_birth="19900102"))
    assert one.key != other.key
    assert one.lane != other.lane


def test_a_day_to_come_is_told_today() -> None:
    """A decision for next month is made now, and the address beside it is today's; told again it is the same."""
    first = fact(read(effective="20260301", made="20260112193000"))
    again = fact(read(effective="20260301", made="20260113193000"))
    assert first.event is not None
    assert first.event.occurred.at.date() == date(2026, 1, 12)
    assert (first.key, facts_of(first)) == (again.key, facts_of(again))


def test_a_file_from_the_future_is_refused_row_by_row() -> None:
    """When a file was made orders what files say: one that is dated far ahead would silence all after it."""
    assert rules(read(made="20260117193000")) == [("DW-023", "header.created")]


@pytest.mark.parametrize("birth", ["", "00000000", "19000101", "19700101"])
def test_a_birth_date_that_is_not_known_is_none(birth: str) -> None:
    """Blank, open, or one of the dates that stand for it."""
    outcome = read(date_of_birth=birth)
    event = fact(outcome).event
    assert event is not None
    assert event.person.date_of_birth is None
    assert [rule for rule, _ in rules(outcome)] == {"19000101": ["ID-020"], "19700101": ["ID-021"]}.get(birth, [])


def test_no_fixed_abode_is_told_by_its_pseudo_postcode() -> None:
    """ZZ99 3VZ is no place."""
    outcome = read(postcode="ZZ99 3VZ")
    event = fact(outcome).event
    assert event is not None
    (address,) = event.person.addresses
    assert (address.no_fixed_abode, address.postcode) == (True, None)
    assert rules(outcome) == [("ID-034", "postcode")]


def test_a_protected_persons_record_comes_without_an_address() -> None:
    """A record marked MAPPA is accepted, and marked so for everybody after."""
    outcome = read(marker="M", postcode="")
    event = fact(outcome).event
    assert event is not None
    assert event.sensitivity == {Sensitivity.MAPPA}
    assert event.person.addresses == ()
    assert rules(outcome) == []


def test_an_address_of_a_protected_person_is_not_taken() -> None:
    """A mistake at the source goes no further, and is told."""
    outcome = read(marker="M", postcode="SK4 2HD")
    event = fact(outcome).event
    assert event is not None
    assert event.person.addresses == ()
    assert rules(outcome) == [("DW-050", "postcode")]


@pytest.mark.parametrize(
    ("field", "code", "table"),
    [
        ("benefit", "PIP", "dwp.benefit"),
        ("action", "X", "dwp.action"),
        ("sex", "Q", "dwp.sex"),
        ("marker", "S", "dwp.marker"),
    ],
)
def test_an_unknown_code_is_held_by_its_name(field: str, code: str, table: str) -> None:
    """It is never defaulted, and the sender need not send it again."""
    outcome = read(**{field: code, "postcode": ""})
    assert isinstance(outcome, Held)
    assert outcome.reason == "code_not_mapped"
    assert (outcome.findings[-1].rule.id, outcome.findings[-1].field, outcome.findings[-1].detail) == (
        "DW-040",
        table,
        code,
    )
    assert outcome.lane == "NINO:JK904412"


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"nino": ""}, ("DW-022", "nino")),
        ({"surname": ""}, ("DW-022", "surname")),
        ({"benefit": ""}, ("DW-022", "benefit")),
        ({"action": ""}, ("DW-022", "action")),
        ({"effective": ""}, ("DW-022", "effective")),
        ({"effective": "20260229"}, ("DW-023", "effective")),
        ({"effective": "12012026"}, ("DW-023", "effective")),
        ({"date_of_birth": "19791308"}, ("DW-023", "date_of_birth")),
        ({"date_of_birth": "20260116"}, ("DW-025", "date_of_birth")),
        ({"effective": "00000000"}, ("DW-024", "effective")),
    ],
)
def test_a_detail_that_cannot_be_is_refused(changed: dict[str, str], fault: tuple[str, str]) -> None:
    """Each fault has its rule and its field."""
    outcome = read(**changed)
    assert isinstance(outcome, Refused)
    assert rules(outcome) == [fault]


def test_a_leap_day_is_a_day() -> None:
    """29 February is one in leap years only."""
    assert isinstance(read(effective="20240229"), Accepted)


@pytest.mark.parametrize(
    ("records", "rule"),
    [
        ([header()], "DW-020"),
        ([header(), detail(), detail()], "DW-020"),
        ([header(), "X" + detail()[1:]], "DW-020"),
        ([detail(), detail()], "DW-001"),
        ([header(), detail() + "more"], "DW-021"),
    ],
)
def test_a_record_is_a_header_and_one_detail(records: list[str], rule: str) -> None:
    """The same rules hold for a row that is sent alone."""
    outcome = build({}).read(Message(written(records), "text/plain", RECEIVED))
    assert isinstance(outcome, Refused)
    assert [finding.rule.id for finding in outcome.findings] == [rule]


def test_accents_are_the_persons_own_in_either_code_page() -> None:
    """A name is told as it was written."""
    names = {read_name(code_page) for code_page in ("iso-8859-1", "cp037", "cp500", "cp1140")}
    assert names == {("ANAÏS", "MÉNARD")}


def read_name(code_page: str) -> tuple[str | None, str]:
    """Forenames and surname as they are told."""
    event = fact(read(code_page=code_page, surname="MÉNARD", forename="ANAÏS")).event
    assert event is not None
    assert event.person.name is not None
    return event.person.name.forenames, event.person.name.surname
