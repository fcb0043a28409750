"""What became of what agencies sent, read from the gateway's own ledgers as operations staff would see them."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.local.cast import NAMES
from gateway.local.playbill import Row
from gateway.local.stage import Sent

_MANY: Final = 12
"""Lines about one thing that was sent, from which it is shown by recipient and not one by one."""

_KINDS: Final = {
    "custody.drug-test.recorded": "drug test",
    "custody.assessment.required": "RA1",
    "supervision.address-changed": "its address",
    "benefits.started": "benefit start",
    "benefits.ended": "benefit end",
}
"""What a record or file that tells several things tells, in a word each; else it is called what was sent."""
_CHANGES: Final = {"fact": "", "correction": " *", "retraction": " **"}
_WHY: Final = {
    "declared": "address stated",
    "declared_at_reception": "at reception",
    "custody_suite": "custody suite",
    "self_referral": "asked there",
    "prison": "in that prison",
    "released": "left it",
    "no_case": "no case",
    "out_of_scheme": "outside areas",
    "no_home_area": "home unknown",
    "suppressed": "undone in time",
}
"""Bases and reasons, as short as the table is narrow."""

_EVENTS: Final = text(
    """
    select e.id, e.record_id, coalesce(r.file_id, r.id)::text as receipt, e.kind, e.change,
           greatest(r.received, e.due) as since, d.state, d.reason, d.why
    from events e join records r on r.id = e.record_id
    join decisions d on d.record_id = e.record_id and d.event_id = e.id and d.number = 1
    where coalesce(r.file_id, r.id) = any(:receipts) order by e.seq
    """
)
_DELIVERIES: Final = text(
    """
    select event_id, recipient, role, offered, acknowledged from deliveries
    where record_id = any(:records) and event_id = any(:events) order by event_id, role desc, position
    """
)
_HOLDS: Final = text("select event_id, role, reason from holds where event_id = any(:events) and released is null")


@dataclass(frozen=True, slots=True)
class _Event:
    """One event, its deliveries, and the roles that are held."""

    told: Any
    deliveries: Sequence[Any]
    holds: Sequence[Any]

    def rows(self, what: str, agency: str) -> Iterator[Row]:
        """A row for each delivery and each hold, or one that says why there is none."""
        told, what = self.told, what + _CHANGES[self.told.change]
        thing = str(told.id)
        for one in self.deliveries:
            took = (one.offered - told.since).total_seconds() * 1000 if one.offered else None
            yield Row(thing, what, agency, NAMES[one.recipient], one.role, self._why(one.role), took, one.acknowledged)
        for one in self.holds:
            yield Row(thing, what, agency, "held", one.role, _WHY.get(one.reason, one.reason))
        if not self.deliveries and not self.holds:
            reason = told.reason if told.state == "no_recipient" else told.state
            yield Row(thing, what, agency, "nobody", "", _WHY.get(reason, reason))

    def _why(self, role: str) -> str:
        if self.told.change == "retraction":
            return "had been told"
        basis: str = self.told.why.get(role, {}).get("basis", "")
        return _WHY.get(basis, basis.replace("_", " "))


async def outcomes(connection: AsyncConnection, sent: Sequence[Sent]) -> list[Row]:
    """The rows about what was sent, in order. The connection must not be inside a transaction yet."""
    receipts = [uuid.UUID(one.receipt) for one in sent if one.receipt]
    told = list(await connection.execute(_EVENTS, {"receipts": receipts}))
    ids = {"events": [event.id for event in told]}
    records = {"records": [event.record_id for event in told]}
    deliveries = _by_event(list(await connection.execute(_DELIVERIES, ids | records)))
    holds = _by_event(list(await connection.execute(_HOLDS, ids)))
    await connection.rollback()
    events: dict[str, list[_Event]] = {}
    for one in told:
        events.setdefault(one.receipt, []).append(_Event(one, deliveries.get(one.id, ()), holds.get(one.id, ())))
    return [row for one in sent for row in _about(one, events.get(one.receipt, ()))]


def _about(sent: Sent, events: Sequence[_Event]) -> list[Row]:
    """The rows about one thing that was sent."""
    agency = sent.agency.short
    if not events:
        return [Row(sent.receipt, sent.what, agency, "nobody", "", "known already")]
    if len(events) == 1:
        return list(events[0].rows(sent.what, agency))
    rows = [row for event in events for row in event.rows(_KINDS.get(event.told.kind, sent.what), agency)]
    return rows if len(rows) < _MANY else _together(rows)


def _together(rows: Sequence[Row]) -> list[Row]:
    """Many rows as one for each recipient, role and reason: how many, the middle of the times, the last answer."""
    groups: dict[tuple[bool, str, str, str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row.role != "home", row.what, row.to, row.role, row.why), []).append(row)
    told = []
    for (_, what, to, role, why), alike in sorted(groups.items()):
        speeds = [row.milliseconds for row in alike if row.milliseconds is not None]
        answers: list[datetime] = [row.acknowledged for row in alike if row.acknowledged is not None]
        label = what if len(alike) == 1 else f"{len(alike)} {what}s"
        speed = median(speeds) if speeds else None
        told.append(Row(label, label, alike[0].agency, to, role, why, speed, max(answers, default=None)))
    return told


def _by_event(rows: Sequence[Any]) -> Mapping[uuid.UUID, list[Any]]:
    grouped: dict[uuid.UUID, list[Any]] = {}
    for row in rows:
        grouped.setdefault(row.event_id, []).append(row)
    return grouped
