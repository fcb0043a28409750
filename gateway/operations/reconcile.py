"""The three ledgers, added up: every record, event and delivery in one state, and nothing missing between them.

`unaccounted` is the sum of the differences and is 0 (DESIGN.md, invariant 6). What is in flight is counted where it
is, an event without a decision or a delivery queued or offered, and never found by subtraction.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_RECORDS = text("select state, count(*) as total, sum(events) as events from records group by state")

_EVENTS = text(
    """
    select coalesce(d.state, case when o.seq is null then 'in_flight' when o.due > :now then 'settling'
                                  else 'to_publish' end) as state, count(*) as total
    from events e
    left join lateral (
        select state from decisions d where d.record_id = e.record_id and d.event_id = e.id order by number desc limit 1
    ) d on true
    left join outbox o on o.event_id = e.id
    group by 1
    """
)

_DELIVERIES = text("select state, count(*) as total from deliveries group by state")

_DIFFERENCES = {
    "events_of_records": text(
        """
        select coalesce(sum(abs(r.events - coalesce(e.total, 0))), 0)
        from records r
        full join (select record_id, count(*) as total from events group by record_id) e on e.record_id = r.id
        where r.events is distinct from coalesce(e.total, 0)
        """
    ),
    "events_without_record": text(
        "select count(*) from events e where not exists (select from records r where r.id = e.record_id)"
    ),
    "undecided_of_events": text(
        """
        select count(*)
        from (
            select e.id, e.lane, e.seq from events e
            where not exists (select from decisions d where d.record_id = e.record_id and d.event_id = e.id)
        ) e
        full join undecided u on u.event_id = e.id and u.lane = e.lane and u.seq = e.seq
        where e.id is null or u.event_id is null
        """
    ),
    "decisions_without_event": text(
        """
        select count(*) from decisions d
        where not exists (select from events e where e.id = d.event_id and e.record_id = d.record_id)
        """
    ),
    "deliveries_of_decisions": text(
        """
        select coalesce(sum(abs(d.deliveries - coalesce(x.total, 0))), 0)
        from decisions d
        left join (
            select record_id, event_id, decision, count(*) as total from deliveries group by 1, 2, 3
        ) x on x.record_id = d.record_id and x.event_id = d.event_id and x.decision = d.number
        where d.deliveries <> coalesce(x.total, 0)
        """
    ),
    "deliveries_without_decision": text(
        """
        select count(*) from deliveries x
        where not exists (select from decisions d where d.record_id = x.record_id and d.event_id = x.event_id
                                                    and d.number = x.decision)
        """
    ),
    "holds_of_decisions": text(
        """
        select coalesce(sum(abs(d.holds - coalesce(h.total, 0))), 0)
        from decisions d
        left join (select event_id, decision, count(*) as total from holds group by event_id, decision) h
          on h.event_id = d.event_id and h.decision = d.number
        where d.holds <> coalesce(h.total, 0)
        """
    ),
    "rows_of_files": text(
        """
        select coalesce(sum(abs(f.rows - coalesce(r.total, 0) - coalesce(x.total, 0))), 0)
        from files f
        left join (select file_id, count(*) as total from records where file_id is not null group by file_id) r
          on r.file_id = f.id
        left join (select file_id, count(*) as total from refusals where file_id is not null group by file_id) x
          on x.file_id = f.id
        where f.state = 'taken' and f.received > now() - interval '29 days'
        """
    ),
}


@dataclass(frozen=True, slots=True)
class Ledgers:
    """The count of each state on each ledger, and every difference between the ledgers by its name."""

    records: Mapping[str, int]
    events: Mapping[str, int]
    deliveries: Mapping[str, int]
    differences: Mapping[str, int]

    @property
    def unaccounted(self) -> int:
        """The sum of the differences."""
        return sum(self.differences.values())

    @property
    def in_flight(self) -> int:
        """Events and deliveries between two states, settling ones not among them."""
        return self.events.get("in_flight", 0) + self.events.get("to_publish", 0) + self.deliveries.get("queued", 0)


async def reconcile(connection: AsyncConnection) -> Ledgers:
    """Read all three ledgers in one snapshot. The connection must not be inside a transaction yet."""
    await connection.execution_options(isolation_level="REPEATABLE READ")
    now = (await connection.execute(text("select now()"))).scalar_one()
    records = {row.state: row.total for row in await connection.execute(_RECORDS)}
    events = {row.state: row.total for row in await connection.execute(_EVENTS, {"now": now})}
    deliveries = {row.state: row.total for row in await connection.execute(_DELIVERIES)}
    differences = {
        name: int((await connection.execute(statement)).scalar_one()) for name, statement in _DIFFERENCES.items()
    }
    await connection.rollback()
    return Ledgers(records, events, deliveries, differences)
