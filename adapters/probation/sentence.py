"""Sentences that probation manages: supervision begins with one and ends with it.

A sentence is known by its event number. Where the event does not give it, the case must leave no choice: a person with
several active sentences is nothing to guess about.
"""

from collections.abc import Sequence

from adapters.base import Finding, Held
from adapters.probation import rules
from adapters.probation.record import Record, not_filled
from adapters.probation.snapshot import region_of
from adapters.probation.wire import Conviction, Sentence
from schemas.base import Fact, Person
from schemas.supervision import Ended, Started

STARTED = "supervision.started"
ENDED = "supervision.ended"

Chosen = tuple[str, Sentence]
"""An event number and its sentence."""


def started(record: Record, person: Person) -> Fact | Held:
    """Tell that supervision under a sentence began, or what is known of it now."""
    chosen = _choose(record, ended=False)
    if isinstance(chosen, Held):
        return chosen
    number, sentence = chosen
    event = Started(
        occurred=record.on(sentence.start_date),
        person=person,
        sensitivity=record.sensitivity,
        region=region_of(record),
        event_number=number,
        order=sentence.description,
    )
    return Fact(_key(record, number, "started"), record.lane, event.kind, event, version=record.version)


def ended(record: Record, person: Person) -> Fact | Held:
    """Tell that supervision under a sentence ended."""
    chosen = _choose(record, ended=True)
    if isinstance(chosen, Held):
        return chosen
    number, sentence = chosen
    event = Ended(
        occurred=record.on(sentence.termination_date),
        person=person,
        sensitivity=record.sensitivity,
        region=region_of(record),
        event_number=number,
    )
    return Fact(_key(record, number, "ended"), record.lane, event.kind, event, version=record.version)


def taken_back(record: Record, kind: str, reason: str) -> Fact | Held:
    """Take back that a sentence began (it was deleted), or that it ended (it goes on)."""
    number = record.event.additional_information.event_number
    if number is None:
        return _ambiguous(record)
    what = kind.rpartition(".")[2]
    return Fact(_key(record, number, what), record.lane, kind, None, version=record.version, withdrawn=reason)


def _choose(record: Record, *, ended: bool) -> Chosen | Held:
    """The sentence the event is about."""
    number = record.event.additional_information.event_number
    convictions = record.snapshot.convictions if record.snapshot is not None else ()
    fitting = _fitting(convictions, number, ended=ended)
    if not fitting:
        return not_filled(record, "snapshot.convictions")
    return fitting[0] if len(fitting) == 1 else _ambiguous(record)


def _fitting(convictions: Sequence[Conviction], number: str | None, *, ended: bool) -> list[Chosen]:
    """The sentences that the event can be about: its own by number, else those that are under way, or ended."""
    numbered = [(one.index, one.sentence, one.active) for one in convictions]
    return [
        (index, sentence)
        for index, sentence, active in numbered
        if index is not None
        and sentence is not None
        and (number is None or index == number)
        and (sentence.termination_date is not None if ended else active or number is not None)
    ]


def _ambiguous(record: Record) -> Held:
    finding = Finding(rules.EVENT_AMBIGUOUS, "additionalInformation.eventNumber")
    return Held("event_ambiguous", (*record.findings, finding), record.lane)


def _key(record: Record, number: str, what: str) -> str:
    return f"probation:{record.crn}:event:{number}:{what}"
