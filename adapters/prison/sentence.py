"""What changes while a person is held: release dates, and the right they are held in.

The events are pointers: they say that something changed. What it is now stands in the snapshot, and the time of the
snapshot is the version of the fact, because dates move and snapshots are fetched out of order. What stands, lasts: two
services tell of one change a few seconds apart, and where both snapshots say the same they are one fact.
"""

from datetime import UTC, datetime, timedelta

from adapters.base import Accepted, Finding, Held
from adapters.prison import rules
from adapters.prison.record import Record
from adapters.prison.snapshot import dates_of, legal_status_of, prison_of
from adapters.prison.wire import DomainEvent
from schemas.base import Fact, Sensitivity
from schemas.imprisonment import DatesChanged, StatusChanged

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def dates(record: Record[DomainEvent]) -> Accepted | Held:
    """Tell the release dates as they stand now. Raises UnknownCode."""
    if record.snapshot is None:
        return _not_filled(record, "snapshot")
    person, oddities = record.person()
    event = DatesChanged(
        occurred=record.event.occurred_at.moment,
        person=person,
        prison=prison_of(record.snapshot),
        sensitivity=frozenset({Sensitivity.OFFENCE}),
        dates=dates_of(record.snapshot),
        legal_status=legal_status_of(record.snapshot),
    )
    fact = Fact(_key(record, "dates"), record.lane, event.kind, event, version=_version(record), lasting=True)
    return Accepted((fact,), (*record.findings, *oddities))


def status(record: Record[DomainEvent]) -> Accepted | Held:
    """Tell the right a person is held in now. Raises UnknownCode."""
    if record.snapshot is None:
        return _not_filled(record, "snapshot")
    legal_status = legal_status_of(record.snapshot)
    if legal_status is None:
        return _not_filled(record, "snapshot.legalStatus")
    person, oddities = record.person()
    event = StatusChanged(
        occurred=record.event.occurred_at.moment,
        person=person,
        prison=prison_of(record.snapshot),
        sensitivity=frozenset({Sensitivity.OFFENCE}),
        legal_status=legal_status,
    )
    fact = Fact(_key(record, "status"), record.lane, event.kind, event, version=_version(record), lasting=True)
    return Accepted((fact,), (*record.findings, *oddities))


def _not_filled(record: Record[DomainEvent], field: str) -> Held:
    return Held("pointer_not_filled", (*record.findings, Finding(rules.POINTER_NOT_FILLED, field)), record.lane)


def _key(record: Record[DomainEvent], what: str) -> str:
    """The fact: the dates, or the status, of one stay. Each new statement about it is a newer version of it."""
    return f"prison:{record.number}:{what}:{record.booking or '-'}"


def _version(record: Record[DomainEvent]) -> int:
    """Microseconds since 1970 of when the snapshot was fetched, or of the event where the record does not say."""
    return ((record.fetched or record.event.occurred_at.at) - _EPOCH) // timedelta(microseconds=1)
