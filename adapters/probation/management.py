"""Who supervises a person: another practitioner, or another team altogether."""

from adapters.base import Held
from adapters.probation.record import Record, not_filled
from adapters.probation.snapshot import manager_of, region_of
from schemas.base import Fact, Person
from schemas.supervision import ManagerChanged, Transferred


def manager_changed(record: Record, person: Person) -> Fact | Held:
    """Tell who supervises the person now. A later one is a newer version of the same fact."""
    manager = manager_of(record.snapshot) if record.snapshot is not None else None
    if manager is None:
        return not_filled(record, "snapshot.offenderManagers")
    event = ManagerChanged(
        occurred=record.event.occurred_at.moment,
        person=person,
        sensitivity=record.sensitivity,
        region=region_of(record),
        team=manager.team.description,
    )
    key = f"probation:{record.crn}:manager"
    return Fact(key, record.lane, event.kind, event, version=record.version, lasting=True)


def transferred(record: Record, person: Person) -> Fact | Held:
    """Tell that responsibility passed to another team. Each transfer is a fact of its own."""
    manager = manager_of(record.snapshot) if record.snapshot is not None else None
    if manager is None:
        return not_filled(record, "snapshot.offenderManagers")
    event = Transferred(
        occurred=record.event.occurred_at.moment,
        person=person,
        sensitivity=record.sensitivity,
        region=region_of(record),
        team=manager.team.description,
    )
    key = f"probation:{record.crn}:transferred:{event.occurred.at.isoformat()}"
    return Fact(key, record.lane, event.kind, event)
