"""The workload is what it says: unique values, versions in order, and a third of the people held away from home."""

from datetime import UTC, datetime

import orjson

from adapters.base import Accepted, Message
from adapters.registry import adapters
from tests.checker.workload import areas, message, messages, read


def test_every_third_person_is_held_in_another_area() -> None:
    """Of 300 people a third concern two areas, and every pair of areas a test could confuse occurs."""
    pairs = [areas(number) for number in range(300)]
    assert sum(home != holding for home, holding in pairs) == 100
    assert len(set(pairs)) > 20


def test_everything_sent_is_taken_without_a_finding() -> None:
    """What the workload writes keeps to the contract, so that nothing of it may be refused."""
    for sent in (one for person in messages(range(4), versions=6) for one in person):
        outcome = adapters()["police_custody"].read(Message(sent.body, "application/xml", datetime.now(UTC)))
        assert isinstance(outcome, Accepted)
        assert not outcome.findings


def test_values_are_unique_and_say_what_they_are() -> None:
    """No two messages say the same, and none has the id of another."""
    sent = [one for person in messages(range(50), versions=6) for one in person]
    assert len({one.content for one in sent}) == len({one.id for one in sent}) == len(sent)


def test_a_delivery_is_read_back_as_the_message_it_tells() -> None:
    """Person, version and content are found in what the adapter makes of a record."""
    for version in range(1, 7):
        sent = message(3, version)
        outcome = adapters()["police_custody"].read(Message(sent.body, "application/xml", datetime.now(UTC)))
        assert isinstance(outcome, Accepted)
        (fact,) = outcome.facts
        assert fact.event is not None
        document = {"data": orjson.loads(fact.event.model_dump_json())}
        assert read(document) == (3, version, sent.content)
