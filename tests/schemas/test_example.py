"""The example of an event in a few words is the event it says."""

from typing import ClassVar, Literal

from schemas.base import AddressKind, Event, Precision, Standing
from schemas.example import example


class Moved(Event):
    """Somebody moved."""

    model_config = example(
        "example_test.moved", {"kind": "main", "postcode": "SK4 2HD"}, day="2026-01-12", reason="work"
    )
    standing: ClassVar[Standing] = Standing.INFORMING

    kind: Literal["example_test.moved"] = "example_test.moved"
    reason: str


def test_an_example_is_an_event_about_somebody() -> None:
    """With a person somebody could be found by, the addresses and fields it was given, on the day it was given."""
    (written,) = Moved.model_json_schema()["examples"]
    event = Moved.model_validate(written)
    assert event.reason == "work"
    assert (event.occurred.at.date().isoformat(), event.occurred.precision) == ("2026-01-12", Precision.DAY)
    assert [(one.kind, one.postcode) for one in event.person.addresses] == [(AddressKind.MAIN, "SK4 2HD")]
    assert event.person.identifiers[0].value
