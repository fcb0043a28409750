"""How far each stage is behind: messages between two stages, and the age of the oldest, in seconds.

Read from the store when the metrics are asked for, so that it is true whichever process answers.
"""

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway import telemetry

# What waits is found in tables that hold nothing else, and what it is one by one: joined, serving sessions would read
# all events or deliveries and look each of them up there.
STAGES = text(
    """
    select 'relay' as stage, count(*) as waiting, min(coalesce(o.due, e.recorded)) as oldest
    from outbox o cross join lateral (select * from events e where e.seq = o.seq limit 1) e
    where o.due is null or o.due <= :now
    union all
    select 'settling', count(*), null from outbox where due > :now
    union all
    select 'addressing', count(*), min(coalesce(e.due, e.recorded))
    from undecided u cross join lateral (select * from events e where e.seq = u.seq limit 1) e
    where not exists (select from outbox o where o.seq = u.seq offset 0)
    union all
    select 'delivery', count(*), min(d.created)
    from queued q cross join lateral (
        select * from deliveries d where d.recipient = q.recipient and d.position = q.position limit 1
    ) d
    """
)
"""Of each stage how many messages wait for it, and since when the oldest does."""


async def measure(engine: AsyncEngine, now: datetime) -> None:
    """Set the gauges `gateway_in_flight` and `gateway_lag_seconds` of every stage."""
    async with engine.connect() as connection:
        rows = (await connection.execute(STAGES, {"now": now})).all()
    for stage, waiting, oldest in rows:
        telemetry.in_flight.labels(stage).set(waiting)
        if stage != "settling":
            telemetry.lag_seconds.labels(stage).set((now - oldest).total_seconds() if oldest else 0)
