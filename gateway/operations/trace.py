"""`lgw trace`: one message's whole journey, with times and reasons, for operations staff. No content."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.wording import many

_RECORD_OF = text(
    """
    select id from records where id = :id
    union select record_id from events where id = :id
    union select record_id from deliveries where id = :id
    """
)

_RECORD = text(
    """
    select r.id, r.sender, r.agency, r.received, r.state, r.reason, r.owner, r.due, r.events, r.repeats, r.file_id,
           r."row", r.findings, r.trace, f.tries, f.tried, f.next, f.outcome
    from records r left join fillings f on f.record_id = r.id where r.id = :id
    """
)

_EVENTS = text(
    """
    select e.id, e.kind, e.change, e.supersedes, e.recorded, e.due, o.seq is not null as unpublished
    from events e left join outbox o on o.event_id = e.id where e.record_id = :record order by e.seq
    """
)

_DECISIONS = text(
    """
    select event_id, number, state, reason, owner, due, decided, why, deliveries, holds
    from decisions where record_id = :record order by decided, number
    """
)

_HOLDS = text(
    """
    select h.event_id, h.role, h.reason, h.owner, h.since, h.due, h.released, h.outcome
    from holds h join events e on e.id = h.event_id where e.record_id = :record order by h.since
    """
)

_DELIVERIES = text(
    """
    select id, event_id, recipient, role, change, state, reason, owner, due, attempts, next, created, offered,
           acknowledged, agreement
    from deliveries where record_id = :record order by created, recipient
    """
)

_ATTEMPTS = text(
    """
    select a.delivery_id, a.number, a.started, a.milliseconds, a.outcome, a.status
    from attempts a join deliveries d on d.id = a.delivery_id where d.record_id = :record order by a.started
    """
)

_RECEIPTS = text(
    """
    select r.delivery_id, r.number, r.result, r.code, r.at
    from receipts r join deliveries d on d.id = r.delivery_id where d.record_id = :record order by r.at, r.number
    """
)


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the journey."""

    at: datetime
    word: str
    told: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Journey:
    """A record from receipt to acknowledgement, in the order it happened."""

    receipt: uuid.UUID
    received: datetime
    steps: tuple[Step, ...]

    def lines(self) -> list[str]:
        """Time, word and sentence; the first time absolute, the rest from there."""
        lines = []
        for step in self.steps:
            since = (step.at - self.received).total_seconds()
            at = step.at.strftime("%H:%M:%S.%f")[:-3] if step is self.steps[0] else f"+{since:.3f} s"
            lines.append(f"{step.word:<13}{at:>14}  {step.told}")
        return lines

    def as_json(self) -> Mapping[str, Any]:
        """The same as plain data."""
        return {
            "receipt": str(self.receipt),
            "steps": [{"at": s.at.isoformat(), "step": s.word, "told": s.told, **s.data} for s in self.steps],
        }


async def read_journey(connection: AsyncConnection, wanted: uuid.UUID) -> Journey | None:
    """The journey of the record a receipt, event or delivery id belongs to; None if there is none."""
    record_id = (await connection.execute(_RECORD_OF, {"id": wanted})).scalars().first()
    if record_id is None:
        return None
    record = (await connection.execute(_RECORD, {"id": record_id})).one()
    of_record = {"record": record_id}
    steps = [*_taken(record), *_asked(record)]
    steps += [_event(row) for row in await connection.execute(_EVENTS, of_record)]
    steps += [_decision(row) for row in await connection.execute(_DECISIONS, of_record)]
    for row in await connection.execute(_HOLDS, of_record):
        steps += _hold(row)
    offered: dict[uuid.UUID, str] = {}
    for row in await connection.execute(_DELIVERIES, of_record):
        offered[row.id] = row.recipient
        steps += _delivery(row)
    steps += [_attempt(row, offered) for row in await connection.execute(_ATTEMPTS, of_record)]
    steps += [_receipt(row, offered) for row in await connection.execute(_RECEIPTS, of_record)]
    await connection.rollback()
    return Journey(record_id, record.received, tuple(sorted(steps, key=lambda step: step.at)))


def _taken(record: Any) -> list[Step]:
    place = f"  row {record.row} of file {record.file_id}" if record.file_id else ""
    rules = sorted({finding["rule"] for finding in record.findings})
    findings = f"{many(len(record.findings), 'finding')} ({', '.join(rules)})" if rules else "no findings"
    steps = [
        Step(record.received, "received", f"{record.agency}/{record.sender}{place}", {"sender": record.sender}),
    ]
    match record.state:
        case "translated":
            told = f"{many(record.events, 'event')}, {findings}"
            if record.repeats:
                told += f", {many(record.repeats, 'fact')} already known"
            steps.append(Step(record.received, "validated", told, {"events": record.events, "repeats": record.repeats}))
        case "ignored":
            steps.append(Step(record.received, "ignored", f"not subscribed to: {record.reason}", {}))
        case _:
            steps.append(
                Step(
                    record.received,
                    record.state,
                    f"{record.reason}, owner {record.owner}, due {_instant(record.due)}, {findings}",
                    {"reason": record.reason, "owner": record.owner},
                )
            )
    return steps


def _asked(record: Any) -> list[Step]:
    """That the source of a pointer was asked, how often, and what came of it."""
    if not record.tries:
        return []
    told = f"{record.agency}'s source {many(record.tries, 'time')}: {record.outcome or 'under way'}"
    if record.state == "waiting":
        told += f", again {_instant(record.next)}"
    return [Step(record.tried, "asked", told, {"tries": record.tries, "outcome": record.outcome})]


def _event(row: Any) -> Step:
    told = f"{_short(row.id)} {row.kind} {row.change}"
    if row.supersedes:
        told += f" of {_short(row.supersedes)}"
    if row.unpublished:
        told += f", settling until {_instant(row.due)}" if row.due else ", not yet published"
    return Step(row.recorded, "translated", told, {"event": str(row.id), "kind": row.kind, "change": row.change})


def _decision(row: Any) -> Step:
    word = "routed" if row.state == "decided" else row.state
    told = f"{many(row.deliveries, 'delivery', 'deliveries')}, {many(row.holds, 'hold')}"
    if row.reason:
        told = f"{row.reason}" + (f", owner {row.owner}" if row.owner else "")
    told = f"{_short(row.event_id)} {told}  {_why(row.why)}".rstrip()
    return Step(row.decided, word, told, {"event": str(row.event_id), "why": row.why})


def _why(why: Any) -> str:
    """Role by role: the area and the rule that gave it."""
    told = []
    for role, reason in why.items():
        if isinstance(reason, dict) and "basis" in reason:
            told.append(f"{role} {reason.get('area') or 'none'} ({reason['basis']})")
    return "; ".join(told)


def _hold(row: Any) -> list[Step]:
    steps = [
        Step(
            row.since,
            "held",
            f"{_short(row.event_id)} for {row.role}: {row.reason}, owner {row.owner}, due {_instant(row.due)}",
            {"event": str(row.event_id), "role": row.role, "reason": row.reason},
        )
    ]
    if row.released:
        steps.append(
            Step(
                row.released,
                "released",
                f"{_short(row.event_id)} for {row.role}: {row.outcome}",
                {"event": str(row.event_id)},
            )
        )
    return steps


def _delivery(row: Any) -> list[Step]:
    data = {"delivery": str(row.id), "recipient": row.recipient, "role": row.role}
    what = f"{_short(row.event_id)} to {row.recipient} as {row.role}"
    steps = [Step(row.created, "queued", f"{what}, under {row.agreement}", data)]
    if row.offered:
        tries = f"after {many(row.attempts, 'attempt')}" if row.attempts else "collected from the mailbox"
        steps.append(Step(row.offered, "offered", f"{what}, {tries}", data))
    if row.state in {"parked", "rejected"}:
        told = f"{row.recipient}: {row.reason}, owner {row.owner}, due {_instant(row.due)}"
        steps.append(Step(row.acknowledged or row.offered or row.created, row.state, told, data))
    elif row.state == "queued" and row.attempts:
        told = f"{row.recipient}: {many(row.attempts, 'attempt')} failed, next {_instant(row.next)}"
        steps.append(Step(row.created, "retrying", told, data))
    return steps


def _attempt(row: Any, recipients: Mapping[uuid.UUID, str]) -> Step:
    status = f" {row.status}" if row.status else ""
    told = f"{recipients[row.delivery_id]} attempt {row.number}: {row.outcome}{status} in {row.milliseconds} ms"
    return Step(row.started, "attempted", told, {"delivery": str(row.delivery_id), "outcome": row.outcome})


def _receipt(row: Any, recipients: Mapping[uuid.UUID, str]) -> Step:
    code = f" ({row.code})" if row.code else ""
    told = f"{row.result}{code} by {recipients[row.delivery_id]}"
    return Step(row.at, "acknowledged", told, {"delivery": str(row.delivery_id), "result": row.result})


def _short(event: uuid.UUID) -> str:
    """Enough of an event's id to tell it from the others of its record."""
    return str(event)[:8]


def _instant(at: datetime | None) -> str:
    return at.strftime("%d %b %H:%M:%S") if at else "none"
