"""Flat records: one list of named values, as CSV or as JSON, every fault told at once and none by its value."""

import json
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from adapters._template import build
from adapters.base import Accepted, CodeTable, Finding, Held, Ignored, Message, Outcome, Refused
from adapters.fields import BritishDay, Day, Flag, Record, Text, Version, When
from adapters.flat import Feed, Kind, Rules
from adapters.local_time import day_moment
from schemas.base import Fact, Name, Person
from schemas.care import Referred, Urgency

RECEIVED = datetime(2026, 1, 15, tzinfo=UTC)
RULES = Rules("ZZ")
URGENCIES = CodeTable("flat_test.urgency", {"R": Urgency.ROUTINE})


class Asked(Record):
    """A record with a field of each type."""

    reference: Text = Field(alias="Ref")
    version: Version = 1
    born: Day
    asked: BritishDay = Field(alias="Asked on")
    seen: When | None = None
    homeless: Flag = False
    urgency: Text = "R"


def translate(record: Asked, _found: list[Finding]) -> Fact:
    """Told as a referral."""
    person = Person(name=Name(surname="Farthing"), date_of_birth=record.born)
    event = Referred(
        occurred=day_moment(record.asked), person=person, reference=record.reference, urgency=URGENCIES[record.urgency]
    )
    return Fact(f"flat_test:{record.reference}", f"ZZ:{record.reference}", event.kind, event, version=record.version)


FEED = Feed(
    "flat_test",
    RULES,
    "kind",
    {"ask": Kind(Asked, lambda record: f"ZZ:{record.reference}", translate)},
    frozenset({"chat"}),
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
    assert [finding.rule.id for finding in outcome.findings] == ["ZZ-001"]
    assert outcome.findings[0].detail.startswith(counted)


def test_every_fault_is_told_at_once_by_their_name_and_shape() -> None:
    """A sender mends a record once."""
    outcome = read({"kind": "ask", "born": "3/2/90", "Asked on": "31/02/2026", "version": "1.5", "homeless": "perhaps"})
    assert isinstance(outcome, Refused)
    assert {(finding.rule.id, finding.field, finding.detail) for finding in outcome.findings} == {
        ("ZZ-010", "Ref", ""),
        ("ZZ-011", "born", "9/9/99"),
        ("ZZ-011", "Asked on", "99/99/9999"),
        ("ZZ-011", "version", "9.9"),
        ("ZZ-011", "homeless", "aaaaaaa"),
    }


@pytest.mark.parametrize("empty", [None, "", "  "])
def test_an_empty_field_is_an_absent_one(empty: object) -> None:
    """In every spelling of nothing."""
    assert read(GOOD | {"seen": empty, "version": empty}) == read(GOOD)


def test_what_is_not_known_is_held_or_ignored_by_name() -> None:
    """A kind nobody subscribes to is ignored; a kind or a code nobody knows is held; neither is guessed."""
    assert read(GOOD | {"kind": "chat"}) == Ignored("flat_test.chat")
    for changed in ({"kind": "shout"}, {"urgency": "ASAP"}):
        outcome = read(GOOD | changed)
        assert isinstance(outcome, Held)
        assert outcome.findings[-1].detail == next(iter(changed.values()))
    assert read(GOOD | {"urgency": "Mr Farthing, 3 Oak Row"}).findings[-1].detail == "not the form of a code"  # type: ignore[union-attr]


def test_a_doubtful_time_is_told_by_their_name() -> None:
    """No zone, or an hour lived twice."""
    for written, rule in (("2026-01-14T09:00", "ZZ-030"), ("2025-10-26T01:30", "ZZ-031")):
        outcome = read(GOOD | {"seen": written})
        assert isinstance(outcome, Accepted)
        assert [(finding.rule.id, finding.field) for finding in outcome.findings] == [(rule, "seen")]


def test_a_field_besides_is_told() -> None:
    """A misspelt field is not lost in silence."""
    outcome = read(GOOD | {"Surename": "Farthing"})
    assert isinstance(outcome, Accepted)
    assert [finding.rule.id for finding in outcome.findings] == ["FD-001"]


def test_a_rule_that_nothing_can_break_is_not_promised() -> None:
    """An agency that sends no times has no rules about them."""

    class Days(Record):
        """Only a day."""

        born: Day

    def none(_record: Days, _found: list[Finding]) -> Fact:
        raise NotImplementedError

    without = Feed("flat_test", RULES, "kind", {"ask": Kind(Days, lambda _record: "ZZ:1", none)}).adapter().rules
    assert set(FEED.adapter().rules) - set(without) == {"ZZ-030", "ZZ-031"}


@given(
    st.dictionaries(
        st.sampled_from([*GOOD, "seen", "version", "homeless"]),
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
