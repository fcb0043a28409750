"""Flat records: one list of named values, as CSV or as JSON, every fault told at once and none by its value."""

import io
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from adapters import claims, flat_rules
from adapters._template import build
from adapters.base import (
    Accepted,
    CodeTable,
    FileRefused,
    Finding,
    Held,
    Ignored,
    Level,
    Message,
    Outcome,
    Refused,
    Rule,
)
from adapters.fields import (
    Born,
    BritishWhen,
    Flag,
    Forenames,
    Key,
    NhsNumber,
    Nino,
    NoFixedAbode,
    Postcode,
    Surname,
    Text,
    Unread,
    Version,
    When,
    coded,
)
from adapters.flat import Feed, Kind
from adapters.record import Record
from schemas.base import AddressKind, Event
from schemas.care import Organisation, Referred, Urgency

RECEIVED = datetime(2026, 1, 15, tzinfo=UTC)
LOUD = Rule("ZZ-001", Level.REFUSE, "It was asked loudly", "Ask again.")


class Asked(Record):
    """A record with a field of most types."""

    reference: Key = Field(alias="Ref")
    version: Version = 1
    surname: Surname = Field("Farthing", alias="Last name")
    forenames: Forenames | None = None
    born: Born
    asked: BritishWhen = Field(alias="Asked on")
    seen: When | None = None
    loud: Flag = False
    nhs_number: NhsNumber | None = None
    nino: Nino | None = None
    postcode: Postcode | None = None
    no_home: NoFixedAbode = False
    practice: Text | None = None
    urgency: Annotated[Urgency, coded("flat_test.urgency", {"R": Urgency.ROUTINE})] = Urgency.ROUTINE
    service: Annotated[str, coded("flat_test.service", {"A": "2000"})] | None = None
    worker: Unread = None


def tell(record: Asked) -> Event:
    """Told as a referral."""
    return Referred(
        occurred=record.asked.moment,
        person=record.person(claims.address(AddressKind.DECLARED, record.postcode, no_fixed_abode=record.no_home)),
        reference=record.reference,
        urgency=record.urgency,
        service=record.service,
        practice=Organisation(ods=record.practice) if record.practice is not None else None,
    )


def impossible(record: Asked, _received: datetime) -> Iterator[Finding]:
    """Nobody is loud."""
    if record.loud:
        yield Finding(LOUD, "loud")


FEED = Feed(
    "flat_test",
    names="kind",
    kinds={
        "ask": Kind(Asked, tell, impossible=impossible),
        "plead": Kind(Asked, tell, needs=("Last name",), fact="plea"),
    },
    ignored=frozenset({"chat"}),
    rules=(LOUD,),
)
GOOD: dict[str, object] = {"kind": "ask", "Ref": "A-1", "born": "1990-02-03", "Asked on": "14/01/2026"}


def read(told: object) -> Outcome:
    """What a JSON record becomes."""
    return FEED.read(Message(json.dumps(told).encode(), "application/json", RECEIVED))


def test_csv_and_json_are_one_record() -> None:
    """The same values tell the same fact, whichever way they are written."""
    body = ",".join(GOOD) + "\r\n" + ",".join(map(str, GOOD.values()))
    as_csv = FEED.read(Message(body.encode(), "text/csv", RECEIVED))
    assert isinstance(as_csv, Accepted)
    assert as_csv == read(GOOD)
    event = as_csv.facts[0].event
    assert event is not None
    assert event.occurred.at.date() == date(2026, 1, 14)


@pytest.mark.parametrize(
    ("row", "counted"), [("ask,A-1", "2 values under 4 columns"), ("1,2,3,4,5", "5 values under 4 columns")]
)
def test_a_row_of_another_length_is_counted(row: str, counted: str) -> None:
    """Its sender is told how many values stand under how many columns, and none of them."""
    body = ",".join(GOOD) + "\r\n" + row
    outcome = FEED.read(Message(body.encode(), "text/csv", RECEIVED))
    assert isinstance(outcome, Refused)
    assert outcome.findings == (Finding(flat_rules.UNEVEN, "record", counted),)


@pytest.mark.parametrize("media_type", ["text/csv", "application/json"])
@pytest.mark.parametrize("encoding", ["cp1252", "utf-16"])
def test_another_encoding_is_named_as_the_cause(media_type: str, encoding: str) -> None:
    """Whoever saved a file as Windows does is told so, and looks for no fault in its rows."""
    told = GOOD | {"Last name": "Desirée"}
    written = json.dumps(told, ensure_ascii=False)
    if media_type == "text/csv":
        written = ",".join(told) + "\r\n" + ",".join(map(str, told.values()))
    outcome = FEED.read(Message(written.encode(encoding), media_type, RECEIVED))
    assert outcome == Refused((Finding(flat_rules.NOT_UTF8, "record"),))


def test_every_fault_is_told_at_once_by_their_name_and_shape_with_the_form_to_write() -> None:
    """A sender mends a record once. A day that is none has the shape of one, so that is said."""
    outcome = read(
        {"kind": "ask", "born": "3/2/90", "Asked on": "31/02/2026", "version": "1.5", "loud": "perhaps", "practice": 7}
    )
    assert isinstance(outcome, Refused)
    assert {(finding.rule.id, finding.field, finding.detail) for finding in outcome.findings} == {
        ("FR-010", "Ref", ""),
        ("FR-011", "born", "9/9/99: write CCYY-MM-DD"),
        ("FR-011", "Asked on", "99/99/9999: no day of the calendar, write DD/MM/CCYY or DD/MM/CCYY hh:mm"),
        ("FR-011", "version", "9.9: write a whole number from 1"),
        ("FR-011", "loud", "aaaaaaa: write Y or N"),
        ("FR-011", "practice", "write text of at most 500 characters"),
    }


def test_a_birth_in_the_future_is_told_beside_what_is_missing() -> None:
    """It is well formed, and still no reason to send the record three times."""
    outcome = read({"kind": "plead", "born": "2026-01-16", "Asked on": "14/01/2026"})
    assert isinstance(outcome, Refused)
    assert [(finding.rule, finding.field) for finding in outcome.findings] == [
        (flat_rules.MISSING, "Ref"),
        (flat_rules.MISSING, "Last name"),
        (flat_rules.BORN_IN_THE_FUTURE, "born"),
    ]
    outcome = read(GOOD | {"kind": "plead", "born": "2026-01-16"})
    assert isinstance(outcome, Refused)
    assert [finding.rule for finding in outcome.findings] == [flat_rules.MISSING, flat_rules.BORN_IN_THE_FUTURE]


@pytest.mark.parametrize("asked", ["16/01/2026", "15/01/2026 00:11", "12/01/2031"])
def test_nothing_is_told_of_what_has_not_happened(asked: str) -> None:
    """A time later than ten minutes after the record came is refused, by the field that says it."""
    assert read(GOOD | {"Asked on": asked}) == Refused((Finding(flat_rules.NOT_YET, "Asked on"),))


@pytest.mark.parametrize(
    ("asked", "born"),
    [
        ("14/01/1926", "1990-02-03"),
        ("02/02/1990", "1990-02-03"),
        ("31/12/1899", "1900-01-01"),
        ("01/01/0001", "1970-01-01"),
    ],
)
def test_nothing_is_told_of_somebody_who_was_not_born(asked: str, born: str) -> None:
    """What happened before the birth is refused, by the field that says it; nobody alive was born before 1900."""
    assert read(GOOD | {"Asked on": asked, "born": born}) == Refused((Finding(flat_rules.BEFORE_BIRTH, "Asked on"),))


def test_something_may_happen_on_the_day_of_birth() -> None:
    """A birth that stands for an unknown one says nothing of when something happened."""
    assert isinstance(read(GOOD | {"Asked on": "03/02/1990"}), Accepted)
    assert isinstance(read(GOOD | {"Asked on": "31/12/1969", "born": "1970-01-01"}), Accepted)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"Asked on": "14/01/1926"}, "Asked on"),
        ({"seen": "1986-01-14"}, "seen"),
        ({"seen": "1926-01-14T09:00Z"}, "seen"),
    ],
)
def test_a_date_of_long_ago_is_doubted_and_told(changed: dict[str, object], field: str) -> None:
    """A slip of the year is seen by whoever sent it; what is true all the same is told."""
    outcome = read(GOOD | {"born": "1920-02-03"} | changed)
    assert isinstance(outcome, Accepted)
    assert [(finding.rule, finding.field) for finding in outcome.findings] == [(flat_rules.LONG_AGO, field)]


def test_a_birth_of_long_ago_and_a_date_of_forty_years_are_nothing_odd() -> None:
    """People grow old, and an award may be as old as a working life."""
    outcome = read(GOOD | {"born": "1920-02-03", "seen": "1986-01-15"})
    assert isinstance(outcome, Accepted)
    assert outcome.findings == ()


def test_nobody_is_born_before_1900() -> None:
    """Such a date is a system's and no person's; it is told beside whatever else is wrong."""
    outcome = read(GOOD | {"kind": "plead", "born": "1899-12-30"})
    assert isinstance(outcome, Refused)
    assert [(finding.rule, finding.field) for finding in outcome.findings] == [
        (flat_rules.MISSING, "Last name"),
        (flat_rules.BORN_BEFORE_1900, "born"),
    ]


@pytest.mark.parametrize("asked", ["15/01/2026", "15/01/2026 00:10"])
def test_a_clock_may_run_ahead(asked: str) -> None:
    """The day on which the record comes is no future, nor are ten minutes."""
    assert isinstance(read(GOOD | {"Asked on": asked}), Accepted)


def test_what_cannot_be_is_refused_with_the_agencys_own_rules() -> None:
    """Somebody born after the record came, and what only the agency knows to be wrong."""
    outcome = read(GOOD | {"born": "2026-01-16", "loud": "yes"})
    assert isinstance(outcome, Refused)
    assert [(finding.rule, finding.field) for finding in outcome.findings] == [
        (flat_rules.BORN_IN_THE_FUTURE, "born"),
        (LOUD, "loud"),
    ]
    assert LOUD.id in FEED.build({}).rules


def test_a_field_that_nobody_may_keep_is_known_and_in_no_fact() -> None:
    """It is no field besides the contract, takes whatever it holds, and changes nothing."""
    for held in ("r.quillan@example.org", 7, ["a", "b"]):
        assert read(GOOD | {"worker": held}) == read(GOOD)


@pytest.mark.parametrize("empty", [None, "", "  "])
def test_an_empty_field_is_an_absent_one(empty: object) -> None:
    """In every spelling of nothing."""
    assert read(GOOD | {"seen": empty, "version": empty, "urgency": empty}) == read(GOOD)


@pytest.mark.parametrize(
    ("numbers", "lane"),
    [
        ({"nhs_number": "999 054 8609", "nino": "AB123456C"}, "NHS:9990548609"),
        ({"nhs_number": "999 054 8608", "nino": "AB123456C"}, "NINO:AB123456"),
        ({}, "OWN:flat_test:A-1"),
    ],
)
def test_the_lane_is_the_first_number_that_is_right(numbers: dict[str, object], lane: str) -> None:
    """One that is wrong orders nothing; without any the record's own key does. A held record has its lane as well."""
    accepted, held = read(GOOD | numbers), read(GOOD | numbers | {"urgency": "ASAP"})
    assert isinstance(accepted, Accepted)
    assert isinstance(held, Held)
    assert accepted.facts[0].lane == held.lane == lane


def test_a_kind_of_record_may_tell_a_fact_of_its_own() -> None:
    """Under the key of what it is about, and a word of its own."""
    asked, pleaded = read(GOOD), read(GOOD | {"kind": "plead", "version": 2, "Last name": "Farthing"})
    assert isinstance(asked, Accepted)
    assert isinstance(pleaded, Accepted)
    assert (asked.facts[0].key, asked.facts[0].version) == ("flat_test:A-1", 1)
    assert (pleaded.facts[0].key, pleaded.facts[0].version) == ("flat_test:A-1:plea", 2)


def test_what_is_not_known_is_held_or_ignored_by_name() -> None:
    """A kind nobody subscribes to is ignored; a kind or a code nobody knows is held; neither is guessed."""
    assert read(GOOD | {"kind": "chat"}) == Ignored("flat_test.chat")
    for changed in ({"kind": "shout"}, {"urgency": "ASAP"}):
        outcome = read(GOOD | changed)
        assert isinstance(outcome, Held)
        assert outcome.findings[-1].detail == next(iter(changed.values()))
    assert read(GOOD | {"urgency": "Mr Farthing, 3 Oak Row"}).findings[-1].detail == "not the form of a code"  # type: ignore[union-attr]


def test_words_and_codes_are_read_in_either_case() -> None:
    """Whoever writes "Ask" or "r" means what the contract writes in another case; what is ignored has one name."""
    assert read(GOOD | {"kind": "Ask", "urgency": "r"}) == read(GOOD)
    assert read(GOOD | {"kind": "CHAT"}) == Ignored("flat_test.chat")


def test_a_kind_of_record_may_need_what_others_leave_empty() -> None:
    """It is told with whatever else is wrong; and a file's header has the column, for whichever kind its rows are."""
    outcome = read(GOOD | {"kind": "plead", "born": "1990"})
    assert isinstance(outcome, Refused)
    assert [(finding.rule, finding.field) for finding in outcome.findings] == [
        (flat_rules.MALFORMED, "born"),
        (flat_rules.MISSING, "Last name"),
    ]
    assert isinstance(read(GOOD | {"kind": "plead"}), Refused)
    with pytest.raises(FileRefused) as refused:
        list(FEED.build({}).files["text/csv"](io.BytesIO(b"kind,Ref,born,Asked on\r\n")))
    assert refused.value.finding.detail == "without Last name"


def test_a_kind_that_cannot_be_read_stops_the_start() -> None:
    """A model that says not what it is about, and a need nobody can meet, are found before the first record."""

    class Keyless(Record):
        """About nothing."""

        born: Born

    def tell_none(_record: Keyless) -> Event:
        raise NotImplementedError

    with pytest.raises(ValueError, match="Keyless has no field of the type Key"):
        Kind(Keyless, tell_none)
    with pytest.raises(ValueError, match="Asked has no field Surname"):
        Kind(Asked, tell, needs=("Surname",))


def test_what_its_event_cannot_hold_is_refused() -> None:
    """What is well formed to the agency and not to the event is named by the event's field, and never raises."""
    outcome = read(GOOD | {"practice": "fa 123"})
    assert isinstance(outcome, Refused)
    assert [(finding.rule, finding.field) for finding in outcome.findings] == [(flat_rules.NOT_TELLABLE, "event.ods")]
    assert isinstance(read(GOOD | {"practice": "FA123"}), Accepted)


def test_every_unknown_code_is_told_at_once() -> None:
    """Operations map a record once."""
    outcome = read(GOOD | {"urgency": "ASAP", "service": "B"})
    assert isinstance(outcome, Held)
    assert [(finding.field, finding.detail) for finding in outcome.findings] == [
        ("flat_test.urgency", "ASAP"),
        ("flat_test.service", "B"),
    ]


def test_a_code_looked_up_while_telling_is_held_too() -> None:
    """Where a meaning hangs on more than one field, its table is asked by whoever tells."""
    table = CodeTable("flat_test.later", {"A": "1"})

    def look_up(record: Asked) -> Event:
        return Referred(occurred=record.asked.moment, person=record.person(), reference=table[record.reference])

    feed = Feed("flat_test", "kind", {"ask": Kind(Asked, look_up)})
    held = feed.read(Message(json.dumps(GOOD).encode(), "application/json", RECEIVED))
    assert isinstance(held, Held)
    assert [(finding.field, finding.detail) for finding in held.findings] == [("flat_test.later", "A-1")]


def test_a_doubtful_time_is_told_by_their_name() -> None:
    """No zone, or an hour lived twice."""
    for written, rule in (("2026-01-14T09:00", "FR-030"), ("2025-10-26T01:30", "FR-031")):
        outcome = read(GOOD | {"seen": written})
        assert isinstance(outcome, Accepted)
        assert [(finding.rule.id, finding.field) for finding in outcome.findings] == [(rule, "seen")]


def test_a_local_time_is_agreed_and_not_assumed() -> None:
    """A form that has no zone is no fault of its sender; an hour that was lived twice still is."""
    assert read(GOOD | {"Asked on": "14/01/2026 09:00"}).findings == ()  # type: ignore[union-attr]
    twice = read(GOOD | {"Asked on": "26/10/2025 01:30"})
    assert isinstance(twice, Accepted)
    assert [(finding.rule, finding.field) for finding in twice.findings] == [(flat_rules.CLOCK_CHANGE, "Asked on")]


def test_an_address_that_is_none_is_told_with_its_postcode() -> None:
    """By the field that says so, and only where both are of one address."""
    said = read(GOOD | {"postcode": "SK4 2HD", "no_home": "Y"})
    assert isinstance(said, Accepted)
    assert [(finding.rule.id, finding.field) for finding in said.findings] == [("ID-035", "no_home")]
    assert read(GOOD | {"no_home": "Y"}).findings == ()  # type: ignore[union-attr]


def test_a_field_besides_is_told() -> None:
    """A misspelt field is not lost in silence."""
    outcome = read(GOOD | {"Surename": "Farthing"})
    assert isinstance(outcome, Accepted)
    assert [finding.rule.id for finding in outcome.findings] == ["FD-001"]


def test_a_rule_that_nothing_can_break_is_not_promised() -> None:
    """An agency that sends neither times nor birth dates has no rules about them."""

    class Bare(Record):
        """Nothing but what it is about."""

        reference: Key

    def tell_none(_record: Bare) -> Event:
        raise NotImplementedError

    without = Feed("flat_test", "kind", {"ask": Kind(Bare, tell_none)}).build({}).rules
    assert set(FEED.build({}).rules) - set(without) == {"FR-012", "FR-015", "FR-030", "FR-031", "FR-032", LOUD.id}


def test_an_installation_says_what_a_code_means() -> None:
    """A code that is in no table is mapped by an option, in that installation and no other."""
    message = Message(json.dumps(GOOD | {"urgency": "ASAP", "service": "B"}).encode(), "application/json", RECEIVED)
    adapter = FEED.build({"urgency.ASAP": "asap", "service.B": "2000"})
    told = adapter.read(message)
    assert isinstance(told, Accepted)
    assert isinstance(told.facts[0].event, Referred)
    assert (told.facts[0].event.urgency, told.facts[0].event.service) == (Urgency.ASAP, "2000")
    assert adapter.code_options == {"flat_test.urgency": "urgency", "flat_test.service": "service"}
    assert isinstance(FEED.build({}).read(message), Held)
    lower = Message(json.dumps(GOOD | {"urgency": "asap"}).encode(), "application/json", RECEIVED)
    assert isinstance(adapter.read(lower), Accepted)


@pytest.mark.parametrize(
    ("option", "value", "why"),
    [
        ("speed", "high", "has no option 'speed'"),
        ("urgency", "asap", "has no option 'urgency'"),
        ("urgency.ASAP", "at once", "has no such meaning for 'urgency.ASAP'"),
        ("service.B", "3000", "has no such meaning"),
        ("urgency.R", "asap", "knows the code of 'urgency.R' already"),
        ("urgency.r", "asap", "knows the code of 'urgency.r' already"),
    ],
)
def test_an_option_that_is_none_stops_the_start(option: str, value: str, why: str) -> None:
    """A misspelt choice is never passed over, and no code is given another meaning than its contract's."""
    with pytest.raises(ValueError, match=why):
        FEED.build({option: value})


@given(
    st.dictionaries(
        st.sampled_from([*GOOD, "seen", "version", "loud", "urgency", "nino", "practice"]),
        st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text()),
    )
)
def test_no_values_raise(told: dict[str, object]) -> None:
    """Whatever stands in a field, the record becomes an outcome."""
    assert isinstance(read(GOOD | told), Accepted | Held | Ignored | Refused)


@given(st.binary(max_size=200), st.sampled_from(["application/json", "text/csv"]))
def test_no_bytes_raise(body: bytes, media_type: str) -> None:
    """Nor whatever stands in a record."""
    assert not isinstance(build({}).read(Message(body, media_type, RECEIVED)), Accepted)
