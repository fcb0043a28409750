"""What a demonstration shows at its end: what came, from whom, where it went and why, how fast, acknowledged when.

Eighty columns wide. Every row is read from the gateway's own ledgers, as operations staff would see them.
"""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.local.cast import NAMES
from gateway.local.stage import Sent

_WIDTHS: Final = (21, 7, 12, 7, 14, 5, 8)
_HEAD: Final = ("What came", "From", "Went to", "As", "Why", "ms", "Acked at")
_MANY: Final = 12
"""Deliveries of one thing that was sent, from which they are shown by recipient and not one by one."""

_KINDS: Final = {
    "custody.drug-test.recorded": "drug test",
    "custody.assessment.required": "RA1, required",
    "custody.assessment.varied": "RA2, moved",
    "imprisonment.received": "reception",
    "imprisonment.need-identified": "need",
    "imprisonment.dates-changed": "release date",
    "imprisonment.released": "release",
}
_CHANGES: Final = {"fact": "", "correction": "*", "retraction": ", back"}
_WHY: Final = {
    "declared": "address stated",
    "declared_at_reception": "at reception",
    "custody_suite": "custody suite",
    "prison": "in that prison",
    "released": "left it",
    "no_case": "no case",
    "out_of_scheme": "outside areas",
    "no_home_area": "home unknown",
    "suppressed": "undone in time",
}

_EVENTS: Final = text(
    """
    select e.id, coalesce(r.file_id, r.id)::text as receipt, e.kind, e.change, greatest(r.received, e.due) as since,
           d.state, d.reason, d.why, d.number
    from events e join records r on r.id = e.record_id
    join lateral (select * from decisions where event_id = e.id order by number limit 1) d on true
    where coalesce(r.file_id, r.id) = any(:receipts) order by e.seq
    """
)
_DELIVERIES: Final = text(
    """
    select event_id, recipient, role, offered, acknowledged from deliveries
    where event_id = any(:events) order by event_id, role desc, position
    """
)
_HOLDS: Final = text("select event_id, role, reason from holds where event_id = any(:events) and released is null")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. milliseconds: from accepted (or settled) to offered; None where nothing was offered."""

    what: str
    agency: str
    to: str
    role: str
    why: str
    milliseconds: float | None
    acknowledged: datetime | None


def head() -> str:
    """The names of the columns."""
    return _line(_HEAD)


def shown(rows: Sequence[Row]) -> list[str]:
    """The rows as lines; what repeats from one to the next is left blank."""
    lines = []
    before = ("", "")
    for row in rows:
        same = (row.what, row.agency) == before
        before = (row.what, row.agency)
        speed = f"{row.milliseconds:.0f}" if row.milliseconds is not None else "-"
        acknowledged = f"{row.acknowledged.astimezone():%H:%M:%S}" if row.acknowledged else "-"
        who = ("", "") if same else (row.what, row.agency)
        lines.append(_line((*who, row.to, row.role, row.why, speed, acknowledged)))
    return lines


async def rows(connection: AsyncConnection, sent: Sequence[Sent]) -> list[Row]:
    """The rows of what was sent, in order."""
    receipts = [uuid.UUID(one.receipt) for one in sent if one.receipt]
    events = list(await connection.execute(_EVENTS, {"receipts": receipts}))
    ids = {"events": [event.id for event in events]}
    deliveries: dict[uuid.UUID, list[Any]] = {}
    for delivery in await connection.execute(_DELIVERIES, ids):
        deliveries.setdefault(delivery.event_id, []).append(delivery)
    holds: dict[uuid.UUID, list[Any]] = {}
    for hold in await connection.execute(_HOLDS, ids):
        holds.setdefault(hold.event_id, []).append(hold)
    await connection.rollback()
    told: list[Row] = []
    for one in sent:
        own = [event for event in events if event.receipt == one.receipt]
        single = [row for event in own for row in _of_event(one, event, deliveries, holds)]
        if not own:
            single = [Row(one.what, one.agency.short, "nobody", "", "known already", None, None)]
        told += single if len(single) < _MANY else _together(single)
    return told


def _of_event(
    sent: Sent, event: Any, deliveries: Mapping[uuid.UUID, list[Any]], holds: Mapping[uuid.UUID, list[Any]]
) -> Iterator[Row]:
    what = _KINDS.get(event.kind, event.kind.rpartition(".")[2]) + _CHANGES[event.change]
    agency = sent.agency.short
    nobody = True
    for delivery in deliveries.get(event.id, ()):
        nobody = False
        yield Row(
            what=what,
            agency=agency,
            to=NAMES[delivery.recipient],
            role=delivery.role,
            why=_why(event, delivery.role),
            milliseconds=(delivery.offered - event.since).total_seconds() * 1000 if delivery.offered else None,
            acknowledged=delivery.acknowledged,
        )
    for hold in holds.get(event.id, ()):
        nobody = False
        yield Row(what, agency, "held", hold.role, _WHY.get(hold.reason, hold.reason), None, None)
    if nobody:
        reason = event.reason if event.state == "no_recipient" else event.state
        yield Row(what, agency, "nobody", "", _WHY.get(reason, reason), None, None)


def _why(event: Any, role: str) -> str:
    if event.change == "retraction":
        return "had been told"
    basis: str = event.why.get(role, {}).get("basis", "")
    return _WHY.get(basis, basis.replace("_", " "))


def _together(single: Sequence[Row]) -> list[Row]:
    """Many rows as one for each recipient, role and reason: how many, the middle of the times, the last answer."""
    groups: dict[tuple[str, str, str, str, str], list[Row]] = {}
    for row in single:
        groups.setdefault((row.what, row.agency, row.to, row.role, row.why), []).append(row)
    told = []
    for (what, agency, to, role, why), alike in sorted(
        groups.items(), key=lambda group: (group[0][3] != "home", group[0])
    ):
        speeds = [row.milliseconds for row in alike if row.milliseconds is not None]
        answers = [row.acknowledged for row in alike if row.acknowledged is not None]
        told.append(
            Row(
                f"{len(alike)} {what}s",
                agency,
                to,
                role,
                why,
                median(speeds) if speeds else None,
                max(answers, default=None),
            )
        )
    return told


def _line(cells: Sequence[str]) -> str:
    """Cells side by side, each cut to its width; the milliseconds to the right."""
    told = [
        f"{cell[:width]:>{width}}" if place == 5 else f"{cell[:width]:<{width}}"
        for place, (cell, width) in enumerate(zip(cells, _WIDTHS, strict=True))
    ]
    return " ".join(told).rstrip()
