"""The types of fields of records in JSON, and what is said of a value that is none of them."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from adapters.base import Level, Rule
from adapters.json_fields import Day, Instant, InstantOrDay, MaybeDay, MaybeText, RecordVersion, Text, Wire, faults
from schemas.base import Precision

MISSING = Rule("XX-001", Level.REFUSE, "A required field is missing", "Send it.")
MALFORMED = Rule("XX-002", Level.REFUSE, "A field is not of its form", "Send it in its form.")


class Visit(Wire):
    """A record of every type."""

    record_version: RecordVersion
    seen_by: Text
    note: MaybeText = None
    born: Day
    left: MaybeDay = None
    told_at: Instant
    held_on: InstantOrDay


GOOD: dict[str, Any] = {
    "recordVersion": 1,
    "seenBy": " Ellerby ",
    "born": "1991-06-23",
    "toldAt": "2026-03-02T10:15:00Z",
    "heldOn": "2026-03-02",
}


def wrong(record: dict[str, Any], *under: str) -> list[tuple[str, str]]:
    """The rule and the field of everything that is wrong with a record."""
    with pytest.raises(ValidationError) as raised:
        Visit.model_validate(record)
    return [(finding.rule.id, finding.field) for finding in faults(raised.value, MISSING, MALFORMED, *under)]


def test_a_record_is_read_in_its_types() -> None:
    """Camel case becomes ours, and text loses the blanks around it; a day stays a day."""
    visit = Visit.model_validate({**GOOD, "more": "than the contract has"})
    assert (visit.seen_by, visit.born) == ("Ellerby", date(1991, 6, 23))
    assert visit.told_at.moment.at == datetime(2026, 3, 2, 10, 15, tzinfo=UTC)
    assert visit.held_on.moment.precision is Precision.DAY
    assert not hasattr(visit, "more")


@pytest.mark.parametrize("nothing", [None, "", "  "])
def test_what_is_empty_is_absent(nothing: str | None) -> None:
    """A field that may be absent may be written and hold nothing."""
    visit = Visit.model_validate({**GOOD, "note": nothing, "left": nothing})
    assert (visit.note, visit.left) == (None, None)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("recordVersion", 0),
        ("recordVersion", "1"),
        ("recordVersion", True),
        ("seenBy", " "),
        ("seenBy", "x" * 501),
        ("note", 7),
        ("born", None),
        ("born", "23/06/1991"),
        ("left", "2026-02-30"),
        ("left", 20260102),
        ("toldAt", "2026-03-02"),
        ("heldOn", "yesterday"),
        ("heldOn", None),
    ],
)
def test_a_value_that_is_none_of_its_type_is_a_fault_of_its_field(field: str, value: object) -> None:
    """One fault, under the field as the sender spells it."""
    assert wrong({**GOOD, field: value}) == [("XX-002", field)]


def test_a_field_that_is_not_there_is_missing() -> None:
    """It is told by another rule than a field that is wrong, and where its part stands in the record."""
    incomplete = {name: value for name, value in GOOD.items() if name != "born"}
    assert wrong({**incomplete, "seenBy": ""}, "snapshot") == [
        ("XX-002", "snapshot.seenBy"),
        ("XX-001", "snapshot.born"),
    ]


def test_a_fault_quotes_nothing() -> None:
    """A value that is wrong may be a person's."""
    with pytest.raises(ValidationError) as raised:
        Visit.model_validate({**GOOD, "born": "Ellerby's birthday"})
    assert "Ellerby" not in str(raised.value)
