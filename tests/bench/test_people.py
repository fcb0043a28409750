"""What the bench sends is what forces send."""

from datetime import UTC, datetime

from adapters.base import Accepted, Message
from adapters.police_custody.adapter import build
from bench.people import FORMS, SIZE, record
from schemas.custody import DrugTestRecorded

PERSONS = 5000
READ = build({}).read
NUMBERS = range(0, 2 * len(FORMS) * PERSONS, 97)


def told(number: int) -> Accepted:
    outcome = READ(Message(record(number, PERSONS).body, "application/xml", datetime(2026, 11, 1, tzinfo=UTC)))
    assert isinstance(outcome, Accepted)
    return outcome


def test_every_record_is_accepted_without_a_finding() -> None:
    """The gateway is measured on records it takes as they are, each telling one fact."""
    for number in NUMBERS:
        assert (len(told(number).facts), told(number).findings) == (1, ())


def test_every_record_has_the_size_that_is_promised() -> None:
    """Each is 1.4 KB, whatever it tells."""
    assert {len(record(number, PERSONS).body) for number in NUMBERS} == {SIZE}


def test_what_is_told_of_a_person_begins_with_what_opens_a_case() -> None:
    """The first round is a positive test, so that all later rounds concern an open case."""
    for person in range(0, PERSONS, 97):
        [fact] = told(person).facts
        assert isinstance(fact.event, DrugTestRecorded)
        assert fact.event.opens_case


def test_one_person_stays_one_person() -> None:
    """All rounds of a person are of one lane, and no two persons share one."""
    lanes = {person: {told(person + PERSONS * round_).facts[0].lane for round_ in range(6)} for person in range(40)}
    assert all(len(of_person) == 1 for of_person in lanes.values())
    assert len(set().union(*lanes.values())) == len(lanes)


def test_no_two_records_are_alike() -> None:
    """Nothing the bench sends is a repeat, by its id or by its content."""
    sent = [record(number, 50) for number in range(50 * len(FORMS) * 3)]
    assert len({one.id for one in sent}) == len({one.body for one in sent}) == len(sent)


def test_one_person_in_three_concerns_two() -> None:
    """A third of the persons are held in another area than they live in."""
    both = [number for number in range(PERSONS) if record(number, PERSONS).recipients == 2]
    assert abs(len(both) - PERSONS / 3) < 1
