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
    ("row", "counted"), [("ask,A-1", "2 values under 4 columns"), ("1,2,3,4,5", "5 values under 4")]
)
def test_a_row_of_another_length_is_counted(row: str, counted: str) -> None:
    """Its sender is told how many values stand under how many columns, and none of them."""
    body = ",".join(GOOD) + "\r\n" + row
    outcome = FEED.read(Message(body.encode(), "text/csv", RECEIVED))
    assert isinstance(outcome, Refused)
    assert [finding.rule for finding in outcome.findings] == [flat_rules.NOT_READABLE]
    assert outcome.findings[0].detail.startswith(counted)


def test_every_fault_is_told_at_once_by_their_name_and_shape() -> None:
    """A sender mends a record once."""
    outcome = read({"kind": "ask", "born": "3/2/90", "Asked on": "31/02/2026", "version": "1.5", "loud": "perhaps"})
    assert isinstance(outcome, Refused)
    assert {(finding.rule.id, finding.field, finding.detail) for finding in outcome.findings} == {
        ("FR-010", "Ref", ""),
        ("FR-011", "born", "9/9/99"),
        ("FR-011", "Asked on", "99/99/9999"),
        ("FR-011", "version", "9.9"),
        ("FR-011", "loud", "aaaaaaa"),
    }


def test_what_cannot_be_is_refused_with_the_agencys_own_rules() -> None:
    """Somebody born after the record came, and what only the agency knows to be wrong."""
    outcome = read(GOOD | {"born": "2026-01-16", "loud": "yes"})
    assert isinstance(outcome, Refused)
    assert [(finding.rule, finding.field) for finding in outcome.findings] == [
        (flat_rules.BORN_IN_THE_FUTURE, "born"),
        (LOUD, "loud"),
    ]
    assert LOUD.id in FEED.build({}).rules


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
    assert set(FEED.build({}).rules) - set(without) == {"FR-012", "FR-030", "FR-031", LOUD.id}


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


@pytest.mark.parametrize(
    ("option", "value", "why"),
    [
        ("speed", "high", "has no option 'speed'"),
        ("urgency", "asap", "has no option 'urgency'"),
        ("urgency.ASAP", "at once", "has no such meaning for 'urgency.ASAP'"),
        ("service.B", "3000", "has no such meaning"),
        ("urgency.R", "asap", "knows the code of 'urgency.R' already"),
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
