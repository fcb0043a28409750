"""How far each stage is behind: messages between two stages, and the age of the oldest, in seconds.

Read from the store when the metrics are asked for, so that it is true whichever process answers.
"""

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway import telemetry

_STAGES = text(
    """
    select 'relay' as stage, count(*) as waiting, min(coalesce(o.due, e.recorded)) as oldest
    from outbox o join events e on e.id = o.event_id where o.due is null or o.due <= :now
    union all
    select 'settling', count(*), null from outbox where due > :now
    union all
    select 'addressing', count(*), min(coalesce(e.due, e.recorded))
    from undecided u join events e on e.id = u.event_id
    where not exists (select from outbox o where o.seq = u.seq)
    union all
    select 'delivery', count(*), min(d.created) from queued q join deliveries d using (recipient, position)
    """
)


async def measure(engine: AsyncEngine, now: datetime) -> None:
    """Set the gauges `gateway_in_flight` and `gateway_lag_seconds` of every stage."""
    async with engine.connect() as connection:
        rows = (await connection.execute(_STAGES, {"now": now})).all()
    for stage, waiting, oldest in rows:
        telemetry.in_flight.labels(stage).set(waiting)
        if stage != "settling":
            telemetry.lag_seconds.labels(stage).set((now - oldest).total_seconds() if oldest else 0)
